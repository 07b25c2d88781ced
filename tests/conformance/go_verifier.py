"""Runs the Go verifier (golang.org/x/mod/sumdb) against a log directory.

Needs Debian's golang-go and golang-golang-x-mod-dev. Where they are missing this raises: a conformance test
that cannot run has failed.
"""

import atexit
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

SOURCE = Path(__file__).parent / "go" / "verify" / "main.go"
SHARED_GOPATH = Path("/usr/share/gocode")


class GoMissingError(Exception):
    """Go or golang.org/x/mod is not installed."""


class LogRefusedError(Exception):
    """The Go verifier refused the log; the text is its own."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the Go verifier checked."""

    origin: str
    size: int
    root: str
    tiles: int
    inclusion: int
    """Leaves that Go proved and checked itself."""
    consistency: int
    """Older sizes of the same tree that Go proved and checked itself."""
    old: int
    """Older checkpoints that the log is consistent with."""
    given: int
    """Proofs made by us that Go checked."""


def verify_log(
    log_dir: Path, vkey: str, old_checkpoints: Iterable[Path] = (), *, proofs: Path | None = None
) -> Verdict:
    """What Go finds in the log directory (``checkpoint`` and ``tile/``) of this Ed25519 key.

    Every entry is hashed, every tile compared, the root recomputed, leaves proven, and each older checkpoint
    file shown to be consistent. ``proofs`` is a JSON file of proofs of ours to check as well.
    """
    command = [str(built_verifier()), str(log_dir), vkey]
    command += ["-proofs", str(proofs)] if proofs else []
    command += [str(each) for each in old_checkpoints]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise LogRefusedError(done.stderr.strip())
    return Verdict(**json.loads(done.stdout))


@cache
def built_verifier() -> Path:
    go = shutil.which("go")
    if go is None or not (SHARED_GOPATH / "src/golang.org/x/mod/sumdb/note").is_dir():
        raise GoMissingError("Install the Debian packages golang-go and golang-golang-x-mod-dev.")
    work = Path(tempfile.mkdtemp(prefix="verify-log-"))
    atexit.register(shutil.rmtree, work, ignore_errors=True)
    place = work / "src" / "verify"
    place.mkdir(parents=True)
    shutil.copy(SOURCE, place)
    environment = {**os.environ, "GO111MODULE": "off", "GOPATH": f"{work}:{SHARED_GOPATH}", "GOFLAGS": ""}
    if "HOME" not in environment:
        environment.setdefault("GOCACHE", str(work / "cache"))
    built = work / "verify"
    done = subprocess.run(
        [go, "build", "-o", str(built), str(place / "main.go")],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise GoMissingError(f"The Go verifier does not build: {done.stderr}")
    return built

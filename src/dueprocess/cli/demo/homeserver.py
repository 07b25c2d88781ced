"""A real Matrix Synapse homeserver as a separate process: found, configured for one machine, started, stopped.

Synapse is another program under its own licence: it is run, never imported. It listens on loopback only, has
no federation, asks nobody for keys, looks up no web pages and reports nothing.
"""

import base64
import http.client
import json
import os
import secrets
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from dueprocess.errors import RefusedError, UnavailableError

SERVER_NAME = "chat.example"
START_SECONDS = 60
_STOP_SECONDS = 15
_TOLD_LINES = 12
_UNLIMITED = {"per_second": 1000, "burst_count": 1000}
_UNLIMITED_RATES = ("rc_message", "rc_registration", "rc_joins_per_room", "rc_room_creation")

type Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Homeserver:
    """A running homeserver: where it listens, the secret that registers users, and what it writes."""

    port: int
    registration_secret: str
    database: Path
    media: Path


def find_synapse() -> list[str]:
    """The command that starts Synapse: DUEPROCESS_SYNAPSE, else this source tree's, else the one on PATH.

    Refuses, with what to install, where there is none.
    """
    module = ["-m", "synapse.app.homeserver"]
    named = os.environ.get("DUEPROCESS_SYNAPSE")
    if named:
        if not Path(named).is_file():
            raise _not_installed(f"DUEPROCESS_SYNAPSE names {named}, which is no file.")
        return [named, *module]
    tree = Path(__file__).resolve().parents[4]
    python = tree / ".venv-synapse" / "bin" / "python"
    if (tree / "pyproject.toml").is_file() and python.is_file():
        return [str(python), *module]
    program = shutil.which("synapse_homeserver")
    if program is None:
        raise _not_installed("It is neither beside the source tree nor on PATH.")
    return [program]


def _not_installed(why: str) -> UnavailableError:
    return UnavailableError(
        "no-synapse",
        "The demonstration needs Matrix Synapse, which is not installed.",
        why=why,
        do="In a source tree run `python3 tools/setup.py synapse`; elsewhere install the package matrix-synapse "
        "in an environment of its own and set DUEPROCESS_SYNAPSE to that environment's python.",
    )


@contextmanager
def running(folder: Path, *, say: Say) -> Iterator[Homeserver]:
    """A homeserver with its files in ``folder``, stopped on every way out, Ctrl-C and SIGTERM among them.

    Refuses a folder that holds one already. Raises ``UnavailableError`` with the end of its log where it does
    not come up within a minute. Afterwards the database is one file that a reader opens without writing beside it.
    """
    command, folder = find_synapse(), folder.resolve()
    server = Homeserver(_free_port(), secrets.token_hex(32), folder / "homeserver.db", folder / "media_store")
    if server.database.exists():
        raise RefusedError(
            "platform-exists",
            f"There is a homeserver's database in {folder} already.",
            why="The demonstration begins with an empty homeserver, so that it can say what is in it.",
            do="Choose another folder, or remove this one.",
        )
    folder.mkdir(parents=True, exist_ok=True)
    config, log = _write_config(folder, server), folder / "homeserver.log"
    with _unwinding_on_sigterm():
        process = _start([*command, "-c", str(config)], folder, log)
        try:
            _wait_until_up(process, server.port, log, say)
            yield server
        finally:
            _stop(process)
    say("The homeserver has stopped.")
    _fold_into_one_file(server.database)


@contextmanager
def _unwinding_on_sigterm() -> Iterator[None]:
    """Makes SIGTERM leave through the ``finally`` blocks: by default it would leave the server behind."""

    def leave(number: int, _frame: FrameType | None) -> None:
        sys.exit(128 + number)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _start(command: list[str], folder: Path, log: Path) -> subprocess.Popen[bytes]:
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
    with log.open("wb") as out:
        try:
            return subprocess.Popen(  # noqa: S603  the command is fixed, or named by the person who runs this
                command,
                cwd=folder,
                env={**kept, "HOME": str(folder)},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        except OSError as error:
            raise _not_installed(f"{command[0]} cannot be run: {error.strerror}.") from error


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _write_config(folder: Path, server: Homeserver) -> Path:
    """Settings and a fresh signing key. YAML is a superset of JSON, so JSON it is."""
    key = base64.b64encode(secrets.token_bytes(32)).decode().rstrip("=")
    (folder / "signing.key").write_text(f"ed25519 a_demo {key}\n")
    (folder / "log.yaml").write_text(json.dumps(_LOGGING))
    config = folder / "homeserver.yaml"
    config.write_text(json.dumps(_settings(folder, server), indent=1) + "\n")
    return config


_LOGGING = {
    "version": 1,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"level": "WARNING", "handlers": ["console"]},
    "disable_existing_loggers": False,
}


def _settings(folder: Path, server: Homeserver) -> dict[str, object]:
    """Synapse's own names. Behind a proxy (``x_forwarded``), as homeservers run, so that addresses differ."""
    per_kind = {
        "rc_login": dict.fromkeys(("address", "account", "failed_attempts"), _UNLIMITED),
        "rc_joins": dict.fromkeys(("local", "remote"), _UNLIMITED),
        "rc_invites": dict.fromkeys(("per_room", "per_user", "per_issuer"), _UNLIMITED),
    }
    return {
        "server_name": SERVER_NAME,
        "public_baseurl": f"http://127.0.0.1:{server.port}/",
        "listeners": [
            {
                "port": server.port,
                "bind_addresses": ["127.0.0.1"],
                "type": "http",
                "tls": False,
                "x_forwarded": True,
                "resources": [{"names": ["client"], "compress": False}],
            }
        ],
        "database": {"name": "sqlite3", "args": {"database": str(server.database)}},
        "media_store_path": str(server.media),
        "log_config": str(folder / "log.yaml"),
        "signing_key_path": str(folder / "signing.key"),
        "registration_shared_secret": server.registration_secret,
        "macaroon_secret_key": secrets.token_hex(32),
        "form_secret": secrets.token_hex(32),
        "enable_registration": False,
        "report_stats": False,
        "trusted_key_servers": [],
        "suppress_key_server_warning": True,
        "federation_domain_whitelist": [],
        "url_preview_enabled": False,
        "enable_metrics": False,
        "presence": {"enabled": False},
        "push": {"enabled": False},
        # The least that bcrypt allows: these passwords live for seconds.
        "bcrypt_rounds": 4,
        **dict.fromkeys(_UNLIMITED_RATES, _UNLIMITED),
        **per_kind,
    }


def _wait_until_up(process: subprocess.Popen[bytes], port: int, log: Path, say: Say) -> None:
    say("Starting a real Matrix Synapse homeserver on 127.0.0.1 …")
    begun = told = time.monotonic()
    while time.monotonic() - begun < START_SECONDS:
        if process.poll() is not None:
            raise _did_not_start(f"It ended with code {process.returncode}.", log)
        if is_healthy(port):
            say(f"It is up after {time.monotonic() - begun:.1f} s.")
            return
        if time.monotonic() - told >= 5:
            told = time.monotonic()
            say(f"Still starting: {told - begun:.0f} s of at most {START_SECONDS} s.")
        time.sleep(0.1)
    raise _did_not_start(f"It did not answer within {START_SECONDS} s.", log)


def is_healthy(port: int) -> bool:
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        link.request("GET", "/health")
        return link.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        link.close()


def _did_not_start(why: str, log: Path) -> UnavailableError:
    lines = log.read_text(errors="replace").splitlines()[-_TOLD_LINES:]
    return UnavailableError(
        "synapse-not-up",
        "The homeserver did not start.",
        why="\n".join([why, *(f"  {line[:300]}" for line in lines)]),
        do="Read the lines above, then run the same command again.",
    )


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Asks it to end, waits, then ends it. A second Ctrl-C while waiting still ends it."""
    try:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(_STOP_SECONDS)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def _fold_into_one_file(database: Path) -> None:
    """Lets SQLite move what is still in its write-ahead log into the one file. No row is changed.

    A database in WAL mode wants to write beside itself even when it is only read.
    """
    with closing(sqlite3.connect(database)) as link:
        mode = link.execute("PRAGMA journal_mode=DELETE").fetchone()[0]
    if mode != "delete" or database.with_name(database.name + "-wal").exists():
        raise UnavailableError(
            "synapse-still-there",
            "The homeserver's database is still open somewhere.",
            why=f"SQLite stays in the mode {mode}.",
            do="End the process that holds it, remove the folder and run the same command again.",
        )

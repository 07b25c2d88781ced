"""Commands as a person types them: as a process of their own, or, where many are tried, in this process."""

import contextlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from dueprocess.cli.main import main
from dueprocess.history import connection


@dataclass(frozen=True, slots=True)
class Said:
    """What a command answered: its exit code, what it printed, what it complained about."""

    words: tuple[str, ...]
    code: int
    out: str
    err: str

    @property
    def value(self) -> Any:
        """The one JSON value on standard output; anything beside it is an error."""
        return json.loads(self.out)

    def __str__(self) -> str:
        return f"$ dueprocess {' '.join(self.words)}\n{self.out}{self.err}[{self.code}]"


def settings(install: Path | None, **more: str) -> dict[str, str]:
    """The environment of a person at work: no leftovers of the tests' own."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "VIRTUAL_ENV") if name in os.environ}
    named = {"DUEPROCESS_INSTALL": str(install)} if install is not None else {}
    return {**kept, **named, "DUEPROCESS_PERSON": "ana", **more}


def command(*words: str | Path) -> list[str]:
    return [sys.executable, "-m", "dueprocess", *map(str, words)]


def typed(*words: str | Path, environment: Mapping[str, str], folder: Path, **more: Any) -> Said:
    """Runs the command as a process of its own in ``folder``."""
    done = subprocess.run(
        command(*words), cwd=folder, env=dict(environment), capture_output=True, text=True, check=False, timeout=120,
        stdin=subprocess.DEVNULL, **more,
    )  # fmt: skip
    return Said(tuple(map(str, words)), done.returncode, done.stdout, done.stderr)


def called(*words: str | Path, environment: Mapping[str, str]) -> Said:
    """Runs the command through the same entry point in this process, which spares the start of Python."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    with mock.patch.dict(os.environ, dict(environment), clear=True), _printed(out, err):
        try:
            main([str(word) for word in words])
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
        finally:
            connection.close()
    return Said(tuple(map(str, words)), code, out.getvalue(), err.getvalue())


@contextlib.contextmanager
def _printed(out: io.StringIO, err: io.StringIO) -> Iterator[None]:
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        yield

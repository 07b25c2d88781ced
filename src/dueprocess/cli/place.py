"""What every command on an installation shares: where it is, how to print, whose key signs, what time it is."""

import datetime as dt
import getpass
import os
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from dueprocess.cli.printing import say
from dueprocess.desk.desk import Desk, open_desk
from dueprocess.desk.filekeys import FileKey, FileKeyWarning, open_key
from dueprocess.errors import RefusedError, UnavailableError
from dueprocess.history.docket import full_id
from dueprocess.worker.clock import read_clock


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Place:
    """Options of every command that acts on an installation."""

    install: Annotated[
        Path | None, Parameter(help="The installation; default DUEPROCESS_INSTALL, else here.")
    ] = None
    json: Annotated[bool, Parameter(help="Print one JSON value instead of text.", negative="")] = False

    @property
    def folder(self) -> Path:
        return self.install or Path(os.environ.get("DUEPROCESS_INSTALL", "."))

    def open(self) -> tuple[Desk, dt.datetime]:
        """The opened installation and its time."""
        desk = open_desk(self.folder)
        try:
            return desk, read_clock(desk.installation)
        except OSError as error:
            raise UnavailableError(
                "no-clock",
                "The simulated clock of this installation cannot be read.",
                why=str(error),
                do="Write the time into the file `clock` there, such as 2026-11-25T08:00:00Z, or set "
                '`mode = "system"` in dueprocess.toml.',
            ) from error

    def case(self, prefix: str) -> str:
        """The full id behind the first characters of one."""
        return full_id(prefix)

    def say(self, lines: list[str] | str, value: Any) -> None:
        """Prints the text, or with --json the value."""
        say(lines, value, as_json=self.json)


def person() -> str:
    """The opaque id of whoever acts without signing: DUEPROCESS_PERSON, else the login name."""
    return os.environ.get("DUEPROCESS_PERSON") or getpass.getuser()


def signing_key(path: Path | None) -> FileKey:
    """The key of the person who signs: --key, else DUEPROCESS_KEY."""
    chosen = path or (Path(os.environ["DUEPROCESS_KEY"]) if "DUEPROCESS_KEY" in os.environ else None)
    if chosen is None:
        raise RefusedError(
            "no-key",
            "This command needs the key of the person who signs.",
            do="Name it with --key FILE or set DUEPROCESS_KEY.",
        )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", FileKeyWarning)
        key = open_key(chosen)
    for warning in caught:
        print(f"Warning: {warning.message}", file=sys.stderr)
    return key


def known_key(path: Path) -> FileKey:
    """The key in a file whose person does not sign now, so that no warning is due."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FileKeyWarning)
        return open_key(path)

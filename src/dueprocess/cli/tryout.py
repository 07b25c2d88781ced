"""`dueprocess try`: what your own server holds about your own account, in counts. Needs no installation."""

import datetime as dt
import getpass
import os
import re
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import parse_qs, urlsplit

from cyclopts import Parameter

from dueprocess.cli.printing import say, working
from dueprocess.cli.whoami import place_of, whoami
from dueprocess.errors import ConflictError, MalformedError, RefusedError, UnavailableError

if TYPE_CHECKING:
    from dueprocess.plan import DataMap

_TOKEN = re.compile(rb"[!-~]{1,4096}")
_MOST_TYPED = 8192
_SCHEMES = ("postgresql://", "sqlite:///")


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Kept:
    """Where the homeserver keeps things."""

    synapse: Annotated[str, Parameter(help="homeserver.db, or postgresql://reader@host/synapse")]
    media: Annotated[Path | None, Parameter(help="its media_store folder: files are counted, not opened")] = (
        None
    )
    file: Annotated[
        Path | None, Parameter(name="--map", help="your own data map of it; default: the shipped one")
    ] = None


def try_command(
    *,
    kept: Kept,
    server: Annotated[str, Parameter(help="its address for clients, such as http://127.0.0.1:8008")],
    days: Annotated[int | None, Parameter(help="only the last days; default: everything")] = None,
    out: Annotated[Path | None, Parameter(help="also write a page to read and print")] = None,
    json: Annotated[bool, Parameter(help="print one JSON value instead of text", negative="")] = False,
) -> int:
    """Count what your own Synapse holds about your own account: counts and months, never values.

    Standard input: the access token of an ordinary session of that account. The live server says whose it is. Never a
    password. No option names an account. The database is only read, and nothing is stored but the page.

    Exit status 6 if a table could not be counted.
    """
    from dueprocess.production.tryout import Proven, count_own, whole_window  # noqa: PLC0415  the server extra
    from dueprocess.ui.firstday import FIRST_DAY, map_notes  # noqa: PLC0415  the same
    from dueprocess.ui.tryout import as_json, lines, render_tryout, sheet  # noqa: PLC0415  the same

    place, connections = place_of(server), _connections(kept)
    datamap, text = _map(kept.file)
    window = whole_window(dt.datetime.now(dt.UTC), days)
    _refuse_existing(out)
    said = whoami(place, read_token())
    account = Proven(said.user_id, said.device_id)
    with working("Counting"):
        holdings = count_own(datamap, connections, account, window)
    found = sheet(holdings, account.server_name, map_notes(text), FIRST_DAY.get(datamap.id, ()))
    if out is not None:
        _write(out, render_tryout(found))
    told = [*lines(found), *([f"Page: {out}"] if out is not None else [])]
    say(told, as_json(found, holdings), as_json=json)
    return 6 if any(each.status == "failed" for each in holdings.entries) else 0


def read_token() -> str:
    """The token from standard input: typed without an echo, or piped. Refuses what no token can be."""
    if sys.stdin.isatty():
        with warnings.catch_warnings():
            warnings.simplefilter("error", getpass.GetPassWarning)
            try:
                typed = getpass.getpass("Access token of your own account (not shown): ", sys.stderr).encode()
            except getpass.GetPassWarning as error:
                raise RefusedError(
                    "would-be-shown",
                    "This terminal would show the token while you type.",
                    do="Pipe it instead: dueprocess try ... < file-with-the-token",
                ) from error
    else:
        typed = sys.stdin.buffer.read(_MOST_TYPED)
    if not _TOKEN.fullmatch(typed.strip()):
        raise MalformedError(
            "bad-token",
            "Standard input holds no access token.",
            why="It is one line of visible characters.",
            do="Give the token of a session of your own account on standard input, and nothing else.",
        )
    return typed.strip().decode("ascii")


def _connections(kept: Kept) -> dict[str, str]:
    """What stands for the names in the map. Refuses a password among the arguments, and a file that is not there."""
    where = kept.synapse
    if not where.startswith(_SCHEMES):
        if "://" in where:
            raise MalformedError(
                "bad-connect",
                "Synapse keeps its data in SQLite or PostgreSQL.",
                do="Give --synapse the path of homeserver.db, or postgresql://reader@host/synapse.",
            )
        where = f"sqlite:///{Path(where).resolve()}"
    if where.startswith("sqlite:///"):
        _refuse_missing(Path(where.removeprefix("sqlite:///")), "database")
    else:
        _refuse_password(where)
    found = {"SYNAPSE_DSN": where}
    if kept.media is not None:
        if not kept.media.is_dir():
            raise _not_there("media folder")
        found["SYNAPSE_MEDIA"] = f"file:///{kept.media.resolve()}"
    return found


def _refuse_missing(path: Path, what: str) -> None:
    if not path.is_file():
        raise _not_there(what)


def _not_there(what: str) -> UnavailableError:
    return UnavailableError(
        "not-there",
        f"The {what} is not there, or this user may not see it.",
        do="Check the path. Its settings in homeserver.yaml are `database` and `media_store_path`.",
    )


def _refuse_password(where: str) -> None:
    try:
        parts = urlsplit(where)
        given = parts.password is not None or "password" in parse_qs(parts.query, keep_blank_values=True)
    except ValueError as error:
        raise MalformedError(
            "bad-connect",
            "This is no address of a PostgreSQL database.",
            do="Such as postgresql://reader@host/synapse",
        ) from error
    if given:
        raise RefusedError(
            "password-shown",
            "The database's password must not stand among the arguments.",
            why="Every user of this machine can read them while the command runs.",
            do="Put it into ~/.pgpass (or PGPASSFILE), and leave it out here.",
            source='PostgreSQL documentation, "The Password File"',
        )


def _map(file: Path | None) -> "tuple[DataMap, str]":
    """The map, and its text for the notes at its head."""
    from dueprocess.library.datamaps import datamaps_folder, load_map, shipped_maps  # noqa: PLC0415  not for --help

    if file is not None:
        return load_map(file), file.read_text(encoding="utf-8")
    return shipped_maps()["synapse"], (datamaps_folder() / "synapse.toml").read_text(encoding="utf-8")


def _refuse_existing(out: Path | None) -> None:
    if out is not None and out.exists():
        raise _exists(out)


def _exists(out: Path) -> ConflictError:
    return ConflictError("file-exists", f"{out.name} is there already.", do="Name another file with --out.")


def _write(out: Path, page: str) -> None:
    """The page, for its owner's eyes. Refuses to write over a file."""
    try:
        with os.fdopen(
            os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
        ) as file:
            file.write(page)
    except FileExistsError as error:
        raise _exists(out) from error

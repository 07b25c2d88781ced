"""The event store in a backup: one consistent copy while the service runs, and putting it back.

SQLite is copied through its own backup interface, never as a file: a file that somebody writes is no copy.
PostgreSQL is dumped by its own program within one snapshot.

Source: sqlite.org/backup.html; PostgreSQL manual, pg_dump (--snapshot) and pg_restore.
"""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from dueprocess.errors import ConflictError, MalformedError, UnavailableError
from dueprocess.history.address import database_settings

SQLITE = "database/history.sqlite"
POSTGRESQL = "database/history.pgdump"

_HEAD = "SELECT size, root FROM head ORDER BY size DESC LIMIT 1"
_LAST = "SELECT value FROM counter WHERE name = 'ledger'"
_TABLES = (
    "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE n.nspname = 'public' AND c.relkind IN ('r', 'v', 'm', 'S', 'f', 'p')"
)


@dataclass(frozen=True, slots=True)
class StoreState:
    """How far a store is: size and hex root of its newest signed head (0 and empty before the first), last number."""

    size: int
    root: str
    ledger_seq: int


def is_sqlite(address: str) -> bool:
    return address.startswith("sqlite:")


def member_of(address: str) -> str:
    """The name of the store's copy in an archive."""
    return SQLITE if is_sqlite(address) else POSTGRESQL


def dump(address: str, to: Path) -> StoreState:
    """Writes one consistent copy of the store, and tells how far that copy is. Others may write meanwhile."""
    return _dump_sqlite(address, to) if is_sqlite(address) else _dump_postgresql(address, to)


def _dump_sqlite(address: str, to: Path) -> StoreState:
    path = Path(address.removeprefix("sqlite:"))
    try:
        with (
            closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=60)) as source,
            closing(sqlite3.connect(to)) as copy,
        ):
            source.backup(copy)
            # The copy is one whole file: without a log of its own that could be left behind.
            copy.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.Error as error:
        raise _unavailable("The event store could not be copied.", str(error)) from error
    return sqlite_state(to)


def sqlite_state(path: Path) -> StoreState:
    """How far the store in an SQLite file is."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as copy:
            return _state(copy.execute(_HEAD).fetchone(), copy.execute(_LAST).fetchone())
    except sqlite3.Error as error:
        raise _unavailable("The copy of the event store cannot be read.", str(error)) from error


def _dump_postgresql(address: str, to: Path) -> StoreState:
    facts = database_settings(address)
    program = _program("pg_dump")
    try:
        with _connected(facts) as connection, connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            cursor.execute("SELECT pg_export_snapshot()")
            (snapshot,) = cursor.fetchone() or ("",)
            state = _postgresql_state(cursor)
            words = [
                "--format=custom",
                "--no-owner",
                "--no-privileges",
                f"--snapshot={snapshot}",
                f"--file={to}",
            ]
            _run([program, *words, *_where(facts)], facts)
    except psycopg.Error as error:
        raise _unavailable("The event store could not be dumped.", str(error)) from error
    return state


def postgresql_state(address: str) -> StoreState | None:
    """How far the store in a PostgreSQL database is; None where the database is empty."""
    try:
        with _connected(database_settings(address)) as connection, connection.cursor() as cursor:
            cursor.execute(_TABLES)
            (tables,) = cursor.fetchone() or (0,)
            return _postgresql_state(cursor) if tables else None
    except psycopg.errors.UndefinedTable as error:
        raise _taken() from error
    except psycopg.Error as error:
        raise _unavailable("The database cannot be opened.", str(error)) from error


def _postgresql_state(cursor: psycopg.Cursor[Any]) -> StoreState:
    head = cursor.execute(_HEAD).fetchone()
    return _state(head, cursor.execute(_LAST).fetchone())


def _state(head: Sequence[Any] | None, last: Sequence[Any] | None) -> StoreState:
    size, root = head or (0, "")
    return StoreState(int(size), str(root), int(last[0]) if last else 0)


def restore_postgresql(address: str, dumped: Path, wanted: StoreState) -> None:
    """Loads a dump into an empty database, whole or not at all. Can be run again.

    A database that holds this very store already is left as it is; one that holds anything else is a conflict.
    """
    found = postgresql_state(address)
    if found is not None:
        if found != wanted:
            raise _taken()
        return
    facts = database_settings(address)
    words = ["--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges"]
    _run([_program("pg_restore"), *words, *_where(facts), str(dumped)], facts)


def _taken() -> ConflictError:
    return ConflictError(
        "database-not-empty",
        "The database holds something already; nothing was changed.",
        do="Make an empty one (createdb NAME) and name it with --database.",
    )


def _connected(facts: Mapping[str, Any]) -> psycopg.Connection[Any]:
    given = {
        "dbname": facts["NAME"], "user": facts["USER"], "password": facts["PASSWORD"], "host": facts["HOST"],
        "port": facts["PORT"],
    }  # fmt: skip
    return psycopg.connect(**{name: value for name, value in given.items() if value})


def _where(facts: Mapping[str, Any]) -> list[str]:
    """Where the database is, as options; a password never stands among them, where everybody could read it."""
    named = {"--host": facts["HOST"], "--port": facts["PORT"], "--username": facts["USER"]}
    options = [f"{option}={value}" for option, value in named.items() if value]
    return [*options, f"--dbname={facts['NAME']}", "--no-password"]


def _run(words: Sequence[str], facts: Mapping[str, Any]) -> None:
    secret = {"PGPASSWORD": str(facts["PASSWORD"])} if facts["PASSWORD"] else {}
    done = subprocess.run(  # noqa: S603  PostgreSQL's own program, its options made here
        words,
        env={**os.environ, **secret},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode:
        why = " ".join(done.stderr.split())[:400]
        raise _unavailable(f"{Path(words[0]).name} ended with code {done.returncode}.", why)


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise UnavailableError(
            "no-pg-tools",
            f"The program {name} is missing, which PostgreSQL brings for this.",
            do="Install it in the server's version or a newer one (Debian: apt-get install postgresql-client).",
        )
    return found


def _unavailable(what: str, why: str) -> UnavailableError:
    return UnavailableError(
        "store-unavailable", what, why=why, do="Check the disk space and the database server; run it again."
    )


def check_vendor(member: str, given: str | None) -> None:
    """Refuses to put a store back into the other kind of database. ``given`` is the address of an empty PostgreSQL."""
    if (given is None) == (member == SQLITE) and (given is None or not is_sqlite(given)):
        return
    wanted = "SQLite: leave --database out" if member == SQLITE else "PostgreSQL: name an empty database"
    raise MalformedError(
        "other-database",
        "This backup was made of another kind of database.",
        do=f"It goes back into {wanted}.",
    )

"""What the tests of engines ask: one small query, written briefly, with plain words and with hostile ones."""

import datetime as dt
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import psycopg

from dueprocess.demand import Category, Period
from dueprocess.plan import PlannedColumn, RowPath, TableQuery, TimeColumn
from dueprocess.production.stores import open_store
from production.conftest import EVA

SINCE, UNTIL = dt.datetime(2026, 9, 1, tzinfo=dt.UTC), dt.datetime(2026, 10, 1, tzinfo=dt.UTC)
START = int(SINCE.timestamp() * 1000)
WINDOW = Period(SINCE, UNTIL)

HOSTILE = [
    'a"b',
    'x"; DROP TABLE rooms; --',
    "it's",
    "%s",
    "100%",
    "?",
    "$1",
    "a.b",
    "SELECT",
    "ünï ☃",
    "*",
    'x" OR 1=1 OR "y',
    "-- comment",
    "/* x */",
    "back\\slash",
    "tab\tnew\nline",
    "rowid",
]
LONG = "n" * 10_240
"""Names of tables and columns. Beside them a name that is too long for most engines."""

HOSTILE_VALUES = [
    "' OR '1'='1",
    "'; DROP TABLE rooms; --",
    '" OR ""="',
    "%",
    "_",
    "\\",
    "$1",
    "?",
    "%s",
    "NULL",
    "x" * 10_240,
    "☃",
    "@EVA:host.example",
    "@eva:host.example ",
    "@eva:host.example\n",
    "\u202e@eva",
    "",
    "a\0b",
    "\ud800",
]
"""Identifiers as a paper may spell them: none of them is an account."""


def rows_of(
    table: str, *columns: str, at: str | None = "seen", cap: int = 1_000_000, **path: Any
) -> TableQuery:
    """A query for columns of one table, whose subject stands in ``account``."""
    time = TimeColumn(table, at, path.get("unit", "ms"), path.get("zone", "UTC")) if at else None
    planned = tuple(PlannedColumn(name, Category("traffic"), ()) for name in columns)
    made = RowPath(
        "main", table, (), path.get("subject", "account"), time, time is None, (), path.get("equals", ())
    )
    return TableQuery(made, WINDOW if at else None, planned, (at or columns[0],), cap)


def read(store: Any, query: TableQuery, subject: str | int = EVA) -> list[dict[str, object]]:
    return [row for batch in store.batches(query, subject) for row in batch.rows.to_pylist()]


def connected(engine: str, folder: Path, dsn: str) -> Any:
    """A connection that may write: into a file of the folder, or where ``dsn`` says."""
    links: dict[str, Callable[[], Any]] = {
        "sqlite": lambda: sqlite3.connect(folder / "h.db", isolation_level=None),
        "duckdb": lambda: duckdb.connect(folder / "h.duckdb"),
        "postgresql": lambda: psycopg.connect(dsn, autocommit=True),
    }
    return links[engine]()


def opened(engine: str, folder: Path, dsn: str) -> Any:
    """The same place as a store."""
    files = {"sqlite": f"sqlite:///{folder}/h.db", "duckdb": f"duckdb:///{folder}/h.duckdb"}
    return open_store("main", files.get(engine, dsn))


def place(engine: str, folder: Path, dsn: str, names: list[str]) -> Any:
    """A table and a column of each name on the engine, opened."""
    with closing(connected(engine, folder, dsn)) as link:
        for name in names:
            told = '"' + name.replace('"', '""') + '"'
            texts = [
                f'CREATE TABLE {told} ({told} TEXT, "secret" TEXT)',
                f"INSERT INTO {told} VALUES ('{EVA}', 'CANARY')",
            ]
            for sql in texts:
                link.execute(sql.encode() if engine == "postgresql" else sql)
    return opened(engine, folder, dsn)

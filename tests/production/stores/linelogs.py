"""A folder of log lines for tests, questions about it, and what comes back."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from dueprocess.demand import Category, Period
from dueprocess.errors import UnavailableError
from dueprocess.plan import (
    LinesTable,
    PlannedColumn,
    RowPath,
    TableQuery,
    TimeColumn,
)
from dueprocess.production.stores.linefiles import Limits
from dueprocess.production.stores.lines import LinesStore

SINCE, UNTIL = dt.datetime(2026, 9, 1, tzinfo=dt.UTC), dt.datetime(2026, 10, 1, tzinfo=dt.UTC)
WINDOW = Period(SINCE, UNTIL)
LOGINS = LinesTable(
    "logs",
    "logins",
    "app.log*",
    r"(?P<time>\S+) login (?P<user>\S+) (?P<address>\S+)(?: as (?P<role>\w+))?",
    "rfc3339",
)
QUEUED = LinesTable(
    "logs", "queued", "app.log*", r"(?P<time>\S+) queued (?P<key>\w+)(?: by (?P<user>\S+))?", "rfc3339"
)
SENT = LinesTable(
    "logs", "sent", "app.log*", r"(?P<time>\S+) sent (?P<key>\w+) to (?P<recipient>\S+)", "rfc3339"
)
STEPS = LinesTable(
    "logs", "steps", "app.log*", r"(?P<time>\S+) step (?P<part>\w+) of (?P<key>\w+)", "rfc3339"
)
TABLES = (LOGINS, QUEUED, SENT, STEPS)


def store(folder: Path, *tables: LinesTable, limits: Limits | None = None) -> LinesStore:
    return LinesStore("logs", folder, tables or TABLES, limits)


def asked(table: str, *columns: str, cap: int = 1000, **more: Any) -> TableQuery:
    """A query of one table for the window of September."""
    timed = more.get("timed", table)
    time = TimeColumn(timed, "time", "timestamp") if timed else None
    path = RowPath(
        "logs",
        table,
        more.get("hops", ()),
        "user",
        time,
        time is None,
        more.get("absent", ()),
        more.get("equals", ()),
    )
    planned = tuple(PlannedColumn(name, Category("traffic"), more.get("rules", ())) for name in columns)
    return TableQuery(path, WINDOW if time else None, planned, more.get("order", ("time",)), cap)


def read(lines: LinesStore, query: TableQuery, subject: str = "eva") -> list[dict[str, Any]]:
    return [row for batch in lines.batches(query, subject) for row in batch.rows.to_pylist()]


def write(folder: Path, *lines: str, name: str = "app.log") -> Path:
    (folder / name).write_text("".join(f"{line}\n" for line in lines))
    return folder


def incomplete(lines: LinesStore, query: TableQuery) -> tuple[list[dict[str, Any]], str]:
    """What was given before the error, and its reason."""
    found: list[dict[str, Any]] = []
    batches = lines.batches(query, "eva")
    with pytest.raises(UnavailableError) as caught:
        found.extend(row for batch in batches for row in batch.rows.to_pylist())
    assert caught.value.code == "lines-unread"
    return found, str(caught.value.why)


# -- whose and when -----------------------------------------------------------------------------------

"""Sorting in bounded memory, the cap, and time limits: each engine in its own way."""

import dataclasses
import datetime as dt
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dueprocess.demand import Period
from dueprocess.errors import RefusedError, UnavailableError
from dueprocess.plan import TableQuery
from dueprocess.production.stores.duckdb import DuckdbStore
from dueprocess.production.stores.sqlite import SqliteStore
from production.conftest import EVA
from production.stores.asking import SINCE, START, read, rows_of


def unsorted(path: Path, kind: str, rows: int, width: int) -> None:
    """Rows of Eva in another order than that of time, without an index that would give it."""
    with closing(sqlite3.connect(path)) as link:
        link.execute("PRAGMA journal_mode=OFF")
        key = "id INTEGER PRIMARY KEY" if kind != "numberless" else "id INTEGER NOT NULL"
        more = ", PRIMARY KEY(account, id)) WITHOUT ROWID" if kind == "numberless" else ")"
        link.execute(f"CREATE TABLE real({key}, account TEXT, seen INTEGER, body TEXT{more}")
        made = ((n, EVA, START + (n * 7919) % rows, "x" * width) for n in range(rows))
        link.executemany("INSERT INTO real VALUES (?, ?, ?, ?)", made)
        link.execute("CREATE VIEW seen_through AS SELECT * FROM real")
        link.commit()


@pytest.mark.parametrize(
    ("kind", "table"), [("numbered", "real"), ("numberless", "real"), ("numbered", "seen_through")]
)
def test_sqlite_gives_the_order_without_an_index(tmp_path: Path, kind: str, table: str) -> None:
    """By numbers where rows have them, else window after window: every row once, in order."""
    unsorted(tmp_path / "x.db", kind, 40_000, 10)
    with closing(SqliteStore("main", tmp_path / "x.db")) as store:
        found = read(store, rows_of(table, "id", "seen"))
    assert [row["seen"] for row in found] == [START + n for n in range(40_000)]
    assert len({row["id"] for row in found}) == 40_000


def test_sqlite_sorts_a_big_account_in_little_memory(tmp_path: Path) -> None:
    """Of 200 MB of rows without an index on time, a fraction is in memory at a time."""
    unsorted(tmp_path / "x.db", "numbered", 100_000, 2000)
    program = f"""
import resource, sys
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from pathlib import Path
from dueprocess.production.stores.sqlite import SqliteStore
from production.stores.asking import rows_of
store = SqliteStore("main", Path({str(tmp_path / "x.db")!r}))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
count = sum(batch.rows.num_rows for batch in store.batches(rows_of("real", "body"), {EVA!r}))
assert count == 100_000
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    out = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert int(out.stdout) < 130_000


def test_a_view_that_cannot_be_sorted_in_bounds_is_refused(tmp_path: Path) -> None:
    """Without a time to cut by there is no other way, and that is said before anything is read."""
    unsorted(tmp_path / "x.db", "numbered", 17_000, 1)
    with closing(SqliteStore("main", tmp_path / "x.db")) as store, pytest.raises(UnavailableError) as caught:
        read(store, rows_of("seen_through", "body", at=None))
    assert caught.value.code == "too-big-to-sort"


def test_duckdb_sorts_what_does_not_fit_window_after_window(tmp_path: Path) -> None:
    """More than its memory holds: the same query, with closer ends, in order and complete."""
    with closing(duckdb.connect(tmp_path / "x.duckdb")) as link:
        link.execute(
            f"CREATE TABLE t AS SELECT '{EVA}' AS account, {START} + (i * 7919) % 600000 AS seen, "
            "repeat(md5(i::VARCHAR), 10) AS body FROM range(600000) r(i)"
        )
    store = DuckdbStore("main", tmp_path / "x.duckdb")
    last, count = 0, 0
    narrow = dataclasses.replace(
        rows_of("t", "seen", "body"), window=Period(SINCE, SINCE + dt.timedelta(hours=1))
    )
    for batch in store.batches(narrow, EVA):
        seen = batch.rows.column("seen").to_pylist()
        assert seen == sorted(seen)
        assert seen[0] >= last
        last, count = seen[-1], count + len(seen)
    assert count == 600_000
    untimed = rows_of("t", "body", at=None)
    with pytest.raises(UnavailableError) as caught:
        read(store, untimed)
    assert caught.value.code == "too-big-to-sort"
    store.close()


@pytest.mark.parametrize("unbuilt", ["sqlite", "postgresql", "duckdb"], indirect=True)
@pytest.mark.parametrize("extra", [0, 1])
def test_one_record_too_many_is_a_failure_and_never_a_cut(unbuilt: Any, extra: int) -> None:
    """At the cap everything comes; one beyond it nothing."""
    rows = 3000
    unbuilt.tables["sessions"].rows = [(EVA, START + n, "ip", "x" * 3000, "x") for n in range(rows)]
    unbuilt.build()
    store = unbuilt.stores().databases["main"]
    given = list[int]()

    def take() -> None:
        given.extend(
            batch.rows.num_rows
            for batch in store.batches(rows_of("sessions", "agent", cap=rows - extra), EVA)
        )

    if extra:
        with pytest.raises(RefusedError) as caught:
            take()
        assert caught.value.code == "too-many-rows"
        assert given == []
    else:
        take()
        assert sum(given) == rows


def test_a_count_that_lies_hands_on_no_record_beyond_the_cap(small: Any) -> None:
    """Rows are counted again as they come."""

    class Lying(SqliteStore):
        def _refuse_too_many(self, query: TableQuery, subject: str | int) -> None:
            """Finds nothing too many."""

    query = rows_of("sessions", "ip", cap=1)
    with (
        closing(Lying("main", Path(small.dsn.partition(":///")[2]))) as store,
        pytest.raises(RefusedError) as caught,
    ):
        read(store, query)
    assert caught.value.code == "too-many-rows"


def test_sqlite_stops_after_its_time(tmp_path: Path) -> None:
    """A question that takes too long is broken off by SQLite's own machine."""
    unsorted(tmp_path / "x.db", "numbered", 5_000, 1)
    with closing(SqliteStore("main", tmp_path / "x.db", timeout=0.05)) as store:
        with pytest.raises(UnavailableError, match="does not answer"):
            store.fetch("SELECT count(*) FROM real a, real b, real c WHERE a.seen + b.seen <> c.seen", [])
        assert store.fetch("SELECT 1", []) == [(1,)]


def test_duckdb_stops_after_its_time(tmp_path: Path) -> None:
    """The same, by an interrupt."""
    with closing(duckdb.connect(tmp_path / "x.duckdb")) as link:
        link.execute("CREATE TABLE t AS SELECT i FROM range(100000) r(i)")
    with closing(DuckdbStore("main", tmp_path / "x.duckdb", timeout=0.2)) as store:
        slow = "SELECT count(*) FROM t a, t b WHERE a.i + b.i <> 5"
        with pytest.raises(UnavailableError):
            list(store.stream(slow, []))
        assert store.fetch("SELECT 1", []) == [(1,)]

"""What each engine does in its own way: sorting within bounds, types, targets, hostile names, time limits, views."""

import dataclasses
import datetime as dt
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pyarrow as pa
import pytest

from dueprocess.demand import Category, Period
from dueprocess.errors import DueprocessError, MalformedError, RefusedError, UnavailableError
from dueprocess.plan import Constant, PlannedColumn, RowPath, TableQuery, TargetQuery, TargetRoute, TimeColumn
from dueprocess.production.stores import JSON_TEXT, open_store
from dueprocess.production.stores.duckdb import DuckdbStore
from dueprocess.production.stores.sqlite import SqliteStore

EVA = "@eva:host.example"
SINCE, UNTIL = dt.datetime(2026, 9, 1, tzinfo=dt.UTC), dt.datetime(2026, 10, 1, tzinfo=dt.UTC)
START = int(SINCE.timestamp() * 1000)
WINDOW = Period(SINCE, UNTIL)


def rows_of(
    table: str, *columns: str, at: str | None = "seen", cap: int = 1_000_000, **path: Any
) -> TableQuery:
    """A query for columns of one table, whose subject stands in ``account``."""
    time = TimeColumn(table, at, "ms") if at else None
    planned = tuple(PlannedColumn(name, Category("traffic"), ()) for name in columns)
    made = RowPath(
        "main", table, (), path.get("subject", "account"), time, time is None, (), path.get("equals", ())
    )
    return TableQuery(made, WINDOW if at else None, planned, (at or columns[0],), cap)


def read(store: Any, query: TableQuery, subject: str | int = EVA) -> list[dict[str, object]]:
    return [row for batch in store.batches(query, subject) for row in batch.rows.to_pylist()]


# -- sorting ---------------------------------------------------------------------------------------


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
sys.path.insert(0, {str(Path(__file__).parent)!r})
from pathlib import Path
from test_engines import SqliteStore, rows_of
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


# -- limits ----------------------------------------------------------------------------------------


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


# -- types -----------------------------------------------------------------------------------------


def test_postgresql_gives_every_type_exactly(postgres_dsn: str) -> None:
    """Numbers exact, times in UTC, what Arrow has no type for as PostgreSQL's own text; also beyond the calendar."""
    one = {
        "n": ("numeric", "1.10", Decimal("1.10")),
        "b": ("bytea", "\\xff00", b"\xff\x00"),
        "tz": (
            "timestamptz",
            "2026-09-01T00:00:00.123456+02",
            dt.datetime(2026, 8, 31, 22, 0, 0, 123456, dt.UTC),
        ),
        "d": ("date", "2026-09-01", dt.date(2026, 9, 1)),
        "t": ("time", "10:00", dt.time(10)),
        "f": ("float8", "0.1", 0.1),
        "ok": ("bool", "true", True),
        "dom": ("whole", "5", 5),
    }
    two = {
        "j": ("jsonb", '{"a":1.10}', '{"a": 1.10}'),
        "u": ("uuid", "11111111-1111-1111-1111-111111111111", "11111111-1111-1111-1111-111111111111"),
        "i": ("inet", "192.0.2.1/24", "192.0.2.1/24"),
        "arr": ("text[]", '{"a,b",NULL}', '{"a,b",NULL}'),
        "e": ("mood", "glad", "glad"),
        "iv": ("interval", "1 mon 2 days", "1 mon 2 days"),
        "ttz": ("timetz", "10:00+02", "10:00:00+02"),
        "x": ("xml", "<a/>", "<a/>"),
        "when": ("timestamptz", "2026-09-01T00:00:00Z", dt.datetime(2026, 9, 1, tzinfo=dt.UTC)),
    }
    far = {
        "tz": ("timestamptz", "infinity", '"infinity"'),
        "ts": ("timestamp", "-infinity", '"-infinity"'),
        "t": ("time", "24:00", '"24:00:00"'),
        "d": ("date", "0044-03-15 BC", '"-746117 days after 2000-01-01"'),
        "n": ("numeric", "NaN", "NaN"),
    }
    with psycopg.connect(postgres_dsn, autocommit=True) as link:
        link.execute("CREATE TYPE mood AS ENUM ('glad'); CREATE DOMAIN whole AS int")
        for name, columns in (("one", one), ("two", two), ("far", far)):
            kinds = ", ".join(f'"{column}" {kind}' for column, (kind, _, _) in columns.items())
            places = ", ".join("%s" for _ in columns)
            link.execute(f"CREATE TABLE {name} (account text, {kinds})".encode())
            link.execute(
                f"INSERT INTO {name} VALUES ('{EVA}', {places})".encode(), [v for _, v, _ in columns.values()]
            )
            link.execute(f"INSERT INTO {name} (account) VALUES ('@dana:host.example')".encode())
    with closing(open_store("main", postgres_dsn)) as store:
        for name, columns in (("one", one), ("two", two), ("far", far)):
            assert read(store, rows_of(name, *columns, at=None)) == [
                {c: v for c, (_, _, v) in columns.items()}
            ]
            empty = read(store, rows_of(name, *columns, at=None), "@dana:host.example")
            assert empty == [dict.fromkeys(columns)]


def test_duckdb_gives_every_type_exactly(tmp_path: Path) -> None:
    """What Arrow would round or wrap comes as DuckDB's own text; documents stay documents."""
    columns = {
        "big": (
            "HUGEINT",
            "170141183460469231731687303715884105727",
            "170141183460469231731687303715884105727",
        ),
        "u": ("UUID", "'11111111-1111-1111-1111-111111111111'", "11111111-1111-1111-1111-111111111111"),
        "iv": ("INTERVAL", "INTERVAL 1 MONTH", "1 month"),
        "e": ("ENUM('a', 'b')", "'a'", "a"),
        "n": ("DECIMAL(10,2)", "1.10", Decimal("1.10")),
        "tz": ("TIMESTAMPTZ", "'2026-09-01T00:00:00+02'", dt.datetime(2026, 8, 31, 22, tzinfo=dt.UTC)),
        "l": ("INTEGER[]", "[1, NULL]", [1, None]),
        "s": ("STRUCT(a INTEGER, b VARCHAR)", "{a: 1, b: 'x'}", {"a": 1, "b": "x"}),
        "many": ("HUGEINT[]", "[1]", "[1]"),
        "by": ("BLOB", "'\\xFF'::BLOB", b"\xff"),
        "d": ("DATE", "'2026-09-01'", dt.date(2026, 9, 1)),
    }
    with closing(duckdb.connect(tmp_path / "x.duckdb")) as link:
        kinds = ", ".join(f'"{name}" {kind}' for name, (kind, _, _) in columns.items())
        link.execute(f"CREATE TABLE t (account VARCHAR, {kinds})")
        link.execute(
            f"INSERT INTO t VALUES ('{EVA}', {', '.join(value for _, value, _ in columns.values())})"
        )
    with closing(DuckdbStore("main", tmp_path / "x.duckdb")) as store:
        assert read(store, rows_of("t", *columns, at=None)) == [{c: v for c, (_, _, v) in columns.items()}]


def test_sqlite_mixes_types_and_none_is_lost(tmp_path: Path) -> None:
    """A column of several types is JSON, value by value; a whole number does not become a fraction."""
    with closing(sqlite3.connect(tmp_path / "x.db")) as link:
        link.execute("CREATE TABLE t(account TEXT, seen INTEGER, v)")
        values = [1, 1.5, "1", b"\xff", None, 2**62]
        link.executemany(
            "INSERT INTO t VALUES (?, ?, ?)", [(EVA, START + n, v) for n, v in enumerate(values)]
        )
        link.execute("INSERT INTO t VALUES (?, ?, CAST(x'ff' AS TEXT))", (EVA, START + 9))
        link.commit()
    with closing(SqliteStore("main", tmp_path / "x.db")) as store:
        (batch,) = store.batches(rows_of("t", "v"), EVA)
        assert batch.rows.schema.field("v").metadata == JSON_TEXT
        expected = ["1", "1.5", '"1"', '{"base64":"/w=="}', None, str(2**62), '{"base64":"/w=="}']
        assert batch.rows.column("v").to_pylist() == expected
        assert batch.rows.schema.field("v").type == pa.string()


# -- targets ---------------------------------------------------------------------------------------


@pytest.fixture
def names(unbuilt: Any) -> Callable[..., object]:
    """Accounts that differ in case, some deleted, some of another kind; resolves a value by a changed route."""
    unbuilt.tables["accounts"].columns["joined"] = "BIGINT"
    unbuilt.tables["accounts"].unique = ()
    unbuilt.tables["accounts"].rows = [
        ("Eva", None, 1, "s1"),
        ("eva", "gone@mail.example", 1, "s2"),
        ("EVA", None, 2, "s3"),
        ("Finn", None, 1, "s4"),
        ("dana_1", None, 1, "s5"),
    ]
    unbuilt.build()
    store = unbuilt.stores().databases["main"]

    def resolve(value: str, **more: Any) -> object:
        route = TargetRoute("account", "main", "accounts", "name", "password_hash", **more)
        return store.resolve(TargetQuery(route, value))

    return resolve


def test_a_target_counts_where_the_map_lets_it(names: Callable[..., object]) -> None:
    """Exact by default; narrowed by what must be absent or hold a value; folded only where the map says so."""
    live: tuple[tuple[str, Constant], ...] = (("joined", 1),)
    assert names("eva") == "s2"
    assert names("eva", absent=("email",)) is None
    assert names("eva", equals=live) == "s2"
    assert names("EVA", equals=live) is None
    assert names("finn") is None
    assert names("fINN", compare="ignore_case") == "s4"
    assert names("eva", compare="ignore_case", absent=("email",), equals=live) == "s1"
    for value in ("%", "_inn", "dana%", "dana_", "", "' OR 1=1 --"):
        assert names(value, compare="ignore_case") is None
    with pytest.raises(RefusedError) as caught:
        names("eva", compare="ignore_case")
    assert caught.value.code == "ambiguous-target"
    assert not any(letter.isdigit() for letter in str(caught.value).replace("1.1", ""))


def test_sqlite_cannot_fold_other_letters(small: Any) -> None:
    """Where the engine would miss an account, it says so instead of nothing held."""
    route = TargetRoute("account", "main", "accounts", "name", "name", compare="ignore_case")
    with pytest.raises(UnavailableError) as caught:
        small.stores().databases["main"].resolve(TargetQuery(route, "Éva"))
    assert caught.value.code == "cannot-fold"


# -- hostile names ---------------------------------------------------------------------------------

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


def place(engine: str, folder: Path, dsn: str, names: list[str]) -> Any:
    """A table and a column of each name on the engine, opened."""
    links: dict[str, Callable[[], Any]] = {
        "sqlite": lambda: sqlite3.connect(folder / "h.db", isolation_level=None),
        "duckdb": lambda: duckdb.connect(folder / "h.duckdb"),
        "postgresql": lambda: psycopg.connect(dsn, autocommit=True),
    }
    with closing(links[engine]()) as link:
        for name in names:
            told = '"' + name.replace('"', '""') + '"'
            texts = [
                f'CREATE TABLE {told} ({told} TEXT, "secret" TEXT)',
                f"INSERT INTO {told} VALUES ('{EVA}', 'CANARY')",
            ]
            for sql in texts:
                link.execute(sql.encode() if engine == "postgresql" else sql)
    where = {
        "sqlite": f"sqlite:///{folder}/h.db",
        "duckdb": f"duckdb:///{folder}/h.duckdb",
        "postgresql": dsn,
    }
    return open_store("main", where[engine])


@pytest.mark.parametrize("engine", ["sqlite", "duckdb", "postgresql"])
def test_hostile_names_of_tables_and_columns_are_names(
    engine: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Each is read as the name that it is; nothing beside it comes out and nothing is run."""
    dsn = request.getfixturevalue("postgres_dsn") if engine == "postgresql" else ""
    names = HOSTILE if engine == "postgresql" else [*HOSTILE, LONG]
    with closing(place(engine, tmp_path, dsn, names)) as store:
        for name in names:
            query = rows_of(name, name, at=None, subject=name)
            assert read(store, query) == [{name: EVA}]
            assert read(store, query, "x' OR '1'='1") == []
            route = TargetRoute("account", "main", name, name, name)
            assert store.resolve(TargetQuery(route, EVA)) == EVA


@pytest.mark.parametrize("name", ["nobody", LONG, 'rooms"; --', "\ud800", "a\0b", ""])
def test_a_name_that_is_not_there_is_told_plainly(host: Any, name: str) -> None:
    """A table or column that the live schema lacks is drift, or the store cannot even be asked; never another one."""
    store = host.stores().databases["main"]
    for query in (rows_of(name, "x", at=None), rows_of("rooms", name, at=None, subject="room")):
        with pytest.raises(DueprocessError) as caught:
            read(store, query)
        assert isinstance(caught.value, UnavailableError)
        assert len(str(caught.value)) < 2000


def test_a_name_too_long_is_not_cut_to_another_tables(postgres_dsn: str, tmp_path: Path) -> None:
    """PostgreSQL cuts a name to 63 bytes: a table of that name is another one."""
    with closing(place("postgresql", tmp_path, postgres_dsn, [LONG[:63]])) as store:
        assert store.columns(LONG[:63])
        assert not store.columns(LONG)
        with pytest.raises(UnavailableError) as caught:
            read(store, rows_of(LONG, LONG, at=None, subject=LONG))
        assert caught.value.code == "map-drift"


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


def test_hostile_values_are_values(host: Any) -> None:
    """As target, as subject and as fixed value: found nowhere, run nowhere."""
    store = host.stores().databases["main"]
    route = host.plan("traffic").target.route
    for value in HOSTILE_VALUES:
        try:
            assert store.resolve(TargetQuery(route, value)) is None
            assert read(store, rows_of("sessions", "ip"), value) == []
            assert read(store, rows_of("sessions", "ip", equals=(("agent", value),))) == []
        except UnavailableError:
            assert set(value) & {"\0", "\ud800"}, "only what no database can hold may fail, and plainly"
    assert store.fetch("SELECT count(*) FROM rooms", []) == [(1,)]


# -- schemas ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ["sqlite", "duckdb", "postgresql"])
def test_a_view_is_known_as_one_and_can_be_read(
    engine: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """What stands behind it is the operator's own; its columns are checked like any other's."""
    dsn = request.getfixturevalue("postgres_dsn") if engine == "postgresql" else ""
    with closing(place(engine, tmp_path, dsn, ["t"])) as store:
        assert not store.columns("t")["t"].view
    links: dict[str, Callable[[], Any]] = {
        "sqlite": lambda: sqlite3.connect(tmp_path / "h.db", isolation_level=None),
        "duckdb": lambda: duckdb.connect(tmp_path / "h.duckdb"),
        "postgresql": lambda: psycopg.connect(dsn, autocommit=True),
    }
    with closing(links[engine]()) as link:
        link.execute('CREATE VIEW v AS SELECT t AS account, upper("secret") AS body FROM t')
    where = {
        "sqlite": f"sqlite:///{tmp_path}/h.db",
        "duckdb": f"duckdb:///{tmp_path}/h.duckdb",
        "postgresql": dsn,
    }
    with closing(open_store("main", where[engine])) as store:
        assert store.columns("v")["body"].view
        assert read(store, rows_of("v", "body", at=None)) == [{"body": "CANARY"}]


def test_parts_of_a_partitioned_table_are_the_table(postgres_dsn: str) -> None:
    """PostgreSQL's planner names the parts; they are read. A part of another table would not be."""
    with psycopg.connect(postgres_dsn, autocommit=True) as link:
        link.execute("CREATE TABLE t (account text, seen bigint, body text) PARTITION BY RANGE (seen)")
        for number, (low, high) in enumerate(((0, START + 5), (START + 5, START + 10**12))):
            link.execute(
                f"CREATE TABLE t_{number} PARTITION OF t FOR VALUES FROM ({low}) TO ({high})".encode()
            )
        for n in range(10):
            link.execute("INSERT INTO t VALUES (%s, %s, %s)", (EVA, START + n, str(n)))
    with closing(open_store("main", postgres_dsn)) as store:
        assert [row["body"] for row in read(store, rows_of("t", "body"))] == [str(n) for n in range(10)]


def test_a_column_with_its_own_zone_takes_no_other(postgres_dsn: str, tmp_path: Path) -> None:
    """A map that gives a zone to a column that has one is told so, not obeyed."""
    with psycopg.connect(postgres_dsn, autocommit=True) as link:
        link.execute("CREATE TABLE t (account text, seen timestamptz, body text)")
    with closing(duckdb.connect(tmp_path / "x.duckdb")) as link:
        link.execute("CREATE TABLE t (account VARCHAR, seen TIMESTAMPTZ, body VARCHAR)")
    query = rows_of("t", "body")
    path = dataclasses.replace(query.path, time=TimeColumn("t", "seen", "timestamp", "Europe/Berlin"))
    for where in (postgres_dsn, f"duckdb:///{tmp_path}/x.duckdb"):
        with closing(open_store("main", where)) as store, pytest.raises(UnavailableError) as caught:
            read(store, dataclasses.replace(query, path=path))
        assert caught.value.code == "bad-time"


@pytest.mark.parametrize("unbuilt", ["postgresql", "duckdb"], indirect=True)
def test_local_times_and_days_are_cut_in_their_zone(unbuilt: Any) -> None:
    """Berlin's midnight is not London's; the hour that the clock shows twice is inside only if both are."""
    berlin = ["2026-09-01T01:59:59", "2026-09-01T02:00:00", "2026-10-01T01:59:59", "2026-10-01T02:00:00"]
    unbuilt.build()
    kinds = {"postgresql": "timestamp", "duckdb": "TIMESTAMP"}
    where = unbuilt.dsn if unbuilt.engine == "postgresql" else unbuilt.dsn.removeprefix("duckdb:///")
    link: Any = (
        psycopg.connect(where, autocommit=True) if unbuilt.engine == "postgresql" else duckdb.connect(where)
    )
    with closing(link):
        for sql in (
            f"CREATE TABLE local (account VARCHAR(50), seen {kinds[unbuilt.engine]}, day DATE)",
            *(f"INSERT INTO local VALUES ('{EVA}', '{text}', '{text[:10]}')" for text in berlin),
        ):
            link.execute(sql.encode() if unbuilt.engine == "postgresql" else sql)
    store = unbuilt.stores().databases["main"]
    query = rows_of("local", "seen")
    path = dataclasses.replace(query.path, time=TimeColumn("local", "seen", "timestamp", "Europe/Berlin"))
    found = read(store, dataclasses.replace(query, path=path))
    assert [str(row["seen"]).replace(" ", "T") for row in found] == berlin[1:3]
    path = dataclasses.replace(query.path, time=TimeColumn("local", "day", "date"))
    found = read(store, dataclasses.replace(query, path=path, order=("day", "seen")))
    assert [str(row["seen"]).replace(" ", "T") for row in found] == berlin[:2]
    with pytest.raises((MalformedError, UnavailableError)):
        read(store, query)

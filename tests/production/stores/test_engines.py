"""What each engine does in its own way: types, targets, views, parts of tables, local times."""

import dataclasses
import datetime as dt
import sqlite3
from collections.abc import Callable
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pyarrow as pa
import pytest

from dueprocess.errors import MalformedError, RefusedError, UnavailableError
from dueprocess.plan import Constant, TargetQuery, TargetRoute, TimeColumn
from dueprocess.production.stores import JSON_TEXT, open_store
from dueprocess.production.stores.duckdb import DuckdbStore
from dueprocess.production.stores.sqlite import SqliteStore
from production.conftest import EVA
from production.stores.asking import START, connected, opened, place, read, rows_of

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


# -- schemas ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ["sqlite", "duckdb", "postgresql"])
def test_a_view_is_known_as_one_and_can_be_read(
    engine: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """What stands behind it is the operator's own; its columns are checked like any other's."""
    dsn = request.getfixturevalue("postgres_dsn") if engine == "postgresql" else ""
    with closing(place(engine, tmp_path, dsn, ["t"])) as store:
        assert not store.columns("t")["t"].view
    with closing(connected(engine, tmp_path, dsn)) as link:
        link.execute('CREATE VIEW v AS SELECT t AS account, upper("secret") AS body FROM t')
    with closing(opened(engine, tmp_path, dsn)) as store:
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

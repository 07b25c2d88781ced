"""What an engine is about to run is read by something else than its generator, and nothing wrong gets past it."""

import dataclasses
import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dueprocess.demand import Category, Period
from dueprocess.errors import BrokenError
from dueprocess.plan import (
    Hop,
    PlannedColumn,
    RowPath,
    TableQuery,
    TargetQuery,
    TargetRoute,
    TimeColumn,
    TimeUnit,
)
from dueprocess.production.stores import open_store
from dueprocess.production.stores.duckdb import DuckdbStore
from dueprocess.production.stores.examine import examine, examine_values, parsed
from dueprocess.production.stores.postgresql import PostgresqlStore
from dueprocess.production.stores.shapes import rows_shape, target_shape
from dueprocess.production.stores.sqlite import SqliteStore

EVA = "@eva:host.example"
SINCE, UNTIL = dt.datetime(2026, 9, 1, tzinfo=dt.UTC), dt.datetime(2026, 10, 1, tzinfo=dt.UTC)
WINDOW = Period(SINCE, UNTIL)
TRAFFIC = Category("traffic")


def planned(*names: str) -> tuple[PlannedColumn, ...]:
    return tuple(PlannedColumn(name, TRAFFIC, ()) for name in names)


BODIES = TableQuery(
    RowPath(
        "main",
        "bodies",
        (Hop("posts", "post", "id"),),
        "author",
        TimeColumn("posts", "at", "ms"),
        False,
        ("deleted",),
        (("kind", "m.text"),),
    ),
    WINDOW,
    planned("body"),
    ("at",),
    100,
)
TEXT = (
    'SELECT t1."author", t1."at", t0."deleted", t0."kind", t0."body" FROM "bodies" t0 JOIN "posts" t1 '
    'ON t0."post" = t1."id" WHERE t1."author" = $1 AND t1."at" >= $2 AND t1."at" < $3 '
    'AND t0."deleted" IS NULL AND t0."kind" = $4 ORDER BY t1."at"'
)

WRONG: dict[str, Callable[[str], str]] = {
    "no subject": lambda sql: sql.replace('t1."author" = $1 AND ', ""),
    "another subject column": lambda sql: sql.replace('t1."author" = $1', 't1."id" = $1'),
    "the subject of the wrong table": lambda sql: sql.replace('t1."author" = $1', 't0."author" = $1'),
    "the subject not equal": lambda sql: sql.replace('"author" = $1', '"author" <> $1'),
    "the subject by a pattern": lambda sql: sql.replace('"author" = $1', '"author" LIKE $1'),
    "the subject among several": lambda sql: sql.replace('"author" = $1', '"author" IN ($1, $4)'),
    "the subject in the text": lambda sql: sql.replace("$1", "'@eva:host.example'"),
    "the subject folded": lambda sql: sql.replace('t1."author" = $1', 'lower(t1."author") = lower($1)'),
    "the subject without regard to case": lambda sql: sql.replace('"author" =', '"author" COLLATE NOCASE ='),
    "the subject itself": lambda sql: sql.replace('t1."author" = $1', 't1."author" = t1."author"'),
    "or": lambda sql: sql.replace("$1 AND", "$1 OR"),
    "or true": lambda sql: sql.replace(" ORDER", " OR TRUE ORDER"),
    "not": lambda sql: sql.replace('t0."kind" = $4', 'NOT (t0."kind" = $4)'),
    "no beginning": lambda sql: sql.replace('t1."at" >= $2 AND ', ""),
    "no end": lambda sql: sql.replace('t1."at" < $3 AND ', ""),
    "the end included": lambda sql: sql.replace("< $3", "<= $3"),
    "places swapped": lambda sql: sql.replace("$2", "$9").replace("$3", "$2").replace("$9", "$3"),
    "a wider window": lambda sql: sql.replace(">= $2", ">= $2 - 1000"),
    "another time column": lambda sql: sql.replace('t1."at" >=', 't1."seen" >='),
    "another column": lambda sql: sql.replace('t0."body" FROM', 't0."secret" FROM'),
    "a column more": lambda sql: sql.replace('t0."body" FROM', 't0."body", t0."secret" FROM'),
    "a column of the other table": lambda sql: sql.replace('t0."body" FROM', 't1."body" FROM'),
    "two columns made one": lambda sql: sql.replace('t0."body" FROM', 't0."body" || t0."secret" FROM'),
    "a function of a column": lambda sql: sql.replace('t0."body" FROM', 'upper(t0."body") FROM'),
    "a column under another name": lambda sql: sql.replace('t0."body" FROM', 't0."secret" AS "body" FROM'),
    "columns in another order": lambda sql: sql.replace('t0."kind", t0."body"', 't0."body", t0."kind"'),
    "a star": lambda sql: sql.replace('t0."body" FROM', "t0.* FROM"),
    "no control column": lambda sql: sql.replace('t1."author", t1."at",', 't1."at",'),
    "another table": lambda sql: sql.replace('"bodies" t0', '"messages" t0'),
    "another schema": lambda sql: sql.replace('"bodies" t0', '"other"."bodies" t0'),
    "a table more": lambda sql: sql.replace(" WHERE", ' JOIN "accounts" t2 ON t2."id" = t1."id" WHERE'),
    "tables beside each other": lambda sql: sql.replace(
        ' JOIN "posts" t1 ON t0."post" = t1."id"', ', "posts" t1'
    ),
    "an outer join": lambda sql: sql.replace(" JOIN", " LEFT JOIN"),
    "a join on something else": lambda sql: sql.replace('t0."post" = t1."id"', 't0."post" = t1."author"'),
    "a join on more or": lambda sql: sql.replace('t1."id" WHERE', 't1."id" OR TRUE WHERE'),
    "a function as table": lambda sql: sql.replace('"bodies" t0', "read_csv('x') t0"),
    "a query as table": lambda sql: sql.replace('"bodies" t0', '(SELECT * FROM "bodies") t0'),
    "absent forgotten": lambda sql: sql.replace(' AND t0."deleted" IS NULL', ""),
    "absent turned round": lambda sql: sql.replace("IS NULL", "IS NOT NULL"),
    "equals forgotten": lambda sql: sql.replace(' AND t0."kind" = $4', ""),
    "a condition twice": lambda sql: sql.replace(" ORDER", ' AND t0."kind" = $4 ORDER'),
    "a union": lambda sql: f"{sql.partition(' ORDER')[0]} UNION ALL SELECT 1, 2, 3, 4, 5",
    "a query inside": lambda sql: sql.replace('t0."body" FROM', '(SELECT max(s) FROM "secrets") FROM'),
    "a query in a condition": lambda sql: sql.replace("= $4", '= (SELECT "kind" FROM "kinds")'),
    "exists": lambda sql: sql.replace(" ORDER", ' AND EXISTS (SELECT 1 FROM "secrets") ORDER'),
    "with": lambda sql: f'WITH "bodies" AS (SELECT * FROM "secrets") {sql}',
    "a comment at the end": lambda sql: sql.replace(" AND t0", " --AND t0", 1),
    "a comment inside": lambda sql: sql.replace(" AND t0", " /* AND t0", 1).replace(" ORDER", " */ ORDER"),
    "a comment that one engine runs": lambda sql: sql.replace(" ORDER", " /*! OR 1=1 */ ORDER"),
    "a second statement": lambda sql: f'{sql}; SELECT * FROM "secrets"',
    "a semicolon": lambda sql: f"{sql};",
    "distinct": lambda sql: sql.replace("SELECT", "SELECT DISTINCT"),
    "grouped": lambda sql: sql.replace(" ORDER", ' GROUP BY t1."at" ORDER'),
    "cut": lambda sql: f"{sql} LIMIT 5",
    "skipped": lambda sql: f"{sql} OFFSET 5",
    "a sample": lambda sql: sql.replace(" WHERE", " TABLESAMPLE 10% WHERE"),
    "another order": lambda sql: sql.replace('ORDER BY t1."at"', 'ORDER BY t0."body"'),
    "turned round": lambda sql: f"{sql} DESC",
    "no order": lambda sql: sql.partition(" ORDER")[0],
    "locked": lambda sql: f"{sql} FOR UPDATE",
    "written": lambda sql: f"DELETE {sql[sql.index('FROM') :]}",
    "no sql": lambda sql: f"nothing {sql}",
    "empty": lambda sql: sql[:0],
    "zero byte": lambda sql: sql.replace("bodies", "bod\0ies"),
    "an escape": lambda sql: sql.replace("$4", "E'\\x41'"),
    "too long": lambda sql: sql + " " * 2_000_000,
    "deep": lambda sql: sql.replace("$4", "(" * 3000 + "$4" + ")" * 3000),
}


@pytest.mark.parametrize("how", list(WRONG))
def test_a_wrong_generator_is_found_out(how: str) -> None:
    """Whatever it widens, adds, leaves out or hides."""
    wrong = WRONG[how](TEXT)
    assert wrong != TEXT
    with pytest.raises(BrokenError) as caught:
        examine(wrong, rows_shape(BODIES))
    assert caught.value.code == "query-differs"


def test_the_right_query_passes() -> None:
    """The text that the tests above spoil is the plan's; another order of conditions means the same."""
    examine(TEXT, rows_shape(BODIES))
    examine(TEXT.replace('t0."body" FROM', 'CAST(t0."body" AS VARCHAR) FROM'), rows_shape(BODIES))
    examine(TEXT.replace('t1."at" >=', 't1."at" COLLATE "C" >='), rows_shape(BODIES))
    one, two = ' AND t0."deleted" IS NULL', ' AND t0."kind" = $4'
    examine(TEXT.replace(one + two, two + one), rows_shape(BODIES))


def test_values_that_mean_something_else_are_found_out() -> None:
    """A wider window hides in no text: the values are compared too."""
    query = TargetQuery(TargetRoute("account", "main", "accounts", "name", "name"), EVA)
    examine_values(
        [EVA, SINCE.replace(tzinfo=None), dt.date(2026, 9, 1), 1], [EVA, SINCE, "2026-09-01", True]
    )
    for values in ([SINCE], [EVA, SINCE], [EVA.upper()], ["%"], [], [None]):
        with pytest.raises(BrokenError):
            examine_values(values, [query.value])


@settings(max_examples=300, deadline=None)
@given(st.text() | st.sampled_from(list(WRONG)).map(lambda how: WRONG[how](TEXT)))
def test_any_text_is_a_shape_or_refused(text: str) -> None:
    """No text makes the examiner fail in another way."""
    try:
        parsed(text)
    except BrokenError as error:
        assert error.code == "query-differs"  # noqa: PT017  # most texts are refused, but not all


# -- the engines' own eyes -------------------------------------------------------------------------


class _Blind:
    """A store whose first examiner sees nothing, and whose generator is spoilt."""

    def __init__(self, *args: Any, spoilt: Callable[[str], str], **more: Any) -> None:
        super().__init__(*args, **more)
        self._spoilt = spoilt

    def _examine(self, *_: object) -> None:
        """Nothing is seen."""

    def text(self, query: TableQuery) -> str:
        return self._spoilt(super().text(query))  # type: ignore[misc]  # beside a real store


class BlindSqlite(_Blind, SqliteStore):
    def _sorts(self, *_: object) -> bool:
        return False


class BlindDuckdb(_Blind, DuckdbStore): ...


class BlindPostgresql(_Blind, PostgresqlStore): ...


SPOILT: dict[str, Callable[[str], str]] = {
    "another column": lambda sql: sql.replace('t0."agent"', 't0."note"'),
    "another table": lambda sql: (
        f"{sql.partition(' ORDER')[0]} UNION ALL SELECT name, 1, 1, email, email FROM accounts"
    ),
    "a query inside": lambda sql: sql.replace('t0."agent"', "(SELECT max(password_hash) FROM accounts)"),
}


@pytest.mark.parametrize("how", list(SPOILT))
def test_the_engine_itself_sees_a_wrong_query(unbuilt: Any, how: str) -> None:
    """With the parser's eyes shut: SQLite's authorizer and the planners of DuckDB and PostgreSQL see it too."""
    unbuilt.build()
    where = unbuilt.dsn.partition(":///")[2]
    makers: dict[str, Callable[[], Any]] = {
        "sqlite": lambda: BlindSqlite("main", Path(where), spoilt=SPOILT[how]),
        "duckdb": lambda: BlindDuckdb("main", Path(where), spoilt=SPOILT[how]),
        "parquet": lambda: BlindDuckdb("main", Path(where), parquet=True, spoilt=SPOILT[how]),
        "postgresql": lambda: BlindPostgresql("main", unbuilt.dsn, spoilt=SPOILT[how]),
    }
    query = next(each for each in unbuilt.plan("traffic", "session").tables if each.table == "sessions")
    with closing(makers[unbuilt.engine]()) as store, pytest.raises(BrokenError) as caught:
        list(store.batches(query, EVA))
    assert caught.value.code == "query-differs"


def test_a_spoilt_generator_of_a_store_reads_nothing(small: Any) -> None:
    """The examiner stands before the engine: a store that asks wrongly is stopped before it asks."""
    query = next(each for each in small.plan("traffic", "session").tables if each.table == "sessions")

    path = Path(small.dsn.partition(":///")[2])

    class Spoilt(SqliteStore):
        sent: list[str]

        def from_where(self, query: TableQuery) -> str:
            return super().from_where(query).replace('t0."account" = ?', 't0."account" > ?')

        def _execute(self, sql: str, values: Sequence[object]) -> Any:
            self.sent += [sql] if sql.startswith("SELECT t0") else []
            return super()._execute(sql, values)

    class Widened(SqliteStore):
        def values(self, query: TableQuery, subject: Any) -> Sequence[object]:
            who, since, until = super().values(query, subject)
            return [who, int(str(since)) - 1, until]

    with closing(Spoilt("main", path)) as store:
        store.sent = []
        with pytest.raises(BrokenError, match="where"):
            list(store.batches(query, EVA))
        assert store.sent == []
    with closing(Widened("main", path)) as widened, pytest.raises(BrokenError, match="values"):
        list(widened.batches(query, EVA))


# -- no false alarm --------------------------------------------------------------------------------

TABLES = {
    "people": ["pid", "name", "gone", "flag", "at_s", "at_ms", "at_us", "at_iso", "on", "note one"],
    "things": ["id", "owner", "gone", "flag", "at_s", "at_ms", "at_us", "at_iso", "on", "note one"],
    "parts": ["key", "thing", "gone", "flag", "at_s", "at_ms", "at_us", "at_iso", "on", "note one"],
}
INTEGERS = {"pid", "id", "owner", "thing", "flag", "at_s", "at_ms", "at_us"}
AT: dict[TimeUnit, str] = {"s": "at_s", "ms": "at_ms", "us": "at_us", "iso": "at_iso", "date": "on"}
BASE = int(SINCE.timestamp())


def cells(key: int, parent: object) -> list[object]:
    """One row: its key, its parent's key, and one moment in every unit."""
    at = BASE + (key * 37 - 60) * 3600
    moment = dt.datetime.fromtimestamp(at, dt.UTC)
    gone = "x" if key % 5 == 0 else None
    texts = [moment.strftime("%Y-%m-%dT%H:%M:%SZ"), moment.date().isoformat()]
    return [key, parent, gone, key % 2, at, at * 1000, at * 1_000_000, *texts, f"n{key}"]


ROWS = {
    "people": [cells(key, f"@p{key}:host.example") for key in range(4)],
    "things": [cells(key, key % 4) for key in range(24)],
    "parts": [cells(key, key % 24) for key in range(60)],
}


def build(execute: Callable[[str], object]) -> None:
    for table, columns in TABLES.items():
        kinds = [f'"{name}" {"BIGINT" if name in INTEGERS or name == "key" else "TEXT"}' for name in columns]
        execute(f'CREATE TABLE "{table}" ({", ".join(kinds)})')
        for row in ROWS[table]:
            told = ", ".join("NULL" if value is None else repr(value) for value in row)
            execute(f'INSERT INTO "{table}" VALUES ({told})')


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str, str], Any]]:
    """The platform on an engine, opened once."""
    import sqlite3

    import duckdb
    import psycopg

    opened: dict[str, Any] = {}
    folder = tmp_path_factory.mktemp("engines")

    def get(engine: str, dsn: str) -> Any:
        if engine not in opened:
            where = dsn or f"{engine}:///{folder}/x.{engine}"
            connect: dict[str, Callable[[], Any]] = {
                "sqlite": lambda: sqlite3.connect(folder / "x.sqlite", isolation_level=None),
                "duckdb": lambda: duckdb.connect(folder / "x.duckdb"),
                "postgresql": lambda: psycopg.connect(dsn, autocommit=True),
            }
            link = connect[engine]()
            build(lambda sql: link.execute(sql.encode() if engine == "postgresql" else sql))
            link.close()
            opened[engine] = open_store("main", where)
        return opened[engine]

    yield get
    for store in opened.values():
        store.close()


HOPS = {
    "people": (),
    "things": (Hop("people", "owner", "pid"),),
    "parts": (Hop("things", "thing", "id"), Hop("people", "owner", "pid")),
}


@st.composite
def queries(draw: st.DrawFn) -> TableQuery:
    """Any path, window, unit and choice of columns that a map of these tables could say."""
    table = draw(st.sampled_from(list(TABLES)))
    hops = HOPS[table]
    tables = [table, *(hop.table for hop in hops)]
    unit: TimeUnit | None = draw(st.sampled_from([*AT, None]))
    time = TimeColumn(draw(st.sampled_from(tables)), AT[unit], unit) if unit else None
    absent = draw(st.sampled_from([(), ("gone",)]))
    equals: Any = draw(st.sampled_from([(), (("flag", 1),), (("flag", 0), ("note one", "n7"))]))
    path = RowPath("main", table, hops, "name", time, time is None, absent, equals)
    columns = draw(st.lists(st.sampled_from(TABLES[table]), min_size=1, unique=True))
    order = draw(
        st.lists(st.sampled_from([name for name in TABLES[table] if name not in AT.values()]), unique=True)
    )
    since = draw(st.integers(-100, 2000))
    until = since + draw(st.integers(1, 2500))
    window = Period(SINCE + dt.timedelta(hours=since), SINCE + dt.timedelta(hours=until))
    names = [*([time.column] if time else []), *order] or [columns[0]]
    return TableQuery(path, window if time else None, planned(*columns), tuple(names), 100)


def oracle(query: TableQuery, subject: str) -> list[dict[str, object]]:
    """The same rows by loops over lists."""
    found = []
    for row in ROWS[query.table]:
        chain = {query.table: dict(zip(TABLES[query.table], row, strict=True))}
        here: str | None = query.table
        for hop in query.path.hops:
            key = chain[str(here)][hop.on]
            named = [dict(zip(TABLES[hop.table], each, strict=True)) for each in ROWS[hop.table]]
            chain[hop.table] = next(each for each in named if each[hop.foreign] == key)
            here = hop.table
        if chain["people"]["name"] == subject and fits(query, chain):
            found.append({column.name: chain[query.table][column.name] for column in query.columns})
    return found


def fits(query: TableQuery, chain: dict[str, dict[str, object]]) -> bool:
    own, time = chain[query.table], query.path.time
    if any(own[name] is not None for name in query.path.absent):
        return False
    if any(own[name] != value for name, value in query.path.equals):
        return False
    if time is None or query.window is None or query.window.since is None or query.window.until is None:
        return True
    at = dt.datetime.fromtimestamp(int(str(chain[time.table]["at_s"])), dt.UTC)
    at = at.replace(hour=0, minute=0, second=0) if time.unit == "date" else at
    return query.window.since <= at < query.window.until


@pytest.mark.parametrize(("engine", "times"), [("sqlite", 200), ("duckdb", 120), ("postgresql", 80)])
def test_no_plan_of_a_map_raises_an_alarm(
    engine: str, times: int, built: Callable[[str, str], Any], request: pytest.FixtureRequest
) -> None:
    """Every query of random plans passes both pairs of eyes, and gives exactly what loops over lists give."""
    dsn = request.getfixturevalue("postgres_dsn") if engine == "postgresql" else ""
    store = built(engine, dsn)

    @settings(max_examples=times, deadline=None, database=None)
    @given(query=queries(), who=st.integers(0, 4))
    def one(query: TableQuery, who: int) -> None:
        subject = f"@p{who}:host.example"
        rows = [row for batch in store.batches(query, subject) for row in batch.rows.to_pylist()]
        texts = sorted(str(row) for row in rows)
        assert texts == sorted(str(row) for row in oracle(query, subject))

    one()


def test_targets_of_every_kind_pass(small: Any) -> None:
    """Plain, folded, narrowed."""
    for more in (
        {},
        {"compare": "ignore_case"},
        {"absent": ("email",)},
        {"equals": (("joined", 1), ("email", "x"))},
    ):
        route = dataclasses.replace(small.plan("traffic").target.route, **more)
        store: Any = small.stores().databases["main"]
        examine(store.numbered(store.resolving(route)), target_shape(route))
        store.resolve(TargetQuery(route, EVA))

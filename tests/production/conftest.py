"""A fictional platform, Example Host, on every engine. What must never leave carries the word CANARY."""

import datetime as dt
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyrage
import pytest

from dueprocess.demand import Period, ScopeItem, Target, expand
from dueprocess.parcel import Evidence, Statement
from dueprocess.plan import DataMap, Plan, compile_plan, parse_map
from dueprocess.production.answer import Answer, category_lines
from dueprocess.production.packing import Wrapping
from dueprocess.production.stores import Stores, open_stores

ENGINES = ("sqlite", "postgresql", "duckdb", "parquet")
NOW = dt.datetime(2026, 11, 22, 10, tzinfo=dt.UTC)
SINCE = dt.datetime(2026, 9, 1, tzinfo=dt.UTC)
UNTIL = dt.datetime(2026, 10, 1, tzinfo=dt.UTC)
EVA = "@eva:host.example"
DANA = "@dana:host.example"


def ms(day: int, month: int = 9) -> int:
    return int(dt.datetime(2026, month, day, 12, tzinfo=dt.UTC).timestamp() * 1000)


@dataclass
class Table:
    """Columns with SQL types, rows, and the columns that are unique or indexed."""

    columns: dict[str, str]
    rows: list[tuple[object, ...]]
    unique: tuple[str, ...] = ()
    indexed: tuple[str, ...] = ()


def platform() -> dict[str, Table]:
    """Eva's records inside and outside September 2026, Dana's beside them."""
    mention = '{"text":"%s","mentions":{"users":["CANARY-THIRD"]}}'
    return {
        "accounts": Table(
            {"name": "TEXT", "email": "TEXT", "joined": "BIGINT", "password_hash": "TEXT"},
            [
                (EVA, "eva@mail.example", 1, "CANARY-SECRET"),
                (DANA, "CANARY-OTHER@mail.example", 2, "CANARY-SECRET"),
            ],
            unique=("name",),
        ),
        "sessions": Table(
            {"account": "TEXT", "seen": "BIGINT", "ip": "TEXT", "agent": "TEXT", "note": "TEXT"},
            [
                (EVA, ms(2), "192.0.2.1", "=cmd()", "CANARY-COLUMN"),
                (EVA, ms(1) - 12 * 3_600_000, "192.0.2.2", "Example/1.0", "CANARY-COLUMN"),
                (EVA, ms(1) - 12 * 3_600_000 - 1, "CANARY-EARLY", "x", "x"),
                (EVA, ms(1, 10) - 12 * 3_600_000, "CANARY-LATE", "x", "x"),
                (DANA, ms(3), "CANARY-OTHER", "x", "x"),
                ("@Eva:host.example", ms(3), "CANARY-CASE", "x", "x"),
            ],
            indexed=("account",),
        ),
        "posts": Table(
            {"id": "BIGINT", "author": "TEXT", "at": "TIMESTAMPTZ"},
            [
                (1, EVA, dt.datetime(2026, 9, 5, tzinfo=dt.UTC)),
                (2, EVA, dt.datetime(2026, 8, 31, 23, 59, 59, tzinfo=dt.UTC)),
                (3, DANA, dt.datetime(2026, 9, 5, tzinfo=dt.UTC)),
            ],
            unique=("id",),
            indexed=("author",),
        ),
        "bodies": Table(
            {"post": "BIGINT", "body": "TEXT", "deleted": "TEXT"},
            [
                (1, mention % "kept", None),
                (2, "CANARY-EARLY", None),
                (3, "CANARY-OTHER", None),
                (1, "CANARY-GONE", "x"),
            ],
            indexed=("post",),
        ),
        "uploads": Table(
            {"key": "TEXT", "owner": "TEXT", "at": "BIGINT"},
            [("aabbcc", EVA, ms(4)), ("aaddee", DANA, ms(4)), ("aagone", EVA, ms(5))],
            unique=("key",),
            indexed=("owner",),
        ),
        "rooms": Table({"room": "TEXT"}, [("!room:host.example",)]),
    }


MAP = """
[map]
id = "example"
version = "1"
platform = "Example Host"
[store.main]
connect = "${EXAMPLE_DSN}"
max_rows = 100
[store.media]
connect = "${EXAMPLE_MEDIA}"
[[target]]
kind = "account"
store = "main"
table = "accounts"
column = "name"
subject = "name"
[[table]]
store = "main"
name = "accounts"
subject = "name"
[table.columns]
email = { category = "subscriber.identity" }
joined = { category = "subscriber.service" }
[[table]]
store = "main"
name = "sessions"
subject = "account"
time = { column = "seen", unit = "ms" }
[table.columns]
seen = { category = "session.times" }
ip = { category = "traffic" }
agent = { category = "traffic" }
[[table]]
store = "main"
name = "bodies"
via = [{ table = "posts", on = "post", foreign = "id", subject = "author" }]
time = { table = "posts", column = "at", unit = "timestamp" }
absent = ["deleted"]
[table.columns]
body = { category = "content.messages", third_party = ["redact:mentions.users"] }
[[file]]
store = "media"
root = "local"
path = "{key[0:2]}/{key[2:]}"
category = "content.files"
[file.from]
store = "main"
table = "uploads"
subject = "owner"
time = { column = "at", unit = "ms" }
"""


@dataclass
class Platform:
    """An engine with the tables in it, and the map that describes them."""

    engine: str
    folder: Path
    dsn: str
    tables: dict[str, Table]
    text: str = MAP
    opened: list[Stores] = field(default_factory=list)

    def datamap(self) -> DataMap:
        # SQLite has no type for times: there the map says that the column holds text.
        text = (
            self.text.replace('unit = "timestamp"', 'unit = "iso"') if self.engine == "sqlite" else self.text
        )
        return parse_map(text, "example.toml")

    def environment(self) -> dict[str, str]:
        return {"EXAMPLE_DSN": self.dsn, "EXAMPLE_MEDIA": f"file:///{self.folder}/media"}

    def stores(self) -> Stores:
        stores = open_stores(self.datamap(), self.environment())
        self.opened.append(stores)
        return stores

    def plan(self, *names: str, value: str = EVA, period: Period | None = None) -> Plan:
        item = ScopeItem(Target("account", value), expand(names), period or Period(SINCE, UNTIL))
        return compile_plan(item, self.datamap(), nonce=bytes(32))

    def build(self) -> None:
        _BUILD[self.engine](self)
        for key, content in (("aa/bbcc", b"eva's file"), ("aa/ddee", b"CANARY-OTHER")):
            path = self.folder / "media" / "local" / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


def _create(platform: Platform, execute: Callable[[str], object], types: dict[str, str]) -> None:
    for name, table in platform.tables.items():
        columns = [f'"{column}" {types.get(kind, kind)}' for column, kind in table.columns.items()]
        execute(f'CREATE TABLE "{name}" ({", ".join(columns)})')
        for column in table.unique:
            execute(f'CREATE UNIQUE INDEX "{name}_{column}_key" ON "{name}" ("{column}")')
        for column in table.indexed:
            execute(f'CREATE INDEX "{name}_{column}" ON "{name}" ("{column}")')


def _sqlite(platform: Platform) -> None:
    with sqlite3.connect(platform.dsn.removeprefix("sqlite:///")) as link:
        _create(platform, link.execute, {"TIMESTAMPTZ": "TEXT"})
        for name, table in platform.tables.items():
            places = ", ".join("?" for _ in table.columns)
            link.executemany(f'INSERT INTO "{name}" VALUES ({places})', [_texts(row) for row in table.rows])
    link.close()


def _texts(row: tuple[object, ...]) -> list[object]:
    return [
        value.replace(tzinfo=None).isoformat() + "Z" if isinstance(value, dt.datetime) else value
        for value in row
    ]


def _postgresql(platform: Platform) -> None:
    import psycopg

    with psycopg.connect(platform.dsn) as link:
        _create(platform, lambda sql: link.execute(sql.encode()), {})
        for name, table in platform.tables.items():
            places = ", ".join("%s" for _ in table.columns)
            for row in table.rows:
                link.execute(f'INSERT INTO "{name}" VALUES ({places})'.encode(), row)


def _arrow(table: Table) -> object:
    import pyarrow as pa

    kinds = {"TEXT": pa.string(), "BIGINT": pa.int64(), "TIMESTAMPTZ": pa.timestamp("us", tz="UTC")}
    return pa.table(
        {
            column: pa.array([row[at] for row in table.rows], kinds[kind])
            for at, (column, kind) in enumerate(table.columns.items())
        }
    )


def _duckdb(platform: Platform) -> None:
    import duckdb

    link = duckdb.connect(platform.dsn.removeprefix("duckdb:///"))
    for name, table in platform.tables.items():
        columns = [
            f'"{column}" {kind} {"UNIQUE" if column in table.unique else ""}'
            for column, kind in table.columns.items()
        ]
        link.execute(f'CREATE TABLE "{name}" ({", ".join(columns)})')
        link.register("arrived", _arrow(table))
        link.execute(f'INSERT INTO "{name}" FROM arrived')
        link.unregister("arrived")
    link.close()


def _parquet(platform: Platform) -> None:
    from pyarrow import parquet

    folder = Path(platform.dsn.removeprefix("parquet:///"))
    folder.mkdir()
    for name, table in platform.tables.items():
        parquet.write_table(_arrow(table), folder / f"{name}.parquet")


_BUILD = {"sqlite": _sqlite, "postgresql": _postgresql, "duckdb": _duckdb, "parquet": _parquet}


@pytest.fixture(params=ENGINES)
def unbuilt(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Platform]:
    """Example Host on each engine in turn, its tables not yet written, so that a test can change them."""
    engine: str = request.param
    dsn = (
        request.getfixturevalue("postgres_dsn")
        if engine == "postgresql"
        else f"{engine}:///{tmp_path}/host.{engine}"
    )
    built = Platform(engine, tmp_path, dsn, platform())
    yield built
    for stores in built.opened:
        stores.close()


@pytest.fixture
def host(unbuilt: Platform) -> Platform:
    """Example Host on each engine in turn."""
    unbuilt.build()
    return unbuilt


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Platform]:
    """Example Host on SQLite alone, for what does not depend on the engine."""
    built = Platform("sqlite", tmp_path, f"sqlite:///{tmp_path}/host.sqlite", platform())
    built.build()
    yield built
    for stores in built.opened:
        stores.close()


@pytest.fixture(scope="session")
def officer() -> pyrage.x25519.Identity:
    """The requester's age identity."""
    return pyrage.x25519.Identity.generate()


@pytest.fixture
def answer(officer: pyrage.x25519.Identity) -> Callable[[Plan], Answer]:
    """Everything around the data of one parcel."""

    def make(plan: Plan) -> Answer:
        wrapping = Wrapping("7F3K", str(officer.to_public()), NOW, {"External-Identifier": "7F3K"})
        lines = category_lines(plan, asked=plan.item, permitted=plan.item)
        statement = Statement(
            parcel_id="7F3K",
            operator="Example Host",
            authority="District of Example",
            order="order 1:26-mc-1",
            account=plan.target.value,
            legal_basis=("18 USC 2703(d)",),
            windows=(("authorised", "September 2026"),),
            categories=lines,
            produced_at="2026-11-22T10:00:00Z",
        )
        evidence = Evidence(b"s" * 32, "7F3K", "Example Host", "0.1.0", "d_order", "1:26-mc-1", NOW, NOW, NOW)
        return Answer(wrapping, "7F3K", statement, evidence, {"v": 1})

    return make

"""A platform's tables in a real PostgreSQL, filled so that each value says whose it is, from when, and from where.

A value that leaves and does not say Eva, a moment inside the window, and a column that the test allows, is a leak.
What must leave is computed here in plain Python, without the map.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import psycopg
from psycopg.sql import SQL, Identifier, Literal
from psycopg.types.json import Jsonb

from dueprocess.demand import Period

SINCE = dt.datetime(2026, 9, 1, tzinfo=dt.UTC)
UNTIL = dt.datetime(2026, 10, 1, tzinfo=dt.UTC)
SEPTEMBER = Period(SINCE, UNTIL)
_MICRO = dt.timedelta(microseconds=1)


@dataclass(frozen=True)
class Moment:
    """When something happened, and whether that is inside the window."""

    name: str
    at: dt.datetime
    inside: bool


MOMENTS = (
    Moment("CANARY-EARLY", SINCE - _MICRO, inside=False),
    Moment("first", SINCE, inside=True),
    Moment("middle", SINCE + dt.timedelta(days=14, hours=3, microseconds=17), inside=True),
    Moment("last", UNTIL - _MICRO, inside=True),
    Moment("CANARY-LATE", UNTIL, inside=False),
)
ONCE = MOMENTS[2]


@dataclass(frozen=True)
class Person:
    """``mark`` stands in every text of this person; only Eva's is no canary."""

    mark: str
    number: int

    @property
    def is_eva(self) -> bool:
        return self.mark == "eva"


EVA = Person("eva", 1)
DANA = Person("CANARY-dana", 2)
PEOPLE = (EVA, DANA)


@dataclass
class Row:
    """One row, and under which labels it must leave (none: nowhere)."""

    values: dict[str, object]
    leaves: frozenset[str] = frozenset()


@dataclass
class Table:
    """``columns`` are SQL types; what stands behind a type (PRIMARY KEY, UNIQUE) is handed on as it is."""

    columns: Mapping[str, str]
    rows: list[Row] = field(default_factory=list)
    indexes: Sequence[str] = ()


@dataclass
class World:
    """Tables by name. ``shows`` says, for each label, which columns of which table may leave."""

    shows: Mapping[str, tuple[str, ...]]
    tables: dict[str, Table] = field(default_factory=dict)

    def table(self, name: str, columns: Mapping[str, str], *indexes: str) -> None:
        self.tables[name] = Table(columns, indexes=indexes)

    def add(
        self, table: str, person: Person, moment: Moment, leaves: Iterable[str] = (), **given: object
    ) -> None:
        """One row; columns that are not given are filled after their type. It leaves if it is Eva's."""
        columns = self.tables[table].columns
        values = {
            name: given[name] if name in given else filled(kind, person, moment, f"{table}.{name}")
            for name, kind in columns.items()
        }
        self.tables[table].rows.append(Row(values, frozenset(leaves) if person.is_eva else frozenset()))

    def history(self, table: str, time: str, label: str, keys: Callable[[Person], dict[str, object]]) -> None:
        """For each person one row for each moment, at the column ``time``; Eva's inside the window leave."""
        for person in PEOPLE:
            for number, moment in enumerate(MOMENTS):
                given = {time: moment.at, **keys(person)}
                given.update({name: person.number * 100 + number for name in ("id",) if name not in given})
                known = {name: each for name, each in given.items() if name in self.tables[table].columns}
                self.add(table, person, moment, [label] if moment.inside else [], **known)

    def expected(self) -> dict[str, list[dict[str, object]]]:
        """What must leave, by label."""
        found: dict[str, list[dict[str, object]]] = {label: [] for label in self.shows}
        for table in self.tables.values():
            for row in table.rows:
                for label in row.leaves:
                    found[label].append({name: row.values[name] for name in self.shows[label]})
        return found

    def build(self, dsn: str, sql: Iterable[str] = (), before: Iterable[str] = ()) -> None:
        """Writes everything into an empty database, then runs ``sql`` (views, rights)."""
        with psycopg.connect(dsn, autocommit=True) as link:
            for statement in before:
                link.execute(statement.encode())
            for name, table in self.tables.items():
                columns = SQL(", ").join(
                    SQL("{} {}").format(Identifier(column), SQL(kind))
                    for column, kind in table.columns.items()
                )
                link.execute(SQL("CREATE TABLE {} ({})").format(Identifier(name), columns))
                for column in table.indexes:
                    link.execute(SQL("CREATE INDEX ON {} ({})").format(Identifier(name), Identifier(column)))
                _insert(link, name, table)
            for statement in sql:
                link.execute(statement.encode())


def _insert(link: psycopg.Connection, name: str, table: Table) -> None:
    places = SQL(", ").join(SQL("%s") for _ in table.columns)
    with link.cursor() as cursor:
        cursor.executemany(
            SQL("INSERT INTO {} VALUES ({})").format(Identifier(name), places),
            [
                [Jsonb(each) if isinstance(each, dict) else each for each in row.values.values()]
                for row in table.rows
            ],
        )


def filled(kind: str, person: Person, moment: Moment, where: str) -> object:
    """A value of the SQL type that says whose it is, from when and from where. Addresses say only whose."""
    base = kind.split(maxsplit=1)[0].partition("(")[0].lower()
    mark = f"{person.mark}|{moment.name}|{where}"
    made: dict[str, object] = {
        "text": mark,
        "varchar": mark,
        "citext": mark,
        "text[]": [mark],
        "bytea": mark.encode(),
        "jsonb": {"said": mark},
        "inet": f"192.0.2.{person.number}" if person.is_eva else f"203.0.113.{person.number}",
        "boolean": True,
        "integer": person.number,
        "smallint": person.number,
        "bigint": person.number,
        "timestamp": moment.at.replace(tzinfo=None),
        "timestamptz": moment.at,
        "date": moment.at.date(),
    }
    return made[base]


def connected_as(dsn: str, role: str) -> str:
    """The same database under another role."""
    return dsn.replace("postgres@", f"{role}@", 1)


def make_role(dsn: str, role: str) -> str:
    """A role without any right, as a statement that runs once for a server."""
    return (
        SQL(
            "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {name}) "
            "THEN CREATE ROLE {role} LOGIN; END IF; END $$"
        )
        .format(name=Literal(role), role=Identifier(role))
        .as_string(None)
    )

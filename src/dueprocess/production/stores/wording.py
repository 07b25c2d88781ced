"""The texts of queries: one shape for every engine.

There is no OR, no pattern, no `*` and no join that could multiply rows. Values are bound by the driver; names
come from the map, are found in the live schema first, and are quoted.
"""

import abc
import datetime as dt
import re
from collections.abc import Mapping, Sequence

from dueprocess.errors import UnavailableError
from dueprocess.plan import TableQuery, TargetRoute, TimeUnit
from dueprocess.production.stores.facts import ColumnFacts, Subject
from dueprocess.production.stores.shapes import window_bounds

_TEXTS = frozenset({"TEXT", "VARCHAR", "CHAR", "BPCHAR", "STRING"})


def quoted(name: str) -> str:
    """An SQL identifier in double quotes. Names of a map hold none, but a rule that is kept twice holds."""
    return '"' + name.replace('"', '""') + '"'


class Wording(abc.ABC):
    """How one engine's queries are written. A subclass says where its words differ."""

    mark = "?"
    """A place for a value."""
    byte_order = ""
    """Appended to a text column that is compared by its bytes."""
    readings: frozenset[str] = frozenset()
    """Functions of one column by which ``reading`` reads it; the examiner lets no others pass."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._columns: dict[str, Mapping[str, ColumnFacts]] = {}

    @abc.abstractmethod
    def describe(self, table: str) -> Mapping[str, ColumnFacts]:
        """The live columns of a table; empty where there is none."""

    def reading(self, expression: str, _facts: ColumnFacts, /) -> str:
        """How a column is read in the select list: as it is, ``CAST(… AS VARCHAR)``, or by one of ``readings``."""
        return expression

    def bound(self, value: object, _unit: TimeUnit, facts: ColumnFacts, /) -> object:
        """An end of the window as the driver takes it for this column. Days in a column of text are text."""
        if isinstance(value, dt.date) and not isinstance(value, dt.datetime) and facts.kind.upper() in _TEXTS:
            return value.isoformat()
        return value

    def equal(self, expression: str, _facts: ColumnFacts, /) -> str:
        """A column that must hold a value, exactly. An engine that also says so by bytes says it of the same value."""
        return f"{expression} = {self.mark}"

    def folded(self, expression: str, _facts: ColumnFacts, /) -> str:
        """A column in small letters."""
        return f"lower({expression})"

    def by_bytes(self, expression: str, _facts: ColumnFacts, /) -> str:
        """A column of text as it is put in order by its bytes."""
        return expression + self.byte_order

    def named(self, name: str) -> str:
        """A name as it stands in a query."""
        return quoted(name)

    def numbered(self, sql: str) -> str:
        """The text with ``$1``, ``$2`` … for its places, as the examiner reads it."""
        pieces = re.split(r'("(?:[^"]|"")*")', sql)
        number = 0
        for at in range(0, len(pieces), 2):
            parts = pieces[at].split(self.mark)
            pieces[at] = parts[0]
            for part in parts[1:]:
                number += 1
                pieces[at] += f"${number}{part}"
        return "".join(pieces)

    def columns(self, table: str) -> Mapping[str, ColumnFacts]:
        if table not in self._columns:
            self._columns[table] = self.describe(table)
        return self._columns[table]

    # -- whole queries -----------------------------------------------------------------------------

    def text(self, query: TableQuery) -> str:
        """``SELECT controls, columns FROM ... WHERE subject AND window AND absent AND equals ORDER BY ...``."""
        return self.selected(query) + self.from_where(query) + self.ordered(query)

    def selected(self, query: TableQuery) -> str:
        """The control columns, then the plan's."""
        path = query.path
        controls = [self._read(path.subject_table, path.subject, query)]
        if path.time is not None:
            controls.append(self._read(path.time.table, path.time.column, query))
        own = [*path.absent, *(name for name, _ in path.equals), *(column.name for column in query.columns)]
        listed = [self._read(path.table, name, query) for name in own]
        return f"SELECT {', '.join([*controls, *listed])}"

    def ordered(self, query: TableQuery) -> str:
        """The plan's order."""
        order = [self._at(self._order_table(query, name), name, query) for name in query.order]
        return f" ORDER BY {', '.join(order)}"

    def counting(self, query: TableQuery) -> str:
        """How many rows that is."""
        return f"SELECT count(*){self.from_where(query)}"

    def doubling(self, query: TableQuery, number: int) -> str:
        """Whether a key that this subject's rows use stands twice in the table of hop ``number`` (from 1)."""
        hop = query.path.hops[number - 1]
        key = self._column(hop.table, hop.foreign)
        owned = f"{self._joined(query)} WHERE {self._subject(query)}"
        return (
            f"SELECT 1 FROM {self.named(hop.table)} k WHERE k.{key} IN (SELECT t{number}.{key}{owned}) "  # noqa: S608  # names are from the live schema and quoted, values are bound
            f"GROUP BY k.{key} HAVING count(*) > 1 LIMIT 1"
        )

    def resolving(self, route: TargetRoute) -> str:
        """The rows, at most two, that a target names."""
        fixed = [name for name, _ in route.equals]
        columns = {
            name: f"t0.{self._column(route.table, name)}"
            for name in (route.column, route.subject, *route.absent, *fixed)
        }
        select = [
            self.reading(columns[name], self._facts(route.table, name))
            for name in (route.column, route.subject, *route.absent, *fixed)
        ]
        facts = self._facts(route.table, route.column)
        where = [self.equal(columns[route.column], facts)]
        if route.compare == "ignore_case":
            where = [f"{self.folded(columns[route.column], facts)} = lower({self.mark})"]
        where += [f"{columns[name]} IS NULL" for name in route.absent]
        where += [self.equal(columns[name], self._facts(route.table, name)) for name in fixed]
        return f"SELECT {', '.join(select)} FROM {self.named(route.table)} t0 WHERE {' AND '.join(where)} LIMIT 2"  # noqa: S608  # as above

    def values(self, query: TableQuery, subject: Subject) -> Sequence[object]:
        """What the places of ``text`` are given, as the driver takes it."""
        time, found = query.path.time, list[object]([subject])
        if time is not None:
            facts = self._facts(time.table, time.column)
            found += [self.bound(each, time.unit, facts) for each in window_bounds(query)]
        return [*found, *(value for _, value in query.path.equals)]

    # -- their parts -------------------------------------------------------------------------------

    def from_where(self, query: TableQuery) -> str:
        """Tables and conditions."""
        path = query.path
        where = [self._subject(query)]
        if path.time is not None:
            when = self._at(path.time.table, path.time.column, query)
            if path.time.unit == "iso":
                when = self.by_bytes(when, self._facts(path.time.table, path.time.column))
            where += [f"{when} >= {self.mark}", f"{when} < {self.mark}"]
        where += [f"{self._at(path.table, name, query)} IS NULL" for name in path.absent]
        where += [
            self.equal(self._at(path.table, name, query), self._facts(path.table, name))
            for name, _ in path.equals
        ]
        return f"{self._joined(query)} WHERE {' AND '.join(where)}"

    def _joined(self, query: TableQuery) -> str:
        """`` FROM row table JOIN next ON equality ...``: many-to-one all the way to the subject."""
        here, parts = query.path.table, [f" FROM {self.named(query.path.table)} t0"]
        for number, hop in enumerate(query.path.hops, start=1):
            on, foreign = self._at(here, hop.on, query), self._at(hop.table, hop.foreign, query)
            parts.append(f" JOIN {self.named(hop.table)} t{number} ON {on} = {foreign}")
            here = hop.table
        return "".join(parts)

    def _subject(self, query: TableQuery) -> str:
        table, column = query.path.subject_table, query.path.subject
        return self.equal(self._at(table, column, query), self._facts(table, column))

    def _read(self, table: str, column: str, query: TableQuery) -> str:
        return self.reading(self._at(table, column, query), self._facts(table, column))

    def _at(self, table: str, column: str, query: TableQuery) -> str:
        """``t1."name"``: a column of a table on the path."""
        tables = [query.path.table, *(hop.table for hop in query.path.hops)]
        return f"t{tables.index(table)}.{self._column(table, column)}"

    @staticmethod
    def _order_table(query: TableQuery, name: str) -> str:
        """The time column's table where the order is by time, else the row's own."""
        time = query.path.time
        return time.table if time is not None and name == time.column else query.path.table

    def _column(self, table: str, column: str) -> str:
        self._facts(table, column)
        return self.named(column)

    def _facts(self, table: str, column: str) -> ColumnFacts:
        """Facts of a live column. Refuses a name that the live schema does not have, to the letter."""
        found = self.columns(table).get(column)
        if found is None:
            what = f"column {table[:80]}.{column[:80]}" if self.columns(table) else f"table {table[:80]}"
            raise UnavailableError(
                "map-drift",
                f"The store {self.name!r} has no {what}.",
                why="The data map and the live schema differ.",
                do="Run `dueprocess datamap check`.",
            )
        return found

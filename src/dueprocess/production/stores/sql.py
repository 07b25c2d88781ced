"""One SQL shape for every engine: equalities from the row to the subject, a window, a fixed order.

There is no OR, no pattern, no `*` and no join that could multiply rows. Values are bound by the driver; names
come from the map, are found in the live schema first, and are quoted.
"""

import abc
from collections.abc import Callable, Iterator, Mapping, Sequence

from dueprocess.errors import RefusedError, UnavailableError
from dueprocess.plan import TableQuery, TargetQuery, TimeUnit, bounds
from dueprocess.production.stores.check import checked_row
from dueprocess.production.stores.facts import ColumnFacts, Row, Subject

type Raw = tuple[object, ...]
type Fetch = Callable[[int], Sequence[Raw]]

FIRST_BATCH = 64
MOST_BATCH = 2048
BATCH_BYTES = 4 * 1024 * 1024


def quoted(name: str) -> str:
    """An SQL identifier in double quotes. Names of a map hold none, but a rule that is kept twice holds."""
    return '"' + name.replace('"', '""') + '"'


class SqlStore(abc.ABC):
    """What the engines share. A subclass opens a read-only connection and streams tuples."""

    mark = "?"
    byte_order = ""
    """Appended to a text column that is compared by its bytes."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._columns: dict[str, Mapping[str, ColumnFacts]] = {}

    # -- what an engine provides ------------------------------------------------------------------

    @abc.abstractmethod
    def fetch(self, sql: str, values: Sequence[object]) -> list[Raw]:
        """All rows of a small question, in the snapshot of this connection."""

    @abc.abstractmethod
    def stream(self, sql: str, values: Sequence[object]) -> Iterator[Fetch]:
        """A context (generator) that yields a fetch function; memory is bounded by what it fetches."""

    @abc.abstractmethod
    def describe(self, table: str) -> Mapping[str, ColumnFacts]:
        """The live columns of a table; empty where there is none."""

    @abc.abstractmethod
    def close(self) -> None:
        """Ends the connection. The store cannot be used after it."""

    def reading(self, expression: str, _facts: ColumnFacts, /) -> str:
        """How a column is read in the select list, where an engine needs a cast."""
        return expression

    # -- the protocol ------------------------------------------------------------------------------

    def columns(self, table: str) -> Mapping[str, ColumnFacts]:
        if table not in self._columns:
            self._columns[table] = self.describe(table)
        return self._columns[table]

    def resolve(self, query: TargetQuery) -> Subject | None:
        """The one subject, or None. Fetches at most two rows, so that nobody learns how many there are."""
        route = query.route
        column, subject = self._column(route.table, route.column), self._column(route.table, route.subject)
        rows = self.fetch(
            f"SELECT {column}, {subject} FROM {quoted(route.table)} WHERE {column} = {self.mark} LIMIT 2",  # noqa: S608  # names are from the live schema and quoted, the value is bound
            [query.value],
        )
        exact = [row for row in rows if str(row[0]) == query.value]
        if len(rows) > 1 or len(exact) != len(rows):
            raise RefusedError(
                "ambiguous-target",
                "This target does not name exactly one account.",
                why="A choice between accounts is not the software's to make, nor is their number disclosed.",
                do="Ask the authority for the exact identifier.",
                source="formats.md, Scope; architecture.md 1.1",
            )
        return _subject(exact[0][1]) if exact else None

    def rows(self, query: TableQuery, subject: Subject) -> Iterator[list[Row]]:
        self._refuse_fan_out(query, subject)
        sql, values = self.text(query), self._values(query, subject)
        for fetch in self.stream(sql, values):
            for number, (batch, ended) in enumerate(_batches(fetch)):
                if number == 0 and (not ended or len(batch) > query.cap):
                    self._refuse_too_many(query, subject)
                rows = (checked_row(query, subject, raw) for raw in batch)
                yield [row for row in rows if row is not None]

    def text(self, query: TableQuery) -> str:
        """``SELECT controls, columns FROM ... WHERE subject AND window AND absent ORDER BY ...``."""
        path = query.path
        controls = [self._read(path.subject_table, path.subject, query)]
        if path.time is not None:
            controls.append(self._read(path.time.table, path.time.column, query))
        controls += [self._read(path.table, name, query) for name in path.absent]
        listed = [self._read(path.table, column.name, query) for column in query.columns]
        order = [self._at(self._order_table(query, name), name, query) for name in query.order]
        return (
            f"SELECT {', '.join([*controls, *listed])}{self._from_where(query)} ORDER BY {', '.join(order)}"
        )

    def has_twice(self, table: str, column: str) -> bool:
        name = self._column(table, column)
        sql = f"SELECT 1 FROM {quoted(table)} WHERE {name} IS NOT NULL GROUP BY {name} HAVING count(*) > 1 LIMIT 1"  # noqa: S608  # names are from the live schema and quoted
        return bool(self.fetch(sql, []))

    def meets(self, table: str, column: str, other: str, key: str) -> bool:
        name, foreign = self._column(table, column), self._column(other, key)
        some = f"SELECT 1 FROM {quoted(table)} WHERE {name} IS NOT NULL LIMIT 1"  # noqa: S608  # as above
        match = (
            f"SELECT 1 FROM {quoted(table)} a WHERE EXISTS "  # noqa: S608  # as above
            f"(SELECT 1 FROM {quoted(other)} b WHERE b.{foreign} = a.{name}) LIMIT 1"
        )
        return not self.fetch(some, []) or bool(self.fetch(match, []))

    # -- the parts of a query ----------------------------------------------------------------------

    def _from_where(self, query: TableQuery) -> str:
        path = query.path
        where = [self._subject(query)]
        if path.time is not None:
            when = self._at(path.time.table, path.time.column, query)
            when += self.byte_order if path.time.unit == "iso" else ""
            where += [f"{when} >= {self.mark}", f"{when} < {self.mark}"]
        where += [f"{self._at(path.table, name, query)} IS NULL" for name in path.absent]
        return f"{self._joined(query)} WHERE {' AND '.join(where)}"

    def _joined(self, query: TableQuery) -> str:
        """`` FROM row table JOIN next ON equality ...``: many-to-one all the way to the subject."""
        here, parts = query.path.table, [f" FROM {quoted(query.path.table)} t0"]
        for number, hop in enumerate(query.path.hops, start=1):
            on, foreign = self._at(here, hop.on, query), self._at(hop.table, hop.foreign, query)
            parts.append(f" JOIN {quoted(hop.table)} t{number} ON {on} = {foreign}")
            here = hop.table
        return "".join(parts)

    def _subject(self, query: TableQuery) -> str:
        return f"{self._at(query.path.subject_table, query.path.subject, query)} = {self.mark}"

    def _values(self, query: TableQuery, subject: Subject) -> list[object]:
        time = query.path.time
        if time is None or query.window is None:
            return [subject]
        return [subject, *(self.bound(each, time.unit) for each in bounds(query.window, time.unit))]

    def bound(self, value: object, _unit: TimeUnit, /) -> object:
        """A bound of the window as the driver takes it."""
        return value

    def _refuse_too_many(self, query: TableQuery, subject: Subject) -> None:
        """Counts up to one beyond the cap, in the same snapshot, before anything is handed on."""
        sql = f"SELECT count(*) FROM (SELECT 1 AS one{self._from_where(query)} LIMIT {query.cap + 1}) counted"  # noqa: S608  # names are from the live schema and quoted, values are bound
        ((count,),) = self.fetch(sql, self._values(query, subject))
        if int(str(count)) > query.cap:
            raise RefusedError(
                "too-many-rows",
                f"{query.store}.{query.table} holds more than {query.cap} records of this account and window.",
                why="A silent cut would pass off a part for the whole.",
                do="Narrow the window, or raise `max_rows` in the data map (two people).",
                source="formats.md, Data map",
            )

    def _refuse_fan_out(self, query: TableQuery, subject: Subject) -> None:
        """Refuses a path on which one record would belong to two subjects."""
        owned = f"{self._joined(query)} WHERE {self._subject(query)}"
        for number, hop in enumerate(query.path.hops, start=1):
            if self._facts(hop.table, hop.foreign).unique:
                continue
            key = self._column(hop.table, hop.foreign)
            sql = (
                f"SELECT 1 FROM {quoted(hop.table)} WHERE {key} IN (SELECT t{number}.{key}{owned}) "  # noqa: S608  # as above
                f"GROUP BY {key} HAVING count(*) > 1 LIMIT 1"
            )
            if self.fetch(sql, [subject]):
                raise RefusedError(
                    "fan-out",
                    f"{hop.table}.{hop.foreign} is not unique, so a record could belong to several people.",
                    do="Point `via` at a unique column.",
                    source="formats.md, Data map (many-to-one only)",
                )

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
        return quoted(column)

    def _facts(self, table: str, column: str) -> ColumnFacts:
        """Facts of a live column. Refuses a name that the live schema does not have, to the letter."""
        found = self.columns(table).get(column)
        if found is None:
            what = f"column {table}.{column}" if self.columns(table) else f"table {table}"
            raise UnavailableError(
                "map-drift",
                f"The store {self.name!r} has no {what}.",
                why="The data map and the live schema differ.",
                do="Run `dueprocess datamap check`.",
            )
        return found


def _batches(fetch: Fetch) -> Iterator[tuple[list[Raw], bool]]:
    """Batches of about four megabytes, each with whether it is the last.

    The first rows tell how big rows are, and go with the second batch, so that a small account is one batch.
    """
    size, held, started = FIRST_BATCH, list[Raw](), False
    while True:
        batch = fetch(size)
        ended = len(batch) < size
        held += batch
        if started or ended:
            yield held, ended
            held = []
        if ended:
            return
        weight = max(1, sum(_weight(value) for row in batch for value in row))
        size, started = max(1, min(MOST_BATCH, BATCH_BYTES * len(batch) // weight)), True


def _weight(value: object) -> int:
    return len(value) if isinstance(value, str | bytes) else 16


def _subject(value: object) -> Subject:
    if isinstance(value, str | int) and not isinstance(value, bool):
        return value
    raise UnavailableError("bad-subject", "The subject column holds neither text nor a whole number.")

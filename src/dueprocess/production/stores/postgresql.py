"""PostgreSQL, read-only by session, with every setting that changes the meaning of a query pinned.

Rows come in binary and in small chunks of one running query (libpq's chunked mode): bound values, no cursor to go
back to, no copy of the whole in memory.
"""

import datetime as dt
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, cast

import psycopg
import pyarrow as pa
import pyarrow.compute as pc
from psycopg import capabilities
from psycopg.abc import Buffer
from psycopg.sql import SQL
from psycopg.types.datetime import TimestampLoader, TimestamptzLoader
from psycopg.types.numeric import Int4BinaryLoader, Int8BinaryLoader
from psycopg.types.string import TextLoader

from dueprocess.errors import UnavailableError
from dueprocess.parcel import plain
from dueprocess.plan import TimeUnit
from dueprocess.production.stores.arrow import Raw, json_field, tuple_batches
from dueprocess.production.stores.examine import Column, Said, Shape, differs
from dueprocess.production.stores.facts import ColumnFacts
from dueprocess.production.stores.sql import SqlStore
from dueprocess.production.stores.wording import quoted

SETTINGS = {
    "default_transaction_read_only": "on",
    "default_transaction_isolation": "repeatable read",
    "standard_conforming_strings": "on",
    "TimeZone": "UTC",
    "DateStyle": "ISO, MDY",
    "IntervalStyle": "postgres",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "client_encoding": "UTF8",
    "statement_timeout": "10min",
    "idle_in_transaction_session_timeout": "1h",
    "lock_timeout": "10s",
    "row_security": "off",
}
"""Pinned and read back. ``row_security`` off makes a policy an error instead of a silent cut."""

CHUNK = 64
"""Rows that libpq holds at a time; more is no faster, and rows may be big."""

_AS_THEY_ARE = frozenset(
    {
        "bool",
        "int2",
        "int4",
        "int8",
        "float4",
        "float8",
        "numeric",
        "text",
        "varchar",
        "bpchar",
        "name",
        "bytea",
    }
    | {"date", "time", "timestamp", "timestamptz"}
)
"""Types that have one of Arrow's own; all others are read as the text that PostgreSQL writes for them.

The text of a query is the same whatever the types, so that it can be compared with the server's log.
"""

_DESCRIBE = """
SELECT a.attname, coalesce(b.typname, t.typname),
       coalesce(bool_or(i.indisunique AND i.indnkeyatts = 1 AND i.indpred IS NULL AND i.indisvalid), false),
       bool_or(i.indexrelid IS NOT NULL), c.relkind IN ('v', 'm')
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_catalog.pg_type b ON b.oid = nullif(t.typbasetype, 0)
LEFT JOIN pg_catalog.pg_index i ON i.indrelid = a.attrelid AND i.indkey[0] = a.attnum
WHERE a.attrelid = pg_catalog.to_regclass(%s) AND c.relname::text = %s AND a.attnum > 0 AND NOT a.attisdropped
GROUP BY a.attnum, a.attname, a.atttypid, t.typname, b.typname, c.relkind ORDER BY a.attnum
"""
_PARTS = """
WITH RECURSIVE part(id) AS (
  SELECT pg_catalog.to_regclass(name) FROM unnest(%s::text[]) name
  UNION SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN part ON i.inhparent = part.id
) SELECT c.relname FROM part JOIN pg_catalog.pg_class c ON c.oid = part.id
"""
_MICROS = 1_000_000


@dataclass(frozen=True, slots=True)
class _Clock:
    """How PostgreSQL counts one type of time, from 2000-01-01, and what Arrow calls it."""

    kind: pa.DataType
    shift: int
    """What lies between 1970 and 2000."""
    least: int
    most: int
    """Python's calendar, in Arrow's count."""
    unit: str


_DAYS = dt.date(2000, 1, 1).toordinal() - dt.date(1970, 1, 1).toordinal()
_FIRST, _LAST = (each.toordinal() - dt.date(1970, 1, 1).toordinal() for each in (dt.date.min, dt.date.max))
_DAY = 86_400 * _MICROS
_CLOCKS = {
    1082: _Clock(pa.date32(), _DAYS, _FIRST, _LAST, "days"),
    1083: _Clock(pa.time64("us"), 0, 0, _DAY - 1, "microseconds"),
    1114: _Clock(pa.timestamp("us"), _DAYS * _DAY, _FIRST * _DAY, (_LAST + 1) * _DAY - 1, "microseconds"),
}
_CLOCKS[1184] = replace(_CLOCKS[1114], kind=pa.timestamp("us", tz="UTC"))
_LOADERS: dict[str, type[Int4BinaryLoader | Int8BinaryLoader]] = {
    "date": Int4BinaryLoader,
    "time": Int8BinaryLoader,
    "timestamp": Int8BinaryLoader,
    "timestamptz": Int8BinaryLoader,
}
"""Times are taken as the server sends them: numbers."""
_ENDLESS = {2**31 - 1: "infinity", 2**63 - 1: "infinity", -(2**31): "-infinity", -(2**63): "-infinity"}


class PostgresqlStore(SqlStore):
    """One read-only snapshot of a PostgreSQL database."""

    mark = "%s"
    byte_order = ' COLLATE "C"'
    counts_first = True

    def __init__(self, name: str, dsn: str, reader: str = "dueprocess") -> None:
        """``reader`` stands as ``application_name`` beside each statement in the server's own log."""
        super().__init__(name)
        self._binary = False
        try:
            self._link = psycopg.connect(dsn, connect_timeout=10, application_name=reader)
        except psycopg.Error as error:
            raise _unavailable(name, error) from error
        try:
            self._pin()
        except psycopg.Error as error:
            self._link.close()
            raise _unavailable(name, error) from error

    def _pin(self) -> None:
        self._link.autocommit = True
        for kind in self._link.adapters.types:
            if kind.name not in _AS_THEY_ARE:
                self._link.adapters.register_loader(kind.oid, TextLoader)
            self._link.adapters.register_loader(kind.array_oid, TextLoader)
        for name in ("date", "time"):
            self._link.adapters.register_loader(name, TextLoader)
        self._link.adapters.register_loader("timestamp", _AnyTimestamp)
        self._link.adapters.register_loader("timestamptz", _AnyTimestamptz)
        for setting, value in SETTINGS.items():
            self._link.execute("SELECT set_config(%s, %s, false)", (setting, value))
        for setting, value in {**SETTINGS, "transaction_read_only": "on"}.items():
            found = self._link.execute("SELECT current_setting(%s)", (setting,)).fetchone()
            if found is None or found[0] != value:
                self._link.close()
                raise UnavailableError(
                    "store-setting", f"The store {self.name!r} does not keep {setting} at {value!r}."
                )

    # -- asking ------------------------------------------------------------------------------------

    def snapshot(self) -> AbstractContextManager[object]:
        return self._transaction()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            with self._link.transaction():
                yield
        except psycopg.Error as error:
            raise _unavailable(self.name, error) from error

    def fetch(self, sql: str, values: Sequence[object]) -> list[Raw]:
        try:
            return self._link.execute(_sql(sql), values).fetchall()
        except (psycopg.Error, UnicodeEncodeError) as error:
            raise _unavailable(self.name, error) from error

    def stream(self, sql: str, values: Sequence[object]) -> Iterator[pa.RecordBatch]:
        size = CHUNK if capabilities.has_stream_chunked() else 1
        try:
            with self._link.cursor() as cursor:
                for kind, loader in _LOADERS.items():
                    cursor.adapters.register_loader(kind, loader)
                rows = cursor.stream(_sql(sql), values, binary=self._binary, size=size)
                for batch in tuple_batches(lambda count: list(islice(rows, count))):
                    oids = [column.type_code for column in cursor.description or ()]
                    yield _timed(batch, oids)
        except (psycopg.Error, UnicodeEncodeError) as error:
            raise _unavailable(self.name, error) from error

    # -- PostgreSQL's own eyes ---------------------------------------------------------------------

    @contextmanager
    def watch(self, sql: str, values: Sequence[object], shape: Shape, /) -> Iterator[None]:
        """Asks the planner which tables it would read and which columns would come out."""
        self._binary = self._has_binary(shape)
        if plan := self.explain(sql, values):
            views = any(facts.view for _, name in shape.tables for facts in self.columns(name).values())
            top = plan[0]["Plan"]
            if not views:
                _refuse_output(top, shape)
                self._refuse_tables(_tables(top), shape)
        yield

    def _has_binary(self, shape: Shape) -> bool:
        """Whether every column that comes out has a binary form that says all: it is the faster one."""
        names, columns = dict(shape.tables), (term for term in shape.select if isinstance(term, Column))
        return all(self._facts(names[each.table], each.name).kind in _AS_THEY_ARE for each in columns)

    def explain(self, sql: str, values: Sequence[object]) -> list[dict[str, Any]]:
        """The plan of a query, which is not run."""
        ((plan,),) = self.fetch(explaining(sql), values)
        return cast("list[dict[str, Any]]", json.loads(str(plan)))

    def _refuse_tables(self, found: set[str], shape: Shape) -> None:
        """Refuses a table that is neither on the path nor a part of one that is."""
        more = found - _all_tables(shape)
        if more:
            more -= {
                str(row[0]) for row in self.fetch(_PARTS, [[quoted(name) for name in _all_tables(shape)]])
            }
        if more:
            raise differs(f"PostgreSQL would read {', '.join(sorted(more))[:200]}")

    # -- the live schema ---------------------------------------------------------------------------

    def describe(self, table: str) -> Mapping[str, ColumnFacts]:
        # The name stands there twice: as a name it would be cut to 63 bytes, and be another table's.
        rows = self.fetch(_DESCRIBE, [quoted(table), table])
        return {
            str(name): ColumnFacts(str(kind), bool(unique), bool(indexed), bool(view))
            for name, kind, unique, indexed, view in rows
        }

    def named(self, name: str) -> str:
        return quoted(name).replace("%", "%%")  # The driver reads a single one as a place.

    def numbered(self, sql: str) -> str:
        return super().numbered(sql).replace("%%", "%")

    def bound(self, value: object, unit: TimeUnit, facts: ColumnFacts, /) -> object:
        if facts.kind == "timestamptz" and isinstance(value, dt.datetime) and value.tzinfo is None:
            raise UnavailableError(
                "bad-time",
                "A column that holds its zone has another one in the data map.",
                do="Take `zone` out of the data map.",
            )
        return super().bound(value, unit, facts)

    def close(self) -> None:
        self._link.close()


class _AnyTimestamp(TimestampLoader):
    """A time; one that no calendar has, as PostgreSQL writes it."""

    def load(self, data: Buffer) -> Any:  # psycopg's own signature
        try:
            return super().load(data)
        except psycopg.DataError:
            return bytes(data).decode()


class _AnyTimestamptz(TimestamptzLoader):
    """An instant; one that no calendar has, as PostgreSQL writes it."""

    def load(self, data: Buffer) -> Any:  # psycopg's own signature
        try:
            return super().load(data)
        except psycopg.DataError:
            return bytes(data).decode()


def _timed(batch: pa.RecordBatch, oids: Sequence[int]) -> pa.RecordBatch:
    """The batch with its times as times."""
    arrays, fields = batch.columns, list(batch.schema)
    for number, oid in enumerate(oids):
        if oid in _CLOCKS and pa.types.is_integer(arrays[number].type):
            arrays[number], fields[number] = _times(arrays[number], fields[number].name, _CLOCKS[oid])
    return pa.record_batch(arrays, schema=pa.schema(fields))


def _times(array: pa.Array, name: str, clock: _Clock) -> tuple[pa.Array, pa.Field]:
    """Numbers as times; each as a text where one of them lies beyond the calendar."""
    ends = pc.min_max(array).as_py()
    if ends["min"] + clock.shift >= clock.least and ends["max"] + clock.shift <= clock.most:
        moved = pc.add(array, pa.scalar(clock.shift, pa.int64()))
        whole = moved.cast(pa.int32()) if pa.types.is_date32(clock.kind) else moved
        return whole.cast(clock.kind), pa.field(name, clock.kind)
    texts = [None if value is None else json.dumps(_far(value, clock)) for value in array.to_pylist()]
    return pa.array(texts, pa.string()), json_field(name)


def _far(value: int, clock: _Clock) -> object:
    """A time that may lie beyond the calendar, as PostgreSQL calls it."""
    if value in _ENDLESS:
        return _ENDLESS[value]
    if clock.least <= value + clock.shift <= clock.most:
        kept, _ = _times(pa.array([value], pa.int64()), "", clock)
        return plain(kept[0].as_py())
    return "24:00:00" if not clock.shift else f"{value} {clock.unit} after 2000-01-01"


def explaining(sql: str) -> str:
    """The question how a query would be run."""
    return f"EXPLAIN (VERBOSE, FORMAT JSON) {sql}"


# -- what the planner says -------------------------------------------------------------------------

_FIRST_NAME = re.compile(r'\(*(?:(?:"(?:[^"]|"")*"|\w+)\.)?("(?:[^"]|"")*"|\w+)')


def _tables(node: Mapping[str, Any]) -> set[str]:
    """Every table below a node of the plan. Refuses what reads something else."""
    if node["Node Type"] in {
        "ModifyTable",
        "Function Scan",
        "Table Function Scan",
        "CTE Scan",
        "Values Scan",
    }:
        raise differs(f"PostgreSQL would do a {node['Node Type']}")
    found = {str(node["Relation Name"])} if "Relation Name" in node else set[str]()
    return found.union(*(_tables(each) for each in node.get("Plans", ())))


def _refuse_output(node: Mapping[str, Any], shape: Shape) -> None:
    """Refuses a plan whose rows are not the columns asked for, in order."""
    if "Output" not in node:  # A node that only appends says nothing; the nodes below it do.
        for each in node.get("Plans", ()):
            _refuse_output(each, shape)
        return
    names = [_first_name(str(text)) for text in node["Output"]]
    wanted = [_wanted_name(term) for term in shape.select]
    if names != wanted and "Plans" not in node and "Relation Name" not in node:
        return  # Nothing is read at all: the planner knows that no row can fit.
    sorting = {term.name for term in (*shape.order, *shape.group) if isinstance(term, Column)}
    if names[: len(wanted)] != wanted or not sorting.issuperset(names[len(wanted) :]):
        raise differs("PostgreSQL would give other columns")


def _first_name(text: str) -> str:
    match = _FIRST_NAME.match(text)
    if match is None:
        return text
    name = match[1]
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


def _wanted_name(term: object) -> str:
    return term.name if isinstance(term, Column) else "count" if term == Said("count") else str(term)


def _all_tables(shape: Shape) -> set[str]:
    return {name for _, name in shape.tables} | {table for table, _ in shape.reads()}


def _sql(text: str) -> SQL:
    # psycopg wants literal SQL; ours is put together from quoted names of the live schema and places.
    return SQL(text)


def _unavailable(name: str, error: Exception) -> UnavailableError:
    return UnavailableError(
        "store-unavailable",
        f"The PostgreSQL store {name!r} does not answer.",
        why=type(error).__name__ + ": " + (str(error).splitlines() or [""])[0][:200],
        do="Check the address, the role and its rights to read.",
    )

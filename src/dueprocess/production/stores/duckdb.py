"""DuckDB: a database file opened read-only, or a folder of Parquet files, one table each."""

import datetime as dt
import json
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa

from dueprocess.errors import UnavailableError
from dueprocess.plan import TimeUnit
from dueprocess.production.stores.arrow import Raw
from dueprocess.production.stores.examine import Column, Shape, differs
from dueprocess.production.stores.facts import ColumnFacts
from dueprocess.production.stores.sql import SqlStore, TooBigToSortError
from dueprocess.production.stores.wording import quoted

TIMEOUT = 600.0
"""Seconds that a question may take until its first rows come."""

SETTINGS = {
    "memory_limit": "160MB",
    "threads": "2",
    "temp_directory": "",
    "TimeZone": "UTC",
    "parquet_metadata_cache": "true",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "enable_external_access": "false",
    "lock_configuration": "true",
}
"""In this order: the last two close the door. Without a folder for spilling nothing is spooled to disk."""


_VECTOR = 2048
"""Rows that DuckDB works on at a time."""
_ODD = (
    *("HUGEINT", "BIGNUM", "INTERVAL", "UUID", "BIT", "TIME WITH TIME ZONE", "TIMETZ", "TIME_NS"),
    *("ENUM(", "UNION", "VARIANT", "GEOMETRY"),
)
_TABLES, _PARQUET = (
    frozenset({"SEQ_SCAN", "TABLE_SCAN", "INDEX_SCAN"}),
    frozenset({"READ_PARQUET", "PARQUET_SCAN"}),
)
_NOTHING = frozenset({"EMPTY_RESULT", "DUMMY_SCAN"})
_ROW_NUMBERS = frozenset({"rowid", "file_row_number", "file_index"})
"""What DuckDB itself may read to find a row again. It cannot come out: it is not in the select list."""


class DuckdbStore(SqlStore):
    """One connection that cannot reach any other file, load anything or be set otherwise afterwards.

    Nothing is spilled to disk: rows too many to be sorted in memory are asked for window after window.
    Source: https://duckdb.org/docs/stable/operations_manual/securing_duckdb/overview.
    """

    def __init__(self, name: str, path: Path, *, parquet: bool = False, timeout: float = TIMEOUT) -> None:
        super().__init__(name)
        self._parquet, self._timeout = parquet, timeout
        try:
            if not path.exists():
                raise duckdb.IOException(f"{path.name} does not exist")
            self._link = duckdb.connect(":memory:") if parquet else duckdb.connect(path, read_only=True)
        except duckdb.Error as error:
            raise _unavailable(name, error) from error
        try:
            if parquet:
                self._register(path)
            self._lock()
        except duckdb.Error as error:
            self._link.close()
            raise _unavailable(name, error) from error

    def _register(self, folder: Path) -> None:
        """A view for each ``name.parquet`` and for each folder ``name/`` of Parquet files."""
        self._link.execute(f"SET allowed_directories = [{_literal(str(folder))}]")
        for each in sorted(folder.iterdir()):
            if each.suffix == ".parquet" and each.is_file():
                table, source = each.stem, str(each)
            elif each.is_dir() and any(each.glob("**/*.parquet")):
                table, source = each.name, str(each / "**" / "*.parquet")
            else:
                continue
            view = f"CREATE VIEW {quoted(table)} AS FROM read_parquet({_literal(source)})"
            self._link.execute(view)

    def _lock(self) -> None:
        """Pins everything, for all connections to this database in this process, and reads it back.

        A second connection to the same file finds it locked already. GLOBAL, because a cursor is a session of
        its own and would otherwise read times in the zone of the machine.
        """
        if not self._setting("lock_configuration"):
            for setting, value in SETTINGS.items():
                self._link.execute(f"SET GLOBAL {setting} = {_literal(value)}")
        for setting in ("lock_configuration", "enable_external_access", "TimeZone", "temp_directory"):
            if str(self._setting(setting)).lower() != SETTINGS[setting].lower():
                self._link.close()
                raise UnavailableError(
                    "store-setting",
                    f"The store {self.name!r} does not keep {setting} at {SETTINGS[setting]!r}.",
                )

    def _setting(self, name: str) -> object:
        row = self._link.cursor().execute("SELECT current_setting(?)", [name]).fetchone()
        return row[0] if row else None

    # -- asking ------------------------------------------------------------------------------------

    def fetch(self, sql: str, values: Sequence[object]) -> list[Raw]:
        try:
            cursor = self._link.cursor()
            with _interrupted_after(cursor, self._timeout):
                return cursor.execute(sql, values).fetchall()
        except duckdb.Error as error:
            raise _unavailable(self.name, error) from error

    def stream(self, sql: str, values: Sequence[object]) -> Iterator[pa.RecordBatch]:
        """A relation gives Arrow as the rows come; a result of the DB-API would hold them all."""
        try:
            cursor = self._link.cursor()
            with _interrupted_after(cursor, self._timeout):
                batches = iter(cursor.sql(sql, params=list(values)).to_arrow_reader(_VECTOR))
                first = next(batches, None)
        except duckdb.OutOfMemoryException as error:
            raise TooBigToSortError from error
        except duckdb.Error as error:
            raise _unavailable(self.name, error) from error
        try:
            if first is not None:
                yield first
            yield from batches
        except (duckdb.Error, pa.ArrowException, OSError) as error:
            raise _unavailable(self.name, error) from error
        finally:
            cursor.close()

    # -- DuckDB's own eyes -------------------------------------------------------------------------

    @contextmanager
    def watch(self, sql: str, values: Sequence[object], shape: Shape, /) -> Iterator[None]:
        """Asks the planner which tables it would scan, and which of their columns."""
        ((_, text),) = self.fetch(f"EXPLAIN (FORMAT JSON) {sql}", values)
        views = any(facts.view for _, name in shape.tables for facts in self.columns(name).values())
        for scan in _scans(json.loads(str(text))):
            if not views:
                _refuse_scan(scan, shape, parquet=self._parquet)
        yield

    # -- the live schema ---------------------------------------------------------------------------

    def describe(self, table: str) -> Mapping[str, ColumnFacts]:
        columns = self.fetch(
            "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = ? AND NOT internal "
            "AND schema_name = current_schema() AND database_name = current_database() ORDER BY column_index",
            [table],
        )
        keys = self.fetch(
            "SELECT constraint_column_names FROM duckdb_constraints() "
            "WHERE table_name = ? AND constraint_type IN ('PRIMARY KEY', 'UNIQUE')",
            [table],
        )
        single = {str(key[0][0]) for key in keys if isinstance(key[0], list) and len(key[0]) == 1}
        view = not self._parquet and bool(
            self.fetch(
                "SELECT 1 FROM duckdb_views() WHERE view_name = ? AND NOT internal "
                "AND schema_name = current_schema() AND database_name = current_database()",
                [table],
            )
        )
        return {
            str(name): ColumnFacts(str(kind), True if name in single else None, None, view)
            for name, kind in columns
        }

    def reading(self, expression: str, facts: ColumnFacts, /) -> str:
        """Types that Arrow would round or wrap are read as the text that DuckDB writes for them."""
        odd = any(word in facts.kind for word in _ODD) or facts.kind.startswith("ENUM")
        return f"CAST({expression} AS VARCHAR)" if odd else expression

    def bound(self, value: object, unit: TimeUnit, facts: ColumnFacts, /) -> object:
        if not isinstance(value, dt.datetime):
            return super().bound(value, unit, facts)
        if facts.kind == "TIMESTAMP WITH TIME ZONE":
            if value.tzinfo is None:
                raise UnavailableError(
                    "bad-time",
                    "A column that holds its zone has another one in the data map.",
                    do="Take `zone` out of the data map.",
                )
            return value
        return value.astimezone(dt.UTC).replace(tzinfo=None) if value.tzinfo else value

    def close(self) -> None:
        self._link.close()


@contextmanager
def _interrupted_after(cursor: duckdb.DuckDBPyConnection, seconds: float) -> Iterator[None]:
    """Ends what the connection is doing if it takes longer."""
    timer = threading.Timer(seconds, cursor.interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _scans(node: object) -> Iterator[Mapping[str, object]]:
    """The leaves of a plan: what reads."""
    if isinstance(node, list):
        for each in node:
            yield from _scans(each)
    elif isinstance(node, dict):
        yield from _scans(node.get("children", []))
        if not node.get("children"):
            yield node


def _refuse_scan(node: Mapping[str, object], shape: Shape, *, parquet: bool) -> None:
    """Refuses a scan of another table, or of another column than the shape names."""
    told = node.get("extra_info")
    facts = told if isinstance(told, dict) else {}
    kind, table = str(node.get("name", "")).strip(), "\n".join(_lines(facts.get("Table")))
    known_before = kind == "COLUMN_DATA_SCAN" and not any(isinstance(term, Column) for term in shape.select)
    if (
        kind in _NOTHING or known_before
    ):  # A count may be known from statistics; a value never leaves that way.
        return
    columns = {column for name, column in shape.reads() if parquet or name == _last_name(table)}
    tables = {name for _, name in shape.tables} | {name for name, _ in shape.reads()}
    fits = kind in _PARQUET if parquet else kind in _TABLES and _last_name(table) in tables
    lines = {line for name in columns for line in name.split("\n")} | _ROW_NUMBERS
    if not fits or not lines.issuperset(_lines(facts.get("Projections"))):
        raise differs(f"DuckDB would do a {kind} of {table or 'a file'}"[:200])


def _lines(told: object) -> list[str]:
    """What the planner says of a scan: it gives one line as a text and several as a list."""
    return [str(each) for each in (told if isinstance(told, list) else [told]) if each]


def _last_name(path: object) -> str:
    """The last name of ``catalog.schema.table``, as it is: the planner quotes what it has to."""
    names = re.findall(r'"(?:[^"]|"")*"|[^."]+', str(path))
    last = str(names[-1]) if names else ""
    return last[1:-1].replace('""', '"') if last.startswith('"') else last


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _unavailable(name: str, error: Exception) -> UnavailableError:
    return UnavailableError(
        "store-unavailable",
        f"The DuckDB store {name!r} does not answer.",
        why=(str(error).splitlines() or [""])[0][:200],
        do="Check that the file or folder exists and that this user may read it.",
    )

"""SQLite files, opened read-only twice over: by the URI and by a pragma. SQLite itself says what it would read."""

import sqlite3
import time
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from itertools import islice
from pathlib import Path
from typing import cast

import pyarrow as pa

from dueprocess.errors import UnavailableError
from dueprocess.plan import TableQuery, TargetQuery, TimeUnit
from dueprocess.production.stores.arrow import Raw, even, tuple_batches
from dueprocess.production.stores.examine import Column, Said, Shape, Value, differs
from dueprocess.production.stores.facts import ColumnFacts, Subject
from dueprocess.production.stores.shapes import rows_shape, rows_values
from dueprocess.production.stores.sql import SqlStore, TooBigToSortError
from dueprocess.production.stores.wording import quoted

TIMEOUT = 600.0
"""Seconds that one question, or one step of a long one, may take."""

_STEPS = 50_000
"""Instructions of SQLite's machine between two looks at the clock."""
_MOST_SORTED = 16_384
"""Rows without a number of their own that are sorted at once."""
_QUESTIONS = frozenset(
    {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_PRAGMA}
)
_ROW_NUMBERS = ("rowid", "_rowid_", "oid")


class SqliteStore(SqlStore):
    """One SQLite file in one read transaction. Sorting stays in memory: no copy is spooled to disk.

    Source: https://www.sqlite.org/uri.html, https://www.sqlite.org/pragma.html (query_only, temp_store),
    https://www.sqlite.org/c3ref/set_authorizer.html.
    """

    def __init__(self, name: str, path: Path, *, timeout: float = TIMEOUT) -> None:
        super().__init__(name)
        self._watched: Shape | None = None
        self._reads = frozenset[tuple[str, str]]()
        self._views = False
        self._denied = ""
        self._row_numbers: dict[str, str | None] = {}
        self._timeout, self._until = timeout, 0.0
        try:
            self._link = sqlite3.connect(
                f"{path.resolve().as_uri()}?mode=ro", uri=True, isolation_level=None, check_same_thread=False
            )
        except sqlite3.Error as error:
            raise _unavailable(name, error) from error
        try:
            self._prepare()
        except sqlite3.Error as error:
            self._link.close()
            raise _unavailable(name, error) from error

    def _prepare(self) -> None:
        for pragma in ("query_only=ON", "trusted_schema=OFF", "temp_store=MEMORY", "cache_size=-32768"):
            self._link.execute(f"PRAGMA {pragma}")
        self._link.execute("BEGIN")
        self._link.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        self._link.set_progress_handler(lambda: time.monotonic() > self._until, _STEPS)
        self._link.set_authorizer(self._allows)

    # -- asking ------------------------------------------------------------------------------------

    def fetch(self, sql: str, values: Sequence[object]) -> list[Raw]:
        return list(self._execute(sql, values)(-1))

    def stream(self, sql: str, values: Sequence[object]) -> Iterator[pa.RecordBatch]:
        fetch = self._execute(sql, values)
        yield from tuple_batches(fetch)

    def _execute(self, sql: str, values: Sequence[object]) -> "_Fetch":
        self.begin()
        try:
            return _Fetch(self, lambda: self._link.execute(sql, values))
        except (sqlite3.Error, OverflowError, ValueError) as error:
            raise self.failure(error) from error

    def takes_bytes(self, error: sqlite3.Error) -> bool:
        """Whether an error was a text that is not UTF-8, for the first time: from now on such texts stay bytes."""
        if not str(error).startswith("Could not decode") or self._link.text_factory is _text:
            return False
        self._link.text_factory = _text
        return True

    def begin(self) -> None:
        """A question, or another step of a long one, begins: its time counts from now."""
        self._until = time.monotonic() + self._timeout

    def failure(self, error: Exception) -> Exception:
        """What an error of the driver means: SQLite saw something that the plan does not name, or it fails."""
        denied, self._denied = self._denied, ""
        return differs(denied) if denied else _unavailable(self.name, error)

    # -- SQLite's own eyes -------------------------------------------------------------------------

    @contextmanager
    def watch(self, sql: str, values: Sequence[object], shape: Shape, /) -> Iterator[None]:  # noqa: ARG002  # SQLite looks while it prepares
        names = [name for _, name in shape.tables]
        before = self._watched, self._reads, self._views
        views = any(facts.view for name in names for facts in self.columns(name).values())
        self._watched, self._reads, self._views = shape, shape.reads() | self._numbers(names), views
        try:
            yield
        finally:
            self._watched, self._reads, self._views = before

    def _numbers(self, names: Sequence[str]) -> frozenset[tuple[str, str]]:
        """A table named without a column, as ``count(*)`` does, and its row number under SQLite's name for it."""
        keys = ((name, self._row_numbers.get(name)) for name in names)
        return frozenset(
            {*((name, "") for name in names), *((name, key) for name, key in keys if key is not None)}
        )

    def _allows(
        self, action: int, one: str | None, two: str | None, _base: str | None, view: str | None
    ) -> int:
        """SQLite asks this for each table, column and function when it prepares a statement."""
        if self._watched is None:
            return sqlite3.SQLITE_OK if action in _QUESTIONS else sqlite3.SQLITE_DENY
        if action == sqlite3.SQLITE_SELECT or (view is not None and self._views and action in _QUESTIONS):
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_READ and (str(one), str(two)) in self._reads:
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_FUNCTION and two in {"count", "lower"}:
            return sqlite3.SQLITE_OK
        self._denied = f"SQLite would read or call {one or ''} {two or ''}".strip()[:200]
        return sqlite3.SQLITE_DENY

    # -- rows that must be sorted ------------------------------------------------------------------

    def rows(self, query: TableQuery, subject: Subject) -> Iterator[pa.RecordBatch]:
        """As the index gives them; else numbers first, in order, then row after row.

        Sorting whole rows would take as much memory as the account is big.
        """
        if not self._sorts(query, subject):
            yield from super().rows(query, subject)
            return
        number = self._number_column(query.table)
        if number is None:
            ((count,),) = self.fetch(self.counting(query), self.values(query, subject))
            if int(str(count)) > _MOST_SORTED:
                raise TooBigToSortError
            yield from super().rows(query, subject)
            return
        yield from even(tuple_batches(self._one_by_one(query, subject, number)))

    def _sorts(self, query: TableQuery, subject: Subject) -> bool:
        plan = self.fetch(f"EXPLAIN QUERY PLAN {self.text(query)}", self.values(query, subject))
        return any(str(row[3]) == "USE TEMP B-TREE FOR ORDER BY" for row in plan)

    def _one_by_one(self, query: TableQuery, subject: Subject, number: str) -> "_OneByOne":
        values, whole = self.values(query, subject), rows_shape(query)
        column, place = Column("t0", number), Value(len(values) + 1)
        keys = f'SELECT t0."{number}"{self.from_where(query)}{self.ordered(query)}'
        one = f'{self.selected(query)}{self.from_where(query)} AND t0."{number}" = ?'
        one_shape = replace(whole, where=whole.where | {Said("=", (column, place))}, order=())
        self._examine(keys, values, replace(whole, select=(column,)), rows_values(query, subject))
        self._examine(one, values, one_shape, rows_values(query, subject))
        with self.watch(keys, values, replace(whole, select=(column,))):
            numbers, fetch = array("q"), self._execute(keys, values)
            while rows := fetch(4096):
                numbers.extend(row[0] for row in rows)  # type: ignore[misc]  # a row's number is a whole number
        return _OneByOne(self, one, list(values), numbers, one_shape)

    def one(self, sql: str, values: Sequence[object]) -> Raw:
        """The one row of a number that was there a moment ago, in the same transaction."""
        try:
            return cast("Raw", self._link.execute(sql, values).fetchone())
        except (sqlite3.Error, OverflowError, ValueError) as error:
            if isinstance(error, sqlite3.Error) and self.takes_bytes(error):
                return self.one(sql, values)
            raise self.failure(error) from error

    def _number_column(self, table: str) -> str | None:
        """A name under which the table's row number can be asked for; None where its rows have none."""
        taken = {name.lower() for name in self.columns(table)}
        if self._row_numbers.get(table) is None:
            return None
        return next((name for name in _ROW_NUMBERS if name not in taken), None)

    # -- the live schema ---------------------------------------------------------------------------

    def describe(self, table: str) -> Mapping[str, ColumnFacts]:
        known = self.fetch(
            "SELECT type FROM sqlite_schema WHERE type IN ('table', 'view') AND name = ?", [table]
        )
        if not known:
            return {}
        unique, indexed, primary = set[str](), set[str](), list[str]()
        columns = self.fetch(f"PRAGMA table_info({quoted(table)})", [])
        primary += [str(row[1]) for row in columns if row[5]]
        for row in self.fetch(f"PRAGMA index_list({quoted(table)})", []):
            parts = [str(part[2]) for part in self.fetch(f"PRAGMA index_info({quoted(str(row[1]))})", [])]
            indexed.add(parts[0])
            if row[2] and not row[4] and len(parts) == 1:
                unique.add(parts[0])
        if len(primary) == 1:  # An INTEGER PRIMARY KEY is the table itself and has no index.
            unique.add(primary[0])
            indexed.add(primary[0])
        view = known[0][0] == "view"
        self._row_numbers[table] = None if view or self._numberless(table) else _row_number(columns)
        return {
            str(row[1]): ColumnFacts(str(row[2]), str(row[1]) in unique, str(row[1]) in indexed, view)
            for row in columns
        }

    def _numberless(self, table: str) -> bool:
        """Whether the table was made WITHOUT ROWID."""
        return any(
            row[1] == table and row[4] for row in self.fetch(f"PRAGMA table_list({quoted(table)})", [])
        )

    def bound(self, value: object, unit: TimeUnit, _facts: ColumnFacts, /) -> object:
        if unit == "timestamp":
            raise UnavailableError(
                "bad-time",
                "SQLite has no type for times.",
                do="Say in the data map whether the column holds seconds, milliseconds, text (`iso`) or days (`date`).",
            )
        return value.isoformat() if isinstance(value, date) else value

    def resolve(self, query: TargetQuery) -> Subject | None:
        """As every engine; but SQLite folds only the letters A to Z, so that other names cannot be told apart."""
        if query.route.compare == "ignore_case" and not query.value.isascii():
            raise UnavailableError(
                "cannot-fold",
                "SQLite compares letters beyond A to Z only as they are written.",
                why="An account could be missed and called not there.",
                do="Point the route at a column that holds names in lower case.",
            )
        return super().resolve(query)

    def close(self) -> None:
        self._link.close()


class _Fetch:
    """The rows of a question, so many at a time; -1 for all."""

    def __init__(self, store: SqliteStore, ask: Callable[[], sqlite3.Cursor]) -> None:
        self._store, self._ask, self._given = store, ask, 0
        self._cursor = ask()

    def __call__(self, size: int) -> Sequence[Raw]:
        self._store.begin()
        try:
            rows = self._cursor.fetchall() if size < 0 else self._cursor.fetchmany(size)
        except (sqlite3.Error, MemoryError) as error:
            if isinstance(error, sqlite3.Error) and self._store.takes_bytes(error):
                self._again()
                return self(size)
            raise self._store.failure(error) from error
        self._given += len(rows)
        return rows

    def _again(self) -> None:
        """Asks once more, in the same transaction, and goes on behind the rows that were given already."""
        self._cursor = self._ask()
        for _ in islice(self._cursor, self._given):
            pass


class _OneByOne:
    """Rows by their numbers, in the order of the numbers."""

    def __init__(
        self, store: SqliteStore, sql: str, values: Sequence[object], numbers: "array[int]", shape: Shape
    ) -> None:
        self._store, self._sql, self._values, self._shape = store, sql, values, shape
        self._numbers = numbers
        self._at = 0

    def __call__(self, size: int) -> Sequence[Raw]:
        first, self._at = self._at, self._at + size
        self._store.begin()
        with self._store.watch(self._sql, self._values, self._shape):
            return [
                self._store.one(self._sql, (*self._values, each)) for each in self._numbers[first : self._at]
            ]


def _row_number(columns: Sequence[Raw]) -> str:
    """SQLite's name for a row's number: the INTEGER PRIMARY KEY where there is one."""
    keys = [row for row in columns if row[5]]
    return str(keys[0][1]) if len(keys) == 1 and str(keys[0][2]).upper() == "INTEGER" else "ROWID"


def _text(value: bytes) -> str | bytes:
    """Text where it is UTF-8, else the bytes as they are: SQLite keeps whatever it was given."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value


def _unavailable(name: str, error: Exception) -> UnavailableError:
    return UnavailableError(
        "store-unavailable",
        f"The SQLite store {name!r} does not answer.",
        why=str(error)[:200],
        do="Check that the file exists, that this user may read it, and its folder if it is in WAL mode.",
    )

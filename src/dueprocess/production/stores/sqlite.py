"""SQLite files, opened read-only twice over: by the URI and by a pragma."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from dueprocess.errors import UnavailableError
from dueprocess.plan import TimeUnit
from dueprocess.production.stores.facts import ColumnFacts
from dueprocess.production.stores.sql import Fetch, Raw, SqlStore, quoted


class SqliteStore(SqlStore):
    """One SQLite file in one read transaction. Sorting stays in memory: no copy is spooled to disk.

    Source: https://www.sqlite.org/uri.html, https://www.sqlite.org/pragma.html (query_only, temp_store).
    """

    def __init__(self, name: str, path: Path) -> None:
        super().__init__(name)
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
        self._link.text_factory = _text
        for pragma in ("query_only=ON", "trusted_schema=OFF", "temp_store=MEMORY", "cache_size=-8192"):
            self._link.execute(f"PRAGMA {pragma}")
        self._link.execute("BEGIN")
        self._link.execute("SELECT count(*) FROM sqlite_schema").fetchone()

    def fetch(self, sql: str, values: Sequence[object]) -> list[Raw]:
        try:
            return self._link.execute(sql, values).fetchall()
        except (sqlite3.Error, OverflowError) as error:
            raise _unavailable(self.name, error) from error

    def stream(self, sql: str, values: Sequence[object]) -> Iterator[Fetch]:
        try:
            cursor = self._link.execute(sql, values)
        except (sqlite3.Error, OverflowError) as error:
            raise _unavailable(self.name, error) from error

        def fetch(size: int) -> Sequence[Raw]:
            try:
                return cursor.fetchmany(size)
            except sqlite3.Error as error:
                raise _unavailable(self.name, error) from error

        try:
            yield fetch
        finally:
            cursor.close()

    def describe(self, table: str) -> Mapping[str, ColumnFacts]:
        known = self.fetch(
            "SELECT 1 FROM sqlite_schema WHERE type IN ('table', 'view') AND name = ?", [table]
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
        return {
            str(row[1]): ColumnFacts(str(row[2]), str(row[1]) in unique, str(row[1]) in indexed)
            for row in columns
        }

    def bound(self, value: object, unit: TimeUnit, /) -> object:
        if unit == "timestamp":
            raise UnavailableError(
                "bad-time",
                "SQLite has no type for times.",
                do="Say in the data map whether the column holds seconds, milliseconds or text (`iso`).",
            )
        return value

    def close(self) -> None:
        self._link.close()


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

"""DuckDB: a database file opened read-only, or a folder of Parquet files, one table each."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import duckdb

from dueprocess.errors import UnavailableError
from dueprocess.plan import TimeUnit
from dueprocess.production.stores.facts import ColumnFacts
from dueprocess.production.stores.sql import Fetch, Raw, SqlStore, quoted

SETTINGS = {
    "memory_limit": "160MB",
    "threads": "2",
    "temp_directory": "",
    "TimeZone": "UTC",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "enable_external_access": "false",
    "lock_configuration": "true",
}
"""In this order: the last two close the door. Without a folder for spilling nothing is spooled to disk."""


class DuckdbStore(SqlStore):
    """One connection that cannot reach any other file, load anything or be set otherwise afterwards.

    Nothing is spilled to disk: a table too big to be sorted in memory fails, loudly.
    Source: https://duckdb.org/docs/stable/operations_manual/securing_duckdb/overview.
    """

    def __init__(self, name: str, path: Path, *, parquet: bool = False) -> None:
        super().__init__(name)
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

    def fetch(self, sql: str, values: Sequence[object]) -> list[Raw]:
        try:
            return self._link.cursor().execute(sql, values).fetchall()
        except duckdb.Error as error:
            raise _unavailable(self.name, error) from error

    def stream(self, sql: str, values: Sequence[object]) -> Iterator[Fetch]:
        try:
            cursor = self._link.cursor()
            cursor.execute(sql, values)
        except duckdb.Error as error:
            raise _unavailable(self.name, error) from error

        def fetch(size: int) -> Sequence[Raw]:
            try:
                return cursor.fetchmany(size)
            except duckdb.Error as error:
                raise _unavailable(self.name, error) from error

        try:
            yield fetch
        finally:
            cursor.close()

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
        return {
            str(name): ColumnFacts(str(kind), True if name in single else None, None)
            for name, kind in columns
        }

    def reading(self, expression: str, facts: ColumnFacts, /) -> str:
        """Times with a zone are read as UTC without one, whatever the zone of the session."""
        return f"{expression} AT TIME ZONE 'UTC'" if facts.kind == "TIMESTAMP WITH TIME ZONE" else expression

    def bound(self, value: object, _unit: TimeUnit, /) -> object:
        return value.astimezone(dt.UTC).replace(tzinfo=None) if isinstance(value, dt.datetime) else value

    def close(self) -> None:
        self._link.close()


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _unavailable(name: str, error: Exception) -> UnavailableError:
    return UnavailableError(
        "store-unavailable",
        f"The DuckDB store {name!r} does not answer.",
        why=(str(error).splitlines() or [""])[0][:200],
        do="Check that the file or folder exists and that this user may read it.",
    )

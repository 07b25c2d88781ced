"""PostgreSQL, read-only by session, with every setting that changes the meaning of a query pinned."""

from collections.abc import Iterator, Mapping, Sequence

import psycopg
from psycopg.sql import SQL

from dueprocess.errors import UnavailableError
from dueprocess.production.stores.facts import ColumnFacts
from dueprocess.production.stores.sql import Fetch, Raw, SqlStore, quoted

SETTINGS = {
    "default_transaction_read_only": "on",
    "default_transaction_isolation": "repeatable read",
    "standard_conforming_strings": "on",
    "TimeZone": "UTC",
    "DateStyle": "ISO, MDY",
    "client_encoding": "UTF8",
    "statement_timeout": "10min",
    "idle_in_transaction_session_timeout": "1h",
    "lock_timeout": "10s",
    "row_security": "off",
}
"""Pinned and read back. ``row_security`` off makes a policy an error instead of a silent cut."""

CURSOR = "dueprocess_rows"
"""The name of the cursor through which rows come: it stands in the server's log."""

_DESCRIBE = """
SELECT a.attname, format_type(a.atttypid, a.atttypmod),
       coalesce(bool_or(i.indisunique AND i.indnkeyatts = 1 AND i.indpred IS NULL AND i.indisvalid), false),
       bool_or(i.indexrelid IS NOT NULL)
FROM pg_catalog.pg_attribute a
LEFT JOIN pg_catalog.pg_index i ON i.indrelid = a.attrelid AND i.indkey[0] = a.attnum
WHERE a.attrelid = pg_catalog.to_regclass(%s) AND a.attnum > 0 AND NOT a.attisdropped
GROUP BY a.attnum, a.attname, a.atttypid, a.atttypmod ORDER BY a.attnum
"""


class PostgresqlStore(SqlStore):
    """One read-only snapshot of a PostgreSQL database; rows come through a cursor on the server."""

    mark = "%s"
    byte_order = ' COLLATE "C"'

    def __init__(self, name: str, dsn: str, reader: str = "dueprocess") -> None:
        """``reader`` stands as ``application_name`` beside each statement in the server's own log."""
        super().__init__(name)
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
        for setting, value in SETTINGS.items():
            self._link.execute("SELECT set_config(%s, %s, false)", (setting, value))
        for setting, value in {**SETTINGS, "transaction_read_only": "on"}.items():
            found = self._link.execute("SELECT current_setting(%s)", (setting,)).fetchone()
            if found is None or found[0] != value:
                self._link.close()
                raise UnavailableError(
                    "store-setting", f"The store {self.name!r} does not keep {setting} at {value!r}."
                )

    def fetch(self, sql: str, values: Sequence[object]) -> list[Raw]:
        """One question; inside ``stream`` it sees the same snapshot, because the connection is one."""
        try:
            return self._link.execute(_sql(sql), values).fetchall()
        except psycopg.Error as error:
            raise _unavailable(self.name, error) from error

    def stream(self, sql: str, values: Sequence[object]) -> Iterator[Fetch]:
        try:
            with self._link.transaction(), self._link.cursor(name=CURSOR) as cursor:
                cursor.execute(_sql(sql), values)

                def fetch(size: int) -> Sequence[Raw]:
                    try:
                        return cursor.fetchmany(size)
                    except psycopg.Error as error:
                        raise _unavailable(self.name, error) from error

                yield fetch
        except psycopg.Error as error:
            raise _unavailable(self.name, error) from error

    def describe(self, table: str) -> Mapping[str, ColumnFacts]:
        rows = self.fetch(_DESCRIBE, [quoted(table)])
        return {str(row[0]): ColumnFacts(str(row[1]), bool(row[2]), bool(row[3])) for row in rows}

    def close(self) -> None:
        self._link.close()


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

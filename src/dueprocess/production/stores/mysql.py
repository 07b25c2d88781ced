"""MariaDB, read-only by transaction, with every setting that changes the meaning of a query pinned and read back.

The driver writes values into the text of a query, so it is given none: a query is prepared by the server with places
for values, and each value is sent as a number or as hexadecimal bytes, which need no quoting. Rows come one packet
after the other (an unbuffered cursor).
"""

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

import pyarrow as pa

from dueprocess.errors import MalformedError, UnavailableError
from dueprocess.plan import TableQuery, TimeUnit
from dueprocess.production.columnkinds import family
from dueprocess.production.stores.arrow import Raw, tuple_batches
from dueprocess.production.stores.examine import Shape
from dueprocess.production.stores.facts import ColumnFacts, Subject
from dueprocess.production.stores.mysqlplan import refuse_plan
from dueprocess.production.stores.sql import SqlStore

try:
    import pymysql
    from pymysql.constants import FIELD_TYPE
    from pymysql.converters import conversions, convert_datetime
    from pymysql.cursors import SSCursor
except ImportError as error:
    raise UnavailableError(
        "no-driver",
        "MariaDB's driver is not installed here.",
        do="Install the package with its extra `mysql`.",
    ) from error

SETTINGS = {
    "sql_mode": "ANSI_QUOTES,NO_BACKSLASH_ESCAPES,STRICT_ALL_TABLES",
    "time_zone": "+00:00",
    "character_set_client": "utf8mb4",
    "character_set_connection": "utf8mb4",
    "character_set_results": "utf8mb4",
    "collation_connection": "utf8mb4_nopad_bin",
    "tx_isolation": "REPEATABLE-READ",
    "tx_read_only": "1",
    "sql_auto_is_null": "0",
    "sql_select_limit": "18446744073709551615",
    "sql_big_selects": "1",
    "max_statement_time": "1800.0",
    "lock_wait_timeout": "10",
    "net_write_timeout": "600",
}
"""Pinned and read back. ``sql_select_limit`` would be a silent cut; the last is how long a reader is waited for."""

CONNECT_SECONDS = 10
_BY_BYTES = frozenset({"utf8mb4", "utf8mb3", "latin1", "ascii"})
"""Character sets whose columns are compared by bytes too: their collations fold case, accents and blanks at the end."""
_DESCRIBE = """
SELECT c.column_name, c.column_type, c.character_set_name, t.table_type, c.table_name
FROM information_schema.columns c
JOIN information_schema.tables t ON t.table_schema = c.table_schema AND t.table_name = c.table_name
WHERE c.table_schema = database() AND c.table_name = ? ORDER BY c.ordinal_position
"""
_INDEXES = """
SELECT index_name, column_name, seq_in_index, non_unique, sub_part, table_name
FROM information_schema.statistics WHERE table_schema = database() AND table_name = ? ORDER BY index_name, seq_in_index
"""
_REPEATED = re.compile(r"COLLATE \w+_nopad_bin = $")
_PIECES = re.compile(r'("(?:[^"]|"")*")')
_PLACE = re.compile(r"\$(\d+)")


@dataclass(frozen=True, slots=True)
class MysqlFacts(ColumnFacts):
    """What MariaDB says about a column."""

    characters: str | None = None
    """The character set of a column of text."""


class MysqlStore(SqlStore):
    """One read-only connection to a MariaDB database: ``mysql://user:password@host:port/database``.

    ``?socket=/path`` goes through a socket. Another machine is reached under TLS: ``?ca=/path`` names the authority
    that signed its certificate, ``?tls=off`` says that the way is safe without.
    A FLOAT comes with the six digits that MariaDB itself shows; every other type comes whole.
    Source: https://mariadb.com/kb/en/prepare-statement/, https://mariadb.com/kb/en/start-transaction/.
    """

    counts_first = True

    def __init__(self, name: str, where: str, reader: str = "dueprocess") -> None:
        """``reader`` stands as ``program_name`` among the attributes of the connection."""
        super().__init__(name)
        self._how = {**_how(name, where), "program_name": reader}
        self._database = str(self._how["database"])
        self._link = self._open()

    def _open(self) -> "pymysql.Connection[_Rows]":
        try:
            link = pymysql.connect(**self._how, cursorclass=_Rows)
        except (pymysql.Error, OSError, ValueError) as error:
            raise _unavailable(self.name, error) from error
        try:
            self._pin(link)
        except (pymysql.Error, OSError) as error:
            _drop(link)
            raise _unavailable(self.name, error) from error
        return cast("pymysql.Connection[_Rows]", link)

    def _pin(self, link: "pymysql.Connection[_Rows]") -> None:
        with link.cursor() as cursor:
            for setting, value in SETTINGS.items():
                number = value.replace(".", "").isdigit()
                cursor.execute(f"SET SESSION {setting} = {value if number else f"'{value}'"}")
            cursor.execute("SELECT " + ", ".join(f"@@SESSION.{setting}" for setting in SETTINGS))
            found = dict(zip(SETTINGS, cursor.fetchall()[0], strict=True))
        for setting, value in SETTINGS.items():
            if set(str(found[setting]).split(",")) != set(value.split(",")):
                _drop(link)
                raise UnavailableError(
                    "store-setting", f"The store {self.name!r} does not keep {setting} at {value!r}."
                )

    # -- the text of a query -----------------------------------------------------------------------

    def equal(self, expression: str, facts: ColumnFacts, /) -> str:
        """Once as the column's index has it, and once by its bytes."""
        plain = super().equal(expression, facts)
        exact = self.by_bytes(expression, facts)
        return plain if exact == expression else f"{plain} AND {exact} = {self.mark}"

    def folded(self, expression: str, facts: ColumnFacts, /) -> str:
        return f"lower({self.by_bytes(expression, facts)})"

    def by_bytes(self, expression: str, facts: ColumnFacts, /) -> str:
        characters = facts.characters if isinstance(facts, MysqlFacts) else None
        return f"{expression} COLLATE {characters}_nopad_bin" if characters in _BY_BYTES else expression

    def numbered(self, sql: str) -> str:
        """As everywhere; a place behind ``COLLATE … =`` is given the same value as the place before it."""
        pieces, number = _PIECES.split(sql), 0
        for at in range(0, len(pieces), 2):
            parts = pieces[at].split(self.mark)
            pieces[at] = parts[0]
            for part in parts[1:]:
                number += not _REPEATED.search(pieces[at])
                pieces[at] += f"${number}{part}"
        return "".join(pieces)

    def values(self, query: TableQuery, subject: Subject) -> Sequence[object]:
        """Refuses a key of another kind than its column: MariaDB takes '5 sons' for 5."""
        kind = family(self._facts(query.path.subject_table, query.path.subject).kind)
        if (kind in {"whole", "number"}) is isinstance(subject, str):
            raise UnavailableError(
                "bad-subject", "The key of the account and the column it is looked for in differ in kind."
            )
        return super().values(query, subject)

    def bound(self, value: object, unit: TimeUnit, facts: ColumnFacts, /) -> object:
        if not isinstance(value, dt.datetime):
            return super().bound(value, unit, facts)
        if facts.kind.startswith("timestamp") and value.tzinfo is None:
            raise UnavailableError(
                "bad-time",
                "A column that holds its zone has another one in the data map.",
                do="Take `zone` out of the data map.",
            )
        return value.astimezone(dt.UTC).replace(tzinfo=None) if value.tzinfo else value

    # -- asking ------------------------------------------------------------------------------------

    def snapshot(self) -> AbstractContextManager[object]:
        return self._transaction()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        if not self._link.open:
            self._link = self._open()
        self._run("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
        try:
            yield
        finally:
            if self._link.open:
                with suppress(UnavailableError):
                    self._run("COMMIT")

    def _run(self, sql: str) -> None:
        try:
            with self._link.cursor() as cursor:
                cursor.execute(sql)
        except (pymysql.Error, OSError) as error:
            raise _unavailable(self.name, error) from error

    def fetch(self, sql: str, values: Sequence[object]) -> list[Raw]:
        try:
            with self._link.cursor() as cursor:
                self._execute(cursor, sql, values)
                return list(cursor.fetchall())
        except (pymysql.Error, OSError, UnicodeError) as error:
            raise _unavailable(self.name, error) from error

    def stream(self, sql: str, values: Sequence[object]) -> Iterator[pa.RecordBatch]:
        ended = False
        cursor = self._link.cursor()
        try:
            self._execute(cursor, sql, values)
            yield from tuple_batches(lambda count: cast("list[Raw]", cursor.fetchmany(count)))
            cursor.close()
            ended = True
        except (pymysql.Error, OSError, UnicodeError) as error:
            raise _unavailable(self.name, error) from error
        finally:
            if not ended:
                cursor.abandon()
                _drop(self._link)

    def _execute(self, cursor: "_Rows", sql: str, values: Sequence[object]) -> None:
        """Prepares a text, binds its places and runs it, on the server."""
        bare = "".join(_PIECES.split(self.numbered(sql))[::2])
        places = [int(number) for number in _PLACE.findall(bare)]
        for number, value in enumerate(values, start=1):
            cursor.execute(f"SET @v{number} = {_told(value)}")
        cursor.execute(f"SET @text = {_told(sql)}")
        cursor.execute("PREPARE asked FROM @text")
        using = f" USING {', '.join(f'@v{number}' for number in places)}" if places else ""
        cursor.execute(f"EXECUTE asked{using}")

    # -- MariaDB's own eyes ------------------------------------------------------------------------

    @contextmanager
    def watch(self, sql: str, values: Sequence[object], shape: Shape, /) -> Iterator[None]:
        """Asks the planner which tables and columns it would read, and whether for the subject."""
        if not any(facts.view for _, table in shape.tables for facts in self.columns(table).values()):
            plan = self.fetch(f"EXPLAIN EXTENDED {sql}", values)
            refuse_plan([(row[2], row[3]) for row in plan], self._warnings(), shape, self._database)
        yield

    def _warnings(self) -> str:
        """The query as the planner wrote it anew."""
        try:
            with self._link.cursor() as cursor:
                cursor.execute("SHOW WARNINGS")
                return "".join(str(row[2]) for row in cursor.fetchall() if row[1] == _REWRITTEN)
        except (pymysql.Error, OSError) as error:
            raise _unavailable(self.name, error) from error

    # -- the live schema ---------------------------------------------------------------------------

    def describe(self, table: str) -> Mapping[str, ColumnFacts]:
        if not self._link.open:
            self._link = self._open()
        columns = [row for row in self.fetch(_DESCRIBE, [table]) if row[4] == table]
        indexes = [row for row in self.fetch(_INDEXES, [table]) if row[5] == table]
        wide = {row[0] for row in indexes if row[2] != 1 or row[4] is not None}
        unique = {row[1] for row in indexes if not row[3] and row[0] not in wide}
        indexed = {row[1] for row in indexes if row[2] == 1}
        return {
            str(name): MysqlFacts(
                str(kind),
                name in unique,
                name in indexed,
                view != "BASE TABLE",
                str(characters) if characters else None,
            )
            for name, kind, characters, view, _ in columns
        }

    def close(self) -> None:
        _drop(self._link)


class _Rows(SSCursor):  # type: ignore[misc]  # the driver has no types
    """Rows as they come."""

    _result: Any

    def abandon(self) -> None:
        """Leaves the rest unread: the driver would read it all to come to its end, even from a closed connection."""
        if self._result is not None:
            self._result.unbuffered_active = False
            self._result = None


_REWRITTEN = 1003
"""The number of the note in which MariaDB says how it understands a query."""


def _instant(text: str) -> object:
    """An instant; the session's zone is UTC. A time that no calendar has stays text."""
    value: object = convert_datetime(text)
    return value.replace(tzinfo=dt.UTC) if isinstance(value, dt.datetime) else value


def _clock(text: str) -> object:
    """A time of day; MariaDB's longer and negative ones stay text."""
    try:
        return dt.time.fromisoformat(text)
    except ValueError:
        return text


_READ = {**conversions, FIELD_TYPE.TIMESTAMP: _instant, FIELD_TYPE.TIME: _clock}


def _how(name: str, where: str) -> dict[str, object]:
    """The arguments of the driver for a connection string. Refuses what is no such string, and a way without TLS."""
    try:
        parts = urlsplit(where)
        port, more = parts.port or 3306, dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
    except ValueError as error:
        raise _malformed(name) from error
    database = unquote(parts.path.removeprefix("/"))
    if not database or not (parts.hostname or "socket" in more) or set(more) - {"socket", "ca", "tls"}:
        raise _malformed(name)
    how: dict[str, object] = {
        "user": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "database": database,
        "charset": "utf8mb4",
        "autocommit": True,
        "connect_timeout": CONNECT_SECONDS,
        "conv": _READ,
        "local_infile": False,
    }
    if "socket" in more:
        return {**how, "unix_socket": more["socket"]}
    return {**how, "host": parts.hostname, "port": port, **_tls(name, parts, more)}


def _tls(name: str, parts: SplitResult, more: Mapping[str, str]) -> dict[str, object]:
    if "ca" in more:
        return {"ssl_ca": more["ca"], "ssl_verify_cert": True, "ssl_verify_identity": True}
    if parts.hostname not in {"127.0.0.1", "localhost", "::1"} and more.get("tls") != "off":
        raise MalformedError(
            "bad-connect",
            f"The store {name!r} is on another machine, and its connection string says nothing of TLS.",
            do="Add `?ca=/path/of/the/authority.pem`, or `?tls=off` where the way there is safe.",
        )
    return {"ssl_disabled": True}


def _malformed(name: str) -> MalformedError:
    return MalformedError(
        "bad-connect",
        f"The store {name!r} needs a connection string such as mysql://user:password@host:3306/database.",
    )


def _told(value: object) -> str:
    """A value in SQL: digits, or text as hexadecimal bytes. There is nothing in it that could end it."""
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, dt.datetime):
        value = value.isoformat(" ")
    elif isinstance(value, dt.date):
        value = value.isoformat()
    return f"CONVERT(X'{str(value).encode().hex()}' USING utf8mb4)"


def _drop(link: "pymysql.Connection[_Rows]") -> None:
    with suppress(pymysql.Error, OSError):
        link.close()


def _unavailable(name: str, error: Exception) -> UnavailableError:
    number = error.args[0] if error.args and isinstance(error.args[0], int) else ""
    return UnavailableError(
        "store-unavailable",
        f"The MariaDB store {name!r} does not answer.",
        why=f"{type(error).__name__} {number}".strip(),
        do="Check the address, the user and its rights to read.",
    )

"""Stores of the platform, opened for reading by the production worker and by nobody else.

The engine follows from the connection string: ``sqlite:///``, ``postgresql://``, ``mysql://``, ``duckdb:///``,
``parquet:///``, ``spark://``, ``lines:///`` and ``file:///``. A store ``manual:`` has none: a person collects it.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dueprocess.errors import MalformedError, UnavailableError
from dueprocess.plan import DataMap, LinesTable, StoreEntry
from dueprocess.production.stores.facts import (
    JSON_TEXT,
    Checked,
    ColumnFacts,
    Redacted,
    Row,
    Store,
    Subject,
    UnreachableStore,
)
from dueprocess.production.stores.folder import FolderStore, FoundFile
from dueprocess.production.stores.manual import ManualStore

_PLACE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")

__all__ = [
    "JSON_TEXT",
    "Checked",
    "ColumnFacts",
    "FolderStore",
    "FoundFile",
    "ManualStore",
    "Redacted",
    "Row",
    "Store",
    "Stores",
    "Subject",
    "UnreachableStore",
    "connect_string",
    "open_store",
    "open_stores",
]


@dataclass(frozen=True, slots=True)
class Stores:
    """The open stores of one map by name. A folder that is not there is left out, with its reason."""

    databases: Mapping[str, Store]
    folders: Mapping[str, FolderStore]
    missing: Mapping[str, UnavailableError]

    def close(self) -> None:
        for store in self.databases.values():
            store.close()


def open_stores(
    datamap: DataMap,
    environment: Mapping[str, str],
    reader: str = "dueprocess",
    by_hand: Mapping[str, ManualStore] | None = None,
) -> Stores:
    """Opens every store of a map, read-only. One that does not answer is kept with its reason.

    ``environment`` gives the values of ``${NAME}``. ``reader`` is how this calls itself in a store's own log.
    ``by_hand`` are the stores that people collect, by name; one that is not given has no answers.
    Refuses a connection string of no known kind.
    """
    databases: dict[str, Store] = {}
    folders: dict[str, FolderStore] = {}
    missing: dict[str, UnavailableError] = {}
    for entry in datamap.stores:
        if entry.by_hand:
            databases[entry.name] = (by_hand or {}).get(entry.name) or ManualStore(entry.name)
            continue
        try:
            where = connect_string(entry, environment)
            if entry.max_rows is None:
                folders[entry.name] = FolderStore(entry.name, _path(where, "file", entry.name))
            else:
                lines = tuple(each for each in datamap.lines if each.store == entry.name)
                databases[entry.name] = open_store(entry.name, where, reader, lines)
        except UnavailableError as error:
            missing[entry.name] = error
            if entry.max_rows is not None:
                databases[entry.name] = UnreachableStore(entry.name, error)
    return Stores(databases, folders, missing)


def connect_string(entry: StoreEntry, environment: Mapping[str, str]) -> str:
    """The connection string with every ``${NAME}`` replaced. Refuses a name that is not set."""

    def value(match: re.Match[str]) -> str:
        if match[1] not in environment:
            raise UnavailableError(
                "not-configured",
                f"The store {entry.name!r} needs {match[1]}, which is not set.",
                do=f"Set {match[1]} in the environment of the production worker, and only there.",
            )
        return environment[match[1]]

    return _PLACE.sub(value, entry.connect)


def open_store(name: str, where: str, reader: str = "dueprocess", lines: Sequence[LinesTable] = ()) -> Store:
    """One database by its connection string. Imports the driver only now.

    ``lines`` says how the text files of a store ``lines:///folder`` are read.
    """
    scheme = where.partition("://")[0]
    if scheme == "lines":
        return _lines(name, where, lines)
    if scheme not in _OPEN:
        raise MalformedError(
            "bad-connect",
            f"The store {name!r} has a connection string of no known kind.",
            do="Begin it with " + ", ".join(f"{each}://" for each in (*_OPEN, "lines", "file")) + ".",
        )
    return _OPEN[scheme](name, where, reader)


def _path(where: str, scheme: str, name: str) -> Path:
    """``sqlite:///a.db`` is relative, ``sqlite:////srv/a.db`` absolute; nothing else stands before the path."""
    prefix = f"{scheme}:///"
    if not where.startswith(prefix) or where == prefix or "\0" in where:
        raise MalformedError(
            "bad-connect", f"The store {name!r} needs a connection string such as {prefix}path."
        )
    return Path(where.removeprefix(prefix))


def _sqlite(name: str, where: str, _reader: str) -> Store:
    from dueprocess.production.stores.sqlite import SqliteStore  # noqa: PLC0415  # one driver at a time

    return SqliteStore(name, _path(where, "sqlite", name))


def _postgresql(name: str, where: str, reader: str) -> Store:
    from dueprocess.production.stores.postgresql import PostgresqlStore  # noqa: PLC0415  # one driver at a time

    return PostgresqlStore(name, where, reader)


def _duckdb(name: str, where: str, _reader: str) -> Store:
    from dueprocess.production.stores.duckdb import DuckdbStore  # noqa: PLC0415  # one driver at a time

    return DuckdbStore(name, _path(where, "duckdb", name))


def _parquet(name: str, where: str, _reader: str) -> Store:
    from dueprocess.production.stores.duckdb import DuckdbStore  # noqa: PLC0415  # one driver at a time

    return DuckdbStore(name, _path(where, "parquet", name), parquet=True)


def _lines(name: str, where: str, lines: Sequence[LinesTable]) -> Store:
    from dueprocess.production.stores.lines import LinesStore  # noqa: PLC0415  # one reader at a time

    return LinesStore(name, _path(where, "lines", name), lines)


def _mysql(name: str, where: str, reader: str) -> Store:
    from dueprocess.production.stores.mysql import MysqlStore  # noqa: PLC0415  # one driver at a time

    return MysqlStore(name, where, reader)


def _spark(name: str, where: str, reader: str) -> Store:
    from dueprocess.production.stores.spark import SparkStore  # noqa: PLC0415  # one driver at a time

    return SparkStore(name, where, reader)


_OPEN: dict[str, Callable[[str, str, str], Store]] = {
    "sqlite": _sqlite,
    "postgresql": _postgresql,
    "duckdb": _duckdb,
    "parquet": _parquet,
    "mysql": _mysql,
    "spark": _spark,
}

"""Comparing a data map with the live stores: what is missing, what is new, what is not unique, who is no person."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from dueprocess.errors import UnavailableError
from dueprocess.plan import DataMap, RowPath, TargetRoute
from dueprocess.production.stores import Store, Stores


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference. An ``error`` stops the map from being used, a ``warning`` is for a person to weigh."""

    severity: Literal["error", "warning"]
    code: str
    store: str
    table: str
    column: str | None
    what: str

    def __str__(self) -> str:
        where = ".".join(each for each in (self.store, self.table, self.column) if each)
        return f"{self.severity}: {where}: {self.what}"

    def as_json(self) -> dict[str, str | None]:
        return {
            "severity": self.severity,
            "code": self.code,
            "store": self.store,
            "table": self.table,
            "column": self.column,
            "what": self.what,
        }


def check_map(datamap: DataMap, stores: Stores) -> list[Finding]:
    """Every difference between the map and the live stores. Reads schemas and yes-or-no questions, no values.

    Where an engine has no unique constraints (Parquet), uniqueness is asked of the data, which takes a while.
    """
    found = [
        Finding("error", error.code, name, "", None, f"{error.what} {error.why}".strip())
        for name, error in stores.missing.items()
    ]
    for route in datamap.targets:
        found += _guarded(route.store, route.table, _target(route, stores))
    for path, listed in _paths(datamap):
        found += _guarded(path.store, path.table, _path(path, listed, datamap, stores))
    for table in datamap.tables:
        known = {column.name for column in table.columns} | _controls(table.path)
        found += _guarded(table.path.store, table.path.table, _unlisted(table.path, known, stores))
    return list(dict.fromkeys(found))


def _paths(datamap: DataMap) -> Iterator[tuple[RowPath, tuple[str, ...]]]:
    """Each path with the columns that are read from its own table."""
    for table in datamap.tables:
        names = [column.name for column in table.columns]
        time = table.path.time.column if table.path.time else None
        yield table.path, (*names, *(name for name in table.order if name != time))
    for each in datamap.files:
        yield each.path, each.path_columns


def _guarded(store: str, table: str, findings: Iterator[Finding]) -> list[Finding]:
    """The findings, and the reason if the store stops answering on the way."""
    found: list[Finding] = []
    try:
        found.extend(findings)
    except UnavailableError as error:
        found.append(Finding("error", error.code, store, table, None, f"{error.what} {error.why}".strip()))
    return found


def _controls(path: RowPath) -> set[str]:
    own = {path.subject} if not path.hops else {path.hops[0].on}
    if path.time is not None and path.time.table == path.table:
        own.add(path.time.column)
    return own | set(path.absent)


def _target(route: TargetRoute, stores: Stores) -> Iterator[Finding]:
    store = stores.databases[route.store]
    missing = list(_missing(store, route.table, (route.column, route.subject)))
    yield from missing
    for column in () if missing else dict.fromkeys((route.column, route.subject)):
        if not _unique(store, route.table, column):
            what = f"{route.table}.{column} is not unique, so a target could name several people."
            yield Finding("error", "not-unique", store.name, route.table, column, what)


def _path(path: RowPath, listed: tuple[str, ...], datamap: DataMap, stores: Stores) -> Iterator[Finding]:
    store = stores.databases[path.store]
    wanted: dict[str, list[str]] = {path.table: [*listed, *path.absent]}
    here = path.table
    for hop in path.hops:
        wanted[here].append(hop.on)
        wanted.setdefault(hop.table, []).append(hop.foreign)
        here = hop.table
    wanted[path.subject_table].append(path.subject)
    if path.time is not None:
        wanted[path.time.table].append(path.time.column)
    missing = [each for table, names in wanted.items() for each in _missing(store, table, names)]
    yield from missing
    if missing:
        return
    for hop in path.hops:
        if not _unique(store, hop.table, hop.foreign):
            what = f"{hop.table}.{hop.foreign} is not unique, so a record could belong to several people."
            yield Finding("error", "fan-out", store.name, hop.table, hop.foreign, what)
    yield from _subject(path, datamap, store)


def _subject(path: RowPath, datamap: DataMap, store: Store) -> Iterator[Finding]:
    """Whether the subject column has an index, and whether it names accounts at all."""
    table, column = path.subject_table, path.subject
    if store.columns(table)[column].indexed is False:
        what = f"{table}.{column} has no index that begins with it: each answer reads the whole table."
        yield Finding("warning", "no-index", store.name, table, column, what)
    route = datamap.route("account")
    if route.store != path.store or (table, column) == (route.table, route.subject):
        return
    if not store.meets(table, column, route.table, route.subject):
        what = f"No value of {table}.{column} is an account of {route.table}: it does not name people."
        yield Finding("error", "not-a-person", store.name, table, column, what)


def _unlisted(path: RowPath, known: set[str], stores: Stores) -> Iterator[Finding]:
    store = stores.databases[path.store]
    for name in store.columns(path.table):
        if name not in known:
            what = f"{path.table}.{name} is not listed, so it never leaves. Is that meant?"
            yield Finding("warning", "unlisted-column", store.name, path.table, name, what)


def _missing(store: Store, table: str, columns: tuple[str, ...] | list[str]) -> Iterator[Finding]:
    live = store.columns(table)
    if not live:
        yield Finding(
            "error", "missing-table", store.name, table, None, f"There is no table {table} in this store."
        )
        return
    for name in dict.fromkeys(columns):
        if name not in live:
            what = f"There is no column {table}.{name} in this store."
            yield Finding("error", "missing-column", store.name, table, name, what)


def _unique(store: Store, table: str, column: str) -> bool:
    """By constraint where the engine knows one, else by the data."""
    unique = store.columns(table)[column].unique
    return unique if unique is not None else not store.has_twice(table, column)

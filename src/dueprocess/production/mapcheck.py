"""Comparing a data map with the live stores: what is missing, what is new, what is not unique, who is no person.

The work grows with the number of tables: each question about a column is put to a store once.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from dueprocess.errors import UnavailableError
from dueprocess.plan import DataMap, ListedTable, Owners, RowPath, TargetRoute, TimeUnit
from dueprocess.production.columnkinds import can_be_redacted, can_serve, family
from dueprocess.production.stores import ColumnFacts, Store, Stores
from dueprocess.production.stores.sqlite import SqliteStore

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference. An ``error`` stops the map from being used, a ``warning`` is for a person to weigh, and a
    ``note`` says what nothing can be compared with.
    """

    severity: Severity
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
    live = {name: _Live(store) for name, store in stores.databases.items()}
    found += [_by_hand(each) for each in datamap.tables if datamap.store(each.path.store).by_hand]
    datamap = _without_hands(datamap)
    account = next((route for route in datamap.targets if route.kind == "account"), None)
    for route in datamap.targets:
        found += _guarded(route.store, route.table, _target(route, account, live[route.store]))
    for table in datamap.tables:
        path, listed = table.path, [column.name for column in table.columns]
        named = [name for name in table.order if path.time is None or name != path.time.column]
        here = live[path.store]
        found += _guarded(path.store, path.table, _path(path, [*listed, *named], account, here))
        found += _guarded(path.store, path.table, _redacted(table, here))
    for each in datamap.files:
        here = live[each.path.store]
        found += _guarded(
            each.path.store, each.path.table, _path(each.path, each.path_columns, account, here)
        )
    for (store, name), known in _known(datamap).items():
        found += _guarded(store, name, _unlisted(live[store], name, known))
    return list(dict.fromkeys(found))


def _by_hand(table: ListedTable) -> Finding:
    what = "A person collects this table by hand: there is no live store to compare it with."
    return Finding("note", "by-hand", table.path.store, table.label, None, what)


def _without_hands(datamap: DataMap) -> DataMap:
    """What of a map live stores answer for."""
    live = {each.name for each in datamap.stores if not each.by_hand}
    return replace(
        datamap,
        targets=tuple(each for each in datamap.targets if each.store in live),
        tables=tuple(each for each in datamap.tables if each.path.store in live),
    )


@dataclass(slots=True)
class _Live:
    """One store, and what was asked of it already."""

    store: Store
    _schemas: dict[str, Mapping[str, ColumnFacts]] = field(default_factory=dict)
    _unique: dict[tuple[str, str], bool] = field(default_factory=dict)
    _meets: dict[tuple[str, str, str, str], bool] = field(default_factory=dict)

    def columns(self, table: str) -> Mapping[str, ColumnFacts]:
        if table not in self._schemas:
            self._schemas[table] = self.store.columns(table)
        return self._schemas[table]

    def unique(self, table: str, column: str) -> bool:
        """By constraint where the engine knows one, else by the data: a view has no constraints of its own."""
        if (table, column) not in self._unique:
            facts = self.columns(table)[column]
            ask = facts.unique is None or (facts.view and not facts.unique)
            unique = not self.store.has_twice(table, column) if ask else bool(facts.unique)
            self._unique[table, column] = unique
        return self._unique[table, column]

    def meets(self, table: str, column: str, other: str, key: str) -> bool:
        """Whether some value of a column is a key of another table, or there is none at all."""
        asked = (table, column, other, key)
        if asked not in self._meets:
            self._meets[asked] = self.store.meets(*asked)
        return self._meets[asked]

    def finding(self, severity: Severity, code: str, table: str, column: str | None, what: str) -> Finding:
        return Finding(severity, code, self.store.name, table, column, what)

    def missing(self, wanted: Mapping[str, Iterable[str]]) -> list[Finding]:
        """Tables and columns that the map names and the store has not."""
        return [each for table, names in wanted.items() for each in self._missing(table, names)]

    def _missing(self, table: str, names: Iterable[str]) -> Iterator[Finding]:
        live = self.columns(table)
        if not live:
            what = f"There is no table {table} in this store."
            yield self.finding("error", "missing-table", table, None, what)
            return
        for name in dict.fromkeys(names):
            if name not in live:
                what = f"There is no column {table}.{name} in this store."
                yield self.finding("error", "missing-column", table, name, what)

    def views(self, tables: Iterable[str]) -> Iterator[Finding]:
        for table in tables:
            if any(facts.view for facts in self.columns(table).values()):
                what = f"{table} is a view: what is unique or indexed behind it cannot be seen from here."
                yield self.finding("warning", "view", table, None, what)

    def index(self, table: str, column: str) -> Iterator[Finding]:
        """A warning where the engine has indexes and none begins with this column."""
        facts = self.columns(table)[column]
        if facts.indexed is False and not facts.view:
            what = f"{table}.{column} has no index that begins with it: each answer reads the whole table."
            yield self.finding("warning", "no-index", table, column, what)

    def times(self, table: str, column: str, unit: TimeUnit, zone: str) -> Iterator[Finding]:
        """An error where the column's type cannot hold times as the map says."""
        kind = self.columns(table)[column].kind
        # SQLite's declared types are opinions: a DATETIME holds text or numbers, and never a time of its own.
        loose = isinstance(self.store, SqliteStore) and family(kind) in {"time", "instant", "day", "number"}
        fits = unit != "timestamp" if loose else can_serve(kind, unit)
        if not fits:
            what = f"{table}.{column} is of the type {kind}, which cannot hold times of the unit {unit}."
            yield self.finding("error", "bad-unit", table, column, what)
        elif zone != "UTC" and family(kind) == "instant" and not loose:
            what = f"{table}.{column} is of the type {kind}, which says its zone itself: `zone` must go."
            yield self.finding("error", "bad-zone", table, column, what)


def _guarded(store: str, table: str, findings: Iterator[Finding]) -> list[Finding]:
    """The findings, and the reason if the store stops answering on the way."""
    found: list[Finding] = []
    try:
        found.extend(findings)
    except UnavailableError as error:
        found.append(Finding("error", error.code, store, table, None, f"{error.what} {error.why}".strip()))
    return found


# -------------------------------------------------------------------------------------------- targets


def _target(route: TargetRoute, account: TargetRoute | None, live: _Live) -> Iterator[Finding]:
    wanted: dict[str, list[str]] = {
        route.table: [route.column, route.subject, *route.absent, *(name for name, _ in route.equals)]
    }
    if route.interval is not None:
        ports = (route.interval.port_from, route.interval.port_to)
        wanted[route.table] += [route.interval.since, route.interval.until, *(each for each in ports if each)]
    if route.owners is not None:
        own = route.owners
        wanted.setdefault(own.table, []).extend(
            (own.resource, own.subject, *(name for name, _ in own.equals))
        )
        wanted.setdefault(own.accounts, []).extend((own.key, own.name))
    missing = live.missing(wanted)
    yield from missing
    if missing:
        return
    yield from live.views(wanted)
    yield from _named_once(route, live)
    if route.interval is not None:
        for column in (route.interval.since, route.interval.until):
            yield from live.times(route.table, column, route.interval.unit, "UTC")
    if route.owners is not None:
        yield from _owners(route.owners, live)
    else:
        yield from _person(route.table, route.subject, account, live)


def _named_once(route: TargetRoute, live: _Live) -> Iterator[Finding]:
    """Whether one value can name two: by the column, and for accounts and things by their key too."""
    if route.compare == "exact":
        yield from live.index(route.table, route.column)
    if route.interval is not None:
        return  # One address belongs to one account after the other. Asking for two at once is refused each time.
    narrowed = bool(route.absent or route.equals)
    if not live.unique(route.table, route.column) or route.compare == "ignore_case":
        yield _doubt(route, live) if narrowed or route.compare == "ignore_case" else _not_unique(route, live)
    keyed = route.kind in {"account", "resource"} and route.subject != route.column
    if keyed and not live.unique(route.table, route.subject):
        what = f"{route.table}.{route.subject} is not unique, so a target could name several people."
        yield live.finding("error", "not-unique", route.table, route.subject, what)


def _not_unique(route: TargetRoute, live: _Live) -> Finding:
    what = f"{route.table}.{route.column} is not unique, so a target could name several people."
    return live.finding("error", "not-unique", route.table, route.column, what)


def _doubt(route: TargetRoute, live: _Live) -> Finding:
    """A column that is unique only for some rows, or only without regard to case."""
    how = " without regard to case" if route.compare == "ignore_case" else ""
    rows = " among the rows that count" if route.absent or route.equals else ""
    what = (
        f"Whether {route.table}.{route.column} is unique{how}{rows} cannot be seen from its schema. A target that "
        "names two is refused each time; a unique index on just this would keep it from happening."
    )
    return live.finding("warning", "unique-unknown", route.table, route.column, what)


def _owners(owners: Owners, live: _Live) -> Iterator[Finding]:
    if not live.unique(owners.accounts, owners.key):
        what = f"{owners.accounts}.{owners.key} is not unique, so an owner could be several people."
        yield live.finding("error", "not-unique", owners.accounts, owners.key, what)
    if not live.meets(owners.table, owners.subject, owners.accounts, owners.key):
        what = f"No value of {owners.table}.{owners.subject} is an account: it does not name people."
        yield live.finding("error", "not-a-person", owners.table, owners.subject, what)
    yield from live.index(owners.table, owners.resource)


def _person(table: str, column: str, account: TargetRoute | None, live: _Live) -> Iterator[Finding]:
    """Whether a subject column names accounts at all."""
    if (
        account is None
        or account.store != live.store.name
        or (table, column) == (account.table, account.subject)
    ):
        return
    if not {account.subject} <= set(live.columns(account.table)):
        return  # Told where the account's own route is checked.
    if not live.meets(table, column, account.table, account.subject):
        what = f"No value of {table}.{column} is an account of {account.table}: it does not name people."
        yield live.finding("error", "not-a-person", table, column, what)


# ---------------------------------------------------------------------------------------------- paths


def _path(
    path: RowPath, listed: Iterable[str], account: TargetRoute | None, live: _Live
) -> Iterator[Finding]:
    wanted: dict[str, list[str]] = {path.table: [*listed, *path.absent, *(name for name, _ in path.equals)]}
    joins: list[tuple[str, str]] = []
    here = path.table
    for hop in path.hops:
        wanted[here].append(hop.on)
        wanted.setdefault(hop.table, []).append(hop.foreign)
        joins.append((here, hop.on))
        here = hop.table
    wanted[path.subject_table].append(path.subject)
    if path.time is not None:
        wanted[path.time.table].append(path.time.column)
    missing = live.missing(wanted)
    yield from missing
    if missing:
        return
    yield from live.views(wanted)
    for hop in path.hops:
        if not live.unique(hop.table, hop.foreign):
            what = f"{hop.table}.{hop.foreign} is not unique, so a record could belong to several people."
            yield live.finding("error", "fan-out", hop.table, hop.foreign, what)
    for table, column in (*joins, (path.subject_table, path.subject)):
        yield from live.index(table, column)
    if path.time is not None:
        yield from live.times(path.time.table, path.time.column, path.time.unit, path.time.zone)
    yield from _person(path.subject_table, path.subject, account, live)


def _redacted(table: ListedTable, live: _Live) -> Iterator[Finding]:
    """Rules for a place in a document, on columns that hold none."""
    facts = live.columns(table.path.table)
    for column in table.columns:
        kind = facts[column.name].kind if column.name in facts else ""
        if any(rule != "mask" for rule in column.third_party) and not can_be_redacted(kind):
            what = f"{table.path.table}.{column.name} is of the type {kind}, which has no places to redact."
            severity: Severity = "warning" if isinstance(live.store, SqliteStore) else "error"
            yield live.finding(severity, "bad-redaction", table.path.table, column.name, what)


def _known(datamap: DataMap) -> dict[tuple[str, str], set[str]]:
    """By store and table, every column that any entry of the map lists or reads as a control."""
    found: dict[tuple[str, str], set[str]] = {}
    for table in datamap.tables:
        path = table.path
        known = found.setdefault((path.store, path.table), set())
        known |= {column.name for column in table.columns} | set(path.absent)
        known |= {name for name, _ in path.equals}
        known.add(path.hops[0].on if path.hops else path.subject)
        if path.time is not None and path.time.table == path.table:
            known.add(path.time.column)
    return found


def _unlisted(live: _Live, table: str, known: set[str]) -> Iterator[Finding]:
    for name in live.columns(table):
        if name not in known:
            what = f"{table}.{name} is not listed, so it never leaves. Is that meant?"
            yield live.finding("warning", "unlisted-column", table, name, what)

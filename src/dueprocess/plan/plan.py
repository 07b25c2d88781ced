"""Plan: what will be asked of which store about one account. The same on every engine.

A plan is compiled from one authorised scope item and one data map. It names only listed columns of authorised
categories, and each of its queries begins at the subject. Its digest is what two people approve.

Source: formats.md, "Plan".
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from dueprocess.demand import (
    AUTHORISABLE,
    NONCE_BYTES,
    SECRETS,
    Category,
    Period,
    ScopeItem,
    check_authorisable,
    ordered,
)
from dueprocess.errors import MalformedError
from dueprocess.plan.datamap import (
    DataMap,
    Layout,
    ListedFile,
    ListedTable,
    PathPart,
    RowPath,
    StoreEntry,
    TargetRoute,
)
from dueprocess.plan.moment import parse_moment
from dueprocess.wire import Json, b64, digest_of

Reason = Literal["not_authorised", "never", "not_mapped", "no_window", "owners"]

REASONS: dict[Reason, str] = {
    "not_authorised": "not authorised by the decision",
    "never": "passwords, keys and tokens are never produced",
    "not_mapped": "the data map lists nothing under this category",
    "no_window": "these records carry times, and the decision names no window with both ends",
    "owners": "a thing is no account: its owners are named, and each of them takes a decision of its own",
}
"""Why something was not collected, in words for the minimisation statement."""


@dataclass(frozen=True, slots=True)
class TargetQuery:
    """The one question that turns what the paper names into the subject key."""

    route: TargetRoute
    value: str

    def as_json(self) -> dict[str, Json]:
        return {**self.route.as_json(), "value": self.value}


@dataclass(frozen=True, slots=True)
class PlannedColumn:
    """A column that leaves, the authorised category that it counts under, and its third-party rules."""

    name: str
    category: Category
    third_party: tuple[str, ...]

    def as_json(self) -> dict[str, Json]:
        return {"name": self.name, "category": self.category, "third_party": list(self.third_party)}


@dataclass(frozen=True, slots=True)
class TableQuery:
    """One query: rows of one subject, inside the window, with these columns, in this order, at most ``cap``.

    ``window`` is None exactly where the path has no time column. More rows than ``cap`` are a failure, never
    a silent cut.
    """

    path: RowPath
    window: Period | None
    columns: tuple[PlannedColumn, ...]
    order: tuple[str, ...]
    cap: int
    label: str = ""
    """What this entry of the map is called in results and parcels; the table's name unless the map says ``as``."""
    by_hand: bool = False
    """Whether a person collects these rows, because no program reads the store."""

    def __post_init__(self) -> None:
        if not self.label:
            object.__setattr__(self, "label", self.path.table)

    @property
    def store(self) -> str:
        return self.path.store

    @property
    def table(self) -> str:
        return self.path.table

    @property
    def categories(self) -> tuple[Category, ...]:
        """The categories that its columns count under, in the order of the tree."""
        return tuple(ordered(column.category for column in self.columns))

    def as_json(self) -> dict[str, Json]:
        return {
            **self.path.as_json(),
            "window": {**self.window.as_json()} if self.window else None,
            "columns": [column.as_json() for column in self.columns],
            "order": list(self.order),
            "cap": self.cap,
            **({"as": self.label} if self.label != self.path.table else {}),
            **({"by_hand": True} if self.by_hand else {}),
        }


@dataclass(frozen=True, slots=True)
class FileQuery:
    """Files of one subject: rows that name them, and how a row becomes a path below ``root``."""

    rows: TableQuery
    store: str
    root: str
    template: str
    parts: tuple[PathPart, ...]
    category: Category
    layout: Layout = "file"
    window: Period | None = None
    """Given for a Maildir: its messages are cut by the time in their names."""
    in_place: bool = False
    """Only digest and size of each file are told, because the map says that it must never be copied."""

    def as_json(self) -> dict[str, Json]:
        return {
            "rows": self.rows.as_json(),
            "store": self.store,
            "root": self.root,
            "path": self.template,
            "category": self.category,
            **({"layout": self.layout} if self.layout != "file" else {}),
            **({"window": {**self.window.as_json()}} if self.window else {}),
            **({"in_place": True} if self.in_place else {}),
        }


@dataclass(frozen=True, slots=True)
class NotCollected:
    """A category, or one table's part of it, that this plan does not touch. It says nothing of what is held."""

    category: Category
    table: str | None
    reason: Reason

    @property
    def why(self) -> str:
        return REASONS[self.reason]

    def as_json(self) -> dict[str, Json]:
        return {"category": self.category, "table": self.table, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class HeldPart:
    """A snapshot that a hold keeps of the same account: read beside the live stores, never beyond this plan.

    ``manifest_sha256`` names what the hold had taken, so that what was approved is what is read.
    """

    hold_id: str
    case_id: str
    ref: str
    manifest_sha256: str

    @property
    def store(self) -> str:
        """The name of its folder in a parcel and of its entries in results."""
        return f"hold-{self.hold_id[:8]}"

    def as_json(self) -> dict[str, Json]:
        return {
            "hold": self.hold_id,
            "case": self.case_id,
            "target": self.ref,
            "manifest_sha256": self.manifest_sha256,
        }


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that production will ask, in order. Holds the target's value: it stays out of events."""

    map_id: str
    map_sha256: str
    item: ScopeItem
    target: TargetQuery
    tables: tuple[TableQuery, ...]
    files: tuple[FileQuery, ...]
    not_collected: tuple[NotCollected, ...]
    nonce: bytes
    holds: tuple[HeldPart, ...] = ()
    """Snapshots that are read too. A plan without any has the digest that it had before holds existed."""

    def as_json(self) -> dict[str, Json]:
        return {
            "v": 1,
            "nonce": b64(self.nonce),
            "map": {"id": self.map_id, "sha256": self.map_sha256},
            "scope": self.item.as_json(),
            "target": self.target.as_json(),
            "tables": [query.as_json() for query in self.tables],
            "files": [query.as_json() for query in self.files],
            "not_collected": [entry.as_json() for entry in self.not_collected],
            **({"holds": [each.as_json() for each in self.holds]} if self.holds else {}),
        }

    @property
    def plan_sha256(self) -> str:
        """Hex digest of the canonical form, nonce included, so that it cannot be guessed after erasure."""
        return digest_of(self.as_json())


type Entries = Mapping[str, StoreEntry]
"""The stores of the map by name."""


def compile_plan(item: ScopeItem, datamap: DataMap, *, nonce: bytes) -> Plan:
    """The plan for one authorised scope item. The same item, map and nonce give the same bytes.

    A table with times is always cut by the window; where the scope has no window with both ends (only
    categories of WITHOUT_WINDOW can be authorised so), such a table is left out and listed as not collected.
    A target of the kind resource has no tables: its key is no account, and must never be taken for one.

    Refuses secrets, an open window on records of use, and a target kind that the map does not declare.
    Source: formats.md, Plan and Data map.
    """
    check_authorisable(item)
    if len(nonce) != NONCE_BYTES:
        raise MalformedError("bad-nonce", f"A plan has a nonce of {NONCE_BYTES} bytes.")
    route = datamap.route(item.target.kind)
    stores = {entry.name: entry for entry in datamap.stores}
    reads = datamap if route.owners is None else replace(datamap, tables=(), files=())
    tables = tuple(query for table in reads.tables if (query := _table(table, item, stores)))
    files = tuple(each for listed in reads.files if (each := _file(listed, item, stores)))
    return Plan(
        map_id=datamap.id,
        map_sha256=datamap.sha256,
        item=item,
        target=TargetQuery(route, item.target.value),
        tables=tables,
        files=files,
        not_collected=tuple(_not_collected(item, reads, route)),
        nonce=nonce,
    )


def question_only(plan: Plan) -> Plan:
    """The plan of a decision to find out which account a target means: its one question, and no records.

    Refuses an address at a time that is not one address at one instant. Source: formats.md, Scope.
    """
    interval = plan.target.route.interval
    if interval is not None:
        parse_moment(plan.target.value, shared=interval.port_from is not None)
    return replace(plan, tables=(), files=(), not_collected=(), holds=())


def _table(table: ListedTable, item: ScopeItem, stores: Entries) -> TableQuery | None:
    """The query for one table, or None where nothing of it may leave."""
    columns = _columns(table, item)
    if not columns or not _cut(table.path, item.period):
        return None
    window, cap = item.period if table.path.time else None, _cap(table.path, stores)
    by_hand = stores[table.path.store].by_hand
    return TableQuery(table.path, window, columns, table.order, cap, table.label, by_hand)


def _columns(table: ListedTable, item: ScopeItem) -> tuple[PlannedColumn, ...]:
    return tuple(
        PlannedColumn(column.name, category, column.third_party)
        for column in table.columns
        if (category := column.counts_under(item.purpose)) in item.categories
    )


def _cut(path: RowPath, period: Period) -> bool:
    """Whether the window can cut these rows, or they carry no times to be cut by."""
    return path.time is None or period.closed


def _file_cut(listed: ListedFile, period: Period) -> bool:
    """A Maildir carries times of its own, whatever its row says."""
    return _cut(listed.path, period) and (listed.layout != "maildir" or period.closed)


def _cap(path: RowPath, stores: Entries) -> int:
    cap = stores[path.store].max_rows
    if cap is None:
        raise MalformedError("data-map", f"The store {path.store!r} gives rows but has no max_rows.")
    return cap


def _file(listed: ListedFile, item: ScopeItem, stores: Entries) -> FileQuery | None:
    if listed.category not in item.categories or not _file_cut(listed, item.period):
        return None
    columns = tuple(PlannedColumn(name, listed.category, ()) for name in listed.path_columns)
    order = (listed.path.time.column,) if listed.path.time else listed.path_columns
    window, cap = item.period if listed.path.time else None, _cap(listed.path, stores)
    rows = TableQuery(listed.path, window, columns, order, cap)
    return FileQuery(
        rows,
        listed.store,
        listed.root,
        listed.template,
        listed.parts,
        listed.category,
        listed.layout,
        item.period if listed.layout == "maildir" else None,
        listed.in_place,
    )


def _not_collected(item: ScopeItem, datamap: DataMap, route: TargetRoute) -> list[NotCollected]:
    """Each category outside the plan with its reason, then what an open window leaves out."""
    listed = {column.counts_under(item.purpose) for table in datamap.tables for column in table.columns} | {
        each.category for each in datamap.files
    }
    lacking: Reason = "not_mapped" if route.owners is None else "owners"
    found = [
        NotCollected(category, None, "not_authorised" if category not in item.categories else lacking)
        for category in ordered(AUTHORISABLE)
        if category not in item.categories or category not in listed
    ]
    found += [NotCollected(SECRETS, None, "never")]
    for table in datamap.tables:
        if not _cut(table.path, item.period):
            name = f"{table.path.store}.{table.label}"
            left = ordered(column.category for column in _columns(table, item))
            found += [NotCollected(category, name, "no_window") for category in left]
    for each in datamap.files:
        if each.category in item.categories and not _file_cut(each, item.period):
            name = f"{each.path.store}.{each.path.table}"
            found.append(NotCollected(each.category, name, "no_window"))
    return found

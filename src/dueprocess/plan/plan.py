"""Plan: what will be asked of which store about one account. The same on every engine.

A plan is compiled from one authorised scope item and one data map. It names only listed columns of authorised
categories, and each of its queries begins at the subject. Its digest is what two people approve.

Source: formats.md, "Plan".
"""

from dataclasses import dataclass
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
from dueprocess.plan.datamap import DataMap, ListedFile, ListedTable, PathPart, RowPath, TargetRoute
from dueprocess.wire import Json, b64, digest_of

Reason = Literal["not_authorised", "never", "not_mapped", "no_window"]

REASONS: dict[Reason, str] = {
    "not_authorised": "not authorised by the decision",
    "never": "passwords, keys and tokens are never produced",
    "not_mapped": "the data map lists nothing under this category",
    "no_window": "these records carry times, and the decision names no window with both ends",
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

    def as_json(self) -> dict[str, Json]:
        return {
            "rows": self.rows.as_json(),
            "store": self.store,
            "root": self.root,
            "path": self.template,
            "category": self.category,
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
        }

    @property
    def plan_sha256(self) -> str:
        """Hex digest of the canonical form, nonce included, so that it cannot be guessed after erasure."""
        return digest_of(self.as_json())


def compile_plan(item: ScopeItem, datamap: DataMap, *, nonce: bytes) -> Plan:
    """The plan for one authorised scope item. The same item, map and nonce give the same bytes.

    A table with times is always cut by the window; where the scope has no window with both ends (only
    categories of WITHOUT_WINDOW can be authorised so), such a table is left out and listed as not collected.

    Refuses secrets, an open window on records of use, and a target kind that the map does not declare.
    Source: formats.md, Plan and Data map.
    """
    check_authorisable(item)
    if len(nonce) != NONCE_BYTES:
        raise MalformedError("bad-nonce", f"A plan has a nonce of {NONCE_BYTES} bytes.")
    route = datamap.route(item.target.kind)
    tables = tuple(query for table in datamap.tables if (query := _table(table, item, datamap)))
    files = tuple(each for listed in datamap.files if (each := _file(listed, item, datamap)))
    return Plan(
        map_id=datamap.id,
        map_sha256=datamap.sha256,
        item=item,
        target=TargetQuery(route, item.target.value),
        tables=tables,
        files=files,
        not_collected=tuple(_not_collected(item, datamap)),
        nonce=nonce,
    )


def _table(table: ListedTable, item: ScopeItem, datamap: DataMap) -> TableQuery | None:
    """The query for one table, or None where nothing of it may leave."""
    columns = _columns(table, item)
    if not columns or not _cut(table.path, item.period):
        return None
    return _query(table.path, columns, table.order, item, datamap)


def _columns(table: ListedTable, item: ScopeItem) -> tuple[PlannedColumn, ...]:
    return tuple(
        PlannedColumn(column.name, category, column.third_party)
        for column in table.columns
        if (category := column.counts_under(item.purpose)) in item.categories
    )


def _cut(path: RowPath, period: Period) -> bool:
    """Whether the window can cut these rows, or they carry no times to be cut by."""
    return path.time is None or period.closed


def _query(
    path: RowPath,
    columns: tuple[PlannedColumn, ...],
    order: tuple[str, ...],
    item: ScopeItem,
    datamap: DataMap,
) -> TableQuery:
    cap = datamap.store(path.store).max_rows
    if cap is None:
        raise MalformedError("data-map", f"The store {path.store!r} gives rows but has no max_rows.")
    return TableQuery(path, item.period if path.time else None, columns, order, cap)


def _file(listed: ListedFile, item: ScopeItem, datamap: DataMap) -> FileQuery | None:
    if listed.category not in item.categories or not _cut(listed.path, item.period):
        return None
    columns = tuple(PlannedColumn(name, listed.category, ()) for name in listed.path_columns)
    order = (listed.path.time.column,) if listed.path.time else listed.path_columns
    rows = _query(listed.path, columns, order, item, datamap)
    return FileQuery(rows, listed.store, listed.root, listed.template, listed.parts, listed.category)


def _not_collected(item: ScopeItem, datamap: DataMap) -> list[NotCollected]:
    """Each category outside the plan with its reason, then what an open window leaves out."""
    listed = {column.counts_under(item.purpose) for table in datamap.tables for column in table.columns} | {
        each.category for each in datamap.files
    }
    found = [
        NotCollected(category, None, "not_authorised" if category not in item.categories else "not_mapped")
        for category in ordered(AUTHORISABLE)
        if category not in item.categories or category not in listed
    ]
    found += [NotCollected(SECRETS, None, "never")]
    for table in datamap.tables:
        if not _cut(table.path, item.period):
            name = f"{table.path.store}.{table.path.table}"
            left = ordered(column.category for column in _columns(table, item))
            found += [NotCollected(category, name, "no_window") for category in left]
    for each in datamap.files:
        if each.category in item.categories and not _cut(each.path, item.period):
            name = f"{each.path.store}.{each.path.table}"
            found.append(NotCollected(each.category, name, "no_window"))
    return found

"""Data map: what the operator holds, where, and under which category. A closed world.

A column that is not listed cannot leave. A map says only equalities that lead from one subject to rows; it
has no word for OR, for a pattern, for a range of people or for every column.

Source: formats.md, "Data map".
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from dueprocess.demand import Category, TargetKind
from dueprocess.errors import RefusedError
from dueprocess.wire import Json, digest_of

TimeUnit = Literal["s", "ms", "us", "iso", "timestamp"]
"""How a column writes a time: whole seconds, milli- or microseconds since 1970, UTC text with ``Z``, or the
engine's own type."""


@dataclass(frozen=True, slots=True)
class StoreEntry:
    """One place that holds data. ``connect`` may hold ``${NAME}`` and is no part of any digest.

    The engine follows from ``connect``, so that one map and one plan serve every engine. ``max_rows`` is the
    most rows that one table may give; None for a folder of files.
    """

    name: str
    connect: str
    max_rows: int | None

    def as_json(self) -> dict[str, Json]:
        return {"name": self.name, "max_rows": self.max_rows}


@dataclass(frozen=True, slots=True)
class TargetRoute:
    """How what the paper names becomes the subject key. ``column`` is unique in the live table."""

    kind: TargetKind
    store: str
    table: str
    column: str
    subject: str

    def as_json(self) -> dict[str, Json]:
        return {
            "kind": self.kind,
            "store": self.store,
            "table": self.table,
            "column": self.column,
            "subject": self.subject,
        }


@dataclass(frozen=True, slots=True)
class Hop:
    """One many-to-one step: rows whose ``on`` equals the unique column ``foreign`` of ``table``."""

    table: str
    on: str
    foreign: str

    def as_json(self) -> dict[str, Json]:
        return {"table": self.table, "on": self.on, "foreign": self.foreign}


@dataclass(frozen=True, slots=True)
class TimeColumn:
    """When a row happened. ``table`` is the row's own table or one on the path."""

    table: str
    column: str
    unit: TimeUnit

    def as_json(self) -> dict[str, Json]:
        return {"table": self.table, "column": self.column, "unit": self.unit}


@dataclass(frozen=True, slots=True)
class RowPath:
    """Which rows belong to one subject: equalities from the table over ``hops`` to the subject column.

    ``absent`` lists columns of the table that must be NULL. ``current``: the rows describe the account as it
    is now, so that no window can cut them; a map says this in so many words.
    """

    store: str
    table: str
    hops: tuple[Hop, ...]
    subject: str
    time: TimeColumn | None
    current: bool
    absent: tuple[str, ...]

    @property
    def subject_table(self) -> str:
        """The table that holds the subject column: the last of the path."""
        return self.hops[-1].table if self.hops else self.table

    def as_json(self) -> dict[str, Json]:
        return {
            "store": self.store,
            "table": self.table,
            "via": [hop.as_json() for hop in self.hops],
            "subject": {"table": self.subject_table, "column": self.subject},
            "time": self.time.as_json() if self.time else None,
            "current": self.current,
            "absent": list(self.absent),
        }


@dataclass(frozen=True, slots=True)
class ListedColumn:
    """One column that may leave, and under which category.

    ``sole_purpose_identify`` is the category under which it counts where the assessment found that the sole
    purpose is to identify someone. ``third_party`` are the rules that take other people out of its values:
    ``mask`` for the whole value, ``redact:a.b`` for a place in a JSON document.
    """

    name: str
    category: Category
    sole_purpose_identify: Category | None = None
    third_party: tuple[str, ...] = ()

    def counts_under(self, purpose: str | None) -> Category:
        """The category that must be authorised for this column to leave."""
        if purpose == "identify" and self.sole_purpose_identify is not None:
            return self.sole_purpose_identify
        return self.category

    def as_json(self) -> dict[str, Json]:
        return {
            "name": self.name,
            "category": self.category,
            "sole_purpose_identify": self.sole_purpose_identify,
            "third_party": list(self.third_party),
        }


@dataclass(frozen=True, slots=True)
class ListedTable:
    """One table, the path to a subject's rows, the columns that may leave and their fixed order."""

    path: RowPath
    columns: tuple[ListedColumn, ...]
    order: tuple[str, ...]

    def as_json(self) -> dict[str, Json]:
        return {
            "path": self.path.as_json(),
            "columns": [column.as_json() for column in self.columns],
            "order": list(self.order),
        }


@dataclass(frozen=True, slots=True)
class PathPart:
    """A piece of a file's path: literal text, or characters ``start`` to ``end`` of a column's value."""

    text: str = ""
    column: str | None = None
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True)
class ListedFile:
    """Files of a subject in a folder store, found through rows that name them.

    ``template`` is the file's path below ``root``: ``{media_id[0:2]}/{media_id[2:]}``.
    """

    path: RowPath
    store: str
    root: str
    template: str
    parts: tuple[PathPart, ...]
    category: Category

    @property
    def path_columns(self) -> tuple[str, ...]:
        """Columns that the template reads, each once, in order."""
        return tuple(dict.fromkeys(part.column for part in self.parts if part.column is not None))

    def as_json(self) -> dict[str, Json]:
        return {
            "from": self.path.as_json(),
            "store": self.store,
            "root": self.root,
            "path": self.template,
            "category": self.category,
        }


@dataclass(frozen=True, slots=True)
class DataMap:
    """A parsed map. It does NOT say that the live stores look like this: `check_map` compares."""

    id: str
    version: str
    platform: str
    stores: tuple[StoreEntry, ...]
    targets: tuple[TargetRoute, ...]
    tables: tuple[ListedTable, ...]
    files: tuple[ListedFile, ...]

    def store(self, name: str) -> StoreEntry:
        """The entry of a store that the map names; the parser made sure that there is one."""
        return next(entry for entry in self.stores if entry.name == name)

    def route(self, kind: TargetKind) -> TargetRoute:
        """How a target of this kind is resolved. Refuses a kind that the map does not declare."""
        for route in self.targets:
            if route.kind == kind:
                return route
        raise RefusedError(
            "no-route",
            f"The data map {self.id!r} does not say how a target of kind {kind!r} becomes an account.",
            why="Only a declared, unique column may stand between what a paper names and a person.",
            do="Ask the authority to name the account exactly.",
            source="formats.md, Scope and Data map",
        )

    def as_json(self) -> dict[str, Json]:
        return {
            "v": 1,
            "id": self.id,
            "version": self.version,
            "platform": self.platform,
            "stores": _all(self.stores),
            "targets": _all(self.targets),
            "tables": _all(self.tables),
            "files": _all(self.files),
        }

    @property
    def sha256(self) -> str:
        """Hex digest of the canonical form, without connection strings."""
        return digest_of(self.as_json())


def _all(values: Iterable[StoreEntry | TargetRoute | ListedTable | ListedFile]) -> list[Json]:
    return [value.as_json() for value in values]

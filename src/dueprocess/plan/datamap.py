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

TimeUnit = Literal["s", "ms", "us", "iso", "timestamp", "date"]
"""How a column writes a time: whole seconds, milli- or microseconds since 1970, UTC text with ``Z``, the
engine's own type, or a day (which counts as the instant at which it begins)."""

Compare = Literal["exact", "ignore_case"]
"""How a platform tells two names apart. ``ignore_case`` compares lower case with lower case, on both sides."""

MANUAL = "manual:"
"""``connect`` of a store that no program reads: a person collects its tables. It stands in the map itself, so that
nobody turns a live store into one afterwards."""

type Constant = str | int | bool
type Equalities = tuple[tuple[str, Constant], ...]
"""Columns that must hold one fixed value each. They only narrow: all of them count, beside the subject."""


@dataclass(frozen=True, slots=True)
class StoreEntry:
    """One place that holds data. ``connect`` may hold ``${NAME}`` and is no part of any digest.

    The engine follows from ``connect``, so that one map and one plan serve every engine. ``max_rows`` is the
    most rows that one table may give; None for a folder of files.
    """

    name: str
    connect: str
    max_rows: int | None

    @property
    def by_hand(self) -> bool:
        """Whether a person collects what it holds. This is part of the map's digest, unlike any engine."""
        return self.connect == MANUAL

    def as_json(self) -> dict[str, Json]:
        by_hand: dict[str, Json] = {"by_hand": True} if self.by_hand else {}
        return {"name": self.name, "max_rows": self.max_rows, **by_hand}


@dataclass(frozen=True, slots=True)
class TargetRoute:
    """How what the paper names becomes the subject key. ``column`` is unique among the rows that count.

    A row counts where every column of ``absent`` is NULL and every one of ``equals`` holds its value.
    ``interval`` is given for ``ip_at_time`` and only there, ``owners`` for ``resource`` and only there.
    """

    kind: TargetKind
    store: str
    table: str
    column: str
    subject: str
    absent: tuple[str, ...] = ()
    equals: Equalities = ()
    compare: Compare = "exact"
    interval: "Interval | None" = None
    owners: "Owners | None" = None

    def as_json(self) -> dict[str, Json]:
        return {
            "kind": self.kind,
            "store": self.store,
            "table": self.table,
            "column": self.column,
            "subject": self.subject,
            **({"absent": list[Json](self.absent)} if self.absent else {}),
            **({"equals": _pairs(self.equals)} if self.equals else {}),
            **({"compare": self.compare} if self.compare != "exact" else {}),
            **({"interval": self.interval.as_json()} if self.interval else {}),
            **({"owners": self.owners.as_json()} if self.owners else {}),
        }


@dataclass(frozen=True, slots=True)
class Interval:
    """From when until when (exclusive) an address belonged to one account. An open end is NULL and lasts still.

    ``port_from`` and ``port_to`` (inclusive) are columns where several accounts share an address.
    """

    since: str
    until: str
    unit: TimeUnit
    port_from: str | None = None
    port_to: str | None = None

    def as_json(self) -> dict[str, Json]:
        ports: dict[str, Json] = {"port_from": self.port_from, "port_to": self.port_to}
        given = {name: each for name, each in ports.items() if each is not None}
        return {"since": self.since, "until": self.until, "unit": self.unit, **given}


@dataclass(frozen=True, slots=True)
class Owners:
    """From a resource to the accounts that own it: rows of ``table`` whose ``resource`` equals the resource's
    subject key and that ``equals`` picks; each row's ``subject`` equals the unique ``key`` of ``accounts``, whose
    ``name`` is the value of a new target of the kind account. Never members, followers or readers.
    """

    table: str
    resource: str
    subject: str
    equals: Equalities
    accounts: str
    key: str
    name: str

    def as_json(self) -> dict[str, Json]:
        return {
            "table": self.table,
            "resource": self.resource,
            "subject": self.subject,
            "equals": _pairs(self.equals),
            "accounts": self.accounts,
            "key": self.key,
            "name": self.name,
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
    """When a row happened. ``table`` is the row's own table or one on the path.

    ``zone`` is an IANA zone for columns that write the local time without saying so. A local time that a change
    of the clock makes ambiguous counts as inside a window only if both of its meanings are.
    """

    table: str
    column: str
    unit: TimeUnit
    zone: str = "UTC"

    def as_json(self) -> dict[str, Json]:
        zone: dict[str, Json] = {"zone": self.zone} if self.zone != "UTC" else {}
        return {"table": self.table, "column": self.column, "unit": self.unit, **zone}


@dataclass(frozen=True, slots=True)
class RowPath:
    """Which rows belong to one subject: equalities from the table over ``hops`` to the subject column.

    ``absent`` lists columns of the table that must be NULL, ``equals`` columns of the table that must hold one
    value, for stores that keep several kinds of records in one table. ``current``: the rows describe the account as it
    is now, so that no window can cut them; a map says this in so many words.
    """

    store: str
    table: str
    hops: tuple[Hop, ...]
    subject: str
    time: TimeColumn | None
    current: bool
    absent: tuple[str, ...]
    equals: Equalities = ()

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
            **({"equals": _pairs(self.equals)} if self.equals else {}),
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
    """One table, the path to a subject's rows, the columns that may leave and their fixed order.

    ``label`` is what the entry is called in plans, results and parcels: the table's name, unless the map says
    ``as``, because one table holds several kinds of records. It is unique within a store.
    """

    path: RowPath
    columns: tuple[ListedColumn, ...]
    order: tuple[str, ...]
    label: str = ""

    def __post_init__(self) -> None:
        if not self.label:
            object.__setattr__(self, "label", self.path.table)

    def as_json(self) -> dict[str, Json]:
        return {
            "path": self.path.as_json(),
            "columns": [column.as_json() for column in self.columns],
            "order": list(self.order),
            **({"as": self.label} if self.label != self.path.table else {}),
        }


@dataclass(frozen=True, slots=True)
class PathPart:
    """A piece of a file's path: literal text, or characters ``start`` to ``end`` of a column's value."""

    text: str = ""
    column: str | None = None
    start: int | None = None
    end: int | None = None


Stamp = Literal["rfc3339", "syslog", "unix"]
"""How a line of text writes its time: RFC 3339; ``Nov 22 14:02:27`` without a year, as RFC 3164 has it (the year
follows from the file's own date); whole seconds since 1970."""


@dataclass(frozen=True, slots=True)
class LinesTable:
    """Text files read as a table: one record for each line that ``pattern`` matches whole.

    ``files`` is a pattern of file names in the store's folder (``mail.log*``; compressed ones are read too). The
    named groups of ``pattern`` are the columns; the group ``time``, if there is one, is read by ``stamp`` and
    ``zone`` into an instant. A line that does not match is no record of this table.
    """

    store: str
    name: str
    files: str
    pattern: str
    stamp: Stamp | None
    zone: str = "UTC"

    def as_json(self) -> dict[str, Json]:
        return {
            "store": self.store,
            "name": self.name,
            "files": self.files,
            "pattern": self.pattern,
            "stamp": self.stamp,
            "zone": self.zone,
        }


Layout = Literal["file", "maildir"]


@dataclass(frozen=True, slots=True)
class ListedFile:
    """Files of a subject in a folder store, found through rows that name them.

    ``template`` is the file's path below ``root``: ``{media_id[0:2]}/{media_id[2:]}``. With the layout ``maildir``
    the path is a Maildir, of which each message is a file; the seconds at the beginning of its name are its time.
    """

    path: RowPath
    store: str
    root: str
    template: str
    parts: tuple[PathPart, ...]
    category: Category
    layout: Layout = "file"
    in_place: bool = False
    """These files are never copied, into a hold or a parcel: only digest and size are told."""

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
            **({"layout": self.layout} if self.layout != "file" else {}),
            **({"in_place": True} if self.in_place else {}),
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
    lines: tuple[LinesTable, ...] = ()

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
            **({"lines": _all(self.lines)} if self.lines else {}),
        }

    @property
    def sha256(self) -> str:
        """Hex digest of the canonical form, without connection strings."""
        return digest_of(self.as_json())


def _pairs(equals: Equalities) -> dict[str, Json]:
    return dict(equals)


def _all(values: Iterable[StoreEntry | TargetRoute | ListedTable | ListedFile | LinesTable]) -> list[Json]:
    return [value.as_json() for value in values]

"""A dry run: what this service holds about one account that has proved itself, in counts and months.

The whole plan of a data map runs through the same stores, examiners and checks as production does. Each batch
of records is counted and dropped: no value is returned, kept or written.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

from dueprocess.demand import AUTHORISABLE, Category, Period, ScopeItem, Target, ordered
from dueprocess.errors import DueprocessError, MalformedError, RefusedError, UnavailableError
from dueprocess.plan import (
    DataMap,
    FileQuery,
    NotCollected,
    Plan,
    RowPath,
    TableQuery,
    TargetQuery,
    TargetRoute,
    TimeColumn,
    compile_plan,
    moment_of,
)
from dueprocess.production.stores import Checked, FolderStore, Stores, Subject, open_stores

Status = Literal["found", "nothing_held", "failed", "not_asked"]

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_NO_NONCE = bytes(32)
"""The plan of a dry run is never signed and never leaves this process."""


@dataclass(frozen=True, slots=True)
class Proven:
    """An account that a live server has just confirmed for a token, and the session that the token belongs to."""

    user_id: str
    device_id: str

    @property
    def server_name(self) -> str:
        """The part behind the first colon."""
        return self.user_id.partition(":")[2]


@dataclass(frozen=True, slots=True)
class Part:
    """What one table holds under one category: records with a value there, and the bytes of these values."""

    category: Category
    columns: tuple[str, ...]
    records: int
    size: int


@dataclass(frozen=True, slots=True)
class Held:
    """What one entry of the map gave. ``months`` is the oldest and the newest, such as ``2026-09``.

    For files ``records`` counts those that are there, ``missing`` those that a record names and that are not, and
    ``size`` is what the file system says: no file is opened.
    """

    store: str
    label: str
    path: RowPath
    files: bool
    status: Status
    records: int
    size: int
    months: tuple[str, str] | None
    parts: tuple[Part, ...]
    missing: int = 0
    why: str = ""


@dataclass(frozen=True, slots=True)
class Holdings:
    """Everything that was counted, and what was not. Holds no value and does not say whose it is."""

    datamap: DataMap
    window: Period
    entries: tuple[Held, ...]
    not_collected: tuple[NotCollected, ...]
    left_out: Mapping[str, tuple[str, ...]]
    """By table, the live columns that the map does not list: they never leave."""

    def parts(self, category: Category) -> tuple[tuple[Held, Part], ...]:
        """The entries that hold something under a category, or could."""
        return tuple(
            (held, part) for held in self.entries for part in held.parts if part.category == category
        )

    @property
    def categories(self) -> tuple[Category, ...]:
        """Every category that the map lists something under, in the order of the tree."""
        return tuple(ordered({part.category for held in self.entries for part in held.parts}))


def whole_window(now: dt.datetime, days: int | None) -> Period:
    """From the beginning until now, or the last days. Refuses days that are none, and more than a hundred years."""
    if days is None:
        return Period(_EPOCH, now)
    if not 1 <= days <= 36_500:
        raise MalformedError("bad-days", "The days to count back are from 1 to 36500.")
    return Period(max(_EPOCH, now - dt.timedelta(days=days)), now)


def count_own(datamap: DataMap, connections: Mapping[str, str], account: Proven, window: Period) -> Holdings:
    """Counts what the stores of a Synapse hold about the account that a live server has confirmed.

    ``connections`` gives the values of ``${NAME}`` in the map. Refuses an account that these stores do not know, an
    administrator, a guest, an application service, a closed account, and a token that is no session of its own.
    One table that fails does not stop the others.
    """
    plan = _plan(datamap, account, window)
    stores = open_stores(datamap, connections)
    try:
        subject = _admitted(plan, stores, account)
        entries = (
            *(_table(query, stores, subject) for query in plan.tables),
            *(_files(each, stores, subject) for each in plan.files),
        )
        return Holdings(datamap, window, entries, plan.not_collected, _left_out(plan, stores))
    finally:
        stores.close()


# ------------------------------------------------------------------------------------------------ whose


_ACCOUNT = TargetRoute("account", "main", "users", "name", "name")
_KINDS: tuple[tuple[str, TargetRoute, str], ...] = (
    (
        "administrator",
        TargetRoute("account", "main", "users", "name", "name", equals=(("admin", 0),)),
        "an administrator's",
    ),
    (
        "guest",
        TargetRoute("account", "main", "users", "name", "name", equals=(("is_guest", 0),)),
        "a guest's",
    ),
    (
        "appservice",
        TargetRoute("account", "main", "users", "name", "name", absent=("appservice_id",)),
        "an application service's",
    ),
    (
        "deactivated",
        TargetRoute("account", "main", "users", "name", "name", equals=(("deactivated", 0),)),
        "closed",
    ),
)
"""What an account must not be, and the row that only another one has. The columns are Synapse's."""


def _plan(datamap: DataMap, account: Proven, window: Period) -> Plan:
    route = datamap.route("account")
    if route != _ACCOUNT:
        raise RefusedError(
            "other-accounts",
            "This map does not name accounts as Synapse does.",
            why="The server confirms a Matrix identifier, and only that account may be asked about.",
            do="Use the shipped map, or one whose target of the kind account is main.users.name, subject name.",
        )
    item = ScopeItem(Target("account", account.user_id), AUTHORISABLE, window)
    return compile_plan(item, datamap, nonce=_NO_NONCE)


def _admitted(plan: Plan, stores: Stores, account: Proven) -> Subject:
    """The subject. Every doubt is a no."""
    store = stores.databases[plan.target.route.store]
    subject = store.resolve(plan.target)
    if subject is None:
        raise RefusedError(
            "other-server",
            "This database does not hold the account that the server confirmed.",
            why=f"The server speaks for {account.server_name}; this is another one's database, or an old copy.",
            do="Name the database and the address of the same homeserver.",
        )
    for code, route, what in _KINDS:
        if store.resolve(TargetQuery(route, account.user_id)) is None:
            raise RefusedError(
                code,
                f"This account is {what}, and such accounts are not counted.",
                why="Only a person's own session proves who asks. Other tokens can speak for somebody else.",
                do="Use the token of an ordinary account of your own.",
            )
    own = TargetRoute(
        "account", "main", "devices", "device_id", "user_id", equals=(("user_id", account.user_id),)
    )
    if store.resolve(TargetQuery(own, account.device_id)) is None:
        raise RefusedError(
            "no-session",
            "This database does not know the session that the token belongs to.",
            why="The session is checked in the store, so that server and database belong together.",
            do="Log in anew with an ordinary client and use that session's token; check that the database is live.",
        )
    return subject


# ------------------------------------------------------------------------------------------------ counting


class _Tally:
    """Counts of one query's records, while they pass by."""

    def __init__(self, query: TableQuery) -> None:
        self.records = 0
        self.ends: list[int] = []
        self._query = query
        self._names = [column.name for column in query.columns]
        self._by = {
            category: [at for at, column in enumerate(query.columns) if column.category == category]
            for category in query.categories
        }
        self._filled = dict.fromkeys(self._by, 0)
        self._size = dict.fromkeys(self._by, 0)

    def add(self, checked: Checked) -> None:
        """One batch. Refuses other columns than the plan's, and more records than its cap."""
        rows = checked.rows
        if rows.schema.names != self._names:
            raise MalformedError("columns-differ", f"{self._query.label!r} did not give the plan's columns.")
        self.records += rows.num_rows
        if self.records > self._query.cap:
            raise RefusedError(
                "too-many-rows", f"{self._query.label!r} gave more than {self._query.cap} records."
            )
        for category, places in self._by.items():
            columns = [rows.column(at) for at in places]
            filled = reduce(pc.or_, (pc.is_valid(column) for column in columns))
            self._filled[category] += pc.sum(filled).as_py() or 0
            self._size[category] += sum(value_bytes(column) for column in columns)
        time = self._query.path.time
        if time is not None and checked.times is not None:
            self.ends = _ends([*self.ends, *_first_and_last(checked.times, time)])

    @property
    def months(self) -> tuple[str, str] | None:
        return (_month(self.ends[0]), _month(self.ends[-1])) if self.ends else None

    @property
    def parts(self) -> tuple[Part, ...]:
        return tuple(
            Part(
                category,
                tuple(self._names[at] for at in places),
                self._filled[category],
                self._size[category],
            )
            for category, places in self._by.items()
        )


def value_bytes(column: pa.Array) -> int:
    """Bytes of a column's values: of texts their length, of fixed types their width; NULL has none."""
    kind, types = column.type, pa.types
    if any(
        test(kind)
        for test in (types.is_string, types.is_large_string, types.is_binary, types.is_large_binary)
    ):
        return int(pc.sum(pc.binary_length(column)).as_py() or 0)
    if types.is_primitive(kind) or types.is_decimal(kind):
        return max(1, int(kind.bit_width) // 8) * int(len(column) - column.null_count)
    return 0 if types.is_null(kind) else int(column.nbytes)


def _first_and_last(times: pa.Array, time: TimeColumn) -> Iterator[int]:
    """Microseconds since 1970 of the earliest and the latest of these times; nothing where there are none."""
    if pa.types.is_timestamp(times.type):
        times = pc.floor_temporal(times, unit="microsecond").cast(pa.timestamp("us", tz=times.type.tz))
    found = pc.min_max(times).as_py()
    yield from (moment_of(each, time.unit, time.zone) for each in found.values() if each is not None)


def _ends(moments: list[int]) -> list[int]:
    return [min(moments), max(moments)] if moments else []


def _month(moment: int) -> str:
    return f"{_EPOCH + dt.timedelta(microseconds=moment):%Y-%m}"


_FAILURES = (UnavailableError, MalformedError, RefusedError)


def _table(query: TableQuery, stores: Stores, subject: Subject) -> Held:
    tally, why, asked = _Tally(query), "", True
    try:
        for checked in stores.databases[query.store].batches(query, subject):
            tally.add(checked)
    except _FAILURES as error:
        why, asked = _sentence(error), not query.by_hand
    status: Status = "failed" if why else "found" if tally.records else "nothing_held"
    status = status if asked else "not_asked"
    size = sum(part.size for part in tally.parts)
    return Held(
        query.store,
        query.label,
        query.path,
        False,
        status,
        tally.records,
        size,
        tally.months,
        tally.parts,
        0,
        why,
    )


def _files(query: FileQuery, stores: Stores, subject: Subject) -> Held:
    """Files by the names that records give. Only their sizes are asked for."""
    tally, sizes, missing, why = _Tally(query.rows), list[int](), 0, ""
    status: Status = "failed"
    try:
        folder = _folder(query, stores)
        for checked in stores.databases[query.rows.store].batches(query.rows, subject):
            tally.add(checked)
            found = [_size(folder, query, row) for row in checked.rows.to_pylist()]
            sizes += [size for size in found if size is not None]
            missing += found.count(None)
        status = "found" if sizes or missing else "nothing_held"
    except _FAILURES as error:
        status = "not_asked" if error.code == "not-configured" else "failed"
        why = _sentence(error)
    part = Part(query.category, (query.template,), len(sizes), sum(sizes))
    return Held(
        query.store,
        query.rows.label,
        query.rows.path,
        files=True,
        status=status,
        records=len(sizes),
        size=sum(sizes),
        months=tally.months,
        parts=(part,),
        missing=missing,
        why=why,
    )


def _folder(query: FileQuery, stores: Stores) -> FolderStore:
    if query.layout != "file":
        raise UnavailableError("not-counted", f"A dry run does not count a {query.layout}.")
    if query.store not in stores.folders:
        raise stores.missing[query.store]
    return stores.folders[query.store]


def _size(folder: FolderStore, query: FileQuery, row: dict[str, object]) -> int | None:
    try:
        return folder.find(query, row).size
    except UnavailableError:
        return None


def _sentence(error: DueprocessError) -> str:
    return f"{error.what} {error.why}".strip()


def _left_out(plan: Plan, stores: Stores) -> dict[str, tuple[str, ...]]:
    """By table, live columns that no entry of the map lists, without those that lead to the account."""
    listed: dict[tuple[str, str], set[str]] = {}
    for query in plan.tables:
        known = listed.setdefault((query.store, query.table), set())
        known |= {column.name for column in query.columns} | {query.path.subject, *query.order}
        known |= {hop.on for hop in query.path.hops}
    found: dict[str, tuple[str, ...]] = {}
    for (store, table), known in listed.items():
        try:
            live = stores.databases[store].columns(table)
        except UnavailableError:
            continue  # The table's own entry has said why.
        if left := tuple(name for name in live if name not in known):
            found[table] = left
    return found

"""`fsck`: reads every column of every protected row again and says, in words, what does not fit.

Checks: the guards stand as written (`guards`); events chain, fold and commit; ledger numbers have no gap;
epochs give their roots; leaves and heads give the signed checkpoints; the docket is what refolding gives.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from django.db import connection
from django.db.models import CharField, Count, TextField

from dueprocess.cases.case import fold
from dueprocess.cases.events import ROSTER_KINDS, Event, check_links
from dueprocess.errors import DueprocessError
from dueprocess.history import (
    ledger,
    ready,  # noqa: F401  Django is loaded before its models
)
from dueprocess.history.append import docket_of, event_of
from dueprocess.history.audit import faults
from dueprocess.history.guards import guard_faults
from dueprocess.history.models import (
    PROTECTED,
    DocketRow,
    EpochRow,
    EventRow,
    HeadRow,
    LeafRow,
    PlacementRow,
    RecordRow,
)
from dueprocess.tlog.checkpoint import open_checkpoint
from dueprocess.tlog.epoch import epoch_root, epoch_seed
from dueprocess.tlog.leaf import EpochLeaf, parse_leaf
from dueprocess.tlog.merkle import Frontier, leaf_hash
from dueprocess.tlog.policy import Policy
from dueprocess.wire import instant

TEXTS = (CharField, TextField)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that does not fit: which table, which row, what."""

    table: str
    row: str
    what: str

    def __str__(self) -> str:
        return f"{self.table} {self.row}: {self.what}"


@dataclass(frozen=True, slots=True)
class FsckKeys:
    """What fsck needs beside the database: case keys (None where erased), epoch master, the log's policy."""

    case_key: Callable[[str], bytes | None]
    master: bytes
    policy: Policy


def fsck(keys: FsckKeys) -> list[Fault]:
    """Every fault found, in the order of the tables. Empty means that everything fits."""
    found: list[Fault] = list(_types())
    if found:  # the checks rest on it
        return found
    for table, check in CHECKS.items():
        try:
            found += check(keys)
        except DueprocessError as error:
            found.append(Fault(table, "-", error.what))
    return found


def _types() -> Iterator[Fault]:
    """SQLite stores a value of any type in any column; history holds whole numbers and texts."""
    if connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        for model in (*PROTECTED, DocketRow):
            table = model._meta.db_table  # noqa: SLF001  Django's documented API
            wanted = {
                field.column: "text" if isinstance(field, TEXTS) else "integer"
                for field in model._meta.concrete_fields  # noqa: SLF001
                if field.column
            }
            odd = [f"typeof({name}) <> '{kind}'" for name, kind in wanted.items()]
            cursor.execute(f"SELECT count(*) FROM {table} WHERE {' OR '.join(odd)}")  # noqa: S608  names of ours
            (number,) = cursor.fetchone()
            if number:
                yield Fault(table, "-", f"{number} rows hold a value of a type that does not belong there")


def _guards(_: FsckKeys) -> Iterator[Fault]:
    for table, name, what in guard_faults():
        yield Fault(table, name, what)


def _case_ids() -> list[str]:
    return list(EventRow.objects.order_by("case_id").values_list("case_id", flat=True).distinct())


def _events(keys: FsckKeys) -> Iterator[Fault]:
    for case_id in _case_ids():
        rows = list(EventRow.objects.filter(case_id=case_id).order_by("case_seq"))
        try:
            events = [event_of(row) for row in rows]
            check_links(events)
            if events[0].kind not in ROSTER_KINDS:
                fold(events)
        except DueprocessError as error:
            yield Fault("event", case_id[:8], f"{error.what} {error.why}".strip())
            continue
        yield from _sealed(case_id, events, keys)


def _sealed(case_id: str, events: list[Event], keys: FsckKeys) -> Iterator[Fault]:
    for number, what in faults(events, keys.case_key(case_id)):
        yield Fault("event", f"{case_id[:8]}/{number}", what)
    if RecordRow.objects.filter(case_id=case_id).count() != len(events):
        yield Fault(
            "record", case_id[:8], "the ledger knows another number of events of this case: one was removed"
        )
    if keys.case_key(case_id) is None:
        yield from _unproved(case_id)


def _unproved(case_id: str) -> Iterator[Fault]:
    """Without the case's key only its epoch proves a record; one that waits for its epoch is proved by nothing."""
    rows = RecordRow.objects.filter(case_id=case_id).values_list("ledger_seq", flat=True)
    placed = set(PlacementRow.objects.filter(ledger_seq__in=rows).values_list("ledger_seq", flat=True))
    for number in sorted(set(rows) - placed):
        yield Fault("record", str(number), "the case's key is gone and no epoch holds this record")


def _records(_: FsckKeys) -> Iterator[Fault]:
    for number, row in enumerate(RecordRow.objects.order_by("ledger_seq").iterator(), start=1):
        if row.ledger_seq != number:
            yield Fault("record", str(number), "the ledger has a gap here")
            return
    named = set(RecordRow.objects.values_list("case_id", flat=True).distinct())
    for case_id in sorted(named - set(_case_ids())):
        yield Fault("record", case_id[:8], "the ledger names a case that has no events")


def _epochs(keys: FsckKeys) -> Iterator[Fault]:
    known = set(EpochRow.objects.values_list("epoch", flat=True))
    for row in PlacementRow.objects.order_by("ledger_seq").iterator():
        if row.epoch not in known:
            yield Fault("placement", str(row.ledger_seq), "it lies in an epoch that was never closed")
    last: int | None = None
    for epoch in EpochRow.objects.order_by("epoch").iterator():
        if last is not None and epoch.epoch != last + 1:
            yield Fault("epoch", str(epoch.epoch), f"epoch {last + 1} is missing")
        last = epoch.epoch
        yield from _epoch(epoch, keys)
    yield from _unplaced()


def _epoch(row: EpochRow, keys: FsckKeys) -> Iterator[Fault]:
    records = ledger.placed_in(row.epoch)
    placed = {r.place: r.sealed for r in records if r.place is not None}
    root = epoch_root(epoch_seed(keys.master, row.epoch), row.epoch, placed)
    if root.hex() != row.root:
        yield Fault(
            "epoch", str(row.epoch), "its root (epoch.root) is not that of its records and placements"
        )
    if len(records) != row.records:
        yield Fault("epoch", str(row.epoch), f"it says {row.records} records and holds {len(records)}")
    entry = "".join(ledger.entries(row.leaf_index, row.leaf_index + 1))
    leaf = parse_leaf(entry.encode())
    fits = isinstance(leaf, EpochLeaf) and leaf.epoch == row.epoch and leaf.root.hex() == row.root
    if not fits or (isinstance(leaf, EpochLeaf) and instant(leaf.closed_at) != row.closed_at):
        yield Fault("epoch", str(row.epoch), f"public leaf {row.leaf_index} says something else")


def _unplaced() -> Iterator[Fault]:
    highest = PlacementRow.objects.order_by("-ledger_seq").first()
    if highest is None:
        return
    if PlacementRow.objects.count() != highest.ledger_seq:
        yield Fault("placement", "-", "a record before the last placed one has no place")
    if RecordRow.objects.count() < highest.ledger_seq:
        yield Fault("placement", str(highest.ledger_seq), "its record is gone")


def _leaves(_: FsckKeys) -> Iterator[Fault]:
    epochs = set(EpochRow.objects.values_list("leaf_index", flat=True))
    for number, row in enumerate(LeafRow.objects.order_by("leaf_index").iterator()):
        if row.leaf_index != number:
            yield Fault("leaf", str(number), "the log has a gap here")
            return
        is_epoch = isinstance(parse_leaf(row.entry.encode()), EpochLeaf)
        if is_epoch != (number in epochs):
            yield Fault("leaf", str(number), "this leaf and the table epoch do not fit together")


def _heads(keys: FsckKeys) -> Iterator[Fault]:
    """Each leaf was signed with a head of its own, so there is one head for every size."""
    frontier = Frontier()
    for size, row in enumerate(HeadRow.objects.order_by("size").iterator(), start=1):
        if row.size != size:
            yield Fault("head", str(size), "the head of this size is missing, or the table leaf has a gap")
            return
        frontier = frontier.extend(leaf_hash(entry.encode()) for entry in ledger.entries(size - 1, size))
        if frontier.size != size or frontier.root.hex() != row.root:
            yield Fault("head", str(size), "the rows of leaf do not give this head")
            return
        yield from _head(row, keys)
    if LeafRow.objects.count() != frontier.size:
        yield Fault("leaf", str(frontier.size), "no head was signed over this leaf")


def _head(row: HeadRow, keys: FsckKeys) -> Iterator[Fault]:
    try:
        opened = open_checkpoint(row.checkpoint.encode(), keys.policy)
    except DueprocessError as error:
        yield Fault("head", str(row.size), error.what)
        return
    if (opened.checkpoint.size, opened.checkpoint.root.hex()) != (row.size, row.root):
        yield Fault("head", str(row.size), "its signed checkpoint says something else")


def _docket(_: FsckKeys) -> Iterator[Fault]:
    projected = {row.case_id: row for row in DocketRow.objects.all()}
    for case_id in _case_ids():
        events = [event_of(row) for row in EventRow.objects.filter(case_id=case_id).order_by("case_seq")]
        case = None if events[0].kind in ROSTER_KINDS else fold(events)
        wanted, have = docket_of(events, case), projected.pop(case_id, None)
        names = [field.attname for field in DocketRow._meta.concrete_fields]  # noqa: SLF001  Django's documented API
        if have is None or any(getattr(wanted, name) != getattr(have, name) for name in names):
            yield Fault("docket", case_id[:8], "the list of cases differs from what the events say")
    for case_id in projected:
        yield Fault("docket", case_id[:8], "the list names a case that has no events")


CHECKS: Mapping[str, Callable[[FsckKeys], Iterator[Fault]]] = {
    "trigger": _guards,
    "event": _events,
    "record": _records,
    "epoch": _epochs,
    "leaf": _leaves,
    "head": _heads,
    "docket": _docket,
}
"""What is looked at, in this order; the name stands for the table where a check cannot go on."""


def counts() -> dict[str, int]:
    """Rows per protected table, for the summary line."""
    cases = EventRow.objects.aggregate(cases=Count("case_id", distinct=True))["cases"]
    return {
        "cases": cases,
        "events": EventRow.objects.count(),
        "records": RecordRow.objects.count(),
        "epochs": EpochRow.objects.count(),
        "leaves": LeafRow.objects.count(),
    }

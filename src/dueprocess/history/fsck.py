"""`fsck`: reads every column of every protected row again and says, in words, what does not fit.

Checks: the guards stand as written (`guards`); events chain, fold and commit; ledger numbers have no gap;
kept openings prove what was erased; epochs give their roots; leaves and heads give the signed checkpoints
(`fscklog`); the docket is what refolding gives.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from django.db import connection
from django.db.models import CharField, Count, Max, TextField

from dueprocess.cases.case import fold
from dueprocess.cases.events import ROSTER_KINDS, Event, check_links
from dueprocess.cases.invariants import broken_promises
from dueprocess.errors import DueprocessError
from dueprocess.history import (
    ledger,
    ready,  # noqa: F401  Django is loaded before its models
)
from dueprocess.history.append import LEDGER, docket_of, event_of
from dueprocess.history.fault import INVARIANTS, NOT_CHECKED, Fault, FsckKeys
from dueprocess.history.fscklog import cosigned_faults, epoch_faults, head_faults, leaf_faults
from dueprocess.history.guards import guard_faults
from dueprocess.history.models import (
    PROTECTED,
    CounterRow,
    DocketRow,
    EpochRow,
    ErasedRow,
    EventRow,
    LeafRow,
    RecordRow,
)
from dueprocess.history.recommit import faults

if TYPE_CHECKING:
    from django.db.models import Model

__all__ = ["CHECKS", "INVARIANTS", "NOT_CHECKED", "Fault", "FsckKeys", "counts", "fsck", "protected"]

TEXTS = (CharField, TextField)


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
    """SQLite stores a value of any type in any column; history holds whole numbers and texts, and no NULL."""
    with connection.cursor() as cursor:
        for model in (*PROTECTED, DocketRow):
            table = model._meta.db_table  # noqa: SLF001  Django's documented API
            odd = [_odd(name, wanted) for name, wanted in _columns(model).items()]
            cursor.execute(f"SELECT count(*) FROM {table} WHERE {' OR '.join(odd)}")  # noqa: S608  names of ours
            (number,) = cursor.fetchone()
            if number:
                yield Fault(
                    table, "-", f"{number} rows hold a value of a type that does not belong there", "I7"
                )


def _columns(model: "type[Model]") -> dict[str, str]:
    """Column → what it holds, ``text`` or ``integer``."""
    return {
        field.column: "text" if isinstance(field, TEXTS) else "integer"
        for field in model._meta.concrete_fields  # noqa: SLF001
        if field.column
    }


def _odd(name: str, wanted: str) -> str:
    """SQL that finds a value that does not belong into a column. On PostgreSQL only NULL can be one."""
    return f"typeof({name}) <> '{wanted}'" if connection.vendor == "sqlite" else f"{name} IS NULL"


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
            yield Fault("event", case_id[:8], f"{error.what} {error.why}".strip(), "I7")
            continue
        yield from _sealed(case_id, events, keys)


def _sealed(case_id: str, events: list[Event], keys: FsckKeys) -> Iterator[Fault]:
    case_key = keys.case_key(case_id)
    for number, what in faults(events, case_key):
        yield Fault("event", f"{case_id[:8]}/{number}", what, "I7")
    records = ledger.records_of(case_id)
    if len(records) != len(events):
        what = "the ledger knows another number of events of this case: one was removed"
        yield Fault("record", case_id[:8], what, "I3")
    if case_key is None:
        yield from _unproved(records)
    if events[0].kind not in ROSTER_KINDS:
        for number, invariant, what in broken_promises(events):
            yield Fault("event", f"{case_id[:8]}/{number}", what, invariant)
        yield from _early(events, records)


def _unproved(records: Mapping[int, ledger.LedgerRecord]) -> Iterator[Fault]:
    """Without the case's key only its epoch proves a record; the erasure's own may wait for its epoch."""
    last = max(records, default=0)
    for number, row in sorted(records.items()):
        if row.epoch is None and number != last:
            yield Fault(
                "record", str(row.ledger_seq), "the case's key is gone and no epoch holds this record", "I3"
            )


NEEDS: Mapping[str, str] = {"ProductionStarted": "DecisionApproved", "DeliveryStarted": "DataProduced"}
"""What may begin only after what stands in a closed epoch. Source: formats.md, Gate."""


def _early(events: list[Event], records: Mapping[int, ledger.LedgerRecord]) -> Iterator[Fault]:
    """What was collected or handed over before the record that allows it lay in a closed epoch, or was witnessed."""
    newest: dict[tuple[str, object], Event] = {}
    for event in events:
        ref = event.body.get("target")
        newest[event.kind, str(ref)] = event
        needed = newest.get((NEEDS[event.kind], str(ref))) if event.kind in NEEDS else None
        if needed is not None and not _closed_by(records.get(needed.case_seq), event.recorded_at):
            what = f"{event.kind} came before {needed.kind} lay in a closed epoch"
            yield Fault("event", f"{event.case_id[:8]}/{event.case_seq}", what, "I1")
        if event.kind == "ProductionStarted" and event.body["witnessed"]:
            size = event.body["log_size"]
            if not isinstance(size, int) or ledger.cosigned_at(size) is None:
                what = f"the head of {size} leaves that witnesses signed, and this event names, is gone"
                yield Fault("cosigned", str(size), what, "I1")


def _closed_by(record: ledger.LedgerRecord | None, at: str) -> bool:
    closed = ledger.epoch(record.epoch) if record is not None and record.epoch is not None else None
    return closed is not None and closed.closed_at <= at


def _records(_: FsckKeys) -> Iterator[Fault]:
    for number, row in enumerate(RecordRow.objects.order_by("ledger_seq").iterator(), start=1):
        if row.ledger_seq != number:
            yield Fault("record", str(number), "the ledger has a gap here", "I3")
            return
    named = set(RecordRow.objects.values_list("case_id", flat=True).distinct())
    for case_id in sorted(named - set(_case_ids())):
        yield Fault("record", case_id[:8], "the ledger names a case that has no events", "I4")


def _counter(_: FsckKeys) -> Iterator[Fault]:
    """One counter, as high as the newest record and as the number of records."""
    found = dict(CounterRow.objects.values_list("name", "value"))
    highest = RecordRow.objects.aggregate(highest=Max("ledger_seq"))["highest"]
    wanted = {LEDGER: highest} if highest is not None else {}
    if found != wanted or RecordRow.objects.count() != (highest or 0):
        what = f"it stands at {found}, the newest record is {highest} of {RecordRow.objects.count()}"
        yield Fault("counter", LEDGER, what, "I3")


def _erased(_: FsckKeys) -> Iterator[Fault]:
    """What is kept of an erased case is compared with its events; here what is kept of nothing."""
    homeless = ErasedRow.objects.exclude(ledger_seq__in=RecordRow.objects.values("ledger_seq"))
    for row in homeless.order_by("ledger_seq"):
        yield Fault("erased", str(row.ledger_seq), "an opening is kept of a record that is not there", "I3")


def _docket(_: FsckKeys) -> Iterator[Fault]:
    projected = {row.case_id: row for row in DocketRow.objects.all()}
    for case_id in _case_ids():
        events = [event_of(row) for row in EventRow.objects.filter(case_id=case_id).order_by("case_seq")]
        case = None if events[0].kind in ROSTER_KINDS else fold(events)
        wanted, have = docket_of(events, case), projected.pop(case_id, None)
        names = [field.attname for field in DocketRow._meta.concrete_fields]  # noqa: SLF001  Django's documented API
        if have is None or any(getattr(wanted, name) != getattr(have, name) for name in names):
            yield Fault("docket", case_id[:8], "the list of cases differs from what the events say", "I7")
    for case_id in projected:
        yield Fault("docket", case_id[:8], "the list names a case that has no events", "I7")


CHECKS: Mapping[str, Callable[[FsckKeys], Iterator[Fault]]] = {
    "trigger": _guards,
    "event": _events,
    "record": _records,
    "counter": _counter,
    "erased": _erased,
    "epoch": epoch_faults,
    "leaf": leaf_faults,
    "head": head_faults,
    "cosigned": cosigned_faults,
    "docket": _docket,
}
"""What is looked at, in this order; the name stands for the table where a check cannot go on."""

COVERED: Mapping[str, str] = {
    "event": "event: every column is in the event's digest, which the next event and its ledger record name",
    "record": "event and epoch: number, event and commitment are computed again, and their epoch holds them",
    "epoch": "epoch: root and number of records are rebuilt, number, root, time and leaf compared with the leaf",
    "placement": "epoch: the epoch's root follows from the places of its records",
    "leaf": "head: the leaves give the root of every signed head",
    "head": "head: root and size are computed again, every signature of the log's keys is verified",
    "cosigned": "cosigned: it is the head of its size, every signature of log and witnesses is verified",
    "erased": "event: the opening leads to the record's commitment and says what the event says",
    "counter": "counter: it equals the newest ledger number and the number of records",
    "docket": "docket: every column is derived from the events again (not protected: a projection)",
}
"""Table → the check that notices a changed value in any of its columns, and how."""


def protected() -> list[dict[str, str]]:
    """Every column that `fsck` covers: its table, its name, and the check that covers it."""
    return [
        {"table": model._meta.db_table, "column": column, "check": COVERED[model._meta.db_table]}  # noqa: SLF001
        for model in (*PROTECTED, DocketRow)
        for column in _columns(model)
    ]


def counts() -> dict[str, int]:
    """Rows per protected table, for the summary line; and how many cases are erased."""
    cases = EventRow.objects.aggregate(cases=Count("case_id", distinct=True))["cases"]
    return {
        "cases": cases,
        "events": EventRow.objects.count(),
        "records": RecordRow.objects.count(),
        "epochs": EpochRow.objects.count(),
        "leaves": LeafRow.objects.count(),
        "erased": EventRow.objects.filter(kind="Erased").count(),
    }

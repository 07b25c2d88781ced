"""Commitments computed again from events: what `fsck` and the production worker's gate compare with the tables.

While a case has its key, every field of every record is computed again. After its erasure only the kept openings
are left: they must lead to the same commitments and say what the events say.
"""

from collections.abc import Iterator, Mapping, Sequence

from dueprocess.cases.case import Case, evolve
from dueprocess.cases.events import ROSTER_KINDS, Event
from dueprocess.cases.sealing import record_secret, record_values
from dueprocess.errors import MalformedError
from dueprocess.history import ready  # noqa: F401  Django is loaded before its models
from dueprocess.history.ledger import LedgerRecord, records_of
from dueprocess.history.models import ErasedRow, RecordRow
from dueprocess.tlog.record import (
    KEPT_AFTER_ERASURE,
    Record,
    commitment,
    open_fields,
    parse_opening,
    verify_opening,
)
from dueprocess.wire import canonical


def recorded(events: Sequence[Event]) -> Iterator[tuple[Event, Record, LedgerRecord | None]]:
    """Each event of one case with its record as it must have been sealed, and the ledger's row of it."""
    rows = records_of(events[0].case_id) if events else {}
    case: Case | None = None
    prev: str | None = None
    for event in events:
        if event.kind not in ROSTER_KINDS:
            case = evolve(case if case is not None else Case(event.case_id, ()), event)
        row = rows.get(event.case_seq)
        values = record_values(case, event, ledger_seq=row.ledger_seq if row else 0, prev=prev)
        yield event, Record(values), row
        prev = row.commitment if row else None


def faults(events: Sequence[Event], case_key: bytes | None) -> Iterator[tuple[int, str]]:
    """(number, what is wrong) for each event whose ledger record is missing or commits to something else.

    Without a key the case must be erased by an event, and every record must have its kept opening.
    """
    if not events:
        return
    erased = events[-1].kind == "Erased"
    if case_key is None and not erased:
        yield events[-1].case_seq, "belongs to a case whose key is gone, and no event says that it was erased"
    kept = kept_openings(events[0].case_id)
    for event, record, row in recorded(events):
        if row is None:
            yield event.case_seq, "has no ledger record"
            continue
        if row.event_sha256 != event.sha256:
            yield event.case_seq, "is not the event that its ledger record names (record.event_sha256)"
        if case_key is not None and not _commits(record, row, case_key, event):
            yield event.case_seq, "does not give the commitment of its ledger record (record.commitment)"
        opening = kept.get(row.ledger_seq)
        what = _kept_fault(opening, record, row) if erased else _NOT_ERASED if opening is not None else None
        if what is not None:
            yield event.case_seq, what


def _commits(record: Record, row: LedgerRecord, case_key: bytes, event: Event) -> bool:
    return commitment(record, record_secret(case_key, event.sha256)).hex() == row.commitment


_NOT_ERASED = "has a kept opening (erased.opening), and no event says that its case was erased"


def keep_openings(events: Sequence[Event], case_key: bytes) -> None:
    """Stores what stays provable of each record of a case that is being erased, in the erasure's transaction."""
    rows = [
        ErasedRow(ledger_seq=row.ledger_seq, opening=_kept(record, record_secret(case_key, event.sha256)))
        for event, record, row in recorded(events)
        if row is not None
    ]
    ErasedRow.objects.bulk_create(rows)


def _kept(record: Record, secret: bytes) -> str:
    return canonical(open_fields(record, secret, KEPT_AFTER_ERASURE).as_json()).decode()


def kept_openings(case_id: str) -> Mapping[int, str]:
    """Ledger number → the opening that was kept of it, canonical JSON, for each record of an erased case."""
    theirs = RecordRow.objects.filter(case_id=case_id).values("ledger_seq")
    rows = ErasedRow.objects.filter(ledger_seq__in=theirs)
    return dict(rows.values_list("ledger_seq", "opening"))


def _kept_fault(text: str | None, record: Record, row: LedgerRecord) -> str | None:
    """What is wrong with the kept opening (erased.opening) of one record, or None."""
    if text is None:
        return "has a record of an erased case without its kept opening: the table erased lacks a row"
    try:
        opening = parse_opening(text.encode())
        opened = verify_opening(opening)
        one_form = canonical(opening.as_json()).decode() == text
    except MalformedError as error:
        return f"has a kept opening (erased.opening) that cannot be read or was changed: {error.what}"
    if not one_form or opened.commitment.hex() != row.commitment:
        return "has a kept opening (erased.opening) that does not lead to its record (record.commitment)"
    wanted = {name: record.value(name) for name in KEPT_AFTER_ERASURE}
    if dict(opened.values) != wanted:
        return "has a kept opening (erased.opening) that says something else than the event"
    return None

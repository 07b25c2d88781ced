"""Commitments computed again from events: what `fsck` and the production worker's gate compare with the tables."""

from collections.abc import Iterator, Sequence

from dueprocess.cases.case import Case, evolve
from dueprocess.cases.events import ROSTER_KINDS, Event
from dueprocess.cases.sealing import record_secret, record_values
from dueprocess.history.ledger import LedgerRecord, records_of
from dueprocess.tlog.record import Record, commitment


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

    Without a key (the case was erased) only the event's own digest can be compared.
    """
    for event, record, row in recorded(events):
        if row is None:
            yield event.case_seq, "has no ledger record"
            continue
        if row.event_sha256 != event.sha256:
            yield event.case_seq, "is not the event that its ledger record names (record.event_sha256)"
        if case_key is None:
            continue
        if commitment(record, record_secret(case_key, event.sha256)).hex() != row.commitment:
            yield event.case_seq, "does not give the commitment of its ledger record (record.commitment)"

"""Loading a case and adding to it: the only way history grows.

An append writes, in one durable transaction under one lock: the event, its ledger record (sequence without
gaps), and the docket row. Nothing that is promised outside is promised before that commit.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import IntegrityError, connection, transaction
from django.db.models import F

from dueprocess.cases.case import Case, evolve, fold
from dueprocess.cases.events import FIRST, ROSTER_KINDS, Draft, Event, check_body
from dueprocess.cases.sealing import record_secret, record_values
from dueprocess.errors import BrokenError, ConflictError, MalformedError
from dueprocess.history import ready  # noqa: F401  Django is loaded before its models
from dueprocess.history.models import CounterRow, DocketRow, EventRow, RecordRow
from dueprocess.tlog.record import Record, commitment
from dueprocess.wire import canonical, instant, parse_instant, parse_json

LEDGER = "ledger"
"""The name of the counter that numbers ledger records."""


@dataclass(frozen=True, slots=True)
class Hand:
    """Who writes, when, and under which case key (32 bytes) the record is sealed."""

    actor: str
    now: dt.datetime
    case_key: bytes


def load_events(case_id: str) -> list[Event]:
    """All events of a case or roster in order; empty where there is none. Raises ``BrokenError`` on bad bytes."""
    return [event_of(row) for row in EventRow.objects.filter(case_id=case_id).order_by("case_seq")]


def load_case(case_id: str) -> Case:
    """The folded case. Refuses an unknown id."""
    return fold(load_events(case_id))


def event_of(row: EventRow) -> Event:
    """A stored row as an event; the stored body must be its own canonical form."""
    try:
        body = parse_json(row.body)
        if not isinstance(body, dict) or canonical(body).decode() != row.body:
            raise MalformedError("not-canonical", "The stored body is not canonical JSON.")
        check_body(row.kind, row.version, body)
    except MalformedError as error:
        raise BrokenError(
            "bad-row",
            f"Event {row.case_seq} of case {row.case_id[:8]} cannot be read: {error.what}",
            why=error.why,
            do="Run dueprocess fsck; somebody changed the table.",
        ) from error
    return Event(
        row.case_id, row.case_seq, row.kind, row.version, body, row.actor, row.recorded_at, row.prev_sha256
    )


@dataclass(slots=True)
class Loaded:
    """A case or roster as it is under the lock. ``case`` is None for a roster and before the first event."""

    case_id: str
    events: list[Event]
    case: Case | None


def load(case_id: str, *, expected: int | None = None) -> Loaded:
    """What there is of a case, inside `append_lock`, checked link by link.

    ``expected`` is the number of events that the caller saw; a different number is a ``ConflictError``.
    """
    if not transaction.get_connection().in_atomic_block:
        raise BrokenError("no-lock", "A case was to be changed outside the append lock.")
    events = load_events(case_id)
    if expected is not None and expected != len(events):
        raise ConflictError(
            "case-moved",
            f"Somebody else changed case {case_id[:8]} in the meantime.",
            why=f"It has {len(events)} events, not {expected}.",
            do="Look at it again and decide again: dueprocess show.",
        )
    return Loaded(case_id, events, fold(events) if events and not _is_roster(events) else None)


def write(loaded: Loaded, drafts: Sequence[Draft], hand: Hand) -> list[Event]:
    """Adds events to what was loaded in the same transaction. Returns them as stored."""
    added: list[Event] = []
    for draft in drafts:
        event = _next(loaded.case_id, loaded.events, draft, hand)
        if event.kind not in ROSTER_KINDS:
            case = loaded.case if loaded.case is not None else Case(loaded.case_id, ())
            loaded.case = evolve(case, event)
        _write(loaded.case, event, hand)
        loaded.events.append(event)
        added.append(event)
    if added:
        _project(loaded.events, loaded.case)
    return added


def append(case_id: str, drafts: Sequence[Draft], hand: Hand, *, expected: int | None = None) -> list[Event]:
    """Loads and writes in one: for events that need no look at the case."""
    return write(load(case_id, expected=expected), drafts, hand)


def _is_roster(events: Sequence[Event]) -> bool:
    return bool(events) and events[0].kind in ROSTER_KINDS


def _next(case_id: str, events: list[Event], draft: Draft, hand: Hand) -> Event:
    check_body(draft.kind, 1, draft.body)
    last = events[-1] if events else None
    if last is not None and hand.now.replace(microsecond=0) < parse_instant(last.recorded_at):
        raise BrokenError(
            "clock-ran-back",
            "The clock shows a time before the last event of this case.",
            why=f"Last event: {last.recorded_at}; clock: {instant(hand.now)}.",
            do="Set the clock right; history is never dated back.",
        )
    prev = last.sha256 if last is not None else FIRST
    # Whole seconds: RFC 3339 texts are compared as texts, and ".5Z" sorts before "Z".
    at = instant(hand.now.replace(microsecond=0))
    return Event(case_id, len(events) + 1, draft.kind, 1, draft.body, hand.actor, at, prev)


def _write(case: Case | None, event: Event, hand: Hand) -> None:
    before = RecordRow.objects.filter(case_id=event.case_id, case_seq=event.case_seq - 1).first()
    ledger_seq = _next_number()
    values = record_values(case, event, ledger_seq=ledger_seq, prev=before.commitment if before else None)
    secret = record_secret(hand.case_key, event.sha256)
    try:
        EventRow.objects.bulk_create([_row(event)])
        RecordRow.objects.bulk_create(
            [
                RecordRow(
                    ledger_seq=ledger_seq,
                    case_id=event.case_id,
                    case_seq=event.case_seq,
                    event_sha256=event.sha256,
                    commitment=commitment(Record(values), secret).hex(),
                )
            ]
        )
    except IntegrityError as error:
        raise ConflictError(
            "case-moved", f"Somebody else wrote event {event.case_seq} of case {event.case_id[:8]} first.",
            do="Look at it again and decide again: dueprocess show.",
        ) from error  # fmt: skip


def _next_number() -> int:
    """The next ledger number, from the one counter. A rolled back transaction gives its number back: no gaps.

    A database's own sequence would leave gaps (PostgreSQL manual, CREATE SEQUENCE, Notes).
    """
    if not CounterRow.objects.filter(name=LEDGER).update(value=F("value") + 1):
        CounterRow.objects.bulk_create([CounterRow(name=LEDGER, value=1)])
    return CounterRow.objects.get(name=LEDGER).value


def _row(event: Event) -> EventRow:
    return EventRow(
        case_id=event.case_id,
        case_seq=event.case_seq,
        kind=event.kind,
        version=event.version,
        body=canonical(dict(event.body)).decode(),
        actor=event.actor,
        recorded_at=event.recorded_at,
        prev_sha256=event.prev_sha256,
    )


def docket_of(events: Sequence[Event], case: Case | None) -> DocketRow:
    """The projection of a case for lists, as `fsck` recomputes it."""
    return DocketRow(
        case_id=events[0].case_id,
        is_roster=case is None,
        stage=case.stage if case is not None else "roster",
        last_seq=len(events),
        received_at=events[0].recorded_at,
        updated_at=events[-1].recorded_at,
    )


def _project(events: Sequence[Event], case: Case | None) -> None:
    docket_of(events, case).save()


def vendor() -> str:
    """``sqlite`` or ``postgresql``."""
    return connection.vendor

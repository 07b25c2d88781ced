"""Promises that hold in every case, looked at again from its events alone: what `fsck` asks beside the stage table.

Source: security.md 3.1 (I1, I2, I8); formats.md, Gate.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence

from dueprocess.cases.case import Case, TargetState, evolve
from dueprocess.cases.events import Event
from dueprocess.cases.notify import owed_notice
from dueprocess.wire import Json, parse_instant

Found = tuple[str, str] | None


def broken_promises(events: Sequence[Event]) -> Iterator[tuple[int, str, str]]:
    """(number, promise, what) for each event that the stage table allows and a promise does not.

    The events must fold; `fold` says what the table forbids.
    """
    case = Case(events[0].case_id, ()) if events else None
    for event in events:
        assert case is not None
        check = _CHECKS.get(event.kind)
        found = check(case, event) if check is not None else None
        if found is not None:
            yield event.case_seq, *found
        case = evolve(case, event)


def _state(case: Case, event: Event) -> TargetState:
    return case.targets[event.text("target")]


def _two_people(case: Case, event: Event) -> Found:
    state = _state(case, event)
    given = [each.body["signature"] for each in (state.decision, *state.approvals) if each is not None]
    return (
        None if len(_people(given)) > 1 else ("I2", f"{event.kind} without two different people's signatures")
    )


def _people(signatures: Sequence[Json]) -> set[str]:
    return {str(each["person"]) for each in signatures if isinstance(each, Mapping)}


def _same_parcel(case: Case, event: Event) -> Found:
    produced = _state(case, event).produced
    names = [name for name in ("parcel_id", "parcel_sha256") if name in event.body]
    if produced is not None and all(produced.body[name] == event.body[name] for name in names):
        return None
    return "I1", f"{event.kind} names another parcel than the one that was produced"


def _allowed_to_tell(case: Case, event: Event) -> Found:
    # Events are dated in whole seconds: what fell due within this second was owed.
    at = parse_instant(event.recorded_at) + dt.timedelta(microseconds=999_999)
    if owed_notice(_state(case, event), at) == event.text("phase"):
        return None
    return "I8", "a notice was begun that was not owed then: an order forbade it, or nothing had happened"


def _delivery(case: Case, event: Event) -> Found:
    return _two_people(case, event) or _same_parcel(case, event)


def _confirmed(case: Case, event: Event) -> Found:
    hold = _state(case, event).hold
    given = [hold.started.body["signature"], event.body["signature"]] if hold is not None else []
    if hold is not None and (hold.confirmed is not None or hold.owed_end(parse_instant(event.recorded_at))):
        return "I2", "a hold was confirmed twice, or after it had lapsed"
    return None if len(_people(given)) > 1 else ("I2", "a hold was confirmed without a second person")


def _renewed(case: Case, event: Event) -> Found:
    hold = _state(case, event).hold
    once = hold is not None and hold.renewed is None and hold.confirmed is not None
    return _two_given(event) if once else ("I2", "a hold was renewed twice, or before anybody confirmed it")


def _ended(case: Case, event: Event) -> Found:
    """One person ends no hold: it is over by the clock, or two people signed."""
    hold = _state(case, event).hold
    if event.body["reason"] == "released":
        return _two_given(event)
    owed = hold.owed_end(parse_instant(event.recorded_at)) if hold is not None else None
    return (
        None
        if owed == event.body["reason"]
        else ("I2", "a hold was ended before its time without two people")
    )


def _same_hold(case: Case, event: Event) -> Found:
    hold = _state(case, event).hold
    same = hold is not None and hold.hold_id == event.body["hold_id"]
    return None if same else ("I1", f"{event.kind} names another hold than the one that was begun")


def _two_given(event: Event) -> Found:
    given = event.body["signatures"]
    people = _people(given if isinstance(given, list) else [])
    return None if len(people) > 1 else ("I2", f"{event.kind} without two different people's signatures")


def _by_hand(case: Case, event: Event) -> Found:
    """A person collects for a disclosure that two people approved, and for no other decision."""
    state = _state(case, event)
    if state.decision_sha256 != event.body["decision_sha256"] or state.resolving:
        return "I2", "something was collected by hand for another decision than the one that was approved"
    return _two_people(case, event)


_CHECKS: Mapping[str, Callable[[Case, Event], Found]] = {
    "CollectedByHand": _by_hand,
    "ProductionStarted": _two_people,
    "AccountsFound": _two_people,
    "DeliveryStarted": _delivery,
    "ParcelReleased": _same_parcel,
    "ParcelFetched": _same_parcel,
    "FieldsSpoken": _same_parcel,
    "ParcelDelivered": _same_parcel,
    "DeliveryReopened": _same_parcel,
    "ManifestMade": _same_parcel,
    "ParcelPurged": _same_parcel,
    "NoticeStarted": _allowed_to_tell,
    "HoldTaken": _same_hold,
    "HoldConfirmed": lambda case, event: _same_hold(case, event) or _confirmed(case, event),
    "HoldRenewed": _renewed,
    "HoldEnded": lambda case, event: _same_hold(case, event) or _ended(case, event),
    "HoldDestroyed": _same_hold,
    "Erased": lambda _, event: _two_given(event),
}

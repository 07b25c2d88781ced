"""What the production worker owes to holds: to take the one snapshot, to end what is over, to destroy what it kept.

All of it follows from the events and can be run again after a kill at any point: an attempt that history does not
name is thrown away whole, and a hold that ended and still has its key is not finished.
"""

import datetime as dt
import secrets
from collections.abc import Callable, Iterator, Mapping
from typing import Literal, NamedTuple

from dueprocess.audit.reconcile import application_name
from dueprocess.cases.case import Case
from dueprocess.cases.hold import HoldGate, Taken, check_hold
from dueprocess.cases.holdstate import END_REASONS, HoldState
from dueprocess.desk.admission import store_leases, stores_of
from dueprocess.desk.demands import authorised
from dueprocess.desk.desk import Desk
from dueprocess.desk.heldparts import VaultShelf
from dueprocess.desk.holding import keeping_until, open_hold
from dueprocess.desk.recovery import decided_before
from dueprocess.desk.restored import refuse_restored
from dueprocess.errors import BrokenError, DueprocessError, MalformedError
from dueprocess.history.append import load_case
from dueprocess.history.docket import going
from dueprocess.history.leases import leased
from dueprocess.production.snapshots import Snapshot, SnapshotFacts, take_snapshot
from dueprocess.steps import hold as steps
from dueprocess.wire import parse_instant

RETRY_FOR = dt.timedelta(hours=24)
"""So long a snapshot of which nothing at all could be read is tried again; after that the failures are recorded."""

Owes = Literal["end", "destroy", "take"]
Clock = Callable[[], dt.datetime]


class Owed(NamedTuple):
    """One thing that is to be done about one hold."""

    case_id: str
    ref: str
    what: Owes


def owed_holds(now: dt.datetime) -> Iterator[Owed]:
    """What is owed to holds at that instant, in the order of the docket; what is over is never taken."""
    for line in going():
        for ref, state in load_case(line.case_id).targets.items():
            hold = state.hold
            what = _owed(hold, now) if hold is not None else None
            if what is not None:
                yield Owed(line.case_id, ref, what)


def _owed(hold: HoldState, now: dt.datetime) -> Owes | None:
    if hold.ended is not None:
        return "destroy" if hold.destroyed is None else None
    if hold.owed_end(now) is not None:
        return "end"
    return "take" if hold.taken is None else None


def keep(desk: Desk, environment: Mapping[str, str], clock: Clock) -> list[str]:
    """One turn of the production worker about holds. A line for each thing done, or why it waits."""
    done: list[str] = []
    older = decided_before(desk)
    for owed in list(owed_holds(clock())):
        name = f"{owed.case_id[:8]} {owed.ref}"
        if owed.what == "end" and owed.ref in older(load_case(owed.case_id)):
            done.append(f"{name}: {_LOST}")
            continue
        try:
            done.append(f"{name}: {_ACTS[owed.what](desk, owed, environment, clock)}")
        except (BrokenError, MalformedError):
            raise
        except DueprocessError as error:
            done.append(f"{name}: the hold waits: {error.what}")
    return done


_LOST = (
    "the hold seems to be over, but the log was recovered since it began, so a confirmation or renewal may be lost: "
    "look for one; two people end it with dueprocess release"
)


def take(desk: Desk, case_id: str, ref: str, environment: Mapping[str, str], clock: Clock) -> Snapshot:
    """Takes the snapshot of a hold, once. It writes into the vault and nowhere else.

    Refuses unless one valid signature stands under exactly this hold. What a killed attempt left is thrown away first.
    """
    refuse_restored(desk.installation)
    _, plan = authorised(desk, load_case(case_id), ref)
    with leased([_lease(case_id, ref), *store_leases(stores_of(plan))], clock) as leases:
        case, now = load_case(case_id), clock()
        document = open_hold(desk, case, ref)
        hold = check_hold(
            HoldGate(
                case=case,
                ref=ref,
                document=document,
                roster=desk.roster(),
                origin=desk.pins.origin,
                plan_sha256=plan.plan_sha256,
                until=keeping_until(desk, case),
                now=now,
            )
        )
        _throw_away(desk, hold.hold_id)
        desk.keys.make(hold.hold_id)
        facts = SnapshotFacts(
            hold_id=hold.hold_id,
            nonce=secrets.token_bytes(32),
            reader=application_name(hold.decision_sha256),
            in_place=document["hold"]["files"] == "in_place",
            final=now >= parse_instant(hold.started.recorded_at) + RETRY_FOR,
        )
        shelf = VaultShelf(desk.vault, hold.hold_id)
        snapshot = take_snapshot(plan, desk.datamap, environment, shelf, facts)
        leases.check()
        steps.take(case_id, desk.hand("production", clock(), case_id), _taken(ref, hold, snapshot))
    return snapshot


def _taken(ref: str, hold: HoldState, snapshot: Snapshot) -> Taken:
    return Taken(
        ref=ref,
        hold_id=hold.hold_id,
        subject="one" if snapshot.subject_found else "none",
        manifest_sha256=snapshot.manifest_sha256,
        objects=snapshot.objects,
        size_bytes=snapshot.size,
        tables=[each.as_json() for each in snapshot.results],
    )


def end(desk: Desk, case_id: str, ref: str, *, now: dt.datetime) -> str:
    """Records that a hold is over by the clock, and destroys what it kept. Returns why it ended."""
    event = steps.end(case_id, desk.hand("production", now, case_id), ref)
    destroy(desk, case_id, ref, now=now)
    return event.text("reason")


def destroy(desk: Desk, case_id: str, ref: str, *, now: dt.datetime) -> None:
    """Destroys what an ended hold kept, its objects and then its own key, and records it. Can be run again."""
    with leased([_lease(case_id, ref)], lambda: now):
        hold = load_case(case_id).target(ref).hold
        if hold is None or hold.ended is None:
            return
        _throw_away(desk, hold.hold_id)
        objects = hold.taken.body["objects"] if hold.taken is not None else 0
        assert isinstance(objects, int)
        steps.destroyed(case_id, desk.hand("production", now, case_id), ref, objects=objects)


def live_holds(case: Case) -> list[str]:
    """The ids under which a case's holds have keys and objects of their own, until they are destroyed."""
    return [
        state.hold.hold_id
        for state in case.targets.values()
        if state.hold is not None and state.hold.destroyed is None
    ]


def _throw_away(desk: Desk, hold_id: str) -> None:
    if desk.keys.has(hold_id):
        desk.vault.remove(hold_id)
        desk.keys.destroy(hold_id)


def _lease(case_id: str, ref: str) -> str:
    """One program at a time takes or destroys: what one writes the other must not throw away."""
    return f"hold {case_id}:{ref}"[:80]


def _end_act(desk: Desk, owed: Owed, _environment: Mapping[str, str], clock: Clock) -> str:
    reason = end(desk, owed.case_id, owed.ref, now=clock())
    told = next(words for code, words in END_REASONS.items() if code == reason)
    return f"the hold ended and was destroyed: {told}"


def _destroy_act(desk: Desk, owed: Owed, _environment: Mapping[str, str], clock: Clock) -> str:
    destroy(desk, owed.case_id, owed.ref, now=clock())
    return "what the ended hold kept was destroyed"


def _take_act(desk: Desk, owed: Owed, environment: Mapping[str, str], clock: Clock) -> str:
    snapshot = take(desk, owed.case_id, owed.ref, environment, clock)
    told = ", ".join(f"{each.store}.{each.label} {each.status}" for each in snapshot.results)
    return f"held in the vault, unread: {told or 'nothing that the map lists'}"


_ACTS: Mapping[Owes, Callable[[Desk, Owed, Mapping[str, str], Clock], str]] = {
    "end": _end_act,
    "destroy": _destroy_act,
    "take": _take_act,
}

"""Verb 12, close: outcome per target, then one coarse row for the register."""

from dueprocess.cases.case import Case, TargetState
from dueprocess.cases.events import Draft, Event
from dueprocess.cases.notify import notice_pending
from dueprocess.errors import RefusedError
from dueprocess.wire import Json


def close(case: Case) -> list[Draft]:
    """Closes a case in which nothing is owed any more. Refuses while a target goes on or a notice is owed."""
    going = [
        ref
        for ref, state in case.targets.items()
        if state.stage not in ("refused", "delivered", "ended", "resolved", "read", "assessed")
    ]
    if going:
        raise RefusedError(
            "still-going",
            f"These targets are not finished: {', '.join(going)}.",
            do="Reject, withdraw or deliver them first: dueprocess next.",
        )
    if notice_pending(case):
        raise RefusedError(
            "notice-owed",
            "A user of this case is still to be told.",
            why="A nondisclosure order delays the notice, it does not end it.",
            do="Leave the case open: the worker sends the notice when the order ends, then close.",
            source="architecture.md section 2, notify",
        )
    outcomes: dict[str, Json] = {
        ref: _outcome(state) for ref, state in case.targets.items() if not state.children
    }
    return [Draft("CaseClosed", {"outcomes": outcomes})]


def _outcome(state: TargetState) -> str:
    if state.hold is not None or state.renewal is not None:
        return _kept(state)
    if state.stage == "resolved":
        return "no_records"
    if state.delivered is None:
        return "rejected"
    if not _rows(state):  # an account that is gone from the live store may be answered from a hold
        return "no_records"
    return "complied_in_part" if state.narrowed else "complied"


def _kept(state: TargetState) -> str:
    """The outcome of a demand to preserve: what two people let be kept counts, however it ended."""
    hold = state.hold
    if hold is None:
        return "complied"
    if hold.taken is None or hold.confirmed is None:
        return "rejected"
    if not _records(hold.taken):
        return "no_records"
    return "complied_in_part" if state.narrowed else "complied"


def _rows(state: TargetState) -> int:
    return _records(state.produced)


def _records(event: Event | None) -> int:
    tables: Json = event.body["tables"] if event else []
    return sum(int(str(t["rows"])) for t in tables if isinstance(t, dict)) if isinstance(tables, list) else 0


def register(case: Case, *, period: str, row_sha256: str) -> list[Draft]:
    """Commits the case's register row (a salted digest) to history, once."""
    if case.registered is not None:
        raise RefusedError("registered", "This case is in the register already.")
    return [Draft("CaseRegistered", {"period": period, "row_sha256": row_sha256})]

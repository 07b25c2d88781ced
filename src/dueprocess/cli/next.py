"""`dueprocess next`: what needs a person now, derived from the events; first what the law itself needs."""

import datetime as dt
from contextlib import suppress

from dueprocess.cases.case import Case, TargetState
from dueprocess.cases.narrow import holdable, resolvable
from dueprocess.cli.place import Place
from dueprocess.desk import packs, replies
from dueprocess.desk.assessments import current, moved_due_dates
from dueprocess.desk.collecting import unanswered_tables
from dueprocess.desk.desk import Desk
from dueprocess.desk.recovery import void_targets
from dueprocess.desk.resolving import demanded_item
from dueprocess.errors import DueprocessError, RefusedError
from dueprocess.history.append import load_case
from dueprocess.history.docket import docket
from dueprocess.wire import instant


def next_command(*, place: Place | None = None) -> None:
    """List what needs a person now, one line each, with the command to run. First what is wrong with the rules."""
    at = place or Place()
    desk, now = at.open()
    void = void_targets(desk)
    warned = packs.warnings(desk, now.date())
    cases = [load_case(line.case_id) for line in docket()]
    found: list[str] = []
    for case in cases:
        found += [
            *owed(case, void(case), meant(desk, case)),
            *by_hand(desk, case, void(case)),
            *changed(desk, case, now.date()),
            *replies.owed_letters(desk, case, now),
        ]
    lines = [*(f"Rules: {line}" for line in warned), *([""] if warned else [])]
    at.say([*lines, *(found or ["Nothing needs you now."])], {"rules": warned, "todo": found})


def changed(desk: Desk, case: Case, on: dt.date) -> list[str]:
    """What the rules say otherwise about an assessed case than when it was assessed: its answer, its due dates."""
    if case.assessed is None or case.closed is not None:
        return []
    short = case.case_id[:8]
    open_ones = {"assessed", "narrowed", "proposed"}
    again = (
        f"dueprocess assess {short}"
        if open_ones & {each.stage for each in case.targets.values()}
        else "tell counsel; what was approved stands"
    )
    lines = [
        f"{short}  another due date: {each.sentence} {again}" for each in moved_due_dates(desk, case, on)
    ]
    try:
        current(desk, case)
    except RefusedError as error:
        lines.append(f"{short}  {error.what} {again}")
    return lines


def by_hand(desk: Desk, case: Case, void: frozenset[str] = frozenset()) -> list[str]:
    """The tables that a person has to collect before the worker can answer, by the targets of one case."""
    short, lines = case.case_id[:8], list[str]()
    for ref, state in case.targets.items():
        waits = state.stage in ("approved", "producing") and not (state.resolving or state.challenged)
        if not waits or ref in void or case.closed is not None:
            continue
        with suppress(DueprocessError):  # what keeps the whole target back is said elsewhere
            tables = unanswered_tables(desk, case, ref)
            do = f"by hand, once it is sealed: dueprocess collect {short} {ref}  ({', '.join(tables)})"
            lines += [f"{short}  {do}"] if tables else []
    return lines


def meant(desk: Desk, case: Case) -> frozenset[str]:
    """The targets of a demand to preserve that are no account: which account they mean is found out before a hold."""
    if case.assessed is None or case.closed is not None or not holdable(case):
        return frozenset()
    return frozenset(ref for ref in case.targets if demanded_item(desk, case, ref).target.kind != "account")


def owed(
    case: Case, void: frozenset[str] = frozenset(), resolved_first: frozenset[str] = frozenset()
) -> list[str]:
    """What a person has to do for one case, as commands. ``void``: targets whose decision a recovery made void;
    ``resolved_first``: targets of a demand to preserve that are no account.
    """
    short = case.case_id[:8]
    authenticate = f"dueprocess authenticate {short} --finding called_back --authority ID"
    if case.stage in ("closed", "erased"):
        return []
    lines = [] if case.verified else [f"{short}  call back, then {authenticate}"]
    if case.read is None:
        return [*lines, f"{short}  dueprocess read {short} --suggest"]
    if case.assessed is None:
        return [*lines, f"{short}  dueprocess assess {short}"]
    if not resolvable(case):
        lines += [
            f"{short}  nothing can be produced: dueprocess show {short}",
            f"{short}  write back: dueprocess letter {short}; then dueprocess close {short}",
        ]
        return lines
    lines += [
        f"{short}  {line}"
        for ref, state in case.targets.items()
        if (line := _void(short, ref, state) if ref in void else _of(case, short, ref, ref in resolved_first))
    ]
    done = all(
        state.stage in ("refused", "delivered", "ended", "resolved") for state in case.targets.values()
    )
    return [*lines, f"{short}  dueprocess close {short}"] if done else lines


def _of(case: Case, short: str, ref: str, resolves: bool) -> str | None:  # noqa: FBT001  (the flag is the subject)
    state = case.targets[ref]
    holds = holdable(case) and not resolves
    return _hold(short, ref, state) if holds else _target(short, ref, state)


def _hold(short: str, ref: str, state: TargetState) -> str | None:
    """What a person has to do about a demand to preserve one target."""
    if state.challenged:
        return f"an objection is open: dueprocess challenge close {short} {ref}"
    hold = state.hold
    if hold is not None and hold.ended is None and hold.confirmed is None:
        at = f"before {instant(hold.confirm_until)}"
        return f"a second person {at}, or it is destroyed: dueprocess hold {short} {ref} --confirm"
    return {
        "assessed": f"dueprocess narrow {short} {ref}",
        "narrowed": f"dueprocess hold {short} {ref}",
    }.get(state.stage)


def _target(short: str, ref: str, state: TargetState) -> str | None:
    if state.challenged:
        return f"an objection is open: dueprocess challenge close {short} {ref}"
    return {
        "assessed": f"dueprocess narrow {short} {ref}",
        "narrowed": f"dueprocess propose {short} {ref}",
        "proposed": f"a second person: dueprocess approve {short} {ref}",
        "approved": f"once this is sealed the worker asks: dueprocess resolve {short} {ref}"
        if state.resolving
        else None,
        "produced": f"dueprocess deliver {short} {ref} --to FILE",
        "delivering": f"a hand-over was begun: dueprocess deliver {short} {ref} --confirm arrived",
    }.get(state.stage)


def _void(short: str, ref: str, state: TargetState) -> str:
    """What to do about a decision from before the log was recovered."""
    if state.challenged:
        return f"an objection is open: dueprocess challenge close {short} {ref}"
    if state.stage in ("producing", "produced"):
        return (
            f"void since the log was recovered, and collected already: dueprocess challenge open {short} {ref} --by "
            "operator, let it be upheld, and receive the paper again"
        )
    return f"void since the log was recovered, decide again: dueprocess narrow {short} {ref}"

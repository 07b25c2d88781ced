"""`dueprocess next`: what needs a person now, derived from the events."""

from dueprocess.cases.case import Case, TargetState
from dueprocess.cli.place import Place
from dueprocess.desk.recovery import void_targets
from dueprocess.history.append import load_case
from dueprocess.history.docket import docket


def next_command(*, place: Place | None = None) -> None:
    """List what needs a person now, one line each, with the command to run."""
    at = place or Place()
    desk, _ = at.open()
    void = void_targets(desk)
    cases = [load_case(line.case_id) for line in docket()]
    found = [each for case in cases for each in owed(case, void(case))]
    at.say(found or ["Nothing needs you now."], found)


def owed(case: Case, void: frozenset[str] = frozenset()) -> list[str]:
    """What a person has to do for one case, as commands. ``void``: targets whose decision a recovery made void."""
    short = case.case_id[:8]
    authenticate = f"dueprocess authenticate {short} --finding called_back --authority ID"
    if case.stage in ("closed", "erased"):
        return []
    lines = [] if case.verified else [f"{short}  call back, then {authenticate}"]
    if case.read is None:
        return [*lines, f"{short}  dueprocess read {short} --suggest"]
    if case.assessed is None:
        return [*lines, f"{short}  dueprocess assess {short}"]
    if not case.assessed.body["producible"]:
        return [
            *lines,
            f"{short}  nothing can be produced: dueprocess show {short}, then dueprocess close {short}",
        ]
    lines += [
        f"{short}  {line}"
        for ref, state in case.targets.items()
        if (line := _void(short, ref, state) if ref in void else _target(short, ref, state))
    ]
    done = all(state.stage in ("refused", "delivered") for state in case.targets.values())
    return [*lines, f"{short}  dueprocess close {short}"] if done else lines


def _target(short: str, ref: str, state: TargetState) -> str | None:
    if state.challenged:
        return f"an objection is open: dueprocess challenge close {short} {ref}"
    return {
        "assessed": f"dueprocess narrow {short} {ref}",
        "narrowed": f"dueprocess propose {short} {ref}",
        "proposed": f"a second person: dueprocess approve {short} {ref}",
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

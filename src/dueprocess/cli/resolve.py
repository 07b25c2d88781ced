"""`dueprocess resolve CASE TARGET`: find out which account a target means, in the production worker's own process."""

from dueprocess.cli.place import Place
from dueprocess.cli.printing import working
from dueprocess.cli.produce import resolved_lines, run_production
from dueprocess.errors import RefusedError
from dueprocess.history.append import load_case


def resolve_command(case: str, target: str, *, place: Place | None = None) -> None:
    """Ask the one question that two people approved. The answer goes into the vault, never to the requester.

    For a target that is no account: a mail address, a telephone number, an address at a time, a named thing. Each
    account that is found becomes a target of the same case and takes a decision of its own.
    """
    at = place or Place()
    desk, _ = at.open()
    case_id = at.case(case)
    found = load_case(case_id)
    state = found.target(target)
    if state.stage == "resolved" or state.ambiguous:
        at.say(resolved_lines(found, target), {"resolved": True, "targets": list(state.children)})
        return
    if not state.resolving:
        raise RefusedError(
            "not-resolving",
            f"Nobody decided to find out which account {target} means.",
            why="Only a target that is no account is resolved, under a decision that two people sign.",
            do=f"dueprocess narrow {case_id[:8]} {target}, then dueprocess propose.",
            source="formats.md, Scope",
        )
    with working("Proving, asking") as show:
        answer = run_production(str(desk.installation.root), case_id, target, show=show)
    lines = ["The gate opened:", *(f"  {each}" for each in answer["proved"])]
    after = load_case(case_id)
    told = {**answer, "targets": list(after.target(target).children)}
    at.say([*lines, *resolved_lines(after, target)], told)

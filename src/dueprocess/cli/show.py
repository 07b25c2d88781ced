"""`dueprocess show CASE`: one case as its events tell it."""

from dueprocess.cases.case import Case
from dueprocess.cli.place import Place, person
from dueprocess.desk.holding import refuse_unnamed
from dueprocess.history.append import load_case


def show_command(case: str, *, place: Place | None = None) -> None:
    """Show one case: its stage, its targets by reference, its events. Identifiers stay in the case file.

    A case with a hold is shown to people who may decide about holds.
    """
    at = place or Place()
    desk, now = at.open()
    found = load_case(at.case(case))
    if any(state.hold is not None for state in found.targets.values()):
        refuse_unnamed(desk, person(), now)
    at.say(
        page(found),
        {"case": found.case_id, "stage": found.stage, "events": [e.as_json() for e in found.events]},
    )


def page(case: Case) -> list[str]:
    """The case as text."""
    lines = [f"Case {case.case_id}", f"Stage {case.stage}"]
    if case.assessed is not None:
        body = case.assessed.body
        lines += [f"Assessment: {body['outcome']}; findings {', '.join(map(str, _list(body['findings'])))}"]
        lines += [f"  by {', '.join(_names(body['packs']))}, on {body['on']}"]
    for ref, state in case.targets.items():
        told = ", ".join(state.notified) or "not yet"
        lines += [
            f"  {ref}: {state.stage}; user told: {told}{'; an objection is open' if state.challenged else ''}"
        ]
    lines += ["Events:"]
    lines += [
        f"  {e.case_seq:>3}  {e.recorded_at}  {e.kind:<20} {e.actor}  {_about(e.body.get('target'))}"
        for e in case.events
    ]
    return lines


def _names(packs: object) -> list[str]:
    """The packs that an assessment was made by, with their versions."""
    return [f"{each['id']} {each['version']}" for each in _list(packs) if isinstance(each, dict)]


def _list(value: object) -> list[object]:
    return list(value) if isinstance(value, list) else []


def _about(ref: object) -> str:
    return f"({ref})" if ref else ""

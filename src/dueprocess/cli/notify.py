"""`dueprocess notify CASE TARGET`: tell the user what is owed now. The worker does the same by itself."""

from typing import Annotated

from cyclopts import Parameter

from dueprocess.cases.case import TargetState
from dueprocess.cases.notify import notice_rule
from dueprocess.cli.place import Place, person
from dueprocess.desk import notices
from dueprocess.history.append import load_case


def notify_command(
    case: str,
    target: str,
    *,
    confirm: Annotated[bool, Parameter(help="a letter found half sent did go out", negative="")] = False,
    place: Place | None = None,
) -> None:
    """Send the user what the law lets us tell now, with the receipt; or say why nothing is owed."""
    at = place or Place()
    desk, now = at.open()
    case_id = at.case(case)
    act = notices.confirm if confirm else notices.notify
    phase = act(desk, case_id, target, actor=person(), now=now)
    text = (
        f"The user of {target} was told ({phase})."
        if phase
        else f"Nothing is owed to the user of {target} now: {why_not(load_case(case_id).target(target))}."
    )
    at.say(text, {"case": case_id, "target": target, "phase": phase})


def why_not(state: TargetState) -> str:
    """Why nothing is owed to this user at this moment, in words."""
    rule = notice_rule(state)
    if state.stage == "refused":
        return "nothing is handed over for this target"
    if not rule or state.decision is None or not state.approvals:
        return "two people have not decided yet"
    if "after" in state.notified:
        return "this user was told everything"
    if rule["rule"] == "forbidden_by":
        return "the law forbids it"
    if state.notice_delayed is not None:
        return f"an order not to tell holds it back until {rule.get('until') or 'it is lifted'}"
    told = "this user was told before production; " if "before" in state.notified else ""
    return f"{told}the next letter follows when the answer package was handed over"

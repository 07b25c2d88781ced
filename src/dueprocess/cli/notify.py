"""`dueprocess notify CASE TARGET`: tell the user what is owed now. The worker does the same by itself."""

from typing import Annotated

from cyclopts import Parameter

from dueprocess.cli.place import Place, person
from dueprocess.desk import notices


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
        else f"Nothing is owed to the user of {target} now."
    )
    at.say(text, {"case": case_id, "target": target, "phase": phase})

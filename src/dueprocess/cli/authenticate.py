"""`dueprocess authenticate CASE`: record evidence about the requester."""

from typing import Annotated

from cyclopts import Parameter

from dueprocess.cases.authenticate import FINDING_CODES
from dueprocess.cli.place import Place, person
from dueprocess.desk import demands

_HELP = "what was found, once for each: " + "; ".join(
    f"{code}: {text}" for code, text in FINDING_CODES.items()
)


def authenticate_command(
    case: str,
    *,
    finding: Annotated[list[str], Parameter(help=_HELP)],
    authority: Annotated[str | None, Parameter(help="id of the enrolled authority")] = None,
    place: Place | None = None,
) -> None:
    """Record what a person found out about the requester. A mail alone never makes it verified."""
    at = place or Place()
    desk, now = at.open()
    case_id = at.case(case)
    event = demands.authenticate(
        desk, case_id, authority=authority, findings=finding, actor=person(), now=now
    )
    word = "verified" if event.kind == "RequesterVerified" else "doubted: nothing can be decided yet"
    at.say(f"Case {case_id[:8]}: the requester is {word}.", {"case": case_id, "event": event.as_json()})

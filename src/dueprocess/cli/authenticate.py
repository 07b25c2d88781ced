"""`dueprocess authenticate CASE`: record evidence about the requester."""

from typing import Annotated

from cyclopts import Parameter

from dueprocess.cases.authenticate import FINDING_CODES, PROOF
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
    lines = [f"Case {case_id[:8]}: the requester is verified."]
    if event.kind != "RequesterVerified":
        lines = [
            f"Case {case_id[:8]}: the requester is doubted: nothing can be decided yet.",
            *_wanting(authority, finding),
        ]
    at.say(lines, {"case": case_id, "event": event.as_json()})


def _wanting(authority: str | None, finding: list[str]) -> list[str]:
    """What is still missing before anything can be decided."""
    lines = []
    if not PROOF & set(finding):
        lines.append(
            "Missing: proof beyond the message. Call back on a number that you found yourself, "
            "then add --finding called_back."
        )
    if authority is None:
        lines.append("Missing: which enrolled authority it is. Add --authority ID (dueprocess enrol list).")
    return lines

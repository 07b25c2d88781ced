"""`dueprocess release CASE TARGET --ground GROUND`: two people end a hold before its time."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from dueprocess.cases.holdpapers import GROUNDS
from dueprocess.cli.place import Place, signing_key
from dueprocess.desk import holding
from dueprocess.errors import RefusedError

_GROUND_HELP = "why: " + "; ".join(f"{code} ({meaning})" for code, meaning in GROUNDS.items())


def release_command(
    case: str,
    target: str,
    *,
    ground: Annotated[str, Parameter(help=_GROUND_HELP)],
    signer: Annotated[list[Path], Parameter(help="the key files of two people who decide it, once for each")],
    place: Place | None = None,
) -> None:
    """End a hold before its time. Two people sign, because what it kept is destroyed and cannot come back."""
    if len(signer) < 2:
        raise RefusedError(
            "two-people",
            "Ending a hold early needs two different people.",
            do="Name both: --signer KEY --signer KEY.",
        )
    at = place or Place()
    desk, now = at.open()
    case_id = at.case(case)
    keys = [signing_key(each) for each in signer]
    event = holding.release(desk, case_id, target, ground, keys, now=now)
    at.say(
        f"The hold of {target} in case {case_id[:8]} is over: {GROUNDS[ground]}. The worker destroys its key and "
        "everything that it kept at its next turn.",
        event.as_json(),
    )

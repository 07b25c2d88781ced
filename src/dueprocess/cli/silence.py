"""`dueprocess silence CASE TARGET --paper FILE`: a nondisclosure order was extended, or ended before its time."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from dueprocess.cli.place import Place, signing_key
from dueprocess.desk import notices
from dueprocess.errors import RefusedError
from dueprocess.wire import parse_instant


def silence_command(  # noqa: PLR0913  the options of a command are its interface
    case: str,
    target: str,
    *,
    paper: Annotated[Path, Parameter(help="the new order, or the paper that ends it")],
    basis: Annotated[str, Parameter(help="the law it rests on, such as 18 USC 2705(b)")],
    signer: Annotated[list[Path], Parameter(help="the key files of two people who read it, once for each")],
    until: Annotated[str | None, Parameter(help="its new end, such as 2027-01-31T00:00:00Z")] = None,
    ended: Annotated[bool, Parameter(help="the order was lifted: the user is told now", negative="")] = False,
    place: Place | None = None,
) -> None:
    """Change until when a user may not be told. Two people read the order's paper and sign."""
    if ended == (until is not None):
        raise RefusedError("until-or-ended", "Say either --until or --ended.", do="Look at the paper.")
    at = place or Place()
    desk, now = at.open()
    case_id = at.case(case)
    order = notices.Order(paper, basis, parse_instant(until) if until else None)
    keys = [signing_key(each) for each in signer]
    new_end = notices.change_silence(desk, case_id, target, order, keys, now=now)
    words = f"may not be told before {new_end}" if new_end else "is told at the worker's next turn"
    at.say(f"Recorded: the user of {target} {words}.", {"case": case_id, "target": target, "until": new_end})

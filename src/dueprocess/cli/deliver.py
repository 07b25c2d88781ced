"""`dueprocess deliver CASE TARGET --to FILE`: hand the answer package over, once."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from dueprocess.cli.place import Place, person
from dueprocess.cli.printing import working
from dueprocess.desk import handover
from dueprocess.desk.receipts import parcel_receipt_path
from dueprocess.errors import RefusedError


def deliver_command(
    case: str,
    target: str,
    *,
    to: Annotated[Path | None, Parameter(help="the file to write the ciphertext to")] = None,
    confirm: Annotated[str | None, Parameter(help="a hand-over found half done: `arrived` or `lost`")] = None,
    place: Place | None = None,
) -> None:
    """Prove again that it may be done, hand over the ciphertext, record it. It is never repeated by itself."""
    at = place or Place()
    desk, now = at.open()
    case_id = at.case(case)
    if confirm is not None:
        if confirm not in ("arrived", "lost"):
            raise RefusedError(
                "unknown-word", f"{confirm!r} is neither `arrived` nor `lost`.", do="Find out which."
            )
        handover.confirm(desk, case_id, target, actor=person(), now=now, arrived=confirm == "arrived")
        again = "" if confirm == "arrived" else " It can be handed over again: dueprocess deliver."
        at.say(
            f"Recorded: the parcel for {target}: {confirm}.{again}", {"case": case_id, "confirmed": confirm}
        )
        return
    if to is None:
        raise RefusedError("no-file", "Where should it go?", do="Name the file to write with --to FILE.")
    with working("Proving and handing over"):
        proved = handover.deliver(desk, case_id, target, to, actor=person(), now=now)
    enclosed = parcel_receipt_path(to)
    again = (
        f"could not be written; again: dueprocess receipt {case_id[:8]} {target} --for requester --out FILE"
    )
    lines = [
        "The gate opened again:",
        *(f"  {each}" for each in proved),
        f"Handed over: {to}",
        f"The requester's receipt: {enclosed if enclosed.exists() else again}",
    ]
    at.say(lines, {"case": case_id, "target": target, "file": str(to), "proved": proved})

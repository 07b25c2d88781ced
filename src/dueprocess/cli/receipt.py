"""`dueprocess receipt CASE [TARGET] --for WHOM --out FILE`: what one reader may see of a case, with its proof."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from dueprocess.cli.place import Place
from dueprocess.desk.promises import intake_receipt
from dueprocess.desk.receipts import receipt
from dueprocess.history.append import load_case
from dueprocess.publication.durable import write_durable

Whom = Literal["requester", "court", "user", "intake"]


def receipt_command(
    case: str,
    target: str | None = None,
    *,
    whom: Annotated[
        Whom,
        Parameter(
            name="--for",
            help="user: the person behind TARGET; requester: who sent the paper; court: all of the case but its"
            " place among others; intake: the signed receipt of the paper's arrival once more",
        ),
    ],
    out: Annotated[Path, Parameter(help="the file to write")],
    place: Place | None = None,
) -> None:
    """Write a receipt that its reader can check offline. It opens what that reader may see and nothing else."""
    at = place or Place()
    desk, _ = at.open()
    case_id = at.case(case)
    if whom == "intake":
        made, check = intake_receipt(desk, case_id), "public/intake.vkey"
    else:
        made, check = receipt(desk, load_case(case_id), target, whom), "public/policy.txt"
    write_durable(out, made)
    at.say(
        [
            f"Receipt for the {whom} of case {case_id[:8]}: {out} ({len(made)} bytes).",
            f"It is checked with {check}.",
        ],
        {"case": case_id, "target": target, "for": whom, "bytes": len(made), "file": str(out)},
    )

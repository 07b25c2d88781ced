"""`dueprocess receive FILE`: store a paper as it came and open a case."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from dueprocess.cli.place import Place, person
from dueprocess.cli.printing import counted
from dueprocess.desk import demands
from dueprocess.desk.promises import promise_path


def receive_command(
    file: Path,
    *,
    channel: Annotated[str, Parameter(help="mail, upload, portal or letter")] = "mail",
    receipt: Annotated[
        Path | None, Parameter(help="where the signed intake receipt goes; default: the outbox")
    ] = None,
    place: Place | None = None,
) -> None:
    """Store a paper as it came, open a case, sign a receipt. It proves arrival, and nothing about the sender."""
    at = place or Place()
    desk, now = at.open()
    case_id, paper = demands.receive(desk, file, channel=channel, actor=person(), now=now, receipt=receipt)
    written = receipt or promise_path(desk, case_id)
    lines = [
        f"Received {file.name} as case {case_id[:8]} ({paper.kind}, {counted(len(paper.pages), 'page')})."
    ]
    lines += [f"  could not be read: {each}" for each in paper.unreadable]
    lines += [f"Intake receipt, to hand to whoever sent it: {written}"]
    lines += [f"Next: dueprocess authenticate {case_id[:8]}, then dueprocess read {case_id[:8]} --suggest."]
    at.say(
        lines,
        {
            "case": case_id,
            "sha256": paper.sha256,
            "kind": paper.kind,
            "unreadable": list(paper.unreadable),
            "receipt": str(written),
        },
    )

"""`dueprocess receive FILE`: store a paper as it came and open a case."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from dueprocess.cli.place import Place, person
from dueprocess.cli.printing import counted
from dueprocess.desk import demands


def receive_command(
    file: Path,
    *,
    channel: Annotated[str, Parameter(help="mail, upload, portal or letter")] = "mail",
    place: Place | None = None,
) -> None:
    """Store a paper as it came and open a case. Proves arrival, and nothing about the sender."""
    at = place or Place()
    desk, now = at.open()
    case_id, paper = demands.receive(desk, file, channel=channel, actor=person(), now=now)
    lines = [
        f"Received {file.name} as case {case_id[:8]} ({paper.kind}, {counted(len(paper.pages), 'page')})."
    ]
    lines += [f"  could not be read: {each}" for each in paper.unreadable]
    lines += [f"Next: dueprocess authenticate {case_id[:8]}, then dueprocess read {case_id[:8]} --suggest."]
    at.say(
        lines,
        {"case": case_id, "sha256": paper.sha256, "kind": paper.kind, "unreadable": list(paper.unreadable)},
    )

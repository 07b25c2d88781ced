"""`dueprocess challenge open|close CASE TARGET`: an objection holds the disclosure of that target."""

from typing import Annotated

from cyclopts import App, Parameter

from dueprocess.cli.place import Place, person
from dueprocess.steps import challenge as steps

app = App(name="challenge", help="Object to a disclosure, or decide an objection.", help_format="plaintext")


@app.command(name="open")
def open_command(
    case: str,
    target: str,
    *,
    by: Annotated[str, Parameter(help="user, operator or requester")] = "user",
    ground: Annotated[
        str, Parameter(help="a short code, such as not-me or too-wide; no names")
    ] = "not-stated",
    place: Place | None = None,
) -> None:
    """Hold the disclosure of one target until the objection is decided."""
    at = place or Place()
    desk, now = at.open()
    case_id = at.case(case)
    event = steps.open_challenge(case_id, desk.hand(person(), now, case_id), target, by=by, ground=ground)
    at.say(f"{target} of case {case_id[:8]} is held.", event.as_json())


@app.command(name="close")
def close_command(
    case: str,
    target: str,
    *,
    upheld: Annotated[bool, Parameter(help="the objection is right: the decision is withdrawn")],
    place: Place | None = None,
) -> None:
    """Decide an objection: --upheld withdraws the decision, --no-upheld lets it go on."""
    at = place or Place()
    desk, now = at.open()
    case_id = at.case(case)
    event = steps.close_challenge(case_id, desk.hand(person(), now, case_id), target, upheld=upheld)
    word = "withdrawn" if upheld else "no longer held"
    at.say(f"{target} of case {case_id[:8]} is {word}.", event.as_json())

"""`dueprocess produce CASE TARGET`: collect what was approved, in the production worker's own process."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from typing import Any

from dueprocess.cases.case import Case
from dueprocess.cli.place import Place
from dueprocess.cli.printing import working
from dueprocess.errors import EXIT_CODES, BrokenError, DueprocessError, UnavailableError
from dueprocess.history.append import load_case

_FAMILIES = {family.family: family for family in EXIT_CODES}


def produce_command(case: str, target: str, *, place: Place | None = None) -> None:
    """Prove that it may be done, query, encrypt, record. This process never sees the stores' credentials."""
    at = place or Place()
    desk, _ = at.open()
    case_id = at.case(case)
    with working("Proving, collecting, encrypting") as show:
        answer = run_production(str(desk.installation.root), case_id, target, show=show)
    lines = ["The gate opened:", *(f"  {each}" for each in answer["proved"])]
    if answer.get("resolved"):
        at.say([*lines, *resolved_lines(load_case(case_id), target)], answer)
        return
    lines += ["Collected:"]
    lines += [f"  {each}" for each in answer["tables"]]
    lines += [
        f"Parcel {answer['parcel_id']}. It can be handed over once its record is sealed: dueprocess deliver."
    ]
    at.say(lines, answer)


def resolved_lines(case: Case, ref: str) -> list[str]:
    """What a resolution led to: the targets that it added, or that it could not be answered; never the accounts."""
    refs = case.target(ref).children
    if case.target(ref).ambiguous:
        return [
            f"{ref} does not mean exactly one account: nobody was found, and it is refused. No number is recorded.",
            "Whoever asked hears that it could not be answered as asked, and no more.",
        ]
    if not refs:
        return [f"No account was found behind {ref}. That is in the vault; nothing was sent to anybody."]
    short = case.case_id[:8]
    return [
        f"Found behind {ref}: {', '.join(refs)}. The answer is in the vault; nothing was sent to anybody.",
        "Each of them takes a decision of its own:",
        *(f"  dueprocess narrow {short} {each}" for each in refs),
    ]


def run_production(
    install: str, case_id: str, target: str, *, show: Callable[[str], object] | None = None
) -> dict[str, Any]:
    """Runs the production worker for one target as a process of its own; its refusals come back as they were.

    ``show`` is told, in words, how far it is.
    """
    command = [sys.executable, "-m", "dueprocess.worker.production", "--install", install]
    answer: dict[str, Any] | None = None
    with (
        tempfile.TemporaryFile("w+") as words,
        subprocess.Popen(  # noqa: S603  our own program with checked arguments
            [*command, "--case", case_id, "--target", target], stdout=subprocess.PIPE, stderr=words, text=True
        ) as worker,
    ):
        assert worker.stdout is not None
        for line in worker.stdout:
            answer = _told(line, answer, show)
        worker.wait()
        words.seek(0)
        said = words.read().strip()[-400:]
    if answer is None:
        raise UnavailableError(
            "worker-failed",
            "The production worker ended without an answer; nothing was handed over.",
            why=said,
            do="Look at its message and run the command again.",
        )
    if "family" in answer:
        raise error_of(answer)
    return answer


def _told(
    line: str, answer: dict[str, Any] | None, show: Callable[[str], object] | None
) -> dict[str, Any] | None:
    """The answer, if this line is it; a line of progress is shown, and anything else is no answer."""
    try:
        found = json.loads(line)
    except json.JSONDecodeError:
        return None
    if not isinstance(found, dict) or "progress" not in found:
        return found if isinstance(found, dict) else None
    if show is not None:
        at = found["progress"]
        note = f"; {at['note']}" if at.get("note") else ""
        show(f"Collecting: table {at['entry']} of {at['entries']}, {at['records']:,} records so far{note}")
    return answer


def error_of(answer: dict[str, str]) -> DueprocessError:
    """An error that another process printed as JSON."""
    family = _FAMILIES.get(answer["family"], BrokenError)
    return family(answer["code"], answer["what"], why=answer["why"], do=answer["do"], source=answer["source"])

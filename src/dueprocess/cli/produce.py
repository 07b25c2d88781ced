"""`dueprocess produce CASE TARGET`: collect what was approved, in the production worker's own process."""

import json
import subprocess
import sys
from typing import Any

from dueprocess.cli.place import Place
from dueprocess.cli.printing import working
from dueprocess.errors import EXIT_CODES, BrokenError, DueprocessError, UnavailableError

_FAMILIES = {family.family: family for family in EXIT_CODES}


def produce_command(case: str, target: str, *, place: Place | None = None) -> None:
    """Prove that it may be done, query, encrypt, record. This process never sees the stores' credentials."""
    at = place or Place()
    desk, _ = at.open()
    case_id = at.case(case)
    with working("Proving, collecting, encrypting"):
        answer = run_production(str(desk.installation.root), case_id, target)
    lines = ["The gate opened:", *(f"  {each}" for each in answer["proved"]), "Collected:"]
    lines += [f"  {each}" for each in answer["tables"]]
    lines += [
        f"Parcel {answer['parcel_id']}. It can be handed over once its record is sealed: dueprocess deliver."
    ]
    at.say(lines, answer)


def run_production(install: str, case_id: str, target: str) -> dict[str, Any]:
    """Runs the production worker for one target as a process of its own; its refusals come back as they were."""
    command = [sys.executable, "-m", "dueprocess.worker.production", "--install", install]
    done = subprocess.run(  # noqa: S603  our own program with checked arguments
        [*command, "--case", case_id, "--target", target], capture_output=True, text=True, check=False
    )
    try:
        answer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    except (IndexError, json.JSONDecodeError) as error:
        raise UnavailableError(
            "worker-failed",
            "The production worker ended without an answer; nothing was handed over.",
            why=done.stderr.strip()[-400:],
            do="Look at its message and run the command again.",
        ) from error
    if "family" in answer:
        raise error_of(answer)
    return answer


def error_of(answer: dict[str, str]) -> DueprocessError:
    """An error that another process printed as JSON."""
    family = _FAMILIES.get(answer["family"], BrokenError)
    return family(answer["code"], answer["what"], why=answer["why"], do=answer["do"], source=answer["source"])

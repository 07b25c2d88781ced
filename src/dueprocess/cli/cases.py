"""`dueprocess cases`: every case and its stage."""

from dueprocess.cases.stages import STAGE_MEANING, Stage
from dueprocess.cli.place import Place
from dueprocess.history.docket import docket


def cases_command(*, stage: Stage | None = None, place: Place | None = None) -> None:
    """List all cases, oldest first. There is no filter by person: none exists."""
    at = place or Place()
    at.open()
    found = docket(stage=stage)
    meanings = {str(name): text for name, text in STAGE_MEANING.items()}
    lines = [
        f"{c.case_id[:8]}  {c.stage:<10} {c.received_at[:10]}  {meanings.get(c.stage, '')}" for c in found
    ]
    at.say(
        lines or ["No cases yet." if stage is None else f"No case is {stage}."],
        [{"case": c.case_id, "stage": c.stage, "received_at": c.received_at} for c in found],
    )

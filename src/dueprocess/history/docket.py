"""Lists of cases, from the projection. Never a source of truth: `fsck` refolds and compares."""

from dataclasses import dataclass

from dueprocess.errors import RefusedError
from dueprocess.history import ready  # noqa: F401  Django is loaded before its models
from dueprocess.history.models import DocketRow


@dataclass(frozen=True, slots=True)
class DocketLine:
    case_id: str
    stage: str
    events: int
    received_at: str
    updated_at: str


def docket(*, stage: str | None = None) -> list[DocketLine]:
    """All cases, oldest first, of one stage if given. There is no filter by person: none exists in the table."""
    rows = DocketRow.objects.filter(is_roster=False).order_by("received_at", "case_id")
    if stage is not None:
        rows = rows.filter(stage=stage)
    return [DocketLine(r.case_id, r.stage, r.last_seq, r.received_at, r.updated_at) for r in rows]


def going() -> list[DocketLine]:
    """All cases that are neither closed nor erased, oldest first: only in these can anything be owed."""
    return [line for line in docket() if line.stage not in ("closed", "erased")]


def erased() -> list[DocketLine]:
    """All erased cases, oldest first. Their events stay, so that an auditor sees that something was erased."""
    return docket(stage="erased")


def full_id(prefix: str) -> str:
    """The one case whose id begins with ``prefix`` (4 characters or more). Refuses none and several."""
    found = list(DocketRow.objects.filter(is_roster=False, case_id__startswith=prefix.lower())[:2])
    if len(prefix) < 4 or len(found) != 1:
        raise RefusedError(
            "no-such-case",
            f"{prefix[:40]!r} does not name exactly one case.",
            do="List them with dueprocess cases and give at least four characters of the id.",
        )
    return found[0].case_id

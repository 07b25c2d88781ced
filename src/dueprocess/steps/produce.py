"""Step 8: production begins and ends. The gate's last look and `ProductionStarted` share one transaction."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from dueprocess.cases.case import Case
from dueprocess.cases.events import Draft, Event
from dueprocess.errors import RefusedError
from dueprocess.history.append import Hand, load, write
from dueprocess.history.connection import append_lock
from dueprocess.steps.take import known, take
from dueprocess.wire import Json

LastLook = Callable[[Case], list[str]]
"""Runs the whole gate on the case as it is under the lock; raises unless everything is proved."""


@dataclass(frozen=True, slots=True)
class Head:
    """The head of the log that the gate relied on: its size, and whether the policy's witnesses saw it."""

    size: int
    witnessed: bool


@dataclass(frozen=True, slots=True)
class Produced:
    """What the production worker made: digests, sizes and a count per table, never a value."""

    ref: str
    decision_sha256: str
    subject: str
    parcel_id: str
    parcel_sha256: str
    size_bytes: int
    tables: Sequence[Mapping[str, Json]]


def start_production(
    case_id: str, hand: Hand, ref: str, *, look: LastLook, plan_sha256: str, head: Head
) -> list[str]:
    """Records that production starts, if the gate opens. Returns what the gate proved."""
    with append_lock():
        loaded = load(case_id)
        case = known(loaded)
        proved = look(case)
        if plan_sha256 != case.target(ref).plan_sha256:
            raise RefusedError(
                "plan-differs",
                "The plan that is about to run is not the one that two people signed for.",
                do="Look at the difference, narrow again and let two people sign again.",
                source="formats.md, Plan",
            )
        body: dict[str, Json] = {
            "target": ref,
            "decision_sha256": case.target(ref).decision_sha256,
            "plan_sha256": plan_sha256,
            "log_size": head.size,
            "witnessed": head.witnessed,
        }
        write(loaded, [Draft("ProductionStarted", body)], hand)
        return proved


def finish_production(case_id: str, hand: Hand, made: Produced) -> Event:
    """Records the parcel. Whether the target exists (``one`` or ``none``) stays inside."""
    head: dict[str, Json] = {"target": made.ref, "decision_sha256": made.decision_sha256}
    drafts = [
        Draft("TargetResolved", {**head, "subject": made.subject}),
        Draft(
            "DataProduced",
            {
                **head,
                "parcel_id": made.parcel_id,
                "parcel_sha256": made.parcel_sha256,
                "bytes": made.size_bytes,
                "tables": [dict(table) for table in made.tables],
            },
        ),
    ]
    return take(case_id, lambda _: drafts, hand)[-1]

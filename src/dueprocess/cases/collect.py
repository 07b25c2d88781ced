"""Collecting by hand: what a person may record about a table that no program reads, once two people approved.

It is a part of production. Of one table the last answer counts, until the answer package is made.

Source: docs/manual-collection.md; architecture.md section 2, produce.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from dueprocess.cases.case import Case, TargetState
from dueprocess.cases.events import Draft, Event
from dueprocess.errors import ConflictError, MalformedError, RefusedError
from dueprocess.wire import Json

MOST_FILES = 100
"""The most files that a person gives for one table at once."""

Outcome = Literal["found", "nothing_held", "failed"]
type TableName = tuple[str, str]
"""A store, and in it a table by its label."""


@dataclass(frozen=True, slots=True)
class Collected:
    """What a person said about one table: digests and a number, never a value and never a reason in words."""

    ref: str
    decision_sha256: str
    table: TableName
    outcome: Outcome
    files: Sequence[str]
    rows: int
    manifest_sha256: str


def collect(case: Case, made: Collected) -> list[Draft]:
    """Records one answer. Refuses it before two people approved a disclosure, and once the package is made.

    Records come from files, and nothing else does: refuses any other mixture.
    """
    state = case.target(made.ref)
    refuse_late(state)
    if made.decision_sha256 != state.decision_sha256:
        raise ConflictError(
            "other-decision",
            "Another decision stands now than the one that this was collected for.",
            do="Look at what is to be collected: dueprocess collect.",
        )
    found = made.outcome == "found"
    if found != bool(made.files) or found != (made.rows > 0) or len(made.files) > MOST_FILES:
        raise MalformedError(
            "bad-collection",
            "Either files with records were collected, or nothing is held, or it failed.",
            why=f"At most {MOST_FILES} files are taken at once.",
        )
    store, table = made.table
    body: dict[str, Json] = {
        "target": made.ref,
        "decision_sha256": made.decision_sha256,
        "store": store,
        "table": table,
        "outcome": made.outcome,
        "files": list[Json](made.files),
        "rows": made.rows,
        "manifest_sha256": made.manifest_sha256,
    }
    return [Draft("CollectedByHand", body)]


def refuse_late(state: TargetState) -> None:
    """Refuses to collect for what is produced already, or was never decided to be disclosed."""
    if state.produced is not None:
        raise RefusedError(
            "produced",
            "The answer package was made already: what is collected now would not be in it.",
            do="Tell the authority; a new paper begins a new case.",
            source="docs/manual-collection.md",
        )
    if state.decision is None or state.resolving:
        raise RefusedError(
            "not-approved",
            "Nothing is collected before two people approved a disclosure.",
            do="Look at the case: dueprocess show.",
            source="docs/manual-collection.md",
        )


def answer_to(state: TargetState, table: TableName) -> Event | None:
    """What counts for a table: the last answer under the decision that stands, or None."""
    found = [
        event
        for event in state.collected
        if (event.body["store"], event.body["table"]) == table
        and event.body["decision_sha256"] == state.decision_sha256
    ]
    return found[-1] if found else None


def unanswered(state: TargetState, tables: Iterable[TableName]) -> list[TableName]:
    """Which of these tables nobody has answered for, in their order."""
    return [table for table in tables if answer_to(state, table) is None]

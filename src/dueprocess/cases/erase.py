"""Erasure: two people destroy what a finished case holds, and history says that and when, never a hole.

What stays are the events (digests, codes, counts) and of every ledger record the openings of a few fields. Paper,
names, identifiers and all other openings go with the case's key.

Source: formats.md, "Ledger and public log" and "Vault"; architecture.md section 4.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dueprocess.cases.case import Case
from dueprocess.cases.document import signers
from dueprocess.cases.events import Draft
from dueprocess.cases.notify import notice_pending
from dueprocess.errors import MalformedError, RefusedError
from dueprocess.roster import Roster, Signature
from dueprocess.wire import Json, is_version

GROUNDS: Mapping[str, str] = {
    "retention-over": "the time for which the case had to be kept is over",
    "data-subject-request": "the person concerned asked for it, and nothing stands against it",
    "court-order": "a court ordered it",
    "received-in-error": "the paper was never meant for this service",
}
"""Why a case may be erased: a code for history, its meaning for people."""

KEYS = {"v", "origin", "case_id", "ground", "records", "nonce"}


@dataclass(frozen=True, slots=True)
class Erasing:
    """What stands beside the case when it is to be erased."""

    origin: str
    roster: Roster
    now: datetime
    sealed: bool
    """Whether every record of the case lies in a closed epoch."""
    reported: bool
    """Whether the report in which the case is counted is published."""


def erasure_document(case: Case, ground: str, *, origin: str, nonce: str) -> dict[str, Json]:
    """What two people sign: this case, for this reason, with this many records (the one of the erasure included)."""
    return {
        "v": 1,
        "origin": origin,
        "case_id": case.case_id,
        "ground": ground,
        "records": case.last_seq + 1,
        "nonce": nonce,
    }


def erase(
    case: Case, document: dict[str, Any], signatures: Sequence[Signature], erasing: Erasing
) -> list[Draft]:
    """Records the erasure of a finished case. Refuses while anything is owed, unsealed or uncounted.

    Needs two different people in a deciding role who signed this very document.
    """
    _check_document(case, document, erasing.origin)
    refuse_early(case, sealed=erasing.sealed, reported=erasing.reported)
    people = signers(signatures, document, "erase", erasing.roster, erasing.now)
    if len(people) < 2:
        raise RefusedError(
            "two-people",
            "Erasing a case needs two different people.",
            why="One person alone could otherwise destroy what shows what they did.",
            do="Let a second person in a deciding role look at the case and sign too.",
            source="formats.md, Ledger and public log",
        )
    given: list[Json] = [each.as_json() for each in signatures]
    return [Draft("Erased", {"document": document, "signatures": given})]


def refuse_early(case: Case, *, sealed: bool, reported: bool) -> None:
    """Refuses to erase a case that is not finished in every respect, and says which."""
    _refuse_unfinished(case)
    if case.read is not None and not reported:
        raise RefusedError(
            "not-reported",
            "The report in which this case is counted is not published yet.",
            why="The report is built from the case's own row, which goes with the case: an uncounted case would"
            " be missing from it.",
            do="Publish the report of its half-year first: dueprocess report.",
            source="formats.md, Report",
        )
    if not sealed:
        raise RefusedError(
            "not-sealed",
            "Not every record of this case lies in a closed epoch yet.",
            why="Once the case's key is gone, only its epoch proves a record.",
            do="Wait for the epoch to close.",
            source="formats.md, Ledger and public log",
        )


def _refuse_unfinished(case: Case) -> None:
    if case.closed is None or case.erased is not None:
        raise RefusedError(
            "not-closed",
            f"Only a closed case can be erased; this one is at the stage {case.stage!r}.",
            do="Finish it first: dueprocess next.",
        )
    if case.read is not None and case.registered is None:
        raise RefusedError(
            "not-registered",
            "This case is closed and not in the register yet.",
            why="Erased first, it would never be counted.",
            do="Run dueprocess close again: it goes on where it was interrupted.",
            source="formats.md, Report",
        )
    if notice_pending(case):
        raise RefusedError(
            "notice-owed",
            "A user of this case is still to be told.",
            why="Erasing now would swallow the notice: nobody could write the letter any more.",
            do="Let the worker tell the user first.",
            source="architecture.md section 2, notify",
        )
    if any(state.challenged for state in case.targets.values()):
        raise RefusedError(
            "challenge-open",
            "An objection is open in this case.",
            why="Erasing would destroy what it is to be decided on.",
            do="Decide it first: dueprocess challenge close.",
            source="architecture.md section 2, challenge",
        )


def _check_document(case: Case, document: Mapping[str, Any], origin: str) -> None:
    if set(document) != KEYS or not is_version(document["v"]):
        raise MalformedError("bad-erasure", f"This document has exactly the keys {sorted(KEYS)}.")
    if document["ground"] not in GROUNDS:
        raise RefusedError(
            "unknown-ground",
            f"There is no ground {str(document['ground'])[:40]!r} to erase a case.",
            do=f"Choose one of {', '.join(GROUNDS)}.",
        )
    if (document["case_id"], document["origin"], document["records"]) != (
        case.case_id, origin, case.last_seq + 1,
    ):  # fmt: skip
        raise RefusedError(
            "other-case",
            "This document is about another case, or about this one as it was before.",
            do="Draw it up again and let both people sign it as it is now.",
        )

"""A nondisclosure order that changes after the decision: extended by a new order, or ended before its time.

Telling a user too early breaks an order, telling too late breaks the promise to the user; so either change needs
the order's own paper (its digest) and two people who sign what it says.

Source: architecture.md section 2, notify.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from dueprocess.cases.case import Case
from dueprocess.cases.document import signers
from dueprocess.cases.events import Draft
from dueprocess.errors import MalformedError, RefusedError
from dueprocess.roster import Roster, Signature
from dueprocess.wire import Json, instant, is_version, parse_instant

KEYS = {"v", "origin", "case_id", "target", "basis", "until", "ended", "paper_sha256", "nonce"}


def silence_document(
    case: Case, ref: str, *, origin: str, basis: str, until: dt.datetime | None, paper_sha256: str, nonce: str
) -> dict[str, Json]:
    """What two people sign: until when the user may not be told. ``until`` None: the order was lifted."""
    case.target(ref)
    return {
        "v": 1,
        "origin": origin,
        "case_id": case.case_id,
        "target": ref,
        "basis": basis,
        "until": instant(until) if until is not None else None,
        "ended": until is None,
        "paper_sha256": paper_sha256,
        "nonce": nonce,
    }


def change_silence(
    case: Case, document: dict[str, Any], signatures: Sequence[Signature], roster: Roster, now: dt.datetime
) -> list[Draft]:
    """Records a changed order. Refuses one person alone, another case's document, and an end in the past."""
    if set(document) != KEYS or not is_version(document["v"]):
        raise MalformedError("bad-silence", f"This document has exactly the keys {sorted(KEYS)}.")
    state = case.target(str(document["target"]))
    if document["case_id"] != case.case_id or state.decision is None:
        raise RefusedError("other-case", "This order belongs to another case, or nothing was decided yet.")
    if not document["ended"] and parse_instant(str(document["until"])) <= now:
        raise RefusedError(
            "order-over",
            "This order ends in the past, so it delays nothing.",
            do="Let the worker tell the user.",
        )
    people = signers(signatures, document, "silence", roster, now)
    if len(people) < 2:
        raise RefusedError(
            "two-people",
            "Changing until when a user may not be told needs two different people.",
            why="One person alone could otherwise silence a notice for ever, or break a court's order.",
            do="Let a second reviewer read the order's paper and sign too.",
            source="architecture.md section 2, notify",
        )
    given: list[Json] = [each.as_json() for each in signatures]
    return [Draft("SilenceChanged", {"target": state.ref, "document": document, "signatures": given})]

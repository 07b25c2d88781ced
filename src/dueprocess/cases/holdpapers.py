"""What two people sign about a hold that goes on: that a renewed request prolongs it, or that it ends early.

Both change how long evidence is kept, so neither is one person's to decide. Neither adds a single value: a hold is
one snapshot.

Source: docs/holds.md; 18 USC 2703(f)(2); Regulation (EU) 2023/1543 Article 11(1).
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dueprocess.cases.case import Case
from dueprocess.cases.document import signers
from dueprocess.cases.events import Draft
from dueprocess.cases.hold import SOURCE, going
from dueprocess.errors import ConflictError, MalformedError, RefusedError
from dueprocess.roster import Roster, Signature, Verdict
from dueprocess.wire import Json, b64, instant, is_version

GROUNDS: Mapping[str, str] = {
    "withdrawn": "the authority took its request back",
    "served": "the order came and was answered from what was kept",
    "refused": "the order that the data were kept for was refused or never came",
    "mistaken": "the hold should not have been begun",
}
"""Why a hold ends before its time: a code for history, its meaning for people."""

RENEW_KEYS = {"v", "origin", "case_id", "target", "hold_id", "order_ref", "until", "nonce"}
RELEASE_KEYS = {"v", "origin", "case_id", "target", "hold_id", "ground", "nonce"}


@dataclass(frozen=True, slots=True)
class Signed:
    """A document with the signatures under it, and what they are checked against."""

    document: dict[str, Any]
    signatures: Sequence[Signature]
    origin: str
    roster: Roster
    now: dt.datetime


def renewal_document(
    case: Case, ref: str, *, origin: str, order_ref: str, until: dt.datetime, nonce: bytes
) -> dict[str, Json]:
    """What two people sign to let a hold last longer. ``order_ref`` is the reference of the paper that asks for it."""
    return {
        **_head(case, ref, origin, nonce),
        "order_ref": order_ref,
        "until": instant(until),
    }


def release_document(case: Case, ref: str, ground: str, *, origin: str, nonce: bytes) -> dict[str, Json]:
    """What two people sign to end a hold before its time."""
    return {**_head(case, ref, origin, nonce), "ground": ground}


def renewed_until(
    hold_until: dt.datetime, received_at: dt.datetime, *, again: dt.datetime, extension_days: int | None
) -> dt.datetime:
    """Until when a renewed request lets a hold last.

    ``again`` is the end by the same clocks with the renewed paper's answers. Where these give no more, it is the
    pack's extension of so many days; where there is none, one more period as long as the first.
    """
    if again > hold_until:
        return again
    if extension_days is not None:
        return hold_until + dt.timedelta(days=extension_days)
    return hold_until + (hold_until - received_at)


def renew(case: Case, ref: str, signed: Signed, until: dt.datetime) -> list[Draft]:
    """Records that a hold lasts longer, once. ``until`` is the end that the pack's clock gives a renewed request.

    Refuses a second renewal, a hold that nobody confirmed, and a time that is no longer than before.
    """
    hold = going(case.target(ref))
    _check(case, ref, signed, RENEW_KEYS)
    if hold.renewed is not None:
        raise ConflictError(
            "renewed",
            f"This hold was renewed once already and lasts until {instant(hold.until)}.",
            why="There is one additional period and no more.",
            do="Write back that the time cannot be extended again: dueprocess letter.",
            source="18 USC 2703(f)(2); Regulation (EU) 2023/1543 Article 11(1)",
        )
    if hold.confirmed is None or hold.owed_end(signed.now) is not None:
        raise RefusedError(
            "not-confirmed",
            "Only a hold that a second person confirmed, and that is not over, can be renewed.",
            do="Confirm it first: dueprocess hold --confirm.",
            source=SOURCE,
        )
    if signed.document["until"] != instant(until) or until <= hold.until:
        raise RefusedError(
            "no-longer",
            f"The law gives this hold no more time than until {instant(max(until, hold.until))}.",
            why="A renewed request prolongs keeping by the period of the law, counted from the first one.",
            do="Read the clock of the renewed paper: dueprocess show.",
            source="18 USC 2703(f)(2); Regulation (EU) 2023/1543 Article 11(1)",
        )
    return [Draft("HoldRenewed", {"target": ref, **_two(signed, "renew", "Prolonging a hold")})]


def served(case: Case, ref: str, hold_id: str) -> list[Draft]:
    """Records in the case of the renewed paper that its hold goes on in the case which it renewed."""
    if case.target(ref).renewal is not None:
        return []
    return [Draft("RenewalServed", {"target": ref, "hold_id": hold_id})]


def release(case: Case, ref: str, signed: Signed) -> list[Draft]:
    """Records that two people ended a hold. What it kept is destroyed then: one person alone could destroy evidence."""
    hold = going(case.target(ref))
    _check(case, ref, signed, RELEASE_KEYS)
    if signed.document["ground"] not in GROUNDS:
        raise RefusedError(
            "unknown-ground",
            f"There is no ground {str(signed.document['ground'])[:40]!r} to end a hold early.",
            do=f"Choose one of {', '.join(GROUNDS)}.",
        )
    body = {"target": ref, "hold_id": hold.hold_id, "reason": "released"}
    return [Draft("HoldEnded", {**body, **_two(signed, "release", "Ending a hold early")})]


def _head(case: Case, ref: str, origin: str, nonce: bytes) -> dict[str, Json]:
    hold = going(case.target(ref))
    return {
        "v": 1,
        "origin": origin,
        "case_id": case.case_id,
        "target": ref,
        "hold_id": hold.hold_id,
        "nonce": b64(nonce),
    }


def _check(case: Case, ref: str, signed: Signed, keys: set[str]) -> None:
    document = signed.document
    if set(document) != keys or not is_version(document["v"]):
        raise MalformedError("bad-hold", f"This document has exactly the keys {sorted(keys)}.")
    hold = going(case.target(ref))
    named = tuple(document[name] for name in ("origin", "case_id", "target", "hold_id"))
    if named != (signed.origin, case.case_id, ref, hold.hold_id):
        raise RefusedError("other-hold", "This document is about another hold.", do="Draw it up again.")


def _two(signed: Signed, verdict: Verdict, what: str) -> dict[str, Json]:
    people = signers(signed.signatures, signed.document, verdict, signed.roster, signed.now)
    if len(people) < 2:
        raise RefusedError(
            "two-people",
            f"{what} needs two different people.",
            why="It decides how long evidence about a person is kept.",
            do="Let a second person in a deciding role look at the hold and sign too.",
            source=SOURCE,
        )
    return {"document": signed.document, "signatures": [each.as_json() for each in signed.signatures]}

"""Hold: one person lets one account's data be kept in the vault, unread; a second confirms it or it lapses.

A hold hands nothing to anybody. Its document has no recipient and another action and quorum than a disclosure, so
that its one signature fits no step but the one that writes into the vault. What was kept is read only by a later
disclosure that two people signed, whose plan names this hold.

Source: formats.md, "Decision document and signatures" (`after_the_fact` exists for `hold`); docs/holds.md.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from dueprocess.cases.case import Case, TargetState
from dueprocess.cases.decide import Signing
from dueprocess.cases.document import (
    DocumentFacts,
    check_current,
    check_shape,
    drawn_up,
    refuse_caller,
    signers,
)
from dueprocess.cases.events import Draft
from dueprocess.cases.holdstate import HoldState
from dueprocess.cases.narrow import holdable
from dueprocess.errors import BrokenError, ConflictError, RefusedError
from dueprocess.law import Assessment
from dueprocess.roster import Roster, Signature
from dueprocess.wire import Json, digest_of, instant, parse_instant

CONFIRM_WITHIN = dt.timedelta(hours=72)
"""A hold that no second person confirmed lapses this long after it was begun (docs/holds.md)."""

KEEP_DAYS = 90
"""Days from the receipt for which data are kept where no clock of the pack says it: as long as the shortest law that
names a number for a whole class of demands, and never without an end.

Source: 18 USC 2703(f)(2) (90 days); Regulation (EU) 2023/1543 Article 11(1) (60 days); law.md 7.5.
"""

SOURCE = "docs/holds.md; formats.md, Decision document"
Files = Literal["copy", "in_place"]


@dataclass(frozen=True, slots=True)
class HoldTerms:
    """What a hold's document says of the hold itself. ``hold_id`` is 32 random hex digits."""

    hold_id: str
    files: Files
    until: dt.datetime


def keep_until(assessment: Assessment, received_at: dt.datetime) -> dt.datetime:
    """Until when the law of this paper wants the data kept: the end of the pack's clock, counted from the receipt.

    The longest clock that runs for certain counts; where answers are missing, the shortest that may run, so that
    nothing is kept on a guess. Without any clock it is `KEEP_DAYS` from the receipt.
    """
    certain = [each.due_at for each in assessment.clocks if each.due_at is not None and not each.only_if]
    perhaps = [each.due_at for each in assessment.clocks if each.due_at is not None and each.only_if]
    if certain:
        return max(certain)
    return min(perhaps) if perhaps else received_at + dt.timedelta(days=KEEP_DAYS)


def hold_document(case: Case, facts: DocumentFacts, terms: HoldTerms) -> dict[str, Json]:
    """The document that the first person signs to begin a hold, and the second to confirm it."""
    held: Json = {"id": terms.hold_id, "files": terms.files, "until": instant(terms.until)}
    return {**drawn_up(case, facts, "hold", lasts=CONFIRM_WITHIN), "hold": held}


def start(case: Case, signing: Signing, until: dt.datetime) -> list[Draft]:
    """Records that one person began a hold. ``until`` is what `keep_until` gives for this case.

    Possible while the requester is not authenticated yet, because nothing is handed over; not once somebody doubted
    the requester, while an objection is open, or where the time of keeping is over.
    """
    document = signing.document
    check_shape(document, "hold")
    state = case.target(str(document["target"]))
    if not holdable(case):
        raise not_holdable()
    _refuse_doubted(case)
    if state.challenged:
        raise RefusedError(
            "challenged",
            "An objection is open for this target.",
            do="Decide it first: dueprocess challenge close.",
        )
    check_current(case, state, document, "hold")
    _check_times(document, signing.now, until)
    refuse_caller(case, signers([signing.signature], dict(document), "propose", signing.roster, signing.now))
    return [Draft("HoldStarted", _started(state, document, signing.signature))]


def _started(state: TargetState, document: Mapping[str, Any], signature: Signature) -> dict[str, Json]:
    return {
        "target": state.ref,
        "decision_sha256": digest_of(dict(document)),
        "signature": signature.as_json(),
        "action": document["action"],
        "mode": document["quorum"]["mode"],
        "hold_id": document["hold"]["id"],
        "files": document["hold"]["files"],
        "plan_sha256": document["plan_sha256"],
        "scope_sha256": state.scope_sha256,
        "assessment_sha256": document["assessment_sha256"],
        "notice": document["notice"],
        "confirm_until": document["expires_at"],
        "until": document["hold"]["until"],
    }


def _check_times(document: Mapping[str, Any], now: dt.datetime, until: dt.datetime) -> None:
    if document["hold"]["files"] not in ("copy", "in_place") or document["hold"]["until"] != instant(until):
        raise RefusedError(
            "other-hold",
            "This document says otherwise than the law's clock how long, or otherwise than is known how, to keep.",
            why=f"The clock of this paper ends at {instant(until)}.",
            do="Begin the hold afresh: dueprocess hold.",
            source=SOURCE,
        )
    expires_at = parse_instant(str(document["expires_at"]))
    if not now < expires_at <= now + CONFIRM_WITHIN:
        raise RefusedError(
            "hold-expired",
            f"A hold is confirmed within {CONFIRM_WITHIN.days * 24} hours; this one says {document['expires_at']}.",
            do="Begin the hold afresh: dueprocess hold.",
            source=SOURCE,
        )
    if until <= now:
        raise RefusedError(
            "keeping-over",
            f"The time for which this paper lets data be kept ended at {instant(until)}.",
            why="Keeping longer than the law says has no ground.",
            do="Write back that the time is over: dueprocess letter.",
            source="law.md 7.5",
        )


def confirm(case: Case, signing: Signing) -> list[Draft]:
    """Records the second person's signature: another one than the first, of an authenticated requester's hold."""
    state = case.target(str(signing.document["target"]))
    hold = going(state)
    if hold.decision_sha256 != digest_of(dict(signing.document)):
        raise ConflictError("other-decision", "Another hold was begun for this target.", do="Read that one.")
    if hold.confirmed is not None:
        raise ConflictError("confirmed", "This hold was confirmed already.", do="Nothing is left to do.")
    _refuse_over(hold, signing.now)
    check_current(case, state, signing.document, "hold")
    if case.verified is None:
        raise RefusedError(
            "requester-doubted",
            "The requester is not authenticated: a hold is begun without that, and not kept without it.",
            why="A forged letter must not keep anybody's data for longer than three days.",
            do="Call the authority back on a number that you found yourself, then run dueprocess authenticate.",
            source="security.md 1.4",
        )
    people = signers([signing.signature], dict(signing.document), "approve", signing.roster, signing.now)
    first = Signature.from_json(hold.started.body["signature"]).person
    if first in people:
        raise RefusedError(
            "self-approval",
            "Nobody confirms their own hold.",
            why=f"{first} began it.",
            do="Ask a second enrolled person to read it and sign.",
            source="formats.md, Decision document: two distinct persons",
        )
    refuse_caller(case, people | {first})
    body: dict[str, Json] = {
        "target": state.ref,
        "decision_sha256": hold.decision_sha256,
        "signature": signing.signature.as_json(),
        "hold_id": hold.hold_id,
    }
    return [Draft("HoldConfirmed", body)]


@dataclass(frozen=True, slots=True)
class HoldGate:
    """What the production worker looks at before it takes a snapshot."""

    case: Case
    ref: str
    document: Mapping[str, Any]
    roster: Roster
    origin: str
    plan_sha256: str
    until: dt.datetime
    now: dt.datetime


def check_hold(facts: HoldGate) -> HoldState:
    """The hold whose snapshot may be taken now. Raises unless one valid signature stands under exactly this document.

    It opens nothing but the vault: no parcel, no hand-over and no file follows from it.
    """
    state = facts.case.target(facts.ref)
    hold = going(state)
    if hold.taken is not None:
        raise ConflictError("taken", "The snapshot of this hold was taken already; a hold has one.")
    if hold.decision_sha256 != digest_of(dict(facts.document)):
        raise BrokenError(
            "decision-altered",
            "The hold's document in the vault is not the one that history names.",
            why="Its digest differs from the one that was signed.",
            do="Stop. Find out who changed the vault.",
            source=SOURCE,
        )
    if not holdable(facts.case):
        raise not_holdable()
    _refuse_doubted(facts.case)
    _refuse_over(hold, facts.now)
    check_current(facts.case, state, facts.document, "hold")
    _check_times(facts.document, parse_instant(hold.started.recorded_at), facts.until)
    if facts.document["origin"] != facts.origin or facts.document["target"] != facts.ref:
        raise RefusedError(
            "other-decision", "This hold was begun for another place or target.", source=SOURCE
        )
    if facts.plan_sha256 != facts.document["plan_sha256"]:
        raise RefusedError(
            "plan-differs",
            "The plan compiled now is not the one that was signed for.",
            why="The data map, the scope or the program changed since.",
            do="Let two people release the hold, narrow again and begin it afresh.",
            source="formats.md, Plan",
        )
    given: list[tuple[Json, Literal["propose", "approve"]]] = [(hold.started.body["signature"], "propose")]
    given += [(hold.confirmed.body["signature"], "approve")] if hold.confirmed is not None else []
    for value, verdict in given:
        signers([Signature.from_json(value)], dict(facts.document), verdict, facts.roster, facts.now)
    return hold


@dataclass(frozen=True, slots=True)
class Taken:
    """What the snapshot is, for history: digests, sizes and a count per table, never a value."""

    ref: str
    hold_id: str
    subject: str
    manifest_sha256: str
    objects: int
    size_bytes: int
    tables: Sequence[Mapping[str, Json]]


def take(case: Case, made: Taken, now: dt.datetime) -> list[Draft]:
    """Records the one snapshot of a hold. Whether the account exists (``one`` or ``none``) stays inside."""
    hold = going(case.target(made.ref))
    if hold.taken is not None or hold.hold_id != made.hold_id:
        raise ConflictError("taken", "The snapshot of this hold was taken already; a hold has one.")
    _refuse_doubted(case)
    _refuse_over(hold, now)
    body: dict[str, Json] = {
        "target": made.ref,
        "decision_sha256": hold.decision_sha256,
        "hold_id": hold.hold_id,
        "subject": made.subject,
        "manifest_sha256": made.manifest_sha256,
        "objects": made.objects,
        "bytes": made.size_bytes,
        "tables": [dict(each) for each in made.tables],
    }
    return [Draft("HoldTaken", body)]


def end(case: Case, ref: str, now: dt.datetime) -> list[Draft]:
    """Records that a hold lapsed or expired. Refuses one that goes on: only two people end it early."""
    hold = going(case.target(ref))
    reason = hold.owed_end(now)
    if reason is None:
        raise RefusedError("still-held", f"This hold goes on until {instant(hold.until)}.", source=SOURCE)
    body: dict[str, Json] = {
        "target": ref, "hold_id": hold.hold_id, "reason": reason, "document": None, "signatures": [],
    }  # fmt: skip
    return [Draft("HoldEnded", body)]


def destroyed(case: Case, ref: str, *, objects: int) -> list[Draft]:
    """Records that the key and the objects of an ended hold are gone."""
    hold = case.target(ref).hold
    if hold is None or hold.ended is None or hold.destroyed is not None:
        raise ConflictError("not-ending", "There is no hold here that waits for its destruction.")
    return [Draft("HoldDestroyed", {"target": ref, "hold_id": hold.hold_id, "objects": objects})]


def going(state: TargetState) -> HoldState:
    """The hold of a target that was begun and not ended. Refuses where there is none."""
    if state.hold is None or state.hold.ended is not None:
        raise RefusedError(
            "no-hold",
            f"There is no hold of {state.ref} that goes on.",
            do="Look at the case: dueprocess show.",
        )
    return state.hold


def not_holdable() -> RefusedError:
    """The refusal for a demand that cannot lead to a hold."""
    return RefusedError(
        "not-holdable",
        "This demand cannot lead to a hold.",
        why="A hold needs a demand to preserve, read as such and assessed as permitted, for this target.",
        do="Read the findings: dueprocess show.",
        source="18 USC 2703(f); Regulation (EU) 2023/1543 Article 11; law.md 7.5",
    )


def _refuse_doubted(case: Case) -> None:
    if case.doubted is not None:
        raise RefusedError(
            "requester-doubted",
            "Somebody looked into the requester and found no proof: nothing is kept on this paper.",
            why="A forged letter to preserve is the first step of a forged order to disclose.",
            do="Call the authority back on a number that you found yourself, then run dueprocess authenticate.",
            source="security.md 1.4",
        )


def _refuse_over(hold: HoldState, now: dt.datetime) -> None:
    reason = hold.owed_end(now)
    if reason is not None:
        when = hold.confirm_until if reason == "lapsed" else hold.until
        raise RefusedError(
            f"hold-{reason}",
            f"This hold is over since {instant(when)}; the worker destroys what it kept.",
            do="If the paper still asks for it, receive it again and begin a new hold.",
            source=SOURCE,
        )

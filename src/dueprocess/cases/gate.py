"""The gate: what the production worker proves to itself, before the query and again before release.

Pure. The worker brings the case, the rosters, the decision document, the plan that it compiled again, and what
it proved about the log; nothing is taken from a flag that somebody set. A missing proof refuses.

Source: formats.md, "Gate".
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from dueprocess.cases.case import Case, TargetState
from dueprocess.cases.decide import recipient_key
from dueprocess.cases.document import DECIDING_ROLES, check_current, check_expiry, check_requester
from dueprocess.cases.events import Event
from dueprocess.cases.logproof import (
    LogProof,
    check_cooling_off,
    check_fresh,
    check_sealed,
    check_told,
    check_witnessed,
)
from dueprocess.cases.narrow import not_producible, producible, resolvable
from dueprocess.cases.notify import BEFORE_RULES, notice_rule, objection_ends, order_ended, time_to_object
from dueprocess.errors import BrokenError, RefusedError
from dueprocess.roster import Entry, Roster, Signature, check
from dueprocess.wire import digest_of, instant, parse_instant

GATE_SOURCE = "formats.md, Gate"
Phase = Literal["produce", "deliver", "resolve"]


@dataclass(frozen=True, slots=True)
class GateFacts:
    """Everything the gate looks at, for one target."""

    case: Case
    ref: str
    document: Mapping[str, Any]
    roster: Roster
    origin: str
    plan_sha256: str
    proof: LogProof
    now: dt.datetime
    freshest: dt.timedelta
    phase: Phase


def check_gate(facts: GateFacts) -> list[str]:
    """What was proved, one sentence each. Raises ``RefusedError`` or ``BrokenError`` at the first thing that fails."""
    state = facts.case.target(facts.ref)
    proved = [_check_case(facts, state), _check_document(facts, state)]
    proved += _check_people(facts, state)
    proved.append(_check_recipient(facts))
    check_witnessed(facts.proof, facts.now)
    check_fresh(facts.proof, facts.now, facts.freshest)
    proved += [_check_notice(facts, state), *_check_log(facts, state)]
    return proved


def _check_case(facts: GateFacts, state: TargetState) -> str:
    case = facts.case
    if not (resolvable(case) if facts.phase == "resolve" else producible(case)):
        raise not_producible(case)
    if state.challenged:
        raise RefusedError(
            "challenged",
            "A challenge is open: disclosure of this target is held.",
            do="Decide the challenge first.",
            source="architecture.md section 2, challenge",
        )
    wanted = ("produced",) if facts.phase == "deliver" else ("approved", "producing")
    if state.rejected or state.stage not in wanted:
        raise RefusedError(
            "not-approved",
            f"This target is {state.stage}, so the step {facts.phase!r} is not open.",
            why="Two people must have approved, and nobody refused or withdrawn since.",
            do="Look at the case: dueprocess show.",
            source=GATE_SOURCE,
        )
    return "The demand was assessed, two people's approval stands, and no challenge is open."


def _check_document(facts: GateFacts, state: TargetState) -> str:
    if state.decision_sha256 != digest_of(dict(facts.document)):
        raise BrokenError(
            "decision-altered",
            "The decision document in the vault is not the one that history names.",
            why="Its digest differs from the one that was signed and sealed.",
            do="Stop. Find out who changed the vault; propose the decision afresh.",
            source=GATE_SOURCE,
        )
    check_current(facts.case, state, facts.document, "resolve" if facts.phase == "resolve" else "disclose")
    check_requester(facts.case, facts.document)
    if facts.document["origin"] != facts.origin or facts.document["target"] != facts.ref:
        raise RefusedError(
            "other-decision", "This decision was made for another place or target.", source=GATE_SOURCE
        )
    if facts.plan_sha256 != facts.document["plan_sha256"]:
        raise RefusedError(
            "plan-differs",
            "The plan compiled now is not the one that two people signed for.",
            why="The data map, the scope or the program changed since.",
            do="Look at the difference, narrow again and let two people sign again.",
            source="formats.md, Plan",
        )
    assert state.decision is not None
    if state.decision.case_seq <= facts.proof.recovered_after:
        raise RefusedError(
            "before-recovery",
            "This decision was proposed before the log was recovered from an older database.",
            why="What happened between the backup and the loss is gone, and could have stood against it.",
            do="Look at the case again, narrow it again and let two people sign again.",
            source=GATE_SOURCE,
        )
    proposed_at = parse_instant(state.decision.recorded_at)
    check_expiry(facts.document, proposed_at=proposed_at, now=max(facts.now, facts.proof.head_at))
    return (
        "The decision document is the sealed one and says what the case says; it names the authority that was "
        "authenticated and has not expired."
    )


def _check_people(facts: GateFacts, state: TargetState) -> list[str]:
    assert state.decision is not None
    given = [state.decision, *state.approvals]
    signers: list[Entry] = []
    for event, verdict in zip(given, ["propose"] + ["approve"] * len(state.approvals), strict=True):
        signature = Signature.from_json(event.body["signature"])
        if signature.verdict != verdict:
            raise RefusedError(
                "wrong-verdict", f"A {event.kind} carries a {signature.verdict!r}.", source=GATE_SOURCE
            )
        entry = facts.roster.staff(signature.credential, facts.now)
        held = signature.role in entry.roles and signature.role in DECIDING_ROLES
        if signature.person != entry.id or not held:
            raise RefusedError(
                "wrong-role",
                f"{entry.id} does not decide in the role {signature.role!r}.",
                source=GATE_SOURCE,
            )
        if entry.counts_from > parse_instant(event.recorded_at):
            raise RefusedError("signer-inactive", f"{entry.id} signed before their enrolment counted.")
        check(signature, facts.origin, dict(facts.document), entry.public_key)
        signers.append(entry)
    people = {entry.id for entry in signers}
    if len(people) < 2:
        raise RefusedError("two-people", "Two different people must have signed.", source=GATE_SOURCE)
    caller = facts.case.verified.actor if facts.case.verified else ""
    if caller in people:
        raise RefusedError("caller-signs", f"{caller} made the call-back and signed.", source=GATE_SOURCE)
    return [f"{' and '.join(sorted(people))} signed exactly this document, chained to the pinned founders."]


def _check_recipient(facts: GateFacts) -> str:
    recipient, verified = facts.document["recipient"], facts.case.verified
    assert verified is not None  # check_requester has looked
    authority = facts.roster.authority(verified.text("authority"))
    if authority is None or not authority.active(facts.now):
        raise RefusedError(
            "authority-suspended", "The authority is not, or no longer, in good standing.", source=GATE_SOURCE
        )
    if recipient is None:
        return (
            f"The authority {authority.id} is in good standing; the answer goes to the vault and to nobody."
        )
    if recipient_key(authority) != recipient["key"]:
        raise RefusedError(
            "recipient-rekeyed",
            "The authority's key changed after the decision was signed.",
            do="Propose the decision afresh, for the new key.",
            source=GATE_SOURCE,
        )
    return f"The recipient {authority.id} is in good standing and its key is the one that was signed."


def _check_notice(facts: GateFacts, state: TargetState) -> str:
    notice = facts.document["notice"]
    if facts.phase == "resolve":
        return "Nothing is handed over: whoever is found has a notice of their own, under the decision about them."
    if notice["rule"] not in BEFORE_RULES:
        return f"The notice rule is {notice['rule']}: the user is told later, as the law says."
    if state.silence is not None and not order_ended(notice_rule(state), facts.now):
        raise RefusedError(
            "notice-changed",
            "An order not to tell came after this decision was signed; the decision says that the user is told first.",
            do="Reject this decision; receive the new order with its demand as a case of its own.",
            source=GATE_SOURCE,
        )
    ends = objection_ends(facts.case, state)
    if ends is None:
        raise RefusedError(
            "notice-first",
            "The user was not told yet, and the law allows telling before production.",
            do="Let the worker send the notice: dueprocess notify.",
            source="architecture.md section 2, notify",
        )
    if facts.now < ends:
        raise RefusedError(
            "notice-window",
            f"The user may object until {instant(ends)}.",
            why=f"It is {instant(facts.now)}. The time to object counts from the letter.",
            do="Wait; production becomes possible by itself.",
            source="formats.md, Decision document: earliest_production",
        )
    told = [each for each in facts.case.events if _tells(each, state)][-1]
    check_told(facts.proof, told, time_to_object(state), facts.now)
    return "The user was told and the time to object is over."


def _tells(event: Event, state: TargetState) -> bool:
    body = event.body
    return event.kind == "UserNotified" and (body["target"], body["phase"]) == (state.ref, "before")


def _check_log(facts: GateFacts, state: TargetState) -> list[str]:
    proof = facts.proof
    last = state.produced if facts.phase == "deliver" else (state.approvals[-1] if state.approvals else None)
    need = [event for event in facts.case.events if last is not None and event.case_seq <= last.case_seq]
    check_sealed(proof, need)
    assert state.decision is not None
    for signed in (state.decision, *state.approvals):
        credential = Signature.from_json(signed.body["signature"]).credential
        check_cooling_off(proof, facts.roster.staff(credential, facts.now), signed)
    until = "the parcel" if facts.phase == "deliver" else "the approval"
    head = f"the signed head of {proof.head_size} leaves, {proof.words}"
    sealed = f"All {len(need)} events up to {until} lie under {head}."
    absent = f"Every ledger record since, up to number {proof.read_to}, was read: nothing stands against it."
    return [sealed, absent]

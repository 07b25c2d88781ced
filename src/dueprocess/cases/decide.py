"""Verb 6, decide: propose, approve, reject. Two different people sign one document about one target.

The document names everything that was decided; its digest is in history, its text in the vault, because it
holds the identifier. Any change of scope, plan, assessment, recipient or notice makes another document, so
it voids every signature. One person can refuse.

Source: formats.md, "Decision document and signatures".
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dueprocess.cases.case import Case, TargetState
from dueprocess.cases.document import (
    DECIDING_ROLES,
    DECISION_DAYS,
    Action,
    DocumentFacts,
    check_current,
    check_expiry,
    check_requester,
    check_shape,
    drawn_up,
    refuse_caller,
)
from dueprocess.cases.events import Draft
from dueprocess.cases.narrow import not_producible, producible, resolvable
from dueprocess.cases.notify import BEFORE_RULES
from dueprocess.errors import ConflictError, RefusedError
from dueprocess.roster import Entry, Roster, Signature, check
from dueprocess.wire import Json, digest_of, instant, sha256_hex

BY_HAND = "handover:"
"""How the recipient's key of an authority begins that has none: then the way follows in which a person hands over."""


@dataclass(frozen=True, slots=True)
class Signing:
    """One person's signature on one document, with the rosters and the time it is checked against."""

    document: Mapping[str, Any]
    signature: Signature
    roster: Roster
    now: dt.datetime


def decision_document(
    case: Case, facts: DocumentFacts, authority: Entry, *, notice_days: int
) -> dict[str, Json]:
    """The document that people sign about one target: a disclosure to this authority, or a resolution to nobody.

    Before it is known who the user is nobody can be told: the account that is found has a decision of its own.
    """
    lasts = dt.timedelta(days=DECISION_DAYS)
    if facts.scope.items[0].target.kind != "account":
        return drawn_up(case, facts, "resolve", lasts=lasts)
    document = drawn_up(case, facts, "disclose", lasts=lasts)
    document["recipient"] = {"authority": authority.id, "key": recipient_key(authority)}
    if document["notice"]["rule"] in BEFORE_RULES:
        told_by = facts.now + dt.timedelta(days=notice_days)
        document["notice"]["earliest_production"] = instant(told_by)
    return document


def recipient_key(authority: Entry) -> str:
    """What this authority's answers are encrypted to, as the text that people sign.

    An age recipient, an ASCII-armoured OpenPGP key or a certificate in PEM; for an authority without a key
    ``handover:`` and the way in which a person hands over. Refuses an authority that enrolled nothing, or two things.
    """
    about = authority.about
    keys = [about[kind] for kind in ("age", "openpgp", "cms") if about.get(kind)]
    keys += [f"{BY_HAND}{about['handover']}"] if about.get("handover") else []
    if len(keys) != 1:
        raise RefusedError(
            "no-recipient-key",
            f"The authority {authority.id} has {'no' if not keys else 'more than one'} enrolled key to encrypt to.",
            why="A parcel travels only as ciphertext for the requester's one enrolled key, or by a recorded hand-over.",
            do="Enrol the authority again: dueprocess enrol authority.",
            source="formats.md, Parcel",
        )
    return keys[0]


def propose(case: Case, signing: Signing) -> list[Draft]:
    """Records the first of two signatures."""
    document, signature = signing.document, signing.signature
    action: Action = "resolve" if document.get("action") == "resolve" else "disclose"
    check_shape(document, action)
    ref = str(document["target"])
    state = case.target(ref)
    if not (resolvable(case) if action == "resolve" else producible(case)):
        raise not_producible(case)
    check_current(case, state, document, action)
    check_requester(case, document)
    check_expiry(document, proposed_at=signing.now, now=signing.now)
    _signer(signing, "propose")
    assert case.verified is not None  # check_requester has looked
    recipient = document["recipient"]
    return [
        Draft(
            "DecisionProposed",
            {
                "target": ref,
                "decision_sha256": digest_of(dict(document)),
                "signature": signature.as_json(),
                "action": document["action"],
                "mode": document["quorum"]["mode"],
                "expires_at": document["expires_at"],
                "plan_sha256": document["plan_sha256"],
                "scope_sha256": state.scope_sha256 or "",
                "assessment_sha256": document["assessment_sha256"],
                "recipient_key_sha256": sha256_hex(recipient["key"].encode()) if recipient else None,
                "authority": case.verified.body["authority"],
                "notice": document["notice"],
            },
        )
    ]


def approve(case: Case, signing: Signing) -> list[Draft]:
    """Records the second signature, of another person than the first and than the one who called back."""
    state = _open_decision(case, signing.document)
    check_current(case, state, signing.document, "resolve" if state.resolving else "disclose")
    signer = _signer(signing, "approve")
    proposer = _person(state)
    if signer.id == proposer:
        raise RefusedError(
            "self-approval",
            "Nobody approves their own proposal.",
            why=f"{signer.id} proposed this decision.",
            do="Ask a second enrolled person to read it and sign.",
            source="formats.md, Decision document: two distinct persons",
        )
    refuse_caller(case, {proposer, signer.id})
    return [Draft("DecisionApproved", _signed(state, signing.signature))]


def reject(case: Case, signing: Signing, *, reason: str) -> list[Draft]:
    """Records a refusal: one person is enough, the proposer included."""
    state = _open_decision(case, signing.document)
    _signer(signing, "reject")
    return [Draft("DecisionRejected", {**_signed(state, signing.signature), "reason": reason})]


def _open_decision(case: Case, document: Mapping[str, Any]) -> TargetState:
    state = case.target(str(document["target"]))
    if state.decision is None:
        raise RefusedError("not-proposed", "Nobody has proposed a decision.", do="Run dueprocess propose.")
    if state.decision_sha256 != digest_of(dict(document)):
        raise ConflictError(
            "other-decision",
            "A different decision is open for this target.",
            do="Read the open one and sign that.",
        )
    return state


def _signed(state: TargetState, signature: Signature) -> dict[str, Json]:
    return {
        "target": state.ref,
        "decision_sha256": state.decision_sha256,
        "signature": signature.as_json(),
    }


def _signer(signing: Signing, verdict: str) -> Entry:
    document, signature = signing.document, signing.signature
    if signature.verdict != verdict:
        raise RefusedError(
            "wrong-verdict",
            f"This signature says {signature.verdict!r}, not {verdict!r}.",
            why="Role and verdict are part of what is signed: a rejection cannot be replayed as an approval.",
            do="Sign with the verdict that is meant.",
            source="formats.md, Decision document and signatures",
        )
    entry = signing.roster.staff(signature.credential, signing.now)
    if signature.role not in entry.roles or signature.person != entry.id:
        raise RefusedError(
            "wrong-role", f"{entry.id} does not hold the role {signature.role!r}.", do="Sign in a role held."
        )
    if verdict != "reject" and signature.role not in DECIDING_ROLES:
        raise RefusedError(
            "wrong-role",
            f"Nobody decides in the role {signature.role!r}.",
            why="Whoever takes papers in can refuse a demand, and can never grant one.",
            do="Let a reviewer or counsel sign.",
        )
    check(signature, str(document["origin"]), dict(document), entry.public_key)
    return entry


def _person(state: TargetState) -> str:
    assert state.decision is not None
    return Signature.from_json(state.decision.body["signature"]).person

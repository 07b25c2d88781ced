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
    check_current,
    check_expiry,
    check_requester,
    check_shape,
)
from dueprocess.cases.events import Draft
from dueprocess.cases.narrow import not_producible
from dueprocess.cases.notify import BEFORE_RULES
from dueprocess.demand import Scope
from dueprocess.errors import ConflictError, RefusedError
from dueprocess.roster import Entry, Roster, Signature, check
from dueprocess.wire import Json, b64, digest_of, instant, sha256_hex

BY_HAND = "handover:"
"""How the recipient's key of an authority begins that has none: then the way follows in which a person hands over."""


@dataclass(frozen=True, slots=True)
class Signing:
    """One person's signature on one document, with the rosters and the time it is checked against."""

    document: Mapping[str, Any]
    signature: Signature
    roster: Roster
    now: dt.datetime


@dataclass(frozen=True, slots=True)
class DecisionFacts:
    """What a decision document is made of, beyond the case itself."""

    origin: str
    nonce: bytes
    ref: str
    scope: Scope
    authority: Entry
    plan_sha256: str
    roster_sha256: str
    now: dt.datetime
    notice_days: int


def decision_document(case: Case, facts: DecisionFacts) -> dict[str, Json]:
    """The document that people sign about one target, in the shape of formats.md."""
    if case.assessed is None or case.received is None:
        raise RefusedError("not-assessed", "This demand was not assessed yet.", do="Run dueprocess assess.")
    assessed = case.assessed.body
    resolving = facts.scope.items[0].target.kind != "account"
    notice = _notice(assessed["notice"], facts, resolving=resolving)
    return {
        "v": 1,
        "origin": facts.origin,
        "case_id": case.case_id,
        "nonce": b64(facts.nonce),
        "action": "resolve" if resolving else "disclose",
        "emergency": None,
        "order_ref": case.received.body["order_ref"],
        "target": facts.ref,
        "scope": facts.scope.as_json(),
        "plan_sha256": facts.plan_sha256,
        "assessment_sha256": assessed["assessment_sha256"],
        "packs": assessed["packs"],
        "legal_basis": assessed["basis"],
        "recipient": None
        if resolving
        else {"authority": facts.authority.id, "key": recipient_key(facts.authority)},
        "notice": notice,
        "quorum": {"mode": "two", "need": 2},
        "roster_sha256": facts.roster_sha256,
        "expires_at": instant(facts.now + dt.timedelta(days=DECISION_DAYS)),
    }


def _notice(notice: Any, facts: DecisionFacts, *, resolving: bool) -> dict[str, Json]:
    """Before it is known who the user is nobody can be told: the account that is found has a decision of its own."""
    rule = notice["rule"]
    earliest: str | None = None
    if rule in BEFORE_RULES and not resolving:
        earliest = instant(facts.now + dt.timedelta(days=facts.notice_days))
    return {"rule": rule, "until": notice["until"], "earliest_production": earliest}


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
    if case.assessed is None or not case.assessed.body["producible"]:
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
    _not_the_caller(case, {proposer, signer.id})
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


def _not_the_caller(case: Case, signers: set[str]) -> None:
    caller = case.verified.actor if case.verified else None
    if caller in signers:
        raise RefusedError(
            "caller-signs",
            f"{caller} authenticated the requester, so somebody else must sign the decision.",
            why="Whoever vouches for the caller and decides alone about them could be fooled once for both.",
            do="Let two people sign who did not make the call-back.",
            source="formats.md, Decision document: neither attested the call-back",
        )

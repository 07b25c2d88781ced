"""What a decision document holds, whatever it decides: as it is drawn up, and as it must still be wherever it is met,
when it is proposed, approved, and at the gate. Shape and fixed values first, then each field against the case.

Source: formats.md, "Decision document and signatures".
"""

import datetime as dt
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from dueprocess.cases.case import Case, TargetState
from dueprocess.cases.notify import BEFORE_RULES
from dueprocess.demand import Scope
from dueprocess.errors import MalformedError, RefusedError
from dueprocess.roster import Roster, Signature, Verdict, check
from dueprocess.wire import Json, b64, canonical, digest_of, instant, parse_instant

DECISION_DAYS = 30
"""A decision lapses this many days after it was proposed; then it is proposed afresh."""

DECIDING_ROLES = ("reviewer", "counsel")
"""Roles in which a person may propose or approve. Whoever only takes papers in can refuse, never grant."""

FIXED: dict[str, Any] = {
    "v": 1,
    "action": "disclose",
    "emergency": None,
    "quorum": {"mode": "two", "need": 2},
}
"""What a disclosure is: decided by two people beforehand, no emergency. Nothing else leads out of the house."""

HELD: dict[str, Any] = {
    "v": 1,
    "action": "hold",
    "emergency": None,
    "quorum": {"mode": "after_the_fact", "need": 2},
    "recipient": None,
}
"""What a hold is: begun by one person, confirmed by a second. It has no recipient, so it can lead to nobody."""

RESOLVED: dict[str, Any] = {**FIXED, "action": "resolve", "recipient": None}
"""What a resolution is: two people let one question be asked, which account a target means. It has no recipient, so
that the answer can lead to nobody."""

_KEYS = frozenset(FIXED) | {
    "origin", "case_id", "nonce", "order_ref", "target", "scope", "plan_sha256", "assessment_sha256", "packs",
    "legal_basis", "recipient", "notice", "roster_sha256", "expires_at",
}  # fmt: skip
_NOTICE = {"rule", "until", "earliest_production"}
Action = Literal["disclose", "resolve", "hold"]
_FORMS: dict[Action, tuple[dict[str, Any], frozenset[str], dict[str, set[str]]]] = {
    "disclose": (FIXED, _KEYS, {"recipient": {"authority", "key"}, "notice": _NOTICE}),
    "resolve": (RESOLVED, _KEYS, {"notice": _NOTICE}),
    "hold": (HELD, _KEYS | {"hold"}, {"hold": {"id", "files", "until"}, "notice": _NOTICE}),
}
"""What may be signed for each action: its fixed values, its fields, and the fields inside of some."""

_MEANS: dict[Action, str] = {
    "disclose": "a disclosure by two people",
    "resolve": "a resolution by two people",
    "hold": "a hold",
}


@dataclass(frozen=True, slots=True)
class DocumentFacts:
    """What a document about one target is made of, whatever it decides, beyond the case itself."""

    origin: str
    nonce: bytes
    ref: str
    scope: Scope
    plan_sha256: str
    roster_sha256: str
    now: dt.datetime


def drawn_up(case: Case, facts: DocumentFacts, action: Action, *, lasts: dt.timedelta) -> dict[str, Any]:
    """The document for this action, with no recipient and no notice to wait for. Its shape is in formats.md."""
    fixed = _FORMS[action][0]
    says, notice = _case_says(case)
    return {
        **fixed,
        **says,
        "quorum": dict(fixed["quorum"]),
        "recipient": None,
        "origin": facts.origin,
        "nonce": b64(facts.nonce),
        "target": facts.ref,
        "scope": facts.scope.as_json(),
        "plan_sha256": facts.plan_sha256,
        "notice": {**notice, "earliest_production": None},
        "roster_sha256": facts.roster_sha256,
        "expires_at": instant(facts.now + lasts),
    }


def check_shape(document: Mapping[str, Any], action: Action = "disclose") -> None:
    """Refuses a document with other fields than it should have, or with another action or quorum than `_FORMS` says."""
    fixed, wanted, nested = _FORMS[action]
    odd = sorted(map(str, set(document) ^ wanted))
    odd += [
        key
        for key, keys in nested.items()
        if not odd and (not isinstance(document[key], dict) or set(document[key]) != keys)
    ]
    if odd:
        raise MalformedError(
            "bad-decision", "This decision document has other fields than it should.", why=f"Check {odd}."
        )
    other = [key for key, value in fixed.items() if canonical(document[key]) != canonical(value)]
    if other:
        raise RefusedError(
            "not-decidable",
            f"This document decides something else than {_MEANS[action]}: {', '.join(other)}.",
            why="Only a disclosure or a resolution that two different people sign can be decided, and a hold that a "
            "second person confirms; an emergency waives nobody.",
            do="Draw the decision up afresh: dueprocess propose.",
            source="architecture.md 1.4; formats.md, Decision document",
        )
    parse_instant(str(document["expires_at"]))
    if action == "disclose" and str(document["notice"]["rule"]) in BEFORE_RULES:
        parse_instant(str(document["notice"]["earliest_production"]))


def check_current(
    case: Case, state: TargetState, document: Mapping[str, Any], action: Action = "disclose"
) -> None:
    """Refuses a document that no longer says what the case says: then every signature on it is void."""
    check_shape(document, action)
    says, notice = _case_says(case)
    now_says = {**says, "plan_sha256": state.plan_sha256}
    changed = [key for key, value in now_says.items() if canonical(document[key]) != canonical(value)]
    if digest_of(document["scope"]) != state.scope_sha256:
        changed.append("scope")
    elif (_kind(document) == "account") == (action == "resolve"):
        raise _other_kind(_kind(document))
    if any(document["notice"][key] != value for key, value in notice.items()):
        changed.append("notice")
    if changed:
        raise RefusedError(
            "decision-void",
            "This decision no longer fits the case: "
            + ", ".join(sorted(changed))
            + " changed after it was written.",
            why="Signatures mean one document. A widened scope, a new assessment or another plan is another document.",
            do="Propose the decision afresh and let two people sign it.",
            source="formats.md, Decision document: any changed field voids all approvals",
        )


def _case_says(case: Case) -> tuple[dict[str, Json], dict[str, Json]]:
    """What a document takes over from the case, whatever it decides: the fields, and those inside of ``notice``."""
    if case.assessed is None or case.received is None:
        raise RefusedError("not-assessed", "This demand was not assessed yet.", do="Run dueprocess assess.")
    assessed = case.assessed.body
    notice: Any = assessed["notice"]
    says = {
        "case_id": case.case_id,
        "order_ref": case.received.body["order_ref"],
        "assessment_sha256": assessed["assessment_sha256"],
        "packs": assessed["packs"],
        "legal_basis": assessed["basis"],
    }
    return says, {key: notice[key] for key in ("rule", "until")}


def _kind(document: Mapping[str, Any]) -> str:
    """The kind of the one target of a scope that is the one in history."""
    return str(document["scope"]["targets"][0]["kind"])


def _other_kind(kind: str) -> RefusedError:
    return RefusedError(
        "resolve-first",
        "An account is disclosed or held, never resolved."
        if kind == "account"
        else f"A target of the kind {kind} is resolved to an account, and never disclosed or held itself.",
        why="Which account stands behind a target is found under a two-person decision of its own.",
        do="Draw the decision up afresh: dueprocess propose.",
        source="formats.md, Scope",
    )


def check_expiry(document: Mapping[str, Any], *, proposed_at: dt.datetime, now: dt.datetime) -> None:
    """Refuses a document that has expired, or that was written to last longer than `DECISION_DAYS`."""
    expires_at = parse_instant(document["expires_at"])
    if now >= expires_at:
        raise RefusedError(
            "decision-expired",
            f"The decision expired at {document['expires_at']}.",
            do="Propose it afresh.",
            source="formats.md, Gate",
        )
    if expires_at > proposed_at + dt.timedelta(days=DECISION_DAYS):
        raise RefusedError(
            "expires-too-late",
            f"A decision lapses {DECISION_DAYS} days after it was proposed; this one says {document['expires_at']}.",
            do="Propose it afresh.",
            source="formats.md, Decision document",
        )


def check_requester(case: Case, document: Mapping[str, Any]) -> None:
    """Refuses unless the requester is authenticated and is the recipient that the document names."""
    if case.verified is None:
        raise RefusedError(
            "requester-doubted",
            "The requester is not authenticated: nothing can be decided or handed over.",
            why="A mail proves no authority. Forged requests come from real mailboxes too.",
            do="Call the authority back on a number that you found yourself, then run dueprocess authenticate.",
            source="security.md 1.4; architecture.md section 2",
        )
    recipient = document["recipient"]
    if recipient is not None and case.verified.body["authority"] != recipient["authority"]:
        raise RefusedError(
            "other-recipient",
            "The recipient is not the authority that was authenticated.",
            do="Propose the decision afresh, for the authority that was called back.",
            source="formats.md, Gate",
        )


def refuse_caller(case: Case, people: Container[str]) -> None:
    """Refuses where somebody who signs is the one who authenticated the requester."""
    caller = case.verified.actor if case.verified else None
    if caller in people:
        raise RefusedError(
            "caller-signs",
            f"{caller} authenticated the requester, so somebody else must sign.",
            why="Whoever vouches for the caller and decides alone about them could be fooled once for both.",
            do="Let two people sign who did not make the call-back.",
            source="formats.md, Decision document: neither attested the call-back",
        )


def signers(
    signatures: Iterable[Signature],
    document: dict[str, Json],
    verdict: Verdict,
    roster: Roster,
    now: dt.datetime,
) -> frozenset[str]:
    """The people who signed this very document with this verdict, each in a deciding role that they hold."""
    return frozenset(_signer(each, document, verdict, roster, now) for each in signatures)


def _signer(
    signature: Signature, document: dict[str, Json], verdict: Verdict, roster: Roster, now: dt.datetime
) -> str:
    entry = roster.staff(signature.credential, now)
    fits = signature.verdict == verdict and signature.person == entry.id
    if not fits or signature.role not in entry.roles or signature.role not in DECIDING_ROLES:
        raise RefusedError("wrong-verdict", f"The signature of {entry.id} was given for something else.")
    check(signature, str(document["origin"]), document, entry.public_key)
    return entry.id

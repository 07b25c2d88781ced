"""Verb 6 around its steps: the document goes into the vault, the person signs, the step records."""

import datetime as dt
import secrets
from typing import Any

from dueprocess.cases.case import Case
from dueprocess.cases.decide import Signing, decision_document
from dueprocess.cases.document import DocumentFacts
from dueprocess.cases.events import Event
from dueprocess.desk.assessments import current
from dueprocess.desk.demands import authorised
from dueprocess.desk.desk import Desk, named
from dueprocess.desk.filekeys import FileKey
from dueprocess.errors import RefusedError
from dueprocess.history.append import load_case
from dueprocess.roster import Verdict
from dueprocess.steps import decide as steps
from dueprocess.wire import digest_of


def draw_up(desk: Desk, case: Case, ref: str, now: dt.datetime) -> dict[str, Any]:
    """The decision document about one target as the case stands, stored in the vault for people to read."""
    if case.verified is None:
        raise RefusedError(
            "requester-doubted",
            "The requester is not authenticated: nothing can be decided.",
            why="A mail proves no authority. Forged requests come from real mailboxes too.",
            do="Call the authority back on a number that you found yourself, then run dueprocess authenticate.",
            source="security.md 1.4",
        )
    authority = desk.roster().authority(case.verified.text("authority"))
    if authority is None:
        raise RefusedError(
            "unknown-authority", "The authority is no longer in the roster.", do="Enrol it again."
        )
    facts = document_facts(desk, case, ref, now)
    document = decision_document(case, facts, authority, notice_days=desk.installation.notice_days)
    desk.vault.put_json(case.case_id, f"decision:{digest_of(document)}", document)
    return document


def document_facts(desk: Desk, case: Case, ref: str, now: dt.datetime) -> DocumentFacts:
    """What any document about one target is drawn up from. Refuses where the packs no longer say what they said."""
    current(desk, case)
    scope, plan = authorised(desk, case, ref)
    return DocumentFacts(
        origin=desk.pins.origin,
        nonce=secrets.token_bytes(32),
        ref=ref,
        scope=scope,
        plan_sha256=plan.plan_sha256,
        roster_sha256=desk.roster_sha256(),
        now=now,
    )


def open_decision(desk: Desk, case: Case, ref: str) -> dict[str, Any]:
    """The document that is open for signature about one target."""
    digest = case.target(ref).decision_sha256
    if digest is None:
        raise RefusedError(
            "not-proposed",
            "No decision is open for this target.",
            why="Nobody has proposed one, or the scope changed since: a changed scope voids every earlier signature.",
            do="Run dueprocess propose, and let a second person approve.",
            source="formats.md, Decision document",
        )
    found: dict[str, Any] = named(desk, case.case_id, "decision", digest)
    return found


def propose(
    desk: Desk, case_id: str, ref: str, key: FileKey, *, role: str, now: dt.datetime
) -> dict[str, Any]:
    """Draws up the decision and records the first signature. Returns the document."""
    document = draw_up(desk, load_case(case_id), ref, now)
    steps.propose(
        case_id, desk.hand(key.person, now, case_id), signing_of(desk, document, key, (role, "propose"), now)
    )
    return document


def approve(desk: Desk, case_id: str, ref: str, key: FileKey, *, role: str, now: dt.datetime) -> Event:
    """Records the second signature, under the document as it lies in the vault, while the packs still say the same."""
    case = load_case(case_id)
    document = open_decision(desk, case, ref)
    current(desk, case)
    signing = signing_of(desk, document, key, (role, "approve"), now)
    return steps.approve(case_id, desk.hand(key.person, now, case_id), signing)


def reject(
    desk: Desk, case_id: str, ref: str, key: FileKey, *, role: str, reason: str, now: dt.datetime
) -> Event:
    """Records one person's refusal."""
    document = open_decision(desk, load_case(case_id), ref)
    signing = signing_of(desk, document, key, (role, "reject"), now)
    return steps.reject(case_id, desk.hand(key.person, now, case_id), signing, reason=reason)


def signing_of(
    desk: Desk, document: dict[str, Any], key: FileKey, word: tuple[str, Verdict], now: dt.datetime
) -> Signing:
    """``word`` is the role and the verdict: together they are what the signature means."""
    role, verdict = word
    signature = key.sign(desk.pins.origin, document, role=role, verdict=verdict)
    return Signing(document, signature, desk.roster(), now)

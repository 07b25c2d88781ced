"""Verb 10 around its steps: what is owed, the letter with its receipt, the outbox, the record.

Embedded mode sends into the folder ``outbox``; the operator's own mail system takes it from there. A letter that
was begun and not finished is never sent twice by itself: a person looks first.
"""

import datetime as dt
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dueprocess.cases.authenticate import FINDING_CODES
from dueprocess.cases.case import Case, TargetState
from dueprocess.cases.notify import delay, notice_rule, owed_notice, time_to_object
from dueprocess.cases.silence import silence_document
from dueprocess.demand import Demand, Scope, diff, ordered
from dueprocess.desk.assessments import assessed, reading
from dueprocess.desk.demands import authorised
from dueprocess.desk.desk import Desk
from dueprocess.desk.filekeys import FileKey
from dueprocess.desk.receipts import receipt
from dueprocess.desk.resolving import demanded_item
from dueprocess.desk.restored import refuse_restored
from dueprocess.errors import RefusedError
from dueprocess.history.append import load_case
from dueprocess.law import Assessment
from dueprocess.notice.facts import Delay, Given, NoticeFacts, Phase, Proof, Refused, Sender
from dueprocess.notice.letters import Letter, render_notice
from dueprocess.publication.durable import write_durable
from dueprocess.publication.receipts import accepted
from dueprocess.steps import notify as steps
from dueprocess.ui.rendering import stylesheet
from dueprocess.wire import b64, parse_instant, sha256_hex


@dataclass(frozen=True, slots=True)
class Order:
    """A new nondisclosure order, or the paper that ends one (``until`` None)."""

    paper: Path
    basis: str
    until: dt.datetime | None


def notify(desk: Desk, case_id: str, ref: str, *, actor: str, now: dt.datetime) -> str | None:
    """Sends what this target's user is owed now. Returns the phase sent, or None where nothing is owed.

    Refuses in a restored installation that was not recovered: an order not to tell may have come since the backup.
    """
    refuse_restored(desk.installation)
    case = load_case(case_id)
    state = case.target(ref)
    if delay(state, now):
        steps.delay(case_id, desk.hand(actor, now, case_id), ref)
    phase = owed_notice(state, now)
    if phase is None:
        return None
    steps.refuse_half_sent(state, phase)
    letter = compose(desk, case, ref, phase, now)
    # Behind random bytes: who knows the template could else confirm the account by the digest, even after erasure.
    stored = secrets.token_bytes(32) + letter.text.encode()
    digest = sha256_hex(stored)
    enclosed = receipt(desk, case, ref, "user")
    hand = desk.hand(actor, now, case_id)
    desk.vault.put(case_id, f"letter:{digest}", stored)
    steps.start(case_id, hand, ref, phase=phase, letter_sha256=digest)
    folder = desk.installation.outbox / f"{case_id[:8]}-{ref}-{phase}"
    write_durable(folder / "notice.txt", letter.text.encode())
    write_durable(folder / "notice.html", letter.html.encode())
    write_durable(folder / "receipt.json", enclosed)
    write_durable(folder / "policy.txt", desk.policy_text)
    write_durable(folder / "style.css", stylesheet())
    steps.notified(case_id, hand, ref, phase=phase, letter_sha256=digest, channel="outbox")
    return phase


def change_silence(
    desk: Desk, case_id: str, ref: str, order: Order, signers: Sequence[FileKey], *, now: dt.datetime
) -> str | None:
    """Extends or ends a nondisclosure order on the strength of its paper, signed by two. Returns its new end."""
    paper = order.paper.read_bytes()
    desk.vault.put(case_id, f"order:{sha256_hex(paper)}", paper)
    document = silence_document(
        load_case(case_id),
        ref,
        origin=desk.pins.origin,
        basis=order.basis,
        until=order.until,
        paper_sha256=sha256_hex(paper),
        nonce=b64(secrets.token_bytes(32)),
    )
    given = [each.sign(desk.pins.origin, document, role="reviewer", verdict="silence") for each in signers]
    hand = desk.hand(signers[0].person, now, case_id)
    steps.change_silence(case_id, hand, document, given, desk.roster())
    return str(document["until"]) if document["until"] else None


def confirm(desk: Desk, case_id: str, ref: str, *, actor: str, now: dt.datetime) -> str:
    """A person has looked: the letter that was begun did go out."""
    state = load_case(case_id).target(ref)
    begun = [phase for phase in state.notice_started if phase not in state.notified]
    if not begun:
        raise RefusedError("nothing-begun", "No notice to this user is half sent.")
    started = [e for e in load_case(case_id).events if e.kind == "NoticeStarted" and e.body["target"] == ref]
    hand = desk.hand(actor, now, case_id)
    digest = started[-1].text("letter_sha256")
    steps.notified(case_id, hand, ref, phase=begun[-1], letter_sha256=digest, channel="outbox")
    return begun[-1]


def compose(desk: Desk, case: Case, ref: str, phase: str, now: dt.datetime) -> Letter:
    """The letter to one user, from the case as it stands."""
    state = case.target(ref)
    assert case.received is not None
    assert case.verified is not None
    assert state.decision is not None
    place = desk.installation
    scope, _ = authorised(desk, case, ref)
    demand, assessment = reading(desk, case), assessed(desk, case)
    demanded = demanded_item(desk, case, ref)
    item = scope.items[0]
    period = item.period
    authority = desk.roster().authority(case.verified.text("authority"))
    findings: Any = case.verified.body["findings"]
    facts = NoticeFacts(
        phase=_phase(phase, state),
        sender=Sender(place.operator, place.contact, place.origin.split("/")[0]),
        written_on=now.date(),
        addressee=demanded.target.value,
        account=demanded.target.value,
        authority=authority.about.get("name", authority.id) if authority else "an authority",
        instrument=_instrument(desk, assessment),
        legal_basis=assessment.legal_basis,
        checks=tuple(FINDING_CODES[code] for code in findings),
        asked=tuple(ordered(demanded.categories)),
        refused=_refused(Scope(demand.scope.nonce, (demanded,)), scope, assessment),
        given=_given(state, ordered(item.categories), phase),
        window=(period.since, period.until) if period.since and period.until else None,
        received_on=demand.received_at.date(),
        decided_on=parse_instant(state.approvals[-1].recorded_at).date(),
        handed_over_on=parse_instant(state.delivered.recorded_at).date() if state.delivered else None,
        object_to=place.contact,
        object_until=now + time_to_object(state) if phase == "before" else None,
        proof=_proof(desk),
        delay=_delay(demand, state) if phase == "after" else None,
    )
    return render_notice(facts, stylesheet="style.css")


def _phase(phase: str, state: TargetState) -> Phase:
    if phase == "before":
        return "before"
    return "after_delay" if state.notice_delayed else "after"


def _instrument(desk: Desk, assessment: Assessment) -> str:
    """The paper's name in the pack by which it was assessed, which may not be in force any more."""
    by_digest = {pack.sha256: pack for pack in desk.packs_of(each.sha256 for each in assessment.packs)}
    applied = [by_digest[each.sha256] for each in assessment.packs if each.sha256 in by_digest]
    found = (pack.instrument(assessment.instrument or "", assessment.on) for pack in applied)
    return next(each.name for each in found if each is not None)


def _refused(demanded: Scope, scope: Scope, assessment: Assessment) -> tuple[Refused, ...]:
    refused = []
    for cut in diff(demanded, scope):
        for category in ordered(cut.categories):
            reasons = [f for f in assessment.findings if f.kind == "cut" and category in f.categories]
            source = str(reasons[0].citation.label) if reasons and reasons[0].citation else "our own reading"
            text = reasons[0].text if reasons else "It was more than the paper could justify."
            refused.append(Refused(category, text, source))
    return tuple(refused)


def _given(state: TargetState, categories: list[Any], phase: str) -> tuple[Given, ...]:
    if phase == "before" or state.produced is None:
        return tuple(Given(category) for category in categories)
    tables: Any = state.produced.body["tables"]
    counts = {c: sum(t["rows"] for t in tables if c in t["categories"]) for c in categories}
    return tuple(Given(category, counts[category]) for category in categories)


def _proof(desk: Desk) -> Proof:
    opened, _ = accepted(desk.read_log("checkpoint"), desk.policy)
    return Proof(
        file="receipt.json",
        command="dueprocess verify receipt.json --policy policy.txt",
        origin=desk.installation.origin,
        witnesses=tuple(name for name, _ in opened.witnesses),
    )


def _delay(demand: Demand, state: TargetState) -> Delay | None:
    """The order that forbade to tell: the one on the paper, or the one that two people recorded later."""
    if state.notice_delayed is None:
        return None
    later: Any = state.silence.body["document"] if state.silence else None
    order = demand.nondisclosure
    basis = order.basis if order is not None else str(later["basis"])
    begun = order.starts_on if order is not None else parse_instant(state.notice_delayed.recorded_at)
    return Delay(basis=basis, since=begun, until=parse_instant(str(notice_rule(state)["until"])))

"""Verbs 1 to 5 around their steps: receive, authenticate, read, assess, narrow."""

import datetime as dt
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dueprocess.cases.case import Case
from dueprocess.cases.events import Event
from dueprocess.cases.narrow import Narrowing, holdable, not_producible
from dueprocess.demand import Demand, Period, Scope, ScopeItem, expand, parse_scope
from dueprocess.desk.assessments import current, reading, recorded, would_be
from dueprocess.desk.desk import Desk
from dueprocess.desk.heldparts import as_planned, keep_planned, with_planned
from dueprocess.desk.promises import intake_receipt, promise_path
from dueprocess.desk.resolving import account, found_of, permitted_item
from dueprocess.errors import BrokenError, MalformedError, RefusedError
from dueprocess.history.append import load_case
from dueprocess.intake.paper import Paper, open_paper
from dueprocess.law import Assessment, Finding
from dueprocess.plan import Plan, compile_plan, question_only
from dueprocess.publication.durable import write_durable
from dueprocess.steps import assess as assess_step
from dueprocess.steps import authenticate as authenticate_step
from dueprocess.steps import narrow as narrow_step
from dueprocess.steps import read as read_step
from dueprocess.steps import receive as receive_step
from dueprocess.tlog.subjects import subjects_root
from dueprocess.wire import Json, b64, digest_of, unb64


def receive(
    desk: Desk, path: Path, *, channel: str, actor: str, now: dt.datetime, receipt: Path | None = None
) -> tuple[str, Paper]:
    """Stores the bytes as they came and opens a case. Returns its id and the paper as read.

    The signed intake receipt is written after the commit, because it is a promise: to ``receipt`` or the outbox.
    """
    paper = open_paper(path)
    case_id = secrets.token_hex(16)
    with desk.keys.receiving():  # until history names the key and the paper, nothing may sweep them
        desk.keys.make(case_id)
        desk.vault.put(case_id, "paper", path.read_bytes())
        nonce = secrets.token_bytes(32)
        meta: dict[str, Json] = {"nonce": b64(nonce), "name": path.name, "kind": paper.kind}
        desk.vault.put_json(case_id, "paper-meta", meta)
        receive_step.receive(
            case_id,
            desk.hand(actor, now, case_id),
            paper_sha256=paper.sha256,
            nonce=nonce,
            channel=channel,
            media=paper.kind,
            size_bytes=path.stat().st_size,
        )
    write_durable(receipt or promise_path(desk, case_id), intake_receipt(desk, case_id))
    return case_id, paper


def authenticate(
    desk: Desk, case_id: str, *, authority: str | None, findings: Sequence[str], actor: str, now: dt.datetime
) -> Event:
    """Records what a person found out about the requester; the authority must be enrolled and active."""
    entry = desk.roster().authority(authority) if authority is not None else None
    if authority is not None and (entry is None or not entry.active(now)):
        raise RefusedError(
            "unknown-authority",
            f"There is no active authority {authority!r} in the roster.",
            why="A parcel goes only to a key that two people enrolled for an authority they checked.",
            do="Enrol it: dueprocess enrol authority.",
            source="formats.md, Rosters",
        )
    hand = desk.hand(actor, now, case_id)
    return authenticate_step.authenticate(case_id, hand, authority=entry, findings=findings)


def read(desk: Desk, case_id: str, demand: Demand, *, country: str, actor: str, now: dt.datetime) -> Event:
    """Stores a person's transcription in the vault and records its digest."""
    demand = _of_country(demand, country)
    value = demand.as_json()
    accounts = [item.target.value for item in demand.scope.items]
    desk.vault.put_json(case_id, f"reading:{digest_of(value)}", value)
    root = subjects_root(desk.subjects_secret(case_id), accounts)
    hand = desk.hand(actor, now, case_id)
    return read_step.read(case_id, hand, demand, country=country, subjects_root=root.hex())


def _of_country(demand: Demand, country: str) -> Demand:
    """The demand with its authority's country, which clocks and calendars ask for. Refuses another one."""
    if demand.country not in (None, country):
        raise MalformedError("bad-facts", f"The paper was read as of {demand.country}, not of {country}.")
    return replace(demand, country=country)


def assess(desk: Desk, case_id: str, *, actor: str, now: dt.datetime) -> Assessment:
    """Asks the packs in force about the reading and records the answer by digest; the case keeps its calendars."""
    case = load_case(case_id)
    assessment, calendars = would_be(desk, reading(desk, case), now.date())
    for each in calendars:
        desk.vault.put_json(case_id, f"calendar:{each.sha256}", each.as_json())
    desk.vault.put_json(case_id, f"assessment:{assessment.assessment_sha256}", assessment.as_json())
    assess_step.assess(case_id, desk.hand(actor, now, case_id), assessment, expected=case.last_seq)
    return assessment


@dataclass(frozen=True, slots=True)
class Choice:
    """How far a person narrows one target. None leaves what the law permits."""

    categories: frozenset[str] | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None


def narrow(
    desk: Desk, case_id: str, ref: str, choice: Choice, *, actor: str, now: dt.datetime
) -> tuple[Scope, Plan]:
    """Cuts one target to what the law permits and a person chose, compiles its plan, records both by digest."""
    case = load_case(case_id)
    demand, assessment = reading(desk, case), current(desk, case)
    if not assessment.producible and not holdable(case):
        raise not_producible(case)
    permitted = permitted_item(desk, case, ref, assessment)
    if permitted is None:
        raise RefusedError(
            "nothing-permitted",
            f"The law permits nothing of what is asked about {ref}.",
            do="Reject it, with the assessment's findings as the reason: dueprocess close.",
            source=", ".join(assessment.legal_basis),
        )
    item = _chosen(permitted, choice)
    authorised = Scope(secrets.token_bytes(32), (item,))
    plan = _compiled(desk, item, secrets.token_bytes(32))
    holds = assessment.producible and item.target.kind == "account"
    plan = with_planned(desk, plan) if holds else plan
    stored: dict[str, Json] = {"scope": authorised.as_json(), "plan_nonce": b64(plan.nonce)}
    desk.vault.put_json(case_id, f"scope:{authorised.sha256}", stored)
    keep_planned(desk, case_id, authorised.sha256, plan)
    narrowing = Narrowing(
        ref=ref,
        demanded=demand.scope,
        permitted=permitted,
        authorised=authorised,
        findings=_about(assessment, case.place(ref)),
        plan_sha256=plan.plan_sha256,
        map_sha256=desk.datamap.sha256,
        found=found_of(desk, case, ref),
    )
    narrow_step.narrow(case_id, desk.hand(actor, now, case_id), narrowing, expected=case.last_seq)
    return authorised, plan


def authorised(desk: Desk, case: Case, ref: str) -> tuple[Scope, Plan]:
    """The authorised scope of a target with its plan compiled again from the map as it is now.

    Refuses what rests on an assessment by packs that nobody had put in force: so the gate refuses it too.
    """
    recorded(desk, case)
    state = case.target(ref)
    if state.scope_sha256 is None:
        raise RefusedError("not-narrowed", f"{ref} was not narrowed yet.", do="Run dueprocess narrow.")
    stored: Any = desk.vault.get_json(case.case_id, f"scope:{state.scope_sha256}")
    scope, nonce = stored_scope(stored, state.scope_sha256)
    named = account(desk, case, ref)
    if named is not None and scope.items[0].target != named:
        raise BrokenError(
            "other-account",
            f"The authorised scope of {ref} is about another account than the one that was found.",
            do="Stop. Find out who changed the vault; restore it from a backup and run dueprocess fsck.",
            source="formats.md, Scope",
        )
    plan = _compiled(desk, scope.items[0], nonce)
    return scope, as_planned(desk, case, state.scope_sha256, plan)


def _compiled(desk: Desk, item: ScopeItem, nonce: bytes) -> Plan:
    """The plan of one item. One that is no account is asked about, and nothing is read of it."""
    plan = compile_plan(item, desk.datamap, nonce=nonce)
    return plan if item.target.kind == "account" else question_only(plan)


def stored_scope(stored: Any, scope_sha256: str) -> tuple[Scope, bytes]:
    """An authorised scope and its plan's nonce as the vault keeps them. Refuses another one than history names."""
    fits = isinstance(stored, dict) and set(stored) == {"scope", "plan_nonce"}
    if not fits or digest_of(stored["scope"]) != scope_sha256:
        raise BrokenError(
            "scope-altered",
            "The authorised scope in the vault is not the one that history names.",
            why="Its digest differs from the one that was signed and sealed.",
            do="Stop. Find out who changed the vault; restore it from a backup and run dueprocess fsck.",
            source="formats.md, Gate",
        )
    return parse_scope(stored["scope"]), unb64(stored["plan_nonce"], length=32)


def _chosen(permitted: ScopeItem, choice: Choice) -> ScopeItem:
    categories = permitted.categories
    if choice.categories is not None:
        categories = expand(choice.categories)
    period = Period(choice.since or permitted.period.since, choice.until or permitted.period.until)
    return ScopeItem(permitted.target, categories, period, permitted.purpose)


def _about(assessment: Assessment, place: int) -> list[Finding]:
    return [f for f in assessment.findings if f.target_index in (None, place)]

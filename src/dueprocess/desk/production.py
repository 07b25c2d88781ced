"""Verb 8 around its steps, inside the production worker's own process: prove, query, encrypt, record.

The only caller is the production worker, which alone holds the stores' credentials.
"""

import datetime as dt
import secrets
from collections.abc import Container, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pyrage.x25519 import Identity

from dueprocess.cases.case import Case
from dueprocess.cases.decide import BY_HAND
from dueprocess.delivery.handover import parcel_path
from dueprocess.demand import Period
from dueprocess.desk import collecting, holding, resuming
from dueprocess.desk.admission import admitted, stores_of
from dueprocess.desk.assessments import assessed
from dueprocess.desk.decisions import open_decision
from dueprocess.desk.desk import Desk
from dueprocess.desk.parcels import clear_unfinished, unfinished
from dueprocess.desk.resolving import demanded_item, permitted_item
from dueprocess.errors import ConflictError, RefusedError, UnavailableError
from dueprocess.history.append import load_case
from dueprocess.history.leases import Clock, leased
from dueprocess.parcel import Evidence, SourceNote, Statement, TableResult
from dueprocess.plan import HeldPart, Plan
from dueprocess.production.answer import Answer, Answered, category_lines, run_plan
from dueprocess.production.collect import Extra, Tell
from dueprocess.production.packing import Wrapping
from dueprocess.production.resuming import EarlierRuns
from dueprocess.roster import Entry
from dueprocess.steps import produce as steps
from dueprocess.wire import instant, parse_instant

from dueprocess import __version__  # isort: skip


@dataclass(frozen=True, slots=True)
class Production:
    """What one production gave: the parcel's id and digest, what the gate proved, a line for each table."""

    parcel_id: str
    parcel_sha256: str
    proved: list[str]
    tables: list[str]


@dataclass(frozen=True, slots=True)
class Watch:
    """Whoever stands beside a production: the clock by which its leases last, and who is told how far it is."""

    clock: Clock
    tell: Tell | None = None


def produce(
    desk: Desk,
    case_id: str,
    ref: str,
    environment: Mapping[str, str],
    *,
    now: dt.datetime,
    watch: Watch | None = None,
) -> Production:
    """Runs one approved production. Refuses through the gate; a failed run leaves no parcel and can be run again.

    Tables of a slow store that an interrupted run of it had read to their end are not read again.
    Refuses, with a `ConflictError` that names who, while another program works on this target or reads one of the
    stores. Without a ``watch`` time stands still, and nobody is told how far it is.
    """
    watch = watch or Watch(lambda: now)
    clear_unfinished(desk.installation.parcels)
    begun = admitted(desk, case_id, ref, "produce", now)
    case, plan = begun.case, begun.plan
    real = desk.installation.clock_mode == "system"
    earlier = resuming.earlier_runs(desk, case, ref, watch.clock if real else lambda: now)
    extra = _beside(desk, case, ref, plan, earlier)
    with leased(begun.leases(stores_of(plan)), watch.clock) as leases:
        hand = desk.hand("production", now, case_id)
        proved = begun.start(hand)
        answer = _answer(desk, case, ref, plan, now)
        parcel_id = answer.wrapping.parcel_id
        with unfinished(parcel_path(desk.installation.parcels, parcel_id)) as parcel:
            with parcel.filled() as file:
                answered = run_plan(
                    plan, desk.datamap, environment, answer, file, extra=extra, tell=watch.tell
                )
            made = _made(case, ref, parcel_id, answered)
            try:
                leases.check()
                steps.finish_production(case_id, hand, made)
            except (RefusedError, ConflictError):
                # Somebody else finished first, or is at it now: no event will ever name this parcel.
                parcel.discard()
                raise
    with suppress(UnavailableError):  # the parcel is made; the worker's next turn destroys what is left
        resuming.clear_reads(desk, load_case(case_id), now, watch.clock())
    lines = [f"{result.store}.{result.table}: {_told(result, extra.by_hand)}" for result in answered.results]
    return Production(parcel_id, answered.packed.parcel_sha256, proved, lines)


def _beside(desk: Desk, case: Case, ref: str, plan: Plan, earlier: EarlierRuns) -> Extra:
    """What no live store gives. Refuses while a person has yet to collect a table by hand."""
    by_hand = collecting.stores_by_hand(desk, case, ref, plan)
    tables, files = holding.sources(desk, case, ref, plan), holding.files(desk, case, ref, plan)
    return Extra(tables, files, earlier, by_hand)


def _told(result: TableResult, by_hand: Container[str]) -> str:
    """A result in words. Why a person could not collect something stands in the package, in their own words, alone."""
    if result.status == "failed" and result.store in by_hand:
        return "failed, as the person who was to collect it says in the package"
    return result.words


def _made(case: Case, ref: str, parcel_id: str, answered: Answered) -> steps.Produced:
    return steps.Produced(
        ref=ref,
        decision_sha256=str(case.target(ref).decision_sha256),
        subject="one" if answered.subject_found else "none",
        parcel_id=parcel_id,
        parcel_sha256=answered.packed.parcel_sha256,
        size_bytes=answered.packed.size,
        tables=[_counted(result.as_json(), result.categories) for result in answered.results],
    )


def _counted(result: Mapping[str, Any], categories: tuple[str, ...]) -> dict[str, Any]:
    """A table's result for history: no reasons, which might quote a store's own words."""
    kept = {name: result[name] for name in ("store", "table", "status", "rows")}
    return {**kept, "categories": list(categories)}


def _answer(desk: Desk, case: Case, ref: str, plan: Plan, now: dt.datetime) -> Answer:
    parcel_id = "p-" + secrets.token_hex(8)
    document = open_decision(desk, case, ref)
    demanded = demanded_item(desk, case, ref)
    permitted = permitted_item(desk, case, ref, assessed(desk, case))
    authority = desk.roster().authority(document["recipient"]["authority"])
    basis = tuple(str(each) for each in document["legal_basis"])
    statement = Statement(
        parcel_id=parcel_id,
        operator=desk.installation.operator,
        authority=_name(authority),
        order=str(document["order_ref"])[:16],
        account=demanded.target.value,
        legal_basis=basis,
        windows=(
            ("asked", _words(demanded.period)),
            ("permitted", _words(permitted.period) if permitted else "nothing"),
            ("authorised", _words(plan.item.period)),
        ),
        categories=category_lines(plan, asked=demanded, permitted=permitted),
        produced_at=instant(now),
        sources=(*_sources(plan), *collecting.source_notes(desk, case, ref, plan)),
    )
    approved = case.target(ref).approvals[-1].recorded_at
    evidence = Evidence(
        seed=secrets.token_bytes(32),
        parcel_id=parcel_id,
        operator=desk.installation.operator,
        tool_version=__version__,
        instrument=case.read.text("instrument") if case.read else "",
        order=str(document["order_ref"])[:16],
        authorised_at=parse_instant(approved),
        started_at=now,
        ended_at=now,
    )
    fields = {"Source-Organization": desk.installation.operator, "External-Identifier": parcel_id}
    recipient = _recipient(desk, case.case_id, document["recipient"]["key"])
    wrapping = Wrapping(parcel_id, recipient, now, fields)
    return Answer(
        wrapping,
        secrets.token_hex(2).upper(),
        statement,
        evidence,
        _pseudonymous(document, case, ref),
        country=case.read.text("country") if case.read else "",
    )


def _recipient(desk: Desk, case_id: str, key: str) -> str:
    """The key that the parcel is encrypted to: the authority's own, or the case's where a person hands it over."""
    if not key.startswith(BY_HAND):
        return key
    return str(Identity.from_str(desk.keys.keys(case_id).identity).to_public())


def _sources(plan: Plan) -> tuple[SourceNote, ...]:
    """What stands in the package beside the live stores: the snapshots of the holds that the plan names."""
    return tuple(SourceNote(part.store, "hold", _taken_at(part)) for part in plan.holds)


def _taken_at(part: HeldPart) -> str:
    """When the snapshot of a hold was taken, by history."""
    taken = [
        event
        for event in load_case(part.case_id).events
        if event.kind == "HoldTaken" and event.body["target"] == part.ref
    ]
    return taken[-1].recorded_at if taken else "an unknown day"


def _name(authority: Entry | None) -> str:
    return authority.about.get("name", authority.id) if authority else "unknown"


def _words(period: Period) -> str:
    since = instant(period.since) if period.since else "no start"
    until = instant(period.until) if period.until else "no end"
    return f"{since} to {until} (the end itself not included)"


def _pseudonymous(document: Mapping[str, Any], case: Case, ref: str) -> dict[str, Any]:
    """The signed document with the signatures under it; staff appear by their opaque ids and roles only."""
    state = case.target(ref)
    assert state.decision is not None
    signatures = [event.body["signature"] for event in (state.decision, *state.approvals)]
    return {"document": dict(document), "signatures": signatures}

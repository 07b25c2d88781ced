"""Holds, around their steps: what people do about them, and what a disclosure reads of them.

One person begins, a second confirms, two prolong or end. Nobody reads: what a hold keeps comes out only as a source
of a production that two people approved.
"""

import datetime as dt
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dueprocess.cases.case import Case
from dueprocess.cases.document import DECIDING_ROLES
from dueprocess.cases.events import Event
from dueprocess.cases.hold import HoldTerms, going, hold_document, keep_until, not_holdable
from dueprocess.cases.holdpapers import Signed, release_document, renewal_document, renewed_until
from dueprocess.cases.holdstate import HoldState
from dueprocess.cases.logproof import check_sealed
from dueprocess.cases.narrow import holdable
from dueprocess.desk.assessments import assessed, calendars_for, reading
from dueprocess.desk.decisions import document_facts, signing_of
from dueprocess.desk.desk import Desk, named
from dueprocess.desk.filekeys import FileKey
from dueprocess.desk.gatekeeping import prove
from dueprocess.desk.heldparts import VaultShelf
from dueprocess.desk.packs import named_packs
from dueprocess.desk.resolving import demanded_item
from dueprocess.errors import DueprocessError, RefusedError, UnavailableError
from dueprocess.history.append import load_case
from dueprocess.history.docket import docket
from dueprocess.law import assess
from dueprocess.plan import HeldPart, Plan
from dueprocess.production.heldsources import HeldFiles, HeldSource, held_files, held_sources, lost_sources
from dueprocess.roster import Verdict
from dueprocess.steps import hold as steps
from dueprocess.steps import release as release_steps
from dueprocess.wire import digest_of


@dataclass(frozen=True, slots=True)
class Given:
    """One person's key with the role in which they sign."""

    key: FileKey
    role: str


def begin(
    desk: Desk, case_id: str, ref: str, given: Given, *, now: dt.datetime, in_place: bool = False
) -> dict[str, Any]:
    """Draws up the hold of one target, stores it, and records the one signature that begins it.

    ``in_place``: files are not copied; only their digests and sizes are kept.
    """
    case = load_case(case_id)
    facts = document_facts(desk, case, ref, now)
    until = keeping_until(desk, case)
    terms = HoldTerms(secrets.token_hex(16), "in_place" if in_place else "copy", until)
    document = hold_document(case, facts, terms)
    desk.vault.put_json(case_id, f"decision:{digest_of(document)}", document)
    signing = signing_of(desk, document, given.key, (given.role, "propose"), now)
    steps.start(case_id, desk.hand(given.key.person, now, case_id), signing, until)
    return document


def confirm(desk: Desk, case_id: str, ref: str, given: Given, *, now: dt.datetime) -> Event:
    """Records the second person's signature, under the document as it lies in the vault."""
    case = load_case(case_id)
    document = open_hold(desk, case, ref)
    signing = signing_of(desk, document, given.key, (given.role, "approve"), now)
    return steps.confirm(case_id, desk.hand(given.key.person, now, case_id), signing)


def open_hold(desk: Desk, case: Case, ref: str) -> dict[str, Any]:
    """The document of the hold that goes on for a target."""
    found: dict[str, Any] = named(desk, case.case_id, "decision", going(case.target(ref)).decision_sha256)
    return found


def keeping_until(desk: Desk, case: Case) -> dt.datetime:
    """Until when the law of this case's paper wants the data kept."""
    return keep_until(assessed(desk, case), reading(desk, case).received_at)


def renew(
    desk: Desk,
    case_id: str,
    ref: str,
    paper: tuple[str, str],
    signers: Sequence[FileKey],
    *,
    now: dt.datetime,
) -> Event:
    """Lets a hold last longer, as two people sign, because a renewed request came. It adds no data.

    ``paper`` is the case of the renewed request, and its target. Can be run again after an interruption.
    """
    case, asking = load_case(case_id), load_case(paper[0])
    hold = going(case.target(ref))
    order_ref = _same_request(desk, case, asking, (ref, paper[1]))
    if hold.renewed is None or _document(hold.renewed)["order_ref"] != order_ref:
        until = _renewed(desk, case, asking, hold)
        document = renewal_document(
            case,
            ref,
            origin=desk.pins.origin,
            order_ref=order_ref,
            until=until,
            nonce=secrets.token_bytes(32),
        )
        hand = desk.hand(signers[0].person, now, case_id)
        steps.renew(case_id, hand, ref, _signed(desk, document, signers, "renew", now), until)
    steps.served(paper[0], desk.hand(signers[0].person, now, paper[0]), paper[1], hold.hold_id)
    renewed = going(load_case(case_id).target(ref)).renewed
    assert renewed is not None
    return renewed


def release(
    desk: Desk, case_id: str, ref: str, ground: str, signers: Sequence[FileKey], *, now: dt.datetime
) -> Event:
    """Ends a hold before its time, as two people sign. The worker destroys at its next turn what was kept."""
    case = load_case(case_id)
    nonce = secrets.token_bytes(32)
    document = release_document(case, ref, ground, origin=desk.pins.origin, nonce=nonce)
    hand = desk.hand(signers[0].person, now, case_id)
    return release_steps.release(case_id, hand, ref, _signed(desk, document, signers, "release", now))


def visible_holds(desk: Desk, person: str, now: dt.datetime) -> list[tuple[Case, str, HoldState]]:
    """Every hold that goes on or waits for its destruction, for a person who may decide about holds.

    Refuses everybody else: that somebody's data are kept is itself a fact about them.
    """
    refuse_unnamed(desk, person, now)
    cases = (load_case(line.case_id) for line in docket())
    return [
        (case, ref, state.hold)
        for case in cases
        for ref, state in case.targets.items()
        if state.hold is not None and state.hold.destroyed is None
    ]


def refuse_unnamed(desk: Desk, person: str, now: dt.datetime) -> None:
    """Refuses whoever holds no deciding role."""
    theirs = (each for each in desk.roster().entries.values() if each.roster == "staff" and each.id == person)
    if not any(each.active(now) and set(each.roles) & set(DECIDING_ROLES) for each in theirs):
        raise RefusedError(
            "not-for-you",
            "Holds are shown to people who may decide about them.",
            why="That somebody's data are kept is itself a fact about them.",
            do="Ask a reviewer or counsel. If you are one, set DUEPROCESS_PERSON to your id.",
            source="docs/holds.md",
        )


def sources(desk: Desk, case: Case, ref: str, plan: Plan) -> list[HeldSource]:
    """What a production reads of the holds that its plan names, cut to what plan and hold both reach.

    Refuses unless two people approved this very plan for a disclosure, and while a hold's own record is not sealed.
    A hold that ended meanwhile gives sources that fail, so that it is named and nobody is told "nothing held".
    """
    found: list[HeldSource] = []
    for part, error in _parts(desk, case, ref, plan):
        shelf = VaultShelf(desk.vault, part.hold_id)
        found += lost_sources(part, plan, shelf, error) if error else held_sources(part, plan, shelf)
    return found


def files(desk: Desk, case: Case, ref: str, plan: Plan) -> list[HeldFiles]:
    """The same for files. A hold that ended is told by `sources`, or here where the plan has no tables."""
    found: list[HeldFiles] = []
    for part, error in _parts(desk, case, ref, plan):
        shelf = VaultShelf(desk.vault, part.hold_id)
        if error is None:
            found += held_files(part, plan, shelf)
        else:
            found += [HeldFiles(part.store, query, shelf, failure=error) for query in plan.files]
    return found


def _parts(desk: Desk, case: Case, ref: str, plan: Plan) -> Iterator[tuple[HeldPart, DueprocessError | None]]:
    if not plan.holds:
        return
    state = case.target(ref)
    disclosed = state.decision is not None and state.decision.body["action"] == "disclose"
    if not disclosed or not state.approvals or state.rejected or state.plan_sha256 != plan.plan_sha256:
        raise RefusedError(
            "not-approved",
            "A hold is read only for a disclosure that two people approved, by the plan that they signed.",
            source="docs/holds.md; formats.md, Gate",
        )
    for part in plan.holds:
        yield part, _readable(desk, part)


def _readable(desk: Desk, part: HeldPart) -> DueprocessError | None:
    """Why a hold that a plan names cannot be read, or None. Refuses one whose confirmation is not sealed yet."""
    case = load_case(part.case_id)
    hold = case.target(part.ref).hold
    same = hold is not None and hold.hold_id == part.hold_id and hold.readable
    if not same or hold is None or hold.confirmed is None or not desk.keys.has(part.hold_id):
        return UnavailableError(
            "hold-gone",
            f"The snapshot {part.store} is over and was destroyed.",
            why="Its time ended, or two people released it, after this plan was made.",
            do="Say so to the authority.",
        )
    last = hold.confirmed.case_seq
    last = max(last, hold.taken.case_seq if hold.taken else 0)
    check_sealed(prove(desk, part.case_id).log, [each for each in case.events if each.case_seq <= last])
    return None


def _same_request(desk: Desk, case: Case, asking: Case, refs: tuple[str, str]) -> str:
    """The reference of a paper that asks, for the same authority, to keep the same account's data longer."""
    if asking.received is None or not holdable(asking) or asking.case_id == case.case_id:
        raise not_holdable()
    mine, theirs = (demanded_item(desk, each, name) for each, name in zip((case, asking), refs, strict=True))
    if mine.target != theirs.target:
        raise RefusedError(
            "other-target",
            "The renewed request is about another account.",
            do="Name the case that it renews.",
        )
    if case.verified is None or asking.verified is None:
        raise RefusedError(
            "requester-doubted",
            "The requester of a renewal is authenticated before a hold is prolonged.",
            do="Call the authority back, then run dueprocess authenticate.",
            source="security.md 1.4",
        )
    if case.verified.body["authority"] != asking.verified.body["authority"]:
        raise RefusedError(
            "other-authority",
            "The renewed request comes from another authority than the hold.",
            do="Begin a hold of its own for it: dueprocess hold.",
        )
    return asking.received.text("order_ref")


def _renewed(desk: Desk, case: Case, asking: Case, hold: HoldState) -> dt.datetime:
    """Until when the pack's clock lets a hold last once the request was renewed."""
    assert case.assessed is not None
    first, again = reading(desk, case), reading(desk, asking)
    packs = desk.packs_of(named_packs(case.assessed))
    asked = replace(first, answers={**first.answers, **again.answers})
    found = assess(asked, packs, on=assessed(desk, asking).on, calendars=calendars_for(packs, asked))
    running = {each.id for each in found.clocks}
    extensions = [
        clock.length
        for pack in packs
        for clock in pack.clocks
        if clock.id in running and clock.id.endswith(".extension") and clock.starts == "outside"
    ]
    return renewed_until(
        hold.until,
        first.received_at,
        again=keep_until(found, first.received_at),
        extension_days=min(extensions, default=None),
    )


def _document(event: Event) -> Any:
    return event.body["document"]


def _signed(
    desk: Desk, document: dict[str, Any], signers: Sequence[FileKey], verdict: Verdict, now: dt.datetime
) -> Signed:
    origin = desk.pins.origin
    given = [each.sign(origin, document, role="reviewer", verdict=verdict) for each in signers]
    return Signed(document, given, origin, desk.roster(), now)

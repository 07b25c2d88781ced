"""Folding: the same events give the same case, and a history that cannot have happened is broken."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cases.story import BORIS, CASE_ID, EVA, FINN, Story, approved_story, assessed, assessed_story
from dueprocess.cases.case import Case, TargetState, evolve, fold
from dueprocess.cases.events import BODIES, FIRST, ROSTER_KINDS, Draft, Event
from dueprocess.cases.stages import MOVES, STAGE_MEANING, STAGES, diagram
from dueprocess.errors import BrokenError, RefusedError
from dueprocess.wire import Json, sha256_hex

HEX = sha256_hex(b"x")


def _event(kind: str, seq: int = 1, prev: str = FIRST, **body: Json) -> Event:
    return Event(CASE_ID, seq, kind, 1, body, "ana", "2026-09-01T08:00:00Z", prev)


def test_a_whole_life_passes_through_the_stages_in_their_order() -> None:
    """From receipt to closing, each step leads where the table says."""
    story = Story()
    seen = [story.received().case.stage, story.verified().case.stage, story.read().case.stage]
    seen += [story.assessed().case.stage, story.narrowed().case.stage, story.proposed().case.stage]
    seen += [story.approved().told().case.stage, story.produced().case.stage, story.delivered().case.stage]
    assert seen == [
        "received", "received", "read", "assessed", "narrowed", "proposed", "approved", "produced", "delivered",
    ]  # fmt: skip
    assert story.case.last_seq == len(story.events)
    assert story.case.outcome is None


def test_an_empty_history_is_no_case() -> None:
    """Whoever asks for an unknown case is refused, not given an empty one."""
    with pytest.raises(RefusedError, match="no such case"):
        fold([])


def test_a_doubt_takes_the_verification_back_and_the_other_way_round() -> None:
    """Only the newest finding about the requester counts."""
    story = Story().received().verified()
    story.tell(Draft("RequesterDoubted", {"findings": ["mail_only"]}))
    assert (story.case.verified, story.case.doubted is not None) == (None, True)
    assert story.verified().case.doubted is None


def test_a_letter_to_the_authority_is_remembered() -> None:
    """The case lists what was written back, and stays where it is."""
    body: dict[str, Any] = {
        "letter": "deficiency", "language": "en", "letter_sha256": HEX, "codes": ["missing.date"],
    }  # fmt: skip
    story = assessed_story().tell(Draft("LetterSent", body))
    assert [each.text("letter") for each in story.case.letters] == ["deficiency"]
    assert story.case.stage == "assessed"


def test_a_purged_parcel_is_remembered_even_after_closing() -> None:
    """Retention runs on when the case is closed; a decision does not."""
    story = approved_story().produced().delivered().told(phase="after")
    story.tell(Draft("CaseClosed", {"outcomes": {"t1": "complied"}}))
    story.tell(Draft("ParcelPurged", {"target": "t1", "parcel_id": "p-1"}))
    assert story.case.target("t1").purged
    withdrawn = {"target": "t1", "decision_sha256": HEX, "reason": "late"}
    with pytest.raises(RefusedError, match="cannot follow the stage 'closed'"):
        story.tell(Draft("DecisionWithdrawn", {**withdrawn}))


def test_a_target_is_asked_for_by_its_reference() -> None:
    """An unknown reference is answered with those that exist."""
    with pytest.raises(RefusedError) as caught:
        assessed_story(EVA, FINN).case.target("t3")
    assert "t1, t2" in caught.value.do
    with pytest.raises(RefusedError) as caught:
        Story().received().case.target("t1")
    assert "none yet" in caught.value.do


def test_the_case_stands_where_its_slowest_target_stands() -> None:
    """One target refused, one narrowed: the case is narrowed; all refused: refused."""
    story = assessed_story(EVA, FINN).narrowed().proposed()
    story.narrowed("t2")
    assert _stages(story) == ["narrowed", "proposed", "narrowed"]
    rejected: dict[str, Json] = {"target": "t1", "decision_sha256": HEX, "reason": "no", "signature": {}}
    story.tell(Draft("DecisionRejected", rejected))
    assert _stages(story) == ["narrowed", "refused", "narrowed"]
    story.proposed("t2").tell(Draft("DecisionRejected", {**rejected, "target": "t2"}))
    assert _stages(story) == ["refused", "refused", "refused"]


def _stages(story: Story) -> list[str]:
    """Of the case, then of its targets."""
    return [story.case.stage, *(state.stage for state in story.case.targets.values())]


# ------------------------------------------------------------------ what a fresh start may not undo


def _two(first: Callable[[Story], Any]) -> Story:
    """Two targets; the first goes on, the second stays narrowed."""
    story = assessed_story(EVA, FINN).narrowed().narrowed("t2")
    first(story)
    return story


@pytest.mark.parametrize(
    "first",
    [
        lambda s: s.proposed().approved(),
        lambda s: s.proposed().approved().told().produced(),
        lambda s: s.proposed().approved().told().produced().delivered(),
    ],
    ids=["approved", "produced", "delivered"],
)
def test_what_was_approved_or_handed_over_is_not_undone_by_its_sibling(first: Callable[[Story], Any]) -> None:
    """While one target of a case is past signature, neither a new reading nor a new assessment is possible:
    it would wipe the delivery and the notice that the user is owed.
    """
    with pytest.raises(RefusedError, match="cannot follow"):
        _two(first).assessed()
    with pytest.raises(RefusedError, match="cannot follow"):
        _two(first).read(EVA)


def _refuse_first(story: Story) -> None:
    story.proposed()
    body: dict[str, Any] = {"target": "t1", "decision_sha256": HEX, "reason": "no", "signature": {}}
    story.tell(Draft("DecisionRejected", body))


def test_a_refused_target_stays_refused_through_a_new_assessment_and_forbids_a_new_reading() -> None:
    """One person's no cannot be assessed away."""
    story = _two(_refuse_first).assessed(outcome="permit_all")
    assert [story.case.target(ref).stage for ref in ("t1", "t2")] == ["refused", "assessed"]
    with pytest.raises(RefusedError, match="cannot follow"):
        _two(_refuse_first).read(EVA)


def test_after_a_new_assessment_the_user_is_told_afresh() -> None:
    """Scope and signatures fall, and a letter about the old scope does not count for the new one."""
    story = assessed_story().narrowed().proposed()
    story.tell(Draft("NoticeDelayed", {"target": "t1", "basis": "x", "until": None}))
    story.told().assessed(outcome="permit_all")
    state = story.case.target("t1")
    assert (state.stage, state.scope_sha256, state.decision) == ("assessed", None, None)
    assert state.notified == ()
    assert state.notice_delayed is not None


# ------------------------------------------------------------------ histories that cannot be


def _impossible() -> list[tuple[str, Callable[[Case], Case], str]]:
    received = Story().received().events[0]
    return [
        ("it does not begin with a receipt",
         lambda _: evolve(Case(CASE_ID, ()), _event("RequesterDoubted", findings=[])), "not-received"),
        ("it was received twice", lambda case: evolve(case, received), "received-twice"),
        ("a roster event in a case", lambda case: evolve(case, _event("Enrolled", document={})), "wrong-stage"),
        ("a target that was never read", lambda case: evolve(case, _event("ScopeNarrowed", target="t1")),
         "no-such-target"),
        ("an assessment before the reading", lambda case: evolve(case, _event("DemandAssessed")), "wrong-stage"),
        ("a target event without a target",
         lambda case: evolve(replace(case, stage="narrowed"), _event("DecisionProposed")), "unknown-event"),
        ("targets that are no map", lambda case: evolve(case, _event("DemandRead", targets=[])), "bad-event"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("act", "code"), [row[1:] for row in _impossible()], ids=[row[0] for row in _impossible()]
)
def test_an_impossible_event_is_refused(act: Callable[[Case], Case], code: str) -> None:
    """Each row is an event that the table does not allow where it stands."""
    with pytest.raises((RefusedError, BrokenError)) as caught:
        act(Story().received().case)
    assert caught.value.code == code


def test_a_stored_history_against_the_table_is_broken_not_merely_refused() -> None:
    """What is stored was allowed once: if it contradicts the table, somebody changed it."""
    story = Story().received()
    prev = story.events[0].sha256
    draft = assessed([])
    odd = Event(CASE_ID, 2, draft.kind, 1, draft.body, "ana", "2026-09-01T08:01:00Z", prev)
    with pytest.raises(BrokenError) as caught:
        fold([*story.events, odd])
    assert caught.value.code == "wrong-stage"
    assert "fsck" in caught.value.do


@pytest.mark.parametrize("place", range(12))
def test_a_history_with_one_event_missing_or_changed_is_broken(place: int) -> None:
    """The links hold each event in its place."""
    events = approved_story().produced().events
    assert len(events) == 12
    changed = replace(events[place], actor="mallory")
    last = place == len(events) - 1
    for forged in ([*events[:place], *events[place + 1 :]], [*events[:place], changed, *events[place + 1 :]]):
        if last:  # The newest event has no successor to hold it: the ledger does.
            assert fold(forged).case_id == CASE_ID
            continue
        with pytest.raises(BrokenError):
            fold(forged)


# ------------------------------------------------------------------ stages


def test_every_event_of_a_case_has_its_place_in_the_table() -> None:
    """Kinds and moves name the same events, but for the receipt and the rosters."""
    assert set(MOVES) == set(BODIES) - ROSTER_KINDS - {"DemandReceived"}
    assert set(STAGE_MEANING) == set(STAGES)


def test_every_stage_can_be_reached_and_none_but_the_last_is_a_dead_end() -> None:
    """A target never gets stuck: refused and delivered lead on to closing."""
    leads = {stage for _, stage in MOVES.values() if stage} | {"received"}
    assert leads == set(STAGES)
    for stage in set(STAGES) - {"erased"}:
        onward = {to for sources, to in MOVES.values() if stage in sources and to and to != stage}
        assert onward, stage


def test_the_diagram_shows_every_move_that_leads_somewhere() -> None:
    """The picture in the documents is drawn from the table."""
    lines = diagram().splitlines()
    assert lines[:2] == ["stateDiagram-v2", "    [*] --> received: DemandReceived"]
    assert lines[-2:] == ["    closed --> [*]", "    erased --> [*]"]
    wanted = {f"    {a} --> {to}: {kind}" for kind, (sources, to) in MOVES.items() if to for a in sources}
    assert set(lines[2:-2]) == wanted
    assert "    proposed --> approved: DecisionApproved" in wanted


# ------------------------------------------------------------------ any order of events

REFS = ("t1", "t2")


def _begun(go_on: int) -> Story:
    """Two targets, both narrowed; the first is approved, produced or delivered besides."""
    story = assessed_story(EVA, FINN).narrowed().narrowed("t2")
    story = story.proposed().approved().told() if go_on > 0 else story
    story = story.produced() if go_on > 1 else story
    return story.delivered() if go_on > 2 else story


BEGUN = [_begun(go_on) for go_on in range(4)]
SAMPLE: dict[str, Json] = {"text": "x", "hex": HEX, "int": 1, "bool": True, "list": [], "map": {}}
STEPS = st.lists(st.integers(0, 10**6), min_size=10, max_size=60)


def _body(kind: str, ref: str) -> dict[str, Json]:
    body: dict[str, Any] = {name: SAMPLE[wanted.removesuffix("?")] for name, wanted in BODIES[kind].items()}
    if kind == "DemandRead":
        body["targets"] = {each: ["traffic"] for each in REFS}
    if "target" in body:
        body["target"] = ref
    if "signature" in body:
        body["signature"] = BORIS.sign({}, "propose").as_json()
    return body


def _stage_of(case: Case, kind: str, ref: str) -> str:
    return case.targets[ref].stage if "target" in BODIES[kind] else case.stage


def _holds(before: TargetState, after: TargetState, kind: str) -> None:
    if before.challenged and kind != "ChallengeClosed":
        assert after.challenged, kind
    if before.stage == "refused":
        assert after.stage == "refused", kind
    if before.delivered:
        assert after.delivered, kind
    afresh = kind in ("DemandRead", "DemandAssessed", "ScopeNarrowed")
    assert set(before.notified) <= set(after.notified) or afresh, kind
    if after.stage in ("producing", "produced", "delivering", "delivered"):
        assert after.approvals, kind
        assert after.decision, kind


@given(st.sampled_from(BEGUN), STEPS)
@settings(max_examples=100, deadline=None)
def test_no_order_of_events_undoes_a_refusal_a_challenge_a_delivery_or_a_letter(
    begun: Story,
    steps: list[int],
) -> None:
    """Whatever is tried in whatever order, what is refused by the table changes nothing, and what passes keeps
    the promises: refused stays refused, challenged until decided, delivered for good, told is told, and nothing
    is produced without a decision and an approval. Folding from the start gives the same case.
    """
    case, events = begun.case, list(begun.events)
    for step in steps:
        if case.erased is not None:
            break  # nothing follows
        open_moves = [(k, ref) for k in MOVES for ref in REFS if _stage_of(case, k, ref) in MOVES[k][0]]
        kind, ref = open_moves[step % len(open_moves)]
        at, prev = events[-1].recorded_at, events[-1].sha256
        event = Event(CASE_ID, len(events) + 1, kind, 1, _body(kind, ref), "ana", at, prev)
        try:
            after = evolve(case, event)
        except RefusedError:
            continue
        for each in REFS:
            _holds(case.targets[each], after.targets[each], kind)
        case = after
        events.append(event)
    assert fold(events) == case

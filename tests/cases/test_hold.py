"""A hold is begun by one, confirmed by another, never handed over by anybody: the moves, and each way to be wrong."""

import copy
import datetime as dt
import itertools
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cases.holds import HOLD_ID, HoldStory, held_story, narrowed_letter
from cases.story import ANA, BORIS, CHI, DANA, EVA, FINN, PLAN, Story, approved_story, assessed, court, roster
from dueprocess.cases import close, decide, hold, narrow
from dueprocess.cases.document import check_shape
from dueprocess.cases.events import Draft
from dueprocess.cases.gate import check_gate
from dueprocess.cases.hold import check_hold
from dueprocess.cases.invariants import broken_promises
from dueprocess.cases.narrow import holdable
from dueprocess.cases.sealing import record_values
from dueprocess.errors import BrokenError, ConflictError, DueprocessError, MalformedError, RefusedError
from dueprocess.report.case_row import register_row
from dueprocess.wire import Json, digest_of, instant, sha256, sha256_hex

OTHER = sha256_hex(b"other")


def refusal(act: Callable[[], object]) -> str:
    """The code with which this is refused."""
    with pytest.raises((RefusedError, BrokenError, ConflictError, MalformedError)) as caught:
        act()
    return caught.value.code


# ------------------------------------------------------------------ the way of a hold


def test_a_hold_is_begun_taken_confirmed_over_and_destroyed() -> None:
    """Each step leads to the next stage, and the case can be closed only when the key is gone."""
    story = narrowed_letter().begun()
    assert story.case.target("t1").stage == "holding"
    story.taken()
    assert story.case.target("t1").stage == "held"
    state = story.confirmed().case.target("t1").hold
    assert state is not None
    assert state.readable
    assert refusal(lambda: close.close(story.case)) == "still-going"
    story.wait(days=91)
    story.over()
    assert story.case.target("t1").stage == "ending"
    assert refusal(lambda: close.close(story.case)) == "still-going"
    story.gone().tell(*close.close(story.case))
    assert (story.case.outcome, story.case.stage) == ("complied_in_part", "closed")
    assert not list(broken_promises(story.events))


def test_a_hold_can_begin_before_the_call_back_and_is_confirmed_only_after_it() -> None:
    """A letter to preserve cannot wait for the telephone; keeping for three months can."""
    story = narrowed_letter(verified=False).begun()
    assert refusal(story.confirmed) == "requester-doubted"
    story.verified()
    assert story.confirmed().case.target("t1").hold is not None


def test_nothing_begins_or_is_taken_once_somebody_doubted_the_requester() -> None:
    """A forged letter is the first step of a forged order."""
    doubted = Draft("RequesterDoubted", {"findings": ["mail_only"]})
    story = narrowed_letter(verified=False)
    story.tell(doubted)
    assert refusal(story.begun) == "requester-doubted"
    story = narrowed_letter(verified=False).begun()
    story.tell(doubted)
    assert refusal(lambda: check_hold(story.hold_gate())) == "requester-doubted"
    assert refusal(story.taken) == "requester-doubted"


def test_the_same_person_never_confirms() -> None:
    """Neither with the same key nor in another role."""
    story = narrowed_letter().begun(by=BORIS)
    assert refusal(lambda: story.confirmed(by=BORIS)) == "self-approval"
    counsel = story.signing(story.documents["t1"], BORIS, "approve", role="counsel")
    assert refusal(lambda: hold.confirm(story.case, counsel)) == "self-approval"


def test_whoever_called_back_neither_begins_nor_confirms() -> None:
    """Who vouches for the caller does not decide alone about them."""
    story = HoldStory().letter(verified=False)
    story.verified(actor="boris").narrowed()
    assert refusal(lambda: story.begun(by=BORIS)) == "caller-signs"
    story.begun(by=DANA)
    assert refusal(lambda: story.confirmed(by=BORIS)) == "caller-signs"
    late = narrowed_letter(verified=False).begun(by=BORIS)
    late.verified(actor="boris")
    assert refusal(lambda: late.confirmed(by=CHI)) == "caller-signs"


def test_intake_alone_begins_nothing() -> None:
    """Whoever takes papers in can refuse, never grant, and a hold is a grant."""
    story = narrowed_letter()
    document = story.hold_document()
    signing = story.signing(document, ANA, "propose", role="intake")
    assert refusal(lambda: hold.start(story.case, signing, story.until)) == "wrong-verdict"


@pytest.mark.parametrize("later", [dt.timedelta(0), dt.timedelta(days=9)])
def test_a_hold_that_nobody_confirmed_is_over_after_72_hours(later: dt.timedelta) -> None:
    """From that second on it can neither be taken nor confirmed, and the worker owes its end."""
    story = narrowed_letter().begun()
    state = story.case.target("t1").hold
    assert state is not None
    started = state.started.recorded_at
    assert instant(state.confirm_until) == story.documents["t1"]["expires_at"]
    assert state.owed_end(state.confirm_until - dt.timedelta(seconds=1)) is None
    story.now = state.confirm_until + later
    assert state.owed_end(story.now) == "lapsed"
    assert refusal(story.confirmed) == "hold-lapsed"
    assert refusal(story.taken) == "hold-lapsed"
    assert refusal(lambda: check_hold(story.hold_gate())) == "hold-lapsed"
    story.over()
    assert story.events[-1].body["reason"] == "lapsed"
    story.gone().tell(*close.close(story.case))
    assert story.case.outcome == "rejected"
    assert started < story.events[-1].recorded_at


def test_only_the_clock_or_two_people_end_a_hold() -> None:
    """What goes on cannot be ended by the worker, nor destroyed before it ended, nor twice."""
    story = held_story()
    assert refusal(story.over) == "still-held"
    assert refusal(story.gone) == "not-ending"
    story.wait(days=90)
    story.over()
    ended = story.case.target("t1").hold
    assert ended is not None
    assert (ended.owed_end(story.now), ended.readable) == (None, False)
    assert refusal(story.over) == "no-hold"
    story.gone()
    assert refusal(story.gone) == "not-ending"


def test_one_hold_has_one_snapshot() -> None:
    """A second one, or one of another hold, is refused."""
    story = narrowed_letter().begun()
    assert refusal(lambda: story.taken(hold_id="cd" * 16)) == "taken"
    story.taken()
    assert refusal(story.taken) == "taken"
    assert refusal(lambda: check_hold(story.hold_gate())) == "taken"
    assert refusal(story.narrowed) == "wrong-stage"


def test_a_hold_that_was_begun_is_confirmed_once() -> None:
    """A third signature means nothing, and a signature under another document neither."""
    story = held_story()
    assert refusal(lambda: story.confirmed(by=DANA)) == "confirmed"
    other = narrowed_letter().begun()
    document = other.hold_document(nonce=sha256(b"another"))
    signing = other.signing(document, CHI, "approve")
    assert refusal(lambda: hold.confirm(other.case, signing)) == "other-decision"
    assert refusal(lambda: hold.confirm(narrowed_letter().case, signing)) == "no-hold"


# ------------------------------------------------------------------ what may be signed

ACTIONS = ("resolve", "disclose", "restrict", "hold", "erase")
MODES = ("two", "one", "solo_cosigner", "solo_timelock", "after_the_fact")


@pytest.mark.parametrize(("action", "mode", "need"), list(itertools.product(ACTIONS, MODES, (1, 2))))
def test_no_other_action_quorum_or_number_of_people_can_be_signed(action: str, mode: str, need: int) -> None:
    """A disclosure takes two people beforehand, a hold one and another after the fact. Nothing else has a form."""
    chosen = {"action": action, "quorum": {"mode": mode, "need": need}}
    disclosing = {**approved_story().documents["t1"], **chosen}
    holding = {**narrowed_letter().hold_document(), **chosen}
    if (action, mode, need) == ("disclose", "two", 2):
        check_shape(disclosing)
    else:
        assert refusal(lambda: check_shape(disclosing)) == "not-decidable"
    if (action, mode, need) == ("hold", "after_the_fact", 2):
        check_shape(holding, "hold")
    else:
        assert refusal(lambda: check_shape(holding, "hold")) == "not-decidable"
    assert refusal(lambda: check_shape(holding)) == "bad-decision"
    assert refusal(lambda: check_shape(disclosing, "hold")) == "bad-decision"


def test_a_hold_names_no_recipient() -> None:
    """There is nobody whom it could be handed to."""
    story = narrowed_letter()
    document = story.hold_document() | {"recipient": {"authority": "a-court", "key": "age1court"}}
    signing = story.signing(document, BORIS, "propose")
    assert refusal(lambda: hold.start(story.case, signing, story.until)) == "not-decidable"


def test_the_documents_of_holds_and_disclosures_fit_no_step_of_each_other() -> None:
    """A hold's document cannot be proposed, approved or brought to the gate; a decision begins no hold."""
    story = narrowed_letter()
    document = story.hold_document()
    assert (
        refusal(lambda: decide.propose(story.case, story.signing(document, BORIS, "propose")))
        == "bad-decision"
    )
    story.begun()
    assert (
        refusal(lambda: decide.approve(story.case, story.signing(document, CHI, "approve"))) == "not-proposed"
    )
    for phase in ("produce", "deliver"):
        facts = story.gate(phase=phase)
        assert refusal(lambda: check_gate(facts)) == "not-producible"  # noqa: B023  called at once
    disclosure = approved_story()
    signing = disclosure.signing(disclosure.documents["t1"], BORIS, "propose")
    assert refusal(lambda: hold.start(disclosure.case, signing, story.until)) == "bad-decision"


@pytest.mark.parametrize(
    "kind",
    ["DecisionProposed", "DecisionApproved", "ProductionStarted", "TargetResolved", "DataProduced", "DeliveryStarted",
     "ParcelDelivered"],
)  # fmt: skip
def test_no_event_of_a_disclosure_can_follow_a_hold(kind: str) -> None:
    """The stage table has no way from a hold to a parcel, whatever an event says."""
    done = approved_story().produced().delivered().events
    event = next(each for each in done if each.kind == kind)
    for story in (narrowed_letter().begun(), held_story(), held_story().wait(days=91)):
        assert refusal(lambda: story.tell(Draft(kind, event.body))) == "wrong-stage"  # noqa: B023  called at once


def test_a_demand_for_disclosure_begins_no_hold_and_a_refused_letter_neither() -> None:
    """Only a demand to preserve of which the law permits something."""
    story = Story().received().verified().read().assessed()
    assert not holdable(story.case)
    assert not holdable(Story().received().case)
    for changes in (
        {"outcome": "refuse"},
        {"outcome": "needs_more_information"},
        {"permitted": {"t1": None}},
    ):
        letter = HoldStory().letter(**changes)
        assert not holdable(letter.case)
        assert refusal(letter.narrowed) == "not-producible"
    reread = narrowed_letter()
    document = reread.hold_document()
    reread.tell(assessed(["t1"], producible=False, outcome="refuse"))
    signing = reread.signing(document, BORIS, "propose")
    assert refusal(lambda: hold.start(reread.case, signing, reread.until)) == "not-holdable"


def test_a_letter_that_was_not_assessed_gives_no_document() -> None:
    """What would be signed rests on the assessment."""
    story = HoldStory()
    story.received().verified().read(kind="preservation")
    story.scopes["t1"] = story.paper.scope
    assert refusal(story.hold_document) == "not-assessed"


def test_an_open_objection_is_decided_before_a_hold_begins() -> None:
    """Else nobody could decide it any more while the hold goes on."""
    story = narrowed_letter()
    story.tell(Draft("ChallengeOpened", {"target": "t1", "by": "operator", "ground": "scope"}))
    assert refusal(story.begun) == "challenged"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda d: d["hold"].update(until="2027-12-01T00:00:00Z"), "other-hold"),
        (lambda d: d["hold"].update(files="anywhere"), "other-hold"),
        (lambda d: d.update(expires_at="2026-09-10T00:00:00Z"), "hold-expired"),
        (lambda d: d.update(expires_at="2026-09-01T00:00:00Z"), "hold-expired"),
        (lambda d: d.update(plan_sha256=OTHER), "decision-void"),
        (lambda d: d["scope"].update(nonce="AA=="), "decision-void"),
        (lambda d: d.update(legal_basis=["something else"]), "decision-void"),
        (lambda d: d["notice"].update(rule="forbidden_by"), "decision-void"),
        (lambda d: d.update(hold={"id": HOLD_ID}), "bad-decision"),
        (lambda d: d.update(more=1), "bad-decision"),
    ],
    ids=["until", "files", "longer", "over", "plan", "scope", "law", "notice", "fields", "more"],
)
def test_a_hold_that_says_otherwise_than_case_and_clock_is_not_begun(
    change: Callable[[dict[str, Any]], None], code: str
) -> None:
    """Each field that was changed before signing is met by the rule that computes it."""
    story = narrowed_letter()
    document = copy.deepcopy(story.hold_document())
    change(document)
    signing = story.signing(document, BORIS, "propose")
    assert refusal(lambda: hold.start(story.case, signing, story.until)) == code


def test_a_hold_whose_time_is_over_is_not_begun() -> None:
    """A letter that lay for ninety days asks for nothing any more."""
    story = narrowed_letter()
    story.wait(days=91)
    assert refusal(story.begun) == "keeping-over"


# ------------------------------------------------------------------ the worker's own look


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"plan_sha256": OTHER}, "plan-differs"),
        ({"origin": "other.example/1"}, "other-decision"),
        ({"roster": roster(CHI.entry(), court())}, "unknown-signer"),
        ({"roster": roster(BORIS.entry(("intake",)), court())}, "wrong-verdict"),
        ({"until": dt.datetime(2027, 1, 1, tzinfo=dt.UTC)}, "other-hold"),
    ],
)
def test_the_worker_believes_no_row_but_the_signature(changes: dict[str, Any], code: str) -> None:
    """Another plan, place, clock, or a signer whom the roster does not know: no snapshot."""
    story = narrowed_letter().begun()
    assert check_hold(story.hold_gate()).hold_id == HOLD_ID
    assert refusal(lambda: check_hold(story.hold_gate(**changes))) == code


def test_the_worker_takes_no_changed_document_and_no_forged_signature() -> None:
    """The document by its digest, the signature by the key."""
    story = narrowed_letter().begun()
    document = copy.deepcopy(story.documents["t1"])
    document["hold"]["files"] = "in_place"
    assert refusal(lambda: check_hold(story.hold_gate(document=document))) == "decision-altered"
    body = dict(story.events[-1].body)
    forged = DANA.sign(story.documents["t1"], "propose").as_json() | {"person": "boris"}
    forged["credential"] = BORIS.credential
    story.events.pop()
    story.tell(Draft("HoldStarted", {**body, "signature": forged}))
    assert refusal(lambda: check_hold(story.hold_gate())) == "bad-signature"


def test_the_worker_looks_at_the_second_signature_too() -> None:
    """A confirmation by nobody whom the roster knows stops the snapshot."""
    story = narrowed_letter().begun().confirmed()
    assert check_hold(story.hold_gate()).confirmed is not None
    only = roster(BORIS.entry(), court())
    assert refusal(lambda: check_hold(story.hold_gate(roster=only))) == "unknown-signer"


def test_a_letter_that_became_something_else_is_not_taken() -> None:
    """What no longer is a permitted demand to preserve gives no snapshot, whatever was signed."""
    story = narrowed_letter().begun()
    case = story.case
    assert case.assessed is not None
    changed = copy.copy(case)
    body = {**case.assessed.body, "outcome": "refuse"}
    object.__setattr__(changed, "assessed", type(case.assessed)(*_with_body(case.assessed, body)))
    assert refusal(lambda: check_hold(story.hold_gate(case=changed))) == "not-holdable"


def _with_body(event: Any, body: dict[str, Any]) -> list[Any]:
    return [body if name == "body" else getattr(event, name) for name in event.__slots__]


def test_another_target_of_the_document_is_refused() -> None:
    """A hold of one target is no hold of another."""
    story = narrowed_letter(EVA, FINN).begun()
    body = {**story.events[-1].body, "target": "t2"}
    story.events.pop()
    story.narrowed("t2")
    document = story.documents["t1"]
    scope = story.case.target("t2").scope_sha256
    assert scope is not None
    story.tell(Draft("HoldStarted", {**body, "scope_sha256": scope}))
    assert refusal(lambda: check_hold(story.hold_gate(ref="t2", document=document))) == "decision-void"


# ------------------------------------------------------------------ records, register, promises


def test_the_ledger_record_of_a_hold_tells_its_quorum_and_signatures() -> None:
    """One signature first, two once confirmed, and the mode that says so."""
    story = narrowed_letter().begun()
    case = story.case
    one = record_values(case, case.events[-1], ledger_seq=9, prev=None)
    assert (one["quorum_mode"], one["plan_sha256"]) == ("after_the_fact", PLAN)
    case = story.confirmed().case
    two = record_values(case, case.events[-1], ledger_seq=10, prev=None)
    given = [
        event.body["signature"] for event in case.events if event.kind in ("HoldStarted", "HoldConfirmed")
    ]
    assert one["approvals"] == [digest_of(given[0])]
    assert two["approvals"] == [digest_of(each) for each in given]


@pytest.mark.parametrize(("rows", "outcome"), [(2, "complied_in_part"), (0, "no_records")])
def test_a_hold_is_counted_as_a_demand_to_preserve_of_which_nothing_was_disclosed(
    rows: int, outcome: str
) -> None:
    """The register has its kind and its outcome, and no category: nothing left the house."""
    story = narrowed_letter().begun()
    story.taken(
        tables=[{"store": "main", "table": "users", "status": "found", "rows": rows, "categories": []}]
    )
    story.confirmed().wait(days=91)
    story.over().gone().tell(*close.close(story.case))
    row = register_row(story.case)
    assert (row.demand_kind, row.outcome, row.categories) == ("preservation", outcome, ())


def test_a_hold_that_was_not_cut_counts_as_complied() -> None:
    """Only what the law or a person took away makes it a part."""
    story = HoldStory().letter()
    narrowing = story.narrowing()
    story.scopes["t1"] = narrowing.authorised
    (draft,) = narrow.narrow(story.case, narrowing)
    story.tell(Draft(draft.kind, {**draft.body, "cuts": []}))
    story.begun().taken().confirmed().wait(days=91)
    story.over().gone().tell(*close.close(story.case))
    assert story.case.outcome == "complied"


def _confirm(story: HoldStory, who: Any) -> Draft:
    signature = who.sign(story.documents["t1"], "approve").as_json()
    decided = {
        "target": "t1",
        "decision_sha256": story.events[-1].body["decision_sha256"],
        "hold_id": HOLD_ID,
    }
    return Draft("HoldConfirmed", {**decided, "signature": signature})


def _taken_other(story: HoldStory) -> Draft:
    (draft,) = hold.take(story.case, story.made(), story.now)
    return Draft("HoldTaken", {**draft.body, "hold_id": "cd" * 16})


def _ended(story: HoldStory, reason: str) -> Draft:
    body: dict[str, Json] = {
        "target": "t1",
        "hold_id": HOLD_ID,
        "reason": reason,
        "document": None,
        "signatures": [],
    }
    return Draft("HoldEnded", body)


PROMISES: list[tuple[str, Callable[[HoldStory], Draft], str]] = [
    ("HoldConfirmed", lambda s: _confirm(s, BORIS), "I2"),
    ("HoldTaken", _taken_other, "I1"),
    ("HoldEnded", lambda s: _ended(s, "lapsed"), "I2"),
    ("HoldEnded", lambda s: _ended(s, "expired"), "I2"),
    ("HoldEnded", lambda s: _ended(s, "released"), "I2"),
    ("HoldRenewed", lambda _: Draft("HoldRenewed", {"target": "t1", "document": {}, "signatures": []}), "I2"),
]


@pytest.mark.parametrize(
    ("kind", "draft", "promise"), PROMISES, ids=["same", "other", "lapsed", "expired", "released", "renewed"]
)
def test_fsck_finds_events_of_a_hold_that_no_move_would_write(
    kind: str, draft: Callable[[HoldStory], Draft], promise: str
) -> None:
    """A confirmation by the same person, another hold's snapshot, an early end by nobody: each is named."""
    story = narrowed_letter().begun()
    story.tell(draft(story))
    assert [(number, which) for number, which, _ in broken_promises(story.events)] == [
        (len(story.events), promise)
    ]
    assert story.events[-1].kind == kind


def test_fsck_finds_a_second_confirmation_and_one_after_the_lapse() -> None:
    """Both are signatures that no rule asked for."""
    story = narrowed_letter().begun().confirmed()
    story.tell(_confirm(story, DANA))
    assert [which for _, which, _ in broken_promises(story.events)] == ["I2"]
    late = narrowed_letter().begun()
    late.wait(days=4)
    late.tell(_confirm(late, CHI))
    assert [which for _, which, _ in broken_promises(late.events)] == ["I2"]


@given(
    st.lists(st.sampled_from(["taken", "confirmed", "renewed", "over", "gone", "wait", "begun"]), max_size=8)
)
@settings(max_examples=60)
def test_whatever_is_tried_in_whatever_order_no_promise_breaks(steps: list[str]) -> None:
    """Moves that are refused write nothing; those that are allowed keep every promise, and no parcel ever appears."""
    story = narrowed_letter().begun()
    for step in steps:
        try:
            story.wait(hours=40) if step == "wait" else getattr(story, step)()
        except DueprocessError:
            continue
    assert not list(broken_promises(story.events))
    kinds = {event.kind for event in story.events}
    assert not kinds & {"DecisionProposed", "ProductionStarted", "DataProduced", "DeliveryStarted"}
    assert story.case.target("t1").decision is None

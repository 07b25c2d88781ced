"""The gate refuses whatever is missing, changed, late or unsealed. One row for each way to be wrong."""

import copy
import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cases.story import (
    ANA,
    BORIS,
    CHI,
    DANA,
    ORIGIN,
    START,
    Story,
    approved_story,
    assessed_story,
    court,
    roster,
)
from dueprocess.cases.case import fold
from dueprocess.cases.events import Draft, Event
from dueprocess.cases.gate import GateFacts, check_gate
from dueprocess.cases.logproof import LogProof
from dueprocess.cases.logrules import Waiver
from dueprocess.errors import BrokenError, DueprocessError, MalformedError, RefusedError
from dueprocess.roster import Signature
from dueprocess.wire import Json, digest_of, sha256_hex

OTHER = sha256_hex(b"other")
DAY = dt.timedelta(days=1)


def test_the_gate_opens_for_what_two_people_signed_and_says_what_it_proved() -> None:
    """With nothing wrong, each proof is named in one sentence, the two people among them."""
    proved = check_gate(approved_story().gate())
    assert len(proved) == 7
    assert any("boris and chi signed exactly this document" in line for line in proved)
    assert any("not witnessed" in line for line in proved)
    assert any("7 events up to the approval" in line for line in proved)


def test_the_gate_opens_again_before_release_and_needs_the_parcel_sealed() -> None:
    """Delivery looks at everything once more, up to the parcel's own event."""
    story = approved_story().produced()
    proved = check_gate(story.gate(phase="deliver"))
    assert any("up to the parcel" in line for line in proved)
    produced = story.case.target("t1").produced
    assert produced is not None
    proof = _proof(story, without=produced.case_seq)
    assert _code(story.gate(phase="deliver", proof=proof)) == "not-sealed"


def test_a_witnessed_head_is_called_witnessed() -> None:
    """The sentence follows the head, not a setting."""
    story = approved_story()
    facts = story.gate()
    assert any(
        ", witnessed" in line
        for line in check_gate(replace(facts, proof=_proof(story, demanded=True, witnessed=True)))
    )


def test_under_two_peoples_waiver_an_unwitnessed_head_passes_and_is_called_so() -> None:
    """Work goes on for as long as they said, and what was proved says that nobody saw the head."""
    story = approved_story()
    proof = _proof(story, demanded=True, waiver=_waiver(story, hours=1))
    proved = check_gate(story.gate(proof=proof))
    assert any("not witnessed (two people let work go on without)" in line for line in proved)


def test_a_founder_needs_no_cooling_off_and_others_exactly_a_day() -> None:
    """Founders count from the first day; 24 hours after the witnesses saw an enrolment, so does everybody."""
    story = approved_story()
    first = story.proof().sealed_at[_proposal(story)]
    check_gate(story.gate(proof=_proof(story, roster_sealed_at={1: first - dt.timedelta(hours=24)})))
    founders = roster(BORIS.entry(founding=True), CHI.entry(founding=True), court())
    check_gate(story.gate(roster=founders, proof=_proof(story, roster_sealed_at={})))


def test_a_decision_proposed_after_the_recovery_stands() -> None:
    """Only what was proposed before the log was recovered is void."""
    story = approved_story()
    check_gate(story.gate(proof=_proof(story, recovered_after=_proposal(story) - 1)))


def test_a_witness_a_few_minutes_ahead_does_not_stop_the_work() -> None:
    """Clocks differ a little; five minutes are taken."""
    story = approved_story()
    check_gate(story.gate(proof=_proof(story, age=-dt.timedelta(minutes=5))))


@pytest.mark.parametrize("rule", ["delayed_until", "forbidden_by"])
def test_a_rule_that_delays_the_notice_does_not_hold_the_production(rule: str) -> None:
    """Where the law forbids telling first, the gate waits for no notice and says so."""
    proved = check_gate(approved_story(rule=rule, until="2027-01-01T00:00:00Z").gate())
    assert any(f"The notice rule is {rule}" in line for line in proved)


# ------------------------------------------------------------------ the table of refusals


def _code(facts: GateFacts) -> str:
    with pytest.raises((RefusedError, BrokenError)) as caught:
        check_gate(facts)
    return caught.value.code


def _proof(
    story: Story, *, without: int = 0, age: dt.timedelta = dt.timedelta(0), **changes: Any
) -> LogProof:
    sealed = {number: at for number, at in story.proof().sealed_at.items() if number != without}
    return story.proof(**{"sealed_at": sealed, "head_at": story.now - age, **changes})


def _proposal(story: Story) -> int:
    return next(event.case_seq for event in story.events if event.kind == "DecisionProposed")


def _letter(story: Story) -> Event:
    return next(event for event in story.events if event.kind == "UserNotified")


def _seen_later(story: Story, event: Event) -> LogProof:
    """The same story, with one event first seen by witnesses two days after it was recorded."""
    sealed = story.proof().sealed_at
    later = {**sealed, event.case_seq: sealed[event.case_seq] + dt.timedelta(days=2)}
    return _proof(story, sealed_at=later, witnessed=True)


def _waiver(story: Story, *, since: dt.datetime | None = None, **until: float) -> Waiver:
    return Waiver(since or story.now - dt.timedelta(days=1), story.now + dt.timedelta(**until), 9, None)


def _renarrowed(story: Story) -> GateFacts:
    return story.narrowed().gate()


def _reproposed_only(story: Story) -> GateFacts:
    return story.narrowed().proposed().gate()


def _reassessed_and_back(story: Story) -> GateFacts:
    """The scope, plan and signatures are as before, but the assessment under them is another one."""
    events = [*story.events]
    place = next(n for n, event in enumerate(events) if event.kind == "DemandAssessed")
    body = {**events[place].body, "assessment_sha256": OTHER}
    return story.gate(
        case=fold(_relinked([*events[:place], replace(events[place], body=body), *events[place + 1 :]]))
    )


def _other_notice_rule(story: Story) -> GateFacts:
    """The assessment says that the user is told first; somebody rewrites it under the signed document."""
    events = [*story.events]
    place = next(n for n, event in enumerate(events) if event.kind == "DemandAssessed")
    notice: Json = {"rule": "forbidden_by", "until": None}
    body = {**events[place].body, "notice": notice}
    return story.gate(
        case=fold(_relinked([*events[:place], replace(events[place], body=body), *events[place + 1 :]]))
    )


def _relinked(events: list[Event]) -> list[Event]:
    prev, linked = "0" * 64, []
    for number, event in enumerate(events, start=1):
        linked.append(replace(event, case_seq=number, prev_sha256=prev))
        prev = linked[-1].sha256
    return linked


def _roster(story: Story, **changed: Any) -> GateFacts:
    """The roster with one of its people or authorities in another state."""
    usual = {
        "boris": BORIS.entry(), "chi": CHI.entry(), "dana": DANA.entry(), "ana": ANA.entry(("intake",)),
        "court": court(),
    }  # fmt: skip
    return story.gate(roster=roster(*(entry for entry in {**usual, **changed}.values() if entry is not None)))


YESTERDAY = START - dt.timedelta(days=1)

TABLE: list[tuple[str, Callable[[Story], GateFacts], str]] = [
    ("the requester is doubted since", lambda s: s.tell(Draft("RequesterDoubted", {"findings": ["mail_only"]})).gate(),
     "requester-doubted"),
    ("another authority was authenticated since", lambda s: s.verified(authority=court("b-police", "age1b")).gate(),
     "other-recipient"),
    ("a challenge is open",
     lambda s: s.tell(Draft("ChallengeOpened", {"target": "t1", "by": "user", "ground": "overbroad"})).gate(),
     "challenged"),
    ("it was withdrawn", lambda s: s.tell(Draft("DecisionWithdrawn", {
        "target": "t1", "decision_sha256": digest_of(s.documents["t1"]), "reason": "new facts"})).gate(),
     "not-approved"),
    ("one person refused after the approval", lambda s: s.tell(Draft("DecisionRejected", {
        "target": "t1", "decision_sha256": digest_of(s.documents["t1"]), "reason": "no",
        "signature": DANA.sign(s.documents["t1"], "reject").as_json()})).gate(), "not-approved"),
    ("the scope was narrowed anew", _renarrowed, "not-approved"),
    ("only the first signature was given anew", _reproposed_only, "not-approved"),
    ("release before production", lambda s: s.gate(phase="deliver"), "not-approved"),
    ("production after production", lambda s: s.produced().gate(), "not-approved"),
    ("the assessment changed underneath", _reassessed_and_back, "decision-void"),
    ("the notice rule changed underneath", _other_notice_rule, "decision-void"),
    ("another document lies in the vault", lambda s: s.gate(document={**s.documents["t1"], "nonce": "x"}),
     "decision-altered"),
    ("the origin is another installation", lambda s: s.gate(origin="other.example/dueprocess/1"), "other-decision"),
    ("the plan compiles differently now", lambda s: s.gate(plan_sha256=OTHER), "plan-differs"),
    ("the decision expired", lambda s: s.wait(days=30).gate(), "decision-expired"),
    ("the proposer was revoked", lambda s: _roster(s, boris=BORIS.entry(revoked_at=YESTERDAY)), "signer-inactive"),
    ("the approver was suspended", lambda s: _roster(s, chi=CHI.entry(suspended_at=YESTERDAY)), "signer-inactive"),
    ("the approver is not in the roster", lambda s: _roster(s, chi=None), "unknown-signer"),
    ("the approver's enrolment counted only later",
     lambda s: _roster(s, chi=CHI.entry(counts_from=START + dt.timedelta(days=1))), "signer-inactive"),
    ("the approver no longer holds the role", lambda s: _roster(s, chi=CHI.entry(("intake",))), "wrong-role"),
    ("the approver's key is an authority's",
     lambda s: _roster(s, chi=CHI.entry(roster="authorities")), "unknown-signer"),
    ("the approver's entry carries another key",
     lambda s: _roster(s, chi=CHI.entry(public_key=DANA.public)), "bad-signature"),
    ("both signers turn out to be one person", lambda s: _roster(s, chi=CHI.entry(id="boris")), "wrong-role"),
    ("a signer made the call-back", lambda s: s.verified(actor="boris").gate(), "caller-signs"),
    ("the authority was suspended", lambda s: _roster(s, court=court(suspended_at=YESTERDAY)), "authority-suspended"),
    ("the authority was revoked", lambda s: _roster(s, court=court(revoked_at=YESTERDAY)), "authority-suspended"),
    ("the authority is gone", lambda s: _roster(s, court=None), "authority-suspended"),
    ("the authority's id is a staff member's",
     lambda s: _roster(s, court=court(roster="staff")), "authority-suspended"),
    ("the recipient was given another key", lambda s: _roster(s, new=court(age="age1new")), "recipient-rekeyed"),
    ("the recipient has no key any more", lambda s: _roster(s, court=court(about={})), "no-recipient-key"),
    ("a newer key of the recipient was revoked",
     lambda s: _roster(s, new=court(age="age1new", revoked_at=YESTERDAY)), "authority-suspended"),
    ("the user may still object", lambda s: s.wait(days=-5).gate(), "notice-window"),
    ("the approval is not sealed", lambda s: s.gate(proof=_proof(s, without=7)), "not-sealed"),
    ("the receipt is not sealed", lambda s: s.gate(proof=_proof(s, without=1)), "not-sealed"),
    ("the head is later than the clock", lambda s: s.gate(proof=_proof(s, age=-dt.timedelta(hours=1))), "log-ahead"),
    ("the head of the log is old", lambda s: s.gate(proof=_proof(s, age=dt.timedelta(hours=3))), "log-stale"),
    ("the letter's record is not sealed", lambda s: s.gate(proof=_proof(s, without=_letter(s).case_seq)), "not-sealed"),
    ("the witnesses saw the letter later", lambda s: s.gate(proof=_seen_later(s, _letter(s))), "notice-window"),
    ("the witnesses' newest time is before the time to object is over",
     lambda s: s.gate(freshest=3 * DAY, proof=_proof(s, age=2 * DAY, witnessed=True)), "notice-window"),
    ("the approver's enrolment is not in the log",
     lambda s: s.gate(proof=_proof(s, roster_sealed_at={})), "signer-new"),
    ("the witnesses saw the enrolment 23 hours before the approval",
     lambda s: s.gate(proof=_proof(s, roster_sealed_at={1: START - dt.timedelta(hours=23)})), "signer-new"),
    ("the policy asks for witnesses and nobody waived them",
     lambda s: s.gate(proof=_proof(s, demanded=True)), "not-witnessed"),
    ("the waiver is over",
     lambda s: s.gate(proof=_proof(s, demanded=True, waiver=_waiver(s, hours=-1))), "not-witnessed"),
    ("the waiver is over by the log's own time",
     lambda s: s.gate(proof=_proof(s, demanded=True, waiver=_waiver(s, minutes=1), age=-dt.timedelta(minutes=2))),
     "not-witnessed"),
    ("the waiver begins later",
     lambda s: s.gate(proof=_proof(s, demanded=True, waiver=_waiver(s, since=s.now + dt.timedelta(hours=1), hours=9))),
     "not-witnessed"),
    ("the decision expired by the log's time", lambda s: s.wait(days=30 - 8, minutes=-13).gate(
        proof=_proof(s, age=-dt.timedelta(days=1))), "decision-expired"),
    ("the log was recovered after the proposal",
     lambda s: s.gate(proof=_proof(s, recovered_after=_proposal(s))), "before-recovery"),
    ("there is no such target", lambda s: s.gate(ref="t2"), "no-such-target"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "code"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_one_thing_wrong_is_enough_for_the_gate_to_refuse(
    change: Callable[[Story], GateFacts], code: str
) -> None:
    """Each row breaks one thing in a story that would pass, and is refused under its own code."""
    assert _code(change(approved_story())) == code


def test_a_user_who_was_not_told_holds_the_production() -> None:
    """Where the law allows telling first, an untold user stops the gate."""
    story = assessed_story().narrowed().proposed().approved().wait(days=8)
    assert _code(story.gate()) == "notice-first"


def test_a_case_that_was_not_assessed_or_not_producible_never_passes() -> None:
    """The gate reads the assessment itself."""
    assert _code(Story().received().verified().read().gate()) == "not-producible"
    facts = approved_story().gate()
    assert facts.case.assessed is not None
    body = {**facts.case.assessed.body, "producible": False}
    case = replace(facts.case, assessed=replace(facts.case.assessed, body=body))
    assert _code(replace(facts, case=case)) == "not-producible"


def test_the_emergency_is_named_where_it_is_the_reason() -> None:
    """An emergency waives nobody's signature: it is refused by name."""
    story = Story().received().verified().read(emergency=True).assessed(producible=False)
    assert _code(story.gate()) == "emergency-not-producible"


# ------------------------------------------------------------------ forged histories


def _forged_approval(story: Story, signature: Signature) -> GateFacts:
    """The history with a hand-made DecisionApproved, as somebody with the database could write it."""
    ref = "t1"
    body: dict[str, Json] = {
        "target": ref,
        "decision_sha256": digest_of(story.documents[ref]),
        "signature": signature.as_json(),
    }
    return story.tell(Draft("DecisionApproved", body)).told().wait(days=8).gate()


def _proposed() -> Story:
    return assessed_story().narrowed().proposed()


def test_a_rejection_written_down_as_an_approval_is_refused() -> None:
    """A reject signature under a DecisionApproved stays a rejection."""
    story = _proposed()
    assert _code(_forged_approval(story, CHI.sign(story.documents["t1"], "reject"))) == "wrong-verdict"


def test_a_rejection_relabelled_as_an_approval_is_refused() -> None:
    """The verdict is part of what was signed, so changing the word beside the signature breaks it."""
    story = _proposed()
    word = replace(CHI.sign(story.documents["t1"], "reject"), verdict="approve")
    assert _code(_forged_approval(story, word)) == "bad-signature"


def test_a_signature_in_a_role_not_held_is_refused_at_the_gate_too() -> None:
    """Ana takes papers in; her signature grants nothing, as intake or as a reviewer she is not."""
    for role in ("intake", "reviewer"):
        story = _proposed()
        assert (
            _code(_forged_approval(story, ANA.sign(story.documents["t1"], "approve", role=role)))
            == "wrong-role"
        )


def test_the_proposer_as_approver_is_one_person_at_the_gate_too() -> None:
    """A self-approval written past the move is counted as the one person that it is."""
    story = _proposed()
    assert _code(_forged_approval(story, BORIS.sign(story.documents["t1"], "approve"))) == "two-people"


def test_a_signature_under_a_borrowed_name_is_refused() -> None:
    """The name beside a signature must be the name of the key's owner."""
    story = _proposed()
    word = replace(BORIS.sign(story.documents["t1"], "approve"), person="chi")
    assert _code(_forged_approval(story, word)) == "wrong-role"


def test_a_proposal_without_a_second_person_is_refused() -> None:
    """Even if the stage said approved, one signature would not do."""
    facts = approved_story().gate()
    state = replace(facts.case.target("t1"), approvals=())
    case = replace(facts.case, targets={"t1": state})
    assert _code(replace(facts, case=case)) == "two-people"


# ------------------------------------------------------------------ any change of the document


def _paths(value: Any, so_far: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a JSON value, leaves and containers, but the root."""
    keys: list[Any] = []
    if isinstance(value, dict):
        keys = list(value)
    elif isinstance(value, list):
        keys = list(range(len(value)))
    here = [so_far] if so_far else []
    return here + [path for key in keys for path in _paths(value[key], (*so_far, key))]


def _changed(document: dict[str, Any], path: tuple[Any, ...], new: Any) -> dict[str, Any]:
    made = copy.deepcopy(document)
    place: Any = made
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = new
    return made


STORY = approved_story()
DOCUMENT = STORY.documents["t1"]
PATHS = _paths(DOCUMENT)


@given(
    path=st.sampled_from(PATHS),
    new=st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3) | st.just([]) | st.just({}),
)
@settings(max_examples=300, deadline=None)
def test_any_changed_field_of_the_document_is_refused(path: tuple[Any, ...], new: Any) -> None:
    """Whatever field differs from what was signed, nested ones too, the gate does not open."""
    made = _changed(DOCUMENT, path, new)
    if digest_of(made) == digest_of(DOCUMENT):
        return
    assert _code(STORY.gate(document=made)) == "decision-altered"


@pytest.mark.parametrize("path", PATHS, ids=lambda path: ".".join(map(str, path)))
def test_a_changed_document_stays_refused_when_the_digest_in_history_is_changed_with_it(
    path: tuple[Any, ...],
) -> None:
    """Somebody who rewrites vault and history still lacks the signatures: every field, one at a time."""
    made = _changed(DOCUMENT, path, "changed")
    events = [
        replace(event, body={**event.body, "decision_sha256": digest_of(made)})
        if "decision_sha256" in event.body
        else event
        for event in STORY.events
    ]
    with pytest.raises(DueprocessError) as caught:
        check_gate(STORY.gate(document=made, case=fold(_relinked(events))))
    assert isinstance(caught.value, (RefusedError, MalformedError))


@given(path=st.sampled_from([path for path in PATHS if len(path) == 1]))
@settings(max_examples=40, deadline=None)
def test_a_missing_or_extra_field_is_refused(path: tuple[Any, ...]) -> None:
    """The document has exactly its fields."""
    fewer = {key: value for key, value in DOCUMENT.items() if key != path[0]}
    assert _code(STORY.gate(document=fewer)) == "decision-altered"
    assert _code(STORY.gate(document={**DOCUMENT, "more": 1})) == "decision-altered"


@pytest.mark.parametrize("days", [31, 400])
def test_two_people_cannot_sign_a_decision_that_lasts_longer_than_it_may(days: int) -> None:
    """A document with a later expiry is refused when proposed and, written past that, at the gate."""
    story = assessed_story().narrowed()
    late = {
        **story.document(),
        "expires_at": story.document(now=story.now + dt.timedelta(days=days))["expires_at"],
    }
    story.documents["t1"] = late
    body = {
        **_proposed_body(story, late),
        "signature": BORIS.sign(late, "propose").as_json(),
        "expires_at": late["expires_at"],
    }
    story.tell(Draft("DecisionProposed", body))
    assert _code(_forged_approval(story, CHI.sign(late, "approve"))) == "expires-too-late"


def _proposed_body(story: Story, document: dict[str, Any]) -> dict[str, Any]:
    return {
        "target": "t1",
        "decision_sha256": digest_of(document),
        "action": document["action"],
        "mode": document["quorum"]["mode"],
        "plan_sha256": document["plan_sha256"],
        "scope_sha256": digest_of(document["scope"]),
        "assessment_sha256": document["assessment_sha256"],
        "recipient_key_sha256": OTHER,
        "authority": document["recipient"]["authority"],
        "notice": document["notice"],
        "expires_at": document["expires_at"],
    }


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("action", "hold", "not-decidable"),
        ("quorum", {"mode": "solo_timelock", "need": 1}, "not-decidable"),
        ("emergency", "yes", "not-decidable"),
        ("v", 2, "not-decidable"),
        ("target", "t2", "other-decision"),
        ("case_id", "d" * 32, "decision-void"),
        ("order_ref", OTHER, "decision-void"),
        ("plan_sha256", OTHER, "decision-void"),
        ("assessment_sha256", OTHER, "decision-void"),
        ("packs", [], "decision-void"),
        ("legal_basis", ["a feeling"], "decision-void"),
        ("notice", {"rule": "forbidden_by", "until": None, "earliest_production": None}, "decision-void"),
        ("recipient", {"authority": "b-police", "key": "age1court"}, "other-recipient"),
        ("recipient", {"authority": "a-court", "key": "age1stranger"}, "recipient-rekeyed"),
        ("origin", "other.example/dueprocess/1", "other-decision"),
    ],
)
def test_two_people_cannot_agree_to_what_the_case_does_not_say(field: str, value: Any, code: str) -> None:
    """Even with two good signatures under it, a document that departs from the case opens nothing."""
    story = assessed_story().narrowed()
    made = story.documents["t1"] = {**story.document(), field: value}
    body = {**_proposed_body(story, made), "signature": BORIS.sign(made, "propose", origin=ORIGIN).as_json()}
    story.tell(Draft("DecisionProposed", body))
    assert _code(_forged_approval(story, CHI.sign(made, "approve"))) == code

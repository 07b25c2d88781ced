"""Two different people sign one document. Every way to make do with less is refused, one row each."""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from cases.story import (
    ANA,
    BORIS,
    CHI,
    DANA,
    PLAN,
    START,
    Story,
    approved_story,
    assessed_story,
    court,
    roster,
)
from dueprocess.cases import decide
from dueprocess.cases.decide import Signing
from dueprocess.cases.document import check_current
from dueprocess.cases.events import Draft
from dueprocess.demand import Scope
from dueprocess.errors import ConflictError, DueprocessError, MalformedError, RefusedError
from dueprocess.wire import digest_of, parse_instant


def _narrowed() -> Story:
    return assessed_story().narrowed()


def _proposed() -> Story:
    return _narrowed().proposed()


def _code(act: Callable[[], Any]) -> str:
    with pytest.raises(DueprocessError) as caught:
        act()
    return caught.value.code


def test_a_decision_names_everything_that_was_decided() -> None:
    """Scope, plan, law, recipient, notice and expiry stand in the document that people sign."""
    story = _narrowed()
    document = story.document()
    assert document["scope"] == story.scopes["t1"].as_json()
    assert (document["plan_sha256"], document["quorum"]) == (PLAN, {"mode": "two", "need": 2})
    assert document["recipient"] == {"authority": "a-court", "key": "age1court"}
    assert parse_instant(document["expires_at"]) == story.now + dt.timedelta(days=30)
    assert parse_instant(document["notice"]["earliest_production"]) == story.now + dt.timedelta(days=7)


def test_a_delayed_notice_sets_no_day_for_production() -> None:
    """Where the user is told afterwards there is nothing to wait for."""
    story = assessed_story(rule="delayed_until", until="2027-01-01T00:00:00Z").narrowed()
    notice = story.document()["notice"]
    assert notice == {"rule": "delayed_until", "until": "2027-01-01T00:00:00Z", "earliest_production": None}


def test_a_decision_needs_an_assessment_and_a_key_to_encrypt_to() -> None:
    """Without either there is no document to sign."""
    assert _code(lambda: Story().received().read().document()) == "not-assessed"
    keyless = replace(court(), about={"class": "court"})
    assert _code(lambda: _narrowed().document(authority=keyless)) == "no-recipient-key"


def test_two_people_make_an_approval() -> None:
    """Boris proposes, Chi approves; both signatures are in history under one digest."""
    story = approved_story()
    state = story.case.target("t1")
    assert state.stage == "approved"
    assert state.decision_sha256 == digest_of(story.documents["t1"])
    assert [event.body["decision_sha256"] for event in state.approvals] == [state.decision_sha256]


@pytest.mark.parametrize("who", [BORIS, CHI, DANA, ANA])
def test_one_person_can_refuse(who: Any) -> None:
    """The proposer, the second and a person who only takes papers in can each say no, alone."""
    story = _proposed()
    word = story.signing(story.documents["t1"], who, "reject", role="intake")
    story.tell(*decide.reject(story.case, word, reason="overbroad"), actor=who.name)
    assert story.case.target("t1").stage == "refused"
    assert _code(story.narrowed) == "wrong-stage"


# ------------------------------------------------------------------ proposals that are refused


def _propose(story: Story, document: dict[str, Any], **word: Any) -> list[Any]:
    signature = replace(BORIS.sign(document, "propose"), **word)
    return decide.propose(story.case, Signing(document, signature, story.roster, story.now))


def _wider(story: Story) -> dict[str, Any]:
    wide = Scope(story.scopes["t1"].nonce, (story.paper.scope.items[0],))
    return {**story.document(), "scope": wide.as_json()}


PROPOSALS: list[tuple[str, Callable[[Story], Any], str]] = [
    ("the scope is wider than the narrowed one", lambda s: _propose(s, _wider(s)), "decision-void"),
    ("the plan is another", lambda s: _propose(s, s.document(plan_sha256="0" * 64)), "decision-void"),
    ("the notice is left out", lambda s: _propose(s, {**s.document(), "notice": {
        "rule": "forbidden_by", "until": None, "earliest_production": None}}), "decision-void"),
    ("the paper is another", lambda s: _propose(s, {**s.document(), "order_ref": "0" * 64}), "decision-void"),
    ("one person would do", lambda s: _propose(s, {**s.document(), "quorum": {"mode": "solo_timelock", "need": 1}}),
     "not-decidable"),
    ("it is no disclosure", lambda s: _propose(s, {**s.document(), "action": "restrict"}), "not-decidable"),
    ("it pleads an emergency", lambda s: _propose(s, {**s.document(), "emergency": "life"}), "not-decidable"),
    ("a field is missing", lambda s: _propose(s, {k: v for k, v in s.document().items() if k != "notice"}),
     "bad-decision"),
    ("a field is too many", lambda s: _propose(s, {**s.document(), "also": "finn"}), "bad-decision"),
    ("the notice has other fields", lambda s: _propose(s, {**s.document(), "notice": {"rule": "required"}}),
     "bad-decision"),
    ("the recipient is a list", lambda s: _propose(s, {**s.document(), "recipient": []}), "bad-decision"),
    ("the expiry is no time", lambda s: _propose(s, {**s.document(), "expires_at": "soon"}), "not-an-instant"),
    ("production has no earliest day", lambda s: _propose(s, {**s.document(), "notice": {
        **s.document()["notice"], "earliest_production": None}}), "not-an-instant"),
    ("it expired before it was signed", lambda s: _propose(s, s.document(now=s.now - dt.timedelta(days=30))),
     "decision-expired"),
    ("it lasts a year", lambda s: _propose(s, s.document(now=s.now + dt.timedelta(days=365))), "expires-too-late"),
    ("the recipient was not authenticated", lambda s: _propose(s, s.document(authority=court("b-police"))),
     "other-recipient"),
    ("the requester is doubted", lambda s: _propose(_doubted(s), s.document()), "requester-doubted"),
    ("there is no such target", lambda s: _propose(s, s.document(ref="t9")), "no-such-target"),
    ("the signature says approve", lambda s: _propose(s, s.document(), verdict="approve"), "wrong-verdict"),
    ("the name is another's", lambda s: _propose(s, s.document(), person="chi"), "wrong-role"),
    ("the role is not held", lambda s: _propose(s, s.document(), role="director"), "wrong-role"),
    ("the role takes papers in", lambda s: _propose(s, s.document(), role="intake"), "wrong-role"),
    ("the role was not the one signed", lambda s: _propose(s, s.document(), role="counsel"), "bad-signature"),
    ("the key is unknown", lambda s: _propose(s, s.document(), credential="0" * 32), "unknown-signer"),
    ("the bytes are not a signature", lambda s: _propose(s, s.document(), value=bytes(64)), "bad-signature"),
    ("the document says another origin than was signed",
     lambda s: decide.propose(s.case, Signing({**s.document(), "origin": "x"}, BORIS.sign(s.document(), "propose"),
                                              s.roster, s.now)), "bad-signature"),
]  # fmt: skip


def _doubted(story: Story) -> Story:
    return story.tell(Draft("RequesterDoubted", {"findings": ["mail_only"]}))


@pytest.mark.parametrize(("act", "code"), [row[1:] for row in PROPOSALS], ids=[row[0] for row in PROPOSALS])
def test_a_proposal_with_one_thing_wrong_is_refused(act: Callable[[Story], Any], code: str) -> None:
    """Each row changes one thing of a proposal that would be recorded."""
    assert _propose(_narrowed(), _narrowed().document())[0].kind == "DecisionProposed"
    assert _code(lambda: act(_narrowed())) == code


def test_nothing_is_proposed_on_an_assessment_that_permits_nothing() -> None:
    """Only what an assessed rule permits can be decided."""
    story = _narrowed()
    document = story.document()
    events = story.events[:3]
    bare = Story(events=events, now=story.now).assessed(producible=False, outcome="refuse")
    assert _code(lambda: _propose(bare, document)) == "not-producible"
    unread = Story(events=events[:3], now=story.now)
    assert _code(lambda: _propose(unread, document)) == "not-producible"


# ------------------------------------------------------------------ approvals that are refused


def _approve(story: Story, who: Any = CHI, **word: Any) -> list[Any]:
    document = story.documents["t1"]
    signature = replace(who.sign(document, "approve"), **word)
    return decide.approve(story.case, Signing(document, signature, story.roster, story.now))


def _other_document(story: Story) -> Any:
    other = story.document(nonce=bytes(32))
    return decide.approve(story.case, story.signing(other, CHI, "approve"))


def _caller_approves(story: Story) -> Any:
    return _approve(story.verified(actor="chi"))


def _caller_proposed(story: Story) -> Any:
    return _approve(story.verified(actor="boris"))


def _late(story: Story, **changed: Any) -> Any:
    story.roster = roster(BORIS.entry(), CHI.entry(**changed), court())
    return _approve(story)


APPROVALS: list[tuple[str, Callable[[Story], Any], str]] = [
    ("the proposer approves", lambda s: _approve(s, BORIS), "self-approval"),
    ("a rejection is handed in as an approval",
     lambda s: decide.approve(s.case, s.signing(s.documents["t1"], CHI, "reject")), "wrong-verdict"),
    ("a rejection is relabelled as an approval",
     lambda s: _approve(s, value=CHI.sign(s.documents["t1"], "reject").value), "bad-signature"),
    ("the proposal's signature is used again",
     lambda s: _approve(s, BORIS, value=BORIS.sign(s.documents["t1"], "propose").value), "bad-signature"),
    ("another document is approved", _other_document, "other-decision"),
    ("the approver made the call-back", _caller_approves, "caller-signs"),
    ("the proposer made the call-back", _caller_proposed, "caller-signs"),
    ("a person who only takes papers in approves", lambda s: _approve(s, ANA, role="intake"), "wrong-role"),
    ("the approver was revoked", lambda s: _late(s, revoked_at=START), "signer-inactive"),
    ("the approver was suspended", lambda s: _late(s, suspended_at=START), "signer-inactive"),
    ("the approver is in the cooling-off", lambda s: _late(s, counts_from=s.now + dt.timedelta(hours=1)),
     "signer-inactive"),
    ("the assessment changed in between", lambda s: _approve(s.assessed(outcome="permit_all")), "not-proposed"),
]  # fmt: skip


@pytest.mark.parametrize(("act", "code"), [row[1:] for row in APPROVALS], ids=[row[0] for row in APPROVALS])
def test_an_approval_with_one_thing_wrong_is_refused(act: Callable[[Story], Any], code: str) -> None:
    """Each row changes one thing of an approval that would be recorded."""
    assert _approve(_proposed())[0].kind == "DecisionApproved"
    assert _code(lambda: act(_proposed())) == code


def test_nothing_can_be_approved_or_refused_before_it_was_proposed() -> None:
    """There must be a document to sign."""
    story = _narrowed()
    story.documents["t1"] = story.document()
    assert _code(lambda: _approve(story)) == "not-proposed"
    word = story.signing(story.documents["t1"], CHI, "reject")
    assert _code(lambda: decide.reject(story.case, word, reason="no")) == "not-proposed"


def test_an_approval_of_yesterdays_document_is_a_conflict() -> None:
    """Whoever read an older document is told to read the open one: somebody else was faster."""
    story = _proposed()
    with pytest.raises(ConflictError):
        _other_document(story)


def test_a_widened_scope_voids_the_signatures() -> None:
    """Narrowing anew starts the decision anew: no signature is carried over."""
    story = approved_story().narrowed()
    state = story.case.target("t1")
    assert (state.stage, state.decision, state.approvals) == ("narrowed", None, ())


def test_a_document_is_void_without_the_assessment_or_receipt_that_it_rests_on() -> None:
    """Where the case lost its assessment, no document is current."""
    story = _proposed()
    state, document = story.case.target("t1"), story.documents["t1"]
    check_current(story.case, state, document)
    for lost in ({"assessed": None}, {"received": None}):
        with pytest.raises(RefusedError, match="not assessed"):
            check_current(replace(story.case, **lost), state, document)  # type: ignore[arg-type]  # both are fields


def test_a_document_of_another_shape_is_malformed_and_not_merely_refused() -> None:
    """A wrong shape is the sender's fault, whatever the case says."""
    story = _proposed()
    with pytest.raises(MalformedError):
        check_current(story.case, story.case.target("t1"), {})

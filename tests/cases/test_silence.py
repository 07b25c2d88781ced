"""A nondisclosure order that changes after the decision: two people, the order's paper, and no letter too early."""

import datetime as dt
from typing import Any

import pytest

from cases.story import BORIS, CASE_ID, CHI, ORIGIN, START, Person, Story, approved_story, assessed_story
from dueprocess.cases import notify
from dueprocess.cases.gate import check_gate
from dueprocess.cases.sealing import record_values
from dueprocess.cases.silence import change_silence, silence_document
from dueprocess.errors import DueprocessError, MalformedError, RefusedError
from dueprocess.roster import Verdict

ENDS = START + dt.timedelta(days=30)
LATER = START + dt.timedelta(days=90)
DELAYED: dict[str, Any] = {"rule": "delayed_until", "until": "2026-10-01T08:00:00Z"}
PAPER = "d" * 64


def order(story: Story, until: dt.datetime | None, **changes: Any) -> dict[str, Any]:
    document = silence_document(
        story.case, "t1", origin=ORIGIN, basis="18 USC 2705(b)", until=until, paper_sha256=PAPER, nonce="n"
    )
    return {**document, **changes}


def changed(story: Story, until: dt.datetime | None, people: tuple[Person, ...] = (BORIS, CHI)) -> Story:
    document = order(story, until)
    given = [person.sign(document, "silence") for person in people]
    return story.tell(*change_silence(story.case, document, given, story.roster, story.now), actor="boris")


def refusal(story: Story, document: dict[str, Any], *words: tuple[Person, Verdict, str]) -> DueprocessError:
    given = [who.sign(document, verdict, role=role) for who, verdict, role in words]
    with pytest.raises(DueprocessError) as caught:
        change_silence(story.case, document, given, story.roster, story.now)
    return caught.value


TWO: tuple[tuple[Person, Verdict, str], ...] = ((BORIS, "silence", "reviewer"), (CHI, "silence", "reviewer"))


def test_an_extended_order_delays_the_letter_to_its_new_end() -> None:
    """At the old end nothing is owed; at the new one the user is told."""
    story = changed(approved_story(**DELAYED).produced().delivered(), LATER)
    state = story.case.target("t1")
    assert notify.owed_notice(state, ENDS) is None
    assert notify.owed_notice(state, LATER - dt.timedelta(seconds=1)) is None
    assert notify.owed_notice(state, LATER) == "after"


def test_an_order_without_end_that_was_lifted_lets_the_letter_out() -> None:
    """The user is told as soon as two people recorded that the order was lifted."""
    story = approved_story(rule="delayed_until", until=None).produced().delivered()
    assert notify.owed_notice(story.case.target("t1"), LATER) is None
    state = changed(story, None).case.target("t1")
    assert notify.owed_notice(state, story.now) == "after"
    assert notify.delay(state, story.now) == []


def test_an_order_that_comes_later_holds_a_letter_that_was_owed() -> None:
    """A user who could have been told is not, while a new order runs, and the delay is recorded."""
    story = changed(approved_story().told().produced().delivered(), LATER)
    state = story.case.target("t1")
    assert notify.owed_notice(state, story.now) is None
    assert notify.delay(state, story.now)[0].body["until"] == "2026-11-30T08:00:00Z"


def test_an_order_that_comes_before_production_stops_the_gate() -> None:
    """The signed decision says that the user is told first; an order against that needs another decision."""
    story = changed(approved_story().told(), LATER)
    with pytest.raises(RefusedError) as caught:
        check_gate(story.wait(days=8).gate())
    assert caught.value.code == "notice-changed"


def test_an_order_that_was_lifted_again_lets_the_gate_open() -> None:
    """Once the order is over, the letter that went out before counts."""
    story = changed(changed(approved_story().told(), LATER), None)
    assert check_gate(story.wait(days=8).gate())


def test_after_an_order_that_came_and_went_the_user_is_told_first_again() -> None:
    """The decision's own rule holds again: the letter before production is owed, and the gate waits for it."""
    story = changed(changed(assessed_story().narrowed().proposed().approved(), LATER), None)
    state = story.case.target("t1")
    assert notify.owed_notice(state, story.now) == "before"
    with pytest.raises(RefusedError) as caught:
        check_gate(story.gate())
    assert caught.value.code == "notice-first"


def test_the_ledger_says_until_when() -> None:
    """The record of the change commits to the new end."""
    story = changed(approved_story(**DELAYED), LATER)
    values = record_values(story.case, story.case.events[-1], ledger_seq=1, prev=None)
    assert (values["nondisclosure"], values["nondisclosure_until"]) == (True, "2026-11-30T08:00:00Z")


@pytest.mark.parametrize(
    ("change", "words", "code"),
    [
        ({}, TWO[:1], "two-people"),
        ({}, (TWO[0], TWO[0]), "two-people"),
        ({}, (TWO[0], (CHI, "approve", "reviewer")), "wrong-verdict"),
        ({}, (TWO[0], (CHI, "silence", "founder")), "wrong-verdict"),
        ({}, (TWO[0], (CHI, "silence", "intake")), "wrong-verdict"),
        ({"case_id": "e" * 32}, TWO, "other-case"),
        ({"target": "t9"}, TWO, "no-such-target"),
        ({"v": 2}, TWO, "bad-silence"),
        ({"extra": 1}, TWO, "bad-silence"),
        ({"until": "2026-09-01T07:00:00Z"}, TWO, "order-over"),
    ],
)
def test_what_two_people_did_not_sign_is_refused(change: dict[str, Any], words: Any, code: str) -> None:
    """One person, another verdict or role, another case, a past end: none of it changes anything."""
    story = approved_story(**DELAYED)
    assert refusal(story, {**order(story, LATER), **change}, *words).code == code


def test_before_a_decision_there_is_no_order_to_change() -> None:
    """An order on the first paper is read with it; only a later one comes this way."""
    story = Story().received().read()
    document = {**order(approved_story(), LATER), "case_id": CASE_ID}
    assert refusal(story, document, *TWO).code == "other-case"


def test_a_signature_on_another_document_is_refused() -> None:
    """Two signatures on one end do not carry another."""
    story = approved_story(**DELAYED)
    given = [person.sign(order(story, ENDS), "silence") for person in (BORIS, CHI)]
    with pytest.raises(RefusedError) as caught:
        change_silence(story.case, order(story, LATER), given, story.roster, story.now)
    assert caught.value.code == "bad-signature"


def test_a_document_that_names_no_target_of_the_case_cannot_be_drawn_up() -> None:
    """The order is about one of the case's own targets."""
    with pytest.raises(RefusedError):
        silence_document(
            approved_story().case, "t9", origin=ORIGIN, basis="x", until=None, paper_sha256=PAPER, nonce="n"
        )


def test_the_errors_are_of_the_right_family() -> None:
    """A document of another shape is malformed, not refused."""
    story = approved_story(**DELAYED)
    assert isinstance(refusal(story, order(story, LATER, v=2), *TWO), MalformedError)

"""Erasing a case: only a finished one, only by two people, and after it nothing."""

from typing import Any

import pytest

from cases.story import ANA, BORIS, CHI, ORIGIN, START, Person, Story, approved_story, assessed_story
from dueprocess.cases.case import evolve, fold
from dueprocess.cases.challenge import close_challenge, open_challenge
from dueprocess.cases.close import close, register
from dueprocess.cases.erase import GROUNDS, Erasing, erase, erasure_document
from dueprocess.cases.events import Draft, Event
from dueprocess.cases.stages import MOVES
from dueprocess.errors import BrokenError, DueprocessError, MalformedError, RefusedError
from dueprocess.roster import Signature, Verdict
from dueprocess.wire import instant

Word = tuple[Person, Verdict, str]
TWO: tuple[Word, ...] = ((BORIS, "erase", "reviewer"), (CHI, "erase", "reviewer"))


def finished(**changes: Any) -> Story:
    """Handed over, the user told, closed and registered."""
    story = approved_story(**changes).produced().delivered().told(phase="after")
    story.tell(*close(story.case), actor="boris")
    return story.tell(*register(story.case, period="2026H2", row_sha256="a" * 64), actor="boris")


def unread() -> Story:
    """A paper that nobody read as a demand."""
    story = Story().received()
    return story.tell(*close(story.case), actor="boris")


def words(document: dict[str, Any], *given: Word) -> list[Signature]:
    return [who.sign(document, verdict, role=role) for who, verdict, role in given]


def move(
    story: Story, document: dict[str, Any] | None = None, given: tuple[Word, ...] = TWO, **facts: bool
) -> list[Draft]:
    wanted = document if document is not None else erasure(story)
    around = Erasing(ORIGIN, story.roster, story.now, facts.get("sealed", True), facts.get("reported", True))
    return erase(story.case, wanted, words(wanted, *given), around)


def erasure(story: Story, ground: str = "retention-over", **changes: Any) -> dict[str, Any]:
    return {**erasure_document(story.case, ground, origin=ORIGIN, nonce="n"), **changes}


def refusal(story: Story, *args: Any, **facts: Any) -> DueprocessError:
    with pytest.raises(DueprocessError) as caught:
        move(story, *args, **facts)
    return caught.value


@pytest.mark.parametrize("ground", GROUNDS)
def test_two_people_erase_a_finished_case(ground: str) -> None:
    """The event says who, why and how many records; the case is erased then, and its stage says so."""
    story = finished()
    story.tell(*move(story, erasure(story, ground)), actor="boris")
    assert story.case.stage == "erased"
    assert story.case.erased is not None
    document: Any = story.case.erased.body["document"]
    assert (document["ground"], document["records"]) == (ground, len(story.events))


def test_a_paper_that_nobody_read_is_erased_without_register_and_report() -> None:
    """It was never counted, so nothing can be missing from a count."""
    story = unread()
    story.tell(*move(story, reported=False), actor="boris")
    assert story.case.stage == "erased"


def test_after_an_erasure_nothing_follows() -> None:
    """No event of any kind, not even a purge or another erasure; such a history cannot be folded."""
    story = finished()
    story.tell(*move(story), actor="boris")
    last = story.events[-1]
    for kind in (*MOVES, "DemandReceived"):
        event = Event(
            last.case_id, last.case_seq + 1, kind, 1, {"target": "t1"}, "x", instant(story.now), last.sha256
        )
        with pytest.raises(RefusedError) as caught:
            evolve(story.case, event)
        assert caught.value.code == "erased"
    again = Event(
        last.case_id, last.case_seq + 1, "Erased", 1, last.body, "x", instant(story.now), last.sha256
    )
    with pytest.raises(BrokenError):
        fold([*story.events, again])
    assert refusal(story).code == "not-closed"


def test_what_is_not_finished_is_not_erased() -> None:
    """Open, unregistered, unsealed, unreported: each is refused, and says what is missing."""
    story = approved_story().produced().delivered().told(phase="after")
    assert refusal(story).code == "not-closed"
    story.tell(*close(story.case), actor="boris")
    assert refusal(story).code == "not-registered"
    story.tell(*register(story.case, period="2026H2", row_sha256="a" * 64), actor="boris")
    assert refusal(story, sealed=False).code == "not-sealed"
    assert refusal(story, reported=False).code == "not-reported"
    assert move(story)
    assert refusal(unread(), sealed=False).code == "not-sealed"


def test_an_erasure_does_not_swallow_a_notice() -> None:
    """A user who is still to be told keeps the case, however it came to be closed."""
    story = approved_story().produced().delivered()
    story.tell(Draft("CaseClosed", {"outcomes": {"t1": "complied"}}))
    story.tell(*register(story.case, period="2026H2", row_sha256="a" * 64), actor="boris")
    assert refusal(story).code == "notice-owed"
    story.told(phase="after")
    assert move(story)


def test_a_user_who_may_never_be_told_does_not_keep_a_case() -> None:
    """Where the law forbids the notice for ever, none is owed."""
    story = approved_story(rule="forbidden_by").produced().delivered()
    story.tell(*close(story.case), actor="boris")
    story.tell(*register(story.case, period="2026H2", row_sha256="a" * 64), actor="boris")
    assert move(story)


def test_an_open_objection_keeps_a_case() -> None:
    """It is decided first, which a closed case allows."""
    story = assessed_story().narrowed().proposed()
    story.tell(*open_challenge(story.case, "t1", by="user", ground="too wide"))
    digest = story.case.target("t1").decision_sha256
    body: dict[str, Any] = {"target": "t1", "decision_sha256": digest, "signature": {}}
    story.tell(Draft("DecisionRejected", {**body, "reason": "no"}))
    story.tell(*close(story.case), actor="boris")
    story.tell(*register(story.case, period="2026H2", row_sha256="a" * 64), actor="boris")
    assert refusal(story).code == "challenge-open"
    story.tell(*close_challenge(story.case, "t1", upheld=False))
    assert move(story)


@pytest.mark.parametrize(
    ("change", "given", "code"),
    [
        ({}, TWO[:1], "two-people"),
        ({}, (), "two-people"),
        ({}, (TWO[0], TWO[0]), "two-people"),
        ({}, (TWO[0], (CHI, "approve", "reviewer")), "wrong-verdict"),
        ({}, (TWO[0], (CHI, "erase", "founder")), "wrong-verdict"),
        ({}, (TWO[0], (ANA, "erase", "intake")), "wrong-verdict"),
        ({}, (TWO[0], (Person("mallory"), "erase", "reviewer")), "unknown-signer"),
        ({"case_id": "e" * 32}, TWO, "other-case"),
        ({"origin": "other.example"}, TWO, "other-case"),
        ({"records": 3}, TWO, "other-case"),
        ({"ground": "tidying up"}, TWO, "unknown-ground"),
        ({"v": 2}, TWO, "bad-erasure"),
        ({"extra": 1}, TWO, "bad-erasure"),
    ],
)
def test_what_two_people_did_not_sign_is_refused(
    change: dict[str, Any], given: tuple[Word, ...], code: str
) -> None:
    """One person, another verdict or role, a stranger, another case, a ground of one's own."""
    story = finished()
    found = refusal(story, erasure(story, **change), given)
    assert found.code == code
    assert isinstance(found, MalformedError) == (code == "bad-erasure")


def test_a_signature_on_another_document_is_refused() -> None:
    """Two words on one ground do not carry another."""
    story = finished()
    given = words(erasure(story, "court-order"), *TWO)
    around = Erasing(ORIGIN, story.roster, story.now, sealed=True, reported=True)
    with pytest.raises(RefusedError) as caught:
        erase(story.case, erasure(story), given, around)
    assert caught.value.code == "bad-signature"
    assert story.now > START

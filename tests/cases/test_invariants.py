"""Promises that hold whatever the stage table allows: two people, the same parcel, no letter under an order."""

import datetime as dt
from typing import Any

import pytest

from cases.story import CASE_ID, START, Story, approved_story, assessed_story
from dueprocess.cases import notify
from dueprocess.cases.events import Draft, Event
from dueprocess.cases.invariants import broken_promises
from dueprocess.wire import instant


def told_whole() -> Story:
    """Told first, produced, delivered, told what was handed over."""
    return approved_story().produced().delivered().told(phase="after")


def rewritten(story: Story, kind: str, **changes: Any) -> list[Event]:
    """The events with the body of one kind changed, linked anew: what a forger with all keys could write."""
    events: list[Event] = []
    for old in story.events:
        body = {**old.body, **changes} if old.kind == kind else old.body
        prev = events[-1].sha256 if events else old.prev_sha256
        events.append(Event(CASE_ID, old.case_seq, old.kind, 1, body, old.actor, old.recorded_at, prev))
    return events


def broken(events: list[Event]) -> list[tuple[str, str]]:
    """(kind of event, promise) for each promise that these events break."""
    return [(events[number - 1].kind, promise) for number, promise, _ in broken_promises(events)]


def test_an_honest_case_breaks_no_promise() -> None:
    """From the paper to the letter; and a case without events."""
    assert broken(told_whole().events) == []
    assert list(broken_promises([])) == []


def test_one_person_twice_is_not_two_people() -> None:
    """A production and a delivery under two signatures of one person are both named."""
    story = told_whole()
    proposed: Any = next(e for e in story.events if e.kind == "DecisionProposed").body["signature"]
    events = rewritten(story, "DecisionApproved", signature=proposed)
    assert broken(events) == [("ProductionStarted", "I2"), ("DeliveryStarted", "I2")]
    assert broken(rewritten(story, "DecisionApproved", signature={**proposed, "person": "chi"})) == []


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("ParcelDelivered", {"parcel_sha256": "0" * 64}),
        ("ParcelDelivered", {"parcel_id": "p-2"}),
        ("DeliveryStarted", {"parcel_id": "p-2"}),
    ],
)
def test_another_parcel_than_the_one_produced_is_found(kind: str, change: dict[str, str]) -> None:
    """By its digest or by its name, when the hand-over begins and when it is done."""
    assert broken(rewritten(told_whole(), kind, **change)) == [(kind, "I1")]


def test_a_letter_under_an_order_is_found() -> None:
    """While an order forbids it nobody is told; from the second on in which it ends, the user is."""
    until = START + dt.timedelta(days=30)
    story = approved_story(rule="delayed_until", until=instant(until)).produced().delivered()
    letter = notify.start(story.case.target("t1"), "after", "1" * 64)
    story.now = until - dt.timedelta(seconds=1)
    early = Story(list(story.events), story.now).tell(*letter)
    assert broken(early.events) == [("NoticeStarted", "I8")]
    story.now = until
    assert broken(story.tell(*letter).events) == []


def test_a_letter_about_nothing_is_found() -> None:
    """Nothing was decided, so nothing was owed."""
    story = assessed_story().narrowed()
    story.tell(Draft("NoticeStarted", {"target": "t1", "phase": "before", "letter_sha256": "1" * 64}))
    assert broken(story.events) == [("NoticeStarted", "I8")]


@pytest.mark.parametrize(
    ("signatures", "found"),
    [
        ([{"person": "boris"}, {"person": "chi"}], []),
        ([{"person": "boris"}, {"person": "boris"}], [("Erased", "I2")]),
        (["boris", "chi"], [("Erased", "I2")]),
        ([], [("Erased", "I2")]),
    ],
)
def test_an_erasure_needs_two_people(signatures: list[Any], found: list[tuple[str, str]]) -> None:
    """One person twice, or words that are no signatures, are not two people."""
    story = Story().received().tell(Draft("CaseClosed", {"outcomes": {}}))
    story.tell(Draft("Erased", {"document": {}, "signatures": signatures}))
    assert broken(story.events) == found

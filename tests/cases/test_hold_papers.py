"""Holds in time: how long one is kept, what prolongs it and what ends it early."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from cases.holds import HOLD_ID, HoldStory, held_story, narrowed_letter
from cases.story import ANA, BORIS, EVA, FINN, assessed
from dueprocess.cases import close, holdpapers
from dueprocess.cases.hold import CONFIRM_WITHIN, keep_until
from dueprocess.cases.invariants import broken_promises
from dueprocess.errors import BrokenError, ConflictError, MalformedError, RefusedError
from dueprocess.law import Assessment, ClockState
from dueprocess.wire import sha256_hex

OTHER = sha256_hex(b"other")


def refusal(act: Callable[[], object]) -> str:
    """The code with which this is refused."""
    with pytest.raises((RefusedError, BrokenError, ConflictError, MalformedError)) as caught:
        act()
    return caught.value.code


# ------------------------------------------------------------------ how long


def clock(due_at: dt.datetime | None, only_if: str = "") -> ClockState:
    return ClockState("a.clock", due_at, "", None, (), only_if)  # type: ignore[arg-type]  # no citation is read here


class Clocks:
    """What `keep_until` reads of an assessment."""

    def __init__(self, *clocks: ClockState) -> None:
        self.clocks = clocks


@pytest.mark.parametrize(
    ("clocks", "days"),
    [
        ([(60, "")], 60),
        ([(60, ""), (5, "")], 60),
        ([(60, ""), (90, "renewed")], 60),
        ([(90, "not renewed"), (180, "renewed")], 90),
        ([(None, "")], 90),
        ([], 90),
    ],
)
def test_keeping_ends_by_the_packs_clock_and_never_on_a_guess(
    clocks: list[tuple[int | None, str]], days: int
) -> None:
    """The longest clock that surely runs; of those that may run the shortest; 90 days where there is none."""
    at = dt.datetime(2026, 9, 1, tzinfo=dt.UTC)
    states = [clock(at + dt.timedelta(days=each) if each else None, why) for each, why in clocks]
    found: Assessment = Clocks(*states)  # type: ignore[assignment]  # only the clocks are read
    assert keep_until(found, at) == at + dt.timedelta(days=days)


def test_confirmation_is_owed_within_three_days() -> None:
    """The number of the issue."""
    assert dt.timedelta(hours=72) == CONFIRM_WITHIN


# ------------------------------------------------------------------ prolonging and ending early


def test_a_renewal_prolongs_once_and_only_what_was_confirmed() -> None:
    """Two people, one more period, never a third one."""
    story = held_story().renewed()
    state = story.case.target("t1").hold
    assert state is not None
    assert state.until == story.until + dt.timedelta(days=90)
    assert state.owed_end(story.until) is None
    assert refusal(story.renewed) == "renewed"
    assert not list(broken_promises(story.events))
    assert refusal(lambda: narrowed_letter().begun().renewed()) == "not-confirmed"
    assert refusal(lambda: held_story().wait(days=91).renewed()) == "not-confirmed"  # type: ignore[attr-defined]


def test_a_renewal_gives_what_the_clock_gives_and_not_a_day_more() -> None:
    """A document that asks for longer than the law, or for no longer than before, is refused."""
    story = held_story()
    signed = story.two(story.renewal(), "renew")
    more = story.until + dt.timedelta(days=91)
    assert refusal(lambda: holdpapers.renew(story.case, "t1", signed, more)) == "no-longer"
    same = story.two(story.renewal(until=story.until), "renew")
    assert refusal(lambda: holdpapers.renew(story.case, "t1", same, story.until)) == "no-longer"


@pytest.mark.parametrize(
    ("again", "extension", "days"), [(180, None, 180), (180, 30, 180), (60, 30, 90), (60, None, 120)]
)
def test_the_end_of_a_renewed_hold(again: int, extension: int | None, days: int) -> None:
    """By the same clock where it gives more, else by the pack's extension, else one more period."""
    at = dt.datetime(2026, 9, 1, tzinfo=dt.UTC)
    day = dt.timedelta(days=1)
    found = holdpapers.renewed_until(at + 60 * day, at, again=at + again * day, extension_days=extension)
    assert found == at + days * day


def test_one_person_neither_prolongs_nor_ends_a_hold() -> None:
    """Nor the same person twice, nor two people of whom one only takes papers in."""
    story = held_story()
    until = story.until + dt.timedelta(days=90)
    for people in ((BORIS,), (BORIS, BORIS)):
        renewal = story.two(story.renewal(), "renew", people)
        assert refusal(lambda: holdpapers.renew(story.case, "t1", renewal, until)) == "two-people"  # noqa: B023
        ending = story.two(story.releasing(), "release", people)
        assert refusal(lambda: holdpapers.release(story.case, "t1", ending)) == "two-people"  # noqa: B023
    ending = story.two(story.releasing(), "release", (BORIS, ANA))
    assert refusal(lambda: holdpapers.release(story.case, "t1", ending)) == "wrong-verdict"


def test_a_signature_to_end_prolongs_nothing_and_the_other_way_round() -> None:
    """The verdict is part of what was signed."""
    story = held_story()
    wrong = story.two(story.releasing(), "renew")
    assert refusal(lambda: holdpapers.release(story.case, "t1", wrong)) == "wrong-verdict"


def test_two_people_end_a_hold_early_on_a_named_ground() -> None:
    """Before it was taken as well; history says that they did."""
    for story in (held_story(), narrowed_letter().begun()):
        unknown = story.two(story.releasing("bored"), "release")
        assert refusal(lambda: holdpapers.release(story.case, "t1", unknown)) == "unknown-ground"  # noqa: B023
        story.tell(*holdpapers.release(story.case, "t1", story.two(story.releasing(), "release")))
        assert story.events[-1].body["reason"] == "released"
        assert not list(broken_promises(story.events))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda d: d.update(hold_id="cd" * 16), "other-hold"),
        (lambda d: d.update(case_id="d" * 32), "other-hold"),
        (lambda d: d.update(origin="other.example/1"), "other-hold"),
        (lambda d: d.update(until="tomorrow"), "no-longer"),
        (lambda d: d.update(more=1), "bad-hold"),
        (lambda d: d.update(v=2), "bad-hold"),
    ],
    ids=["hold", "case", "origin", "until", "more", "version"],
)
def test_a_paper_about_another_hold_does_nothing(change: Callable[[dict[str, Any]], None], code: str) -> None:
    """What two people sign names installation, case, target and hold."""
    story = held_story()
    document = story.renewal()
    change(document)
    signed = story.two(document, "renew")
    until = story.until + dt.timedelta(days=90)
    assert refusal(lambda: holdpapers.renew(story.case, "t1", signed, until)) == code


def test_the_renewed_papers_own_case_says_where_its_hold_goes_on() -> None:
    """It is finished by that and counts as complied; said twice, it is written once."""
    story = HoldStory().letter()
    story.tell(*holdpapers.served(story.case, "t1", HOLD_ID))
    assert holdpapers.served(story.case, "t1", HOLD_ID) == []
    assert story.case.target("t1").stage == "ended"
    story.tell(*close.close(story.case))
    assert story.case.outcome == "complied"


def test_what_ended_does_not_come_back_by_a_new_assessment() -> None:
    """Another target of the same letter may be assessed afresh; the ended one stays ended."""
    story = HoldStory().letter(EVA, FINN)
    story.tell(*holdpapers.served(story.case, "t1", HOLD_ID))
    story.tell(assessed(["t1", "t2"], producible=False))
    assert [each.stage for each in story.case.targets.values()] == ["ended", "assessed"]

"""No letter is written from half the facts, too early, or in a language that nobody has checked."""

import dataclasses
import datetime as dt
from typing import Any

import pytest

from dueprocess.errors import MalformedError, RefusedError
from dueprocess.law.pack import LetterCode
from dueprocess.notice import MoreTime, Point, Removal, Sender, write_letter
from notice.replies import CONTENT, FACTS, REMOVAL, written


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("holding", {"recipient": " "}),
        ("holding", {"sender": Sender("Chat", "", "Hafenweg 1")}),
        ("holding", {"written_on": dt.date(2026, 11, 19)}),
        ("deficiency", {"points": (CONTENT,)}),
        ("refusal", {"points": FACTS.points[2:]}),
        ("objection", {"points": (Point("cut", "No."),)}),
        ("delay", {"more_time": None}),
        ("delay", {"removal": REMOVAL.removal}),
        ("delay", {"more_time": MoreTime(dt.date(2026, 12, 1), ())}),
        ("delay", {"more_time": MoreTime(FACTS.written_on, ("x",))}),
        ("redirect", {"route": None}),
        ("reciprocal_notice", {"reference": ""}),
        ("end_of_silence", {"silence": None}),
        ("private_party", {"court_path": ""}),
        ("motion_checklist", {"topics": ()}),
    ],
)
def test_a_letter_is_not_written_from_half_the_facts(code: LetterCode, changes: dict[str, Any]) -> None:
    """The error says what it needs, and what to do."""
    with pytest.raises(MalformedError) as caught:
        written(code, **changes)
    assert caught.value.code == "incomplete-letter"
    assert caught.value.why.startswith("It needs ")
    assert caught.value.do


def removal(**changes: Any) -> Removal:
    assert REMOVAL.removal is not None
    return dataclasses.replace(REMOVAL.removal, **changes)


@pytest.mark.parametrize(
    ("changes", "lacks"),
    [
        ({"office": None}, "section C"),
        ({"removal": removal(hindrances=())}, "section B"),
        ({"removal": removal(because="")}, "section B"),
        ({"removal": removal(needed="")}, "section B (3)"),
    ],
)
def test_the_form_for_a_removal_order_is_not_sent_half_filled(changes: dict[str, Any], lacks: str) -> None:
    """A removal order runs for one hour: a form that comes back costs it."""
    with pytest.raises(MalformedError) as caught:
        write_letter("delay", dataclasses.replace(REMOVAL, **changes), language="en")
    assert lacks in caught.value.why


def test_the_end_of_an_order_is_not_asked_for_too_early() -> None:
    """One day before the day it refuses, on the day it writes."""
    assert FACTS.silence is not None
    silence = dataclasses.replace(FACTS.silence, began_on=dt.date(2025, 11, 22), asked=())
    assert written("end_of_silence", silence=silence)
    with pytest.raises(RefusedError, match="23 November 2026"):
        written("end_of_silence", silence=dataclasses.replace(silence, began_on=dt.date(2025, 11, 23)))


@pytest.mark.parametrize("language", ["es", "EN", "", "../de", "de_DE"])
def test_an_unknown_language_is_refused_by_name(language: str) -> None:
    """The error lists the languages that exist."""
    with pytest.raises(RefusedError) as caught:
        write_letter("holding", FACTS, language=language)
    assert caught.value.do == "Choose one of: en, de, fr."


def test_an_unknown_letter_is_refused_by_name() -> None:
    """The error lists the letters that exist."""
    with pytest.raises(RefusedError, match="There is no letter 'apology'") as caught:
        write_letter("apology", FACTS, language="en")  # type: ignore[arg-type] # on purpose
    assert "annex3" in caught.value.do

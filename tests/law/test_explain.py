"""The chain of an assessment and the page of an instrument, in sentences with their sources."""

import datetime as dt
from collections.abc import Callable

import pytest

from dueprocess.demand import Demand, NondisclosureOrder, ReverseDemand
from dueprocess.errors import RefusedError
from dueprocess.law import Pack, assess, explain_assessment, explain_instrument, parse_pack
from dueprocess.law.assess import assess_reverse
from dueprocess.law.calendar import Calendar

HEADS = (
    "Who may issue it", "What it reaches", "What it never reaches", "The window", "What the paper must show",
    "Telling the user",
)  # fmt: skip
ON = dt.date(2026, 11, 22)
type Eva = Callable[..., Demand]


def test_the_chain_names_pack_cut_reach_clock_notice_and_outcome(eva: Eva, sca: Pack) -> None:
    """A reader sees why, line by line, and never an identifier."""
    start, end = dt.datetime(2026, 10, 1, tzinfo=dt.UTC), dt.datetime(2027, 1, 1, tzinfo=dt.UTC)
    order = NondisclosureOrder("18 USC 2705(b)", start, end, certified=True)
    found = assess(eva("traffic", "session", nondisclosure=order, due_on=dt.date(2026, 12, 1)), [sca], on=ON)
    text = "\n".join(explain_assessment(found, [sca]))
    for part in (
        f"us.sca {sca.version}",
        "Cuts [target 1]: Other records",
        "Source: 18 USC 2703(c)(1)(A)-(B).",
        "What to do: Produce only the basic subscriber list",
        "Target 1: within reach are session.times; from 2026-09-01T00:00:00Z until 2026-10-01T00:00:00Z.",
        "Clock us.2705b: the order names its end: Fri 2027-01-01 00:00 UTC (2027-01-01T00:00:00Z). Source:",
        "Telling the user: delayed until 2027-01-01T00:00:00Z. A court has ordered",
        "Outcome: permit subset, because of: 2703c1.records. This may be proposed to two people.",
    ):
        assert part in text
    assert "eva" not in text.lower()


def test_the_chain_of_a_refusal_says_that_nothing_is_within_reach(eva: Eva, sca: Pack) -> None:
    """A refusal reads as one, and a pack that is not at hand is said to be so."""
    lines = explain_assessment(assess(eva("content"), [sca], on=ON), [])
    assert "Target 1: nothing is within reach." in lines
    assert "not at hand" in lines[1]
    assert lines[-1].startswith("Outcome: refuse, because of: cut.everything. This cannot be produced.")


def test_the_chain_says_when_the_notice_is_not_settled(eva: Eva, sca: Pack) -> None:
    """Without law nobody is told before counsel has decided."""
    text = "\n".join(explain_assessment(assess(eva(regime="fr"), [sca], on=ON), [sca]))
    assert "(not settled)" in text


def test_the_chain_says_open_starts(eva: Eva, sca: Pack) -> None:
    """An open start is shown as one."""
    text = "\n".join(explain_assessment(assess(eva("session", since=None), [sca], on=ON), [sca]))
    assert "from no start until 2026-10-01T00:00:00Z" in text


def test_everything_permitted_reads_without_a_cause(
    order: Callable[..., Demand], plain_law: tuple[Pack, ...]
) -> None:
    """Nothing lowered it, so no code is blamed."""
    found = assess(order("content"), plain_law, on=ON)
    last = explain_assessment(found, plain_law)[-1]
    assert last == "Outcome: permit all. This may be proposed to two people."


def test_the_chain_names_who_may_know_and_what_one_alone_does(
    order: Callable[..., Demand], strict_law: tuple[Pack, ...]
) -> None:
    """Also the letters, the layers of the pack, and the calendar that a clock counted with."""
    calendar = Calendar("XX", "by hand", 2026, 2026)
    found = assess(order("content"), strict_law, on=ON, calendars=(calendar,))
    lines = explain_assessment(found, strict_law)
    for line in (
        "May know: a lawyer, to get advice. A lawyer may be told. Source: Act, 13.",
        "If you are alone: Keep the data, write the delay form, call counsel. Never release alone. Source: Act, 14.",
        "Letters that fit: a holding reply; an objection.",
        "Counted with the calendar XX: by hand.",
    ):
        assert line in lines
    assert any(line.startswith("Rules: xx.strict 1 (House rules)") for line in lines)
    assert not any("not at hand" in line for line in lines)


def test_the_chain_lists_what_is_still_open(
    order: Callable[..., Demand], plain_law: tuple[Pack, ...]
) -> None:
    """In the words of the question, once, also for a fact that every paper has; a box of the form is named."""
    found = assess(order("content", country=None, answers={}), plain_law, on=ON)
    lines = explain_assessment(found, plain_law)
    assert [line for line in lines if line.startswith("Still open")] == [
        "Still open: Which kind of service is the account with?",
        "Still open: Does the paper say that the offence is a serious one?",
        "Still open: Which country is the authority of?",
    ]
    assert any(
        line.startswith("Blocks, not known yet: It is for messaging and mail. Source: Act, 6.")
        and "Box on the answer form: wrong_service." in line
        for line in lines
    )


def test_the_chain_says_how_a_condition_stands(
    order: Callable[..., Demand], plain_law: tuple[Pack, ...]
) -> None:
    """The rule says what it wants; the line says first why it is not met."""
    facts = {"issuer_kind": "prosecutor", "country": "ZZ", "answers": {"service": "mail"}}
    lines = explain_assessment(assess(order("content", "traffic", **facts), plain_law, on=ON), plain_law)
    for start in (
        "Cuts [target 1], not issued or validated by one who may: A judge issues or validates it.",
        "Cuts [target 1], not said to be only for identifying someone: To identify someone",
        "Cuts [target 1], not known yet: Only for a serious offence.",
        "Cuts [target 1], answered otherwise: Only for an authority of XX or YY.",
    ):
        assert any(line.startswith(start) for line in lines), start


def test_the_chain_of_a_paper_that_names_nobody(
    survey: Callable[..., ReverseDemand], full_law: tuple[Pack, ...]
) -> None:
    """It says what is asked for, and that nothing comes of it."""
    lines = explain_assessment(assess_reverse(survey(), full_law, on=ON), full_law)
    assert "It asks for an area (geofence) and names nobody: nothing can be produced." in lines
    assert lines[-1].endswith("This cannot be produced.")
    assert "Telling the user: forbidden. Nobody may be told, ever. Source: Act, 11." in lines


def test_the_page_shows_every_condition_with_its_question(strict_law: tuple[Pack, ...]) -> None:
    """Who must have issued or validated, what must be known, which box, who may know, what one alone does."""
    page = explain_instrument(strict_law[1], "order")
    for part in (
        "What must hold before it reaches anything\n  Which kind of service is the account with? Needed: mail or",
        "It is for messaging and mail. [Act, 6; in force from 2020-01-01] (box wrong_service)",
        "only issued or validated by: judge. A judge issues or validates it.",
        "only if: Does the paper say that the offence is a serious one? Needed: yes.",
        "only if: Which country is the authority of? Needed: XX or YY.",
        "a translation. The paper has a form. [Act, 7; in force from 2020-01-01] Unless known otherwise: Which country",
        "grounds for records (only for session.times",
        "(box not_validated)",
        "incomplete: The paper is incomplete.",
        "Who else may know\n  a lawyer, to get advice: A lawyer may be told.",
        "If you are alone and your lock outlasts the clock\n  Keep the data",
        "Letters that fit\n  a holding reply",
        "Unless known otherwise: Was the other State notified? Needed: yes.",
        "Made stricter by xx.strict 1.",
    ):
        assert part in page


def test_the_page_of_a_paper_that_reaches_nothing(full_law: tuple[Pack, ...]) -> None:
    """What it asks for and the best that can come of it; an unsettled notice is not dressed up as a rule."""
    law = next(each for each in full_law if each.id == "xx.law")
    page = explain_instrument(law, "survey")
    assert "geofence: an area (geofence)" in page
    assert "The best outcome that it can have\n  refuse: It does not reach this." in page
    assert "What it reaches\n" not in page
    assert "not settled: nobody is told until counsel has decided" in explain_instrument(law, "open_order")


@pytest.mark.parametrize(
    "code", ["subpoena", "d_order", "warrant", "nsl", "preservation_letter", "emergency"]
)
def test_the_page_of_an_instrument_is_complete(sca: Pack, code: str) -> None:
    """Who, what, never, window, form, notice, each with its source; and that it is not legal advice."""
    page = explain_instrument(sca, code)
    for head in HEADS:
        assert f"\n\n{head}\n" in page
    assert "not legal advice" in page
    assert "Not reviewed by counsel." in page


def test_the_page_says_what_is_unverified_and_when_a_rule_ends(sca: Pack, small_text: str) -> None:
    """Marks and dates are part of the page."""
    mark = "(6th Cir. 2010), holding on stored electronic mail; unverified"
    assert mark in explain_instrument(sca, "subpoena")
    page = explain_instrument(parse_pack(small_text, "s"), "order")
    assert "in force from 2020-01-01 until 2026-06-01" in page
    assert "(only to identify someone)" in page
    assert "Reviewed by Counsel Fictional." in page


def test_an_unknown_code_has_no_page(sca: Pack) -> None:
    """The refusal lists what there is."""
    with pytest.raises(RefusedError) as caught:
        explain_instrument(sca, "geofence_warrant")
    assert "subpoena" in caught.value.do

"""The chain of an assessment and the page of an instrument, in sentences with their sources."""

import datetime as dt
from collections.abc import Callable

import pytest

from dueprocess.demand import Demand, NondisclosureOrder
from dueprocess.errors import RefusedError
from dueprocess.law import Pack, assess, explain_assessment, explain_instrument, parse_pack

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
        "Clock us.2705b: 2027-01-01T00:00:00Z (end named by the order)",
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


def test_everything_permitted_reads_without_a_cause(eva: Eva, small_text: str) -> None:
    """Nothing lowered it, so no code is blamed."""
    pack = parse_pack(small_text.replace('clocks = ["xx.from-order", "xx.to-end"]', ""), "s")
    found = assess(eva(regime="xx", instrument="order"), [pack], on=dt.date(2026, 6, 1))
    assert found.findings == ()
    assert explain_assessment(found, [pack])[-1] == "Outcome: permit all. This may be proposed to two people."


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

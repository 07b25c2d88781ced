"""The register row of a case: coarse, complete, and only of demands that were read and closed."""

import pytest

from cases.story import Story, approved_story
from dueprocess.cases.case import Case
from dueprocess.cases.close import close
from dueprocess.errors import MalformedError, RefusedError
from dueprocess.report.case_row import period_of, register_row, report_opens


def closed(story: Story) -> Case:
    return story.tell(*close(story.case), actor="boris").case


def delivered() -> Story:
    return approved_story().told().produced().delivered()


def test_a_case_that_was_told_first_says_so() -> None:
    """A delivered case gives class facts only: half-year, band, top-level categories, outcome, notice."""
    row = register_row(closed(delivered().told(phase="after")))
    assert row.period == "2026H2"
    assert (row.country, row.regime, row.instrument) == ("US", "us", "d_order")
    assert row.accounts_band == "1"
    assert row.notice == "told_before"
    assert set(row.categories) <= {"subscriber", "session", "traffic"}
    assert row.categories
    assert row.outcome in ("complied", "complied_in_part")
    assert row.narrowed
    assert not row.challenged


def test_nothing_of_a_person_is_in_the_row() -> None:
    """Neither the account nor the case can be found in the row."""
    case = closed(delivered().told(phase="after"))
    text = str(register_row(case).as_json())
    assert case.case_id not in text
    assert "@" not in text


def test_an_open_case_has_no_row() -> None:
    """A row exists only for a closed case."""
    with pytest.raises(RefusedError, match="Only a closed case"):
        register_row(approved_story().case)


def test_a_paper_that_was_never_read_is_counted_nowhere() -> None:
    """Something that arrived and was closed unread is no demand."""
    with pytest.raises(RefusedError, match="nothing to register"):
        register_row(closed(Story().received()))


def test_a_demand_closed_after_reading_alone_is_rejected_and_told_to_nobody() -> None:
    """Without assessment, decision and requester the row says rejected, basis none, notice none."""
    row = register_row(closed(Story().received().read()))
    assert (row.outcome, row.basis, row.authority_class, row.notice) == (
        "rejected",
        "none",
        "unknown",
        "none",
    )
    assert row.categories == ()


@pytest.mark.parametrize(
    ("day", "period"), [("2026-06-30T23:59:59Z", "2026H1"), ("2026-07-01T00:00:00Z", "2026H2")]
)
def test_a_half_year_ends_with_june(day: str, period: str) -> None:
    """The last second of June is in the first half."""
    assert period_of(day) == period


@pytest.mark.parametrize(("period", "day"), [("2026H1", "2026-09-29"), ("2026H2", "2027-04-01")])
def test_a_half_year_is_reported_ninety_days_after_its_end(period: str, day: str) -> None:
    """Not while its demands still go on."""
    assert f"{report_opens(period):%Y-%m-%d}" == day


def test_what_is_no_half_year_is_never_reported() -> None:
    """A month, a quarter or nonsense is malformed."""
    for period in ("2026", "2026Q1", "2026H3", ""):
        with pytest.raises(MalformedError):
            report_opens(period)

"""Due dates against tables made by hand, against other programs that count, and against their own promises."""

import datetime as dt
from zoneinfo import ZoneInfo

import holidays
import pytest
from dateutil.relativedelta import relativedelta  # type: ignore[import-untyped]  # it has no types
from hypothesis import given, settings
from hypothesis import strategies as st

from dueprocess.errors import MalformedError
from dueprocess.law.calendar import Calendar
from dueprocess.law.duedates import DueDate, Span, WorkingDays, due_date, first_instant, local_time, weekday
from dueprocess.wire import instant

BERLIN, LONDON = ZoneInfo("Europe/Berlin"), ZoneInfo("Europe/London")
YEARS = range(2020, 2031)
LIBRARY = holidays.country_holidays("DE", years=YEARS, language="en_US")
GERMANY = Calendar("DE", "test", YEARS[0], YEARS[-1], dict(LIBRARY.items()))
IN_GERMANY = WorkingDays("DE", (GERMANY,))
NOWHERE = WorkingDays()

TABLE = [
    # EPOC, 10 days after a receipt on a Friday evening, the day itself not counted.
    ("2026-11-20T18:02", Span(10, "days", "after_day", roll=True), BERLIN, "2026-11-30T23:00:00Z"),
    # The same with a last day on a Sunday: Regulation 1182/71 Art. 3(4).
    ("2026-11-19T18:02", Span(10, "days", "after_day", roll=True), BERLIN, "2026-11-30T23:00:00Z"),
    # Last day on Christmas: the 25th and the 26th are holidays, the 27th is a Sunday.
    ("2026-12-15T00:00", Span(10, "days", "after_day", roll=True), BERLIN, "2026-12-28T23:00:00Z"),
    ("2026-12-15T00:00", Span(10, "days", "after_day"), BERLIN, "2026-12-25T23:00:00Z"),
    # TCO: one hour, in the night in which Berlin's clocks show 02:30 twice, and in the one without a 02:30.
    ("2026-10-25T02:30", Span(1, "hours"), BERLIN, "2026-10-25T01:30:00Z"),
    ("2026-03-29T01:59", Span(1, "hours"), BERLIN, "2026-03-29T01:59:00Z"),
    # COPOA: seven days beginning with the day of service.
    ("2026-11-20T18:02", Span(7, "days", "with_day"), LONDON, "2026-11-27T00:00:00Z"),
    # The same week in which British Summer Time ends: one of the seven days has 25 hours.
    ("2026-10-20T09:00", Span(7, "days", "with_day"), LONDON, "2026-10-27T00:00:00Z"),
    # StPO: three working days over Christmas.
    ("2026-12-23T10:00", Span(3, "working_days", "after_day"), BERLIN, "2026-12-29T23:00:00Z"),
    ("2026-12-23T10:00", Span(3, "working_days", "with_day"), BERLIN, "2026-12-28T23:00:00Z"),
    ("2026-12-26T10:00", Span(1, "working_days", "with_day"), BERLIN, "2026-12-28T23:00:00Z"),
    ("2026-12-23T10:00", Span(3, "working_days"), BERLIN, "2026-12-29T09:00:00Z"),
    # 18 USC 2703(f): 90 days, from the instant to the instant.
    ("2026-11-20T18:02", Span(90), dt.UTC, "2027-02-18T18:02:00Z"),
    # The same time of day after a change of the clocks, not 24 hours times the days.
    ("2026-10-24T12:00", Span(1), BERLIN, "2026-10-25T11:00:00Z"),
    ("2026-03-28T12:00", Span(1), BERLIN, "2026-03-29T10:00:00Z"),
    ("2026-03-28T02:30", Span(1), BERLIN, "2026-03-29T01:00:00Z"),
    ("2026-10-24T02:30", Span(1), BERLIN, "2026-10-25T00:30:00Z"),
    # Months end with the same day number, or with the month.
    ("2026-08-31T09:00", Span(6, "months", "after_day"), dt.UTC, "2027-03-01T00:00:00Z"),
    ("2027-08-31T09:00", Span(6, "months", "after_day"), dt.UTC, "2028-03-01T00:00:00Z"),
    ("2027-08-31T09:00", Span(6, "months"), dt.UTC, "2028-02-29T09:00:00Z"),
    ("2028-02-29T09:00", Span(12, "months"), dt.UTC, "2029-02-28T09:00:00Z"),
    ("2026-11-15T09:00", Span(3, "months", "after_day"), dt.UTC, "2027-02-16T00:00:00Z"),
    # Counted with the day itself they end the day before that number: sections 187(2), 188(2) BGB.
    ("2026-11-15T09:00", Span(3, "months", "with_day"), dt.UTC, "2027-02-15T00:00:00Z"),
    ("2026-08-31T09:00", Span(6, "months", "with_day"), dt.UTC, "2027-03-01T00:00:00Z"),
    ("2027-01-01T09:00", Span(1, "months", "with_day"), dt.UTC, "2027-02-01T00:00:00Z"),
    # Weeks end on the same weekday, or on the day before it.
    ("2026-11-20T09:00", Span(2, "weeks", "after_day"), dt.UTC, "2026-12-05T00:00:00Z"),
    ("2026-11-20T09:00", Span(2, "weeks", "with_day"), dt.UTC, "2026-12-04T00:00:00Z"),
    # A period that elapses rolls to the same time of the next working day.
    ("2026-11-20T18:02", Span(1, roll=True), BERLIN, "2026-11-23T17:02:00Z"),
]  # fmt: skip


def due(start: str, span: Span, zone: dt.tzinfo = BERLIN, days: WorkingDays = IN_GERMANY) -> DueDate:
    return due_date("received", dt.datetime.fromisoformat(start).replace(tzinfo=zone), span, zone, days)


@pytest.mark.parametrize(("start", "span", "zone", "expected"), TABLE)
def test_each_period_ends_where_a_person_would_end_it(
    start: str, span: Span, zone: dt.tzinfo, expected: str
) -> None:
    """The due date is the one of the table, which was made by hand from the law's way of counting."""
    found = due(start, span, zone).at
    assert found is not None
    assert instant(found) == expected


SENTENCES = [
    (
        ("2026-11-20T18:02", Span(10, "days", "after_day", roll=True)),
        ("received Fri 2026-11-20 18:02 Europe/Berlin; the day itself does not count; + 10 days = Mon 2026-11-30; "
        "a working day; due before Tue 2026-12-01 00:00 Europe/Berlin (2026-11-30T23:00:00Z)"),
    ),
    (
        ("2026-12-23T10:00", Span(3, "working_days", "after_day")),
        ("received Wed 2026-12-23 10:00 Europe/Berlin; the day itself does not count; Fri 2026-12-25 does not count "
        "(Christmas Day); Sat 2026-12-26 does not count (Second Day of Christmas); Sun 2026-12-27 does not count "
        "(weekend); + 3 working days = Tue 2026-12-29; due before Wed 2026-12-30 00:00 Europe/Berlin "
        "(2026-12-29T23:00:00Z)"),
    ),
    (
        ("2026-12-15T08:00:05", Span(10, "days", "after_day", roll=True)),
        ("received Tue 2026-12-15 08:00:05 Europe/Berlin; the day itself does not count; + 10 days = Fri 2026-12-25; "
        "Fri 2026-12-25 is no working day (Christmas Day); Sat 2026-12-26 is no working day (Second Day of "
        "Christmas); Sun 2026-12-27 is no working day (weekend); moves to Mon 2026-12-28; due before Tue 2026-12-29 "
        "00:00 Europe/Berlin (2026-12-28T23:00:00Z)"),
    ),
    (
        ("2026-10-25T02:30", Span(1, "hours")),
        ("received Sun 2026-10-25 02:30 CEST Europe/Berlin; + 1 hour; due before Sun 2026-10-25 02:30 CET "
        "Europe/Berlin (2026-10-25T01:30:00Z)"),
    ),
    (
        ("2026-10-24T12:00", Span(1)),
        ("received Sat 2026-10-24 12:00 Europe/Berlin; + 1 day = Sun 2026-10-25; the clocks change in between, the "
        "time of day stays; due before Sun 2026-10-25 12:00 Europe/Berlin (2026-10-25T11:00:00Z)"),
    ),
    (
        ("2026-03-28T02:30", Span(1)),
        ("received Sat 2026-03-28 02:30 Europe/Berlin; + 1 day = Sun 2026-03-29; the clocks there skip this time of "
        "day; due before Sun 2026-03-29 03:00 Europe/Berlin (2026-03-29T01:00:00Z)"),
    ),
    (
        ("2026-11-20T18:02", Span(7, "days", "with_day")),
        ("received Fri 2026-11-20 18:02 Europe/Berlin; counted with the day itself, 7 days end with Thu 2026-11-26; "
        "due before Fri 2026-11-27 00:00 Europe/Berlin (2026-11-26T23:00:00Z)"),
    ),
    (
        ("2026-11-02T08:00", Span(20, "working_days", "after_day")),
        ("received Mon 2026-11-02 08:00 Europe/Berlin; the day itself does not count; 8 days of weekends do not "
        "count; + 20 working days = Mon 2026-11-30; due before Tue 2026-12-01 00:00 Europe/Berlin "
        "(2026-11-30T23:00:00Z)"),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "sentence"), SENTENCES)
def test_the_arithmetic_is_one_sentence_that_can_be_checked_by_hand(
    asked: tuple[str, Span], sentence: str
) -> None:
    """Each step stands in the sentence: the event, what does not count and why, the sum, the end in both times."""
    assert due(*asked).arithmetic == sentence


def test_holidays_are_named_also_where_weekends_are_only_counted() -> None:
    """A long count lists holidays by name and weekends by number, so that nothing is hidden and it stays short."""
    said = due("2026-12-14T08:00", Span(15, "working_days", "after_day"), days=IN_GERMANY).arithmetic
    assert "Fri 2026-12-25 does not count (Christmas Day)" in said
    assert "Sat 2026-12-26 does not count (Second Day of Christmas)" in said
    assert "5 days of weekends do not count" in said
    assert "(weekend)" not in said


def test_without_holidays_every_day_counts_and_the_sentence_says_so() -> None:
    """An unknown year gives the earliest reading, and no calendar is named as used."""
    found = due("2026-12-23T10:00", Span(3, "working_days", "after_day"), days=WorkingDays("FR", (GERMANY,)))
    assert found.at == dt.datetime(2026, 12, 26, 23, tzinfo=dt.UTC)
    assert found.calendars == ()
    assert found.arithmetic == (
        "received Wed 2026-12-23 10:00 Europe/Berlin; the day itself does not count; the holidays of FR in 2026 are "
        "not at hand: every day counts as a working day (the earliest reading); + 3 working days = Sat 2026-12-26; "
        "due before Sun 2026-12-27 00:00 Europe/Berlin (2026-12-26T23:00:00Z)"
    )


def test_a_count_that_runs_into_an_unknown_year_says_where_it_stopped_knowing() -> None:
    """Up to the end of the table holidays count; from the next year on every day does, also a Saturday."""
    found = due("2030-12-30T10:00", Span(5, "working_days", "after_day"))
    assert found.at == dt.datetime(2031, 1, 4, 23, tzinfo=dt.UTC)
    assert "the holidays of DE in 2031 are not at hand" in found.arithmetic
    assert found.calendars == (GERMANY,)


def test_a_last_day_in_an_unknown_year_stays() -> None:
    """What cannot be known to be a holiday is a working day, which is the earliest reading."""
    found = due("2026-11-19T18:02", Span(10, "days", "after_day", roll=True), days=NOWHERE)
    assert found.at == dt.datetime(2026, 11, 29, 23, tzinfo=dt.UTC)
    assert (
        "no calendar is named: every day counts as a working day (the earliest reading)" in found.arithmetic
    )
    assert "; a working day;" not in found.arithmetic


def test_a_calendar_is_used_only_where_the_period_needs_one() -> None:
    """Plain days look into no calendar, so that none is kept with the case for nothing."""
    assert due("2026-12-15T00:00", Span(10, "days", "after_day")).calendars == ()
    assert due("2026-12-15T00:00", Span(10, "days", "after_day", roll=True)).calendars == (GERMANY,)


@pytest.mark.parametrize(
    ("span", "needed"),
    [
        (Span(1), False),
        (Span(1, "hours", roll=True), False),
        (Span(1, "working_days"), True),
        (Span(1, "months", roll=True), True),
    ],
)
def test_a_span_says_whether_it_needs_a_calendar(span: Span, needed: bool) -> None:  # noqa: FBT001  # a column of the table
    """Working days and moved last days need one; hours never do."""
    assert span.needs_calendar is needed


def test_hours_neither_wait_for_the_day_nor_roll() -> None:
    """One hour on a Sunday night is one hour."""
    assert due("2026-12-27T23:30", Span(1, "hours", "after_day", roll=True)).at == dt.datetime(
        2026, 12, 27, 23, 30, tzinfo=dt.UTC
    )


def test_a_start_without_its_zone_is_refused() -> None:
    """Eight o'clock is no instant."""
    with pytest.raises(MalformedError) as refused:
        due_date("received", dt.datetime(2026, 11, 20, 8), Span(1), BERLIN, NOWHERE)  # noqa: DTZ001  # the point
    assert refused.value.code == "naive-time"


@pytest.mark.parametrize(
    "span", [Span(100_000, "months"), Span(9, "months", "after_day"), Span(99_999, "weeks")]
)
def test_an_end_after_the_last_year_is_said_and_not_raised(span: Span) -> None:
    """The calendar of this program ends with the year 9999; a due date beyond it is none."""
    found = due("9999-06-01T00:00", span)
    assert found.at is None
    assert found.arithmetic.endswith("ends after the year 9999 or begins before the year 1")


@pytest.mark.parametrize(
    ("zone", "day", "first"),
    [
        ("America/Sao_Paulo", dt.date(2018, 11, 4), "2018-11-04T03:00:00Z"),  # midnight is skipped
        ("America/Toronto", dt.date(1919, 3, 31), "1919-03-31T04:30:00Z"),  # 23:30 to 00:30 are skipped
        ("Pacific/Apia", dt.date(2011, 12, 30), "2011-12-30T10:00:00Z"),  # the whole day is skipped
        ("America/Havana", dt.date(2026, 11, 1), "2026-11-01T04:00:00Z"),  # midnight comes twice
        ("Europe/Berlin", dt.date(2026, 3, 29), "2026-03-28T23:00:00Z"),
    ],
)
def test_a_day_begins_at_its_first_instant(zone: str, day: dt.date, first: str) -> None:
    """Also where a change of the clocks skips midnight, shows it twice, or skips the day."""
    assert instant(first_instant(day, ZoneInfo(zone))) == first


@given(
    zone=st.sampled_from(
        ("Europe/Berlin", "America/Sao_Paulo", "Atlantic/Azores", "Asia/Kolkata", "Africa/Cairo")
    ),
    day=st.dates(dt.date(2010, 1, 1), dt.date(2026, 12, 31)),
)
@settings(max_examples=100, deadline=None)
def test_before_its_first_instant_no_clock_shows_the_day(zone: str, day: dt.date) -> None:
    """The instant belongs to the day, and the second before it to an earlier one."""
    where = ZoneInfo(zone)
    begins = first_instant(day, where)
    assert begins.astimezone(where).date() == day
    assert (begins - dt.timedelta(seconds=1)).astimezone(where).date() < day


@given(start=st.dates(dt.date(2020, 1, 1), dt.date(2028, 12, 31)), length=st.integers(1, 40))
@settings(max_examples=200, deadline=None)
def test_working_days_agree_with_another_program(start: dt.date, length: int) -> None:
    """The n-th working day after the event is the one that python-holidays counts by itself."""
    found = due(f"{start}T10:00", Span(length, "working_days", "after_day")).at
    last = LIBRARY.get_nth_working_day(start, length)
    assert found == first_instant(last + dt.timedelta(days=1), BERLIN)


@given(start=st.dates(dt.date(1990, 1, 1), dt.date(2090, 12, 31)), length=st.integers(1, 600))
@settings(max_examples=200, deadline=None)
def test_months_agree_with_another_program(start: dt.date, length: int) -> None:
    """The same day number or the end of the month, as python-dateutil adds months."""
    found = due(f"{start}T10:00", Span(length, "months"), dt.UTC).at
    assert found == dt.datetime.combine(start + relativedelta(months=length), dt.time(10), dt.UTC)


spans = st.builds(
    Span,
    st.integers(1, 90),
    st.sampled_from(("hours", "days", "weeks", "months", "working_days")),
    st.sampled_from(("elapsed", "after_day", "with_day")),
    st.booleans(),
)
starts = st.datetimes(
    dt.datetime(2021, 1, 1),  # noqa: DTZ001  # Hypothesis adds the zone itself
    dt.datetime(2027, 1, 1),  # noqa: DTZ001  # see above
    timezones=st.sampled_from((BERLIN, dt.UTC, ZoneInfo("America/Santiago"))),
)


@given(start=starts, span=spans)
@settings(max_examples=300, deadline=None)
def test_a_due_date_lies_after_its_start_and_holidays_only_move_it_later(
    start: dt.datetime, span: Span
) -> None:
    """Without a calendar the due date is never later than with one: the earliest reading is kept."""
    knowing = due_date("received", start, span, BERLIN, IN_GERMANY)
    unknowing = due_date("received", start, span, BERLIN, NOWHERE)
    assert knowing.at is not None
    assert unknowing.at is not None
    assert start < unknowing.at <= knowing.at
    assert knowing.at.tzinfo is dt.UTC
    assert knowing.arithmetic.endswith(f"({instant(knowing.at)})")


@given(start=starts, span=spans)
@settings(max_examples=200, deadline=None)
def test_a_longer_period_never_ends_earlier(start: dt.datetime, span: Span) -> None:
    """One unit more moves the due date later or, over days off, leaves it."""
    longer = Span(span.length + 1, span.unit, span.counting, span.roll)
    one, other = (due_date("received", start, each, BERLIN, IN_GERMANY).at for each in (span, longer))
    assert one is not None
    assert other is not None
    assert one <= other


def test_the_names_of_days_do_not_depend_on_the_machine() -> None:
    """English names of days, whatever the locale."""
    assert [weekday(dt.date(2026, 11, 16) + dt.timedelta(days=n))[:3] for n in range(7)] == [
        "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun",
    ]  # fmt: skip
    assert (
        local_time(dt.datetime(2026, 11, 20, 17, 2, tzinfo=dt.UTC), BERLIN)
        == "Fri 2026-11-20 18:02 Europe/Berlin"
    )

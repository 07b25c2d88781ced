"""When the end of an undated order not to tell is asked for."""

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from dueprocess.notice import end_of_silence_due

START = dt.date(2025, 11, 22)
DAYS = st.dates(dt.date(2000, 1, 1), dt.date(2100, 1, 1))


def test_first_after_365_days_then_every_90() -> None:
    """Also over the 29 February of a leap year: days are counted, not years."""
    assert end_of_silence_due(START) == dt.date(2026, 11, 22)
    assert end_of_silence_due(dt.date(2027, 12, 1)) == dt.date(2028, 11, 30)
    assert end_of_silence_due(START, [dt.date(2026, 11, 25)]) == dt.date(2027, 2, 23)
    assert end_of_silence_due(START, [dt.date(2027, 2, 23), dt.date(2026, 11, 25)]) == dt.date(2027, 5, 24)


def test_an_early_request_does_not_bring_the_day_forward() -> None:
    """Counsel asked after a month: the day stays 365 days after the start."""
    assert end_of_silence_due(START, [dt.date(2025, 12, 22)]) == dt.date(2026, 11, 22)


@given(DAYS, st.lists(DAYS, max_size=4))
def test_it_is_never_before_the_365_days_nor_90_days_after_the_last_request(
    start: dt.date, asked: list[dt.date]
) -> None:
    """And it is one of these two days."""
    due = end_of_silence_due(start, asked)
    days = {start + dt.timedelta(days=365), *(each + dt.timedelta(days=90) for each in asked)}
    assert due == max(days)

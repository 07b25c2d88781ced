"""A window means the same instants in every unit that a column may use."""

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dueprocess.demand import UNBOUNDED, Period
from dueprocess.errors import MalformedError
from dueprocess.plan import bounds, inside, moment_of

instants = st.datetimes(dt.datetime(1999, 1, 1), dt.datetime(2100, 1, 1), timezones=st.just(dt.UTC))  # noqa: DTZ001  # the strategy adds the zone
windows = (
    st.tuples(instants, instants)
    .filter(lambda pair: pair[0] < pair[1])
    .map(lambda pair: Period(pair[0], pair[1]))
)
numbers = st.sampled_from([("s", 1_000_000), ("ms", 1000), ("us", 1)])


@given(windows, numbers, st.integers(-3, 3), st.sampled_from(["since", "until"]))
@settings(max_examples=150, deadline=None)
def test_numeric_bounds_choose_exactly_the_values_inside(
    window: Period, unit: tuple[str, int], step: int, end: str
) -> None:
    """Around both ends, a value passes the query's bounds exactly if its moment lies in the window."""
    since, until = bounds(window, unit[0])  # type: ignore[arg-type]  # sampled from the units
    assert isinstance(since, int)
    assert isinstance(until, int)
    value = (until if end == "until" else since) + step
    assert (since <= value < until) == inside(window, value, unit[0])  # type: ignore[arg-type]  # as above


@given(windows, instants)
@settings(max_examples=150, deadline=None)
def test_text_bounds_lose_nothing_that_is_inside(window: Period, moment: dt.datetime) -> None:
    """Every text of a moment inside the window passes the coarse bounds; the row check does the rest."""
    since, until = bounds(window, "iso")
    assert isinstance(since, str)
    assert isinstance(until, str)
    text = moment.replace(tzinfo=None).isoformat() + "Z"
    assert inside(window, text, "iso") == (window.since <= moment < window.until)  # type: ignore[operator]  # both ends are set
    if inside(window, text, "iso"):
        assert since <= text < until


def test_native_times_are_bound_as_they_are_and_count_as_utc() -> None:
    """A time without a zone is UTC; with a zone it is the same instant."""
    window = Period(dt.datetime(2026, 9, 1, tzinfo=dt.UTC), dt.datetime(2026, 10, 1, tzinfo=dt.UTC))
    assert bounds(window, "timestamp") == (window.since, window.until)
    assert inside(window, dt.datetime(2026, 9, 1), "timestamp")  # noqa: DTZ001  # that is the point
    berlin = dt.timezone(dt.timedelta(hours=2))
    assert not inside(window, dt.datetime(2026, 9, 1, 1, 59, 59, tzinfo=berlin), "timestamp")
    assert inside(window, dt.datetime(2026, 9, 1, 2, tzinfo=berlin), "timestamp")


@pytest.mark.parametrize(
    ("value", "unit"),
    [
        (None, "ms"),
        (True, "s"),
        (1.5, "s"),
        ("1", "us"),
        (1, "iso"),
        ("2026-09-01", "iso"),
        ("2026-09-01T00:00:00+00:00", "iso"),
        ("2026-09-31T00:00:00Z", "iso"),
        ("2026-09-01T00:00:00Z", "timestamp"),
        (dt.date(2026, 9, 1), "timestamp"),
    ],
)
def test_a_value_of_another_unit_is_refused(value: object, unit: str) -> None:
    """A guess would move rows across the window, so there is none."""
    with pytest.raises(MalformedError) as caught:
        moment_of(value, unit)  # type: ignore[arg-type]  # from the list above
    assert caught.value.code == "bad-time"


def test_an_open_window_bounds_nothing() -> None:
    """Neither a query nor a row can be cut by a window without ends."""
    with pytest.raises(MalformedError):
        bounds(UNBOUNDED, "ms")
    with pytest.raises(MalformedError):
        inside(UNBOUNDED, 1, "ms")

"""A window means the same instants in every unit that a column may use."""

import datetime as dt
import itertools
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dueprocess.demand import UNBOUNDED, Period
from dueprocess.errors import MalformedError
from dueprocess.plan import Bound, TimeUnit, bounds, inside, moment_of

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
        (dt.datetime(2026, 9, 1, tzinfo=dt.UTC), "date"),
        ("2026-09-01T00:00:00Z", "date"),
        ("2026-09-31", "date"),
        (20260901, "date"),
        ("2026-09-01 00:00:00", "iso"),
        ("٢٠٢٦-09-01T00:00:00Z", "iso"),
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


ZONES = ("UTC", "Etc/UTC", "Europe/Berlin", "America/Sao_Paulo", "Asia/Kolkata", "Australia/Lord_Howe")
zones = st.sampled_from(ZONES)


def oracle(local: dt.datetime, zone: str) -> set[dt.datetime]:
    """What a naive local time can mean, found by asking what the clock of the zone shows at instants near it.

    Nothing here asks the zone for the offset of a local time, as the code does.
    """
    near = [local.replace(tzinfo=dt.UTC) + dt.timedelta(hours=hours) for hours in range(-26, 27)]
    shifts = {
        each.astimezone(ZoneInfo(zone)).replace(tzinfo=None) - each.replace(tzinfo=None) for each in near
    }
    assume(len(shifts) <= 2)
    candidates = {local.replace(tzinfo=dt.UTC) - shift for shift in shifts}
    shown = {each for each in candidates if each.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == local}
    return shown or candidates


def counts(window: Period, local: dt.datetime, zone: str) -> bool:
    assert window.since is not None
    assert window.until is not None
    return all(window.since <= each < window.until for each in oracle(local, zone))


def changes(zone: str) -> list[dt.datetime]:
    """Hours before which the clock of a zone was changed, from 1970 on."""
    hours = [
        dt.datetime(1985, 1, 1, tzinfo=dt.UTC) + dt.timedelta(hours=12 * each) for each in range(730 * 2)
    ]
    known = ZoneInfo(zone)
    return [
        one
        for one, two in itertools.pairwise(hours)
        if one.astimezone(known).utcoffset() != two.astimezone(known).utcoffset()
    ]


CHANGES = {zone: changes(zone) for zone in ZONES}


@st.composite
def moments_near_changes(draw: st.DrawFn) -> tuple[str, Period, dt.datetime]:
    """A zone, a window that ends or begins near a change of its clock, and a local time near an end."""
    zone = draw(zones)
    base = draw(st.sampled_from(CHANGES[zone])) if CHANGES[zone] else draw(instants)
    minutes = st.integers(-30 * 60, 30 * 60).map(lambda each: dt.timedelta(minutes=each))
    quarters = st.integers(-120, 120).map(lambda each: dt.timedelta(minutes=15 * each))
    ends = sorted({base + draw(minutes | quarters), base + draw(quarters | st.just(dt.timedelta(days=40)))})
    assume(len(ends) == 2)
    local = draw(st.sampled_from(ends)).replace(tzinfo=None) + draw(minutes | quarters)
    return zone, Period(ends[0], ends[1]), local


def shown(local: dt.datetime, unit: str, zone: str, gap: str = "T") -> object:
    """A local time as a column of this unit writes it."""
    if unit == "iso":
        return local.isoformat(gap) + ("Z" if zone == "UTC" else "")
    return local.date() if unit == "date" else local


def passes(window: Period, value: object, unit: TimeUnit, zone: str) -> bool:
    """What an engine does with the bounds: text, naive times and days are compared as they are."""
    ends: list[Bound] = [
        each.replace(tzinfo=None) if isinstance(each, dt.datetime) else each
        for each in bounds(window, unit, zone)
    ]
    return bool(ends[0] <= value < ends[1])  # type: ignore[operator]  # all three are of the unit


@given(moments_near_changes(), st.sampled_from(["timestamp", "iso", "date"]), st.sampled_from("T "))
@settings(max_examples=500, deadline=None)
def test_a_local_time_is_inside_exactly_if_all_it_can_mean_is(
    case: tuple[str, Period, dt.datetime], unit: TimeUnit, gap: str
) -> None:
    """Against an oracle that knows only clocks: no row is inside wrongly, and no row inside is missed by bounds."""
    zone, window, local = case
    local = local.replace(hour=0, minute=0, second=0, microsecond=0) if unit == "date" else local
    value = shown(local, unit, zone, "T" if zone == "UTC" else gap)
    expected = counts(window, local, zone)
    assert inside(window, value, unit, zone) == expected
    assert passes(window, value, unit, zone) or not expected


@given(
    windows,
    instants,
    st.sampled_from(["UTC", "Etc/UTC", "Asia/Kolkata"]),
    st.sampled_from(["timestamp", "date"]),
)
@settings(max_examples=150, deadline=None)
def test_bounds_are_exact_where_no_clock_was_changed(
    window: Period, moment: dt.datetime, zone: str, unit: TimeUnit
) -> None:
    """Then the engine alone picks the rows: bounds and check agree on every value."""
    local = moment.replace(tzinfo=None)
    value = local.date() if unit == "date" else local
    assert passes(window, value, unit, zone) == inside(window, value, unit, zone)


def berlin(day: int, hour: int, minute: int, month: int = 10) -> dt.datetime:
    return dt.datetime(2026, month, day, hour, minute)  # noqa: DTZ001  # a local time without a zone is the matter


@pytest.mark.parametrize(
    ("local", "is_inside"),
    [
        (berlin(25, 2, 30), False),  # shown twice, at 00:30 and at 01:30 UTC
        (berlin(25, 3, 0), True),
        (berlin(25, 1, 59), False),
    ],
)
def test_a_time_that_the_clock_shows_twice_counts_only_if_both_instants_do(
    local: dt.datetime, *, is_inside: bool
) -> None:
    """The window begins at 01:00 UTC, between the two."""
    window = Period(dt.datetime(2026, 10, 25, 1, tzinfo=dt.UTC), dt.datetime(2026, 10, 26, tzinfo=dt.UTC))
    assert inside(window, local, "timestamp", "Europe/Berlin") is is_inside


def test_a_time_that_the_clock_skipped_counts_by_both_its_neighbours() -> None:
    """02:30 on 29 March 2026 never was in Berlin: 00:30 and 01:30 UTC by the offsets before and after."""
    skipped = berlin(29, 2, 30, month=3)
    before, between, after = (dt.datetime(2026, 3, 29, hour, 0, tzinfo=dt.UTC) for hour in (0, 1, 2))
    assert inside(Period(before, after), skipped, "timestamp", "Europe/Berlin")
    assert not inside(Period(between, after), skipped, "timestamp", "Europe/Berlin")
    assert not inside(Period(before, between), skipped, "timestamp", "Europe/Berlin")
    assert moment_of(skipped, "timestamp", "Europe/Berlin") == moment_of("2026-03-29T00:30:00Z", "iso")


def test_a_day_counts_as_the_instant_at_which_it_begins() -> None:
    """In its zone; as a day or as text. A day that begins before the window is outside, though it goes on inside."""
    window = Period(dt.datetime(2026, 9, 1, 12, tzinfo=dt.UTC), dt.datetime(2026, 9, 3, tzinfo=dt.UTC))
    assert bounds(window, "date") == (dt.date(2026, 9, 2), dt.date(2026, 9, 3))
    assert [inside(window, dt.date(2026, 9, day), "date") for day in (1, 2, 3)] == [False, True, False]
    assert inside(window, "2026-09-02", "date")
    assert [inside(window, dt.date(2026, 9, day), "date", "Asia/Kolkata") for day in (1, 2, 3)] == [
        False,
        True,
        True,
    ]


def test_a_time_with_an_offset_of_its_own_needs_no_zone() -> None:
    """An aware value is an instant, whatever zone the map names; text with a Z is not local."""
    window = Period(dt.datetime(2026, 9, 1, tzinfo=dt.UTC), dt.datetime(2026, 10, 1, tzinfo=dt.UTC))
    assert inside(window, dt.datetime(2026, 9, 1, tzinfo=dt.UTC), "timestamp", "America/Sao_Paulo")
    assert not inside(window, dt.datetime(2026, 9, 1), "timestamp", "Asia/Kolkata")  # noqa: DTZ001  # that is the point
    with pytest.raises(MalformedError):
        inside(window, "2026-09-05T00:00:00Z", "iso", "Europe/Berlin")


def test_a_window_at_the_end_of_calendars_is_malformed() -> None:
    """No year 10000, and no year 0."""
    last = dt.datetime(9999, 12, 31, 23, 59, 59, 5, tzinfo=dt.UTC)
    window = Period(dt.datetime(2026, 1, 1, tzinfo=dt.UTC), last)
    for unit, zone in (("iso", "UTC"), ("date", "UTC"), ("timestamp", "Asia/Kolkata")):
        with pytest.raises(MalformedError) as caught:
            bounds(window, unit, zone)  # type: ignore[arg-type]  # from the list above
        assert caught.value.code == "bad-window"
    early = Period(dt.datetime(1, 1, 1, tzinfo=dt.UTC), dt.datetime(1, 2, 1, tzinfo=dt.UTC))
    assert bounds(early, "iso") == ("0001-01-01T00:00:00", "0001-02-01T00:00:00")

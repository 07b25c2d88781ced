"""Public holidays from the library, as calendars: known days, and agreement with the library's own counting."""

import datetime as dt
import functools
import itertools
from importlib.metadata import version

import holidays
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dueprocess.errors import RefusedError
from dueprocess.law.calendar import parse_calendar
from dueprocess.library.calendars import calendar


@pytest.mark.parametrize(
    ("region", "day", "name"),
    [
        ("DE", dt.date(2026, 10, 3), "German Unity Day"),
        ("DE", dt.date(2026, 4, 6), "Easter Monday"),
        ("DE", dt.date(2027, 3, 29), "Easter Monday"),
        ("DE-BE", dt.date(2026, 3, 8), "Women's Day"),
        ("BR", dt.date(2026, 4, 21), "Tiradentes' Day"),
        ("GB-ENG", dt.date(2026, 12, 28), "Boxing Day (observed)"),
        ("GB-SCT", dt.date(2026, 11, 30), "Saint Andrew's Day"),
        ("IN", dt.date(2026, 1, 26), "Republic Day"),
        ("US", dt.date(2026, 11, 26), "Thanksgiving Day"),
        ("FR", dt.date(2026, 7, 14), "National Day"),
    ],
)
def test_known_holidays_are_there_with_english_names(region: str, day: dt.date, name: str) -> None:
    """Days that anybody can look up, fixed ones, movable ones and substitutes."""
    found = calendar(region, 2026, 2027)
    assert found.days.get(day) == name
    assert not found.works(day)


def test_only_public_holidays_count() -> None:
    """Days of one faith, of schools or of banks are working days: the earliest reading."""
    assert calendar("DE", 2026, 2026).works(dt.date(2026, 6, 4))  # Corpus Christi: not in all of Germany
    assert calendar("BR", 2026, 2026).works(dt.date(2026, 2, 17))  # Carnival: optional


def test_a_calendar_says_from_which_release_it_comes() -> None:
    """Region, years and the release of the library stand in the value, and with it in the case."""
    found = calendar("DE", 2026, 2027)
    assert (found.region, found.first_year, found.last_year) == ("DE", 2026, 2027)
    assert found.source == f"holidays {version('holidays')} (PyPI)"
    assert found == calendar("DE", 2026, 2027)
    assert parse_calendar(found.as_json()) == found


known = functools.cache(functools.partial(calendar, first_year=2021, last_year=2025))


@pytest.mark.parametrize("region", ["DE", "HU", "IL", "BN", "AE", "GB-NIR"])
@given(start=st.dates(dt.date(2021, 1, 1), dt.date(2024, 6, 1)), length=st.integers(1, 30))
@settings(max_examples=25, deadline=None)
def test_working_days_are_those_of_the_library(region: str, start: dt.date, length: int) -> None:
    """Also with another weekend, one that changed in 2022, and Saturdays that are worked."""
    country, _, part = region.partition("-")
    table = holidays.country_holidays(country, subdiv=part or None, years=range(2021, 2026))
    ours = known(region)
    days = (start + dt.timedelta(days=n) for n in itertools.count(1))
    last = next(itertools.islice((day for day in days if ours.works(day)), length - 1, None))
    assert last == table.get_nth_working_day(start, length)


@pytest.mark.parametrize(
    ("region", "first", "last"),
    [
        ("XX", 2026, 2026),
        ("UK", 2026, 2026),
        ("de", 2026, 2026),
        ("DE-ZZ", 2026, 2026),
        ("Germany", 2026, 2026),
        ("issuer", 2026, 2026),
        ("", 2026, 2026),
        ("DE", 1500, 1500),
        ("DE", 2026, 2025),
        ("DE", 2026, 2056),
    ],
)
def test_an_unknown_region_or_year_is_refused_with_what_to_do(region: str, first: int, last: int) -> None:
    """An empty table would call every day of it a working day without saying so."""
    with pytest.raises(RefusedError) as refused:
        calendar(region, first, last)
    assert refused.value.code == "no-calendar"
    assert "every day counts" in refused.value.do

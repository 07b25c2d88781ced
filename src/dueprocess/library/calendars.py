"""Public holidays from the library python-holidays, as calendars that the law counts with and a case keeps.

The library is read here and nowhere else; what it said stays with the case, so a newer release changes no
assessment that was made.
"""

import datetime as dt
from typing import TYPE_CHECKING

from dueprocess.errors import RefusedError
from dueprocess.law.calendar import REGION, Calendar, parse_calendar

if TYPE_CHECKING:
    from holidays import HolidayBase

MOST_YEARS = 30
"""No clock is longer, and tables of moon calendars far ahead are guesses."""


def calendar(region: str, first_year: int, last_year: int) -> Calendar:
    """The public holidays of an ISO region (``DE``, ``DE-BE``, ``GB-ENG``) for whole years, with English names.

    Only days that are public holidays in all of the region count; days of banks, schools, one faith or half days
    do not. Refuses, with ``RefusedError``, a region or a year that the library does not know.
    """
    # Reading the library takes a third of a second, and most commands need no calendar.
    import holidays  # noqa: PLC0415
    from holidays.version import __version__  # noqa: PLC0415

    if not REGION.fullmatch(region) or not first_year <= last_year < first_year + MOST_YEARS:
        raise _unknown(region, first_year, last_year)
    country, _, part = region.partition("-")
    years = range(first_year, last_year + 1)
    try:
        # Asked twice: only what was made first says which languages it can speak.
        language = _english(holidays.country_holidays(country, subdiv=part or None))
        table = holidays.country_holidays(
            country, subdiv=part or None, years=years, language=language, categories="public"
        )
    except NotImplementedError as error:
        raise _unknown(region, first_year, last_year) from error
    named = {day.year for day in table}
    if table.country != country or not named.issuperset(years):
        raise _unknown(region, first_year, last_year)
    return _calendar(region, f"holidays {__version__} (PyPI)", years, table)


def _english(table: "HolidayBase") -> str | None:
    """The language in which the library says English here; None where it has only one, which is English."""
    spoken = (table.default_language or "", "en_US", *table.supported_languages)
    return next(
        (each for each in spoken if each.startswith("en") and each in table.supported_languages), None
    )


def _calendar(region: str, source: str, years: range, table: "HolidayBase") -> Calendar:
    """Weekdays that are always off are the weekend; where it changed within the years, the others are listed."""
    every = [dt.date(years[0], 1, 1) + dt.timedelta(days=n) for n in range(366 * len(years))]
    every = [day for day in every if day.year in years]
    off = {day for day in every if table.is_weekend(day)}
    weekend = frozenset({day.weekday() for day in off} - {day.weekday() for day in every if day not in off})
    workdays = frozenset(table.weekend_workdays & off)
    days = dict.fromkeys((day for day in off if day.weekday() not in weekend), "Weekend") | dict(
        table.items()
    )
    return parse_calendar(
        Calendar(
            region=region,
            source=source,
            first_year=years[0],
            last_year=years[-1],
            days={day: name for day, name in days.items() if day in every and day not in workdays},
            weekend=weekend,
            workdays=frozenset(day for day in workdays if day.weekday() in weekend),
        ).as_json()
    )


def _unknown(region: str, first_year: int, last_year: int) -> RefusedError:
    return RefusedError(
        "no-calendar",
        f"There is no table of public holidays for {region[:40]!r} from {first_year} to {last_year}.",
        why="The library knows ISO 3166 codes such as DE, DE-BE or GB-ENG, up to 30 years at once, and not every year.",
        do="Correct `holidays` in the pack or the country of the authority. Until then every day counts as a working "
        "day, which is the earliest reading.",
    )

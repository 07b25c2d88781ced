"""Dates in letters: in the language of the letter, in the zone of the law."""

import datetime as dt
from zoneinfo import ZoneInfo

from dueprocess.notice.words import day, local_day, local_moment, moment

BERLIN = ZoneInfo("Europe/Berlin")


def test_a_day_is_written_as_the_language_writes_it() -> None:
    """The month in words; the first of a month is `1er` in French, the eleventh is not."""
    assert day(dt.date(2026, 3, 1)) == "1 March 2026"
    assert day(dt.date(2026, 3, 1), "de") == "1. März 2026"
    assert day(dt.date(2026, 8, 1), "fr") == "1er août 2026"
    assert day(dt.date(2026, 8, 11), "fr") == "11 août 2026"
    assert day(dt.date(2026, 8, 21), "fr") == "21 août 2026"


def test_an_instant_is_in_utc_unless_the_zone_is_asked_for() -> None:
    """A day that ends in Berlin is not the UTC day."""
    at = dt.datetime(2026, 12, 1, tzinfo=BERLIN)
    assert moment(at) == "30 November 2026, 23:00 UTC"
    assert local_moment(at, "de") == "1. Dezember 2026, 00:00 (Europe/Berlin)"
    assert local_day(at) == "1 December 2026 (Europe/Berlin)"
    assert local_moment(at.astimezone(dt.UTC)) == "30 November 2026, 23:00 UTC"
    assert local_day(at.astimezone(dt.timezone(dt.timedelta(hours=5)))) == "30 November 2026 (UTC)"
    assert (
        local_moment(dt.datetime(2026, 12, 1, 8, 0, 5, tzinfo=ZoneInfo("UTC")))
        == "1 December 2026, 08:00:05 UTC"
    )

"""How letters and pages write dates, numbers and foreign names: one way everywhere."""

import datetime as dt
import unicodedata
import zoneinfo

from babel.dates import format_date

from dueprocess.demand import MEANING, Category

_LOCALES = {"en": "en_GB"}
"""Where the plain code would mean another country's order of day and month."""
_DIRECTION = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")
_LINE_ENDS = frozenset({"Cc", "Cs", "Zl", "Zp"})


def day(on: dt.date, language: str = "en") -> str:
    """A date in words that no country reads the other way round: 22 November 2026, 22. November 2026."""
    written = format_date(on, "long", locale=_LOCALES.get(language, language))
    return written.replace("1 ", "1er ", 1) if language == "fr" and on.day == 1 else written


def moment(at: dt.datetime, language: str = "en") -> str:
    """An instant in UTC, seconds only where there are any: 22 November 2026, 09:30 UTC. Needs an aware time."""
    return _moment(at.astimezone(dt.UTC), "UTC", language)


def local_moment(at: dt.datetime, language: str = "en") -> str:
    """An instant in the zone that it carries, by its IANA name: 1 December 2026, 00:00 (Europe/Berlin)."""
    zone = _zone(at)
    return _moment(at, f"({zone})", language) if zone else moment(at, language)


def local_day(at: dt.datetime, language: str = "en") -> str:
    """The day of an instant in the zone that it carries: 30 November 2026 (Europe/Berlin)."""
    zone = _zone(at)
    return f"{day(at, language)} ({zone})" if zone else f"{day(at.astimezone(dt.UTC), language)} (UTC)"


def _zone(at: dt.datetime) -> str:
    """The IANA name of a zone; empty for UTC and for a mere offset."""
    return at.tzinfo.key if isinstance(at.tzinfo, zoneinfo.ZoneInfo) and at.tzinfo.key != "UTC" else ""


def _moment(at: dt.datetime, zone: str, language: str) -> str:
    clock = f"{at:%H:%M:%S}" if at.second else f"{at:%H:%M}"
    return f"{day(at, language)}, {clock} {zone}"


def clean(value: str) -> str:
    """A foreign text on one line, each line break, control and direction character shown as U+FFFD.

    It does not refuse: a person with a strange display name must still get the letter.
    """
    return "".join(
        "\N{REPLACEMENT CHARACTER}"
        if each in _DIRECTION or unicodedata.category(each) in _LINE_ENDS
        else each
        for each in value
    )


def plain(name: str) -> str:
    """What a data category means, in plain words; other texts unchanged."""
    return MEANING.get(Category(name), name)


def counted(number: int, one: str, many: str) -> str:
    """A number with its word: 1 record, 2 records."""
    return f"{number:,} {one if number == 1 else many}"

"""Calendar: the public holidays of one region, as a value that an assessment is computed from and a case keeps.

Tables come from outside (`library.calendars`); here they are only read strictly and counted with.

Source: law.md 1.5; per clock the rule of the pack.
"""

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from dueprocess.errors import MalformedError
from dueprocess.law.parsing.table import Table
from dueprocess.wire import Json, digest_of, is_version

WEEKEND: frozenset[int] = frozenset({5, 6})
"""Saturday and Sunday, as ``date.weekday`` counts."""

REGION = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")
"""ISO 3166-1 alpha-2, and ISO 3166-2 where a part of the State has days of its own."""

_LONGEST_TEXT = 200


@dataclass(frozen=True)
class Calendar:
    """The holidays of a region for whole years ``first_year`` to ``last_year``. A day outside them is not known."""

    region: str
    """ISO code: ``DE``, ``DE-BE``, ``GB-ENG``."""
    source: str
    """Where the table comes from, with its version."""
    first_year: int
    last_year: int
    days: Mapping[dt.date, str] = field(default_factory=dict)
    """Holidays with their names."""
    weekend: frozenset[int] = WEEKEND
    workdays: frozenset[dt.date] = frozenset()
    """Days of a weekend on which people work in exchange for another day (Hungary, Latvia)."""

    def knows(self, day: dt.date) -> bool:
        """Whether the table covers this day."""
        return self.first_year <= day.year <= self.last_year

    def works(self, day: dt.date) -> bool:
        """Whether this day is a working day."""
        return day in self.workdays or not (day.weekday() in self.weekend or day in self.days)

    def as_json(self) -> dict[str, Json]:
        return {
            "v": 1,
            "region": self.region,
            "source": self.source,
            "first_year": self.first_year,
            "last_year": self.last_year,
            "weekend": list[Json](sorted(self.weekend)),
            "days": {day.isoformat(): name for day, name in sorted(self.days.items())},
            "workdays": [day.isoformat() for day in sorted(self.workdays)],
        }

    @cached_property
    def sha256(self) -> str:
        """Hex digest of the canonical form."""
        return digest_of(self.as_json())

    @property
    def ref(self) -> tuple[str, str, str]:
        """Region, source and digest: what an assessment names of a calendar that it counted with."""
        return self.region, self.source, self.sha256


def parse_calendar(value: Any) -> Calendar:
    """A calendar from JSON, strictly: ``parse_calendar(calendar.as_json()) == calendar``.

    Refuses, with ``MalformedError`` and nothing else, other keys, days outside the years, a week without a
    working day, and workdays that are holidays or lie in no weekend.
    """
    keys = {"v", "region", "source", "first_year", "last_year", "weekend", "days", "workdays"}
    if not isinstance(value, dict) or set(value) != keys or not is_version(value["v"]):
        raise _bad("its keys are not those of version 1")
    if not isinstance(value["days"], dict):
        raise _bad("`days` is not a table of days and names")
    return _checked(
        Calendar(
            region=_text(value["region"], "region"),
            source=_text(value["source"], "source"),
            first_year=_integer(value["first_year"], "first_year"),
            last_year=_integer(value["last_year"], "last_year"),
            days={_day(_text(day, "days")): _text(name, "days") for day, name in value["days"].items()},
            weekend=frozenset(_rising(value["weekend"], "weekend", _integer)),
            workdays=frozenset(map(_day, _rising(value["workdays"], "workdays", _text))),
        )
    )


def parse_calendar_table(table: Table) -> Calendar:
    """A calendar from a ``[[calendar]]`` section of worked cases. Raises ``MalformedError`` and nothing else."""
    calendar = Calendar(
        region=table.text("region"),
        source=table.text("source"),
        first_year=table.number("first_year"),
        last_year=table.number("last_year"),
        days=_days(table.tables("day")),
        weekend=_weekend(table),
    )
    table.done()
    try:
        return _checked(calendar)
    except MalformedError as error:
        table.fail("", error.why)


def _days(tables: Iterable[Table]) -> dict[dt.date, str]:
    days: dict[dt.date, str] = {}
    for each in tables:
        day = each.day("on")
        if day in days:
            each.fail("on", f"{day} is listed twice.")
        days[day] = each.text("name")
        each.done()
    return days


def _weekend(table: Table) -> frozenset[int]:
    if not table.has("weekend"):
        return WEEKEND
    found = table._take("weekend", (list,), "a list of weekdays")  # noqa: SLF001  # no other table lists numbers
    try:
        return frozenset(_rising(found, "weekend", _integer))
    except MalformedError as error:
        table.fail("weekend", error.why)


def _checked(calendar: Calendar) -> Calendar:
    """What holds of every calendar, wherever it was read."""
    for name in (calendar.source, *calendar.days.values()):
        _text(name, "source` or `days")
    if not REGION.fullmatch(calendar.region):
        raise _bad("`region` is no ISO code such as DE or GB-ENG")
    if not dt.MINYEAR <= calendar.first_year <= calendar.last_year <= dt.MAXYEAR:
        raise _bad("its years are not in order")
    if not calendar.weekend < frozenset(range(7)):
        raise _bad("`weekend` lists weekdays, 0 (Monday) to 6, and leaves one to work")
    if not all(calendar.knows(day) for day in (*calendar.days, *calendar.workdays)):
        raise _bad("a day lies outside its years")
    if not all(day.weekday() in calendar.weekend for day in calendar.workdays):
        raise _bad("`workdays` lists days of the weekend only")
    if calendar.workdays & calendar.days.keys():
        raise _bad("a day is both a holiday and a workday")
    return calendar


def _bad(why: str) -> MalformedError:
    return MalformedError(
        "bad-calendar", "This calendar cannot be read.", why=f"In it {why}.", do="Fetch it again."
    )


def _text(value: object, key: str) -> str:
    if (
        not isinstance(value, str)
        or not value.strip()
        or len(value) > _LONGEST_TEXT
        or not value.isprintable()
    ):
        raise _bad(f"`{key}` holds something else than a short text")
    return value


def _integer(value: object, key: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise _bad(f"`{key}` holds something else than whole numbers")
    return value


def _rising[T: (int, str)](value: object, key: str, read: Callable[[object, str], T]) -> list[T]:
    """The members of a list in its one order: rising, none of them twice."""
    if not isinstance(value, list):
        raise _bad(f"`{key}` is no list")
    found = [read(each, key) for each in value]
    if found != sorted(set(found)):
        raise _bad(f"`{key}` is not in order, or names something twice")
    return found


def _day(text: str) -> dt.date:
    try:
        day = dt.date.fromisoformat(text)
    except ValueError as error:
        raise _bad("a day is no date such as 2026-12-25") from error
    if day.isoformat() != text:
        raise _bad("a day is no date such as 2026-12-25")
    return day

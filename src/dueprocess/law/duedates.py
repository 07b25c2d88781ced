"""Due dates: a legal period counted from an instant, in the law's zone, with every step of the count in words.

``at`` is the instant before which the act must be done. Where a fact for the count is missing (the holidays of a
year), every day counts, which gives the earliest reading, and the sentence says so.

Source: law.md 1.5; the ways of counting are those of Regulation (EEC, Euratom) 1182/71 Art. 3 and of sections 187,
188 BGB, each used only where a pack's clock asks for it.
"""

import bisect
import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

from dueprocess.errors import MalformedError
from dueprocess.law.calendar import Calendar
from dueprocess.law.pack import Counting, Unit
from dueprocess.wire import instant

_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
"""Not ``strftime``, whose names depend on the locale of the process."""
_ONE_DAY = dt.timedelta(days=1)
_EVERY_DAY = "every day counts as a working day (the earliest reading)"
_WEEKENDS_BY_NAME = 4
"""More days of weekends than these are counted instead of listed, so that the sentence stays readable."""


@dataclass(frozen=True, slots=True)
class Span:
    """A length of time as a law states it. Hours always elapse; they neither wait for a day nor roll."""

    length: int
    unit: Unit = "days"
    counting: Counting = "elapsed"
    roll: bool = False

    def __str__(self) -> str:
        name = self.unit.replace("_", " ")
        return f"{self.length} {name.removesuffix('s') if self.length == 1 else name}"

    @property
    def needs_calendar(self) -> bool:
        return self.unit == "working_days" or (self.roll and self.unit != "hours")


@dataclass(frozen=True, slots=True)
class WorkingDays:
    """The region whose working days count, and the calendars at hand; others of them are passed over."""

    region: str = ""
    calendars: Sequence[Calendar] = ()


@dataclass(frozen=True, slots=True)
class DueDate:
    """``at`` in UTC, None where the year 9999 is passed; ``calendars`` are those that were looked into."""

    at: dt.datetime | None
    arithmetic: str
    calendars: tuple[Calendar, ...] = ()


def due_date(event: str, start: dt.datetime, span: Span, zone: dt.tzinfo, days: WorkingDays) -> DueDate:
    """When a span that begins with an event (``received``) at an aware instant is over, and how it was counted.

    Refuses a start without a zone with ``MalformedError``.
    """
    if start.tzinfo is None:
        raise MalformedError("naive-time", "A period cannot be counted from a time without its zone.")
    try:
        return _counted(event, start, span, zone, days)
    except (OverflowError, ValueError):
        text = f"{event} {start.isoformat()}; + {span} ends after the year 9999 or begins before the year 1"
        return DueDate(None, text)


def first_instant(day: dt.date, zone: dt.tzinfo) -> dt.datetime:
    """The instant in UTC at which a day begins in a zone, also where a change of the clocks skips midnight."""
    return _shown(dt.datetime.combine(day, dt.time()), zone)


def weekday(day: dt.date) -> str:
    """``Fri 2026-11-20``."""
    return f"{_WEEKDAYS[day.weekday()]} {day.isoformat()}"


def local_time(moment: dt.datetime, zone: dt.tzinfo) -> str:
    """``Fri 2026-11-20 18:02 Europe/Berlin``; with the name of the offset where the clocks show this time twice."""
    local = moment.astimezone(zone)
    exact = "minutes" if not local.second and not local.microsecond else "seconds"
    twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    offset = f" {local.tzname()}" if twice else ""
    return f"{weekday(local.date())} {local.time().isoformat(exact)}{offset} {zone}"


def due_before(moment: dt.datetime, zone: dt.tzinfo) -> str:
    """The end of each chain: ``due before Tue 2026-12-01 00:00 Europe/Berlin (2026-11-30T23:00:00Z)``."""
    return f"due before {local_time(moment, zone)} ({instant(moment)})"


@dataclass(slots=True)
class _Count:
    """A count in progress: what was said so far and which calendars were looked into."""

    days: WorkingDays
    said: list[str]
    used: list[Calendar] = field(default_factory=list)

    def say(self, step: str) -> None:
        if step not in self.said:
            self.said.append(step)

    def calendar_of(self, day: dt.date) -> Calendar | None:
        """The calendar that knows the day; where there is none, the count says that it goes on without."""
        region = self.days.region
        found = next(
            (each for each in self.days.calendars if each.region == region and each.knows(day)), None
        )
        if found is None:
            what = (
                f"the holidays of {region} in {day.year} are not at hand"
                if region
                else "no calendar is named"
            )
            self.say(f"{what}: {_EVERY_DAY}")
        elif found not in self.used:
            self.used.append(found)
        return found

    def day_off(self, day: dt.date) -> str:
        """Why nobody works on a day: a holiday's name or ``weekend``; empty for a working day."""
        calendar = self.calendar_of(day)
        return "" if calendar is None or calendar.works(day) else calendar.days.get(day, "weekend")


def _counted(event: str, start: dt.datetime, span: Span, zone: dt.tzinfo, days: WorkingDays) -> DueDate:
    count = _Count(days, [f"{event} {local_time(start, zone)}"])
    if span.unit == "hours":
        count.say(f"+ {span}")
        at = start.astimezone(dt.UTC) + dt.timedelta(hours=span.length)
    else:
        at = _end(start.astimezone(zone), span, zone, count)
    count.say(due_before(at, zone))
    return DueDate(at, "; ".join(count.said), tuple(count.used))


def _end(local: dt.datetime, span: Span, zone: dt.tzinfo, count: _Count) -> dt.datetime:
    """The end of a period in days or longer: the same time of day, or the midnight that ends the last day."""
    if span.counting == "after_day":
        count.say("the day itself does not count")
    last = _last_day(local.date(), span, count)
    if span.roll:
        last = _rolled(last, count)
    if span.counting != "elapsed":
        return first_instant(last + _ONE_DAY, zone)
    at = _shown(dt.datetime.combine(last, local.time()), zone)
    ended = at.astimezone(zone)
    if ended.time() != local.time():
        count.say("the clocks there skip this time of day")
    elif ended.utcoffset() != local.utcoffset():
        count.say("the clocks change in between, the time of day stays")
    return at


def _last_day(day: dt.date, span: Span, count: _Count) -> dt.date:
    with_day = span.counting == "with_day"
    match span.unit:
        case "months":
            last = _months_later(day, span.length, with_day=with_day)
        case "working_days":
            last = _nth_working_day(day if with_day else day + _ONE_DAY, span.length, count)
        case unit:
            whole = span.length * (7 if unit == "weeks" else 1)
            last = day + dt.timedelta(days=whole - with_day)
    step = f"counted with the day itself, {span} end with" if with_day else f"+ {span} ="
    count.say(f"{step} {weekday(last)}")
    return last


def _months_later(day: dt.date, length: int, *, with_day: bool) -> dt.date:
    """The day of the same number, or the month's last; counted with the day itself, the day before that number.

    Source: Regulation 1182/71 Art. 3(2)(c); sections 188(2) and (3) BGB.
    """
    year, month = divmod(day.year * 12 + day.month - 1 + length, 12)
    longest = 31 if month == 11 else (dt.date(year, month + 2, 1) - _ONE_DAY).day
    if day.day > longest:
        return dt.date(year, month + 1, longest)
    return dt.date(year, month + 1, day.day) - (_ONE_DAY if with_day else dt.timedelta())


def _nth_working_day(day: dt.date, length: int, count: _Count) -> dt.date:
    """The last of ``length`` working days from a day on."""
    off: dict[dt.date, str] = {}
    left = length
    while True:
        if why := count.day_off(day):
            off[day] = why
        else:
            left -= 1
        if not left:
            break
        day += _ONE_DAY
    _say_days_off(off, count)
    return day


def _say_days_off(off: dict[dt.date, str], count: _Count) -> None:
    weekends = sum(why == "weekend" for why in off.values())
    many = weekends > _WEEKENDS_BY_NAME
    for day, why in off.items():
        if not many or why != "weekend":
            count.say(f"{weekday(day)} does not count ({why})")
    if many:
        count.say(f"{weekends} days of weekends do not count")


def _rolled(last: dt.date, count: _Count) -> dt.date:
    """The last day, or the next working day after it. Source: Regulation 1182/71 Art. 3(4); section 193 BGB."""
    moved = last
    while why := count.day_off(moved):
        count.say(f"{weekday(moved)} is no working day ({why})")
        moved += _ONE_DAY
    if moved != last:
        count.say(f"moves to {weekday(moved)}")
    elif count.calendar_of(last):
        count.say("a working day")
    return moved


def _shown(wall: dt.datetime, zone: dt.tzinfo) -> dt.datetime:
    """The first instant in UTC at which clocks in a zone show this time of this day, or a later one.

    A time that they show twice gives the first of both, a time that they skip the moment of the change.
    """
    before, after = (wall.replace(tzinfo=zone, fold=fold).astimezone(dt.UTC) for fold in (0, 1))
    if before <= after:
        return before
    # The clocks skip this time: they change somewhere between the two readings.
    earliest = after.replace(microsecond=0)
    offset = earliest.astimezone(zone).utcoffset()

    def changed(seconds: int) -> bool:
        return (earliest + dt.timedelta(seconds=seconds)).astimezone(zone).utcoffset() != offset

    skipped = bisect.bisect_left(range(int((before - earliest).total_seconds())), True, key=changed)
    return earliest + dt.timedelta(seconds=skipped)

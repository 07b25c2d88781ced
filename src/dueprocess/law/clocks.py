"""Legal periods of a paper, each with its arithmetic step by step. They say when, and never permit anything.

Source: law.md 1.5, per clock the rule of the pack; for the ways of counting `law.duedates`.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, assert_never
from zoneinfo import ZoneInfo

from dueprocess.law.assessment import Assessment, CalendarRef, ClockState, Finding
from dueprocess.law.duedates import (
    DueDate,
    Span,
    WorkingDays,
    due_before,
    due_date,
    first_instant,
    local_time,
    weekday,
)
from dueprocess.law.matter import Matter, gap
from dueprocess.law.pack import Clock, Condition, Pack
from dueprocess.law.questions import question_text
from dueprocess.law.words import answer_words, plain
from dueprocess.wire import instant, parse_instant

type Running = tuple[list[ClockState], list[Finding]]


class _Zone(NamedTuple):
    zone: dt.tzinfo
    doubt: str
    """Why it may be another zone; empty where it is the law's."""


def run(matter: Matter, clock_ids: Iterable[str]) -> Running:
    """The state of these clocks, and findings for those that have passed or have no rule in force.

    A clock whose conditions are known not to be met does not run; where they are not known, it says "If ...".
    """
    states: list[ClockState] = []
    findings: list[Finding] = []
    for clock_id in dict.fromkeys(clock_ids):
        clock = matter.pack.clock(clock_id, matter.on)
        if clock is None:
            findings.append(gap(clock_id, matter.on))
        elif matter.concerns(clock.categories) and matter.possible(clock.when):
            states.append(state := _state(matter, clock))
            findings += _passed(matter, clock, state)
    return states, findings


def calendars_used(states: Iterable[ClockState]) -> tuple[CalendarRef, ...]:
    """The tables of holidays that these clocks counted with, each once."""
    return tuple(dict.fromkeys(ref for state in states for ref in state.calendars))


def needed_calendars(
    packs: Iterable[Pack], country: str | None, years: Iterable[int]
) -> frozenset[tuple[str, int]]:
    """Region and year of each calendar that a paper of an authority of this country may need under these packs."""
    regions = {
        _region(pack, country) for pack in packs if any(_span(each).needs_calendar for each in pack.clocks)
    }
    return frozenset((region, year) for region in regions - {""} for year in years)


def _state(matter: Matter, clock: Clock) -> ClockState:
    try:
        due = _due(matter, clock)
    except (OverflowError, ValueError):
        due = DueDate(None, "a date lies outside the years 1 to 9999")
    unknown = [each for each in clock.when if matter.state(each) == "unknown"]
    asked = " and ".join(_asked(matter.pack, each) for each in unknown)
    condition = f"If {asked}: " if asked else ""
    refs = tuple(CalendarRef(*each.ref) for each in due.calendars)
    only_if = " and ".join(f"{plain(each.fact)}: {answer_words(each.among)}" for each in unknown)
    return ClockState(clock.id, due.at, condition + due.arithmetic, clock.rule.citation, refs, only_if)


def _asked(pack: Pack, condition: Condition) -> str:
    return f"“{question_text([pack], condition.fact)}” is answered {answer_words(condition.among)}"


def _due(matter: Matter, clock: Clock) -> DueDate:
    demand, silence = matter.demand, matter.demand.nondisclosure
    where = _zone(matter.pack, demand.country)
    match clock.starts:
        case "received":
            return _counted(matter, clock, "received", demand.received_at)
        case "issued_on":
            issued = first_instant(demand.issued_on, where.zone) if demand.issued_on else None
            return _counted(matter, clock, "issued", issued)
        case "nondisclosure_start":
            return _counted(matter, clock, "order in force", silence.starts_on if silence else None)
        case "nondisclosure_end":
            return _named_end(silence.until if silence else None, where)
        case "due_on":
            return _return_date(demand.due_on, where)
        case "outside":
            text = clock.rule.text.removesuffix(".")
            return DueDate(None, f"{_span(clock)} from an event that this paper does not record: {text}")
        case _:
            assert_never(clock.starts)


def _counted(matter: Matter, clock: Clock, event: str, start: dt.datetime | None) -> DueDate:
    if start is None:
        return DueDate(None, f"{_span(clock)} from an event whose time is not known ({event})")
    where = _zone(matter.pack, matter.demand.country)
    days = WorkingDays(_region(matter.pack, matter.demand.country), matter.calendars)
    due = due_date(event, start, _span(clock), where.zone, days)
    return DueDate(due.at, _doubtful(where, due.arithmetic), due.calendars)


def _named_end(until: dt.datetime | None, where: _Zone) -> DueDate:
    if until is None:
        return DueDate(None, "the order names no end")
    utc = until.astimezone(dt.UTC)
    return DueDate(utc, f"the order names its end: {local_time(utc, where.zone)} ({instant(utc)})")


def _return_date(due_on: dt.date | None, where: _Zone) -> DueDate:
    """A paper names a day, not an hour: the earliest reading is kept, so that nobody is late by a zone."""
    if due_on is None:
        return DueDate(None, "the paper names no return date")
    zones = (where.zone, dt.UTC) if where.doubt else (where.zone,)
    at, zone = min(((first_instant(due_on, zone), zone) for zone in zones), key=lambda pair: pair[0])
    named = f"the paper names {weekday(due_on)}, read as the first instant of that day"
    return DueDate(at, _doubtful(where, f"{named}; {due_before(at, zone)}"))


def _doubtful(where: _Zone, arithmetic: str) -> str:
    return f"{where.doubt}; {arithmetic}" if where.doubt else arithmetic


def _span(clock: Clock) -> Span:
    return Span(clock.length, clock.unit, clock.counting, clock.roll)


def _zone(pack: Pack, country: str | None) -> _Zone:
    """The law's zone for an authority of this country; UTC where the pack names none."""
    if country and country in pack.zones:
        return _Zone(ZoneInfo(pack.zones[country]), "")
    zone = ZoneInfo(pack.zone) if pack.zone else dt.UTC
    if not pack.zones:
        return _Zone(zone, "")
    what = f"the pack names no time zone for {country}" if country else "the authority's country is not known"
    return _Zone(zone, f"{what}: counted in {zone}")


def _region(pack: Pack, country: str | None) -> str:
    return (country or "") if pack.holidays == "issuer" else pack.holidays


def _passed(matter: Matter, clock: Clock, state: ClockState) -> list[Finding]:
    """Passed is what ended before the UTC day began: on its return date a paper is due, not late."""
    day = matter.demand.due_on if clock.starts == "due_on" else None
    began = dt.datetime.combine(matter.on, dt.time(), dt.UTC)
    if state.due_at is None or state.due_at >= began or (day is not None and day >= matter.on):
        return []
    text = f"The clock {clock.id} has run out: {state.arithmetic}. {clock.rule.text}"
    citation, do = clock.rule.citation, clock.rule.do
    return [Finding(f"passed.{clock.id}", "clock", "informs", text, citation, do=do, rule=clock.id)]


@dataclass(frozen=True, slots=True)
class MovedDueDate:
    """A clock of a paper that shows another due date than before; None where it shows, or showed, none."""

    clock: str
    before: dt.datetime | None
    now: dt.datetime | None
    sentence: str

    @property
    def later(self) -> bool:
        """Whether there is more time than before; a due date that fell away counts as later."""
        return self.before is not None and (self.now is None or self.now > self.before)


def changed_due_dates(before: Mapping[str, Any], now: Assessment) -> list[MovedDueDate]:
    """Due dates of an assessment that differ from those of an earlier one, given as its JSON, in the order of now.

    Conditions and words may change without moving a date: these are not listed.
    """
    old = {each["id"]: parse_instant(each["due_at"]) if each["due_at"] else None for each in before["clocks"]}
    running = {each.id: each for each in now.clocks}
    return [
        _moved(clock_id, old.get(clock_id), running.get(clock_id))
        for clock_id in dict.fromkeys((*running, *old))
        if old.get(clock_id) != (running[clock_id].due_at if clock_id in running else None)
    ]


def _moved(clock_id: str, before: dt.datetime | None, state: ClockState | None) -> MovedDueDate:
    was = f"It was due before {instant(before)}" if before else "It showed no due date"
    if state is None:
        return MovedDueDate(clock_id, before, None, f"{clock_id} runs no longer. {was}.")
    due = f"is now due before {instant(state.due_at)}" if state.due_at else "shows no due date now"
    return MovedDueDate(clock_id, before, state.due_at, f"{clock_id} {due}. {was}. {state.arithmetic}")

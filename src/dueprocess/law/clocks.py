"""Legal periods, each with its arithmetic step by step. Days are calendar days of 24 hours, in UTC.

Source: law.md 1.5, per clock the rule of the pack.
"""

import datetime as dt
from typing import assert_never

from dueprocess.law.assessment import ClockState, Finding
from dueprocess.law.matter import Matter, gap
from dueprocess.law.pack import Clock
from dueprocess.wire import instant

type Running = tuple[list[ClockState], list[Finding]]


def run(matter: Matter, clock_ids: tuple[str, ...]) -> Running:
    """The state of these clocks, and findings for those that have passed or have no rule in force."""
    states: list[ClockState] = []
    findings: list[Finding] = []
    for clock_id in clock_ids:
        clock = matter.pack.clock(clock_id, matter.on)
        if clock is None:
            findings.append(gap(clock_id, matter.on))
        elif not clock.categories or clock.categories & matter.demanded:
            states.append(state := _state(matter, clock))
            findings += _passed(matter, clock, state)
    return states, findings


def _state(matter: Matter, clock: Clock) -> ClockState:
    due_at, arithmetic = _due(matter, clock)
    return ClockState(clock.id, due_at, arithmetic, clock.rule.citation)


def _due(matter: Matter, clock: Clock) -> tuple[dt.datetime | None, str]:
    demand, silence = matter.demand, matter.demand.nondisclosure
    match clock.starts:
        case "received":
            return _plus(demand.received_at, "receipt", clock.days)
        case "nondisclosure_start":
            return _plus(silence.starts_on if silence else None, "start of the order", clock.days)
        case "nondisclosure_end":
            until = silence.until if silence else None
            return until, f"{instant(until)} (end named by the order)" if until else "The order names no end."
        case "due_on":
            return _return_date(demand.due_on)
        case "outside":
            return None, f"{clock.days} days from an event that this paper does not record. {clock.rule.text}"
        case _:
            assert_never(clock.starts)


def _plus(start: dt.datetime | None, name: str, days: int) -> tuple[dt.datetime | None, str]:
    if start is None:
        return None, f"{days} days from the {name}, which is not known."
    due_at = start.astimezone(dt.UTC) + dt.timedelta(days=days)
    return due_at, f"{instant(start)} ({name}) + {days} days = {instant(due_at)}"


def _return_date(due_on: dt.date | None) -> tuple[dt.datetime | None, str]:
    """A paper names a day, not an hour: the earliest reading is kept, so that nobody is late by a zone."""
    if due_on is None:
        return None, "The paper names no return date."
    due_at = dt.datetime.combine(due_on, dt.time(), dt.UTC)
    return (
        due_at,
        f"{due_on.isoformat()} (on the paper), read as the first instant of that day: {instant(due_at)}",
    )


def _passed(matter: Matter, clock: Clock, state: ClockState) -> list[Finding]:
    """Passed is what ended before the day began: on its return date a paper is due, not late."""
    if state.due_at is None or state.due_at >= dt.datetime.combine(matter.on, dt.time(), dt.UTC):
        return []
    text = f"The clock {clock.id} has run out: {state.arithmetic}. {clock.rule.text}"
    return [Finding(f"passed.{clock.id}", "clock", "informs", text, clock.rule.citation, do=clock.rule.do)]

"""Worked cases: facts in, outcome, findings and categories out, in a form that a lawyer can read and write.

A case lists every finding that blocks or limits, exactly; findings that only inform are listed under `also`.

Source: law.md 4 (worked cases are readable by a lawyer and run in CI).
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from dueprocess.demand import (
    Demand,
    ReverseDemand,
    expand,
    ordered,
)
from dueprocess.law.assess import assess, assess_reverse
from dueprocess.law.assessment import Assessment, Outcome
from dueprocess.law.calendar import Calendar, parse_calendar_table
from dueprocess.law.case_facts import case_demand
from dueprocess.law.pack import Knower, LetterCode, NoticeWord, Pack
from dueprocess.law.parsing.table import Table, read_toml
from dueprocess.wire import instant


@dataclass(frozen=True, slots=True)
class Expected:
    """What a case expects. ``permitted`` holds one tuple of categories a target, empty for nothing."""

    outcome: str
    producible: bool
    findings: tuple[str, ...]
    also: tuple[str, ...]
    permitted: tuple[tuple[str, ...], ...]
    notice: str
    notice_until: dt.datetime | None
    window_until: dt.datetime | None
    """The end of the window of the first target that is reached, where the case states it."""
    clocks: dict[str, dt.datetime]
    """Due time of clocks that have one, where the case states it."""
    reasons: tuple[str, ...] | None
    """Boxes of the answer form, exactly, where the case states them."""
    letters: tuple[str, ...]
    """Letters that must be among those that fit."""
    may_know: tuple[str, ...] | None
    """Who may know, exactly, where the case states it."""
    notice_settled: bool | None


@dataclass(frozen=True, slots=True)
class Case:
    """One worked case with its name, its reason, the day of the assessment, the facts and the calendars."""

    name: str
    why: str
    on: dt.date
    demand: Demand | ReverseDemand
    expected: Expected
    calendars: tuple[Calendar, ...] = ()
    beside: tuple[str, ...] = ()
    """Ids of packs with which the file asks to be run together."""


@dataclass(frozen=True, slots=True)
class _Common:
    """What the file says once for all of its cases."""

    regime: str
    on: dt.date
    calendars: tuple[Calendar, ...]
    beside: tuple[str, ...]


def parse_cases(text: str, where: str) -> tuple[Case, ...]:
    """The worked cases in a TOML text. Raises ``MalformedError`` and nothing else; an empty file is refused."""
    top = read_toml(text, where)
    common = _Common(
        regime=top.text("regime"),
        on=top.day("on"),
        calendars=tuple(parse_calendar_table(each) for each in top.tables("calendar")),
        beside=top.names("with"),
    )
    cases = tuple(_case(each, common) for each in top.tables("case"))
    top.done()
    if not cases:
        top.fail("case", "There is no case in this file.")
    if len({case.name for case in cases}) != len(cases):
        top.fail("case", "Two cases have the same name.")
    return cases


def _case(table: Table, common: _Common) -> Case:
    facts, expect = table.table("facts"), table.table("expect")
    case = Case(
        name=table.text("name"),
        why=table.text("why"),
        on=table.maybe_day("on") or common.on,
        demand=case_demand(facts, common.regime),
        expected=_expected(expect),
        calendars=common.calendars,
        beside=common.beside,
    )
    table.done()
    return case


def _expected(table: Table) -> Expected:
    expected = Expected(
        outcome=table.choice("outcome", tuple(each.code for each in Outcome)),
        producible=table.flag("producible"),
        findings=table.names("findings"),
        also=table.names("also"),
        permitted=tuple(_reached(each) for each in table.tables("permitted")),
        notice=table.choice("notice", get_args(NoticeWord)),
        notice_until=table.maybe_moment("notice_until"),
        window_until=table.maybe_moment("window_until"),
        clocks=_clocks(table),
        reasons=table.names("reasons") if table.has("reasons") else None,
        letters=table.choices("letters", get_args(LetterCode)),
        may_know=table.choices("may_know", get_args(Knower)) if table.has("may_know") else None,
        notice_settled=table.maybe_flag("notice_settled"),
    )
    table.done()
    return expected


def _reached(table: Table) -> tuple[str, ...]:
    names = table.names("categories")
    table.done()
    return tuple(ordered(expand(names)))


def _clocks(table: Table) -> dict[str, dt.datetime]:
    found: dict[str, dt.datetime] = {}
    for each in table.tables("clock"):
        found[each.text("id")] = each.moment("due_at")
        each.done()
    return found


def run_case(case: Case, packs: Sequence[Pack]) -> list[str]:
    """What the packs say differently from the case, one sentence each; the empty list where they agree.

    ``packs``: the pack under test, and those that are used with it.
    """
    found, expected = _assess(case, packs), case.expected
    until = next((item.period.until for item in found.permitted if item), None)
    hard = sorted({each.code for each in found.findings if each.severity != "informs"})
    codes = {each.code for each in found.findings}
    settled, reasons, knowing = found.notice.settled, _reasons(found), sorted(m.who for m in found.may_know)
    pairs: list[tuple[str, object, object]] = [
        ("outcome", expected.outcome, found.outcome.code),
        ("producible", expected.producible, found.producible),
        ("findings", sorted(expected.findings), hard),
        ("also", sorted(expected.also), sorted(codes & set(expected.also))),
        ("permitted", list(expected.permitted), _permitted(found)),
        ("notice", expected.notice, found.notice.rule),
        ("notice_until", expected.notice_until, found.notice.until),
        ("notice_settled", settled if expected.notice_settled is None else expected.notice_settled, settled),
        ("window_until", expected.window_until or until, until),
        ("clocks", expected.clocks, _due(found, expected.clocks)),
        ("reasons", reasons if expected.reasons is None else sorted(expected.reasons), reasons),
        ("letters", sorted(expected.letters), sorted(set(found.letters) & set(expected.letters))),
        ("may_know", knowing if expected.may_know is None else sorted(expected.may_know), knowing),
    ]
    return [f"{what}: expected {_say(want)}, found {_say(got)}" for what, want, got in pairs if want != got]


def _assess(case: Case, packs: Sequence[Pack]) -> Assessment:
    if isinstance(case.demand, ReverseDemand):
        return assess_reverse(case.demand, packs, on=case.on, calendars=case.calendars)
    return assess(case.demand, packs, on=case.on, calendars=case.calendars)


def _reasons(found: Assessment) -> list[str]:
    return sorted({each.reason for each in found.findings if each.reason})


def _permitted(found: Assessment) -> list[tuple[str, ...]]:
    return [tuple(ordered(item.categories)) if item else () for item in found.permitted]


def _due(found: Assessment, wanted: dict[str, dt.datetime]) -> dict[str, dt.datetime | None]:
    return {clock.id: clock.due_at for clock in found.clocks if clock.id in wanted}


def _say(value: object) -> str:
    """Words for a lawyer: what is within reach of each target, divided by semicolons; times as in the file."""
    if isinstance(value, dt.datetime):
        return instant(value)
    if isinstance(value, dict):
        return _say([f"{name} {_say(each)}" for name, each in value.items()])
    if isinstance(value, list):
        return "; ".join(map(_say, value)) or "none"
    if isinstance(value, tuple):
        return ", ".join(value) or "nothing"
    return str(value).lower() if value is None or isinstance(value, bool) else str(value)

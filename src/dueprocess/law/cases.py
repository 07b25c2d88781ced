"""Worked cases: facts in, outcome, findings and categories out, in a form that a lawyer can read and write.

A case lists every finding that blocks or limits, exactly; findings that only inform are listed under `also`.

Source: law.md 4 (worked cases are readable by a lawyer and run in CI).
"""

import datetime as dt
from dataclasses import dataclass
from typing import get_args

from dueprocess.demand import (
    Demand,
    DemandKind,
    IssuerKind,
    NondisclosureOrder,
    Period,
    Scope,
    ScopeItem,
    Target,
    expand,
    ordered,
)
from dueprocess.errors import DueprocessError, MalformedError
from dueprocess.law.assess import assess
from dueprocess.law.assessment import Assessment, Outcome
from dueprocess.law.pack import NoticeWord, Pack
from dueprocess.law.table import Table, read_toml
from dueprocess.wire import instant

_NONCE = bytes(32)


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


@dataclass(frozen=True, slots=True)
class Case:
    """One worked case with its name, its reason, the day of the assessment and the facts."""

    name: str
    why: str
    on: dt.date
    demand: Demand
    expected: Expected


def parse_cases(text: str, where: str) -> tuple[Case, ...]:
    """The worked cases in a TOML text. Raises ``MalformedError`` and nothing else; an empty file is refused."""
    top = read_toml(text, where)
    regime, on = top.text("regime"), top.day("on")
    cases = tuple(_case(each, regime, on) for each in top.tables("case"))
    top.done()
    if not cases:
        top.fail("case", "There is no case in this file.")
    if len({case.name for case in cases}) != len(cases):
        top.fail("case", "Two cases have the same name.")
    return cases


def _case(table: Table, regime: str, on: dt.date) -> Case:
    facts, expect = table.table("facts"), table.table("expect")
    case = Case(
        name=table.text("name"),
        why=table.text("why"),
        on=table.maybe_day("on") or on,
        demand=_demand(facts, regime),
        expected=_expected(expect),
    )
    table.done()
    return case


def _demand(facts: Table, regime: str) -> Demand:
    demand = Demand(
        kind=facts.choice("kind", get_args(DemandKind)),
        regime=regime,
        instrument=facts.text("instrument"),
        scope=_scope(facts),
        received_at=facts.moment("received_at"),
        issuer_kind=facts.choice("issuer_kind", get_args(IssuerKind)) if facts.has("issuer_kind") else None,
        issued_on=facts.maybe_day("issued_on"),
        due_on=facts.maybe_day("due_on"),
        emergency=facts.flag("emergency"),
        nondisclosure=_order(facts.table("nondisclosure")) if facts.has("nondisclosure") else None,
        elements=frozenset(facts.names("elements")),
        identifies=facts.maybe_flag("identifies"),
        unreadable=facts.names("unreadable"),
    )
    facts.done()
    return demand


def _scope(facts: Table) -> Scope:
    try:
        return Scope(_NONCE, tuple(_item(each) for each in facts.tables("target")))
    except DueprocessError as error:
        raise MalformedError(
            error.code, f"{facts.where}: {facts.place}: {error.what}", why=error.why
        ) from error


def _item(table: Table) -> ScopeItem:
    item = ScopeItem(
        Target(table.text("kind"), table.text("value")),  # type: ignore[arg-type]  # Target checks the kind
        expand(table.names("categories")),
        Period(table.maybe_moment("from"), table.maybe_moment("until")),
    )
    table.done()
    return item


def _order(table: Table) -> NondisclosureOrder:
    order = NondisclosureOrder(
        basis=table.text("basis"),
        starts_on=table.moment("starts_on"),
        until=table.maybe_moment("until"),
        certified=table.maybe_flag("certified"),
    )
    table.done()
    return order


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


def run_case(case: Case, pack: Pack) -> list[str]:
    """What the pack says differently from the case, one sentence each; the empty list where they agree."""
    found, expected = assess(case.demand, [pack], on=case.on), case.expected
    until = next((item.period.until for item in found.permitted if item), None)
    hard = sorted({each.code for each in found.findings if each.severity != "informs"})
    codes = {each.code for each in found.findings}
    pairs: list[tuple[str, object, object]] = [
        ("outcome", expected.outcome, found.outcome.code),
        ("producible", expected.producible, found.producible),
        ("findings", sorted(expected.findings), hard),
        ("also", [], sorted(set(expected.also) - codes)),
        ("permitted", list(expected.permitted), _permitted(found)),
        ("notice", expected.notice, found.notice.rule),
        ("notice_until", expected.notice_until, found.notice.until),
        ("window_until", expected.window_until or until, until),
        ("clocks", expected.clocks, _due(found, expected.clocks)),
    ]
    return [f"{what}: expected {_say(want)}, found {_say(got)}" for what, want, got in pairs if want != got]


def _permitted(found: Assessment) -> list[tuple[str, ...]]:
    return [tuple(ordered(item.categories)) if item else () for item in found.permitted]


def _due(found: Assessment, wanted: dict[str, dt.datetime]) -> dict[str, dt.datetime | None]:
    return {clock.id: clock.due_at for clock in found.clocks if clock.id in wanted}


def _say(value: object) -> str:
    return instant(value) if isinstance(value, dt.datetime) else str(value)

"""Matter: one paper under one instrument of one pack on one day; what each part of the assessment reads."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, TypedDict, Unpack

from dueprocess.demand import Answer, Category, Demand, ReverseDemand, ScopeItem
from dueprocess.law.assessment import Finding, FindingKind, Outcome, Severity
from dueprocess.law.calendar import Calendar
from dueprocess.law.pack import Condition, Instrument, LetterCode, Pack, Rule

State = Literal["met", "unmet", "unknown"]
"""Of a condition. Only ``met`` lets anything through; what nobody knows is not met."""


class Addition(TypedDict, total=False):
    """What a finding may add to its rule."""

    target_index: int | None
    categories: frozenset[Category]
    ceiling: Outcome
    reason: str
    letter: LetterCode | None


@dataclass(frozen=True, slots=True)
class Matter:
    """Facts and law side by side. Nothing here decides."""

    demand: Demand | ReverseDemand
    pack: Pack
    instrument: Instrument
    on: dt.date
    calendars: tuple[Calendar, ...] = ()
    demanded: frozenset[Category] = field(init=False)
    """All categories that the paper demands, of any target; none where it names no target."""

    def __post_init__(self) -> None:
        wanted = frozenset[Category]().union(*(item.categories for item in self.items))
        object.__setattr__(self, "demanded", wanted)

    @property
    def items(self) -> tuple[ScopeItem, ...]:
        """What is demanded about each named target; empty for a reverse demand."""
        return self.demand.scope.items if isinstance(self.demand, Demand) else ()

    def rule(self, rule_id: str) -> Rule | None:
        """The rule in force on the day, or None: then nothing may rest on it."""
        return self.pack.rule(rule_id, self.on)

    def concerns(self, categories: frozenset[Category]) -> bool:
        """Whether an entry for these categories counts here: all of them where it names none."""
        return not categories or not categories.isdisjoint(self.demanded)

    def state(self, condition: Condition) -> State:
        """How one condition stands."""
        found = fact(self.demand, condition.fact)
        if found is None:
            return "unknown"
        return "met" if found in condition.among else "unmet"

    def failure(self, condition: Condition) -> str | None:
        """The code that says how a condition is not met, ``unmet.FACT`` or ``unknown.FACT``; None where it is met."""
        state = self.state(condition)
        return None if state == "met" else f"{state}.{condition.fact}"

    def possible(self, conditions: Iterable[Condition]) -> bool:
        """Whether none of these is known to fail: what asks for more, or runs a clock, asks this."""
        return all(self.state(each) != "unmet" for each in conditions)

    def finding(
        self, rule_id: str, code: str, kind: FindingKind, severity: Severity, **more: Unpack[Addition]
    ) -> Finding:
        """A finding that says what a rule says, or that no version of the rule is in force."""
        rule = self.rule(rule_id)
        if rule is None:
            return gap(rule_id, self.on)
        return Finding(code, kind, severity, rule.text, rule.citation, do=rule.do, rule=rule.id, **more)


def says(
    rule: Rule,
    code: str,
    kind: FindingKind,
    severity: Severity,
    *,
    text: str = "",
    do: str | None = None,
    **more: Unpack[Addition],
) -> Finding:
    """A finding that rests on a rule in force, with its words and its remedy unless others are given."""
    remedy = rule.do if do is None else do
    return Finding(code, kind, severity, text or rule.text, rule.citation, do=remedy, rule=rule.id, **more)


def fact(demand: Demand | ReverseDemand, name: str) -> Answer | None:
    """A fact that a condition may name: one of ``BUILT_IN`` or the answer to a question; None where nobody knows."""
    match name:
        case "emergency":
            return demand.emergency
        case "identifies":
            return demand.identifies
        case "country":
            return demand.country
        case "issuer_kind":
            return demand.issuer_kind
        case "validated_by":
            return demand.validated_by
        case _:
            return demand.answers.get(name)


def gap(rule_id: str, on: dt.date) -> Finding:
    """There is no default law: a rule that is not in force on the day is a question for counsel."""
    return Finding(
        f"not-in-force.{rule_id}",
        "note",
        "blocks",
        f"The pack has no version of its rule {rule_id} for {on.isoformat()}.",
        do="Ask counsel. Use a pack that covers this day.",
        ceiling=Outcome.ESCALATE_TO_COUNSEL,
        rule=rule_id,
    )

"""Matter: one demand under one instrument of one pack on one day; what each part of the assessment reads."""

import datetime as dt
from dataclasses import dataclass, replace
from typing import TypedDict, Unpack

from dueprocess.demand import Category, Demand
from dueprocess.law.assessment import Finding, FindingKind, Outcome, Severity
from dueprocess.law.pack import Instrument, Pack, Rule


class FindingFacts(TypedDict, total=False):
    """What a finding may add to its rule."""

    target_index: int | None
    categories: frozenset[Category]
    ceiling: Outcome
    text: str
    do: str


@dataclass(frozen=True, slots=True)
class Matter:
    """Facts and law side by side. Nothing here decides."""

    demand: Demand
    pack: Pack
    instrument: Instrument
    on: dt.date

    def rule(self, rule_id: str) -> Rule | None:
        """The rule in force on the day, or None: then nothing may rest on it."""
        return self.pack.rule(rule_id, self.on)

    @property
    def demanded(self) -> frozenset[Category]:
        """All categories that the paper demands, of any target."""
        return frozenset[Category]().union(*(item.categories for item in self.demand.scope.items))

    def finding(
        self, rule_id: str, code: str, kind: FindingKind, severity: Severity, **facts: Unpack[FindingFacts]
    ) -> Finding:
        """A finding that says what a rule says, or that no version of the rule is in force."""
        rule = self.rule(rule_id)
        if rule is None:
            return gap(rule_id, self.on)
        base = Finding(code, kind, severity, rule.text, rule.citation, do=rule.do)
        return replace(base, **facts)


def gap(rule_id: str, on: dt.date) -> Finding:
    """There is no default law: a rule that is not in force on the day is a question for counsel."""
    return Finding(
        f"not-in-force.{rule_id}",
        "note",
        "blocks",
        f"The pack has no version of its rule {rule_id} for {on.isoformat()}.",
        do="Ask counsel. Use a pack that covers this day.",
        ceiling=Outcome.ESCALATE_TO_COUNSEL,
    )

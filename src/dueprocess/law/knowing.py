"""Who else may know of a paper whose subject may not be told, and what a host does that has nobody else.

Source: law.md 2.4; per entry the rule of the pack. Without a rule in force nobody may know.
"""

from dueprocess.law.assessment import MayKnowState, SoloRule
from dueprocess.law.matter import Matter


def may_know(matter: Matter) -> tuple[MayKnowState, ...]:
    """Those whom a rule in force allows to know."""
    rules = ((each.who, matter.rule(each.rule)) for each in matter.instrument.may_know)
    return tuple(MayKnowState(who, rule.text, rule.citation) for who, rule in rules if rule is not None)


def solo(matter: Matter) -> SoloRule | None:
    """What a host without a second person does when its lock outlasts the clock."""
    rule = matter.rule(matter.instrument.solo)
    return SoloRule(rule.text, rule.citation) if rule is not None else None

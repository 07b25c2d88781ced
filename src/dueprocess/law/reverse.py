"""The paper that names nobody: it is answered, with its law, and nothing is ever produced for it.

Source: law.md 2.6; architecture.md section 1 (no search across people).
"""

from dueprocess.demand import REVERSE_KINDS, ReverseDemand
from dueprocess.law.assessment import Finding, Outcome
from dueprocess.law.matter import Matter, says


def never_reached(matter: Matter, demand: ReverseDemand) -> list[Finding]:
    """Why such a paper reaches nothing, by the rules of its instrument. At best counsel answers it."""
    what = REVERSE_KINDS[demand.asks]
    rules = dict.fromkeys(rule for never in matter.instrument.nevers for rule in never.rules)
    told = [matter.finding(rule, rule, "note", "informs") for rule in rules]
    if demand.asks not in matter.instrument.reverse:
        text = f"This paper asks for {what}, and its instrument is not one that the pack knows for that."
        return [_counsel(matter, "reverse.other-paper", text), *told]
    if Outcome[matter.instrument.ceiling.upper()] > Outcome.ESCALATE_TO_COUNSEL:
        text = f"This paper asks for {what}, not for a named target. Nothing can be produced for it."
        return [_counsel(matter, "reverse.never", text), *told]
    return told


def with_targets(matter: Matter) -> Finding:
    """An instrument for reverse demands that names targets is something else than it seems."""
    text = f"{matter.instrument.name}: such a paper names nobody, and this one was read as naming targets."
    return _counsel(matter, "reverse.with-targets", text)


def _counsel(matter: Matter, code: str, text: str) -> Finding:
    return says(
        matter.instrument.rule,
        code,
        "cut",
        "blocks",
        text=text,
        do="Produce nothing. Give the paper to counsel.",
        ceiling=Outcome.ESCALATE_TO_COUNSEL,
    )

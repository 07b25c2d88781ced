"""What an instrument reaches of what is demanded, category by category, and why the rest is not.

Source: law.md 1.3 and 2.1; for each finding the rule of the pack.
"""

from dataclasses import dataclass
from typing import NamedTuple

from dueprocess.demand import SECRETS, WITHOUT_WINDOW, Category, ScopeItem
from dueprocess.law.assessment import Finding, Outcome
from dueprocess.law.matter import Matter, gap
from dueprocess.law.pack import Never, Reach
from dueprocess.law.window import stored_categories, stored_window

type Reached = tuple[ScopeItem | None, list[Finding]]


class _Failure(NamedTuple):
    """One thing that keeps an entry from reaching."""

    code: str
    rule: str
    reason: str


@dataclass(frozen=True, slots=True)
class _Gate:
    """One entry of the instrument with what keeps it shut, whatever the target."""

    reach: Reach
    categories: frozenset[Category]
    """Secrets are taken out whatever a pack says (architecture.md 1.5)."""
    lapsed: bool
    failed: tuple[_Failure, ...]


def reach_all(matter: Matter) -> tuple[tuple[ScopeItem | None, ...], list[Finding]]:
    """For each target what is within reach, then why the rest is not.

    The findings depend on facts in one direction only: a fact that is no longer known takes away no finding that
    lowers the outcome, unless one that lowers it as far comes in its place.
    """
    gates = [_gate(matter, reach) for reach in matter.instrument.reaches]
    reached = [_reach_item(matter, gates, index) for index in range(len(matter.items))]
    permitted = tuple(item for item, _ in reached)
    findings = [finding for _, each in reached for finding in each]
    if matter.rule(matter.instrument.window_rule) is None:
        findings.append(gap(matter.instrument.window_rule, matter.on))
    if not any(permitted):
        findings += _nothing_left(matter, gates)
    return permitted, findings


def _gate(matter: Matter, reach: Reach) -> _Gate:
    demand = matter.demand
    failed = [
        _Failure(code, each.rule, each.reason)
        for each in reach.needs
        if (code := matter.failure(each)) is not None
    ]
    if reach.by and demand.issuer_kind not in reach.by and demand.validated_by not in reach.by:
        failed.insert(0, _Failure("missing.validation", reach.by_rule, reach.by_reason))
    return _Gate(reach, reach.categories - {SECRETS}, matter.rule(reach.rule) is None, tuple(failed))


def _purposeful(matter: Matter, gate: _Gate, item: ScopeItem) -> bool:
    """A purpose widens only where the item and the paper both say it."""
    wanted = gate.reach.purpose
    return wanted is None or (item.purpose == wanted and matter.demand.identifies is True)


def _reach_item(matter: Matter, gates: list[_Gate], index: int) -> Reached:
    item = matter.items[index]
    found: set[Category] = set()
    for gate in gates:
        if not gate.lapsed and not gate.failed and _purposeful(matter, gate, item):
            found |= gate.categories
    categories = item.categories & found
    findings = _cuts(matter, gates, index, item.categories - categories)
    if not categories:
        return None, findings
    period, trimmed = stored_window(matter, index, described=categories <= WITHOUT_WINDOW)
    findings += trimmed
    if period is None:
        return None, findings
    if item.target.kind != "account":
        findings.append(_resolve_first(index))
    return ScopeItem(item.target, categories, period, item.purpose), findings


# ------------------------------------------------------------------------------------- what is cut


def _cuts(matter: Matter, gates: list[_Gate], index: int, gone: frozenset[Category]) -> list[Finding]:
    """First what the instrument never reaches, then what it would reach under conditions, then the rest."""
    findings: list[Finding] = []
    silent = gone
    for never in matter.instrument.nevers:
        if hit := gone & never.categories:
            silent -= hit
            findings += _cut(matter, index, hit, never)
    return findings + _conditional(matter, gates, index, silent) if silent else findings


def _conditional(
    matter: Matter, gates: list[_Gate], index: int, silent: frozenset[Category]
) -> list[Finding]:
    findings: list[Finding] = []
    waiting: dict[_Failure, frozenset[Category]] = {}
    rest = silent
    for gate in gates:
        hit = silent & gate.categories
        rest -= hit
        if hit and gate.lapsed:
            findings.append(gap(gate.reach.rule, matter.on))
            continue
        for failure in _failures(matter, gate, index) if hit else ():
            waiting[failure] = waiting.get(failure, frozenset()) | hit
    findings += [_failed(matter, index, failure, hit) for failure, hit in waiting.items()]
    return [*findings, _not_reached(matter, index, rest)] if rest else findings


def _failures(matter: Matter, gate: _Gate, index: int) -> tuple[_Failure, ...]:
    if _purposeful(matter, gate, matter.items[index]):
        return gate.failed
    return (*gate.failed, _Failure("missing.purpose", gate.reach.rule, ""))


def _failed(matter: Matter, index: int, failure: _Failure, hit: frozenset[Category]) -> Finding:
    return matter.finding(
        failure.rule,
        failure.code,
        "cut",
        "limits",
        target_index=index,
        categories=hit,
        ceiling=Outcome.PERMIT_SUBSET,
        reason=failure.reason,
    )


def _not_reached(matter: Matter, index: int, silent: frozenset[Category]) -> Finding:
    """What no rule of the instrument names is cut all the same: nothing leaves without a rule."""
    return Finding(
        "cut.not-reached",
        "cut",
        "limits",
        f"{matter.instrument.name}: no rule of this instrument reaches these categories.",
        matter.instrument.rule.citation,
        target_index=index,
        categories=silent,
        do="Cut them, and name the process that would reach them.",
        ceiling=Outcome.PERMIT_SUBSET,
        rule=matter.instrument.rule.id,
    )


def _cut(matter: Matter, index: int, hit: frozenset[Category], never: Never) -> list[Finding]:
    rules = never.rules
    first = matter.finding(
        rules[0],
        rules[0],
        "cut",
        "limits",
        target_index=index,
        categories=hit,
        ceiling=Outcome.PERMIT_SUBSET,
    )
    others = (
        matter.finding(rule, rule, "note", "informs", target_index=index, categories=hit)
        for rule in rules[1:]
    )
    return [first, *others]


# ------------------------------------------------------------------------------- nothing at all left


def _nothing_left(matter: Matter, gates: list[_Gate]) -> list[Finding]:
    """Refused where no rule could reach any of it; else a question. Where a rule has lapsed, counsel is asked already.

    Which of the three it is follows from the law, the demanded categories and windows alone, never from a fact
    that may be unknown: forgetting one must not turn a refusal into a question.
    """
    if _doubtful(matter, gates):
        return []
    if any(gate.categories & matter.demanded for gate in gates if not gate.lapsed):
        return [_until_answered(matter)]
    return [
        Finding(
            "cut.everything",
            "cut",
            "blocks",
            f"{matter.instrument.name}: of what is demanded, this instrument reaches nothing.",
            matter.instrument.rule.citation,
            do="Refuse in writing and name the process that would reach it.",
            ceiling=Outcome.REFUSE,
            rule=matter.instrument.rule.id,
        )
    ]


def _doubtful(matter: Matter, gates: list[_Gate]) -> bool:
    """Whether a rule that would say why something stored is cut is not in force on the day."""
    wanted = silent = stored_categories(matter)
    for never in matter.instrument.nevers:
        silent -= never.categories
        if wanted & never.categories and any(matter.rule(each) is None for each in never.rules):
            return True
    return any(gate.lapsed and gate.categories & silent for gate in gates)


def _until_answered(matter: Matter) -> Finding:
    return Finding(
        "cut.until-answered",
        "cut",
        "blocks",
        f"{matter.instrument.name}: nothing is within reach as long as what is listed here is open.",
        matter.instrument.rule.citation,
        do="Settle what is listed, or ask the authority for it, and assess again.",
        ceiling=Outcome.NEEDS_MORE_INFORMATION,
        rule=matter.instrument.rule.id,
    )


def _resolve_first(index: int) -> Finding:
    return Finding(
        "note.resolve-first",
        "note",
        "informs",
        "This target is not an account. Which account it means is found under a decision of its own, by two "
        "people; the answer stays in the case file and is never sent to the requester.",
        target_index=index,
        do="Propose a `resolve` decision for this target first.",
    )

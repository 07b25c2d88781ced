"""What an instrument reaches of what is demanded: categories by rule, windows cut to what is stored.

Source: law.md 1.3 and 2.1; formats.md, "Scope" (an authorised scope has both ends).
"""

import datetime as dt

from dueprocess.demand import SECRETS, WITHOUT_WINDOW, Category, Period, ScopeItem
from dueprocess.law.assessment import Finding, Outcome
from dueprocess.law.matter import Matter, gap

type Reached = tuple[ScopeItem | None, list[Finding]]
type _Windowed = tuple[Period | None, list[Finding]]


def reach_item(matter: Matter, index: int) -> Reached:
    """The part of one demanded item that the instrument reaches, and a finding for each thing it does not."""
    item = matter.demand.scope.items[index]
    categories = item.categories & _reachable(matter, item)
    findings = _cuts(matter, index, item.categories - categories)
    if not categories:
        return None, findings
    described = categories <= WITHOUT_WINDOW
    period, trimmed = _window(matter, index, described=described)
    findings += trimmed
    if period is None:
        return None, findings
    if period.since is None and not described:
        findings.append(_start_missing(index))
    if item.target.kind != "account":
        findings.append(_resolve_first(index))
    return ScopeItem(item.target, categories, period, item.purpose), findings


def _reachable(matter: Matter, item: ScopeItem) -> frozenset[Category]:
    """Unions the rules in force. Secrets are taken out whatever a pack says (architecture.md 1.5)."""
    found: set[Category] = set()
    for reach in matter.instrument.reaches:
        purposeful = item.purpose == reach.purpose and matter.demand.identifies is True
        if matter.rule(reach.rule) is not None and (reach.purpose is None or purposeful):
            found |= reach.categories
    return frozenset(found) - {SECRETS}


def _cuts(matter: Matter, index: int, gone: frozenset[Category]) -> list[Finding]:
    findings: list[Finding] = []
    told: frozenset[Category] = frozenset()
    for never in matter.instrument.nevers:
        if hit := gone & never.categories:
            told |= hit
            findings += _cut(matter, index, hit, never.rules)
    silent = gone - told
    for reach in matter.instrument.reaches:
        if reach.categories & silent and matter.rule(reach.rule) is None:
            findings.append(gap(reach.rule, matter.on))
            silent -= reach.categories
    return [*findings, _not_reached(matter, index, silent)] if silent else findings


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
    )


def _cut(matter: Matter, index: int, hit: frozenset[Category], rules: tuple[str, ...]) -> list[Finding]:
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


def _window(matter: Matter, index: int, *, described: bool) -> _Windowed:
    """The demanded window, ended at receipt: what did not exist yet when the paper came is not stored."""
    demanded, received = matter.demand.scope.items[index].period, matter.demand.received_at
    if demanded.until is not None and demanded.until <= received:
        return demanded, []
    if demanded.since is not None and demanded.since >= received:
        return None, [_future(matter, index, "cut.only-future", "All of this window lies after the receipt.")]
    what = "The window has no end" if demanded.until is None else "The window reaches into the future"
    cut = _future(matter, index, "cut.after-receipt", f"{what}: it is cut to end at the receipt.")
    period = Period(demanded.since, received.astimezone(dt.UTC))
    # An account's description has no window of its own, so nothing of it is lost by ending the window.
    return period, [] if described else [cut]


def _future(matter: Matter, index: int, code: str, what: str) -> Finding:
    rule = matter.rule(matter.instrument.window_rule)
    text = f"{what} {rule.text}" if rule else what
    return matter.finding(
        matter.instrument.window_rule,
        code,
        "cut",
        "limits",
        target_index=index,
        ceiling=Outcome.PERMIT_SUBSET,
        text=text,
    )


def _start_missing(index: int) -> Finding:
    return Finding(
        "missing.start",
        "missing",
        "limits",
        "The paper names no start. An authorised scope for records of use needs one.",
        target_index=index,
        do="Ask the authority for the window that its facts support, and narrow to it.",
        ceiling=Outcome.PERMIT_SUBSET,
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

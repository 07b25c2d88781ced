"""Windows: what is stored when the paper comes, and nothing later.

Source: law.md 1.3; formats.md, "Scope" (an authorised scope has both ends); the window rule of each instrument.
"""

import datetime as dt

from dueprocess.demand import Category, Period
from dueprocess.law.assessment import Finding, Outcome
from dueprocess.law.matter import Matter


def stored_window(matter: Matter, index: int, *, described: bool) -> tuple[Period | None, list[Finding]]:
    """The demanded window, ended at receipt: what did not exist yet when the paper came is not stored.

    None where all of it lies after the receipt. ``described``: only what has no window of its own is within reach.
    What is to be removed is one item at its address: a window means nothing there and stays as the paper has it.
    """
    demanded, received = matter.items[index].period, matter.demand.received_at
    if matter.demand.kind == "removal":
        return demanded, []
    start = [] if described or demanded.since is not None else [_start_missing(index)]
    if demanded.until is not None and demanded.until <= received:
        return demanded, start
    if demanded.since is not None and demanded.since >= received:
        return None, [_future(matter, index, "cut.only-future", "All of this window lies after the receipt.")]
    period = Period(demanded.since, received.astimezone(dt.UTC))
    if described:
        # An account's description has no window of its own, so nothing of it is lost by ending the window.
        return period, []
    what = "The window has no end" if demanded.until is None else "The window reaches into the future"
    cut = _future(matter, index, "cut.after-receipt", f"{what}: it is cut to end at the receipt.")
    return period, [cut, *start]


def stored_categories(matter: Matter) -> frozenset[Category]:
    """What is demanded of any target whose window does not lie wholly after the receipt."""
    received, timeless = matter.demand.received_at, matter.demand.kind == "removal"
    stored = (
        item.categories
        for item in matter.items
        if timeless or item.period.since is None or item.period.since < received
    )
    return frozenset[Category]().union(*stored)


def _future(matter: Matter, index: int, code: str, what: str) -> Finding:
    """It cuts also where the pack's sentence for it has lapsed; that gap is a finding of the whole paper."""
    rule = matter.rule(matter.instrument.window_rule)
    return Finding(
        code,
        "cut",
        "limits",
        f"{what} {rule.text}" if rule else what,
        rule.citation if rule else None,
        target_index=index,
        do=rule.do if rule else "",
        ceiling=Outcome.PERMIT_SUBSET,
        rule=rule.id if rule else "",
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

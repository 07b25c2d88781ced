"""Whether the user may be told, and until when not: the notice rule and the nondisclosure order.

Source: law.md 2.4 and 7, trap 2 (one global switch is wrong); per finding the rule of the pack.
"""

import datetime as dt
from dataclasses import dataclass

from dueprocess.demand import NondisclosureOrder
from dueprocess.law.assessment import Finding, Notice, Outcome
from dueprocess.law.matter import Matter, gap, says
from dueprocess.law.pack import NondisclosureBasis


@dataclass(frozen=True, slots=True)
class Silence:
    """The notice, what was found on the way, and the clocks that the order starts."""

    notice: Notice
    findings: tuple[Finding, ...]
    clocks: tuple[str, ...]


def unsettled(text: str) -> Notice:
    """Nobody is told until counsel has decided."""
    return Notice("delayed_until", None, None, text, settled=False)


def notice_of(matter: Matter) -> Silence:
    """The notice rule of the instrument, or what a valid nondisclosure order makes of it."""
    order = matter.demand.nondisclosure
    if order is None:
        return _plain(matter)
    basis = matter.pack.nondisclosure_named(order.basis, matter.on)
    if basis is None or basis.id not in matter.instrument.nondisclosure:
        return _unfit(basis)
    # Looked at whatever the order says about its end: an end that is no longer known must not lift a question.
    said = matter.instrument.notice.rule
    gaps = [gap(said, matter.on)] if matter.rule(said) is None else []
    clocks = (basis.end_clock, basis.review_clock)
    gaps += [gap(clock, matter.on) for clock in clocks if matter.pack.clock(clock, matter.on) is None]
    found = _ordered(matter, basis, order)
    return Silence(found.notice, (*found.findings, *gaps), found.clocks)


def _ordered(matter: Matter, basis: NondisclosureBasis, order: NondisclosureOrder) -> Silence:
    # `on` is a UTC day; an order that ended before it began binds nobody any more.
    if order.until is not None and order.until <= dt.datetime.combine(matter.on, dt.time(), dt.UTC):
        plain = _plain(matter)
        return Silence(plain.notice, (*plain.findings, _ended(basis)), (basis.end_clock,))
    if order.certified is not True:
        return _uncertified(basis, order)
    return _delayed(matter, basis, order)


def _plain(matter: Matter) -> Silence:
    """What the law says without an order. A silence that the law itself imposes has no end."""
    said = matter.instrument.notice
    rule = matter.rule(said.rule)
    if rule is None:
        missing = gap(said.rule, matter.on)
        return Silence(unsettled(missing.text), (missing,), ())
    return Silence(Notice(said.word, None, rule.citation, rule.text, settled=said.settled), (), ())


def _unfit(basis: NondisclosureBasis | None) -> Silence:
    text = (
        "The paper forbids telling the user, on a basis that the pack does not know."
        if basis is None
        else f"The paper forbids telling the user under {basis.rule.citation}, which is not for this instrument."
    )
    finding = Finding(
        "nondisclosure.unknown-basis" if basis is None else "nondisclosure.other-instrument",
        "notice",
        "blocks",
        text,
        basis.rule.citation if basis else None,
        do="Tell nobody yet. Ask counsel, and ask the authority for the law that it relies on.",
        ceiling=Outcome.ESCALATE_TO_COUNSEL,
        rule=basis.rule.id if basis else "",
    )
    return Silence(unsettled(f"{text} Counsel decides before anyone is told."), (finding,), ())


def _uncertified(basis: NondisclosureBasis, order: NondisclosureOrder) -> Silence:
    known = order.certified is False
    lack = "The paper lacks" if known else "Nobody has checked whether the paper carries"
    finding = says(
        basis.rule,
        "nondisclosure.not-certified" if known else "nondisclosure.unchecked",
        "notice",
        "blocks",
        text=f"{lack} what this nondisclosure order needs: {basis.requires}.",
        do="Tell nobody yet. Look for it on the paper; if it is not there, ask the authority and counsel.",
        ceiling=Outcome.ESCALATE_TO_COUNSEL,
    )
    return Silence(unsettled(f"{finding.text} Counsel decides before anyone is told."), (finding,), ())


def _ended(basis: NondisclosureBasis) -> Finding:
    text = "The nondisclosure order has ended. It no longer forbids telling the user."
    return says(basis.rule, "nondisclosure.ended", "notice", "informs", text=text, do="")


def _delayed(matter: Matter, basis: NondisclosureBasis, order: NondisclosureOrder) -> Silence:
    citation, text = basis.rule.citation, basis.rule.text
    until = order.until.astimezone(dt.UTC) if order.until is not None else None
    plain = _plain(matter).notice
    if plain.rule == "forbidden_by" or not plain.settled:
        # The end of the order ends neither the silence of the law itself nor an open question for counsel.
        notice = plain
    else:
        notice = Notice("delayed_until", until, citation, text)
    if until is not None:
        told = says(basis.rule, "nondisclosure.delayed", "notice", "informs")
        return Silence(notice, (told,), (basis.end_clock,))
    endless = says(
        basis.rule,
        "nondisclosure.no-end",
        "notice",
        "informs",
        text="The nondisclosure order names no end. It runs until a court or the authority ends it, so a review "
        "date is set.",
        do="On the review date ask the authority in writing to confirm or to end the order.",
    )
    return Silence(notice, (endless,), (basis.review_clock,))

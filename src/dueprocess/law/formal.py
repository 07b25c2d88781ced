"""The form of the paper: who issued it, what must hold, what it carries, whether its kind fits, what is unreadable.

Source: law.md 1.1; for each finding the rule of the pack.
"""

from dueprocess.law.assessment import Finding, Outcome
from dueprocess.law.matter import Matter, gap, says
from dueprocess.law.pack import Element


def standing(matter: Matter) -> list[Finding]:
    """Reasons for which the paper reaches nothing at all. Empty: it reaches what its rules say."""
    return _kind(matter) + _issuer(matter) + _conditions(matter)


def _kind(matter: Matter) -> list[Finding]:
    demand, instrument = matter.demand, matter.instrument
    if demand.kind == instrument.demand_kind:
        return []
    holds_only = instrument.demand_kind == "preservation" and demand.kind == "disclosure"
    text = f"{instrument.name}: this paper is for {instrument.demand_kind}, and {demand.kind} is demanded."
    return [
        says(
            instrument.rule,
            "note.wrong-kind",
            "note",
            "blocks",
            text=text,
            do="Read the paper again. If it says what is transcribed here, ask for the right process.",
            ceiling=Outcome.REFUSE if holds_only else Outcome.ESCALATE_TO_COUNSEL,
        )
    ]


def _issuer(matter: Matter) -> list[Finding]:
    kind, rule = matter.demand.issuer_kind, matter.instrument.issuers_rule
    if kind in matter.instrument.issuers:
        return []
    return [
        matter.finding(
            rule,
            "missing.issuer-kind" if kind is None else "missing.right-issuer",
            "missing",
            "blocks",
            ceiling=Outcome.NEEDS_MORE_INFORMATION,
        )
    ]


def _conditions(matter: Matter) -> list[Finding]:
    return [
        matter.finding(
            each.rule,
            code,
            "missing",
            "blocks",
            ceiling=Outcome.NEEDS_MORE_INFORMATION,
            reason=each.reason,
        )
        for each in matter.instrument.conditions
        if (code := matter.failure(each)) is not None
    ]


def ceiling(matter: Matter) -> list[Finding]:
    """The highest outcome that this kind of paper can have, where the pack sets one."""
    instrument = matter.instrument
    most = Outcome[instrument.ceiling.upper()]
    if most == Outcome.PERMIT_ALL:
        return []
    code = f"ceiling.{instrument.code}"
    return [matter.finding(instrument.ceiling_rule, code, "note", "blocks", ceiling=most)]


def form(matter: Matter) -> list[Finding]:
    """What the paper lacks, and parts that could not be read."""
    demand = matter.demand
    found = set(demand.elements)
    found |= {"date"} if demand.issued_on else set()
    found |= {"legal_basis"} if demand.legal_bases else set()
    lacking = [
        _lacks(matter, element)
        for element in matter.instrument.elements
        if element.code not in found and matter.concerns(element.categories) and matter.possible(element.when)
    ]
    return lacking + _dates(matter) + _unreadable(matter)


def _lacks(matter: Matter, element: Element) -> Finding:
    rule = matter.rule(element.rule)
    if rule is None:
        return gap(element.rule, matter.on)
    return says(
        rule,
        f"missing.{element.code}",
        "missing",
        "blocks",
        text=f"The paper does not show: {element.meaning}.",
        do="Ask for it in a deficiency letter.",
        ceiling=Outcome.NEEDS_MORE_INFORMATION,
        reason=element.reason,
    )


def _dates(matter: Matter) -> list[Finding]:
    demand = matter.demand
    if demand.issued_on is None or demand.issued_on <= demand.received_at.date():
        return []
    return [
        Finding(
            "note.dated-later",
            "note",
            "informs",
            "The paper bears a date after the day of its receipt.",
            do="Compare with the paper, then ask the issuer on an independently found number.",
        )
    ]


def _unreadable(matter: Matter) -> list[Finding]:
    count = len(matter.demand.unreadable)
    if not count:
        return []
    return [
        Finding(
            "missing.legible",
            "missing",
            "blocks",
            f"Parts of the paper that could not be read: {count}. What they say is not assessed.",
            do="Ask for a legible copy, or have counsel confirm that nothing depends on these parts.",
            ceiling=Outcome.NEEDS_MORE_INFORMATION,
        )
    ]


def consequences(matter: Matter) -> list[Finding]:
    """Notes of the instrument and the ways to contest it."""
    notes = [matter.finding(rule, rule, "note", "informs") for rule in matter.instrument.notes]
    ways = [
        matter.finding(
            each.rule,
            f"objection.{each.code}",
            "objection",
            "informs",
            categories=each.categories,
            letter=each.letter,
        )
        for each in matter.instrument.objections
        if matter.concerns(each.categories)
    ]
    return notes + ways


def emergency(matter: Matter) -> list[Finding]:
    """An emergency is assessed and never producible here, whatever the paper is."""
    if not (matter.demand.emergency or matter.instrument.emergency):
        return []
    return [
        Finding(
            "emergency.not-producible",
            "emergency",
            "blocks",
            "This demand claims an emergency. It is assessed, and it cannot be produced with this release: "
            "emergencies become producible with a later release of their own. Forged emergency mails from "
            "real police mailboxes are common.",
            do="Now: call back on a number that you found yourself, not one from the message; keep the data "
            "from deletion; call counsel.",
            ceiling=Outcome.ESCALATE_TO_COUNSEL,
        )
    ]

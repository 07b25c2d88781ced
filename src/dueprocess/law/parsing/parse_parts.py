"""Instruments, their parts, and what an overlay adds to them."""

from typing import get_args

from dueprocess.demand import REVERSE_KINDS, DemandKind
from dueprocess.law.pack import (
    Compulsion,
    Element,
    Instrument,
    Knower,
    LetterCode,
    MayKnow,
    Never,
    NoticeRule,
    NoticeWord,
    Objection,
    Objector,
    Reach,
    Tightening,
)
from dueprocess.law.parsing.checks import check_coverage
from dueprocess.law.parsing.parse_rules import (
    OUTCOMES,
    Sources,
    categories,
    conditions,
    ident,
    issuers,
    maybe_letter,
    rule_of,
)
from dueprocess.law.parsing.table import Table


def instrument(table: Table, declared: Sources) -> Instrument:
    """One [[instrument]] with all its parts."""
    code = ident(table, "code")
    ceiling = table.choice("ceiling", OUTCOMES) if table.has("ceiling") else ""
    found = Instrument(
        code=code,
        name=table.text("name"),
        rule=rule_of(table, code, declared),
        demand_kind=table.choice("demand_kind", get_args(DemandKind)),
        compulsion=table.choice("compulsion", get_args(Compulsion)),
        emergency=table.flag("emergency"),
        issuers=issuers(table, "issuers"),
        issuers_rule=table.text("issuers_rule"),
        window_rule=table.text("window_rule"),
        notice=_notice(table.table("notice")),
        reaches=tuple(_reach(each) for each in table.tables("reach")),
        nevers=_nevers(table),
        elements=_elements(table),
        objections=tuple(_objection(each) for each in table.tables("objection")),
        clocks=table.names("clocks"),
        nondisclosure=table.names("nondisclosure"),
        notes=table.names("notes"),
        report_cells=table.some("report_cells"),
        conditions=conditions(table, "conditions"),
        may_know=tuple(_may_know(each) for each in table.tables("may_know")),
        solo=table.text("solo") if table.has("solo") else "",
        letters=table.choices("letters", get_args(LetterCode)),
        reverse=table.choices("reverse", REVERSE_KINDS),
        ceiling=ceiling or "permit_all",
        ceiling_rule=table.text("ceiling_rule") if ceiling else "",
    )
    table.done()
    check_coverage(table, found)
    return found


def _notice(table: Table) -> NoticeRule:
    word = table.choice("word", get_args(NoticeWord))
    settled = table.maybe_flag("settled")
    if settled is not None and word != "delayed_until":
        table.fail(
            "settled",
            "Only delayed_until can be unsettled.",
            do='Remove it, or write word = "delayed_until".',
        )
    found = NoticeRule(word, table.text("rule"), settled is not False)
    table.done()
    return found


def _reach(table: Table) -> Reach:
    by = issuers(table, "by") if table.has("by") else frozenset()
    found = Reach(
        categories=categories(table),
        rule=table.text("rule"),
        purpose=table.choice("purpose", ("identify",)) if table.has("purpose") else None,  # type: ignore[arg-type]  # `choice` gives the one allowed word
        by=by,
        by_rule=table.text("by_rule") if by else "",
        by_reason=table.maybe_text("by_reason") if by else "",
        needs=conditions(table, "needs"),
    )
    table.done()
    return found


def _nevers(table: Table) -> tuple[Never, ...]:
    return tuple(_never(each) for each in table.tables("never"))


def _never(table: Table) -> Never:
    found = Never(categories(table), table.some("rules"))
    table.done()
    return found


def _elements(table: Table) -> tuple[Element, ...]:
    return tuple(_element(each) for each in table.tables("element"))


def _element(table: Table) -> Element:
    found = Element(
        code=ident(table, "code"),
        meaning=table.text("meaning"),
        rule=table.text("rule"),
        reason=table.maybe_text("reason"),
        categories=categories(table, needed=False),
        when=conditions(table, "when"),
    )
    table.done()
    return found


def _objection(table: Table) -> Objection:
    found = Objection(
        code=ident(table, "code"),
        who=table.choice("who", get_args(Objector)),
        rule=table.text("rule"),
        categories=categories(table, needed=False),
        letter=maybe_letter(table),
    )
    table.done()
    return found


def _may_know(table: Table) -> MayKnow:
    found = MayKnow(table.choice("who", get_args(Knower)), table.text("rule"))
    table.done()
    return found


def tightening(table: Table) -> Tightening:
    """One [[tighten]] of an overlay."""
    narrowed = issuers(table, "issuers") if table.has("issuers") else None
    found = Tightening(
        instruments=table.some("instruments"),
        nevers=_nevers(table),
        elements=_elements(table),
        conditions=conditions(table, "conditions"),
        issuers=narrowed,
        issuers_rule=table.text("issuers_rule") if narrowed else "",
        notice=_notice(table.table("notice")) if table.has("notice") else None,
        notes=table.names("notes"),
    )
    table.done()
    if found == Tightening(found.instruments):
        table.fail(
            "instruments",
            "This entry adds nothing to them.",
            do="Add never, element, conditions, issuers ...",
        )
    return found

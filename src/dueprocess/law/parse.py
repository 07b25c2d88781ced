"""A pack from TOML, strictly. What is not said with a source, a date and a basis is not law here."""

import datetime as dt
import re
from typing import get_args

from dueprocess.demand import Category, DemandKind, IssuerKind, expand
from dueprocess.errors import MalformedError
from dueprocess.law.checks import check_coverage, check_references, check_spans
from dueprocess.law.pack import (
    BASES,
    Citation,
    Clock,
    ClockStart,
    Compulsion,
    Element,
    Instrument,
    Never,
    NondisclosureBasis,
    NoticeRule,
    NoticeWord,
    Objection,
    Objector,
    Pack,
    Reach,
    Rule,
    Source,
)
from dueprocess.law.table import Table, read_toml
from dueprocess.wire import Json, digest_of

_ID = re.compile(r"[A-Za-z0-9]+([._-][A-Za-z0-9]+)*")
type _Sources = dict[str, Source]


def parse_pack(text: str, where: str) -> Pack:
    """The pack in a TOML text; ``where`` names the file in messages.

    Refuses with ``MalformedError``, and nothing else: unknown keys, rules without source or dates, citations
    of undeclared sources, references to undeclared rules, unknown categories, empty or overlapping date
    ranges, categories on which an instrument is silent or says both yes and no, and any reach for secrets.
    """
    top = read_toml(text, where)
    head = top.table("pack")
    sources = _sources(top)
    rules = tuple(_rule(each, each.text("id"), sources, done=True) for each in top.tables("rule"))
    clocks = tuple(_clock(each, sources) for each in top.tables("clock"))
    silences = tuple(_nondisclosure(each, sources) for each in top.tables("nondisclosure"))
    instruments = tuple(_instrument(each, sources) for each in top.tables("instrument"))
    reviewed_by = head.maybe_text("reviewed_by")
    pack = Pack(
        id=_id(head, "id"),
        version=head.text("version"),
        jurisdiction=head.text("jurisdiction"),
        title=head.text("title"),
        status=head.text("status"),
        reviewed_by=reviewed_by,
        reviewed_on=head.day("reviewed_on") if reviewed_by else None,
        sources=tuple(sources.values()),
        rules=rules,
        clocks=clocks,
        nondisclosure=silences,
        instruments=instruments,
        sha256=digest_of(_plain(top.content)),
    )
    head.done()
    top.done()
    check_spans(top, pack)
    check_references(top, pack)
    return pack


def _plain(value: object) -> Json:
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value.isoformat() if isinstance(value, dt.date) else value  # type: ignore[return-value]  # the strict reader leaves only bool, int and str here; canonical refuses the rest


def _id(table: Table, key: str) -> str:
    found = table.text(key)
    if not _ID.fullmatch(found):
        table.fail(key, "A name holds letters, digits and single dots, dashes or underscores.")
    return found


def _sources(top: Table) -> _Sources:
    found: _Sources = {}
    for each in top.tables("source"):
        key = _id(each, "key")
        if key in found:
            each.fail("key", f"The source {key} is declared twice.")
        found[key] = _source(each, key)
    return found


def _source(table: Table, key: str) -> Source:
    read_on = table.maybe_day("read_on")
    source = Source(
        key=key,
        short=table.text("short"),
        title=table.text("title"),
        address=table.text("address"),
        version=table.text("version"),
        read_on=read_on,
        not_read="" if read_on else table.text("not_read"),
        note=table.maybe_text("note"),
    )
    table.done()
    return source


def _citation(table: Table, sources: _Sources) -> Citation:
    key, section = table.text("source"), table.text("section")
    basis = table.choice("basis", BASES)
    if key not in sources:
        table.fail("source", f"There is no [[source]] with the key {key[:40]!r}.")
    source = sources[key]
    if source.read_on is None and basis != "unverified":
        table.fail("basis", f"Nobody read the source {key}, so a rule that rests on it is `unverified`.")
    joint = "" if section.startswith("(") else ", "
    return Citation(key, section, f"{source.short}{joint}{section}", basis)


def _rule(table: Table, rule_id: str, sources: _Sources, *, done: bool = False) -> Rule:
    if not _ID.fullmatch(rule_id):
        table.fail("id", "A name holds letters, digits and single dots, dashes or underscores.")
    citation = _citation(table, sources)
    since, until = table.day("from"), table.maybe_day("until")
    if until is not None and until <= since:
        table.fail("until", f"The range from {since} until {until} is empty.")
    rule = Rule(rule_id, table.text("text"), citation, since, until, table.maybe_text("do"))
    if done:
        table.done()
    return rule


def _clock(table: Table, sources: _Sources) -> Clock:
    starts = table.choice("starts", get_args(ClockStart))
    named = starts in ("due_on", "nondisclosure_end")
    days = 0 if named else table.number("days")
    clock = Clock(_rule(table, table.text("id"), sources), starts, days, _categories(table, needed=False))
    table.done()
    return clock


def _nondisclosure(table: Table, sources: _Sources) -> NondisclosureBasis:
    basis = NondisclosureBasis(
        rule=_rule(table, table.text("id"), sources),
        names=_some(table, "names"),
        requires=table.text("requires"),
        end_clock=table.text("end_clock"),
        review_clock=table.text("review_clock"),
    )
    table.done()
    return basis


def _some(table: Table, key: str) -> tuple[str, ...]:
    found = table.names(key)
    if not found:
        table.fail(key, "Expected at least one text.")
    return found


def _categories(table: Table, *, needed: bool = True) -> frozenset[Category]:
    names = _some(table, "categories") if needed else table.names("categories")
    try:
        return expand(names)
    except MalformedError as error:
        table.fail("categories", f"{error.what} {error.do}")


def _instrument(table: Table, sources: _Sources) -> Instrument:
    code = _id(table, "code")
    instrument = Instrument(
        code=code,
        name=table.text("name"),
        rule=_rule(table, code, sources),
        demand_kind=table.choice("demand_kind", get_args(DemandKind)),
        compulsion=table.choice("compulsion", get_args(Compulsion)),
        emergency=table.flag("emergency"),
        issuers=_issuers(table),
        issuers_rule=table.text("issuers_rule"),
        window_rule=table.text("window_rule"),
        notice=_notice(table.table("notice")),
        reaches=tuple(_reach(each) for each in table.tables("reach")),
        nevers=tuple(_never(each) for each in table.tables("never")),
        elements=tuple(_element(each) for each in table.tables("element")),
        objections=tuple(_objection(each) for each in table.tables("objection")),
        clocks=table.names("clocks"),
        nondisclosure=table.names("nondisclosure"),
        notes=table.names("notes"),
        report_cells=_some(table, "report_cells"),
    )
    table.done()
    check_coverage(table, instrument)
    return instrument


def _issuers(table: Table) -> frozenset[IssuerKind]:
    kinds: tuple[IssuerKind, ...] = get_args(IssuerKind)
    found = _some(table, "issuers")
    if not set(found) <= set(kinds) or "private_party" in found:
        table.fail("issuers", f"Choose from: {', '.join(kinds[:-1])}.")
    return frozenset(kind for kind in kinds if kind in found)


def _notice(table: Table) -> NoticeRule:
    word = table.choice("word", get_args(NoticeWord))
    notice = NoticeRule(word, table.text("rule"))
    table.done()
    return notice


def _reach(table: Table) -> Reach:
    categories, rule = _categories(table), table.text("rule")
    purpose = table.choice("purpose", ("identify",)) if table.has("purpose") else None
    table.done()
    return Reach(categories, rule, purpose)  # type: ignore[arg-type]  # `choice` gives the one allowed word


def _never(table: Table) -> Never:
    never = Never(_categories(table), _some(table, "rules"))
    table.done()
    return never


def _element(table: Table) -> Element:
    element = Element(_id(table, "code"), table.text("meaning"), table.text("rule"))
    table.done()
    return element


def _objection(table: Table) -> Objection:
    who = table.choice("who", get_args(Objector))
    objection = Objection(_id(table, "code"), who, table.text("rule"), _categories(table, needed=False))
    table.done()
    return objection

"""Entries of a pack that say what holds: sources, rules, clocks, nondisclosure laws, questions, boxes, flags, floor."""

import re
from typing import get_args

from dueprocess.demand import Category, IssuerKind, expand
from dueprocess.errors import MalformedError
from dueprocess.law.assessment import Outcome
from dueprocess.law.pack import (
    BASES,
    BUILT_IN,
    Asked,
    Citation,
    Clock,
    ClockStart,
    Condition,
    Counting,
    Flag,
    Floor,
    LetterCode,
    NondisclosureBasis,
    Question,
    Reason,
    Rule,
    Source,
    Unit,
)
from dueprocess.law.parsing.table import Table

type Sources = dict[str, Source]

OUTCOMES: tuple[str, ...] = tuple(each.code for each in Outcome)
ISSUERS: tuple[IssuerKind, ...] = tuple(each for each in get_args(IssuerKind) if each != "private_party")
"""Who can issue or validate. A private party never does: it has its own path."""
_ID = re.compile(r"[A-Za-z0-9]+([._-][A-Za-z0-9]+)*")
UNITS: tuple[Unit, ...] = get_args(Unit)
_COUNTINGS: tuple[Counting, ...] = get_args(Counting)
_NAMED: frozenset[ClockStart] = frozenset({"due_on", "nondisclosure_end"})
"""Starts of which the paper or the order itself names the day, so that there is no length."""
_YES_NO = frozenset({"yes", "no", "true", "false"})


def ident(table: Table, key: str) -> str:
    """A name of letters, digits and single dots, dashes or underscores."""
    found = table.text(key)
    if not _ID.fullmatch(found):
        table.fail(
            key,
            "A name holds letters, digits and single dots, dashes or underscores.",
            do="Write a name such as 2703.notice, without spaces.",
        )
    return found


def sources(top: Table) -> Sources:
    """The declared texts of law by their keys."""
    found: Sources = {}
    for each in top.tables("source"):
        key = ident(each, "key")
        if key in found:
            each.fail("key", f"The source {key} is declared twice.", do="Give one of them another key.")
        found[key] = _source(each, key)
    return found


def _source(table: Table, key: str) -> Source:
    read_on = table.maybe_day("read_on")
    if read_on is None and not table.has("not_read"):
        table.fail("read_on", "The key is missing: nobody says when this source was read.",
                   do="Add `read_on = 2026-11-22`, or `not_read` with the reason why nobody read it.")  # fmt: skip
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


def _citation(table: Table, declared: Sources) -> Citation:
    key, section = table.text("source"), table.text("section")
    basis = table.choice("basis", BASES)
    if key not in declared:
        table.fail(
            "source",
            f"There is no [[source]] with the key {key[:40]!r}.",
            do="Declare it, or correct the key.",
        )
    source = declared[key]
    if source.read_on is None and basis != "unverified":
        table.fail(
            "basis",
            f"Nobody read the source {key}, so a rule that rests on it is `unverified`.",
            do='Read it and give its `read_on`, or write basis = "unverified".',
        )
    joint = "" if section.startswith("(") else ", "
    return Citation(key, section, f"{source.short}{joint}{section}", basis)


def rule_of(table: Table, rule_id: str, declared: Sources) -> Rule:
    """The rule in the fields that rules, clocks, nondisclosure laws and instruments share."""
    citation = _citation(table, declared)
    since, until = table.day("from"), table.maybe_day("until")
    if until is not None and until <= since:
        table.fail(
            "until",
            f"The range from {since} until {until} is empty.",
            do="`until` is the first day on which the rule no longer holds; it comes after `from`.",
        )
    return Rule(rule_id, table.text("text"), citation, since, until, table.maybe_text("do"))


def rule_entry(table: Table, declared: Sources) -> Rule:
    """One [[rule]]."""
    rule = rule_of(table, ident(table, "id"), declared)
    table.done()
    return rule


def clock(table: Table, declared: Sources) -> Clock:
    """One [[clock]]: exactly one length, or none where the paper or the order names the day."""
    starts = table.choice("starts", get_args(ClockStart))
    rule = rule_of(table, ident(table, "id"), declared)
    kinds, when = categories(table, needed=False), conditions(table, "when")
    if starts in _NAMED:
        _check_unmeasured(table, starts)
        found = Clock(rule, starts, 0, categories=kinds, when=when)
    else:
        unit = _unit(table)
        length, counting = table.number(unit), _counting(table, unit)
        found = Clock(rule, starts, length, unit, counting, _roll(table, unit), kinds, when)
    table.done()
    return found


def _check_unmeasured(table: Table, starts: ClockStart) -> None:
    for key in (*UNITS, "counting", "roll"):
        if table.has(key):
            table.fail(
                key, f"A clock that starts with {starts} is not counted: the day is named.", do="Remove it."
            )


def _unit(table: Table) -> Unit:
    given = [unit for unit in UNITS if table.has(unit)]
    if len(given) != 1:
        found = " and ".join(given) if given else "nothing"
        table.fail(
            given[1] if given else "days",
            f"A period has exactly one length, and this one has {found}; a length is missing or too many.",
            do=f"Keep one of: {', '.join(UNITS)}.",
        )
    return given[0]


def _counting(table: Table, unit: Unit) -> Counting:
    found: Counting = table.choice("counting", _COUNTINGS) if table.has("counting") else "elapsed"
    if unit == "hours" and found != "elapsed":
        table.fail(
            "counting", "Hours are counted from the instant.", do='Remove it, or write counting = "elapsed".'
        )
    return found


def _roll(table: Table, unit: Unit) -> bool:
    if unit == "hours" and table.has("roll"):
        table.fail("roll", "A period of hours does not move to the next working day.", do="Remove it.")
    return table.flag("roll")


def nondisclosure(table: Table, declared: Sources) -> NondisclosureBasis:
    """One [[nondisclosure]]: a law that lets an authority forbid telling."""
    found = NondisclosureBasis(
        rule=rule_of(table, ident(table, "id"), declared),
        names=table.some("names"),
        requires=table.text("requires"),
        end_clock=table.text("end_clock"),
        review_clock=table.text("review_clock"),
    )
    table.done()
    return found


def question(table: Table) -> Question:
    """One [[question]]. Without `choices` it is answered with yes or no."""
    found = Question(
        id=ident(table, "id"),
        text=table.text("text"),
        about=table.choice("about", get_args(Asked)),
        choices=table.names("choices"),
    )
    if found.id in BUILT_IN:
        table.fail(
            "id", f"{found.id} is a fact of every demand and needs no question.", do="Choose another name."
        )
    if table.content.get("choices") is not None:
        _check_choices(table, found.choices)
    table.done()
    return found


def _check_choices(table: Table, choices: tuple[str, ...]) -> None:
    if len(choices) < 2 or not all(_ID.fullmatch(each) for each in choices):
        table.fail(
            "choices",
            "A question has at least two choices, each one word.",
            do="Write short_words, or remove it.",
        )
    if _YES_NO & {each.lower() for each in choices}:
        table.fail(
            "choices", "Yes and no are not choices.", do="Remove `choices`: the question is then yes or no."
        )


def conditions(table: Table, key: str) -> tuple[Condition, ...]:
    """Conditions, each with its fact and the answers that meet it."""
    return tuple(_condition(each) for each in table.tables(key))


def _condition(table: Table) -> Condition:
    found = Condition(table.text("fact"), table.answers("is"), table.text("rule"), table.maybe_text("reason"))
    table.done()
    return found


def reason(table: Table) -> Reason:
    """One [[reason]]: a box of the law's answer form."""
    found = Reason(ident(table, "code"), table.text("text"), table.text("rule"))
    table.done()
    return found


def flag(table: Table) -> Flag:
    """One [[flag]]: what a reader may notice, and the highest outcome that it leaves."""
    found = Flag(
        id=ident(table, "id"),
        question=table.text("question"),
        rule=table.text("rule"),
        ceiling=table.choice("ceiling", OUTCOMES),
        reason=table.maybe_text("reason"),
        letter=maybe_letter(table),
    )
    table.done()
    return found


def maybe_letter(table: Table) -> LetterCode | None:
    """The letter that answers this, if any."""
    return table.choice("letter", get_args(LetterCode)) if table.has("letter") else None


def floor(table: Table) -> Floor:
    """The [floor] of a baseline."""
    found = Floor(
        elements=table.some("elements"),
        elements_rule=table.text("elements_rule"),
        content_by=issuers(table, "content_by"),
        content_rule=table.text("content_rule"),
    )
    table.done()
    return found


def issuers(table: Table, key: str) -> frozenset[IssuerKind]:
    """Kinds of authority, at least one and never a private party."""
    table_kinds = table.choices(key, ISSUERS)
    if not table_kinds:
        table.fail(key, "Expected at least one kind of authority.", do=f"Choose from: {', '.join(ISSUERS)}.")
    return frozenset(table_kinds)


def categories(table: Table, *, needed: bool = True) -> frozenset[Category]:
    """Leaves of the tree of categories; at least one where they are needed."""
    names = table.some("categories") if needed else table.names("categories")
    try:
        return expand(names)
    except MalformedError as error:
        table.fail("categories", f"{error.what} {error.why}", do=error.do)

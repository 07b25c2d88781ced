"""One kind of paper as a page: who may issue it, what it reaches and when, what it must show, what follows."""

from dueprocess.demand import REVERSE_KINDS
from dueprocess.errors import RefusedError
from dueprocess.law.pack import Clock, Condition, Element, Instrument, NoticeRule, Pack, Reach
from dueprocess.law.questions import question_text
from dueprocess.law.words import KNOWERS, LETTERS, answer_words, named, plain, rule_line, rule_lines, ruled

type _Section = tuple[str, list[str]]


def explain_instrument(pack: Pack, code: str) -> str:
    """A page about one kind of paper: every version that the pack holds. Refuses a code it does not know."""
    versions = [each for each in pack.instruments if each.code == code]
    if not versions:
        raise RefusedError(
            "unknown-instrument",
            f"The pack {pack.id} has no instrument {code[:40]!r}.",
            do="Choose from: " + ", ".join(dict.fromkeys(each.code for each in pack.instruments)),
        )
    reviewed = f"Reviewed by {pack.reviewed_by}." if pack.reviewed_by else "Not reviewed by counsel."
    stricter = "".join(f" Made stricter by {each.id} {each.version}." for each in pack.layers)
    pages = [_page(pack, each) for each in versions]
    return "\n\n".join([*pages, f"{pack.id} {pack.version}.{stricter} {reviewed} {pack.status}"]) + "\n"


def _page(pack: Pack, instrument: Instrument) -> str:
    sections = (
        *_who(pack, instrument),
        *_what(pack, instrument),
        *_form(pack, instrument),
        *_telling(pack, instrument),
        *_after(pack, instrument),
    )
    return "\n\n".join(
        f"{head}\n" + "\n".join(f"  {line}" for line in lines) for head, lines in sections if lines
    )


def _who(pack: Pack, instrument: Instrument) -> list[_Section]:
    issuers = ", ".join(plain(each) for each in sorted(instrument.issuers))
    highest: list[str] = []
    if instrument.ceiling != "permit_all":
        highest = [f"{plain(instrument.ceiling)}: {ruled(pack, instrument.ceiling_rule)}"]
    return [
        (f"{instrument.name} ({instrument.code})", [rule_line(instrument.rule)]),
        ("Kind", [f"{instrument.compulsion}, for {instrument.demand_kind}"]),
        (
            "Asks for people nobody has named",
            [f"{each}: {REVERSE_KINDS[each]}" for each in instrument.reverse],
        ),
        ("The best outcome that it can have", highest),
        ("Who may issue it", [issuers, *rule_lines(pack, [instrument.issuers_rule])]),
        (
            "What must hold before it reaches anything",
            [_condition(pack, each) for each in instrument.conditions],
        ),
    ]


def _what(pack: Pack, instrument: Instrument) -> list[_Section]:
    nevers = [
        f"{named(each.categories)}: {' '.join(rule_lines(pack, each.rules))}" for each in instrument.nevers
    ]
    return [
        ("What it reaches", [line for each in instrument.reaches for line in _reach(pack, each)]),
        ("What it never reaches", nevers),
        ("The window", rule_lines(pack, [instrument.window_rule])),
    ]


def _reach(pack: Pack, reach: Reach) -> list[str]:
    only = " (only to identify someone)" if reach.purpose else ""
    lines = [f"{named(reach.categories)}{only}: {ruled(pack, reach.rule)}"]
    if reach.by:
        issuers = ", ".join(plain(each) for each in sorted(reach.by))
        lines.append(
            f"  only issued or validated by: {issuers}. {ruled(pack, reach.by_rule)}{_box(reach.by_reason)}"
        )
    return lines + [f"  only if: {_condition(pack, each)}" for each in reach.needs]


def _condition(pack: Pack, condition: Condition) -> str:
    asked, answers = question_text([pack], condition.fact), answer_words(condition.among)
    return f"{asked} Needed: {answers}. {ruled(pack, condition.rule)}{_box(condition.reason)}"


def _box(reason: str) -> str:
    return f" (box {reason})" if reason else ""


def _form(pack: Pack, instrument: Instrument) -> list[_Section]:
    used = {reason for each in instrument.reaches for reason in _reasons(each)}
    used |= {each.reason for each in instrument.conditions} | {each.reason for each in instrument.elements}
    boxes = [
        f"{each.code}: {each.text} {ruled(pack, each.rule)}" for each in pack.reasons if each.code in used
    ]
    return [
        ("What the paper must show", [_element(pack, each) for each in instrument.elements]),
        ("Boxes on the answer form", boxes),
    ]


def _reasons(reach: Reach) -> tuple[str, ...]:
    return (reach.by_reason, *(each.reason for each in reach.needs))


def _element(pack: Pack, element: Element) -> str:
    only = f" (only for {named(element.categories)})" if element.categories else ""
    conditions = " ".join(f"Unless known otherwise: {_condition(pack, each)}" for each in element.when)
    after = f" {conditions}" if conditions else ""
    return f"{element.meaning}{only}. {ruled(pack, element.rule)}{_box(element.reason)}{after}"


def _telling(pack: Pack, instrument: Instrument) -> list[_Section]:
    silences = [
        f"{rule_line(each.rule)} It needs {each.requires}."
        for each in pack.nondisclosure
        if each.id in instrument.nondisclosure
    ]
    knowing = [f"{KNOWERS[each.who]}: {ruled(pack, each.rule)}" for each in instrument.may_know]
    return [
        ("Telling the user", [_notice(instrument.notice), *rule_lines(pack, [instrument.notice.rule])]),
        ("An order not to tell", silences),
        ("Who else may know", knowing),
        ("If you are alone and your lock outlasts the clock", rule_lines(pack, [instrument.solo])),
    ]


def _notice(notice: NoticeRule) -> str:
    return plain(notice.word) if notice.settled else "not settled: nobody is told until counsel has decided"


def _after(pack: Pack, instrument: Instrument) -> list[_Section]:
    contest = [f"{each.who}: {ruled(pack, each.rule)}" for each in instrument.objections]
    clocks = [_period(pack, clock) for clock in pack.clocks if clock.id in instrument.clocks]
    return [
        ("Ways to contest it", contest),
        ("Clocks", clocks),
        ("Letters that fit", [LETTERS[each] for each in instrument.letters]),
        ("Notes", rule_lines(pack, instrument.notes)),
    ]


def _period(pack: Pack, clock: Clock) -> str:
    conditions = "".join(f" Unless known otherwise: {_condition(pack, each)}" for each in clock.when)
    return f"{clock.id}: {rule_line(clock.rule)}{conditions}"

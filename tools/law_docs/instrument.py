"""One kind of paper as a section of a pack's page."""

from collections.abc import Iterable, Iterator

from dueprocess.demand import MEANING, REVERSE_KINDS, Category, ordered
from dueprocess.law.pack import Clock, Condition, Element, Instrument, Pack, Reach
from dueprocess.law.questions import question_text
from dueprocess.law.words import KNOWERS, LETTERS, answer_words, plain
from law_docs.markdown import anchor, bullets, cited, support, table, told

STARTS = {
    "received": "the receipt",
    "issued_on": "the date of issue",
    "due_on": "the day that the paper names",
    "nondisclosure_start": "the start of the order not to tell",
    "nondisclosure_end": "the end of the order not to tell",
    "outside": "something that the demand does not record",
}
NOTICES = {
    "required": "required",
    "allowed_before_production": "allowed, also before anything is produced",
    "delayed_until": "only later",
    "forbidden_by": "forbidden",
}
COUNTED = {
    "elapsed": "by the clock",
    "after_day": "in whole days after that day",
    "with_day": "in whole days, that day the first",
}


def instrument_section(pack: Pack, instrument: Instrument) -> str:
    """Who may issue it, what it reaches and when, what it must show, what follows."""
    parts = [
        f"{anchor('instrument', instrument.code)}\n\n### {instrument.name} (`{instrument.code}`)",
        f"{instrument.rule.text} {support(pack, instrument.rule)}",
        bullets(_facts(pack, instrument)),
        _titled("Must hold before it reaches anything", _conditions(pack, instrument.conditions)),
        _titled("What it reaches", _reach_table(pack, instrument)),
        _titled("What the paper must show", _elements(pack, instrument)),
        _titled("Clocks", _clocks(pack, instrument)),
        _titled("Ways to contest it", _objections(pack, instrument)),
        _titled("Notes", bullets(told(pack, each) for each in instrument.notes)),
    ]
    return "\n\n".join(part for part in parts if part)


def _titled(title: str, body: str) -> str:
    return f"**{title}**\n\n{body}" if body else ""


def _facts(pack: Pack, instrument: Instrument) -> Iterator[str]:
    yield f"**Kind:** {instrument.compulsion}, for {instrument.demand_kind}."
    if instrument.ceiling != "permit_all":
        yield f"**Best outcome that it can have:** {plain(instrument.ceiling)}. {told(pack, instrument.ceiling_rule)}"
    if instrument.reverse:
        kinds = "; ".join(f"`{each}` {REVERSE_KINDS[each]}" for each in instrument.reverse)
        yield f"**Asks for people whom nobody has named:** {kinds}. It reaches nothing, ever."
    issuers = ", ".join(plain(each) for each in sorted(instrument.issuers))
    yield f"**Who may issue it:** {issuers}. {told(pack, instrument.issuers_rule)}"
    yield f"**Window:** {told(pack, instrument.window_rule)}"
    yield f"**Telling the user:** {_notice(instrument)}. {told(pack, instrument.notice.rule)}"
    for each in pack.nondisclosure:
        if each.id in instrument.nondisclosure:
            yield f"**An order not to tell:** [`{each.id}`](#nondisclosure-{each.id}) {each.rule.text}"
    for knower in instrument.may_know:
        yield f"**May know, too:** {KNOWERS[knower.who]}. {told(pack, knower.rule)}"
    if instrument.solo:
        yield f"**A host of one person:** {told(pack, instrument.solo)}"
    if instrument.letters:
        yield f"**Letters that fit:** {'; '.join(LETTERS[each] for each in instrument.letters)}."
    cells = ", ".join(f"`{each}`" for each in instrument.report_cells)
    yield f"**Counted in the report as:** {cells}."


def _notice(instrument: Instrument) -> str:
    notice = instrument.notice
    return NOTICES[notice.word] if notice.settled else "not settled; nobody is told until counsel has decided"


def _conditions(pack: Pack, conditions: tuple[Condition, ...]) -> str:
    rows = [
        (question_text([pack], each.fact), answer_words(each.among), told(pack, each.rule), _box(each.reason))
        for each in conditions
    ]
    return table(("question", "needed", "rule", "box"), rows) if rows else ""


def _box(reason: str) -> str:
    return f"[`{reason}`](#reason-{reason})" if reason else ""


# ------------------------------------------------------------------------------------------- reach


def _reach_table(pack: Pack, instrument: Instrument) -> str:
    rows = [row for leaf in MEANING for row in _leaf_rows(pack, instrument, leaf)]
    return table(("data", "answer", "rule", "only if"), rows)


def _leaf_rows(pack: Pack, instrument: Instrument, leaf: Category) -> Iterator[tuple[str, str, str, str]]:
    for reach in instrument.reaches:
        if leaf in reach.categories:
            yield f"`{leaf}`", _word(instrument, reach), cited(pack, reach.rule), _only_if(pack, reach)
    for never in instrument.nevers:
        if leaf in never.categories:
            yield f"`{leaf}`", "no", ", ".join(cited(pack, each) for each in never.rules), ""


def _word(instrument: Instrument, reach: Reach) -> str:
    words = {"preservation": "hold only", "removal": "remove only"}
    word = words.get(instrument.demand_kind, "yes" if instrument.compulsion == "compulsory" else "voluntary")
    return f"{word}, to identify" if reach.purpose else word


def _only_if(pack: Pack, reach: Reach) -> str:
    parts = []
    if reach.purpose:
        parts.append("it is asked for the sole purpose of identifying someone")
    if reach.by:
        issuers = ", ".join(plain(each) for each in sorted(reach.by))
        parts.append(
            f"issued or validated by: {issuers} ({cited(pack, reach.by_rule)}){_boxed(reach.by_reason)}"
        )
    parts += [f"{_fact(pack, each)} ({cited(pack, each.rule)}){_boxed(each.reason)}" for each in reach.needs]
    return "; ".join(parts)


def _fact(pack: Pack, condition: Condition) -> str:
    """``question: answers``; the pack's own questions stand above the papers."""
    own = condition.fact in {each.id for each in pack.questions}
    asked = (
        f"[`{condition.fact}`](#question-{condition.fact})" if own else question_text([pack], condition.fact)
    )
    return f"{asked} {answer_words(condition.among)}"


def _boxed(reason: str) -> str:
    return f", box {_box(reason)}" if reason else ""


# -------------------------------------------------------------------------------- form, time, contest


def _elements(pack: Pack, instrument: Instrument) -> str:
    rows = [
        (f"`{each.code}`", each.meaning, _limits(pack, each), cited(pack, each.rule), _box(each.reason))
        for each in instrument.elements
    ]
    return table(("element", "what it is", "asked for only", "rule", "box"), rows) if rows else ""


def _limits(pack: Pack, element: Element) -> str:
    only = f"for {_names(element.categories)}" if element.categories else ""
    unless = [f"{_fact(pack, each)}, or not known" for each in element.when]
    return "; ".join([only, *unless] if only else unless)


def _names(categories: Iterable[Category]) -> str:
    return ", ".join(f"`{each}`" for each in ordered(categories))


def _clocks(pack: Pack, instrument: Instrument) -> str:
    rows = [
        (
            f"[`{clock.id}`](#clock-{clock.id})",
            clock_words(clock),
            _clock_limits(pack, clock),
            clock.rule.text,
        )
        for clock in pack.clocks
        if clock.id in instrument.clocks
    ]
    return table(("clock", "length", "runs only", "rule"), rows) if rows else ""


def clock_words(clock: Clock) -> str:
    """``10 days from the receipt, in whole days after that day``."""
    start = STARTS[clock.starts]
    if not clock.length:
        return start
    unit = clock.unit.replace("_", " ")
    length = f"{clock.length} {unit.removesuffix('s') if clock.length == 1 else unit}"
    counted = COUNTED[clock.counting]
    roll = "; a last day that does not work moves to the next one" if clock.roll else ""
    return f"{length} from {start}, {counted}{roll}"


def _clock_limits(pack: Pack, clock: Clock) -> str:
    only = [f"for {_names(clock.categories)}"] if clock.categories else []
    unless = [f"{_fact(pack, each)}, or not known" for each in clock.when]
    return "; ".join([*only, *unless])


def _objections(pack: Pack, instrument: Instrument) -> str:
    rows = [
        (
            "the host" if each.who == "operator" else "the user",
            told(pack, each.rule),
            _names(each.categories),
            LETTERS[each.letter] if each.letter else "",
        )
        for each in instrument.objections
    ]
    return table(("who", "rule", "only for", "letter"), rows) if rows else ""

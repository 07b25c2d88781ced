"""What two versions of an entry of a pack say differently: rules, clocks, sources, questions, flags, the head.

Each function yields changes without a label; ``changes.under`` names the entry that they belong to.
"""

import datetime as dt
from collections.abc import Iterable, Iterator

from dueprocess.demand import ordered
from dueprocess.law.comparing.changes import Change, changed, named
from dueprocess.law.comparing.diff_papers import ceiling_changes
from dueprocess.law.comparing.diff_reach import when_changes
from dueprocess.law.duedates import Span
from dueprocess.law.pack import (
    Citation,
    Clock,
    Flag,
    Floor,
    NondisclosureBasis,
    Pack,
    Question,
    Reason,
    Rule,
    Source,
)

_STARTS = {
    "received": "from the receipt",
    "issued_on": "from the date of issue",
    "due_on": "the day that the paper names",
    "nondisclosure_start": "from the start of the order not to tell",
    "nondisclosure_end": "the end that the order not to tell names",
    "outside": "from an event that the paper does not record",
}
_COUNTED = {
    "elapsed": "counted from the instant",
    "after_day": "the day of the event not counted",
    "with_day": "the day of the event counted",
}
_HOURS = {"hours": (1, 1), "days": (23, 25), "weeks": (167, 169), "months": (28 * 24 - 1, 31 * 24 + 1)}
"""The fewest and the most hours of a unit; a working day is at least a day, and rarely comes later than five."""
_WORKING_DAY = (23, 5 * 24)
_ROLL = 5 * 24


def rule_changes(old: Rule, new: Rule) -> Iterator[Change]:
    """Text, remedy, source and dates of two versions of a rule."""
    yield from changed("text", "its text", old.text, new.text)
    yield from changed("do", "what to do about it", old.do, new.do)
    if old.citation != new.citation:
        sentence = f"rests on {_citation(new.citation)} now, before on {_citation(old.citation)}"
        yield Change("citation", sentence)
    if old.since != new.since:
        sentence = f"holds from {new.since} now, before from {old.since}"
        yield Change("dates", sentence, new.since < old.since, min(old.since, new.since))
    if old.until != new.until:
        ends = [each for each in (old.until, new.until) if each is not None]
        longer = new.until is None or (old.until is not None and new.until > old.until)
        yield Change("dates", f"holds now {_until(new)}, before {_until(old)}", longer, min(ends))


def whole_rule(rule: Rule) -> str:
    """A rule in one line: its text, its source, its dates."""
    return f"“{rule.text}” [{_citation(rule.citation)}; from {rule.since} {_until(rule)}]"


def _citation(citation: Citation) -> str:
    return f"{citation.label} (source {citation.source}, section {citation.section}, {citation.basis})"


def _until(rule: Rule) -> str:
    return f"until {rule.until}" if rule.until else "without end"


def clock_changes(old: Clock, new: Clock) -> Iterator[Change]:
    """How a period is counted and when it runs; its text, source and dates are those of its rule."""
    yield from rule_changes(old.rule, new.rule)
    before, now = clock_words(old), clock_words(new)
    if before != now:
        yield Change("length", f"{now}; before: {before}", _later(old, new))
    if old.categories != new.categories:
        words = (", ".join(ordered(each.categories)) or "any demand" for each in (new, old))
        fewer = bool(new.categories) and (not old.categories or not old.categories <= new.categories)
        yield Change("clock", "runs for {} now, before for {}".format(*words), fewer)
    yield from when_changes(old.when, new.when)


def clock_words(clock: Clock) -> str:
    """``10 days from the receipt, the day of the event not counted, moved to the next working day``."""
    start = _STARTS[clock.starts]
    if not clock.length:
        return start
    roll = ", a last day off moves to the next working day" if clock.roll else ""
    return f"{Span(clock.length, clock.unit)} {start}, {_COUNTED[clock.counting]}{roll}"


def _later(old: Clock, new: Clock) -> bool:
    """Whether the new due date may come later; where that cannot be told, it may."""
    if old.starts != new.starts:
        return True
    return any(now > before for before, now in zip(_hours(old), _hours(new), strict=True))


def _hours(clock: Clock) -> tuple[int, int]:
    """The fewest and the most hours from the event to the due date."""
    fewest, most = _HOURS.get(clock.unit, _WORKING_DAY)
    first = {"elapsed": 0, "after_day": 24, "with_day": -24}[clock.counting]
    return clock.length * fewest + min(first, 0), clock.length * most + max(first, 0) + _ROLL * clock.roll


def silence_changes(old: NondisclosureBasis, new: NondisclosureBasis) -> Iterator[Change]:
    """A law that lets an authority forbid telling."""
    yield from rule_changes(old.rule, new.rule)
    gained, lost = "!papers may also name it as", "papers can no longer name it as"
    yield from named("nondisclosure", old.names, new.names, gained, lost)
    yield from changed("nondisclosure", "what an order needs", old.requires, new.requires)
    yield from changed("nondisclosure", "the clock to its end", old.end_clock, new.end_clock)
    yield from changed(
        "nondisclosure", "the clock of an order without end", old.review_clock, new.review_clock
    )


def source_changes(old: Source, new: Source) -> Iterator[Change]:
    """A text of law: read again, or read in another version."""
    if old.read_on != new.read_on:
        yield Change("read", f"{_read(new)} now, before {_read(old)}", since=new.read_on)
    for what, before, now in (
        ("short name", old.short, new.short),
        ("title", old.title, new.title),
        ("address", old.address, new.address),
        ("version", old.version, new.version),
        ("reason for not being read", old.not_read, new.not_read),
        ("note", old.note, new.note),
    ):
        yield from changed("source", f"its {what}", before, now)


def _read(source: Source) -> str:
    return f"was read on {source.read_on}" if source.read_on else "was not read"


def question_changes(old: Question, new: Question) -> Iterator[Change]:
    """A question to the reader."""
    yield from changed("question", "its text", old.text, new.text)
    yield from changed("question", "what it is about", old.about, new.about)
    yield from changed("question", "its answers", _choices(old), _choices(new))


def _choices(question: Question) -> str:
    return ", ".join(question.choices) or "yes, no"


def reason_changes(old: Reason, new: Reason) -> Iterator[Change]:
    """A box of an answer form."""
    yield from changed("reason", "its text", old.text, new.text)
    yield from changed("reason", "its rule", old.rule, new.rule)


def flag_changes(old: Flag, new: Flag) -> Iterator[Change]:
    """What a reader may notice, and what follows."""
    yield from changed("flag", "its question", old.question, new.question)
    yield from changed("flag", "its rule", old.rule, new.rule)
    yield from ceiling_changes(old.ceiling, new.ceiling)
    yield from changed("flag", "its box", old.reason, new.reason)
    yield from changed("flag", "its letter", old.letter or "", new.letter or "")


def floor_changes(old: Floor | None, new: Floor | None) -> Iterator[Change]:
    """What no pack may lower."""
    if old == new:
        return
    if old is None or new is None:
        word = "there is no floor any more" if new is None else "there is a floor now"
        yield Change("floor", word, new is None)
        return
    gained, lost = "each compulsory paper must now ask for", "!papers need no longer ask for"
    yield from named("floor", old.elements, new.elements, gained, lost)
    gained, lost = "!content may now also be reached by", "content may no longer be reached by"
    yield from named("floor", sorted(old.content_by), sorted(new.content_by), gained, lost)
    yield from changed("floor", "the rule for what papers must show", old.elements_rule, new.elements_rule)
    yield from changed("floor", "the rule for who may reach content", old.content_rule, new.content_rule)


def head_changes(old: Pack, new: Pack) -> Iterator[Change]:
    """What a pack says of itself, apart from its review and from what moves due dates."""
    if old.version != new.version:
        yield Change("version", f"version {new.version}, before {old.version}")
    else:
        yield Change("version", f"its content changed, and it still calls itself version {new.version}")
    for what, before, now in (
        ("id", old.id, new.id),
        ("title", old.title, new.title),
        ("jurisdiction", old.jurisdiction, new.jurisdiction),
        ("status", old.status, new.status),
    ):
        yield from changed("head", f"its {what}", before, now)


def role_changes(old: Pack, new: Pack) -> Iterator[Change]:
    """What a pack is among the others, and whose law it is."""
    if (old.kind, old.overlays) != (new.kind, new.overlays):
        what, was = (f"{each.kind} {each.overlays}".strip() for each in (new, old))
        yield Change("kind", f"is {what} now, before {was}", widens=True)
    gained, lost = "is now the law of", "is no longer the law of"
    yield from named("countries", old.countries, new.countries, gained, lost)


def review_changes(old: Pack, new: Pack) -> Iterator[Change]:
    """Who reviewed the pack, and when."""
    if (old.reviewed_by, old.reviewed_on) != (new.reviewed_by, new.reviewed_on):
        yield Change("review", f"{_review(new)} now, before {_review(old)}", since=new.reviewed_on)


def _review(pack: Pack) -> str:
    return f"reviewed by {pack.reviewed_by} on {pack.reviewed_on}" if pack.reviewed_by else "not reviewed"


def zone_changes(old: Pack, new: Pack) -> Iterator[Change]:
    """The time zones in which periods are counted. Which way a due date moves depends on the day: it may be later."""
    if (old.zone, old.zones) != (new.zone, new.zones):
        yield Change(
            "zone", f"periods are counted in {_zones(new)} now, before in {_zones(old)}", widens=True
        )


def _zones(pack: Pack) -> str:
    named_ = (f"{zone} for {country}" for country, zone in sorted(pack.zones.items()))
    return ", ".join([pack.zone or "UTC", *named_])


def holiday_changes(old: Pack, new: Pack) -> Iterator[Change]:
    """The region whose working days count."""
    if old.holidays != new.holidays:
        what, was = (each.holidays or "no region" for each in (new, old))
        yield Change("holidays", f"working days are those of {what} now, before of {was}", widens=True)


def layer_changes(old: Iterable[Pack], new: Iterable[Pack]) -> Iterator[Change]:
    """Overlays that are applied to a pack; what they add is told where they add it."""
    before, now = ([f"{each.id} {each.version}" for each in packs] for packs in (old, new))
    yield from named("layer", before, now, "is now under the overlay", "!is no longer under the overlay")


def first_days(rules: Iterable[Rule]) -> dict[str, dt.date]:
    """The first day on which each rule holds, by its id."""
    found: dict[str, dt.date] = {}
    for rule in rules:
        found[rule.id] = min(rule.since, found.get(rule.id, rule.since))
    return found

"""What two versions of an instrument, or of what an overlay adds to one, say differently.

Each function yields changes without a label; ``changes.under`` names the entry that they belong to.
"""

from collections.abc import Iterable, Iterator

from dueprocess.demand import ordered
from dueprocess.law.assessment import Outcome
from dueprocess.law.comparing.changes import Change, changed, named, pairs
from dueprocess.law.comparing.diff_reach import (
    Dated,
    condition_changes,
    condition_rules,
    first_day,
    includes,
    never_changes,
    reach_changes,
    unless,
)
from dueprocess.law.pack import (
    Element,
    Instrument,
    MayKnow,
    NoticeRule,
    NoticeWord,
    Objection,
    Tightening,
)
from dueprocess.law.words import plain

_TELLING: tuple[NoticeWord, ...] = (
    "forbidden_by",
    "delayed_until",
    "allowed_before_production",
    "required",
)
"""From the least that the user hears to the most."""


def paper_changes(old: Instrument, new: Instrument, dated: Dated) -> Iterator[Change]:
    """All that two versions of an instrument say differently apart from their own text, source and dates."""
    yield from changed("name", "its name", old.name, new.name)
    yield from _kinds(old, new)
    yield from issuer_changes(old.issuers, new.issuers)
    yield from _rule_choices(old, new)
    yield from reach_changes(old.reaches, new.reaches, dated)
    yield from never_changes(old.nevers, new.nevers)
    yield from element_changes(old.elements, new.elements, dated)
    yield from condition_changes(old.conditions, new.conditions)
    yield from notice_changes(old.notice, new.notice)
    yield from _objections(old.objections, new.objections)
    yield from _may_know(old.may_know, new.may_know)
    yield from _lists(old, new)
    yield from ceiling_changes(old.ceiling, new.ceiling)


def tightening_changes(old: Tightening, new: Tightening, dated: Dated) -> Iterator[Change]:
    """What an overlay adds now and before to the same instrument."""
    yield from never_changes(old.nevers, new.nevers)
    yield from element_changes(old.elements, new.elements, dated)
    yield from condition_changes(old.conditions, new.conditions)
    yield from _narrowing(old, new)
    if old.notice != new.notice:
        what = f"telling the user: {_notice(new.notice)}, before: {_notice(old.notice)}"
        yield Change("notice", what, new.notice is None)
    yield from named("note", old.notes, new.notes, "notes rules", "no longer notes rules")


def _narrowing(old: Tightening, new: Tightening) -> Iterator[Change]:
    if old.issuers != new.issuers:
        wider = new.issuers is None or (old.issuers is not None and not new.issuers <= old.issuers)
        what = f"of the issuers remain {_issuers(new)}, before {_issuers(old)}"
        yield Change("issuers", what, wider)
    yield from changed("rule", "the rule for who may issue it", old.issuers_rule, new.issuers_rule)


def _issuers(tightening: Tightening) -> str:
    return "all" if tightening.issuers is None else ", ".join(sorted(tightening.issuers))


def _kinds(old: Instrument, new: Instrument) -> Iterator[Change]:
    if old.demand_kind != new.demand_kind:
        yield Change(
            "demand_kind", f"is for {new.demand_kind} now, before for {old.demand_kind}", widens=True
        )
    if old.compulsion != new.compulsion:
        yield Change("compulsion", f"is {new.compulsion} now, before {old.compulsion}")
    if old.emergency != new.emergency:
        word = "is an emergency paper now" if new.emergency else "is no emergency paper any more"
        yield Change("emergency", word, old.emergency)


def issuer_changes(old: Iterable[str], new: Iterable[str]) -> Iterator[Change]:
    """Who may issue it now, and who not any more."""
    gained, lost = "!may now be issued by", "may no longer be issued by"
    yield from named("issuers", sorted(old), sorted(new), gained, lost)


def _rule_choices(old: Instrument, new: Instrument) -> Iterator[Change]:
    for what, before, now in (
        ("who may issue it", old.issuers_rule, new.issuers_rule),
        ("its window", old.window_rule, new.window_rule),
        ("a host without a second person", old.solo, new.solo),
        ("its ceiling", old.ceiling_rule, new.ceiling_rule),
    ):
        yield from changed("rule", f"the rule for {what}", before, now)


def _lists(old: Instrument, new: Instrument) -> Iterator[Change]:
    yield from named(
        "clock", old.clocks, new.clocks, "clocks that run now", "!clocks that do not run any more"
    )
    gained, lost = "!silence can now be ordered under", "silence can no longer be ordered under"
    yield from named("nondisclosure", old.nondisclosure, new.nondisclosure, gained, lost)
    yield from named("note", old.notes, new.notes, "notes rules", "no longer notes rules")
    gained, lost = "is now counted in", "is no longer counted in"
    yield from named("report_cells", old.report_cells, new.report_cells, gained, lost)
    yield from named("letter", old.letters, new.letters, "letters that fit now", "letters that fit no longer")
    gained, lost = "is now the paper of reverse demands", "!is no longer the paper of reverse demands"
    yield from named("reverse", old.reverse, new.reverse, gained, lost)


def ceiling_changes(old: str, new: str) -> Iterator[Change]:
    """The highest outcome that is left, now and before."""
    if old != new:
        higher = Outcome[new.upper()] > Outcome[old.upper()]
        word = f"the highest outcome is {plain(new)} now, before {plain(old)}"
        yield Change("ceiling", word, higher)


# ---------------------------------------------------------------- what is asked for


def element_changes(old: Iterable[Element], new: Iterable[Element], dated: Dated) -> Iterator[Change]:
    """What the paper must show now, no longer, or in other words or cases."""
    both, gone, came = pairs(old, new, lambda each: each.code)
    for one in came:
        sentence = f"must now show {one.code}: {one.meaning}{_scope(one)} (rule {one.rule})"
        yield Change("element", sentence, since=first_day(dated, [one.rule]), categories=one.categories)
    for one in gone:
        sentence = f"need no longer show {one.code}: {one.meaning}"
        yield Change("element", sentence, widens=True, categories=one.categories)
    for before, now in both:
        yield from _element(before, now)


def _element(old: Element, new: Element) -> Iterator[Change]:
    yield from changed("element", f"what it must show as {new.code}", old.meaning, new.meaning)
    yield from changed("element", f"the rule for {new.code}", old.rule, new.rule)
    yield from changed("reason", f"the box for {new.code}", old.reason, new.reason)
    if _scope(old) != _scope(new):
        all_before, all_now = not old.categories, not new.categories
        fewer = not all_now and (all_before or not old.categories <= new.categories)
        sentence = f"must show {new.code}{_scope(new) or ' always'}, before{_scope(old) or ' always'}"
        yield Change("element", sentence, fewer or not includes(old.when, new.when))
    yield from condition_rules(old.when, new.when)


def _scope(element: Element) -> str:
    what = f" where {', '.join(ordered(element.categories))} is demanded" if element.categories else ""
    return what + unless(element.when)


# ---------------------------------------------------------------- what follows


def notice_changes(old: NoticeRule, new: NoticeRule) -> Iterator[Change]:
    """Whether the user is told, now and before. Telling less is wider."""
    if old != new:
        less = _TELLING.index(new.word) < _TELLING.index(old.word)
        sure = new.settled and not old.settled
        yield Change("notice", f"telling the user: {_notice(new)}, before: {_notice(old)}", less or sure)


def _notice(notice: NoticeRule | None) -> str:
    if notice is None:
        return "as the pack says"
    return f"{plain(notice.word)}{'' if notice.settled else ', not settled'} (rule {notice.rule})"


def _objections(old: Iterable[Objection], new: Iterable[Objection]) -> Iterator[Change]:
    both, gone, came = pairs(old, new, lambda each: each.code)
    for before, now in both:
        yield Change("objection", f"{_objection(now)}, before {_objection(before)}")
    for word, entries in (("can no longer be contested", gone), ("can now be contested", came)):
        for each in entries:
            yield Change("objection", f"{word}: {_objection(each)}", categories=each.categories)


def _objection(each: Objection) -> str:
    what = f" where {', '.join(ordered(each.categories))} is demanded" if each.categories else ""
    letter = f", letter {each.letter}" if each.letter else ""
    return f"{each.code} by the {each.who}{what} (rule {each.rule}{letter})"


def _may_know(old: Iterable[MayKnow], new: Iterable[MayKnow]) -> Iterator[Change]:
    both, gone, came = pairs(old, new, lambda each: each.who)
    for each in came:
        yield Change("may_know", f"{plain(each.who)} may now know (rule {each.rule})")
    for each in gone:
        yield Change("may_know", f"{plain(each.who)} may no longer know (rule {each.rule})")
    for before, now in both:
        yield from changed("may_know", f"the rule by which {plain(now.who)} may know", before.rule, now.rule)

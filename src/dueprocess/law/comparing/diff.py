"""What changed between two versions of a pack, in words that a lawyer reads, and which instruments it touches.

What widens comes first. The comparison reads the parsed packs, so that spaces, comments and the order of keys do
not count.

Source: docs/decisions/0016.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from dueprocess.demand import Category, ordered
from dueprocess.law.comparing import diff_entries as entries
from dueprocess.law.comparing.changes import Change, OpenCase, Way, touches, under
from dueprocess.law.comparing.diff_papers import paper_changes, tightening_changes
from dueprocess.law.comparing.diff_reach import Dated
from dueprocess.law.comparing.references import References
from dueprocess.law.pack import (
    Clock,
    Flag,
    Instrument,
    NondisclosureBasis,
    Pack,
    Question,
    Reason,
    Rule,
    Source,
    Tightening,
)

__all__ = ["Change", "OpenCase", "diff_packs", "touches"]

type _Codes = dict[str, set[str]]


def diff_packs(old: Pack, new: Pack) -> tuple[Change, ...]:
    """Every difference between two versions of a pack; empty where they say the same. What widens comes first.

    An overlay alone does not tell whose demands it meets, so its changes name no law; packs to which overlays were
    applied (``effective``) do.
    """
    if old == new:
        return ()
    law = new.id if old.kind == new.kind == "regime" else ""
    found = sorted(_Difference(old, new).changes(), key=lambda each: not each.widens)
    return tuple(replace(each, pack=law) for each in found)


class _Difference:
    """Two versions of a pack, and what their entries touch."""

    def __init__(self, old: Pack, new: Pack) -> None:
        self.old, self.new = old, new
        self._touched = References(old), References(new)
        self._codes = self._touched[0].codes | self._touched[1].codes
        floors = [each for each in (old.floor, new.floor) if each]
        self._general = {each.rule for each in (*old.flags, *new.flags)}
        self._general |= {rule for each in floors for rule in (each.elements_rule, each.content_rule)}
        self._flag_boxes = {each.reason for each in (*old.flags, *new.flags)}
        self._first_days = entries.first_days(new.rules)

    def changes(self) -> Iterator[Change]:
        """All changes, those of the head first."""
        yield from self._head()
        yield from self._rules()
        yield from self._clocks()
        yield from self._silences()
        yield from self._papers()
        yield from self._tightenings()
        yield from self._asked()
        yield from self._sources()

    def _of(self, index: Callable[[References], _Codes], name: str) -> set[str]:
        return {code for each in self._touched for code in index(each).get(name, ())}

    def _everywhere(self, changes: Iterable[Change], label: str) -> list[Change]:
        """Changes of what a law says to all its papers, a baseline or an overlay also to those of others."""
        general = not self.old.kind == self.new.kind == "regime"
        return [replace(each, every=general) for each in under(changes, label, self._codes)]

    def _head(self) -> Iterator[Change]:
        old, new, label = self.old, self.new, f"Pack {self.new.id}"
        yield from under(entries.head_changes(old, new), label)
        yield from self._everywhere(entries.role_changes(old, new), label)
        yield from self._everywhere(entries.review_changes(old, new), label)
        yield from self._everywhere(entries.layer_changes(old.layers, new.layers), label)
        yield from self._everywhere(entries.floor_changes(old.floor, new.floor), f"Floor of {new.id}")
        one, other = self._touched
        yield from under(entries.zone_changes(old, new), label, one.counted | other.counted)
        yield from under(entries.holiday_changes(old, new), label, one.rolling | other.rolling)

    def _rules(self) -> Iterator[Change]:
        for rule, found in _RULES.differences(self.old.rules, self.new.rules):
            label = f"Rule {rule.id}"
            codes = self._of(lambda each: each.rules, rule.id)
            general = rule.id in self._general
            yield from (
                self._everywhere(found, label) if general else under(found, label, codes, since=rule.since)
            )

    def _clocks(self) -> Iterator[Change]:
        for clock, found in _CLOCKS.differences(self.old.clocks, self.new.clocks):
            codes = self._of(lambda each: each.clocks, clock.id)
            yield from under(found, f"Clock {clock.id}", codes, since=clock.rule.since)

    def _silences(self) -> Iterator[Change]:
        for silence, found in _SILENCES.differences(self.old.nondisclosure, self.new.nondisclosure):
            codes = self._of(lambda each: each.silences, silence.id)
            yield from under(found, f"Nondisclosure {silence.id}", codes, since=silence.rule.since)

    def _papers(self) -> Iterator[Change]:
        def compare(old: Instrument, new: Instrument) -> Iterator[Change]:
            yield from entries.rule_changes(old.rule, new.rule)
            yield from paper_changes(old, new, self._dated(new))

        way: Way[Instrument] = Way(
            lambda each: each.code, _paper_words, compare, lambda each: each.rule.since
        )
        for paper, found in way.differences(self.old.instruments, self.new.instruments):
            for each in under(found, f"Instrument {paper.code}", (paper.code,)):
                # A new kind of paper widens by what it reaches.
                yield replace(
                    each, widens=each.widens or (each.kind == "instrument.added" and bool(paper.reaches))
                )

    def _dated(self, paper: Instrument) -> Dated:
        first = self._first_days
        return lambda rule: max(first[rule], paper.rule.since) if rule in first else None

    def _tightenings(self) -> Iterator[Change]:
        found: dict[Change, set[str]] = {}
        for code in sorted(
            {code for pack in (self.old, self.new) for each in pack.tightenings for code in each.instruments}
        ):
            old, new = (_tightened(pack, code) for pack in (self.old, self.new))
            for change in tightening_changes(old, new, self._first_days.get):
                found.setdefault(change, set()).add(code)
        for change, codes in found.items():
            yield from under([change], f"Overlay on {', '.join(sorted(codes))}", codes)

    def _asked(self) -> Iterator[Change]:
        for question, found in _QUESTIONS.differences(self.old.questions, self.new.questions):
            codes = self._of(lambda each: each.facts, question.id)
            yield from under(found, f"Question {question.id}", codes)
        for reason, boxes in _REASONS.differences(self.old.reasons, self.new.reasons):
            codes = self._of(lambda each: each.reasons, reason.code)
            general = reason.code in self._flag_boxes
            label = f"Box {reason.code}"
            yield from self._everywhere(boxes, label) if general else under(boxes, label, codes)
        for flag, flags in _FLAGS.differences(self.old.flags, self.new.flags):
            yield from self._everywhere(flags, f"Flag {flag.id}")

    def _sources(self) -> Iterator[Change]:
        for source, found in _SOURCES.differences(self.old.sources, self.new.sources):
            codes = self._of(lambda each: each.sources, source.key)
            yield from under(found, f"Source {source.key}", codes)


# Not `Way[Rule](…)`: Python 3.12 would write that into the value, which is frozen.
_RULES: Way[Rule] = Way(
    lambda each: each.id, entries.whole_rule, entries.rule_changes, lambda each: each.since
)
_CLOCKS: Way[Clock] = Way(
    lambda each: each.id,
    lambda each: f"{entries.clock_words(each)}. {entries.whole_rule(each.rule)}",
    entries.clock_changes,
    lambda each: each.rule.since,
    wider="removed",
)
_SILENCES: Way[NondisclosureBasis] = Way(
    lambda each: each.id,
    lambda each: entries.whole_rule(each.rule),
    entries.silence_changes,
    lambda each: each.rule.since,
    wider="added",
)
_QUESTIONS: Way[Question] = Way(lambda each: each.id, lambda each: each.text, entries.question_changes)
_REASONS: Way[Reason] = Way(lambda each: each.code, lambda each: each.text, entries.reason_changes)
_FLAGS: Way[Flag] = Way(
    lambda each: each.id, lambda each: each.question, entries.flag_changes, wider="removed"
)
_SOURCES: Way[Source] = Way(
    lambda each: each.key, lambda each: f"{each.title}, {each.version}", entries.source_changes
)


def _paper_words(paper: Instrument) -> str:
    reached = ordered(frozenset[Category]().union(*(each.categories for each in paper.reaches)))
    what = f"reaches {', '.join(reached)}" if reached else "reaches nothing"
    return f"{paper.name}, {what}, issued by {', '.join(sorted(paper.issuers))}. {entries.whole_rule(paper.rule)}"


def _tightened(pack: Pack, code: str) -> Tightening:
    """All that an overlay adds to one instrument, as one entry."""
    added = [each for each in pack.tightenings if code in each.instruments]
    narrowed = [each.issuers for each in added if each.issuers is not None]
    return Tightening(
        instruments=(code,),
        nevers=tuple(one for each in added for one in each.nevers),
        elements=tuple(one for each in added for one in each.elements),
        conditions=tuple(one for each in added for one in each.conditions),
        issuers=frozenset.intersection(*narrowed) if narrowed else None,
        issuers_rule=", ".join(each.issuers_rule for each in added if each.issuers_rule),
        notice=next((each.notice for each in added if each.notice), None),
        notes=tuple(one for each in added for one in each.notes),
    )

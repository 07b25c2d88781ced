"""References: which instruments a rule, a clock, a source, a question ... of a pack reaches, directly or on the way."""

from collections.abc import Iterable

from dueprocess.law.duedates import Span
from dueprocess.law.pack import Clock, Condition, Instrument, Pack, Tightening
from dueprocess.law.parsing.mentions import (
    instrument_conditions,
    instrument_rules,
    tightening_conditions,
    tightening_rules,
)


class References:
    """What the entries of a pack touch: sets of codes of instruments, for each name that can change."""

    def __init__(self, pack: Pack) -> None:
        self.codes = {each.code for each in pack.instruments}
        self.codes |= {code for each in pack.tightenings for code in each.instruments}
        self.rules: dict[str, set[str]] = {}
        self.clocks: dict[str, set[str]] = {}
        self.silences: dict[str, set[str]] = {}
        self.facts: dict[str, set[str]] = {}
        self.reasons: dict[str, set[str]] = {}
        self.sources: dict[str, set[str]] = {}
        self.counted: set[str] = set()
        """Instruments with a clock, so that the zone matters."""
        self.rolling: set[str] = set()
        """Instruments with a clock that needs a calendar."""
        for paper in pack.instruments:
            self._instrument(pack, paper)
        for tightening in pack.tightenings:
            self._tightening(tightening)
        self._boxes(pack)
        self._sources(pack)

    def _instrument(self, pack: Pack, paper: Instrument) -> None:
        codes = (paper.code,)
        _note(self.rules, (rule for _, rule in instrument_rules(paper)), codes)
        self._conditions((each for _, each in instrument_conditions(paper)), codes)
        boxes = (*(each.by_reason for each in paper.reaches), *(each.reason for each in paper.elements))
        _note(self.reasons, boxes, codes)
        _note(self.silences, paper.nondisclosure, codes)
        silent = [each for each in pack.nondisclosure if each.id in paper.nondisclosure]
        used = {*paper.clocks, *(name for each in silent for name in (each.end_clock, each.review_clock))}
        for clock in pack.clocks:
            if clock.id in used:
                self._clock(clock, codes)

    def _clock(self, clock: Clock, codes: tuple[str, ...]) -> None:
        _note(self.clocks, (clock.id,), codes)
        _note(self.rules, (each.rule for each in clock.when), codes)
        self._conditions(clock.when, codes)
        self.counted.update(codes)
        if Span(clock.length, clock.unit, clock.counting, clock.roll).needs_calendar:
            self.rolling.update(codes)

    def _tightening(self, added: Tightening) -> None:
        _note(self.rules, (rule for _, rule in tightening_rules(added)), added.instruments)
        self._conditions((each for _, each in tightening_conditions(added)), added.instruments)
        _note(self.reasons, (each.reason for each in added.elements), added.instruments)

    def _conditions(self, conditions: Iterable[Condition], codes: Iterable[str]) -> None:
        for each in conditions:
            _note(self.facts, (each.fact,), codes)
            _note(self.reasons, (each.reason,), codes)

    def _boxes(self, pack: Pack) -> None:
        for each in pack.reasons:
            # A box that no entry names is ticked by hand, on the form of any of its papers.
            codes = self.reasons.setdefault(each.code, set(self.codes))
            _note(self.rules, (each.rule,), codes)

    def _sources(self, pack: Pack) -> None:
        for rule in pack.rules:
            _note(self.sources, (rule.citation.source,), self.rules.get(rule.id, ()))
        for clock in pack.clocks:
            _note(self.sources, (clock.rule.citation.source,), self.clocks.get(clock.id, ()))
        for silence in pack.nondisclosure:
            _note(self.sources, (silence.rule.citation.source,), self.silences.get(silence.id, ()))
        for paper in pack.instruments:
            _note(self.sources, (paper.rule.citation.source,), (paper.code,))


def _note(index: dict[str, set[str]], names: Iterable[str], codes: Iterable[str]) -> None:
    for name in names:
        index.setdefault(name, set()).update(codes)

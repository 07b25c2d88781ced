"""Overlays laid over the packs that they make stricter.

An overlay adds: what is never reached, what the paper must carry, what must hold, what a reader may notice. It takes
away issuers and categories. There is no operation here that could widen, and `proof` checks the result again.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from dueprocess.demand import Category
from dueprocess.law.pack import Instrument, Never, Pack, Reach, Tightening


def overlays_of(packs: Iterable[Pack], base_id: str) -> list[Pack]:
    """All overlays of a pack, those over overlays included: lowest first, then by id. They form no cycle."""
    everyone = sorted((each for each in packs if each.kind == "overlay"), key=lambda each: each.id)
    found: list[Pack] = []
    for each in everyone:
        if each.overlays == base_id:
            found += [each, *overlays_of(everyone, each.id)]
    return found


def laid_over(base: Pack, overlay: Pack) -> Pack:
    """The base with what the overlay adds. It keeps the base's id, version and digest and lists its layers."""
    keys, asked = {each.key for each in base.sources}, {each.id for each in base.questions}
    boxes = {each.code for each in base.reasons}
    return replace(
        base,
        sources=(*base.sources, *(each for each in overlay.sources if each.key not in keys)),
        rules=(*base.rules, *overlay.rules),
        questions=(*base.questions, *(each for each in overlay.questions if each.id not in asked)),
        reasons=(*base.reasons, *(each for each in overlay.reasons if each.code not in boxes)),
        flags=(*base.flags, *overlay.flags),
        instruments=tuple(_tightened(each, overlay.tightenings) for each in base.instruments),
        layers=(*base.layers, overlay),
    )


def _tightened(instrument: Instrument, tightenings: Iterable[Tightening]) -> Instrument:
    for each in tightenings:
        if instrument.code in each.instruments:
            instrument = _with(instrument, each)
    return instrument


def _with(instrument: Instrument, added: Tightening) -> Instrument:
    instrument = _narrowed(instrument, added)
    notice = added.notice if added.notice and instrument.notice.word != "required" else instrument.notice
    return replace(
        instrument,
        notice=notice,
        reaches=tuple(_without(instrument.reaches, added.nevers)),
        nevers=(*instrument.nevers, *added.nevers),
        elements=(*instrument.elements, *added.elements),
        conditions=(*instrument.conditions, *added.conditions),
        notes=(*instrument.notes, *added.notes),
    )


def _narrowed(instrument: Instrument, added: Tightening) -> Instrument:
    if added.issuers is None:
        return instrument
    return replace(instrument, issuers=instrument.issuers & added.issuers, issuers_rule=added.issuers_rule)


def _without(reaches: Iterable[Reach], nevers: Iterable[Never]) -> Iterator[Reach]:
    gone = frozenset[Category]().union(*(each.categories for each in nevers))
    for reach in reaches:
        if left := reach.categories - gone:
            yield replace(reach, categories=left)

"""Which pack answers for a paper: one of the regime that it invokes, else the baseline, else none.

Source: law.md 1.2 (there is no default law).
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dueprocess.demand import PaperFacts
from dueprocess.errors import RefusedError
from dueprocess.law.baseline import baselines
from dueprocess.law.pack import Instrument, Pack, regime_packs


@dataclass(frozen=True, slots=True)
class Choice:
    """The pack and the instrument that answer, or why none does."""

    answer: tuple[Pack, Instrument] | None
    lack: str
    """Code of the reason why none answers; empty where one does."""
    applied: tuple[Pack, ...]
    """The pack that answers, its overlays, the baseline. Empty where none answers."""
    asked: tuple[Pack, ...]
    """All packs on which the answer rests, also by their silence: first those that are applied."""

    @property
    def flagging(self) -> tuple[Pack, ...]:
        """The packs whose flags count: the baseline, then the one that answers; it holds those of its overlays."""
        own = [] if self.answer is None or self.answer[0].kind == "baseline" else [self.answer[0]]
        return (*(each for each in self.applied if each.kind == "baseline"), *own)


def choose(demand: PaperFacts, packs: Sequence[Pack], on: dt.date) -> Choice:
    """The only pack of the regime with an instrument in force on the day; where none has one, the only baseline.

    Refuses a pack that an overlay should have made stricter and did not: the overlay would not count.
    """
    _refuse_loose_overlays(packs)
    regime = tuple(each for each in regime_packs(packs, demand.regime) if each.kind == "regime")
    floor = baselines(packs)
    beneath = (*floor, *_layers(floor))
    asked = (*regime, *_layers(regime), *beneath)
    for among in (regime, floor):
        able = [
            (pack, found) for pack in among if (found := pack.instrument(demand.instrument, on)) is not None
        ]
        if len(able) > 1:
            return Choice(None, "several-packs", (), asked)
        if able and able[0][0].kind == "baseline":
            return Choice(able[0], "", beneath, (*beneath, *regime, *_layers(regime)))
        if able:
            applied = (able[0][0], *able[0][0].layers, *beneath)
            return Choice(able[0], "", applied, applied)
    return Choice(None, _lack(regime, floor, demand.instrument), (), asked)


def _layers(packs: Iterable[Pack]) -> tuple[Pack, ...]:
    return tuple(layer for pack in packs for layer in pack.layers)


def _lack(regime: tuple[Pack, ...], floor: tuple[Pack, ...], code: str) -> str:
    if any(pack.knows(code) for pack in (*regime, *floor)):
        return "not-in-force"
    return "unknown-instrument" if regime else "no-pack"


def _refuse_loose_overlays(packs: Sequence[Pack]) -> None:
    for each in packs:
        if each.kind == "overlay":
            raise RefusedError(
                "overlay-not-applied",
                f"The overlay {each.id} was not applied to its pack.",
                why="It makes a pack stricter; beside the pack it would count for nothing.",
                do="Apply the overlays before you assess.",
            )

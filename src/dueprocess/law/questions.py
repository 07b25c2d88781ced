"""What is still to be asked: the pack's questions on which an instrument's answer depends.

Source: law.md 1.1 (an unknown fact is asked for, never assumed).
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence

from dueprocess.demand import Demand, ReverseDemand
from dueprocess.law.choose import choose
from dueprocess.law.matter import Matter
from dueprocess.law.pack import Clock, Condition, Pack, Question

BUILT_IN_QUESTIONS: dict[str, str] = {
    "emergency": "Does the paper claim an emergency?",
    "identifies": "Does the paper declare that its sole purpose is to identify someone?",
    "country": "Which country is the authority of?",
    "issuer_kind": "Who issued the paper?",
    "validated_by": "Who validated the paper?",
}
"""What to ask for the facts of every demand that a condition may name; the rest a pack asks itself."""


def open_questions(
    demand: Demand | ReverseDemand, packs: Sequence[Pack], on: dt.date
) -> tuple[Question, ...]:
    """The questions without an answer that matter to this paper, in the order of the pack.

    Empty where no pack answers for the paper. Facts of every demand are not among them: a form has fields of its own.
    """
    answer = choose(demand, packs, on).answer
    if answer is None:
        return ()
    pack, instrument = answer
    wanted = {each.fact for each in _conditions(Matter(demand, pack, instrument, on))}
    return tuple(each for each in pack.questions if each.id in wanted and each.id not in demand.answers)


def question_text(packs: Iterable[Pack], name: str) -> str:
    """The question behind a fact, as a reader is asked."""
    asked = (each.text for pack in packs for each in pack.questions if each.id == name)
    return next(asked, BUILT_IN_QUESTIONS.get(name, name))


def _conditions(matter: Matter) -> Iterator[Condition]:
    """All that the answer for these demanded categories depends on."""
    instrument = matter.instrument
    yield from instrument.conditions
    for reach in instrument.reaches:
        if not reach.categories.isdisjoint(matter.demanded):
            yield from reach.needs
    for element in instrument.elements:
        if matter.concerns(element.categories):
            yield from element.when
    for clock in _clocks(matter):
        if matter.concerns(clock.categories):
            yield from clock.when


def _clocks(matter: Matter) -> Iterator[Clock]:
    found = (matter.pack.clock(each, matter.on) for each in matter.instrument.clocks)
    yield from (each for each in found if each is not None)

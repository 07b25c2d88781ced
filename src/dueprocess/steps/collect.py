"""Collecting by hand: one answer about one table, recorded while the whole gate stands open."""

from dueprocess.cases import collect as moves
from dueprocess.cases.case import Case
from dueprocess.cases.collect import Collected
from dueprocess.cases.events import Draft, Event
from dueprocess.history.append import Hand
from dueprocess.steps.produce import LastLook
from dueprocess.steps.take import take


def collect(case_id: str, hand: Hand, made: Collected, *, look: LastLook) -> Event:
    """Records it, if the gate opens at this very moment; what was collected is in the vault already."""

    def move(case: Case) -> list[Draft]:
        moves.refuse_late(case.target(made.ref))
        look(case)
        return moves.collect(case, made)

    return take(case_id, move, hand)[-1]

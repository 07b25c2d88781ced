"""Ending a hold before its time: two people sign, then the worker destroys what it kept."""

from dueprocess.cases import holdpapers as moves
from dueprocess.cases.events import Event
from dueprocess.cases.holdpapers import Signed
from dueprocess.history.append import Hand
from dueprocess.steps.take import take


def release(case_id: str, hand: Hand, ref: str, signed: Signed) -> Event:
    """Records that two people ended the hold. Nothing is destroyed in here."""
    return take(case_id, lambda case: moves.release(case, ref, signed), hand)[-1]

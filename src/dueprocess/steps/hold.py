"""A hold, step by step: begun by one person, taken by the worker, confirmed by a second, renewed, over, destroyed."""

import datetime as dt

from dueprocess.cases import hold as moves
from dueprocess.cases import holdpapers
from dueprocess.cases.case import Case
from dueprocess.cases.decide import Signing
from dueprocess.cases.events import Draft, Event
from dueprocess.cases.hold import Taken
from dueprocess.cases.holdpapers import Signed
from dueprocess.history.append import Hand
from dueprocess.steps.take import take as take_step


def start(case_id: str, hand: Hand, signing: Signing, until: dt.datetime) -> Event:
    """Records the one signature that begins a hold; its document is in the vault already."""
    return take_step(case_id, lambda case: moves.start(case, signing, until), hand)[-1]


def confirm(case_id: str, hand: Hand, signing: Signing) -> Event:
    """Records the second person's signature."""
    return take_step(case_id, lambda case: moves.confirm(case, signing), hand)[-1]


def take(case_id: str, hand: Hand, made: Taken) -> Event:
    """Records the one snapshot, once all of it is in the vault."""
    return take_step(case_id, lambda case: moves.take(case, made, hand.now), hand)[-1]


def renew(case_id: str, hand: Hand, ref: str, signed: Signed, until: dt.datetime) -> Event:
    """Records that two people let the hold last longer."""
    return take_step(case_id, lambda case: holdpapers.renew(case, ref, signed, until), hand)[-1]


def served(case_id: str, hand: Hand, ref: str, hold_id: str) -> list[Event]:
    """Records in the renewed paper's own case that its hold goes on elsewhere; nothing where it is recorded."""
    return take_step(case_id, lambda case: holdpapers.served(case, ref, hold_id), hand)


def end(case_id: str, hand: Hand, ref: str) -> Event:
    """Records that the hold lapsed or expired. Nothing is destroyed in here."""
    return take_step(case_id, lambda case: moves.end(case, ref, hand.now), hand)[-1]


def destroyed(case_id: str, hand: Hand, ref: str, *, objects: int) -> list[Event]:
    """Records that what the hold kept is destroyed; nothing where that is recorded already."""

    def move(case: Case) -> list[Draft]:
        hold = case.target(ref).hold
        gone = hold is not None and hold.destroyed is not None
        return [] if gone else moves.destroyed(case, ref, objects=objects)

    return take_step(case_id, move, hand)

"""Erasing a case: the event, its record and every kept opening in one transaction. Nothing is destroyed in here."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dueprocess.cases import erase as moves
from dueprocess.cases.events import Event
from dueprocess.history.append import Hand, load, write
from dueprocess.history.connection import append_lock
from dueprocess.history.ledger import records_of
from dueprocess.history.recommit import keep_openings
from dueprocess.roster import Roster, Signature
from dueprocess.steps.take import known


@dataclass(frozen=True, slots=True)
class Signed:
    """An erasure's document with the signatures that were given on it."""

    document: dict[str, Any]
    signatures: Sequence[Signature]


def erase(case_id: str, hand: Hand, signed: Signed, *, origin: str, roster: Roster, reported: bool) -> Event:
    """Records that two people erased a finished case, and keeps of each record what stays provable.

    Whoever calls this destroys the case's key and contents after the commit, never before.
    """
    with append_lock():
        loaded = load(case_id)
        case = known(loaded)
        sealed = all(row.epoch is not None for row in records_of(case_id).values())
        facts = moves.Erasing(origin, roster, hand.now, sealed, reported)
        event = write(loaded, moves.erase(case, signed.document, signed.signatures, facts), hand)[-1]
        keep_openings(loaded.events, hand.case_key)
        return event

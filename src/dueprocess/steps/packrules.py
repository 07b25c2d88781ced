"""Decisions about rule packs: one comes in force, one ends. Each is signed by two people."""

from dueprocess.cases.events import Draft, Event
from dueprocess.cases.rosters import fold_packs
from dueprocess.history.append import Hand, append, load_events
from dueprocess.history.connection import append_lock


def decide_about_packs(stream: str, hand: Hand, draft: Draft, *, origin: str, root: str) -> Event:
    """Adds one decision about packs; chain and rules are checked with it before anything is committed."""
    with append_lock():
        event = append(stream, [draft], hand)[-1]
        fold_packs(load_events(stream), origin=origin, root=root)
        return event

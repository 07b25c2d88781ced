"""Rosters: founding, enrolment, revocation, suspension. Each is signed by two existing people."""

from dueprocess.cases.events import Draft, Event
from dueprocess.cases.rosters import fold_rosters
from dueprocess.errors import ConflictError
from dueprocess.history.append import Hand, append, load_events
from dueprocess.history.connection import append_lock


def found(stream: str, hand: Hand, draft: Draft, *, origin: str, root: str) -> Event:
    """Writes the founders, once."""
    with append_lock():
        if load_events(stream):
            raise ConflictError("founded", "This installation has its founders already.")
        return _checked(stream, hand, draft, origin=origin, root=root)


def enrol(stream: str, hand: Hand, draft: Draft, *, origin: str, root: str) -> Event:
    """Adds one roster event; the whole chain is checked with it before anything is committed."""
    with append_lock():
        return _checked(stream, hand, draft, origin=origin, root=root)


def _checked(stream: str, hand: Hand, draft: Draft, *, origin: str, root: str) -> Event:
    event = append(stream, [draft], hand)[-1]
    fold_rosters(load_events(stream), origin=origin, root=root)
    return event

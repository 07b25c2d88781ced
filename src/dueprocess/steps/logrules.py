"""Decisions about the log: its policy, going on without witnesses, recovery. Each is signed by two people."""

from dueprocess.cases.events import Draft, Event
from dueprocess.cases.rosters import fold_log_rules
from dueprocess.history.append import Hand, append, load_events
from dueprocess.history.connection import append_lock


def decide_about_log(
    stream: str, hand: Hand, draft: Draft, *, origin: str, root: str, policy: bytes
) -> Event:
    """Adds one decision about the log; chain and rules are checked with it before anything is committed.

    ``root`` and ``policy`` are the pinned founders' digest and founding policy.
    """
    with append_lock():
        event = append(stream, [draft], hand)[-1]
        fold_log_rules(load_events(stream), origin=origin, root=root, policy=policy)
        return event

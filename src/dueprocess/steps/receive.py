"""Step 1: a demand arrived."""

from dueprocess.cases.events import Event
from dueprocess.cases.receive import receive as move
from dueprocess.history.append import Hand, append, load_events
from dueprocess.history.connection import append_lock


def receive(
    case_id: str, hand: Hand, *, paper_sha256: str, nonce: bytes, channel: str, media: str, size_bytes: int
) -> Event:
    """Opens a case. Taken again with the same id and paper, it returns what is there."""
    drafts = move(paper_sha256, nonce=nonce, channel=channel, media=media, size_bytes=size_bytes)
    with append_lock():
        there = load_events(case_id)
        return there[0] if there else append(case_id, drafts, hand, expected=0)[0]

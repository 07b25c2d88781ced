"""Step 11: an objection, and its outcome."""

from dueprocess.cases import challenge as moves
from dueprocess.cases.events import Event
from dueprocess.history.append import Hand
from dueprocess.steps.take import take


def open_challenge(case_id: str, hand: Hand, ref: str, *, by: str, ground: str) -> Event:
    """Holds the disclosure of one target."""
    return take(case_id, lambda case: moves.open_challenge(case, ref, by=by, ground=ground), hand)[-1]


def close_challenge(case_id: str, hand: Hand, ref: str, *, upheld: bool) -> Event:
    """Releases the hold, or withdraws the decision where the challenge was upheld."""
    return take(case_id, lambda case: moves.close_challenge(case, ref, upheld=upheld), hand)[-1]

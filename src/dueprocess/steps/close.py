"""Step 12: close a case and register its coarse row."""

from dueprocess.cases import close as moves
from dueprocess.cases.events import Event
from dueprocess.history.append import Hand
from dueprocess.steps.take import take


def close(case_id: str, hand: Hand) -> Event:
    """Closes a case in which nothing is owed any more."""
    return take(case_id, moves.close, hand)[-1]


def register(case_id: str, hand: Hand, *, period: str, row_sha256: str) -> Event:
    """Commits the salted digest of the case's register row."""
    return take(case_id, lambda case: moves.register(case, period=period, row_sha256=row_sha256), hand)[-1]

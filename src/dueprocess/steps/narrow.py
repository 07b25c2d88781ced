"""Step 5: the authorised scope of one target."""

from dueprocess.cases.events import Event
from dueprocess.cases.narrow import Narrowing
from dueprocess.cases.narrow import narrow as move
from dueprocess.history.append import Hand
from dueprocess.steps.take import take


def narrow(case_id: str, hand: Hand, narrowing: Narrowing, *, expected: int) -> Event:
    """Records one target's authorised scope with the reason for each cut."""
    return take(case_id, lambda case: move(case, narrowing), hand, expected=expected)[-1]

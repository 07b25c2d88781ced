"""Step 8 of a decision to resolve: the accounts that were found become targets of the case."""

from dueprocess.cases.events import Event
from dueprocess.cases.resolve import Found
from dueprocess.cases.resolve import resolve as move
from dueprocess.history.append import Hand
from dueprocess.steps.take import take


def resolve(
    case_id: str, hand: Hand, ref: str, found: Found, *, several: bool, ambiguous: bool = False
) -> Event:
    """Records that the question was answered, by one word and references."""
    return take(case_id, lambda case: move(case, ref, found, several=several, ambiguous=ambiguous), hand)[-1]

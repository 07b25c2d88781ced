"""Step 4: what the rule packs say."""

from dueprocess.cases.assess import assess as move
from dueprocess.cases.events import Event
from dueprocess.history.append import Hand
from dueprocess.law import Assessment
from dueprocess.steps.take import take


def assess(case_id: str, hand: Hand, assessment: Assessment, *, expected: int) -> Event:
    """Records an assessment of the reading that the caller saw."""
    return take(case_id, lambda case: move(case, assessment), hand, expected=expected)[-1]

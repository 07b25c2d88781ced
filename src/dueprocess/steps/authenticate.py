"""Step 2: evidence about the requester."""

from collections.abc import Sequence

from dueprocess.cases.authenticate import authenticate as move
from dueprocess.cases.events import Event
from dueprocess.history.append import Hand
from dueprocess.roster import Entry
from dueprocess.steps.take import take


def authenticate(case_id: str, hand: Hand, *, authority: Entry | None, findings: Sequence[str]) -> Event:
    """Records what a person found out about the requester."""
    return take(case_id, lambda _: move(authority=authority, findings=findings), hand)[-1]

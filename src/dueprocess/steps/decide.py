"""Step 6: propose, approve, reject. Two different people for a disclosure, one for a refusal."""

from dueprocess.cases import decide as moves
from dueprocess.cases.decide import Signing
from dueprocess.cases.events import Event
from dueprocess.history.append import Hand
from dueprocess.steps.take import take


def propose(case_id: str, hand: Hand, signing: Signing) -> Event:
    """Records the first signature under a decision document that is in the vault already."""
    return take(case_id, lambda case: moves.propose(case, signing), hand)[-1]


def approve(case_id: str, hand: Hand, signing: Signing) -> Event:
    """Records the second signature, of another person."""
    return take(case_id, lambda case: moves.approve(case, signing), hand)[-1]


def reject(case_id: str, hand: Hand, signing: Signing, *, reason: str) -> Event:
    """Records a refusal by one person."""
    return take(case_id, lambda case: moves.reject(case, signing, reason=reason), hand)[-1]

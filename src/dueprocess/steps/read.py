"""Step 3: a person transcribed the paper."""

from dueprocess.cases.events import Event
from dueprocess.cases.read import read as move
from dueprocess.demand import Demand
from dueprocess.history.append import Hand
from dueprocess.steps.take import take


def read(case_id: str, hand: Hand, demand: Demand, *, country: str, subjects_root: str) -> Event:
    """Records a reading. The reading itself is in the vault already."""
    return take(case_id, lambda _: move(demand, country=country, subjects_root=subjects_root), hand)[-1]

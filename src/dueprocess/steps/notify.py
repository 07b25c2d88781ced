"""Step 10: telling the user. The intent is recorded before anything is sent."""

from dueprocess.cases import notify as moves
from dueprocess.cases.events import Event
from dueprocess.history.append import Hand
from dueprocess.steps.take import take


def delay(case_id: str, hand: Hand, ref: str) -> list[Event]:
    """Records once that a nondisclosure order holds the notice back."""
    return take(case_id, lambda case: moves.delay(case.target(ref)), hand)


def start(case_id: str, hand: Hand, ref: str, *, phase: str, letter_sha256: str) -> Event:
    """Records that this letter is about to be sent."""
    return take(case_id, lambda case: moves.start(case.target(ref), phase, letter_sha256), hand)[-1]


def notified(case_id: str, hand: Hand, ref: str, *, phase: str, letter_sha256: str, channel: str) -> Event:
    """Records that it was sent."""
    return take(case_id, lambda case: moves.notified(case.target(ref), phase, letter_sha256, channel), hand)[
        -1
    ]

"""Step 10: telling the user. The intent is recorded before anything is sent."""

from collections.abc import Sequence
from typing import Any

from dueprocess.cases import notify as moves
from dueprocess.cases import silence
from dueprocess.cases.case import Case, TargetState
from dueprocess.cases.events import Draft, Event
from dueprocess.errors import RefusedError
from dueprocess.history.append import Hand
from dueprocess.roster import Roster, Signature
from dueprocess.steps.take import take


def delay(case_id: str, hand: Hand, ref: str) -> list[Event]:
    """Records once that a nondisclosure order holds the notice back."""
    return take(case_id, lambda case: moves.delay(case.target(ref), hand.now), hand)


def change_silence(
    case_id: str, hand: Hand, document: dict[str, Any], signatures: Sequence[Signature], roster: Roster
) -> Event:
    """Records that a nondisclosure order was extended or ended, as two people signed."""
    return take(
        case_id, lambda case: silence.change_silence(case, document, signatures, roster, hand.now), hand
    )[-1]


def start(case_id: str, hand: Hand, ref: str, *, phase: str, letter_sha256: str) -> Event:
    """Records that this letter is about to be sent, if it is owed still.

    One that was begun already, by whomever, asks a person.
    """

    def move(case: Case) -> list[Draft]:
        state = case.target(ref)
        refuse_half_sent(state, phase)
        if moves.owed_notice(state, hand.now) != phase:
            raise RefusedError(
                "not-owed",
                f"The notice {phase!r} to the user of {ref} is not owed any more.",
                why="The case moved, or an order to keep silent came, while the letter was written.",
                do="Look at the case: dueprocess show.",
                source="architecture.md section 2, notify",
            )
        return moves.start(state, phase, letter_sha256)

    return take(case_id, move, hand)[-1]


def refuse_half_sent(state: TargetState, phase: str) -> None:
    """Refuses a letter that was begun before: whether it went out is for a person to find out."""
    if phase in state.notice_started:
        raise RefusedError(
            "half-sent",
            f"The notice {phase!r} to the user of {state.ref} was begun and not finished.",
            why="It may have been sent; it is never repeated by itself.",
            do="Look into the outbox, then run dueprocess notify with --confirm.",
            source="architecture.md section 4",
        )


def notified(case_id: str, hand: Hand, ref: str, *, phase: str, letter_sha256: str, channel: str) -> Event:
    """Records that it was sent."""
    return take(case_id, lambda case: moves.notified(case.target(ref), phase, letter_sha256, channel), hand)[
        -1
    ]

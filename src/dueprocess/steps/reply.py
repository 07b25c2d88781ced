"""Beside the steps: a letter went back to whoever sent the paper."""

from collections.abc import Iterable

from dueprocess.cases import reply as moves
from dueprocess.cases.events import Event
from dueprocess.history.append import Hand
from dueprocess.law.pack import LetterCode
from dueprocess.steps.take import take


def sent(
    case_id: str,
    hand: Hand,
    letter: LetterCode,
    *,
    language: str,
    letter_sha256: str,
    codes: Iterable[str],
    expected: int,
) -> Event:
    """Records it, if the case is still as its writer saw it."""
    return take(
        case_id,
        lambda case: moves.sent(case, letter, language=language, letter_sha256=letter_sha256, codes=codes),
        hand,
        expected=expected,
    )[-1]

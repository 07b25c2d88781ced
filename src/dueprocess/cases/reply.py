"""A letter back to whoever sent the paper: that it went out, and which order not to tell still names no end.

A letter decides nothing and changes no stage. What it says stays in the vault; the event has its digest, its kind, its
language and the codes of the findings that it states.
"""

from collections.abc import Iterable, Mapping

from dueprocess.cases.case import Case
from dueprocess.cases.events import Draft
from dueprocess.errors import ConflictError, RefusedError
from dueprocess.law.pack import LetterCode
from dueprocess.wire import Json

INSIDE: frozenset[LetterCode] = frozenset({"motion_checklist"})
"""Letters that never go to whoever sent the paper, so that the history, which that reader's receipt shows, never
tells of them."""


def sent(
    case: Case, letter: LetterCode, *, language: str, letter_sha256: str, codes: Iterable[str]
) -> list[Draft]:
    """Records that a letter went out. Refuses a list for counsel, and the same letter once more."""
    if letter in INSIDE:
        raise RefusedError(
            "for-counsel-only",
            "This list is for your own counsel, and that it was written is nobody else's business.",
            why="The receipt of the authority shows which letters went out.",
            do="Hand it to counsel. Nothing is recorded.",
        )
    if any(event.body["letter_sha256"] == letter_sha256 for event in case.letters):
        raise ConflictError(
            "letter-sent",
            "This letter is recorded as sent already.",
            why="Its kind, language and every word are the same.",
            do="Look at the case: dueprocess show. A new letter bears a new date.",
        )
    stated: list[Json] = [*sorted(set(codes))]
    body: dict[str, Json] = {
        "letter": letter, "language": language, "letter_sha256": letter_sha256, "codes": stated,
    }  # fmt: skip
    return [Draft("LetterSent", body)]


def endless_silence(case: Case) -> bool:
    """Whether an order not to tell stands of which nobody knows an end: on the paper, and for some target since."""
    if case.read is None or case.erased is not None:
        return False
    order = case.read.body["nondisclosure"]
    if not isinstance(order, Mapping) or order["until"] is not None:
        return False
    return any(state.silence is None for state in case.targets.values())

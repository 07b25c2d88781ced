"""Complete: each letter's own conditions, checked before a word of it is written."""

from collections.abc import Callable

from dueprocess.errors import MalformedError, RefusedError
from dueprocess.law.pack import LetterCode
from dueprocess.notice import annex3
from dueprocess.notice.reply import Point, Removal, ReplyFacts
from dueprocess.notice.timing import end_of_silence_due
from dueprocess.notice.words import day


def require(code: LetterCode, facts: ReplyFacts) -> None:
    """Refuses facts from which this letter cannot be written, and says what is missing."""
    if not (facts.recipient.strip() and facts.sender.name.strip() and facts.sender.contact.strip()):
        raise _incomplete(code, "who writes, to whom, and how the writer can be reached")
    if facts.written_on < facts.received_on:
        raise _incomplete(code, "a day of writing that is not before the day of arrival")
    if code in _CONDITIONS:
        _CONDITIONS[code](facts)


def objecting(points: tuple[Point, ...]) -> tuple[Point, ...]:
    """The findings that a refusal or an objection states."""
    return annex3.explained(points)


def lacking(points: tuple[Point, ...]) -> tuple[Point, ...]:
    """The findings that a deficiency notice states: what the authority would have to send."""
    return tuple(each for each in points if each.kind == "missing" or each.missing)


def _incomplete(code: str, lacks: str) -> MalformedError:
    return MalformedError(
        "incomplete-letter",
        f"These facts make no letter of the kind {code!r}.",
        why=f"It needs {lacks}.",
        do="Add it, or choose another letter.",
    )


def _deficiency(facts: ReplyFacts) -> None:
    if not lacking(facts.points):
        raise _incomplete("deficiency", "at least one thing that is missing")


def _refusal(facts: ReplyFacts) -> None:
    if not objecting(facts.points):
        raise _incomplete("refusal", "at least one reason")


def _objection(facts: ReplyFacts) -> None:
    if not any(each.source for each in objecting(facts.points)):
        raise _incomplete("objection", "at least one reason with its source in the law")


def _delay(facts: ReplyFacts) -> None:
    if (facts.more_time is None) is (facts.removal is None):
        raise _incomplete(
            "delay", "either how much time is asked for, or why a removal order cannot be executed"
        )
    if facts.more_time and not (facts.more_time.because and facts.more_time.until > facts.written_on):
        raise _incomplete("delay", "a later day and at least one reason")
    if facts.removal:
        _removal(facts.removal, facts)


def _removal(order: Removal, facts: ReplyFacts) -> None:
    if facts.office is None or not (facts.office.name and facts.office.authorised and facts.office.email):
        raise _incomplete("delay", "section C: name, authorised person and e-mail address")
    if not (order.hindrances and order.because):
        raise _incomplete("delay", "section B: at least one reason, and its explanation")
    if {"errors", "insufficient"} & set(order.hindrances) and not order.needed:
        raise _incomplete("delay", "section B (3): the errors, and what further information is needed")


def _redirect(facts: ReplyFacts) -> None:
    if facts.route is None:
        raise _incomplete("redirect", "where the request belongs")


def _reciprocal_notice(facts: ReplyFacts) -> None:
    if not facts.reference:
        raise _incomplete("reciprocal_notice", "the number or date by which the Bureau knows its letter")


def _end_of_silence(facts: ReplyFacts) -> None:
    if facts.silence is None or not facts.silence.order:
        raise _incomplete("end_of_silence", "the order not to tell: its legal basis and its first day")
    due = end_of_silence_due(facts.silence.began_on, facts.silence.asked)
    if facts.written_on < due:
        raise RefusedError(
            "too-early",
            f"The end of this order is asked for from {day(due)}.",
            why="365 days after its start, then 90 days after each request.",
            do="Write again on that day. Counsel can ask earlier.",
        )


def _private_party(facts: ReplyFacts) -> None:
    if not facts.court_path:
        raise _incomplete("private_party", "how a private party can turn to a court")


def _motion_checklist(facts: ReplyFacts) -> None:
    if not facts.topics:
        raise _incomplete("motion_checklist", "at least one kind of motion")


_CONDITIONS: dict[LetterCode, Callable[[ReplyFacts], None]] = {
    "deficiency": _deficiency,
    "delay": _delay,
    "redirect": _redirect,
    "refusal": _refusal,
    "objection": _objection,
    "annex3": annex3.check,
    "reciprocal_notice": _reciprocal_notice,
    "end_of_silence": _end_of_silence,
    "motion_checklist": _motion_checklist,
    "private_party": _private_party,
}

"""Writing: one function for every letter that goes back to an authority, to counsel or to a private party."""

import datetime as dt
from dataclasses import dataclass, replace
from typing import get_args

from dueprocess.errors import RefusedError
from dueprocess.law.pack import LetterCode
from dueprocess.notice import annex3
from dueprocess.notice.blocks import quoted
from dueprocess.notice.catalogue import catalogue, known
from dueprocess.notice.complete import lacking, objecting, require
from dueprocess.notice.letters import Letter, Sheet, filled, finished
from dueprocess.notice.reply import Period, Point, ReplyFacts
from dueprocess.notice.words import local_day, local_moment

LETTERS: tuple[LetterCode, ...] = get_args(LetterCode)
"""Codes of all letters that can be written."""


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence of a list. ``english``: it stands in a letter of another language and has no translation."""

    text: str
    source: str
    english: bool
    due: str = ""
    whole_day: bool = False


def write_letter(code: LetterCode, facts: ReplyFacts, *, language: str, stylesheet: str = "") -> Letter:
    """The letter of this kind, in one language, as text and HTML; `as_pdf` makes a PDF of it.

    It tells nobody whether an account exists, save where the law's own form asks for it, and promises nothing.
    Refuses an unknown code or language, and facts that are incomplete for this letter. The same facts give the same
    letter.
    """
    if code not in LETTERS:
        raise RefusedError(
            "unknown-letter", f"There is no letter {code[:20]!r}.", do=f"Choose one of: {', '.join(LETTERS)}."
        )
    catalogue(language)
    require(code, facts)
    template = "removal.txt" if code == "delay" and facts.removal else f"{code}.txt"
    blocks = filled(template, language, _values(facts, language))
    recipient = (facts.recipient, *facts.recipient_address)
    return finished(Sheet(language, facts.sender, recipient, facts.written_on, blocks), stylesheet)


def _values(facts: ReplyFacts, language: str) -> dict[str, object]:
    law = facts.third_country
    return {
        "f": facts,
        "found": [_said(each, language) for each in facts.points],
        "lacking": [_said(each, language, with_missing=True) for each in lacking(facts.points)],
        "objecting": [_said(each, language) for each in objecting(facts.points)],
        "needed": [_one(text, "", language, own=own) for text, own in annex3.needed(facts.points)],
        "periods": [_period(each, language) for each in facts.periods],
        "instrument": known(language, facts.instrument) or quoted(facts.instrument, language),
        "ticked": annex3.ticked(facts),
        "interests": dict(law.interests) if law else {},
        "box": lambda ticked: "[x]" if ticked else "[ ]",
    }


def _said(point: Point, language: str, *, with_missing: bool = False) -> Said:
    more = with_missing and point.missing not in point.text
    text = f"{point.missing}: {point.text}" if more else point.text
    return _one(text, point.source, language, own=point.own)


def _period(period: Period, language: str) -> Said:
    said = _one(period.text, period.source, language)
    if period.due_at is None:
        return said
    if period.due_at.time() == dt.time():
        last = local_day(period.due_at - dt.timedelta(days=1), language)
        return replace(said, due=last, whole_day=True)
    return replace(said, due=local_moment(period.due_at, language))


def _one(text: str, source: str, language: str, *, own: bool = False) -> Said:
    translated = known(language, text)
    return Said(translated or text, source, translated is None and not own)

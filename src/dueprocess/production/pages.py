"""Pages of the answer package as PDF: the same value as the HTML, set on A4. PDF/A-2a and PDF/UA-1.

The same page gives the same bytes, on every machine.
"""

import datetime as dt
import functools
import re
import unicodedata
from importlib.resources import files

from dueprocess.library.typesetting import typeset
from dueprocess.parcel import Page

_LEFTWARD = frozenset({"R", "AL"})
_LONG_WORD = re.compile(r"\S{25,}")
"""A word of a script from right to left cannot be broken where it is set; longer ones would leave their column."""


def page_pdf(page: Page, *, made_at: dt.datetime) -> bytes:
    """The page as PDF, dated ``made_at`` in UTC.

    A character without glyph is shown as its number, ``[U+6F22]``, and so is every letter from right to left in a
    word of 25 characters and more. The HTML shows them as they are.
    """
    day = made_at.astimezone(dt.UTC)
    shown = {**page.shown(_spelled), "year": day.year, "month": day.month, "day": day.day}
    return typeset(_template(), shown, at=day, instead="Send the page as HTML.")


def _spelled(text: str) -> str:
    return text if text.isascii() else _LONG_WORD.sub(lambda word: _numbers(word[0]), text)


def _numbers(word: str) -> str:
    return "".join(
        f"[U+{ord(each):04X}]" if unicodedata.bidirectional(each) in _LEFTWARD else each for each in word
    )


@functools.cache
def _template() -> bytes:
    return files("dueprocess.production").joinpath("templates/page.typ").read_bytes()

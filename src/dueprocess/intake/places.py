"""Where a word stands on a paper, and how it is quoted: part, page, line, at most 160 characters.

Quotes come from strangers. Control and direction characters are taken out here, once, so that no quote can
drive a terminal or turn a line around.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from dueprocess.wire import Json

MAX_QUOTE = 160
MAX_MATCHES = 500
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


@dataclass(frozen=True, slots=True)
class Place:
    """Part (empty for a single file), page and line, both counted from one."""

    part: str
    page: int
    line: int

    def __str__(self) -> str:
        where = f"page {self.page}, line {self.line}"
        return f"{self.part}, {where}" if self.part else where

    def as_json(self) -> dict[str, Json]:
        return {"part": self.part, "page": self.page, "line": self.line}


@dataclass(frozen=True, slots=True)
class Sign:
    """Literal words with their place. ``value`` is our reading of them; it does NOT say that they are true."""

    code: str
    quote: str
    place: Place
    value: str = ""

    def as_json(self) -> dict[str, Json]:
        return {"code": self.code, "value": self.value, "quote": self.quote, "place": self.place.as_json()}


@dataclass(frozen=True, slots=True)
class Sheet:
    """One page of text to search in, with the name of the part that it belongs to."""

    part: str
    page: int
    text: str

    def place(self, offset: int) -> Place:
        """The place of a character offset in this page's text."""
        return Place(self.part, self.page, self.text.count("\n", 0, offset) + 1)

    def sign(self, code: str, span: tuple[int, int], value: str = "") -> Sign:
        """A sign at ``span``, quoted with a little of what surrounds it on its own lines."""
        return Sign(code, quote(self.text, span), self.place(span[0]), value)


def clean(text: str) -> str:
    """The text on one line, without control, direction and zero-width characters."""
    spaced = re.sub(r"\s+", " ", text)
    return "".join(each for each in spaced if unicodedata.category(each) not in _HIDDEN).strip()


def quote(text: str, span: tuple[int, int]) -> str:
    """The words at ``span`` with up to forty characters around them, at most ``MAX_QUOTE`` characters.

    An ellipsis stands where the line of the paper goes on.
    """
    start, end = span
    line_start = text.rfind("\n", 0, start) + 1
    newline = text.find("\n", end)
    line_end = newline if newline >= 0 else len(text)
    before = _last_words(text[line_start:start])
    after = _last_words(text[end:line_end][::-1])[::-1]
    words = clean(before + text[start:end] + after)
    return words if len(words) <= MAX_QUOTE else clean(text[start:end])[: MAX_QUOTE - 1] + "…"


def _last_words(text: str) -> str:
    """The end of ``text``, at most forty characters, cut between words where there is a blank to cut at."""
    if len(text) <= 40:
        return text
    kept = text[-39:]
    _, blank, whole = kept.partition(" ")
    return "…" + (whole if blank else kept)


def pattern(*alternatives: str) -> re.Pattern[str]:
    """One regular expression of several, in which a blank matches any white space.

    Paper breaks lines anywhere. A blank followed by ``?`` matches white space or none.
    """
    joined = "|".join(alternatives)
    return re.compile(joined.replace(" ?", r"\s*").replace(" ", r"\s+"), re.IGNORECASE | re.MULTILINE)


def matches(sheets: tuple[Sheet, ...], wanted: re.Pattern[str]) -> Iterator[tuple[Sheet, re.Match[str]]]:
    """Matches on every sheet, in reading order, at most ``MAX_MATCHES`` a sheet.

    A page that repeats a word more often says nothing new, and may be made to keep the reader busy.
    """
    for sheet in sheets:
        for match in islice(wanted.finditer(sheet.text), MAX_MATCHES):
            yield sheet, match


def sentence(text: str, span: tuple[int, int]) -> str:
    """The sentence around ``span``: up to a full stop, semicolon or blank line, 400 characters each way."""
    start, end = span
    before = text[max(0, start - 400) : start]
    after = text[end : end + 400]
    stops = [match.end() for match in re.finditer(r"[.;:](?=\s)|\n\s*\n", before)]
    stop = re.search(r"[.;](?=\s|$)|\n\s*\n", after)
    return (
        before[stops[-1] if stops else 0 :] + text[start:end] + after[: stop.start() if stop else len(after)]
    )

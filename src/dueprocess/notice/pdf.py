"""PDF: a letter on A4, for an envelope or an authority's portal. PDF/A-2a and PDF/UA-1, the same bytes each time.

The words reach the typesetter as data, never as its markup. Fonts are its own, so a letter looks the same on every
machine; a character that none of them has is printed as its number, in brackets.
"""

import datetime as dt
import functools
import json
import threading
import unicodedata
from importlib.resources import files
from types import ModuleType
from typing import Any

from dueprocess.errors import MalformedError, UnavailableError
from dueprocess.notice.blocks import Block, colon, grouped, quoted
from dueprocess.notice.catalogue import catalogue
from dueprocess.notice.letters import Letter, Sheet
from dueprocess.notice.words import clean, day

_PROBE = b'#set document(title: "x")\n#sys.inputs.letter\n\n#strong(sys.inputs.letter)'
_MARKS = frozenset({"Mn", "Mc", "Me", "Cf"})
_ONE_AT_A_TIME = threading.Lock()
"""A compiler is not for two threads at once."""
_KNOWN = 0x17F
"""Up to here (Latin Extended-A) the fonts are known to be complete; above it each character is tried once."""


def as_pdf(letter: Letter) -> bytes:
    """The letter as PDF, in its own language, dated with the day on which it was written.

    A character without glyph is shown as ``[U+6F22]``. Refuses only what cannot be printed at all.
    """
    shown = _printable(json.dumps(_shown(letter.sheet), ensure_ascii=False))
    written_at = dt.datetime.combine(letter.sheet.written_on, dt.time(), dt.UTC)
    failure = _typesetter().TypstError
    try:
        return _set(_letter(), shown, written_at)
    except failure:
        shown = _without_marks(shown)  # A mark may have a glyph, and none in the place where it stands.
    try:
        return _set(_letter(), shown, written_at)
    except failure as error:
        raise MalformedError(
            "unprintable",
            "This letter cannot be made into a PDF.",
            why=str(error),
            do="Send its text or HTML.",
        ) from error


def _shown(sheet: Sheet) -> dict[str, object]:
    written, sender = sheet.written_on, sheet.sender
    return {
        "subject": sheet.subject,
        "language": sheet.language,
        "sender": [clean(sender.name), clean(sender.address), clean(sender.contact)],
        "recipient": [clean(line) for line in sheet.recipient],
        "date": day(written, sheet.language),
        "year": written.year,
        "month": written.month,
        "day": written.day,
        "footer": catalogue(sheet.language).gettext("Page {page} of {pages}"),
        "blocks": [
            _block(each, sheet.language, first=each is group[0], last=each is group[-1])
            for _, group in grouped(sheet.blocks)
            for each in group
        ],
    }


def _block(block: Block, language: str, *, first: bool, last: bool) -> dict[str, object]:
    before, after = quoted("\0", language).split("\0")
    label = block.label + colon(language) if block.kind == "fact" else block.label
    text = block.text + colon(language) if block.kind == "signature" else block.text
    return {
        "kind": block.kind, "text": text, "label": label, "ticked": block.ticked, "before": before, "after": after,
        "first": first,
        "last": last,
    }  # fmt: skip


def _printable(words: str) -> str:
    """The same words with each character that has no glyph as its number."""
    rare = {each for each in words if ord(each) > _KNOWN}
    if not rare or _has_glyphs("".join(sorted(rare))):
        return words
    return _numbered(words, frozenset(each for each in rare if not _has_glyphs(each)))


def _without_marks(words: str) -> str:
    """Marks and invisible characters as their numbers too."""
    return _numbered(words, frozenset(each for each in words if unicodedata.category(each) in _MARKS))


def _numbered(words: str, those: frozenset[str]) -> str:
    return "".join(f"[U+{ord(each):04X}]" if each in those else each for each in words)


@functools.lru_cache(maxsize=4096)
def _has_glyphs(words: str) -> bool:
    between = f"x{'x'.join(words)}x"  # Alone, an invisible character is no text, and is not checked.
    try:
        _set(_PROBE, between, dt.datetime(2000, 1, 1, tzinfo=dt.UTC))
    except _typesetter().TypstError:
        return False
    return True


def _set(source: bytes, words: str, at: dt.datetime) -> bytes:
    with _ONE_AT_A_TIME:
        made = _compiler().compile(
            source, sys_inputs={"letter": words}, pdf_standards=["a-2a", "ua-1"], timestamp=at
        )
    return bytes(made)


@functools.cache
def _compiler() -> Any:
    """One for everything: each new one takes numbers of which a process has 65,535, and then it would fail."""
    return _typesetter().Compiler(ignore_system_fonts=True)


@functools.cache
def _letter() -> bytes:
    return files("dueprocess.notice").joinpath("templates/letter.typ").read_bytes()


def _typesetter() -> ModuleType:
    """Imported when the first PDF is made: it is large, and most commands never print."""
    try:
        import typst  # noqa: PLC0415 - see the docstring
    except ImportError as error:
        raise UnavailableError(
            "no-typesetter",
            "The typesetter for PDF letters is not installed.",
            do="Install the extra `server`, or send the letter's text or HTML.",
        ) from error
    return typst

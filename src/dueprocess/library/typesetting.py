"""The typesetter: pages as PDF/A-2a and PDF/UA-1, the same bytes each time.

What is said reaches it as data, never as its markup. Fonts are its own, so a page looks the same on every machine.
It refuses a character that none of them has, and a page must not fail because of a name: such a character is
printed as its number, in brackets.
"""

import datetime as dt
import functools
import json
import threading
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from types import ModuleType
from typing import Any

from dueprocess.errors import MalformedError, UnavailableError

_PROBE = b'#set document(title: "x")\n#sys.inputs.shown\n\n#strong(sys.inputs.shown)'
_MARKS = frozenset({"Mn", "Mc", "Me", "Cf"})
_ONE_AT_A_TIME = threading.Lock()
"""A compiler is not for two threads at once."""
_KNOWN = 0x17F
"""Up to here (Latin Extended-A) the fonts are known to be complete; above it each character is tried once."""


def typeset(template: bytes, shown: Mapping[str, object], *, at: dt.datetime, instead: str) -> bytes:
    """The template with what it shows, as PDF that is dated ``at``. The template reads ``sys.inputs.shown``, JSON.

    A character without glyph, or that is none, is shown as its number, ``[U+6F22]``. Refuses only what cannot be
    printed at all, and then says ``instead``: what else the reader can have.
    """
    words = json.dumps(_without_controls(shown), ensure_ascii=False)
    failure = _typesetter(instead).TypstError
    problem: Exception | None = None
    for attempt in _attempts(words):
        try:
            return _set(template, attempt(), at)
        except failure as error:
            problem = error
    raise MalformedError(
        "unprintable", "This page cannot be made into a PDF.", why=str(problem), do=instead
    ) from problem


def _without_controls(value: object) -> object:
    """The same value, each control character and lone surrogate of its texts as its number; a line feed stays."""
    if isinstance(value, str):
        return value if value.isprintable() else _numbered(value, _controls)
    if isinstance(value, Mapping):
        return {name: _without_controls(each) for name, each in value.items()}
    return [_without_controls(each) for each in value] if isinstance(value, list | tuple) else value


def _controls(each: str) -> bool:
    return each != "\n" and unicodedata.category(each) in {"Cc", "Cs"}


def _attempts(words: str) -> Iterator[Callable[[], str]]:
    """Ever more of the characters as their numbers: a mark may have a glyph, and none in the place where it stands."""
    yield lambda: _printable(words)
    yield lambda: _numbered(_printable(words), lambda each: unicodedata.category(each) in _MARKS)
    yield lambda: _numbered(words, lambda each: not each.isascii())


def _printable(words: str) -> str:
    """The same words with each character that has no glyph as its number."""
    rare = {each for each in words if ord(each) > _KNOWN}
    if not rare or _has_glyphs("".join(sorted(rare))):
        return words
    return _numbered(words, {each for each in rare if not _has_glyphs(each)}.__contains__)


def _numbered(words: str, chosen: Callable[[str], bool]) -> str:
    return "".join(f"[U+{ord(each):04X}]" if chosen(each) else each for each in words)


@functools.lru_cache(maxsize=4096)
def _has_glyphs(words: str) -> bool:
    between = f"x{'x'.join(words)}x"  # Alone, an invisible character is no text, and is not checked.
    try:
        _set(_PROBE, between, dt.datetime(2000, 1, 1, tzinfo=dt.UTC))
    except _typesetter("").TypstError:
        return False
    return True


def _set(source: bytes, words: str, at: dt.datetime) -> bytes:
    with _ONE_AT_A_TIME:
        made = _compiler().compile(
            source, sys_inputs={"shown": words}, pdf_standards=["a-2a", "ua-1"], timestamp=at
        )
    return bytes(made)


@functools.cache
def _compiler() -> Any:
    """One for everything: each new one takes numbers of which a process has 65,535, and then it would fail."""
    return _typesetter("").Compiler(ignore_system_fonts=True)


def _typesetter(instead: str) -> ModuleType:
    """Imported when the first PDF is made: it is large, and most commands never print."""
    try:
        import typst  # noqa: PLC0415 - see the docstring
    except ImportError as error:
        raise UnavailableError(
            "no-typesetter",
            "The typesetter for PDF pages is not installed.",
            do=f"Install the extra `server`. {instead}".rstrip(),
        ) from error
    return typst

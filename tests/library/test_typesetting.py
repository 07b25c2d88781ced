"""The typesetter prints any text, the same bytes each time, and says what to do where it cannot."""

import datetime as dt
import io
import sys

import pypdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dueprocess.errors import MalformedError, UnavailableError
from dueprocess.library import typesetting
from dueprocess.library.typesetting import typeset

TEMPLATE = b'#let d = json(bytes(sys.inputs.shown))\n#set document(title: "x")\n#d.words'
NOON = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)


def made(words: str) -> bytes:
    return typeset(TEMPLATE, {"words": words}, at=NOON, instead="Read the HTML.")


def printed(words: str) -> str:
    return "".join(pypdf.PdfReader(io.BytesIO(made(words))).pages[0].extract_text().split())


def test_the_same_page_gives_the_same_bytes() -> None:
    """Dated as it was told, by no clock."""
    assert made("Eva") == made("Eva")
    assert b"D:20261122120000" in made("Eva")


def test_what_has_no_glyph_is_shown_as_its_number() -> None:
    """The reader sees that something is there, and what."""
    assert printed("漢 Ω 😀") == "[U+6F22]Ω[U+1F600]"


def test_a_mark_that_fails_only_in_its_place_is_shown_as_its_number() -> None:
    """U+05C7 has a glyph alone and none behind some other marks."""
    assert "[U+05C7]" in printed("".join(map(chr, range(0x5C0, 0x5E0))))


@given(st.text(st.characters(), max_size=12))
@settings(max_examples=25, deadline=None)
def test_every_text_can_be_printed(words: str) -> None:
    """Controls and lone surrogates among them."""
    assert made(words).startswith(b"%PDF-")


def test_a_control_character_is_shown_as_its_number() -> None:
    """In lists too; a line feed stays what it is."""
    template = TEMPLATE.replace(b"d.words", b"d.words.first()")
    page = typeset(template, {"words": ["a\x08\ud800\nb"]}, at=NOON, instead="")
    text = pypdf.PdfReader(io.BytesIO(page)).pages[0].extract_text()
    assert "".join(text.split()) == "a[U+0008][U+D800]b"


def test_where_single_glyphs_do_not_help_all_of_ascii_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """A combination that fails as a whole is printed as numbers altogether."""
    monkeypatch.setattr(typesetting, "_printable", lambda words: words)
    assert printed("漢é") == "[U+6F22][U+00E9]"


def test_a_broken_template_is_never_half_a_page() -> None:
    """The error names what else the reader can have."""
    with pytest.raises(MalformedError, match="cannot be made into a PDF") as caught:
        typeset(b"#panic()", {}, at=NOON, instead="Read the HTML.")
    assert caught.value.do == "Read the HTML."


def test_without_the_typesetter_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is part of the extra `server`."""
    monkeypatch.setitem(sys.modules, "typst", None)
    with pytest.raises(UnavailableError, match="typesetter") as caught:
        made("Eva")
    assert caught.value.do == "Install the extra `server`. Read the HTML."

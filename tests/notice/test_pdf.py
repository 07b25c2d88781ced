"""PDF letters: the words of the letter, the same bytes each time, nothing of it read as markup."""

import dataclasses
import io
import subprocess
import sys
from typing import cast

import pypdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dueprocess.errors import MalformedError, UnavailableError
from dueprocess.law.pack import LetterCode
from dueprocess.library import typesetting
from dueprocess.notice import Point, ReplyFacts, Sender, as_pdf, pdf, write_letter
from notice.replies import EVERY, FACTS, LANGUAGES, poppler, printed, squeezed


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("code", "facts"), EVERY)
def test_a_pdf_has_every_word_of_the_letter(code: LetterCode, facts: ReplyFacts, language: str) -> None:
    """Sender, recipient, subject and each part."""
    letter = write_letter(code, facts, language=language)
    words = printed(as_pdf(letter))
    shown = [letter.sheet.sender.name, letter.sheet.sender.contact, *letter.sheet.recipient, letter.subject]
    shown += [text for block in letter.sheet.blocks for text in (block.text, block.label)]
    for text in shown:
        assert squeezed(text) in words


@pytest.mark.conformance
def test_poppler_reads_the_same_words() -> None:
    """Another program, with the letter that has most parts."""
    made = as_pdf(write_letter("annex3", FACTS, language="de"))
    assert poppler(made) == printed(made)


def test_the_same_letter_gives_the_same_bytes() -> None:
    """So a digest of it means something."""
    letter = write_letter("annex3", FACTS, language="fr")
    assert as_pdf(letter) == as_pdf(letter)


def test_a_pdf_is_dated_with_the_day_of_writing_and_names_its_language_and_title() -> None:
    """A4, tagged, PDF/A-2a and PDF/UA-1: it can be kept and read aloud."""
    letter = write_letter("holding", FACTS, language="de")
    read = pypdf.PdfReader(io.BytesIO(as_pdf(letter)))
    assert read.metadata is not None
    assert read.metadata.title == letter.subject
    assert read.metadata.author == "Chat zu Hause"
    assert str(read.metadata.creation_date_raw).startswith("D:20261122000000")
    root = read.root_object
    assert str(root["/Lang"]).startswith("de")
    assert "/StructTreeRoot" in root
    assert [round(float(side)) for side in read.pages[0].mediabox[2:]] == [595, 842]
    described = cast("pypdf.generic.StreamObject", root["/Metadata"].get_object()).get_data()
    assert b"<pdfaid:part>2</pdfaid:part>" in described
    assert b"<pdfuaid:part>1</pdfuaid:part>" in described


@pytest.mark.parametrize(
    ("language", "first", "last"),
    [
        ("en", "Page 1 of 3", "Page 3 of 3"),
        ("de", "Seite 1 von 3", "Seite 3 von 3"),
        ("fr", "Page 1 sur 3", "Page 3 sur 3"),
    ],
)
def test_pages_are_numbered(language: str, first: str, last: str) -> None:
    """A page that was lost on the way is noticed."""
    pages = pypdf.PdfReader(io.BytesIO(as_pdf(write_letter("annex3", FACTS, language=language)))).pages
    assert first in pages[0].extract_text()
    assert last in pages[-1].extract_text()


HOSTILE = (
    r'#sys.inputs #panic("x") \ \u{41} $x^2$ [a] ] [ "q" '
    "' ` *b* _c_ <d> @e // f /* g ~ -- --- ... {page} =h"
)


def naming(value: str) -> ReplyFacts:
    """Facts with a foreign value in every place that others can write."""
    return dataclasses.replace(
        FACTS,
        recipient=f"x{value}",
        recipient_address=(value,),
        reference=f"x{value}",
        own_reference=f"x{value}",
        signed_by=f"x{value}",
        sender=Sender(f"x{value}", f"x{value}", value),
        points=(Point("missing", f"x{value}", f"x{value}"),),
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_markup_in_a_name_is_printed_as_it_is(language: str) -> None:
    """Nothing that others write is a command of the typesetter."""
    words = printed(as_pdf(write_letter("deficiency", naming(HOSTILE), language=language)))
    assert words.count(squeezed(HOSTILE)) >= 6


ODD = st.text(
    alphabet="#\\$[]\"'`*_<>@/~-={}()%&;:,.!|^ \t\n\r\x00\x1b\x7f\u2028\u202eaé", min_size=1, max_size=25
)


@given(ODD)
@settings(max_examples=25, deadline=None)
def test_signs_of_every_markup_print_as_themselves(value: str) -> None:
    """And a control character as a visible replacement."""
    letter = write_letter("holding", naming(value), language="en")
    words = printed(as_pdf(letter))
    assert squeezed(letter.subject) in words
    assert squeezed(letter.sheet.blocks[-1].text) in words


@pytest.mark.conformance
@given(ODD)
@settings(max_examples=8, deadline=None)
def test_another_reader_sees_the_same_signs(value: str) -> None:
    """Poppler, with the subject of the letter."""
    letter = write_letter("holding", naming(value), language="en")
    assert squeezed(letter.subject) in poppler(as_pdf(letter))


@given(st.text(min_size=1, max_size=12))
@settings(max_examples=25, deadline=None)
def test_every_name_can_be_printed(value: str) -> None:
    """Whatever its characters: those without glyph are shown as their number, and the PDF is made."""
    assert as_pdf(write_letter("holding", naming(value), language="fr")).startswith(b"%PDF-")


def test_a_character_without_glyph_is_shown_as_its_number() -> None:
    """The reader sees that something is there, and what."""
    words = printed(as_pdf(write_letter("holding", naming("漢 Ωмир 😀"), language="en")))
    assert "[U+6F22]Ωмир[U+1F600]" in words


def test_a_mark_without_glyph_in_its_place_is_shown_as_its_number() -> None:
    """U+05C7 has a glyph alone and none behind some other marks."""
    marks = "".join(map(chr, range(0x5C0, 0x5E0)))
    assert "[U+05C7]" in printed(as_pdf(write_letter("holding", naming(marks), language="en")))
    assert "[U+FEFF]" in printed(as_pdf(write_letter("holding", naming("\ufeff"), language="en")))


def test_what_cannot_be_set_at_all_is_an_error_that_names_another_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A broken template is never half a letter."""
    monkeypatch.setattr(pdf, "_letter", lambda: b"#panic()")
    with pytest.raises(MalformedError, match="cannot be made into a PDF") as caught:
        as_pdf(write_letter("holding", FACTS, language="en"))
    assert caught.value.do == "Send its text or HTML."


def test_many_letters_can_be_printed_in_one_process() -> None:
    """One compiler serves all: its number of files is limited."""
    made = {as_pdf(write_letter("holding", FACTS, language=language)) for language in LANGUAGES * 3}
    assert len(made) == len(LANGUAGES)
    assert typesetting._compiler.cache_info().currsize == 1  # noqa: SLF001 - what keeps a long process alive


def test_the_typesetter_is_loaded_only_for_a_pdf() -> None:
    """It is large; a letter as text does without it."""
    code = (
        "import sys, dueprocess.notice as n; n.catalogue; import dueprocess.notice.pdf;"
        "sys.exit('typst' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_without_the_typesetter_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """Text and HTML remain."""
    monkeypatch.setitem(sys.modules, "typst", None)
    with pytest.raises(UnavailableError, match="typesetter") as caught:
        as_pdf(write_letter("holding", FACTS, language="en"))
    assert "text or HTML" in caught.value.do
    assert pdf.as_pdf is as_pdf

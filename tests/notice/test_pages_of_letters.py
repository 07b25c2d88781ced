"""Letters as text and pages: foreign values stay words, pages hold nothing that runs or leads elsewhere."""

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dueprocess.law.pack import LetterCode
from dueprocess.notice import LETTERS, Point, ReplyFacts, Sender, write_letter
from notice.replies import EVERY, FACTS, LANGUAGES, Page, every

HOSTILE = '<script>alert(1)</script> # ! [x] = a:: b {{ f }} %s {% if %} \\ $1 "q"'


def hostile(value: str) -> ReplyFacts:
    """The same facts with a foreign value in every place that others can write."""
    return dataclasses.replace(
        FACTS,
        recipient=f".{value}",
        recipient_address=(value,),
        reference=f".{value}",
        own_reference=value,
        instrument=value,
        signed_by=value,
        sender=Sender(f".{value}", f".{value}", value),
        points=(Point("missing", f".{value}", value, "incomplete", value), Point("cut", value, f".{value}")),
        court_path=value,
        report_to=value,
    )


@given(
    st.text(min_size=1, max_size=30) | st.just(HOSTILE), st.sampled_from(LETTERS), st.sampled_from(LANGUAGES)
)
@settings(max_examples=80, deadline=None)
def test_no_value_adds_a_part_to_a_letter(value: str, code: LetterCode, language: str) -> None:
    """Whatever others wrote, it stays a word: no heading, box or list of its own, and no markup."""
    kinds = [block.kind for block in write_letter(code, hostile("x"), language=language).sheet.blocks]
    letter = write_letter(code, hostile(value), language=language)
    assert [block.kind for block in letter.sheet.blocks] == kinds
    assert not {"script", "img", "style"} & set(Page(letter.html).tags)
    assert "\n" not in letter.subject
    assert "\r" not in letter.text


@pytest.mark.parametrize("language", LANGUAGES)
def test_pages_hold_no_script_style_or_outside_address(language: str) -> None:
    """A page obeys `default-src 'none'; style-src 'self'` and names its language."""
    for code, facts in EVERY:
        page = Page(write_letter(code, facts, language=language, stylesheet="style.css").html)
        assert not {"script", "style", "img", "iframe", "form"} & set(page.tags)
        assert not any(name == "style" or name.startswith("on") for name, _ in page.attributes)
        assert [value for name, value in page.attributes if name in ("href", "src")] == ["style.css"]
        assert page.tags.count("h1") == 1
        assert ("lang", language) in page.attributes


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_text_fits_72_columns(language: str) -> None:
    """Old mail programs and printers show it unbroken."""
    for letter in every(language):
        assert all(len(line) <= 72 for line in letter.text.splitlines()), letter.subject

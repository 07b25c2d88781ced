"""The PDF says what the HTML says, in the same order, whatever the names are, and is the same each time."""

import dataclasses
import datetime as dt
import io
import re
import subprocess
import time
import tracemalloc
import unicodedata
from html.parser import HTMLParser
from typing import cast

import pypdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dueprocess.parcel import (
    Account,
    CertificateFacts,
    Entry,
    Page,
    TableResult,
    certificate_page,
    page_html,
    statement_page,
    visible,
)
from dueprocess.production.pages import page_pdf
from parcel.accounts import ACCOUNT, STATEMENT

NOON = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
LONG = "@" + "eva" * 200 + ":host.example"
MANY = Account(
    STATEMENT,
    tuple(TableResult("main", f"a_table_{at:03}", "nothing_held", 0, "", ("traffic",)) for at in range(100)),
)


def squeezed(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split())


class Facts(HTMLParser):
    """Every text of the page's body, in the order of the file."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._in_style = False

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002 - the parser calls it so
        self._in_style = tag in {"style", "title"}

    def handle_data(self, data: str) -> None:
        if not self._in_style and data.strip():
            self.texts.append(squeezed(data))


def facts(page: Page) -> list[str]:
    parser = Facts()
    parser.feed(page_html(page).decode())
    return parser.texts


def by_poppler(pdf: bytes) -> str:
    """What `pdftotext` reads, in the order of the page's content, without page feet and repeated heads."""
    done = subprocess.run(["pdftotext", "-raw", "-", "-"], input=pdf, capture_output=True, check=True)
    return squeezed(done.stdout.decode())


def in_order(page: Page) -> None:
    """Each fact of the HTML stands in the PDF, behind the one before it."""
    words, at = by_poppler(page_pdf(page, made_at=NOON)), 0
    words = re.sub(re.escape(squeezed(page.foot)) + r"Page\d+of\d+", "", words)
    found = facts(page)
    assert len(found) > 50
    for fact in found:
        place = words.find(fact, at)
        assert place >= 0, (fact, words[at : at + 200])
        at = place + len(fact)


@pytest.mark.conformance
@pytest.mark.parametrize("account", [ACCOUNT, MANY], ids=["everything", "many"])
def test_pdftotext_finds_every_fact_of_the_html_in_its_order(account: Account) -> None:
    """One value, two renderings: neither says more, and a reader by ear hears the same order."""
    in_order(statement_page(account))


@pytest.mark.conformance
@pytest.mark.parametrize(
    "name", [LONG, "@" + "é" * 300, "-" * 200, r'#panic("x") $x^2$ *b* _c_ \u{41} <d> @e `f`']
)
def test_hostile_names_are_printed_whole(name: str) -> None:
    """Ten lines of one word, signs of the typesetter's markup: as they are, with nothing in between."""
    said = dataclasses.replace(STATEMENT, account=name, authority=name)
    page = statement_page(dataclasses.replace(ACCOUNT, statement=said))
    assert by_poppler(page_pdf(page, made_at=NOON)).count(squeezed(name)) == 2


@pytest.mark.conformance
def test_names_of_other_scripts_are_shown_or_spelled() -> None:
    """Short right-to-left names stand as they are, long ones and those without glyph as their numbers."""
    name = "@مها:host.example 漢字 " + "א" * 30
    page = statement_page(
        dataclasses.replace(ACCOUNT, statement=dataclasses.replace(STATEMENT, account=name))
    )
    words = by_poppler(page_pdf(page, made_at=NOON))
    assert "مها" in words or "مها"[::-1] in words
    assert "[U+6F22][U+5B57]" in words
    assert "[U+05D0]" * 30 in words
    assert name in page_html(page).decode()


@given(st.text(min_size=1, max_size=15))
@settings(max_examples=20, deadline=None)
def test_no_name_keeps_a_page_from_being_made(name: str) -> None:
    """In the facts, in a table and in the title."""
    said = dataclasses.replace(STATEMENT, account=name, parcel_id=name, operator=name)
    failed = TableResult(name, name, "failed", 0, name, (name,))
    assert page_pdf(statement_page(Account(said, (failed,))), made_at=NOON).startswith(b"%PDF-")


def test_a_page_is_the_same_each_time_and_can_be_kept_and_read_aloud() -> None:
    """PDF/A-2a and PDF/UA-1, tagged, with title and language, dated with the package's own day."""
    page = statement_page(ACCOUNT)
    pdf = page_pdf(page, made_at=NOON)
    assert pdf == page_pdf(statement_page(ACCOUNT), made_at=NOON)
    read = pypdf.PdfReader(io.BytesIO(pdf))
    assert read.metadata is not None
    assert (read.metadata.title, read.metadata.author) == ("Answer package p-7f3k", "Example Host")
    assert str(read.metadata.creation_date_raw).startswith("D:20261122")
    root = read.root_object
    assert "/StructTreeRoot" in root
    assert str(root["/Lang"]).startswith("en")
    described = cast("pypdf.generic.StreamObject", root["/Metadata"].get_object()).get_data()
    assert b"<pdfaid:part>2</pdfaid:part>" in described
    assert b"<pdfuaid:part>1</pdfuaid:part>" in described


def test_a_hundred_entries_stay_readable_and_ten_thousand_stay_small() -> None:
    """Heads repeat on each page; what nobody would print is counted instead, so time and memory do not run away."""
    pages = pypdf.PdfReader(io.BytesIO(page_pdf(statement_page(MANY), made_at=NOON))).pages
    assert all("Result" in page.extract_text() for page in pages[1:-2])
    huge = Account(STATEMENT, tuple(TableResult("main", f"t{at}", "nothing_held", 0) for at in range(10_000)))
    tracemalloc.start()
    began = time.perf_counter()
    made = page_pdf(statement_page(huge), made_at=NOON)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert time.perf_counter() - began < 10
    assert peak < 64 * 1024 * 1024
    assert len(pypdf.PdfReader(io.BytesIO(made)).pages) < 30


@pytest.mark.conformance
@pytest.mark.parametrize("form", ["us", "neutral"])
def test_the_certificate_shows_its_digest_twice_and_leaves_room(form: str) -> None:
    """Beside the files and above the signature, so that a signed last page is bound too."""
    files = (Entry("data/main/sessions.0001.jsonl", 3, "ab" * 32),)
    known = CertificateFacts(
        "p-7f3k", "Example Host", "Court", "order", "dueprocess", NOON, NOON, 9, 1, files
    )
    page = certificate_page(known, "us" if form == "us" else "neutral")
    words = by_poppler(page_pdf(page, made_at=NOON))
    assert words.count(known.payload_sha256) == 2
    for label in ("Name", "Executedon(date)", "Signature", squeezed("does NOT mean that nothing is held")):
        assert label in words
    assert ("902(14)" in words) is (form == "us")


def test_an_invisible_character_reaches_no_page() -> None:
    """It stands as its number in both renderings, so neither copies it."""
    name = "@eva\u202e\u200b:host.example"
    page = statement_page(
        dataclasses.replace(ACCOUNT, statement=dataclasses.replace(STATEMENT, account=name))
    )
    assert visible(name) in page_html(page).decode()
    assert "\u202e" not in page_html(page).decode()
    text = pypdf.PdfReader(io.BytesIO(page_pdf(page, made_at=NOON))).pages[0].extract_text()
    assert squeezed("[U+202E][U+200B]") in squeezed(text)

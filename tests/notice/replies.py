"""Facts for letters to authorities, and how a test reads a letter. Fictional people only."""

import dataclasses
import datetime as dt
import io
import re
import subprocess
from html.parser import HTMLParser
from typing import Any
from zoneinfo import ZoneInfo

import pypdf

from dueprocess.law.pack import LetterCode
from dueprocess.notice import (
    LETTERS,
    Box,
    Certificate,
    Letter,
    MoreTime,
    Office,
    Period,
    Point,
    Removal,
    ReplyFacts,
    Route,
    Sender,
    Silence,
    ThirdCountryLaw,
    languages,
    write_letter,
)

BERLIN = ZoneInfo("Europe/Berlin")
SENDER = Sender("Chat zu Hause", "privacy@chat.example", "Hafenweg 1, 12345 Beispielstadt")
SIGNATURE = Point(
    "missing",
    "The paper does not show: the signature of the judge.",
    "18 USC 2703(a)",
    "incomplete",
    "the signature of the judge",
)
CONTENT = Point("cut", "This paper does not reach content.", "18 USC 2703(b)")
FACTS = ReplyFacts(
    sender=SENDER,
    recipient="Amtsgericht Beispielstadt",
    recipient_address=("Am Markt 1", "12345 Beispielstadt"),
    written_on=dt.date(2026, 11, 22),
    received_on=dt.date(2026, 11, 20),
    instrument="Subpoena",
    instrument_code="subpoena",
    reference="26-mc-7",
    own_reference="2026-014",
    signed_by="Boris Beispiel",
    points=(SIGNATURE, CONTENT, Point("note", "Read the annex.", "18 USC 2701")),
    periods=(
        Period(
            "Data are sent within ten days.",
            dt.datetime(2026, 12, 1, tzinfo=BERLIN),
            "Regulation (EU) 2023/1543, Article 10(3)",
        ),
        Period("The letter is answered.", dt.datetime(2026, 11, 24, 9, 30, tzinfo=dt.UTC)),
        Period("The court decides.", None, "18 USC 3511(b)"),
    ),
    reasons=(Box("incomplete", "It is incomplete.", ticked=True), Box("offence", "...", ticked=False)),
    preserved=True,
    certificate=Certificate("EPOC", dt.date(2026, 11, 18)),
    office=Office(
        "Chat zu Hause GmbH",
        "Ana Beispiel",
        "Hafenweg 1, 12345 Beispielstadt",
        "privacy@chat.example",
        "Boris Beispiel",
    ),
    more_time=MoreTime(dt.date(2026, 12, 14), ("Chi 14/12",)),
    silence=Silence(
        "18 USC 2705(b)", dt.date(2025, 7, 1), "USDC", "1:25-sc-9", (dt.date(2026, 7, 1),), federal=True
    ),
    route=Route(foreign=True, gdpr=True, treaty="MLAT 2003", authority="Bundesamt"),
    court_path="LG: TDDDG 21(2)",
    report_to="https://chat.example/report",
)
REMOVAL = dataclasses.replace(
    FACTS,
    more_time=None,
    removal=Removal(dt.datetime(2026, 11, 20, 3, 2, tzinfo=BERLIN), ("errors",), "URL 404.", "URL"),
)
INFORMAL = dataclasses.replace(FACTS, route=Route(foreign=False))
UNKNOWN_ROUTE = dataclasses.replace(FACTS, route=Route(foreign=True), points=())
LAW = ThirdCountryLaw(
    title="LAW-TITLE",
    provisions="LAW-TEXT",
    interests=(("fundamental_rights", "INTEREST-A"), ("other", "INTEREST-C")),
    why_applicable="WHY-LAW",
    why_conflict="WHY-CONFLICT",
    link="LINK",
    consequences="PENALTY",
    more="MORE",
)
THIRD_COUNTRY = dataclasses.replace(
    FACTS,
    points=(Point("cut", "The law of a third country forbids it.", "Article 17", "third_country"),),
    reasons=(Box("third_country", "...", ticked=True),),
    third_country=LAW,
    preserved=False,
    certificate=Certificate("EPOC", dt.date(2026, 11, 18), "VALIDATING", "VAL-1", "ENFORCING", "ENF-1"),
    own_reference="",
)

EVERY: tuple[tuple[LetterCode, ReplyFacts], ...] = (
    *((code, FACTS) for code in LETTERS),
    ("delay", REMOVAL),
    ("redirect", INFORMAL),
    ("redirect", UNKNOWN_ROUTE),
    ("annex3", THIRD_COUNTRY),
    ("holding", dataclasses.replace(FACTS, reference="", own_reference="", signed_by="", instrument="")),
)
"""Each letter, and each variant that has words of its own."""
LANGUAGES = languages()


def every(language: str) -> list[Letter]:
    """All letters and variants in one language."""
    return [write_letter(code, facts, language=language) for code, facts in EVERY]


def written(code: LetterCode, language: str = "en", **changes: Any) -> str:
    """A letter's text as one line."""
    return one_line(write_letter(code, dataclasses.replace(FACTS, **changes), language=language).text)


def both(letter: Letter) -> tuple[str, str]:
    """Text and HTML with every run of white space as one space."""
    return one_line(letter.text), Page(letter.html).text


class Page(HTMLParser):
    """Tags, attributes and visible text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return one_line(" ".join(self.words))


def one_line(text: str) -> str:
    """Every run of white space as one space, the no-break space too."""
    return " ".join(text.split())


_FOOTER = re.compile(r"\b(Page|Seite) \d+ (of|von|sur) \d+")


def printed(pdf: bytes) -> str:
    """The characters of a PDF without white space and page numbers: lines may break anywhere."""
    return squeezed("\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages))


def poppler(pdf: bytes) -> str:
    """The same as another program reads it."""
    done = subprocess.run(["pdftotext", "-raw", "-", "-"], input=pdf, capture_output=True, check=True)
    return squeezed(done.stdout.decode())


def squeezed(text: str) -> str:
    """A text without white space and page numbers."""
    return "".join(_FOOTER.sub("", one_line(text)).split())

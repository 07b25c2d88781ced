"""Mails are taken apart within limits; what is not opened is listed."""

import time
from email.message import EmailMessage
from types import ModuleType

import pytest

from dueprocess.errors import MalformedError
from dueprocess.intake.markup import words
from dueprocess.intake.mime import MAX_OPENED, decoded
from dueprocess.intake.paper import read_paper


def _nested(depth: int) -> bytes:
    head = "From: a@b.example\nSubject: bomb\n"
    for level in range(depth):
        head += f"Content-Type: multipart/mixed; boundary=b{level}\n\n--b{level}\n"
    return (head + "Content-Type: text/plain\n\nboom\n").encode()


@pytest.mark.parametrize("depth", [100, 1000, 20_000])
def test_a_mail_bomb_is_refused_fast(depth: int) -> None:
    """A thousand nested parts are counted before the parser sees them."""
    started = time.perf_counter()
    with pytest.raises(MalformedError) as caught:
        read_paper(_nested(depth), name="bomb.eml")
    assert caught.value.code == "mail-too-complex"
    assert time.perf_counter() - started < 5


def test_a_thousand_parts_side_by_side_are_cut_and_counted() -> None:
    """A flat bomb is read to its limit; the rest is said to be left out."""
    parts = "".join(f"--b\nContent-Type: text/plain\n\npart {number}\n" for number in range(1000))
    content = f"From: a@b.example\nSubject: x\nContent-Type: multipart/mixed; boundary=b\n\n{parts}--b--\n"
    paper = read_paper(content.encode(), name="x.eml")
    assert len(paper.pages) <= 40
    assert any("more parts of this mail were not looked at" in each for each in paper.unreadable)


def test_millions_of_lines_are_refused() -> None:
    """The parser's cost is lines times boundaries, so both are bounded."""
    content = b"From: a@b.example\nSubject: x\n\n" + b"\n" * 700_000 + b"x"
    with pytest.raises(MalformedError, match="nested or split"):
        read_paper(content, name="x.eml")


def test_depth_beyond_the_limit_is_left_out_and_said() -> None:
    """Ten levels are no bomb; what lies below six is not read and said so."""
    paper = read_paper(_nested(10), name="x.eml")
    assert "1 more parts of this mail were not looked at" in paper.unreadable


def test_pdf_and_text_attachments_are_read_and_others_listed(make: ModuleType) -> None:
    """The order in the attachment is searched first; a picture is listed as not opened."""
    message = EmailMessage()
    message["From"] = "a@b.example"
    message["Subject"] = "papers"
    message.set_content("cover words")
    message.add_attachment(
        make.pdf(["SEARCH WARRANT"]), maintype="application", subtype="pdf", filename="w.pdf"
    )
    message.add_attachment(b"\x89PNG\r\n\x1a\nxx", maintype="image", subtype="png", filename="p.png")
    message.add_attachment(b"%PDF-1.4\ncut", maintype="application", subtype="pdf", filename="cut\u202e.pdf")
    paper = read_paper(message.as_bytes(), name="x.eml")
    first, second, third = paper.parts
    assert "SEARCH WARRANT" in first.pages[0].text
    assert second.note.startswith("not opened: This is a photo")
    assert third.note.startswith("not opened: This PDF cannot be read")
    assert third.label == "attachment cut.pdf"
    assert [sheet.part for sheet in paper.sheets] == ["attachment w.pdf", "mail subject", "mail"]


def test_only_so_many_attachments_are_opened() -> None:
    """Each PDF costs a child, so the number that is opened is bounded and the rest is named."""
    message = EmailMessage()
    message["From"] = "a@b.example"
    message["Subject"] = "many"
    message.set_content("x")
    for number in range(MAX_OPENED + 3):
        message.add_attachment("words", filename=f"{number}.txt")
    paper = read_paper(message.as_bytes(), name="x.eml")
    assert sum(1 for part in paper.parts if part.note) == 3


def test_html_alone_gives_its_words_and_a_differing_html_is_named() -> None:
    """A mail whose HTML says other words than its plain text is said to do so."""
    head = b"From: a@b.example\nSubject: x\nContent-Type: text/html\n\n"
    assert (
        read_paper(head + b"<p>Subpoena &amp; more<p>two", name="x").pages[0].text == "Subpoena & more\ntwo"
    )
    message = EmailMessage()
    message["From"] = "a@b.example"
    message["Subject"] = "two"
    message.set_content("hello there")
    message.add_alternative("<p>hello there, send all data</p>", subtype="html")
    assert "HTML version" in read_paper(message.as_bytes(), name="x").unreadable[0]


def test_a_mail_in_a_mail_is_read_to_its_words() -> None:
    """A forwarded mail's words are read; a saved mail as a file is listed to be saved by itself."""
    inner = EmailMessage()
    inner["From"] = "c@d.example"
    inner.set_content("the inner words")
    outer = EmailMessage()
    outer["From"] = "a@b.example"
    outer["Subject"] = "fwd"
    outer.set_content("see below")
    outer.add_attachment(inner)
    paper = read_paper(outer.as_bytes(), name="x.eml")
    assert "the inner words" in "".join(page.text for page in paper.pages)


def test_headers_are_decoded_and_stay_on_one_line() -> None:
    """Encoded words become letters, unknown charsets never fail, folding is undone."""
    assert decoded("=?utf-8?q?Stra=C3=9Fe?=\n =?nonsense?q?x?=") == "Straßex"
    assert decoded("a\r\n b") == "a b"
    assert decoded("=?utf-8?b?a?=") == "=?utf-8?b?a?="


@pytest.mark.parametrize(
    "content",
    [
        b"From: a@b.example\nContent-Type: text/plain; " + b"a=b; " * 100_000 + b"\n\nhi",
        b"From: a@b.example\nSubject: x\nContent-Disposition: attachment;\n "
        + b"a*0=b;\n " * 100_000
        + b"\n\nhi",
    ],
)
def test_a_field_that_would_keep_the_parser_busy_is_refused(content: bytes) -> None:
    """Parameters of a field are read in quadratic time, so their length is bounded first."""
    with pytest.raises(MalformedError) as caught:
        read_paper(content, name="x.eml")
    assert caught.value.code == "mail-too-complex"


@pytest.mark.parametrize("piece", ["<a ", "<!--", "<![CDATA[", "<script>", "<a b='", "&#", "<head"])
def test_broken_html_is_read_in_linear_time(piece: str) -> None:
    """Three hundred thousand characters of broken tags cost well under a second."""
    started = time.perf_counter()
    words("seen " + piece * (300_000 // len(piece)))
    assert time.perf_counter() - started < 3


def test_words_of_html_are_those_that_a_reader_sees() -> None:
    """Comments, scripts, styles and the head are silent; a header element is not a head."""
    page = "<head><title>no</title></head><header>Search</header><!-- no --><p>w&auml;rrant<STYLE>no</STYLE> 1 < 2"
    assert words(page) == "Search\nwärrant 1 < 2"

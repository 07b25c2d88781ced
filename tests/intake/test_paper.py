"""What comes in is told apart by its content; what cannot be read is refused or named."""

import os
import time
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dueprocess.errors import MalformedError, UnavailableError
from dueprocess.intake.paper import MAX_BYTES, open_paper, read_paper

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty-file"),
        (b" \r\n\t\n", "empty-file"),
        (b"\0" * 4096, "only-zeros"),
        (b"PK\x03\x04rest", "not-opened"),
        (b"\x1f\x8b\x08rest", "not-opened"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest", "not-opened"),
        (PNG, "a-photo"),
        (b"\xff\xd8\xff\xe0rest", "a-photo"),
        (b"\0\0\0\x18ftypheic", "a-photo"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "a-photo"),
        (bytes(range(256)) * 8, "binary"),
        (b"words with a \0 in them", "binary"),
    ],
)
def test_what_is_no_paper_is_refused_by_name(content: bytes, code: str) -> None:
    """Empty files, zeros, archives, photos and binary junk each get their own error with advice."""
    with pytest.raises(MalformedError) as caught:
        read_paper(content, name="order.pdf")
    assert caught.value.code == code
    assert caught.value.what


def test_a_hundred_megabytes_are_refused_without_reading_them(tmp_path: Path) -> None:
    """The size is asked before the first byte is read, so that a bomb on disk costs nothing."""
    path = tmp_path / "zeros.pdf"
    with path.open("wb") as file:
        file.truncate(100 * 2**20)
    started = time.perf_counter()
    with pytest.raises(MalformedError) as caught:
        open_paper(path)
    assert caught.value.code == "too-large"
    assert "100.0 MiB" in caught.value.what
    assert time.perf_counter() - started < 5


def test_the_limit_holds_for_bytes_too() -> None:
    """A caller that already holds the bytes is refused as well."""
    with pytest.raises(MalformedError) as caught:
        read_paper(b"x" * (MAX_BYTES + 1), name="x")
    assert caught.value.code == "too-large"


def test_a_directory_a_device_and_nothing_have_their_own_errors(tmp_path: Path) -> None:
    """A hurried person sees which of the three it was."""
    codes = []
    for path in (tmp_path, Path(os.devnull), tmp_path / "missing.eml"):
        with pytest.raises(MalformedError) as caught:
            open_paper(path)
        codes.append(caught.value.code)
    assert codes == ["directory", "not-a-file", "no-such-file"]


def test_a_name_that_no_system_takes_is_said_to_be_unreadable() -> None:
    """A path that the system refuses is an outside failure, told in words."""
    with pytest.raises(UnavailableError):
        open_paper(Path("x" * 5000))


def test_kinds_are_told_apart_by_content_not_by_ending(make: ModuleType) -> None:
    """A mail named .pdf is a mail, a PDF named .txt is a PDF."""
    assert read_paper(make.mail("s", "a@b.example", "hello"), name="x.pdf").kind == "mail"
    assert read_paper(make.pdf(["hello"]), name="x.txt").kind == "pdf"
    assert read_paper(b"From us to you, greetings", name="x.eml").kind == "text"
    assert read_paper("Straße".encode("utf-16"), name="x").pages[0].text == "Straße"
    assert read_paper("Straße".encode("cp1252"), name="x").pages[0].text == "Straße"


def test_a_text_has_pages_and_html_loses_its_tricks() -> None:
    """Form feeds end pages; scripts, styles and hidden heads give no words."""
    assert [page.text for page in read_paper(b"one\ftwo", name="x").pages] == ["one", "two"]
    page = read_paper(
        b"<html><head><title>no</title></head><body>Search<br>warrant<script>x()</script></body></html>",
        name="x",
    )
    assert page.pages[0].text == "Search\nwarrant"


def test_a_page_without_text_layer_is_listed(make: ModuleType) -> None:
    """A scan is said to be one, by its page number."""
    paper = read_paper(make.pdf(["words"], scans=2), name="x.pdf")
    assert paper.unreadable == ("page 2 has no text layer (a scan)", "page 3 has no text layer (a scan)")
    assert "words" in paper.pages[0].text
    assert paper.pages[1].note.endswith("(a scan)")


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.binary(max_size=400), st.text(max_size=200).map(str.encode)))
def test_foreign_bytes_give_a_paper_or_malformed(content: bytes) -> None:
    """Nothing but MalformedError leaves the reader (PDFs have their own test: each costs a child)."""
    if b"%PDF-" in content:
        return
    try:
        paper = read_paper(content, name="x")
    except MalformedError:
        return
    assert paper.size_bytes == len(content)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                "From: a@b.example",
                "Subject: =?utf-8?q?x=FF?=",
                "Content-Type: multipart/mixed; boundary=x",
                "Content-Type: text/html; charset=nonsense",
                "Content-Type: message/rfc822",
                "Content-Transfer-Encoding: base64",
                "Content-Transfer-Encoding: uuencode",
                "Content-Disposition: attachment; filename*=utf-8''%ff\"",
                "Content-Type: application/pdf; name=x",
                "",
                "--x",
                "--x--",
                "words, and ÿ more",
                "UEsDBA==",
                "begin 666 x",
            ]
        ),
        max_size=30,
    )
)
def test_odd_mails_give_a_paper_or_malformed(lines: list[str]) -> None:
    """Mails put together from odd pieces never crash the reader."""
    content = "\n".join(["From: a@b.example", "Subject: x", *lines]).encode("latin-1")
    try:
        paper = read_paper(content, name="x.eml")
    except MalformedError:
        return
    assert paper.kind == "mail"

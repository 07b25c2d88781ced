"""A paper as it came: what kind of file, its digest, its pages of text, and what could not be read.

The paper stays the truth. Nothing here decides what it means; `signs` points at words, a person reads.
"""

import stat
from dataclasses import dataclass, field
from pathlib import Path

from dueprocess.errors import MalformedError, UnavailableError
from dueprocess.intake.markup import words
from dueprocess.intake.pdf import PdfPage, PdfText, read_pdf
from dueprocess.intake.places import Sheet, clean
from dueprocess.intake.sniff import PaperKind, decode, sniff
from dueprocess.wire import Json, sha256_hex

MAX_BYTES = 25 * 2**20
MAX_CHARS = 1_000_000


@dataclass(frozen=True, slots=True)
class Page:
    """One page. ``note`` says what is odd about its text: none at all, or read off an image."""

    number: int
    text: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a mail. ``pages`` is empty where it was not opened; ``note`` says why."""

    label: str
    media_type: str
    sha256: str
    size_bytes: int
    pages: tuple[Page, ...] = ()
    note: str = ""
    signature_field: bool = False


@dataclass(frozen=True, slots=True)
class Paper:
    """One file as received. It does NOT say that the paper is what it seems, or from whom it seems."""

    kind: PaperKind
    name: str
    sha256: str
    size_bytes: int
    pages: tuple[Page, ...]
    """Pages of a PDF or a text; of a mail, the words of the message itself."""
    parts: tuple[Part, ...] = ()
    """Attachments of a mail, opened or not."""
    headers: tuple[tuple[str, str], ...] = ()
    """Headers of a mail in their order, decoded, unfolded, as written by whoever wrote them."""
    unreadable: tuple[str, ...] = field(default=())
    """What could not be read, in words. Never empty pretence."""
    signature_fields: tuple[str, ...] = ()
    """Names of the files that carry a PDF signature field. Nobody has checked those signatures here."""

    def header(self, name: str) -> str:
        """The first header of that name, or an empty text."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")

    def all_headers(self, name: str) -> tuple[str, ...]:
        return tuple(value for key, value in self.headers if key.lower() == name.lower())

    @property
    def sheets(self) -> tuple[Sheet, ...]:
        """Every page with text: attachments first, because the order is the paper, not the cover mail."""
        attached = [Sheet(part.label, page.number, page.text) for part in self.parts for page in part.pages]
        own = "mail" if self.kind == "mail" else ""
        return tuple(each for each in (*attached, *self._own(own)) if each.text.strip())

    def _own(self, label: str) -> list[Sheet]:
        subject = self.header("Subject")
        lead = [Sheet("mail subject", 1, subject)] if subject else []
        return [*lead, *(Sheet(label, page.number, page.text) for page in self.pages)]

    def as_json(self) -> dict[str, Json]:
        return {
            "kind": self.kind,
            "name": self.name,
            "sha256": self.sha256,
            "bytes": self.size_bytes,
            "pages": len(self.pages),
            "parts": [
                {"label": part.label, "type": part.media_type, "sha256": part.sha256, "note": part.note}
                for part in self.parts
            ],
            "unreadable": list(self.unreadable),
        }


def open_paper(path: Path) -> Paper:
    """The paper in a file. Its size is asked before a byte is read.

    Refuses a missing file, a directory, a device, and more than ``MAX_BYTES``.
    """
    try:
        found = path.stat()
        _check_file(path, found.st_mode, found.st_size)
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise MalformedError(
            "no-such-file", f"There is no file {path.name!r}.", why=str(path), do="Check the spelling."
        ) from error
    except (OSError, ValueError) as error:
        raise UnavailableError(
            "file-not-readable", f"The file {path.name!r} cannot be read.", why=str(error)
        ) from error
    return read_paper(content, name=path.name)


def _check_file(path: Path, mode: int, size: int) -> None:
    if stat.S_ISDIR(mode):
        raise MalformedError(
            "directory",
            f"{path.name!r} is a directory, not a file.",
            do="Name one file: the mail (.eml), the PDF or the text.",
        )
    if not stat.S_ISREG(mode):
        raise MalformedError("not-a-file", f"{path.name!r} is a device or a pipe, not a file.")
    _check_size(size)


def _check_size(size: int) -> None:
    if size > MAX_BYTES:
        raise MalformedError(
            "too-large",
            f"This file has {size / 2**20:,.1f} MiB; at most {MAX_BYTES // 2**20} MiB are read.",
            why="A legal paper is small. Large files exhaust the reader, which may be their purpose.",
            do="Save the paper alone, without data that came with it.",
        )


def read_paper(content: bytes, *, name: str) -> Paper:
    """A paper from its bytes, told apart by content and not by the ending of ``name``.

    Refuses (``MalformedError``) empty files, zeros, archives, images, binary junk, locked or broken PDFs and
    anything over ``MAX_BYTES``. ``UnavailableError`` only where the PDF reader cannot be started.
    """
    _check_size(len(content))
    kind = sniff(content)
    if kind == "mail":
        from dueprocess.intake.mime import read_mail  # noqa: PLC0415  # mime needs Page and Part from here

        return read_mail(content, name=clean(name))
    found, name = read_pages(kind, content), clean(name)
    return Paper(
        kind=kind,
        name=name,
        sha256=sha256_hex(content),
        size_bytes=len(content),
        pages=found.pages,
        unreadable=found.unreadable,
        signature_fields=(name,) if found.signature_field else (),
    )


@dataclass(frozen=True, slots=True)
class Pages:
    """Pages of a PDF or a text, what of them could not be read, and whether a signature field is there."""

    pages: tuple[Page, ...]
    unreadable: tuple[str, ...] = ()
    signature_field: bool = False


def read_pages(kind: PaperKind, content: bytes) -> Pages:
    """The pages of one PDF or text; pages of a text end at form feeds."""
    if kind == "pdf":
        return _pdf_pages(read_pdf(content))
    text, left_out = shorten(decode(content))
    if text.lstrip()[:200].lower().startswith(("<!doctype html", "<html")):
        text = words(text)
    return Pages(tuple(Page(number, each) for number, each in enumerate(text.split("\f"), start=1)), left_out)


def shorten(text: str) -> tuple[str, tuple[str, ...]]:
    """The first ``MAX_CHARS`` characters, and a sentence about the rest where there is one."""
    if len(text) <= MAX_CHARS:
        return text, ()
    left_out = f"the text after its first {MAX_CHARS:,} characters was not looked at"
    return text[:MAX_CHARS], (left_out,)


def _pdf_pages(pdf: PdfText) -> Pages:
    lost = {page.number: _lost(page) for page in pdf.pages}
    pages = tuple(Page(page.number, page.text, lost[page.number] or _caution(page)) for page in pdf.pages)
    unreadable = [each for each in lost.values() if each]
    missing = pdf.page_count - len(pdf.pages)
    if pdf.broken_off:
        unreadable.append(f"reading stopped after page {len(pdf.pages)}: {pdf.broken_off}")
    elif missing > 0:
        unreadable.append(f"{missing} of {pdf.page_count} pages could not be reached")
    if pdf.embedded_files:
        unreadable.append("files embedded in the PDF were not opened")
    return Pages(pages, tuple(unreadable), pdf.signature_field)


def _lost(page: PdfPage) -> str:
    """What of this page nobody could read, in words; empty where all of it was read."""
    if page.error:
        return f"page {page.number} could not be read: {clean(page.error)}"
    if page.doubt:
        return f"page {page.number} may be incomplete: {clean(page.doubt)}"
    if not page.text.strip():
        return f"page {page.number} has no text layer" + (" (a scan)" if page.image else "")
    return ""


def _caution(page: PdfPage) -> str:
    return "holds an image: where it was scanned, its text is a machine's reading" if page.image else ""

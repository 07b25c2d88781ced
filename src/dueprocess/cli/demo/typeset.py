"""Fictional court papers as real PDFs with a text layer: typewriter type, a caption, a stamp, page numbers.

Only what the demonstration's papers need. Every line of type is one line of text, so that people, `pdftotext`
and the intake read the same words.
"""

import io
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pypdf import PdfWriter
from pypdf.generic import ArrayObject, DecodedStreamObject, DictionaryObject, FloatObject, NameObject

WIDTH, HEIGHT, MARGIN = 612, 792, 72
"""US Letter, in points, with margins of an inch."""
_SIZE = 11.0
_ADVANCE = 0.6
"""Width of every Courier letter, as a part of its size. Source: Adobe Font Metrics of Courier."""
COLUMNS = int((WIDTH - 2 * MARGIN) / (_SIZE * _ADVANCE))
_BOTTOM = MARGIN + 24


@dataclass(frozen=True, slots=True)
class Line:
    """One line of type. ``column`` counts letters from the left margin."""

    text: str
    column: int = 0
    bold: bool = False
    leading: float = 18.0


@dataclass(frozen=True, slots=True)
class Block:
    """Lines that stay on one page, and the space below them in points."""

    lines: tuple[Line, ...]
    below: float = 8.0

    @property
    def height(self) -> float:
        return sum(line.leading for line in self.lines) + self.below


@dataclass(frozen=True, slots=True)
class Stamp:
    """A clerk's stamp in the upper right corner of the first page."""

    lines: tuple[str, ...]


def heading(*lines: str, below: float = 10.0) -> Block:
    """Centred lines in bold."""
    return Block(
        tuple(Line(text, (COLUMNS - len(text)) // 2, bold=True, leading=15.0) for text in lines), below
    )


def paragraph(text: str, *, indent: int = 6, column: int = 0) -> Block:
    """Wrapped prose; accounts and citations are never broken at their hyphens."""
    wrapped = textwrap.wrap(
        text, COLUMNS - column, initial_indent=" " * indent, break_on_hyphens=False, break_long_words=False
    )
    return Block(tuple(Line(each.lstrip(), column + len(each) - len(each.lstrip())) for each in wrapped), 6.0)


def listing(*lines: str, column: int = 12) -> Block:
    return Block(tuple(Line(text, column) for text in lines))


def caption(left: Sequence[str], right: Sequence[str]) -> Block:
    """The usual head of a court paper: the matter on the left, brackets, the docket on the right."""
    beside = [*right, *[""] * (len(left) - len(right))]
    rows = (f"{mine:<36})  {other}".rstrip() for mine, other in zip(left, beside, strict=True))
    return Block(tuple(Line(row, leading=14.0) for row in rows), 16.0)


def signature(name: str, *below: str) -> Block:
    """A signature line with the typed name over it and the office under it."""
    lines = ("_" * 32, *below)
    first = Line(f"/s/ {name}", COLUMNS - 34, leading=30.0)
    return Block((first, *(Line(text, COLUMNS - 34, leading=14.0) for text in lines)), 12.0)


def pdf(parts: Sequence[Sequence[Block]], *, title: str, foot: str, stamp: Stamp) -> bytes:
    """A PDF; each part begins on a page of its own. ``foot`` stands on every page with its number."""
    pages = [page for part in parts for page in _pages(part)]
    writer = PdfWriter()
    writer.add_metadata({"/Title": title})
    fonts = DictionaryObject(
        {
            NameObject("/F1"): writer._add_object(_font("Courier")),  # noqa: SLF001  pypdf has no public name for it
            NameObject("/F2"): writer._add_object(_font("Courier-Bold")),  # noqa: SLF001
        }
    )
    for number, lines in enumerate(pages, start=1):
        page = writer.add_blank_page(WIDTH, HEIGHT)
        drawn = [*lines, _foot(f"{foot}   Page {number} of {len(pages)}")]
        content = DecodedStreamObject()
        content.set_data(b"\n".join([*drawn, *(_stamped(stamp) if number == 1 else ())]))
        page[NameObject("/Contents")] = writer._add_object(content.flate_encode())  # noqa: SLF001
        page[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): fonts})
        page[NameObject("/MediaBox")] = ArrayObject(FloatObject(each) for each in (0, 0, WIDTH, HEIGHT))
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def _font(name: str) -> DictionaryObject:
    facts = {"/Type": "/Font", "/Subtype": "/Type1", "/BaseFont": f"/{name}", "/Encoding": "/WinAnsiEncoding"}
    return DictionaryObject({NameObject(key): NameObject(value) for key, value in facts.items()})


def _pages(blocks: Sequence[Block]) -> Iterator[list[bytes]]:
    """Drawing orders page by page; a block that does not fit goes to the next page whole."""
    lines: list[bytes] = []
    y = float(HEIGHT - MARGIN)
    for block in blocks:
        if lines and y - block.height < _BOTTOM:
            yield lines
            lines, y = [], float(HEIGHT - MARGIN)
        for line in block.lines:
            y -= line.leading
            lines.append(
                _type(line.text, MARGIN + line.column * _SIZE * _ADVANCE, y, "F2" if line.bold else "F1")
            )
        y -= block.below
    yield lines


def _type(text: str, x: float, y: float, font: str, size: float = _SIZE) -> bytes:
    """One line at a place. Letters outside of Windows-1252 are refused by the codec."""
    escaped = text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
    return (
        f"BT /{font} {size:g} Tf 1 0 0 1 {x:.1f} {y:.1f} Tm (".encode()
        + escaped.encode("cp1252")
        + b") Tj ET"
    )


def _foot(text: str) -> bytes:
    size = 8.0
    x = (WIDTH - len(text) * size * _ADVANCE) / 2
    rule = f"0.5 w {MARGIN} {MARGIN + 2} m {WIDTH - MARGIN} {MARGIN + 2} l S".encode()
    return rule + b"\n" + _type(text, x, MARGIN - 12, "F1", size)


def _stamped(stamp: Stamp) -> Iterator[bytes]:
    size, wide, high = 9.0, 150.0, 14.0 * len(stamp.lines) + 8
    left, top = WIDTH - wide - 36, HEIGHT - 24
    yield f"q 0.12 0.2 0.55 RG 0.12 0.2 0.55 rg 1.2 w {left} {top - high} {wide} {high} re S".encode()
    for number, text in enumerate(stamp.lines, start=1):
        x = left + (wide - len(text) * size * _ADVANCE) / 2
        yield _type(text, x, top - 14.0 * number, "F2", size)
    yield b"Q"

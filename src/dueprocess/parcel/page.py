"""Pages of the package: one value with two renderings, HTML here and PDF in `production`, so that both say the same.

The HTML has no script, image or outside address. Whatever others wrote (accounts, names, a store's own words) goes
through `visible` first.
"""

import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from html import escape
from typing import Literal

Kind = Literal["heading", "text", "warning", "item", "facts", "table", "tick", "blanks"]

_INVISIBLE = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})


@dataclass(frozen=True, slots=True)
class Block:
    """One part of a page. Facts have rows of (label, value), a table has heads and rows as well, blanks to fill
    have rows of labels.

    A line feed in a cell begins a new line. The last cell of a short row takes the rest of its width. ``widths`` are
    the columns' shares of a table's width, ``marked`` the numbers of the rows that must not be overlooked.
    """

    kind: Kind
    text: str = ""
    heads: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    widths: tuple[int, ...] = ()
    marked: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Page:
    """A title and its blocks. ``foot`` stands at the bottom of each printed page."""

    title: str
    foot: str
    author: str
    blocks: tuple[Block, ...]

    def shown(self, spelled: Callable[[str], str]) -> dict[str, object]:
        """The page for a typesetter, each text as ``spelled`` has it."""
        return {
            "title": spelled(self.title),
            "foot": spelled(self.foot),
            "author": spelled(self.author),
            "blocks": [
                {
                    "kind": each.kind,
                    "text": spelled(each.text),
                    "heads": list(each.heads),
                    "rows": [[spelled(cell) for cell in row] for row in each.rows],
                    "widths": list(each.widths),
                    "marked": sorted(each.marked),
                }
                for each in self.blocks
            ],
        }


def visible(text: str) -> str:
    """The text with every control, direction, zero-width and private character as its number: ``[U+202E]``."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        f"[U+{ord(each):04X}]" if unicodedata.category(each) in _INVISIBLE else each for each in text
    )


def cell(*lines: str) -> str:
    """A cell of a table: one line for each text that is not empty, each made visible."""
    return "\n".join(visible(each) for each in lines if each)


_STYLE = (
    ":root{color-scheme:light}"
    "body{font:16px/1.5 system-ui,sans-serif;max-width:66rem;margin:2rem auto;padding:0 1rem;color:#111;"
    "background:#fff}"
    "h1{font-size:1.6rem;line-height:1.2}h2{font-size:1.15rem;margin:2rem 0 .5rem}"
    "table{border-collapse:collapse;width:100%;margin:.5rem 0 1rem;font-size:.9rem}"
    "th,td{border-bottom:1px solid #bbb;padding:.35rem .5rem;text-align:left;vertical-align:top;"
    "overflow-wrap:anywhere}"
    "thead th{border-bottom:2px solid #333;font-weight:600}tbody th{font-weight:400}"
    "tbody th bdi:first-child{font-weight:600}"
    "tr.marked>*{background:#fdecea}"
    "dl{display:grid;grid-template-columns:12rem 1fr;gap:.25rem 1rem;margin:1rem 0}"
    "dt{color:#50545b}dd{margin:0;overflow-wrap:anywhere}"
    "p,li{overflow-wrap:anywhere}"
    ".warning{border-left:.3rem solid #b3261e;background:#fdecea;padding:.6rem .8rem;font-weight:600}"
    ".scroll{overflow-x:auto}.wide table{min-width:54rem}.tick::before{content:'\\2610  '}"
    ".blank{border-bottom:1px solid #333;min-height:2.2rem}thead th{overflow-wrap:normal}"
    "@media(max-width:40rem){dl{grid-template-columns:1fr}dd{margin-bottom:.4rem}}"
    "@media print{.wide table{min-width:0}body{margin:0;max-width:none;font-size:11pt}tr{break-inside:avoid}}"
)


def page_html(page: Page) -> bytes:
    """The page as one HTML file. Every value stands on its own for the direction of its script."""
    parts = [
        "<!doctype html>",
        (
            '<html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
        ),
        f"<title>{escape(page.title)}</title><style>{_STYLE}</style></head><body><main>",
        f"<h1>{escape(page.title)}</h1>",
        *_blocks(page.blocks),
        "</main></body></html>\n",
    ]
    return "\n".join(parts).encode()


def _blocks(blocks: Iterable[Block]) -> Iterable[str]:
    """Each block as HTML; neighbouring items share one list."""
    listed = False
    for block in blocks:
        if (block.kind == "item") != listed:
            listed = not listed
            yield "<ul>" if listed else "</ul>"
        yield _block(block)
    if listed:
        yield "</ul>"


def _block(block: Block) -> str:
    text = escape(block.text)
    match block.kind:
        case "heading":
            return f"<h2>{text}</h2>"
        case "item":
            return f"<li>{text}</li>"
        case "warning":
            return f'<p class="warning" role="note">{text}</p>'
        case "tick":
            return f'<p class="tick">{text}</p>'
        case "blanks":
            return "".join(f'<p class="blank">{escape(each)}</p>' for row in block.rows for each in row)
        case "facts":
            rows = "".join(f"<dt>{escape(row[0])}</dt><dd>{_lines(row[1])}</dd>" for row in block.rows)
            return f"<dl>{rows}</dl>"
        case "table":
            return _table(block)
        case _:
            return f"<p>{text}</p>"


def _table(block: Block) -> str:
    columns = "".join(f'<col style="width:{width}%">' for width in block.widths)
    heads = "".join(f'<th scope="col">{escape(each)}</th>' for each in block.heads)
    wide = len(block.heads)
    rows = "".join(_row(row, wide, marked=at in block.marked) for at, row in enumerate(block.rows))
    box = "scroll wide" if wide > 4 else "scroll"
    caption = f'<div class="{box}"><table aria-label="{escape(block.text)}">'
    return f"{caption}<colgroup>{columns}</colgroup><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"


def _row(row: tuple[str, ...], wide: int, *, marked: bool) -> str:
    first, *rest, last = row
    cells = "".join(f"<td>{_lines(each)}</td>" for each in rest)
    span = f' colspan="{wide - len(row) + 1}"' if len(row) < wide else ""
    mark = ' class="marked"' if marked else ""
    return f'<tr{mark}><th scope="row">{_lines(first)}</th>{cells}<td{span}>{_lines(last)}</td></tr>'


def _lines(text: str) -> str:
    return "<br>".join(f"<bdi>{escape(line)}</bdi>" for line in text.split("\n"))

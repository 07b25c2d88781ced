"""Blocks: what a letter consists of, before it becomes text, a page or a PDF.

A template is plain lines, each one block: ``# subject``, ``## heading``, ``! callout``, ``- item``, ``[x] ticked``,
``[ ] not ticked``, ``= Label:: value``, ``> source:: English words``, ``_ place to sign``, ``~ who signs``,
``$ command``; all else is a paragraph. Foreign values are cleaned to one line first, and a template begins no line
with one, so none can begin a block of its own.
"""

import itertools
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

WIDTH = 72
"""Columns of the plain text: old mail programs and printers show it unbroken."""

Kind = Literal[
    "subject", "heading", "callout", "item", "box", "fact", "quote", "signature", "signed", "command",
    "paragraph",
]  # fmt: skip

_MARKS: dict[str, Kind] = {
    "# ": "subject", "##": "heading", "! ": "callout", "- ": "item", "[x": "box", "[ ": "box", "= ": "fact",
    "> ": "quote", "_ ": "signature", "~ ": "signed", "$ ": "command",
}  # fmt: skip
_TIGHT: frozenset[Kind] = frozenset({"item", "box", "fact", "quote", "signed", "command"})
_QUOTES = {"en": ("“", "”"), "de": ("„", "“"), "fr": ("«\N{NO-BREAK SPACE}", "\N{NO-BREAK SPACE}»")}
_COLON = {"fr": "\N{NO-BREAK SPACE}:"}


@dataclass(frozen=True, slots=True)
class Block:
    """One part of a letter. ``label``: what a fact is called, or where quoted English words come from."""

    kind: Kind
    text: str
    label: str = ""
    ticked: bool = False


def blocks_of(source: str) -> Iterator[Block]:
    """The blocks of a filled template, one for each line that is not blank."""
    return (_block(line.lstrip()) for line in source.split("\n") if line.strip())


def _block(line: str) -> Block:
    kind, text = _MARKS.get(line[:2], "paragraph"), line[2:].strip()
    match kind:
        case "fact" | "quote":
            label, _, value = text.partition("::")
            return Block(kind, value.strip(), label)
        case "box":
            return Block(kind, line[4:].strip(), ticked=line[1] == "x")
        case "paragraph":
            return Block(kind, line.rstrip())
        case _:
            return Block(kind, text)


def grouped(blocks: Iterable[Block]) -> list[tuple[Kind, list[Block]]]:
    """Neighbours of one kind together: items make a list, facts a table."""
    return [(kind, list(group)) for kind, group in itertools.groupby(blocks, key=lambda block: block.kind)]


def quoted(text: str, language: str) -> str:
    """Words in the quotation marks of a language."""
    before, after = _QUOTES[language]
    return f"{before}{text}{after}"


def colon(language: str) -> str:
    """The colon after a label: French sets a space before it."""
    return _COLON.get(language, ":")


def as_text(blocks: Iterable[Block], language: str) -> str:
    """The body as plain text of at most ``WIDTH`` columns; only a command and a single long word are longer."""
    parts: list[str] = []
    for kind, group in grouped(blocks):
        between = "\n" if kind in _TIGHT else "\n\n"
        before = [""] if kind == "heading" and parts else []
        parts += [*before, between.join(_lines(block, language) for block in group), ""]
    return "\n".join(parts[:-1]) + "\n"


def _lines(block: Block, language: str) -> str:
    match block.kind:
        case "subject" | "heading":
            line = "=" if block.kind == "subject" else "-"
            return f"{wrapped(block.text)}\n{line * min(len(block.text), WIDTH)}"
        case "item":
            return wrapped(block.text, first="  * ", later="    ")
        case "box":
            return wrapped(block.text, first=f"  [{'x' if block.ticked else ' '}] ", later="      ")
        case "fact":
            return wrapped(f"{block.label}{colon(language)} {block.text}", first="  ", later="      ")
        case "quote":
            note = f" ({block.label})" if block.label else ""
            return wrapped(quoted(block.text, language) + note, first="  * ", later="    ")
        case "signature":
            return f"{block.text}{colon(language)} {'_' * 34}"
        case "command":
            return f"    {block.text}"
        case _:
            return wrapped(block.text)


def wrapped(text: str, *, first: str = "", later: str = "") -> str:
    """Lines of at most ``WIDTH`` columns, words whole."""
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=later,
        break_long_words=False,
        break_on_hyphens=False,
    )

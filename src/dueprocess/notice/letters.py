"""Letters: one text per kind, in ``templates/``, shown as plain text and as HTML.

A template is plain lines: ``## heading``, ``! callout``, ``- item``, ``= Label:: value``, ``$ command``; all else
is a paragraph. Foreign values are cleaned to one line first, so none can begin a line of its own.
"""

import functools
import itertools
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

import jinja2

from dueprocess.notice.facts import DeficiencyFacts, HoldingFacts, NoticeFacts
from dueprocess.notice.words import clean, counted, day, moment, plain

WIDTH = 72
"""Columns of the plain text: old mail programs and printers show it unbroken."""

Kind = Literal["heading", "callout", "item", "command", "fact", "paragraph"]

_MARKS: dict[str, Kind] = {"##": "heading", "! ": "callout", "- ": "item", "$ ": "command", "= ": "fact"}


@dataclass(frozen=True, slots=True)
class Letter:
    """A finished letter. ``html`` is a whole page without script, inline style or outside address."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Block:
    """One part of a letter; ``label`` is set for a fact only."""

    kind: Kind
    text: str
    label: str = ""


def render_notice(facts: NoticeFacts, *, stylesheet: str = "") -> Letter:
    """The notice to the person concerned: before, after, or after a delay that an order imposed.

    ``stylesheet`` is the address of the one CSS file; without it the page is bare and still readable.
    """
    subject = f"Legal notice about your account at {clean(facts.sender.name)}"
    return _letter("notice.txt", subject, facts, stylesheet)


def render_deficiency(facts: DeficiencyFacts, *, stylesheet: str = "") -> Letter:
    """The letter that tells an authority what its paper lacks, without saying whether an account exists."""
    return _letter(
        "deficiency.txt", f"Your request {clean(facts.reference)} is incomplete", facts, stylesheet
    )


def render_holding_reply(facts: HoldingFacts, *, stylesheet: str = "") -> Letter:
    """The first answer to an authority: arrived, being checked, nothing confirmed or denied."""
    return _letter(
        "holding_reply.txt", f"Your request {clean(facts.reference)} has arrived", facts, stylesheet
    )


def _letter(
    template: str, subject: str, facts: NoticeFacts | DeficiencyFacts | HoldingFacts, stylesheet: str
) -> Letter:
    source = _words().get_template(template).render(f=facts)
    blocks = tuple(_blocks(source))
    head = {"subject": subject, "f": facts, "stylesheet": stylesheet}
    page = _pages().get_template("letter.html").render(groups=_groups(blocks), **head)
    return Letter(subject, _as_text(blocks, facts, subject), page)


@functools.cache
def _words() -> jinja2.Environment:
    """For the words. No escaping here: the result is text, and every value is cleaned to one line."""
    words = jinja2.Environment(
        loader=jinja2.PackageLoader("dueprocess.notice"),
        autoescape=False,  # noqa: S701 - plain text; letter.html escapes what it shows
        finalize=lambda value: clean(value) if isinstance(value, str) else value,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    words.filters |= {"day": day, "moment": moment, "plain": plain, "counted": counted}
    return words


@functools.cache
def _pages() -> jinja2.Environment:
    pages = jinja2.Environment(
        loader=jinja2.PackageLoader("dueprocess.notice"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages.filters |= {"day": day, "clean": clean}
    return pages


def _blocks(source: str) -> Iterator[Block]:
    for part in source.split("\n\n"):
        lines = [line.lstrip() for line in part.split("\n") if line.strip()]
        if lines and lines[0][:2] not in _MARKS:
            yield Block("paragraph", " ".join(lines))
        else:
            yield from map(_block, lines)


def _block(line: str) -> Block:
    kind, text = _MARKS.get(line[:2], "paragraph"), line[2:].strip()
    if kind != "fact":
        return Block(kind, text)
    label, _, value = text.partition(":: ")
    return Block(kind, value, label)


def _groups(blocks: Iterable[Block]) -> list[tuple[Kind, list[Block]]]:
    """Neighbours of one kind together: items make a list, facts a table."""
    return [(kind, list(group)) for kind, group in itertools.groupby(blocks, key=lambda block: block.kind)]


def _as_text(
    blocks: Iterable[Block], facts: NoticeFacts | DeficiencyFacts | HoldingFacts, subject: str
) -> str:
    sender = facts.sender
    parts = [clean(sender.name), clean(sender.address), clean(sender.contact), "", day(facts.written_on), ""]
    parts += [_wrap(subject), "=" * min(len(subject), WIDTH)]
    for kind, group in _groups(blocks):
        between = "\n" if kind in ("item", "fact", "command") else "\n\n"
        parts += ["", *[""][: kind == "heading"], between.join(map(_line, group))]
    return "\n".join(parts) + "\n"


def _line(block: Block) -> str:
    match block.kind:
        case "heading":
            return f"{block.text}\n{'-' * len(block.text)}"
        case "item":
            return _wrap(block.text, first="  * ", later="    ")
        case "fact":
            return _wrap(f"{block.label}: {block.text}", first="  ", later="      ")
        case "command":
            return f"    {block.text}"
        case "callout" | "paragraph":
            return _wrap(block.text)


def _wrap(text: str, *, first: str = "", later: str = "") -> str:
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=later,
        break_long_words=False,
        break_on_hyphens=False,
    )

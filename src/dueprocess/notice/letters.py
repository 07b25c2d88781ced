"""Letters: one engine for all of them. A template becomes blocks, and these become text, a page or a PDF."""

import datetime as dt
import functools
from collections.abc import Mapping
from dataclasses import dataclass

import jinja2

from dueprocess.notice.blocks import Block, as_text, blocks_of, colon, grouped, quoted, wrapped
from dueprocess.notice.catalogue import catalogue
from dueprocess.notice.facts import NoticeFacts, Sender
from dueprocess.notice.words import clean, counted, day, local_moment, moment, plain


@dataclass(frozen=True, slots=True)
class Sheet:
    """What stands on the paper: who writes to whom, when, in which language, and the body, subject first."""

    language: str
    sender: Sender
    recipient: tuple[str, ...]
    """Name and address, a line each; empty where the body itself addresses the reader."""
    written_on: dt.date
    blocks: tuple[Block, ...]

    @property
    def subject(self) -> str:
        return self.blocks[0].text


@dataclass(frozen=True, slots=True)
class Letter:
    """A finished letter. ``html`` is a whole page without script, inline style or outside address."""

    subject: str
    text: str
    html: str
    sheet: Sheet


def render_notice(facts: NoticeFacts, *, stylesheet: str = "") -> Letter:
    """The notice to the person concerned: before, after, or after a delay that an order imposed. In English.

    ``stylesheet`` is the address of the one CSS file; without it the page is bare and still readable.
    """
    blocks = filled("notice.txt", "en", {"f": facts})
    return finished(Sheet("en", facts.sender, (), facts.written_on, blocks), stylesheet)


def filled(template: str, language: str, values: Mapping[str, object]) -> tuple[Block, ...]:
    """The body of a letter: a template with its values, in one language."""
    return tuple(blocks_of(_words(language).get_template(template).render(values)))


def finished(sheet: Sheet, stylesheet: str) -> Letter:
    """Text and page of what stands on the sheet."""
    values = {"sheet": sheet, "groups": grouped(sheet.blocks), "stylesheet": stylesheet}
    page = _pages(sheet.language).get_template("letter.html").render(values)
    return Letter(sheet.subject, _text(sheet), page, sheet)


def _text(sheet: Sheet) -> str:
    sender = sheet.sender
    lines = [clean(sender.name), clean(sender.address), clean(sender.contact), ""]
    lines += [*(wrapped(clean(line)) for line in sheet.recipient), ""] if sheet.recipient else []
    lines += [day(sheet.written_on, sheet.language), "", ""]
    return "\n".join(lines) + as_text(sheet.blocks, sheet.language)


@functools.cache
def _words(language: str) -> jinja2.Environment:
    """For the words. No escaping here: the result is text, and every value is cleaned to one line."""
    return _environment(language, escaped=False)


def _cleaned(value: object) -> object:
    return clean(value) if isinstance(value, str) else value


@functools.cache
def _pages(language: str) -> jinja2.Environment:
    return _environment(language, escaped=True)


def _environment(language: str, *, escaped: bool) -> jinja2.Environment:
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("dueprocess.notice"),
        autoescape=escaped,  # noqa: S701 - off for plain text only; letter.html escapes what it shows
        undefined=jinja2.StrictUndefined,
        finalize=None if escaped else _cleaned,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        extensions=["jinja2.ext.i18n"],
    )
    made.policies["ext.i18n.trimmed"] = True
    made.install_gettext_translations(catalogue(language), newstyle=True)  # type: ignore[attr-defined] # by the extension
    made.globals["language"] = language
    made.filters |= {
        "day": functools.partial(day, language=language),
        "moment": functools.partial(moment, language=language),
        "local_moment": functools.partial(local_moment, language=language),
        "quoted": functools.partial(quoted, language=language),
        "colon": lambda label: label + colon(language),
        "plain": plain,
        "counted": counted,
        "clean": clean,
    }
    return made

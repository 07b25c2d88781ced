"""PDF: a letter on A4, for an envelope or an authority's portal. PDF/A-2a and PDF/UA-1, the same bytes each time.

The words reach the typesetter as data, never as its markup.
"""

import datetime as dt
import functools
from importlib.resources import files

from dueprocess.library.typesetting import typeset
from dueprocess.notice.blocks import Block, colon, grouped, quoted
from dueprocess.notice.catalogue import catalogue
from dueprocess.notice.letters import Letter, Sheet
from dueprocess.notice.words import clean, day


def as_pdf(letter: Letter) -> bytes:
    """The letter as PDF, in its own language, dated with the day on which it was written.

    A character without glyph is shown as ``[U+6F22]``. Refuses only what cannot be printed at all.
    """
    written_at = dt.datetime.combine(letter.sheet.written_on, dt.time(), dt.UTC)
    return typeset(_letter(), _shown(letter.sheet), at=written_at, instead="Send its text or HTML.")


def _shown(sheet: Sheet) -> dict[str, object]:
    written, sender = sheet.written_on, sheet.sender
    return {
        "subject": sheet.subject,
        "language": sheet.language,
        "sender": [clean(sender.name), clean(sender.address), clean(sender.contact)],
        "recipient": [clean(line) for line in sheet.recipient],
        "date": day(written, sheet.language),
        "year": written.year,
        "month": written.month,
        "day": written.day,
        "footer": catalogue(sheet.language).gettext("Page {page} of {pages}"),
        "blocks": [
            _block(each, sheet.language, first=each is group[0], last=each is group[-1])
            for _, group in grouped(sheet.blocks)
            for each in group
        ],
    }


def _block(block: Block, language: str, *, first: bool, last: bool) -> dict[str, object]:
    before, after = quoted("\0", language).split("\0")
    label = block.label + colon(language) if block.kind == "fact" else block.label
    text = block.text + colon(language) if block.kind == "signature" else block.text
    return {
        "kind": block.kind, "text": text, "label": label, "ticked": block.ticked, "before": before, "after": after,
        "first": first,
        "last": last,
    }  # fmt: skip


@functools.cache
def _letter() -> bytes:
    return files("dueprocess.notice").joinpath("templates/letter.typ").read_bytes()

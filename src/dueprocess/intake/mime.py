"""A mail taken apart: its words, its attachments, its headers. Depth and number are limited.

Python's legacy header policy is used on purpose: the newer one parses addresses by recursive descent, which a
stranger's header can make slow or deep. Headers are decoded here, by a linear reader.
"""

import email
import email.errors
import email.header
import email.message
import email.policy
import re

from dueprocess.errors import DueprocessError, MalformedError
from dueprocess.intake.markup import words
from dueprocess.intake.paper import MAX_CHARS, Page, Paper, Part, read_pages, shorten
from dueprocess.intake.places import clean
from dueprocess.intake.sniff import sniff
from dueprocess.wire import sha256_hex

MAX_PARTS = 40
MAX_DEPTH = 6
MAX_OPENED = 10
_MAX_LINES = 600_000
_MAX_BOUNDARIES = 64
_MAX_HEADERS = 400
_MAX_HEADER_CHARS = 8_000
_MAX_FIELD_BYTES = 4_096
_FIELDS = re.compile(
    rb"^content-(?:type|disposition)[ \t]*:[^\n]*(?:\n[ \t][^\n]*)*", re.IGNORECASE | re.MULTILINE
)
_CONTAINERS = re.compile(rb"boundary\s*(?:\*[^=\s]{0,8})?\s*=|message/", re.IGNORECASE)

type _Leaf = email.message.Message[str, str]


def read_mail(content: bytes, *, name: str) -> Paper:
    """A mail with its words, its attachments and its headers.

    PDF and text attachments are read too; others are listed as not opened. Refuses mails that are nested or
    split beyond what any legal paper needs.
    """
    _refuse_bombs(content)
    try:
        message = email.message_from_bytes(content, policy=email.policy.compat32)
        leaves, left_out = _leaves(message)
        headers = _headers(message)
    except RecursionError as error:
        raise _bomb("It is nested too deeply.") from error
    except (email.errors.MessageError, ValueError, LookupError, AttributeError, TypeError) as error:
        raise MalformedError(
            "broken-mail", "This mail cannot be taken apart.", why=str(error)[:200]
        ) from error
    bodies, parts, unreadable = _sort(leaves)
    shown, left_out_text = shorten("\f".join(bodies))
    unreadable += left_out_text
    if left_out:
        unreadable.append(f"{left_out} more parts of this mail were not looked at")
    unreadable += [f"{part.label}: {part.note}" for part in parts if part.note]
    return Paper(
        kind="mail",
        name=name,
        sha256=sha256_hex(content),
        size_bytes=len(content),
        pages=tuple(Page(number, text) for number, text in enumerate(shown.split("\f"), start=1)),
        parts=tuple(parts),
        headers=headers,
        unreadable=tuple(dict.fromkeys(unreadable)),
        signature_fields=tuple(part.label for part in parts if part.signature_field),
    )


def _refuse_bombs(content: bytes) -> None:
    """Counts containers, lines and field lengths before the parser sees them: its cost is their product."""
    containers = len(_CONTAINERS.findall(content))
    if containers > _MAX_BOUNDARIES:
        raise _bomb(f"It names {containers} nested containers; at most {_MAX_BOUNDARIES} are read.")
    longest = max((len(field[0]) for field in _FIELDS.finditer(content)), default=0)
    if longest > _MAX_FIELD_BYTES:
        raise _bomb(f"One of its fields has {longest:,} bytes; at most {_MAX_FIELD_BYTES:,} are read.")
    lines = content.count(b"\n")
    if lines > _MAX_LINES:
        raise _bomb(f"It has {lines:,} lines; at most {_MAX_LINES:,} are read.")


def _bomb(why: str) -> MalformedError:
    return MalformedError(
        "mail-too-complex",
        "This mail is nested or split beyond what a legal paper needs.",
        why=why,
        do="Open it in a mail program on a machine that may break; save the paper alone as PDF or text.",
    )


def _leaves(message: _Leaf) -> tuple[list[_Leaf], int]:
    """Parts that hold no others, in order, and how many were left out by the limits."""
    found: list[_Leaf] = []
    left_out = 0
    waiting: list[tuple[_Leaf, int]] = [(message, 0)]
    while waiting:
        part, depth = waiting.pop()
        inner = part.get_payload() if part.is_multipart() else None
        if not isinstance(inner, list):
            found.append(part)
        elif depth >= MAX_DEPTH:
            left_out += len(inner)
        else:
            waiting += [
                (each, depth + 1) for each in reversed(inner) if isinstance(each, email.message.Message)
            ]
        if len(found) >= MAX_PARTS:
            return found, left_out + len(waiting)
    return found, left_out


def _headers(message: _Leaf) -> tuple[tuple[str, str], ...]:
    return tuple((clean(key), decoded(str(value))) for key, value in message.items()[:_MAX_HEADERS])


def decoded(value: str) -> str:
    """A header in readable characters, on one line; unknown charsets give replacement characters."""
    value = " ".join(value[:_MAX_HEADER_CHARS].split())
    if "=?" not in value:
        return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    try:
        pieces = email.header.decode_header(value)
    except (email.errors.HeaderParseError, ValueError):
        return value.encode("utf-8", "replace").decode("utf-8")
    return "".join(piece if isinstance(piece, str) else _as_text(piece, charset) for piece, charset in pieces)


def _as_text(raw: bytes, charset: str | None) -> str:
    try:
        return raw.decode(charset or "utf-8", errors="replace")
    except (LookupError, ValueError):
        return raw.decode("utf-8", errors="replace")


def _sort(leaves: list[_Leaf]) -> tuple[list[str], list[Part], list[str]]:
    """Words of the message, attachments, and what could not be read. HTML counts only without plain text."""
    plain: list[str] = []
    markup: list[str] = []
    parts: list[Part] = []
    for leaf in leaves:
        raw = leaf.get_payload(decode=True)
        content = raw if isinstance(raw, bytes) else b""
        media_type = leaf.get_content_type()
        if leaf.get_filename() is None and media_type in ("text/plain", "text/html"):
            text = _as_text(content, _charset(leaf))
            (plain if media_type == "text/plain" else markup).append(text)
        elif content:
            parts.append(_attachment(leaf, content, opened=len(parts) < MAX_OPENED))
    shown = [text for each in markup if (text := words(each[:MAX_CHARS]))]
    said = [text for text in plain if text.strip()]
    if not said:
        return shown, parts, []
    other = set(" ".join(shown).split()) - set(" ".join(said).split())
    return (
        said,
        parts,
        ["the HTML version of the message says other words; they were not read"] if other else [],
    )


def _charset(leaf: _Leaf) -> str | None:
    charset = leaf.get_content_charset()
    return charset if isinstance(charset, str) else None


def _attachment(leaf: _Leaf, content: bytes, *, opened: bool) -> Part:
    title = clean(decoded(str(leaf.get_filename() or "without a name")))[:80]
    label, media_type = f"attachment {title}", clean(leaf.get_content_type())[:60]
    digest, size = sha256_hex(content), len(content)
    if not opened:
        return Part(
            label, media_type, digest, size, note=f"not opened: only {MAX_OPENED} attachments are read"
        )
    try:
        kind = sniff(content)
        if kind == "mail":
            return Part(
                label, media_type, digest, size, note="not opened: a mail in the mail; save it by itself"
            )
        found = read_pages(kind, content)
    except DueprocessError as error:
        return Part(label, media_type, digest, size, note=f"not opened: {error.what}")
    return Part(
        label,
        media_type,
        digest,
        size,
        pages=found.pages,
        note="; ".join(found.unreadable),
        signature_field=found.signature_field,
    )

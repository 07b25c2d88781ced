"""What bytes are, by their content: the ending of a file name is a claim, not a fact."""

import re
from typing import Literal

from dueprocess.errors import MalformedError

PaperKind = Literal["mail", "pdf", "text"]

_ARCHIVES = (
    (b"PK\x03\x04", "a ZIP archive or an Office document"),
    (b"PK\x05\x06", "an empty ZIP archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\x00", "an xz archive"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Office document or an Outlook message (.msg)"),
    (b"{\\rtf", "a rich-text document"),
)
_IMAGES = (
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
)
_MAIL_HEADERS = (
    r"received|from|to|cc|date|subject|return-path|reply-to|sender|delivered-to|message-id|mime-version|"
    r"content-type|dkim-signature|authentication-results|x-[a-z0-9-]+|arc-[a-z-]+|received-spf"
)
_HEADER = re.compile(rb"(?im)^(" + _MAIL_HEADERS.encode() + rb")[ \t]*:")
_CONTROLS = bytes(each for each in range(32) if each not in b"\t\n\r\f\x1b") + b"\x7f"


def sniff(content: bytes) -> PaperKind:
    """Whether these bytes are a mail, a PDF or text. Refuses, by name, everything else."""
    if not content.strip():
        raise MalformedError("empty-file", "This file is empty.", do="Ask for it again, or save it again.")
    if not content.strip(b"\0"):
        raise MalformedError(
            "only-zeros",
            "This file holds nothing but zero bytes.",
            why="A copy that broke off often looks like this.",
            do="Save the file again from where it came.",
        )
    _refuse_containers(content)
    start = content.removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(b"%PDF-"):
        return "pdf"
    if _is_mail(start):
        return "mail"
    if b"%PDF-" in content[:1024]:
        return "pdf"
    _refuse_binary(content)
    return "text"


def _is_mail(start: bytes) -> bool:
    """Two different mail headers before the first empty line, ``From`` among them."""
    head = re.split(rb"\r?\n\r?\n", start[:65536], maxsplit=1)[0]
    first = head.split(b"\n", 1)[0]
    if not (_HEADER.match(first) or first.startswith(b"From ")):
        return False
    names = {match[1].lower() for match in _HEADER.finditer(head)}
    return b"from" in names and len(names) >= 2


def _refuse_containers(content: bytes) -> None:
    for magic, what in _ARCHIVES:
        if content.startswith(magic):
            raise MalformedError(
                "not-opened",
                f"This is {what}; it is not opened here.",
                why="Files in files are how harmful documents travel.",
                do="Open it on a machine that may break, and save each paper as PDF, text or mail (.eml).",
            )
    heic = content[4:8] == b"ftyp"
    webp = content[:4] == b"RIFF" and content[8:12] == b"WEBP"
    kinds = [kind for magic, kind in _IMAGES if content.startswith(magic)]
    kinds += ["HEIC or video"] if heic else []
    kinds += ["WebP"] if webp else []
    if kinds:
        raise MalformedError(
            "a-photo",
            f"This is a photo or picture ({kinds[0]}); it has no text that a program may rely on.",
            do="Read it yourself and transcribe by hand what it says, into a text file.",
        )


def _refuse_binary(content: bytes) -> None:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return
    controls = len(content) - len(content.translate(None, _CONTROLS))
    if b"\0" in content or controls * 100 > len(content):
        raise MalformedError(
            "binary",
            "This is not a mail, a PDF or text.",
            why=f"It holds {controls} bytes that no text has.",
            do="Save the message as .eml, or the paper as PDF or text.",
        )


def decode(content: bytes) -> str:
    """Text of a text file: UTF-8, UTF-16 with its mark, else Windows-1252. Never fails."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")

"""Account identifiers that a paper seems to name, quoted; and those that were blacked out.

A candidate is what stands there, letter by letter. It does NOT say that such an account exists, and nothing
here completes one that is cut short.
"""

import re
from collections.abc import Iterator

from dueprocess.demand import Target, TargetKind
from dueprocess.errors import DueprocessError
from dueprocess.intake.mail import address_of, domain_of
from dueprocess.intake.paper import Paper
from dueprocess.intake.places import Sheet, Sign, matches

_MATRIX = re.compile(
    r"(?<![\w@.])@[a-z0-9._=/+\-]{1,128}:[a-z0-9](?:[a-z0-9.\-]{0,200}[a-z0-9])(?::\d{2,5})?", re.IGNORECASE
)
_ROOM = re.compile(r"(?<!\w)[#!][\w.\-=/+]{1,128}:[a-z0-9][a-z0-9.\-]{1,200}[a-z0-9]", re.IGNORECASE)
_EMAIL = re.compile(
    r"(?<![\w.@+\-])[a-z0-9](?:[a-z0-9._%+\-]{0,62}[a-z0-9_])?@[a-z0-9](?:[a-z0-9\-]{0,62}\.){1,6}[a-z]{2,24}(?![\w@])",
    re.IGNORECASE,
)
_URL = re.compile(r"\bhttps?://[^\s<>\"'()\[\]]{4,300}", re.IGNORECASE)
_IP = re.compile(r"(?<![\d./])(?:\d{1,3}\.){3}\d{1,3}(?![\d./])")
_USERNAME = re.compile(
    r"\b(?:account|user[ ]?name|user[ ]?id|user|handle|screen[ ]?name|nick(?:name)?|benutzername|konto|nutzerkonto)s?"
    r"(?:[ ](?:name|id|identifier))?[ ]?(?:[:=][ ]*[\"'“„‘]?|[\"“„‘])(?P<name>[A-Za-z0-9][\w.\-]{1,63})(?![@\w:])",
    re.IGNORECASE,
)
_NOT_NAMES = "for the and holder number name information id identifier inception current none"
_NOT_A_NAME = frozenset(_NOT_NAMES.split())
_CONTACT = re.compile(
    r"contact|questions|repl(?:y|ies)\b|respon[ds]|return (?:\w+ ){0,3}to|deliver|phone|\btel\b|\bfax\b|"
    r"send (?:\w+ ){0,4}to|submit|mailto|e-?mail(?:ed)? (?:to|me|us)\b|rückfragen|kontakt",
    re.IGNORECASE,
)
_BLACKED_OUT: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "an e-mail address lacks its first part",
        re.compile(r"(?:^|[\s:])@[a-z0-9\-]+\.(?:com|org|net|example)\b(?!:)", re.IGNORECASE),
    ),
    (
        "of an e-mail address only the service is left",
        re.compile(
            r"^[^\S\n]*(?:gmail|outlook|hotmail|yahoo|icloud|gmx|mail)[._](?:com|de|net)[^\S\n]+(?:from|for)\b",
            re.IGNORECASE | re.MULTILINE,
        ),
    ),
    ("a telephone number is cut short", re.compile(r"^[^\S\n]*(?:\d{3}-){1,2}-?[^\S\n]*$", re.MULTILINE)),
    ("the name after 'Dear' is missing", re.compile(r"^Dear[^\S\n]*:", re.MULTILINE)),
    ("the name after 'attention' is missing", re.compile(r"attention:?\s*,\s*(?:and|with)\b", re.IGNORECASE)),
    ("the name after 'Agent' is missing", re.compile(r"\bAgent[^\S\n]{2,}or\b")),
    ("words are covered or marked as redacted", re.compile(r"[█■▇▬]{2,}|\[?\bREDACTED\b\]?|\bX{4,}\b")),
)
"""What is missing, and how a hole in the text looks when a bar lay over it."""


def _own_addresses(paper: Paper) -> frozenset[str]:
    names = ("From", "Reply-To", "Return-Path", "Sender", "To", "Cc", "Delivered-To")
    return frozenset(address_of(value)[1] for name in names for value in paper.all_headers(name))


def identifiers(paper: Paper) -> tuple[Sign, ...]:
    """Candidates in reading order, each once: code is a target kind, ``ip``, or ``room``.

    Left out: addresses in the mail's own headers, addresses at the requester's domain, and lines that say
    where to answer.
    """
    sheets = paper.sheets
    own = _own_addresses(paper)
    sender = domain_of(address_of(paper.header("From"))[1])
    found = [
        *_plain(sheets, "account", _MATRIX),
        *_plain(sheets, "room", _ROOM),
        *_emails(sheets, own, sender),
        *_usernames(sheets),
        *_plain(sheets, "content_url", _URL),
        *_plain(sheets, "ip", _IP),
    ]
    first: dict[tuple[str, str], Sign] = {}
    for sign in found:
        if sign.value not in own and _sayable(sign):
            first.setdefault((sign.code, sign.value), sign)
    return tuple(first.values())


def _plain(sheets: tuple[Sheet, ...], code: str, wanted: re.Pattern[str]) -> Iterator[Sign]:
    for sheet, match in matches(sheets, wanted):
        if code in ("account", "room") or not _CONTACT.search(_line(sheet, match)):
            yield sheet.sign(code, match.span(), match[0].rstrip(".,;"))


def _emails(sheets: tuple[Sheet, ...], own: frozenset[str], sender: str) -> Iterator[Sign]:
    for sheet, match in matches(sheets, _EMAIL):
        address = match[0].lower()
        theirs = address in own or (sender and domain_of(address) == sender)
        if not theirs and not _CONTACT.search(_line(sheet, match)):
            yield sheet.sign("email", match.span(), match[0])


def _usernames(sheets: tuple[Sheet, ...]) -> Iterator[Sign]:
    for sheet, match in matches(sheets, _USERNAME):
        name = match["name"].rstrip(".-")
        if name.lower() not in _NOT_A_NAME:
            yield sheet.sign("account", match.span("name"), name)


def _line(sheet: Sheet, match: re.Match[str]) -> str:
    """The line of a match and the end of the line before it: 'Questions to:' often stands above."""
    start = sheet.text.rfind("\n", 0, match.start()) + 1
    return sheet.text[max(0, start - 30) : match.start()]


def _sayable(sign: Sign) -> bool:
    """Whether our vocabulary can name this target at all; rooms and addresses are shown, not suggested."""
    if sign.code in ("room", "ip"):
        return True
    kinds: dict[str, TargetKind] = {"account": "account", "email": "email", "content_url": "content_url"}
    try:
        Target(kinds[sign.code], sign.value)
    except DueprocessError:
        return False
    return True


def blacked_out(sheets: tuple[Sheet, ...]) -> tuple[Sign, ...]:
    """Places where something was taken out of the text; ``value`` says what seems to be missing."""
    return tuple(
        sheet.sign("blacked-out", match.span(), what)
        for what, wanted in _BLACKED_OUT
        for sheet, match in matches(sheets, wanted)
    )

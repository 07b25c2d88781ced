"""Dates on a paper, with the word that gives each its role: dated, due, from, to, silent until.

A date that can be read two ways (04/05/2026) is quoted and left without a value.
"""

import datetime as dt
import re
from collections.abc import Iterator

from dueprocess.intake.places import Sheet, Sign, matches, pattern, sentence

_NAMES = (
    *(
        "january jan januar",
        "february feb februar",
        "march mar märz",
        "april apr",
        "may mai",
        "june jun juni",
    ),
    *("july jul juli", "august aug", "september sept sep", "october oct oktober okt", "november nov"),
    "december dec dezember dez",
)
_MONTHS = {name: number for number, names in enumerate(_NAMES, start=1) for name in names.split()}
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_ISO = r"\d{4}-\d{2}-\d{2}"
_US = rf"(?:{_MONTH})\.?\s+\d{{1,2}}(?:st|nd|rd|th)?\s*,?\s+\d{{4}}"
_EU = rf"\d{{1,2}}(?:st|nd|rd|th)?\.?\s+(?:day\s+of\s+)?(?:{_MONTH})\.?,?\s+\d{{4}}"
_DOTS = r"\d{1,2}\.\s?\d{1,2}\.\s?\d{4}"
_SLASH = r"\d{1,2}/\d{1,2}/\d{4}"
DATE = rf"(?:{_ISO}|{_US}|{_EU}|{_DOTS}|{_SLASH})"
_ANY = re.compile(rf"(?<![\w/.-]){DATE}(?![\w/-])", re.IGNORECASE)

_WINDOW = re.compile(
    rf"(?:from|between|vom|von|zwischen|period(?:\s+of)?:?)\s+(?P<since>{DATE})"
    rf"(?:,?\s+\d{{1,2}}:\d{{2}}[^\n]{{0,12}}?)?\s*(?:,?\s*(?P<join>to|through|and|until|up\s+to|bis|und|-|–)\s+"
    rf"(?:and\s+including\s+)?(?P<until>{DATE}|(?:the\s+)?present|heute))",
    re.IGNORECASE,
)
_INCEPTION = pattern(r"from inception (?:to|through) (?:the )?present|since (?:account creation|inception)")
_SINCE = re.compile(rf"\b(?:since|seit(?:\s+dem)?)\s+(?P<since>{DATE})", re.IGNORECASE)
_ISSUED = re.compile(
    rf"(?:dated(?:\s+this)?|issued(?:\s+on)?|date(?:\s+of\s+issue)?:|datum:|vom|den|this)\s+(?P<day>{DATE})",
    re.IGNORECASE,
)
_ALONE = re.compile(rf"^[^\S\n]*(?:date:\s*)?(?P<day>{DATE})[^\S\n]*$", re.IGNORECASE | re.MULTILINE)
_DUE = re.compile(
    r"(?:no\s+later\s+than|on\s+or\s+before|due(?:\s+(?:on|by|date:?))?|return(?:able)?\s+(?:date:?|on)|"
    rf"not\s+later\s+than|bis\s+zum|spätestens(?:\s+am)?|reply\s+by|respond\s+by)\s+(?P<day>{DATE})",
    re.IGNORECASE,
)
_WITHIN = pattern(
    r"within (?:\w+ )?\(?\d{1,3}\)? (?:business |calendar |working )?(?:days?|hours?|minutes)"
    r"(?: of receipt| of service)?",
    r"within (?:one|two|three|five|seven|ten|fourteen|twenty-one|thirty) (?:business |calendar |working )?"
    r"(?:days?|hours?)(?: of receipt| of service)?",
)
_TO_ANSWER = pattern(
    r"(?:directed|required|ordered|commanded|requested|asked|must|shall|please|to) (?:to )?"
    r"(?:provide|produce|comply|respond|return|answer|remove|disclose|disable|deliver|preserve|reply)\b"
)
_SILENT_UNTIL = re.compile(
    r"(?:not\s+(?:to\s+)?(?:notify|disclose|inform)|nondisclosure|non-disclosure|2705\s*\(b\))[^.]{0,240}?"
    rf"(?:until|through|expires?(?:\s+on)?)\s+(?P<day>{DATE})",
    re.IGNORECASE,
)
_SILENT_FOR = re.compile(
    r"(?:not\s+(?:to\s+)?(?:notify|disclose|inform)|nondisclosure|non-disclosure|2705\s*\(b\))[^.]{0,240}?"
    r"(?:period\s+of|for)\s+(?P<length>(?:one|a)\s+(?:\(1\)\s+)?year|(?:\w+(?:-\w+)?\s+)?\(?\d{1,3}\)?\s+days)",
    re.IGNORECASE,
)


def parse_date(words: str) -> dt.date | None:
    """The day that these words name, or None where they name none or can be read two ways."""
    words = " ".join(words.split()).lower()
    named = re.search(rf"({_MONTH})", words) if not re.fullmatch(_ISO, words) else None
    numbers = [int(each) for each in re.findall(r"\d+", words)]
    try:
        if named and len(numbers) == 2:
            return dt.date(numbers[1], _MONTHS[named[1]], numbers[0])
        if re.fullmatch(_ISO, words):
            return dt.date(*numbers)
        if re.fullmatch(_DOTS, words):
            return dt.date(numbers[2], numbers[1], numbers[0])
        if re.fullmatch(_SLASH, words):
            return _slashed(*numbers)
    except ValueError:
        return None
    return None


def _slashed(first: int, second: int, year: int) -> dt.date | None:
    """Month first or day first is a custom, not a fact: only an impossible month settles it."""
    if first <= 12 and second <= 12 and first != second:
        return None
    return dt.date(year, second, first) if first > 12 else dt.date(year, first, second)


def _day(words: str) -> str:
    found = parse_date(words)
    return found.isoformat() if found else ""


def dates(sheets: tuple[Sheet, ...]) -> Iterator[Sign]:
    """Every date or term with a role, in reading order of each role.

    Codes: issued, due (to answer), term (for something else), silent-until, silent-for (days).
    """
    for code, wanted in (
        ("issued", _ALONE),
        ("issued", _ISSUED),
        ("due", _DUE),
        ("silent-until", _SILENT_UNTIL),
    ):
        for sheet, match in matches(sheets, wanted):
            yield sheet.sign(code, match.span("day"), _day(match["day"]))
    for sheet, match in matches(sheets, _WITHIN):
        answers = _TO_ANSWER.search(sentence(sheet.text, match.span()))
        yield sheet.sign("due" if answers else "term", match.span(), " ".join(match[0].split()).lower())
    for sheet, match in matches(sheets, _SILENT_FOR):
        yield sheet.sign("silent-for", match.span("length"), _length(match["length"]))


def _length(words: str) -> str:
    """A length in days as text; a year is 365 days, and a person confirms it."""
    digits = re.search(r"(\d{1,3})\)?\s+days", words)
    return digits[1] if digits else "365"


def windows(sheets: tuple[Sheet, ...]) -> Iterator[Sign]:
    """Time windows that the paper names; ``value`` is ``since/until`` in ISO dates, until exclusive.

    ``to``, ``through`` and ``and`` include the last day, so the end is the day after; ``until`` excludes it.
    An empty side is open. Days are read as UTC days: a person confirms the zone.
    """
    for sheet, match in matches(sheets, _WINDOW):
        since, until = parse_date(match["since"]), parse_date(match["until"])
        if until and " ".join(match["join"].lower().split()) not in ("until", "up to"):
            until += dt.timedelta(days=1)
        if since and until and since >= until:
            continue
        yield sheet.sign("window", match.span(), f"{since or ''}/{until or ''}")
    for sheet, match in matches(sheets, _SINCE):
        yield sheet.sign("window", match.span(), f"{parse_date(match['since']) or ''}/")
    for sheet, match in matches(sheets, _INCEPTION):
        yield sheet.sign("window", match.span(), "/")

"""Signs: what a paper seems to be, from literal words with their place. A suggestion for a person.

No sign weighs more than another, nothing is counted up, and no sign decides. Words that are not found may
still be there: in a scan, in another language, under a bar.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from dueprocess.demand import REVERSE_KINDS
from dueprocess.intake import asked, words
from dueprocess.intake.dates import dates, windows
from dueprocess.intake.identifiers import blacked_out, identifiers
from dueprocess.intake.paper import Paper
from dueprocess.intake.places import Sheet, Sign, matches, sentence
from dueprocess.wire import Json

LIVE = "live or future data"
"""How a demand for data that does not exist yet is called: it has no form here either."""


@dataclass(frozen=True, slots=True)
class Signs:
    """Signs by what they are about, each list in reading order, attachments before the mail's own words."""

    instruments: tuple[Sign, ...]
    """One sign a code, at its first place. ``value`` is what to call it."""
    release: Sign | None
    """Words that end a nondisclosure duty: the paper then asks for nothing."""
    legal_bases: tuple[Sign, ...]
    dates: tuple[Sign, ...]
    windows: tuple[Sign, ...]
    identifiers: tuple[Sign, ...]
    categories: tuple[Sign, ...]
    """What is asked by words; code is a name in the tree of categories, or ``all``."""
    excluded: tuple[Sign, ...]
    """What the paper says it does not ask."""
    collective: tuple[Sign, ...]
    """Areas, keywords, everyone: no named target. ``value`` says what it is."""
    nondisclosure: tuple[Sign, ...]
    emergency: tuple[Sign, ...]
    issuers: tuple[Sign, ...]
    dockets: tuple[Sign, ...]
    elements: tuple[Sign, ...]
    """Formal elements found by their words: signature, issuer, date, identifier, legal_basis, ..."""
    blacked_out: tuple[Sign, ...]
    unreadable: tuple[str, ...]

    @property
    def asks_for_people(self) -> bool:
        """Whether words ask for an area, a keyword or everyone, which has no form here."""
        return bool(self.collective)

    def as_json(self) -> dict[str, Json]:
        lists: dict[str, tuple[Sign, ...]] = {
            "instruments": self.instruments,
            "release": (self.release,) if self.release else (),
            "legal_bases": self.legal_bases,
            "dates": self.dates,
            "windows": self.windows,
            "identifiers": self.identifiers,
            "categories": self.categories,
            "excluded": self.excluded,
            "collective": self.collective,
            "nondisclosure": self.nondisclosure,
            "emergency": self.emergency,
            "issuers": self.issuers,
            "dockets": self.dockets,
            "elements": self.elements,
            "blacked_out": self.blacked_out,
        }
        shown: dict[str, Json] = {name: [sign.as_json() for sign in found] for name, found in lists.items()}
        return shown | {"unreadable": list(self.unreadable)}


def signs(paper: Paper) -> Signs:
    """Every sign on the paper with quote and place. Finds words; it does NOT say that they are true."""
    sheets = paper.sheets
    release = next(_found(sheets, "release", words.RELEASE), None)
    wanted, excluded = _categories(sheets) if release is None else ((), ())
    bases = _bases(sheets)
    named = identifiers(paper)
    rooms = tuple(
        Sign("room", each.quote, each.place, REVERSE_KINDS["room"]) for each in named if each.code == "room"
    )
    found_dates = tuple(dates(sheets))
    issuers = _by_code(sheets, words.ISSUERS)
    hidden = blacked_out(sheets)
    return Signs(
        instruments=_instruments(sheets),
        release=release,
        legal_bases=bases,
        dates=found_dates,
        windows=tuple(windows(sheets)) if release is None else (),
        identifiers=tuple(each for each in named if each.code != "room"),
        categories=wanted,
        excluded=excluded,
        collective=(*_collective(sheets), *rooms),
        nondisclosure=_nondisclosure(sheets) if release is None else (),
        emergency=tuple(_found(sheets, "emergency", words.EMERGENCY)),
        issuers=issuers,
        dockets=_dockets(sheets),
        elements=_elements(sheets, (issuers, bases, named, found_dates)),
        blacked_out=hidden,
        unreadable=(*paper.unreadable, *(f"{each.value} ({each.place})" for each in hidden)),
    )


def _found(sheets: tuple[Sheet, ...], code: str, wanted: re.Pattern[str]) -> Iterator[Sign]:
    return (sheet.sign(code, match.span()) for sheet, match in matches(sheets, wanted))


def _instruments(sheets: tuple[Sheet, ...]) -> tuple[Sign, ...]:
    """One sign a code, ordered by where it first stands: a title comes before what a text mentions."""
    found = []
    for order, (code, (title, wanted)) in enumerate(words.INSTRUMENTS.items()):
        first = next(matches(sheets, wanted), None)
        if first:
            sheet, match = first
            found.append(((sheets.index(sheet), match.start(), order), sheet.sign(code, match.span(), title)))
    return tuple(sign for _, sign in sorted(found, key=lambda each: each[0]))


def _bases(sheets: tuple[Sheet, ...]) -> tuple[Sign, ...]:
    """Citations, each once, written in one form: ``18 USC 2703(d)``."""
    found: list[tuple[tuple[int, int], Sign]] = []
    for form, wanted in words.BASES:
        for sheet, match in matches(sheets, wanted):
            groups = [re.sub(r"\s+(?=\()", "", " ".join(each.split())) for each in match.groups()]
            sign = sheet.sign("legal_basis", match.span(), form.format(*groups))
            found.append(((sheets.index(sheet), match.start()), sign))
    firsts: dict[str, Sign] = {}
    for _, sign in sorted(found, key=lambda each: each[0]):
        firsts.setdefault(sign.value, sign)
    return tuple(firsts.values())


def _categories(sheets: tuple[Sheet, ...]) -> tuple[tuple[Sign, ...], tuple[Sign, ...]]:
    wanted: dict[str, Sign] = {}
    excluded: dict[str, Sign] = {}
    for code, alternatives in asked.CATEGORIES.items():
        for sheet, match in matches(sheets, alternatives):
            chosen = excluded if _is_excluded(sheet, match) else wanted
            chosen.setdefault(code, sheet.sign(code, match.span()))
    return tuple(wanted.values()), tuple(each for code, each in excluded.items() if code not in wanted)


def _is_excluded(sheet: Sheet, match: re.Match[str]) -> bool:
    """Whether the same sentence says, shortly before or right after, that this is not asked."""
    around = sentence(sheet.text, match.span())
    at = around.find(match[0])
    for found in asked.EXCLUDED.finditer(around):
        between = around[found.end() : at] if found.end() <= at else ""
        if found.end() <= at and len(between) <= 160 and ")" not in between:
            return True
    return bool(asked.EXCLUDED_AFTER.match(around[at + len(match[0]) :]))


def _collective(sheets: tuple[Sheet, ...]) -> tuple[Sign, ...]:
    found = []
    for code, wanted in asked.COLLECTIVE.items():
        first = next(matches(sheets, wanted), None)
        if first:
            sheet, match = first
            found.append(sheet.sign(code, match.span(), REVERSE_KINDS.get(code, LIVE)))
    return tuple(found)


def _nondisclosure(sheets: tuple[Sheet, ...]) -> tuple[Sign, ...]:
    """The first words of each page that order silence, and those that certify why."""
    wanted = (("nondisclosure", words.NONDISCLOSURE), ("certified", words.NONDISCLOSURE_CERTIFIED))
    firsts = (next(_found((sheet,), code, each), None) for code, each in wanted for sheet in sheets)
    return tuple(sign for sign in firsts if sign)


def _by_code(sheets: tuple[Sheet, ...], table: dict[str, re.Pattern[str]]) -> tuple[Sign, ...]:
    """The first place of each code that was found, in the order of the table."""
    firsts = (next(_found(sheets, code, wanted), None) for code, wanted in table.items())
    return tuple(each for each in firsts if each)


def _dockets(sheets: tuple[Sheet, ...]) -> tuple[Sign, ...]:
    found: dict[str, Sign] = {}
    for sheet, match in matches(sheets, words.DOCKET):
        value = match[1].rstrip(".,;:")
        found.setdefault(value, sheet.sign("docket", match.span(), value))
    return tuple(found.values())


def _elements(sheets: tuple[Sheet, ...], found: tuple[tuple[Sign, ...], ...]) -> tuple[Sign, ...]:
    """Formal elements by their words. A signature line is a line: nobody looked at the ink."""
    issuers, bases, named, found_dates = found
    dated = tuple(each for each in found_dates if each.code == "issued")
    derived = (("issuer", issuers), ("date", dated), ("identifier", named), ("legal_basis", bases))
    by_words = (
        ("signature", words.SIGNATURE),
        ("certification", words.CERTIFICATION),
        ("review_notice", words.REVIEW_NOTICE),
        ("docket", words.DOCKET),
    )
    firsts = [Sign(code, each[0].quote, each[0].place, each[0].value) for code, each in derived if each]
    return (*firsts, *_by_code(sheets, dict(by_words)))

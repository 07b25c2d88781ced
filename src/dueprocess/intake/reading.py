"""A draft of the facts of a demand, from literal signs, for a person to confirm beside the page.

What no word says stays ``None`` or empty: a fact that nobody read must not raise what a demand may reach.
"""

import datetime as dt

from dueprocess.demand import AUTHORISABLE, SECRETS, Category, expand, ordered
from dueprocess.intake.asked import LEAVES_OF_ALL
from dueprocess.intake.paper import Paper
from dueprocess.intake.places import Sign
from dueprocess.intake.signs import Signs, signs
from dueprocess.wire import Json

_PREFERRED: dict[str, tuple[str, ...]] = {
    "nsl": ("fbi_official",),
    "d_order": ("judge", "court"),
    "warrant": ("judge", "court"),
    "subpoena": ("grand_jury", "court", "prosecutor"),
    "civil_subpoena": ("private_party",),
    "preservation_letter": ("prosecutor", "police", "agency"),
    "emergency": ("police", "prosecutor", "agency"),
}
_WEAKEST_FIRST = (
    "private_party",
    "agency",
    "police",
    "prosecutor",
    "grand_jury",
    "court",
    "judge",
    "fbi_official",
)
_OUTSIDE_PACKS = frozenset({"informal"})


def suggest_reading(paper: Paper) -> dict[str, Json]:
    """A draft for the ``read`` command. It does NOT decide: each value comes with its quote and place.

    Keys: instrument, legal_bases, issued_on, due_on, targets, categories, from, until, nondisclosure,
    issuer_kind, elements, unreadable, cautions, quotes. ``until`` is exclusive; days are read as UTC days.
    """
    found = signs(paper)
    instrument = instrument_of(found)
    since, until, window_sign = _window(found)
    issued = None if found.release else _first(found.dates, "issued")
    due = next((each for each in found.dates if each.code == "due" and _is_day(each.value)), None)
    issuer = _issuer(found, instrument)
    quotes = {
        "instrument": found.instruments[:1],
        "issued_on": (issued,) if issued else (),
        "due_on": (due,) if due else (),
        "window": (window_sign,) if window_sign else (),
        "issuer_kind": (issuer,) if issuer else (),
        "legal_bases": found.legal_bases,
        "targets": found.identifiers,
        "categories": found.categories,
        "excluded": found.excluded,
        "collective": found.collective,
        "nondisclosure": found.nondisclosure,
        "elements": found.elements,
    }
    return {
        "instrument": instrument,
        "legal_bases": [each.value for each in found.legal_bases],
        "issued_on": issued.value or None if issued else None,
        "due_on": due.value if due else None,
        "targets": _targets(found),
        "categories": list(ordered(categories_of(found))),
        "from": since,
        "until": until,
        "nondisclosure": _nondisclosure(found, issued),
        "issuer_kind": issuer.code if issuer else None,
        "elements": list[Json](sorted({each.code for each in found.elements})),
        "unreadable": list(found.unreadable),
        "cautions": _cautions(found),
        "quotes": {name: [each.as_json() for each in group] for name, group in quotes.items()},
    }


def instrument_of(found: Signs) -> str | None:
    """The code that stands first on the paper, or None where no legal paper is named."""
    named = [each.code for each in found.instruments if each.code not in _OUTSIDE_PACKS]
    return named[0] if named else None


def categories_of(found: Signs) -> frozenset[Category]:
    """Leaves that are asked by words. ``all`` asks for every leaf but secrets, which must be named."""
    leaves: set[Category] = set()
    for sign in found.categories:
        leaves |= LEAVES_OF_ALL if sign.code == "all" else expand([sign.code])
    return frozenset(leaves & (AUTHORISABLE | {SECRETS}))


def _first(group: tuple[Sign, ...], code: str) -> Sign | None:
    return next((each for each in group if each.code == code), None)


def _is_day(value: str) -> bool:
    return len(value) == 10 and value[:4].isdigit()


def _targets(found: Signs) -> list[Json]:
    kinds = ("account", "email", "content_url")
    return [{"kind": each.code, "value": each.value} for each in found.identifiers if each.code in kinds]


def _window(found: Signs) -> tuple[str | None, str | None, Sign | None]:
    """The one window of the paper as instants. Several different ones are left to the person."""
    values = {each.value for each in found.windows}
    if len(values) != 1:
        return None, None, None
    since, until = found.windows[0].value.split("/")
    return _midnight(since), _midnight(until), found.windows[0]


def _midnight(day: str) -> str | None:
    return f"{day}T00:00:00Z" if day else None


def _issuer(found: Signs, instrument: str | None) -> Sign | None:
    """Who issued it, by words that fit the instrument; else the kind with the least power that is named.

    Words of a stronger office do not make one: an e-mail of the police that mentions a judge stays the police's.
    """
    by_code = {each.code: each for each in found.issuers}
    order = (*_PREFERRED.get(instrument or "", ()), *_WEAKEST_FIRST)
    return next((by_code[code] for code in order if code in by_code), None)


def _nondisclosure(found: Signs, issued: Sign | None) -> dict[str, Json] | None:
    ordered_silence = _first(found.nondisclosure, "nondisclosure")
    if ordered_silence is None:
        return None
    start = issued.value if issued and issued.value else None
    bases = [
        each.value
        for each in found.legal_bases
        if each.value.startswith(("18 USC 2705(b)", "18 USC 2709(c)"))
    ]
    return {
        "basis": bases[0] if bases else None,
        "starts_on": _midnight(start or ""),
        "until": _silent_until(found, start),
        "certified": True if _first(found.nondisclosure, "certified") else None,
        "quote": ordered_silence.quote,
    }


def _silent_until(found: Signs, start: str | None) -> str | None:
    """The end of the silence: the day the paper names, or its length counted from the paper's own date."""
    named = _first(found.dates, "silent-until")
    length = _first(found.dates, "silent-for")
    if named and named.value:
        return _midnight(named.value)
    if length and start:
        return _midnight((dt.date.fromisoformat(start) + dt.timedelta(days=int(length.value))).isoformat())
    return None


def _cautions(found: Signs) -> list[Json]:
    """What a person has to look at before confirming, in words."""
    cautions: list[Json] = []
    if len({each.code for each in found.instruments} - _OUTSIDE_PACKS) > 1:
        cautions.append("The paper names several legal papers; the first one named is suggested.")
    if len({each.value for each in found.windows}) > 1:
        cautions.append("The paper names several time windows; none is suggested.")
    if found.windows:
        cautions.append("Days are read as UTC days; the paper may mean another zone.")
    if found.collective:
        cautions.append(
            f"Words ask for {found.collective[0].value}: that is no named target and cannot be entered."
        )
    if found.release:
        cautions.append("This is a letter that ends a nondisclosure duty; it asks for nothing.")
    if any(each.code == "silent-for" for each in found.dates):
        cautions.append("The end of the silence is counted in days from the paper's date; check it.")
    return cautions

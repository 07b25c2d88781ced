"""How letters and pages write dates, numbers and foreign names: one way everywhere."""

import datetime as dt
import unicodedata

from dueprocess.demand import MEANING, Category

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
"""Month names of the letters' own language. ``strftime`` would take them from the machine's locale."""

_DIRECTION = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")
_LINE_ENDS = frozenset({"Cc", "Cs", "Zl", "Zp"})


def day(on: dt.date) -> str:
    """A date in words that no country reads the other way round: 22 November 2026."""
    return f"{on.day} {MONTHS[on.month - 1]} {on.year}"


def moment(at: dt.datetime) -> str:
    """An instant with its zone, seconds only where there are any: 22 November 2026, 09:30 UTC. Needs an aware time."""
    utc = at.astimezone(dt.UTC)
    clock = f"{utc:%H:%M:%S}" if utc.second else f"{utc:%H:%M}"
    return f"{day(utc)}, {clock} UTC"


def clean(value: str) -> str:
    """A foreign text on one line, each line break, control and direction character shown as U+FFFD.

    It does not refuse: a person with a strange display name must still get the letter.
    """
    return "".join(
        "\N{REPLACEMENT CHARACTER}"
        if each in _DIRECTION or unicodedata.category(each) in _LINE_ENDS
        else each
        for each in value
    )


def plain(name: str) -> str:
    """What a data category means, in plain words; other texts unchanged."""
    return MEANING.get(Category(name), name)


def counted(number: int, one: str, many: str) -> str:
    """A number with its word: 1 record, 2 records."""
    return f"{number:,} {one if number == 1 else many}"

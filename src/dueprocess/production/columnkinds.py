"""What a column's type, as its engine calls it, can hold: enough to tell a map's mistakes before they fail."""

import re
from typing import Literal

from dueprocess.plan import TimeUnit

Family = Literal["json", "text", "whole", "number", "truth", "instant", "time", "day", "bytes", "other"]

_FAMILIES: tuple[tuple[Family, re.Pattern[str]], ...] = (
    ("json", re.compile(r"jsonb?|variant")),
    ("instant", re.compile(r"(timestamp|datetime).*with time zone|timestamptz.*|timestamp_ltz")),
    ("time", re.compile(r"(timestamp|datetime).*")),
    ("day", re.compile(r"date|date32.*")),
    ("truth", re.compile(r"bool(ean)?")),
    (
        "whole",
        re.compile(
            r"(u|unsigned )?(tiny|small|medium|big|huge)?int(eger)?\d*( unsigned)?|(big|small)?serial|long"
        ),
    ),
    ("number", re.compile(r"(numeric|decimal|number|real|double|float).*")),
    ("text", re.compile(r".*(char|text|clob|string|enum).*|uuid|inet|cidr|name")),
    ("bytes", re.compile(r"bytea|.*(blob|binary)")),
)

_SERVES: dict[TimeUnit, frozenset[Family]] = {
    "s": frozenset({"whole", "number"}),
    "ms": frozenset({"whole", "number"}),
    "us": frozenset({"whole", "number"}),
    "iso": frozenset({"text"}),
    "timestamp": frozenset({"instant", "time"}),
    "date": frozenset({"day", "text"}),
}


def family(kind: str) -> Family:
    """What a type is, by its name in SQLite, PostgreSQL, DuckDB, MariaDB or Spark; ``other`` for a doubt.

    Lengths and precisions do not count: ``varchar(255)`` is text, ``bigint(20) unsigned`` whole numbers.
    """
    plain = re.sub(r"\s*\([^)]*\)", "", kind).strip().lower()
    return next((name for name, form in _FAMILIES if form.fullmatch(plain)), "other")


def can_serve(kind: str, unit: TimeUnit) -> bool:
    """Whether a column of this type can hold times of this unit. True in doubt."""
    found = family(kind)
    return found == "other" or found in _SERVES[unit]


def can_be_redacted(kind: str) -> bool:
    """Whether a place in a document can be taken out of such values. True in doubt."""
    return family(kind) in {"text", "json", "other"}

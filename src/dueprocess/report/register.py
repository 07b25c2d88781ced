"""The register: coarse rows of a half-year, of which nobody stands alone, so that anyone can recount.

The rule, all of it (it is also what an attacker knows):

1. Demands whose number the law restricts (``NATIONAL_SECURITY``) are left out before anything is counted.
2. Fewer than ``k`` demands, none included: the register holds no rows and says "fewer than k". A silent
   half-year and a quiet one look the same, so that the end of a silence tells nothing.
3. ``k`` demands drawn by lot say ``other`` everywhere. The lot is their commitments, which are pseudorandom:
   whatever these demands were, the register would be the same.
4. Among the rest, a row whose combination of values is shared by fewer than ``k`` rows has its next field set
   to ``other``, in the one order of ``LEVELS``, until it is shared or says ``other`` everywhere.

From 3 and 4, every count over any set of values is 0 or at least ``k``, and so is every difference of two
counts, one within the other. From 3, no value that is absent can be read as zero, and no withheld number can
be computed, not even by someone who knows this rule and tries every input: the demands of the lot may be
anything. (Hiding only what is rare was tried and leaked: a test tries every input of a small world.)

Source: security.md 5.4 and 5.6; formats.md, "Report"; law.md 7.1 and 7.8.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from dueprocess.errors import MalformedError
from dueprocess.report.rows import (
    CLOSED,
    DIMENSIONS,
    NATIONAL_SECURITY,
    OTHER,
    RegisterRow,
    check_period,
    check_value,
    expect_keys,
    row_commitment,
)
from dueprocess.wire import Json, canonical, is_version, parse_json, sha256_hex, unhex

K = 10
"""Rows that must look alike before any of them is named. Source: security.md 5.4; formats.md, "Report"."""

LEVELS: tuple[tuple[str, ...], ...] = (
    ("basis",),
    ("accounts_band", "challenged"),
    ("categories", "notice"),
    ("authority_class",),
    ("regime", "narrowed"),
    ("instrument",),
    ("country",),
    ("outcome",),
    ("demand_kind", "emergency"),
)
"""What a row loses first. The basis, the regime and the instrument name a country, so they go before it."""

BAND = 250
"""Width of the one band for all national-security process. Source: 50 USC 1874(a)(3)."""


@dataclass(frozen=True, order=True, slots=True)
class CoarseRow:
    """One row as published: its values in the order of ``DIMENSIONS``, and the commitment of the exact row."""

    values: tuple[str, ...]
    commitment: str

    def named(self) -> dict[str, str]:
        return dict(zip(DIMENSIONS, self.values, strict=True))


ALL_OTHER: tuple[str, ...] = (OTHER,) * len(DIMENSIONS)


@dataclass(frozen=True, slots=True)
class Register:
    """The published rows of one half-year, sorted so that their order says nothing about time.

    ``rows`` empty means "fewer than k", which includes none. ``band`` covers all national-security process,
    or is None: then nothing is said about it. ``corrects`` is the digest of the register that this one
    replaces; a published number never changes silently.
    """

    period: str
    k: int
    rows: tuple[CoarseRow, ...]
    band: str | None = None
    corrects: str | None = None

    @property
    def statement(self) -> str:
        """How many demands, in words that are true for every register."""
        return f"{len(self.rows)} demands" if self.rows else f"fewer than {self.k} demands"

    def as_json(self) -> dict[str, Json]:
        return {
            "v": 1,
            "period": self.period,
            "k": self.k,
            "statement": self.statement,
            "rows": [{**row.named(), "rc": row.commitment} for row in self.rows],
            "national_security_band": self.band,
            "corrects": self.corrects,
        }

    @property
    def encoded(self) -> bytes:
        """``register.json``: canonical bytes."""
        return canonical(self.as_json())

    @property
    def sha256(self) -> str:
        """Hex digest of ``register.json``, as the log's register leaf names it."""
        return sha256_hex(self.encoded)


def build_register(
    entries: Iterable[tuple[RegisterRow, str]], *, period: str, k: int = K, with_band: bool = False
) -> Register:
    """The register of a half-year from rows and their ``row_commitment``s, by the rule in this module's docstring.

    ``with_band`` publishes the band of all national-security process (0-249 also for none); it is off,
    because whether a band may be published is a question for counsel. Refuses rows of another period, a
    commitment that occurs twice, and ``k`` below 2.
    """
    check_period(period)
    if k < 2:
        raise MalformedError("bad-k", "A rule with k below 2 hides nobody.")
    everything = sorted(entries, key=lambda entry: entry[1])
    _check_entries(everything, period)
    counted = [
        CoarseRow(tuple(row.values().values()), rc)
        for row, rc in everything
        if row.instrument not in NATIONAL_SECURITY
    ]
    band = band_of(len(everything) - len(counted)) if with_band else None
    if len(counted) < k:
        return Register(period, k, (), band)
    lot = [CoarseRow(ALL_OTHER, row.commitment) for row in counted[:k]]
    return Register(period, k, tuple(sorted(lot + _coarsen(counted[k:], k))), band)


def _check_entries(entries: list[tuple[RegisterRow, str]], period: str) -> None:
    if any(row.period != period for row, _ in entries):
        raise MalformedError("wrong-period", f"Every row of this register belongs to {period}.")
    if len({unhex(rc) for _, rc in entries}) != len(entries):
        raise MalformedError("commitment-twice", "Two demands of a register have the same commitment.")


def band_of(number: int, *, width: int = BAND) -> str:
    """The band that holds a number: 0 to 0-249, 250 to 250-499. Source: 50 USC 1874(a)(3)."""
    low = number // width * width
    return f"{low}-{low + width - 1}"


def _coarsen(rows: list[CoarseRow], k: int) -> list[CoarseRow]:
    """Step 4 of the rule."""
    for level in LEVELS:
        shared = Counter(row.values for row in rows)
        rows = [row if shared[row.values] >= k else _blur(row, level) for row in rows]
    return rows


def _blur(row: CoarseRow, level: tuple[str, ...]) -> CoarseRow:
    named = row.named() | dict.fromkeys(level, OTHER)
    return CoarseRow(tuple(named.values()), row.commitment)


def covers_row(coarse: CoarseRow, row: RegisterRow) -> bool:
    """Whether a published row can be this exact row: each value is the same or ``other``."""
    return all(
        shown in (OTHER, value) for shown, value in zip(coarse.values, row.values().values(), strict=True)
    )


def holds_row(register: Register, row: RegisterRow, salt: bytes) -> bool:
    """Whether the register holds this exact row: found by its commitment, and not described as another.

    False does NOT prove an omission: a half-year of fewer than ``k`` demands publishes no rows at all.
    """
    wanted = row_commitment(row, salt)
    return any(each.commitment == wanted and covers_row(each, row) for each in register.rows)


def faults(register: Register) -> list[str]:
    """What in a register breaks the rule of this module, in words; an empty list is a good register."""
    shared = Counter(row.values for row in register.rows)
    found = [
        f"{count} rows alone share one combination, which is fewer than {register.k}: {'; '.join(values)}"
        for values, count in sorted(shared.items())
        if count < register.k
    ]
    if register.rows and shared[ALL_OTHER] < register.k:
        found.append(f"Fewer than {register.k} rows say `other` everywhere.")
    if list(register.rows) != sorted(register.rows):
        found.append("The rows are not sorted, so their order may tell when each demand came.")
    if any(value in NATIONAL_SECURITY for row in register.rows for value in row.values):
        found.append("A row names national-security process, whose number may be published in bands only.")
    return found


def parse_register(text: bytes | str) -> Register:
    """A register from its JSON, strictly. Raises ``MalformedError`` and nothing else; ``faults`` judges it."""
    value = parse_json(text, "register")
    keys = {"v", "period", "k", "statement", "rows", "national_security_band", "corrects"}
    expect_keys(value, keys, "register")
    check_period(value["period"])
    expect_counts(value, "register")
    band, corrects = value["national_security_band"], value["corrects"]
    if band is not None and not _is_band(band):
        raise MalformedError("bad-register", "The band of a register reads like 0-249.")
    expect_digest(corrects)
    if not isinstance(value["rows"], list):
        raise MalformedError("bad-register", "The rows of a register are a list.")
    rows = tuple(_parse_row(each) for each in value["rows"])
    register = Register(value["period"], value["k"], rows, band, corrects)
    if value["statement"] != register.statement:
        raise MalformedError("bad-register", "The statement of this register does not fit its rows.")
    return register


def expect_counts(value: dict[str, Any], what: str) -> None:
    """Refuses a version other than 1 and a k below 2."""
    numbers = (value["v"], value["k"])
    if any(isinstance(each, bool) or not isinstance(each, int) for each in numbers):
        raise MalformedError("bad-register", f"The version and k of a {what} are whole numbers.")
    if not is_version(value["v"]) or value["k"] < 2:
        raise MalformedError("version", f"This {what} has a version or a k that is not known here.")


def expect_digest(value: object) -> None:
    """Refuses anything but a hex SHA-256 or None."""
    if value is not None:
        if not isinstance(value, str):
            raise MalformedError("bad-register", "A digest is a text of 64 hex digits.")
        unhex(value)


def _is_band(value: object) -> bool:
    if not isinstance(value, str) or not value.isascii() or len(value) > 20:
        return False
    low = value.split("-")[0]
    return low.isdigit() and band_of(int(low)) == value


def _parse_row(value: Any) -> CoarseRow:
    expect_keys(value, {*DIMENSIONS, "rc"}, "row of a register")
    for name in DIMENSIONS:
        check_value(name, value[name], coarse=True)
    if value["rc"] is None:
        raise MalformedError("bad-register", "A row of a register has a commitment.")
    expect_digest(value["rc"])
    return CoarseRow(tuple(value[name] for name in DIMENSIONS), value["rc"])


def options(name: str, register: Register) -> tuple[str, ...]:
    """The values of a dimension that a report has a line for: all of a fixed list, else those that are named."""
    if name in CLOSED:
        return CLOSED[name]
    seen = {row.named()[name] for row in register.rows}
    return tuple(sorted(seen - {OTHER}))

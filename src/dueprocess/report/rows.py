"""One closed demand as a coarse row: the only thing about a case that ever reaches a public page.

A row has no identifier, no name, no day, no docket number. What a person could be found by has no field.

Source: security.md 5.4; formats.md, "Report".
"""

import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

from dueprocess.demand import MEANING, DemandKind
from dueprocess.errors import MalformedError
from dueprocess.wire import Json, canonical, is_version

Outcome = Literal[
    "complied", "complied_in_part", "no_records", "rejected", "withdrawn", "redirected", "objected"
]
NoticeGiven = Literal["told_before", "told_after", "delayed", "forbidden", "none"]
AccountsBand = Literal["1", "2-10", "11-100", ">100"]

OTHER = "other"
"""What a value reads once it has been generalised. It does NOT say that the value was an unusual one."""

TOP_CATEGORIES: tuple[str, ...] = tuple(dict.fromkeys(leaf.split(".")[0] for leaf in MEANING))
"""The categories of a row: top level only, in the order of the tree."""

NATIONAL_SECURITY: frozenset[str] = frozenset({"nsl", "fisa_order", "fisa_directive"})
"""Instruments whose exact number a recipient may not publish. They enter no row and no total.

Source: 50 USC 1874(a) (bands only); law.md 7.1 (subtraction: leave them out of every other total).
"""

SALT_BYTES = 32

DIMENSIONS: tuple[str, ...] = (
    "country",
    "regime",
    "instrument",
    "basis",
    "authority_class",
    "demand_kind",
    "emergency",
    "categories",
    "accounts_band",
    "outcome",
    "narrowed",
    "notice",
    "challenged",
)
"""The fields of a row beside its period, in the order of every file and table."""

_YES_NO = ("yes", "no")
CLOSED: dict[str, tuple[str, ...]] = {
    "demand_kind": get_args(DemandKind),
    "emergency": _YES_NO,
    "categories": TOP_CATEGORIES,
    "accounts_band": get_args(AccountsBand),
    "outcome": get_args(Outcome),
    "narrowed": _YES_NO,
    "notice": get_args(NoticeGiven),
    "challenged": _YES_NO,
}
"""Fields with a fixed list of values: a report has a line for each of them, whatever was counted."""

_OPEN: dict[str, re.Pattern[str]] = {
    "country": re.compile(r"[A-Z]{2}|other"),
    "regime": re.compile(r"[a-z][a-z0-9_.-]{0,31}"),
    "instrument": re.compile(r"[a-z][a-z0-9_]{0,63}"),
    "basis": re.compile(r"[§\w](?:(?!\d{7})[\w§();., /-]){0,119}"),
    "authority_class": re.compile(r"[a-z][a-z0-9_]{0,63}"),
}
"""Shapes of the other fields. A citation has no ``@``, no colon and no long run of digits: an address, a
link or an account number does not fit into it."""

_PERIOD = re.compile(r"20[0-9]{2}H[12]")
_FLAGS = ("emergency", "narrowed", "challenged")


@dataclass(frozen=True, slots=True)
class RegisterRow:
    """What one closed demand adds to the register of its half-year: class facts, never a person.

    ``accounts_band`` comes from ``accounts_band``; ``categories`` are top-level names in tree order.
    """

    period: str
    country: str
    regime: str
    instrument: str
    basis: str
    authority_class: str
    demand_kind: DemandKind
    emergency: bool
    categories: tuple[str, ...]
    accounts_band: AccountsBand
    outcome: Outcome
    narrowed: bool
    notice: NoticeGiven
    challenged: bool

    def __post_init__(self) -> None:
        check_period(self.period)
        for flag in _FLAGS:
            if not isinstance(getattr(self, flag), bool):
                raise _bad(flag, "Expected true or false.")
        known = [name for name in TOP_CATEGORIES if name in self.categories]
        if list(self.categories) != known:
            raise _bad("categories", "Expected top-level names, each once, in the order of the tree.")
        for name, value in self.values().items():
            check_value(name, value)

    def values(self) -> dict[str, str]:
        """Every dimension as a text: yes or no for a flag, ``subscriber+session`` for the categories."""
        texts = {name: getattr(self, name) for name in DIMENSIONS}
        texts |= {flag: "yes" if getattr(self, flag) else "no" for flag in _FLAGS}
        return texts | {"categories": "+".join(self.categories) or "none"}

    def as_json(self) -> dict[str, Json]:
        return {
            "v": 1,
            "period": self.period,
            **{name: getattr(self, name) for name in DIMENSIONS},
            "categories": list(self.categories),
        }

    @classmethod
    def from_json(cls, value: Any) -> "RegisterRow":
        """Strict inverse of ``as_json``: unknown and missing keys, other types and values are errors."""
        expect_keys(value, {"v", "period", *DIMENSIONS}, "register row")
        if not is_version(value["v"]):
            raise MalformedError("version", "This register row is of a version that is not known here.")
        named = value["categories"]
        if not isinstance(named, list) or not all(isinstance(each, str) for each in named):
            raise _bad("categories", "Expected a list of names.")
        fields = {name: value[name] for name in DIMENSIONS} | {"categories": tuple(named)}
        return cls(period=value["period"], **fields)


def accounts_band(accounts: int) -> AccountsBand:
    """The band of a number of accounts of one demand: 1, 2-10, 11-100 or >100. Refuses less than one."""
    if accounts < 1:
        raise MalformedError("no-accounts", "A demand names at least one account.")
    bounds: tuple[tuple[int, AccountsBand], ...] = ((1, "1"), (10, "2-10"), (100, "11-100"))
    return next((band for most, band in bounds if accounts <= most), ">100")


def half_year(year: int, month: int) -> str:
    """The reporting period of a month: ``2026H2``."""
    period = f"{year}H{1 if month <= 6 else 2}"
    check_period(period)
    return period


def row_commitment(row: RegisterRow, salt: bytes) -> str:
    """Hex HMAC-SHA256 of a row under its own 32-byte salt; without the salt it says nothing about the row."""
    if len(salt) != SALT_BYTES:
        raise MalformedError("bad-salt", f"The salt of a register row has {SALT_BYTES} bytes.")
    message = b"dueprocess/register-row/v1\n" + canonical(row.as_json())
    return hmac.new(salt, message, hashlib.sha256).hexdigest()


def check_period(period: object) -> None:
    if not isinstance(period, str) or not _PERIOD.fullmatch(period):
        raise _bad("period", "Expected a half-year such as 2026H2.")


def check_value(name: str, value: object, *, coarse: bool = False) -> None:
    """Refuses a value that its field does not have; ``coarse`` also allows ``other``."""
    if not isinstance(value, str):
        raise _bad(name, "Expected a text.")
    if coarse and value == OTHER:
        return
    if name == "categories":
        chosen = value.split("+")
        fits = value == "none" or chosen == [each for each in TOP_CATEGORIES if each in chosen]
    elif name in CLOSED:
        fits = value in CLOSED[name]
    else:
        fits = bool(_OPEN[name].fullmatch(value))
    if not fits:
        raise _bad(name, f"There is no such value: {value[:60]!r}.")


def expect_keys(value: object, wanted: set[str], what: str) -> None:
    """Refuses anything but an object with exactly these keys."""
    if not isinstance(value, dict) or set(value) != wanted:
        found = set(cast("dict[str, object]", value)) if isinstance(value, dict) else set()
        odd = sorted(str(key)[:40] for key in found ^ wanted)
        raise MalformedError(
            "bad-register", f"A {what} has exactly these keys: {sorted(wanted)}.", why=f"Check: {odd}"
        )


def _bad(name: str, why: str) -> MalformedError:
    return MalformedError(
        "bad-register-row",
        f"The field `{name}` of a register row does not fit.",
        why=why,
        do="Correct the row; a row holds class facts only, never a name, an address or a docket number.",
    )

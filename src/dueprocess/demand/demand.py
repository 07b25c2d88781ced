"""Demand: what a paper asks, transcribed by a person. The paper stays the truth.

An unknown fact is ``None`` and never raises what a demand may reach.

Source: law.md 1.1; vocabulary: docs/glossary.md.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from dueprocess.demand.scope import Scope, parse_scope
from dueprocess.errors import MalformedError
from dueprocess.wire import Json, instant, is_version, parse_instant

DemandKind = Literal["disclosure", "preservation", "removal"]

IssuerKind = Literal[
    "judge", "court", "grand_jury", "prosecutor", "agency", "fbi_official", "police", "private_party"
]


@dataclass(frozen=True, slots=True)
class NondisclosureOrder:
    """An order not to tell. ``until`` None means that the paper names no end.

    ``basis`` is the citation that the paper gives (18 USC 2705(b), 18 USC 2709(c), ...). ``certified``: the
    paper carries the certification or finding that the basis requires; None where nobody has checked.
    """

    basis: str
    starts_on: dt.datetime
    until: dt.datetime | None
    certified: bool | None = None

    def as_json(self) -> dict[str, Json]:
        return {
            "basis": self.basis,
            "starts_on": instant(self.starts_on),
            "until": instant(self.until) if self.until else None,
            "certified": self.certified,
        }


@dataclass(frozen=True, slots=True)
class Demand:
    """Facts of one paper. It does NOT say that the paper is genuine: that is a finding of its own."""

    kind: DemandKind
    regime: str
    """Whose law the paper invokes, as a pack id prefix: ``us``. Never guessed, never defaulted."""
    instrument: str
    """Code of the legal paper in the regime's pack: ``subpoena``, ``d_order``, ``warrant``, ``nsl`` ..."""
    scope: Scope
    """What is demanded, as far as the paper says it; open ends stay open."""
    received_at: dt.datetime
    issuer_kind: IssuerKind | None = None
    authority_id: str | None = None
    """Opaque id of the authority in our roster, once known."""
    legal_bases: tuple[str, ...] = ()
    issued_on: dt.date | None = None
    due_on: dt.date | None = None
    emergency: bool = False
    nondisclosure: NondisclosureOrder | None = None
    elements: frozenset[str] = field(default_factory=frozenset)
    """Codes of the formal elements that a person found on the paper: ``signature``, ``issuer``, ``date`` ..."""
    identifies: bool | None = None
    """Whether the paper declares that its sole purpose is to identify someone."""
    unreadable: tuple[str, ...] = ()
    """Parts of the paper that could not be read, in words. Never empty pretence: a redaction is listed."""

    def as_json(self) -> dict[str, Json]:
        """The transcription as it is kept in the vault; it holds identifiers."""
        order = self.nondisclosure
        return {
            "v": 1,
            "kind": self.kind,
            "regime": self.regime,
            "instrument": self.instrument,
            "scope": self.scope.as_json(),
            "received_at": instant(self.received_at),
            "issuer_kind": self.issuer_kind,
            "authority_id": self.authority_id,
            "legal_bases": list(self.legal_bases),
            "issued_on": self.issued_on.isoformat() if self.issued_on else None,
            "due_on": self.due_on.isoformat() if self.due_on else None,
            "emergency": self.emergency,
            "nondisclosure": order.as_json() if order else None,
            "elements": list[Json](sorted(self.elements)),
            "identifies": self.identifies,
            "unreadable": list(self.unreadable),
        }


def parse_demand(value: Any) -> Demand:
    """A demand from JSON, strictly. Raises ``MalformedError`` or, for what may not be asked, ``RefusedError``."""
    keys = {
        "v", "kind", "regime", "instrument", "scope", "received_at", "issuer_kind", "authority_id", "legal_bases",
        "issued_on", "due_on", "emergency", "nondisclosure", "elements", "identifies", "unreadable",
    }  # fmt: skip
    if not isinstance(value, dict) or set(value) != keys or not is_version(value["v"]):
        odd = sorted(map(str, set(value) ^ keys)) if isinstance(value, dict) else []
        raise MalformedError("bad-demand", "A demand has other keys than it should.", why=f"Check {odd}.")
    order = value["nondisclosure"]
    return Demand(
        kind=_one_of(value, "kind", get_args(DemandKind)),
        regime=_text(value, "regime"),
        instrument=_text(value, "instrument"),
        scope=parse_scope(value["scope"]),
        received_at=parse_instant(_text(value, "received_at")),
        issuer_kind=_maybe(value, "issuer_kind", lambda v, k: _one_of(v, k, get_args(IssuerKind))),
        authority_id=_maybe(value, "authority_id", _text),
        legal_bases=_texts(value, "legal_bases"),
        issued_on=_maybe(value, "issued_on", _day),
        due_on=_maybe(value, "due_on", _day),
        emergency=_flag(value, "emergency"),
        nondisclosure=_order(order) if order is not None else None,
        elements=frozenset(_texts(value, "elements")),
        identifies=_maybe(value, "identifies", _flag),
        unreadable=_texts(value, "unreadable"),
    )


def _order(value: Any) -> NondisclosureOrder:
    if not isinstance(value, dict) or set(value) != {"basis", "starts_on", "until", "certified"}:
        raise MalformedError("bad-demand", "A nondisclosure order has basis, starts_on, until and certified.")
    return NondisclosureOrder(
        basis=_text(value, "basis"),
        starts_on=parse_instant(_text(value, "starts_on")),
        until=_maybe(value, "until", lambda v, k: parse_instant(_text(v, k))),
        certified=_maybe(value, "certified", _flag),
    )


def _maybe[T](value: Mapping[str, Any], key: str, parse: Callable[[Mapping[str, Any], str], T]) -> T | None:
    return None if value[key] is None else parse(value, key)


def _text(value: Mapping[str, Any], key: str) -> str:
    if not isinstance(value[key], str) or not value[key]:
        raise MalformedError("bad-demand", f"{key} is a text that is not empty.")
    return str(value[key])


def _flag(value: Mapping[str, Any], key: str) -> bool:
    if not isinstance(value[key], bool):
        raise MalformedError("bad-demand", f"{key} is true or false.")
    return bool(value[key])


def _texts(value: Mapping[str, Any], key: str) -> tuple[str, ...]:
    if not isinstance(value[key], list) or not all(isinstance(each, str) for each in value[key]):
        raise MalformedError("bad-demand", f"{key} is a list of texts.")
    return tuple(value[key])


def _day(value: Mapping[str, Any], key: str) -> dt.date:
    try:
        day = dt.date.fromisoformat(_text(value, key))
    except ValueError as error:
        raise MalformedError("bad-date", f"{key} is a date such as 2026-11-22.", why=str(error)) from error
    if day.isoformat() != value[key]:
        raise MalformedError("bad-date", f"{key} is a date such as 2026-11-22.")
    return day


def _one_of(value: Mapping[str, Any], key: str, allowed: tuple[Any, ...]) -> Any:
    if value[key] not in allowed:
        raise MalformedError("bad-demand", f"{key} is one of: {', '.join(map(str, allowed))}.")
    return value[key]

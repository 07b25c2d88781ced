"""Demand: what a paper asks, transcribed by a person. The paper stays the truth.

An unknown fact is ``None`` (or no answer) and never raises what a demand may reach. ``ReverseDemand`` is the paper
that names nobody: it can be assessed, so that it can be answered, and carries nothing that one could search for.

Source: law.md 1.1 and 2.6; vocabulary: docs/glossary.md.
"""

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from dueprocess.demand.scope import Scope, parse_scope
from dueprocess.demand.target import REVERSE_KINDS
from dueprocess.errors import MalformedError
from dueprocess.wire import Json, instant, is_version, parse_instant

DemandKind = Literal["disclosure", "preservation", "removal"]

IssuerKind = Literal[
    "judge", "court", "investigating_judge", "grand_jury", "prosecutor", "commissioner", "government", "agency",
    "fbi_official", "senior_officer", "police", "private_party",
]  # fmt: skip
"""Who signed. ``commissioner``: an independent one (UK IPA s 60A); ``government``: a minister or ministry;
``senior_officer``: an officer of a rank that the law names; ``agency``: any other authority."""

Answer = bool | str
"""What a reader answered to a pack's question: yes or no, or one of its choices."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperFacts:
    """What a paper says apart from whom it names. It does NOT say that the paper is genuine."""

    kind: DemandKind
    regime: str
    """Whose law the paper invokes, as a pack id prefix: ``us``. Never guessed, never defaulted."""
    instrument: str
    """Code of the legal paper in the regime's pack: ``subpoena``, ``d_order``, ``warrant``, ``nsl`` ..."""
    received_at: dt.datetime
    issuer_kind: IssuerKind | None = None
    validated_by: IssuerKind | None = None
    """Who validated an order that another authority issued; None where nobody did or nobody knows."""
    authority_id: str | None = None
    """Opaque id of the authority in our roster, once known."""
    country: str | None = None
    """Of the authority, ISO 3166-1 alpha-2."""
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
    answers: Mapping[str, Answer] = field(default_factory=dict)
    """Answers to the packs' questions by their id; a question without an answer is unknown."""
    flags: frozenset[str] = field(default_factory=frozenset)
    """What the reader noticed that calls for counsel: ``press``, ``privilege`` ... (the baseline pack lists them)."""
    flags_checked: bool | None = None
    """Whether somebody went through the list of flags at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReverseDemand(PaperFacts):
    """A paper that starts from a place, a word or a property and would end at people. Nothing can be produced.

    It holds neither the place nor the word: nothing may be done with them.
    """

    asks: str
    """Key of ``REVERSE_KINDS``: geofence, keyword, tower ..."""

    def __post_init__(self) -> None:
        if self.asks not in REVERSE_KINDS:
            raise MalformedError(
                "bad-reverse",
                f"There is no kind of reverse demand {self.asks[:40]!r}.",
                do="Choose from: " + ", ".join(REVERSE_KINDS),
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand(PaperFacts):
    """Facts of one paper that names its targets."""

    scope: Scope
    """What is demanded, as far as the paper says it; open ends stay open."""

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
            "validated_by": self.validated_by,
            "authority_id": self.authority_id,
            "country": self.country,
            "legal_bases": list(self.legal_bases),
            "issued_on": self.issued_on.isoformat() if self.issued_on else None,
            "due_on": self.due_on.isoformat() if self.due_on else None,
            "emergency": self.emergency,
            "nondisclosure": order.as_json() if order else None,
            "elements": list[Json](sorted(self.elements)),
            "identifies": self.identifies,
            "unreadable": list(self.unreadable),
            "answers": dict(sorted(self.answers.items())),
            "flags": list[Json](sorted(self.flags)),
            "flags_checked": self.flags_checked,
        }


_LATER: dict[str, Json] = {
    "validated_by": None, "country": None, "answers": {}, "flags": [], "flags_checked": None,
}  # fmt: skip
"""Keys that readings of the first release do not have, with what their absence means."""


def parse_demand(value: Any) -> Demand:
    """A demand from JSON, strictly. Raises ``MalformedError`` or, for what may not be asked, ``RefusedError``."""
    keys = {
        "v", "kind", "regime", "instrument", "scope", "received_at", "issuer_kind", "authority_id", "legal_bases",
        "issued_on", "due_on", "emergency", "nondisclosure", "elements", "identifies", "unreadable", *_LATER,
    }  # fmt: skip
    if isinstance(value, dict):
        value = {**_LATER, **value}
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
        validated_by=_maybe(value, "validated_by", lambda v, k: _one_of(v, k, get_args(IssuerKind))),
        authority_id=_maybe(value, "authority_id", _text),
        country=_maybe(value, "country", _country),
        legal_bases=_texts(value, "legal_bases"),
        issued_on=_maybe(value, "issued_on", _day),
        due_on=_maybe(value, "due_on", _day),
        emergency=_flag(value, "emergency"),
        nondisclosure=_order(order) if order is not None else None,
        elements=frozenset(_texts(value, "elements")),
        identifies=_maybe(value, "identifies", _flag),
        unreadable=_texts(value, "unreadable"),
        answers=_answers(value["answers"]),
        flags=frozenset(_texts(value, "flags")),
        flags_checked=_maybe(value, "flags_checked", _flag),
    )


def _answers(value: Any) -> dict[str, Answer]:
    if not isinstance(value, dict) or not all(
        isinstance(each, bool) or (isinstance(each, str) and each) for each in value.values()
    ):
        raise MalformedError("bad-demand", "An answer is true, false or a word.")
    return {str(key): each for key, each in sorted(value.items())}


def _country(value: Mapping[str, Any], key: str) -> str:
    if not re.fullmatch("[A-Z]{2}", _text(value, key)):
        raise MalformedError("bad-demand", f"{key} is a two-letter code such as US (ISO 3166-1).")
    return str(value[key])


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

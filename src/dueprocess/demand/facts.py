"""A person's transcription of a paper as a TOML file, strictly read: what `dueprocess read --facts FILE` takes.

There is no key for a place, a word or a property of people. A paper that asks for one of these says so with
`reverse = "geofence"` and names nobody: it can be assessed, so that it can be answered, and cannot be read into a case.
"""

import dataclasses
import datetime as dt
import re
import tomllib
from typing import Any

from dueprocess.demand.category import expand, ordered
from dueprocess.demand.demand import Demand, PaperFacts, ReverseDemand, parse_demand
from dueprocess.demand.target import REVERSE_KINDS
from dueprocess.errors import MalformedError, RefusedError
from dueprocess.wire import Json, b64, instant

_REQUIRED = {"kind", "regime", "instrument", "country", "target"}
_OPTIONAL: dict[str, Json] = {
    "issuer_kind": None,
    "validated_by": None,
    "authority": None,
    "legal_bases": [],
    "issued_on": None,
    "due_on": None,
    "emergency": False,
    "nondisclosure": None,
    "elements": [],
    "identifies": None,
    "unreadable": [],
    "answers": {},
    "flags": [],
    "flags_checked": None,
}


def parse_facts(text: str, *, received_at: dt.datetime, nonce: bytes) -> tuple[Demand, str]:
    """The demand and the country of its authority, from a facts file.

    Raises ``MalformedError`` naming the key, or ``RefusedError`` for what may not be asked.
    """
    found = _read(text)
    if "reverse" in found:
        raise RefusedError(
            "reverse-demand",
            "A paper that names nobody cannot be read into a case.",
            why="There is nothing to narrow, to decide or to produce: nobody can grant it.",
            do="See how to answer it: dueprocess assess --facts FILE --on DATE. Then refuse it in writing.",
            source="architecture.md 1.1",
        )
    return _demand(found, received_at, nonce), found["country"]


def parse_paper(text: str, *, received_at: dt.datetime, nonce: bytes) -> tuple[Demand | ReverseDemand, str]:
    """Like ``parse_facts``, also for a paper that names nobody: ``reverse`` instead of any ``[[target]]``."""
    found = _read(text)
    asks = found.pop("reverse", None)
    if asks is None:
        return _demand(found, received_at, nonce), found["country"]
    if not isinstance(asks, str) or asks not in REVERSE_KINDS or "target" in found:
        raise MalformedError(
            "bad-facts",
            "`reverse` says what a paper asks for that names nobody; there is no [[target]] beside it.",
            do=f"Choose from: {', '.join(REVERSE_KINDS)}.",
        )
    read = _demand({**found, "target": [_NOBODY]}, received_at, nonce)
    facts = {each.name: getattr(read, each.name) for each in dataclasses.fields(PaperFacts)}
    return ReverseDemand(**facts, asks=asks), found["country"]


_NOBODY = {"kind": "account", "value": "nobody", "categories": ["subscriber.identity"]}
"""Stands in for a target while the other facts are read by the one strict reader; it goes no further."""


def _read(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (
        ValueError,
        RecursionError,
    ) as error:  # tomllib lets both through: endless numbers, endless nesting
        raise MalformedError("bad-facts", "This facts file is not TOML.", why=str(error)) from error


def _demand(found: dict[str, Any], received_at: dt.datetime, nonce: bytes) -> Demand:
    missing, odd = _REQUIRED - set(found), set(found) - _REQUIRED - set(_OPTIONAL)
    if missing or odd:
        raise MalformedError(
            "bad-facts",
            "This facts file has other keys than it should.",
            why=f"Missing: {sorted(missing)}; unknown: {sorted(odd)}.",
            do="Start from the draft that `dueprocess read CASE --suggest` prints.",
        )
    filled = {**_OPTIONAL, **found}
    value = {key: _plain(filled[key]) for key in _OPTIONAL if key != "authority"}
    value |= {
        "v": 1,
        "kind": found["kind"],
        "regime": found["regime"],
        "instrument": found["instrument"],
        "authority_id": filled["authority"],
        "received_at": instant(received_at),
        "scope": {"v": 1, "nonce": b64(nonce), "targets": _targets(found["target"])},
        "nondisclosure": _order(filled["nondisclosure"]),
        "country": found["country"],
    }
    if not isinstance(found["country"], str) or not re.fullmatch("[A-Z]{2}", found["country"]):
        raise MalformedError("bad-facts", "country is a two-letter code such as US (ISO 3166-1).")
    return parse_demand(value)


def _targets(found: object) -> list[Json]:
    if not isinstance(found, list):
        raise MalformedError("bad-facts", "Each target is a [[target]] section.")
    return [_target(each) for each in found]


def _target(found: Any) -> Json:
    keys = {"kind", "value", "categories"}
    if not isinstance(found, dict) or not keys <= set(found) <= keys | {"from", "until", "purpose"}:
        raise MalformedError(
            "bad-facts", "A [[target]] has kind, value, categories and, where given, from, until and purpose."
        )
    names = found["categories"]
    if not isinstance(names, list) or not all(isinstance(each, str) for each in names):
        raise MalformedError("bad-facts", "The categories of a target are a list of names.")
    return {
        "kind": found["kind"],
        "value": found["value"],
        "categories": list[Json](ordered(expand(names))),
        "from": _plain(found.get("from")),
        "until": _plain(found.get("until")),
        "purpose": found.get("purpose"),
    }


def _order(found: Any) -> Json:
    if found is None:
        return None
    if not isinstance(found, dict) or not {"basis", "starts_on"} <= set(found) <= {
        "basis",
        "starts_on",
        "until",
        "certified",
    }:
        raise MalformedError(
            "bad-facts", "[nondisclosure] has basis and starts_on, and may have until and certified."
        )
    return {
        "basis": found["basis"],
        "starts_on": _plain(found["starts_on"]),
        "until": _plain(found.get("until")),
        "certified": found.get("certified"),
    }


def _plain(value: Any) -> Any:
    """TOML's own dates as the texts that our formats use; a time without its zone is refused."""
    if isinstance(value, dt.datetime):
        return instant(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, dt.time | float):
        raise MalformedError("bad-facts", "A time of day alone, or a fraction, has no place in a facts file.")
    return value

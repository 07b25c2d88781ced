"""A person's transcription of a paper as a TOML file, strictly read: what `dueprocess read --facts FILE` takes.

There is no key for a place, a word or a property of people: a file that names no target is refused.
"""

import datetime as dt
import re
import tomllib
from typing import Any

from dueprocess.demand.category import expand, ordered
from dueprocess.demand.demand import Demand, parse_demand
from dueprocess.errors import MalformedError
from dueprocess.wire import Json, b64, instant

_REQUIRED = {"kind", "regime", "instrument", "country", "target"}
_OPTIONAL: dict[str, Json] = {
    "issuer_kind": None,
    "authority": None,
    "legal_bases": [],
    "issued_on": None,
    "due_on": None,
    "emergency": False,
    "nondisclosure": None,
    "elements": [],
    "identifies": None,
    "unreadable": [],
}


def parse_facts(text: str, *, received_at: dt.datetime, nonce: bytes) -> tuple[Demand, str]:
    """The demand and the country of its authority, from a facts file.

    Raises ``MalformedError`` naming the key, or ``RefusedError`` for what may not be asked.
    """
    try:
        found = tomllib.loads(text)
    except (
        ValueError,
        RecursionError,
    ) as error:  # tomllib lets both through: endless numbers, endless nesting
        raise MalformedError("bad-facts", "This facts file is not TOML.", why=str(error)) from error
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
    }
    country = found["country"]
    if not isinstance(country, str) or not re.fullmatch("[A-Z]{2}", country):
        raise MalformedError("bad-facts", "country is a two-letter code such as US (ISO 3166-1).")
    return parse_demand(value), country


def _targets(found: object) -> list[Json]:
    if not isinstance(found, list):
        raise MalformedError("bad-facts", "Each target is a [[target]] section.")
    return [_target(each) for each in found]


def _target(found: Any) -> Json:
    keys = {"kind", "value", "categories"}
    if not isinstance(found, dict) or not keys <= set(found) <= keys | {"from", "until"}:
        raise MalformedError(
            "bad-facts", "A [[target]] has kind, value, categories and, where given, from and until."
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
        "purpose": None,
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

"""Bytes that are hashed or signed: canonical JSON, digests, length prefixes, times, base64.

Every format of dueprocess goes through these few functions, so that two programs that agree on a
value agree on its bytes.

Source: RFC 8785 (JCS), RFC 4648 section 4, RFC 3339; formats.md, Conventions.
"""

import base64
import binascii
import datetime as dt
import hashlib
import json
import re
from typing import Any, NoReturn

import rfc8785

from dueprocess.errors import MalformedError

type Json = bool | int | str | list[Json] | dict[str, Json] | None
"""JSON without floating point: nothing that we hash needs a fraction, and fractions do not round-trip."""

_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{6})?Z")
_MAX_SAFE = 2**53 - 1


def canonical(value: Json) -> bytes:
    """RFC 8785 bytes of a JSON value. Refuses floats, big integers, lone surrogates and endless nesting."""
    try:
        if _plain(value):
            return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
        _refuse_floats(value)
        return rfc8785.dumps(value)
    except RecursionError as error:
        raise MalformedError("too-deep", "This value is nested too deeply.") from error
    except (rfc8785.CanonicalizationError, UnicodeEncodeError) as error:
        raise MalformedError("not-canonical", "This value has no canonical form.", why=str(error)) from error


def _plain(value: object) -> bool:
    """Whether Python's own, faster writer gives the bytes of RFC 8785: keys in ASCII sort alike, no number is odd."""
    kind = type(value)
    if value is None or kind is str or kind is bool:
        return True
    if isinstance(value, int):
        return kind is int and -_MAX_SAFE <= value <= _MAX_SAFE
    if isinstance(value, dict):
        return kind is dict and all(
            type(key) is str and key.isascii() and _plain(each) for key, each in value.items()
        )
    return isinstance(value, list) and kind is list and all(map(_plain, value))


def _refuse_floats(value: object) -> None:
    if isinstance(value, float):
        raise MalformedError("float", "A number with a fraction has no place in a signed document.")
    if isinstance(value, dict):
        for each in value.values():
            _refuse_floats(each)
    elif isinstance(value, list | tuple):
        for each in value:
            _refuse_floats(each)


def parse_json(text: str | bytes, what: str = "JSON") -> Any:
    """A JSON value, strictly: UTF-8, no duplicate keys, no floats, no NaN.

    Raises ``MalformedError`` and nothing else.
    """
    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8")
        return json.loads(
            text,
            object_pairs_hook=_unique,
            parse_float=_no_float,
            parse_constant=_no_float,
            parse_int=_integer,
        )
    except UnicodeDecodeError as error:
        raise MalformedError("not-utf8", f"This {what} is not UTF-8.", why=str(error)) from error
    except json.JSONDecodeError as error:
        raise MalformedError("not-json", f"This is not {what}.", why=str(error)) from error
    except RecursionError as error:
        raise MalformedError("too-deep", f"This {what} is nested too deeply.") from error


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            raise MalformedError("duplicate-key", f"This JSON names the key {key[:60]!r} twice.")
        found[key] = value
    return found


def _no_float(literal: str) -> NoReturn:
    raise MalformedError("float", f"This JSON holds a number with a fraction: {literal[:40]}.")


def _integer(literal: str) -> int:
    if len(literal) > 17 or abs(int(literal)) > _MAX_SAFE:
        raise MalformedError("big-integer", "This JSON holds an integer beyond 2^53 - 1.")
    return int(literal)


def sha256(data: bytes) -> bytes:
    """SHA-256, 32 bytes. Source: FIPS 180-4."""
    return hashlib.sha256(data).digest()


def sha256_hex(data: bytes) -> str:
    """SHA-256 in lower-case hex, the only form of a digest in our JSON."""
    return hashlib.sha256(data).hexdigest()


def digest_of(value: Json) -> str:
    """Hex SHA-256 over the canonical bytes of a JSON value."""
    return sha256_hex(canonical(value))


def is_version(value: object, version: int = 1) -> bool:
    """Whether a parsed JSON value is this version number. ``true`` is not 1, though Python says so."""
    return value == version and not isinstance(value, bool)


def lp(text: str) -> bytes:
    """UTF-8 bytes behind their length as a big-endian u16, so that no two lists of fields collide."""
    try:
        data = text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise MalformedError("not-utf8", "This field holds half a character.", why=str(error)) from error
    if len(data) > 0xFFFF:
        raise MalformedError("too-long", "This field is longer than 65,535 bytes.")
    return len(data).to_bytes(2, "big") + data


def b64(data: bytes) -> str:
    """Standard base64 with padding. Source: RFC 4648 section 4."""
    return base64.b64encode(data).decode("ascii")


def unb64(text: str, *, length: int | None = None) -> bytes:
    """Strict inverse of ``b64``: one text per byte string, and of ``length`` bytes where given."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError, TypeError) as error:  # a JSON value need not be a text
        raise MalformedError("not-base64", "This is not base64.", why=str(error)) from error
    if b64(data) != text:
        raise MalformedError("not-base64", "This base64 is not in its one canonical form.")
    if length is not None and len(data) != length:
        raise MalformedError("wrong-length", f"Expected {length} bytes here, found {len(data)}.")
    return data


def unhex(text: str, *, length: int = 32) -> bytes:
    """Bytes of a lower-case hex string of exactly ``length`` bytes."""
    if not re.fullmatch(r"[0-9a-f]*", str(text)) or len(str(text)) != 2 * length:
        raise MalformedError("not-hex", f"Expected {2 * length} lower-case hex digits here.")
    return bytes.fromhex(text)


def instant(moment: dt.datetime) -> str:
    """RFC 3339 in UTC with ``Z``; microseconds only where there are any. Refuses naive times."""
    if moment.tzinfo is None:
        raise MalformedError("naive-time", "A time without its zone is not an instant.")
    try:
        utc = moment.astimezone(dt.UTC).replace(tzinfo=None)
    except OverflowError as error:
        raise MalformedError(
            "not-an-instant", "In UTC this time lies outside the years 1 to 9999."
        ) from error
    return utc.isoformat() + "Z"


def parse_instant(text: str) -> dt.datetime:
    """Inverse of ``instant``: UTC only, ``Z`` only, one form per instant."""
    if not _INSTANT.fullmatch(text):
        raise MalformedError("not-an-instant", "Expected a time such as 2026-11-22T09:30:00Z here.")
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise MalformedError("not-an-instant", "There is no such time.", why=str(error)) from error
    if instant(moment) != text:
        raise MalformedError("not-an-instant", "This time is not in its one canonical form.")
    return moment

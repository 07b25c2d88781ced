"""Strict reading of the log's JSON: one byte string per value, exact member names, exact types.

Everything here raises ``MalformedError`` and nothing else, and says which part is wrong.
"""

from collections.abc import Iterable

from dueprocess.errors import MalformedError
from dueprocess.wire import Json, canonical, is_version, parse_json, unb64, unhex


def parse_canonical(data: bytes, what: str) -> Json:
    """The JSON value whose RFC 8785 bytes are ``data``. Refuses every other spelling of the same value.

    With one spelling per value, each changed byte is another value or no value at all.
    """
    value: Json = parse_json(data, what)
    if canonical(value) != data:
        raise MalformedError(
            "not-canonical",
            f"This {what} is not in the canonical form.",
            why="Only the bytes of RFC 8785 are accepted, so that no changed byte can pass unseen.",
            source="RFC 8785 section 3.2",
        )
    return value


def members(value: Json, names: Iterable[str], what: str) -> dict[str, Json]:
    """The members of a JSON object that has exactly these names."""
    wanted = set(names)
    if not isinstance(value, dict):
        raise MalformedError("not-an-object", f"Expected an object as {what}.")
    if value.keys() != wanted:
        odd = sorted(repr(name[:40]) for name in value.keys() ^ wanted)
        raise MalformedError(
            "wrong-members", f"The members of {what} are wrong.", why=f"missing or unknown: {', '.join(odd)}"
        )
    return value


def text(value: Json, what: str) -> str:
    if not isinstance(value, str):
        raise MalformedError("not-text", f"Expected text as {what}.")
    return value


def number(value: Json, what: str, *, most: int, least: int = 0) -> int:
    """An integer from ``least`` to ``most``; booleans are not numbers."""
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise MalformedError("not-a-number", f"Expected an integer from {least} to {most} as {what}.")
    return value


def flag(value: Json, what: str) -> bool:
    if not isinstance(value, bool):
        raise MalformedError("not-a-flag", f"Expected true or false as {what}.")
    return value


def items(value: Json, what: str, *, count: int | None = None) -> list[Json]:
    """A JSON array, of exactly ``count`` items where given."""
    if not isinstance(value, list) or (count is not None and len(value) != count):
        size = "" if count is None else f" of {count} items"
        raise MalformedError("not-a-list", f"Expected a list{size} as {what}.")
    return value


def b64_bytes(value: Json, what: str, *, length: int = 32) -> bytes:
    """Bytes from strict base64 text, exactly ``length`` of them."""
    try:
        return unb64(text(value, what), length=length)
    except MalformedError as error:
        raise MalformedError(error.code, f"Expected base64 of {length} bytes as {what}.") from error


def sha256_text(value: Json, what: str) -> str:
    """A SHA-256 digest in lower-case hex."""
    try:
        unhex(text(value, what))
    except MalformedError as error:
        raise MalformedError(error.code, f"Expected a SHA-256 in lower-case hex as {what}.") from error
    return str(value)


def version(value: Json, what: str) -> None:
    """Refuses every version but 1, the frozen one."""
    if not is_version(value):
        raise MalformedError("version", f"This {what} is of a version that this program does not know.")

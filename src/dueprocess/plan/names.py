"""Words that a data map may use for tables and columns, and words that give a mistake away.

A subject column names people. A map that points it at rooms, groups or lists would turn a demand about one
account into a search across its members, so the words alone are refused; `check_map` looks at the values.
"""

import re
from functools import lru_cache

from dueprocess.errors import MalformedError, RefusedError

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")

GATHERINGS = frozenset(
    [
        "area",
        "channel",
        "chat",
        "community",
        "conversation",
        "forum",
        "geofence",
        "group",
        "guild",
        "hashtag",
        "keyword",
        "list",
        "organisation",
        "organization",
        "room",
        "space",
        "tag",
        "team",
        "thread",
        "topic",
        "tower",
        "workspace",
    ]
)
"""Places where several people meet, or properties that they share. None of them is a person."""

PROPERTIES = frozenset(["area", "geofence", "hashtag", "keyword", "tag", "topic", "tower"])
"""What people share without anybody owning it. The rest of `GATHERINGS` may have owners."""

MERE_USERS = frozenset(
    [
        "audience",
        "downloader",
        "follower",
        "listener",
        "member",
        "membership",
        "participant",
        "reader",
        "subscriber",
        "subscription",
        "viewer",
        "visitor",
        "watcher",
    ]
)
"""People who use a thing, or take part in it, without being answerable for it."""

SECRET_WORDS = frozenset(
    [
        "cookie",
        "credential",
        "macaroon",
        "otp",
        "passphrase",
        "passwd",
        "password",
        "pwd",
        "secret",
        "token",
        "totp",
    ]
)
"""Words of columns that hold passwords, keys or tokens."""

RESERVED = frozenset({"control_number"})
"""Column names that a parcel uses for itself."""


def check_name(name: str, where: str) -> str:
    """The same name, if it is 1 to 63 letters, digits and underscores and does not begin with a digit.

    Source: PostgreSQL's limit of 63 bytes for an identifier, the shortest of the engines.
    """
    if not _NAME.fullmatch(name):
        raise MalformedError(
            "bad-name",
            f"{where}: {name[:60]!r} is not a name of a table, column or store.",
            do="Use letters, digits and underscores, at most 63; the first is not a digit.",
        )
    return name


@lru_cache(maxsize=4096)
def words(name: str) -> frozenset[str]:
    """The words of a name in snake_case or camelCase, in lower case, plural endings removed.

    ``mailing_lists`` gives mailing and list; ``blacklisted`` stays one word.
    """
    found = {word.lower() for word in _WORD.findall(name)}
    singular = {word[:-3] + "y" for word in found if word.endswith("ies")}
    return frozenset(found | singular | {word[:-1] for word in found if word.endswith("s")})


def refuse_gathering(name: str, where: str) -> None:
    """Refuses a name that speaks of a room, a group, a list or another gathering as if it were a person."""
    odd = sorted(words(name) & GATHERINGS)
    if odd:
        raise RefusedError(
            "not-a-person",
            f"{where}: {name!r} speaks of a {odd[0]}, and a {odd[0]} is not a person.",
            why="A subject column that does not name people would answer for everyone behind it.",
            do="Name the column that holds the account. A named organisation or channel takes the route "
            "`resource`, to its owners.",
            source="architecture.md 1.1; formats.md, Data map",
        )


def refuse_property(name: str, where: str) -> None:
    """Refuses a thing that nobody owns, such as a hashtag or an area: whoever shares it is not its owner."""
    odd = sorted(words(name) & PROPERTIES)
    if odd:
        raise RefusedError(
            "no-owner",
            f"{where}: {name!r} speaks of a {odd[0]}, and nobody owns a {odd[0]}.",
            why="A demand that starts from a place, a word or a property is a search across people.",
            do="Name something that has owners: a package, an organisation, a channel.",
            source="architecture.md 1.1; formats.md, Scope",
        )


def refuse_mere_users(text: str, where: str) -> None:
    """Refuses a table, a column or a value that speaks of members, readers or followers as if they were owners."""
    odd = sorted(words(text) & MERE_USERS)
    if odd:
        raise RefusedError(
            "owners-only",
            f"{where}: {text[:60]!r} speaks of a {odd[0]}, and a {odd[0]} is not an owner.",
            why="A resource leads to those who are answerable for it, never to everyone who used it.",
            do="Name the table and the role of its owners.",
            source="architecture.md section 1; formats.md, Scope",
        )


def refuse_secret(name: str, where: str) -> None:
    """Refuses a column whose name says that it holds a password, a key or a token."""
    odd = sorted(words(name) & SECRET_WORDS)
    if odd:
        raise RefusedError(
            "secrets",
            f"{where}: the column {name!r} looks like a {odd[0]}; passwords, keys and tokens are never listed.",
            why="What is not listed cannot leave, and these open everything else.",
            do="Remove the column from the map.",
            source="architecture.md 1.5; Regulation (EU) 2023/1543 Article 3(9)",
        )

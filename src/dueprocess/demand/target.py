"""A named target: the one account, address or thing that a paper names.

There is no target that stands for a set of people: no area, keyword, tower, wildcard or "all users who".
A target resolves to at most one subject, only ``resource`` may yield several owners, each a new target.

Source: formats.md, "Scope"; architecture.md section 1.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal, get_args

from dueprocess.errors import MalformedError, RefusedError

TargetKind = Literal[
    "account", "email", "phone", "ip_at_time", "device", "content_url", "order_id", "resource"
]
KINDS: tuple[TargetKind, ...] = get_args(TargetKind)

REVERSE_KINDS: dict[str, str] = {
    "area": "an area (geofence)",
    "geofence": "an area (geofence)",
    "tower": "a cell tower",
    "keyword": "a search word",
    "hashtag": "a topic",
    "room": "everyone in a room",
    "ip_range": "a range of addresses",
    "all": "all users who share a property",
    "bulk": "all users who share a property",
}
"""What papers ask for that is not a named target. Each is refused by name."""

_MAX_CHARS = 320
_WILDCARD = re.compile(r"[*?%]|\.\.\.|…")
_BIDI_OR_HIDDEN = frozenset({"Cf", "Cc", "Cs", "Co", "Cn", "Zl", "Zp"})
_INVISIBLE = re.compile(
    r"[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]|(?! )\s"
)
"""Marks and letters that show nothing (Default_Ignorable_Code_Point beyond Cf), and spaces that are not a space."""
_ADDRESS_RANGE = re.compile(r"[0-9A-Fa-f]*[.:][0-9A-Fa-f.:]*\s*[/–-]\s*[0-9]")


@dataclass(frozen=True, order=True, slots=True)
class Target:
    """What the paper names: a kind and an exact value. It does NOT say that such an account exists."""

    kind: TargetKind
    value: str

    def __post_init__(self) -> None:
        if self.kind in REVERSE_KINDS:
            raise _reverse(REVERSE_KINDS[self.kind])
        if self.kind not in KINDS:
            raise MalformedError(
                "unknown-target-kind",
                f"There is no target kind {str(self.kind)[:40]!r}.",
                do="Choose from: " + ", ".join(KINDS),
            )
        _check_value(self.value, self.kind)


def _reverse(what: str) -> RefusedError:
    return RefusedError(
        "reverse-demand",
        f"This asks for {what}, not for a named target.",
        why="A demand that starts from a place, a word or a property and ends at people is a search "
        "across people. dueprocess has no type for it, so nobody can grant it.",
        do="Ask the authority to name the account. Give the paper to a lawyer.",
        source="Chatrie v. United States, No. 25-112 (US 29 June 2026): acquiring location history is a "
        "search; United States v. Smith, 110 F.4th 817 (5th Cir. 2024)",
    )


def _check_value(value: str, kind: str) -> None:
    if not value or value != value.strip() or len(value) > _MAX_CHARS:
        raise MalformedError(
            "bad-target", f"A target value has 1 to {_MAX_CHARS} characters and no outer spaces."
        )
    hidden = any(unicodedata.category(each) in _BIDI_OR_HIDDEN for each in value)
    if hidden or _INVISIBLE.search(value) or "\\" in value or unicodedata.normalize("NFC", value) != value:
        raise MalformedError(
            "bad-target",
            "This target value holds a control, hidden or direction character, a backslash, or is not NFC.",
            why="Two values that look alike must be alike, on every database.",
            do="Type the identifier again as the paper shows it.",
        )
    if kind == "ip_at_time" and _ADDRESS_RANGE.match(value):
        raise _reverse(REVERSE_KINDS["ip_range"])
    if kind != "content_url" and _WILDCARD.search(value):
        raise RefusedError(
            "wildcard",
            "A target is one exact value; this one holds a wildcard.",
            why="A wildcard stands for people whom nobody has named.",
            do="Ask the authority to name each account.",
        )

"""Scope: named targets, each with categories, a window and a purpose. A partial order, nothing else.

Nothing here can express a set of people by a property. A scope without targets cannot be built.

Source: formats.md, "Scope".
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from dueprocess.demand.category import AUTHORISABLE, WITHOUT_WINDOW, Category, expand, ordered
from dueprocess.demand.period import Period
from dueprocess.demand.target import Target
from dueprocess.errors import MalformedError, RefusedError
from dueprocess.wire import Json, b64, canonical, is_version, sha256_hex, unb64

Purpose = Literal["identify"] | None
"""``identify``: the sole purpose is to identify someone (Regulation (EU) 2023/1543 Article 3(10))."""

MOST_TARGETS = 100
USUAL_TARGETS = 10
NONCE_BYTES = 32


@dataclass(frozen=True, slots=True)
class ScopeItem:
    """One target with what is asked (or permitted, or authorised) about it."""

    target: Target
    categories: frozenset[Category]
    period: Period
    purpose: Purpose = None

    def __post_init__(self) -> None:
        if not self.categories:
            raise MalformedError("no-categories", "A scope item names at least one data category.")
        if expand(self.categories) != self.categories:
            raise MalformedError(
                "not-a-leaf",
                "A scope item lists leaves of the tree of categories; a parent is expanded first.",
                why="The digest that people sign names each category, so none may hide behind its parent.",
            )
        if self.purpose not in (None, "identify"):
            raise MalformedError("bad-purpose", f"There is no purpose {str(self.purpose)[:40]!r}.")

    def within(self, other: "ScopeItem") -> bool:
        """Whether this item asks for nothing that the other does not."""
        return (
            self.target == other.target
            and self.purpose == other.purpose
            and self.categories <= other.categories
            and self.period.within(other.period)
        )

    def intersect(self, other: "ScopeItem") -> "ScopeItem | None":
        """What both items ask about the same target for the same purpose, or None."""
        period = self.period.intersect(other.period)
        categories = self.categories & other.categories
        if self.target != other.target or self.purpose != other.purpose or not categories or period is None:
            return None
        return ScopeItem(self.target, categories, period, self.purpose)

    def as_json(self) -> dict[str, Json]:
        return {
            "kind": self.target.kind,
            "value": self.target.value,
            "categories": list(ordered(self.categories)),
            "purpose": self.purpose,
            **self.period.as_json(),
        }


@dataclass(frozen=True, slots=True)
class Scope:
    """One to a hundred named targets. The nonce keeps its digest from being guessed after erasure."""

    nonce: bytes
    items: tuple[ScopeItem, ...]

    def __post_init__(self) -> None:
        if len(self.nonce) != NONCE_BYTES:
            raise MalformedError("bad-nonce", f"A scope has a nonce of {NONCE_BYTES} bytes.")
        if not self.items:
            raise RefusedError(
                "no-targets",
                "A scope names at least one target.",
                why="Without a named target a demand is a search across people, which has no form here.",
                do="Ask the authority to name the account, exactly.",
                source="architecture.md 1.1; formats.md, Scope",
            )
        if len(self.items) > MOST_TARGETS:
            raise RefusedError(
                "too-many-targets",
                f"A scope names at most {MOST_TARGETS} targets; this one names {len(self.items)}.",
                why="A longer list is bulk collection in small pieces.",
                do=f"Ask for the list to be split and justified; {USUAL_TARGETS} targets are usual.",
            )
        named = [item.target for item in self.items]
        if len(set(named)) != len(named):
            raise MalformedError("target-twice", "A scope names each target once.")

    def item(self, target: Target) -> ScopeItem | None:
        return next((item for item in self.items if item.target == target), None)

    def as_json(self) -> dict[str, Json]:
        return {"v": 1, "nonce": b64(self.nonce), "targets": [item.as_json() for item in self.items]}

    @property
    def sha256(self) -> str:
        """Hex digest of the canonical form, nonce included."""
        return sha256_hex(canonical(self.as_json()))

    def only(self, target: Target) -> "Scope":
        """The same scope reduced to one target, as a decision needs it."""
        return Scope(self.nonce, tuple(item for item in self.items if item.target == target))


@dataclass(frozen=True, slots=True)
class Cut:
    """What one scope has and another lacks, for one target. ``period`` is set when the window shrank."""

    target: Target
    categories: frozenset[Category]
    period: tuple[Period, Period] | None
    whole: bool


def is_subset(inner: Scope, outer: Scope) -> bool:
    """Whether ``inner`` asks for nothing that ``outer`` does not. Nonces are not compared."""
    return all(any(item.within(other) for other in outer.items) for item in inner.items)


def intersect(left: Scope, right: Scope) -> Scope | None:
    """What both scopes ask, under the left nonce, or None where nothing is common."""
    pairs = ((item, right.item(item.target)) for item in left.items)
    common = (mine.intersect(theirs) for mine, theirs in pairs if theirs is not None)
    items = tuple(item for item in common if item is not None)
    return Scope(left.nonce, items) if items else None


def diff(wide: Scope, narrow: Scope | None) -> tuple[Cut, ...]:
    """What was cut from ``wide`` to reach ``narrow``, target by target, in the order of ``wide``."""
    return tuple(
        cut for item in wide.items if (cut := _cut(item, narrow.item(item.target) if narrow else None))
    )


def _cut(item: ScopeItem, left: ScopeItem | None) -> Cut | None:
    if left is None:
        return Cut(item.target, item.categories, None, whole=True)
    gone = item.categories - left.categories
    moved = (item.period, left.period) if item.period != left.period else None
    return Cut(item.target, gone, moved, whole=False) if gone or moved else None


def check_authorisable(item: ScopeItem) -> None:
    """Refuses what nobody may authorise: secrets, and an open window on records of use.

    Source: formats.md, Scope; Regulation (EU) 2023/1543 Article 3(9) (passwords are no subscriber data).
    """
    if not item.categories <= AUTHORISABLE:
        raise RefusedError(
            "secrets",
            "Passwords, keys and tokens are never produced.",
            why="They open everything else, past and future, and no listed instrument reaches them here.",
            do="Cut `secrets` from the scope.",
            source="architecture.md 1.5; Regulation (EU) 2023/1543 Article 3(9)",
        )
    if not item.categories <= WITHOUT_WINDOW and not item.period.closed:
        raise RefusedError(
            "open-window",
            "An authorised scope for records of use needs both a start and an end.",
            why="Without an end the demand would reach the future, without a start the whole past.",
            do="Ask the authority for the window that its facts support, and narrow to it.",
        )


def parse_scope(value: Any) -> Scope:
    """A scope from JSON, strictly: unknown and missing keys, bad values and empty lists are errors.

    Raises ``MalformedError`` or, for what can be said but never asked, ``RefusedError``.
    """
    _keys(value, {"v", "nonce", "targets"}, "scope")
    if not is_version(value["v"]):
        raise MalformedError("version", "This scope is of a version that this program does not know.")
    if not isinstance(value["nonce"], str) or not isinstance(value["targets"], list):
        raise MalformedError("bad-scope", "A scope holds a nonce (text) and targets (list).")
    return Scope(unb64(value["nonce"], length=NONCE_BYTES), tuple(_item(each) for each in value["targets"]))


def _item(value: Any) -> ScopeItem:
    _keys(value, {"kind", "value", "categories", "from", "until", "purpose"}, "target")
    names = value["categories"]
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise MalformedError("bad-scope", "The categories of a target are a list of names.")
    texts = (
        value["kind"],
        value["value"],
        *(value[end] for end in ("from", "until") if value[end] is not None),
    )
    if not all(isinstance(text, str) for text in texts):
        raise MalformedError("bad-scope", "The kind, value and window of a target are texts.")
    period = Period.from_json(value["from"], value["until"])
    return ScopeItem(Target(value["kind"], value["value"]), expand(names), period, value["purpose"])


def _keys(value: object, wanted: set[str], what: str) -> None:
    if not isinstance(value, dict) or set(value) != wanted:
        found: Iterable[object] = value if isinstance(value, dict) else []
        odd = sorted(map(str, set(found) ^ wanted))
        raise MalformedError(
            "bad-scope", f"A {what} has exactly these keys: {sorted(wanted)}.", why=f"Check: {odd}"
        )

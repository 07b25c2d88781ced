"""Changes documents by their structure, because changing their bytes hardly ever leaves canonical JSON."""

import copy
import json
import random
from typing import Any

from dueprocess.errors import MalformedError
from dueprocess.wire import canonical, digest_of

DOCUMENTS = frozenset(
    {
        "leaf", "opening", "subject", "receipt", "promise", "frontier", "watched", "scope", "demand", "event",
        "decision", "signature", "register", "report", "audit-header", "audit-record", "audit-withheld",
    }
)  # fmt: skip
"""The targets that read JSON documents."""

_ODD: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 10, 2**53 - 1, 2**63, "", "0", "a" * 64, "A" * 44, "AAAA", "two", "\n", "\x00", "é",
    "\ud800", "2026-11-22T02:45:00Z", "2026-02-30", "9999999999", "x" * 70_000, [], {}, [None], [[]],
    {"": None}, {"v": 1},
)  # fmt: skip


def mutated(name: str, data: bytes, seed: int) -> bytes | None:
    """The document with one value changed, dropped, doubled or moved; None where it is no document."""
    if name not in DOCUMENTS:
        return None
    try:
        tree: Any = json.loads(data)
    except (ValueError, RecursionError):
        return None
    chance = random.Random(seed)  # noqa: S311  (a search, not a secret)
    for _ in range(chance.randint(1, 3)):
        tree = _changed(tree, chance)
    if name == "receipt" and isinstance(tree, dict) and chance.random() < 0.9:
        tree["sha256"] = _digest({key: value for key, value in tree.items() if key != "sha256"})
    try:
        return canonical(tree)
    except MalformedError:
        return None


def _digest(tree: Any) -> Any:
    try:
        return digest_of(tree)
    except MalformedError:
        return None


def _changed(tree: Any, chance: random.Random) -> Any:
    """The tree with one change somewhere below, or another value in its place."""
    if not isinstance(tree, dict | list) or not tree or chance.random() < 0.1:
        return _other(tree, chance)
    steps: list[Any] = list(tree) if isinstance(tree, dict) else list(range(len(tree)))
    step = chance.choice(steps)
    match chance.randrange(12):
        case 0:
            del tree[step]
        case 1 if isinstance(tree, list):
            tree.insert(step, copy.deepcopy(tree[step]))
        case 1 if isinstance(tree, dict):
            tree["more"] = copy.deepcopy(tree[step])
        case 2:
            tree[step] = copy.deepcopy(tree[chance.choice(steps)])
        case _:
            tree[step] = _changed(tree[step], chance)
    return tree


def _other(value: Any, chance: random.Random) -> Any:
    """One character or unit away, or something odd."""
    if isinstance(value, str) and value and chance.random() < 0.6:
        at = chance.randrange(len(value))
        return value[:at] + chance.choice('0159afAZ+/=- \n{}"é') + value[at + chance.randrange(2) :]
    if isinstance(value, int) and chance.random() < 0.6:
        return value + chance.choice((-1, 1, 256, -(2**31)))
    return copy.deepcopy(chance.choice(_ODD))

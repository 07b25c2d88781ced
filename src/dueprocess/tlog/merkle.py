"""Merkle trees of the public log: hashes, inclusion and consistency proofs, and a frontier to append to.

Proofs are made from a callable that knows the hashes of complete subtrees, so that they cost the same from
memory, from a database and from tiles.

Source: RFC 6962 section 2.1 (the same tree as RFC 9162 section 2.1), SHA-256.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import batched
from typing import NoReturn

from dueprocess.errors import MalformedError
from dueprocess.tlog import shape
from dueprocess.wire import b64, canonical, sha256

type ReadHash = Callable[[int, int], bytes]
"""``read_hash(level, index)``: hash of the complete subtree of 2**level leaves from leaf index * 2**level."""

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"")
MOST_LEAVES = 2**53 - 1
"""Sizes and indexes stay inside what every JSON reader holds exactly."""

_AT_ONCE = 4096

# Copying a hash that has read its first byte is faster than making one: OpenSSL looks the algorithm up only once.
_LEAF = hashlib.sha256(b"\x00")
_NODE = hashlib.sha256(b"\x01")


def leaf_hash(entry: bytes) -> bytes:
    """SHA-256(0x00 ‖ entry)."""
    return sha256(b"\x00" + entry)


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 ‖ left ‖ right)."""
    return sha256(b"\x01" + left + right)


def leaf_hashes(entries: Iterable[bytes]) -> list[bytes]:
    """``leaf_hash`` of each entry, for the millions that a log has."""
    found: list[bytes] = []
    for each in entries:
        state = _LEAF.copy()
        state.update(each)
        found.append(state.digest())
    return found


def parent_hashes(hashes: Sequence[bytes]) -> list[bytes]:
    """``node_hash`` of the first two hashes, of the next two, and so on; of an even number of hashes."""
    found: list[bytes] = []
    two = iter(hashes)
    for left, right in zip(two, two, strict=True):
        state = _NODE.copy()
        state.update(left)
        state.update(right)
        found.append(state.digest())
    return found


def subtree_hashes(hashes: Sequence[bytes]) -> tuple[Sequence[bytes], ...]:
    """The hashes themselves, then of the complete subtrees of two of them, of four, and so on, as far as it goes.

    ``subtree_hashes(h)[n][i]`` is the root over ``h[i * 2**n : (i + 1) * 2**n]``.
    """
    levels = [hashes]
    while len(hashes) > 1:
        hashes = parent_hashes(hashes[: len(hashes) & ~1])
        levels.append(hashes)
    return tuple(levels)


def root_of(leaf_hashes: Iterable[bytes]) -> bytes:
    """The root of the tree with these leaf hashes; of no leaves, SHA-256 of nothing."""
    return Frontier().extend(leaf_hashes).root


def range_root(start: int, end: int, read_hash: ReadHash) -> bytes:
    """MTH(D[start:end]) for a range that the tree itself cuts out: ``start`` aligned to its length.

    Each complete subtree inside is read once: at most one per binary digit of the length.
    """
    root = b""
    for level, index in reversed(complete_subtrees(start, end)):
        root = node_hash(read_hash(level, index), root) if root else read_hash(level, index)
    return root or EMPTY_ROOT


def complete_subtrees(start: int, end: int) -> list[tuple[int, int]]:
    """The (level, index) of the largest complete subtrees that cover [start, end), left to right."""
    found: list[tuple[int, int]] = []
    while start < end:
        level = (end - start).bit_length() - 1
        found.append((level, start >> level))
        start += 1 << level
    return found


def _split(size: int) -> int:
    """The largest power of two smaller than ``size``."""
    return 1 << (size - 1).bit_length() - 1


def inclusion_proof(index: int, size: int, read_hash: ReadHash) -> tuple[bytes, ...]:
    """PATH(index, D[size]): sibling hashes from the leaf's up to the root's child.

    Source: RFC 6962 section 2.1.1.
    """
    if not 0 <= index < size:
        raise MalformedError("outside-tree", f"There is no leaf {index} in a tree of {size} leaves.")
    ranges: list[tuple[int, int]] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    return tuple(range_root(*each, read_hash) for each in reversed(ranges))


def consistency_proof(old: int, new: int, read_hash: ReadHash) -> tuple[bytes, ...]:
    """PROOF(old, D[new]): that the first ``old`` leaves are the same in both trees.

    Source: RFC 6962 section 2.1.2.
    """
    if not 0 < old <= new:
        raise MalformedError("outside-tree", f"There is no consistency proof from {old} to {new} leaves.")
    ranges: list[tuple[int, int]] = []
    start, end = 0, new
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    if start:
        ranges.append((start, end))
    return tuple(range_root(*each, read_hash) for each in reversed(ranges))


def verify_inclusion(index: int, size: int, leaf: bytes, proof: Iterable[bytes], root: bytes) -> None:
    """Raises unless ``proof`` leads from this leaf hash at ``index`` to the root of ``size`` leaves.

    Source: RFC 9162 section 2.1.3.2.
    """
    if not 0 <= index < size:
        _wrong("inclusion", f"There is no leaf {index} in a tree of {size} leaves.")
    at, last, found = index, size - 1, leaf
    hashes = tuple(proof)
    _check_hashes(hashes, leaf, root)
    for each in hashes:
        if not last:
            _wrong("inclusion", "It has too many hashes.")
        if at & 1 or at == last:
            found = node_hash(each, found)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            found = node_hash(found, each)
        at, last = at >> 1, last >> 1
    if last or found != root:
        _wrong("inclusion", "It does not lead from the leaf to the root of the tree.")


def verify_consistency(
    old_size: int, new_size: int, old_root: bytes, new_root: bytes, proof: Iterable[bytes]
) -> None:
    """Raises unless ``proof`` shows that the older tree is a prefix of the newer one.

    From an empty tree nothing can be proven, so that is refused too, unless both are empty.

    Source: RFC 9162 section 2.1.4.2.
    """
    hashes = list(proof)
    same = old_size == new_size and old_root == new_root and not hashes
    if same and (old_size > 0 or (old_size == 0 and old_root == EMPTY_ROOT)):
        return
    _check_hashes(hashes, old_root, new_root)
    if not 0 < old_size < new_size:
        _wrong("consistency", f"Nothing can be shown from {old_size} to {new_size} leaves with it.")
    if not old_size & (old_size - 1):
        hashes.insert(0, old_root)
    if not hashes:
        _wrong("consistency", "It has no hashes.")
    at, last = old_size - 1, new_size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    if _climb_both(hashes, at, last) != (old_root, new_root):
        _wrong("consistency", "It does not lead to both roots.")


def _climb_both(hashes: list[bytes], at: int, last: int) -> tuple[bytes, bytes]:
    older = newer = hashes[0]
    for each in hashes[1:]:
        if not last:
            _wrong("consistency", "It has too many hashes.")
        if at & 1 or at == last:
            older, newer = node_hash(each, older), node_hash(each, newer)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            newer = node_hash(newer, each)
        at, last = at >> 1, last >> 1
    if last:
        _wrong("consistency", "It has too few hashes.")
    return older, newer


def _check_hashes(proof: Iterable[bytes], *others: bytes) -> None:
    if any(len(each) != HASH_BYTES for each in (*proof, *others)):
        raise MalformedError("bad-hash", "A hash of this proof does not have 32 bytes.")


def _wrong(kind: str, why: str) -> NoReturn:
    raise MalformedError(
        f"wrong-{kind}-proof",
        f"This {kind} proof is wrong.",
        why=why,
        source="RFC 9162 section 2.1.3.2 (inclusion), 2.1.4.2 (consistency)",
    )


@dataclass(frozen=True, slots=True)
class Frontier:
    """The right edge of a tree: enough to append to it and to know its root, at most 53 hashes.

    ``hashes`` holds the roots of the complete subtrees that make up ``size``, the largest (leftmost) first.
    """

    size: int = 0
    hashes: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.size <= MOST_LEAVES or len(self.hashes) != self.size.bit_count():
            raise MalformedError("bad-frontier", "A frontier has one hash per binary one of its size.")
        if any(len(each) != HASH_BYTES for each in self.hashes):
            raise MalformedError("bad-frontier", "A hash of this frontier does not have 32 bytes.")

    @property
    def root(self) -> bytes:
        root = b""
        for each in reversed(self.hashes):
            root = node_hash(each, root) if root else each
        return root or EMPTY_ROOT

    def append(self, leaf: bytes) -> "Frontier":
        return self.extend((leaf,))

    def extend(self, leaves: Iterable[bytes]) -> "Frontier":
        """The frontier after these leaf hashes: one node hash a leaf on average, whatever the size.

        Leaves are taken in batches, so that they may come from a log that does not fit into memory.
        """
        size, edge = self.size, list(self.hashes)
        for some in batched(leaves, _AT_ONCE):
            edge = _grown(edge, size, list(some))
            size += len(some)
        return Frontier(size, tuple(edge))

    def to_bytes(self) -> bytes:
        """Canonical JSON: ``{"hashes":["<b64>",…],"size":n,"v":1}``."""
        return canonical({"v": 1, "size": self.size, "hashes": [b64(each) for each in self.hashes]})


def _grown(edge: list[bytes], size: int, fresh: list[bytes]) -> list[bytes]:
    """The hashes of a frontier of ``size`` after ``fresh``. Both lists are used up.

    Level by level: where the tree has a subtree without a neighbour, it becomes the neighbour of the first
    fresh hash; what then has no neighbour on the right is part of the new edge; the rest goes up in pairs.
    """
    right: list[bytes] = []
    while fresh:
        if size & 1:
            fresh.insert(0, edge.pop())
        if len(fresh) & 1:
            right.append(fresh.pop())
        fresh, size = parent_hashes(fresh), size >> 1
    return [*edge, *reversed(right)]


def parse_frontier(data: bytes) -> Frontier:
    """Inverse of ``Frontier.to_bytes``. Raises ``MalformedError`` and nothing else."""
    found = shape.members(shape.parse_canonical(data, "frontier"), ("v", "size", "hashes"), "a frontier")
    shape.version(found["v"], "frontier")
    hashes = shape.items(found["hashes"], "the hashes of a frontier")
    return Frontier(
        shape.number(found["size"], "the size of a frontier", most=MOST_LEAVES),
        tuple(shape.b64_bytes(each, "a hash of a frontier") for each in hashes),
    )

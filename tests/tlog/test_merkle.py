"""Merkle trees against transparency-dev's probes, aics-tlog, and their own definition."""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import aics_tlog
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dueprocess.errors import MalformedError
from dueprocess.tlog import (
    EMPTY_ROOT,
    MOST_LEAVES,
    Frontier,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    parse_frontier,
    root_of,
    verify_consistency,
    verify_inclusion,
)
from dueprocess.tlog.merkle import complete_subtrees, leaf_hashes, parent_hashes, subtree_hashes
from dueprocess.wire import unb64

PROBES = Path(__file__).parent / "data" / "merkle-vectors" / "testdata"
LEAVES = tuple(leaf_hash(b"leaf %d" % number) for number in range(300))


def probes(kind: str) -> list[Any]:
    paths = sorted((PROBES / kind).rglob("*.json"))
    return [pytest.param(path, id=str(path.relative_to(PROBES).with_suffix(""))) for path in paths]


def hashes(value: Any) -> list[bytes]:
    return [unb64(each) for each in value or []]


def test_all_probes_are_there() -> None:
    """A checkout without the files must not pass."""
    assert (len(probes("inclusion")), len(probes("consistency"))) == (INCLUSION, CONSISTENCY)


INCLUSION, CONSISTENCY = 98, 98


@pytest.mark.parametrize("path", probes("inclusion"))
def test_inclusion_probe(path: Path) -> None:
    """Each proof is accepted or refused as the probe says."""
    probe = json.loads(path.read_text())
    proof, root = hashes(probe["proof"]), unb64(probe["root"] or "")
    leaf = unb64(probe["leafHash"] or "")
    if not probe["wantErr"]:
        verify_inclusion(probe["leafIdx"], probe["treeSize"], leaf, proof, root)
        return
    with pytest.raises(MalformedError):
        verify_inclusion(probe["leafIdx"], probe["treeSize"], leaf, proof, root)


@pytest.mark.parametrize("path", probes("consistency"))
def test_consistency_probe(path: Path) -> None:
    """Each proof is accepted or refused as the probe says."""
    probe = json.loads(path.read_text())
    old, new = unb64(probe["root1"] or ""), unb64(probe["root2"] or "")
    try:
        verify_consistency(probe["size1"], probe["size2"], old, new, hashes(probe["proof"]))
        refused = False
    except MalformedError:
        refused = True
    assert refused is probe["wantErr"]


def mth(leaves: Sequence[bytes]) -> bytes:
    """RFC 6962 section 2.1, word for word."""
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(mth(leaves[:split]), mth(leaves[split:]))


@cache
def read(level: int, index: int) -> bytes:
    return mth(LEAVES[index << level : (index + 1) << level])


@pytest.mark.parametrize("size", [*range(34), 255, 256, 257, 300])
def test_the_root_is_that_of_the_rfc(size: int) -> None:
    """The frontier's shortcut and the recursive definition agree."""
    assert root_of(LEAVES[:size]) == mth(LEAVES[:size])


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 9, 33, 64, 100])
def test_every_inclusion_proof_verifies_and_equals_the_oracles(size: int) -> None:
    """For all leaves of some trees, bit for bit the proof that aics-tlog makes."""
    tree = aics_tlog.MerkleTree([b"leaf %d" % number for number in range(size)])
    root = mth(LEAVES[:size])
    assert tree.root() == root
    for index in range(size):
        proof = inclusion_proof(index, size, read)
        assert list(proof) == tree.inclusion_proof(index)
        verify_inclusion(index, size, LEAVES[index], proof, root)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 9, 33, 64, 100])
def test_every_consistency_proof_verifies_and_equals_the_oracles(size: int) -> None:
    """For all older sizes of some trees, bit for bit the proof that aics-tlog makes."""
    tree = aics_tlog.MerkleTree([b"leaf %d" % number for number in range(size)])
    for old in range(1, size + 1):
        proof = consistency_proof(old, size, read)
        assert list(proof) == tree.consistency_proof(old, size)
        verify_consistency(old, size, mth(LEAVES[:old]), mth(LEAVES[:size]), proof)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_wrong_proof_never_passes(data: st.DataObject) -> None:
    """A changed hash, a missing or a further one, another index or root: all refused."""
    size = data.draw(st.integers(2, 100))
    index = data.draw(st.integers(0, size - 1))
    proof = list(inclusion_proof(index, size, read))
    at = data.draw(st.integers(0, len(proof) - 1))
    wrong = [
        (index, size, [*proof[:at], leaf_hash(b"no"), *proof[at + 1 :]], mth(LEAVES[:size])),
        (index, size, proof[:at] + proof[at + 1 :], mth(LEAVES[:size])),
        (index, size, [*proof, leaf_hash(b"no")], mth(LEAVES[:size])),
        (index, size, proof, leaf_hash(b"no")),
        (index ^ 1, size, proof, mth(LEAVES[:size])),
        (-1, size, proof, mth(LEAVES[:size])),
        (size, size, proof, mth(LEAVES[:size])),
        (index, size, [*proof[:at], b"short", *proof[at + 1 :]], mth(LEAVES[:size])),
    ]
    for each_index, each_size, each_proof, root in wrong:
        with pytest.raises(MalformedError):
            verify_inclusion(each_index, each_size, LEAVES[index], each_proof, root)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_rewritten_log_never_passes(data: st.DataObject) -> None:
    """No proof made from the new tree leads back to another old root, nor forward from a cut one."""
    size = data.draw(st.integers(2, 100))
    old = data.draw(st.integers(1, size - 1))
    proof = list(consistency_proof(old, size, read))
    old_root, new_root = mth(LEAVES[:old]), mth(LEAVES[:size])
    for older, newer, each in (
        (leaf_hash(b"no"), new_root, proof),
        (old_root, leaf_hash(b"no"), proof),
        (old_root, new_root, proof[:-1]),
        (old_root, new_root, [*proof, proof[-1]]),
        (old_root, new_root, [leaf_hash(b"no"), *proof[1:]]),
    ):
        with pytest.raises(MalformedError):
            verify_consistency(old, size, older, newer, each)


def test_the_empty_tree_proves_nothing() -> None:
    """Two empty trees are the same; from an empty tree to a full one there is no proof."""
    verify_consistency(0, 0, EMPTY_ROOT, EMPTY_ROOT, [])
    with pytest.raises(MalformedError):
        verify_consistency(0, 1, EMPTY_ROOT, LEAVES[0], [])
    with pytest.raises(MalformedError):
        verify_consistency(-1, -1, EMPTY_ROOT, EMPTY_ROOT, [])


@pytest.mark.parametrize(("old", "new"), [(0, 3), (4, 3), (-1, 3)])
def test_no_consistency_proof_is_made_outside_the_tree(old: int, new: int) -> None:
    """Asking for one is an error, not an empty proof."""
    with pytest.raises(MalformedError):
        consistency_proof(old, new, read)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (3, 3), (-1, 3)])
def test_no_inclusion_proof_is_made_outside_the_tree(index: int, size: int) -> None:
    """Asking for one is an error, not an empty proof."""
    with pytest.raises(MalformedError):
        inclusion_proof(index, size, read)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 150), st.integers(0, 150))
def test_appending_in_parts_is_appending_at_once(first: int, second: int) -> None:
    """A frontier kept between two appends, also through its bytes, leads to the same root."""
    half = parse_frontier(Frontier().extend(LEAVES[:first]).to_bytes())
    whole = half.extend(LEAVES[first : first + second])
    assert whole == Frontier().extend(LEAVES[: first + second])
    assert (whole.size, whole.root) == (first + second, mth(LEAVES[: first + second]))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 20_000), st.integers(0, 20_000))
def test_many_leaves_from_a_stream_are_appended_like_single_ones(first: int, second: int) -> None:
    """Over the borders of the batches, and without a list of all leaves: the same root as leaf by leaf."""
    frontier = Frontier().extend(MANY[:first]).extend(each for each in MANY[first : first + second])
    count = len(MANY[: first + second])
    assert frontier.size == count
    assert frontier.hashes == tuple(
        mth(MANY[index << level : (index + 1) << level]) for level, index in complete_subtrees(0, count)
    )


MANY = tuple(leaf_hash(b"%d" % number) for number in range(9_000))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=80), min_size=1, max_size=40))
def test_many_hashes_at_once_are_those_of_one_at_a_time(entries: list[bytes]) -> None:
    """Leaves, parents and all complete subtrees."""
    leaves = leaf_hashes(entries)
    assert leaves == [leaf_hash(each) for each in entries]
    even = leaves[: len(leaves) // 2 * 2]
    assert parent_hashes(even) == [node_hash(even[at], even[at + 1]) for at in range(0, len(even), 2)]
    for level, hashes in enumerate(subtree_hashes(leaves)):
        assert list(hashes) == [
            mth(leaves[at << level : (at + 1) << level]) for at in range(len(leaves) >> level)
        ]


def test_appending_one_leaf_to_a_large_tree_reads_nothing_of_it() -> None:
    """2^40 + 5 leaves are three hashes; one more is one merge."""
    large = Frontier(2**40 + 5, (LEAVES[0], LEAVES[1], LEAVES[2]))
    grown = large.append(LEAVES[3])
    assert grown.size == 2**40 + 6
    assert grown.hashes == (LEAVES[0], LEAVES[1], node_hash(LEAVES[2], LEAVES[3]))


@pytest.mark.parametrize(
    ("size", "kept"),
    [(1, ()), (2, (LEAVES[0], LEAVES[1])), (-1, ()), (1, (b"short",)), (MOST_LEAVES + 1, (LEAVES[0],))],
)
def test_a_frontier_that_cannot_be_is_refused(size: int, kept: tuple[bytes, ...]) -> None:
    """One hash of 32 bytes per binary one of the size, which fits in 53 bits."""
    with pytest.raises(MalformedError):
        Frontier(size, kept)


@settings(max_examples=100, deadline=None)
@given(st.binary())
def test_bytes_give_a_frontier_or_a_malformed_error(data: bytes) -> None:
    """The parser raises nothing else."""
    try:
        assert parse_frontier(data).to_bytes() == data
    except MalformedError:
        return

"""The private tree of an epoch."""

import datetime as dt
import hashlib
from collections.abc import Iterator
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dueprocess.errors import MalformedError
from dueprocess.tlog import (
    DEPTH,
    MOST_EPOCH,
    PLACES,
    EpochTree,
    epoch_at,
    epoch_path,
    epoch_root,
    epoch_seed,
    epoch_until,
    root_from_path,
    verify_path,
)
from dueprocess.tlog.epoch import rebuilt_roots

SEED = epoch_seed(bytes(32), 7)
COMMITMENT = hashlib.sha256(b"commitment").digest()
PLACED = st.dictionaries(
    st.integers(0, PLACES - 1), st.binary(min_size=32, max_size=32), min_size=1, max_size=12
)


@settings(max_examples=60, deadline=None)
@given(PLACED)
def test_every_record_leads_to_the_root(placed: dict[int, bytes]) -> None:
    """Whatever the places, each path has 16 hashes and ends at the one root."""
    tree = EpochTree(SEED, 7, placed)
    for place, each in placed.items():
        assert len(tree.path(place)) == DEPTH
        verify_path(tree.root, 7, place, each, tree.path(place))
    assert epoch_root(SEED, 7, placed) == tree.root


@settings(max_examples=60, deadline=None)
@given(PLACED, st.integers(0, DEPTH - 1), st.integers(0, 255))
def test_another_record_place_epoch_or_hash_leads_elsewhere(
    placed: dict[int, bytes], up: int, at: int
) -> None:
    """Any one change breaks the path."""
    tree = EpochTree(SEED, 7, placed)
    place, each = next(iter(placed.items()))
    path = list(tree.path(place))
    flipped = bytearray(path[up])
    flipped[at % 32] ^= 1 << at % 8
    changed = [*path[:up], bytes(flipped), *path[up + 1 :]]
    for epoch, where, what, hashes in (
        (8, place, each, path),
        (7, place ^ 1 << up, each, path),
        (7, place, hashlib.sha256(each).digest(), path),
        (7, place, each, changed),
    ):
        with pytest.raises(MalformedError):
            verify_path(tree.root, epoch, where, what, hashes)


@settings(max_examples=40, deadline=None)
@given(PLACED)
def test_nothing_can_hide_in_an_epoch(placed: dict[int, bytes]) -> None:
    """A record more, a record less or a record moved gives another root to whoever has the seed."""
    root = epoch_root(SEED, 7, placed)
    place = next(iter(placed))
    free = next(each for each in range(PLACES) if each not in placed)
    less = {each: what for each, what in placed.items() if each != place}
    assert root not in {
        epoch_root(SEED, 7, less),
        epoch_root(SEED, 7, {**placed, free: COMMITMENT}),
        epoch_root(SEED, 7, {**less, free: placed[place]}),
    }


def test_an_empty_epoch_costs_one_hmac() -> None:
    """Its root is the padding of the whole tree, and differs for each seed."""
    tree = EpochTree(SEED, 7, {})
    assert tree.root == epoch_root(SEED, 7, {}) != epoch_root(epoch_seed(bytes(32), 8), 8, {})
    assert len(tree.root) == 32


@settings(max_examples=30, deadline=None)
@given(st.lists(st.one_of(st.just({}), PLACED), max_size=5))
def test_roots_are_rebuilt_in_order_each_from_its_own_seed(placed: list[dict[int, bytes]]) -> None:
    """Busy and empty epochs: the same roots as one by one, from the master or from single seeds."""
    epochs = list(enumerate(placed, start=7))
    found = list(rebuilt_roots(partial(epoch_seed, MASTER), epochs))
    seeds = {epoch: epoch_seed(MASTER, epoch) for epoch, _ in epochs}
    assert found == list(rebuilt_roots(seeds.__getitem__, epochs))
    assert found == [(epoch, EpochTree(seeds[epoch], epoch, each).root) for epoch, each in epochs]


def test_roots_are_rebuilt_one_at_a_time() -> None:
    """A year is never held in memory: nothing is taken before it is asked for."""
    taken: list[int] = []

    def epochs() -> Iterator[tuple[int, dict[int, bytes]]]:
        for epoch in range(3):
            taken.append(epoch)
            yield epoch, {}

    roots = rebuilt_roots(partial(epoch_seed, MASTER), epochs())
    assert taken == []
    next(roots)
    assert taken == [0]


MASTER = bytes(range(32))


@pytest.mark.parametrize("placed", [{}, {0: COMMITMENT}])
def test_a_root_is_only_made_from_a_whole_seed_for_an_epoch_that_can_be(placed: dict[int, bytes]) -> None:
    """An empty epoch is checked like a busy one."""
    with pytest.raises(MalformedError):
        epoch_root(SEED[:31], 7, placed)
    with pytest.raises(MalformedError):
        epoch_root(SEED, MOST_EPOCH + 1, placed)


def test_ten_thousand_records_fit_and_prove() -> None:
    """A very busy epoch still works."""
    placed = {number * 6: hashlib.sha256(b"%d" % number).digest() for number in range(10_000)}
    tree = EpochTree(SEED, 7, placed)
    verify_path(tree.root, 7, 600, placed[600], tree.path(600))


def test_the_first_bit_of_a_place_decides_at_the_root() -> None:
    """Place 0 and place 32,768 meet only at the top: their last path hashes are each other's subtrees."""
    placed = {0: COMMITMENT, PLACES // 2: COMMITMENT}
    left, right = epoch_path(SEED, 7, placed, 0), epoch_path(SEED, 7, placed, PLACES // 2)
    only = epoch_path(SEED, 7, {0: COMMITMENT}, 0)
    assert left[:-1] == only[:-1]
    assert left[-1] != only[-1]
    assert right[-1] not in left


def test_an_empty_place_has_no_path() -> None:
    """Absence is shown by rebuilding, never by a path."""
    with pytest.raises(MalformedError):
        epoch_path(SEED, 7, {1: COMMITMENT}, 2)


@pytest.mark.parametrize("place", [-1, PLACES])
def test_a_place_outside_the_tree_is_refused(place: int) -> None:
    """There are 65,536 places."""
    with pytest.raises(MalformedError):
        epoch_root(SEED, 7, {place: COMMITMENT})


@pytest.mark.parametrize("epoch", [-1, MOST_EPOCH + 1])
def test_an_epoch_outside_ten_digits_is_refused(epoch: int) -> None:
    """The public leaf could not name it."""
    with pytest.raises(MalformedError):
        epoch_seed(bytes(32), epoch)


@pytest.mark.parametrize("wrong", [b"", bytes(31), bytes(33)])
def test_secrets_and_hashes_have_32_bytes(wrong: bytes) -> None:
    """Master, seed, commitment and path hashes alike."""
    with pytest.raises(MalformedError):
        epoch_seed(wrong, 7)
    with pytest.raises(MalformedError):
        EpochTree(wrong, 7, {})
    with pytest.raises(MalformedError):
        EpochTree(SEED, 7, {0: wrong})
    with pytest.raises(MalformedError):
        root_from_path(7, 0, COMMITMENT, [wrong] * DEPTH)
    with pytest.raises(MalformedError):
        root_from_path(7, 0, COMMITMENT, [COMMITMENT] * (DEPTH - 1))


def test_epochs_are_counted_from_1970_in_utc() -> None:
    """An instant belongs to the epoch that ends after it; the end belongs to the next."""
    moment = dt.datetime(2026, 11, 22, 2, 44, 59, tzinfo=dt.UTC)
    assert epoch_at(moment) == 5_984_384
    assert epoch_until(5_984_384) == dt.datetime(2026, 11, 22, 2, 45, tzinfo=dt.UTC)
    assert epoch_at(epoch_until(5_984_384)) == 5_984_385
    assert epoch_at(moment.astimezone(dt.timezone(dt.timedelta(hours=5)))) == 5_984_384


def test_a_time_without_zone_or_a_far_epoch_is_refused() -> None:
    """Neither can be placed."""
    with pytest.raises(MalformedError):
        epoch_at(dt.datetime(2026, 11, 22))  # noqa: DTZ001  (naive on purpose)
    with pytest.raises(MalformedError):
        epoch_until(MOST_EPOCH)

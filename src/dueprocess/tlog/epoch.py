"""The private tree of one epoch: 65,536 places, the unused ones filled with noise from the epoch's seed.

An empty epoch, a busy one and the neighbours in a path all look random. Whoever has the seed and the
commitments can rebuild the root and so see that nothing else is in it.

Source: formats.md, "Ledger and public log"; specs/tlog/README.md, "Epoch tree".
"""

import datetime as dt
import hmac
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from dueprocess.errors import MalformedError
from dueprocess.wire import sha256

DEPTH = 16
PLACES = 1 << DEPTH
MOST_EPOCH = 9_999_999_999
EPOCH_SECONDS = 300

_BYTES = 32


def epoch_at(moment: dt.datetime, *, seconds: int = EPOCH_SECONDS) -> int:
    """The number of the epoch that this instant falls in: whole ``seconds`` since 1970, UTC."""
    if moment.tzinfo is None:
        raise MalformedError("naive-time", "A time without its zone is in no epoch.")
    return int((moment - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(seconds=seconds))


def epoch_until(epoch: int, *, seconds: int = EPOCH_SECONDS) -> dt.datetime:
    """The instant at which an epoch ends (exclusive)."""
    _check_epoch(epoch)
    try:
        return dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=(epoch + 1) * seconds)
    except OverflowError as error:
        raise MalformedError("bad-epoch", "This epoch ends after the year 9999.") from error


def epoch_seed(master: bytes, epoch: int) -> bytes:
    """The seed of one epoch, 32 bytes: HMAC-SHA256 of the epoch's number under the log's master secret."""
    _check_bytes(master, "master secret")
    _check_epoch(epoch)
    return hmac.digest(master, b"dueprocess/epoch/v1\n" + epoch.to_bytes(8, "big"), "sha256")


class EpochTree:
    """One epoch with its records placed: gives its root, and the path of each record."""

    __slots__ = ("_levels", "_seed")

    def __init__(self, seed: bytes, epoch: int, placed: Mapping[int, bytes]) -> None:
        """``placed`` maps a place (0 to 65,535) to the 32-byte commitment of the record there."""
        _check_bytes(seed, "seed of an epoch")
        _check_epoch(epoch)
        self._seed = seed
        nodes = {place: _leaf(epoch, place, each) for place, each in placed.items()}
        self._levels = [nodes]
        for depth in range(DEPTH, 0, -1):
            nodes = self._above(depth, nodes)
            self._levels.append(nodes)

    def _above(self, depth: int, nodes: Mapping[int, bytes]) -> dict[int, bytes]:
        above: dict[int, bytes] = {}
        for position in {each & ~1 for each in nodes}:
            left, right = nodes.get(position), nodes.get(position | 1)
            above[position >> 1] = _node(
                left or _dummy(self._seed, depth, position), right or _dummy(self._seed, depth, position | 1)
            )
        return above

    @property
    def root(self) -> bytes:
        """32 bytes; of an empty epoch, one HMAC of the seed."""
        return self._levels[DEPTH].get(0) or _dummy(self._seed, 0, 0)

    def path(self, place: int) -> tuple[bytes, ...]:
        """The 16 sibling hashes of a placed record, from the leaf's up to the root's child."""
        if place not in self._levels[0]:
            raise MalformedError("empty-place", f"No record stands at place {place} of this epoch.")
        return tuple(self._sibling(DEPTH - up, place >> up ^ 1) for up in range(DEPTH))

    def _sibling(self, depth: int, position: int) -> bytes:
        return self._levels[DEPTH - depth].get(position) or _dummy(self._seed, depth, position)


def epoch_root(seed: bytes, epoch: int, placed: Mapping[int, bytes]) -> bytes:
    """The root of an epoch with these commitments at these places, 32 bytes."""
    if placed:
        return EpochTree(seed, epoch, placed).root
    _check_bytes(seed, "seed of an epoch")
    _check_epoch(epoch)
    return _dummy(seed, 0, 0)


def rebuilt_roots(
    seed_of: Callable[[int], bytes], epochs: Iterable[tuple[int, Mapping[int, bytes]]]
) -> Iterator[tuple[int, bytes]]:
    """(epoch, root) of each epoch with what is placed in it, in the order given, one at a time.

    What the gate, fsck and an auditor compare with the public leaves. ``seed_of`` gives the seed of an epoch:
    ``partial(epoch_seed, master)`` for the operator, the disclosed seeds for an auditor. An empty epoch, the
    usual case, costs one HMAC beside its seed.
    """
    return ((epoch, epoch_root(seed_of(epoch), epoch, placed)) for epoch, placed in epochs)


def epoch_path(seed: bytes, epoch: int, placed: Mapping[int, bytes], place: int) -> tuple[bytes, ...]:
    """The 16 hashes of the record at ``place``. For several records of an epoch, keep an ``EpochTree``."""
    return EpochTree(seed, epoch, placed).path(place)


def root_from_path(epoch: int, place: int, commitment: bytes, path: Sequence[bytes]) -> bytes:
    """The root to which a commitment at a place leads over 16 hashes."""
    _check_epoch(epoch)
    if len(path) != DEPTH:
        raise MalformedError("bad-path", f"A path in an epoch has {DEPTH} hashes, not {len(path)}.")
    found = _leaf(epoch, place, commitment)
    for up, each in enumerate(path):
        _check_bytes(each, "hash of a path")
        found = _node(each, found) if place >> up & 1 else _node(found, each)
    return found


def verify_path(root: bytes, epoch: int, place: int, commitment: bytes, path: Sequence[bytes]) -> None:
    """Raises ``MalformedError`` unless the path leads from the commitment to the root."""
    if root_from_path(epoch, place, commitment, path) != root:
        raise MalformedError(
            "wrong-path",
            f"The path does not lead from place {place} to the root of epoch {epoch}.",
            why="The record, its place, its epoch or the path was changed.",
            source="specs/tlog, Epoch tree",
        )


def _leaf(epoch: int, place: int, commitment: bytes) -> bytes:
    if not 0 <= place < PLACES:
        raise MalformedError("bad-place", f"The places of an epoch are 0 to {PLACES - 1}.")
    _check_bytes(commitment, "commitment")
    return sha256(b"\x02" + epoch.to_bytes(8, "big") + place.to_bytes(4, "big") + commitment)


def _node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x03" + left + right)


def _dummy(seed: bytes, depth: int, position: int) -> bytes:
    message = b"dueprocess/dummy/v1\n" + bytes([depth]) + position.to_bytes(4, "big")
    return hmac.digest(seed, message, "sha256")


def _check_epoch(epoch: int) -> None:
    if not 0 <= epoch <= MOST_EPOCH:
        raise MalformedError("bad-epoch", "The number of an epoch has at most ten digits.")


def _check_bytes(value: bytes, what: str) -> None:
    if len(value) != _BYTES:
        raise MalformedError("wrong-length", f"A {what} has {_BYTES} bytes, not {len(value)}.")

"""Closing epochs and publishing the log: compare-and-swap head, tiles, witnesses, checkpoint, in this order.

Every epoch gets its leaf, empty or not, so that the log's pace says nothing about demands. A crash in between is
repaired by the same calls at the next start.

Source: security.md 5.2 and 5.3 as changed by formats.md; C2SP tlog-tiles, tlog-checkpoint, tlog-witness.
"""

import datetime as dt
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from dueprocess.errors import BrokenError, MalformedError, UnavailableError
from dueprocess.history import ledger
from dueprocess.history.connection import append_lock
from dueprocess.publication.collecting import Collector, Outside, Silence
from dueprocess.publication.durable import clear_unfinished, exclusively, read_published, write_durable
from dueprocess.publication.signer import LogSigner
from dueprocess.publication.standing import refuse_published, signing_time
from dueprocess.tlog.checkpoint import Checkpoint, open_checkpoint
from dueprocess.tlog.epoch import PLACES, epoch_at, epoch_root, epoch_seed
from dueprocess.tlog.growing import growth
from dueprocess.tlog.leaf import EpochLeaf, GapLeaf, Leaf, RegisterLeaf, ReportLeaf, encode_leaf, parse_leaf
from dueprocess.tlog.merkle import Frontier, leaf_hash
from dueprocess.tlog.policy import Policy
from dueprocess.tlog.tiles import CHECKPOINT_PATH
from dueprocess.wire import instant

ALONE = Outside()


def never(_: dt.datetime) -> bool:
    """Nobody decided to go on without witnesses."""
    return False


def at_once() -> None:
    """What is ready is shown without a pause."""


@dataclass(frozen=True, slots=True)
class Published:
    """How far the world can see, and how far the database is."""

    size: int
    """Leaves of the published checkpoint; 0 before the first."""
    head_size: int
    witnessed: bool
    """Whether the published checkpoint carries a quorum of witnesses. False where the policy asks for none."""
    silent: tuple[Silence, ...] = ()

    @property
    def missing(self) -> tuple[str, ...]:
        """Names of the witnesses that did not answer or did not sign."""
        return tuple(each.name for each in self.silent)


class Log:
    """One log: its tables, its folder of tiles, its signer, its witnesses."""

    def __init__(
        self,
        folder: Path,
        signer: LogSigner,
        master: bytes,
        *,
        epoch_seconds: int,
        policy: Policy,
        waived: Callable[[dt.datetime], bool] = never,
        outside: Outside = ALONE,
    ) -> None:
        self._folder = folder
        self._signer = signer
        self._master = master
        self._seconds = epoch_seconds
        self._waived = waived
        self._collector = Collector(policy, outside)
        self._frontier = Frontier()
        self._tiled = Frontier()
        self.rest: Callable[[], None] = at_once
        """Called before the first file of a growth and before its checkpoint is written. The work up to there takes
        longer the more records an epoch holds; the worker waits here for a fixed moment, so that it does not show."""
        self.published: Published | None = None
        """What the last ``publish`` of this object found or made."""

    @property
    def policy(self) -> Policy:
        """The policy in force when this object was made."""
        return self._collector.policy

    def close_due(self, now: dt.datetime) -> int:
        """Closes the epoch that has just ended, unless it is closed, publishes, and returns how many it closed.

        Epochs that were missed before it get one ``gap`` leaf. Can be run again.
        """
        number = epoch_at(now, seconds=self._seconds) - 1
        last = ledger.newest_epoch()
        due = last is None or last < number
        if due:
            self._refuse_to_sign(now)
        else:
            # A clock that was set back is said at once, not waited out.
            signing_time(ledger.newest_head(), self._signer, now)
        closed = self._close(number, now) if due else 0
        self.publish(now)
        return closed

    def _refuse_to_sign(self, now: dt.datetime) -> None:
        """Raises where the published log or a witness goes further than the database, or differs; or the clock does."""
        refuse_published(self._published_checkpoint())
        self._collector.look(self._signer.origin, now)
        if self._collector.in_doubt:
            self.publish(now)  # asks for the witnesses' time again

    def _close(self, number: int, now: dt.datetime) -> int:
        with append_lock():
            last = ledger.newest_epoch()
            if last is not None and last >= number:
                return 0
            frontier, at = self._caught_up(now)
            if last is not None and last + 1 < number:
                frontier, entry, head = self._grown(frontier, GapLeaf(last + 1, number - 1), at)
                ledger.add_leaf(head.size - 1, entry, head)
            records = ledger.waiting(PLACES)
            places = dict(zip((r.ledger_seq for r in records), _free_places(len(records)), strict=True))
            placed = {places[r.ledger_seq]: r.sealed for r in records}
            root = epoch_root(epoch_seed(self._master, number), number, placed)
            _, entry, head = self._grown(frontier, EpochLeaf(number, root, at), at)
            closed = ledger.ClosedEpoch(number, root.hex(), len(records), instant(at), head.size - 1)
            ledger.close_epoch(closed, places, entry, head)
        return 1

    def add(self, leaf: Leaf, now: dt.datetime) -> int:
        """Appends a rare leaf (policy, register, report) and publishes. Returns its index."""
        self._refuse_to_sign(now)
        with append_lock():
            frontier, at = self._caught_up(now)
            _, entry, head = self._grown(frontier, leaf, at)
            ledger.add_leaf(head.size - 1, entry, head)
        self.publish(now)
        return head.size - 1

    def find(self, kind: type[RegisterLeaf | ReportLeaf], period: str) -> tuple[int, Leaf] | None:
        """The first register or report that the log names for a half-year, with the index of its leaf."""
        head = ledger.newest_head()
        for index, entry in enumerate(ledger.stream_entries(0, head.size if head else 0)):
            leaf = parse_leaf(entry.encode())
            if isinstance(leaf, kind) and leaf.period == period:
                return index, leaf
        return None

    def _caught_up(self, now: dt.datetime) -> tuple[Frontier, dt.datetime]:
        """The tree of all stored leaves, and when to say that it grows. Refuses leaves that were not signed."""
        stored = ledger.newest_head()
        size = stored.size if stored else 0
        self._frontier = _extended(self._frontier, size)
        if stored is not None and self._frontier.root.hex() != stored.root:
            self._frontier = Frontier()
            raise _altered()
        return self._frontier, signing_time(stored, self._signer, now)

    def _grown(self, frontier: Frontier, leaf: Leaf, at: dt.datetime) -> tuple[Frontier, str, ledger.Head]:
        """The tree with one more leaf, the leaf's bytes and the signed head; nothing of it is stored yet."""
        entry = encode_leaf(leaf)
        grown = frontier.append(leaf_hash(entry))
        signed = self._signer.sign(Checkpoint(self._signer.origin, grown.size, grown.root), at)
        return grown, entry.decode(), ledger.Head(grown.size, grown.root.hex(), signed)

    def publish(self, now: dt.datetime) -> Published:
        """Writes tiles, collects witnesses, publishes the checkpoint of the newest head, from wherever things stand.

        One publisher at a time: without the lock a slower one could put an older checkpoint over a newer one. A
        head that does not meet the policy's quorum is not published: the older checkpoint stays.
        """
        with exclusively(self._folder):
            if self.published is None:
                clear_unfinished(self._folder)
            self.published = self._publish(now)
        return self.published

    def _publish(self, now: dt.datetime) -> Published:
        checkpoint = self._published_checkpoint()
        head = ledger.newest_head()
        if head is None:
            return Published(0, 0, witnessed=False)
        refuse_published(checkpoint)
        self._write_tiles(head, checkpoint.size if checkpoint else 0, now)
        data = self._read_checkpoint()
        if checkpoint is None or checkpoint.size < head.size or not self._is_enough(data):
            data = self._renew(data, head, now)
        return self._state(data, head)

    def _renew(self, old: bytes, head: ledger.Head, now: dt.datetime) -> bytes:
        """Collects cosignatures and publishes, if they suffice or somebody may go without. Gives what is published."""
        kept = ledger.cosigned_at(head.size)
        note = kept.encode() if kept else b""
        if not self._is_enough(note):
            note = self._collector.collect(self._start(old, head), self.read, now)
            if self._is_witnessed(note):
                ledger.keep_cosigned(head.size, note.decode())
        if note != old and (self._is_enough(note) or self._waived(now)):
            self.rest()
            write_durable(self._folder / CHECKPOINT_PATH, note, at=now)
            return note
        return old

    def _start(self, old: bytes, head: ledger.Head) -> bytes:
        """The note to collect for: the published one where it is of this head, so that its cosignatures stay."""
        return old if old.startswith(head.checkpoint.encode()) else head.checkpoint.encode()

    def _is_enough(self, note: bytes) -> bool:
        """Whether the policy accepts this note."""
        try:
            open_checkpoint(note, self.policy)
        except MalformedError:
            return False
        return True

    def _is_witnessed(self, note: bytes) -> bool:
        return self._is_enough(note) and open_checkpoint(note, self.policy).witnessed

    def _state(self, data: bytes, head: ledger.Head) -> Published:
        size = open_checkpoint(data, self.policy.unwitnessed).checkpoint.size if data else 0
        silent = tuple(self._collector.silent[name] for name in sorted(self._collector.silent))
        return Published(size, head.size, self._is_witnessed(data), silent)

    def _write_tiles(self, head: ledger.Head, published: int, now: dt.datetime) -> None:
        """Every file that the newest head needs and that neither this object nor a published head has yet."""
        if self._tiled.size > head.size:
            self._tiled = Frontier()
        if self._tiled.size < published:
            self._tiled = _extended(self._tiled, published)
        if self._tiled.size == head.size:
            return
        fresh = [entry.encode() for entry in ledger.stream_entries(self._tiled.size, head.size)]
        grown = growth(self._tiled, fresh, self.read)
        if grown.frontier.root.hex() != head.root:
            raise _altered()
        self.rest()
        for path, data in grown.files:
            write_durable(self._folder / path, data, at=now)
        self._tiled = grown.frontier

    def _read_checkpoint(self) -> bytes:
        return read_published(self._folder / CHECKPOINT_PATH)

    def _published_checkpoint(self) -> Checkpoint | None:
        """The published head, signed by this log; None before the first. Refuses one that others signed."""
        data = self._read_checkpoint()
        return open_checkpoint(data, self.policy.unwitnessed).checkpoint if data else None

    def read(self, path: str) -> bytes:
        """A file of the public log. Raises ``UnavailableError`` where it is missing."""
        return read_log_file(self._folder, path)


def _extended(frontier: Frontier, size: int) -> Frontier:
    """The tree of the first ``size`` stored leaves, grown from a smaller one or, after a set-back, from nothing."""
    begun = frontier if frontier.size <= size else Frontier()
    return begun.extend(leaf_hash(each.encode()) for each in ledger.stream_entries(begun.size, size))


def _altered() -> BrokenError:
    return BrokenError(
        "log-altered",
        "The leaves in the database do not give the root that was signed.",
        do="Stop. Run dueprocess fsck and restore from a copy that agrees with the public log.",
    )


def read_log_file(folder: Path, path: str) -> bytes:
    """One file of a log folder by its C2SP path."""
    try:
        return (folder / path).read_bytes()
    except OSError as error:
        raise UnavailableError(
            "tile-missing",
            f"The log's file {path} cannot be read.",
            why=error.strerror or "",
            do="Fetch the log again.",
        ) from error


def _free_places(count: int) -> Iterable[int]:
    """``count`` different random places of an epoch tree: a place says nothing about order or number."""
    return secrets.SystemRandom().sample(range(PLACES), count)

"""Closing epochs and publishing the log: compare-and-swap head, tiles, checkpoint.

Every epoch gets its leaf, empty or not, so that the log's pace says nothing about demands.

Source: security.md 5.2 and 5.3 as changed by formats.md; C2SP tlog-tiles, tlog-checkpoint.
"""

import datetime as dt
import secrets
from collections.abc import Iterable
from pathlib import Path

from dueprocess.errors import BrokenError, UnavailableError
from dueprocess.history import ledger
from dueprocess.history.connection import append_lock
from dueprocess.publication.durable import exclusively, write_durable
from dueprocess.publication.signer import LogSigner
from dueprocess.tlog.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint
from dueprocess.tlog.epoch import PLACES, epoch_at, epoch_root, epoch_seed, epoch_until
from dueprocess.tlog.leaf import EpochLeaf, Leaf, RegisterLeaf, ReportLeaf, encode_leaf, parse_leaf
from dueprocess.tlog.merkle import Frontier, leaf_hash
from dueprocess.tlog.note import parse_note
from dueprocess.tlog.policy import format_policy, parse_policy
from dueprocess.tlog.tiles import tiles_for_growth
from dueprocess.wire import instant


class Log:
    """One log: its tables, its folder of tiles, its signer."""

    def __init__(self, folder: Path, signer: LogSigner, master: bytes, *, epoch_seconds: int) -> None:
        self._folder = folder
        self._signer = signer
        self._master = master
        self._seconds = epoch_seconds
        self._frontier = Frontier()

    def close_due(self, now: dt.datetime) -> int:
        """Closes every epoch that has ended, publishes, and returns how many were closed. Can be run again."""
        closed = 0
        current = epoch_at(now, seconds=self._seconds)
        while True:
            last = ledger.last_epoch()
            number = last.epoch + 1 if last else self._first_epoch(current)
            if number >= current:
                break
            self._close(number, now)
            closed += 1
        self.publish()
        return closed

    def _first_epoch(self, current: int) -> int:
        """The epoch before this one: a log begins with what was recorded before its first leaf."""
        return current - 1

    def _close(self, number: int, now: dt.datetime) -> None:
        now = now.replace(microsecond=0)
        with append_lock():
            last = ledger.last_epoch()
            if last is not None and last.epoch >= number:
                return
            records = ledger.waiting(instant(epoch_until(number, seconds=self._seconds)))
            places = dict(zip((r.ledger_seq for r in records), _free_places(len(records)), strict=True))
            placed = {places[r.ledger_seq]: r.sealed for r in records}
            root = epoch_root(epoch_seed(self._master, number), number, placed)
            entry = encode_leaf(EpochLeaf(number, root, now)).decode()
            head = self._next_head(entry)
            closed = ledger.ClosedEpoch(number, root.hex(), len(records), instant(now), head.size - 1)
            ledger.close_epoch(closed, places, entry, head)

    def add(self, leaf: Leaf) -> int:
        """Appends a rare leaf (policy, register, report) and publishes. Returns its index."""
        entry = encode_leaf(leaf).decode()
        with append_lock():
            head = self._next_head(entry)
            ledger.add_leaf(head.size - 1, entry, head)
        self.publish()
        return head.size - 1

    def find(self, kind: type[RegisterLeaf | ReportLeaf], period: str) -> tuple[int, Leaf] | None:
        """The first register or report that the log names for a half-year, with the index of its leaf."""
        head = ledger.head()
        for index, entry in enumerate(ledger.entries(0, head.size if head else 0)):
            leaf = parse_leaf(entry.encode())
            if isinstance(leaf, kind) and leaf.period == period:
                return index, leaf
        return None

    def _next_head(self, entry: str) -> ledger.Head:
        stored = ledger.head()
        size = stored.size if stored else 0
        if size < self._frontier.size:
            self._frontier = Frontier()
        missing = ledger.entries(self._frontier.size, size)
        self._frontier = self._frontier.extend(leaf_hash(each.encode()) for each in missing)
        if stored is not None and self._frontier.root.hex() != stored.root:
            raise BrokenError(
                "log-altered",
                "The leaves in the database do not give the root that was signed.",
                do="Stop. Run dueprocess fsck and restore from a copy that agrees with the public log.",
            )
        grown = self._frontier.append(leaf_hash(entry.encode()))
        checkpoint = Checkpoint(self._signer.vkey.name, grown.size, grown.root)
        return ledger.Head(grown.size, grown.root.hex(), self._signer.sign(checkpoint))

    def publish(self) -> None:
        """Writes the tiles and the checkpoint of the newest head, from wherever the folder stands.

        One publisher at a time: without the lock a slower one could put an older checkpoint over a newer one.
        """
        with exclusively(self._folder):
            self._publish()

    def _publish(self) -> None:
        head = ledger.head()
        if head is None:
            return
        published = self._published()
        if published is not None and published.size > head.size:
            raise BrokenError(
                "log-ahead",
                f"The published log has {published.size} leaves, the database only {head.size}.",
                why="The database was set back to an older state.",
                do="Do not sign. Restore the newer database; the public log cannot be taken back.",
                source="security.md 5.3",
            )
        size = published.size if published else 0
        if size < head.size:
            self._write_tiles(size, head, published)
        if published is None or size < head.size:
            write_durable(self._folder / "checkpoint", head.checkpoint.encode())

    def _write_tiles(self, size: int, head: ledger.Head, published: Checkpoint | None) -> None:
        frontier = Frontier().extend(leaf_hash(e.encode()) for e in ledger.entries(0, size))
        if published is not None and frontier.root != published.root:
            raise BrokenError(
                "log-forked",
                "The published log and the database disagree about the past.",
                do="Stop. Run dueprocess fsck; compare with the copies that others keep.",
            )
        fresh = [entry.encode() for entry in ledger.entries(size, head.size)]
        for path, data in tiles_for_growth(frontier, fresh, self.read):
            write_durable(self._folder / path, data)

    def _published(self) -> Checkpoint | None:
        try:
            data = (self._folder / "checkpoint").read_bytes()
        except FileNotFoundError:
            return None
        open_checkpoint(data, parse_policy(format_policy(self._signer.vkey)))
        return parse_checkpoint(parse_note(data).text)

    def read(self, path: str) -> bytes:
        """A file of the public log. Raises ``UnavailableError`` where it is missing."""
        return read_log_file(self._folder, path)


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

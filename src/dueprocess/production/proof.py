"""What the production worker proves from the public log by itself, before it believes anything else.

It opens the checkpoint with its own pinned policy, refuses a log that ran back or forked since it last looked,
rebuilds every epoch root since the case began from seeds and records, and reads every record of the case and of the
rosters. So an event that was deleted, added or changed after sealing cannot pass.

Source: formats.md, "Gate".
"""

import datetime as dt
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dueprocess.cases.events import Event
from dueprocess.cases.gate import LogProof
from dueprocess.errors import BrokenError, MalformedError, RefusedError, UnavailableError
from dueprocess.history import audit, ledger
from dueprocess.history.append import load_events
from dueprocess.tlog.checkpoint import Checkpoint, OpenedCheckpoint, open_checkpoint, parse_checkpoint
from dueprocess.tlog.epoch import epoch_root, epoch_seed, epoch_until
from dueprocess.tlog.leaf import EpochLeaf, parse_leaf
from dueprocess.tlog.merkle import verify_consistency
from dueprocess.tlog.note import parse_note
from dueprocess.tlog.policy import Policy
from dueprocess.tlog.tiles import TileReader

_DO = "Stop. Do not produce. Run dueprocess fsck and compare the log with the copies that others keep."


@dataclass(frozen=True, slots=True)
class LogView:
    """The worker's own way to the log: files, pinned policy, epoch master, case keys, the last head it saw."""

    read: Callable[[str], bytes]
    policy: Policy
    master: bytes
    case_key: Callable[[str], bytes]
    roster_stream: str
    epoch_seconds: int
    seen: Path


@dataclass(frozen=True, slots=True)
class Proved:
    """What the log proved, and the events that it was proved about: of the case and of the rosters, by digest."""

    log: LogProof
    events: Mapping[str, tuple[str, ...]]


def prove_log(view: LogView, case_id: str) -> Proved:
    """What the log proves about one case and the rosters. Raises where it proves the contrary.

    The head is kept, so that an older one is refused from now on.
    """
    data = view.read("checkpoint")
    opened, reader = _head(view, data)
    case_events = _sealed_events(view, case_id)
    roster_events = _sealed_events(view, view.roster_stream)
    first = min(row.ledger_seq for _, row in (*case_events, *roster_events))
    last_epoch = _rebuilt(view, reader, first)
    log = LogProof(
        sealed=frozenset(event.case_seq for event, row in case_events if row.epoch is not None),
        read_to=max(row.ledger_seq for row in ledger.records_from(first)),
        head_size=opened.checkpoint.size,
        head_at=last_epoch,
        witnessed=opened.witnessed,
    )
    _remember(view, data)
    streams = {case_id: case_events, view.roster_stream: roster_events}
    return Proved(log, {each: tuple(e.sha256 for e, _ in rows) for each, rows in streams.items()})


def look_again(view: LogView, proved: Proved) -> None:
    """Under the append lock: what was proved still stands, and whatever came since has its record.

    Without it, an event that is hidden only while the case is folded would go unseen.
    """
    for case_id, digests in proved.events.items():
        now = [event.sha256 for event, _ in _sealed_events(view, case_id)]
        if tuple(now[: len(digests)]) != digests:
            raise BrokenError(
                "history-moved",
                f"The events of {case_id[:8]} are not those that were proved a moment ago.",
                why="Somebody changed the tables while the worker looked.",
                do=_DO,
                source="formats.md, Gate",
            )


def _remember(view: LogView, data: bytes) -> None:
    fresh = view.seen.with_suffix(".new")
    try:
        view.seen.parent.mkdir(parents=True, exist_ok=True)
        with fresh.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(view.seen)
    except OSError as error:
        raise UnavailableError(
            "cannot-remember",
            "The worker cannot keep the head that it has seen.",
            why=str(error),
            do="Make room on the worker's disk; nothing was produced.",
        ) from error
    finally:
        fresh.unlink(missing_ok=True)


def _head(view: LogView, data: bytes) -> tuple[OpenedCheckpoint, TileReader]:
    opened = open_checkpoint(data, view.policy)
    reader = TileReader(view.read, opened.checkpoint)
    reader.check_root()
    if view.seen.exists():
        _refuse_rollback(parse_checkpoint(parse_note(view.seen.read_bytes()).text), opened.checkpoint, reader)
    return opened, reader


def _refuse_rollback(old: Checkpoint, new: Checkpoint, reader: TileReader) -> None:
    if new.size < old.size:
        raise BrokenError(
            "log-rolled-back",
            f"The log has {new.size} leaves; this worker has already seen {old.size}.",
            why="A log only grows. This one was set back, and whatever came after is being hidden.",
            do=_DO,
            source="formats.md, Gate",
        )
    try:
        verify_consistency(old.size, new.size, old.root, new.root, reader.consistency_proof(old.size))
    except MalformedError as error:
        raise BrokenError(
            "log-rewritten",
            "The log is not a continuation of the one that this worker has seen.",
            why=f"No consistency proof leads from {old.size} to {new.size} leaves: the past was rewritten.",
            do=_DO,
            source="RFC 9162 section 2.1.4.2; formats.md, Gate",
        ) from error


def _sealed_events(view: LogView, case_id: str) -> list[tuple[Event, ledger.LedgerRecord]]:
    events = load_events(case_id)
    if not events:
        raise RefusedError("no-such-case", f"There are no events of {case_id[:8]}.")
    for number, what in audit.faults(events, view.case_key(case_id)):
        raise BrokenError(
            "record-differs", f"Event {number} of {case_id[:8]} {what}.", do=_DO, source="formats.md, Gate"
        )
    rows = ledger.records_of(case_id)
    if len(rows) != len(events):
        raise BrokenError(
            "event-missing",
            f"The ledger knows {len(rows)} events of {case_id[:8]}, the case has {len(events)}.",
            why="An event was removed.",
            do=_DO,
            source="formats.md, Gate",
        )
    return [(event, rows[event.case_seq]) for event in events]


def _rebuilt(view: LogView, reader: TileReader, first: int) -> dt.datetime:
    """Rebuilds every epoch from that of ledger number ``first`` on; returns the end of the newest."""
    records = ledger.records_from(first)
    _refuse_gap(records, first)
    begun = min((row.epoch for row in records if row.epoch is not None), default=None)
    if begun is None:
        raise RefusedError(
            "not-sealed", "Nothing of this case is in the public log yet.", do="Wait for the epoch to close."
        )
    epochs = ledger.epochs_from(begun)
    if epochs and epochs[-1].leaf_index >= reader.size:
        raise UnavailableError(
            "log-behind",
            f"The published log has {reader.size} leaves, the database more.",
            why="The log's signer stopped before it published, or somebody set the files back.",
            do="Let the log's worker run: it publishes what it signed.",
            source="formats.md, Gate",
        )
    for number, closed in enumerate(epochs, start=begun):
        if closed.epoch != number:
            raise BrokenError("epoch-missing", f"Epoch {number} is missing from the database.", do=_DO)
        _rebuild(view, reader, closed)
    later = [parse_leaf(each) for each in reader.entries(epochs[-1].leaf_index + 1, reader.size)]
    if any(isinstance(leaf, EpochLeaf) for leaf in later):
        raise BrokenError("epoch-missing", "The log holds a later epoch than the database.", do=_DO)
    return epoch_until(epochs[-1].epoch, seconds=view.epoch_seconds)


def _refuse_gap(records: Sequence[ledger.LedgerRecord], first: int) -> None:
    for number, row in enumerate(records, start=first):
        if row.ledger_seq != number:
            raise BrokenError(
                "ledger-gap", f"Ledger record {number} is missing.", do=_DO, source="formats.md, Gate"
            )


def _rebuild(view: LogView, reader: TileReader, closed: ledger.ClosedEpoch) -> None:
    placed = {r.place: r.sealed for r in ledger.placed_in(closed.epoch) if r.place is not None}
    root = epoch_root(epoch_seed(view.master, closed.epoch), closed.epoch, placed)
    leaf = parse_leaf(reader.entry(closed.leaf_index))
    if not isinstance(leaf, EpochLeaf) or leaf.epoch != closed.epoch or leaf.root != root:
        raise BrokenError(
            "epoch-differs",
            f"The records of epoch {closed.epoch} do not give the root that was published.",
            why="A record was removed, added or changed after it was sealed.",
            do=_DO,
            source="formats.md, Gate",
        )

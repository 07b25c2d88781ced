"""Nothing is missing: every epoch of the public log rebuilt from the records, every leaf read, every gap explained.

An event that was deleted, added or changed after sealing gives another root; an epoch that was taken out leaves
a leaf without its row; a number that was skipped has no leaf that says so.

Source: formats.md, "Gate".
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from dueprocess.errors import BrokenError, UnavailableError
from dueprocess.history.ledger import ClosedEpoch, LedgerRecord
from dueprocess.production.head import DO, SOURCE
from dueprocess.tlog.epoch import epoch_root, epoch_seed
from dueprocess.tlog.leaf import EpochLeaf, GapLeaf, IncidentLeaf, PolicyLeaf, parse_leaf
from dueprocess.tlog.tilereader import TileReader
from dueprocess.wire import b64

type Span = tuple[int, int]


@dataclass(slots=True)
class Walked:
    """What the leaves of the published log say, from the first to the last."""

    leaf_of: dict[int, ClosedEpoch] = field(default_factory=dict)
    """Epoch → its row, for the epochs that hold a record; the row gives its leaf and its time."""
    newest: int | None = None
    """The newest epoch."""
    jumps: list[Span] = field(default_factory=list)
    """Epochs that have no leaf, between two that have."""
    lost: list[int] = field(default_factory=list)
    """Epochs that have a leaf and no row in the database."""
    gaps: list[GapLeaf] = field(default_factory=list)
    incidents: list[IncidentLeaf] = field(default_factory=list)
    policies: list[tuple[int, PolicyLeaf]] = field(default_factory=list)
    """(index, leaf) of each policy."""


def walk(
    reader: TileReader,
    master: bytes,
    records: Sequence[LedgerRecord],
    epochs: Iterable[ClosedEpoch],
    *,
    behind: bool,
) -> Walked:
    """Reads every leaf and rebuilds every epoch. ``behind``: whether the files may be behind the database.

    They may where a head waits for its witnesses; epochs that only the database knows then seal nothing.
    """
    placed = _placed(records)
    rows = _rebuilt(master, placed, epochs)
    found = Walked()
    row = next(rows, None)
    for index, entry in enumerate(reader.entries(0, reader.size)):
        if row is not None and row[0].leaf_index == index:
            _compare(row[0], row[1], entry)
            _follow(found, row[0].epoch)
            if row[0].epoch in placed:
                found.leaf_of[row[0].epoch] = row[0]
            row = next(rows, None)
        else:
            _other(found, index, entry)
    _refuse_behind(reader, row[0] if row else None, behind=behind)
    return found


def _placed(records: Sequence[LedgerRecord]) -> dict[int, dict[int, bytes]]:
    placed: dict[int, dict[int, bytes]] = {}
    for record in records:
        if record.epoch is not None and record.place is not None:
            placed.setdefault(record.epoch, {})[record.place] = record.sealed
    return placed


def _rebuilt(
    master: bytes, placed: Mapping[int, Mapping[int, bytes]], epochs: Iterable[ClosedEpoch]
) -> Iterator[tuple[ClosedEpoch, bytes]]:
    """Each row with the root that its records give, in the order of the log."""
    empty: Mapping[int, bytes] = {}
    for row in epochs:
        yield row, epoch_root(epoch_seed(master, row.epoch), row.epoch, placed.get(row.epoch, empty))


def _compare(row: ClosedEpoch, root: bytes, entry: bytes) -> None:
    # A leaf in its one written form; what differs in any byte is read properly, to say what it is.
    text = f'{{"e":"{row.epoch:010d}","r":"{b64(root)}","t":"epoch","ts":"{row.closed_at}","v":1}}'
    if entry == text.encode():
        return
    leaf = parse_leaf(entry)
    if not isinstance(leaf, EpochLeaf):
        raise _missing(
            f"The database places epoch {row.epoch} at leaf {row.leaf_index}; the log has another leaf."
        )
    raise BrokenError(
        "epoch-differs",
        f"The records of epoch {row.epoch} do not give the root that was published.",
        why="A record was removed, added or changed after it was sealed.",
        do=DO,
        source=SOURCE,
    )


def _other(found: Walked, index: int, entry: bytes) -> None:
    leaf = parse_leaf(entry)
    match leaf:
        case EpochLeaf():
            _follow(found, leaf.epoch)
            found.lost.append(leaf.epoch)
        case GapLeaf():
            found.gaps.append(leaf)
        case IncidentLeaf():
            found.incidents.append(leaf)
        case PolicyLeaf():
            found.policies.append((index, leaf))
        case _:
            pass


def _follow(found: Walked, epoch: int) -> None:
    if found.newest is not None:
        if epoch <= found.newest:
            raise _missing(f"Epoch {epoch} stands in the log after epoch {found.newest}.")
        if epoch > found.newest + 1:
            found.jumps.append((found.newest + 1, epoch - 1))
    found.newest = epoch


def _refuse_behind(reader: TileReader, row: ClosedEpoch | None, *, behind: bool) -> None:
    if row is None:
        return
    if row.leaf_index < reader.size:
        raise _missing(f"The database places epoch {row.epoch} where the log has something else.")
    if not behind:
        raise UnavailableError(
            "log-behind",
            f"The published log has {reader.size} leaves, the database more.",
            why="The log's signer stopped before it published, or somebody set the files back.",
            do="Let the log's worker run: it publishes what it signed.",
            source=SOURCE,
        )


def check_complete(found: Walked, recovered: Sequence[Span]) -> None:
    """Refuses an epoch that is missing from the log, or from the database, without the log's own word for it.

    An epoch without a leaf must be named by a ``gap`` leaf, exactly, or lie within a ``store-restored`` incident.
    One with a leaf and without a row was lost by a restore: such an incident and two people's recovery name it.
    """
    restored = [
        (each.first_epoch, each.last_epoch) for each in found.incidents if each.code == "store-restored"
    ]
    named = _joined((each.first_epoch, each.last_epoch) for each in found.gaps)
    for first, last in found.jumps:
        if (first, last) not in named and not _within(first, last, restored):
            raise _missing(
                f"The epochs {first} to {last} are missing from the log, and no leaf of it says why."
            )
    for epoch in found.lost:
        if not (_within(epoch, epoch, restored) and _within(epoch, epoch, recovered)):
            raise _missing(f"The log holds epoch {epoch}, which the database does not know.")


def _joined(spans: Iterable[Span]) -> set[Span]:
    """The spans, with those that follow each other directly also joined to one."""
    listed = sorted(spans)
    found = set(listed)
    whole: Span | None = None
    for before, after in pairwise(listed):
        begin = whole[0] if whole is not None else before[0]
        whole = (begin, after[1]) if before[1] + 1 == after[0] else None
        if whole is not None:
            found.add(whole)
    return found


def _within(first: int, last: int, spans: Iterable[Span]) -> bool:
    return any(begin <= first and last <= end for begin, end in spans)


def _missing(what: str) -> BrokenError:
    return BrokenError("epoch-missing", what, do=DO, source=SOURCE)

"""The ledger and log tables: what waits for an epoch, closed epochs, public leaves, signed heads.

Everything here is append-only. A head is committed before any tile is written, so that a crash is repaired by
publishing again what is committed (recovery is the normal path).
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from django.db import IntegrityError
from django.db.models import Exists, Max, OuterRef

from dueprocess.errors import BrokenError, ConflictError, MalformedError
from dueprocess.history import ready  # noqa: F401  Django is loaded before its models
from dueprocess.history.connection import append_lock
from dueprocess.history.models import (
    CosignedRow,
    EpochRow,
    EventRow,
    HeadRow,
    LeafRow,
    PlacementRow,
    RecordRow,
)
from dueprocess.tlog.leaf import EpochLeaf, parse_leaf
from dueprocess.wire import unhex


@dataclass(frozen=True, slots=True)
class LedgerRecord:
    """One record with its place, once it has one."""

    ledger_seq: int
    case_id: str
    case_seq: int
    event_sha256: str
    commitment: str
    epoch: int | None = None
    place: int | None = None

    @property
    def sealed(self) -> bytes:
        """The commitment as it goes into an epoch's tree, 32 bytes. Raises ``BrokenError`` where it is none."""
        try:
            return unhex(self.commitment)
        except MalformedError as error:
            raise BrokenError(
                "bad-record",
                f"Ledger record {self.ledger_seq} holds no commitment.",
                do="Run dueprocess fsck; somebody changed the table.",
            ) from error


@dataclass(frozen=True, slots=True)
class Head:
    """A signed head: size, hex root and checkpoint (a signed note).

    ``signed_at`` is when the newest epoch in it was closed, empty before the first: the only time that the log
    itself holds. A rare leaf after that epoch was signed later.
    """

    size: int
    root: str
    checkpoint: str
    signed_at: str = ""


@dataclass(frozen=True, slots=True)
class ClosedEpoch:
    epoch: int
    root: str
    records: int
    closed_at: str
    leaf_index: int


def waiting(most: int | None = None) -> list[LedgerRecord]:
    """Records that no epoch holds yet, in ledger order, whatever their time; the first ``most`` of them.

    Raises ``BrokenError`` where the event of one is gone: nothing is sealed that nobody can read.
    """
    last = PlacementRow.objects.aggregate(last=Max("ledger_seq"))["last"] or 0
    its_event = EventRow.objects.filter(case_id=OuterRef("case_id"), case_seq=OuterRef("case_seq"))
    rows = RecordRow.objects.filter(ledger_seq__gt=last).annotate(readable=Exists(its_event))
    found = []
    for row in rows.order_by("ledger_seq")[:most]:
        if not row.readable:
            raise BrokenError(
                "event-missing",
                f"The event of ledger record {row.ledger_seq} is gone.",
                do="Stop. Run dueprocess fsck and restore from a copy that agrees with the public log.",
            )
        found.append(_record(row))
    return found


def _record(row: RecordRow, placed: PlacementRow | None = None) -> LedgerRecord:
    return LedgerRecord(
        row.ledger_seq, row.case_id, row.case_seq, row.event_sha256, row.commitment,
        placed.epoch if placed else None, placed.place if placed else None,
    )  # fmt: skip


def placed_in(epoch: int) -> list[LedgerRecord]:
    """The records of one closed epoch, with their places."""
    places = {row.ledger_seq: row for row in PlacementRow.objects.filter(epoch=epoch)}
    if not places:
        return []
    # A range, not a list of numbers: an epoch may hold more records than a statement may have parameters.
    rows = RecordRow.objects.filter(ledger_seq__gte=min(places), ledger_seq__lte=max(places))
    return [
        _record(row, places[row.ledger_seq])
        for row in rows.order_by("ledger_seq")
        if row.ledger_seq in places
    ]


def records_of(case_id: str) -> dict[int, LedgerRecord]:
    """Number of an event of one case → its record, with its place if its epoch is closed."""
    rows = list(RecordRow.objects.filter(case_id=case_id))
    wanted = [row.ledger_seq for row in rows]
    places = {row.ledger_seq: row for row in PlacementRow.objects.filter(ledger_seq__in=wanted)}
    return {row.case_seq: _record(row, places.get(row.ledger_seq)) for row in rows}


def records_from(ledger_seq: int) -> list[LedgerRecord]:
    """Every record from a sequence number on, placed or not, in order."""
    places = {row.ledger_seq: row for row in PlacementRow.objects.filter(ledger_seq__gte=ledger_seq)}
    rows = RecordRow.objects.filter(ledger_seq__gte=ledger_seq).order_by("ledger_seq")
    return [_record(row, places.get(row.ledger_seq)) for row in rows]


def close_epoch(closed: ClosedEpoch, places: Mapping[int, int], entry: str, head: Head) -> None:
    """Stores a closed epoch, its placements, its public leaf and the new head, inside `append_lock`."""
    with _one_signer():
        PlacementRow.objects.bulk_create(
            [PlacementRow(ledger_seq=seq, epoch=closed.epoch, place=place) for seq, place in places.items()]
        )
        EpochRow.objects.bulk_create(
            [
                EpochRow(
                    epoch=closed.epoch,
                    root=closed.root,
                    records=closed.records,
                    closed_at=closed.closed_at,
                    leaf_index=closed.leaf_index,
                )
            ]
        )
    add_leaf(closed.leaf_index, entry, head)


def add_leaf(leaf_index: int, entry: str, head: Head) -> None:
    """Stores one public leaf with the head that includes it; a second head of one size is a conflict."""
    with _one_signer():
        LeafRow.objects.bulk_create([LeafRow(leaf_index=leaf_index, entry=entry)])
        HeadRow.objects.bulk_create([HeadRow(size=head.size, root=head.root, checkpoint=head.checkpoint)])


@contextmanager
def _one_signer() -> Iterator[None]:
    try:
        yield
    except IntegrityError as error:
        raise ConflictError(
            "head-moved",
            "Another signer has written this place of the log.",
            do="Let one signer run; it continues from the stored head.",
            source="formats.md, Ledger and public log: compare-and-swap head",
        ) from error


def head() -> Head | None:
    """The newest signed head, or None for an empty log."""
    found = newest_head()
    closed = last_epoch() if found else None
    return replace(found, signed_at=closed.closed_at) if found and closed else found


def newest_head() -> Head | None:
    """The newest signed head without its time: one query, for whoever signs or publishes."""
    row = HeadRow.objects.order_by("-size").first()
    return Head(row.size, row.root, row.checkpoint) if row else None


def head_at(size: int) -> Head | None:
    """The signed head of exactly this size, without its time; None where no such head was signed."""
    row = HeadRow.objects.filter(size=size).first()
    return Head(row.size, row.root, row.checkpoint) if row else None


def heads() -> Iterator[Head]:
    """All signed heads, smallest first, without their times."""
    for row in HeadRow.objects.order_by("size").iterator():
        yield Head(row.size, row.root, row.checkpoint)


def keep_cosigned(size: int, checkpoint: str) -> None:
    """Keeps a head with the cosignatures that met the quorum, once: witnesses' times are evidence later."""
    with append_lock():
        if not CosignedRow.objects.filter(size=size).exists():
            CosignedRow.objects.bulk_create([CosignedRow(size=size, checkpoint=checkpoint)])


def cosigned_at(size: int) -> str | None:
    """The checkpoint of exactly this size that met the quorum, if it is kept."""
    return CosignedRow.objects.filter(size=size).values_list("checkpoint", flat=True).first()


def cosigned(after: int = 0) -> Iterator[tuple[int, str]]:
    """(size, checkpoint) of every head larger than ``after`` leaves that met the quorum, smallest first."""
    rows = CosignedRow.objects.filter(size__gt=after).order_by("size")
    yield from rows.values_list("size", "checkpoint").iterator()


def entries(start: int, stop: int) -> list[str]:
    """Public leaves ``start`` to ``stop`` (exclusive), as they were hashed."""
    rows = LeafRow.objects.filter(leaf_index__gte=start, leaf_index__lt=stop).order_by("leaf_index")
    return [row.entry for row in rows]


def stream_entries(start: int, stop: int) -> Iterator[str]:
    """The same leaves one after the other: memory stays flat however long the log is."""
    rows = LeafRow.objects.filter(leaf_index__gte=start, leaf_index__lt=stop).order_by("leaf_index")
    yield from rows.values_list("entry", flat=True).iterator(chunk_size=4096)


def epoch(number: int) -> ClosedEpoch | None:
    row = EpochRow.objects.filter(epoch=number).first()
    return _closed(row) if row else None


def last_epoch(*, below: int | None = None) -> ClosedEpoch | None:
    """The newest closed epoch; with ``below``, the newest whose leaf is among the first so many leaves."""
    rows = EpochRow.objects.all() if below is None else EpochRow.objects.filter(leaf_index__lt=below)
    row = rows.order_by("-epoch").first()
    return _closed(row) if row else None


def newest_epoch() -> int | None:
    """The number of the newest epoch in the log itself: also one whose row a restored backup does not have."""
    rows = LeafRow.objects.filter(entry__startswith='{"e":"').order_by("-leaf_index")
    entry = rows.values_list("entry", flat=True).first()
    try:
        leaf = parse_leaf(entry.encode()) if entry is not None else None
    except MalformedError as error:
        raise BrokenError(
            "log-altered",
            "The newest epoch's leaf in the database is not one that this log wrote.",
            why=error.what,
            do="Stop. Run dueprocess fsck and restore from a copy that agrees with the public log.",
        ) from error
    return leaf.epoch if isinstance(leaf, EpochLeaf) else None


def epochs_from(number: int) -> Sequence[ClosedEpoch]:
    """Closed epochs from a number on, in order."""
    return [_closed(row) for row in EpochRow.objects.filter(epoch__gte=number).order_by("epoch")]


def _closed(row: EpochRow) -> ClosedEpoch:
    return ClosedEpoch(row.epoch, row.root, row.records, row.closed_at, row.leaf_index)

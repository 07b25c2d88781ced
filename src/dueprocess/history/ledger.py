"""The ledger and log tables: what waits for an epoch, closed epochs, public leaves, signed heads.

Everything here is append-only. A head is committed before any tile is written, so that a crash is repaired by
publishing again what is committed (recovery is the normal path).
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import IntegrityError
from django.db.models import Max

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


def waiting(before: str) -> list[LedgerRecord]:
    """Records recorded before an instant that no epoch holds yet, in ledger order."""
    last = PlacementRow.objects.aggregate(last=Max("ledger_seq"))["last"] or 0
    rows = list(RecordRow.objects.filter(ledger_seq__gt=last).order_by("ledger_seq"))
    found = []
    for row in rows:
        event = EventRow.objects.filter(case_id=row.case_id, case_seq=row.case_seq).first()
        if event is None:
            raise BrokenError(
                "event-missing",
                f"The event of ledger record {row.ledger_seq} is gone.",
                do="Stop. Run dueprocess fsck and restore from a copy that agrees with the public log.",
            )
        if event.recorded_at >= before:
            break
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
    rows = RecordRow.objects.filter(ledger_seq__in=list(places)).order_by("ledger_seq")
    return [_record(row, places[row.ledger_seq]) for row in rows]


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
    row = HeadRow.objects.order_by("-size").first()
    if row is None:
        return None
    newest = last_epoch()
    return Head(row.size, row.root, row.checkpoint, newest.closed_at if newest else "")


def heads() -> Iterator[Head]:
    """All signed heads, smallest first, without their times."""
    for row in HeadRow.objects.order_by("size").iterator():
        yield Head(row.size, row.root, row.checkpoint)


def keep_cosigned(size: int, checkpoint: str) -> None:
    """Keeps a head with the cosignatures that met the quorum, once: witnesses' times are evidence later."""
    with append_lock():
        if not CosignedRow.objects.filter(size=size).exists():
            CosignedRow.objects.bulk_create([CosignedRow(size=size, checkpoint=checkpoint)])


def cosigned(after: int = 0) -> Iterator[tuple[int, str]]:
    """(size, checkpoint) of every head larger than ``after`` leaves that met the quorum, smallest first."""
    rows = CosignedRow.objects.filter(size__gt=after).order_by("size")
    yield from rows.values_list("size", "checkpoint").iterator()


def entries(start: int, stop: int) -> list[str]:
    """Public leaves ``start`` to ``stop`` (exclusive), as they were hashed."""
    rows = LeafRow.objects.filter(leaf_index__gte=start, leaf_index__lt=stop).order_by("leaf_index")
    return [row.entry for row in rows]


def epoch(number: int) -> ClosedEpoch | None:
    row = EpochRow.objects.filter(epoch=number).first()
    return _closed(row) if row else None


def last_epoch() -> ClosedEpoch | None:
    row = EpochRow.objects.order_by("-epoch").first()
    return _closed(row) if row else None


def epochs_from(number: int) -> Sequence[ClosedEpoch]:
    """Closed epochs from a number on, in order."""
    return [_closed(row) for row in EpochRow.objects.filter(epoch__gte=number).order_by("epoch")]


def _closed(row: EpochRow) -> ClosedEpoch:
    return ClosedEpoch(row.epoch, row.root, row.records, row.closed_at, row.leaf_index)

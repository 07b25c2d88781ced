"""What the gate reads of the ledger: all of it, in a few passes, because absence is shown by leaving nothing out."""

from collections.abc import Iterator

from dueprocess.errors import BrokenError
from dueprocess.history import ready  # noqa: F401  Django is loaded before its models
from dueprocess.history.append import LEDGER
from dueprocess.history.ledger import ClosedEpoch, LedgerRecord
from dueprocess.history.models import CosignedRow, CounterRow, EpochRow, PlacementRow, RecordRow

_CHUNK = 4096


def every_record() -> list[LedgerRecord]:
    """Every ledger record in order, from number 1 up to the counter's, with its place once it has one.

    Raises ``BrokenError`` where a number is missing, also the newest: the counter remembers what was handed out.
    """
    before = last_number()
    placements = PlacementRow.objects.values_list("ledger_seq", "epoch", "place")
    places = {seq: (epoch, place) for seq, epoch, place in placements.iterator(chunk_size=_CHUNK)}
    rows = RecordRow.objects.order_by("ledger_seq").values_list(
        "ledger_seq", "case_id", "case_seq", "event_sha256", "commitment"
    )
    found = [
        LedgerRecord(*row, *places.get(row[0], (None, None))) for row in rows.iterator(chunk_size=_CHUNK)
    ]
    for number, record in enumerate(found, start=1):
        if record.ledger_seq != number:
            raise _gap(number)
    # Others may append while this reads, so the counter is looked at before and after.
    if not before <= len(found) <= last_number():
        raise _gap(min(before, len(found)) + 1)
    return found


def last_number() -> int:
    """The last ledger number that was handed out, by the counter; 0 before the first."""
    row = CounterRow.objects.filter(name=LEDGER).first()
    return row.value if row else 0


def highest_number() -> int:
    """The highest ledger number of a record in the table; 0 where there is none."""
    row = RecordRow.objects.order_by("-ledger_seq").first()
    return row.ledger_seq if row else 0


def check_newest() -> None:
    """Under the append lock: raises ``BrokenError`` unless the newest record is the one the counter handed out."""
    if (newest := highest_number()) != last_number():
        raise _gap(newest + 1)


def every_epoch() -> Iterator[ClosedEpoch]:
    """Every closed epoch in order, a page at a time: memory stays flat however long the log is.

    A page is read whole, so that a reader that stops early leaves no cursor open.
    """
    names = ("epoch", "root", "records", "closed_at", "leaf_index")
    last = -1
    while page := list(
        EpochRow.objects.filter(epoch__gt=last).order_by("epoch").values_list(*names)[:_CHUNK]
    ):
        for row in page:
            yield ClosedEpoch(*row)
        last = page[-1][0]


def first_cosigned(after: int) -> tuple[int, str] | None:
    """(size, checkpoint) of the smallest head of more than ``after`` leaves that met the quorum, or None."""
    rows = CosignedRow.objects.filter(size__gt=after).order_by("size")
    found: tuple[int, str] | None = rows.values_list("size", "checkpoint").first()
    return found


def newest_cosigned(most: int) -> tuple[int, str] | None:
    """(size, checkpoint) of the largest head of at most ``most`` leaves that met the quorum, or None."""
    rows = CosignedRow.objects.filter(size__lte=most).order_by("-size")
    found: tuple[int, str] | None = rows.values_list("size", "checkpoint").first()
    return found


def _gap(number: int) -> BrokenError:
    return BrokenError(
        "ledger-gap",
        f"Ledger record {number} is missing, or the counter of the ledger was set.",
        why="Ledger numbers are handed out without gaps, so whatever is missing was removed.",
        do="Stop. Do not produce. Run dueprocess fsck and compare the log with the copies that others keep.",
        source="formats.md, Gate",
    )

"""Receipts: one person's part of the log, to be checked offline by anyone who holds the policy.

A user's receipt opens the records of the case and of that user's own target, never those of another target.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dueprocess.cases.events import Event
from dueprocess.cases.sealing import record_secret
from dueprocess.errors import RefusedError
from dueprocess.history import audit, ledger
from dueprocess.tlog.checkpoint import open_checkpoint
from dueprocess.tlog.epoch import EpochTree, epoch_seed
from dueprocess.tlog.policy import Policy
from dueprocess.tlog.proof import LogProof, format_proof
from dueprocess.tlog.receipt import Receipt, ReceiptRecord
from dueprocess.tlog.record import AUDIENCES, Audience, Record, open_fields
from dueprocess.tlog.subjects import SubjectProof
from dueprocess.tlog.tiles import TileReader


@dataclass(frozen=True, slots=True)
class ReceiptSource:
    """What a receipt is made from: the log's files, policy and master, and the case's record key."""

    read: Callable[[str], bytes]
    policy: Policy
    master: bytes
    record_key: bytes


def build_receipt(
    events: Sequence[Event],
    ref: str,
    source: ReceiptSource,
    *,
    audience: Audience,
    subject: SubjectProof | None,
) -> bytes:
    """The receipt of one target: every sealed event of the case that does not belong to another target."""
    checkpoint = source.read("checkpoint")
    opened = open_checkpoint(checkpoint, source.policy)
    reader = TileReader(source.read, opened.checkpoint)
    records = [
        _record(record, row, source, reader, (audience, subject))
        for event, record, row in audit.recorded(events)
        if row is not None and row.epoch is not None and event.body.get("target", ref) == ref
    ]
    if not records:
        raise RefusedError(
            "not-sealed", "Nothing of this case is in the log yet.", do="Wait for the epoch to close."
        )
    receipt = Receipt(
        origin=opened.checkpoint.origin,
        audience=audience,
        case=events[0].case_id,
        records=tuple(records),
        unwitnessed=not opened.witnessed,
    )
    return receipt.to_bytes()


def _record(
    record: Record,
    row: ledger.LedgerRecord,
    source: ReceiptSource,
    reader: TileReader,
    for_whom: tuple[Audience, SubjectProof | None],
) -> ReceiptRecord:
    audience, subject = for_whom
    assert row.epoch is not None
    assert row.place is not None
    placed = {r.place: r.sealed for r in ledger.placed_in(row.epoch) if r.place is not None}
    closed = ledger.epoch(row.epoch)
    assert closed is not None
    names = [name for name in AUDIENCES[audience] if name == "prev" or record.value(name) is not None]
    has_subject = subject is not None and "subjects_root" in names
    return ReceiptRecord(
        epoch=row.epoch,
        place=row.place,
        path=EpochTree(epoch_seed(source.master, row.epoch), row.epoch, placed).path(row.place),
        opening=open_fields(record, record_secret(source.record_key, row.event_sha256), names),
        leaf=reader.entry(closed.leaf_index),
        proof=_proof(reader, closed.leaf_index, source),
        subject=subject if has_subject else None,
    )


def _proof(reader: TileReader, index: int, source: ReceiptSource) -> bytes:
    return format_proof(LogProof(index, reader.inclusion_proof(index), source.read("checkpoint"), None))

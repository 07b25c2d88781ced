"""Receipts: one reader's part of the log, to be checked offline by anyone who holds the policy.

Each audience gets a fixed list of fields (`tlog.record.AUDIENCES`) and of events. A user's receipt opens the
records of the case and of that user's own target, never those of another target; a requester's says nothing
about what the user was told or did, nor whether an account was found behind what its paper names.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from dueprocess.cases.events import Event
from dueprocess.cases.sealing import record_secret
from dueprocess.errors import MalformedError, RefusedError
from dueprocess.history import ledger, recommit
from dueprocess.tlog.checkpoint import OpenedCheckpoint, open_checkpoint, without_ml_dsa
from dueprocess.tlog.epoch import EpochTree, epoch_seed
from dueprocess.tlog.policy import Policy
from dueprocess.tlog.proof import LogProof, format_proof
from dueprocess.tlog.receipt import Receipt, ReceiptRecord
from dueprocess.tlog.record import AUDIENCES, Audience, Record, open_fields
from dueprocess.tlog.subjects import SubjectProof
from dueprocess.tlog.tilereader import TileReader
from dueprocess.wire import Json

REQUESTER_KINDS = frozenset(
    {
        "DemandReceived", "RequesterVerified", "DemandRead", "DemandAssessed", "LetterSent",
        "ScopeNarrowed", "DecisionProposed", "DecisionApproved", "DecisionRejected", "DecisionWithdrawn",
        "ProductionStarted", "DataProduced", "DeliveryStarted", "DeliveryFailed", "ParcelDelivered", "CaseClosed",
        "ParcelReleased", "ParcelFetched", "FieldsSpoken", "DeliveryReopened", "ReopeningLapsed",
        "ManifestMade",
        "HoldStarted", "HoldConfirmed", "HoldRenewed", "RenewalServed", "HoldEnded",
    }
)  # fmt: skip
"""What a requester's receipt shows: the way of its own paper. Not what the user was told or objected to, nor what
was thought of the requester."""


@dataclass(frozen=True, slots=True)
class ReceiptSource:
    """What a receipt is made from: the log's files, policy and master, and the case's record key."""

    read: Callable[[str], bytes]
    policy: Policy
    master: bytes
    record_key: bytes


def build_receipt(
    events: Sequence[Event],
    ref: str | None,
    source: ReceiptSource,
    *,
    audience: Audience,
    subject: SubjectProof | None,
) -> bytes:
    """The receipt of one target, or with ``ref`` None of the whole case: every sealed event that it may show.

    Refuses a case of which nothing is in the log yet, and a user's receipt about more than one target.
    """
    if audience == "user" and ref is None:
        raise RefusedError(
            "whose-target",
            "A user's receipt is about that user's own target only.",
            why="Who else is named in a demand is none of this user's business.",
            do="Name the target: t1, t2 …",
            source="specs/tlog, Audiences",
        )
    made = _Maker(source, audience, subject)
    untold = _untold(events) if audience == "requester" else frozenset[int]()
    shown = [
        made.record(record, row)
        for event, record, row in recommit.recorded(events)
        if row is not None
        and made.holds(row.epoch)
        and _shows(audience, ref, event)
        and event.case_seq not in untold
    ]
    if not shown:
        raise RefusedError(
            "not-sealed", "Nothing of this case is in the log yet.", do="Wait for the epoch to close."
        )
    receipt = Receipt(
        origin=made.opened.checkpoint.origin,
        audience=audience,
        case=events[0].case_id,
        records=tuple(shown),
        unwitnessed=not made.opened.witnessed,
    )
    return receipt.to_bytes()


def _shows(audience: Audience, ref: str | None, event: Event) -> bool:
    if audience == "requester" and event.kind not in REQUESTER_KINDS:
        return False
    return ref is None or event.body.get("target", ref) == ref


def _untold(events: Sequence[Event]) -> frozenset[int]:
    """Numbers of the events that would tell a requester whether an account was found, before anything is handed over.

    Whoever asks to preserve never learns it here: neither by what is done about the account nor by how the case ends.
    """
    found = {str(ref) for event in events if event.kind == "AccountsFound" for ref in _refs(event)}
    handed = {str(event.body["target"]) for event in events if event.kind == "DeliveryStarted"}
    kinds = [event.body["demand_kind"] for event in events if event.kind == "DemandRead"]
    keeps = kinds[-1:] == ["preservation"]
    return frozenset(
        event.case_seq
        for event in events
        if event.body.get("target") in found - handed or (keeps and event.kind == "CaseClosed")
    )


def _refs(event: Event) -> Sequence[Json]:
    refs = event.body["targets"]
    return refs if isinstance(refs, list) else ()


class _Maker:
    """Makes the records of one receipt; the tree of an epoch is built once for all records in it."""

    def __init__(self, source: ReceiptSource, audience: Audience, subject: SubjectProof | None) -> None:
        checkpoint = source.read("checkpoint")
        self.opened, policy = accepted(checkpoint, source.policy)
        self._note = without_ml_dsa(checkpoint, policy)
        self._reader = TileReader(source.read, self.opened.checkpoint)
        self._source = source
        self._audience: Audience = audience
        self._subject = subject
        self._tree = cache(self._built)

    def holds(self, epoch: int | None) -> bool:
        """Whether the published log holds this epoch: one that was closed may still wait for its witnesses."""
        closed = ledger.epoch(epoch) if epoch is not None else None
        return closed is not None and closed.leaf_index < self._reader.size

    def _built(self, epoch: int) -> tuple[EpochTree, bytes, bytes]:
        """The private tree of an epoch, its public leaf, and the proof that the leaf is in the log."""
        placed = {r.place: r.sealed for r in ledger.placed_in(epoch) if r.place is not None}
        closed = ledger.epoch(epoch)
        assert closed is not None
        proof = LogProof(closed.leaf_index, self._reader.inclusion_proof(closed.leaf_index), self._note, None)
        tree = EpochTree(epoch_seed(self._source.master, epoch), epoch, placed)
        return tree, self._reader.entry(closed.leaf_index), format_proof(proof)

    def record(self, record: Record, row: ledger.LedgerRecord) -> ReceiptRecord:
        """One record as the audience may see it."""
        assert row.epoch is not None
        assert row.place is not None
        tree, leaf, proof = self._tree(row.epoch)
        secret = record_secret(self._source.record_key, row.event_sha256)
        return ReceiptRecord(
            epoch=row.epoch,
            place=row.place,
            path=tree.path(row.place),
            opening=open_fields(record, secret, AUDIENCES[self._audience]),
            leaf=leaf,
            proof=proof,
            subject=self._subject if record.value("subjects_root") is not None else None,
        )


def accepted(checkpoint: bytes, policy: Policy) -> tuple[OpenedCheckpoint, Policy]:
    """The published head under the policy; or, while work goes on without witnesses, under its keys alone."""
    try:
        return open_checkpoint(checkpoint, policy), policy
    except MalformedError as error:
        if error.code != "quorum-not-met":
            raise
    return open_checkpoint(checkpoint, policy.unwitnessed), policy.unwitnessed

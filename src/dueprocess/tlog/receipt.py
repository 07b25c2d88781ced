"""Receipts: what a user, requester, auditor or court gets to prove that facts were recorded, and when.

A receipt is checked offline in five links, each of which names itself when it breaks: the opened fields lead
to the record's commitment, the commitment over a path to the root of its epoch, that root stands in a public
leaf, the leaf is proven to be in the log, and the log's checkpoint is signed as the policy demands.
It proves what was recorded, not that nothing happened outside the log.

Source: formats.md, "Ledger and public log"; specs/tlog/README.md, "Receipt".
"""

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass

from dueprocess.errors import BrokenError, MalformedError
from dueprocess.tlog import shape
from dueprocess.tlog.checkpoint import OpenedCheckpoint, open_checkpoint
from dueprocess.tlog.epoch import DEPTH, MOST_EPOCH, PLACES, verify_path
from dueprocess.tlog.leaf import EpochLeaf, parse_leaf
from dueprocess.tlog.merkle import leaf_hash
from dueprocess.tlog.policy import Policy
from dueprocess.tlog.proof import parse_proof, verify_proof
from dueprocess.tlog.record import (
    Audience,
    OpenedRecord,
    Opening,
    audience_from_json,
    check_audience,
    opening_from_json,
    verify_opening,
)
from dueprocess.tlog.subjects import SubjectProof, subject_from_json, verify_subject
from dueprocess.tlog.tilereader import TileReader
from dueprocess.tlog.tiles import ReadPath
from dueprocess.wire import Json, b64, canonical, digest_of, unhex

MOST_RECORDS = 1_000

NOTES: Mapping[bool, str] = {
    True: "These facts were recorded in the operator's log. Not enough independent witnesses vouch for the log, or"
    " none: for the time, and for there being one log only, the operator alone vouches. A receipt proves what"
    " was recorded, not that nothing happened outside the log.",
    False: "These facts were recorded in the operator's log, and as many independent witnesses as its policy"
    " demands have seen the log. A receipt proves what was recorded, not that nothing happened outside the log.",
}
"""The sentence that a receipt carries, by whether it is unwitnessed."""

_CASE = re.compile(r"[0-9a-f]{1,128}")
_MEMBERS = ("v", "origin", "audience", "case", "records", "unwitnessed", "note", "sha256")
_RECORD_MEMBERS = ("epoch", "place", "path", "opening", "subject", "leaf", "proof")


@dataclass(frozen=True, slots=True)
class ReceiptRecord:
    """One record with all that is needed to follow it to a signed checkpoint."""

    epoch: int
    place: int
    path: tuple[bytes, ...]
    opening: Opening
    leaf: bytes
    """The public epoch leaf, as logged."""
    proof: bytes
    """A tlog-proof of that leaf."""
    subject: SubjectProof | None = None
    """That the reader's own account is one of the subjects. In a user's receipt only."""

    def as_json(self) -> dict[str, Json]:
        return {
            "epoch": self.epoch,
            "place": self.place,
            "path": [b64(each) for each in self.path],
            "opening": self.opening.as_json(),
            "subject": None if self.subject is None else self.subject.as_json(),
            "leaf": _text(self.leaf, "leaf"),
            "proof": _text(self.proof, "proof"),
        }


@dataclass(frozen=True, slots=True)
class Receipt:
    """Records of one case for one audience, oldest first. Not yet verified."""

    origin: str
    audience: Audience
    case: str | None
    """The case's opaque id in hex, as the operator uses it in letters; not part of what is proven."""
    records: tuple[ReceiptRecord, ...]
    unwitnessed: bool

    def to_bytes(self) -> bytes:
        """The file ``receipt.json``: canonical JSON with a digest that finds damage (and proves nothing)."""
        value: dict[str, Json] = {
            "v": 1,
            "origin": self.origin,
            "audience": self.audience,
            "case": self.case,
            "records": [each.as_json() for each in self.records],
            "unwitnessed": self.unwitnessed,
            "note": NOTES[self.unwitnessed],
        }
        return canonical({**value, "sha256": digest_of(value)})


def parse_receipt(data: bytes) -> Receipt:
    """A receipt from its bytes, strictly; nothing in it is believed yet.

    Raises ``MalformedError`` and nothing else.
    """
    found = shape.members(shape.parse_canonical(data, "receipt"), _MEMBERS, "the receipt")
    shape.version(found["v"], "receipt")
    if found["sha256"] != digest_of({name: each for name, each in found.items() if name != "sha256"}):
        raise MalformedError(
            "damaged",
            "This receipt was damaged or changed: its content does not have the digest that it names.",
            do="Get the receipt again from the letter that it came with.",
        )
    case, unwitnessed = found["case"], shape.flag(found["unwitnessed"], "unwitnessed")
    if case is not None and not _CASE.fullmatch(shape.text(case, "the case")):
        raise MalformedError("bad-case", "The case of a receipt is null or lower-case hex.")
    if found["note"] != NOTES[unwitnessed]:
        raise MalformedError("wrong-note", "The note of this receipt is not the one that belongs to it.")
    records = shape.items(found["records"], "the records")
    if not 1 <= len(records) <= MOST_RECORDS:
        raise MalformedError("no-records", f"A receipt has 1 to {MOST_RECORDS} records.")
    return Receipt(
        shape.text(found["origin"], "the origin"),
        audience_from_json(found["audience"]),
        None if case is None else str(case),
        tuple(_parse_record(number, each) for number, each in enumerate(records, start=1)),
        unwitnessed,
    )


def _parse_record(number: int, value: Json) -> ReceiptRecord:
    try:
        found = shape.members(value, _RECORD_MEMBERS, "the record")
        path = shape.items(found["path"], "the path", count=DEPTH)
        subject = found["subject"]
        return ReceiptRecord(
            shape.number(found["epoch"], "the epoch", most=MOST_EPOCH),
            shape.number(found["place"], "the place", most=PLACES - 1),
            tuple(shape.b64_bytes(each, "a hash of the path") for each in path),
            opening_from_json(found["opening"]),
            _bytes(found["leaf"], "the leaf"),
            _bytes(found["proof"], "the proof"),
            None if subject is None else subject_from_json(subject),
        )
    except MalformedError as error:
        raise _in_record(number, error) from error


@dataclass(frozen=True, slots=True)
class RecordFindings:
    """What one record of a receipt was found to prove."""

    values: Mapping[str, Json]
    """The opened fields, in the order of ``FIELDS``; null means that the record says nothing there."""
    commitment: bytes
    epoch: int
    place: int
    closed_at: dt.datetime
    """When the operator closed the epoch, by the operator's clock."""
    leaf: bytes
    leaf_index: int
    opened: OpenedCheckpoint
    account: str | None
    """The account that was proven to be a subject, or None where no proof was enclosed."""

    @property
    def origin(self) -> str:
        return self.opened.checkpoint.origin

    @property
    def witnesses(self) -> tuple[tuple[str, int], ...]:
        """Key name and time stamp of each known witness that cosigned the checkpoint, enough of them or not."""
        return self.opened.witnesses

    @property
    def unwitnessed(self) -> bool:
        """Whether fewer witnesses cosigned than a quorum, or the policy demands none."""
        return not self.opened.witnessed


@dataclass(frozen=True, slots=True)
class ReceiptFindings:
    """What a receipt was found to prove under a policy."""

    origin: str
    audience: Audience
    case: str | None
    records: tuple[RecordFindings, ...]

    @property
    def unwitnessed(self) -> bool:
        """Whether for at least one record no quorum of witnesses vouches."""
        return any(each.unwitnessed for each in self.records)

    @property
    def starts_the_case(self) -> bool:
        """Whether the first record shown says that nothing came before it in its case."""
        first = self.records[0].values
        return "prev" in first and first["prev"] is None

    @property
    def unbroken(self) -> bool:
        """Whether each record shown names the one before it as the previous record of the case."""
        pairs = zip(self.records, self.records[1:], strict=False)
        return all(later.values.get("prev") == earlier.commitment.hex() for earlier, later in pairs)


def verify_receipt(data: bytes, policy: Policy) -> ReceiptFindings:
    """What this receipt proves under this policy. Raises ``MalformedError`` that names the broken record.

    Refuses a receipt whose checkpoint does not meet the policy's quorum. One that says of itself that it is
    unwitnessed verifies under ``policy.unwitnessed``, and the findings then say so too: whoever asks for that
    must show it. A receipt that hides it, or says it where the quorum is met, is refused.

    Needs no network, clock or log. Whether the log still stands by it is ``check_against_log``'s to say.
    """
    receipt = parse_receipt(data)
    found: list[RecordFindings] = []
    for number, each in enumerate(receipt.records, start=1):
        try:
            found.append(_verify_record(each, receipt, policy))
        except MalformedError as error:
            raise _in_record(number, error) from error
    findings = ReceiptFindings(receipt.origin, receipt.audience, receipt.case, tuple(found))
    epochs = [each.epoch for each in found]
    if epochs != sorted(epochs):
        raise MalformedError(
            "wrong-order", "The records of this receipt are not in the order of their epochs."
        )
    if len({each.commitment for each in found}) != len(found):
        raise MalformedError("record-twice", "This receipt shows the same record twice.")
    if findings.unwitnessed != receipt.unwitnessed:
        raise MalformedError(
            "wrong-witness-claim",
            f"This receipt says {_witnessed(receipt.unwitnessed)}, but under this policy it is"
            f" {_witnessed(findings.unwitnessed)}.",
            do="Check that the policy is the operator's current one and lists its witnesses.",
        )
    return findings


def _witnessed(unwitnessed: bool) -> str:  # noqa: FBT001  (the flag is the subject)
    return "unwitnessed" if unwitnessed else "witnessed"


def _verify_record(record: ReceiptRecord, receipt: Receipt, policy: Policy) -> RecordFindings:
    check_audience(record.opening, receipt.audience)
    opened_record = verify_opening(record.opening)
    leaf = _epoch_leaf(record)
    verify_path(leaf.root, record.epoch, record.place, opened_record.commitment, record.path)
    proof = parse_proof(record.proof)
    if proof.extra is not None:
        raise MalformedError("extra", "The log proof carries extra bytes that nothing vouches for.")
    opened = verify_proof(proof, leaf_hash(record.leaf), policy)
    if opened.checkpoint.origin != receipt.origin:
        raise MalformedError(
            "other-log", f"The receipt names the log {receipt.origin[:80]!r}, its proof is from another one."
        )
    return RecordFindings(
        values=opened_record.values,
        commitment=opened_record.commitment,
        epoch=record.epoch,
        place=record.place,
        closed_at=leaf.closed_at,
        leaf=record.leaf,
        leaf_index=proof.index,
        opened=opened,
        account=_account(record, receipt, opened_record),
    )


def _epoch_leaf(record: ReceiptRecord) -> EpochLeaf:
    leaf = parse_leaf(record.leaf)
    if not isinstance(leaf, EpochLeaf) or leaf.epoch != record.epoch:
        raise MalformedError("wrong-leaf", f"The public leaf is not that of epoch {record.epoch}.")
    return leaf


def _account(record: ReceiptRecord, receipt: Receipt, opened: OpenedRecord) -> str | None:
    if record.subject is None:
        return None
    root = opened.values.get("subjects_root")
    if receipt.audience != "user" or not isinstance(root, str):
        raise MalformedError(
            "no-subjects",
            "An account can be shown to be a subject only to itself, under an opened subjects_root.",
        )
    verify_subject(unhex(root), record.subject)
    return record.subject.account


@dataclass(frozen=True, slots=True)
class LogFindings:
    """The log as it is now, found to contain everything that a receipt proves."""

    opened: OpenedCheckpoint
    grown_by: int
    """Leaves since the oldest checkpoint in the receipt."""


def check_against_log(
    findings: ReceiptFindings, read: ReadPath, current: bytes, policy: Policy
) -> LogFindings:
    """That the log of today still contains what the receipt proves, in an unchanged history.

    ``current`` is the log's checkpoint file, ``read`` gives its tiles. A log that is now shorter than a
    checkpoint in the receipt raises ``BrokenError`` "log-rolled-back"; one whose earlier leaves are others,
    "log-rewritten". Files that do not fit the current checkpoint raise ``MalformedError``, missing ones
    ``UnavailableError``.
    """
    opened = open_checkpoint(current, policy)
    if opened.checkpoint.origin != findings.origin:
        raise MalformedError(
            "other-log",
            f"The receipt is from the log {findings.origin[:80]!r}, this is {opened.checkpoint.origin[:80]!r}.",
        )
    reader = TileReader(read, opened.checkpoint)
    for number, each in enumerate(findings.records, start=1):
        _check_record(number, each, reader)
    oldest = min(each.opened.checkpoint.size for each in findings.records)
    return LogFindings(opened, opened.checkpoint.size - oldest)


def _check_record(number: int, record: RecordFindings, reader: TileReader) -> None:
    then = record.opened.checkpoint
    if then.size > reader.size:
        raise BrokenError(
            "log-rolled-back",
            f"The log has been rolled back: record {number} was proven in a log of {then.size} leaves,"
            f" which now shows only {reader.size}.",
            why="A log only ever grows. The operator, or someone with its key, took leaves away.",
            do="Keep the receipt and this log: together they are the evidence.",
            source="C2SP tlog-checkpoint, Signatures",
        )
    reader.check_root()
    if reader.root_at(then.size) != then.root or reader.entry(record.leaf_index) != record.leaf:
        raise BrokenError(
            "log-rewritten",
            f"The log has been rewritten: its first {then.size} leaves are not those that record {number}"
            " was proven in.",
            why="The operator, or someone with its key, signed two different histories.",
            do="Keep the receipt and this log: together they are the evidence.",
            source="C2SP tlog-checkpoint, Signatures",
        )


def _in_record(number: int, error: MalformedError) -> MalformedError:
    return MalformedError(
        error.code, f"Record {number}: {error.what}", why=error.why, do=error.do, source=error.source
    )


def _text(data: bytes, what: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedError("not-utf8", f"The {what} of a record is not UTF-8.", why=str(error)) from error


def _bytes(value: Json, what: str) -> bytes:
    return shape.text(value, what).encode()

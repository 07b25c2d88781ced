"""A whole small log with one case in it, and the receipt of that case."""

import datetime as dt
import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dueprocess.errors import MalformedError
from dueprocess.tlog import (
    AUDIENCES,
    COSIGNATURE,
    Audience,
    Checkpoint,
    EpochLeaf,
    EpochTree,
    Frontier,
    LogProof,
    Receipt,
    ReceiptRecord,
    Record,
    TileReader,
    Witness,
    commitment,
    cosign,
    encode_leaf,
    epoch_seed,
    format_note,
    format_policy,
    format_proof,
    leaf_hash,
    make_vkey,
    open_fields,
    parse_note,
    parse_policy,
    prove_subject,
    sign_checkpoint,
    subjects_root,
    tiles_for_growth,
    verify_receipt,
)

ORIGIN = "operator.example/dueprocess/1"
EVA, ANA = "@eva:example.org", "@ana:example.org"
START = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
MASTER = hashlib.sha256(b"master").digest()


def key(name: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name.encode()).digest())


LOG = make_vkey(ORIGIN, key("log").public_key().public_bytes_raw())
W1 = make_vkey("w1.example", key("w1").public_key().public_bytes_raw(), algorithm=COSIGNATURE)
ALONE = parse_policy(format_policy([LOG]))
WITNESSED = parse_policy(format_policy([LOG], [Witness("w1", W1)], need=1))


class Operator:
    """A whole small log: a record of one case in each of its first epochs, then empty ones."""

    def __init__(self, kinds: tuple[str, ...], *, leaves: int, salt: str = "") -> None:
        self.files: dict[str, bytes] = {}
        self.frontier = Frontier()
        self.places: list[tuple[Record, bytes, EpochTree, EpochLeaf]] = []
        previous: str | None = None
        for epoch in range(leaves):
            record = Record({"month": "2026-11"})
            secret = hashlib.sha256(f"{salt}{epoch}".encode()).digest()
            placed = {}
            if epoch < len(kinds):
                root = subjects_root(secret, [ANA, EVA]).hex()
                record = Record(
                    {"kind": kinds[epoch], "prev": previous, "subjects_root": root, "accounts": 2}
                )
                placed = {epoch * 7: commitment(record, secret)}
                previous = placed[epoch * 7].hex()
            tree = EpochTree(epoch_seed(MASTER, epoch), epoch, placed)
            leaf = EpochLeaf(epoch, tree.root, START + dt.timedelta(minutes=5 * epoch))
            self.append(encode_leaf(leaf))
            if placed:
                self.places.append((record, secret, tree, leaf))

    def append(self, entry: bytes) -> None:
        self.files.update(tiles_for_growth(self.frontier, [entry], self.files.__getitem__))
        self.frontier = self.frontier.append(leaf_hash(entry))

    def checkpoint(self, *, witnessed: bool = False) -> bytes:
        head = Checkpoint(ORIGIN, self.frontier.size, self.frontier.root)
        note = parse_note(sign_checkpoint(head, [(LOG, key("log").sign)], timestamp=1))
        more = [cosign(note.text, W1, timestamp=1_795_305_600, sign=key("w1").sign)] if witnessed else []
        return format_note(note.text, (*note.signatures, *more))

    def receipt(self, audience: Audience = "user", *, witnessed: bool = False) -> Receipt:
        head = Checkpoint(ORIGIN, self.frontier.size, self.frontier.root)
        reader = TileReader(self.files.__getitem__, head)
        records = tuple(
            ReceiptRecord(
                epoch=leaf.epoch,
                place=leaf.epoch * 7,
                path=tree.path(leaf.epoch * 7),
                opening=open_fields(record, secret, AUDIENCES[audience]),
                leaf=encode_leaf(leaf),
                proof=format_proof(
                    LogProof(
                        leaf.epoch, reader.inclusion_proof(leaf.epoch), self.checkpoint(witnessed=witnessed)
                    )
                ),
                subject=prove_subject(secret, [ANA, EVA], EVA) if audience == "user" else None,
            )
            for record, secret, tree, leaf in self.places
        )
        return Receipt(ORIGIN, audience, "5f0c", records, unwitnessed=not witnessed)


OPERATOR = Operator(("DemandReceived", "DataProduced"), leaves=5)
RECEIPT = OPERATOR.receipt()
BYTES = RECEIPT.to_bytes()


def refused(data: bytes, code: str, words: str = ".") -> None:
    with pytest.raises(MalformedError, match=words) as caught:
        verify_receipt(data, ALONE)
    assert caught.value.code == code

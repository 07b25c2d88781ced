"""A log with one case in it, what people hold of it, and the command that checks what they hold."""

import datetime as dt
import hashlib
from pathlib import Path

import pytest

from dueprocess.cli.verify import verify_command
from dueprocess.tlog import (
    AUDIENCES,
    Audience,
    EpochLeaf,
    EpochTree,
    LogProof,
    Receipt,
    ReceiptRecord,
    Record,
    commitment,
    encode_leaf,
    epoch_seed,
    format_proof,
    open_fields,
)
from dueprocess.tlog.promise import IntakePromise, format_promise, intake_vkey
from dueprocess.wire import Json, digest_of, sha256_hex
from madelog import (
    FIRST_EPOCH,
    ORIGIN,
    MadeLog,
    end_of,
    key,
    policy_leaf,
)

PAPER = b"%PDF-1.7 a paper"
SCOPE: Json = {"v": 1, "nonce": "x", "targets": []}
PARCEL = b"age-encryption.org/v1\n-> X25519 x\n" + b"c" * 3000
CASE = "5f0c"
FACTS: list[dict[str, Json]] = [
    {
        "kind": "DemandReceived",
        "month": "2026-11",
        "paper_sha256": sha256_hex(PAPER),
        "instrument": "d_order",
    },
    {"kind": "ScopeNarrowed", "scope_sha256": digest_of(SCOPE), "categories": ["session.times", "traffic"]},
    {"kind": "DataProduced", "parcel_sha256": sha256_hex(PARCEL), "plan_sha256": "ab" * 32},
]


INTAKE = intake_vkey(ORIGIN, key("intake").public_key().public_bytes_raw())
OLD_INTAKE = intake_vkey(ORIGIN, key("old-intake").public_key().public_bytes_raw())


class Court:
    """A log with one case in it, and the receipts and promises that people hold."""

    def __init__(self) -> None:
        self.log = MadeLog(policy_leaf(intake_vkey=OLD_INTAKE.text))
        self.log.add(policy_leaf(2, intake_vkey=INTAKE.text))
        self.records: list[tuple[Record, bytes, EpochTree, EpochLeaf, int]] = []
        previous: str | None = None
        for number, facts in enumerate(FACTS):
            record = Record({**facts, "prev": previous})
            secret = hashlib.sha256(b"secret%d" % number).digest()
            epoch = FIRST_EPOCH + number
            tree = EpochTree(epoch_seed(b"m" * 32, epoch), epoch, {7: commitment(record, secret)})
            leaf = EpochLeaf(epoch, tree.root, end_of(epoch) + dt.timedelta(seconds=3))
            self.records.append((record, secret, tree, leaf, self.log.add(leaf)))
            previous = commitment(record, secret).hex()
        self.log.next_epoch += len(FACTS)
        self.log.epochs(2).publish(signers=["ed25519"])

    def receipt(self, audience: Audience = "requester", *, first: int = 0) -> bytes:
        reader = self.log.reader()
        records = [
            ReceiptRecord(
                epoch=leaf.epoch,
                place=7,
                path=tree.path(7),
                opening=open_fields(
                    record,
                    secret,
                    AUDIENCES[audience],
                ),
                leaf=encode_leaf(leaf),
                proof=format_proof(LogProof(index, reader.inclusion_proof(index), self.log.checkpoint)),
            )
            for record, secret, tree, leaf, index in self.records[first:]
        ]
        return Receipt(ORIGIN, audience, CASE, tuple(records), unwitnessed=False).to_bytes()

    def promise(
        self, *, by: int = FIRST_EPOCH + 1, which: int = 0, paper: bytes = PAPER, old: bool = False
    ) -> bytes:
        facts = {**FACTS[0], "paper_sha256": sha256_hex(paper)}
        record, secret, *_ = self.records[which]
        if paper != PAPER:
            record = Record({**facts, "prev": None})
        names = AUDIENCES["requester"]
        promise = IntakePromise(
            ORIGIN, CASE, sha256_hex(paper), end_of(FIRST_EPOCH - 1), commitment(record, secret).hex(),
            open_fields(record, secret, names), by,
        )  # fmt: skip
        if old:
            return format_promise(promise, OLD_INTAKE, key("old-intake").sign)
        return format_promise(promise, INTAKE, key("intake").sign)


COURT = Court()


def verify(desk: Path, name: str, capsys: pytest.CaptureFixture[str], **beside: str) -> str:
    """What the command prints, with files of the folder beside."""
    capsys.readouterr()
    verify_command(desk / name, **{each: desk / path for each, path in beside.items()})  # type: ignore[arg-type]
    return capsys.readouterr().out


def conclusion(text: str) -> str:
    """The first line; then come meaning, limits and details, in this order."""
    parts = [text.find(each) for each in ("What it means", "What it does not prove", "Details")]
    assert -1 not in parts
    assert parts == sorted(parts)
    return text.splitlines()[0]


RECEIVED = {"receipt": "receipt.json", "policy": "policy.txt"}

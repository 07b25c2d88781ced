"""A whole public log made with the log's own functions: dual signed, witnessed, grown, and spoilt on purpose.

For the tests of those who watch from outside. Its times are real ones on a clock that the test holds.
"""

import copy
import datetime as dt
import hashlib
from collections.abc import Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from dueprocess.tlog import (
    COSIGNATURE,
    ML_DSA_44,
    AttestLeaf,
    Checkpoint,
    EpochLeaf,
    Frontier,
    KeyLeaf,
    KeyOperation,
    Leaf,
    LogProof,
    PolicyLeaf,
    RegisterLeaf,
    ReportLeaf,
    Sign,
    TileReader,
    Vkey,
    Witness,
    cosign,
    encode_leaf,
    epoch_at,
    epoch_until,
    format_note,
    format_policy,
    format_proof,
    leaf_hash,
    make_vkey,
    parse_note,
    parse_policy,
    sign_checkpoint,
    tiles_for_growth,
)
from dueprocess.tlog.follow import Trust
from dueprocess.wire import sha256_hex

ORIGIN = "chat.example/dueprocess/1"
FIRST_EPOCH = 5_984_384
NAMES = ("north", "south", "west")


def key(name: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name.encode()).digest())


def ml_dsa(name: str) -> MLDSA44PrivateKey:
    return MLDSA44PrivateKey.from_seed_bytes(hashlib.sha256(name.encode()).digest())


def log_vkey(name: str = "log", origin: str = ORIGIN) -> Vkey:
    return make_vkey(origin, key(name).public_key().public_bytes_raw())


def log_ml_dsa(name: str = "log", origin: str = ORIGIN) -> Vkey:
    return make_vkey(origin, ml_dsa(name).public_key().public_bytes_raw(), algorithm=ML_DSA_44)


def witness(name: str) -> Witness:
    vkey = make_vkey(f"{name}.example", key(name).public_key().public_bytes_raw(), algorithm=COSIGNATURE)
    return Witness(name, vkey)


LOGS: tuple[Vkey, Vkey] = (log_vkey(), log_ml_dsa())
POLICY_TEXT = format_policy(LOGS, [witness(name) for name in NAMES], need=2)
ALONE_TEXT = format_policy(LOGS)


def trust(text: bytes = POLICY_TEXT) -> Trust:
    return Trust(parse_policy(text), sha256_hex(text))


def end_of(epoch: int) -> dt.datetime:
    return epoch_until(epoch)


def key_leaf(operation: KeyOperation, vkey: Vkey, *, by: str = "log") -> KeyLeaf:
    unsigned = KeyLeaf(operation, vkey.text, bytes(64))
    return KeyLeaf(operation, vkey.text, key(by).sign(unsigned.message))


def attest_leaf(period: str, *, by: str = "auditor") -> AttestLeaf:
    vkey = make_vkey("auditor.example", key("auditor").public_key().public_bytes_raw())
    unsigned = AttestLeaf(period, vkey.text, "ab" * 32, bytes(64))
    return AttestLeaf(period, vkey.text, "ab" * 32, key(by).sign(unsigned.message))


def policy_leaf(number: int = 1, **other: object) -> PolicyLeaf:
    values: dict[str, object] = {
        "number": number,
        "epoch_seconds": 300,
        "depth": 16,
        "k": 10,
        "delay_days": 90,
        "bands": (0, 250),
        "quorum_modes": ("two",),
        "clock": "system",
        "witness_policy_sha256": sha256_hex(POLICY_TEXT),
        "software_sha256": "cd" * 32,
        "in_force_on": end_of(FIRST_EPOCH - 1).date(),
    }
    return PolicyLeaf(**{**values, **other})  # type: ignore[arg-type]  # each test names fields of the leaf


class MadeLog:
    """A log in memory: its files by path, the head in ``files["checkpoint"]``."""

    def __init__(self, rules: PolicyLeaf | None = None, *, origin: str = ORIGIN) -> None:
        self.files: dict[str, bytes] = {}
        self.frontier = Frontier()
        self.origin = origin
        self.next_epoch = FIRST_EPOCH
        self.add(policy_leaf() if rules is None else rules)

    @property
    def now(self) -> dt.datetime:
        """A minute after the newest epoch ended."""
        return end_of(self.next_epoch - 1) + dt.timedelta(minutes=1)

    def copy(self) -> "MadeLog":
        return copy.deepcopy(self)

    def add(self, leaf: Leaf | bytes) -> int:
        entry = leaf if isinstance(leaf, bytes) else encode_leaf(leaf)
        self.files.update(tiles_for_growth(self.frontier, [entry], self.files.__getitem__))
        self.frontier = self.frontier.append(leaf_hash(entry))
        return self.frontier.size - 1

    def epoch(self, number: int | None = None, *, late: int = 5, root: bytes = b"root") -> int:
        """One epoch entry, ``late`` seconds after its end."""
        epoch = self.next_epoch if number is None else number
        self.next_epoch = epoch + 1
        at = end_of(epoch) + dt.timedelta(seconds=late)
        return self.add(EpochLeaf(epoch, hashlib.sha256(root + str(epoch).encode()).digest(), at))

    def epochs(self, count: int, *, root: bytes = b"root") -> "MadeLog":
        for _ in range(count):
            self.epoch(root=root)
        return self

    def report(self, period: str, register: bytes, report: bytes) -> None:
        index = self.add(RegisterLeaf(period, sha256_hex(register)))
        self.add(ReportLeaf(period, sha256_hex(report), index, "ef" * 32))

    def publish(
        self,
        *,
        by: Sequence[str] = NAMES,
        at: dt.datetime | None = None,
        signers: Sequence[str] = ("ed25519", "ml-dsa-44"),
        keys: str = "log",
    ) -> "MadeLog":
        """Signs the head and puts it among the files."""
        moment = int((self.now if at is None else at).timestamp())
        head = Checkpoint(self.origin, self.frontier.size, self.frontier.root)
        able: dict[str, tuple[Vkey, Sign]] = {
            "ed25519": (log_vkey(keys, self.origin), key(keys).sign),
            "ml-dsa-44": (log_ml_dsa(keys, self.origin), ml_dsa(keys).sign),
        }
        note = parse_note(sign_checkpoint(head, [able[each] for each in signers], timestamp=moment))
        lines = [cosign(note.text, witness(name).vkey, timestamp=moment, sign=key(name).sign) for name in by]
        self.files["checkpoint"] = format_note(note.text, (*note.signatures, *lines))
        return self

    @property
    def checkpoint(self) -> bytes:
        return self.files["checkpoint"]

    def read(self, path: str) -> bytes:
        return self.files[path]

    def reader(self) -> TileReader:
        return TileReader(self.read, Checkpoint(self.origin, self.frontier.size, self.frontier.root))

    def proof(self, index: int) -> bytes:
        return format_proof(LogProof(index, self.reader().inclusion_proof(index), self.checkpoint))

    def write(self, folder: Path) -> Path:
        """The files as a folder that looks exactly like this log."""
        for path, data in self.files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data)
        return folder


def live(now: dt.datetime, epochs: int = 5) -> MadeLog:
    """A good log whose newest epoch has just ended by the real clock."""
    log = MadeLog(policy_leaf(in_force_on=dt.date(2026, 1, 1)))
    log.next_epoch = epoch_at(now) - epochs
    for _ in range(epochs):
        log.epoch(late=0)
    return log.publish(at=now)


def grown(epochs: int = 5) -> MadeLog:
    """A good log with its rules and some epochs, published."""
    return MadeLog().epochs(epochs).publish()

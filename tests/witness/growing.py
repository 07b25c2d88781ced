"""A log to be witnessed: it grows, signs with two keys, proves, and can lie about its past."""

import dataclasses
from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from dueprocess.tlog.checkpoint import Checkpoint
from dueprocess.tlog.merkle import EMPTY_ROOT, consistency_proof, leaf_hash, root_of
from dueprocess.tlog.note import (
    ML_DSA_44,
    Sign,
    Signature,
    Vkey,
    cosign,
    format_note,
    make_vkey,
    sign_note,
)
from dueprocess.tlog.witness import AddCheckpoint, format_add_checkpoint
from dueprocess.wire import b64

ORIGIN = "log.example/eva"
SIGNED_AT = 1_790_000_000


@dataclasses.dataclass(frozen=True)
class GrowingLog:
    """The same leaves up to ``forked_at``, other ones after it."""

    ed25519: Ed25519PrivateKey
    ml_dsa: MLDSA44PrivateKey
    origin: str = ORIGIN
    forked_at: int | None = None

    @classmethod
    def new(cls, origin: str = ORIGIN) -> "GrowingLog":
        return cls(Ed25519PrivateKey.generate(), MLDSA44PrivateKey.generate(), origin)

    @property
    def vkeys(self) -> tuple[Vkey, Vkey]:
        return (
            make_vkey(self.origin, self.ed25519.public_key().public_bytes_raw()),
            make_vkey(self.origin, self.ml_dsa.public_key().public_bytes_raw(), algorithm=ML_DSA_44),
        )

    def forked(self, at: int) -> "GrowingLog":
        """The same log telling another story from this leaf on."""
        return dataclasses.replace(self, forked_at=at)

    def hashes(self, size: int) -> list[bytes]:
        other = size if self.forked_at is None else self.forked_at
        return [leaf_hash(b"%d%s" % (each, b"" if each < other else b"!")) for each in range(size)]

    def head(self, size: int) -> Checkpoint:
        return Checkpoint(self.origin, size, root_of(self.hashes(size)))

    def signatures(self, text: str) -> tuple[Signature, Signature]:
        plain, stamped = self.vkeys
        sign: Sign = self.ml_dsa.sign
        return (
            sign_note(text, plain, self.ed25519.sign),
            cosign(text, stamped, timestamp=SIGNED_AT, sign=sign),
        )

    def note(self, size: int) -> bytes:
        text = self.head(size).text
        return format_note(text, self.signatures(text))

    def proof(self, old: int, new: int) -> tuple[bytes, ...]:
        hashes = self.hashes(new)

        def read(level: int, index: int) -> bytes:
            return root_of(hashes[index << level : (index + 1) << level])

        return consistency_proof(old, new, read) if old else ()

    def asked(
        self, old: int, new: int, *, proof: Sequence[bytes] | None = None, note: bytes | None = None
    ) -> AddCheckpoint:
        """A request, honest but for what is given."""
        hashes = self.proof(old, new) if proof is None else tuple(proof)
        return AddCheckpoint(old, hashes, self.note(new) if note is None else note)

    def body(self, old: int, new: int) -> bytes:
        return format_add_checkpoint(self.asked(old, new))

    def wrong_empty(self) -> str:
        """The text of a checkpoint without leaves that has another root than that of nothing."""
        root = bytes(32)
        assert root != EMPTY_ROOT
        return f"{self.origin}\n0\n{b64(root)}\n"

"""How a key lies under a key-encryption key: AES-256-GCM, and in front of it which key-encryption key it needs.

A wrapped file is ``DPK``, a version byte, 8 bytes that name the key-encryption key, a random 96-bit nonce and the
ciphertext. What it belongs to (a case id, the name of a secret) and these first 12 bytes are associated data, so
that no file can be moved to another case. Files from before this format begin with their nonce and stay readable.

Source: NIST SP 800-38D; formats.md, "Vault".
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from dueprocess.errors import BrokenError

KEY_BYTES = 32
NONCE_BYTES = 12

_BEGINS = b"DPK\x01"
_ID_BYTES = 8
_HEADER = len(_BEGINS) + _ID_BYTES
_ID_LABEL = b"dueprocess/kek-id/v1\n"
_TAG_BYTES = 16


def kek_id(kek: bytes) -> str:
    """Which key-encryption key this is, 16 hexadecimal digits. They tell nothing about the key."""
    return hmac.new(kek, _ID_LABEL, hashlib.sha256).hexdigest()[: 2 * _ID_BYTES]


def needs(wrapped: bytes) -> str | None:
    """The id of the key-encryption key that this file needs; None for one that does not say it."""
    return wrapped[len(_BEGINS) : _HEADER].hex() if wrapped.startswith(_BEGINS) else None


@dataclass(frozen=True, slots=True)
class Ring:
    """The key-encryption keys that are at hand: the first wraps, all of them open."""

    keks: tuple[bytes, ...]

    @classmethod
    def of(cls, keks: Iterable[bytes], current: str | None) -> "Ring":
        """The ring in which the key-encryption key with the id ``current`` wraps, where it is among them."""
        several = tuple(dict.fromkeys(keks))
        return cls(tuple(sorted(several, key=lambda each: kek_id(each) != current)))

    @property
    def current(self) -> bytes:
        return self.keks[0]

    @property
    def id(self) -> str:
        return kek_id(self.current)

    def has(self, wanted: str | None) -> bool:
        """Whether it can open what needs this key-encryption key; what does not say it, it can try."""
        return wanted is None or wanted in {kek_id(each) for each in self.keks}

    def wrap(self, plain: bytes, name: str) -> bytes:
        """The content under the current key-encryption key, for this name and no other."""
        header = _BEGINS + bytes.fromhex(self.id)
        nonce = secrets.token_bytes(NONCE_BYTES)
        return header + nonce + AESGCM(self.current).encrypt(nonce, plain, header + name.encode())

    def unwrap(self, wrapped: bytes, name: str) -> bytes:
        """Inverse of ``wrap``, for both formats. Refuses what was changed or belongs to another name."""
        for kek in self.keks:
            for header in (wrapped[:_HEADER] if needs(wrapped) else b"", b""):
                sealed = wrapped[len(header) :]
                if len(sealed) < NONCE_BYTES + _TAG_BYTES:
                    continue
                try:
                    return AESGCM(kek).decrypt(
                        sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], header + name.encode()
                    )
                except InvalidTag:
                    continue
        raise BrokenError(
            "key-altered",
            f"The key file of {name[:8]} was changed or belongs to something else.",
            do="Stop. Find out who changed the key store; take the file from a backup of the keys of the last 30 days.",
            source="formats.md, Vault",
        )

"""The witness's two private keys, in files that only their owner reads.

Every cosignature is made twice, with Ed25519 (0x04) and ML-DSA-44 (0x06), so that one broken algorithm forges
nothing. The Ed25519 key serves this one name only: its signature does not say whose it is.

Source: C2SP tlog-cosignature.
"""

import stat
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from dueprocess.errors import MalformedError, RefusedError, UnavailableError
from dueprocess.tlog.note import COSIGNATURE, ML_DSA_44, Signature, Vkey, cosign, make_vkey
from dueprocess.witness.files import write_new

ED25519_FILE = "witness.pem"
ML_DSA_FILE = "witness-ml-dsa-44.pem"

type PrivateKey = Ed25519PrivateKey | MLDSA44PrivateKey


@dataclass(frozen=True, slots=True)
class WitnessSigner:
    """Makes cosignatures under one name."""

    name: str
    keys: tuple[PrivateKey, ...]
    vkeys: tuple[Vkey, Vkey]
    """Ed25519 first, then ML-DSA-44: what a policy lists."""

    @classmethod
    def create(cls, name: str, folder: Path) -> "WitnessSigner":
        """Fresh keys on disk, those that are missing; a key that is there is kept as it is."""
        fresh: tuple[tuple[str, PrivateKey], ...] = (
            (ED25519_FILE, Ed25519PrivateKey.generate()),
            (ML_DSA_FILE, MLDSA44PrivateKey.generate()),
        )
        for file, key in fresh:
            if not (folder / file).exists():
                write_new(folder / file, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return cls.open(name, folder)

    @classmethod
    def open(cls, name: str, folder: Path) -> "WitnessSigner":
        """The keys in a folder. Refuses files that others can read, and keys of another kind."""
        ed25519, ml_dsa = _load(folder / ED25519_FILE), _load(folder / ML_DSA_FILE)
        if not isinstance(ed25519, Ed25519PrivateKey) or not isinstance(ml_dsa, MLDSA44PrivateKey):
            raise MalformedError(
                "bad-witness-key", f"{ED25519_FILE} holds an Ed25519 key and {ML_DSA_FILE} an ML-DSA-44 key."
            )
        vkeys = (
            make_vkey(name, _public(ed25519), algorithm=COSIGNATURE),
            make_vkey(name, _public(ml_dsa), algorithm=ML_DSA_44),
        )
        return cls(name, (ed25519, ml_dsa), vkeys)

    def cosign(self, text: str, timestamp: int) -> tuple[Signature, ...]:
        """Both cosignatures of a checkpoint's text at ``timestamp`` seconds since 1970. Refuses no time.

        Source: tlog-witness, add-checkpoint: the timestamp must not be zero.
        """
        if timestamp <= 0:
            raise RefusedError("no-time", "A witness never signs without a time.", source="C2SP tlog-witness")
        return tuple(
            cosign(text, vkey, timestamp=timestamp, sign=key.sign)
            for vkey, key in zip(self.vkeys, self.keys, strict=True)
        )


def _public(key: PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def _load(path: Path) -> object:
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise RefusedError(
                "open-key", f"Others can read the key file {path.name}.", do=f"Run: chmod 600 {path}"
            )
        return load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise UnavailableError(
            "no-witness-key",
            f"The key file {path.name} cannot be read.",
            why=str(error),
            do="Put the file back. A witness with other keys is another witness.",
        ) from error
    except (ValueError, TypeError) as error:
        raise MalformedError("bad-witness-key", f"{path.name} is not a key file.", why=str(error)) from error

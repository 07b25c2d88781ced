"""The log's two signing keys, Ed25519 and ML-DSA-44: key files that the log signer only reads.

The first is what every C2SP tool knows; the second stays good if somebody builds a quantum computer.
"""

import datetime as dt
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from dueprocess.errors import MalformedError, UnavailableError
from dueprocess.tlog.checkpoint import Checkpoint, sign_checkpoint
from dueprocess.tlog.note import ML_DSA_44, Vkey, make_vkey
from dueprocess.vault.privatefiles import write_private

ED25519_FILE = "log.pem"
ML_DSA_44_FILE = "log-ml-dsa-44.pem"


class LogSigner:
    """Signs checkpoints of one origin with both keys."""

    def __init__(self, origin: str, ed25519: Ed25519PrivateKey, ml_dsa_44: MLDSA44PrivateKey) -> None:
        self._ed25519 = ed25519
        self._ml_dsa_44 = ml_dsa_44
        self.vkeys: tuple[Vkey, Vkey] = (
            make_vkey(origin, ed25519.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)),
            make_vkey(
                origin,
                ml_dsa_44.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw),
                algorithm=ML_DSA_44,
            ),
        )

    @property
    def origin(self) -> str:
        return self.vkeys[0].name

    @classmethod
    def create(cls, origin: str, keys: Path) -> "LogSigner":
        """Fresh keys in the folder ``keys``, readable by their owner only. Never replaces one.

        A key that an interrupted run left there is taken; both there already is a ``ConflictError``.
        """
        first, second = keys / ED25519_FILE, keys / ML_DSA_44_FILE
        if not first.exists() or second.exists():
            write_key(first, Ed25519PrivateKey.generate())
        write_key(second, MLDSA44PrivateKey.generate())
        return cls.open(origin, keys)

    @classmethod
    def open(cls, origin: str, keys: Path) -> "LogSigner":
        """The keys that lie in a folder. Refuses a missing one and one of another kind, by its file's name."""
        first, second = read_key(keys / ED25519_FILE), read_key(keys / ML_DSA_44_FILE)
        if not isinstance(first, Ed25519PrivateKey):
            raise MalformedError("bad-log-key", f"The key {ED25519_FILE} is not an Ed25519 key.")
        if not isinstance(second, MLDSA44PrivateKey):
            raise MalformedError("bad-log-key", f"The key {ML_DSA_44_FILE} is not an ML-DSA-44 key.")
        return cls(origin, first, second)

    def sign(self, checkpoint: Checkpoint, now: dt.datetime) -> str:
        """The checkpoint as a signed note with both signatures; the ML-DSA-44 one carries ``now``.

        Source: C2SP signed-note; tlog-cosignature, "ML-DSA-44 signed message".
        """
        first, second = self.vkeys
        signers = ((first, self._ed25519.sign), (second, self._ml_dsa_44.sign))
        return sign_checkpoint(checkpoint, signers, timestamp=int(now.timestamp())).decode()


def write_key(path: Path, key: Ed25519PrivateKey | MLDSA44PrivateKey) -> None:
    """A private key as PKCS #8 PEM in a file that only its owner reads. Never replaces one."""
    write_private(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def read_key(path: Path) -> PrivateKeyTypes:
    """The private key in a PEM file. Refuses a file that cannot be read and one that holds no key."""
    try:
        return load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise UnavailableError(
            "no-log-key", f"The signing key {path.name} cannot be read.", why=str(error),
            do="Attach the folder with the keys, or restore it from its backup.",
        ) from error  # fmt: skip
    except ValueError as error:
        raise MalformedError("bad-log-key", f"The file {path.name} is not a key.", why=str(error)) from error

"""The log's signing key: an Ed25519 key file, read by the log signer only."""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from dueprocess.errors import MalformedError, UnavailableError
from dueprocess.tlog.checkpoint import Checkpoint, sign_checkpoint
from dueprocess.tlog.note import Vkey, make_vkey
from dueprocess.vault.keystore import write_private


class LogSigner:
    """Signs checkpoints of one origin."""

    def __init__(self, origin: str, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.vkey: Vkey = make_vkey(origin, key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))

    @classmethod
    def create(cls, origin: str, path: Path) -> "LogSigner":
        """A fresh key on disk, readable by its owner only. Never replaces one."""
        key = Ed25519PrivateKey.generate()
        write_private(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return cls(origin, key)

    @classmethod
    def open(cls, origin: str, path: Path) -> "LogSigner":
        try:
            key = load_pem_private_key(path.read_bytes(), password=None)
        except OSError as error:
            raise UnavailableError(
                "no-log-key", "The log's signing key cannot be read.", why=str(error)
            ) from error
        except ValueError as error:
            raise MalformedError("bad-log-key", "The log's key file is not a key.", why=str(error)) from error
        if not isinstance(key, Ed25519PrivateKey):
            raise MalformedError("bad-log-key", "The log's key is not an Ed25519 key.")
        return cls(origin, key)

    def sign(self, checkpoint: Checkpoint) -> str:
        """The checkpoint as a signed note (C2SP signed-note), text."""
        return sign_checkpoint(checkpoint, self.vkey, self._key.sign).decode()

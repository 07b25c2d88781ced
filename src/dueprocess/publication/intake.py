"""The intake key: signs that a paper arrived, and nothing else. A key of its own, so that no signature is another.

Source: formats.md, "Decision document and signatures": intake receipts use separate keys and separate prefixes.
"""

from contextlib import suppress
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from dueprocess.errors import ConflictError, MalformedError
from dueprocess.publication.signer import read_key, write_key
from dueprocess.tlog.note import Vkey
from dueprocess.tlog.promise import IntakePromise, format_promise, intake_vkey

INTAKE_FILE = "intake.pem"


class IntakeSigner:
    """Signs intake receipts of one origin."""

    def __init__(self, origin: str, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.vkey: Vkey = intake_vkey(origin, key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))

    @classmethod
    def open(cls, origin: str, keys: Path) -> "IntakeSigner":
        """The key that lies in the folder ``keys``, made on first use. Refuses a file that holds another kind."""
        path = keys / INTAKE_FILE
        if not path.exists():
            with suppress(ConflictError):  # somebody else made it in this very moment; theirs is the one
                write_key(path, Ed25519PrivateKey.generate())
        key = read_key(path)
        if not isinstance(key, Ed25519PrivateKey):
            raise MalformedError("bad-intake-key", f"The key {INTAKE_FILE} is not an Ed25519 key.")
        return cls(origin, key)

    def sign(self, promise: IntakePromise) -> bytes:
        """The intake receipt as bytes. The same promise always gives the same bytes."""
        return format_promise(promise, self.vkey, self._key.sign)

"""People's Ed25519 key files: for embedded mode, demonstrations and tests. Each use warns.

A larger office uses passkeys, whose private part never leaves the hardware.
"""

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from dueprocess.errors import MalformedError, UnavailableError
from dueprocess.roster import Signature, Verdict, fingerprint, message
from dueprocess.vault.privatefiles import write_private
from dueprocess.wire import Json, b64, canonical, parse_json, unb64


class FileKeyWarning(UserWarning):
    """A key file can be copied by anyone who reads the disk; a passkey cannot."""


@dataclass(frozen=True, slots=True)
class FileKey:
    """One person's key: an opaque id and an Ed25519 private key."""

    person: str
    private: Ed25519PrivateKey

    @property
    def public(self) -> bytes:
        return self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    @property
    def credential(self) -> str:
        return fingerprint(self.public)

    def sign(self, origin: str, document: dict[str, Json], *, role: str, verdict: Verdict) -> Signature:
        """This person's word: one role, one verdict, one document."""
        signed = message(origin, document, role=role, verdict=verdict, credential=self.credential)
        return Signature(self.person, self.credential, role, verdict, self.private.sign(signed))


def make_key(person: str, path: Path) -> FileKey:
    """A fresh key file, readable by its owner only. Never replaces one."""
    private = Ed25519PrivateKey.generate()
    raw = private.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    write_private(path, canonical({"v": 1, "person": person, "ed25519": b64(raw)}))
    return FileKey(person, private)


def open_key(path: Path) -> FileKey:
    """The key in a file. Warns, because whoever copies the file can sign as this person."""
    try:
        found: Any = parse_json(path.read_bytes(), f"key file {path}")
    except OSError as error:
        raise UnavailableError(
            "no-key-file",
            f"The key file {path} cannot be read.",
            why=str(error),
            do="Name yours with --key FILE.",
        ) from error
    private = _private(found)
    if private is None:
        raise MalformedError(
            "bad-key-file",
            f"{path} is not a person's key file.",
            do="Name the file that dueprocess init or dueprocess enrol key made for you.",
        )
    warnings.warn(
        "signing with a key file: use passkeys where more than one machine is involved", FileKeyWarning, 2
    )
    return FileKey(str(found["person"]), private)


def _private(found: object) -> Ed25519PrivateKey | None:
    """The private key in a key file's JSON, or None where it is none."""
    if not isinstance(found, dict) or set(found) != {"v", "person", "ed25519"}:
        return None
    try:
        return Ed25519PrivateKey.from_private_bytes(unb64(str(found["ed25519"]), length=32))
    except MalformedError:
        return None

"""The key store: one wrapped key file per case, under a key-encryption key that is unlocked at start.

Wrapping is AES-256-GCM (NIST SP 800-38D) with a random 96-bit nonce and the case id as associated data, so
that a key file cannot be moved to another case.
"""

import os
import secrets
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyrage
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from dueprocess.errors import BrokenError, ConflictError, RefusedError, UnavailableError
from dueprocess.wire import b64, canonical, parse_json, unb64

KEY_BACKUP_DAYS = 30
"""No backup of a key store is kept longer than this (formats.md, Vault)."""

_NONCE_BYTES = 12
_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class CaseKeys:
    """A case's two secrets: the record key (ledger commitments) and an age identity (vault bytes)."""

    record_key: bytes
    identity: str


def write_private(path: Path, data: bytes) -> None:
    """Writes a file that only its owner reads, whole or not at all, and refuses to replace one."""
    name = ""
    try:
        make_folder(path.parent)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.link(name, path)
        sync_folder(path.parent)
    except OSError as error:
        if isinstance(error, FileExistsError) and path.exists():
            raise ConflictError("exists", f"{path.name} exists already and is never replaced.") from error
        raise UnavailableError(
            "cannot-write", f"{path.name} could not be written safely.", why=str(error),
            do="Check the disk space and the permissions, then run the same command again.",
        ) from error  # fmt: skip
    finally:
        if name:
            with suppress(
                OSError
            ):  # what stays is a second name of the same bytes; `KeyStore.destroy` looks for it
                Path(name).unlink(missing_ok=True)


def make_folder(folder: Path) -> None:
    """Makes a folder and those above it, each name safe before anything is put under it."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True, mode=0o700)
    sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Without it a power cut may take the name of a file whose bytes were safe already."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class KeyStore:
    """A folder of wrapped keys. Its backups last at most 30 days (formats.md, Vault)."""

    def __init__(self, folder: Path, key_encryption_key: bytes) -> None:
        self._folder = folder
        self._aead = AESGCM(key_encryption_key)

    @classmethod
    def create(cls, folder: Path) -> "KeyStore":
        """A new key store with a fresh key-encryption key beside it, readable by its owner only."""
        write_private(folder / "kek", b64(secrets.token_bytes(_KEY_BYTES)).encode())
        return cls.open(folder)

    @classmethod
    def open(cls, folder: Path) -> "KeyStore":
        try:
            key = unb64((folder / "kek").read_text().strip(), length=_KEY_BYTES)
        except OSError as error:
            raise UnavailableError(
                "no-key-store",
                "The key store cannot be opened.",
                why=str(error),
                do="Attach it and try again.",
            ) from error
        return cls(folder, key)

    def make(self, case_id: str) -> CaseKeys:
        """Fresh keys for a new case, on disk before they are used. Refuses a case that has keys."""
        keys = CaseKeys(secrets.token_bytes(_KEY_BYTES), str(pyrage.x25519.Identity.generate()))
        nonce = secrets.token_bytes(_NONCE_BYTES)
        plain = canonical({"record_key": b64(keys.record_key), "identity": keys.identity})
        write_private(self._path(case_id), nonce + self._aead.encrypt(nonce, plain, case_id.encode()))
        return keys

    def keys(self, case_id: str) -> CaseKeys:
        """The keys of a case. Refuses one whose keys were destroyed: its person is erased."""
        path = self._path(case_id)
        try:
            wrapped = path.read_bytes()
        except FileNotFoundError as error:
            raise RefusedError(
                "erased",
                f"The keys of case {case_id[:8]} are gone: its contents are erased.",
                do="Nothing can bring them back; history still verifies without them.",
                source="formats.md, Vault",
            ) from error
        except OSError as error:
            raise UnavailableError(
                "no-key-store", "The key store cannot be read.", why=str(error), do="Attach it and try again."
            ) from error
        try:
            plain = self._aead.decrypt(wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:], case_id.encode())
        except InvalidTag as error:
            raise BrokenError(
                "key-altered", f"The key file of case {case_id[:8]} was changed or belongs to another case."
            ) from error
        found: Any = parse_json(plain)
        return CaseKeys(unb64(found["record_key"], length=_KEY_BYTES), found["identity"])

    def has(self, case_id: str) -> bool:
        return self._path(case_id).exists()

    def destroy(self, case_id: str) -> None:
        """Destroys the keys of a case: the file is unlinked and its folder synced. Can be run again.

        The bytes are not overwritten, because journaling, copy-on-write and flash storage keep old blocks whatever
        is written over a file. What such a disk keeps is the wrapped key, useless without the key-encryption key,
        until the block is used again; backups of the key store keep it for at most `KEY_BACKUP_DAYS`.
        """
        path = self._path(case_id)
        try:
            for leftover in path.parent.glob(".new-*"):
                if self._belongs_to(leftover, case_id):
                    leftover.unlink(missing_ok=True)
            path.unlink(missing_ok=True)
            if path.parent.is_dir():
                sync_folder(path.parent)
        except OSError as error:
            raise UnavailableError(
                "cannot-destroy", f"The key of case {case_id[:8]} could not be destroyed.", why=str(error),
                do="Attach the key store, make it writable, and run the same command again.",
            ) from error  # fmt: skip

    def _belongs_to(self, leftover: Path, case_id: str) -> bool:
        """Whether a file that a killed program left half named holds the key of this case."""
        wrapped = leftover.read_bytes()
        try:
            self._aead.decrypt(wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:], case_id.encode())
        except (InvalidTag, ValueError):
            return False
        return True

    def secret(self, name: str) -> bytes:
        """A 32-byte secret of the installation (epoch master, row salts), made on first use."""
        path = self._folder / f"{name}.secret"
        if not path.exists():
            write_private(path, b64(secrets.token_bytes(_KEY_BYTES)).encode())
        return unb64(path.read_text().strip(), length=_KEY_BYTES)

    def _path(self, case_id: str) -> Path:
        return self._folder / "cases" / f"{case_id}.key"

"""Encrypted bytes of a case, under names that say nothing.

A case has a folder, named by an HMAC under the case's key, and in it one file for each object, named by an HMAC
of the object's name; so a case can be removed whole, and no name on the disk can be tied to a case without its
key. The content is an age file to the case's own X25519 identity: Debian's `age` can open it with the case's key.
"""

import hashlib
import hmac
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyrage

from dueprocess.errors import BrokenError, ConflictError, RefusedError, UnavailableError
from dueprocess.vault.keystore import KeyStore, sync_folder, write_private
from dueprocess.wire import Json, canonical, parse_json

_NAME_LABEL = b"dueprocess/vault-name/v1\n"
_FOLDER_LABEL = b"dueprocess/vault-folder/v1\n"


class Vault:
    """What a case keeps in private: paper, reading, assessment, decisions, letters."""

    def __init__(self, folder: Path, keys: KeyStore) -> None:
        self._folder = folder
        self.keys = keys

    def put(self, case_id: str, name: str, data: bytes) -> None:
        """Stores an object once. The same bytes again are fine; other bytes under the name are a conflict."""
        keys = self.keys.keys(case_id)
        path = self._path(case_id, keys.record_key, name)
        if path.exists():
            if self.get(case_id, name) == data:
                return
            raise ConflictError("exists", f"The case file holds another {name} already.")
        recipient = pyrage.x25519.Identity.from_str(keys.identity).to_public()
        write_private(path, pyrage.encrypt(data, [recipient]))

    def get(self, case_id: str, name: str) -> bytes:
        """The object's bytes. Refuses a name that the case does not have."""
        keys = self.keys.keys(case_id)
        path = self._path(case_id, keys.record_key, name)
        if not path.exists():
            raise RefusedError(
                "not-in-vault", f"Case {case_id[:8]} has no {name} yet.", do="Run dueprocess next."
            )
        try:
            return bytes(pyrage.decrypt(path.read_bytes(), [pyrage.x25519.Identity.from_str(keys.identity)]))
        except pyrage.DecryptError as error:
            raise BrokenError(
                "vault-altered",
                f"The {name} of case {case_id[:8]} was changed on disk.",
                why="Its encryption no longer verifies.",
                do="Restore the file from a backup and run dueprocess fsck.",
            ) from error

    def put_json(self, case_id: str, name: str, value: Json) -> None:
        self.put(case_id, name, canonical(value))

    def get_json(self, case_id: str, name: str) -> Any:
        return parse_json(self.get(case_id, name), name)

    def has(self, case_id: str, name: str) -> bool:
        return self._path(case_id, self.keys.keys(case_id).record_key, name).exists()

    def remove(self, case_id: str) -> int:
        """Removes everything of a case that is being erased, before its key goes. Returns how many objects.

        Can be run again; once the key is destroyed there is nothing left to name.
        """
        folder = self._path(case_id, self.keys.keys(case_id).record_key, "").parent
        try:
            found = sorted(folder.iterdir()) if folder.is_dir() else []
            for path in found:
                path.unlink(missing_ok=True)
            with suppress(FileNotFoundError):  # somebody else finishes the same erasure
                folder.rmdir()
                sync_folder(folder.parent)
        except OSError as error:
            raise UnavailableError(
                "cannot-destroy", f"The contents of case {case_id[:8]} could not be removed.", why=str(error),
                do="Make the vault writable and run the same command again.",
            ) from error  # fmt: skip
        return len(found)

    def _path(self, case_id: str, record_key: bytes, name: str) -> Path:
        folder = hmac.new(record_key, _FOLDER_LABEL, hashlib.sha256).hexdigest()[:32]
        digest = hmac.new(record_key, _NAME_LABEL + name.encode(), hashlib.sha256).hexdigest()
        return self._folder / case_id[:2] / folder / digest

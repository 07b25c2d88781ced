"""Encrypted bytes of a case, under names that say nothing.

A case has a folder, named by an HMAC under the case's key, and in it one object for each name, called by an HMAC of
that name; so a case can be removed whole, and nothing in the place can be tied to a case without its key. The content
is an age file to the case's own X25519 identity: Debian's `age` can open it with the case's key. Inside, the first
line says what it is and which name it was put under, so that two objects of one case cannot change places unnoticed.

Objects of the first release lack that line and lie under names of an older label; they stay readable, and ``fsck``
compares each with the digest in history.
"""

import datetime as dt
import hashlib
import hmac
import io
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyrage

from dueprocess.errors import BrokenError, ConflictError, RefusedError, UnavailableError
from dueprocess.vault.keystore import CaseKeys, KeyStore
from dueprocess.vault.objects import Objects, Stored
from dueprocess.vault.privatefiles import remove_private, sync_folder, write_private
from dueprocess.wire import Json, canonical, lp, parse_json

_NAME_LABEL = b"dueprocess/vault-name/v2\n"
_BARE_NAME_LABEL = b"dueprocess/vault-name/v1\n"
_FOLDER_LABEL = b"dueprocess/vault-folder/v1\n"
_BINDING = b"dueprocess/vault-object/v1\n"


class FileObjects:
    """Objects as files in a folder: durable, for their owner only, never replaced."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, name: str, content: bytes) -> bool:
        path = self._folder / name
        if path.exists():
            return False
        try:
            write_private(path, content)
        except ConflictError:
            return False  # somebody else put it in this moment
        return True

    def get(self, name: str) -> bytes | None:
        try:
            return (self._folder / name).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise UnavailableError(
                "no-vault", "The vault cannot be read.", why=str(error), do="Attach it and try again."
            ) from error

    def has(self, name: str) -> bool:
        return (self._folder / name).exists()

    def listed(self, folder: str = "") -> Iterator[Stored]:
        for path in sorted((self._folder / folder).rglob("*")):
            if not path.name.startswith("."):
                with suppress(FileNotFoundError):  # erased in this moment
                    found = path.stat()
                    if path.is_file():
                        at = dt.datetime.fromtimestamp(found.st_mtime, dt.UTC)
                        yield Stored(path.relative_to(self._folder).as_posix(), found.st_size, at)

    def drop(self, name: str) -> None:
        path = self._folder / name
        if path.parent.is_dir():
            remove_private(path)

    def remove(self, folder: str) -> int:
        place = self._folder / folder
        found = sorted(place.iterdir()) if place.is_dir() else []
        for path in found:
            path.unlink(missing_ok=True)
        with suppress(FileNotFoundError):  # somebody else finishes the same erasure
            place.rmdir()
            sync_folder(place.parent)
        return len(found)

    def leftovers(self, before: dt.datetime) -> list[str]:
        return [
            path.relative_to(self._folder).as_posix()
            for path in sorted(self._folder.rglob(".new-*"))
            if path.is_file() and path.stat().st_mtime < before.timestamp()
        ]

    def about(self) -> str:
        return f"files in {self._folder}"


class Vault:
    """What a case keeps in private: paper, reading, assessment, decisions, letters, snapshots."""

    def __init__(self, place: Path | Objects, keys: KeyStore) -> None:
        self.objects: Objects = FileObjects(place) if isinstance(place, Path) else place
        self.keys = keys

    def put(self, case_id: str, name: str, data: bytes) -> None:
        """Stores an object once. The same bytes again are fine; other bytes under the name are a conflict."""
        keys = self.keys.keys(case_id)
        if self._found(case_id, keys, name) is None:
            recipient = pyrage.x25519.Identity.from_str(keys.identity).to_public()
            sealed = pyrage.encrypt(b"".join((_bound(name), data)), [recipient])
            if self.objects.put(object_name(case_id, keys, name), sealed):
                return
        if self.get(case_id, name) != data:
            raise ConflictError("exists", f"The case file holds another {name} already.")

    def get(self, case_id: str, name: str) -> bytes:
        """The object's bytes. Refuses a name that the case does not have, and what is not the object put under it."""
        keys = self.keys.keys(case_id)
        for path, binding in (
            (object_name(case_id, keys, name), _bound(name)),
            (_bare_name(case_id, keys, name), b""),
        ):
            content = self.objects.get(path)
            if content is not None:
                return _opened(content, keys, binding, f"The {name} of case {case_id[:8]}")
        raise RefusedError(
            "not-in-vault", f"Case {case_id[:8]} has no {name} yet.", do="Run dueprocess next."
        )

    def put_json(self, case_id: str, name: str, value: Json) -> None:
        self.put(case_id, name, canonical(value))

    def get_json(self, case_id: str, name: str) -> Any:
        return parse_json(self.get(case_id, name), name)

    def has(self, case_id: str, name: str) -> bool:
        return self._found(case_id, self.keys.keys(case_id), name) is not None

    def drop(self, case_id: str, name: str) -> None:
        """Removes one object, such as a part of a hold that ended, whether it is there or not. Can be run again."""
        keys = self.keys.keys(case_id)
        for path in (object_name(case_id, keys, name), _bare_name(case_id, keys, name)):
            self.objects.drop(path)

    def remove(self, case_id: str) -> int:
        """Removes everything of a case that is being erased, before its key goes. Returns how many objects.

        Can be run again; once the key is destroyed there is nothing left to name.
        """
        try:
            return self.objects.remove(folder_name(case_id, self.keys.keys(case_id)))
        except OSError as error:
            raise UnavailableError(
                "cannot-destroy", f"The contents of case {case_id[:8]} could not be removed.", why=str(error),
                do="Make the vault writable and run the same command again.",
            ) from error  # fmt: skip

    def unnamed(self, case_id: str, names: Iterable[str]) -> list[Stored]:
        """The objects of a case that are none of these names."""
        keys = self.keys.keys(case_id)
        known: set[str] = set()
        for name in names:
            known |= {object_name(case_id, keys, name), _bare_name(case_id, keys, name)}
        return [each for each in self.objects.listed(folder_name(case_id, keys)) if each.name not in known]

    def title(self, case_id: str, stored: Stored) -> str:
        """The name that an object itself says it was put under; empty for one of the first release, or damaged."""
        keys, content = self.keys.keys(case_id), self.objects.get(stored.name)
        begins = len(_BINDING) + 2
        with suppress(pyrage.DecryptError, UnicodeDecodeError):
            plain = pyrage.decrypt(content or b"", [pyrage.x25519.Identity.from_str(keys.identity)])
            if plain.startswith(_BINDING):
                size = int.from_bytes(plain[len(_BINDING) : begins], "big")
                return str(plain[begins : begins + size], "utf-8")
        return ""

    def _found(self, case_id: str, keys: CaseKeys, name: str) -> str | None:
        paths = (object_name(case_id, keys, name), _bare_name(case_id, keys, name))
        return next((each for each in paths if self.objects.has(each)), None)


def folder_name(case_id: str, keys: CaseKeys) -> str:
    """Where the objects of a case lie, below the vault."""
    folder = hmac.new(keys.record_key, _FOLDER_LABEL, hashlib.sha256).hexdigest()[:32]
    return f"{case_id[:2]}/{folder}"


def object_name(case_id: str, keys: CaseKeys, name: str) -> str:
    """Where an object of this name lies, below the vault."""
    digest = hmac.new(keys.record_key, _NAME_LABEL + name.encode(), hashlib.sha256).hexdigest()
    return f"{folder_name(case_id, keys)}/{digest}"


def _bare_name(case_id: str, keys: CaseKeys, name: str) -> str:
    """The same in the first release, whose objects do not say their names."""
    digest = hmac.new(keys.record_key, _BARE_NAME_LABEL + name.encode(), hashlib.sha256).hexdigest()
    return f"{folder_name(case_id, keys)}/{digest}"


def _bound(name: str) -> bytes:
    """What stands in front of an object's bytes, inside the encryption."""
    return _BINDING + lp(name)


def _opened(content: bytes, keys: CaseKeys, binding: bytes, what: str) -> bytes:
    """The bytes behind the binding. Refuses what was changed, and what was put under another name."""
    plain = _Behind(len(binding))
    try:
        identity = pyrage.x25519.Identity.from_str(keys.identity)
        pyrage.decrypt_io(io.BytesIO(content), plain, [identity])
    except (pyrage.DecryptError, OSError) as error:  # the second where it is cut or changed further on
        raise BrokenError(
            "vault-altered",
            f"{what} was changed where it is kept.",
            why="Its encryption no longer verifies.",
            do="Restore the file from a backup and run dueprocess fsck.",
        ) from error
    if plain.begins != binding or (not binding and plain.getbuffer()[: len(_BINDING)] == _BINDING):
        raise BrokenError(
            "vault-swapped",
            f"{what} is another object of the same case.",
            why="It says inside that it was put under another name.",
            do="Stop. Find out who changed the vault; restore the file from a backup and run dueprocess fsck.",
            source="docs/vault.md",
        )
    return plain.getvalue()


class _Behind(io.BytesIO):
    """Keeps what is written apart from its first bytes, so that a large object is not copied to lose them."""

    def __init__(self, first: int) -> None:
        super().__init__()
        self.begins = b""
        self._first = first

    def write(self, piece: Any) -> int:
        missing = self._first - len(self.begins)
        self.begins += bytes(piece[:missing])
        super().write(piece[missing:] if missing else piece)
        return len(piece)

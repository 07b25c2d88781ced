"""The key store: one wrapped key file per case, under a key-encryption key that is unlocked at start.

How a key is wrapped stands in ``wrapping``, where the key-encryption key comes from in ``keksource``, how it is
changed in ``rotation``. Whoever writes here holds a lock on the folder, shared to add and exclusive to destroy or
to wrap anew: so an erased key never comes back, and none is wrapped under a key-encryption key that is let go.
"""

import datetime as dt
import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyrage

from dueprocess.errors import (
    BrokenError,
    ConflictError,
    DueprocessError,
    MalformedError,
    RefusedError,
    UnavailableError,
)
from dueprocess.vault.privatefiles import (
    UNFINISHED,
    make_folder,
    replace_private,
    sync_folder,
    write_private,
)
from dueprocess.vault.wrapping import KEY_BYTES, Ring, kek_id, needs
from dueprocess.wire import Json, b64, canonical, parse_json, unb64

if TYPE_CHECKING:
    from dueprocess.vault.keksource import KekSource

KEY_BACKUP_DAYS = 30
"""No backup of a key store is kept longer than this (formats.md, Vault)."""

CASES = "cases"
IN_USE = "in-use.json"
"""Which key-encryption key new keys are wrapped under, and since when."""


@dataclass(frozen=True, slots=True)
class CaseKeys:
    """A case's two secrets: the record key (ledger commitments) and an age identity (vault bytes)."""

    record_key: bytes
    identity: str


@contextmanager
def locked(folder: Path, *, exclusive: bool, wait: bool = True) -> Iterator[bool]:
    """Holds a lock on the folder; without ``wait`` says whether it was had. The kernel gives it back after a crash."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise _away(error) from error
    try:
        how = fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH
        had = True
        try:
            fcntl.flock(handle, how if wait else how | fcntl.LOCK_NB)
        except BlockingIOError:
            had = False
        except OSError as error:
            raise _away(error) from error
        yield had
    finally:
        os.close(handle)


def _away(error: OSError) -> UnavailableError:
    return UnavailableError(
        "no-key-store", "The key store cannot be read.", why=str(error), do="Attach it and try again."
    )


@dataclass(frozen=True, slots=True)
class InUse:
    """The key-encryption key in use, by its id, and when a rotation to it was begun and done (RFC 3339)."""

    kek_id: str
    begun_at: str | None = None
    finished_at: str | None = None

    @property
    def unfinished(self) -> bool:
        return self.begun_at is not None and self.finished_at is None


@dataclass(frozen=True, slots=True)
class KeyFile:
    """One wrapped key as it lies there: whose, which key-encryption key it needs, when it was made."""

    case_id: str
    needs: str | None
    made_at: dt.datetime


class _Fixed:
    """A key-encryption key that is given once and for all."""

    kind = "file"

    def __init__(self, kek: bytes) -> None:
        self._kek = kek

    def keks(self) -> list[bytes]:
        return [self._kek]

    def begin(self, current: str) -> bytes:
        raise _no_rotation(current)

    def settle(self, current: str) -> None:
        raise _no_rotation(current)


def _no_rotation(current: str) -> RefusedError:
    return RefusedError(
        "fixed-kek", f"The key-encryption key {current} was given by hand and has no successor."
    )


class KeyStore:
    """A folder of wrapped keys. Its backups last at most 30 days (formats.md, Vault)."""

    def __init__(self, folder: Path, source: "KekSource | bytes") -> None:
        self._folder = folder
        self.source: KekSource = _Fixed(source) if isinstance(source, bytes) else source
        self._ring = self._load()

    @classmethod
    def create(cls, folder: Path) -> "KeyStore":
        """A new key store with a fresh key-encryption key beside it, readable by its owner only."""
        kek = secrets.token_bytes(KEY_BYTES)
        if (folder / "kek").exists():
            raise ConflictError("exists", "kek exists already and is never replaced.")
        replace_private(folder / IN_USE, _in_use_text(InUse(kek_id(kek))))
        write_private(folder / "kek", b64(kek).encode())
        return cls.open(folder)

    @classmethod
    def open(cls, folder: Path, source: "KekSource | None" = None) -> "KeyStore":
        """The key store with its key-encryption key; without a source that of the file ``kek`` beside it."""
        from dueprocess.vault.keksource import FileSource  # noqa: PLC0415  it writes its files as this module does

        return cls(folder, source or FileSource(folder))

    @property
    def folder(self) -> Path:
        return self._folder

    @property
    def kek(self) -> bytes:
        """The key-encryption key in use, 32 bytes: backups are sealed under it."""
        return self._current().current

    def _load(self) -> Ring:
        found = read_in_use(self._folder)
        ring = Ring.of(self.source.keks(), found.kek_id if found else None)
        if found is not None and ring.id != found.kek_id:
            raise _other_kek("The key store", found.kek_id, ring)
        return ring

    def _current(self) -> Ring:
        """The ring by which new keys are wrapped now: a rotation elsewhere may have gone over to another one."""
        found = read_in_use(self._folder)
        if found is not None and found.kek_id != self._ring.id:
            self._ring = self._load()
        return self._ring

    def make(self, case_id: str) -> CaseKeys:
        """Fresh keys for a new case, on disk before they are used. Refuses a case that has keys."""
        keys = CaseKeys(secrets.token_bytes(KEY_BYTES), str(pyrage.x25519.Identity.generate()))
        plain = canonical({"record_key": b64(keys.record_key), "identity": keys.identity})
        with locked(self._folder, exclusive=False):
            write_private(self._path(case_id), self._current().wrap(plain, case_id))
        return keys

    def keys(self, case_id: str) -> CaseKeys:
        """The keys of a case. Refuses one whose keys were destroyed: its person is erased."""
        try:
            plain = self.opened(self._path(case_id), case_id)
        except FileNotFoundError as error:
            raise RefusedError(
                "erased",
                f"The keys of case {case_id[:8]} are gone: its contents are erased.",
                do="Nothing can bring them back; history still verifies without them.",
                source="formats.md, Vault",
            ) from error
        except OSError as error:
            raise _away(error) from error
        found: Any = parse_json(plain)
        return CaseKeys(unb64(found["record_key"], length=KEY_BYTES), found["identity"])

    def opened(self, path: Path, name: str) -> bytes:
        """What a wrapped file holds. Refuses one that needs a key-encryption key that is not here."""
        wrapped = path.read_bytes()
        if not self._ring.has(needs(wrapped)):
            self._ring = self._load()  # it may have been rotated since this program started
            wrapped = path.read_bytes()
        if not self._ring.has(needs(wrapped)):
            raise _other_kek(f"The key file {path.name}", str(needs(wrapped)), self._ring)
        return self._ring.unwrap(wrapped, name)

    def has(self, case_id: str) -> bool:
        return self._path(case_id).exists()

    def files(self) -> Iterator[KeyFile]:
        """Every key file that is there, by case id."""
        for path in sorted((self._folder / CASES).glob("*.key")):
            with suppress(FileNotFoundError):  # erased in this moment
                made_at = dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC)
                yield KeyFile(path.stem, needs(path.read_bytes()[:64]), made_at)

    @contextmanager
    def receiving(self) -> Iterator[None]:
        """While a paper is being taken in, nothing is swept: its key lies there before history names it."""
        try:
            make_folder(self._folder / CASES)
        except OSError as error:
            raise _away(error) from error
        with locked(self._folder / CASES, exclusive=False):
            yield

    @contextmanager
    def sweeping(self) -> Iterator[bool]:
        """Whether nobody takes a paper in now; while this is held nobody begins to."""
        if not (self._folder / CASES).is_dir():
            yield False
            return
        with locked(self._folder / CASES, exclusive=True, wait=False) as alone:
            yield alone

    def destroy(self, case_id: str) -> None:
        """Destroys the keys of a case: the file is unlinked and its folder synced. Can be run again.

        The bytes are not overwritten, because journaling, copy-on-write and flash storage keep old blocks whatever
        is written over a file. What such a disk keeps is the wrapped key, useless without the key-encryption key,
        until the block is used again; backups of the key store keep it for at most `KEY_BACKUP_DAYS`.
        """
        path = self._path(case_id)
        with locked(self._folder, exclusive=True):  # no rotation may put back what it read before
            try:
                for leftover in path.parent.glob(f"{UNFINISHED}*"):
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
        try:
            self.opened(leftover, case_id)
        except DueprocessError:
            return False
        return True

    def secret(self, name: str) -> bytes:
        """A 32-byte secret of the installation (epoch master, row salts), made on first use."""
        path = self._folder / f"{name}.secret"
        if not path.exists():
            with (
                locked(self._folder, exclusive=False),
                suppress(ConflictError),
            ):  # somebody else made it meanwhile
                write_private(
                    path, self._current().wrap(secrets.token_bytes(KEY_BYTES), name_of_secret(name))
                )
        return self.secret_in(path)

    def secret_in(self, path: Path) -> bytes:
        """The secret in this file: wrapped, or bare as the first release wrote it."""
        try:
            content = path.read_bytes()
            if needs(content) is None:
                return unb64(content.decode("ascii").strip(), length=KEY_BYTES)
            return self.opened(path, name_of_secret(path.stem))
        except UnicodeDecodeError as error:
            raise MalformedError("bad-secret", f"{path.name} holds no secret.") from error
        except OSError as error:
            raise _away(error) from error

    def _path(self, case_id: str) -> Path:
        return self._folder / CASES / f"{case_id}.key"


def name_of_secret(name: str) -> str:
    """What a secret of the installation is wrapped for: never the id of a case."""
    return f"secret:{name}"


# ---------------------------------------------------------------------------------------------- which one is in use


def read_in_use(folder: Path) -> InUse | None:
    """Which key-encryption key is in use; None in a key store that never said. Refuses another file's content."""
    try:
        content = (folder / IN_USE).read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _away(error) from error
    found: Any = parse_json(content, IN_USE)
    if not isinstance(found, dict) or set(found) != {"v", "kek_id", "begun_at", "finished_at"}:
        raise MalformedError(
            "bad-in-use", f"{IN_USE} in the key store has another shape.", do="Take its copy."
        )
    return InUse(str(found["kek_id"]), found["begun_at"], found["finished_at"])


def write_in_use(folder: Path, found: InUse) -> None:
    """Says from now on which key-encryption key wraps new keys."""
    replace_private(folder / IN_USE, _in_use_text(found))


def _in_use_text(found: InUse) -> bytes:
    about: dict[str, Json] = {"v": 1, "kek_id": found.kek_id}
    return canonical({**about, "begun_at": found.begun_at, "finished_at": found.finished_at})


def _other_kek(what: str, wanted: str, ring: Ring) -> BrokenError:
    at_hand = ", ".join(kek_id(each) for each in ring.keks)
    return BrokenError(
        "other-kek",
        f"{what} needs the key-encryption key {wanted}.",
        why=f"At hand is {at_hand}.",
        do="Bring back the right one: keys/kek from its copy on paper, or what keys.command and keys.former_command in "
        "dueprocess.toml print. If it was rotated a moment ago, start this program again.",
        source="docs/vault.md",
    )

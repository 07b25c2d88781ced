"""Going over to a new key-encryption key: every key is wrapped anew, and a killed rotation is run again.

The order is what makes it safe. The new key-encryption key is on the disk before ``in-use.json`` names it; from then
on nothing is wrapped under the old one; the old one goes when every file was seen under the new one. Each file is
replaced whole under the folder's lock, so that a key that is being destroyed cannot come back.

Source: NIST SP 800-57 part 1, 5.3.5 (cryptoperiods); formats.md, "Vault".
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from dueprocess.errors import BrokenError, RefusedError, UnavailableError
from dueprocess.vault.keksource import FileSource
from dueprocess.vault.keystore import (
    CASES,
    InUse,
    KeyStore,
    locked,
    name_of_secret,
    read_in_use,
    write_in_use,
)
from dueprocess.vault.privatefiles import UNFINISHED, replace_private, sync_folder
from dueprocess.vault.wrapping import Ring, kek_id, needs
from dueprocess.wire import instant


@dataclass(frozen=True, slots=True)
class Rotated:
    """A finished rotation: to which key-encryption key, and how many files were wrapped anew in this run."""

    kek_id: str
    wrapped: int
    files: int
    resumed: bool


def rotate(keys: KeyStore, now: dt.datetime) -> Rotated:
    """Goes over to a new key-encryption key, or finishes a rotation that was begun. Can be run while others work."""
    with locked(keys.folder, exclusive=True):
        before = read_in_use(keys.folder)
        resumed = before is not None and before.unfinished
        kek = _target(keys, before)
        fresh = InUse(
            kek_id(kek), before.begun_at if resumed and before else instant(now.replace(microsecond=0))
        )
        if not resumed:
            write_in_use(keys.folder, fresh)
    ring = Ring.of([kek, *keys.source.keks()], fresh.kek_id)
    wrapped = sum(_wrap_anew(keys, path, name, ring) for path, name in _files(keys.folder))
    with locked(keys.folder, exclusive=True):
        _clear_leftovers(keys.folder)
        files = _all_there(keys.folder, fresh.kek_id)
        keys.source.settle(fresh.kek_id)
        write_in_use(keys.folder, replace(fresh, finished_at=instant(now.replace(microsecond=0))))
    return Rotated(fresh.kek_id, wrapped, files, resumed)


def _target(keys: KeyStore, before: InUse | None) -> bytes:
    """The key-encryption key to go over to: the one that an interrupted rotation named, else the source's next."""
    at_hand = keys.source.keks()
    if before is not None and before.unfinished:
        found = [each for each in at_hand if kek_id(each) == before.kek_id]
        if not found:
            raise BrokenError(
                "other-kek", f"A rotation to the key-encryption key {before.kek_id} was begun, and it is not here.",
                do="Bring it back: what keys.command in dueprocess.toml printed then.", source="docs/vault.md",
            )  # fmt: skip
        return found[0]
    return keys.source.begin(Ring.of(at_hand, before.kek_id if before else None).id)


def _files(folder: Path) -> Iterator[tuple[Path, str]]:
    """Every wrapped file with the name that it is wrapped for."""
    for path in sorted((folder / CASES).glob("*.key")):
        yield path, path.stem
    for path in sorted(folder.glob("*.secret")):
        yield path, name_of_secret(path.stem)


def _wrap_anew(keys: KeyStore, path: Path, name: str, ring: Ring) -> bool:
    """Wraps one file under the new key-encryption key. False where that was done, or the key was destroyed."""
    with locked(keys.folder, exclusive=True):
        try:
            content, at = path.read_bytes(), path.stat().st_mtime
        except FileNotFoundError:
            return False
        except OSError as error:
            raise _stuck(path, error) from error
        if needs(content) == ring.id:
            return False
        bare = path.suffix == ".secret" and needs(content) is None
        plain = keys.secret_in(path) if bare else ring.unwrap(content, name)
        replace_private(path, ring.wrap(plain, name), at=at)
    return True


def _clear_leftovers(folder: Path) -> None:
    """Takes half-named files away: they may hold keys under the old key-encryption key. Nobody writes now."""
    try:
        for place in (folder, folder / CASES):
            for left in place.glob(f"{UNFINISHED}*"):
                left.unlink(missing_ok=True)
            if place.is_dir():
                sync_folder(place)
    except OSError as error:
        raise _stuck(folder, error) from error


def _all_there(folder: Path, wanted: str) -> int:
    """How many files there are, each under the new key-encryption key. Refuses to go on otherwise."""
    count = 0
    for path, _ in _files(folder):
        if needs(path.read_bytes()) != wanted:
            raise UnavailableError(
                "rotation-unfinished", f"{path.name} is still under the old key-encryption key.",
                do="Run dueprocess keys rotate again.",
            )  # fmt: skip
        count += 1
    return count


def change_passphrase(keys: KeyStore, passphrase: str | None) -> None:
    """Sets, changes or (None) removes the passphrase of the key-encryption key. Refuses one in a key service."""
    source = keys.source
    if not isinstance(source, FileSource):
        raise RefusedError(
            "key-service", "The key-encryption key lies in a key service; a passphrase has no place there.",
            do="Protect it there.", source="docs/vault.md",
        )  # fmt: skip
    with locked(keys.folder, exclusive=True):
        found = read_in_use(keys.folder)
        if found is not None and found.unfinished:
            raise RefusedError(
                "rotation-unfinished", "A rotation was begun and not finished.",
                do="Run dueprocess keys rotate first.",
            )  # fmt: skip
        source.change_passphrase(passphrase)


def _stuck(path: Path, error: OSError) -> UnavailableError:
    return UnavailableError(
        "cannot-rotate", f"{path.name} in the key store cannot be read or written.", why=str(error),
        do="Attach the key store, make it writable, and run dueprocess keys rotate again: both keys still open it.",
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Status:
    """What protects the keys: how, under which key-encryption key since when, and how many files need which."""

    kind: str
    kek_id: str
    in_use: InUse | None
    case_keys: int
    secrets: int
    behind: int
    """Files that are not under the key-encryption key in use, or do not say so: the next rotation wraps them."""


def status(keys: KeyStore) -> Status:
    """How the keys are protected now, from the files as they lie there."""
    cases = [each.needs for each in keys.files()]
    secret = [needs(path.read_bytes()) for path in sorted(keys.folder.glob("*.secret"))]
    wanted = kek_id(keys.kek)
    behind = sum(each != wanted for each in (*cases, *secret))
    return Status(keys.source.kind, wanted, read_in_use(keys.folder), len(cases), len(secret), behind)

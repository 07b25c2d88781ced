"""Backups of a running installation: everything but the keys in one archive, the keys in another.

The store is copied first and the files after it, because whatever history names was written before history named
it. Whoever has one of the two archives, or both without the key-encryption key or its passphrase, can open no case.

Source: formats.md, "Vault"; security.md 2.6, rows 20 and 32.
"""

import datetime as dt
import os
import re
import secrets
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import IO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from dueprocess.desk.desk import Desk
from dueprocess.errors import ConflictError, MalformedError, UnavailableError
from dueprocess.library.backup_archive import (
    Manifest,
    Source,
    is_encrypted,
    read_archive,
    recipient_of,
    write_archive,
)
from dueprocess.library.backup_database import StoreState, dump, member_of
from dueprocess.library.installation import SETTINGS_FILE, Installation
from dueprocess.publication.durable import UNFINISHED, exclusively, sync_folder
from dueprocess.tlog.tiles import CHECKPOINT_PATH, HEIGHT, WIDTH, TileName, parse_path
from dueprocess.vault import FileObjects, Objects
from dueprocess.vault.keksource import KEK, NEXT
from dueprocess.vault.keystore import KEY_BACKUP_DAYS, locked, read_in_use
from dueprocess.wire import Json, instant, unb64

from dueprocess import __version__  # isort: skip

BEGUN = ".dueprocess-unfinished"
"""How the hidden name of a backup ends that is being written."""
CASES = "cases"
_NONCE_BYTES = 12
_WRAP_LABEL = b"dueprocess/key-backup/v1\n"
_WHOLE = ("vault", "public", "parcels", "outbox", "packs", "datamaps", "worker/evidence")
_VANISHING = ("vault", "parcels", "outbox")
"""Folders from which an erasure or a purge takes files away at any moment."""


@dataclass(frozen=True, slots=True)
class Made:
    """A finished backup: where, how large, what is in it, and whether it is encrypted to somebody."""

    path: Path
    size: int
    manifest: Manifest
    encrypted: bool
    destroy_on: dt.date | None = None
    """Of a backup of the keys: the day on which it must be destroyed."""


def back_up(desk: Desk, out: Path, now: dt.datetime, *, to: str | None = None) -> Made:
    """Writes everything but the keys into a new file, consistently, while the service runs. Never replaces one.

    The archive is read again before it gets its name, so that an unreadable one never has it.
    """
    place = desk.installation
    with _scratch(place) as scratch:
        # The published head is taken before the store's copy, so that the copy always goes at least as far.
        published = _published(place)
        dumped = scratch / "store"
        state = dump(place.database, dumped)
        about = _about("installation", place, now) | {
            "database": member_of(place.database),
            "head": {"size": state.size, "root": state.root},
            "ledger_seq": state.ledger_seq,
        }
        sources = [Source(member_of(place.database), dumped), *published]
        return _write(desk, out, chain(sources, _files(desk, state)), about, to)


def back_up_keys(desk: Desk, out: Path, now: dt.datetime, *, to: str | None = None) -> Made:
    """Writes the key store and the log's and intake keys into a new file; never the bare key-encryption key.

    Case keys are wrapped as they are; what lies open in the folder is wrapped too; a key-encryption key under a
    passphrase goes in as it lies there. It must be destroyed on the day that `Made.destroy_on` says, and is refused by
    a restore afterwards. Refuses while a rotation is unfinished: the keys would need two key-encryption keys.
    """
    place = desk.installation
    destroy_on = (now + dt.timedelta(days=KEY_BACKUP_DAYS)).date()
    about = _about("keys", place, now) | {"destroy_on": destroy_on.isoformat()}
    with _scratch(place), locked(place.keys, exclusive=False):  # no rotation begins meanwhile
        _refuse_rotating(place)
        made = _write(desk, out, _keys(desk), about, to)
    return replace(made, destroy_on=destroy_on)


@contextmanager
def _scratch(place: Installation) -> Iterator[Path]:
    """A private folder for the store's copy. One backup at a time; what a killed one left is taken away."""
    folder = place.root / ".backup"
    with exclusively(folder):
        try:
            folder.chmod(0o700)
            left = list(folder.iterdir())
        except OSError as error:
            raise _stuck(folder, error) from error
        try:
            _take_away(*left)
            yield folder
        finally:
            _take_away(*folder.iterdir())


def _take_away(*paths: Path) -> None:
    """Removes copies that must not stay: where one cannot be removed, somebody has to know."""
    for path in paths:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise _stuck(path, error) from error


def _stuck(path: Path, error: OSError) -> UnavailableError:
    return UnavailableError(
        "cannot-clear",
        f"{path} could not be made ready or taken away.",
        why=str(error),
        do="It may hold a copy of the store. Check the disk and run the same command again, which takes it away.",
    )


def _about(kind: str, place: Installation, now: dt.datetime) -> dict[str, Json]:
    return {
        "kind": kind,
        "origin": place.origin,
        "made_at": instant(now.replace(microsecond=0)),
        "program": f"dueprocess {__version__}",
    }


# ---------------------------------------------------------------------------------------------- what goes in


def _published(place: Installation) -> list[Source]:
    path = place.log / CHECKPOINT_PATH
    return [Source(f"log/{CHECKPOINT_PATH}", path.read_bytes())] if path.exists() else []


def _files(desk: Desk, state: StoreState) -> Iterator[Source]:
    place = desk.installation
    for name in (SETTINGS_FILE, "clock", "worker/pins.json"):
        if (place.root / name).is_file():
            yield Source(name, place.root / name)
    # One look at the folder decides: a tile that is completed meanwhile must not make its parts superfluous.
    tiles = {path.relative_to(place.log).as_posix(): path for path in _below(place.log / "tile")}
    for name, path in tiles.items():
        if wanted_tile(name, tiles, state.size):
            yield Source(f"log/{name}", path)
    elsewhere = not isinstance(desk.vault.objects, FileObjects)
    yield from _stored(desk.vault.objects) if elsewhere else ()
    for folder in _WHOLE[1:] if elsewhere else _WHOLE:
        yield from _folder(place, folder)
    if place.datamap.is_relative_to(place.root) and not place.datamap.is_relative_to(place.root / "datamaps"):
        yield Source(place.datamap.relative_to(place.root).as_posix(), place.datamap)


def _folder(place: Installation, folder: str) -> Iterator[Source]:
    for path in _below(place.root / folder):
        vanishes = folder.split("/", maxsplit=1)[0] in _VANISHING
        yield Source(path.relative_to(place.root).as_posix(), path, vanishes=vanishes)


def _stored(objects: Objects) -> Iterator[Source]:
    """The objects of a vault that does not lie in the installation's folder, one after the other."""
    for each in objects.listed():
        content = objects.get(each.name)
        if content is not None:  # else its case was erased in this moment
            yield Source(f"vault/{each.name}", content)


def _below(folder: Path) -> Iterator[Path]:
    """Every finished file below a folder, in order."""
    found = (each for each in folder.rglob("*") if each.is_file() and not each.is_symlink())
    yield from sorted(
        each for each in found if not each.name.startswith(UNFINISHED) and each.suffix != ".new"
    )


def wanted_tile(name: str, tiles: Collection[str], size: int) -> bool:
    """Whether the copied store gives this tile, and no fuller one of those that are copied makes it superfluous."""
    try:
        tile = parse_path(name)
    except MalformedError:
        return False
    hashes = size >> HEIGHT * (tile.level or 0)
    if tile.width == WIDTH or (tile.index + 1) * WIDTH > hashes:
        return tile.index * WIDTH + tile.width <= hashes
    return TileName(tile.level, tile.index).path not in tiles


def _keys(desk: Desk) -> Iterator[Source]:
    place, kek = desk.installation, desk.keys.kek
    if desk.keys.source.kind == "passphrase":
        yield Source(KEK, place.keys / KEK)
    for path in _below(place.keys / CASES):
        yield Source(f"{CASES}/{path.name}", path, vanishes=True)
    for path in sorted(place.keys.iterdir()):
        if path.is_file() and path.name not in (KEK, NEXT) and not path.name.startswith(UNFINISHED):
            yield Source(path.name, wrap(path.read_bytes(), path.name, kek))


def _refuse_rotating(place: Installation) -> None:
    found = read_in_use(place.keys)
    if (found is not None and found.unfinished) or (place.keys / NEXT).exists():
        raise ConflictError(
            "rotation-unfinished", "The keys are being wrapped anew, under another key-encryption key.",
            do="Wait until dueprocess keys rotate is done, or run it again; then back up the keys.",
        )  # fmt: skip


def about_kek(desk: Desk) -> str:
    """What protects these backups, in one sentence for whoever made one."""
    path = desk.installation.keys / KEK
    return {
        "file": f"The key-encryption key {path} is in no backup: keep it on paper or on an offline medium, apart from "
        "both archives. Without it nothing can be restored; with it and the archives everything can be read.",
        "passphrase": f"The key-encryption key {path} is in the backup of the keys, under your passphrase. Without the "
        "passphrase nothing can be restored; with it and the archives everything can be read.",
        "command": "The key-encryption key lies in your key service and in no backup. Without it nothing can be "
        "restored; keep a copy of it apart from both archives.",
    }[desk.keys.source.kind]


# ---------------------------------------------------------------------------------------------- keys


def open_kek(path: Path) -> bytes:
    """The key-encryption key in a file, 32 bytes. Refuses a missing file and one that holds something else."""
    try:
        return unb64(path.read_text(encoding="ascii").strip(), length=32)
    except OSError as error:
        raise UnavailableError(
            "no-kek",
            f"The key-encryption key cannot be read from {path}.",
            why=error.strerror or "",
            do="Type the copy that you keep on paper or offline into a file and name that file. Without it nothing "
            "can be restored.",
            source="formats.md, Vault",
        ) from error
    except (MalformedError, UnicodeDecodeError) as error:
        raise _bad_kek(path) from error


def open_keks(path: Path) -> tuple[bytes, ...]:
    """The key-encryption keys in a file, one a line: after a rotation a restore may need two of them."""
    try:
        lines = path.read_text(encoding="ascii").split()
    except (OSError, UnicodeDecodeError):
        lines = []
    if len(lines) < 2:
        return (open_kek(path),)
    try:
        return tuple(unb64(each, length=32) for each in lines)
    except MalformedError as error:
        raise _bad_kek(path) from error


def _bad_kek(path: Path) -> MalformedError:
    return MalformedError(
        "bad-kek", f"{path} does not hold a key-encryption key: one line of 44 characters.",
        do="Compare it with the copy on paper, character by character.",
    )  # fmt: skip


def wrap(content: bytes, name: str, kek: bytes) -> bytes:
    """A key file under the key-encryption key: nonce, then AES-256-GCM with the file's name as associated data."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(kek).encrypt(nonce, content, _WRAP_LABEL + name.encode())


def unwrap(wrapped: bytes, name: str, kek: bytes) -> bytes:
    """Inverse of ``wrap``. Refuses what was changed, or belongs to another file."""
    try:
        return AESGCM(kek).decrypt(
            wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:], _WRAP_LABEL + name.encode()
        )
    except (InvalidTag, ValueError) as error:
        raise MalformedError("backup-damaged", f"The key {name} in this backup cannot be opened.") from error


# ---------------------------------------------------------------------------------------------- writing


def _write(desk: Desk, out: Path, sources: Iterator[Source], about: dict[str, Json], to: str | None) -> Made:
    place, kek = desk.installation, desk.keys.kek
    if to is not None:
        recipient_of(to)
    _refuse_place(place, out)
    fresh = out.with_name(f".{out.name}{BEGUN}")
    try:
        for left in out.parent.glob(f".*{BEGUN}"):  # a killed run's, which may hold keys, whatever its name
            left.unlink()
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            manifest = write_archive(file, sources, about, kek, to=to)
            _sync(file)
        if to is None:
            with fresh.open("rb") as file:
                read_archive(file, kek)
        elif not is_encrypted(fresh):
            raise UnavailableError("cannot-encrypt", "The backup could not be encrypted.")
        size = fresh.stat().st_size
        _refuse_place(place, out)
        fresh.rename(out)
        sync_folder(out.parent)
    except OSError as error:
        raise UnavailableError(
            "cannot-write", f"The backup could not be written to {out}.", why=str(error),
            do="Check the disk space and the permissions, then run the same command again.",
        ) from error  # fmt: skip
    finally:
        _take_away(fresh)
    return Made(out, size, manifest, to is not None)


def _refuse_place(place: Installation, out: Path) -> None:
    if out.exists():
        raise _taken(out)
    folder = out.absolute().parent.resolve()
    inside = [name for name in ("public", "log", "keys", *_WHOLE) if folder.is_relative_to(place.root / name)]
    if inside:
        raise ConflictError(
            "inside-installation", f"{out} lies in the installation's own folder {inside[0]}.",
            why="A backup there would be served to the world, or be in the next backup.",
            do="Name a file on another disk or machine.",
        )  # fmt: skip
    if not re.fullmatch(r"[^\0/]{1,200}", out.name) or not folder.is_dir():
        raise UnavailableError("no-folder", f"There is no folder {folder}.", do="Make it, then run it again.")


def _sync(file: IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())


def _taken(out: Path) -> ConflictError:
    return ConflictError("exists", f"{out} exists already and is not replaced.", do="Name another file.")

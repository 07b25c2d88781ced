"""Parcels on disk: kept as ciphertext until hand-over, copied out once, purged by date."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dueprocess.errors import BrokenError, ConflictError, RefusedError, UnavailableError
from dueprocess.vault.privatefiles import sync_folder

_PIECE = 1024 * 1024


def parcel_path(folder: Path, parcel_id: str) -> Path:
    """Where a parcel's ciphertext lies."""
    return folder / f"{parcel_id}.tar.age"


def purged_path(folder: Path, parcel_id: str) -> Path:
    """The name of a parcel that is being deleted, until history says that it was."""
    return folder / f"{parcel_id}.purged"


def manifest_paths(folder: Path, parcel_id: str) -> tuple[Path, Path]:
    """Where the manifest of a European reply lies beside its parcel: for programs, and for people."""
    return folder / f"{parcel_id}.manifest.json", folder / f"{parcel_id}.manifest.txt"


def check_parcel(folder: Path, parcel_id: str, parcel_sha256: str) -> Path:
    """The parcel, if its bytes are those that history names. Reads in pieces, whatever the size."""
    path = parcel_path(folder, parcel_id)
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UnavailableError(
            "no-parcel", "The parcel cannot be read.", why=str(error), do="Produce it again."
        ) from error
    if found != parcel_sha256:
        raise _altered(path, found, parcel_sha256)
    return path


@contextmanager
def room_for(path: Path, to: Path) -> Iterator[Path]:
    """A hidden file beside ``to`` with room for the parcel and nothing of it yet; gone again at the end.

    A full disk shows here, before a hand-over is recorded as begun, because that could not be taken back.
    """
    if to.is_dir():
        raise RefusedError("is-a-directory", f"{to} is a folder.", do="Name the file to write.")
    if to.exists():
        raise _taken(to)
    fresh = to.with_name(f".{to.name}.new")
    try:
        try:
            with fresh.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
        except OSError as error:
            raise _unwritten(to, error) from error
        yield fresh
    finally:
        # The hand-over is not less done because its second name stays; the next one begins by writing over it.
        with suppress(OSError):
            fresh.unlink(missing_ok=True)


def hand_over(path: Path, parcel_sha256: str, fresh: Path, to: Path) -> None:
    """Copies ciphertext through ``fresh`` to where the requester fetches it. Never over an existing file.

    The bytes that are copied are the bytes whose digest is compared: one flipped bit, and nothing appears.
    """
    digest = hashlib.sha256()
    try:
        with path.open("rb") as source, fresh.open("r+b") as file:
            while piece := source.read(_PIECE):
                digest.update(piece)
                file.write(piece)
            file.truncate()
            file.flush()
            os.fsync(file.fileno())
        if digest.hexdigest() != parcel_sha256:
            raise _altered(path, digest.hexdigest(), parcel_sha256)
        os.link(fresh, to)
        sync_folder(to.parent)  # handed over is recorded next: a power cut must not take the file's name
    except FileExistsError as error:
        raise _taken(to) from error
    except OSError as error:
        raise _unwritten(to, error) from error


def _altered(path: Path, found: str, wanted: str) -> BrokenError:
    return BrokenError(
        "parcel-altered",
        f"The parcel {path.name.split('.')[0]} was changed on disk.",
        why=f"Its digest is {found[:16]}…, history says {wanted[:16]}….",
        do="Do not hand it over. Run dueprocess fsck; restore the parcel from a copy.",
    )


def _taken(to: Path) -> ConflictError:
    return ConflictError("exists", f"{to} exists already and is not replaced.", do="Name another file.")


def _unwritten(to: Path, error: OSError) -> UnavailableError:
    return UnavailableError(
        "cannot-hand-over",
        f"{to} could not be written.",
        why=str(error),
        do="Check the disk; run the command again.",
    )

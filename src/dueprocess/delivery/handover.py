"""Parcels on disk: kept as ciphertext until hand-over, copied out once, purged by date."""

import hashlib
import os
import shutil
from pathlib import Path

from dueprocess.errors import BrokenError, ConflictError, RefusedError, UnavailableError


def parcel_path(folder: Path, parcel_id: str) -> Path:
    """Where a parcel's ciphertext lies."""
    return folder / f"{parcel_id}.tar.age"


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
        raise BrokenError(
            "parcel-altered",
            f"The parcel {parcel_id} was changed on disk.",
            why=f"Its digest is {found[:16]}…, history says {parcel_sha256[:16]}….",
            do="Do not hand it over. Run dueprocess fsck, then produce it again.",
        )
    return path


def hand_over(path: Path, to: Path) -> None:
    """Copies ciphertext to a place that the requester fetches it from. Never over an existing file."""
    if to.is_dir():
        raise RefusedError("is-a-directory", f"{to} is a folder.", do="Name the file to write.")
    fresh = to.with_name(f".{to.name}.new")
    try:
        shutil.copyfile(path, fresh)
        with fresh.open("rb") as file:
            os.fsync(file.fileno())
        os.link(fresh, to)
    except FileExistsError as error:
        raise ConflictError(
            "exists", f"{to} exists already and is not replaced.", do="Name another file."
        ) from error
    except OSError as error:
        raise UnavailableError(
            "cannot-hand-over",
            f"{to} could not be written.",
            why=str(error),
            do="Check the disk; run the command again.",
        ) from error
    finally:
        fresh.unlink(missing_ok=True)

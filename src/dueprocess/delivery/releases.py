"""Releases: parcels that wait to be fetched, each in a folder that the portal may read.

    releases/<parcel id>/parcel        the ciphertext, by a second name
    releases/<parcel id>/release.json  what the portal must know: nothing that names a case or an account
    releases/<parcel id>/receipt       the requester's receipt, encrypted to the requester
    releases/<parcel id>/ended         nothing is fetched any more, whatever the time

The worker writes here, the portal reads. A release is there once its ``release.json`` is.
"""

import hashlib
import os
import re
import shutil
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from dueprocess.errors import BrokenError, MalformedError, UnavailableError
from dueprocess.vault.privatefiles import make_folder, sync_folder, write_private
from dueprocess.wire import canonical, instant, parse_instant, parse_json

PARCEL_ID = re.compile(r"p-[0-9a-f]{16}")
RELEASE_ID = re.compile(r"[0-9a-f]{32}")
_PIECE = 1024 * 1024
_FILE, _RELEASE, _RECEIPT, _ENDED = "parcel", "release.json", "receipt", "ended"


@dataclass(frozen=True, slots=True)
class Release:
    """What may be known of a parcel that waits: opaque ids, digest, size, key, time, and who offers it."""

    parcel_id: str
    release: str
    name: str
    sha256: str
    size_bytes: int
    recipient: str
    expires_at: datetime
    operator: str
    contact: str


def releases_folder(root: Path) -> Path:
    """Where the releases of the installation in ``root`` lie."""
    return root / "releases"


def file_path(folder: Path, parcel_id: str) -> Path:
    """The ciphertext of a release."""
    return folder / parcel_id / _FILE


def receipt_path(folder: Path, parcel_id: str) -> Path:
    """The requester's receipt, encrypted to the requester; there may be none."""
    return folder / parcel_id / _RECEIPT


def offer(folder: Path, release: Release, parcel: Path, receipt: bytes | None) -> None:
    """Makes a release that can be fetched. Can be run again; does nothing to one that is there or has ended.

    Where the parcel has to be copied, the copy is compared with the digest that history names.
    """
    at = folder / release.parcel_id
    if (at / _RELEASE).exists() or (at / _ENDED).exists():
        return
    try:
        make_folder(at)
        _put(parcel, release.sha256, at / _FILE)
        if receipt is not None and not (at / _RECEIPT).exists():
            write_private(at / _RECEIPT, receipt)
        known = {**asdict(release), "v": 1, "expires_at": instant(release.expires_at)}
        write_private(at / _RELEASE, canonical(known))
    except OSError as error:
        raise _stuck(error) from error


def _put(parcel: Path, sha256: str, to: Path) -> None:
    """The parcel's bytes under a second name: no copy where the file system allows that."""
    to.unlink(missing_ok=True)
    try:
        os.link(parcel, to)
    except FileNotFoundError:
        raise
    except OSError:  # another file system, or one without links
        _copy(parcel, sha256, to)
    sync_folder(to.parent)


def _copy(parcel: Path, sha256: str, to: Path) -> None:
    digest, fresh = hashlib.sha256(), to.with_name(".new")
    with parcel.open("rb") as source, fresh.open("wb") as file:
        while piece := source.read(_PIECE):
            digest.update(piece)
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    if digest.hexdigest() != sha256:
        fresh.unlink()
        raise BrokenError(
            "parcel-altered",
            "The parcel was changed on disk while it was released.",
            do="Run dueprocess fsck; restore the parcel from a copy.",
        )
    fresh.replace(to)


def read_release(folder: Path, parcel_id: str) -> Release | None:
    """The release of a parcel, ended or not; None where there is none. Refuses a changed file."""
    if not PARCEL_ID.fullmatch(parcel_id):
        return None
    try:
        found: Any = parse_json((folder / parcel_id / _RELEASE).read_bytes(), _RELEASE)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _stuck(error) from error
    try:
        if found.pop("v") != 1 or found["parcel_id"] != parcel_id:
            raise MalformedError("bad-release", "This is the release of something else.")
        release = Release(**{**found, "expires_at": parse_instant(found["expires_at"])})
        if not RELEASE_ID.fullmatch(release.release):
            raise MalformedError("bad-release", "A release has an id of 32 hex digits.")
    except (MalformedError, KeyError, TypeError, AttributeError) as error:
        raise BrokenError(
            "bad-release",
            f"The release of {parcel_id} cannot be read.",
            why=str(error),
            do="Remove its folder below releases/; the worker makes it again.",
        ) from error
    return release


def is_open(folder: Path, release: Release, now: datetime) -> bool:
    """Whether this very release can be fetched at that instant."""
    at = folder / release.parcel_id
    return now < release.expires_at and (at / _RELEASE).exists() and not (at / _ENDED).exists()


def has_ended(folder: Path, parcel_id: str) -> bool:
    """Whether somebody ended this release before its time."""
    return (folder / parcel_id / _ENDED).exists()


def end(folder: Path, parcel_id: str) -> None:
    """Nothing of this release is served any more. What is being sent stops within one piece."""
    try:
        make_folder(folder / parcel_id)
        (folder / parcel_id / _ENDED).touch()
        sync_folder(folder / parcel_id)
    except OSError as error:
        raise _stuck(error) from error


def remove(folder: Path, parcel_id: str) -> None:
    """Takes a release away; its mark of the end goes last, so that it is never made again half way."""
    at = folder / parcel_id
    try:
        if at.is_dir():
            end(folder, parcel_id)
            for each in at.iterdir():
                if each.name != _ENDED:
                    each.unlink(missing_ok=True)
            sync_folder(at)
            shutil.rmtree(at)
            sync_folder(folder)
    except OSError as error:
        raise _stuck(error) from error


def offered(folder: Path) -> list[str]:
    """Every parcel of which something lies here, ended or not."""
    with suppress(FileNotFoundError, NotADirectoryError):
        return sorted(each.name for each in folder.iterdir() if PARCEL_ID.fullmatch(each.name))
    return []


def _stuck(error: OSError) -> UnavailableError:
    return UnavailableError(
        "cannot-release",
        "The folder of released parcels cannot be used.",
        why=str(error),
        do="Check the disk and the permissions of releases/; the worker tries again.",
    )

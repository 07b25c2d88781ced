"""Parcels on disk while they are made: after a crash no half one stays, and no whole one that no event names.

Until history names it, a parcel has the name of an unfinished one, beside its own once it is whole, and that file
is locked by whoever makes it. What lies there unlocked was left by a killed program.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from dueprocess.delivery.handover import parcel_path
from dueprocess.errors import UnavailableError
from dueprocess.history.append import load_case
from dueprocess.history.docket import docket
from dueprocess.vault.keystore import make_folder, sync_folder

_BEGUN = ".new"


@dataclass(frozen=True, slots=True)
class UnfinishedParcel:
    """A parcel that is being written into ``file`` and will be called ``path``."""

    path: Path
    file: IO[bytes]

    def name(self) -> None:
        """The parcel is whole: its bytes and its own name are safe from here on."""
        try:
            self.file.flush()
            os.fsync(self.file.fileno())
            os.link(self.path.with_suffix(_BEGUN), self.path)
            sync_folder(self.path.parent)
        except OSError as error:
            raise _unwritten(error) from error

    def discard(self) -> None:
        """Takes it away: no event will name it."""
        self.path.unlink(missing_ok=True)
        self.path.with_suffix(_BEGUN).unlink(missing_ok=True)


@contextmanager
def unfinished(path: Path) -> Iterator[UnfinishedParcel]:
    """A file to write a parcel into, ours until the end. Whoever ends well has named it in history."""
    fresh = path.with_suffix(_BEGUN)
    try:
        make_folder(path.parent)
        with fresh.open("wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            sync_folder(path.parent)
            yield UnfinishedParcel(path, file)
            fresh.unlink(missing_ok=True)
    except OSError as error:
        path.unlink(missing_ok=True)
        fresh.unlink(missing_ok=True)
        raise _unwritten(error) from error


def clear_unfinished(folder: Path) -> None:
    """Takes away what a killed production left: half parcels, and whole ones that no event names."""
    left = sorted(folder.glob(f"*{_BEGUN}"))
    named: set[Path] | None = None
    try:
        for fresh in left:
            with fresh.open("rb") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    continue  # somebody is at it
                named = _named(folder) if named is None else named
                path = fresh.with_suffix(".age")
                if path not in named:
                    path.unlink(missing_ok=True)
                    sync_folder(folder)  # the parcel goes before the name by which it is found
                fresh.unlink(missing_ok=True)
    except FileNotFoundError:
        return  # finished in this moment, or cleared by somebody else; the next turn looks again
    except OSError as error:
        raise _unwritten(error) from error


def _named(folder: Path) -> set[Path]:
    """The parcels that history names."""
    return {
        parcel_path(folder, event.text("parcel_id"))
        for line in docket()
        for event in load_case(line.case_id).events
        if event.kind == "DataProduced"
    }


def _unwritten(error: OSError) -> UnavailableError:
    return UnavailableError(
        "cannot-write-parcel",
        "The parcel could not be written; nothing was handed over.",
        why=str(error),
        do="Make room on the disk; the worker tries again.",
    )

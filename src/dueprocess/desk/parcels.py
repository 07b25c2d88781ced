"""Parcels on disk while they are made: after a crash no half one stays, and no whole one that no event names.

Until history names it, a parcel has the name of an unfinished one, beside its own once it is whole, and that file
is locked by whoever makes it. What lies there unlocked was left by a killed program.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from dueprocess.delivery.handover import parcel_path
from dueprocess.errors import UnavailableError
from dueprocess.history.append import load_case
from dueprocess.history.docket import docket
from dueprocess.vault.privatefiles import make_folder, sync_folder

_BEGUN = ".new"


@dataclass(frozen=True, slots=True)
class UnfinishedParcel:
    """A parcel that is being written into ``file`` and will be called ``path``."""

    path: Path
    file: IO[bytes]

    @contextmanager
    def filled(self) -> Iterator[IO[bytes]]:
        """The file to write into. At the end the parcel has its own name, safely; after an error it has none."""
        try:
            yield self.file
            self.file.flush()
            os.fsync(self.file.fileno())
            os.link(_begun(self.path), self.path)
            sync_folder(self.path.parent)
        except OSError as error:
            self.discard()
            raise _unwritten(error) from error
        except BaseException:
            self.discard()
            raise

    def discard(self) -> None:
        """Takes the parcel away, because no event will name it. What cannot be removed now is cleared later."""
        with suppress(OSError):
            self.path.unlink(missing_ok=True)
            _begun(self.path).unlink(missing_ok=True)


@contextmanager
def unfinished(path: Path) -> Iterator[UnfinishedParcel]:
    """A new parcel, ours until the end. Whoever ends without an error has named it in history."""
    fresh = _begun(path)
    try:
        make_folder(path.parent)
        file = fresh.open("wb")
    except OSError as error:
        raise _unwritten(error) from error
    try:
        parcel = UnfinishedParcel(path, file)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            sync_folder(path.parent)
        except OSError as error:
            parcel.discard()
            raise _unwritten(error) from error
        yield parcel
        with suppress(OSError):  # history names the parcel: its other name is cleared later
            fresh.unlink(missing_ok=True)
    finally:
        with suppress(OSError):  # what it may still hold back belongs to a parcel that was thrown away
            file.close()


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


def _begun(path: Path) -> Path:
    return path.with_suffix(_BEGUN)


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

"""Parcels on disk while they are made: after a crash no half one stays, and no whole one that no event names.

A parcel keeps the name of an unfinished one beside its own until history names it. Who is asked to produce next, or
the worker's next turn, finds that name and looks into history.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from dueprocess.delivery.handover import parcel_path
from dueprocess.errors import UnavailableError
from dueprocess.history.append import load_case
from dueprocess.history.docket import docket
from dueprocess.publication.durable import exclusively
from dueprocess.vault.keystore import make_folder, sync_folder

_BEGUN = ".new"


def begun(path: Path) -> Path:
    """The second name of a parcel that history does not name yet."""
    return path.with_suffix(_BEGUN)


@contextmanager
def one_producer(folder: Path) -> Iterator[None]:
    """One program at a time produces. What a killed one left is taken away first."""
    try:
        make_folder(folder)
    except OSError as error:
        raise _unwritten(error) from error
    with exclusively(folder):
        _clear(folder)
        yield


def clear_unfinished(folder: Path) -> None:
    """Takes away what a killed production left. Waits for one that is going on."""
    if any(folder.glob(f"*{_BEGUN}")):
        with exclusively(folder):
            _clear(folder)


def _clear(folder: Path) -> None:
    left = sorted(folder.glob(f"*{_BEGUN}"))
    if not left:
        return
    named = {
        parcel_path(folder, event.text("parcel_id"))
        for line in docket()
        for event in load_case(line.case_id).events
        if event.kind == "DataProduced"
    }
    try:
        for fresh in left:
            path = fresh.with_suffix(".age")
            if path not in named:
                path.unlink(missing_ok=True)
                sync_folder(folder)  # the parcel goes before the name by which it is found
            fresh.unlink(missing_ok=True)
        sync_folder(folder)
    except OSError as error:
        raise _unwritten(error) from error


@contextmanager
def whole_or_nothing(path: Path) -> Iterator[IO[bytes]]:
    """A file to write a parcel into. At the end it has both names, safely; after an error it has none."""
    fresh = begun(path)
    try:
        try:
            with fresh.open("wb") as file:
                sync_folder(path.parent)
                yield file
                file.flush()
                os.fsync(file.fileno())
            os.link(fresh, path)
            sync_folder(path.parent)
        except BaseException:
            path.unlink(missing_ok=True)
            fresh.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise _unwritten(error) from error


def _unwritten(error: OSError) -> UnavailableError:
    return UnavailableError(
        "cannot-write-parcel",
        "The parcel could not be written; nothing was handed over.",
        why=str(error),
        do="Make room on the disk; the worker tries again.",
    )

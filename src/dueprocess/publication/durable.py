"""Writing public files so that a crash leaves the old file or the new one, never half of one."""

import datetime as dt
import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dueprocess.errors import UnavailableError

UNFINISHED = ".new-"
"""How the name of a file begins that is being written. What a killed program left under it means nothing."""


def write_durable(path: Path, data: bytes, *, at: dt.datetime | None = None) -> None:
    """Writes, fsyncs, renames, fsyncs the folder. Readable by everyone: these files are public.

    ``at`` is the time that the file shows (web servers tell it as Last-Modified), so that it does not tell how
    long the work before it took.
    """
    try:
        _make_folder(path.parent)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=UNFINISHED)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                if at is not None:
                    os.utime(file.fileno(), (at.timestamp(), at.timestamp()))
                os.fsync(file.fileno())
            Path(name).chmod(0o644)
            Path(name).replace(path)
        finally:
            Path(name).unlink(missing_ok=True)
        sync_folder(path.parent)
    except OSError as error:
        raise _unpublished(path, error) from error


def read_published(path: Path) -> bytes:
    """What was published there; nothing where there is no such file."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise _unpublished(path, error) from error


def remove_durable(path: Path) -> None:
    """Takes a file away, safely: a power cut does not bring it back."""
    try:
        path.unlink(missing_ok=True)
        sync_folder(path.parent)
    except OSError as error:
        raise _unpublished(path, error) from error


@contextmanager
def exclusively(folder: Path) -> Iterator[None]:
    """No other process or thread is in here for the same folder. The kernel gives the lock back after a crash."""
    try:
        _make_folder(folder)
        handle = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise _unpublished(folder, error) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def clear_unfinished(folder: Path) -> None:
    """Takes away what killed programs left half written here and below. Call it inside `exclusively`."""
    try:
        for each in folder.rglob(f"{UNFINISHED}*"):
            each.unlink(missing_ok=True)
    except OSError as error:
        raise _unpublished(folder, error) from error


def _make_folder(folder: Path) -> None:
    """The folder and those above it, each safe in the one that holds it before anything is written into it."""
    if not folder.is_dir():
        _make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Makes the names in a folder safe: without it a power cut may take a file whose bytes were safe already."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _unpublished(path: Path, error: OSError) -> UnavailableError:
    return UnavailableError(
        "cannot-publish",
        f"{path.name} could not be published; what was there is unchanged.",
        why=str(error),
        do="Check the disk space and the permissions; the next run publishes it.",
    )

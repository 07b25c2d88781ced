"""Writing public files so that a crash leaves the old file or the new one, never half of one."""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dueprocess.errors import UnavailableError


def write_durable(path: Path, data: bytes) -> None:
    """Writes, fsyncs, renames, fsyncs the folder. Readable by everyone: these files are public."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(name).chmod(0o644)
            Path(name).replace(path)
        finally:
            Path(name).unlink(missing_ok=True)
        sync_folder(path.parent)
    except OSError as error:
        raise _unpublished(path, error) from error


@contextmanager
def exclusively(folder: Path) -> Iterator[None]:
    """No other process or thread is in here for the same folder. The kernel gives the lock back after a crash."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise _unpublished(folder, error) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


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

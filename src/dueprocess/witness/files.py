"""Writing small files whole or not at all, readable by their owner only."""

import os
import tempfile
from pathlib import Path

from dueprocess.errors import ConflictError, UnavailableError


def write_new(path: Path, data: bytes) -> None:
    """Writes a file that is not there yet. Refuses to replace one."""
    try:
        name = _written(path, data)
        try:
            os.link(name, path)
        finally:
            Path(name).unlink()
        _sync_folder(path.parent)
    except FileExistsError as error:
        raise ConflictError("exists", f"{path.name} exists already and is never replaced.") from error
    except OSError as error:
        raise _unwritten(path, error) from error


def write_over(path: Path, data: bytes) -> None:
    """Writes a file, or puts new contents in the place of the old ones."""
    try:
        Path(_written(path, data)).replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        raise _unwritten(path, error) from error


def _written(path: Path, data: bytes) -> str:
    """The name of a new file beside ``path`` with these bytes, safe on the disk."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    return name


def _sync_folder(folder: Path) -> None:
    """Without it a power cut may take the name of a file whose bytes were safe already."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _unwritten(path: Path, error: OSError) -> UnavailableError:
    return UnavailableError(
        "cannot-write",
        f"{path.name} could not be written; nothing was changed.",
        why=str(error),
        do="Check the disk space and the permissions, then run the same command again.",
    )

"""Private files: written whole or not at all, safe from a power cut, readable by their owner only.

Files that everybody may read are written by ``publication.durable``.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from dueprocess.errors import ConflictError, UnavailableError

UNFINISHED = ".new-"
"""How the name of a file begins that is being written."""


def write_private(path: Path, data: bytes) -> None:
    """Writes a file that only its owner reads, whole or not at all, and refuses to replace one."""
    with _written(path, data) as fresh:
        os.link(fresh, path)


def replace_private(path: Path, data: bytes, *, at: float | None = None) -> None:
    """Puts a file that only its owner reads in the place of another: after a crash it is the old or the new one.

    ``at`` is the time that the file shows, seconds since 1970, where it must not become younger.
    """
    with _written(path, data, at) as fresh:
        fresh.replace(path)


@contextmanager
def _written(path: Path, data: bytes, at: float | None = None) -> Iterator[Path]:
    """A file beside ``path`` with these bytes, safe on the disk, to be given that name; then the name is made safe."""
    name = ""
    try:
        make_folder(path.parent)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=UNFINISHED)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            if at is not None:
                os.utime(file.fileno(), (at, at))
            os.fsync(file.fileno())
        yield Path(name)
        sync_folder(path.parent)
    except OSError as error:
        if isinstance(error, FileExistsError) and path.exists():
            raise ConflictError("exists", f"{path.name} exists already and is never replaced.") from error
        raise UnavailableError(
            "cannot-write", f"{path.name} could not be written safely.", why=str(error),
            do="Check the disk space and the permissions, then run the same command again.",
        ) from error  # fmt: skip
    finally:
        # What stays may be a second name of the same bytes: `KeyStore.destroy`, a rotation and a sweep look for it.
        with suppress(OSError):
            if name:
                Path(name).unlink(missing_ok=True)


def remove_private(path: Path) -> None:
    """Takes a file away, whether it is there or not; a power cut does not bring it back."""
    try:
        path.unlink(missing_ok=True)
        sync_folder(path.parent)
    except OSError as error:
        raise UnavailableError(
            "cannot-destroy", f"{path.name} could not be removed.", why=str(error),
            do="Make its folder writable and run the same command again.",
        ) from error  # fmt: skip


def make_folder(folder: Path) -> None:
    """Makes a folder and those above it, each name safe before anything is put under it."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True, mode=0o700)
    sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Without it a power cut may take the name of a file whose bytes were safe already."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

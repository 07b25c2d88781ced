"""Writing public files so that a crash leaves the old file or the new one, never half of one."""

import os
import tempfile
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
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise UnavailableError(
            "cannot-publish",
            f"{path.name} could not be published; what was there is unchanged.",
            why=str(error),
            do="Check the disk space and the permissions; the next run publishes it.",
        ) from error

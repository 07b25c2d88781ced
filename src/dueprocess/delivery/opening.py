"""Opening a parcel for a person who hands it over by hand: only one that is encrypted to the case's own key.

Source: formats.md, Parcel: a recorded hand-over.
"""

import io
import json
import os
import tarfile
from pathlib import Path
from typing import Any

import pyrage

from dueprocess.errors import BrokenError, ConflictError, RefusedError, UnavailableError
from dueprocess.vault.privatefiles import sync_folder

MOST_SPOKEN_BYTES = 16 * 1024 * 1024
"""A parcel with a handful of records is far smaller; more is not taken into memory."""


def open_into(parcel: Path, identity: str, fresh: Path, to: Path) -> None:
    """Writes the opened parcel (a tar) through ``fresh`` to a file that only its owner reads.

    Never over an existing file, and never a part: a changed parcel does not open.
    """
    try:
        with parcel.open("rb") as source, fresh.open("r+b") as file:
            os.fchmod(file.fileno(), 0o600)
            pyrage.decrypt_io(source, file, [pyrage.x25519.Identity.from_str(identity)])
            file.truncate()
            file.flush()
            os.fsync(file.fileno())
        os.link(fresh, to)
        sync_folder(to.parent)
    except FileExistsError as error:
        raise ConflictError(
            "exists", f"{to} exists already and is not replaced.", do="Name another file."
        ) from error
    except pyrage.DecryptError as error:
        raise _closed(parcel) from error
    except OSError as error:
        raise UnavailableError(
            "cannot-hand-over",
            f"{to} could not be written.",
            why=str(error),
            do="Check the disk; run the command again.",
        ) from error


def spoken_rows(parcel: Path, identity: str) -> list[tuple[str, dict[str, Any]]]:
    """(table, record) of every record of a small parcel, in order. Nothing touches the disk."""
    if parcel.stat().st_size > MOST_SPOKEN_BYTES:
        raise RefusedError(
            "not-speakable", "This answer is too large to be read out.", do="Hand it over as a file."
        )
    try:
        plain = pyrage.decrypt(parcel.read_bytes(), [pyrage.x25519.Identity.from_str(identity)])
    except pyrage.DecryptError as error:
        raise _closed(parcel) from error
    found = []
    with tarfile.open(fileobj=io.BytesIO(plain)) as bag:
        for member in bag:
            steps = member.name.split("/")  # parcel id, data, store, label.0001.jsonl
            file = bag.extractfile(member)
            if len(steps) != 4 or steps[1] != "data" or not steps[3].endswith(".jsonl") or file is None:
                continue
            table = f"{steps[2]}.{steps[3].split('.')[0]}"
            found += [(table, json.loads(line)) for line in file.read().splitlines()]
    return found


def _closed(parcel: Path) -> BrokenError:
    return BrokenError(
        "parcel-closed",
        f"The parcel {parcel.name.split('.')[0]} does not open with the key of its case.",
        why="It was changed on disk, or it is encrypted to somebody else.",
        do="Do not hand it over. Run dueprocess fsck; restore the parcel from a copy.",
    )

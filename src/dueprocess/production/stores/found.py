"""A file of a subject that exists now, and the error for one that does not."""

from dataclasses import dataclass
from pathlib import Path

from dueprocess.errors import UnavailableError


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file that exists now: a name for the parcel, its place and its size in bytes.

    ``at`` is its time in whole seconds since 1970 where its own name says one (a message in a Maildir).
    """

    name: str
    path: Path
    size: int
    at: int | None = None


def missing(why: str) -> UnavailableError:
    return UnavailableError("file-missing", "A file that a record names could not be read.", why=why)


def kept_in_place(sha256: str, size: int) -> UnavailableError:
    """What is told of a file that must never be copied: its digest and size in bytes."""
    return UnavailableError(
        "kept-in-place",
        "This file is kept in place and never copied; its digest and size alone are told.",
        why=f"SHA-256 {sha256}, {size} bytes.",
        do="Read it from where it lies, under its own decision.",
    )

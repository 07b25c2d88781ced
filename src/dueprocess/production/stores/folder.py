"""Files of a subject in a folder: found by a row, opened below the folder, never through a link out of it."""

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from dueprocess.errors import UnavailableError
from dueprocess.plan import FileQuery, PathPart
from dueprocess.production.stores.facts import Row
from dueprocess.production.stores.found import FoundFile, missing
from dueprocess.production.stores.maildir import messages

CHUNK = 256 * 1024
_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._=@+-]{0,199}")


__all__ = ["CHUNK", "FolderStore", "FoundFile"]


class FolderStore:
    """A folder opened for reading. Each path comes from a row; nothing is listed but a row's own Maildir."""

    def __init__(self, name: str, root: Path) -> None:
        self.name = name
        self._root = root.resolve()
        if not self._root.is_dir():
            raise UnavailableError(
                "store-unavailable",
                f"The folder of the store {name!r} is not there.",
                do="Check the path, and that this user may read it.",
            )

    def files(self, query: FileQuery, row: Row) -> Iterator[FoundFile | UnavailableError]:
        """The file that a row names, or each message of its Maildir inside the window; an error in place of any that
        cannot be read.
        """
        try:
            if query.layout == "maildir":
                yield from self._messages(query, row)
            else:
                yield self.find(query, row)
        except UnavailableError as error:
            yield error

    def _messages(self, query: FileQuery, row: Row) -> Iterator[FoundFile | UnavailableError]:
        """Refuses a Maildir that a link on the way leads to: it could be another account's."""
        root = (self._root / query.root).resolve()
        straight = root / "".join(_piece(part, row) for part in query.parts)
        if not root.is_relative_to(self._root) or straight.resolve() != straight:
            raise missing("a link stands on the way to it")
        if not straight.is_dir():
            raise missing("its Maildir is not there")
        if query.window is None:
            raise missing("the plan has no window for its messages")
        yield from messages(straight, query.window)

    def find(self, query: FileQuery, row: Row) -> FoundFile:
        """The file that a row names. Refuses a name with strange characters, a link out, and what is no file."""
        below = "".join(_piece(part, row) for part in query.parts)
        root = (self._root / query.root).resolve()
        path = (root / below).resolve()
        if not path.is_relative_to(root) or not root.is_relative_to(self._root):
            raise missing("its path leads out of the folder")
        try:
            if not path.is_file():
                raise missing("it is not there")
            size = path.stat().st_size
        except OSError as error:
            raise missing(type(error).__name__) from error
        return FoundFile("_".join(str(row[name]) for name in _columns(query.parts)), path, size)

    @staticmethod
    def chunks(file: FoundFile) -> Iterator[bytes]:
        """Exactly ``size`` bytes of the file. Refuses a file that has become shorter meanwhile."""
        left = file.size
        with _open(file.path) as source:
            while left and (piece := source.read(min(CHUNK, left))):
                left -= len(piece)
                yield piece
        if left:
            raise UnavailableError(
                "file-changed", "A file became shorter while it was read.", do="Run again."
            )

    def close(self) -> None:
        """Nothing stays open between files."""


def _open(path: Path) -> BinaryIO:
    try:
        # O_NOFOLLOW: between the check and now, nobody has put a link in the file's place.
        return os.fdopen(os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)), "rb")
    except OSError as error:
        raise UnavailableError(
            "file-changed", "A file could not be opened.", why=type(error).__name__
        ) from error


def _columns(parts: Sequence[PathPart]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part.column for part in parts if part.column is not None))


def _piece(part: PathPart, row: Row) -> str:
    """The text of a part: literal, or a slice of a value that holds only plain characters."""
    if part.column is None:
        return part.text
    value = str(row[part.column])
    if not _SAFE.fullmatch(value) or ".." in value:
        raise missing("its name holds characters that no path of this map may have")
    piece = value[part.start : part.end]
    if not piece or piece in {".", ".."}:
        raise missing("its name is too short for the path of this map")
    return piece

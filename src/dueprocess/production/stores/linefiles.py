"""Files of text lines as they are at one moment: listed, opened, and read line by line in little memory.

A log is rotated, packed and cut short while it is read. So every file is opened before the first is read, and read
as long as it was then; what cannot be read is told, and never counts as nothing.
"""

import bz2
import errno
import gzip
import lzma
import os
import re
import stat
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import BinaryIO, Protocol

from dueprocess.errors import UnavailableError

_CHUNK = 256 * 1024
_PACKED = (".gz", ".xz", ".bz2")
_TRIES = 3
_XZ_MEMORY = 192 * 1024 * 1024
_TOLD = 5


@dataclass(frozen=True, slots=True)
class Limits:
    """What one question to text files may cost."""

    line_bytes: int = 64 * 1024
    """A longer line is not matched: patterns take more than proportional time for long texts."""
    unpacked_bytes: int = 16 * 1024**3
    """The most bytes that one packed file may unpack to."""
    files: int = 400
    held_bytes: int = 512 * 1024**2
    """Records that wait in memory to be sorted, about."""
    keys: int = 1_000_000
    """Keys of one subject on the way over a hop."""
    values: int = 20_000_000
    """Different values of a column in the question whether one stands twice."""


@dataclass(frozen=True, slots=True)
class LogFile:
    """An opened file: its name, its first ``size`` bytes, and when it was last written (seconds since 1970)."""

    name: str
    source: BinaryIO
    size: int
    written: float


@dataclass(slots=True)
class Trouble:
    """What could not be read. Whoever has any must say so: the rest is not the whole."""

    files: dict[str, str] = field(default_factory=dict)
    overlong: dict[str, int] = field(default_factory=dict)
    lines: int = 0
    doubtful: int = 0

    def file(self, name: str, why: str) -> None:
        self.files.setdefault(name, why)

    def add(self, other: "Trouble") -> None:
        """What another reading of the same files met."""
        for name, why in other.files.items():
            self.file(name, why)
        for name, count in other.overlong.items():
            self.overlong[name] = max(count, self.overlong.get(name, 0))

    def error(self) -> UnavailableError | None:
        """The trouble in a sentence, or None where there was none."""
        said = [f"{name} {why}" for name, why in list(self.files.items())[:_TOLD]]
        said += ["and other files"] if len(self.files) > _TOLD else []
        unread = self.lines + sum(self.overlong.values())
        said += [f"{unread} lines could not be read"] if unread else []
        if self.doubtful:
            said.append(
                f"{self.doubtful} lines carry a key that may belong to another account, and are left out"
            )
        if not said:
            return None
        return UnavailableError(
            "lines-unread",
            "Not everything in these text files could be read.",
            why="; ".join(said) + ".",
            do="See docs/mail-and-vpn.md.",
        )


# --------------------------------------------------------------------------------------------- opening


@contextmanager
def opened_files(root: Path, pattern: str, limits: Limits, trouble: Trouble) -> Iterator[list[LogFile]]:
    """The files whose names match, the oldest first, all opened before the first is read.

    Links are not followed. Refuses a folder in which no name matches: no log is not an empty log.
    """
    with ExitStack() as stack:
        folder = _folder(root)
        stack.callback(os.close, folder)
        yield _stable(stack, folder, pattern, limits, trouble)


def _folder(root: Path) -> int:
    try:
        return os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise UnavailableError(
            "store-unavailable",
            "The folder of text files is not there, or cannot be read.",
            why=type(error).__name__,
        ) from error


def _stable(stack: ExitStack, folder: int, pattern: str, limits: Limits, trouble: Trouble) -> list[LogFile]:
    """The files of one moment: opened again where names have moved meanwhile."""
    for _ in range(_TRIES):
        attempt, found = stack.enter_context(ExitStack()), Trouble()
        names = _names(folder, pattern, found)
        if len(names) > limits.files:
            raise UnavailableError(
                "too-many-files",
                f"More than {limits.files} files have names like {pattern!r}.",
                do="Keep older ones in another folder, or in one packed file.",
            )
        files = [each for name in names if (each := _open(attempt, folder, name, found))]
        if _names(folder, pattern, Trouble()) == names:
            trouble.add(found)
            return sorted(files, key=lambda each: (each.written, each.name))
        attempt.close()
    raise UnavailableError(
        "files-changing", "Text files were renamed while they were opened.", do="Run again in a minute."
    )


def _names(folder: int, pattern: str, trouble: Trouble) -> dict[str, int]:
    """Names that match, with the number of the file behind each. A packed copy of a plain file counts once."""
    found: dict[str, int] = {}
    links: list[str] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(".") or not fnmatchcase(entry.name, pattern):
                continue
            if entry.is_symlink():
                links.append(entry.name)
            elif entry.is_file(follow_symlinks=False):
                found[entry.name] = entry.inode()
    for name in links:
        with suppress(OSError):  # It is gone by now; then the list of names is taken again.
            if os.readlink(name, dir_fd=folder) not in found:
                trouble.file(name, "is a link, and links are not followed")
    if not found and not trouble.files:
        raise UnavailableError(
            "no-files",
            f"No file in the folder has a name like {pattern!r}.",
            why="A log that is not there says nothing about what happened.",
            do="Check `files` and the folder, and that this user may read them.",
        )
    return {name: number for name, number in found.items() if _stem(name) not in found or _stem(name) == name}


def _stem(name: str) -> str:
    """The name that a packed file had before it was packed."""
    return next((name.removesuffix(end) for end in _PACKED if name.endswith(end)), name)


def _open(stack: ExitStack, folder: int, name: str, trouble: Trouble) -> LogFile | None:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        number = os.open(name, flags, dir_fd=folder)
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ELOOP):
            trouble.file(name, f"could not be opened ({type(error).__name__})")
        return None
    source = stack.enter_context(os.fdopen(number, "rb"))
    facts = os.fstat(number)
    if not stat.S_ISREG(facts.st_mode):
        return None
    return LogFile(name, source, facts.st_size, facts.st_mtime)


# --------------------------------------------------------------------------------------------- reading


def lines_of(
    file: LogFile, limits: Limits, needle: bytes, trouble: Trouble, *, every: bool
) -> Iterator[bytes]:
    """The lines of a file from its beginning, without their ends.

    Unless ``every`` is asked for, stretches without ``needle`` are left out. A line that is too long counts as
    unread where it holds the needle, a last line without an end always does.
    """
    rest, overlong, count = b"", _Overlong(needle), 0
    for piece in _guarded(file, limits, trouble):
        block = overlong.feed(piece) if overlong.open else rest + piece
        if not overlong.open and b"\n" not in piece and len(block) > limits.line_bytes:
            overlong.begin()
            block = overlong.feed(block)
        whole, newline, rest = block.rpartition(b"\n")
        for line in whole.split(b"\n") if newline and (every or needle in whole) else ():
            if len(line) <= limits.line_bytes:
                yield line.removesuffix(b"\r")
            else:
                count += needle in line
    if rest or overlong.open:
        trouble.file(file.name, "ends in the middle of a line")
    if count + overlong.count:
        trouble.add(Trouble(overlong={file.name: count + overlong.count}))


class _Overlong:
    """Lines that are longer than any that is matched: let go by, and looked through for the needle."""

    def __init__(self, needle: bytes) -> None:
        self._needle = needle
        self._tail = b""
        self._seen = False
        self.open = False
        self.count = 0

    def begin(self) -> None:
        self._tail, self._seen, self.open = b"", False, True

    def feed(self, piece: bytes) -> bytes:
        """Takes the line's next bytes, and gives back what stands behind its end."""
        part, newline, behind = piece.partition(b"\n")
        self._tail += part
        if not self._seen and self._needle in self._tail:
            self._seen = True
            self.count += 1
        self._tail = self._tail[-len(self._needle) :] if self._needle else b""
        self.open = not newline
        return behind


def _guarded(file: LogFile, limits: Limits, trouble: Trouble) -> Iterator[bytes]:
    """The unpacked bytes, up to the first that cannot be read."""
    try:
        yield from _bytes(file, limits)
    except _TROUBLES as error:
        trouble.file(file.name, str(error) if isinstance(error, _FileError) else _why(error))


class _FileError(Exception):
    """Why a file cannot be read to its end, as the end of a sentence."""


_TROUBLES = (_FileError, OSError, EOFError, zlib.error, lzma.LZMAError)


def _why(error: Exception) -> str:
    damaged = not isinstance(error, OSError) or error.errno is None
    return "could not be unpacked" if damaged else "could not be read"


_BZ2 = re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)", re.DOTALL)
_STRANGERS = {
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\x04\x22\x4d\x18": "lz4",
    b"\x1f\x9d": "compress",
    b"PK\x03\x04": "zip",
}


def _bytes(file: LogFile, limits: Limits) -> Iterator[bytes]:
    file.source.seek(0)
    head = file.source.read(16)
    file.source.seek(0)
    for magic, name in _STRANGERS.items():
        if head.startswith(magic):
            raise _FileError(f"is packed with {name}, which is not read here")
    reading = _reading(head, file)
    if reading is None:
        yield from _plain(file)
        return
    total = 0
    for piece in reading:
        total += len(piece)
        if total > limits.unpacked_bytes:
            raise _FileError(f"unpacks to more than {limits.unpacked_bytes} bytes")
        yield piece


def _reading(head: bytes, file: LogFile) -> Iterator[bytes] | None:
    """The unpacked bytes of a packed file, whatever its name; None for a plain one."""
    if head.startswith(b"\x1f\x8b"):
        return _gunzipped(file.source)
    if head.startswith(b"\xfd7zXZ\x00"):
        return _unpacked(file.source, lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY))
    if _BZ2.match(head):
        return _unpacked(file.source, bz2.BZ2Decompressor)
    return None


def _gunzipped(source: BinaryIO) -> Iterator[bytes]:
    with gzip.GzipFile(fileobj=source, mode="rb") as unpacked:
        while piece := unpacked.read(_CHUNK):
            yield piece


class _Unpacker(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


def _unpacked(source: BinaryIO, fresh: Callable[[], _Unpacker]) -> Iterator[bytes]:
    """Streams one after the other, never more than a chunk of either side in memory."""
    data, unpacker, begun = b"", fresh(), False
    while True:
        if unpacker.eof:
            data, unpacker, begun = unpacker.unused_data.lstrip(b"\0"), fresh(), False
        if not data and unpacker.needs_input:
            data = source.read(_CHUNK)
            if not data and begun:
                raise EOFError
            if not data:
                return
        begun = True
        piece, data = unpacker.decompress(data, _CHUNK), b""
        if piece:
            yield piece


def _plain(file: LogFile) -> Iterator[bytes]:
    """As many bytes as there were, and the rest of the line in which they ended."""
    left = file.size
    while left:
        piece = file.source.read(min(_CHUNK, left))
        left -= len(piece)
        if not piece or os.fstat(file.source.fileno()).st_size < file.size:
            raise _FileError("became shorter while it was read")
        if not left and not piece.endswith(b"\n"):
            more, newline, _ = file.source.read(_CHUNK).partition(b"\n")
            piece += more + newline
        yield piece

"""Packing: a bag in a tar stream, encrypted to one recipient while it is made.

No plaintext is ever on disk: members go from memory or from their source through tar and age into ``out``.

Source: RFC 8493 (BagIt), POSIX.1-2001 (pax), C2SP age.
"""

import datetime as dt
import hashlib
import tarfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import pyrage

from dueprocess.errors import BrokenError, MalformedError
from dueprocess.parcel import BAGIT_TXT, Entry, bag_label, check_path, manifest

MEMBER_BYTES = 32 * 1024 * 1024
"""The most bytes of one member of rows. Media are whole, whatever their size."""


class Sink(Protocol):
    """Where the ciphertext goes: a file opened for writing bytes, a socket, a hash."""

    def write(self, piece: bytes, /) -> object: ...


@dataclass(frozen=True, slots=True)
class Member:
    """One file of the bag: its path in the bag, its exact size in bytes, and its bytes in pieces."""

    path: str
    size: int
    chunks: Iterator[bytes]


@dataclass(frozen=True, slots=True)
class Packed:
    """What may be known outside: digest and size of the ciphertext. The entries stay with the case."""

    parcel_sha256: str
    size: int
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Wrapping:
    """How a parcel is wrapped. ``parcel_id`` is the one top folder of the tar.

    ``made_at`` is the time of every member and the bag's date. ``fields`` go into bag-info.txt.
    """

    parcel_id: str
    recipient: str
    made_at: dt.datetime
    fields: Mapping[str, str]


type Describe = Callable[[Sequence[Entry]], Iterable[Member]]
"""Members that tell about the others (evidence, statement): made when the payload so far is known."""


def whole(path: str, content: bytes) -> Member:
    """A member whose bytes are in memory already."""
    return Member(path, len(content), iter((content,)))


def pack(members: Iterable[Member], wrapping: Wrapping, out: Sink, *, describe: Describe) -> Packed:
    """Streams the bag through tar and age into ``out``. Memory does not grow with the parcel.

    What a member raises comes out as it was; ``out`` then holds a beginning that nothing can open fully, and
    must be thrown away. Refuses a recipient that is not an age X25519 key.
    """
    try:
        recipient = pyrage.x25519.Recipient.from_str(wrapping.recipient)
    except pyrage.RecipientError as error:
        raise MalformedError(
            "bad-recipient",
            "The recipient's key is not an age key.",
            do="Expected a text that begins with age1.",
        ) from error
    bag = _Bag(wrapping)
    reader = _Reader(bag.stream(members, describe))
    writer = _Writer(out)
    try:
        pyrage.encrypt_io(reader, writer, [recipient])
    except (pyrage.EncryptError, OSError) as error:
        raise (reader.failure or writer.failure or _broken(error)) from error
    return Packed(writer.digest.hexdigest(), writer.size, tuple(bag.payload))


def _broken(error: Exception) -> BrokenError:
    return BrokenError("encryption", "The parcel could not be encrypted.", why=str(error)[:200])


class _Bag:
    """The bag as a tar stream: payload as it comes, then what describes it, then the tag files."""

    def __init__(self, wrapping: Wrapping) -> None:
        self._wrapping = wrapping
        self.payload: list[Entry] = []
        check_path(wrapping.parcel_id)

    def stream(self, members: Iterable[Member], describe: Describe) -> Iterator[bytes]:
        for member in members:
            yield from self._file(member, self.payload)
        for member in describe(tuple(self.payload)):
            yield from self._file(member, self.payload)
        wrapping, tags = self._wrapping, list[Entry]()
        info = bag_label(self.payload, on=wrapping.made_at.date(), fields=wrapping.fields)
        for name, content in (
            ("bagit.txt", BAGIT_TXT),
            ("bag-info.txt", info),
            ("manifest-sha256.txt", manifest(self.payload)),
        ):
            yield from self._file(whole(name, content), tags)
        yield from self._file(whole("tagmanifest-sha256.txt", manifest(tags)), tags)
        yield b"\0" * 1024  # Two empty blocks end a tar.

    def _file(self, member: Member, entries: list[Entry]) -> Iterator[bytes]:
        path = check_path(member.path)
        yield self._header(path, member.size)
        digest, size = hashlib.sha256(), 0
        for piece in member.chunks:
            digest.update(piece)
            size += len(piece)
            yield piece
        if size != member.size:
            raise BrokenError("member-size", f"A member of {member.size} bytes gave {size}.")
        yield b"\0" * (-size % 512)
        entries.append(Entry(path, size, digest.hexdigest()))

    def _header(self, path: str, size: int) -> bytes:
        """A header that says nothing about the machine: no owner, one time for all."""
        member = tarfile.TarInfo(f"{self._wrapping.parcel_id}/{path}")
        member.size = size
        member.mtime = int(self._wrapping.made_at.timestamp())
        member.mode = 0o644
        return member.tobuf(tarfile.PAX_FORMAT)


class _Reader:
    """Bytes of a generator as a file to read. Keeps what the generator raised, which age would flatten."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = memoryview(b"")
        self.failure: BaseException | None = None

    def read(self, size: int = -1) -> bytes:
        while not self._rest:
            try:
                self._rest = memoryview(next(self._pieces))
            except StopIteration:
                return b""
            except BaseException as error:
                self.failure = error
                raise
        end = size if size >= 0 else len(self._rest)
        piece, self._rest = bytes(self._rest[:end]), self._rest[end:]
        return piece


class _Writer:
    """Passes ciphertext on and digests it. Keeps what the sink raised."""

    def __init__(self, out: Sink) -> None:
        self._out = out
        self.digest = hashlib.sha256()
        self.size = 0
        self.failure: BaseException | None = None

    def write(self, piece: bytes) -> int:
        try:
            self._out.write(piece)
        except BaseException as error:
            self.failure = error
            raise
        self.digest.update(piece)
        self.size += len(piece)
        return len(piece)

    def flush(self) -> None:
        """Nothing is held back here."""

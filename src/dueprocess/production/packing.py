"""Packing: a bag in a tar stream, encrypted to one recipient while it is made.

No plaintext is ever on disk: members go from memory or from their source through tar and a pipe into the program
that encrypts, and from there into ``out``. The same members give the same plaintext, byte for byte.

Source: RFC 8493 (BagIt), POSIX.1-2001 (pax).
"""

import datetime as dt
import hashlib
import tarfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from dueprocess.errors import BrokenError
from dueprocess.parcel import BAGIT_TXT, Entry, bag_label, check_path, manifest
from dueprocess.production.ciphers import Sink, encrypting

MEMBER_BYTES = 32 * 1024 * 1024
"""The most bytes of one member of rows. Media are whole, whatever their size."""


@dataclass(frozen=True, slots=True)
class Member:
    """One file of the bag: its path in the bag, its exact size in bytes, and its bytes in pieces."""

    path: str
    size: int
    chunks: Iterator[bytes | memoryview]


@dataclass(frozen=True, slots=True)
class Packed:
    """What may be known outside: digest and size of the ciphertext. The entries stay with the case."""

    parcel_sha256: str
    size: int
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Wrapping:
    """How a parcel is wrapped. ``parcel_id`` is the one top folder of the tar.

    ``recipient`` is the text of a key, whose kind follows from how it begins. ``made_at`` is the time of every
    member and the bag's date. ``fields`` go into bag-info.txt.
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
    """Streams the bag through tar and encryption into ``out``. Memory does not grow with the parcel.

    What a member raises comes out as it was; ``out`` then holds a beginning that nothing can open fully, and
    must be thrown away. Refuses a recipient's key that cannot receive before any member is asked for.
    """
    bag = _Bag(wrapping)
    with encrypting(wrapping.recipient, wrapping.made_at, out) as encryption:
        for piece in bag.stream(members, describe):
            encryption.write(piece)
        parcel_sha256, size = encryption.finish()
    return Packed(parcel_sha256, size, tuple(bag.payload))


class _Bag:
    """The bag as a tar stream: payload as it comes, then what describes it, then the tag files."""

    def __init__(self, wrapping: Wrapping) -> None:
        self._wrapping = wrapping
        self.payload: list[Entry] = []
        check_path(wrapping.parcel_id)

    def stream(self, members: Iterable[Member], describe: Describe) -> Iterator[bytes | memoryview]:
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

    def _file(self, member: Member, entries: list[Entry]) -> Iterator[bytes | memoryview]:
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

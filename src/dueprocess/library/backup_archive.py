"""A backup archive: a tar of plain files with a sealed manifest at its end, written and read as a stream.

The manifest names every member with size and SHA-256, and is sealed with HMAC-SHA256 under a key that derives from
the key-encryption key. So a flipped byte, a cut, an exchanged file and a wrong key are told apart before anything
is unpacked. With a recipient the whole tar is an age file.

Source: POSIX.1-2001 (pax), C2SP age, RFC 2104.
"""

import hashlib
import hmac
import os
import tarfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

import pyrage

from dueprocess.errors import MalformedError, RefusedError, UnavailableError
from dueprocess.wire import Json, canonical, parse_json

MANIFEST = "manifest.json"
SEAL = "manifest.hmac"
MOST_NAME = 400
AGE_BEGINS = b"age-encryption.org/"

_PIECE = 1024 * 1024
_BLOCK = 512
_SEAL_LABEL = b"dueprocess/backup-seal/v1\n"
_CHECK_LABEL = b"dueprocess/backup-key-check/v1\n"
_DAMAGED = "Take another copy of the backup; this one cannot be used."


@dataclass(frozen=True, slots=True)
class Source:
    """One file to be put in: its name in the archive, and where it lies or its bytes."""

    name: str
    content: Path | bytes
    vanishes: bool = False
    """Whether it may be gone when its turn comes, because a case is being erased. Else that is an error."""


@dataclass(frozen=True, slots=True)
class Member:
    """One member as the manifest names it."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an archive says about itself: facts about the backup, and every member."""

    about: Mapping[str, Any]
    members: Mapping[str, Member]
    sha256: str
    """Digest of the manifest itself: which backup this is."""


def key_check(kek: bytes) -> str:
    """Tells a wrong key-encryption key from a damaged archive; says nothing about the key."""
    return hmac.new(kek, _CHECK_LABEL, hashlib.sha256).hexdigest()[:16]


def _seal(kek: bytes, manifest: bytes) -> bytes:
    return hmac.new(hmac.new(kek, _SEAL_LABEL, hashlib.sha256).digest(), manifest, hashlib.sha256).digest()


# ---------------------------------------------------------------------------------------------- writing


def write_archive(
    out: IO[bytes], sources: Iterable[Source], about: Mapping[str, Json], kek: bytes, *, to: str | None = None
) -> Manifest:
    """Streams the files and the sealed manifest into ``out``, encrypted to an age recipient if one is given.

    Memory grows with the number of files, not with their size. Refuses what is no age recipient.
    """
    stream = _Stream(about, kek)
    pieces = stream.pieces(sources)
    if to is None:
        for piece in pieces:
            out.write(piece)
        return stream.manifest
    reader = _Reader(pieces)
    try:
        pyrage.encrypt_io(reader, out, [recipient_of(to)])
    except (pyrage.EncryptError, OSError) as error:
        raise (
            reader.failure
            or UnavailableError("cannot-encrypt", "The backup could not be written.", why=str(error)[:200])
        ) from error
    return stream.manifest


def recipient_of(text: str) -> Any:
    """An age recipient. Refuses anything else."""
    try:
        return pyrage.x25519.Recipient.from_str(text)
    except pyrage.RecipientError as error:
        raise MalformedError(
            "bad-recipient", f"{text[:80]!r} is not an age recipient; one begins with age1.",
            do="Make one on another machine with age-keygen and keep its secret half there.",
        ) from error  # fmt: skip


class _Stream:
    """The archive as pieces of bytes, and the manifest once all of it was given."""

    def __init__(self, about: Mapping[str, Json], kek: bytes) -> None:
        self._about = about
        self._kek = kek
        self._members: dict[str, Member] = {}
        self.manifest: Manifest

    def pieces(self, sources: Iterable[Source]) -> Iterator[bytes]:
        for source in sources:
            yield from self._file(source)
        listed: dict[str, Json] = {
            name: {"size": each.size, "sha256": each.sha256} for name, each in self._members.items()
        }
        text = canonical({"v": 1, **self._about, "key_check": key_check(self._kek), "members": listed})
        yield from _plain(MANIFEST, text)
        yield from _plain(SEAL, _seal(self._kek, text).hex().encode())
        yield b"\0" * (2 * _BLOCK)
        self.manifest = _manifest(text)

    def _file(self, source: Source) -> Iterator[bytes]:
        if isinstance(source.content, bytes):
            yield from self._digested(source.name, len(source.content), 0.0, iter((source.content,)))
            return
        try:
            file = source.content.open("rb")
        except FileNotFoundError:
            if source.vanishes:
                return
            raise
        with file:
            found = os.fstat(file.fileno())
            yield from self._digested(
                source.name, found.st_size, found.st_mtime, _exactly(file, found.st_size)
            )

    def _digested(self, name: str, size: int, at: float, chunks: Iterator[bytes]) -> Iterator[bytes]:
        yield _header(name, size, at)
        digest = hashlib.sha256()
        for piece in chunks:
            digest.update(piece)
            yield piece
        yield b"\0" * (-size % _BLOCK)
        self._members[check_name(name)] = Member(size, digest.hexdigest())


def _exactly(file: IO[bytes], size: int) -> Iterator[bytes]:
    """As many bytes as the file had when it was opened. Refuses one that was cut meanwhile."""
    left = size
    while left:
        piece = file.read(min(left, _PIECE))
        if not piece:
            raise UnavailableError(
                "file-changed", f"{Path(str(file.name)).name} became shorter while it was read.",
                do="Run the same command again.",
            )  # fmt: skip
        left -= len(piece)
        yield piece


def _plain(name: str, content: bytes) -> Iterator[bytes]:
    yield _header(name, len(content), 0.0)
    yield content + b"\0" * (-len(content) % _BLOCK)


def _header(name: str, size: int, at: float) -> bytes:
    member = tarfile.TarInfo(name)
    member.size = size
    member.mtime = int(at)
    member.mode = 0o600
    return member.tobuf(tarfile.PAX_FORMAT)


class _Reader:
    """Pieces of bytes as a file to read. Keeps what the pieces raised, which age would flatten."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = b""
        self.failure: Exception | None = None

    def read(self, size: int = -1) -> bytes:
        try:
            while not self._rest:
                self._rest = next(self._pieces)
        except StopIteration:
            return b""
        except Exception as error:
            self.failure = error
            raise
        end = size if size >= 0 else len(self._rest)
        piece, self._rest = self._rest[:end], self._rest[end:]
        return piece


# ---------------------------------------------------------------------------------------------- reading


def read_archive(file: IO[bytes], kek: bytes) -> Manifest:
    """Reads a whole archive and checks every digest and the seal. Raises ``MalformedError`` on any damage.

    Refuses a key-encryption key that is not the one it was made under.
    """
    found: dict[str, Member] = {}
    ends: dict[str, bytes] = {}
    for name, _, chunks in _members(file):
        if name in found or name in ends:
            raise _damaged(f"it holds {name!r} twice")
        if ends and name != SEAL:
            raise _damaged("something follows its manifest")
        if name in (MANIFEST, SEAL):
            ends[name] = b"".join(chunks)
            continue
        digest, size = hashlib.sha256(), 0
        for piece in chunks:
            digest.update(piece)
            size += len(piece)
        found[name] = Member(size, digest.hexdigest())
    if set(ends) != {MANIFEST, SEAL}:
        raise _damaged("its end is missing: it was cut off")
    manifest = _manifest(ends[MANIFEST])
    check_kek(manifest, kek)
    if not hmac.compare_digest(_seal(kek, ends[MANIFEST]).hex().encode(), ends[SEAL]):
        raise _damaged("its manifest is not the one that was sealed")
    _compare(manifest.members, found)
    return manifest


def member(file: IO[bytes], name: str) -> bytes | None:
    """One member of an archive that was not checked yet, None where it holds none of that name.

    Believe only what proves itself, such as a key that its own passphrase opens.
    """
    for found, _, chunks in _members(file):
        content = b"".join(chunks) if found == name else None
        if content is not None:
            return content
        for _ in chunks:
            pass  # a stream goes on only behind what was read
    return None


def check_kek(manifest: Manifest, kek: bytes) -> None:
    """Refuses another key-encryption key than the one that the archive was made under."""
    if manifest.about.get("key_check") != key_check(kek):
        raise RefusedError(
            "wrong-kek",
            "This is not the key-encryption key that the backup was made under.",
            why="Without the right one nothing in it can be opened, and nobody can make it again.",
            do="Take the copy of keys/kek that you keep on paper or offline for this installation.",
            source="formats.md, Vault",
        )


def _compare(named: Mapping[str, Member], found: Mapping[str, Member]) -> None:
    for name in sorted(named.keys() | found.keys()):
        if name not in found:
            raise _damaged(f"{name} is missing")
        if name not in named:
            raise _damaged(f"its manifest does not name {name}")
        if named[name] != found[name]:
            raise _damaged(f"{name} is not what was put in")


def unpack(file: IO[bytes], manifest: Manifest, place: Callable[[str], IO[bytes]]) -> None:
    """Hands each member to the file that ``place`` opens for it, and compares its digest once more.

    Call it on an archive that `read_archive` accepted.
    """
    for name, at, chunks in _members(file):
        if name in (MANIFEST, SEAL):
            continue
        digest = hashlib.sha256()
        with place(name) as out:
            for piece in chunks:
                digest.update(piece)
                out.write(piece)
            out.flush()
            os.utime(out.fileno(), (at, at))
        if digest.hexdigest() != manifest.members[name].sha256:
            raise _damaged(f"{name} changed while it was read")


def check_name(name: str) -> str:
    """A member's name: relative, in its one form, and nowhere but below the folder. Refuses all others."""
    path = PurePosixPath(name)
    plain = name.isprintable() and "\\" not in name and 0 < len(name) <= MOST_NAME
    if not plain or not path.parts or path.is_absolute() or str(path) != name or ".." in path.parts:
        raise _damaged(f"it holds a file with the name {name[:80]!r}, which would lie elsewhere")
    return name


def _members(file: IO[bytes]) -> Iterator[tuple[str, int, Iterator[bytes]]]:
    """(name, time, bytes in pieces) of each member: plain files with plain names and nothing else."""
    try:
        with tarfile.open(fileobj=file, mode="r|") as tar:
            for member in tar:
                if member.type != tarfile.REGTYPE or member.issparse() or member.linkname:
                    raise _damaged(f"{member.name[:80]!r} is not a plain file")
                content = tar.extractfile(member)
                if content is None:
                    raise _damaged(f"{member.name[:80]!r} has no content")
                at = int(member.mtime) if 0 <= member.mtime < 1 << 36 else 0
                yield check_name(member.name), at, _pieces(content, member.size)
    except (tarfile.TarError, EOFError, ValueError, OverflowError, KeyError, IndexError) as error:
        raise _damaged(str(error)[:120] or type(error).__name__) from error


def _pieces(content: IO[bytes], size: int) -> Iterator[bytes]:
    left = size
    while left:
        try:
            piece = content.read(min(left, _PIECE))
        except tarfile.TarError as error:
            raise _damaged(str(error)[:120]) from error
        if not piece:
            raise _damaged("it was cut off")
        left -= len(piece)
        yield piece


def _manifest(text: bytes) -> Manifest:
    found: Any = parse_json(text, "the manifest of a backup")
    try:
        members = {
            check_name(name): Member(int(each["size"]), str(each["sha256"]))
            for name, each in found["members"].items()
        }
        version = found["v"]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _damaged("its manifest has another shape") from error
    if version != 1:
        raise _damaged(f"it is of version {str(version)[:20]}, which this program does not know")
    about = {name: value for name, value in found.items() if name != "members"}
    return Manifest(about, members, hashlib.sha256(text).hexdigest())


def _damaged(why: str) -> MalformedError:
    return MalformedError("backup-damaged", "This backup cannot be used.", why=f"{why}.", do=_DAMAGED)


# ---------------------------------------------------------------------------------------------- encryption


def is_encrypted(path: Path) -> bool:
    """Whether the file is an age file."""
    with path.open("rb") as file:
        return file.read(len(AGE_BEGINS)) == AGE_BEGINS


def decrypt(path: Path, to: Path, identity: str) -> None:
    """Decrypts an age file into another file, which the caller removes. Refuses the wrong identity and damage."""
    try:
        key = pyrage.x25519.Identity.from_str(identity)
    except pyrage.IdentityError as error:
        raise MalformedError(
            "bad-identity", "This is not an age identity; one begins with AGE-SECRET-KEY-1.",
            do="Name the file that age-keygen wrote.",
        ) from error  # fmt: skip
    try:
        with path.open("rb") as file, to.open("wb") as out:
            pyrage.decrypt_io(file, out, [key])
    except pyrage.DecryptError as error:
        raise MalformedError(
            "backup-damaged", "This backup cannot be decrypted.",
            why="It was made for another age identity, or it is damaged.",
            do="Take the identity whose public half was given with --to, or another copy of the backup.",
        ) from error  # fmt: skip

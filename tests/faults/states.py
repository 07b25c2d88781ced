"""Power cuts: every disk that the kernel may leave behind, where writes and names that were not synced are lost.

SIGKILL cannot show a missing fsync: the kernel keeps what a dead program wrote. So the calls of one undisturbed
run are replayed on a small model of a file system, up to each point at which the power may go; of what no fsync had
made safe by then, nothing, any one, any two, or all are lost, or one write is torn in half.

The model promises no more than POSIX: fsync of a file makes its bytes safe and not its name; fsync of a folder makes
the names in it safe. Source: Pillai et al., "All File Systems Are Not Created Equal", OSDI 2014 (ALICE).
"""

import os
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

from faults.calls import OPENING, Call, is_answer

MOST = 9
"""Of more unsafe changes than these, pairs are taken from the first three and the last six: a database writes a
hundred frames of its log before it syncs them, and counts them by a checksum."""

_FIRST_NUMBER = re.compile(r"^(\d+)")
_NUMBERS = re.compile(r", (\d+)(?=[,)]|$)")


@dataclass(frozen=True, slots=True)
class Op:
    """One change: of names, or of the bytes of a file at ``offset``; without ``content`` it is cut there."""

    kind: str
    file: int = -1
    offset: int = 0
    content: bytes | None = None
    old: str = ""
    new: str = ""

    @property
    def folders(self) -> tuple[str, ...]:
        """The folders whose fsync makes a change of names safe."""
        return tuple({str(Path(each).parent) for each in (self.old, self.new) if each})

    def words(self) -> str:
        return f"{self.kind} {self.new or self.old or f'{len(self.content or b"")} bytes at {self.offset}'}"


@dataclass(slots=True)
class Disk:
    """Names → files, files → bytes. Folders are a set of names."""

    names: dict[str, int] = field(default_factory=dict)
    files: dict[int, bytes] = field(default_factory=dict)
    folders: set[str] = field(default_factory=set)
    root: str = ""

    @classmethod
    def read(cls, folder: Path) -> "Disk":
        """What lies in a folder, by its full paths."""
        disk = cls(root=str(folder), folders={str(folder)})
        for path in sorted(folder.rglob("*")):
            if path.is_dir():
                disk.folders.add(str(path))
            else:
                disk.names[str(path)] = len(disk.files)
                disk.files[len(disk.files)] = path.read_bytes()
        return disk

    def copy(self) -> "Disk":
        return Disk(dict(self.names), dict(self.files), set(self.folders), self.root)

    def apply(self, op: Op) -> None:
        if op.kind == "write":
            self._write(op)
        elif op.kind in ("create", "link"):
            self.names.setdefault(op.new, op.file)
            self.files.setdefault(op.file, b"")
        elif op.kind == "rename":
            self.names.pop(op.old, None)
            self.names[op.new] = op.file
            self.files.setdefault(op.file, b"")
        elif op.kind == "unlink":
            self.names.pop(op.old, None)
        elif op.kind == "mkdir":
            self.folders.add(op.new)
        elif op.kind == "rmdir":
            self.folders.discard(op.old)

    def _write(self, op: Op) -> None:
        found = self.files.get(op.file, b"")
        if op.content is None:
            self.files[op.file] = found[: op.offset].ljust(op.offset, b"\0")
            return
        end = op.offset + len(op.content)
        self.files[op.file] = found.ljust(op.offset, b"\0")[: op.offset] + op.content + found[end:]

    def there(self) -> set[str]:
        """The folders that have all folders above them."""
        found = {self.root}
        for name in sorted(self.folders, key=len):
            if os.path.dirname(name) in found:  # noqa: PTH120  a hundred thousand times
                found.add(name)
        return found

    def seen(self) -> dict[str, bytes]:
        """What a restarted system finds: names in folders that are there. Shared memory of SQLite never survives."""
        there = self.there()
        return {
            name: self.files.get(file, b"")
            for name, file in self.names.items()
            if os.path.dirname(name) in there and not name.endswith("-shm")  # noqa: PTH120  as above
        }

    def key(self) -> tuple[frozenset[tuple[str, int, int]], frozenset[str]]:
        """Equal for equal disks. Python keeps the hash of a bytes object: files that did not change cost nothing."""
        files = frozenset((name, hash(found), len(found)) for name, found in self.seen().items())
        return files, frozenset(self.there())

    def write(self, folder: Path) -> None:
        """Puts this disk into a folder in place of what is there."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for name in sorted(self.there() - {self.root}, key=len):
            Path(name).mkdir(mode=0o700)
        for name, content in self.seen().items():
            Path(name).write_bytes(content)
            Path(name).chmod(0o600)  # a witness refuses keys that others can read


@dataclass(frozen=True, slots=True)
class Event:
    """A change, a sync (of a file or of a folder), or the answer of the program."""

    op: Op | None = None
    synced_file: int = -1
    synced_folder: str = ""
    answer: str = ""


class Story:
    """The calls of one run as changes and syncs. ``begun`` is the disk before it."""

    def __init__(self, calls: Sequence[Call], folder: Path, begun: Disk) -> None:
        self.begun = begun
        self.events: list[Event] = []
        self._folder = str(folder)
        self._now = begun.copy()
        self._next = len(begun.files)
        self._open: dict[int, tuple[int, str]] = {}
        self._at: dict[int, int] = {}
        for call in calls:
            if is_answer(call):
                self.events.append(Event(answer=call.texts[0].decode().removeprefix("acked ").strip()))
            elif not call.result.startswith(("-", "?")):
                self._take(call)

    def _add(self, op: Op) -> None:
        self._now.apply(op)
        self.events.append(Event(op))

    def _take(self, call: Call) -> None:
        name = call.name.removesuffix("at2").removesuffix("at")
        if call.name in OPENING:
            self._opened(call)
        elif call.name in ("write", "pwrite64", "ftruncate", "fallocate", "fsync", "fdatasync"):
            self._through(call)
        elif call.path.startswith(self._folder):
            self._named(call, name)

    def _opened(self, call: Call) -> None:
        path = call.path
        if not path.startswith(self._folder):
            self._open.pop(int(call.result), None)
            return
        if path not in self._now.names and "O_CREAT" in call.arguments:
            self._add(Op("create", self._fresh(), new=path))
        file = self._now.names.get(path, -1)
        if "O_TRUNC" in call.arguments and file >= 0 and self._now.files[file]:
            self._add(Op("write", file, 0))
        self._open[int(call.result)] = (file, path)
        self._at[int(call.result)] = 0

    def _fresh(self) -> int:
        self._next += 1
        return self._next

    def _through(self, call: Call) -> None:
        first = _FIRST_NUMBER.match(call.arguments)
        handle = int(first.group(1)) if first else -1
        if handle not in self._open or not call.path.startswith(self._folder):
            return
        file, path = self._open[handle]
        if call.name in ("fsync", "fdatasync"):
            self.events.append(Event(synced_file=file) if file >= 0 else Event(synced_folder=path))
        elif call.name == "write":
            self._add(Op("write", file, self._at[handle], call.texts[0]))
            self._at[handle] += len(call.texts[0])
        else:
            self._sized(call, file)

    def _sized(self, call: Call, file: int) -> None:
        numbers = [int(each) for each in _NUMBERS.findall(call.arguments)]
        if call.name == "pwrite64":
            self._add(Op("write", file, numbers[-1], call.texts[0]))
        elif call.name == "ftruncate":
            self._add(Op("write", file, numbers[-1]))
        else:
            self._add(Op("write", file, max(sum(numbers[-2:]), len(self._now.files[file]))))

    def _named(self, call: Call, name: str) -> None:
        old, new = call.paths[0], call.paths[-1]
        if name == "mkdir":
            self._add(Op("mkdir", new=new))
        elif name == "rmdir" or (name == "unlink" and old in self._now.folders):
            self._add(Op("rmdir", old=old))
        elif name == "unlink":
            self._add(Op("unlink", self._now.names.get(old, -1), old=old))
        elif name == "link":
            self._add(Op("link", self._now.names[old], new=new))
        elif name.startswith("rename"):
            self._add(Op("rename", self._now.names[old], old=old, new=new))


@dataclass(frozen=True, slots=True)
class State:
    """One disk after a power cut: what was lost, and what the program had acknowledged by then."""

    disk: Disk
    acked: str | None
    lost: str


def states(story: Story) -> Iterator[State]:
    """Every different state, by the point of the cut and what is lost there."""
    known = set[object]()
    disks = [story.begun]
    for event in story.events:
        disks.append(disks[-1].copy())
        if event.op is not None:
            disks[-1].apply(event.op)
    for cut in range(len(story.events) + 1):
        past = story.events[:cut]
        acked = next((event.answer for event in reversed(past) if event.answer), None)
        for lost, torn in _losses(past):
            disk = _left(past, disks, lost, torn)
            key = (disk.key(), acked is None)
            if key not in known:
                known.add(key)
                gone = [event.op.words() for at, event in enumerate(past) if event.op and at in lost + torn]
                yield State(disk, acked, f"cut {cut}: {'; '.join(gone) or 'nothing'}")


type Loss = tuple[int, ...]


def _left(past: Sequence[Event], disks: Sequence[Disk], lost: Loss, torn: Loss) -> Disk:
    """The disk at the end of ``past`` without what was lost."""
    first = min(lost + torn, default=len(past))
    disk = disks[first].copy()
    for at in range(first, len(past)):
        op = past[at].op
        if op is None or at in lost:
            continue
        if at in torn and op.content is not None:
            op = Op("write", op.file, op.offset, op.content[: len(op.content) // 2])
        disk.apply(op)
    return disk


def _safe(op: Op, later: Sequence[Event]) -> bool:
    if op.kind == "write":
        return any(event.synced_file == op.file for event in later)
    synced = {event.synced_folder for event in later}
    return all(folder in synced for folder in op.folders)


def _losses(past: Sequence[Event]) -> Iterator[tuple[Loss, Loss]]:
    """Nothing, any one, any two and all that no fsync made safe; and each such write that may be torn."""
    loose = [at for at, event in enumerate(past) if event.op and not _safe(event.op, past[at + 1 :])]
    yield (), ()
    for at in loose:
        yield (at,), ()
    near = loose if len(loose) <= MOST else loose[:3] + loose[3 - MOST :]
    for pair in combinations(near, 2):
        yield pair, ()
    if len(loose) > 2:
        yield tuple(loose), ()
    for at in loose:
        op = past[at].op
        if op is not None and op.content and len(op.content) > 1:
            yield (), (at,)

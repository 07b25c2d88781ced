"""What a traced program asked of the kernel, and which of its calls are worth a fault.

strace prints one line for each call (``-f -y -xx``: every thread, the path behind each descriptor, bytes in hex).
Calls are counted by name and thread as strace's own ``when=N`` counts them.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

WATCHED = (
    "?open", "?creat", "openat", "?openat2", "write", "?writev", "pwrite64", "fsync", "fdatasync", "?rename",
    "renameat", "renameat2", "?link", "linkat", "?unlink", "unlinkat", "?rmdir", "ftruncate", "?truncate",
    "fallocate", "?mkdir", "mkdirat", "?chmod", "fchmod", "fchmodat", "?utimes", "utimensat",
)  # fmt: skip
"""Every call that can change a file. A question mark: not on every machine."""

OPENING = ("open", "creat", "openat", "openat2")
WRITING = ("write", "writev", "pwrite64")
GROWING = (*OPENING, *WRITING, "fsync", "fallocate", "ftruncate", "link", "linkat", "mkdir", "mkdirat",
           "rename", "renameat", "renameat2")  # fmt: skip
"""Calls that a full disk refuses."""

_LINE = re.compile(r"(?P<thread>\d+) +(?P<name>[a-z0-9_]+)\((?P<rest>.*)", re.DOTALL)
_RESULT = re.compile(r"\) += (?P<result>-?\d+|\?)(?:<(?P<path>[^>]*)>)?")
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"(?:\.\.\.)?')
_FD = re.compile(r"(?:^|[ (,])(\d+|AT_FDCWD)<([^>]*)>")
_HEX = re.compile(r"\\x([0-9a-f]{2})")


@dataclass(frozen=True, slots=True)
class Call:
    """One call: ``when`` is its number among the calls of that name by that thread, from 1."""

    thread: int
    name: str
    when: int
    path: str
    """What it changes: the file behind its descriptor, or the path that it names last."""
    paths: tuple[str, ...]
    texts: tuple[bytes, ...]
    arguments: str
    result: str
    opened: str = ""

    @property
    def changes(self) -> bool:
        """Whether it can change what is on the disk: opening a file to read it does not."""
        return self.name not in OPENING or any(
            flag in self.arguments for flag in ("O_CREAT", "O_WRONLY", "O_RDWR", "O_TRUNC")
        )

    @property
    def size(self) -> int:
        """How many bytes a write was to write."""
        return sum(map(len, self.texts)) if self.name in WRITING else 0

    def words(self, folder: str) -> str:
        """The call as a person reads it; names that are different in each run become stars."""
        short = self.path.removeprefix(folder).lstrip("/") or self.path
        short = re.sub(r"[0-9a-f]{32,}", "*", re.sub(r"\.new-\w+", ".new-*", short))
        return f"{self.name} {re.sub(r'p-[0-9a-f]{16}', 'p-*', re.sub(r'pipe:.*', 'answer', short))}"


def unhexed(text: str) -> bytes:
    """The bytes behind strace's hexadecimal text."""
    return bytes.fromhex("".join(_HEX.findall(text)))


def parse(trace: str) -> list[Call]:
    """Every call of a trace in the order in which they began."""
    counts: Counter[tuple[int, str]] = Counter()
    found = []
    for line in trace.splitlines():
        match = _LINE.match(line)
        if (
            match is None
        ):  # a signal, an end, or the second half of a call that was interrupted by another thread
            continue
        thread, name = int(match["thread"]), match["name"]
        counts[thread, name] += 1
        found.append(_call(thread, name, counts[thread, name], match["rest"]))
    return found


def _call(thread: int, name: str, when: int, rest: str) -> Call:
    end = _RESULT.search(rest)
    arguments = rest[: end.start()] if end else rest
    texts = tuple(unhexed(each) for each in _TEXT.findall(arguments))
    held = [unhexed(path) if "\\x" in path else path.encode() for _, path in _FD.findall(arguments)]
    if (
        name in WRITING
        or name in ("fsync", "fdatasync", "ftruncate", "fallocate", "fchmod")
        or (name == "utimensat" and not texts)
    ):
        paths = [each.decode() for each in held[:1]]
    else:
        paths = [each.decode() for each in texts]
    opened = end["path"] or "" if end else ""
    return Call(
        thread, name, when, paths[-1] if paths else "", tuple(paths), texts, arguments,
        end["result"] if end else "?", unhexed(opened).decode() if "\\x" in opened else opened,
    )  # fmt: skip


def worth(calls: Sequence[Call], folder: str) -> list[Call]:
    """The calls of the first thread that change something in the folder, and its answer to who asked."""
    first = calls[0].thread if calls else 0
    return [
        call for call in calls
        if call.thread == first and call.changes and (call.path.startswith(folder) or is_answer(call))
    ]  # fmt: skip


def is_answer(call: Call) -> bool:
    """Whether this is the line by which a program says that it is done."""
    return (
        call.name == "write"
        and call.path.startswith("pipe:")
        and call.texts[:1] != ()
        and (call.texts[0].startswith(b"acked"))
    )


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault at one call. ``kind`` is a name of `KINDS`."""

    kind: str
    call: Call

    @property
    def option(self) -> str:
        """Strace's own words for it."""
        return f"inject={self.call.name}:{KINDS[self.kind]}:when={self.call.when}"


KINDS = {
    "SIGKILL": "signal=SIGKILL",
    "EIO": "error=EIO",
    "ENOSPC": "error=ENOSPC",
    "short write": "delay_enter=80000",
    "stall": "delay_enter=80000",
}
"""Name → what strace does at the call. In the delay the harness limits the size of files, or runs a rival."""


def faults(calls: Iterable[Call], kinds: Iterable[str] = tuple(KINDS)) -> list[Fault]:
    """Every fault that makes sense at these calls. The answer itself can only be killed: it changes nothing."""
    wanted = tuple(kinds)
    return [Fault(kind, call) for call in calls for kind in wanted if _makes_sense(kind, call)]


def _makes_sense(kind: str, call: Call) -> bool:
    if is_answer(call):
        return kind == "SIGKILL"
    if kind == "ENOSPC":
        return call.name in GROWING and (call.name not in OPENING or "O_CREAT" in call.arguments)
    if kind == "short write":
        return call.name in ("write", "pwrite64") and call.size > 1
    return True

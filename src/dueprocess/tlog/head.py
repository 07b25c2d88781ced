"""The text of a checkpoint: a log's origin, size and root, before anyone signs it.

Source: C2SP tlog-checkpoint, "Note text".
"""

import re
from dataclasses import dataclass

from dueprocess.errors import MalformedError
from dueprocess.tlog.merkle import EMPTY_ROOT, HASH_BYTES, MOST_LEAVES
from dueprocess.wire import b64, unb64

_SIZE = re.compile(r"0|[1-9][0-9]{0,15}")
_CONTROL = re.compile("[\x00-\x1f]")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The head of a log: its origin, how many leaves, and the root over them."""

    origin: str
    size: int
    root: bytes
    extension: tuple[str, ...] = ()
    """Opaque further lines. Our logs write none, because nobody audits them; others may."""

    def __post_init__(self) -> None:
        for line in (self.origin, *self.extension):
            if not line or _CONTROL.search(line):
                raise MalformedError(
                    "bad-checkpoint", "A line of a checkpoint is empty or holds a control character."
                )
        if not 0 <= self.size <= MOST_LEAVES or len(self.root) != HASH_BYTES:
            raise MalformedError("bad-checkpoint", "A checkpoint has a size and a root of 32 bytes.")
        if not self.size and self.root != EMPTY_ROOT:
            raise MalformedError("bad-checkpoint", "The root of an empty log is SHA-256 of nothing.")

    @property
    def text(self) -> str:
        """The signed text: origin, size, root, each on its line."""
        return "".join(f"{line}\n" for line in (self.origin, self.size, b64(self.root), *self.extension))


def parse_checkpoint(text: str) -> Checkpoint:
    """A checkpoint from the text of its note. Raises ``MalformedError`` and nothing else.

    Source: tlog-checkpoint, "Note text".
    """
    lines = text.split("\n")
    if len(lines) < 4 or lines.pop():
        raise MalformedError(
            "bad-checkpoint", "A checkpoint has three lines or more, each ended by a newline."
        )
    origin, size, root, *extension = lines
    if not _SIZE.fullmatch(size):
        raise MalformedError(
            "bad-checkpoint", "The second line of a checkpoint is not a size.", why=repr(size[:40])
        )
    return Checkpoint(origin, int(size), unb64(root, length=HASH_BYTES), tuple(extension))

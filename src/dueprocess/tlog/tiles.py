"""Tiles: the files in which a log is published, their names and their bytes.

A tile holds up to 256 hashes of one level (height 8); an entry bundle holds the entries under a tile of
level 0.

Source: C2SP tlog-tiles.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dueprocess.errors import MalformedError
from dueprocess.tlog.merkle import (
    HASH_BYTES,
)

type ReadPath = Callable[[str], bytes]
"""The bytes at a path such as ``tile/0/x001/234``. Raises ``UnavailableError`` (``KeyError`` and
``FileNotFoundError`` mean the same) where there is nothing."""

WIDTH = 256
HEIGHT = 8
MOST_LEVEL = 63
MOST_ENTRY_BYTES = 0xFFFF
CHECKPOINT_PATH = "checkpoint"

_PATH = re.compile(
    r"tile/(?P<level>0|[1-9][0-9]?|entries)"
    r"/(?P<index>(?:x[0-9]{3}/)*[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
)


@dataclass(frozen=True, slots=True, order=True)
class TileName:
    """Which tile. ``level`` is None for a bundle of entries; ``width`` is 256 for a full tile."""

    level: int | None
    index: int
    width: int = WIDTH

    def __post_init__(self) -> None:
        fits = 0 <= (self.level or 0) <= MOST_LEVEL and self.index >= 0 and 1 <= self.width <= WIDTH
        if not fits:
            raise MalformedError("bad-tile", f"There is no tile {self.level}, {self.index}, {self.width}.")

    @property
    def path(self) -> str:
        """``tile/<L>/<N>[.p/<W>]``: N in groups of three digits, an ``x`` before all but the last."""
        digits = str(self.index)
        digits = digits.zfill((len(digits) + 2) // 3 * 3)
        groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
        number = "/".join([*(f"x{each}" for each in groups[:-1]), groups[-1]])
        level = "entries" if self.level is None else str(self.level)
        return f"tile/{level}/{number}" + (f".p/{self.width}" if self.width < WIDTH else "")


def parse_path(path: str) -> TileName:
    """Inverse of ``TileName.path``, one path per tile. Raises ``MalformedError`` and nothing else."""
    found = _PATH.fullmatch(path)
    if found is None or len(path) > 200:
        raise MalformedError("bad-tile-path", "This is not the path of a tile.", why=repr(path[:80]))
    level = None if found["level"] == "entries" else int(found["level"])
    width = WIDTH if found["width"] is None else int(found["width"])
    name = TileName(level, int(found["index"].replace("x", "").replace("/", "")), width)
    if name.path != path:
        raise MalformedError("bad-tile-path", "This is not the path of a tile.", why=repr(path[:80]))
    return name


def format_bundle(entries: Sequence[bytes]) -> bytes:
    """Entries behind their lengths as big-endian u16. Refuses more than 256, and entries over 65,535 bytes."""
    if not 1 <= len(entries) <= WIDTH or max(map(len, entries)) > MOST_ENTRY_BYTES:
        raise MalformedError("bad-bundle", "A bundle has 1 to 256 entries of at most 65,535 bytes.")
    return b"".join([len(each).to_bytes(2, "big") + each for each in entries])


def parse_bundle(data: bytes, *, width: int) -> tuple[bytes, ...]:
    """Exactly ``width`` entries, no byte left over. Raises ``MalformedError`` and nothing else."""
    entries: list[bytes] = []
    at, end = 0, len(data)
    while at + 1 < end and len(entries) < width:
        begin = at + 2
        at = begin + (data[at] << 8 | data[at + 1])
        entries.append(data[begin:at])
    if at != end or len(entries) != width:
        raise MalformedError(
            "bad-bundle", f"This is not a bundle of {width} entries.", source="C2SP tlog-tiles, Log entries"
        )
    return tuple(entries)


def parse_tile(data: bytes, *, width: int) -> list[bytes]:
    """Exactly ``width`` hashes of 32 bytes. Raises ``MalformedError`` and nothing else."""
    if len(data) != width * HASH_BYTES:
        raise MalformedError(
            "bad-tile", f"This is not a tile of {width} hashes.", why=f"it has {len(data)} bytes"
        )
    return [data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)]


def complete_roots(levels: Sequence[Sequence[bytes]]) -> list[bytes]:
    """The roots of the complete subtrees that make up a partial tile, the smallest (rightmost) first."""
    return [each[-1] for each in levels if len(each) & 1]

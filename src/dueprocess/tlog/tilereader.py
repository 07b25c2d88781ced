"""Reading a log from its tiles: nothing is believed before it leads to the root of a checkpoint.

Source: C2SP tlog-tiles.
"""

from collections.abc import Callable, Iterator, Sequence

from dueprocess.errors import MalformedError, UnavailableError
from dueprocess.tlog.checkpoint import Checkpoint
from dueprocess.tlog.merkle import (
    EMPTY_ROOT,
    Frontier,
    consistency_proof,
    inclusion_proof,
    leaf_hashes,
    range_root,
    subtree_hashes,
)
from dueprocess.tlog.tiles import (
    HEIGHT,
    WIDTH,
    ReadPath,
    TileName,
    complete_roots,
    format_bundle,
    parse_bundle,
    parse_path,
    parse_tile,
)

_KEPT_TILES = 128

type Levels = tuple[Sequence[bytes], ...]
"""The hashes of a tile and of the complete subtrees over them, see ``subtree_hashes``: full ones have nine."""


class TileReader:
    """Hashes, entries and proofs of one log at one checkpoint, from tiles that are checked before use.

    A full tile is believed when its root stands in the tile above it; the partial tiles of the right edge
    when they fold to the root of the checkpoint. Each tile is read once and some are kept. Raises
    ``MalformedError`` with the path for a tile that differs, ``UnavailableError`` for one that is missing.
    The checkpoint itself is the caller's to verify (``open_checkpoint``).
    """

    def __init__(self, read: ReadPath, checkpoint: Checkpoint) -> None:
        self._read = read
        self._checkpoint = checkpoint
        self._edge: dict[int, Levels] | None = None
        self._kept: dict[tuple[int, int], Levels] = {}
        self._bundle: tuple[int, tuple[bytes, ...]] | None = None

    @property
    def size(self) -> int:
        return self._checkpoint.size

    def check_root(self) -> None:
        """Raises unless the right edge of the tiles folds to the root of the checkpoint."""
        self._checked_edge()

    def edge_hashes(self, level: int) -> tuple[bytes, ...]:
        """The hashes of the partial tile of a level; none where that level has no partial tile."""
        levels = self._checked_edge().get(level)
        return tuple(levels[0]) if levels else ()

    def edge_entries(self) -> tuple[bytes, ...]:
        """The entries of the partial bundle; none where the last bundle is full."""
        width = self.size % WIDTH
        return tuple(self.entries(self.size - width, self.size))

    def hash_at(self, level: int, index: int) -> bytes:
        """The hash of the complete subtree of 2**level leaves from leaf index * 2**level."""
        if not (level >= 0 and index >= 0 and (index + 1) << level <= self.size):
            raise MalformedError(
                "outside-tree", f"This log of {self.size} leaves has no such complete subtree."
            )
        tile_level, inside = divmod(level, HEIGHT)
        first = index << inside
        return self._tile(tile_level, first // WIDTH)[inside][first % WIDTH >> inside]

    def leaf_hash(self, index: int) -> bytes:
        self._inside(index)
        return self.hash_at(0, index)

    def root_at(self, size: int) -> bytes:
        """The root of the first ``size`` leaves of this tree."""
        if not 0 <= size <= self.size:
            raise MalformedError("outside-tree", f"This log has {self.size} leaves, not {size}.")
        return range_root(0, size, self.hash_at) if size else EMPTY_ROOT

    def inclusion_proof(self, index: int) -> tuple[bytes, ...]:
        """Sibling hashes of leaf ``index`` under this checkpoint, from few tiles."""
        return inclusion_proof(index, self.size, self.hash_at)

    def consistency_proof(self, old_size: int) -> tuple[bytes, ...]:
        """That the tree of ``old_size`` leaves is a prefix of this one, from few tiles."""
        return consistency_proof(old_size, self.size, self.hash_at)

    def entry(self, index: int) -> bytes:
        """The entry at ``index``, checked against its leaf hash."""
        self._inside(index)
        number, at = divmod(index, WIDTH)
        return self._kept_bundle(number)[at]

    def entries(self, start: int, end: int) -> Iterator[bytes]:
        """The entries from ``start`` up to, not including, ``end``."""
        if start < end:
            self._inside(start)
            self._inside(end - 1)
        at = start
        while at < end:
            number, inside = divmod(at, WIDTH)
            some = self._kept_bundle(number)[inside : inside + end - at]
            yield from some
            at += len(some)

    def audit(self) -> Iterator[str]:
        """Checks every file that a log of this size needs, and gives the path of each as it goes.

        From the root down; a bundle right after the tile with the hashes of its entries, so that each file
        is read and hashed once.
        """
        self.check_root()
        for level in range(self.size.bit_length() // HEIGHT, -1, -1):
            hashes = self.size >> HEIGHT * level
            for index in range(-(-hashes // WIDTH)):
                width = len(self._tile(level, index)[0])
                yield TileName(level, index, width).path
                if not level:
                    self._checked_bundle(index)
                    yield TileName(None, index, width).path

    def check_file(self, path: str) -> None:
        """Raises unless the file at ``path``, of this or of an older size, is what this tree has there.

        For every file that is found in a log's directory: also the partial tiles of older checkpoints.
        """
        name = parse_path(path)
        level = name.level or 0
        if name.index * WIDTH + name.width > self.size >> HEIGHT * level:
            raise _differs(path, f"a log of {self.size} leaves has no such file yet")
        if name.level is None:
            expected = format_bundle(self._kept_bundle(name.index)[: name.width])
        else:
            expected = b"".join(self._tile(level, name.index)[0][: name.width])
        if _read(self._read, path) != expected:
            raise _differs(path, "its bytes are not those that this tree has there")

    def _inside(self, index: int) -> None:
        if not 0 <= index < self.size:
            raise MalformedError("outside-tree", f"There is no leaf {index} in a log of {self.size} leaves.")

    def _kept_bundle(self, number: int) -> tuple[bytes, ...]:
        if self._bundle is None or self._bundle[0] != number:
            self._bundle = (number, self._checked_bundle(number))
        return self._bundle[1]

    def _checked_bundle(self, number: int) -> tuple[bytes, ...]:
        hashes = self._tile(0, number)[0]
        data, path = self._fetch(TileName(None, number, len(hashes)), full=len(hashes) == WIDTH)
        width = WIDTH if path == TileName(None, number).path else len(hashes)
        entries = _at(path, lambda: parse_bundle(data, width=width))[: len(hashes)]
        if leaf_hashes(entries) != hashes:
            raise _differs(path, "an entry in it does not have the hash that its leaf has in the tree")
        return entries

    def _tile(self, level: int, index: int) -> Levels:
        full = self.size >> HEIGHT * (level + 1)
        if index >= full:
            return self._checked_edge()[level]
        if (level, index) not in self._kept:
            self._keep(level, index, self._checked_tile(level, index))
        return self._kept[level, index]

    def _keep(self, level: int, index: int, levels: Levels) -> None:
        if len(self._kept) >= _KEPT_TILES:
            del self._kept[next(iter(self._kept))]
        self._kept[level, index] = levels

    def _checked_tile(self, level: int, index: int) -> Levels:
        above = self._tile(level + 1, index // WIDTH)[0][index % WIDTH]
        data, path = self._fetch(TileName(level, index), full=True)
        levels = subtree_hashes(_at(path, lambda: parse_tile(data, width=WIDTH)))
        if levels[HEIGHT][0] != above:
            raise _differs(path, "its hashes do not have the root that the tile above it names")
        return levels

    def _checked_edge(self) -> dict[int, Levels]:
        if self._edge is None:
            edge = {level: self._edge_tile(level, width) for level, width in _edge_widths(self.size)}
            parts = [each for level in sorted(edge) for each in complete_roots(edge[level])]
            if Frontier(self.size, tuple(reversed(parts))).root != self._checkpoint.root:
                paths = ", ".join(
                    TileName(level, self.size >> HEIGHT * (level + 1), width).path
                    for level, width in _edge_widths(self.size)
                )
                raise _differs(
                    paths or "(no tiles)", "its right edge does not have the root of the checkpoint"
                )
            self._edge = edge
        return self._edge

    def _edge_tile(self, level: int, width: int) -> Levels:
        index = self.size >> HEIGHT * (level + 1)
        data, path = self._fetch(TileName(level, index, width), full=False)
        wide = WIDTH if path == TileName(level, index).path else width
        return subtree_hashes(_at(path, lambda: parse_tile(data, width=wide))[:width])

    def _fetch(self, name: TileName, *, full: bool) -> tuple[bytes, str]:
        """The bytes of a tile and their path: the full tile stands in for a partial one that is gone.

        Source: tlog-tiles, "Partial Tiles": logs may delete a partial tile once the full one exists.
        """
        try:
            return _read(self._read, name.path), name.path
        except UnavailableError:
            if full:
                raise
            whole = TileName(name.level, name.index).path
            return _read(self._read, whole), whole


def _edge_widths(size: int) -> Iterator[tuple[int, int]]:
    level = 0
    while size >> HEIGHT * level:
        width = (size >> HEIGHT * level) % WIDTH
        if width:
            yield level, width
        level += 1


def _read(read: ReadPath, path: str) -> bytes:
    try:
        return read(path)
    except (LookupError, FileNotFoundError, NotADirectoryError) as error:
        raise UnavailableError(
            "tile-missing", f"The log has no file {path}.", do="Get the whole log directory again."
        ) from error


def _at[T](path: str, parse: Callable[[], T]) -> T:
    try:
        return parse()
    except MalformedError as error:
        raise _differs(path, error.what) from error


def _differs(path: str, why: str) -> MalformedError:
    return MalformedError(
        "tile-differs",
        f"The log's file {path} is not what the checkpoint says.",
        why=why,
        do="Get the log again; if it stays, the operator's log is damaged or was changed.",
        source="C2SP tlog-tiles, Merkle Tree",
    )

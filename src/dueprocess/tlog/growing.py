"""Growing a log: which tiles and bundles to write when entries are appended to it.

Source: C2SP tlog-tiles.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dueprocess.tlog.checkpoint import Checkpoint
from dueprocess.tlog.merkle import Frontier, leaf_hashes, parent_hashes, subtree_hashes
from dueprocess.tlog.tilereader import TileReader
from dueprocess.tlog.tiles import HEIGHT, WIDTH, ReadPath, TileName, complete_roots, format_bundle


@dataclass(frozen=True, slots=True)
class Growth:
    """What appending entries to a log comes to."""

    frontier: Frontier
    """Of the grown log: its size and root are those to be signed."""
    files: tuple[tuple[str, bytes], ...]
    """(path, bytes) of every tile and bundle to write."""


def tiles_for_growth(
    frontier: Frontier, entries: Sequence[bytes], read: ReadPath
) -> Iterator[tuple[str, bytes]]:
    """(path, bytes) of every tile and bundle to write when these entries are appended to the log."""
    yield from growth(frontier, entries, read).files


def growth(frontier: Frontier, entries: Sequence[bytes], read: ReadPath) -> Growth:
    """The files to write when these entries are appended, and the frontier after that: each hash made once.

    ``frontier`` is the writer's own record of the old tree; the old right edge is read through ``read`` and
    must agree with it, so that a log whose files were damaged cannot grow over the damage. Paths are new:
    nothing written before is replaced, and the partial tiles of older sizes stay.
    """
    if not entries:
        return Growth(frontier, ())
    edge = TileReader(read, Checkpoint("the log itself", frontier.size, frontier.root))
    files = list(_bundles(frontier.size, (*edge.edge_entries(), *entries)))
    fresh, old, level = leaf_hashes(entries), frontier.size, 0
    right: list[bytes] = []
    while fresh:
        hashes = [*edge.edge_hashes(level), *fresh]
        files += _tiles(level, old // WIDTH, hashes)
        full = len(hashes) // WIDTH * WIDTH
        right += complete_roots(subtree_hashes(hashes[full:]))
        fresh = hashes[:full]
        for _ in range(HEIGHT):
            fresh = parent_hashes(fresh)
        old, level = old // WIDTH, level + 1
    left = frontier.hashes[: old.bit_count()]
    return Growth(Frontier(frontier.size + len(entries), (*left, *reversed(right))), tuple(files))


def _bundles(old: int, entries: Sequence[bytes]) -> Iterator[tuple[str, bytes]]:
    for number, at in enumerate(range(0, len(entries), WIDTH), start=old // WIDTH):
        some = entries[at : at + WIDTH]
        yield TileName(None, number, len(some)).path, format_bundle(some)


def _tiles(level: int, first: int, hashes: Sequence[bytes]) -> Iterator[tuple[str, bytes]]:
    for number, at in enumerate(range(0, len(hashes), WIDTH), start=first):
        some = hashes[at : at + WIDTH]
        yield TileName(level, number, len(some)).path, b"".join(some)

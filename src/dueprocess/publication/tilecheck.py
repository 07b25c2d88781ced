"""Every file of the published log, compared with what the leaves in the database give."""

from collections.abc import Iterator
from pathlib import Path

from dueprocess.errors import MalformedError
from dueprocess.history import ledger
from dueprocess.tlog.merkle import leaf_hash, root_of
from dueprocess.tlog.tiles import WIDTH, TileName, format_bundle, parse_path


def tile_faults(folder: Path) -> Iterator[tuple[str, str]]:
    """(path, what is wrong) of each file of the log folder that differs from the database."""
    head = ledger.head()
    if head is None:
        return
    entries = [entry.encode() for entry in ledger.entries(0, head.size)]
    levels = [[leaf_hash(entry) for entry in entries]]
    while len(levels[-1]) >= WIDTH:
        below = levels[-1]
        levels.append([root_of(below[at : at + WIDTH]) for at in range(0, len(below) - WIDTH + 1, WIDTH)])
    checkpoint = folder / "checkpoint"
    if not checkpoint.exists() or checkpoint.read_text() not in {each.checkpoint for each in ledger.heads()}:
        yield "checkpoint", "it is not a head that this log signed"
    for path in sorted(each for each in folder.rglob("*") if each.is_file() and each != checkpoint):
        name = path.relative_to(folder).as_posix()
        try:
            wanted = _content(parse_path(name), entries, levels)
        except MalformedError:
            yield name, "it has no place in a log"
            continue
        if path.read_bytes() != wanted:
            yield name, "it differs from what the leaves give"


def _content(name: TileName, entries: list[bytes], levels: list[list[bytes]]) -> bytes:
    start = name.index * WIDTH
    if name.level is None:
        return format_bundle(entries[start : start + name.width])
    hashes = levels[name.level] if name.level < len(levels) else []
    return b"".join(hashes[start : start + name.width])

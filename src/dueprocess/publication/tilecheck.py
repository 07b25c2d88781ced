"""Every file of the published log, compared with what the newest signed head in the database gives."""

from collections.abc import Iterator
from pathlib import Path

from dueprocess.errors import DueprocessError
from dueprocess.history import ledger
from dueprocess.publication.log import read_log_file
from dueprocess.tlog.checkpoint import parse_checkpoint
from dueprocess.tlog.note import parse_note
from dueprocess.tlog.tiles import CHECKPOINT_PATH, TileReader


def tile_faults(folder: Path) -> Iterator[tuple[str, str]]:
    """(path, what is wrong) of each file of the log folder that does not belong to the signed head."""
    head = ledger.head()
    if head is None:
        return
    checkpoint = folder / CHECKPOINT_PATH
    published = checkpoint.read_bytes() if checkpoint.exists() else b""
    if published.decode("utf-8", "replace") not in {each.checkpoint for each in ledger.heads()}:
        yield CHECKPOINT_PATH, "it is not a head that this log signed"
        published = head.checkpoint.encode()
    reader = TileReader(
        lambda path: read_log_file(folder, path), parse_checkpoint(parse_note(published).text)
    )
    try:
        for _ in reader.audit():
            pass
    except DueprocessError as error:
        yield "tile", f"{error.what} {error.why}".strip()
        return
    for path in sorted(each for each in folder.rglob("*") if each.is_file() and each != checkpoint):
        name = path.relative_to(folder).as_posix()
        try:
            reader.check_file(name)
        except DueprocessError as error:
            yield name, f"{error.what} {error.why}".strip()

"""Every file of the published log, compared with what the newest signed head in the database gives."""

from collections.abc import Iterator
from pathlib import Path

from dueprocess.errors import DueprocessError
from dueprocess.history import ledger
from dueprocess.publication.durable import UNFINISHED
from dueprocess.publication.log import read_log_file
from dueprocess.tlog.checkpoint import open_checkpoint, parse_checkpoint
from dueprocess.tlog.note import parse_note
from dueprocess.tlog.policy import NO_QUORUM, Policy
from dueprocess.tlog.tilereader import TileReader
from dueprocess.tlog.tiles import CHECKPOINT_PATH


def tile_faults(folder: Path, policy: Policy) -> Iterator[tuple[str, str]]:
    """(path, what is wrong) of each file of the log folder that does not belong to the signed heads.

    The checkpoint must be a head that the database holds, with every signature that the log made and no bad
    one. The tiles are those of the newest head, which may be ahead of it while witnesses do not answer.
    """
    head = ledger.head()
    if head is None:
        return
    checkpoint = folder / CHECKPOINT_PATH
    published = checkpoint.read_bytes() if checkpoint.exists() else b""
    if wrong := _checkpoint_fault(published, policy):
        yield CHECKPOINT_PATH, wrong
    reader = TileReader(
        lambda path: read_log_file(folder, path), parse_checkpoint(parse_note(head.checkpoint.encode()).text)
    )
    try:
        for _ in reader.audit():
            pass
    except DueprocessError as error:
        yield "tile", f"{error.what} {error.why}".strip()
        return
    files = (each for each in folder.rglob("*") if each.is_file() and not each.name.startswith(UNFINISHED))
    for path in sorted(each for each in files if each != checkpoint):
        name = path.relative_to(folder).as_posix()
        try:
            reader.check_file(name)
        except DueprocessError as error:
            yield name, f"{error.what} {error.why}".strip()


def _checkpoint_fault(data: bytes, policy: Policy) -> str:
    """What is wrong with a published checkpoint, or nothing. A log that never met its quorum has published none."""
    if not data:
        return "" if policy.quorum != NO_QUORUM and not any(ledger.cosigned()) else "it is missing"
    try:
        opened = open_checkpoint(data, policy.unwitnessed)
    except DueprocessError as error:
        return f"{error.what} {error.why}".strip()
    ours = ledger.head_at(opened.checkpoint.size)
    if ours is None or not data.startswith(ours.checkpoint.encode()):
        return "it is not a head that this log signed"
    unsigned = {each.vkey for each in policy.logs} - set(opened.log_vkeys)
    return f"it lacks the log's signature {min(each.text for each in unsigned)[:80]}" if unsigned else ""

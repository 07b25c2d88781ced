"""The mark of a restored installation: while it stands, nothing is signed, published or produced.

`dueprocess restore` leaves it, `dueprocess recover-log` takes it away when two people have recovered the log.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dueprocess.errors import MalformedError, RefusedError, UnavailableError
from dueprocess.library.installation import Installation
from dueprocess.publication.durable import sync_folder, write_durable
from dueprocess.wire import canonical, parse_json

_KEYS = {"v", "marked_at", "backup_made_at", "head_size", "head_root", "ledger_seq"}


@dataclass(frozen=True, slots=True)
class Restored:
    """How far the store was when it was put back, or found to be behind: head, and last ledger number."""

    marked_at: str
    backup_made_at: str | None
    """When the backup was made; None for a copy that came without `dueprocess restore`."""
    head_size: int
    head_root: str
    ledger_seq: int


def restored_path(place: Installation) -> Path:
    return place.worker / "restored.json"


def mark(path: Path, found: Restored) -> None:
    """Leaves the mark, safe on the disk before anything rests on it."""
    write_durable(
        path,
        canonical(
            {
                "v": 1,
                "marked_at": found.marked_at,
                "backup_made_at": found.backup_made_at,
                "head_size": found.head_size,
                "head_root": found.head_root,
                "ledger_seq": found.ledger_seq,
            }
        ),
    )


def read_mark(place: Installation) -> Restored | None:
    """The mark, if it stands. Refuses one that was changed into something else."""
    try:
        data = restored_path(place).read_bytes()
    except FileNotFoundError:
        return None
    found: Any = parse_json(data, "the mark of a restored installation")
    try:
        marked = Restored(**{name: found[name] for name in _KEYS - {"v"}})
        fits = set(found) == _KEYS and found["v"] == 1 and min(marked.head_size, marked.ledger_seq) >= 0
    except (TypeError, KeyError) as error:
        raise _bad() from error
    if not fits:
        raise _bad()
    return marked


def _bad() -> MalformedError:
    return MalformedError(
        "bad-mark", "worker/restored.json has other content than it should.",
        do="Restore the backup again into an empty folder.",
    )  # fmt: skip


def unmark(place: Installation) -> None:
    """Takes the mark away, for good."""
    path = restored_path(place)
    try:
        path.unlink(missing_ok=True)
        sync_folder(path.parent)
    except OSError as error:
        raise UnavailableError(
            "cannot-unmark", "worker/restored.json could not be removed.", why=str(error),
            do="Check its permissions and run the same command again.",
        ) from error  # fmt: skip


def refuse_restored(place: Installation) -> None:
    """Refuses while the installation is a restored copy that was not recovered."""
    if not restored_path(place).exists():
        return
    raise RefusedError(
        "restored",
        "This installation was restored from a backup, and its log is not recovered yet: nothing is signed, "
        "published, produced or handed over.",
        why="What happened after the backup is missing here. Signed on from here, the log would contradict what "
        "others have seen of it, and an objection or an order that came since could be overlooked.",
        do="Two people recover it: dueprocess recover-log --from LOG --signer KEY --signer KEY (docs/backup.md).",
        source="security.md 2.6, row 20; C2SP tlog-witness",
    )

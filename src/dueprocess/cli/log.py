"""`dueprocess log`: the public log's head, and where it lies."""

from dueprocess.cli.place import Place
from dueprocess.cli.printing import counted
from dueprocess.errors import RefusedError
from dueprocess.history import ledger
from dueprocess.tlog.checkpoint import open_checkpoint


def log_command(*, place: Place | None = None) -> None:
    """Show the head of the public log and the key to check it with."""
    at = place or Place()
    desk, _ = at.open()
    head = ledger.head()
    if head is None:
        raise RefusedError("empty-log", "The log has no leaf yet.", do="Let the worker run.")
    opened = open_checkpoint(head.checkpoint.encode(), desk.policy)
    witnessed = ", ".join(name for name, _ in opened.witnesses) or "none: unwitnessed"
    signed = f"signed {head.signed_at}" if head.signed_at else "signed by init; no epoch has closed yet"
    lines = [
        f"{counted(head.size, 'leaf', 'leaves')}, {signed}, root {head.root}",
        f"independent timekeepers: {witnessed}",
        f"files: {desk.installation.log}",
        "",
        head.checkpoint,
    ]
    at.say(
        lines,
        {"size": head.size, "root": head.root, "signed_at": head.signed_at, "checkpoint": head.checkpoint},
    )

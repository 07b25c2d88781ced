"""`dueprocess log`: how far the public log is, how far the world can see it, and who witnessed it."""

import datetime as dt

from dueprocess.cli.place import Place
from dueprocess.cli.printing import counted, cut
from dueprocess.desk.desk import Desk
from dueprocess.errors import MalformedError, RefusedError
from dueprocess.history import ledger
from dueprocess.tlog.checkpoint import OpenedCheckpoint, open_checkpoint
from dueprocess.tlog.policy import NO_QUORUM
from dueprocess.tlog.tiles import CHECKPOINT_PATH
from dueprocess.wire import instant


def log_command(*, place: Place | None = None) -> None:
    """Show the head of the public log, what of it is published, and who witnessed it when."""
    at = place or Place()
    desk, _ = at.open()
    head = ledger.head()
    if head is None:
        raise RefusedError("empty-log", "The log has no leaf yet.", do="Let the worker run.")
    data = _published(desk)
    opened = open_checkpoint(data, desk.policy.unwitnessed) if data else None
    size = opened.checkpoint.size if opened else 0
    signed = f"signed {head.signed_at}" if head.signed_at else "signed by init; no epoch has closed yet"
    lines = [
        f"{counted(head.size, 'leaf', 'leaves')}, {signed}, root {head.root}",
        _how_far(size, head.size),
        *_witnessed(desk, opened, data),
        f"files: {desk.installation.log}",
        "",
        *(cut(line) for line in (data.decode() or head.checkpoint).splitlines()),
    ]
    at.say(
        lines,
        {
            "size": head.size,
            "root": head.root,
            "signed_at": head.signed_at,
            "published_size": size,
            "witnessed": _accepted(desk, data),
            "witnesses": {name: _time(at) for name, at in opened.witnesses} if opened else {},
            "checkpoint": data.decode() or head.checkpoint,
        },
    )


def _published(desk: Desk) -> bytes:
    path = desk.installation.log / CHECKPOINT_PATH
    return path.read_bytes() if path.exists() else b""


def _how_far(size: int, head_size: int) -> str:
    if size == head_size:
        return "published: all of them"
    return f"published: {size or 'none'} of them; the rest waits for witnesses, and so does every hand-over"


def _witnessed(desk: Desk, opened: OpenedCheckpoint | None, data: bytes) -> list[str]:
    """One line for each witness of the policy, and one that says what it comes to."""
    policy = desk.policy
    if not policy.witnesses:
        return [
            "independent timekeepers: none, so this log is unwitnessed: only its operator vouches for its times"
        ]
    times = dict(opened.witnesses) if opened else {}
    lines = [
        f"  {each.name}: signed {_time(times[each.vkey.name])}"
        if each.vkey.name in times
        else f"  {each.name}: has not signed"
        for each in policy.witnesses
    ]
    if policy.quorum == NO_QUORUM:
        verdict = "unwitnessed: the policy needs none of them"
    elif _accepted(desk, data):
        verdict = "enough of them signed what is published"
    else:
        verdict = "unwitnessed: too few of them signed what is published"
    return [f"independent timekeepers: {verdict}", *lines]


def _accepted(desk: Desk, data: bytes) -> bool:
    try:
        return open_checkpoint(data, desk.policy).witnessed
    except MalformedError:
        return False


def _time(seconds: int) -> str:
    return instant(dt.datetime.fromtimestamp(seconds, dt.UTC))

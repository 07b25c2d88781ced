"""A program that does one thing in an office and is killed on the way: `kill -9` to itself at a chosen call.

    python killed.py ROOT INSTANT MODULE:FUNCTION N before|after VERB [ARGUMENT …]

The N-th call of the named function is the place: the process dies before or after it.
"""

import importlib
import os
import signal
import sys
from pathlib import Path
from typing import Any

from dueprocess.desk import erasing, handover, notices, production, setup
from dueprocess.desk.desk import open_desk
from dueprocess.desk.filekeys import open_key
from dueprocess.wire import parse_instant


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def arm(where: str, number: int, when: str) -> None:
    """Puts the kill into the place of a function, before or after its N-th call."""
    module, name = where.split(":")
    owner = importlib.import_module(module)
    real, calls = getattr(owner, name), 0

    def fatal(*args: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == number and when == "before":
            die()
        result = real(*args, **named)
        if calls == number:
            die()
        return result

    setattr(owner, name, fatal)


def main(root: str, at: str, place: tuple[str, int, str], verb: str, rest: list[str]) -> None:
    now = parse_instant(at)
    if verb == "init":
        founders = [open_key(Path(path)) for path in rest[1:]]
        arm(*place)
        setup.create(Path(root), setup.NewInstallation(**eval(rest[0])), founders, now)
        return
    desk = open_desk(Path(root))
    arm(*place)
    if verb == "close_due":
        desk.log().close_due(now)
    elif verb == "produce":
        production.produce(desk, rest[0], "t1", {"PLATFORM_DSN": rest[1]}, now=now)
    elif verb == "deliver":
        handover.deliver(desk, rest[0], "t1", Path(rest[1]), actor="boris", now=now)
    elif verb == "erase":
        signers = [open_key(Path(path)) for path in rest[1:]]
        erasing.erase(desk, rest[0], "received-in-error", signers, now=now)
    elif verb == "notify":
        notices.notify(desk, rest[0], "t1", actor="worker", now=now)


if __name__ == "__main__":
    given = sys.argv[1:]
    main(given[0], given[1], (given[2], int(given[3]), given[4]), given[5], given[6:])

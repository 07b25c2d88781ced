"""A turn of the production worker about holds that is killed on the way: `kill -9` to itself at a chosen call.

python hold_killed.py ROOT INSTANT MODULE:OWNER.FUNCTION N before|after DSN
"""

import importlib
import os
import signal
import sys
from pathlib import Path
from typing import Any

from dueprocess.desk import keeping
from dueprocess.desk.desk import open_desk
from dueprocess.wire import parse_instant


def arm(where: str, number: int, when: str) -> None:
    """Puts the kill into the place of a function or method, before or after its N-th call."""
    module, name = where.split(":")
    owner: Any = importlib.import_module(module)
    *outer, last = name.split(".")
    for each in outer:
        owner = getattr(owner, each)
    real, calls = getattr(owner, last), 0

    def fatal(*args: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == number and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = real(*args, **named)
        if calls == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, last, fatal)


if __name__ == "__main__":
    root, at, place, count, order, dsn = sys.argv[1:]
    desk = open_desk(Path(root))
    arm(place, int(count), order)
    keeping.keep(desk, {"PLATFORM_DSN": dsn}, lambda: parse_instant(at))

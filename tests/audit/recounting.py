"""The recount of a made-up ledger with parts of its bundle exchanged, and what it found."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from audit.synthetic import World
from dueprocess.audit.recount import recount
from dueprocess.audit.result import Recount
from dueprocess.wire import canonical


def codes(found: Recount) -> set[str]:
    return {each.code for each in found.faults}


def count(world: World, **changes: object) -> Recount:
    """The recount of a world, with parts of its bundle exchanged."""
    return recount(replace(world.bundle(), **changes), world.log())  # type: ignore[arg-type]


def lines(world: World) -> list[bytes]:
    return [bytes(each) for each in world.bundle().records]


def edited(line: bytes, change: Callable[[dict[str, Any]], None]) -> bytes:
    value = json.loads(line)
    change(value)
    return canonical(value)

"""Kills a call at its n-th operation on files, as `kill -9` does: in a child, without any cleaning up."""

import os
import sys
from collections.abc import Callable

OPERATIONS = {"open", "os.rename", "os.remove", "os.link", "os.utime", "os.mkdir", "os.listdir", "os.scandir"}
DIED, ENDED = 9, 0


def killed_at(number: int, act: Callable[[], object]) -> bool:
    """Whether the call was still going on at that operation; it did not see what came for it."""
    child = os.fork()
    if child == 0:
        count = 0

        def watch(event: str, _: object) -> None:
            nonlocal count
            if event in OPERATIONS:
                count += 1
                if count == number:
                    os._exit(DIED)

        try:
            sys.addaudithook(watch)
            act()
        except BaseException:  # noqa: BLE001  this process is a copy of the test's: it must end here
            os._exit(70)
        os._exit(ENDED)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in (DIED, ENDED), code
    return code == DIED

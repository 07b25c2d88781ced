"""`dueprocess worker`: run one worker alone."""

import os
import subprocess
import sys
from typing import Annotated

from cyclopts import Parameter

from dueprocess.cli.place import Place


def worker_command(
    *,
    production: Annotated[
        bool, Parameter(help="the production worker, which alone reads stores.env", negative="")
    ] = False,
    once: Annotated[bool, Parameter(help="take one turn and stop", negative="")] = False,
    place: Place | None = None,
) -> int:
    """Run the worker (epochs, log, notices) or the production worker until it is stopped."""
    at = place or Place()
    at.open()  # what is wrong with the installation is said here, in words
    module = "dueprocess.worker.production" if production else "dueprocess.worker.loop"
    words = [sys.executable, "-m", module, "--install", str(at.folder), *(["--once"] if once else [])]
    if not (at.json and once):
        os.execv(sys.executable, words)  # noqa: S606  our own program takes this one's place
    return _one_turn(words, at)


def _one_turn(words: list[str], at: Place) -> int:
    """One turn whose lines are one JSON value."""
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=False)  # noqa: S603  our own program
    lines = done.stdout.splitlines()
    at.say(lines, {"done": lines})
    return done.returncode

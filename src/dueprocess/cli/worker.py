"""`dueprocess worker`: run one worker alone."""

import os
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
) -> None:
    """Run the worker (epochs, log, notices) or the production worker until it is stopped."""
    module = "dueprocess.worker.production" if production else "dueprocess.worker.loop"
    folder = str((place or Place()).folder)
    words = [sys.executable, "-m", module, "--install", folder, *(["--once"] if once else [])]
    os.execv(sys.executable, words)  # noqa: S606  our own program takes this one's place

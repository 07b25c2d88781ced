"""How a worker ends: told to stop, or by an error that becomes the exit code of its family."""

import signal
import sys
import threading
from collections.abc import Callable
from typing import NoReturn

from dueprocess.errors import EXIT_CODES, DueprocessError


def stop_on_signal() -> threading.Event:
    """An event that SIGTERM and SIGINT set, so that a turn ends whole."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def run(main: Callable[[], int]) -> NoReturn:
    """Runs a worker's main and exits with its code; an error is said in words, never as a traceback."""
    try:
        sys.exit(main())
    except DueprocessError as error:
        print(f"{error.family.capitalize()}: {error}", file=sys.stderr, flush=True)  # noqa: T201
        sys.exit(EXIT_CODES[type(error)])
    except KeyboardInterrupt:
        sys.exit(130)

"""The reconcile loop: close epochs, publish, send what users are owed. Each turn starts from the events.

python -m dueprocess.worker.loop --install DIR [--once]
"""

import argparse
import datetime as dt
import sys
from pathlib import Path

from dueprocess.desk.desk import Desk, open_desk
from dueprocess.desk.notices import notify
from dueprocess.desk.site import write_site
from dueprocess.errors import BrokenError, DueprocessError, UnavailableError
from dueprocess.history.append import load_case
from dueprocess.history.docket import going
from dueprocess.publication.log import Log
from dueprocess.worker.clock import read_clock
from dueprocess.worker.ending import run, stop_on_signal

TURN_SECONDS = 5


def turn(desk: Desk, log: Log, now: dt.datetime) -> list[str]:
    """One turn. Returns a line for each thing done; what failed is said and tried again in the next turn."""
    done: list[str] = []
    closed = log.close_due(now)
    if closed:
        done.append(f"closed {closed} epoch{'s' if closed > 1 else ''} and published the log")
        write_site(desk)
    for line in going():
        for ref in load_case(line.case_id).targets:
            try:
                phase = notify(desk, line.case_id, ref, actor="worker", now=now)
            except BrokenError:
                raise
            except DueprocessError as error:
                done.append(f"{line.case_id[:8]} {ref}: {error.what}")
                continue
            if phase is not None:
                done.append(f"{line.case_id[:8]} {ref}: told the user ({phase})")
    return done


def main() -> int:
    """Runs until stopped. What does not answer is tried again; lost integrity ends the worker."""
    parser = argparse.ArgumentParser(prog="dueprocess worker")
    parser.add_argument("--install", type=Path, required=True)
    parser.add_argument("--once", action="store_true")
    given = parser.parse_args()
    stop = stop_on_signal()
    desk = open_desk(given.install)
    log = desk.log()
    while not stop.is_set():
        try:
            for line in turn(desk, log, read_clock(desk.installation)):
                print(line, flush=True)  # noqa: T201  the worker's log goes to its standard output
        except UnavailableError as error:
            if given.once:
                raise
            print(error, file=sys.stderr, flush=True)  # noqa: T201
        if given.once:
            return 0
        stop.wait(TURN_SECONDS)
    return 0


if __name__ == "__main__":
    run(main)

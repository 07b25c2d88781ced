"""The reconcile loop: close epochs, publish, send what users are owed. Each turn starts from the events.

python -m dueprocess.worker.loop --install DIR [--once]

Turns begin at whole multiples of five seconds, the log comes first in each, letters rest while an epoch is about to
end, and files appear at fixed moments: so the time of a public leaf does not tell how much there was to do.
"""

import argparse
import datetime as dt
import secrets
import sys
import threading
import time
from pathlib import Path
from typing import TextIO

from dueprocess.cases.notify import owed_notice
from dueprocess.desk.desk import Desk, open_desk
from dueprocess.desk.erasing import finish_erasures
from dueprocess.desk.notices import notify
from dueprocess.desk.purging import purge_parcels
from dueprocess.desk.recovery import decided_before
from dueprocess.desk.releasing import keep_releases
from dueprocess.desk.site import write_site
from dueprocess.errors import BrokenError, DueprocessError, UnavailableError
from dueprocess.history.append import load_case
from dueprocess.history.docket import going
from dueprocess.publication.log import Log, Published
from dueprocess.tlog.epoch import epoch_at, epoch_until
from dueprocess.wire import instant
from dueprocess.worker.clock import read_clock
from dueprocess.worker.ending import run, stop_on_signal
from dueprocess.worker.tidying import Tidying

TURN_SECONDS = 5
_HELD = (
    "the letter to the user waits for a person. The log was recovered after this was decided, so an order not to tell "
    "may be lost: look for one, then run dueprocess notify"
)
QUIET = dt.timedelta(seconds=30)
"""So long before the end of an epoch nothing is begun that could delay its leaf."""
SHOW_AFTER = 3
"""Seconds into a turn at which the tiles of a closed epoch appear; its checkpoint appears at the same second of a
later turn. Closing an epoch takes longer the more records it holds: who fetches often enough would see it."""
SCATTER = 0.02
"""Seconds over which that moment is scattered at random: more than what the work before it leaves in the processor."""


def turn(desk: Desk, log: Log, now: dt.datetime, *, letters: bool = True) -> list[str]:
    """One turn. Returns a line for each thing done; what failed is said and tried again in the next turn."""
    before = log.published
    closed = log.close_due(now)
    done = _about_log(closed, log.published)
    if log.published != before:
        write_site(desk)
    if letters:
        done += [*_letters(desk, now), *finish_erasures(desk, now)]
        done += [*keep_releases(desk, now), *purge_parcels(desk, now)]
    return done


def _about_log(closed: int, published: Published | None) -> list[str]:
    """What became of the log: one line for a closed epoch, one for witnesses that do not sign."""
    if published is None:
        return []
    whole = published.size == published.head_size
    lines = [f"closed {closed} epoch{' and published the log' if whole else ''}"] if closed else []
    if not published.silent:
        return lines
    silent = "; ".join(f"{each.name} since {instant(each.since)} ({each.fault})" for each in published.silent)
    meaning = "the others are enough" if published.witnessed and whole else "too few are left"
    if not whole:
        meaning += (
            f": {published.size} of {published.head_size} leaves are published and nothing can be handed over that "
            "needs a newer one. After 24 hours two people may let work go on: dueprocess unwitnessed"
        )
    return [*lines, f"independent timekeepers (witnesses) do not sign: {silent}; {meaning}"]


def _letters(desk: Desk, now: dt.datetime) -> list[str]:
    done: list[str] = []
    older = decided_before(desk)
    for line in going():
        case = load_case(line.case_id)
        for ref, state in case.targets.items():
            if ref in older(case):
                if owed_notice(state, now) is not None:
                    done.append(f"{line.case_id[:8]} {ref}: {_HELD}")
                continue
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
    log, tidying = _paced(desk, stop, once=given.once), Tidying()
    said: list[str] = []
    while not stop.is_set():
        try:
            if log.policy != desk.policy:
                log = _paced(desk, stop, once=given.once)
            now = read_clock(desk.installation)
            free = not _ends_soon(desk, now)
            lines = turn(desk, log, now, letters=given.once or free)
            if free and not given.once:
                lines += tidying.turn(desk, now, real=dt.datetime.now(dt.UTC))
            _say(lines, said, sys.stdout)
        except UnavailableError as error:
            if given.once:
                raise
            lines = [str(error)]
            _say(lines, said, sys.stderr)
        if given.once:
            return 0
        said = lines
        stop.wait(TURN_SECONDS - time.time() % TURN_SECONDS)
    return 0


def _paced(desk: Desk, stop: threading.Event, *, once: bool) -> Log:
    """The log, which on a real clock shows its files at fixed moments only."""
    log = desk.log()
    if desk.installation.clock_mode == "system" and not once:
        log.rest = lambda: _wait(stop)
    return log


def _wait(stop: threading.Event) -> None:
    stop.wait(seconds_to_show(time.time()))


def seconds_to_show(clock: float) -> float:
    """How long to wait at this time (seconds since 1970) before something of the log is shown."""
    return (SHOW_AFTER - clock) % TURN_SECONDS + secrets.SystemRandom().uniform(0, SCATTER)


def _ends_soon(desk: Desk, now: dt.datetime) -> bool:
    """Whether the epoch is about to end, by a clock that runs on while we work."""
    seconds = desk.installation.epoch_seconds
    until = epoch_until(epoch_at(now, seconds=seconds), seconds=seconds)
    return desk.installation.clock_mode == "system" and until - now <= QUIET


def _say(lines: list[str], said: list[str], to: TextIO) -> None:
    """Prints what the last turn did not say already: what stays wrong is said once, not every five seconds."""
    for line in lines:
        if line not in said:
            print(line, file=to, flush=True)


if __name__ == "__main__":
    run(main)

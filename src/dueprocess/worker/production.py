"""The production worker: the only process with store credentials. It proves everything to itself first.

    python -m dueprocess.worker.production --install DIR [--once] [--case ID --target REF]

The values of ``${NAME}`` in the data map come from ``worker/stores.env`` of the installation or, first, from this
process's environment; no other process reads them. How far it is goes to the standard error, without any value.
"""

import argparse
import datetime as dt
import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from dueprocess.desk.asking import Resolution, resolve
from dueprocess.desk.collecting import unanswered_tables
from dueprocess.desk.desk import Desk, open_desk
from dueprocess.desk.keeping import keep
from dueprocess.desk.parcels import clear_unfinished
from dueprocess.desk.production import Production, Watch, produce
from dueprocess.desk.resuming import clear_reads
from dueprocess.errors import (
    EXIT_CODES,
    BrokenError,
    ConflictError,
    DueprocessError,
    RefusedError,
    UnavailableError,
)
from dueprocess.history.append import load_case
from dueprocess.history.docket import going
from dueprocess.production.collect import Progress
from dueprocess.production.environment import read_environment
from dueprocess.worker.clock import read_clock
from dueprocess.worker.ending import run, stop_on_signal

TURN_SECONDS = 5
TELL_SECONDS = 10
"""So often, at most, is said how far a production is."""


def store_environment(desk: Desk) -> dict[str, str]:
    """The store credentials, read by this process only."""
    return read_environment(desk.installation.worker / "stores.env", os.environ)


def owed(case_id: str) -> Iterator[str]:
    """The targets of a case with an approved production that was not made yet."""
    for ref, state in load_case(case_id).targets.items():
        if state.stage in ("approved", "producing"):
            yield ref


@dataclass(slots=True)
class Turn:
    """What came of one turn: a line for each target, and what is broken."""

    lines: list[str] = field(default_factory=list)
    broken: BrokenError | None = None

    def attempt(self, what: str, act: Callable[[], list[str]]) -> None:
        """Does one thing. Whatever stops it is a line that a person reads, and does not stop the next."""
        try:
            self.lines += act()
        except BrokenError as error:
            self.broken = self.broken or error
            self.lines.append(f"{what}: BROKEN: {error.what}")
        except (RefusedError, ConflictError) as error:
            self.lines.append(f"{what}: waits: {error.what}")
        except DueprocessError as error:
            self.lines.append(f"{what}: {' '.join(part for part in (error.what, error.do) if part)}")
        except Exception as error:  # noqa: BLE001  a fault of this program in one case must not stop the others
            self.lines.append(
                f"{what}: stopped by a fault of this program, {_place(error)}; please report it"
            )


def _place(error: Exception) -> str:
    """What kind of error came from where. Not its words, which may quote what it was working on."""
    (*_, last) = traceback.extract_tb(error.__traceback__)
    return f"{type(error).__name__} in {Path(last.filename).name}, line {last.lineno}"


def attempted(desk: Desk, now: dt.datetime) -> Turn:
    """One turn: tries everything that is owed; a refusal of the gate is normal and is tried again."""
    done = Turn()
    done.attempt("parcels", lambda: _cleared(desk))
    done.attempt("holds", lambda: keep(desk, store_environment(desk), lambda: read_clock(desk.installation)))
    for line in list(going()):
        done.attempt(line.case_id[:8], partial(_case, desk, line.case_id, now, done))
    return done


def turn(desk: Desk, now: dt.datetime) -> list[str]:
    """One turn, as lines. Raises what is broken, after everything else was tried."""
    done = attempted(desk, now)
    if done.broken is not None:
        raise done.broken
    return done.lines


def _cleared(desk: Desk) -> list[str]:
    clear_unfinished(desk.installation.parcels)
    return []


def _case(desk: Desk, case_id: str, now: dt.datetime, done: Turn) -> list[str]:
    done.attempt(case_id[:8], lambda: _unkept(desk, case_id, now))
    for ref in list(owed(case_id)):
        what = f"{case_id[:8]} {ref}"
        done.attempt(what, partial(_produced, desk, (case_id, ref), what, now))
    return []


def _unkept(desk: Desk, case_id: str, now: dt.datetime) -> list[str]:
    """Destroys what interrupted productions kept and nobody may use any more."""
    return [f"{case_id[:8]} {line}" for line in clear_reads(desk, load_case(case_id), now, _clock())]


def _produced(desk: Desk, target: tuple[str, str], what: str, now: dt.datetime) -> list[str]:
    if load_case(target[0]).target(target[1]).resolving:
        resolve(desk, *target, store_environment(desk), now=now, clock=_clock)
        return [f"{what}: resolved"]
    if unanswered_tables(desk, load_case(target[0]), target[1]):
        return []  # a task for people, which `dueprocess next` shows; it is no failure that could be tried again
    watch = Watch(_clock, Teller(what))
    made = produce(desk, *target, store_environment(desk), now=now, watch=watch)
    return [f"{what}: produced {made.parcel_id}"]


def _clock() -> dt.datetime:
    """Leases last by the machine's own clock, also where an installation simulates its own."""
    return dt.datetime.now(dt.UTC)


class Teller:
    """Says now and then how far a production is: entry and records, never a value, and nothing for history."""

    def __init__(self, what: str, seconds: float = TELL_SECONDS) -> None:
        self._what = what
        self._seconds = seconds
        self._next = time.monotonic() + seconds

    def __call__(self, progress: Progress) -> None:
        if time.monotonic() < self._next and not progress.note:
            return
        self._next = time.monotonic() + self._seconds
        self.say(progress)

    def say(self, progress: Progress) -> None:
        print(f"{self._what}: {progress_words(progress)}", file=sys.stderr, flush=True)  # noqa: T201


def progress_words(progress: Progress) -> str:
    """``table 3 of 12, 400,000 records so far``, and what has to be said beside it."""
    told = f"table {progress.entry} of {progress.entries}, {progress.records:,} records so far"
    return f"{told}; {progress.note}" if progress.note else told


class JsonTeller(Teller):
    """For the program that started this one: a line of JSON on the standard output, before the answer's."""

    def say(self, progress: Progress) -> None:
        told: dict[str, int | str]
        told = {"entry": progress.entry, "entries": progress.entries, "records": progress.records}
        told |= {"note": progress.note} if progress.note else {}
        print(json.dumps({"progress": told}), flush=True)  # noqa: T201


def main() -> int:
    """Runs until stopped, or once for one target (then prints JSON and exits with the family's code)."""
    parser = argparse.ArgumentParser(prog="dueprocess worker --production")
    parser.add_argument("--install", type=Path, required=True)
    parser.add_argument("--once", action="store_true")
    parser.add_argument("--case")
    parser.add_argument("--target")
    given = parser.parse_args()
    desk = open_desk(given.install)
    if given.case and given.target:
        return _one(desk, given.case, given.target)
    stop = stop_on_signal()
    said: list[str] = []
    while not stop.is_set():
        said = _turned(desk, said)
        if given.once:
            return 0
        stop.wait(TURN_SECONDS)
    return 0


def _turned(desk: Desk, said: list[str]) -> list[str]:
    """One turn of the worker that goes on. What the last turn said already is not said again."""
    try:
        done = attempted(desk, read_clock(desk.installation))
    except UnavailableError as error:  # the event store itself is away: it is waited for
        done = Turn([str(error)])
    for line in done.lines:
        if line not in said:
            print(line, flush=True)  # noqa: T201  the worker's log goes to its standard output
    if done.broken is not None:
        raise done.broken
    return done.lines


def _one(desk: Desk, case_id: str, ref: str) -> int:
    watch = Watch(_clock, JsonTeller("", 0.5))
    try:
        now = read_clock(desk.installation)
        if load_case(case_id).target(ref).resolving:
            return _resolved(resolve(desk, case_id, ref, store_environment(desk), now=now, clock=_clock))
        made: Production = produce(desk, case_id, ref, store_environment(desk), now=now, watch=watch)
    except DueprocessError as error:
        print(json.dumps(error.as_json()))  # noqa: T201
        return EXIT_CODES[type(error)]
    answer = {
        "parcel_id": made.parcel_id,
        "parcel_sha256": made.parcel_sha256,
        "proved": made.proved,
        "tables": made.tables,
    }
    print(json.dumps(answer))  # noqa: T201
    return 0


def _resolved(found: Resolution) -> int:
    """What the gate proved; what was found is in the vault and nowhere else."""
    print(json.dumps({"resolved": True, "proved": found.proved}))  # noqa: T201
    return 0


if __name__ == "__main__":
    run(main)

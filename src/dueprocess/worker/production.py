"""The production worker: the only process with store credentials. It proves everything to itself first.

    python -m dueprocess.worker.production --install DIR [--once] [--case ID --target REF]

The values of ``${NAME}`` in the data map come from ``worker/stores.env`` of the installation or, first, from this
process's environment; no other process reads them.
"""

import argparse
import datetime as dt
import json
import os
from collections.abc import Iterator
from pathlib import Path

from dueprocess.desk.desk import Desk, open_desk
from dueprocess.desk.parcels import clear_unfinished
from dueprocess.desk.production import Production, produce
from dueprocess.errors import EXIT_CODES, BrokenError, DueprocessError, MalformedError, RefusedError
from dueprocess.history.append import load_case
from dueprocess.history.docket import going
from dueprocess.production.environment import read_environment
from dueprocess.worker.clock import read_clock
from dueprocess.worker.ending import run, stop_on_signal

TURN_SECONDS = 5


def store_environment(desk: Desk) -> dict[str, str]:
    """The store credentials, read by this process only."""
    return read_environment(desk.installation.worker / "stores.env", os.environ)


def owed() -> Iterator[tuple[str, str]]:
    """(case, target) of every approved production that was not made yet."""
    for line in going():
        for ref, state in load_case(line.case_id).targets.items():
            if state.stage in ("approved", "producing"):
                yield line.case_id, ref


def turn(desk: Desk, now: dt.datetime) -> list[str]:
    """One turn: tries everything that is owed; a refusal of the gate is normal and is tried again."""
    done: list[str] = []
    clear_unfinished(desk.installation.parcels)
    for case_id, ref in list(owed()):
        try:
            made = produce(desk, case_id, ref, store_environment(desk), now=now)
        except (BrokenError, MalformedError):
            raise
        except RefusedError as error:
            done.append(f"{case_id[:8]} {ref}: waits: {error.what}")
        except DueprocessError as error:
            done.append(f"{case_id[:8]} {ref}: {error.what}")
        else:
            done.append(f"{case_id[:8]} {ref}: produced {made.parcel_id}")
    return done


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
        lines = turn(desk, read_clock(desk.installation))
        if lines != said:
            print("\n".join(lines), flush=True)  # noqa: T201  the worker's log goes to its standard output
        said = lines
        if given.once:
            return 0
        stop.wait(TURN_SECONDS)
    return 0


def _one(desk: Desk, case_id: str, ref: str) -> int:
    try:
        made: Production = produce(
            desk, case_id, ref, store_environment(desk), now=read_clock(desk.installation)
        )
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


if __name__ == "__main__":
    run(main)

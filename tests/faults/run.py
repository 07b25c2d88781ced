"""The fault harness: kills, disk errors, full disks, short writes, stalls and power cuts, each followed by a restart.

    python tests/faults/run.py --full [--write FILE]    every fault at every call; the table goes to FILE
    python tests/faults/run.py --quick --json FILE      a sample, for the test suite
    python tests/faults/run.py --full --step report     every fault of one step, after it was mended

Ends with 1 on any violation, and when a planted bug is not caught.
"""

import argparse
import datetime as dt
import json
import multiprocessing as mp
import os
import random
import shutil
import sys
import tempfile
import time
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dueprocess.conf.settings")

from faults.calls import KINDS, Fault, faults
from faults.inject import INIT, Bench, Injected, stage_of
from faults.plants import PLANTS, Plant
from faults.stages import Stage, make
from faults.states import states
from faults.steps import STEPS
from faults.table import as_markdown
from faults.traced import strace

ALL = (INIT, *STEPS)
SLOW = ("close epoch, full tile",)
"""Steps whose stage has hundreds of leaves: not in the quick set, and not cut by the power."""
SEED = 20260901


@dataclass(slots=True)
class Found:
    """Everything that a run of the harness found."""

    injected: list[Injected] = field(default_factory=list)
    cuts: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Step → (states looked at, states there are)."""
    cut_wrong: list[tuple[str, str, str]] = field(default_factory=list)
    plants: list[dict[str, Any]] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def violations(self) -> list[str]:
        lines = [
            f"{each.step}: {each.kind} at {each.words} ({each.when}): {line}"
            for each in self.injected for line in each.wrong
        ]  # fmt: skip
        return lines + [f"{step}: power {lost}: {line}" for step, lost, line in self.cut_wrong]

    @property
    def not_caught(self) -> list[str]:
        return [str(each["name"]) for each in self.plants if not each["caught"]]


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is done: injections for each step and kind, states for each step, calls for each planted bug."""

    each_kind: int | None
    states: int
    steps: tuple[str, ...]


FULL = Scale(None, 60, ALL)
QUICK = Scale(2, 4, tuple(each for each in ALL if each not in SLOW))


class Hall:
    """The stages that were made before the workers were forked, and each worker's own corner."""

    stages: dict[tuple[str, int], Stage] = {}
    corner = Path()
    number = 0


def enter(numbers: "mp.queues.SimpleQueue[int]", folder: Path) -> None:
    """A worker takes its number and its corner."""
    Hall.number = numbers.get()
    Hall.corner = folder / f"worker-{Hall.number}"
    Hall.corner.mkdir(exist_ok=True)


def bench(step: str, plant: Plant | None = None) -> Bench:
    name = stage_of(step)
    stage = Hall.stages.get((name, Hall.number)) or Hall.stages[name, 0]
    return Bench(stage, Hall.corner / "office", step, plant)


def record(step: str) -> list[Fault]:
    return faults(bench(step).record())


def inject(step: str, chosen: list[Fault]) -> list[Injected]:
    here = bench(step)
    return [here.inject(fault) for fault in chosen]


def cut(step: str, most: int) -> tuple[str, int, int, list[tuple[str, str, str]]]:
    """Power cuts of one step: evenly spread where there are more states than ``most``."""
    here = bench(step)
    found = list(states(here.story()))
    chosen = found if len(found) <= most else random.Random(SEED).sample(found, most)
    wrong = [(step, state.lost, line) for state in chosen for line in here.after_power_cut(state)]
    return step, len(chosen), len(found), wrong


def catch(number: int) -> dict[str, Any]:
    """Looks for one planted bug, at the likely calls first, until something is wrong."""
    plant = PLANTS[number]
    here = bench(plant.step, plant)
    row: dict[str, Any] = {"name": plant.name, "step": plant.step, "kind": plant.kind, "caught": False}
    if told := here.undisturbed():
        return {**row, "tried": 0, "wrong": f"shows without a fault: {told[0]}"}
    tried = 0
    for words, wrong in _tries(here, plant):
        tried += 1
        if wrong:
            return {**row, "caught": True, "tried": tried, "at": words, "wrong": wrong[0]}
    return {**row, "tried": tried, "wrong": ""}


def _tries(here: Bench, plant: Plant) -> Iterator[tuple[str, list[str] | tuple[str, ...]]]:
    if plant.kind == "power cut":
        for state in sorted(states(here.story()), key=lambda state: -state.lost.count(";")):
            yield state.lost, here.after_power_cut(state)
        return
    found = faults(here.record(), [plant.kind])
    folder = str(here.folder)
    found.sort(key=lambda fault: not all(word in fault.call.words(folder) for word in plant.where.split()))
    for fault in found:
        done = here.inject(fault)
        yield done.words, done.wrong


def sample(found: list[Fault], each_kind: int | None) -> list[Fault]:
    """All of them, or so many of each kind, the same ones in every run."""
    if each_kind is None:
        return found
    chance = random.Random(SEED)
    kinds = {kind: [fault for fault in found if fault.kind == kind] for kind in KINDS}
    return [each for some in kinds.values() for each in chance.sample(some, min(each_kind, len(some)))]


def go(scale: Scale, folder: Path, jobs: int) -> Found:
    """Runs everything on so many cores."""
    begun, found = time.monotonic(), Found()
    strace()
    build(scale, folder, jobs)
    context = mp.get_context("fork")
    numbers = context.SimpleQueue()
    for number in range(jobs):
        numbers.put(number)
    with ProcessPoolExecutor(jobs, context, enter, (numbers, folder)) as pool:
        recorded = [(step, pool.submit(record, step)) for step in scale.steps]
        chosen = [(step, sample(each.result(), scale.each_kind)) for step, each in recorded]
        say(f"{sum(len(faults_of) for _, faults_of in chosen)} faults to inject")
        parts = [
            pool.submit(inject, step, faults_of[at : at + 20])
            for step, faults_of in chosen
            for at in range(0, len(faults_of), 20)
        ]
        planted = [number for number, each in enumerate(PLANTS) if each.step in scale.steps]
        caught = [pool.submit(catch, number) for number in planted]
        cutting = [pool.submit(cut, step, scale.states) for step in scale.steps if step not in SLOW]
        wait_for([*parts, *caught, *cutting])
        found.injected = [each for part in parts for each in part.result()]
        for row in cutting:
            step, looked, there, wrong = row.result()
            found.cuts[step] = (looked, there)
            found.cut_wrong += wrong
        found.plants = [each.result() for each in caught]
    found.seconds = time.monotonic() - begun
    return found


def wait_for(work: Sequence[Future[Any]]) -> None:
    """Waits for all of it and tells how far it is."""
    injected = wrong = 0
    for number, part in enumerate(as_completed(work), 1):
        found = part.result()
        if isinstance(found, list):
            injected += sum(each.hit for each in found)
            bad = [each for each in found if each.wrong]
            wrong += len(bad)
            for each in bad:
                say(f"VIOLATION {each.step}: {each.kind} at {each.words} ({each.when}): {each.wrong[0]}")
        if sys.stdout.isatty() or number % 10 == 0:
            say(f"{number} of {len(work)} parts: {injected} injections, {wrong} violations", again=True)


def build(scale: Scale, folder: Path, jobs: int) -> None:
    """Makes every stage once, and the one with a witness once for each worker, because of its address."""
    for name in sorted({stage_of(step) for step in scale.steps}):
        for number in range(jobs if name == "witnessed" else 1):
            place = folder / f"stage-{name.replace(' ', '-')}-{number}"
            Hall.stages[name, number] = make(name, place)


def say(line: str, *, again: bool = False) -> None:
    sys.stdout.write(line + ("\r" if again and sys.stdout.isatty() else "\n"))
    sys.stdout.flush()


def summary(found: Found) -> dict[str, Any]:
    """What the tests and the table need."""
    hit = [each for each in found.injected if each.hit]
    raised = Counter((each.raised or "").split(":")[0] for each in hit if each.raised)
    table: dict[str, Counter[str]] = defaultdict(Counter)
    for each in hit:
        table[each.step][each.kind] += 1
        table[each.step]["acked"] += each.acked
        table[each.step]["violations"] += bool(each.wrong)
    return {
        "injections": len(hit),
        "missed": len(found.injected) - len(hit),
        "table": {step: dict(row) for step, row in table.items()},
        "cuts": found.cuts,
        "states": sum(looked for looked, _ in found.cuts.values()),
        "plants": found.plants,
        "raised": dict(raised.most_common()),
        "violations": found.violations,
        "not_caught": found.not_caught,
        "seconds": round(found.seconds),
    }


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="faults")
    how = parser.add_mutually_exclusive_group(required=True)
    how.add_argument("--full", action="store_true")
    how.add_argument("--quick", action="store_true")
    parser.add_argument("--step", action="append", choices=ALL, help="only this step and its planted bugs")
    parser.add_argument("--write", type=Path, help="the table as Markdown goes to this file")
    parser.add_argument("--json", type=Path, help="what was found goes to this file")
    parser.add_argument("--keep", type=Path, help="every single injection goes to this file, a line each")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    return parser.parse_args()


def main() -> int:
    given = arguments()
    warnings.simplefilter("ignore")
    scale = FULL if given.full else QUICK
    if given.step:
        scale = replace(scale, steps=tuple(given.step))
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="dp-faults-", dir=memory if memory.is_dir() else None))
    try:
        found = go(scale, folder, given.jobs)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    told = summary(found)
    if given.json:
        given.json.write_text(json.dumps(told, indent=1))
    if given.keep:
        given.keep.write_text("".join(f"{json.dumps(asdict(each))}\n" for each in found.injected))
    if given.write:
        given.write.write_text(as_markdown(told, dt.datetime.now(dt.UTC).date()))
    for line in told["violations"]:
        say(line)
    say(
        f"{told['injections']} injections, {told['states']} disks after a power cut, "
        f"{len(told['violations'])} violations; {len(found.plants) - len(told['not_caught'])} of {len(found.plants)} "
        f"planted bugs caught; {told['seconds']} s"
    )
    for name in told["not_caught"]:
        say(f"not caught: {name}")
    return 1 if told["violations"] or told["not_caught"] else 0


if __name__ == "__main__":
    sys.exit(main())

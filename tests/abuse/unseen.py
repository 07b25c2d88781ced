"""An outsider who watches a log being published and tries to tell busy epochs from empty ones.

What is watched is what leaves the publisher: which files appear in which order, their sizes and bytes, and when.
Every measure that comes from it is tried as a distinguisher; none may be better than a coin.
"""

import base64
import datetime as dt
import json
import math
import os
import re
import sys
import time
import zlib
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from django.db import connection

from dueprocess.publication.durable import UNFINISHED
from dueprocess.publication.log import Log

PACE = dt.timedelta(seconds=300)
LEARNT = ", learnt"
_SIGMAS = 4.9
"""How far a coin may stray. Over 20,000 epochs that is an AUC between 0.48 and 0.52."""

_COLD = bytearray(4 << 20)

type Score = float | str
type Pause = Callable[[float], float]
"""How long the worker rests, by the seconds since the epoch's end."""


@dataclass(frozen=True, slots=True)
class Write:
    """One file that appeared in the log's folder, by its path there, and when: seconds after the epoch's end."""

    path: str
    at: float


class Watch:
    """Sees every file that is renamed into place, opened for writing or made below one folder."""

    def __init__(self, folder: Path, pause: Pause) -> None:
        self.folder = f"{folder}/"
        self.pause = pause
        self.begin()

    def begin(self) -> None:
        """The epoch ends now, and the worker's turn begins."""
        self.writes: list[Write] = []
        self.rested = 0.0
        self.since = time.perf_counter()

    @property
    def clock(self) -> float:
        """Seconds after the end of the epoch: those that really passed, and those that the worker rested."""
        return self.rested + time.perf_counter() - self.since

    def rest(self) -> None:
        """The worker's pause, not slept. A sweep stands for its seconds, in which memory leaves the processor."""
        self.rested += self.pause(self.clock)
        rested = self.clock
        _COLD.reverse()
        self.rested, self.since = rested, time.perf_counter()

    def see(self, name: str, given: tuple[Any, ...]) -> None:
        path = os.fspath(given[1] if name == "os.rename" else given[0])
        writing = name != "open" or given[2] & os.O_ACCMODE
        if writing and path.startswith(self.folder) and UNFINISHED not in path:
            self.writes.append(Write(path.removeprefix(self.folder), self.clock))


_watching: list[Watch] = []
_hooked: list[bool] = []


def _hook(name: str, given: tuple[Any, ...]) -> None:
    if _watching and name in ("os.rename", "open", "os.mkdir") and isinstance(given[0], (str, os.PathLike)):
        _watching[-1].see(name, given)


@contextmanager
def watching(folder: Path, pause: Pause) -> Iterator[Watch]:
    """The interpreter's own audit events are the witness: nothing of the publisher is replaced."""
    if not _hooked:
        sys.addaudithook(_hook)
        _hooked.append(True)
    _watching.append(Watch(folder, pause))
    try:
        yield _watching[-1]
    finally:
        _watching.pop()


@dataclass
class Store:
    """Fills the ledger as an office would: a record and its event, committed before the epoch ends."""

    random: Random
    records: int = 0

    def fill(self, count: int) -> None:
        """That many records. Their commitments are random bytes, as HMACs are."""
        numbers = range(self.records + 1, self.records + 1 + count)
        self.records += count
        at, zeros = "2026-09-01T08:00:00Z", "0" * 64
        events = [(f"{each:032x}", 1, "DemandReceived", 1, "{}", "ana", at, zeros) for each in numbers]
        sealed = [(each, f"{each:032x}", 1, zeros, self.random.randbytes(32).hex()) for each in numbers]
        with connection.cursor() as cursor:
            cursor.executemany("INSERT INTO event VALUES (%s, %s, %s, %s, %s, %s, %s, %s)", events)
            cursor.executemany("INSERT INTO record VALUES (%s, %s, %s, %s, %s)", sealed)


@dataclass(frozen=True, slots=True)
class Epoch:
    """What one epoch looked like from outside, and how many records it truly had."""

    records: int
    scores: Mapping[str, Score]


@dataclass
class Eye:
    """Turns what appeared into numbers and words. Remembers what it saw before."""

    folder: Path
    seen: dict[str, int] = field(default_factory=dict)
    roots: Counter[str] = field(default_factory=Counter)
    leaves: int = 0
    last: int = 0

    def look(self, writes: Sequence[Write]) -> dict[str, Score]:
        """Everything that could tell: the moment, the files, the leaves, the checkpoint."""
        files = [each for each in writes if (self.folder / each.path).is_file()]
        sizes = {each.path: (self.folder / each.path).stat().st_size for each in files}
        named = [re.sub(r"[0-9]+", "n", each.path) for each in writes]
        scores: dict[str, Score] = {
            "order": " ".join(named),
            "files": float(len(files)),
            "checkpoints": float(sum(each.path == "checkpoint" for each in writes)),
            "missing": float(not files),
        }
        scores |= {f"moment of {each.path.split('/')[0]}": each.at for each in reversed(writes)}
        for path, size in sizes.items():
            width = int(path.rsplit("/", 1)[1]) if ".p/" in path else 256
            unit = path.split("/")[1] if "/" in path else path
            scores[f"size of {unit}"] = size if unit == "checkpoint" else size / width
        self.seen |= sizes
        return scores | self._leaves(files) | self._checkpoint()

    def _leaves(self, files: Sequence[Write]) -> dict[str, Score]:
        """The entries that are new in the published bundles."""
        bundles = [each.path for each in files if "entries" in each.path]
        fresh: list[bytes] = []
        for path in bundles:
            data, at, first = (self.folder / path).read_bytes(), 0, _index(path) * 256
            while at < len(data):
                length = int.from_bytes(data[at : at + 2], "big")
                if first >= self.leaves:
                    fresh.append(data[at + 2 : at + 2 + length])
                at, first = at + 2 + length, first + 1
        self.leaves += len(fresh)
        scores: dict[str, Score] = {"new leaves": float(len(fresh))}
        for entry in fresh[-1:]:
            scores |= self._leaf(entry)
        return scores

    def _leaf(self, entry: bytes) -> dict[str, Score]:
        found = json.loads(entry)
        number = int(found.get("e", 0))
        scores: dict[str, Score] = {
            "leaf length": float(len(entry)),
            "leaf kind": str(found["t"]),
            "leaf step": float(number - self.last if self.last else 1),
            "leaf second": str(found.get("ts", ""))[17:],
            "leaf sum": float(sum(entry)),
            "leaf packed": float(len(zlib.compress(entry))),
        }
        self.last = number
        if "r" not in found:
            return scores
        root = base64.b64decode(found["r"])
        scores["root again"] = float(self.roots[found["r"]])
        self.roots[found["r"]] += 1
        scores["root sum"] = float(sum(root))
        scores["root bits"] = float(int.from_bytes(root, "big").bit_count())
        scores |= {f"root byte {at}": float(byte) for at, byte in enumerate(root)}
        scores |= {f"root low bits {at}": f"{byte & 15}" for at, byte in enumerate(root)}
        return scores

    def _checkpoint(self) -> dict[str, Score]:
        path = self.folder / "checkpoint"
        data, shown = path.read_bytes(), path.stat().st_mtime
        return {"checkpoint lines": float(data.count(b"\n")), "checkpoint shown second": f"{shown % 60:.6f}"}


def _index(path: str) -> int:
    """The number of a tile from its path: ``tile/entries/x001/234.p/5`` is 1234."""
    return int("".join(re.findall(r"[0-9]{3}", re.sub(r"\.p/[0-9]+$", "", path))))


def observe(log: Log, folder: Path, epochs: int, *, pause: Pause, start: dt.datetime) -> list[Epoch]:
    """Lets the publisher close this many epochs, at random half of them with 1 to 200 records."""
    chosen = Random(epochs)
    store, eye, seen = Store(chosen), Eye(folder), []
    log.close_due(start)
    eye.look([Write(str(each.relative_to(folder)), 0.0) for each in _files(folder)])
    with watching(folder, pause) as watch:
        log.rest = watch.rest
        for number in range(1, epochs + 1):
            records = int(200 ** chosen.random()) if chosen.random() < 0.5 else 0
            store.fill(records)
            watch.begin()
            log.close_due(start + number * PACE)
            seen.append(Epoch(records, eye.look(watch.writes)))
    assert set(eye.seen) == {str(each.relative_to(folder)) for each in _files(folder)}, "a file went unseen"
    return seen


def _files(folder: Path) -> list[Path]:
    return [each for each in folder.rglob("*") if each.is_file()]


@dataclass(frozen=True, slots=True)
class Verdict:
    """How well each measure tells busy from empty: the area under its ROC curve. A coin has 0.5."""

    aucs: Mapping[str, float]
    allowed: float

    @property
    def leaks(self) -> dict[str, float]:
        """The measures that tell, strongest first. What was learnt and then is wrong more often tells nothing."""
        told = {
            name: auc
            for name, auc in self.aucs.items()
            if (auc - 0.5 if name.endswith(LEARNT) else abs(auc - 0.5)) > self.allowed
        }
        return dict(sorted(told.items(), key=lambda each: -abs(each[1] - 0.5)))


def verdict(seen: Sequence[Epoch]) -> Verdict:
    """Tries every measure as it is, learnt on the other half, with the next epoch's, and all of them together."""
    busy = [each.records > 0 for each in seen]
    names = sorted({name for each in seen for name in each.scores})
    columns = {name: [each.scores.get(name, math.nan) for each in seen] for name in names}
    aucs: dict[str, float] = {}
    numeric = {}
    for name, column in columns.items():
        if not name.startswith("root"):
            aucs[f"{name}{LEARNT}"] = _learnt([column], busy)
        if all(isinstance(each, float) for each in column):
            values = [-1.0 if math.isnan(each) else each for each in column if isinstance(each, float)]
            numeric[name] = values
            aucs[name] = auc(values, busy)
            if name.startswith("moment"):
                aucs[f"{name}, one later"] = auc(values[1:], busy[:-1])
    low = [column for name, column in columns.items() if name.startswith("root low bits")]
    aucs[f"root low bits{LEARNT}"] = _learnt(low, busy)
    aucs[f"all together{LEARNT}"] = _together(list(numeric.values()), busy)
    count, empty = sum(busy), len(busy) - sum(busy)
    return Verdict(aucs, _SIGMAS * math.sqrt((count + empty + 1) / (12 * count * empty)))


def auc(values: Sequence[float], busy: Sequence[bool]) -> float:
    """The chance that a busy epoch has the larger value, ties counted half (Mann and Whitney's U)."""
    order = sorted(range(len(values)), key=values.__getitem__)
    ranks, at = 0.0, 0
    while at < len(order):
        end = at
        while end < len(order) and values[order[end]] == values[order[at]]:
            end += 1
        ranks += (at + 1 + end) / 2 * sum(busy[each] for each in order[at:end])
        at = end
    count = sum(busy)
    return (ranks - count * (count + 1) / 2) / (count * (len(values) - count))


def _halves(count: int) -> tuple[tuple[list[int], list[int]], tuple[list[int], list[int]]]:
    """Two random halves, each once to learn from and once to be tried on."""
    shuffled = Random(count).sample(range(count), count)
    one, other = shuffled[::2], shuffled[1::2]
    return (one, other), (other, one)


def _learnt(columns: Sequence[Sequence[Score]], busy: Sequence[bool]) -> float:
    """Scores an epoch by the shares of busy ones among those of the other half that look like it."""
    found = []
    for known, unknown in _halves(len(busy)):
        scores = [0.0] * len(unknown)
        for looks in map(_binned, columns):
            counts: dict[str, list[int]] = defaultdict(lambda: [1, 1])
            for at in known:
                counts[looks[at]][busy[at]] += 1
            odds = {look: math.log(full / empty) for look, (empty, full) in counts.items()}
            scores = [score + odds.get(looks[at], 0.0) for score, at in zip(scores, unknown, strict=True)]
        found.append(auc(scores, [busy[at] for at in unknown]))
    return sum(found) / 2


def _binned(column: Sequence[Score]) -> list[str]:
    """Words as they are; numbers by the 64th of the ranks that they fall in."""
    if any(isinstance(each, str) for each in column):
        return [str(each) for each in column]
    values = [float(each) for each in column]
    edges = sorted(set(sorted(each for each in values if not math.isnan(each))[:: max(1, len(values) // 64)]))
    return ["none" if math.isnan(each) else str(bisect_right(edges, each)) for each in values]


def _together(columns: Sequence[Sequence[float]], busy: Sequence[bool]) -> float:
    """A linear discriminant over all measures, learnt on one half of the epochs and used on the other."""
    found = []
    for known, unknown in _halves(len(busy)):
        scores = [0.0] * len(unknown)
        for column in columns:
            weight, middle = _weight([column[at] for at in known], [busy[at] for at in known])
            scores = [
                score + weight * (column[at] - middle) for score, at in zip(scores, unknown, strict=True)
            ]
        found.append(auc(scores, [busy[at] for at in unknown]))
    return sum(found) / 2


def _weight(values: Sequence[float], busy: Sequence[bool]) -> tuple[float, float]:
    """How far busy and empty epochs lie apart in one measure, by its spread; and the middle of both."""
    full = [value for value, each in zip(values, busy, strict=True) if each]
    empty = [value for value, each in zip(values, busy, strict=True) if not each]
    middle = sum(values) / len(values)
    spread = sum((value - middle) ** 2 for value in values) / len(values)
    apart = sum(full) / len(full) - sum(empty) / len(empty)
    return (apart / spread if spread > 1e-12 else 0.0), middle

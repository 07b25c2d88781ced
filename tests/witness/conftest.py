"""A witness in a folder, watching one log, on a clock that the test turns."""

import datetime as dt
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from dueprocess.witness.place import WitnessPlace, create_place
from dueprocess.witness.server import Running, serve_in_thread
from witness.growing import GrowingLog

NAME = "witness.example/w1"


@dataclass
class TickingClock:
    """One second later at each look, so that time stamps tell the order in which things were signed."""

    at: dt.datetime = dt.datetime(2026, 11, 23, 9, 0, tzinfo=dt.UTC)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self) -> dt.datetime:
        with self.lock:
            self.at += dt.timedelta(seconds=1)
            return self.at


@pytest.fixture(scope="session")
def log() -> GrowingLog:
    return GrowingLog.new()


@pytest.fixture
def clock() -> TickingClock:
    return TickingClock()


@pytest.fixture
def place(quick_folder: Path, log: GrowingLog) -> WitnessPlace:
    """A fresh witness of the log."""
    made = create_place(quick_folder / "w1", NAME)
    made.add_logs(log.vkeys)
    return made


@pytest.fixture
def said() -> list[str]:
    """What the witness reported."""
    return []


@pytest.fixture
def running(place: WitnessPlace, clock: TickingClock, said: list[str]) -> Iterator[Running]:
    """The witness served on a free port."""
    found = serve_in_thread(place.folder, clock=clock, report=said.append)
    yield found
    found.stop()

"""The worker sweeps once a day by its clock, tells it in a line, and records nothing."""

import datetime as dt
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import sabotage
from dueprocess.errors import BrokenError, DueprocessError, UnavailableError
from dueprocess.vault.objects import Stored
from dueprocess.vault.vault import FileObjects, Vault
from dueprocess.worker.tidying import Tidying
from office import Office

pytestmark = pytest.mark.stage("brisk")

LOST = "f" * 32


def later(days: float = 2) -> dt.datetime:
    return dt.datetime.now(dt.UTC) + dt.timedelta(days=days)


def half_written(office: Office, name: str = ".new-x") -> Path:
    path = office.root / "outbox" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"half")
    return path


def test_it_sweeps_at_once_and_then_a_day_later(office: Office) -> None:
    """Not in between, whatever lies there; the line counts by kind, and history has nothing of it."""
    tidying, events = Tidying(), len(sabotage.rows("event"))
    first = half_written(office)
    office.desk.keys.make(LOST)
    told = tidying.turn(office.desk, office.now, real=later())
    assert told == ["sweep: took away what killed programs left: 1 half-written, 1 receipt"]
    assert not first.exists()
    second = half_written(office)
    almost = office.now + dt.timedelta(hours=23, minutes=59, seconds=59)
    assert tidying.turn(office.desk, almost, real=later()) == []
    assert second.exists()
    day = office.now + dt.timedelta(days=1)
    assert tidying.turn(office.desk, day, real=later()) == [
        "sweep: took away what killed programs left: 1 half-written"
    ]
    assert not second.exists()
    assert tidying.turn(office.desk, day + dt.timedelta(days=1), real=later()) == []
    assert len(sabotage.rows("event")) == events


def test_what_is_younger_than_a_day_stays(office: Office) -> None:
    """By the machine's own time: a simulated clock that leaps ahead makes no file old."""
    path = half_written(office)
    office.now += dt.timedelta(days=400)
    assert Tidying().turn(office.desk, office.now, real=later(0)) == []
    assert path.exists()


def test_what_it_leaves_alone_is_told(office: Office) -> None:
    """While a paper is being received the keys are not looked at; the rest is swept all the same."""
    path, done, ready = half_written(office), threading.Event(), threading.Event()

    def receiving() -> None:
        with office.desk.keys.receiving():
            ready.set()
            done.wait(20)

    thread = threading.Thread(target=receiving)
    thread.start()
    try:
        assert ready.wait(20)
        told = Tidying().turn(office.desk, office.now, real=later())
    finally:
        done.set()
        thread.join()
    assert told[0].startswith("sweep: took away")
    assert "left alone: a paper is being received" in told[1]
    assert not path.exists()


class Away(FileObjects):
    """Object storage that does not answer, or answers with something broken."""

    def __init__(self, error: DueprocessError) -> None:
        super().__init__(Path("nowhere"))
        self._error = error

    def listed(self, folder: str = "") -> Iterator[Stored]:  # noqa: ARG002  as every place of objects
        raise self._error


def test_a_failure_is_a_line_and_broken_integrity_ends_the_worker(office: Office) -> None:
    """What does not answer is told, and tried again a day later; what is broken is never a line among others."""
    tidying = Tidying()
    away = UnavailableError("no-vault", "The vault cannot be read.")
    desk = replace(office.desk, vault=Vault(Away(away), office.desk.keys))
    office.receive()
    assert tidying.turn(desk, office.now, real=later()) == ["sweep: The vault cannot be read."]
    assert tidying.turn(desk, office.now, real=later()) == []
    broken = replace(
        office.desk, vault=Vault(Away(BrokenError("vault", "It was changed.")), office.desk.keys)
    )
    with pytest.raises(BrokenError):
        tidying.turn(broken, office.now + dt.timedelta(days=1), real=later())


def test_a_worker_that_goes_on_sweeps_and_one_turn_alone_does_not(office: Office) -> None:
    """As programs: `--once` leaves the file, the worker takes it and says so."""
    path = half_written(office)
    old = path.stat().st_mtime - 3 * 86400
    os.utime(path, (old, old))
    words = [sys.executable, "-m", "dueprocess.worker.loop", "--install", str(office.root)]
    subprocess.run([*words, "--once"], check=True, capture_output=True)
    assert path.exists()
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        told = [next(worker.stdout)]
        while "sweep" not in told[-1]:
            told.append(next(worker.stdout))
        worker.terminate()
    assert "1 half-written" in told[-1]
    assert not path.exists()

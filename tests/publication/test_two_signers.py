"""Two signers on one log: whatever they do at once, no size has two heads, and the loser goes on."""

import datetime as dt
import itertools
import multiprocessing
import threading
from collections import Counter
from pathlib import Path

import pytest
from django.db import connections

from dueprocess.errors import UnavailableError
from dueprocess.history import connection
from dueprocess.publication.log import Log
from dueprocess.publication.tilecheck import tile_faults
from dueprocess.tlog.leaf import RegisterLeaf
from publication.bench import START, Bench
from publication.racing import race
from sabotage import rows

ROUNDS = {"sqlite": 10_000, "postgresql": 500}
REGISTER = RegisterLeaf("2026H2", "f" * 64)


@pytest.mark.slow
def test_two_processes_never_sign_two_heads_of_one_size(store: str, bench: Bench, vendor: str) -> None:
    """Each reads the head, signs on it and then tries to store it: 10,000 rounds on SQLite, 500 on PostgreSQL.

    What was read before the lock is often old, so only the compare-and-swap keeps them apart.
    """
    rounds = ROUNDS[vendor]
    connections.close_all()
    context = multiprocessing.get_context("spawn")
    begin, told = context.Barrier(2), context.Queue()
    racers = [
        context.Process(
            target=race, args=(store, bench.folder, digit, rounds), kwargs={"begin": begin, "told": told}
        )
        for digit in "ab"
    ]
    for each in racers:
        each.start()
    results = {digit: (won, lost) for digit, won, lost in (told.get(timeout=120) for _ in racers)}
    for each in racers:
        each.join(30)
        assert each.exitcode == 0
    connection.use(store)
    heads, leaves = rows("head"), rows("leaf")
    assert all(won + lost == rounds for won, lost in results.values())
    assert sum(won for won, _ in results.values()) == len(heads) == len(leaves)
    assert sum(lost for _, lost in results.values()) > rounds // 100, "they got in each other's way"
    assert [row["size"] for row in heads] == list(range(1, len(leaves) + 1))
    assert len({row["root"] for row in heads}) == len(heads)
    log = bench.log()
    log.add(REGISTER, START)
    assert bench.published().checkpoint.size == len(leaves) + 1
    assert list(tile_faults(bench.folder / "log", bench.policy)) == []


class Ticking:
    """A clock that all threads share: 40 seconds pass whenever somebody looks at it."""

    def __init__(self) -> None:
        self._ticks = itertools.count()

    def __call__(self) -> dt.datetime:
        return START + dt.timedelta(seconds=40 * next(self._ticks))


def _turn(log: Log, turn: int, digit: str, clock: Ticking) -> bool:
    """One turn; False where the clock that it looked at is behind what was signed meanwhile."""
    try:
        if turn % 4:
            log.add(RegisterLeaf("2026H2", digit * 64), clock())
        else:
            log.close_due(clock())
    except UnavailableError as error:
        if error.code == "clock-ran-back":
            return False
        raise
    return True


def work(log: Log, digit: str, clock: Ticking, raised: list[BaseException]) -> None:
    """A hundred turns of one signer: a rare leaf three times of four, else whatever epoch is due."""
    try:
        for turn in range(100):
            while not _turn(log, turn, digit, clock):
                pass  # the other one was two looks at the clock faster: as a worker does, look again
    except BaseException as error:  # noqa: BLE001  told to the test
        raised.append(error)
    finally:
        connections.close_all()


def published(folder: Path) -> int:
    """The size in the published checkpoint, as a reader finds it at this moment."""
    return int((folder / "log" / "checkpoint").read_text().split("\n")[1])


@pytest.mark.slow
def test_two_whole_signers_share_one_database_and_one_folder(bench: Bench) -> None:
    """200 turns: both close, add and publish at once; a reader looks on and never sees the log shrink."""
    logs = [bench.log(), bench.log()]
    logs[0].close_due(START)
    raised: list[BaseException] = []
    sizes: list[int] = []
    clock = Ticking()
    workers = [
        threading.Thread(target=work, args=(log, digit, clock, raised))
        for log, digit in zip(logs, "ab", strict=True)
    ]
    for thread in workers:
        thread.start()
    while any(thread.is_alive() for thread in workers):
        sizes.append(published(bench.folder))
    for thread in workers:
        thread.join()
    assert raised == []
    heads, epochs = rows("head"), Counter(row["epoch"] for row in rows("epoch"))
    assert [row["size"] for row in heads] == list(range(1, len(rows("leaf")) + 1))
    assert len({row["root"] for row in heads}) == len(heads) == len(epochs) + 2 * 75
    assert set(epochs.values()) == {1}
    assert len(epochs) >= 3
    assert sizes == sorted(sizes), "a published checkpoint was replaced by an older one"
    assert list(tile_faults(bench.folder / "log", bench.policy)) == []

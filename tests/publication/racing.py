"""One of two signers that race for the same log, in a process of its own."""

import datetime as dt
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path

from dueprocess.errors import ConflictError
from dueprocess.history import connection, ledger
from dueprocess.history.connection import append_lock
from dueprocess.publication.signer import LogSigner
from dueprocess.tlog.checkpoint import Checkpoint, sign_checkpoint
from dueprocess.tlog.leaf import RegisterLeaf
from publication.bench import ORIGIN, START, Bench


class QuickSigner(LogSigner):
    """Signs with Ed25519 only: 10,000 rounds of ML-DSA-44 would cost most of the time and race no harder."""

    def sign(self, checkpoint: Checkpoint, now: dt.datetime) -> str:
        signers = [(self.vkeys[0], self._ed25519.sign)]
        return sign_checkpoint(checkpoint, signers, timestamp=int(now.timestamp())).decode()


def race(
    address: str,
    folder: Path,
    digit: str,
    rounds: int,
    *,
    begin: Barrier,
    told: "Queue[tuple[str, int, int]]",
) -> None:
    """Tries so many times to put a leaf on the head that it read before it took the lock. Tells wins and losses."""
    connection.use(address)
    signer = QuickSigner.open(ORIGIN, folder / "keys")
    log = Bench(folder, signer).log()
    won = lost = 0
    begin.wait()
    for number in range(rounds):
        leaf = RegisterLeaf("2026H2", f"{digit}{number:063d}")
        frontier, at = log._caught_up(START)  # noqa: SLF001  what it signs, before the lock
        _, entry, head = log._grown(frontier, leaf, at)  # noqa: SLF001
        try:
            with append_lock():
                ledger.add_leaf(head.size - 1, entry, head)
        except ConflictError as error:
            assert error.code == "head-moved"  # noqa: PT017  told to the other process
            lost += 1
        else:
            won += 1
    told.put((digit, won, lost))

"""What a check finds: one thing that does not fit, and which promise it breaks."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from dueprocess.tlog.policy import Policy

INVARIANTS: Mapping[str, str] = {
    "I1": "nothing was handed over whose record did not stand in the log before, with its digest",
    "I2": "nothing was collected, handed over or erased without two different people",
    "I3": "ledger numbers run from 1 without a gap",
    "I4": "nothing that was received is lost",
    "I5": "no permission was used twice",
    "I6": "the log only grew, and is what witnesses saw",
    "I7": "every state is what its events say",
    "I8": "nobody was told while an order forbade it",
    "I9": "what was erased cannot be opened",
    "I10": "what is reported is what the register and the ledger count",
}
"""The promises that `fsck` checks. Source: security.md 3.1."""

NOT_CHECKED: Mapping[str, str] = {
    "I1": "a hand-over outside dueprocess leaves no trace here",
    "I4": "a paper that arrived and was never given to dueprocess",
    "I6": "whether witnesses hold another head now, and other copies of the log: dueprocess monitor",
    "I8": "a notice that is late: whether one is owed now is for the worker and dueprocess next",
    "I9": "copies of a key that somebody made; parcels have no expiry of their own, they stay until the case is erased",
    "I10": "rows that were left out of a register as national security, or because there were too few",
}
"""What no check here can see, by promise, for the honest end of the list."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that does not fit: which table, which row, what, and the promise that it breaks."""

    table: str
    row: str
    what: str
    invariant: str = ""

    def __str__(self) -> str:
        promise = f" ({self.invariant}: {INVARIANTS[self.invariant]})" if self.invariant else ""
        return f"{self.table} {self.row}: {self.what}{promise}"


@dataclass(frozen=True, slots=True)
class FsckKeys:
    """What fsck needs beside the database: case keys (None where erased), epoch master, the log's policies."""

    case_key: Callable[[str], bytes | None]
    master: bytes
    policies: Sequence[Policy]
    """Every policy that is or was in force."""

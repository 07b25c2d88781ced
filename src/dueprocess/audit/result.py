"""What goes into a recount, and what comes out of it."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from dueprocess.audit.bundle import Header
from dueprocess.audit.chains import Chains, Fault
from dueprocess.audit.registers import Registers
from dueprocess.tlog.note import Vkey

MOST_OF_A_KIND = 20
"""Faults of one kind that are told one by one; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """The files of a bundle, lines without their ends."""

    header: Header
    seeds: Iterable[bytes]
    records: Iterable[bytes]
    outside: Iterable[bytes]
    withheld: Iterable[bytes]
    registers: Mapping[str, bytes]
    reports: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class PublicLog:
    """The log as the auditor took it himself: verified entries, and the keys that he knew before."""

    origin: str
    size: int
    entries: Iterable[bytes]
    keys: tuple[Vkey, ...]


@dataclass(slots=True)
class Recount:
    """What the recount found. Without faults everything that can be counted fits together."""

    header: Header
    faults: list[Fault] = field(default_factory=list)
    more: Counter[str] = field(default_factory=Counter)
    """Faults of a kind beyond those told."""
    shown: list[str] = field(default_factory=list)
    """What somebody should know, in words, though nothing is wrong with it."""
    unseen: list[str] = field(default_factory=list)
    epochs: int = 0
    busy: int = 0
    records: int = 0
    chains: Chains = field(default_factory=lambda: Chains(whole=False))
    registers: Registers = field(default_factory=Registers)
    _kinds: Counter[str] = field(default_factory=Counter)

    def fault(self, fault: Fault) -> None:
        self._kinds[fault.code] += 1
        if self._kinds[fault.code] <= MOST_OF_A_KIND:
            self.faults.append(fault)
        else:
            self.more[fault.code] += 1

    def faulty(self, code: str, told: str) -> None:
        self.fault(Fault(code, told))

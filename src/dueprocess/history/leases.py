"""Leases: who works on what, so that two workers never do the same thing or press on one store at once.

A lease ends by itself when nobody prolongs it, and at once when its holder was a program on this machine that is
gone. Losing one loses nothing: what is owed follows from the events.
"""

import datetime as dt
import hashlib
import os
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.db import DatabaseError, InterfaceError, OperationalError, connections, transaction

from dueprocess.errors import ConflictError, MalformedError, UnavailableError
from dueprocess.history import ready  # noqa: F401  Django is loaded before its models
from dueprocess.history.models import LeaseRow
from dueprocess.wire import instant, parse_instant

LASTS = dt.timedelta(minutes=2)
"""How long a lease lasts after it was last prolonged."""
BEAT_SECONDS = 20
"""How often it is prolonged while its holder works."""

type Clock = Callable[[], dt.datetime]


@dataclass(frozen=True, slots=True)
class Holder:
    """A program: on which machine, its number there, when it began (both as the machine counts), and since when
    it has the lease. Written as one text of at most 64 characters.
    """

    since: dt.datetime
    pid: int
    begun: str
    place: str
    host: str

    def text(self) -> str:
        since = instant(self.since.replace(microsecond=0))
        return f"{since} {self.pid} {self.begun} {self.place} {self.host}"[:64]

    @classmethod
    def of(cls, text: str) -> "Holder | None":
        """The holder of a row; None where the text is not one."""
        try:
            since, pid, begun, place, host = text.split(" ")
            return cls(parse_instant(since), int(pid), begun, place, host)
        except (ValueError, MalformedError):
            return None

    @property
    def words(self) -> str:
        return f"program {self.pid} on {self.host} since {instant(self.since)}"

    @property
    def gone(self) -> bool:
        """Whether this program surely runs no more: it was on this machine, and is not there."""
        return not self.elsewhere and _begun(self.pid) != self.begun

    @property
    def elsewhere(self) -> bool:
        """Whether it cannot be seen from here."""
        return self.place != _place() or self.place == _NOWHERE


def this_program(since: dt.datetime) -> Holder:
    """The program that asks."""
    return Holder(since, os.getpid(), _begun(os.getpid()), _place(), (socket.gethostname() or "-")[:16])


_NOWHERE = "-"


@cache
def _place() -> str:
    """This start of this machine, and which programs can be seen from here. ``-`` where a system does not say."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        seen = os.readlink("/proc/self/ns/pid")  # noqa: PTH115  no path, a name of the kernel
    except OSError:
        return _NOWHERE
    return hashlib.sha256(f"{boot} {seen}".encode()).hexdigest()[:8]


def _begun(pid: int) -> str:
    """When a program began, in ticks since this machine's start; empty where it is not or is only to be buried."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return "-"
    return "-" if fields[0] in "ZX" else fields[19]


@dataclass(slots=True)
class Leases:
    """Held leases. ``check`` before anything that cannot be taken back."""

    names: tuple[str, ...]
    holder: str
    lost: str = ""
    """Name of the first one that somebody else has now."""

    def check(self) -> None:
        """Refuses to go on after a lease went to somebody else, because this program stood still for too long."""
        if self.lost:
            raise ConflictError(
                "lease-lost",
                f"Somebody else works on {self.lost} now.",
                why="This program gave no sign of life for two minutes.",
                do="Nothing was handed over. Run the same command again.",
            )

    def prolong(self, now: dt.datetime) -> None:
        """Prolongs all of them, and sees which are lost."""
        for name in self.names:
            mine = LeaseRow.objects.filter(name=name, holder=self.holder)
            if not mine.update(until=instant(now + LASTS)):
                self.lost = self.lost or name


@contextmanager
def leased(names: Sequence[str], clock: Clock, *, beat: float = BEAT_SECONDS) -> Iterator[Leases]:
    """All of these leases, or none: prolonged by a thread until the end, and given back then.

    Refuses, naming the holder and since when, where somebody has one of them.
    """
    held = _claimed(sorted(set(names)), clock())
    _ours.update(held.names)
    stop = threading.Event()
    thread = threading.Thread(target=_prolonged, args=(held, clock, stop, beat), daemon=True)
    try:
        thread.start()
        yield held
    finally:
        stop.set()
        if thread.ident is not None:
            thread.join()
        _ours.difference_update(held.names)
        _given_back(held)


_ours: set[str] = set()
"""What this program holds."""


def _claimed(names: Sequence[str], now: dt.datetime) -> Leases:
    holder = this_program(now).text()
    until = instant(now + LASTS)
    try:
        with transaction.atomic():
            for name in names:
                _claim(name, holder, until, now)
    except (OperationalError, InterfaceError) as error:
        raise UnavailableError(
            "store-unavailable",
            "The event store did not take this lease; nothing was begun.",
            why=str(error).splitlines()[0] if str(error) else type(error).__name__,
            do="Check the disk space and the database server, then run the same command again.",
        ) from error
    return Leases(tuple(names), holder)


def _claim(name: str, holder: str, until: str, now: dt.datetime) -> None:
    LeaseRow.objects.bulk_create([LeaseRow(name=name, holder="", until="")], ignore_conflicts=True)
    # A row that somebody is about to claim in this moment is skipped, where the database can: no queue of claims.
    row = LeaseRow.objects.select_for_update(skip_locked=True).filter(name=name).first()
    if row is None or not _free(row, now):
        raise _held(name, Holder.of(row.holder) if row is not None else None)
    LeaseRow.objects.filter(name=name).update(holder=holder, until=until)


def _free(row: LeaseRow, now: dt.datetime) -> bool:
    holder = Holder.of(row.holder)
    if holder is None or parse_instant(row.until) <= now or holder.gone:
        return True
    # Our own, which a full disk kept us from giving back.
    return holder.pid == os.getpid() and not holder.elsewhere and row.name not in _ours


def _held(name: str, holder: Holder | None) -> ConflictError:
    return ConflictError(
        "leased",
        f"Somebody works on {name} already: {holder.words if holder else 'a program that began in this moment'}.",
        why="Two programs never produce for one target, or read from one store, at the same time.",
        do="Wait until it ends. The lease of a program that died ends by itself within two minutes.",
    )


def _prolonged(held: Leases, clock: Clock, stop: threading.Event, beat: float) -> None:
    try:
        while not stop.wait(beat):
            try:
                held.prolong(clock())
            except (DatabaseError, InterfaceError):
                connections.close_all()  # tried again at the next beat; the lease lasts longer than several
    finally:
        connections.close_all()


def _given_back(held: Leases) -> None:
    try:
        LeaseRow.objects.filter(name__in=held.names, holder=held.holder).delete()
    except (DatabaseError, InterfaceError):
        connections.close_all()  # it ends by itself


def holders() -> dict[str, Holder]:
    """Name → holder of every lease that somebody has, or left behind."""
    found = {row.name: Holder.of(row.holder) for row in LeaseRow.objects.order_by("name")}
    return {name: holder for name, holder in found.items() if holder is not None}

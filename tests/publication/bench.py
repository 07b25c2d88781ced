"""A log with its signer and its tables, real witnesses over HTTP, and servers that misbehave."""

import datetime as dt
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dueprocess.history.append import Hand
from dueprocess.publication.collecting import Outside
from dueprocess.publication.log import Log
from dueprocess.publication.signer import LogSigner
from dueprocess.steps.receive import receive
from dueprocess.tlog.checkpoint import OpenedCheckpoint, open_checkpoint
from dueprocess.tlog.policy import Policy, Witness, format_policy, parse_policy
from dueprocess.witness.place import create_place
from dueprocess.witness.server import Running, serve_in_thread

ORIGIN = "chat.example/dueprocess/1"
START = dt.datetime(2026, 9, 1, 8, 0, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


@dataclass
class Friend:
    """A real witness that can be stopped and started again, with a clock of its own."""

    folder: Path
    name: str
    clock: Callable[[], dt.datetime]
    port: int = 0
    running: Running | None = None
    said: list[str] = field(default_factory=list)

    def start(self) -> None:
        self.running = serve_in_thread(self.folder, clock=self.look, port=self.port, report=self.said.append)
        self.port = self.running.server.server_port

    def look(self) -> dt.datetime:
        """The time by this friend's clock, which a test may exchange."""
        return self.clock()

    def stop(self) -> None:
        if self.running is not None:
            self.running.stop()
        self.running = None

    def line(self) -> Witness:
        """This witness as a line of a policy."""
        assert self.running is not None
        return Witness(self.name, self.running.vkeys[0], self.running.url)


@dataclass
class Bench:
    """One log on one store, with everything that surrounds it."""

    folder: Path
    signer: LogSigner
    now: dt.datetime = START
    friends: list[Friend] = field(default_factory=list)
    policy: Policy = field(init=False)
    arrived: int = 0

    def __post_init__(self) -> None:
        self.set_policy()

    def set_policy(self, *lines: Witness, need: int = 0) -> None:
        self.policy = parse_policy(format_policy(self.signer.vkeys, lines, need=need))

    def befriend(self, count: int, need: int) -> list[Friend]:
        """That many real witnesses, who know this log's keys, in a policy that needs so many of them."""
        for number in range(1, count + 1):
            place = create_place(self.folder / f"w{number}", f"w{number}.example/witness")
            place.add_logs(self.signer.vkeys)
            friend = Friend(place.folder, f"w{number}", lambda: self.now)
            friend.start()
            self.friends.append(friend)
        self.set_policy(*(each.line() for each in self.friends), need=need)
        return self.friends

    def outside(self, *, seconds: float = 1.0, system_clock: bool = False) -> Outside:
        return Outside(self.folder / "worker" / "evidence", system_clock=system_clock, seconds=seconds)

    def log(self, folder: str = "log", **changes: Any) -> Log:
        facts: dict[str, Any] = {
            "epoch_seconds": 3600,
            "policy": self.policy,
            "outside": self.outside(),
        }
        return Log(self.folder / folder, self.signer, b"m" * 32, **{**facts, **changes})

    def arrive(self, at: dt.datetime | None = None) -> None:
        """One more paper comes in."""
        self.arrived += 1
        receive(f"{self.arrived:032x}", Hand("ana", at or self.now, b"k" * 32), paper_sha256="0" * 64,
                nonce=b"n" * 32, channel="mail", media="pdf", size_bytes=9)  # fmt: skip

    def published(self, folder: str = "log") -> OpenedCheckpoint:
        data = (self.folder / folder / "checkpoint").read_bytes()
        return open_checkpoint(data, self.policy.unwitnessed)

    def evidence(self) -> dict[str, bytes]:
        kept = self.folder / "worker" / "evidence"
        return {each.name: each.read_bytes() for each in kept.iterdir()} if kept.exists() else {}


class Misbehaving:
    """A server that answers every connection by one function on the raw socket, which may also wait."""

    def __init__(self, answer: Callable[[socket.socket, threading.Event], None]) -> None:
        self._over = threading.Event()
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._serve, daemon=True)]
        self._threads[0].start()

    def _serve(self) -> None:
        while not self._over.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._one, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _one(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            self._answer(connection, self._over)

    def stop(self) -> None:
        self._over.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for each in self._threads:
            each.join(5)

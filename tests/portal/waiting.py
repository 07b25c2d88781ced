"""A portal with one released parcel, without any installation: it needs none."""

import datetime as dt
import hashlib
import random
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

import pyrage

from dueprocess.delivery import fetches, releases
from dueprocess.delivery.releases import Release
from dueprocess.portal.server import PortalServer, open_server
from dueprocess.wire import instant

NOW = dt.datetime(2026, 9, 5, 8, 0, tzinfo=dt.UTC)
PARCEL_ID, RELEASE_ID = "p-00112233445566aa", "ab" * 16


@dataclass
class Answer:
    """What came back over HTTP."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Waiting:
    """A released parcel of random bytes, the key that it waits for, and a clock to move."""

    folder: Path
    data: bytes
    officer: pyrage.x25519.Identity
    now: dt.datetime = NOW
    servers: "list[PortalServer | Program]" = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    @property
    def releases(self) -> Path:
        return self.folder / "releases"

    @property
    def fetched(self) -> Path:
        return self.folder / "fetched"

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()

    def offer(self, recipient: str | None = None, **changes: object) -> Release:
        """Releases the parcel; to another key than the officer's if one is given."""
        parcel = self.folder / "parcel"
        parcel.write_bytes(self.data)
        facts: dict[str, object] = {
            "parcel_id": PARCEL_ID,
            "release": RELEASE_ID,
            "name": f"{PARCEL_ID}.tar.age",
            "sha256": self.sha256,
            "size_bytes": len(self.data),
            "recipient": recipient or str(self.officer.to_public()),
            "expires_at": NOW + dt.timedelta(days=14),
            "operator": "Chat Example",
            "contact": "legal@chat.example",
        }
        found = Release(**{**facts, **changes})  # type: ignore[arg-type]  # the table above has the types
        releases.offer(self.releases, found, parcel, b"a sealed receipt")
        return found

    def serve(self) -> PortalServer:
        """A portal in a thread of this process, with the clock of this test."""
        server = open_server(
            "127.0.0.1",
            0,
            (self.releases, self.fetched),
            clock=lambda: self.now,
            report=self.said.append,
        )
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        self.servers.append(server)
        return server

    @property
    def address(self) -> str:
        if not self.servers:
            self.serve()
        return f"http://127.0.0.1:{self.servers[-1].server_port}"

    def at(self, path: str = "") -> str:
        """An address of the parcel."""
        return f"{self.address}/parcels/{PARCEL_ID}{path}"

    def ask(self, path: str, method: str = "GET", **headers: str) -> Answer:
        """One request with Python's own client. ``If_Range`` stands for If-Range."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(self.address + path, headers=named, method=method)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return Answer(answer.status, _lower(answer.headers), answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, _lower(error.headers), error.read())

    def token(self) -> str:
        """A fresh token, opened with the officer's key."""
        sealed = self.ask(f"/parcels/{PARCEL_ID}/challenge", "POST")
        assert sealed.status == 200, sealed
        return bytes(pyrage.decrypt(sealed.body, [self.officer])).decode()

    def settled(self) -> list[fetches.Fetched]:
        """What was sent, once nothing is being sent any more: the last acknowledgement comes after the last byte."""
        assert until(lambda: not any(each.running for each in fetches.look(self.fetched, RELEASE_ID)))
        return fetches.look(self.fetched, RELEASE_ID)

    def is_whole(self) -> bool:
        return fetches.is_whole(self.settled(), len(self.data))

    def file(self, token: str, method: str = "GET", **headers: str) -> Answer:
        """The file, or a range of it, under a token."""
        return self.ask(f"/parcels/{PARCEL_ID}/file", method, Authorization=f"Bearer {token}", **headers)


def _lower(headers: object) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}  # type: ignore[attr-defined]


def waiting(folder: Path, size: int = 3_000_000) -> Waiting:
    """A folder with a parcel of so many bytes, not yet released."""
    return Waiting(folder, random.Random(size).randbytes(size), pyrage.x25519.Identity.generate())


@dataclass
class Program:
    """The portal as a program of its own, in the place of a server in this process."""

    process: subprocess.Popen[str]
    server_port: int

    def kill(self) -> None:
        """SIGKILL: nothing is tidied up."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """SIGTERM, and an orderly end in time."""
        self.process.terminate()
        try:
            self.process.wait(10)
        finally:
            self.kill()
            assert self.process.stdout is not None
            self.process.stdout.close()


def start_program(found: Waiting) -> Program:
    """The portal as a program on the clock of the test; asked from now on."""
    clock = found.folder / "clock"
    clock.write_text(instant(found.now))
    words = [sys.executable, "-m", "dueprocess.portal.server", "--port", "0", "--clock", str(clock)]
    words += ["--releases", str(found.releases), "--fetched", str(found.fetched)]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    program = Program(process, int(line.split("/parcels/")[0].rsplit(":", 1)[1]))
    found.servers.append(program)
    return program


def until(condition: object, seconds: float = 10.0) -> bool:
    """Whether the condition came true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():  # type: ignore[operator]
            return True
        time.sleep(0.01)
    return False

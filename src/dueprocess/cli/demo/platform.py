"""The platform of the demonstration: fictional people on a real homeserver, before, inside and after a window.

Every row comes into being through the server's own API, at the server's own time. Nothing is written into its
database by hand. What must never leave is remembered here as canaries.
"""

import math
import secrets
import sqlite3
import struct
import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from dueprocess.cli.demo.cast import ADMIN, CANARY_PEOPLE, EVA, FINN, GINA, IVO, JUDY, PEOPLE, Person
from dueprocess.cli.demo.homeserver import Homeserver, Say, running
from dueprocess.cli.demo.matrix import Caller, LoggedIn, Matrix
from dueprocess.errors import UnavailableError

type Phase = Literal["before", "inside", "after"]

_FLUSH_SECONDS = 30
"""Synapse writes what it saw of sessions every five seconds."""

_MARK: dict[Phase, str] = {
    "before": "BEFORE-WINDOW canary",
    "inside": "INSIDE-WINDOW",
    "after": "AFTER-WINDOW canary",
}
_PROGRAMS: dict[Phase, str] = {
    "before": "SchildiChat/1.11.36 (X11; Linux x86_64)",
    "inside": "Element/1.12.3 (X11; Linux x86_64)",
    "after": "FluffyChat/2.2.0 (Android 16)",
}
_SECOND_PROGRAM = "Element X/26.10.1 (iPhone15,2; iOS 26.1)"
_NETWORK: dict[Phase, str] = {"before": "198.51.100", "inside": "192.0.2", "after": "203.0.113"}


@dataclass(frozen=True, slots=True)
class Session:
    """One real login, and the phase that it belongs to."""

    user: str
    phase: Phase
    user_agent: str
    address: str
    device_id: str
    device_name: str
    token: str


@dataclass(frozen=True, slots=True)
class PlatformRun:
    """What the stopped platform holds, and what of it may and must never be seen.

    ``window_start`` and ``received_at`` are whole seconds in UTC; every row of a session lies clearly before
    the first, between the two, or after the second.
    """

    folder: Path
    database: Path
    media: Path
    window_start: datetime
    received_at: datetime
    sessions: tuple[Session, ...]
    canaries: tuple[str, ...]
    """Strings that stand in no parcel, whoever it is about: canary people, all content, tokens, password
    hashes, and every session outside the window."""
    seconds: Mapping[str, float]
    """How long each phase took."""

    @property
    def environment(self) -> dict[str, str]:
        """What the shipped data map of Synapse needs to find the stores."""
        return {"SYNAPSE_DSN": f"sqlite:///{self.database}", "SYNAPSE_MEDIA": f"file:///{self.media}"}

    @property
    def expected(self) -> dict[str, tuple[str, ...]]:
        """User agents inside the window, by user, in the order of the logins."""
        inside = [each for each in self.sessions if each.phase == "inside"]
        return {
            person.id: tuple(each.user_agent for each in inside if each.user == person.id)
            for person in PEOPLE
        }

    def inside(self, user: str) -> tuple[Session, ...]:
        """The sessions of one user whose rows a production must give, and no others."""
        return tuple(each for each in self.sessions if each.user == user and each.phase == "inside")

    def canaries_for(self, user: str) -> tuple[str, ...]:
        """The canaries of a parcel about ``user``: the general ones, and whatever names anybody else."""
        others = [person for person in PEOPLE if person.id != user]
        named = [word for person in others for word in (person.id, person.mail)]
        seen = [_traces(each) for each in self.sessions if each.user != user]
        return tuple(dict.fromkeys([*self.canaries, *named, *(word for words in seen for word in words)]))


def _traces(session: Session) -> tuple[str, ...]:
    return (session.user_agent, session.address, session.device_id, session.device_name)


@dataclass(slots=True)
class _Story:
    """What happens on the server, step by step, and what is remembered of it."""

    server: Homeserver
    matrix: Matrix
    say: Say
    passwords: dict[str, str] = field(default_factory=dict)
    rooms: dict[str, str] = field(default_factory=dict)
    sessions: list[Session] = field(default_factory=list)
    content: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    _begun: float = field(default_factory=time.monotonic)
    _number: int = 0

    def timed(self, name: str) -> None:
        now = time.monotonic()
        self.seconds[name] = round(now - self._begun, 2)
        self._begun = now

    def register(self) -> None:
        """Accounts, and their addresses as an administrator records them."""
        boss = Caller("operator's console", "127.0.0.1")
        for person in (*PEOPLE, ADMIN):
            self.passwords[person.name] = secrets.token_urlsafe(18)
            secret = self.server.registration_secret
            admin = person is ADMIN
            self.matrix.register(person.name, self.passwords[person.name], secret, boss, admin=admin)
        operator = self.matrix.login(ADMIN.name, self.passwords[ADMIN.name], boss, device_name="console")
        self.content.append(operator.caller.token)
        for person in PEOPLE:
            self.matrix.set_mail(operator.caller, person.id, person.mail)

    def log_in(self, person: Person, phase: Phase, *, second: bool = False) -> LoggedIn:
        """A fresh device with its own user agent and address; Synapse updates an old one too rarely."""
        program = _SECOND_PROGRAM if second else _PROGRAMS[phase]
        agent = f"{program} {_MARK[phase]}, {person.name}"
        number = 100 + 2 * PEOPLE.index(person) + second
        caller = Caller(agent, f"{_NETWORK[phase]}.{number}")
        device = f"{person.name}'s {'telephone' if second else 'computer'}, {_MARK[phase]}"
        found = self.matrix.login(person.name, self.passwords[person.name], caller, device_name=device)
        session = Session(
            person.id, phase, agent, caller.address, found.device_id, device, found.caller.token
        )
        self.sessions.append(session)
        return found

    def talk(self, person: Person, who: LoggedIn, phase: Phase) -> None:
        """A message in each room of the person; its text, its event and its room are canaries."""
        for room in person.rooms:
            self._number += 1
            text = f"{person.line} (canary message {self._number} of {person.name}, {phase} the window)"
            event = self.matrix.send(
                who, self.rooms[room], {"msgtype": "m.text", "body": text}, self._number
            )
            self.content += [text, event]

    def show(self, person: Person, who: LoggedIn, phase: Phase) -> None:
        """Uploads a picture and posts it."""
        words = f"canary picture of {person.name}, {phase} the window"
        name = f"canary-{person.name}-{phase}.png"
        address = self.matrix.upload(who, png(words), name)
        self._number += 1
        content = {"msgtype": "m.image", "body": name, "url": address}
        event = self.matrix.send(who, self.rooms[person.rooms[0]], content, self._number)
        self.content += [words, name, address, address.rpartition("/")[2], event]

    def before(self) -> None:
        """Everybody was here before: profiles, rooms, messages and pictures."""
        for person in PEOPLE:
            who = self.log_in(person, "before")
            self.matrix.set_display_name(who, person.display_name)
            for room in person.rooms:
                if room in self.rooms:
                    self.matrix.join(who, self.rooms[room])
                else:
                    self.rooms[room] = self.matrix.open_room(who, room)
            self.talk(person, who, "before")
        self.content += [*self.rooms, *self.rooms.values(), *(person.display_name for person in PEOPLE)]

    def during(self) -> None:
        """Sessions whose rows are to be produced, with messages and pictures that are not."""
        for person in PEOPLE:
            who = self.log_in(person, "inside")
            self.talk(person, who, "inside")
            if person in (EVA, IVO):
                self.show(person, who, "inside")
        self.log_in(EVA, "inside", second=True)

    def after(self) -> None:
        """The people go on, after the paper has come."""
        for person in (EVA, FINN, GINA, JUDY):
            self.talk(person, self.log_in(person, "after"), "after")

    def canaries(self) -> tuple[str, ...]:
        words = list(self.content)
        words += [each.token for each in self.sessions]
        words += [word for person in CANARY_PEOPLE for word in (person.id, person.mail)]
        for session in self.sessions:
            if session.phase != "inside" or session.user in {person.id for person in CANARY_PEOPLE}:
                words += _traces(session)
        with closing(_read_only(self.server.database)) as link:
            words += [row[0] for row in link.execute("SELECT password_hash FROM users")]
        return tuple(dict.fromkeys(words))


def run_platform(folder: Path, *, say: Say) -> PlatformRun:
    """Runs the whole story on a fresh homeserver in ``folder`` and stops it, in about fifteen seconds.

    Raises ``UnavailableError`` where Synapse is missing, does not start or does not answer. The server is
    stopped whatever happens.
    """
    begun = time.monotonic()
    with running(folder, say=say) as server:
        story = _Story(server, Matrix(server.port), say)
        story.seconds["start"] = round(time.monotonic() - begun, 2)
        say("Registering fictional people through its admin API …")
        story.register()
        story.timed("register")
        say("Before the window: logins, rooms, messages, profiles …")
        story.before()
        window_start = _next_whole_second()
        story.timed("before")
        say("Inside the window: logins, messages, pictures …")
        story.during()
        received_at = _next_whole_second()
        story.timed("inside")
        say("After the paper has come: more logins …")
        story.after()
        story.timed("after")
        say("Waiting until the homeserver has written down all sessions …")
        _wait_for_sessions(server.database, story.sessions)
        story.timed("written")
        canaries = story.canaries()
    story.timed("stop")
    return PlatformRun(
        folder=folder,
        database=server.database,
        media=server.media,
        window_start=window_start,
        received_at=received_at,
        sessions=tuple(story.sessions),
        canaries=canaries,
        seconds=story.seconds,
    )


def _next_whole_second() -> datetime:
    """The next whole second, returned once it has begun: what was is before it, what comes is not."""
    second = math.floor(time.time()) + 1
    while (left := second - time.time()) > 0:
        time.sleep(left)
    return datetime.fromtimestamp(second, UTC)


def _wait_for_sessions(database: Path, sessions: list[Session]) -> None:
    """Until every session has its row, read beside the running server."""
    wanted = {(each.user, each.token) for each in sessions}
    until = time.monotonic() + _FLUSH_SECONDS
    while time.monotonic() < until:
        with closing(_read_only(database)) as link:
            found = set(link.execute("SELECT user_id, access_token FROM user_ips"))
        if wanted <= found:
            return
        time.sleep(0.2)
    raise UnavailableError(
        "sessions-not-written",
        f"The homeserver did not write down all sessions within {_FLUSH_SECONDS} s.",
        why=f"{len(wanted - found)} of {len(wanted)} are missing.",
        do="Run the same command again; on a very slow machine close other programs first.",
    )


def _read_only(database: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)


def png(words: str) -> bytes:
    """A picture of 32 by 32 points whose text chunk says ``words``. Source: PNG specification, section 5."""
    rows = b"".join(
        b"\0" + bytes(channel for x in range(32) for channel in (8 * x, 8 * y, 160)) for y in range(32)
    )
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", 32, 32, 8, 2, 0, 0, 0)),
        (b"tEXt", b"Comment\0" + words.encode("latin-1")),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, body) for name, body in parts)


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

"""What happens on the platform of the demonstration, call by call, and what is remembered of it.

Fictional people log in, talk and post pictures before, inside and after the window of the first demand. All of it
goes through the server's own API.
"""

import secrets
import struct
import zlib
from dataclasses import dataclass, field
from typing import Literal

from dueprocess.cli.demo.cast import ADMIN, EVA, FINN, GINA, IVO, JUDY, PEOPLE, Person
from dueprocess.cli.demo.homeserver import Homeserver
from dueprocess.cli.demo.matrix import Caller, LoggedIn, Matrix

type Phase = Literal["before", "inside", "after"]

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

    @property
    def traces(self) -> tuple[str, ...]:
        """What gives this session away wherever it is written."""
        return (self.user_agent, self.address, self.device_id, self.device_name)


@dataclass(slots=True)
class Story:
    """The people on one server. ``content`` gathers every word, id and token that must never leave."""

    server: Homeserver
    matrix: Matrix
    passwords: dict[str, str] = field(default_factory=dict)
    rooms: dict[str, str] = field(default_factory=dict)
    sessions: list[Session] = field(default_factory=list)
    content: list[str] = field(default_factory=list)
    _number: int = 0

    def register(self) -> None:
        """Accounts, and their addresses as an administrator records them."""
        boss = Caller("operator's console", "127.0.0.1")
        for person in (*PEOPLE, ADMIN):
            self.passwords[person.name] = secrets.token_urlsafe(18)
            secret = self.server.registration_secret
            admin = person is ADMIN
            self.matrix.register(person.name, self.passwords[person.name], secret, boss, admin=admin)
        operator = self.matrix.login(ADMIN.name, self.passwords[ADMIN.name], boss, device_name="console")
        self.content += [operator.caller.token, operator.device_id, ADMIN.id]
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
            event = self.matrix.send(who, self.rooms[room], {"msgtype": "m.text", "body": text}, self._number)
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

"""The platform of the demonstration: fictional people on a real homeserver, before, inside and after a window.

Every row comes into being through the server's own API, at the server's own time. Nothing is written into its
database by hand. What must never leave is remembered here as canaries.
"""

import math
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from dueprocess.cli.demo.cast import CANARY_PEOPLE, PEOPLE
from dueprocess.cli.demo.homeserver import Say, running
from dueprocess.cli.demo.matrix import Matrix
from dueprocess.cli.demo.story import Session, Story
from dueprocess.errors import UnavailableError

_FLUSH_SECONDS = 30
"""Synapse writes what it saw of sessions every five seconds."""


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
        return {person.id: tuple(each.user_agent for each in self.inside(person.id)) for person in PEOPLE}

    def inside(self, user: str) -> tuple[Session, ...]:
        """The sessions of one user whose rows a production must give, and no others."""
        return tuple(each for each in self.sessions if each.user == user and each.phase == "inside")

    def canaries_for(self, user: str, *, traffic: bool) -> tuple[str, ...]:
        """The canaries of a parcel about ``user``: the general ones, and whatever names anybody else.

        Without ``traffic`` the user's own programs, addresses and devices may not stand there either.
        """
        others = [person for person in PEOPLE if person.id != user]
        words = [word for person in others for word in (person.id, person.mail)]
        for session in self.sessions:
            words += session.traces if session.user != user or not traffic else ()
        return tuple(dict.fromkeys([*self.canaries, *words]))


def run_platform(folder: Path, *, say: Say) -> PlatformRun:
    """Runs the whole story on a fresh homeserver in ``folder`` and stops it; ten seconds where nothing else runs.

    Raises ``UnavailableError`` where Synapse is missing, does not start or does not answer. The server is
    stopped whatever happens.
    """
    steps = _Steps(say)
    with steps("start and stop"), running(folder, say=say) as server:
        story = Story(server, Matrix(server.port))
        with steps("register", "Registering fictional people through its admin API …"):
            story.register()
        with steps("before", "Before the window: logins, rooms, messages, profiles …"):
            story.before()
            window_start = next_whole_second()
        with steps("inside", "Inside the window: logins, messages, pictures …"):
            story.during()
            received_at = next_whole_second()
        with steps("after", "After the paper has come: more logins …"):
            story.after()
        with steps("written", "Waiting until the homeserver has written down all sessions …"):
            wait_for_sessions(server.database, story.sessions)
        canaries = _canaries(story)
    return PlatformRun(
        folder=folder.resolve(),
        database=server.database,
        media=server.media,
        window_start=window_start,
        received_at=received_at,
        sessions=tuple(story.sessions),
        canaries=canaries,
        seconds=steps.seconds,
    )


class _Steps:
    """Says each step and keeps how many seconds it took, without the steps inside it."""

    def __init__(self, say: Say) -> None:
        self.seconds: dict[str, float] = {}
        self._say = say

    @contextmanager
    def __call__(self, name: str, what: str = "") -> Iterator[None]:
        if what:
            self._say(what)
        begun, inner = time.monotonic(), sum(self.seconds.values())
        yield
        self.seconds[name] = round(time.monotonic() - begun - sum(self.seconds.values()) + inner, 2)


def _canaries(story: Story) -> tuple[str, ...]:
    """Everything that must never leave; the password hashes are read, not guessed."""
    theirs = {person.id for person in CANARY_PEOPLE}
    words = [*story.content, *(each.token for each in story.sessions)]
    words += [word for person in CANARY_PEOPLE for word in (person.id, person.mail)]
    for session in story.sessions:
        words += session.traces if session.phase != "inside" or session.user in theirs else ()
    with closing(_read_only(story.server.database)) as link:
        words += [row[0] for row in link.execute("SELECT password_hash FROM users")]
    return tuple(dict.fromkeys(words))


def next_whole_second() -> datetime:
    """The next whole second, returned once it has begun: what was is before it, what comes is not."""
    second = math.floor(time.time()) + 1
    while (left := second - time.time()) > 0:
        time.sleep(left)
    return datetime.fromtimestamp(second, UTC)


def wait_for_sessions(database: Path, sessions: list[Session]) -> None:
    """Until every session has its row, read beside the running server."""
    found: set[tuple[str, str]] = set()
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

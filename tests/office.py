"""A small office for tests: an installation with its cast, a fictional platform, and a clock to move.

Ana takes demands in, Boris reviews, Chi is the second, Dana belongs to another team, Eva is the subject.
"""

import datetime as dt
import re
import shutil
import sqlite3
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyrage

from dueprocess.demand import UNBOUNDED, Demand, NondisclosureOrder, Period, Scope, ScopeItem, Target, expand
from dueprocess.desk import closing, decisions, demands, handover, notices, production, rosters, setup
from dueprocess.desk.desk import Desk, open_desk
from dueprocess.desk.filekeys import FileKey, make_key
from dueprocess.worker import loop
from dueprocess.worker.clock import set_clock

MAP = """
[map]
id = "platform"
version = "1"
platform = "a fictional platform"

[store.main]
connect = "${PLATFORM_DSN}"
max_rows = 1000

[[target]]
kind = "account"
store = "main"
table = "users"
column = "name"
subject = "name"

[[table]]
store = "main"
name = "users"
subject = "name"
[table.columns]
name = { category = "subscriber.identity" }
created = { category = "subscriber.service" }

[[table]]
store = "main"
name = "sessions"
subject = "user"
time = { column = "at", unit = "s" }
[table.columns]
at = { category = "session.times" }
ip = { category = "traffic" }

[[table]]
store = "main"
name = "messages"
subject = "sender"
time = { column = "at", unit = "s" }
[table.columns]
at = { category = "content.messages" }
body = { category = "content.messages" }
"""

START = dt.datetime(2026, 9, 1, 8, 0, tzinfo=dt.UTC)
EVA, FINN = "@eva:chat.example", "@finn:chat.example"


def make_platform(path: Path) -> None:
    """Two accounts with sessions in and out of the window, and messages that nobody may see."""
    store = sqlite3.connect(path)
    store.executescript(
        """
        CREATE TABLE users (name TEXT PRIMARY KEY, created INTEGER);
        CREATE TABLE sessions (user TEXT, at INTEGER, ip TEXT);
        CREATE INDEX by_user ON sessions (user);
        CREATE TABLE messages (sender TEXT, at INTEGER, body TEXT);
        CREATE INDEX by_sender ON messages (sender);
        """
    )
    for name in (EVA, FINN):
        store.execute("INSERT INTO users VALUES (?, ?)", (name, 1_700_000_000))
        for day in (-40, -20, -10, -1, 10):
            at = int((START + dt.timedelta(days=day)).timestamp())
            store.execute("INSERT INTO sessions VALUES (?, ?, ?)", (name, at, f"192.0.2.{day % 100}"))
        store.execute(
            "INSERT INTO messages VALUES (?, ?, ?)", (name, int(START.timestamp()) - 9, "canary words")
        )
    store.commit()
    store.close()


@dataclass
class Office:
    """An installation on a simulated clock, with everybody's keys."""

    desk: Desk
    root: Path
    people: dict[str, FileKey]
    officer: pyrage.x25519.Identity
    environment: dict[str, str]
    now: dt.datetime = START
    seen: list[str] = field(default_factory=list)
    cases: list[str] = field(default_factory=list)
    """Ids of the cases that a template began with."""

    def wait(self, **delta: float) -> None:
        """Moves the clock and lets the worker take a turn at every epoch on the way."""
        until = self.now + dt.timedelta(**delta)
        log = self.desk.log()
        step = dt.timedelta(seconds=self.desk.installation.epoch_seconds)
        while self.now < until:
            self.now = min(self.now + step, until)
            set_clock(self.desk.installation, self.now)
            self.seen += loop.turn(self.desk, log, self.now)

    def receive(self, text: str = "a paper", folder: str = "paper.txt") -> str:
        path = self.root.parent / folder
        path.write_text(text)
        return demands.receive(self.desk, path, channel="mail", actor="ana", now=self.now)[0]

    def verify(self, case_id: str) -> None:
        demands.authenticate(
            self.desk, case_id, authority="a-court", findings=["called_back"], actor="ana", now=self.now
        )

    def demand(self, *, accounts: tuple[str, ...] = (EVA,), **changes: Any) -> Demand:
        """A 2703(d) order that asks for everything since 12 August, with no end."""
        period = Period(START - dt.timedelta(days=20, hours=1), None)
        categories = expand(["subscriber", "session", "traffic", "content"])
        items = tuple(ScopeItem(Target("account", name), categories, period) for name in accounts)
        facts: dict[str, Any] = {
            "kind": "disclosure",
            "regime": "us",
            "instrument": "d_order",
            "scope": Scope(bytes(32), items),
            "received_at": self.now,
            "issuer_kind": "court",
            "authority_id": "a-court",
            "legal_bases": ("18 USC 2703(d)",),
            "issued_on": dt.date(2026, 8, 31),
            "elements": frozenset({"signature", "issuer", "date", "identifier", "reasonable_grounds"}),
            "identifies": False,
        }
        return Demand(**{**facts, **changes})

    def decide(self, case_id: str, ref: str = "t1") -> None:
        """Narrow to what the law permits, propose by Boris, approve by Chi."""
        demands.narrow(self.desk, case_id, ref, demands.Choice(), actor="boris", now=self.now)
        decisions.propose(self.desk, case_id, ref, self.people["boris"], role="reviewer", now=self.now)
        decisions.approve(self.desk, case_id, ref, self.people["chi"], role="reviewer", now=self.now)

    def assessed_case(self, **changes: Any) -> str:
        case_id = self.receive()
        self.verify(case_id)
        demands.read(self.desk, case_id, self.demand(**changes), country="US", actor="ana", now=self.now)
        demands.assess(self.desk, case_id, actor="ana", now=self.now)
        return case_id

    def approved_case(self, **changes: Any) -> str:
        case_id = self.assessed_case(**changes)
        self.decide(case_id)
        return case_id

    def produce(self, case_id: str, ref: str = "t1") -> production.Production:
        return production.produce(self.desk, case_id, ref, self.environment, now=self.now)

    def deliver(self, case_id: str, to: Path, ref: str = "t1") -> list[str]:
        return handover.deliver(self.desk, case_id, ref, to, actor="boris", now=self.now)

    def close(self, case_id: str) -> None:
        closing.close(self.desk, case_id, actor="boris", now=self.now)

    def notify(self, case_id: str, ref: str = "t1") -> str | None:
        return notices.notify(self.desk, case_id, ref, actor="worker", now=self.now)


def open_office(
    folder: Path,
    database: str = "sqlite:history.db",
    *,
    epoch_seconds: int = 3600,
    window_days: int = 7,
    **changes: Any,
) -> Office:
    """A founded installation with staff past their cooling-off and one enrolled authority.

    ``changes`` are further facts of the new installation, such as its witnesses.
    """
    platform = folder / "platform.db"
    make_platform(platform)
    root = folder / "install"
    (root / "datamaps").mkdir(parents=True)
    (root / "datamaps" / "platform.toml").write_text(MAP)
    people = {
        name: make_key(name, folder / "people" / f"{name}.json") for name in ("ana", "boris", "chi", "dana")
    }
    new = setup.NewInstallation(
        origin="chat.example/dueprocess/1",
        regimes=("us",),
        operator="Chat Example",
        contact="legal@chat.example",
        country="US",
        datamap="datamaps/platform.toml",
        database=database,
        clock="simulated",
        epoch_seconds=epoch_seconds,
        window_days=window_days,
        **changes,
    )
    desk = setup.create(root, new, [people["boris"], people["chi"]], START)
    set_clock(desk.installation, START)
    officer = pyrage.x25519.Identity.generate()
    office = Office(desk, root, people, officer, {"PLATFORM_DSN": f"sqlite:///{platform}"})
    signers = [people["boris"], people["chi"]]
    ana = people["ana"]
    rosters.enrol(desk, setup.staff_document("ana", ana.public, ana.credential, ["intake"]), signers, START)
    court = rosters.authority_document(
        "a-court", name="District Court of Example", country="US", authority_class="court",
        age=str(officer.to_public()),
    )  # fmt: skip
    rosters.enrol(desk, court, signers, START)
    office.wait(days=2)
    return office


def copy_office(template: Office, folder: Path, database: str = "sqlite:history.db") -> Office:
    """The same office once more in another folder (and, on PostgreSQL, in another database), just as far on.

    Opening an office closes an epoch for every hour of two days; copying one costs milliseconds.
    """
    shutil.copytree(template.root.parent, folder, dirs_exist_ok=True)
    root = folder / template.root.name
    settings = root / "dueprocess.toml"
    text = settings.read_text()
    settings.write_text(re.sub(r'^database = "[^"]*"', f'database = "{database}"', text, flags=re.MULTILINE))
    environment = {"PLATFORM_DSN": f"sqlite:///{folder / 'platform.db'}"}
    return replace(
        template,
        desk=open_desk(root),
        root=root,
        environment=environment,
        seen=[],
        cases=list(template.cases),
    )


__all__ = ["EVA", "FINN", "UNBOUNDED", "NondisclosureOrder", "Office", "copy_office", "open_office"]

"""A platform where people are also known by mail addresses, addresses at a time and the things that they own."""

import datetime as dt
import sqlite3
from typing import Any

from dueprocess.demand import Period, Scope, ScopeItem, Target, TargetKind, expand
from dueprocess.desk import asking, decisions, demands
from dueprocess.desk.asking import Resolution
from dueprocess.desk.desk import open_desk
from dueprocess.plan import parse_moment
from office import EVA, FINN, MAP, START, Office

MORE = """
[[target]]
kind = "email"
store = "main"
table = "mails"
column = "mail"
subject = "user"
equals = { confirmed = true }

[[target]]
kind = "ip_at_time"
store = "main"
table = "leases"
column = "ip"
subject = "user"
interval = { since = "began", until = "ended", unit = "s", port_from = "low", port_to = "high" }

[[target]]
kind = "resource"
store = "main"
table = "projects"
column = "name"
subject = "id"
[target.owners]
table = "roles"
resource = "project"
subject = "user"
equals = { role = "owner" }
accounts = "users"
key = "name"
name = "name"
"""
MAIL, SHARED, NOBODY = "eva@mail.example", "both@mail.example", "nobody@mail.example"
AT = START - dt.timedelta(days=2)
OWNERS = [EVA, *(f"@owner{number}:chat.example" for number in range(4))]


def on_the_platform(office: Office) -> None:
    """Puts the wider map and its tables in the place of the small ones, as an operator does."""
    store = sqlite3.connect(office.environment["PLATFORM_DSN"].removeprefix("sqlite:///"))
    store.executescript(
        """
        CREATE TABLE mails (mail TEXT, user TEXT, confirmed INTEGER);
        CREATE INDEX by_mail ON mails (mail);
        CREATE TABLE leases (ip TEXT, user TEXT, began INTEGER, ended INTEGER, low INTEGER, high INTEGER);
        CREATE INDEX by_ip ON leases (ip);
        CREATE TABLE projects (id INTEGER PRIMARY KEY, name TEXT UNIQUE);
        CREATE TABLE roles (project INTEGER, user TEXT, role TEXT);
        CREATE INDEX by_project ON roles (project);
        """
    )
    for name in OWNERS[1:]:
        store.execute("INSERT INTO users VALUES (?, ?)", (name, 1_700_000_000))
    store.executemany(
        "INSERT INTO mails VALUES (?, ?, ?)",
        [
            (MAIL, EVA, 1),
            (MAIL, FINN, 0),
            (SHARED, EVA, 1),
            (SHARED, FINN, 1),
            ("gone@mail.example", "@gone:chat.example", 1),
        ],
    )
    store.executemany("INSERT INTO leases VALUES (?, ?, ?, ?, ?, ?)", list(_leases()))
    store.execute("INSERT INTO projects VALUES (7, 'example-package'), (8, 'lonely-package')")
    store.executemany(
        "INSERT INTO roles VALUES (7, ?, ?)", [*((name, "owner") for name in OWNERS), (FINN, "maintainer")]
    )
    store.commit()
    store.close()
    (office.root / "datamaps" / "platform.toml").write_text(MAP.replace("[[table]]", MORE + "\n[[table]]", 1))
    office.desk = open_desk(office.root)


def _leases() -> list[tuple[str, str, int, int | None, int, int]]:
    """One address: Eva's until the instant, then hers and Finn's by port; another one that two rows give away."""
    at = int(AT.timestamp())
    return [
        ("198.51.100.7", FINN, at - 500, at, 1, 65535),
        ("198.51.100.7", EVA, at, at + 900, 40000, 49999),
        ("198.51.100.7", FINN, at, None, 50000, 59999),
        ("198.51.100.8", EVA, at - 5, at + 5, 1, 65535),
        ("198.51.100.8", FINN, at - 5, None, 1, 65535),
        ("2001:db8::1", EVA, at - 5, None, 1, 65535),
    ]


def address(text: str, **after: float) -> str:
    value = f"{text} {(AT + dt.timedelta(**after)).strftime('%Y-%m-%dT%H:%M:%SZ')}"
    parse_moment(value)
    return value


def asked(
    office: Office, kind: TargetKind, value: str, *, demand_kind: str = "disclosure", **changes: Any
) -> str:
    """An order about one target that is no account: received, authenticated, read, assessed."""
    period = Period(START - dt.timedelta(days=20, hours=1), None)
    item = ScopeItem(Target(kind, value), expand(["subscriber", "session", "traffic"]), period)
    return office.assessed_case(scope=Scope(bytes(32), (item,)), kind=demand_kind, **changes)


def approved(office: Office, kind: TargetKind, value: str) -> str:
    """The same, decided by Boris and Chi, and sealed."""
    case_id = asked(office, kind, value)
    office.decide(case_id)
    office.wait(hours=12)
    return case_id


def resolve(office: Office, case_id: str, ref: str = "t1") -> Resolution:
    return asking.resolve(office.desk, case_id, ref, office.environment, now=office.now)


def resolved(office: Office, kind: TargetKind = "email", value: str = MAIL) -> str:
    case_id = approved(office, kind, value)
    resolve(office, case_id)
    return case_id


def narrow(office: Office, case_id: str, ref: str, **choice: Any) -> None:
    demands.narrow(office.desk, case_id, ref, demands.Choice(**choice), actor="boris", now=office.now)


def propose(office: Office, case_id: str, ref: str = "t1", who: str = "boris") -> dict[str, Any]:
    key = office.people[who]
    return decisions.propose(office.desk, case_id, ref, key, role="reviewer", now=office.now)


def approve(office: Office, case_id: str, ref: str = "t1", who: str = "chi") -> None:
    decisions.approve(office.desk, case_id, ref, office.people[who], role="reviewer", now=office.now)

"""From what a paper names to the account's own name: an instant's holder, a key's name, a thing's owners."""

import datetime as dt
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest

from dueprocess.demand import AUTHORISABLE, Period, ScopeItem, Target, TargetKind
from dueprocess.errors import BrokenError, DueprocessError, UnavailableError
from dueprocess.plan import DataMap, Plan, compile_plan, parse_map, question_only
from dueprocess.production.resolving import accounts, find_accounts
from dueprocess.production.stores import Stores
from dueprocess.production.stores.naming import Naming

MAP = """
[map]
id = "m"
version = "1"
platform = "p"

[store.main]
connect = "${DSN}"
max_rows = 9

[[target]]
kind = "account"
store = "main"
table = "users"
column = "name"
subject = "id"
absent = ["deleted"]

[[target]]
kind = "email"
store = "main"
table = "mails"
column = "mail"
subject = "user_id"
equals = { kind = "main" }

[[target]]
kind = "ip_at_time"
store = "main"
table = "leases"
column = "ip"
subject = "user_id"
interval = { since = "began", until = "ended", unit = "UNIT" }

[[target]]
kind = "resource"
store = "main"
table = "projects"
column = "name"
subject = "id"
[target.owners]
table = "roles"
resource = "project"
subject = "user_id"
equals = { role = "owner" }
accounts = "users"
key = "id"
name = "name"

[[table]]
store = "main"
name = "users"
subject = "id"
[table.columns]
name = { category = "subscriber.identity" }
"""
TABLES = """
CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT UNIQUE, deleted INTEGER);
CREATE TABLE mails (mail TEXT, user_id INTEGER, kind TEXT);
CREATE TABLE leases (ip TEXT, user_id INTEGER, began KIND, ended KIND);
CREATE TABLE projects (id INTEGER PRIMARY KEY, name TEXT UNIQUE);
CREATE TABLE roles (project INTEGER, user_id INTEGER, role TEXT);
INSERT INTO users VALUES (1, 'eva', NULL), (2, 'finn', NULL), (3, 'gone', 1), (4, 'a*', NULL);
INSERT INTO mails VALUES ('eva@mail.example', 1, 'main'), ('eva@mail.example', 2, 'old'),
  ('two@mail.example', 1, 'main'), ('two@mail.example', 2, 'main'), ('gone@mail.example', 3, 'main'),
  ('star@mail.example', 4, 'main');
INSERT INTO projects VALUES (7, 'package'), (8, 'big'), (9, 'empty');
INSERT INTO roles VALUES (7, 1, 'owner'), (7, 2, 'owner'), (7, 1, 'owner'), (7, 3, 'helper');
"""
TEN = dt.datetime(2026, 9, 1, 10, tzinfo=dt.UTC)
UNITS: dict[str, tuple[str, Callable[[dt.datetime], object]]] = {
    "s": ("INTEGER", lambda at: int(at.timestamp())),
    "ms": ("BIGINT", lambda at: int(at.timestamp()) * 1000),
    "iso": ("TEXT", lambda at: at.strftime("'%Y-%m-%dT%H:%M:%SZ'")),
    "timestamp": ("TIMESTAMP", lambda at: at.strftime("TIMESTAMP '%Y-%m-%d %H:%M:%S'")),
}
HOURS = [("198.51.100.7", 1, 9, 10), ("198.51.100.7", 2, 10, 11), ("198.51.100.7", 1, 11, None)]
MORE = [("198.51.100.8", 1, 9, 12), ("198.51.100.8", 2, 9, None), ("2001:db8::1", 1, 9, None)]
ENGINES = [
    ("sqlite", "s"), ("sqlite", "iso"), ("duckdb", "ms"), ("duckdb", "timestamp"), ("postgresql", "s"),
    ("postgresql", "iso"), ("postgresql", "timestamp"),
]  # fmt: skip


def script(unit: str) -> list[str]:
    """The platform's tables, with a table of who had which address when, in this unit."""
    kind, written = UNITS[unit]
    said = TABLES.replace("KIND", kind).split(";")
    for ip, user, since, until in HOURS + MORE:
        ends = [TEN.replace(hour=hour) if hour is not None else None for hour in (since, until)]
        values = ", ".join("NULL" if end is None else str(written(end)) for end in ends)
        said.append(f"INSERT INTO leases VALUES ('{ip}', {user}, {values})")
    return [each for each in said if each.strip()]


@contextmanager
def platform(path: Path) -> Iterator[sqlite3.Connection]:
    """The SQLite file, open for changes that stay."""
    store = sqlite3.connect(path)
    try:
        yield store
        store.commit()
    finally:
        store.close()


@pytest.fixture(params=ENGINES, ids="-".join)
def asked(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[DataMap, dict[str, str]]:
    """A map with its platform on each engine."""
    engine, unit = request.param
    datamap = parse_map(MAP.replace("UNIT", unit), "m.toml")
    if engine == "sqlite":
        with platform(tmp_path / "p.db") as store:
            store.executescript(";".join(script(unit)))
        where = f"sqlite:///{tmp_path / 'p.db'}"
    elif engine == "duckdb":
        with duckdb.connect(str(tmp_path / "p.duckdb")) as link:
            for line in script(unit):
                link.execute(line)
        where = f"duckdb:///{tmp_path / 'p.duckdb'}"
    else:
        where = request.getfixturevalue("postgres_dsn")
        with psycopg.connect(where, autocommit=True) as link:
            for line in script(unit):
                link.execute(line.encode())
    return datamap, {"DSN": where}


def plan(datamap: DataMap, kind: TargetKind, value: str) -> Plan:
    window = Period(TEN, TEN + dt.timedelta(days=1))
    item = ScopeItem(Target(kind, value), AUTHORISABLE, window)
    return question_only(compile_plan(item, datamap, nonce=bytes(32)))


def find(asked: tuple[DataMap, dict[str, str]], kind: TargetKind, value: str) -> Any:
    """The accounts, or the code of the refusal."""
    datamap, environment = asked
    try:
        return find_accounts(plan(datamap, kind, value), datamap, environment, "test")
    except DueprocessError as error:
        return "the value" if value in str(error) else error.code


def test_every_engine_finds_the_same(asked: tuple[DataMap, dict[str, str]]) -> None:
    """One question after the other: a mail address, an address at an instant, a thing; and what is refused."""
    found = {
        value: find(asked, "email", value)
        for value in (
            "eva@mail.example",
            "two@mail.example",
            "gone@mail.example",
            "no@mail.example",
            "star@mail.example",
        )
    }
    assert found == {
        "eva@mail.example": ("eva",), "two@mail.example": "ambiguous-target", "gone@mail.example": (),
        "no@mail.example": (), "star@mail.example": "unusable-account",
    }  # fmt: skip
    times = {
        "198.51.100.7 2026-09-01T08:59:59Z": (), "198.51.100.7 2026-09-01T09:00:00Z": ("eva",),
        "198.51.100.7 2026-09-01T09:59:59.999999Z": ("eva",), "198.51.100.7 2026-09-01T10:00:00Z": ("finn",),
        "198.51.100.7 2026-09-01T11:00:00Z": ("eva",), "198.51.100.7:9 2026-12-01T11:00:00+01:00": ("eva",),
        "198.51.100.8 2026-09-01T09:30:00Z": "ambiguous-target", "198.51.100.8 2026-09-01T12:00:00Z": ("finn",),
        "[2001:0db8::1]:5 2026-09-01T12:00:00Z": ("eva",), "198.51.100.9 2026-09-01T12:00:00Z": (),
    }  # fmt: skip
    assert {value: find(asked, "ip_at_time", value) for value in times} == times
    assert sorted(find(asked, "resource", "package")) == ["eva", "finn"]
    assert (find(asked, "resource", "empty"), find(asked, "resource", "none")) == ((), ())


@pytest.fixture
def small(tmp_path: Path) -> tuple[DataMap, dict[str, str], Path]:
    """The same on SQLite alone."""
    path = tmp_path / "p.db"
    with platform(path) as store:
        store.executescript(";".join(script("s")))
    return parse_map(MAP.replace("UNIT", "s"), "m.toml"), {"DSN": f"sqlite:///{path}"}, path


def test_more_than_a_hundred_owners_are_refused_without_a_count(
    small: tuple[DataMap, dict[str, str], Path],
) -> None:
    """A hundred are found; one more and nobody is."""
    datamap, environment, path = small
    with platform(path) as store:
        names = [(number, f"owner{number}") for number in range(100, 200)]
        store.executemany("INSERT INTO users VALUES (?, ?, NULL)", names)
        store.executemany("INSERT INTO roles VALUES (8, ?, 'owner')", [(number,) for number, _ in names])
    assert len(find((datamap, environment), "resource", "big")) == 100
    with platform(path) as store:
        store.execute("INSERT INTO roles VALUES (8, 1, 'owner')")
    assert find((datamap, environment), "resource", "big") == "ambiguous-target"


def test_an_address_that_changed_hands_too_often_around_the_instant_is_refused(
    small: tuple[DataMap, dict[str, str], Path],
) -> None:
    """More rows than are looked at could hold the instant."""
    datamap, environment, path = small
    with platform(path) as store:
        at = int(TEN.timestamp())
        store.executemany("INSERT INTO leases VALUES ('198.51.100.5', ?, ?, NULL)", [(1, at)] * 9)
    assert (
        find((datamap, environment), "ip_at_time", "198.51.100.5 2026-09-01T10:00:00Z") == "ambiguous-target"
    )


def test_a_fraction_of_a_second_before_it_began_an_address_is_nobodys(tmp_path: Path) -> None:
    """Text is asked for by whole seconds, and cut by the row's own value."""
    path = tmp_path / "p.db"
    with platform(path) as store:
        store.executescript(";".join(script("iso")))
        store.execute("INSERT INTO leases VALUES ('198.51.100.4', 1, '2026-09-01T10:00:00.5Z', NULL)")
    asked = parse_map(MAP.replace("UNIT", "iso"), "m.toml"), {"DSN": f"sqlite:///{path}"}
    assert find(asked, "ip_at_time", "198.51.100.4 2026-09-01T10:00:00.2Z") == ()
    assert find(asked, "ip_at_time", "198.51.100.4 2026-09-01T10:00:00.5Z") == ("eva",)


MOMENT: tuple[TargetKind, str] = ("ip_at_time", "198.51.100.7 2026-09-01T10:00:00Z")
WRONG: list[tuple[str, tuple[TargetKind, str], tuple[str, str]]] = [
    ("holding", MOMENT, (' AND t0."began" < ?', "")),
    ("holding", MOMENT, ("LIMIT 8", "LIMIT 800")),
    ("calling", ("email", "eva@mail.example"), (' AND t0."deleted" IS NULL', "")),
    ("owning", ("resource", "package"), (' AND t0."role" = ?', "")),
    ("owning", ("resource", "package"), ('t1."name"', 't1."deleted"')),
    ("owning", ("resource", "package"), (' WHERE t0."project" = ?', ' WHERE t0."user_id" = ?')),
]


@pytest.mark.parametrize(("method", "target", "wrong"), WRONG)
def test_a_question_that_is_not_the_plans_is_never_sent(
    small: tuple[DataMap, dict[str, str], Path],
    method: str,
    target: tuple[TargetKind, str],
    wrong: tuple[str, str],
) -> None:
    """The text is read by another program than its generator: a missing condition or another column stops it."""
    datamap, environment, _ = small
    honest = getattr(Naming, method)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Naming, method, lambda *a, **k: honest(*a, **k).replace(*wrong))
        with pytest.raises(BrokenError, match="not what the plan says"):
            find_accounts(plan(datamap, *target), datamap, environment, "test")


def test_a_store_that_does_not_answer_or_cannot_say_is_unavailable(
    small: tuple[DataMap, dict[str, str], Path],
) -> None:
    """Never "nobody": the reason comes instead; and another map than the approved one is refused."""
    datamap, environment, path = small
    assert (
        find((datamap, {"DSN": f"sqlite:///{path}.none"}), "email", "eva@mail.example") == "store-unavailable"
    )
    other = parse_map(MAP.replace("UNIT", "ms"), "m.toml")
    with pytest.raises(DueprocessError) as caught:
        find_accounts(plan(datamap, "email", "eva@mail.example"), other, environment, "test")
    assert caught.value.code == "map-changed"
    with pytest.raises(UnavailableError, match="cannot say"):
        accounts(plan(datamap, "email", "eva@mail.example"), datamap, Stores({"main": Mute()}, {}, {}))  # type: ignore[dict-item]


class Mute:
    """A store that files accounts by a key and has no names for them, as folders of log files have none."""

    def resolve(self, _query: object) -> int:
        return 1

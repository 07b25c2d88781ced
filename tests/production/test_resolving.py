"""Which account a target means, as the worker asks: more than one is an answer, and nothing else is one."""

import sqlite3
from collections.abc import Mapping
from pathlib import Path

import pytest

from dueprocess.demand import Period, ScopeItem, Target, expand
from dueprocess.errors import RefusedError, UnavailableError
from dueprocess.plan import DataMap, Plan, compile_plan, question_only
from dueprocess.plan.reading import parse_map
from dueprocess.production.resolving import meant_by

MAP = """
[map]
id = "small"
version = "1"
platform = "fictional"
[store.main]
connect = "${DSN}"
max_rows = 10
[[target]]
kind = "account"
store = "main"
table = "users"
column = "name"
subject = "name"
[[target]]
kind = "email"
store = "main"
table = "mails"
column = "mail"
subject = "user"
[[table]]
store = "main"
name = "users"
subject = "name"
[table.columns]
name = { category = "subscriber.identity" }
"""


@pytest.fixture
def store(tmp_path: Path) -> Mapping[str, str]:
    """Eva with an address of her own, and one that she shares with Finn."""
    path = tmp_path / "p.db"
    with sqlite3.connect(path) as made:
        made.executescript(
            """
            CREATE TABLE users (name TEXT PRIMARY KEY); INSERT INTO users VALUES ('eva'), ('finn');
            CREATE TABLE mails (mail TEXT, user TEXT);
            INSERT INTO mails VALUES ('eva@mail.example', 'eva'), ('both@mail.example', 'eva'),
              ('both@mail.example', 'finn');
            """
        )
    made.close()
    return {"DSN": f"sqlite:///{path}"}


def asked(value: str) -> tuple[Plan, DataMap]:
    datamap = parse_map(MAP, "m.toml")
    item = ScopeItem(Target("email", value), expand(["subscriber.identity"]), Period(None, None))
    return question_only(compile_plan(item, datamap, nonce=bytes(32))), datamap


def test_one_nobody_and_too_many_are_three_answers(store: Mapping[str, str]) -> None:
    """A name, an empty list, and None, which has no number."""
    found = {
        value: meant_by(*asked(value), store, "test")
        for value in ("eva@mail.example", "no@mail.example", "both@mail.example")
    }
    assert list(found.values()) == [("eva",), (), None]


def test_what_keeps_a_store_from_answering_is_no_answer(store: Mapping[str, str], tmp_path: Path) -> None:
    """Another map, a store that is not there, a table that is gone: raised, so that it is asked again."""
    plan, datamap = asked("eva@mail.example")
    other = parse_map(MAP.replace('version = "1"', 'version = "2"'), "m.toml")
    with pytest.raises(RefusedError) as caught:
        meant_by(plan, other, store, "test")
    assert caught.value.code == "map-changed"
    for dsn in (tmp_path / "nowhere" / "p.db", tmp_path / "empty.db"):
        if dsn.name == "empty.db":
            sqlite3.connect(dsn).close()
        with pytest.raises(UnavailableError):
            meant_by(plan, datamap, {"DSN": f"sqlite:///{dsn}"}, "test")

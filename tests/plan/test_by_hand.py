"""Stores that a person collects: what a map may say about them, and that the plan which people sign says so too."""

import datetime as dt

import pytest

from dueprocess.demand import Period, ScopeItem, Target, expand
from dueprocess.errors import MalformedError, RefusedError
from dueprocess.plan import MANUAL, DataMap, Plan, compile_plan, parse_map

LIVE = """
[map]
id = "example"
version = "1"
platform = "Example Host"

[store.main]
connect = "${EXAMPLE_DSN}"
max_rows = 1000

[store.media]
connect = "file:///srv/media"

[[target]]
kind = "account"
store = "main"
table = "accounts"
column = "name"
subject = "id"
"""
PAPER = """
[store.paper]
connect = "manual:"
max_rows = 50

[[table]]
store = "paper"
name = "tickets"
subject = "account"
time = { column = "opened", unit = "iso" }
[table.columns]
address = { category = "traffic" }
"""
ALONE = PAPER.replace("[[table]]", '[[target]]\nkind = "account"\nstore = "paper"\ntable = "tickets"\n'
    'column = "account"\nsubject = "account"\n\n[[table]]').replace(
    "[store.paper]", '[map]\nid = "paper"\nversion = "1"\nplatform = "An archive"\n\n[store.paper]'
)  # fmt: skip


def plan(datamap: DataMap) -> Plan:
    window = Period(dt.datetime(2026, 9, 1, tzinfo=dt.UTC), dt.datetime(2026, 10, 1, tzinfo=dt.UTC))
    item = ScopeItem(Target("account", "@eva:host.example"), expand(["traffic"]), window)
    return compile_plan(item, datamap, nonce=bytes(32))


def refused(text: str) -> str:
    with pytest.raises((MalformedError, RefusedError)) as caught:
        parse_map(text, "map.toml")
    return caught.value.what


def test_a_plan_says_which_tables_a_person_collects() -> None:
    """It stands in the plan that two people sign, and in the map's digest; no other plan changes by it."""
    found = plan(parse_map(LIVE + PAPER, "map.toml"))
    assert [(query.store, query.by_hand) for query in found.tables] == [("paper", True)]
    told = found.tables[0].as_json()
    assert told["by_hand"] is True
    live = parse_map(LIVE + PAPER.replace(MANUAL, "sqlite:///paper.db"), "map.toml")
    assert "by_hand" not in plan(live).tables[0].as_json()
    assert "by_hand" not in live.store("paper").as_json()
    assert live.sha256 != parse_map(LIVE + PAPER, "map.toml").sha256
    assert plan(live).plan_sha256 != found.plan_sha256


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"manual:"', '"manual://archive"', "`connect` is 'manual:' and nothing more"),
        ('"manual:"\nmax_rows = 50', '"manual:"', "`connect` is 'manual:' and nothing more"),
        ('unit = "iso"', 'unit = "timestamp"', "`time` has the unit iso, date, s, ms or us"),
        (
            'subject = "account"\ntime = { column = "opened", unit = "iso" }',
            'via = [{ table = "people", on = "person", foreign = "id", subject = "account" }]\ntime = "current"',
            "`via` is not for a store manual:",
        ),
    ],
)
def test_what_a_persons_file_cannot_say_is_no_map(old: str, new: str, said: str) -> None:
    """A chain of tables, a time of an engine's own type, a store without its most rows: refused by name."""
    assert old in PAPER
    assert said in refused(LIVE + PAPER.replace(old, new))


def test_files_are_not_named_by_what_a_person_writes() -> None:
    """A path from a hand-written file would lead anywhere in the folder."""
    files = """
[[file]]
store = "media"
root = "uploads"
path = "{name}"
category = "content.files"
from = { store = "paper", table = "tickets", subject = "account", time = "current" }
"""
    assert "files are named by records of a database" in refused(LIVE + PAPER + files)


def test_an_account_is_looked_up_in_a_database_where_there_is_one() -> None:
    """A route into a store that nobody can ask is refused beside a live one."""
    route = '\n[[target]]\nkind = "email"\nstore = "paper"\ntable = "tickets"\ncolumn = "email"\nsubject = "account"\n'
    assert "which no program reads" in refused(LIVE + PAPER + route)


def test_without_any_database_the_name_is_the_account() -> None:
    """A map of paper alone has one route, of the kind account, that looks nothing up; any other is refused."""
    datamap = parse_map(ALONE, "map.toml")
    assert plan(datamap).target.value == "@eva:host.example"
    assert "which no program reads" in refused(ALONE.replace('column = "account"', 'column = "name"'))

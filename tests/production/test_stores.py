"""Each engine: read-only, exact, bounded; and what is not exact is refused."""

import dataclasses
import datetime as dt
import os
from pathlib import Path

import pytest

from dueprocess.errors import MalformedError, RefusedError, UnavailableError
from dueprocess.plan import PlannedColumn, StoreEntry
from dueprocess.production.stores import ColumnFacts, FolderStore, connect_string, open_store, open_stores
from dueprocess.production.stores.check import MASK, checked_row, masked

EVA = "@eva:host.example"


def query(host, table: str):
    return next(each for each in host.plan("traffic", "session", "content.messages").tables if each.table == table)


def test_a_target_is_resolved_exactly(host) -> None:
    """The account, or None; never an account that only looks like it."""
    store = host.stores().databases["main"]
    assert store.resolve(host.plan("traffic").target) == EVA
    assert store.resolve(host.plan("traffic", value="@EVA:host.example").target) is None
    assert store.resolve(host.plan("traffic", value="x' OR '1'='1").target) is None


def test_nothing_can_be_written(host) -> None:
    """Insert, delete, drop and create are refused by the engine itself."""
    store = host.stores().databases["main"]
    for sql in (
        "INSERT INTO rooms VALUES ('!new:host.example')",
        "DELETE FROM rooms",
        "DROP TABLE rooms",
        "UPDATE rooms SET room = 'x'",
    ):
        with pytest.raises(UnavailableError):
            store.fetch(sql, [])
    assert store.fetch("SELECT room FROM rooms", []) == [("!room:host.example",)]


def test_the_live_schema_is_described(host) -> None:
    """Columns with uniqueness and indexes as far as the engine knows them; nothing for an unknown table."""
    store = host.stores().databases["main"]
    accounts, sessions = store.columns("accounts"), store.columns("sessions")
    assert list(accounts) == ["name", "email", "joined", "password_hash"]
    assert accounts["name"].unique is (None if host.engine == "parquet" else True)
    assert accounts["email"].unique is not True
    assert sessions["account"].indexed in ({None} if host.engine in {"duckdb", "parquet"} else {True})
    assert sessions["ip"].indexed is not True
    assert store.columns("nothing") == {}
    assert store.columns('accounts"; DROP TABLE rooms; --') == {}


def test_rows_come_in_the_order_of_the_plan(unbuilt) -> None:
    """Many rows in many batches keep their order and their number."""
    start = 1_788_300_000_000
    unbuilt.tables["sessions"].rows = [
        (EVA, start + (7919 * number) % 5000, f"ip{number}", "x" * 5000, "x") for number in range(5000)
    ]
    unbuilt.text = unbuilt.text.replace("max_rows = 100", "max_rows = 5000")
    unbuilt.build()
    batches = list(unbuilt.stores().databases["main"].rows(query(unbuilt, "sessions"), EVA))
    assert len(batches) > 2
    seen = [row["seen"] for batch in batches for row in batch]
    assert seen == sorted(seen)
    assert len(seen) == 5000


def test_an_unlisted_column_is_not_even_asked_for(host) -> None:
    """The text of the query names listed and control columns and no other."""
    text = host.stores().databases["main"].text(query(host, "sessions"))
    assert '"note"' not in text
    assert "*" not in text
    assert " OR " not in text
    assert text.count("SELECT") == 1


def test_a_column_that_the_live_schema_lacks_is_drift(unbuilt) -> None:
    """A renamed column is never guessed."""
    del unbuilt.tables["sessions"].columns["agent"]
    unbuilt.tables["sessions"].rows = [row[:3] + row[4:] for row in unbuilt.tables["sessions"].rows]
    unbuilt.build()
    with pytest.raises(UnavailableError, match=r"no column sessions\.agent") as caught:
        list(unbuilt.stores().databases["main"].rows(query(unbuilt, "sessions"), EVA))
    assert caught.value.code == "map-drift"


def test_every_row_is_checked_again(small) -> None:
    """Another account, another type, a time outside and a row that should be absent are refused."""
    sessions, bodies = query(small, "sessions"), query(small, "bodies")
    inside = 1_788_300_000_000
    assert checked_row(sessions, EVA, (EVA, inside, inside, "192.0.2.1", "x")) == {
        "seen": inside,
        "ip": "192.0.2.1",
        "agent": "x",
    }
    for query_, raw in (
        (sessions, ("@EVA:host.example", inside, inside, "192.0.2.1", "x")),
        (sessions, (7, inside, inside, "192.0.2.1", "x")),
        (sessions, (EVA, 0, 0, "192.0.2.1", "x")),
        (bodies, (EVA, "2026-09-05T00:00:00Z", "x", "{}")),
    ):
        with pytest.raises(RefusedError) as caught:
            checked_row(query_, EVA, raw)
        assert caught.value.code == "wrong-row"
    with pytest.raises(MalformedError):
        checked_row(sessions, EVA, (EVA, "soon", inside, "192.0.2.1", "x"))


def test_the_fraction_of_a_second_is_cut_by_the_row_check(small) -> None:
    """Text times are asked for by whole seconds, so the last fraction falls here, without an error."""
    bodies = dataclasses.replace(
        query(small, "bodies"), window=small.plan("content.messages").item.period
    )
    window = dataclasses.replace(bodies.window, until=dt.datetime(2026, 9, 5, 0, 0, 0, 500_000, tzinfo=dt.UTC))
    bodies = dataclasses.replace(bodies, window=window)
    assert checked_row(bodies, EVA, (EVA, "2026-09-05T00:00:00.4Z", None, "{}")) == {"body": "{}"}
    assert checked_row(bodies, EVA, (EVA, "2026-09-05T00:00:00.5Z", None, "{}")) is None


@pytest.mark.parametrize("unbuilt", ["sqlite"], indirect=True)
def test_a_column_that_ignores_case_cannot_widen(unbuilt) -> None:
    """SQLite's NOCASE finds the neighbour's rows; they are refused, not produced."""
    unbuilt.tables["sessions"].columns["account"] = "TEXT COLLATE NOCASE"
    unbuilt.build()
    with pytest.raises(RefusedError) as caught:
        list(unbuilt.stores().databases["main"].rows(query(unbuilt, "sessions"), EVA))
    assert caught.value.code == "wrong-row"


@pytest.mark.parametrize(
    ("value", "rules", "expected"),
    [
        (None, ("mask",), None),
        ("Dana", ("mask",), MASK),
        ("Dana", (), "Dana"),
        ({"a": {"b": 1, "c": 2}}, ("redact:a.b",), {"a": {"b": MASK, "c": 2}}),
        ({"a": {"m.b": {"x": 1}}}, ("redact:a.m.b",), {"a": {"m.b": MASK}}),
        ('{"a":[{"b":1},{"b":2},3]}', ("redact:a.b",), '{"a":[{"b":"%s"},{"b":"%s"},3]}' % (MASK, MASK)),
        ('{"a":1,"a":2}', ("redact:z",), '{"a":2}'),
        (b'{"a":1}', ("redact:a", "redact:b"), '{"a":"%s"}' % MASK),
        ([1], ("redact:a",), [1]),
    ],
)
def test_third_party_rules_take_people_out(value: object, rules: tuple[str, ...], expected: object) -> None:
    """Masked whole or in place, through lists and keys with dots; a doubled key hides nothing."""
    assert masked(value, rules) == expected


@pytest.mark.parametrize("text", ["", "no", "[" * 100_000])
def test_what_is_not_json_cannot_be_cleaned(text: str) -> None:
    """Such a text is an error, never passed on."""
    with pytest.raises(MalformedError):
        masked(text, ("redact:a",))


def test_a_file_is_found_below_the_folder_and_nowhere_else(small) -> None:
    """Links out, `..`, odd characters and short names give a reason instead of a file."""
    (files,) = small.plan("content.files").files
    folder = FolderStore("media", small.folder / "media")
    found = folder.find(files, {"key": "aabbcc"})
    assert b"".join(folder.chunks(found)) == b"eva's file"
    (small.folder / "outside").write_text("CANARY")
    os.symlink(small.folder / "outside", small.folder / "media" / "local" / "aa" / "link")
    for key in ("aalink", "aa../../../outside", "aa", "", "aa/x", ".", "aa\0b", "é", "aanothing"):
        with pytest.raises(UnavailableError) as caught:
            folder.find(files, {"key": key})
        assert caught.value.code == "file-missing"
    folder.close()


def test_a_file_that_shrinks_or_goes_is_told(small) -> None:
    """The size in the header is a promise; a shorter file breaks it loudly."""
    (files,) = small.plan("content.files").files
    folder = FolderStore("media", small.folder / "media")
    found = folder.find(files, {"key": "aabbcc"})
    found.path.write_bytes(b"short")
    with pytest.raises(UnavailableError, match="shorter"):
        list(folder.chunks(found))
    found.path.unlink()
    with pytest.raises(UnavailableError, match="opened"):
        list(folder.chunks(found))


def test_connection_strings_take_their_values_from_the_environment() -> None:
    """A missing value is named; the value itself is never in the message."""
    entry = StoreEntry("main", "postgresql://${USER_}@${HOST_}/x", 1)
    assert connect_string(entry, {"USER_": "reader", "HOST_": "db.example"}) == "postgresql://reader@db.example/x"
    with pytest.raises(UnavailableError, match="HOST_") as caught:
        connect_string(entry, {"USER_": "hunter2"})
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("where", ["mysql://x", "sqlite://relative", "sqlite:///", "host.db", "parquet:///"])
def test_an_unknown_kind_of_store_is_malformed(where: str) -> None:
    """The engine follows from the connection string, so it has to be one that exists."""
    with pytest.raises(MalformedError):
        open_store("main", where)


@pytest.mark.parametrize(
    "where",
    [
        "sqlite:///nowhere/x.db",
        "duckdb:///nowhere/x.duckdb",
        "parquet:///nowhere",
        "postgresql://reader:CANARY-PASSWORD@127.0.0.1:1/x",
    ],
)
def test_a_store_that_does_not_answer_keeps_its_secrets(where: str) -> None:
    """Unavailable, with what to do, and without the password."""
    with pytest.raises(UnavailableError) as caught:
        open_store("main", where)
    assert caught.value.do
    assert "CANARY" not in str(caught.value)


def test_a_text_file_is_no_sqlite_store(tmp_path: Path) -> None:
    """What is not a database is unavailable, not empty."""
    (tmp_path / "x.db").write_text("not a database " * 100)
    with pytest.raises(UnavailableError):
        open_store("main", f"sqlite:///{tmp_path}/x.db")


def test_an_unreachable_store_gives_its_reason_to_every_question(small) -> None:
    """No method of a store that is not there pretends an answer."""
    small.dsn = "sqlite:///nowhere/x.db"
    store = small.stores().databases["main"]
    plan = small.plan("traffic")
    for ask in (
        lambda: store.resolve(plan.target),
        lambda: store.rows(plan.tables[0], EVA),
        lambda: store.columns("accounts"),
        lambda: store.has_twice("accounts", "name"),
        lambda: store.meets("sessions", "account", "accounts", "name"),
    ):
        with pytest.raises(UnavailableError):
            ask()
    assert "not sent" in store.text(plan.tables[0])


def test_settings_that_change_meaning_are_pinned_on_postgresql(postgres_dsn: str) -> None:
    """A role that comes with other settings still reads in UTC, read-only, with standard strings."""
    import psycopg

    with psycopg.connect(postgres_dsn) as link:
        name = link.info.dbname
        for setting in ("standard_conforming_strings = off", "TimeZone = 'Asia/Tokyo'"):
            link.execute(f"ALTER DATABASE {name} SET {setting}".encode())
    store = open_store("main", postgres_dsn)
    assert store.fetch("SELECT current_setting('TimeZone'), current_setting('standard_conforming_strings')", []) == [
        ("UTC", "on")
    ]
    assert store.fetch("SELECT current_setting('transaction_read_only')", []) == [("on",)]
    store.close()


def test_sqlite_has_no_native_times(small) -> None:
    """A map that says `timestamp` for SQLite is told so."""
    sessions = query(small, "sessions")
    time = dataclasses.replace(sessions.path.time, unit="timestamp")
    odd = dataclasses.replace(sessions, path=dataclasses.replace(sessions.path, time=time))
    with pytest.raises(UnavailableError, match="no type for times"):
        list(small.stores().databases["main"].rows(odd, EVA))


@pytest.mark.parametrize("unbuilt", ["sqlite"], indirect=True)
def test_bytes_that_are_no_text_stay_bytes(unbuilt) -> None:
    """SQLite keeps whatever it was given, and so do we."""
    import sqlite3

    unbuilt.build()
    with sqlite3.connect(unbuilt.dsn.removeprefix("sqlite:///")) as link:
        link.execute("UPDATE sessions SET agent = CAST(x'ff00' AS TEXT) WHERE ip = '192.0.2.1'")
    link.close()
    (batch,) = unbuilt.stores().databases["main"].rows(query(unbuilt, "sessions"), EVA)
    assert [row["agent"] for row in batch] == ["Example/1.0", b"\xff\x00"]


def test_a_subject_is_text_or_a_whole_number(unbuilt) -> None:
    """A numeric key is followed as a number; anything else is no key."""
    unbuilt.text = unbuilt.text.replace('column = "name"\nsubject = "name"', 'column = "name"\nsubject = "joined"')
    unbuilt.build()
    store = unbuilt.stores().databases["main"]
    assert store.resolve(unbuilt.plan("traffic").target) == 1


def test_facts_are_values() -> None:
    """Facts of a column can be compared and kept."""
    assert ColumnFacts("TEXT", None, None) == ColumnFacts("TEXT", None, None)
    assert PlannedColumn("a", "traffic", ()).as_json()["name"] == "a"  # type: ignore[arg-type]  # a plain word for a NewType


def test_stores_open_once_each(small) -> None:
    """Every store of the map is either open or has a reason."""
    stores = open_stores(small.datamap(), {"EXAMPLE_DSN": small.dsn})
    assert set(stores.databases) == {"main"}
    assert stores.folders == {}
    assert stores.missing["media"].code == "not-configured"
    stores.close()

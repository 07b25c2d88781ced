"""Each engine: read-only, exact, bounded; and what is not exact is refused."""

import dataclasses
import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dueprocess.errors import MalformedError, RefusedError, UnavailableError
from dueprocess.plan import Plan, PlannedColumn, StoreEntry, TableQuery, TimeColumn
from dueprocess.production.stores import (
    JSON_TEXT,
    ColumnFacts,
    FolderStore,
    connect_string,
    open_store,
    open_stores,
)

EVA = "@eva:host.example"


def query(host: Any, table: str) -> TableQuery:
    found: Plan = host.plan("traffic", "session", "content.messages")
    return next(each for each in found.tables if each.table == table)


def read(store: Any, asked: TableQuery, subject: str = EVA) -> list[dict[str, object]]:
    """All records of a query."""
    return [row for batch in store.batches(asked, subject) for row in batch.rows.to_pylist()]


def test_a_target_is_resolved_exactly(host: Any) -> None:
    """The account, or None; never an account that only looks like it."""
    store = host.stores().databases["main"]
    assert store.resolve(host.plan("traffic").target) == EVA
    assert store.resolve(host.plan("traffic", value="@EVA:host.example").target) is None
    assert store.resolve(host.plan("traffic", value="x' OR '1'='1").target) is None


def test_nothing_can_be_written(host: Any) -> None:
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


def test_the_live_schema_is_described(host: Any) -> None:
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


def test_rows_come_in_the_order_of_the_plan(unbuilt: Any) -> None:
    """Many rows in many batches keep their order and their number."""
    start = 1_788_300_000_000
    unbuilt.tables["sessions"].rows = [
        (EVA, start + (7919 * number) % 5000, f"ip{number}", "x" * 5000, "x") for number in range(5000)
    ]
    unbuilt.text = unbuilt.text.replace("max_rows = 100", "max_rows = 5000")
    unbuilt.build()
    batches = [
        each.rows for each in unbuilt.stores().databases["main"].batches(query(unbuilt, "sessions"), EVA)
    ]
    assert len(batches) > 2
    assert max(batch.nbytes for batch in batches) < 5_000_000
    assert batches[0].schema.names == ["seen", "ip", "agent"]
    seen = [value for batch in batches for value in batch.column("seen").to_pylist()]
    assert seen == sorted(seen)
    assert len(seen) == 5000


def test_an_unlisted_column_is_not_even_asked_for(host: Any) -> None:
    """The text of the query names listed and control columns and no other."""
    text = host.stores().databases["main"].text(query(host, "sessions"))
    assert '"note"' not in text
    assert "*" not in text
    assert " OR " not in text
    assert text.count("SELECT") == 1


def test_a_column_that_the_live_schema_lacks_is_drift(unbuilt: Any) -> None:
    """A renamed column is never guessed."""
    del unbuilt.tables["sessions"].columns["agent"]
    unbuilt.tables["sessions"].rows = [row[:3] + row[4:] for row in unbuilt.tables["sessions"].rows]
    unbuilt.build()
    with pytest.raises(UnavailableError, match=r"no column sessions\.agent") as caught:
        read(unbuilt.stores().databases["main"], query(unbuilt, "sessions"))
    assert caught.value.code == "map-drift"


@pytest.mark.parametrize("unbuilt", ["sqlite"], indirect=True)
def test_a_column_that_ignores_case_cannot_widen(unbuilt: Any) -> None:
    """SQLite's NOCASE finds the neighbour's rows; they are refused, not produced."""
    unbuilt.tables["sessions"].columns["account"] = "TEXT COLLATE NOCASE"
    unbuilt.build()
    with pytest.raises(RefusedError) as caught:
        read(unbuilt.stores().databases["main"], query(unbuilt, "sessions"))
    assert caught.value.code == "wrong-row"


def test_a_file_is_found_below_the_folder_and_nowhere_else(small: Any) -> None:
    """Links out, `..`, odd characters and short names give a reason instead of a file."""
    (files,) = small.plan("content.files").files
    folder = FolderStore("media", small.folder / "media")
    found = folder.find(files, {"key": "aabbcc"})
    assert b"".join(folder.chunks(found)) == b"eva's file"
    (small.folder / "outside").write_text("CANARY")
    (small.folder / "media" / "local" / "aa" / "link").symlink_to(small.folder / "outside")
    for key in ("aalink", "aa../../../outside", "aa", "", "aa/x", ".", "aa\0b", "é", "aanothing"):
        with pytest.raises(UnavailableError) as caught:
            folder.find(files, {"key": key})
        assert caught.value.code == "file-missing"
    folder.close()


def test_a_file_that_shrinks_or_goes_is_told(small: Any) -> None:
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
    assert (
        connect_string(entry, {"USER_": "reader", "HOST_": "db.example"})
        == "postgresql://reader@db.example/x"
    )
    with pytest.raises(UnavailableError, match="HOST_") as caught:
        connect_string(entry, {"USER_": "hunter2"})
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("where", ["oracle://x", "sqlite://relative", "sqlite:///", "host.db", "parquet:///"])
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


def test_an_unreachable_store_gives_its_reason_to_every_question(small: Any) -> None:
    """No method of a store that is not there pretends an answer."""
    small.dsn = "sqlite:///nowhere/x.db"
    store = small.stores().databases["main"]
    plan = small.plan("traffic")
    asks: tuple[Callable[[], object], ...] = (
        lambda: store.resolve(plan.target),
        lambda: store.batches(plan.tables[0], EVA),
        lambda: store.columns("accounts"),
        lambda: store.has_twice("accounts", "name"),
        lambda: store.meets("sessions", "account", "accounts", "name"),
    )
    for ask in asks:
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
    store: Any = open_store("main", postgres_dsn)
    assert store.fetch(
        "SELECT current_setting('TimeZone'), current_setting('standard_conforming_strings')", []
    ) == [("UTC", "on")]
    assert store.fetch("SELECT current_setting('transaction_read_only')", []) == [("on",)]
    store.close()


@pytest.mark.parametrize("unbuilt", ["duckdb", "parquet", "postgresql"], indirect=True)
def test_times_are_read_in_utc_on_a_machine_elsewhere(unbuilt: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the machine's zone nor the session's moves a row across the window."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    edge = dt.datetime(2026, 9, 1, tzinfo=dt.UTC)
    unbuilt.tables["posts"].rows = [(1, EVA, edge), (2, EVA, edge - dt.timedelta(seconds=1))]
    unbuilt.tables["bodies"].rows = [(1, "{}", None), (2, "{}", None)]
    unbuilt.text = unbuilt.text.replace("body = {", 'post = { category = "content.messages" }\nbody = {')
    unbuilt.build()
    first, second = unbuilt.stores(), unbuilt.stores()
    for stores in (first, second):
        assert [row["post"] for row in read(stores.databases["main"], query(unbuilt, "bodies"))] == [1]


def test_two_openings_of_one_store_do_not_disturb_each_other(host: Any) -> None:
    """A check beside a production reads the same, under the same locks."""
    first, second = host.stores().databases["main"], host.stores().databases["main"]
    for store in (first, second):
        assert store.fetch("SELECT count(*) FROM sessions", []) == [(6,)]
    first.close()
    assert second.fetch("SELECT count(*) FROM sessions", []) == [(6,)]


def test_sqlite_stays_read_only_without_its_pragma(small: Any) -> None:
    """The URI alone holds, even where the pragma could be taken back."""
    store = small.stores().databases["main"]
    store.fetch("PRAGMA query_only = OFF", [])
    with pytest.raises(UnavailableError):
        store.fetch("DELETE FROM rooms", [])


@pytest.mark.parametrize("unbuilt", ["duckdb", "parquet"], indirect=True)
def test_duckdb_reaches_no_other_file(unbuilt: Any) -> None:
    """Another file cannot be read, the settings cannot be changed back, nothing is spilled."""
    unbuilt.build()
    (unbuilt.folder / "other.csv").write_text("a\n1\n")
    store = unbuilt.stores().databases["main"]
    for sql in (
        f"SELECT * FROM read_csv('{unbuilt.folder}/other.csv')",
        "SET enable_external_access = true",
        "SET GLOBAL TimeZone = 'Asia/Tokyo'",
        "SET temp_directory = '/var/tmp'",
        f"COPY rooms TO '{unbuilt.folder}/leak.csv'",
        "INSTALL httpfs",
    ):
        with pytest.raises(UnavailableError):
            store.fetch(sql, [])


@pytest.mark.parametrize("unbuilt", ["postgresql"], indirect=True)
def test_a_connection_that_breaks_in_the_middle_is_told(unbuilt: Any) -> None:
    """The server ends the session between two batches: the table fails, no error of the driver leaks."""
    import psycopg

    host = unbuilt
    host.tables["sessions"].rows = [
        (EVA, 1_788_300_000_000 + n, "ip", "x" * 1000, "x") for n in range(20_000)
    ]
    host.text = host.text.replace("max_rows = 100", "max_rows = 50000")
    host.build()
    store = host.stores().databases["main"]
    batches = store.batches(query(host, "sessions"), EVA)
    assert next(batches)
    with psycopg.connect(host.dsn, autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'dueprocess' AND datname = current_database()"
        )
    with pytest.raises(UnavailableError):
        list(batches)
    store.close()


def test_sqlite_has_no_native_times(small: Any) -> None:
    """A map that says `timestamp` for SQLite is told so."""
    sessions = query(small, "sessions")
    time = TimeColumn("sessions", "seen", "timestamp")
    odd = dataclasses.replace(sessions, path=dataclasses.replace(sessions.path, time=time))
    with pytest.raises(UnavailableError, match="no type for times"):
        read(small.stores().databases["main"], odd)


@pytest.mark.parametrize("unbuilt", ["sqlite"], indirect=True)
def test_bytes_that_are_no_text_stay_bytes(unbuilt: Any) -> None:
    """SQLite keeps whatever it was given, and so do we."""
    import sqlite3

    unbuilt.build()
    with sqlite3.connect(unbuilt.dsn.removeprefix("sqlite:///")) as link:
        link.execute("UPDATE sessions SET agent = CAST(x'ff00' AS TEXT) WHERE ip = '192.0.2.1'")
    link.close()
    (batch,) = unbuilt.stores().databases["main"].batches(query(unbuilt, "sessions"), EVA)
    assert batch.rows.schema.field("agent").metadata == JSON_TEXT
    assert batch.rows.column("agent").to_pylist() == ['"Example/1.0"', '{"base64":"/wA="}']


def test_a_subject_is_text_or_a_whole_number(unbuilt: Any) -> None:
    """A numeric key is followed as a number; anything else is no key."""
    unbuilt.text = unbuilt.text.replace(
        'column = "name"\nsubject = "name"', 'column = "name"\nsubject = "joined"'
    )
    unbuilt.build()
    store = unbuilt.stores().databases["main"]
    assert store.resolve(unbuilt.plan("traffic").target) == 1


def test_facts_are_values() -> None:
    """Facts of a column can be compared and kept."""
    assert ColumnFacts("TEXT", None, None) == ColumnFacts("TEXT", None, None)
    assert PlannedColumn("a", "traffic", ()).as_json()["name"] == "a"  # type: ignore[arg-type]  # a plain word for a NewType


def test_stores_open_once_each(small: Any) -> None:
    """Every store of the map is either open or has a reason."""
    stores = open_stores(small.datamap(), {"EXAMPLE_DSN": small.dsn})
    assert set(stores.databases) == {"main"}
    assert stores.folders == {}
    assert stores.missing["media"].code == "not-configured"
    stores.close()

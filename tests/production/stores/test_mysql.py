"""MariaDB, on a real server: the behaviour that every engine shows, and what is its own."""

import dataclasses
import datetime as dt
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from dueprocess.errors import BrokenError, MalformedError, RefusedError, UnavailableError
from dueprocess.plan import TargetQuery, TargetRoute
from dueprocess.production.stores import JSON_TEXT, open_store
from dueprocess.production.stores.mysql import MysqlStore
from dueprocess.production.stores.mysqlplan import refuse_plan
from dueprocess.production.stores.shapes import rows_shape
from production.conftest import EVA, Platform, platform
from production.stores import mariadb
from production.stores.asking import HOSTILE, SINCE, START, UNTIL, read, rows_of
from production.stores.test_hostile import (
    test_a_name_that_is_not_there_is_told_plainly,
    test_hostile_values_are_values,
)
from production.test_stores import (
    test_a_column_that_the_live_schema_lacks_is_drift,
    test_a_subject_is_text_or_a_whole_number,
    test_a_target_is_resolved_exactly,
    test_an_unlisted_column_is_not_even_asked_for,
    test_nothing_can_be_written,
    test_rows_come_in_the_order_of_the_plan,
    test_the_live_schema_is_described,
    test_two_openings_of_one_store_do_not_disturb_each_other,
)

SHARED = (
    test_a_column_that_the_live_schema_lacks_is_drift,
    test_a_name_that_is_not_there_is_told_plainly,
    test_a_subject_is_text_or_a_whole_number,
    test_a_target_is_resolved_exactly,
    test_an_unlisted_column_is_not_even_asked_for,
    test_hostile_values_are_values,
    test_nothing_can_be_written,
    test_rows_come_in_the_order_of_the_plan,
    test_the_live_schema_is_described,
    test_two_openings_of_one_store_do_not_disturb_each_other,
)
"""Promises of every engine, kept here with the fixtures of this file."""


def _kind(column: str, kind: str) -> str:
    """A text that a key stands on has a length."""
    keyed = column in {"name", "account", "author", "owner", "key"}
    return {"TEXT": "VARCHAR(300)" if keyed else "TEXT", "TIMESTAMPTZ": "TIMESTAMP(6) NULL"}.get(kind, kind)


class OnMariadb(Platform):
    """Example Host in a database of its own; columns fold case and accents, as MariaDB's own default does."""

    server: Path

    def build(self) -> None:
        link = mariadb.as_root(self.server, self.dsn.rsplit("/", 1)[1])
        with closing(link), link.cursor() as cursor:
            cursor.execute("SET time_zone = '+00:00'")
            for name, table in self.tables.items():
                columns = [f"`{each}` {_kind(each, kind)}" for each, kind in table.columns.items()]
                keys = [f"UNIQUE KEY (`{each}`)" for each in table.unique]
                keys += [f"KEY (`{each}`)" for each in table.indexed]
                cursor.execute(f"CREATE TABLE `{name}` ({', '.join([*columns, *keys])})")
                places = ", ".join("%s" for _ in table.columns)
                rows = [[each.replace(tzinfo=None) if isinstance(each, dt.datetime) else each for each in row]
                        for row in table.rows]  # fmt: skip
                cursor.executemany(f"INSERT INTO `{name}` VALUES ({places})", rows)


@pytest.fixture(scope="session")
def server() -> Iterator[Path]:
    """A real MariaDB server that lives as long as the test run."""
    with mariadb.running() as folder:
        yield folder


@pytest.fixture
def database(server: Path) -> Iterator[tuple[Any, str]]:
    """A connection that may write into an empty database, and the connection string of its reader."""
    with mariadb.new_database(server) as (name, dsn), closing(mariadb.as_root(server, name)) as link:
        yield link, dsn


@pytest.fixture
def unbuilt(server: Path, tmp_path: Path) -> Iterator[OnMariadb]:
    """Example Host on MariaDB, its tables not yet written."""
    with mariadb.new_database(server) as (_, dsn):
        found = OnMariadb("mysql", tmp_path, dsn, platform())
        found.server = server
        yield found
        for stores in found.opened:
            stores.close()


@pytest.fixture
def host(unbuilt: OnMariadb) -> OnMariadb:
    """Example Host on MariaDB."""
    unbuilt.build()
    return unbuilt


def run(link: Any, *texts: str) -> None:
    with link.cursor() as cursor:
        for text in texts:
            cursor.execute(text)


def test_every_planned_record_comes_and_no_other(host: OnMariadb) -> None:
    """Inside the window, of this account to the letter, not deleted: also where columns fold case."""
    store = host.stores().databases["main"]
    plan = host.plan("traffic", "session", "content.messages")
    found = {query.table: read(store, query) for query in plan.tables}
    assert [row["ip"] for row in found["sessions"]] == ["192.0.2.2", "192.0.2.1"]
    assert len(found["bodies"]) == 1
    assert "CANARY" not in str(found)


def test_case_accents_and_blanks_count(database: tuple[Any, str]) -> None:
    """A key that MariaDB's own collation takes for the same is another one; the index is used all the same."""
    link, dsn = database
    run(link, "CREATE TABLE t (account VARCHAR(50), seen BIGINT, body TEXT, old VARCHAR(50) CHARACTER SET latin1, "
        "KEY (account, seen), KEY (old))")  # fmt: skip
    names = ["zoe", "Zoe", "zoé", "zoe ", "ZOE"]
    with link.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO t VALUES (%s, %s, %s, %s)", [(name, START, name, name) for name in names]
        )
    with closing(open_store("main", dsn)) as store:
        for name in names:
            assert read(store, rows_of("t", "body"), name) == [{"body": name}]
            assert read(store, rows_of("t", "body", subject="old"), name) == [{"body": name}]
            assert (
                store.resolve(TargetQuery(TargetRoute("account", "main", "t", "account", "account"), name))
                == name
            )
            fixed = rows_of("t", "body", equals=(("old", name),))
            assert [row["body"] for row in read(store, fixed, name)] == [name]


def test_names_are_found_whatever_their_case_where_the_map_says_so(database: tuple[Any, str]) -> None:
    """Letters fold, accents do not; two of one name are refused."""
    link, dsn = database
    run(
        link,
        "CREATE TABLE t (name VARCHAR(50), id BIGINT)",
        "INSERT INTO t VALUES ('Zoë', 1), ('zoe', 2), ('Ann', 3), ('ann', 4)",
    )
    route = TargetRoute("account", "main", "t", "name", "id", compare="ignore_case")
    with closing(open_store("main", dsn)) as store:
        assert store.resolve(TargetQuery(route, "zOË")) == 1
        assert store.resolve(TargetQuery(route, "ZOE")) == 2
        assert store.resolve(TargetQuery(route, "nobody")) is None
        with pytest.raises(RefusedError):
            store.resolve(TargetQuery(route, "ANN"))


def test_the_index_is_used(database: tuple[Any, str]) -> None:
    """The account and the window are looked up, not searched for: of many rows the planner expects a handful."""
    link, dsn = database
    run(link, "CREATE TABLE t (account VARCHAR(50), seen BIGINT, body TEXT, KEY by_account (account, seen))")
    with link.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO t VALUES (%s, %s, %s)",
            [(f"@u{n // 20}:x", START + n % 20, "x") for n in range(20_000)],
        )
        cursor.execute("ANALYZE TABLE t")
    query = rows_of("t", "body")
    with closing(MysqlStore("main", dsn)) as store:
        assert len(read(store, query, "@u7:x")) == 20
        sql, values = store.text(query), store.values(query, "@u7:x")
        ((_, _, alias, access, _, key, length, _, rows, *_),) = store.fetch(f"EXPLAIN {sql}", values)
    assert (alias, access, key) == ("t0", "range", "by_account")
    assert int(str(length)) > 203, "the window is looked up as well"
    assert int(str(rows)) < 100


def test_a_big_account_streams(database: tuple[Any, str]) -> None:
    """Of 100 MB of rows a fraction is in memory at a time."""
    link, dsn = database
    run(link, "CREATE TABLE t (account VARCHAR(50), seen BIGINT, body TEXT, KEY (account, seen)) ENGINE=Aria",
        f"INSERT INTO t SELECT '{EVA}', {START} + seq, repeat('x', 2000) FROM seq_1_to_50000")  # fmt: skip
    program = f"""
import resource, sys
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from dueprocess.production.stores.mysql import MysqlStore
from production.stores.asking import rows_of
store = MysqlStore("main", {dsn!r})
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
count = sum(batch.rows.num_rows for batch in store.batches(rows_of("t", "body"), {EVA!r}))
assert count == 50_000
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    out = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert int(out.stdout) < 60_000


def test_a_reader_who_stops_early_can_ask_again(database: tuple[Any, str]) -> None:
    """Rows that nobody wants are not read to their end; the next question gets a connection of its own."""
    link, dsn = database
    run(link, "CREATE TABLE t (account VARCHAR(50), seen BIGINT, body TEXT, KEY (account, seen))",
        f"INSERT INTO t SELECT '{EVA}', {START} + seq, repeat('x', 2000) FROM seq_1_to_20000")  # fmt: skip
    with closing(open_store("main", dsn)) as store:
        batches: Any = store.batches(rows_of("t", "body"), EVA)
        assert next(batches).rows.num_rows
        batches.close()
        assert len(read(store, rows_of("t", "seen"))) == 20_000


def test_one_record_too_many_is_a_failure_and_never_a_cut(database: tuple[Any, str]) -> None:
    """At the cap everything comes; one beyond it nothing."""
    link, dsn = database
    run(link, "CREATE TABLE t (account VARCHAR(50), seen BIGINT)",
        f"INSERT INTO t SELECT '{EVA}', {START} + seq FROM seq_1_to_3000")  # fmt: skip
    with closing(open_store("main", dsn)) as store:
        assert len(read(store, rows_of("t", "seen", cap=3000))) == 3000
        with pytest.raises(RefusedError) as caught:
            next(iter(store.batches(rows_of("t", "seen", cap=2999), EVA)))
        assert caught.value.code == "too-many-rows"


def test_a_connection_that_breaks_in_the_middle_is_told(database: tuple[Any, str]) -> None:
    """The server ends the session between two batches: the table fails, and the records are never short."""
    link, dsn = database
    run(link, "CREATE TABLE t (account VARCHAR(50), seen BIGINT, body TEXT, KEY (account, seen))",
        f"INSERT INTO t SELECT '{EVA}', {START} + seq, repeat('x', 2000) FROM seq_1_to_20000")  # fmt: skip
    with closing(open_store("main", dsn)) as store:
        batches = store.batches(rows_of("t", "body"), EVA)
        assert next(batches).rows.num_rows
        with link.cursor() as cursor:
            cursor.execute("SELECT id FROM information_schema.processlist WHERE user = %s", (mariadb.READER,))
            for (number,) in cursor.fetchall():
                cursor.execute(f"KILL {number}")
        with pytest.raises(UnavailableError):
            list(batches)


def test_a_question_that_takes_too_long_is_broken_off(
    database: tuple[Any, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the server itself."""
    from dueprocess.production.stores import mysql

    monkeypatch.setitem(mysql.SETTINGS, "max_statement_time", "0.2")
    with closing(open_store("main", database[1])) as store:
        assert isinstance(store, MysqlStore)
        with pytest.raises(UnavailableError):
            store.fetch("SELECT count(*) FROM seq_1_to_100000000 a WHERE a.seq % 7 = 3", [])
        assert store.fetch("SELECT 1", []) == [(1,)]


def test_settings_that_change_meaning_are_pinned(database: tuple[Any, str], server: Path) -> None:
    """A server that cuts, folds or counts time in its own way by default is read as any other."""
    link, dsn = database
    run(link, "CREATE TABLE t (account VARCHAR(50), seen TIMESTAMP NULL)",
        f"INSERT INTO t SELECT '{EVA}', '2026-09-05' FROM seq_1_to_5")  # fmt: skip
    before = "SET GLOBAL time_zone = '+09:00', GLOBAL sql_select_limit = 2, GLOBAL sql_mode = 'PAD_CHAR_TO_FULL_LENGTH'"
    after = "SET GLOBAL time_zone = 'SYSTEM', GLOBAL sql_select_limit = DEFAULT, GLOBAL sql_mode = DEFAULT"
    run(link, "SET time_zone = '+00:00'", "UPDATE t SET seen = '2026-09-05 00:00:00'", before)
    try:
        with closing(open_store("main", dsn)) as store:
            found = read(store, rows_of("t", "seen", unit="timestamp"))
    finally:
        run(link, after)
    assert [row["seen"] for row in found] == [dt.datetime(2026, 9, 5, tzinfo=dt.UTC)] * 5


def test_mariadb_gives_every_type_exactly(database: tuple[Any, str]) -> None:
    """Numbers exact, instants in UTC, what no calendar has as MariaDB writes it."""
    link, dsn = database
    one: dict[str, tuple[str, str, object]] = {
        "n": ("DECIMAL(10,2)", "1.10", Decimal("1.10")),
        "u": ("BIGINT UNSIGNED", "18446744073709551615", str(2**64 - 1)),
        "d": ("DOUBLE", "0.1", 0.1),
        "b": ("BLOB", "X'ff00'", b"\xff\x00"),
        "j": ("JSON", "'{\"a\":1.10}'", '{"a":1.10}'),
        "e": ("ENUM('glad')", "'glad'", "glad"),
        "day": ("DATE", "'2026-09-01'", dt.date(2026, 9, 1)),
        "t": ("TIME(6)", "'10:00:00.5'", dt.time(10, 0, 0, 500_000)),
        "tz": ("TIMESTAMP(6)", "'2026-09-01 00:00:00.123456'", dt.datetime(2026, 9, 1, 0, 0, 0, 123456, dt.UTC)),
        "ts": ("DATETIME(6)", "'2026-09-01 00:00:00.123456'", dt.datetime(2026, 9, 1, 0, 0, 0, 123456)),  # noqa: DTZ001  # a local time
        "ip": ("INET6", "'::1'", "::1"),
        "far": ("TIME", "'25:00:00'", "25:00:00"),
        "text": ("TEXT CHARACTER SET latin1", "'é'", "é"),
    }  # fmt: skip
    columns = ", ".join(f"`{name}` {kind}" for name, (kind, _, _) in one.items())
    run(link, "SET time_zone = '+00:00'", f"CREATE TABLE t (account VARCHAR(50), {columns})",
        f"INSERT INTO t VALUES ('{EVA}', {', '.join(value for _, value, _ in one.values())})",
        "CREATE TABLE z (account VARCHAR(50), day DATE)", "SET sql_mode = ''",
        f"INSERT INTO z VALUES ('{EVA}', '0000-00-00'), ('{EVA}', '2026-09-01')")  # fmt: skip
    with closing(open_store("main", dsn)) as store:
        assert read(store, rows_of("t", *one, at=None)) == [
            {name: value for name, (_, _, value) in one.items()}
        ]
        (batch,) = store.batches(rows_of("t", *one, at=None), EVA)
        assert batch.rows.schema.field("tz").type == pa.timestamp("us", tz="UTC")
        (odd,) = store.batches(rows_of("z", "day", at=None), EVA)
        assert odd.rows.schema.field("day").metadata == JSON_TEXT
        assert odd.rows.column("day").to_pylist() == ['"0000-00-00"', '"2026-09-01"']


def test_windows_have_exact_ends_in_every_unit(database: tuple[Any, str]) -> None:
    """The first instant is inside, the last is not, to the microsecond; days and local times by their zone."""
    link, dsn = database
    run(link, "SET time_zone = '+00:00'", "CREATE TABLE t (account VARCHAR(50), n INT, seen TIMESTAMP(6) NULL, "
        "plain DATETIME(6), day DATE, iso VARCHAR(40) CHARACTER SET ascii)")  # fmt: skip
    edges = [SINCE - dt.timedelta(microseconds=1), SINCE, UNTIL - dt.timedelta(microseconds=1), UNTIL]
    with link.cursor() as cursor:
        for n, at in enumerate(edges):
            plain = at.replace(tzinfo=None)
            cursor.execute(
                "INSERT INTO t VALUES (%s, %s, %s, %s, %s, %s)",
                (EVA, n, plain, plain, plain.date(), plain.isoformat() + "Z"),
            )
    with closing(open_store("main", dsn)) as store:
        for column, unit in (("seen", "timestamp"), ("plain", "timestamp"), ("day", "date"), ("iso", "iso")):
            assert [row["n"] for row in read(store, rows_of("t", "n", at=column, unit=unit))] == [1, 2]

        with pytest.raises(UnavailableError) as caught:
            read(store, rows_of("t", "n", at="seen", unit="timestamp", zone="Europe/Berlin"))
        assert caught.value.code == "bad-time"


def test_hostile_names_of_tables_and_columns_are_names(database: tuple[Any, str]) -> None:
    """Each is read as the name that it is; nothing beside it comes out and nothing is run."""
    link, dsn = database
    names = [*HOSTILE, "a`b", "`; DROP TABLE rooms; --", "$1 COLLATE utf8mb4_nopad_bin = ?"]
    for name in names:
        told = "`" + name.replace("`", "``") + "`"
        run(link, f"CREATE TABLE {told} ({told} VARCHAR(300), secret TEXT)",
            f"INSERT INTO {told} VALUES ('{EVA}', 'CANARY')")  # fmt: skip
    with closing(open_store("main", dsn)) as store:
        for name in names:
            query = rows_of(name, name, at=None, subject=name)
            assert read(store, query) == [{name: EVA}]
            assert read(store, query, "x' OR '1'='1") == []
            assert store.resolve(TargetQuery(TargetRoute("account", "main", name, name, name), EVA)) == EVA


def test_a_key_of_another_kind_is_refused(database: tuple[Any, str]) -> None:
    """MariaDB would take '5 sons' for 5 and 5 for '5 sons'."""
    link, dsn = database
    run(link, "CREATE TABLE t (account BIGINT, name VARCHAR(20))", "INSERT INTO t VALUES (5, '5 sons')")
    with closing(open_store("main", dsn)) as store:
        assert read(store, rows_of("t", "name", at=None), 5) == [{"name": "5 sons"}]
        for query, key in (
            (rows_of("t", "name", at=None), "5 sons"),
            (rows_of("t", "name", at=None, subject="name"), 5),
        ):
            with pytest.raises(UnavailableError) as caught:
                read(store, query, key)
            assert caught.value.code == "bad-subject"


def test_a_view_is_known_as_one_and_can_be_read(database: tuple[Any, str]) -> None:
    """What stands behind it is the operator's own."""
    link, dsn = database
    run(link, "CREATE TABLE t (account VARCHAR(50), secret TEXT)", f"INSERT INTO t VALUES ('{EVA}', 'canary')",
        "CREATE VIEW v AS SELECT account, upper(secret) AS body FROM t")  # fmt: skip
    with closing(open_store("main", dsn)) as store:
        assert store.columns("v")["body"].view
        assert read(store, rows_of("v", "body", at=None)) == [{"body": "CANARY"}]


# -- the examination -------------------------------------------------------------------------------

WRONG = {
    "another table": lambda text: text.replace('FROM "sessions"', 'FROM "accounts"'),
    "no subject": lambda text: text.replace(' t0."account" = ? AND t0."account" COLLATE utf8mb4_nopad_bin = ? AND', ""),
    "or": lambda text: text.replace(" AND ", " OR ", 1),
    "a wider window": lambda text: text.replace('t0."seen" < ?', 't0."seen" <= ?'),
    "another column": lambda text: text.replace('t0."ip"', 't0."note"'),
    "a second comparison": lambda text: text.replace("COLLATE utf8mb4_nopad_bin", "COLLATE utf8mb4_general_ci"),
    "a limit": lambda text: text + " LIMIT 1",
}  # fmt: skip


@pytest.mark.parametrize("fault", WRONG)
def test_a_wrong_generator_is_refused(host: OnMariadb, fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the generator gets wrong, nothing is read."""
    query = next(each for each in host.plan("traffic", "session").tables if each.table == "sessions")
    right = MysqlStore.text
    store = host.stores().databases["main"]
    assert WRONG[fault](store.text(query)) != store.text(query)
    monkeypatch.setattr(MysqlStore, "text", lambda self, asked: WRONG[fault](right(self, asked)))
    with pytest.raises(BrokenError) as caught:
        read(store, query)
    assert caught.value.code == "query-differs"


def test_the_planner_is_heard_alone(host: OnMariadb) -> None:
    """Without the parser's examination MariaDB's own words are enough to refuse another table, column or account."""
    store = host.stores().databases["main"]
    query = next(each for each in host.plan("traffic", "session").tables if each.table == "sessions")
    assert isinstance(store, MysqlStore)
    text, values = store.text(query), store.values(query, EVA)
    with store.watch(text, values, rows_shape(query)):
        pass
    for fault in ("another column", "no subject"):
        sent = values if fault != "no subject" else values[1:]
        with pytest.raises(BrokenError), store.watch(WRONG[fault](text), sent, rows_shape(query)):
            pass
    other = dataclasses.replace(rows_shape(query), tables=(("t0", "accounts"),))
    with pytest.raises(BrokenError), store.watch(text, values, other):
        pass


def test_a_plan_that_reads_something_unnamed_is_refused() -> None:
    """A table in the plan, or a schema in the query, that nobody planned."""
    shape = rows_shape(rows_of("t", "seen"))
    good = (
        'select "d"."t0"."account" AS "account","d"."t0"."seen" AS "seen" from "d"."t" "t0" '
        """where "d"."t0"."account" = 'x'"""
    )
    reads: list[tuple[object, object]] = [("t0", "ALL")]
    refuse_plan(reads, good, shape, "d")
    refuse_plan([(None, None)], "select 1 where 0", shape, "d")
    for plan, text in (
        ([*reads, ("s", "ALL")], good),
        (reads, good.replace('"d"."t" ', '"mysql"."t" ')),
        (reads, good.replace('"t0"."seen"', '"t0"."secret"')),
        (reads, good.replace('"t0"."account" =', '"t0"."account" <>')),
        (reads, good.replace("= 'x'", """= '" "x"."y" "z"' join "d"."u" "t1\"""")),
    ):
        with pytest.raises(BrokenError):
            refuse_plan(plan, text, shape, "d")


# -- connecting ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "where",
    [
        "mysql://",
        "mysql://u@h",
        "mysql://u@h:x/d",
        "mysql://u@h/d?unknown=1",
        "mysql://u@db.example/d",
        "mysql:///d",
    ],
)
def test_a_connection_string_that_is_none_or_not_safe_is_malformed(where: str) -> None:
    """Another machine without a word of TLS is not connected to."""
    with pytest.raises(MalformedError):
        open_store("main", where)


def test_a_store_that_does_not_answer_keeps_its_secrets(server: Path) -> None:
    """No server, a wrong password, an authority that is not there: unavailable, without the password."""
    port = (server / "port").read_text()
    for where in (
        "mysql://reader:CANARY-PASSWORD@127.0.0.1:1/x",
        f"mysql://reader:CANARY-WRONG@127.0.0.1:{port}/x",
        f"mysql://reader:CANARY-PASSWORD@127.0.0.1:{port}/CANARY",
        "mysql://reader:CANARY-PASSWORD@db.example/x?ca=/nowhere.pem",
    ):
        with pytest.raises(UnavailableError) as caught:
            open_store("main", where)
        assert caught.value.do
        assert "CANARY" not in str(caught.value)


def test_a_socket_serves_as_well(server: Path) -> None:
    """The server on this machine, without a port."""
    with mariadb.new_database(server) as (name, _):
        run(mariadb.as_root(server), "CREATE OR REPLACE USER local@localhost IDENTIFIED BY 'p'",
            f"GRANT SELECT ON {name}.* TO local@localhost")  # fmt: skip
        with closing(open_store("main", f"mysql://local:p@/{name}?socket={server}/s.sock")) as store:
            assert store.columns("nothing") == {}

"""Spark, on a real cluster: the behaviour that every engine shows, and what is its own."""

import dataclasses
import datetime as dt
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from decimal import Decimal
from itertools import count, islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from dueprocess.errors import BrokenError, DueprocessError, RefusedError, UnavailableError
from dueprocess.plan import Hop, TargetQuery, TargetRoute, TimeColumn
from dueprocess.production.collect import Collection, Extra
from dueprocess.production.resuming import EarlierRuns
from dueprocess.production.stores import open_store
from dueprocess.production.stores.shapes import rows_shape
from dueprocess.production.stores.spark import SparkStore
from dueprocess.production.stores.sparkplan import refuse_plan
from production.conftest import EVA, Platform, platform
from production.slow import OwnShelf
from production.stores.asking import HOSTILE, HOSTILE_VALUES, SINCE, START, UNTIL, read, rows_of
from production.stores.cluster import Cluster, running
from production.stores.proxy import Proxy
from production.test_stores import (
    test_a_column_that_the_live_schema_lacks_is_drift,
    test_a_subject_is_text_or_a_whole_number,
    test_a_target_is_resolved_exactly,
    test_an_unlisted_column_is_not_even_asked_for,
    test_rows_come_in_the_order_of_the_plan,
)

SHARED = (
    test_a_column_that_the_live_schema_lacks_is_drift,
    test_a_subject_is_text_or_a_whole_number,
    test_a_target_is_resolved_exactly,
    test_an_unlisted_column_is_not_even_asked_for,
    test_rows_come_in_the_order_of_the_plan,
)
"""Promises of every engine, kept here with the fixtures of this file."""

pytestmark = pytest.mark.slow
_KINDS = {"TEXT": pa.string(), "BIGINT": pa.int64(), "TIMESTAMPTZ": pa.timestamp("us", tz="UTC")}
_numbers = count(1)


class OnSpark(Platform):
    """Example Host in a database of the cluster's own catalog, over Parquet files."""

    cluster: Cluster

    def build(self) -> None:
        tables = {
            name: pa.table(
                {
                    column: pa.array([row[at] for row in table.rows], _KINDS[kind])
                    for at, (column, kind) in enumerate(table.columns.items())
                }
            )
            for name, table in self.tables.items()
        }
        self.cluster.write(self.dsn.rpartition(".")[2], tables)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A real cluster that lives as long as the test run."""
    with running() as found:
        yield found


@pytest.fixture
def database(cluster: Cluster) -> str:
    """An empty database of the catalog."""
    name = f"d{next(_numbers)}"
    cluster.run(f"CREATE DATABASE {name}")
    return name


@pytest.fixture
def unbuilt(cluster: Cluster, database: str, tmp_path: Path) -> Iterator[OnSpark]:
    """Example Host on Spark, its tables not yet written."""
    found = OnSpark("spark", tmp_path, cluster.dsn(database), platform())
    found.cluster = cluster
    yield found
    for stores in found.opened:
        stores.close()


@pytest.fixture
def host(unbuilt: OnSpark) -> OnSpark:
    """Example Host on Spark."""
    unbuilt.build()
    return unbuilt


def test_every_planned_record_comes_and_no_other(host: OnSpark) -> None:
    """Inside the window, of this account to the letter, not deleted; a path over another table is followed."""
    store = host.stores().databases["main"]
    plan = host.plan("traffic", "session", "content.messages", "subscriber")
    found = {query.table: read(store, query) for query in plan.tables}
    assert [row["ip"] for row in found["sessions"]] == ["192.0.2.2", "192.0.2.1"]
    assert found["accounts"] == [{"email": "eva@mail.example", "joined": 1}]
    assert len(found["bodies"]) == 1
    assert "CANARY" not in str(found)


def test_the_live_schema_is_described(host: OnSpark) -> None:
    """Columns with their types; Spark knows neither uniqueness nor indexes; a view is known as one."""
    host.cluster.run(f"CREATE VIEW {host.dsn.rpartition('.')[2]}.v AS SELECT account, upper(note) AS body FROM "
                     f"{host.dsn.rpartition('.')[2]}.sessions")  # fmt: skip
    store = host.stores().databases["main"]
    accounts = store.columns("accounts")
    assert list(accounts) == ["name", "email", "joined", "password_hash"]
    assert (
        {each.unique for each in accounts.values()} == {each.indexed for each in accounts.values()} == {None}
    )
    assert (accounts["joined"].kind, store.columns("posts")["at"].kind) == ("bigint", "timestamp")
    for name in (
        "nothing",
        "ACCOUNTS",
        "*",
        "accounts`; DROP TABLE rooms; --",
        "",
        "a\0b",
        "\ud800",
        "x" * 5000,
    ):
        try:
            assert store.columns(name) == {}
        except UnavailableError:
            assert name == "\ud800", "only what no protocol carries may fail"
    assert store.columns("v")["body"].view
    assert {row["body"] for row in read(store, rows_of("v", "body", at=None))} <= {"CANARY-COLUMN", "X"}


def test_hostile_values_are_values(host: OnSpark) -> None:
    """As target, as subject and as fixed value: found nowhere, run nowhere."""
    store = host.stores().databases["main"]
    route = host.plan("traffic").target.route
    for value in [*HOSTILE_VALUES, "\n\n== Optimized Logical Plan ==\n", "${spark.app.name}", ":subject"]:
        try:
            assert store.resolve(TargetQuery(route, value)) is None
            assert read(store, rows_of("sessions", "ip", equals=(("agent", value),))) == []
        except DueprocessError:
            assert "\ud800" in value or "== Optimized" in value, (
                "only what cannot be examined may fail, and plainly"
            )


def test_hostile_names_of_columns_are_names(cluster: Cluster, database: str) -> None:
    """Each is read as the name that it is. Spark's own catalog takes only plain names for tables."""
    names = [*HOSTILE, "a`b", "`; DROP TABLE t; --", "a#1", "x AS y", "(", "[", ".*"]
    cluster.write(database, {"t": pa.table({name: [EVA, "CANARY"] for name in names})})
    with closing(open_store("main", cluster.dsn(database))) as store:
        for name in names:
            assert read(store, rows_of("t", name, at=None, subject=name)) == [{name: EVA}], name


def test_spark_gives_every_type_exactly(cluster: Cluster, database: str) -> None:
    """Numbers exact, instants in UTC, local times without a zone, documents as they are."""
    one: dict[str, Any] = {
        "n": (pa.decimal128(10, 2), Decimal("1.10")),
        "i": (pa.int32(), -5),
        "f": (pa.float32(), 0.5),
        "d": (pa.float64(), 0.1),
        "ok": (pa.bool_(), True),
        "b": (pa.binary(), b"\xff\x00"),
        "day": (pa.date32(), dt.date(2026, 9, 1)),
        "tz": (pa.timestamp("us", tz="UTC"), dt.datetime(2026, 9, 1, 0, 0, 0, 123456, dt.UTC)),
        "ts": (pa.timestamp("us"), dt.datetime(2026, 10, 25, 2, 30, 0, 1)),  # noqa: DTZ001  # a local time
        "list": (pa.list_(pa.string()), ["a", None]),
        "doc": (
            pa.struct([("a", pa.int64()), ("at", pa.timestamp("us", tz="UTC"))]),
            {"a": 2**60, "at": SINCE},
        ),
        "none": (pa.string(), None),
    }
    cluster.write(database, {"t": pa.table({
        "account": [EVA], **{name: pa.array([value], kind) for name, (kind, value) in one.items()}})})  # fmt: skip
    with closing(open_store("main", cluster.dsn(database))) as store:
        (batch,) = store.batches(rows_of("t", *one, at=None), EVA)
    assert batch.rows.to_pylist() == [{name: value for name, (_, value) in one.items()}]
    assert batch.rows.schema.field("tz").type == pa.timestamp("us", tz="UTC")
    assert batch.rows.schema.field("ts").type == pa.timestamp("us")


def test_windows_have_exact_ends_in_every_unit(cluster: Cluster, database: str) -> None:
    """The first instant is inside, the last is not, to the microsecond; a local time by its zone."""
    edges = [SINCE - dt.timedelta(microseconds=1), SINCE, UNTIL - dt.timedelta(microseconds=1), UNTIL]
    plain = [each.replace(tzinfo=None) for each in edges]
    cluster.write(database, {"t": pa.table({
        "account": [EVA] * 4, "n": pa.array(range(4), pa.int32()), "seen": pa.array(edges, pa.timestamp("us", "UTC")),
        "plain": pa.array(plain, pa.timestamp("us")), "day": [each.date() for each in plain],
        "iso": [each.isoformat() + "Z" for each in plain],
        "us": pa.array([int(each.timestamp()) * 10**6 + each.microsecond for each in edges], pa.int64()),
        "s": pa.array([int(each.timestamp()) for each in edges], pa.int32())})})  # fmt: skip
    with closing(open_store("main", cluster.dsn(database))) as store:
        for column, unit in (("seen", "timestamp"), ("plain", "timestamp"), ("day", "date"), ("iso", "iso"),
                             ("us", "us"), ("s", "s")):  # fmt: skip
            assert [row["n"] for row in read(store, rows_of("t", "n", at=column, unit=unit))] == [1, 2], (
                column
            )
        berlin = rows_of("t", "n", at="plain", unit="timestamp", zone="Europe/Berlin")
        assert [row["n"] for row in read(store, berlin)] == [2, 3]
        for column, unit, zone in (
            ("seen", "timestamp", "Europe/Berlin"),
            ("iso", "ms", "UTC"),
            ("us", "timestamp", "UTC"),
        ):
            with pytest.raises(UnavailableError) as caught:
                read(store, rows_of("t", "n", at=column, unit=unit, zone=zone))
            assert caught.value.code == "bad-time"
        with pytest.raises(UnavailableError) as caught:
            read(store, rows_of("t", "n", at=None, subject="n"))
        assert caught.value.code == "bad-subject"
        assert (
            read(store, rows_of("t", "iso", at=None, subject="n"), 2)[0]["iso"]
            == "2026-09-30T23:59:59.999999Z"
        )


def test_names_are_found_whatever_their_case_where_the_map_says_so(cluster: Cluster, database: str) -> None:
    """Letters fold as the map says; what is absent or fixed counts; two of one name are refused."""
    cluster.write(database, {"t": pa.table({
        "name": ["Zoë", "zoe", "Ann", "ann"], "id": [1, 2, 3, 4], "gone": [None, None, None, "x"], "kind": list("aabb"),
        "live": [True, True, False, True]})})  # fmt: skip
    route = TargetRoute("account", "main", "t", "name", "id", compare="ignore_case")
    with closing(open_store("main", cluster.dsn(database))) as store:
        assert store.resolve(TargetQuery(route, "zOË")) == 1
        assert store.resolve(TargetQuery(dataclasses.replace(route, absent=("gone",)), "ANN")) == 3
        fixed = dataclasses.replace(route, compare="exact", equals=(("kind", "b"), ("live", True)))
        assert store.resolve(TargetQuery(fixed, "ann")) == 4
        assert store.resolve(TargetQuery(fixed, "Ann")) is None
        with pytest.raises(RefusedError):
            store.resolve(TargetQuery(route, "ANN"))


def test_a_record_of_two_people_is_refused_and_the_cap_is_a_failure(cluster: Cluster, database: str) -> None:
    """A key that stands twice on the way to the subject; one record too many."""
    cluster.write(database, {
        "posts": pa.table({"id": [1, 2, 2], "account": [EVA, EVA, "@dana:host.example"]}),
        "bodies": pa.table({"post": [1, 2], "body": ["a", "b"], "gone": pa.array([None, None], pa.string()),
                            "kind": ["x", "x"], "off": pa.array([None, None], pa.string())})})  # fmt: skip
    query = rows_of("bodies", "body", at=None)
    path = dataclasses.replace(query.path, hops=(Hop("posts", "post", "id"),), absent=("gone", "off"),
                               equals=(("kind", "x"),))  # fmt: skip
    with closing(open_store("main", cluster.dsn(database))) as store:
        with pytest.raises(RefusedError) as caught:
            read(store, dataclasses.replace(query, path=path))
        assert caught.value.code == "fan-out"
        plain = dataclasses.replace(rows_of("bodies", "body", at=None, subject="kind", cap=1))
        with pytest.raises(RefusedError) as caught:
            read(store, plain, "x")
        assert caught.value.code == "too-many-rows"
        assert store.has_twice("posts", "id")
        assert not store.has_twice("bodies", "post")
        assert store.meets("bodies", "post", "posts", "id")


def test_partitions_are_columns_like_others(cluster: Cluster, database: str) -> None:
    """A table in folders by day: the folder's value is a column, and a window on it reads no other folder."""
    folder = cluster.folder / database / "source"
    cluster.run(
        f"CREATE TABLE {database}.t (account STRING, body STRING, day DATE) USING parquet PARTITIONED BY (day) "
        f"LOCATION 'file://{folder}'",
        *(f"INSERT INTO {database}.t VALUES ('{EVA}', 'b{day}', DATE'2026-09-{day:02}')" for day in (1, 2)),
        f"INSERT INTO {database}.t VALUES ('{EVA}', 'CANARY', DATE'2026-10-01')",
    )
    query = rows_of("t", "body", at="day", unit="date")
    with closing(SparkStore("main", cluster.dsn(database))) as store:
        assert [row["body"] for row in read(store, query)] == ["b1", "b2"]
        explained = store.link.explained(store.text(query), store.values(query, EVA))
    assert "PartitionFilters: [isnotnull(day" in explained


# -- the examination -------------------------------------------------------------------------------

WRONG: dict[str, Callable[[str], str]] = {
    "another table": lambda text: text.replace("FROM `sessions`", "FROM `copies`"),
    "no subject": lambda text: text.replace("t0.`account` = ? AND ", ""),
    "or": lambda text: text.replace(" AND ", " OR ", 1),
    "a wider window": lambda text: text.replace("t0.`seen` < ?", "t0.`seen` <= ?"),
    "another column": lambda text: text.replace("t0.`ip`", "t0.`note`"),
    "another order": lambda text: text.replace("ORDER BY t0.`seen`", "ORDER BY t0.`seen` DESC"),
    "a limit": lambda text: text + " LIMIT 1",
    "all columns": lambda text: text.replace("SELECT ", "SELECT *, "),
    "a folded key": lambda text: text.replace("t0.`account` = ?", "lower(t0.`account`) = ?"),
    "a union": lambda text: text.replace(
        " ORDER BY", " UNION ALL SELECT 1, 2, 3, 4, 5 FROM `sessions` ORDER BY"
    ),
    "a comment": lambda text: text.replace(" WHERE", " /* WHERE */ WHERE"),
}


def test_a_wrong_generator_is_refused(host: OnSpark, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the generator gets wrong, nothing is read: by the parser, and by Spark's own plan alone."""
    query = next(each for each in host.plan("traffic", "session").tables if each.table == "sessions")
    right = SparkStore.text
    store = host.stores().databases["main"]
    assert isinstance(store, SparkStore)
    text, shape = store.text(query), rows_shape(query)
    host.cluster.run(f"CREATE TABLE {host.dsn.rpartition('.')[2]}.copies AS "
                     f"SELECT * FROM {host.dsn.rpartition('.')[2]}.sessions")  # fmt: skip
    for fault, wrong in WRONG.items():
        bad = wrong(text)
        assert bad != text, fault
        with monkeypatch.context() as patch:
            patch.setattr(SparkStore, "text", lambda self, asked, wrong=wrong: wrong(right(self, asked)))
            with pytest.raises(BrokenError) as caught:
                read(store, query)
            assert caught.value.code == "query-differs"
        if fault in {"a comment", "a union"}:  # The one means nothing to Spark, and the other it cannot read.
            continue
        values = store.values(query, EVA)
        explained = store.link.explained(bad, values[bad.count("?") < text.count("?") :])
        with pytest.raises(BrokenError):
            refuse_plan(explained, shape, values, store.place)
    with store.watch(text, store.values(query, EVA), shape):
        pass
    for values in (store.values(query, "@dana:host.example"), [EVA, START, 2**60], [EVA, START - 1, START]):
        explained = store.link.explained(text, values)
        with pytest.raises(BrokenError):
            refuse_plan(explained, shape, store.values(query, EVA), store.place)


# -- what goes wrong -------------------------------------------------------------------------------


@pytest.fixture
def big(cluster: Cluster, database: str) -> str:
    """A database with 120 MB of Eva's records, that do not compress."""
    import os

    rows = 60_000
    texts = [os.urandom(1000).hex() for _ in range(200)]
    cluster.write(database, {"t": pa.table({
        "account": [EVA] * rows, "seen": [START + (n * 7919) % rows for n in range(rows)],
        "body": [f"{n}{texts[n % 200]}" for n in range(rows)]})}, row_group_size=2000)  # fmt: skip
    return cluster.dsn(database)


def test_a_big_account_streams_in_order(big: str, tmp_path: Path) -> None:
    """Of 120 MB a fraction is in memory at a time; every record comes once, in order."""
    program = f"""
import resource, sys
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from production.stores.asking import rows_of
from dueprocess.production.stores.spark import SparkStore
store = SparkStore("main", {big!r})
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
batches = store.batches(rows_of("t", "seen", "body"), {EVA!r})
seen = [value for batch in batches for value in batch.rows["seen"].to_pylist()]
assert seen == [{START} + n for n in range(60_000)]
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
store.close()
"""
    (tmp_path / "reads.py").write_text(program)
    command = [sys.executable, "-W", "error", str(tmp_path / "reads.py")]
    out = subprocess.run(command, check=True, capture_output=True, text=True)
    assert int(out.stdout) < 90_000


def test_an_executor_that_dies_in_mid_query_costs_no_record(cluster: Cluster, big: str) -> None:
    """The query finishes whole, or it fails; it is never short."""
    found: list[int] = []
    failed: list[Exception] = []

    def run(store: SparkStore) -> None:
        try:
            found.extend(len(batch.rows) for batch in store.batches(rows_of("t", "body"), EVA))
        except UnavailableError as error:
            failed.append(error)

    for pause in (0.3, 1.0):
        found.clear()
        failed.clear()
        with closing(SparkStore("main", big)) as store:
            thread = threading.Thread(target=run, args=(store,))
            thread.start()
            time.sleep(pause)
            cluster.kill_one()
            thread.join()
        assert failed or sum(found) == 60_000
        _whole_again(cluster)


def test_a_table_of_a_lake_that_was_read_is_not_asked_for_again(host: OnSpark, tmp_path: Path) -> None:
    """A run ends between two tables and the first is dropped from the lake: the next run has the same files of it."""
    plan, shelf = (
        host.plan("traffic", "session", "content.messages", "subscriber"),
        OwnShelf(tmp_path / "shelf"),
    )

    def members() -> Iterator[tuple[str, bytes]]:
        earlier = EarlierRuns(shelf, "d" * 64, plan.plan_sha256, lambda: UNTIL)
        collection = Collection(plan, host.stores(), "7F3K", Extra(earlier=earlier))
        for member in collection.members():
            yield member.path, b"".join(map(bytes, member.chunks))
        reads.append([each.table for each in collection.results if each.read is not None])

    reads: list[list[str]] = []
    first = list(islice(members(), 4))
    assert [path for path, _ in first][2:] == [f"data/main/sessions.0001.{each}" for each in ("jsonl", "csv")]
    host.cluster.run(f"DROP TABLE {host.dsn.rpartition('.')[2]}.sessions")
    found = list(members())
    assert found[:4] == first
    assert [path for path, _ in found[4:]] == ["data/main/bodies.0001.jsonl", "data/main/bodies.0001.csv",
                                               "data/redactions.jsonl"]  # fmt: skip
    assert reads == [["accounts", "sessions"]]


def _whole_again(cluster: Cluster) -> None:
    """Waits until the master has started another executor."""
    until = time.monotonic() + 60
    while len(cluster.executors()) < 2 and time.monotonic() < until:
        time.sleep(0.2)


def test_a_server_that_goes_is_told(cluster: Cluster, big: str) -> None:
    """Between two batches the way to it breaks: what was read fails, and nothing passes for an end."""
    with Proxy(cluster.port) as proxy:
        where = big.replace(f":{cluster.port}/", f":{proxy.port}/")
        store = open_store("main", where)
        batches = store.batches(rows_of("t", "body"), EVA)
        assert next(batches).rows.num_rows
        proxy.cut()
        with pytest.raises(UnavailableError) as caught:
            list(batches)
        assert "CANARY" not in str(caught.value)
        with pytest.raises(UnavailableError):
            read(store, rows_of("t", "seen"))
        store.close()
        with pytest.raises(UnavailableError):
            open_store("main", where)


def test_a_session_that_the_server_lost_is_not_begun_anew(cluster: Cluster, database: str) -> None:
    """A server that started again has none of the pinned settings: it is not asked."""
    cluster.write(database, {"t": pa.table({"account": [EVA], "body": ["x"]})})
    with closing(SparkStore("main", cluster.dsn(database))) as store:
        assert read(store, rows_of("t", "body", at=None)) == [{"body": "x"}]
        store.link.server_session = "00000000-0000-0000-0000-000000000000"
        with pytest.raises(UnavailableError):
            read(store, rows_of("t", "body", at=None))


def test_a_question_that_takes_too_long_is_broken_off(cluster: Cluster, big: str) -> None:
    """After its time; the cluster is told, and the next question gets its turn."""
    with closing(SparkStore("main", big, timeout=20.0)) as store:
        slow = (
            "SELECT count(*) FROM `t` a JOIN `t` b ON a.`body` <> b.`body` JOIN `t` c ON c.`body` <> b.`body`"
        )
        begun = time.monotonic()
        with pytest.raises(UnavailableError, match="DEADLINE"):
            store.fetch(slow, [])
        assert time.monotonic() - begun < 30
        assert store.fetch("SELECT 1", []) == [(1,)]


def test_a_file_that_is_gone_or_broken_is_a_failure(cluster: Cluster, database: str) -> None:
    """Never fewer records: the settings that would skip it are off."""
    cluster.write(database, {"t": pa.table({"account": [EVA], "body": ["x"]})})
    (cluster.folder / database / "t" / "part-1.parquet").write_bytes(b"PAR1 this is none PAR1")
    with closing(open_store("main", cluster.dsn(database))) as store, pytest.raises(UnavailableError):
        read(store, rows_of("t", "body", at=None))


@contextmanager
def zone(name: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The machine of the worker elsewhere."""
    monkeypatch.setenv("TZ", name)
    time.tzset()
    try:
        yield
    finally:
        monkeypatch.undo()
        time.tzset()


def test_times_are_read_in_utc_on_a_machine_elsewhere(host: OnSpark, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the machine's zone nor the session's moves a row across the window."""
    path = TimeColumn("posts", "at", "timestamp")
    query = rows_of("posts", "id", "at", subject="author")
    query = dataclasses.replace(query, path=dataclasses.replace(query.path, time=path), order=("at",))
    with zone("Asia/Tokyo", monkeypatch):
        found = read(host.stores().databases["main"], query)
    assert found == [{"id": 1, "at": dt.datetime(2026, 9, 5, tzinfo=dt.UTC)}]

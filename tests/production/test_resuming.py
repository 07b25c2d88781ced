"""Resuming: a table of a slow store that was read once is not read again, and nothing else is taken for it."""

import datetime as dt
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dueprocess.errors import ConflictError, RefusedError, UnavailableError
from dueprocess.plan import Plan, TableQuery
from dueprocess.production.answer import Answer, produce_answer
from dueprocess.production.collect import Collection, Extra, Progress
from dueprocess.production.resuming import KEPT_FOR, EarlierRuns
from dueprocess.production.stores import Stores, held
from dueprocess.production.stores.facts import Checked, Redacted
from dueprocess.production.stores.sqlite import SqliteStore
from production.conftest import DANA, EVA, NOW, Platform
from production.slow import SHELF, OwnShelf, slow_stores
from production.test_answer import opened

ALL = ("subscriber", "session", "traffic", "content")
ROWS = "data/main/"
LAST = f"{ROWS}sessions.0001.csv"
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def shelf(tmp_path: Path) -> OwnShelf:
    return OwnShelf(tmp_path / "shelf")


@pytest.fixture(autouse=True)
def slow() -> Iterator[None]:
    """Every store of this file takes hours for a table, or says so."""
    with slow_stores():
        yield


@pytest.fixture(params=["sqlite", "duckdb"])
def warehouse(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Platform]:
    """Example Host on two engines that say they are slow."""
    built = Platform(request.param, tmp_path, f"{request.param}:///{tmp_path}/host.db", _tables())
    built.build()
    yield built
    _close(built)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Platform]:
    built = Platform("sqlite", tmp_path, f"sqlite:///{tmp_path}/host.sqlite", _tables())
    built.build()
    yield built
    _close(built)


def _tables() -> Any:
    from production.conftest import platform

    return platform()


def _close(host: Platform) -> None:
    for each in host.opened:
        each.close()
    host.opened.clear()


def emptied(host: Platform, *tables: str) -> None:
    """Every record of these tables is gone from the live store."""
    _close(host)
    if host.engine == "sqlite":
        with closing(sqlite3.connect(host.dsn.removeprefix("sqlite:///"))) as link, link:
            for table in tables:
                link.execute(f'DELETE FROM "{table}"')
        return
    import duckdb

    with duckdb.connect(host.dsn.removeprefix("duckdb:///")) as lake:
        for table in tables:
            lake.execute(f'DELETE FROM "{table}"')


@dataclass
class Run:
    """One run of a plan with what earlier runs kept."""

    collection: Collection
    said: list[Progress]

    def until(self, path: str) -> None:
        """As far as the end of this member, as a process that is killed there."""
        for member in self.collection.members():
            list(member.chunks)
            if member.path == path:
                return
        pytest.fail("it never came so far")

    def whole(self) -> dict[str, bytes]:
        return {each.path: b"".join(map(bytes, each.chunks)) for each in self.collection.members()}

    @property
    def notes(self) -> list[str]:
        return [each.note for each in self.said if each.note]


def run(
    host: Platform, plan: Plan, shelf: Any, at: dt.datetime = NOW, of: tuple[str, str] | None = None
) -> Run:
    """``of`` are decision and plan by their digests, where these are not the usual ones."""
    earlier = (
        EarlierRuns(shelf, *(of or ("d" * 64, plan.plan_sha256)), lambda: at) if shelf is not None else None
    )
    said: list[Progress] = []
    return Run(Collection(plan, host.stores(), "7F3K", Extra(earlier=earlier), said.append), said)


def interrupted(host: Platform, shelf: OwnShelf) -> Plan:
    """A run that had read accounts and sessions, and was killed before the third table, bodies."""
    plan = host.plan(*ALL)
    run(host, plan, shelf).until(LAST)
    _close(host)
    return plan


def rows(files: dict[str, bytes], table: str) -> bytes:
    return files.get(f"{ROWS}{table}.0001.jsonl", b"")


def test_a_table_that_was_read_is_not_read_again(warehouse: Platform, shelf: OwnShelf) -> None:
    """Its records are gone from the store meanwhile: every file is the same, in the same order, byte for byte."""
    undisturbed = run(warehouse, warehouse.plan(*ALL), None).whole()
    plan = interrupted(warehouse, shelf)
    emptied(warehouse, "sessions")
    again = run(warehouse, plan, shelf, NOW + HOUR)
    found = again.whole()
    assert list(found.items()) == list(undisturbed.items())
    assert rows(found, "sessions").count(b"\n") == 2
    assert f"{ROWS}bodies.0001.jsonl" in found
    read = {each.table: each.read for each in again.collection.results}
    assert read == {"accounts": (NOW, NOW), "sessions": (NOW, NOW), "bodies": None, "uploads": None}
    assert b"CANARY" not in b"".join(found.values())
    assert again.notes == []
    assert [each.entry for each in again.said if each.note == ""][-1] == 4, "kept tables count as done"


def test_a_parcel_says_when_a_table_was_read(
    small: Platform, shelf: OwnShelf, answer: Callable[[Plan], Answer], officer: Any
) -> None:
    """The records are those of an undisturbed run; statement, description and certificate say the earlier time."""
    import io

    def parcel(extra: Extra, at: dt.datetime) -> dict[str, bytes]:
        out = io.BytesIO()
        told = replace(answer(plan), evidence=replace(answer(plan).evidence, started_at=at, ended_at=at))
        produce_answer(plan, small.stores(), told, out, extra=extra)
        return opened(out.getvalue(), officer)

    plan = interrupted(small, shelf)
    undisturbed = parcel(Extra(), NOW)
    emptied(small, "sessions")
    later = NOW + HOUR
    found = parcel(Extra(earlier=EarlierRuns(shelf, "d" * 64, plan.plan_sha256, lambda: later)), later)
    explaining = {
        "data/index.html", "data/index.pdf", "data/statement.json", "data/case.jsonld", "data/certificate.pdf",
        "manifest-sha256.txt", "tagmanifest-sha256.txt", "bag-info.txt",
    }  # fmt: skip
    different = {path for path in undisturbed if undisturbed[path] != found[path]}
    assert found.keys() == undisturbed.keys()
    assert different <= explaining
    assert {"data/statement.json", "data/case.jsonld"} <= different
    entries = {each["table"]: each for each in json.loads(found["data/statement.json"])["entries"]}
    assert entries["sessions"]["read_until"] == "2026-11-22T10:00:00Z"
    assert "read_until" not in entries["bodies"]
    words = "found 2 records; read from 2026-11-22T10:00:00Z to 2026-11-22T10:00:00Z, in a run that was"
    assert words in found["data/index.html"].decode()
    graph = json.loads(found["data/case.jsonld"])["@graph"]
    began = {
        each["core:name"]: each["action:startTime"]["@value"] for each in graph if "action:startTime" in each
    }
    assert began == {
        "produced": "2026-11-22T10:00:00Z",
        "read main.accounts": "2026-11-22T10:00:00Z",
        "read main.sessions": "2026-11-22T10:00:00Z",
        "read main.bodies": "2026-11-22T11:00:00Z",
        "read media.uploads (files)": "2026-11-22T11:00:00Z",
    }


@pytest.mark.parametrize("case", ["decision", "plan", "window", "account", "old", "future"])
def test_whatever_differs_nothing_kept_is_used(small: Platform, shelf: OwnShelf, case: str) -> None:
    """Another decision, plan or account, or three days: the store is asked, which holds nothing any more."""
    plan = interrupted(small, shelf)
    emptied(small, "sessions")
    at, decision, bound = NOW, "d" * 64, plan.plan_sha256
    if case == "decision":
        decision = "e" * 64
    elif case == "plan":
        plan = small.plan("subscriber", "session", "traffic")
        bound = plan.plan_sha256
    elif case == "window":
        plan = small.plan(*ALL, period=replace(plan.item.period, until=NOW))
    elif case == "account":
        with closing(sqlite3.connect(small.dsn.removeprefix("sqlite:///"))) as link, link:
            link.execute("UPDATE accounts SET name = 'x' || name WHERE name <> ?", (EVA,))
        plan = replace(plan, target=replace(plan.target, value=f"x{DANA}"))
    else:
        at = NOW + KEPT_FOR if case == "old" else NOW - HOUR
    again = run(small, plan, shelf, at, (decision, bound))
    assert rows(again.whole(), "sessions") == b""
    read = {each.table for each in again.collection.results if each.read}
    assert read == ({"accounts"} if case == "window" else set()), "the query of accounts has no window"


def test_just_before_it_is_too_old_it_is_used(small: Platform, shelf: OwnShelf) -> None:
    """Three days, exactly."""
    plan = interrupted(small, shelf)
    emptied(small, "sessions")
    found = run(small, plan, shelf, NOW + KEPT_FOR - dt.timedelta(microseconds=1)).whole()
    assert rows(found, "sessions").count(b"\n") == 2


@pytest.mark.parametrize("how", ["changed", "cut", "gone"])
def test_what_was_damaged_is_read_again_and_said(small: Platform, shelf: OwnShelf, how: str) -> None:
    """Any one object on the shelf: the store's records are taken instead, none twice, and the log says why."""
    plan = small.plan(*ALL)
    undisturbed = run(small, plan, None).whole()
    interrupted(small, shelf)
    kept = {path: path.read_bytes() for path in shelf.files()}
    assert len(kept) == 4, "a part and a list for each of two tables"
    for path, content in kept.items():
        if how == "changed":
            path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        elif how == "cut":
            path.write_bytes(content[:-20])
        else:
            path.unlink()
        again = run(small, plan, shelf, NOW + HOUR)
        assert again.whole() == undisturbed
        assert len([each for each in again.collection.results if each.read]) == 1
        if how != "gone":
            assert len(again.notes) == 1
            assert "cannot be used, it is read again: The" in again.notes[0]
        for each in shelf.files():
            each.unlink()
        for each, before in kept.items():
            each.write_bytes(before)


def test_a_list_of_another_shape_is_not_believed(small: Platform, shelf: OwnShelf) -> None:
    """Whatever lies under the name of a list, the store is asked."""
    plan = small.plan(*ALL)
    for content in (b"", b"[]", b"{}", b'{"of":{},"parts":[],"read_from":"x","read_until":"y"}', b"\xff"):
        shelf.drop("read:main.sessions")
        shelf.put("read:main.sessions", content)
        again = run(small, plan, shelf)
        assert rows(again.whole(), "sessions").count(b"\n") == 2
        assert {each.read for each in again.collection.results if each.table == "sessions"} == {None}
        for table in ("accounts", "bodies"):
            shelf.drop(f"read:main.{table}")


def test_a_second_run_keeps_anew_what_it_read_again(small: Platform, shelf: OwnShelf) -> None:
    """After too long a pause the tables are read again, and the third run has them."""
    plan = interrupted(small, shelf)
    later = NOW + KEPT_FOR
    run(small, plan, shelf, later).until(LAST)
    emptied(small, "sessions")
    third = run(small, plan, shelf, later + HOUR)
    assert rows(third.whole(), "sessions").count(b"\n") == 2
    assert third.collection.results[1].read == (later, later)


def test_an_empty_table_is_kept_too(small: Platform, shelf: OwnShelf) -> None:
    """To learn that nothing is held may have taken an hour as well."""
    emptied(small, "sessions")
    plan = small.plan(*ALL)
    run(small, plan, shelf).until(f"{ROWS}bodies.0001.csv")
    again = run(small, plan, shelf, NOW + HOUR)
    again.whole()
    result = again.collection.results[1]
    assert (result.status, result.read) == ("nothing_held", (NOW, NOW))
    assert result.words.startswith("nothing held; read from 2026-11-22T10:00:00Z")


class Failing:
    """A slow store that gives some batches, and then fails."""

    slow = True

    def __init__(self, batches: list[Checked | Exception]) -> None:
        self._given = batches
        self.asked = 0

    def resolve(self, _query: object) -> str:
        return EVA

    def batches(self, _query: TableQuery, _subject: object) -> Iterator[Checked]:
        self.asked += 1
        for each in self._given:
            if isinstance(each, Exception):
                raise each
            yield each


def on_stores(plan: Plan, store: Any, shelf: Any, at: dt.datetime = NOW) -> Run:
    earlier = EarlierRuns(shelf, "d" * 64, plan.plan_sha256, lambda: at)
    said: list[Progress] = []
    extra = Extra(earlier=earlier)
    return Run(Collection(plan, Stores({"main": store}, {}, {}), "7F3K", extra, said.append), said)


def sessions(*ips: Any, redacted: tuple[Redacted, ...] = ()) -> Checked:
    return Checked(pa.record_batch({"ip": list(ips), "agent": ["x"] * len(ips)}), redacted)


@pytest.mark.parametrize(
    "fault",
    [
        [sessions("a"), UnavailableError("store-failed", "It is away.")],
        [sessions("a"), Checked(pa.record_batch({"ip": ["a"]}))],
        [sessions(*["a"] * 101)],
        [
            sessions("a"),
            Checked(pa.record_batch({"ip": pa.array([b"\xff"]).view(pa.string()), "agent": ["x"]})),
        ],
    ],
    ids=["away", "columns", "too many", "unwritable"],
)
def test_a_failed_table_is_never_kept(
    small: Platform, shelf: OwnShelf, fault: list[Checked | Exception]
) -> None:
    """However many records came before: the next run asks the store again."""
    plan, store = small.plan("traffic"), Failing(fault)
    for asked in (1, 2):
        again = on_stores(plan, store, shelf)
        again.whole()
        assert [(each.status, each.read) for each in again.collection.results] == [("failed", None)]
        assert store.asked == asked
    assert not [each for each in shelf.asked if each.startswith("put read:")]


def test_a_full_vault_costs_no_record(small: Platform, shelf: OwnShelf) -> None:
    """What cannot be kept is said once, with the table; the parcel is whole."""
    plan = small.plan(*ALL)
    undisturbed = run(small, plan, None).whole()

    class Full(OwnShelf):
        def put(self, name: str, data: bytes) -> None:
            raise UnavailableError("cannot-write", "There is no room.", why=f"{name}: {len(data)} bytes")

    again = run(small, plan, Full(shelf.folder / "full"))
    assert again.whole() == undisturbed
    told = [part for note in again.notes for part in note.split("; ")]
    assert told == [
        f"main.{table}: it cannot be kept for a next run: There is no room."
        for table in ("accounts", "sessions", "bodies")
    ]


def test_a_table_with_a_hole_is_not_kept(
    small: Platform, shelf: OwnShelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One part of a table found no room and the later ones did: the next run asks the store again."""
    plan, batches = small.plan("traffic"), [sessions(str(at), "b", "c") for at in range(4)]
    monkeypatch.setattr(held, "OBJECT_BYTES", max(each.rows.nbytes for each in batches))
    room = OwnShelf.put

    def cramped(place: OwnShelf, name: str, data: bytes) -> None:
        if len(place.asked) == 1:
            place.asked.append("refused")
            raise UnavailableError("cannot-write", "There is no room.")
        room(place, name, data)

    monkeypatch.setattr(OwnShelf, "put", cramped)
    store = Failing(list(batches))
    first = on_stores(plan, store, shelf)
    assert first.whole() == on_stores(plan, store, shelf).whole()
    assert (store.asked, len(first.notes)) == (2, 1)


def test_what_goes_away_in_the_middle_ends_the_run_and_is_no_failed_table(
    small: Platform, shelf: OwnShelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a table from the shelf must not pass for the store's failure: the run ends and can be run again."""
    plan = interrupted(small, shelf)
    real = held.get_object

    def vanishing(place: Any, digest: str) -> bytes:
        shelf.vault.remove(SHELF)
        return real(place, digest)

    with monkeypatch.context() as patched:
        patched.setattr(
            held, "get_object", vanishing
        )  # as the records are taken; the look before that has another
        with pytest.raises(ConflictError) as caught:
            run(small, plan, shelf).whole()
    assert caught.value.code == "kept-read-gone"
    assert rows(run(small, plan, shelf).whole(), "sessions").count(b"\n") == 2


def test_a_store_that_is_not_slow_never_touches_the_shelf(small: Platform) -> None:
    """Nothing is put, nothing is looked for: the batches of the store are taken as they come."""
    plan = small.plan("subscriber", "session", "traffic")
    store = SqliteStore("main", Path(small.dsn.removeprefix("sqlite:///")))
    again = on_stores(plan, store, None)
    with closing(store):
        files = {
            each.path: b"".join(map(bytes, each.chunks))
            for each in again.collection.members()
            if "main" in each.path
        }
    assert rows(files, "sessions").count(b"\n") == 2


def test_a_target_that_is_refused_reads_nothing_that_was_kept(small: Platform, shelf: OwnShelf) -> None:
    """The target is resolved anew each time, before anything else."""
    plan = interrupted(small, shelf)
    with closing(sqlite3.connect(small.dsn.removeprefix("sqlite:///"))) as link, link:
        link.execute("DROP INDEX accounts_name_key")
        link.execute("INSERT INTO accounts SELECT * FROM accounts")
    shelf.asked.clear()
    with pytest.raises(RefusedError):
        run(small, plan, shelf).whole()
    assert shelf.asked == []


def test_an_account_that_is_gone_is_not_taken_from_the_shelf(small: Platform, shelf: OwnShelf) -> None:
    """Nobody is resolved: the answer is what the platform holds now."""
    plan = interrupted(small, shelf)
    emptied(small, "accounts")
    assert not [path for path in run(small, plan, shelf).whole() if path.startswith("data/main")]


VALUES = st.one_of(st.none(), st.text(alphabet="ab,\"'\n€=🙂", max_size=8))
BATCHES = st.lists(
    st.tuples(st.lists(st.tuples(VALUES, st.integers(0, 2)), max_size=12), st.booleans()), max_size=6
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(given=BATCHES, room=st.sampled_from([60, 300, 16 << 20]))
def test_any_table_comes_back_as_it_was(
    small: Platform, shelf: OwnShelf, monkeypatch: pytest.MonkeyPatch, given: Any, room: int
) -> None:
    """Whatever the batches, their types and what was taken out of them, and however they were cut for the vault."""
    plan = small.plan("traffic")
    shelf.drop("read:main.sessions")
    batches = [
        Checked(
            pa.record_batch(
                {
                    "ip": pa.array([value for value, _ in rows], pa.large_string() if large else pa.string()),
                    "agent": pa.array([len(value or "") for value, _ in rows], pa.int64()),
                }
            ),
            tuple(Redacted(at, "ip", "redact:a", n) for at, (_, n) in enumerate(rows) if n),
        )
        for rows, large in given
    ]
    first = on_stores(plan, Failing(list(batches)), shelf)
    with monkeypatch.context() as patched:
        patched.setattr(held, "OBJECT_BYTES", room)
        live = first.whole()
    silent = Failing([UnavailableError("asked", "It was asked again.")])
    again = on_stores(plan, silent, shelf, NOW + HOUR)
    if first.notes:  # one record was bigger than an object may be
        assert room == 60
        return
    assert again.whole() == live
    assert silent.asked == 0
    assert again.collection.redactions == first.collection.redactions
    assert again.collection.results[0].rows == first.collection.results[0].rows

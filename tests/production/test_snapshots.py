"""A snapshot holds what the plan reached, cut again later to what a second plan reaches; and nothing of it is more."""

import datetime as dt
import hashlib
import json
import sqlite3
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dueprocess.demand import Period
from dueprocess.errors import BrokenError, DueprocessError, RefusedError, UnavailableError
from dueprocess.plan import HeldPart, Plan
from dueprocess.production import heldsources, snapshots
from dueprocess.production.collect import Collection, Extra
from dueprocess.production.heldsources import held_files, held_sources, lost_sources
from dueprocess.production.snapshots import Snapshot, SnapshotFacts, take_snapshot
from dueprocess.production.stores import held
from dueprocess.production.stores.facts import Checked, Redacted
from dueprocess.production.stores.held import Parts, stored_batches
from production.conftest import DANA, EVA, SINCE, UNTIL, Platform, ms

ALL = ("subscriber", "session", "traffic", "content")


class OpenShelf:
    """A shelf in memory: what lies on it can be looked at."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def put(self, name: str, data: bytes) -> None:
        assert self.objects.get(name, data) == data
        self.objects[name] = data

    def get(self, name: str) -> bytes:
        return self.objects[name]


def take(host: Platform, plan: Plan, shelf: OpenShelf, **how: bool) -> Snapshot:
    facts = SnapshotFacts("ab" * 16, bytes(32), "dueprocess", **how)
    return take_snapshot(plan, host.datamap(), host.environment(), shelf, facts)


def part(snapshot: Snapshot) -> HeldPart:
    return HeldPart("ab" * 16, "c" * 32, "t1", snapshot.manifest_sha256)


def rows(snapshot: Snapshot, plan: Plan, shelf: OpenShelf, subject: str | None = EVA) -> dict[str, list[Any]]:
    return {
        each.query.label: [row for batch in each.batches(subject) for row in batch.rows.to_pylist()]
        for each in held_sources(part(snapshot), plan, shelf)
    }


def live(host: Platform, plan: Plan) -> dict[str, list[Any]]:
    """The same plan on the live stores."""
    stores = host.stores()
    subject = stores.databases["main"].resolve(plan.target)
    assert subject is not None
    return {
        query.label: [
            row
            for batch in stores.databases[query.store].batches(query, subject)
            for row in batch.rows.to_pylist()
        ]
        for query in plan.tables
    }


def test_what_was_held_is_what_the_plan_would_have_given(host: Platform) -> None:
    """On every engine: read by the same plan, a snapshot gives the live store's records, masked as these."""
    plan, shelf = host.plan(*ALL), OpenShelf()
    snapshot = take(host, plan, shelf)
    assert [(each.label, each.status, each.rows) for each in snapshot.results] == [
        ("accounts", "found", 1), ("sessions", "found", 2), ("bodies", "found", 1), ("uploads", "failed", 1),
    ]  # fmt: skip
    assert rows(snapshot, plan, shelf) == live(host, plan)
    assert b"CANARY" not in b"".join(shelf.objects.values())
    assert snapshot.objects == len(shelf.objects)
    assert snapshot.size == sum(map(len, shelf.objects.values()))


def test_a_narrower_plan_cuts_by_times_that_no_record_shows(host: Platform) -> None:
    """Also where the time stands in another table of the path, and where the column of times was not asked for."""
    wide, shelf = host.plan(*ALL), OpenShelf()
    snapshot = take(host, wide, shelf)
    for period in (
        Period(SINCE, SINCE + dt.timedelta(days=1)),
        Period(SINCE + dt.timedelta(days=1), UNTIL),
        Period(SINCE + dt.timedelta(days=4), SINCE + dt.timedelta(days=4, seconds=1)),
        Period(SINCE + dt.timedelta(days=9), UNTIL),
    ):
        plan = host.plan("traffic", "content.messages", period=period)
        assert rows(snapshot, plan, shelf) == live(host, plan)


def test_a_wider_plan_reads_no_more_than_was_held(host: Platform) -> None:
    """What lies outside of the hold's window or categories is not in its snapshot at all."""
    narrow, shelf = host.plan("session", period=Period(SINCE, SINCE + dt.timedelta(days=1))), OpenShelf()
    snapshot = take(host, narrow, shelf)
    assert rows(snapshot, host.plan(*ALL), shelf) == {"sessions": [{"seen": ms(1) - 12 * 3_600_000}]}
    later = host.plan("session", period=Period(SINCE + dt.timedelta(days=1), UNTIL))
    assert rows(snapshot, later, shelf) == {}
    assert rows(snapshot, host.plan("content"), shelf) == {}


@given(
    ends=st.tuples(*[st.integers(0, 40)] * 4),
    held_names=st.sets(st.sampled_from(ALL), min_size=1),
    read_names=st.sets(st.sampled_from(ALL), min_size=1),
)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_was_held_and_is_asked_the_common_part_comes_out(
    small: Platform, ends: tuple[int, int, int, int], held_names: set[str], read_names: set[str]
) -> None:
    """Against an oracle in plain Python: exactly the live records of both windows, in columns of both scopes."""
    hold_ends, read_ends = sorted(ends[:2]), sorted(ends[2:])
    periods = [
        Period(SINCE + dt.timedelta(hours=12 * a), SINCE + dt.timedelta(hours=12 * b + 12))
        for a, b in (hold_ends, read_ends)
    ]
    holding, reading = small.plan(*held_names, period=periods[0]), small.plan(*read_names, period=periods[1])
    shelf = OpenShelf()
    found = rows(take(small, holding, shelf, final=True), reading, shelf)
    common = periods[0].intersect(periods[1])
    both = (
        small.plan(*(held_names & read_names), period=common) if common and held_names & read_names else None
    )
    expected = live(small, both) if both is not None else {}
    timeless = small.plan(*(held_names & read_names)) if held_names & read_names else None
    if timeless is not None and "subscriber" in held_names & read_names:
        expected["accounts"] = live(small, timeless)["accounts"]
    assert {label: each for label, each in found.items() if each} == {
        label: each for label, each in expected.items() if each
    }


# ------------------------------------------------------------------ files


def test_files_keep_their_bytes_and_a_missing_one_is_a_failure(host: Platform) -> None:
    """The one that is there comes out as it was; that another is not there is said when somebody reads."""
    plan, shelf = host.plan("content.files"), OpenShelf()
    snapshot = take(host, plan, shelf)
    (source,) = held_files(part(snapshot), plan, shelf)
    files = source.files(EVA)
    found = next(files)
    assert (found.name, found.size, b"".join(found.chunks())) == ("aabbcc", 10, b"eva's file")
    with pytest.raises(UnavailableError) as caught:
        next(files)
    assert caught.value.code == "hold-incomplete"


def test_files_that_stay_in_place_are_never_copied(host: Platform) -> None:
    """Only digest and size are kept: a copy of some material is itself a crime."""
    plan, shelf = host.plan("content.files"), OpenShelf()
    snapshot = take(host, plan, shelf, in_place=True)
    assert b"eva's file" not in b"".join(shelf.objects.values())
    (source,) = held_files(part(snapshot), plan, shelf)
    found = next(source.files(EVA))
    assert (found.size, found.sha256) == (10, hashlib.sha256(b"eva's file").hexdigest())
    with pytest.raises(UnavailableError) as caught:
        list(found.chunks())
    assert caught.value.code == "kept-in-place"
    assert found.sha256 in caught.value.why


def test_files_are_cut_by_the_window_too(small: Platform) -> None:
    """A file outside of the reading plan's days is not there; of another account neither."""
    plan, shelf = small.plan("content.files"), OpenShelf()
    snapshot = take(small, plan, shelf)
    other = small.plan("content.files", period=Period(SINCE, SINCE + dt.timedelta(days=1)))
    (source,) = held_files(part(snapshot), other, shelf)
    with pytest.raises(UnavailableError):
        list(source.files(EVA))
    with pytest.raises(RefusedError) as caught:
        next(source.files(DANA))
    assert caught.value.code == "other-subject"


def test_a_big_file_is_kept_in_pieces(small: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    """No object is bigger than the vault takes at once; the pieces give the bytes back."""
    monkeypatch.setattr(snapshots, "OBJECT_BYTES", 100_000)
    content = bytes(range(256)) * 4000
    (small.folder / "media" / "local" / "aa" / "bbcc").write_bytes(content)
    plan, shelf = small.plan("content.files"), OpenShelf()
    snapshot = take(small, plan, shelf)
    (source,) = held_files(part(snapshot), plan, shelf)
    assert b"".join(next(source.files(EVA)).chunks()) == content
    assert len(shelf.objects) > 3


# ------------------------------------------------------------------ parts


def test_parts_are_small_keep_their_schema_and_their_redactions(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new schema begins a new part, a big batch is halved, and each redaction stays at its record."""
    monkeypatch.setattr(held, "OBJECT_BYTES", 4096)
    shelf = OpenShelf()
    parts = Parts(shelf)
    texts = pa.array(["x" * 100] * 100)
    places = tuple(Redacted(row, "a", "redact:b", row) for row in range(0, 100, 7))
    parts.add(Checked(pa.record_batch([texts], ["a"]), places))
    parts.add(Checked(pa.record_batch([pa.array([1, 2])], ["a"])))
    parts.add(Checked(pa.record_batch([pa.array([], pa.int64())], ["a"])))
    parts.close()
    parts.close()
    assert (parts.rows, all(len(data) < 6000 for data in shelf.objects.values())) == (102, True)
    at, seen = 0, []
    for batch in stored_batches(shelf, parts.made):
        seen += [(at + each.row, each.places) for each in batch.redacted]
        at += batch.rows.num_rows
    assert (at, seen) == (102, [(row, row) for row in range(0, 100, 7)])


def test_a_record_that_is_bigger_than_an_object_fails_its_table(
    small: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And no other: the rest is kept."""
    monkeypatch.setattr(held, "OBJECT_BYTES", 500)
    with sqlite3.connect(small.dsn.removeprefix("sqlite:///")) as link:
        link.execute("UPDATE sessions SET agent = ?", ("x" * 1000,))
    link.close()
    snapshot = take(small, small.plan("subscriber", "session", "traffic"), OpenShelf())
    assert [(each.label, each.status) for each in snapshot.results] == [
        ("accounts", "found"),
        ("sessions", "failed"),
    ]


def test_redactions_follow_their_records_when_a_batch_is_cut() -> None:
    """A record that goes takes its note with it; those behind it move up."""
    stored = Checked(
        pa.record_batch([pa.array(["a", "b", "c"]), pa.array([1, 2, 3])], ["text", "number"]),
        (Redacted(0, "text", "r", 1), Redacted(2, "text", "r", 2), Redacted(2, "number", "r", 3)),
        pa.array([5, 15, 25]),
    )
    times = pa.array([False, True, True])
    kept = held._kept(stored, ["text"], times)  # noqa: SLF001  the smallest piece that can be wrong
    assert kept == (Redacted(1, "text", "r", 2),)


# ------------------------------------------------------------------ what does not fit any more


def failures(sources: list[held.HeldSource]) -> set[str]:
    found = set()
    for each in sources:
        with pytest.raises(DueprocessError) as caught:
            list(each.batches(EVA))
        found.add(caught.value.code)
    return found


def test_another_targets_snapshot_gives_nothing(small: Platform) -> None:
    """The same map, another account: each part refuses, also for an account that the live store lost."""
    plan, shelf = small.plan(*ALL, value=DANA), OpenShelf()
    snapshot = take(small, plan, shelf)
    found = held_sources(part(snapshot), small.plan(*ALL), shelf)
    assert {each.failure.code for each in found if each.failure} == {"other-subject"}
    assert failures(found) == {"other-subject"}


def test_another_map_is_a_failure_in_words(small: Platform) -> None:
    """Whose records these are and who is masked in them is as it was, or nothing comes out."""
    plan, shelf = small.plan(*ALL), OpenShelf()
    snapshot = take(small, plan, shelf)
    for before, after in (
        ('absent = ["deleted"]\n', ""),
        (', third_party = ["redact:mentions.users"]', ""),
    ):
        changed = replace_map(small, before, after)
        bodies = [
            each for each in held_sources(part(snapshot), changed, shelf) if each.query.label == "bodies"
        ]
        assert failures(bodies) == {"hold-differs"}


def replace_map(small: Platform, before: str, after: str) -> Plan:
    assert before in small.text
    other = replace(small, text=small.text.replace(before, after))
    return other.plan(*ALL)


def test_a_lost_hold_fails_for_each_table_of_the_plan(small: Platform) -> None:
    """It is named, and never "nothing held"."""
    plan = small.plan(*ALL)
    gone = UnavailableError("hold-gone", "The snapshot is over.")
    found = lost_sources(HeldPart("ab" * 16, "c" * 32, "t1", "0" * 64), plan, OpenShelf(), gone)
    assert [each.query for each in found] == list(plan.tables)
    assert {each.store for each in found} == {"hold-abababab"}
    assert failures(found) == {"hold-gone"}


def test_a_changed_list_or_part_stops_everything(small: Platform) -> None:
    """Both are compared by digest, whatever the encryption said."""
    plan, shelf = small.plan(*ALL), OpenShelf()
    snapshot = take(small, plan, shelf)
    name = next(each for each in shelf.objects if each.startswith("object:"))
    shelf.objects[name] += b"x"
    with pytest.raises(BrokenError) as caught:
        rows(snapshot, plan, shelf)
    assert caught.value.code == "hold-altered"
    shelf.objects["manifest"] = shelf.objects["manifest"].replace(b"accounts", b"Accounts")
    with pytest.raises(BrokenError):
        held_sources(part(snapshot), plan, shelf)


def test_too_many_records_are_refused_and_not_cut(small: Platform) -> None:
    """The reading plan's cap counts, not the one of the day on which the hold was taken."""
    plan, shelf = small.plan("session"), OpenShelf()
    snapshot = take(small, plan, shelf)
    (query,) = plan.tables
    (source,) = held_sources(part(snapshot), replace(plan, tables=(replace(query, cap=1),)), shelf)
    assert failures([source]) == {"too-many-rows"}


def test_an_account_that_does_not_exist_is_held_as_nothing(small: Platform) -> None:
    """The snapshot says that nothing was found; it is no failure."""
    plan, shelf = small.plan(*ALL, value="@nobody:host.example"), OpenShelf()
    snapshot = take(small, plan, shelf)
    assert not snapshot.subject_found
    assert {each.status for each in snapshot.results} == {"nothing_held"}
    assert not any(rows(snapshot, plan, shelf, None).values())
    with pytest.raises(RefusedError):
        rows(snapshot, plan, shelf, EVA)


def test_a_hold_of_another_map_is_not_taken(small: Platform) -> None:
    """What was signed for is what is kept."""
    plan = replace(small.plan(*ALL), map_sha256="0" * 64)
    with pytest.raises(RefusedError) as caught:
        take(small, plan, OpenShelf())
    assert caught.value.code == "map-changed"


def test_a_missing_folder_fails_its_files_alone(small: Platform) -> None:
    """The tables are kept."""
    environment = {**small.environment(), "EXAMPLE_MEDIA": "file:////nowhere"}
    facts = SnapshotFacts("ab" * 16, bytes(32), "dueprocess")
    found = take_snapshot(small.plan(*ALL), small.datamap(), environment, OpenShelf(), facts)
    assert [(each.label, each.status) for each in found.results][-1] == ("uploads", "failed")
    assert found.results[0].status == "found"


def test_an_attempt_that_could_read_nothing_counts_only_when_it_is_the_last(small: Platform) -> None:
    """Before, the hold waits for the store; then the failures are recorded, so that nobody waits for ever."""
    with sqlite3.connect(small.dsn.removeprefix("sqlite:///")) as link:
        link.execute("ALTER TABLE sessions RENAME COLUMN seen TO shown")
    link.close()
    plan = small.plan("session")
    with pytest.raises(UnavailableError) as caught:
        take(small, plan, OpenShelf())
    assert caught.value.code == "nothing-read"
    assert [each.status for each in take(small, plan, OpenShelf(), final=True).results] == ["failed"]


def test_an_event_of_a_snapshot_counts_and_says_no_more(small: Platform) -> None:
    """Names of stores and entries, a status, a number, categories: no value, no reason in a store's own words."""
    snapshot = take(small, small.plan(*ALL), OpenShelf())
    told = json.dumps([each.as_json() for each in snapshot.results])
    assert "eva" not in told
    assert set(json.loads(told)[0]) == {"store", "table", "status", "rows", "categories"}
    assert heldsources.__all__


def test_a_parcel_has_a_hold_beside_the_live_stores(small: Platform) -> None:
    """Its records and files under their own folder; what failed there is one entry's failure."""
    plan, shelf = small.plan(*ALL), OpenShelf()
    snapshot = take(small, plan, shelf)
    with sqlite3.connect(small.dsn.removeprefix("sqlite:///")) as link:
        link.executescript("DELETE FROM accounts; DELETE FROM sessions; DELETE FROM uploads;")
    link.close()
    named = part(snapshot)
    extra = Extra(held_sources(named, plan, shelf), held_files(named, plan, shelf))
    collection = Collection(plan, small.stores(), "7F3K", extra)
    found = {member.path: b"".join(member.chunks) for member in collection.members()}
    sessions = found["data/hold-abababab/sessions.0001.jsonl"].decode()
    assert sessions.count("\n") == 2
    assert "192.0.2.1" in sessions
    assert b"eva's file" in found.values()
    assert not any(path.startswith("data/main/") for path in found)
    told = {(each.store, each.table): each.status for each in collection.results}
    assert told["main", "sessions"] == "nothing_held"
    assert told["hold-abababab", "bodies"] == "found"
    assert told["hold-abababab", "uploads"] == "failed"


MAIL = """
[[file]]
store = "media"
root = "mail"
path = "{box}"
layout = "maildir"
category = "content.files"
[file.from]
store = "main"
table = "boxes"
subject = "owner"
"""


def test_messages_of_a_maildir_are_kept_and_cut_by_their_own_times(small: Platform) -> None:
    """The row that names a Maildir has no time; each message has one in its name."""
    with sqlite3.connect(small.dsn.removeprefix("sqlite:///")) as link:
        link.executescript("CREATE TABLE boxes (box TEXT, owner TEXT); CREATE INDEX o ON boxes (owner);")
        link.execute("INSERT INTO boxes VALUES ('eva', ?)", (EVA,))
    link.close()
    box = small.folder / "media" / "mail" / "eva"
    for part_ in ("cur", "new", "tmp"):
        (box / part_).mkdir(parents=True)
    days = {1: b"the first", 5: b"the fifth", 20: b"the twentieth"}
    for day, words in days.items():
        (box / "cur" / f"{int((SINCE + dt.timedelta(days=day)).timestamp())}.M1.host:2,S").write_bytes(words)
    (box / "cur" / f"{int((SINCE - dt.timedelta(days=1)).timestamp())}.M1.host:2,S").write_bytes(
        b"CANARY-EARLY"
    )
    host, shelf = replace(small, text=small.text + MAIL), OpenShelf()
    snapshot = take(host, host.plan("content.files"), shelf)
    assert b"CANARY" not in b"".join(shelf.objects.values())

    def read(since: int, until: int) -> list[bytes]:
        period = Period(SINCE + dt.timedelta(days=since), SINCE + dt.timedelta(days=until))
        plan = host.plan("content.files", period=period)
        mail = [each for each in held_files(part(snapshot), plan, shelf) if each.query.layout == "maildir"]
        return [b"".join(each.chunks()) for source in mail for each in source.files(EVA)]

    assert read(0, 30) == list(days.values())
    assert read(2, 20) == [b"the fifth"]
    assert read(6, 19) == []

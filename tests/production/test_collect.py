"""A collection: the live stores and what comes beside them, each entry with its own end, the same bytes each time."""
# ruff: noqa: ARG002  a store's methods take what this one does not need

import datetime as dt
import io
import json
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyrage
import pytest

from dueprocess.errors import BrokenError, RefusedError, UnavailableError
from dueprocess.parcel import RedactionCount
from dueprocess.plan import FileQuery, Plan, TableQuery, TargetQuery
from dueprocess.production.collect import Collection, Extra, Progress
from dueprocess.production.packing import Wrapping, pack
from dueprocess.production.rolls import Redactions
from dueprocess.production.stores import Stores
from dueprocess.production.stores.facts import Checked, ColumnFacts, Redacted, Subject

NOW = dt.datetime(2026, 11, 22, 10, tzinfo=dt.UTC)


@dataclass
class Memory:
    """A store that holds its answers in memory: batches by label, or the error that reading one raises."""

    name: str
    held: Mapping[str, Sequence[Checked | Exception]]
    subject: Subject | None = "@eva:host.example"
    slow: bool = False

    def resolve(self, query: TargetQuery, /) -> Subject | None:
        return self.subject

    def batches(self, query: TableQuery, subject: Subject, /) -> Iterator[Checked]:
        for each in self.held[query.label]:
            if isinstance(each, Exception):
                raise each
            yield each

    def columns(self, table: str, /) -> Mapping[str, ColumnFacts]:
        return {}

    def has_twice(self, table: str, column: str, /) -> bool:
        return False

    def meets(self, table: str, column: str, other: str, key: str, /) -> bool:
        return True

    def text(self, query: TableQuery, /) -> str:
        return "SELECT 1"

    def close(self) -> None:
        """Nothing is open."""


@dataclass
class Kept:
    """A source beside the live stores."""

    store: str
    query: TableQuery
    held: Sequence[Checked | Exception]
    asked: list[Subject | None] = field(default_factory=list)

    def batches(self, subject: Subject | None, /) -> Iterator[Checked]:
        self.asked.append(subject)
        for each in self.held:
            if isinstance(each, Exception):
                raise each
            yield each


@dataclass
class KeptFile:
    name: str
    content: bytes | None

    @property
    def size(self) -> int:
        return len(self.content or b"12")

    def chunks(self) -> Iterator[bytes]:
        if self.content is None:
            raise UnavailableError("kept-in-place", "This file was never copied.", why="it stays where it is")
        yield self.content


@dataclass
class KeptFiles:
    store: str
    query: FileQuery
    held: Sequence[KeptFile]

    def files(self, subject: Subject | None, /) -> Iterator[KeptFile]:
        yield from self.held


def sessions(*ips: str, redacted: tuple[Redacted, ...] = ()) -> Checked:
    """Records of the columns that a plan for traffic names."""
    return Checked(pa.record_batch({"ip": list(ips), "agent": ["=agent"] * len(ips)}), redacted)


def collected(collection: Collection) -> dict[str, bytes]:
    return {member.path: b"".join(map(bytes, member.chunks)) for member in collection.members()}


def stores(
    held: Mapping[str, Sequence[Checked | Exception]], subject: Subject | None = "@eva:host.example"
) -> Stores:
    return Stores(
        {"main": Memory("main", held, subject)}, {}, {"media": UnavailableError("gone", "It is away.")}
    )


@pytest.fixture
def traffic(small: Any) -> Plan:
    plan: Plan = small.plan("traffic")
    return plan


def test_control_numbers_go_on_across_batches_tables_and_sources(traffic: Plan) -> None:
    """One record, one number, in the order of the parcel; a source stands in its own folder under the same label."""
    (query,) = traffic.tables
    kept = Kept("hold-3f2a9c01", query, [sessions("192.0.2.9")])
    live = stores({"sessions": [sessions("192.0.2.1", "192.0.2.2"), sessions("192.0.2.3")]})
    collection = Collection(traffic, live, "7F3K", Extra([kept]))
    files = collected(collection)
    assert list(files) == [
        "data/main/sessions.0001.jsonl", "data/main/sessions.0001.csv",
        "data/hold-3f2a9c01/sessions.0001.jsonl", "data/hold-3f2a9c01/sessions.0001.csv",
    ]  # fmt: skip
    rows = [json.loads(line) for path in files if path.endswith("jsonl") for line in files[path].splitlines()]
    assert [(row["control_number"], row["ip"]) for row in rows] == [
        (f"7F3K-00000{number}", f"192.0.2.{last}") for number, last in ((1, 1), (2, 2), (3, 3), (4, 9))
    ]
    assert files["data/main/sessions.0001.csv"].splitlines()[1] == b'"7F3K-000001","192.0.2.1","\'=agent"'
    assert [(each.store, each.table, each.status, each.rows) for each in collection.results] == [
        ("main", "sessions", "found", 3), ("hold-3f2a9c01", "sessions", "found", 1),
    ]  # fmt: skip
    assert kept.asked == ["@eva:host.example"]


def test_what_a_hold_kept_of_an_account_that_is_gone_is_there(traffic: Plan) -> None:
    """The live store does not know the account any more: nothing held there, and the snapshot still speaks."""
    (query,) = traffic.tables
    kept = Kept("hold-3f2a9c01", query, [sessions("192.0.2.9")])
    collection = Collection(traffic, stores({"sessions": []}, None), "7F3K", Extra([kept]))
    assert b"192.0.2.9" in collected(collection)["data/hold-3f2a9c01/sessions.0001.jsonl"]
    assert [each.status for each in collection.results] == ["nothing_held", "found"]
    assert kept.asked == [None]


@pytest.mark.parametrize(
    "error", [UnavailableError("away", "It is away."), RefusedError("no", "It may not.")]
)
def test_each_entry_fails_alone(traffic: Plan, error: Exception) -> None:
    """Live or kept: what came before stays, what comes after is collected, and the reason is said."""
    (query,) = traffic.tables
    extra = Extra(
        [
            Kept("hold-a", query, [sessions("192.0.2.1"), error]),
            Kept("hold-b", query, [sessions("192.0.2.2")]),
        ]
    )
    collection = Collection(traffic, stores({"sessions": [error]}), "7F3K", extra)
    files = collected(collection)
    assert [each.status for each in collection.results] == ["failed", "failed", "found"]
    assert collection.results[1].why == f"{error} (1 records before that are in the package)"
    assert b"7F3K-000002" in files["data/hold-b/sessions.0001.jsonl"]


def test_lost_integrity_stops_everything(traffic: Plan) -> None:
    """It is never one entry's failure."""
    with pytest.raises(BrokenError):
        collected(Collection(traffic, stores({"sessions": [BrokenError("broken", "x")]}), "7F3K"))


@pytest.mark.parametrize(
    "batch",
    [
        pa.record_batch({"agent": ["a"], "ip": ["b"]}),
        pa.record_batch({"ip": ["b"]}),
        pa.record_batch({"ip": ["b"], "agent": ["a"], "password_hash": ["c"]}),
    ],
)
def test_other_columns_than_the_plans_do_not_leave(traffic: Plan, batch: pa.RecordBatch) -> None:
    """Whoever gives them, in another order, too few or too many: the entry fails and nothing of it is there."""
    (query,) = traffic.tables
    live, kept = stores({"sessions": [Checked(batch)]}), Kept("hold-a", query, [Checked(batch)])
    collection = Collection(traffic, live, "7F3K", Extra([kept]))
    assert collected(collection) == {}
    assert [each.status for each in collection.results] == ["failed", "failed"]


def test_more_records_than_the_cap_do_not_leave(traffic: Plan) -> None:
    """A source that does not count is counted: the cap is the plan's."""
    (query,) = traffic.tables
    kept = Kept("hold-a", query, [sessions(*["192.0.2.1"] * query.cap), sessions("CANARY")])
    collection = Collection(traffic, stores({"sessions": []}), "7F3K", Extra([kept]))
    assert not [path for path, content in collected(collection).items() if b"CANARY" in content]
    assert collection.results[1].status == "failed"


def test_what_was_taken_out_is_listed(small: Any) -> None:
    """One line for each value, with its record's number; one for a column masked whole; counted for the statement."""
    plan = small.plan("content.messages", "traffic")
    masked = small.text.replace("ip = { category", 'ip = { third_party = ["mask"], category')
    small.text = masked
    plan = small.plan("content.messages", "traffic")
    held = {
        "sessions": [sessions("[withheld]", "[withheld]")],
        "bodies": [
            Checked(
                pa.record_batch({"body": ["{}", "{}", "{}"]}),
                (Redacted(2, "body", "redact:mentions.users", 4),),
            ),
            Checked(pa.record_batch({"body": ["{}"]}), (Redacted(0, "body", "redact:mentions.users", 1),)),
        ],
    }
    collection = Collection(plan, stores(held), "7F3K")
    lines = [json.loads(line) for line in collected(collection)["data/redactions.jsonl"].splitlines()]
    body = {"store": "main", "table": "bodies", "column": "body", "rule": "redact:mentions.users"}
    assert lines == [
        {"store": "main", "table": "sessions", "column": "ip", "rule": "mask", "records": 2},
        {"control_number": "7F3K-000005", **body, "places": 4},
        {"control_number": "7F3K-000006", **body, "places": 1},
    ]
    assert collection.redactions == (
        RedactionCount("main", "sessions", "ip", "mask", 2, 2),
        RedactionCount("main", "bodies", "body", "redact:mentions.users", 2, 5),
    )


def test_a_record_that_is_too_big_takes_no_redaction_with_it(traffic: Plan) -> None:
    """What stands before it is there and listed, it and what stands behind it are neither."""
    redacted = tuple(Redacted(row, "agent", "redact:a", 1) for row in range(3))
    batch = sessions("192.0.2.1", "2" * 500, "192.0.2.3", redacted=redacted)
    collection = Collection(traffic, stores({"sessions": [batch]}), "7F3K", member_bytes=300)
    files = collected(collection)
    assert [json.loads(line)["control_number"] for line in files["data/redactions.jsonl"].splitlines()] == [
        "7F3K-000001"
    ]
    assert (collection.results[0].status, collection.results[0].rows) == ("failed", 1)
    assert len(files["data/main/sessions.0001.jsonl"].splitlines()) == 1


def test_many_redactions_are_listed_whole() -> None:
    """The list waits compressed, and comes out as it went in, in pieces."""
    listed = Redactions()
    for _ in range(300):
        listed.add(
            ("main", "sessions"), ((f"7F3K-{row:06d}", Redacted(row, "a", "r", row)) for row in range(100))
        )
    (member,) = listed.members()
    pieces = [bytes(piece) for piece in member.chunks]
    assert len(pieces) > 2
    assert sum(map(len, pieces)) == member.size
    lines = [json.loads(line) for line in b"".join(pieces).splitlines()]
    assert [line["places"] for line in lines] == list(range(100)) * 300
    assert list(Redactions().members()) == []


def test_files_come_from_a_source_too(small: Any) -> None:
    """Named by control number and in plain characters; one that was not copied is said, the others are there."""
    plan = small.plan("content.files")
    (query,) = plan.files
    held = KeptFiles(
        "hold-a", query, [KeptFile("1700.M1,S=3:2,S", b"eva"), KeptFile("x", None), KeptFile("y", b"")]
    )
    collection = Collection(plan, stores({"uploads": []}), "7F3K", Extra(files=[held]))
    assert collected(collection) == {
        "data/hold-a/files/7F3K-000001_1700.M1_S=3_2_S": b"eva",
        "data/hold-a/files/7F3K-000003_y": b"",
    }
    live, kept = collection.results
    assert (live.status, kept.status, kept.rows) == ("failed", "failed", 2)
    assert "1 of 3 files are kept in place and were not copied" in kept.why
    assert "7F3K-000002 (it stays where it is)" in kept.why


def test_progress_says_how_far_and_no_value(traffic: Plan) -> None:
    """Entry by entry, with the records so far."""
    (query,) = traffic.tables
    heard = list[Progress]()
    live = stores({"sessions": [sessions("192.0.2.1", "192.0.2.2"), sessions("192.0.2.3")]})
    collected(Collection(traffic, live, "7F3K", Extra([Kept("hold-a", query, [])]), heard.append))
    assert heard == [Progress(1, 2, 0), Progress(1, 2, 2), Progress(1, 2, 3), Progress(2, 2, 3)]


def test_two_builds_are_the_same_byte_for_byte(small: Any, officer: pyrage.x25519.Identity) -> None:
    """The same plan, stores, prefix and time: the same tar, whatever the ciphertext is."""
    plan = small.plan("subscriber.identity", "session", "traffic", "content.messages", "content.files")
    wrapping = Wrapping("7F3K", str(officer.to_public()), NOW, {"External-Identifier": "7F3K"})
    plain, sealed = [], []
    for _ in range(2):
        out = io.BytesIO()
        pack(Collection(plan, small.stores(), "7F3K").members(), wrapping, out, describe=lambda _: [])
        sealed.append(out.getvalue())
        plain.append(pyrage.decrypt(out.getvalue(), [officer]))
    assert plain[0] == plain[1]
    assert sealed[0] != sealed[1]
    with tarfile.open(fileobj=io.BytesIO(plain[0])) as bag:
        names = {member.name.removeprefix("7F3K/") for member in bag.getmembers()}
    assert {
        "data/main/bodies.0001.jsonl",
        "data/media/files/7F3K-000005_aabbcc",
        "manifest-sha256.txt",
    } <= names


def test_big_batches_are_written_a_piece_at_a_time(traffic: Plan) -> None:
    """Numbers and redactions stay with their records, and no member is bigger than the limit."""
    (query,) = traffic.tables
    size = query.cap
    batch = sessions(
        *[f"{row:04d}" + "x" * 300_000 for row in range(size)], redacted=(Redacted(size - 1, "ip", "r", 1),)
    )
    collection = Collection(traffic, stores({"sessions": [batch]}), "7F3K", member_bytes=9_000_000)
    files = collected(collection)
    assert max(map(len, files.values())) <= 9_000_000
    rows = [
        json.loads(line)
        for path in files
        if "sessions" in path and path.endswith("jsonl")
        for line in files[path].splitlines()
    ]
    assert [(row["control_number"], row["ip"][:4]) for row in rows] == [
        (f"7F3K-{row + 1:06d}", f"{row:04d}") for row in range(size)
    ]
    assert json.loads(files["data/redactions.jsonl"])["control_number"] == f"7F3K-{size:06d}"

"""Files that the data map keeps in place: no byte of them in a hold or a parcel, whatever lies beside them."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dueprocess.errors import UnavailableError
from dueprocess.plan import parse_map
from dueprocess.production.collect import Collection, Extra
from dueprocess.production.heldsources import held_files
from dueprocess.production.snapshots import SnapshotFacts, take_snapshot
from dueprocess.production.stores.folder import FolderStore, FoundFile
from production.conftest import EVA, MAP, Platform
from production.test_snapshots import OpenShelf, part, take

APART = """
[[file]]
store = "media"
root = "apart"
path = "{key}"
category = "content.files"
in_place = true
[file.from]
store = "main"
table = "uploads"
subject = "owner"
time = { column = "at", unit = "ms" }
"""


def put(host: Platform, name: str, content: bytes) -> None:
    path = host.folder / "media" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def told(content: bytes) -> str:
    return f"SHA-256 {hashlib.sha256(content).hexdigest()}, {len(content)} bytes"


@pytest.fixture
def apart(small: Platform) -> Platform:
    """Eva's two uploads, each with a file that may be copied and one that may not."""
    small.text = MAP + APART
    put(small, "local/aa/gone", b"a file")
    return small


BYTES = st.binary(min_size=16, max_size=600)


@given(marked=st.tuples(BYTES, BYTES), plain=st.tuples(BYTES, BYTES))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_byte_of_a_marked_file_is_copied(
    apart: Platform, marked: tuple[bytes, bytes], plain: tuple[bytes, bytes]
) -> None:
    """Whatever the files hold: the others come whole into hold and parcel, of the marked ones digest and size."""
    for key, one, other in zip(("aabbcc", "aagone"), marked, plain, strict=True):
        put(apart, f"apart/{key}", b"MARKED" + one)
        put(apart, f"local/{key[:2]}/{key[2:]}", b"PLAIN" + other)
    plan, shelf = apart.plan("content.files"), OpenShelf()
    snapshot = take(apart, plan, shelf)
    kept = b"".join(shelf.objects.values())
    assert all(b"PLAIN" + each in kept for each in plain)
    assert all(b"MARKED" + each not in kept for each in marked)
    assert [(each.status, each.rows) for each in snapshot.results] == [("found", 2), ("found", 2)]
    held = held_files(part(snapshot), plan, shelf)
    collection = Collection(plan, apart.stores(), "7F3K", Extra(files=held))
    members = {each.path: b"".join(each.chunks) for each in collection.members()}
    assert sorted(members.values()) == sorted([b"PLAIN" + each for each in plain] * 2)
    live, live_apart, old, old_apart = collection.results
    assert (live.status, live.rows, old.status, old.rows) == ("found", 2, "found", 2)
    for result in (live_apart, old_apart):
        assert (result.status, result.rows) == ("failed", 0)
        assert "2 of 2 files are kept in place and were not copied" in result.why
        assert all(told(b"MARKED" + each) in result.why for each in marked)


def test_a_hold_that_copied_before_the_map_said_so_hands_nothing_out(apart: Platform) -> None:
    """The plan in force decides: bytes that lie in the vault already stay there."""
    put(apart, "apart/aabbcc", b"copied then")
    put(apart, "apart/aagone", b"copied too")
    before = replace(apart, text=apart.text.replace("in_place = true\n", ""))
    shelf = OpenShelf()
    plan = before.plan("content.files")
    snapshot = take_snapshot(
        plan, before.datamap(), before.environment(), shelf, SnapshotFacts("ab" * 16, bytes(32), "dueprocess")
    )
    assert b"copied then" in b"".join(shelf.objects.values())
    _, marked = held_files(part(snapshot), apart.plan("content.files"), shelf)
    for found in marked.files(EVA):
        with pytest.raises(UnavailableError) as caught:
            list(found.chunks())
        assert caught.value.code == "kept-in-place"
        assert found.sha256 in caught.value.why
    _, free = held_files(part(snapshot), plan, shelf)
    assert [b"".join(each.chunks()) for each in free.files(EVA)] == [b"copied then", b"copied too"]


def test_two_entries_of_one_table_are_told_apart_by_their_rows(small: Platform) -> None:
    """Same table, same folder, other rows: each plan entry reads its own part of the hold."""
    rows = 'time = { column = "at", unit = "ms" }\n'
    more = APART.replace("apart", "local").replace("{key}", "{key[0:2]}/{key[2:]}")
    small.text = MAP.replace(
        f'subject = "owner"\n{rows}', f'subject = "owner"\n{rows}equals = {{ key = "aabbcc" }}\n'
    ) + more.replace(rows, f'{rows}equals = {{ key = "aagone" }}\n')
    put(small, "local/aa/gone", b"of the other entry")
    plan, shelf = small.plan("content.files"), OpenShelf()
    snapshot = take(small, plan, shelf)
    assert b"of the other entry" not in b"".join(shelf.objects.values())
    first, second = held_files(part(snapshot), plan, shelf)
    assert [b"".join(each.chunks()) for each in first.files(EVA)] == [b"eva's file"]
    [found] = second.files(EVA)
    assert (found.size, found.pieces) == (len(b"of the other entry"), None)


def test_a_marked_file_that_cannot_be_read_is_missing_and_not_in_place(
    apart: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was not read has no digest: it is said to be missing, beside the one whose digest is told."""
    put(apart, "apart/aabbcc", b"here")
    collection = Collection(apart.plan("content.files"), apart.stores(), "7F3K")
    assert len(list(collection.members())) == 2
    assert "1 of 2 files could not be read" in collection.results[1].why
    assert "1 of 2 files are kept in place" in collection.results[1].why
    put(apart, "apart/aagone", b"shorter soon")
    real = FolderStore.chunks

    def shrinking(file: FoundFile) -> Iterator[bytes]:
        file.path.write_bytes(b"")
        return real(file)

    monkeypatch.setattr(FolderStore, "chunks", staticmethod(shrinking))
    apart.text = APART_ALONE
    collection = Collection(apart.plan("content.files"), apart.stores(), "7F3K")
    assert list(collection.members()) == []
    assert "2 of 2 files could not be read" in collection.results[0].why


APART_ALONE = MAP[: MAP.index("[[file]]")] + APART


def test_the_mark_is_part_of_the_digest_only_where_it_is_set() -> None:
    """A map without it, or with `false`, has the digest that it had before the key existed."""
    plain = parse_map(MAP + APART.replace("in_place = true\n", ""), "x")
    said = parse_map(MAP + APART.replace("in_place = true", "in_place = false"), "x")
    marked = parse_map(MAP + APART, "x")
    assert plain.sha256 == said.sha256 != marked.sha256
    assert "in_place" not in plain.files[1].as_json()
    assert marked.files[1].as_json()["in_place"] is True

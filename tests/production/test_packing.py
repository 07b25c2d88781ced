"""The parcel is a stream: bounded, bit-exact, and useless with one bit changed."""

import datetime as dt
import hashlib
import io
import tarfile
from collections.abc import Iterator
from typing import Any

import pyrage
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dueprocess.errors import BrokenError, MalformedError, UnavailableError
from dueprocess.production.collect import Collection
from dueprocess.production.packing import Member, Wrapping, pack, whole

NOW = dt.datetime(2026, 11, 22, 10, tzinfo=dt.UTC)
MEMBERS = ({"data/a.txt": b"eva", "data/b/c.bin": bytes(1000)}, {"data/index.html": b"<p>"})


def wrapping(officer: pyrage.x25519.Identity) -> Wrapping:
    return Wrapping("7F3K", str(officer.to_public()), NOW, {"External-Identifier": "7F3K"})


def packed(
    officer: pyrage.x25519.Identity, files: dict[str, bytes], late: dict[str, bytes]
) -> tuple[bytes, str]:
    out = io.BytesIO()
    members = (whole(path, content) for path, content in files.items())
    done = pack(
        members,
        wrapping(officer),
        out,
        describe=lambda _: [whole(path, content) for path, content in late.items()],
    )
    assert done.size == len(out.getvalue())
    assert {entry.path: entry.size for entry in done.entries} == {
        path: len(content) for path, content in (files | late).items()
    }
    return out.getvalue(), done.parcel_sha256


def opened(ciphertext: bytes, officer: pyrage.x25519.Identity) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(pyrage.decrypt(ciphertext, [officer]))) as bag:
        files = [(member.name, bag.extractfile(member)) for member in bag.getmembers()]
        return {name.removeprefix("7F3K/"): file.read() for name, file in files if file is not None}


def test_a_parcel_is_a_bag_in_one_folder(officer: pyrage.x25519.Identity) -> None:
    """Payload, what describes it, tag files; every digest true; nothing about the machine."""
    ciphertext, digest = packed(officer, *MEMBERS)
    assert hashlib.sha256(ciphertext).hexdigest() == digest
    with tarfile.open(fileobj=io.BytesIO(pyrage.decrypt(ciphertext, [officer]))) as bag:
        members = bag.getmembers()
    files = opened(ciphertext, officer)
    assert {(member.uid, member.gid, member.uname, member.mode, member.mtime) for member in members} == {
        (0, 0, "", 0o644, int(NOW.timestamp()))
    }
    for tag in ("manifest-sha256.txt", "tagmanifest-sha256.txt"):
        for line in files[tag].decode().splitlines():
            sha256, _, path = line.partition("  ")
            assert hashlib.sha256(files[path]).hexdigest() == sha256
    assert len(files["manifest-sha256.txt"].splitlines()) == 3
    assert files["bag-info.txt"] == (
        b"Bagging-Date: 2026-11-22\nPayload-Oxum: 1006.3\nExternal-Identifier: 7F3K\n"
    )


def test_every_flipped_byte_makes_the_parcel_unreadable(officer: pyrage.x25519.Identity) -> None:
    """In a small parcel every single byte counts, header included."""
    ciphertext, _ = packed(officer, {"data/a": b"x"}, {})
    opened = 0
    for at in range(len(ciphertext)):
        changed = ciphertext[:at] + bytes([ciphertext[at] ^ 1]) + ciphertext[at + 1 :]
        try:
            pyrage.decrypt(changed, [officer])
        except pyrage.DecryptError:
            continue
        opened += 1
    assert opened == 0
    assert pyrage.decrypt(ciphertext, [officer])


def test_a_cut_parcel_is_unreadable(officer: pyrage.x25519.Identity) -> None:
    """Losing the end is noticed too."""
    ciphertext, _ = packed(officer, {"data/a": bytes(200_000)}, {})
    for end in (len(ciphertext) - 1, 65_536 + 300, 100, 0):
        with pytest.raises(pyrage.DecryptError):
            pyrage.decrypt(ciphertext[:end], [officer])


def test_sampled_flips_in_a_larger_parcel_are_noticed(officer: pyrage.x25519.Identity) -> None:
    """Each block of the stream is authenticated."""
    ciphertext, _ = packed(officer, {"data/a": bytes(1_000_000)}, {})
    for at in range(0, len(ciphertext), len(ciphertext) // 40):
        changed = bytearray(ciphertext)
        changed[at] ^= 0x80
        with pytest.raises(pyrage.DecryptError):
            pyrage.decrypt(bytes(changed), [officer])


@given(
    st.dictionaries(
        st.from_regex(r"data/[a-z0-9]{1,120}", fullmatch=True), st.binary(max_size=2000), max_size=5
    )
)
@settings(max_examples=25, deadline=None)
def test_any_files_come_out_as_they_went_in(
    officer_once: pyrage.x25519.Identity, files: dict[str, bytes]
) -> None:
    """Sizes around the block, long names, empty files: the bytes are the same."""
    ciphertext, _ = packed(officer_once, files, {})
    found = opened(ciphertext, officer_once)
    assert {path: content for path, content in found.items() if path.startswith("data/")} == files


@pytest.fixture(scope="module")
def officer_once() -> pyrage.x25519.Identity:
    return pyrage.x25519.Identity.generate()


def test_what_a_member_raises_comes_out_as_it_was(officer: pyrage.x25519.Identity) -> None:
    """Age would flatten it to a text; the family decides what happens next, so it is kept."""

    def broken() -> Iterator[bytes]:
        yield b"some"
        raise UnavailableError("file-changed", "A file became shorter while it was read.")

    with pytest.raises(UnavailableError) as caught:
        pack([Member("data/a", 9, broken())], wrapping(officer), io.BytesIO(), describe=lambda _: [])
    assert caught.value.code == "file-changed"


def test_a_full_disk_comes_out_as_it_was(officer: pyrage.x25519.Identity) -> None:
    """The error of the sink is the error of the packing."""

    class Full:
        def write(self, _piece: bytes | memoryview) -> int:
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        pack([whole("data/a", bytes(200_000))], wrapping(officer), Full(), describe=lambda _: [])


def test_an_interruption_is_not_swallowed(officer: pyrage.x25519.Identity) -> None:
    """Ctrl-C in the middle of a stream ends it."""

    def interrupted() -> Iterator[bytes]:
        yield b"x"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pack([Member("data/a", 1, interrupted())], wrapping(officer), io.BytesIO(), describe=lambda _: [])


def test_a_member_of_another_size_is_broken(officer: pyrage.x25519.Identity) -> None:
    """A header that lies would shift every file behind it."""
    with pytest.raises(BrokenError):
        pack([Member("data/a", 5, iter((b"four",)))], wrapping(officer), io.BytesIO(), describe=lambda _: [])


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "data/a\nb", ""])
def test_a_member_cannot_leave_the_bag(officer: pyrage.x25519.Identity, path: str) -> None:
    """Neither upwards nor to the root."""
    with pytest.raises(MalformedError):
        pack([whole(path, b"")], wrapping(officer), io.BytesIO(), describe=lambda _: [])


@pytest.mark.parametrize("key", ["", "age1", "ssh-ed25519 AAAA", "AGE-SECRET-KEY-1"])
def test_only_an_age_key_can_receive(key: str) -> None:
    """A wrong key is found before anything is read."""

    def untouched(number: int) -> Member:
        pytest.fail(f"member {number} was read for a recipient that cannot receive")

    with pytest.raises(MalformedError, match="age"):
        pack(map(untouched, range(1)), Wrapping("7F3K", key, NOW, {}), io.BytesIO(), describe=lambda _: [])


def test_rows_are_cut_into_members_below_the_limit(small: Any) -> None:
    """No member of rows is bigger than the limit, none is empty, and together they hold every record once."""
    row = small.tables["sessions"].rows[0]
    small.tables["sessions"].rows = [row] * 100
    (small.folder / "host.sqlite").unlink()
    small.build()
    collection = Collection(small.plan("traffic"), small.stores(), "7F3K", member_bytes=700)
    members = [(member.path, member.size, b"".join(member.chunks)) for member in collection.members()]
    assert len(members) > 10
    assert all(0 < size == len(content) <= 700 for _, size, content in members)
    lines = b"".join(content for path, _, content in members if path.endswith(".jsonl")).splitlines()
    assert len(lines) == 100
    assert members[0][0] == "data/main/sessions.0001.jsonl"
    assert members[3][0] == "data/main/sessions.0002.csv"
    assert all(
        content.startswith(b'"control_number"') for path, _, content in members if path.endswith(".csv")
    )


def test_a_record_beyond_the_limit_fails_its_table(small: Any) -> None:
    """A record is never cut in two."""
    collection = Collection(small.plan("traffic"), small.stores(), "7F3K", member_bytes=60)
    assert list(collection.members()) == []
    (result,) = collection.results
    assert result.status == "failed"
    assert "bigger than 60 bytes" in result.why

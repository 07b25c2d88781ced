"""The archive itself: what was put in comes out, and everything else is refused in words."""

import io
import tarfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dueprocess.errors import MalformedError, RefusedError, UnavailableError
from dueprocess.library.backup_archive import (
    Manifest,
    Source,
    check_name,
    read_archive,
    unpack,
    write_archive,
)

KEK, OTHER = b"k" * 32, b"o" * 32
FILES = {"log/checkpoint": b"a head", "vault/00/11": b"\x00" * 1500, "outbox/empty": b""}


def made(files: dict[str, bytes] | None = None, kek: bytes = KEK) -> bytes:
    out = io.BytesIO()
    sources = [Source(name, content) for name, content in (FILES if files is None else files).items()]
    write_archive(out, sources, {"kind": "installation"}, kek)
    return out.getvalue()


def read(data: bytes, kek: bytes = KEK) -> Manifest:
    return read_archive(io.BytesIO(data), kek)


class Kept(io.BytesIO):
    """A file in memory that stays readable, with a number as the operating system gives one."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._real = path.open("wb")

    def fileno(self) -> int:
        return self._real.fileno()

    def __exit__(self, *_: object) -> None:
        self._real.close()


def contents(data: bytes, folder: Path) -> dict[str, bytes]:
    """Everything that unpacking hands out."""
    found: dict[str, Kept] = {}

    def place(name: str) -> Kept:
        found[name] = Kept(folder / str(len(found)))
        return found[name]

    unpack(io.BytesIO(data), read(data), place)
    return {name: file.getvalue() for name, file in found.items()}


def test_what_was_put_in_comes_out(tmp_path: Path) -> None:
    """Byte for byte, under the same names, with a manifest that names each."""
    data = made()
    assert contents(data, tmp_path) == FILES
    assert {name: each.size for name, each in read(data).members.items()} == {
        name: len(content) for name, content in FILES.items()
    }


@given(
    st.dictionaries(
        st.from_regex(r"[a-z]{1,8}/[a-z0-9.]{1,120}[a-z]", fullmatch=True), st.binary(max_size=2000)
    )
)
@settings(max_examples=30, deadline=None)
def test_any_files_come_out_as_they_went_in(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]
) -> None:
    """Whatever they hold, also under names that are longer than a tar's own field."""
    data = made(files)
    assert contents(data, tmp_path_factory.mktemp("out")) == files


def test_files_from_disk_are_read_as_they_are_and_one_that_vanished_is_left_out(tmp_path: Path) -> None:
    """A case that is erased meanwhile takes its files along; any other missing file is an error."""
    (tmp_path / "a").write_bytes(b"x" * 3_000_000)
    sources = [Source("vault/a", tmp_path / "a"), Source("vault/b", tmp_path / "b", vanishes=True)]
    out = io.BytesIO()
    manifest = write_archive(out, sources, {}, KEK)
    assert list(manifest.members) == ["vault/a"]
    assert read(out.getvalue()).members == manifest.members
    with pytest.raises(FileNotFoundError):
        write_archive(io.BytesIO(), [Source("worker/pins.json", tmp_path / "b")], {}, KEK)


def test_a_file_that_shrinks_while_it_is_read_stops_the_backup(tmp_path: Path) -> None:
    """Half a file under a whole one's name is no backup."""
    path = tmp_path / "a"
    path.write_bytes(b"x" * 3_000_000)

    class Cutting(io.BytesIO):
        def write(self, piece: bytes) -> int:  # type: ignore[override]
            path.write_bytes(b"")
            return super().write(piece)

    with pytest.raises(UnavailableError) as caught:
        write_archive(Cutting(), [Source("vault/a", path)], {}, KEK)
    assert caught.value.code == "file-changed"


def test_another_key_is_told_from_damage() -> None:
    """A wrong key says so; nobody is to throw a good backup away."""
    with pytest.raises(RefusedError) as caught:
        read(made(), OTHER)
    assert caught.value.code == "wrong-kek"


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_one_flipped_bit_anywhere_that_counts_is_refused(data: st.DataObject) -> None:
    """Contents, names, sizes, manifest, seal: all but a tar's own unused bytes."""
    archive = bytearray(made())
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        spans = [(each.offset, each.offset + 8) for each in tar] + [
            (each.offset_data, each.offset_data + each.size) for each in tar if each.size
        ]
    first, last = data.draw(st.sampled_from(spans))
    at, bit = data.draw(st.integers(first, last - 1)), data.draw(st.integers(0, 7))
    archive[at] ^= 1 << bit
    with pytest.raises((MalformedError, RefusedError)):
        read(bytes(archive))


@given(
    st.binary(max_size=3000) | st.binary(max_size=600).map(lambda tail: made() + tail) | st.integers(0, 6000)
)
@settings(max_examples=200, deadline=None)
def test_whatever_arrives_is_read_or_refused_in_words(data: bytes | int) -> None:
    """Random bytes, trailing rubbish, cuts: one error family with words, never a crash."""
    archive = made()[:data] if isinstance(data, int) else data
    with suppress(MalformedError):
        assert read(archive).members


def forged(change: Callable[[tarfile.TarInfo], None], content: bytes = b"mallory") -> bytes:
    """A good archive with one member of Mallory's in front."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        member = tarfile.TarInfo("vault/x")
        member.size = len(content)
        change(member)
        tar.addfile(member, io.BytesIO(content) if member.isreg() else None)
    return out.getvalue()[: -(-(512 + len(content)) // 512) * 512] + made()


KINDS = {
    "a symbolic link": tarfile.SYMTYPE, "a hard link": tarfile.LNKTYPE, "a folder": tarfile.DIRTYPE,
    "a device": tarfile.CHRTYPE, "a pipe": tarfile.FIFOTYPE,
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_a_member_that_is_no_plain_file_is_refused(kind: str) -> None:
    """Links and devices have no business in a backup, and would lead out of the folder."""

    def change(member: tarfile.TarInfo) -> None:
        member.type, member.linkname, member.size = KINDS[kind], "../../etc/passwd", 0

    with pytest.raises(MalformedError) as caught:
        read(forged(change, b""))
    assert "plain file" in caught.value.why


NAMES = [
    "../escape", "/etc/cron.d/x", "vault/../../x", "vault//x", "./vault/x", "vault/", "", ".", "..", "a\\..\\b", "a\nb",
    "a\x00b", "a\u202eb", "x" * 401,
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_would_lie_elsewhere_is_refused(name: str) -> None:
    """Upwards, absolute, twice slashed, with control characters: one plain form or nothing."""
    with pytest.raises(MalformedError):
        check_name(name)


@pytest.mark.parametrize("name", ["../escape", "/etc/cron.d/x", "vault/../../x"])
def test_a_member_that_climbs_out_of_the_folder_is_refused(name: str) -> None:
    """Within an archive, before its content is looked at."""

    def change(member: tarfile.TarInfo) -> None:
        member.name = name

    with pytest.raises(MalformedError) as caught:
        read(forged(change))
    assert "would lie elsewhere" in caught.value.why


def test_members_that_were_added_exchanged_or_left_out_are_refused() -> None:
    """The sealed manifest names every member and no other."""
    with pytest.raises(MalformedError) as caught:
        read(forged(lambda _: None))
    assert "does not name vault/x" in caught.value.why
    whole, shorter = made(), made({name: FILES[name] for name in list(FILES)[1:]})
    with pytest.raises(MalformedError) as caught:
        read(shorter[: shorter.index(b"manifest.json")] + whole[whole.index(b"manifest.json") :])
    assert "log/checkpoint is missing" in caught.value.why
    with pytest.raises(MalformedError) as caught:
        read(made()[:-1024] + made())
    assert "twice" in caught.value.why or "follows" in caught.value.why


def test_a_manifest_from_another_key_is_no_manifest() -> None:
    """Whoever exchanges files and rewrites the manifest cannot seal it."""
    mine, theirs = made(), made({"log/checkpoint": b"forged"}, OTHER)
    swapped = theirs.replace(key_line(theirs), key_line(mine))
    with pytest.raises(MalformedError) as caught:
        read(swapped)
    assert "sealed" in caught.value.why


def key_line(data: bytes) -> bytes:
    at = data.index(b'"key_check":')
    return data[at : at + len('"key_check":""') + 16]

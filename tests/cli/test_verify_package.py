"""Answer packages that somebody was given, sealed and opened: complete, unchanged, and the recorded ones."""

import datetime as dt
import io
import json
import shutil
import tarfile
from pathlib import Path

import pytest

from cli.court import COURT, PARCEL, RECEIVED, SCOPE, conclusion, verify
from dueprocess.errors import BrokenError, MalformedError, RefusedError
from dueprocess.parcel import BAGIT_TXT, Entry, bag_label, manifest
from dueprocess.wire import Json, sha256_hex


def bag(
    *, scope: Json = SCOPE, plan: str = "ab" * 32, decision: bytes | None = None, **more: bytes
) -> dict[str, bytes]:
    """The files of an opened package; ``statement`` and ``certificate`` are there if they are given."""
    document: Json = {"document": {"scope": scope, "plan_sha256": plan}, "signatures": []}
    files = {
        "data/main/users.0001.jsonl": b'{"control_number":"7F3K-000001"}\n' * 3,
        "data/index.html": b"<p>asked, permitted, held</p>",
        "data/decision.json": json.dumps({"decision": document}).encode() if decision is None else decision,
    }
    names = {"statement": "data/statement.json", "certificate": "data/certificate.pdf"}
    files |= {names[name]: content for name, content in more.items()}
    payload = [Entry(path, len(data), sha256_hex(data)) for path, data in files.items()]
    tags = {
        "bagit.txt": BAGIT_TXT,
        "bag-info.txt": bag_label(payload, on=dt.date(2026, 11, 30), fields={}),
        "manifest-sha256.txt": manifest(payload),
    }
    listed = manifest(Entry(path, len(data), sha256_hex(data)) for path, data in tags.items())
    return {**files, **tags, "tagmanifest-sha256.txt": listed}


def unpack(files: dict[str, bytes], folder: Path) -> None:
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)


def pack(files: dict[str, bytes], file: Path, *, top: str = "p-1/") -> None:
    with tarfile.open(file, "w") as tar:
        folder = tarfile.TarInfo(top.strip("/") or "x")
        folder.type = tarfile.DIRTYPE
        tar.addfile(folder)
        for path, data in files.items():
            member = tarfile.TarInfo(f"{top}{path}")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))


def test_the_encrypted_package_is_compared_with_its_receipt(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The recorded one; another one; without its receipt; with a receipt that names none."""
    text = verify(desk, "parcel.tar.age", capsys, **RECEIVED)
    assert conclusion(text) == "This is the answer package that was recorded, byte for byte."
    with pytest.raises(RefusedError, match="its receipt says"):
        verify(desk, "parcel.tar.age", capsys)
    (desk / "parcel.tar.age").write_bytes(PARCEL + b"!")
    with pytest.raises(BrokenError, match="NOT the answer package"):
        verify(desk, "parcel.tar.age", capsys, **RECEIVED)
    (desk / "receipt.json").write_bytes(COURT.receipt("user"))
    with pytest.raises(RefusedError, match="names no answer package"):
        verify(desk, "parcel.tar.age", capsys, **RECEIVED)


@pytest.mark.parametrize("form", ["folder", "tar"])
def test_an_opened_package_is_checked_file_by_file(
    desk: Path, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    """Complete and unchanged; with a receipt, that the decision inside is the recorded one."""

    def give(files: dict[str, bytes]) -> None:
        shutil.rmtree(desk / "p", ignore_errors=True)
        (unpack if form == "folder" else pack)(files, desk / "p")
        if form == "tar":
            shutil.move(desk / "p", desk / "p.tar")

    name = "p" if form == "folder" else "p.tar"
    give(bag())
    assert conclusion(verify(desk, name, capsys)).startswith("This answer package is complete and unchanged")
    assert "Not compared with a receipt" in verify(desk, name, capsys)
    assert "the one that was recorded" in verify(desk, name, capsys, **RECEIVED)
    give(bag(scope={"v": 1, "nonce": "y", "targets": []}))
    with pytest.raises(BrokenError, match="NOT the one that was recorded"):
        verify(desk, name, capsys, **RECEIVED)
    (desk / "receipt.json").write_bytes(COURT.receipt("user"))
    assert "opens nothing about the decision" in verify(desk, name, capsys, **RECEIVED)
    (desk / "receipt.json").write_bytes(COURT.receipt("court"))
    give(bag(plan="00" * 32))
    with pytest.raises(BrokenError, match="NOT the one that was recorded"):
        verify(desk, name, capsys, **RECEIVED)
    for decision in (b"null", b"{}", b'{"decision":{}}', b"not json"):
        give(bag(decision=decision))
        with pytest.raises(MalformedError):
            verify(desk, name, capsys, **RECEIVED)


def spoil(**change: bytes | None) -> dict[str, bytes]:
    """A bag with one file changed, added or taken away; names are given with two underscores for a slash."""
    files: dict[str, bytes | None] = {**bag()}
    names = {"index": "data/index.html", "stray": "data/stray", "odd": "odd/file", "tag": "more.txt"}
    names |= {
        "manifest": "manifest-sha256.txt",
        "tags": "tagmanifest-sha256.txt",
        "bagit": "bagit.txt",
        "info": "bag-info.txt",
    }
    files |= {names[name]: data for name, data in change.items()}
    return {name: data for name, data in files.items() if data is not None}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"index": b"changed"}, "data/index.html was changed"),
        ({"index": None}, "listed and missing"),
        ({"stray": b"x"}, "there and not listed"),
        ({"odd": b"x"}, "not listed"),
        ({"tag": b"x"}, "there and not listed"),
        ({"manifest": None}, "missing"),
        ({"manifest": b"rubbish\n"}, "line 1 of manifest"),
        ({"manifest": bag()["manifest-sha256.txt"] * 2}, "names a file again"),
        ({"manifest": b"0" * 64 + b"  ../x\n"}, "not a path of a bag"),
        ({"tags": None}, "tagmanifest-sha256.txt is missing"),
        ({"tags": b""}, "does not list"),
        ({"bagit": b"BagIt-Version: 0.97\n"}, "bagit.txt"),
        ({"info": b"Payload-Oxum: 1.1\n"}, "bag-info.txt was changed"),
    ],
)
def test_a_package_that_was_touched_is_refused(
    desk: Path, capsys: pytest.CaptureFixture[str], change: dict[str, bytes | None], words: str
) -> None:
    """Each file changed, added or taken away is named."""
    unpack(spoil(**change), desk / "p")
    with pytest.raises(MalformedError, match=words):
        verify(desk, "p", capsys) if (desk / "p" / "bagit.txt").exists() else None


def test_a_count_that_does_not_fit_is_refused(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Payload-Oxum counts bytes and files, even where both manifests were made to fit."""
    files = bag()
    files["bag-info.txt"] = b"Payload-Oxum: 1.1\n"
    tags = [
        Entry(name, 0, sha256_hex(files[name]))
        for name in ("bagit.txt", "bag-info.txt", "manifest-sha256.txt")
    ]
    files["tagmanifest-sha256.txt"] = manifest(tags)
    unpack(files, desk / "p")
    with pytest.raises(MalformedError, match="counts other files"):
        verify(desk, "p", capsys)


def test_a_tar_with_tricks_is_refused(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two top folders, a link, a file twice, a path upwards, half a tar; and a link in a folder."""
    good = bag()
    pack({"x": b"", "../../up": b""}, desk / "up.tar")
    pack(good, desk / "top.tar", top="")
    with tarfile.open(desk / "link.tar", "w") as tar:
        member = tarfile.TarInfo("p-1/link")
        member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(member)
    pack(good, desk / "twice.tar")
    with tarfile.open(desk / "twice.tar", "a") as tar:
        again = tarfile.TarInfo("p-1/bagit.txt")
        tar.addfile(again, io.BytesIO(b""))
    pack(good, desk / "half.tar")
    (desk / "half.tar").write_bytes((desk / "half.tar").read_bytes()[:1500])
    for name in ("up.tar", "top.tar", "link.tar", "twice.tar", "half.tar"):
        with pytest.raises(MalformedError):
            verify(desk, name, capsys)
    unpack(good, desk / "p")
    (desk / "p" / "data" / "link").symlink_to("/etc/passwd")
    with pytest.raises(MalformedError, match="is a link"):
        verify(desk, "p", capsys)


def test_a_failed_entry_is_told_to_whoever_only_runs_the_command(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With its name and the plain warning; names of many are cut, and a statement that is none is refused."""

    def give(entries: object, name: str = "entries") -> None:
        shutil.rmtree(desk / "p", ignore_errors=True)
        unpack(bag(statement=json.dumps({name: entries}).encode()), desk / "p")

    give(
        [
            {"store": "main", "table": "a\u202e", "status": "failed"},
            {"store": "main", "table": "b", "status": "found"},
        ]
    )
    text = verify(desk, "p", capsys)
    assert (
        "1 entry FAILED: main.a[U+202E]. A failed entry does NOT mean that nothing is held there."
        in unwrapped(text)
    )
    give([{"store": "main", "table": f"t{at}", "status": "failed"} for at in range(30)])
    assert "30 entries FAILED: main.t0," in unwrapped(verify(desk, "p", capsys))
    assert "main.t19 and others." in unwrapped(verify(desk, "p", capsys))
    give([])
    assert "FAILED" not in verify(desk, "p", capsys)
    odd_ones: tuple[object, ...] = (None, [7], {})
    for odd in odd_ones:
        give(odd)
        with pytest.raises(MalformedError, match="lists no entries"):
            verify(desk, "p", capsys)


def test_the_digest_that_a_signed_certificate_must_show_is_told(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is that of the other files' manifest; a package without a certificate has none."""
    unpack(bag(certificate=b"%PDF-"), desk / "p")
    lines = (desk / "p" / "manifest-sha256.txt").read_text().splitlines(keepends=True)
    others = "".join(line for line in lines if "certificate" not in line)
    assert f"only if it shows: {sha256_hex(others.encode())}" in unwrapped(verify(desk, "p", capsys))
    shutil.rmtree(desk / "p")
    unpack(bag(), desk / "p")
    assert "certificate" not in verify(desk, "p", capsys)


def unwrapped(text: str) -> str:
    return " ".join(text.split())

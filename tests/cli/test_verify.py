"""Whatever somebody was given: what it is, what it proves, and what is said when it proves nothing."""

import datetime as dt
import hashlib
import io
import json
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dueprocess.cli.verify import verify_command
from dueprocess.cli.verify_files import Answer
from dueprocess.errors import BrokenError, DueprocessError, MalformedError, RefusedError, UnavailableError
from dueprocess.parcel import BAGIT_TXT, Entry, bag_label, manifest
from dueprocess.report import build_register, build_report
from dueprocess.tlog import (
    AUDIENCES,
    Audience,
    EpochLeaf,
    EpochTree,
    LogProof,
    Receipt,
    ReceiptRecord,
    Record,
    commitment,
    encode_leaf,
    epoch_seed,
    format_policy,
    format_proof,
    leaf_hash,
    open_fields,
)
from dueprocess.tlog.promise import IntakePromise, format_promise, intake_vkey
from dueprocess.wire import Json, canonical, digest_of, sha256_hex
from madelog import (
    FIRST_EPOCH,
    LOGS,
    ORIGIN,
    POLICY_TEXT,
    MadeLog,
    attest_leaf,
    end_of,
    grown,
    key,
    log_vkey,
    policy_leaf,
)

PAPER = b"%PDF-1.7 a paper"
SCOPE: Json = {"v": 1, "nonce": "x", "targets": []}
PARCEL = b"age-encryption.org/v1\n-> X25519 x\n" + b"c" * 3000
CASE = "5f0c"
FACTS: list[dict[str, Json]] = [
    {
        "kind": "DemandReceived",
        "month": "2026-11",
        "paper_sha256": sha256_hex(PAPER),
        "instrument": "d_order",
    },
    {"kind": "ScopeNarrowed", "scope_sha256": digest_of(SCOPE), "categories": ["session.times", "traffic"]},
    {"kind": "DataProduced", "parcel_sha256": sha256_hex(PARCEL), "plan_sha256": "ab" * 32},
]


INTAKE = intake_vkey(ORIGIN, key("intake").public_key().public_bytes_raw())
OLD_INTAKE = intake_vkey(ORIGIN, key("old-intake").public_key().public_bytes_raw())


class Court:
    """A log with one case in it, and the receipts and promises that people hold."""

    def __init__(self) -> None:
        self.log = MadeLog(policy_leaf(intake_vkey=OLD_INTAKE.text))
        self.log.add(policy_leaf(2, intake_vkey=INTAKE.text))
        self.records: list[tuple[Record, bytes, EpochTree, EpochLeaf, int]] = []
        previous: str | None = None
        for number, facts in enumerate(FACTS):
            record = Record({**facts, "prev": previous})
            secret = hashlib.sha256(b"secret%d" % number).digest()
            epoch = FIRST_EPOCH + number
            tree = EpochTree(epoch_seed(b"m" * 32, epoch), epoch, {7: commitment(record, secret)})
            leaf = EpochLeaf(epoch, tree.root, end_of(epoch) + dt.timedelta(seconds=3))
            self.records.append((record, secret, tree, leaf, self.log.add(leaf)))
            previous = commitment(record, secret).hex()
        self.log.next_epoch += len(FACTS)
        self.log.epochs(2).publish(signers=["ed25519"])

    def receipt(self, audience: Audience = "requester", *, first: int = 0) -> bytes:
        reader = self.log.reader()
        records = [
            ReceiptRecord(
                epoch=leaf.epoch,
                place=7,
                path=tree.path(7),
                opening=open_fields(
                    record,
                    secret,
                    AUDIENCES[audience],
                ),
                leaf=encode_leaf(leaf),
                proof=format_proof(LogProof(index, reader.inclusion_proof(index), self.log.checkpoint)),
            )
            for record, secret, tree, leaf, index in self.records[first:]
        ]
        return Receipt(ORIGIN, audience, CASE, tuple(records), unwitnessed=False).to_bytes()

    def promise(
        self, *, by: int = FIRST_EPOCH + 1, which: int = 0, paper: bytes = PAPER, old: bool = False
    ) -> bytes:
        facts = {**FACTS[0], "paper_sha256": sha256_hex(paper)}
        record, secret, *_ = self.records[which]
        if paper != PAPER:
            record = Record({**facts, "prev": None})
        names = AUDIENCES["requester"]
        promise = IntakePromise(
            ORIGIN, CASE, sha256_hex(paper), end_of(FIRST_EPOCH - 1), commitment(record, secret).hex(),
            open_fields(record, secret, names), by,
        )  # fmt: skip
        if old:
            return format_promise(promise, OLD_INTAKE, key("old-intake").sign)
        return format_promise(promise, INTAKE, key("intake").sign)


COURT = Court()


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A folder with the policy, the receipt and a copy of the log, as somebody has it at home."""
    (tmp_path / "policy.txt").write_bytes(POLICY_TEXT)
    (tmp_path / "receipt.json").write_bytes(COURT.receipt())
    (tmp_path / "intake.json").write_bytes(COURT.promise())
    (tmp_path / "intake.vkey").write_text(INTAKE.text + "\n")
    (tmp_path / "paper.pdf").write_bytes(PAPER)
    (tmp_path / "parcel.tar.age").write_bytes(PARCEL)
    COURT.log.write(tmp_path / "log")
    return tmp_path


def verify(desk: Path, name: str, capsys: pytest.CaptureFixture[str], **beside: str) -> str:
    """What the command prints, with files of the folder beside."""
    capsys.readouterr()
    verify_command(desk / name, **{each: desk / path for each, path in beside.items()})  # type: ignore[arg-type]
    return capsys.readouterr().out


def conclusion(text: str) -> str:
    """The first line; then come meaning, limits and details, in this order."""
    parts = [text.find(each) for each in ("What it means", "What it does not prove", "Details")]
    assert -1 not in parts
    assert parts == sorted(parts)
    return text.splitlines()[0]


# ------------------------------------------------------------------ receipts


def test_a_receipt_says_first_that_it_holds(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Conclusion, meaning in everyday words, limits, details."""
    text = verify(desk, "receipt.json", capsys, policy="policy.txt", log="log")
    assert conclusion(text) == f"This receipt holds. Log: {ORIGIN}"
    assert "the authority's request arrived" in text
    assert "Independent timekeepers have seen the log" in text
    assert "contains every one of these records, and only grew" in text
    assert "Each record names the one before it: yes" in text


def test_a_receipt_that_begins_later_says_so(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without the first record nobody sees the arrival."""
    (desk / "receipt.json").write_bytes(COURT.receipt(first=1))
    assert "does not begin with the arrival" in verify(desk, "receipt.json", capsys, policy="policy.txt")


def test_a_changed_receipt_says_first_that_it_does_not_hold(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One changed byte; and the wrong policy."""
    data = (desk / "receipt.json").read_bytes()
    (desk / "receipt.json").write_bytes(data.replace(b"d_order", b"warrant"))
    with pytest.raises(MalformedError, match=r"^This receipt does not hold"):
        verify(desk, "receipt.json", capsys, policy="policy.txt")
    (desk / "receipt.json").write_bytes(data)
    (desk / "policy.txt").write_bytes(format_policy([log_vkey("stranger")]))
    with pytest.raises(MalformedError, match=r"^This receipt does not hold"):
        verify(desk, "receipt.json", capsys, policy="policy.txt")
    with pytest.raises(RefusedError, match="policy"):
        verify(desk, "receipt.json", capsys)


# ------------------------------------------------------------------ intake receipts


def test_an_intake_receipt_proves_arrival_and_says_that_this_is_all(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the paper beside it, that it is this paper; and how to see whether the promise was kept."""
    text = verify(desk, "intake.json", capsys, intake_key="intake.vkey", paper="paper.pdf")
    assert conclusion(text) == "This intake receipt holds: the paper arrived."
    assert "byte for byte" in text
    assert "not authority" in text
    assert "--receipt" in text


def test_a_kept_promise_is_told_as_kept(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the receipt of the case, and with the log."""
    text = verify(
        desk,
        "intake.json",
        capsys,
        intake_key="intake.vkey",
        receipt="receipt.json",
        policy="policy.txt",
        log="log",
    )
    assert conclusion(text) == "This intake receipt holds, and the operator kept its promise."
    assert "only grew" in text


def test_a_broken_promise_is_evidence(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Not shown at all, or in a later time slot than signed."""
    beside = {"intake_key": "intake.vkey", "receipt": "receipt.json", "policy": "policy.txt"}
    (desk / "intake.json").write_bytes(COURT.promise(paper=b"another paper"))
    with pytest.raises(BrokenError) as caught:
        verify(desk, "intake.json", capsys, **beside)
    assert caught.value.code == "promise-broken"
    (desk / "intake.json").write_bytes(COURT.promise(by=FIRST_EPOCH - 1))
    with pytest.raises(BrokenError) as caught:
        verify(desk, "intake.json", capsys, **beside)
    assert caught.value.code == "promise-late"


def test_the_log_names_the_key_of_intake_receipts(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a key file the log is asked; a key that it does not name was shown to one person only."""
    text = verify(desk, "intake.json", capsys, policy="policy.txt", log="log")
    assert "The log names the key." in text
    text = verify(desk, "intake.json", capsys, policy="policy.txt", log="log", intake_key="intake.vkey")
    assert "The log names the key." in text
    (desk / "old.json").write_bytes(COURT.promise(old=True))
    assert "The log names the key." in verify(desk, "old.json", capsys, policy="policy.txt", log="log")
    (desk / "intake.vkey").write_text(intake_vkey(ORIGIN, key("one").public_key().public_bytes_raw()).text)
    with pytest.raises(MalformedError, match="does not name this key"):
        verify(desk, "intake.json", capsys, policy="policy.txt", log="log", intake_key="intake.vkey")
    grown().write(desk / "other")
    with pytest.raises(MalformedError, match="names no key that signs intake"):
        verify(desk, "intake.json", capsys, policy="policy.txt", log="other")


def test_an_intake_receipt_that_is_none_is_refused(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without its key, with another key, another paper, a changed byte, or without the policy for the receipt."""
    with pytest.raises(RefusedError, match="intake receipt is checked against"):
        verify(desk, "intake.json", capsys)
    with pytest.raises(MalformedError, match=r"^This intake receipt does not hold"):
        verify(desk, "intake.json", capsys, intake_key="parcel.tar.age")
    (desk / "binary").write_bytes(b"\xff")
    with pytest.raises(MalformedError, match=r"^This intake receipt does not hold"):
        verify(desk, "intake.json", capsys, intake_key="binary")
    with pytest.raises(MalformedError, match="another paper"):
        verify(desk, "intake.json", capsys, intake_key="intake.vkey", paper="policy.txt")
    with pytest.raises(RefusedError, match="policy"):
        verify(desk, "intake.json", capsys, intake_key="intake.vkey", receipt="receipt.json")
    (desk / "intake.json").write_bytes(COURT.promise().replace(b"2026-11-22", b"2026-11-21"))
    with pytest.raises(MalformedError, match=r"^This intake receipt does not hold"):
        verify(desk, "intake.json", capsys, intake_key="intake.vkey")


# ------------------------------------------------------------------ reports


def test_a_report_is_recounted_and_found_in_the_log(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The report and the register, each alone and with the log; a wrong number and a stranger are evidence."""
    register = build_register([], period="2026H1")
    report = build_report(register).encoded
    log = grown()
    log.report("2026H1", register.encoded, report)
    log.epochs(1).publish().write(desk / "other")
    (desk / "register.json").write_bytes(register.encoded)
    (desk / "report.json").write_bytes(report)
    text = verify(desk, "report.json", capsys, policy="policy.txt", log="other")
    assert "is what its register gives" in conclusion(text)
    assert "names both files, in leaves 6 and 7" in text
    assert "Not looked at" in verify(desk, "report.json", capsys)
    assert "keeps its rules" in verify(desk, "register.json", capsys, policy="policy.txt", log="other")
    with pytest.raises(BrokenError, match="names no such register"):
        verify(desk, "report.json", capsys, policy="policy.txt", log="log")
    (desk / "report.json").write_bytes(report.replace(b'"number":null', b'"number":12', 1))
    with pytest.raises(BrokenError, match="not what its register gives"):
        verify(desk, "report.json", capsys)
    (desk / "report.json").write_bytes(b'{"cells":[]}')
    with pytest.raises(MalformedError, match=r"^This report cannot be counted again"):
        verify(desk, "report.json", capsys)
    (desk / "register.json").write_bytes(b'{"rows":[]}')
    with pytest.raises(MalformedError, match=r"^This register cannot be read"):
        verify(desk, "register.json", capsys)


# ------------------------------------------------------------------ logs


def test_a_whole_log_is_checked_file_by_file(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every tile and entry, the old partial tiles too; a copy is as old as it is; newer files are counted."""
    text = verify(desk, "log", capsys, policy="policy.txt")
    assert conclusion(text) == f"This log holds: 7 entries of {ORIGIN}, every one checked."
    assert "14 files read" in text
    assert "This copy is old" in text
    newer = COURT.log.copy().epochs(1)
    del newer.files["checkpoint"]
    newer.write(desk / "log")
    assert "2 files are newer than the head" in verify(desk, "log", capsys, policy="policy.txt")


def test_a_large_log_is_checked_in_full(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """More than one full tile, with an auditor's statement in it."""
    log = grown(600)
    log.add(attest_leaf("2026H1"))
    log.epochs(1).publish().write(desk / "large")
    text = verify(desk, "large", capsys, policy="policy.txt")
    assert "603 entries" in conclusion(text)
    assert "auditor.example signed" in text


@pytest.mark.parametrize(
    "path", ["tile/0/000.p/7", "tile/0/000.p/2", "tile/entries/000.p/7", "tile/entries/000.p/3"]
)
def test_one_changed_byte_anywhere_in_a_log_is_named(
    desk: Path, capsys: pytest.CaptureFixture[str], path: str
) -> None:
    """Of the newest files and of the partial ones of older heads."""
    data = (desk / "log" / path).read_bytes()
    (desk / "log" / path).write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(MalformedError, match=r"^This copy of a log does not hold") as caught:
        verify(desk, "log", capsys, policy="policy.txt")
    assert path.split("/", 2)[2] in str(caught.value)


def skipped(log: MadeLog) -> None:
    log.epoch(FIRST_EPOCH + 20)


def many(log: MadeLog) -> None:
    for number in range(9):
        log.add(b"odd %d" % number)


def unwitnessed(log: MadeLog) -> None:
    log.files["checkpoint"] = log.copy().publish(by=()).checkpoint


def stolen(log: MadeLog) -> None:
    log.files["checkpoint"] = log.copy().publish(keys="thief").checkpoint


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (skipped, BrokenError, "no entry says why"),
        (many, BrokenError, "And 4 more"),
        (unwitnessed, BrokenError, "Too few independent timekeepers"),
        (stolen, MalformedError, "cannot be believed"),
    ],
)
def test_a_log_that_breaks_a_promise_is_refused(
    desk: Path,
    capsys: pytest.CaptureFixture[str],
    change: Callable[[MadeLog], None],
    error: type[DueprocessError],
    words: str,
) -> None:
    """A missing slot, entries nobody understands, too few timekeepers, a stolen head."""
    log = grown()
    change(log)
    if change in (skipped, many):
        log.publish()
    log.write(desk / "bad")
    with pytest.raises(error, match="(?s)This .*" + words):
        verify(desk, "bad", capsys, policy="policy.txt")


def test_a_head_alone_is_checked(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Who signed, who confirmed and when; below the quorum it is not what the policy asks for."""
    text = verify(desk, "log/checkpoint", capsys, policy="policy.txt")
    assert "signed that its log has 7 entries" in conclusion(text)
    assert "north.example" in text
    (desk / "head").write_bytes(grown().publish(by=("north",)).checkpoint)
    with pytest.raises(MalformedError, match=r"^This head of a log is not what your policy asks for"):
        verify(desk, "head", capsys, policy="policy.txt")


def test_a_log_proof_is_checked_with_its_entry(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The entry lies beside it; another entry, or none, proves nothing; a kind nobody knows is still in the log."""
    log = grown()
    log.add(b"odd")
    log.publish()
    for index in (3, 6):
        (desk / f"e{index}.tlog-proof").write_bytes(log.proof(index))
        (desk / f"e{index}.json").write_bytes(log.reader().entry(index))
    assert f"e3.json is entry 3 of {ORIGIN}" in conclusion(
        verify(desk, "e3.tlog-proof", capsys, policy="policy.txt")
    )
    assert "no entry of a kind" in verify(desk, "e6.tlog-proof", capsys, policy="policy.txt")
    shutil.copy(desk / "e6.json", desk / "e3.json")
    with pytest.raises(MalformedError, match=r"^This proof does not hold"):
        verify(desk, "e3.tlog-proof", capsys, policy="policy.txt")
    (desk / "e3.json").unlink()
    with pytest.raises(UnavailableError, match="Put the entry beside it"):
        verify(desk, "e3.tlog-proof", capsys, policy="policy.txt")


# ------------------------------------------------------------------ answer packages


def bag(*, scope: Json = SCOPE, plan: str = "ab" * 32, decision: bytes | None = None) -> dict[str, bytes]:
    """The files of an opened package."""
    document: Json = {"document": {"scope": scope, "plan_sha256": plan}, "signatures": []}
    files = {
        "data/main/users.0001.jsonl": b'{"control_number":"7F3K-000001"}\n' * 3,
        "data/index.html": b"<p>asked, permitted, held</p>",
        "data/decision.json": json.dumps({"decision": document}).encode() if decision is None else decision,
    }
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


RECEIVED = {"receipt": "receipt.json", "policy": "policy.txt"}


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


# ------------------------------------------------------------------ anything


def test_what_cannot_be_checked_says_what_can(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A picture, an empty file, a folder of nothing, a missing file."""
    (desk / "picture.png").write_bytes(b"\x89PNG" + b"x" * 2000)
    (desk / "empty").write_bytes(b"")
    (desk / "nothing").mkdir()
    for name in ("picture.png", "empty"):
        with pytest.raises(MalformedError, match="nothing that this program can check"):
            verify(desk, name, capsys)
    for name in ("nothing", "missing.json"):
        with pytest.raises(UnavailableError):
            verify(desk, name, capsys)


@given(data=st.one_of(st.binary(max_size=2000), st.text().map(str.encode), st.dictionaries(
    st.sampled_from(["cells", "rows", "records", "sealed_by_epoch", "v", "kind"]), st.none() | st.integers(0, 3)
).map(lambda value: json.dumps(value).encode())))  # fmt: skip
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_end_in_an_error_with_words(desk: Path, data: bytes) -> None:
    """No bytes crash the command, and none are believed."""
    (desk / "any").write_bytes(data)
    with pytest.raises(DueprocessError) as caught:
        verify_command(
            desk / "any",
            policy=desk / "policy.txt",
            receipt=desk / "receipt.json",
            intake_key=desk / "intake.vkey",
        )
    assert caught.value.what


def test_json_is_one_value(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Programs get the same findings."""
    verify_command(desk / "receipt.json", policy=desk / "policy.txt", json=True)
    value = json.loads(capsys.readouterr().out)
    assert (value["origin"], len(value["records"])) == (ORIGIN, 3)


def test_the_texts_need_no_schooling(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody has to know what a Merkle tree, a cosignature or a checkpoint is."""
    texts = [
        verify(desk, "receipt.json", capsys, policy="policy.txt", log="log"),
        verify(desk, "intake.json", capsys, intake_key="intake.vkey"),
        verify(desk, "log", capsys, policy="policy.txt"),
        verify(desk, "parcel.tar.age", capsys, **RECEIVED),
    ]
    for text in texts:
        plain = text.split("Details")[0].casefold()
        assert not {"merkle", "cosign", "checkpoint", "witness", "epoch", "tile", "hash"} & set(plain.split())


def test_verify_reaches_no_network_and_no_server_package() -> None:
    """An auditor's laptop needs the wheel only: neither http nor Django nor a database is even imported."""
    code = (
        "import sys; import dueprocess.cli.verify; "
        "print(sorted({'http.client', 'socket', 'django', 'duckdb', 'pyrage', 'psycopg', 'jinja2'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() in ("[]", "['socket']"), done.stdout


def test_an_answer_leaves_out_what_it_does_not_have() -> None:
    """No empty headings."""
    assert Answer("Good.").lines() == ["Good."]
    assert canonical({}) == b"{}"
    assert len(leaf_hash(b"")) == 32
    assert LOGS[0].name == ORIGIN

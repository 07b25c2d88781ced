"""Whatever somebody was given: what it is, what it proves, and what is said when it proves nothing."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cli.court import COURT, RECEIVED, conclusion, verify
from dueprocess.cli.verify import verify_command
from dueprocess.cli.verify_files import Answer
from dueprocess.errors import BrokenError, DueprocessError, MalformedError, RefusedError, UnavailableError
from dueprocess.report import build_register, build_report
from dueprocess.tlog import (
    format_policy,
    leaf_hash,
)
from dueprocess.tlog.promise import intake_vkey
from dueprocess.wire import canonical
from madelog import (
    FIRST_EPOCH,
    LOGS,
    ORIGIN,
    grown,
    key,
    log_vkey,
)

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

"""Logs, heads and proofs that somebody was given: every file is checked, and each broken promise is named."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.court import COURT, conclusion, verify
from dueprocess.errors import BrokenError, DueprocessError, MalformedError, UnavailableError
from madelog import (
    FIRST_EPOCH,
    ORIGIN,
    MadeLog,
    attest_leaf,
    grown,
)


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

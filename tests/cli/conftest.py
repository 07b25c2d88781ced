"""A watcher's post, and a folder of somebody who was given a receipt."""

from pathlib import Path

import pytest

from cli.court import COURT, INTAKE, PAPER, PARCEL
from cli.watching import Post
from madelog import POLICY_TEXT


@pytest.fixture
def post(tmp_path: Path) -> Post:
    return Post(tmp_path)


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

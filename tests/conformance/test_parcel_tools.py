"""Other people's tools read the parcel: Debian's age, tar, bagit and case_validate. A missing tool fails."""

import datetime as dt
import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pyrage
import pytest

from dueprocess.parcel import Entry, Evidence, case_jsonld
from dueprocess.production.packing import Member, Wrapping, pack, whole

pytestmark = pytest.mark.conformance
ROOT = Path(__file__).resolve().parents[2]
NOW = dt.datetime(2026, 11, 22, 10, tzinfo=dt.UTC)
EVIDENCE = Evidence(b"s" * 32, "7F3K", "Example Host", "0.1.0", "d_order", "1:26-mc-1", NOW, NOW, NOW)


def tool(name: str, advice: str) -> str:
    found = shutil.which(
        name, path=f"{ROOT / '.venv' / 'bin'}:{ROOT / '.venv-case' / 'bin'}:{os.environ['PATH']}"
    )
    if found is None:
        pytest.fail(f"{name} is missing: {advice}")
    return found


def run(*command: str | Path, folder: Path, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [str(each) for each in command], cwd=folder, input=given, capture_output=True, check=False
    )


@pytest.fixture
def bag(tmp_path: Path) -> Path:
    """A parcel, decrypted by Debian's age and unpacked by tar."""
    officer = pyrage.x25519.Identity.generate()
    (tmp_path / "officer.agekey").write_text(f"{officer}\n")
    wrapping = Wrapping("7F3K", str(officer.to_public()), NOW, {"External-Identifier": "7F3K"})
    rows = [
        whole("data/main/sessions.0001.jsonl", b"{}\n"),
        whole(f"data/media/files/{'n' * 150}", bytes(100_000)),
    ]

    def describe(entries: Sequence[Entry]) -> list[Member]:
        return [whole("data/case.jsonld", case_jsonld(EVIDENCE, entries))]

    with (tmp_path / "parcel.tar.age").open("wb") as out:
        pack(rows, wrapping, out, describe=describe)
    age = tool("age", "install it (Debian: apt-get install age)")
    plain = run(age, "-d", "-i", "officer.agekey", "parcel.tar.age", folder=tmp_path)
    assert plain.returncode == 0, plain.stderr
    assert run("tar", "x", folder=tmp_path, given=plain.stdout).returncode == 0
    return tmp_path / "7F3K"


def test_age_and_tar_open_what_bagit_accepts(bag: Path) -> None:
    """`age -d | tar x` gives a bag that `bagit.py --validate` calls valid, and a changed one it does not."""
    bagit = tool("bagit.py", "run tools/setup.py dev")
    good = run(bagit, "--validate", "7F3K", folder=bag.parent)
    assert good.returncode == 0, good.stderr
    (bag / "data" / "main" / "sessions.0001.jsonl").write_bytes(b"[]\n")
    assert run(bagit, "--validate", "7F3K", folder=bag.parent).returncode != 0


def test_age_refuses_a_changed_parcel(bag: Path) -> None:
    """One flipped byte at any sampled place, and Debian's age ends with an error."""
    age = tool("age", "install it (Debian: apt-get install age)")
    whole_parcel = (bag.parent / "parcel.tar.age").read_bytes()
    for at in range(0, len(whole_parcel), len(whole_parcel) // 20):
        changed = bytearray(whole_parcel)
        changed[at] ^= 1
        (bag.parent / "changed.age").write_bytes(changed)
        assert run(age, "-d", "-i", "officer.agekey", "changed.age", folder=bag.parent).returncode != 0, at


def test_case_validate_accepts_the_evidence(bag: Path) -> None:
    """`case_validate` ends with 0, and with something else after a digest of the wrong type."""
    validate = tool("case_validate", "run tools/setup.py case")
    path = bag / "data" / "case.jsonld"
    good = run(validate, path, folder=bag)
    assert good.returncode == 0, good.stdout
    text = path.read_text()
    assert len(json.loads(text)["@graph"]) == 8
    path.write_text(text.replace("xsd:hexBinary", "xsd:integer"))
    assert run(validate, path, folder=bag).returncode != 0

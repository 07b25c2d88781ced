"""The main job from end to end, judged by other people's tools and by attackers."""

import importlib.util
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.slow, pytest.mark.conformance]


def tool(name: str) -> str:
    found = shutil.which(name, path=f"{ROOT}/.venv/bin:{ROOT}/.venv-case/bin:{os.environ['PATH']}")
    if found is None:
        pytest.fail(f"{name} is missing: python3 tools/setup.py dev case debian")
    return found


def run(*words: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(w) for w in words], cwd=folder, capture_output=True, text=True, check=False)


def dueprocess(*words: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
    return run(sys.executable, "-m", "dueprocess", *words, folder=folder)


@pytest.fixture(scope="module")
def bag(demo_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The parcel as the officer opens it, with Debian's age and tar."""
    folder = tmp_path_factory.mktemp("officer")
    plain = folder / "parcel.tar"
    opened = run(tool("age"), "-d", "-i", "officer.agekey", "-o", plain, "parcel.tar.age", folder=demo_folder)
    assert opened.returncode == 0, opened.stderr
    assert run("tar", "xf", plain, folder=folder).returncode == 0
    plain.unlink()
    return next(each for each in folder.iterdir() if each.is_dir())


def test_it_leaves_what_it_promises(demo_folder: Path) -> None:
    """Every file of the promised list is there and not empty."""
    for name in (
        "index.html", "parcel.tar.age", "officer.agekey", "receipt.json", "policy.txt", "log/checkpoint", "notice.html",
        "report/index.html", "report/report.json", "report/register.csv", "platform", "install/dueprocess.toml",
        "transcript.json", "more",
    ):  # fmt: skip
        path = demo_folder / name
        assert path.exists(), name
        assert path.is_dir() or path.stat().st_size > 0, name


def test_every_attack_was_stopped_with_a_reason(demo_folder: Path) -> None:
    """The ten kinds of attack were tried; each has a stable code and a reason in words."""
    attacks = json.loads((demo_folder / "transcript.json").read_text())["attacks"]
    codes = {attack["code"] for attack in attacks}
    assert all(attack["stopped"] and attack["reason"] for attack in attacks)
    assert codes >= {
        "self-approval", "wrong-verdict", "unknown-signer", "event-missing", "log-rewritten", "log-rolled-back",
        "reverse-demand", "emergency-not-producible",
    }  # fmt: skip
    assert len(attacks) >= 10


def test_the_twelve_verbs_happened(demo_folder: Path) -> None:
    """Case 1 went through all steps; each step has a time and an event or a reason."""
    steps = json.loads((demo_folder / "transcript.json").read_text())["steps"]
    verbs = {step["verb"] for step in steps if step["case"] == "case 1"}
    assert verbs >= {
        "triage", "receive", "authenticate", "read", "assess", "narrow", "propose", "approve", "seal", "produce",
        "deliver", "notify", "close",
    }  # fmt: skip
    assert all(float(step["seconds"]) >= 0 for step in steps)


def test_the_real_letters_were_received_read_and_assessed(demo_folder: Path) -> None:
    """Eight letters; seven ask for something and were assessed, none producible; one only ends a silence."""
    steps = json.loads((demo_folder / "transcript.json").read_text())["steps"]
    real = [step for step in steps if step["case"] == "real paper"]
    verbs = [step["verb"] for step in real]
    assert (verbs.count("receive"), verbs.count("read"), verbs.count("assess")) == (8, 8, 7)
    assert all("nothing can be produced" in step["what"] for step in real if step["verb"] == "assess")


def test_bagit_accepts_the_parcel(bag: Path) -> None:
    """Other people's BagIt validates the opened parcel."""
    done = run(tool("bagit.py"), "--validate", bag, folder=bag.parent)
    assert done.returncode == 0, done.stderr


def test_case_validate_accepts_the_evidence(bag: Path) -> None:
    """Other people's CASE checker exits with 0 on case.jsonld."""
    done = run(tool("case_validate"), bag / "data" / "case.jsonld", folder=bag.parent)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_parcel_holds_the_window_and_nothing_else(bag: Path, demo_folder: Path) -> None:
    """Rows of the account inside the window, only listed columns, no content table."""
    tables = {path.name.split(".")[0] for path in (bag / "data" / "main").iterdir()}
    assert tables <= {"users", "user_threepids", "user_ips", "devices", "user_daily_visits"}
    assert not (bag / "data" / "media").exists()
    decision = json.loads((bag / "data" / "decision.json").read_text())
    since, until = decision["bound"]["window"]
    rows = [
        json.loads(line) for line in (bag / "data" / "main" / "user_ips.0001.jsonl").read_text().splitlines()
    ]
    assert rows
    assert all(_instant(since) <= row["last_seen"] < _instant(until) for row in rows)
    assert set(rows[0]) == {"control_number", "last_seen", "ip", "user_agent", "device_id"}
    with sqlite3.connect(demo_folder / "platform" / "homeserver.db") as store:
        everything = store.execute(
            "SELECT count(*) FROM user_ips WHERE user_id = ?", (decision["bound"]["target"],)
        )
        assert everything.fetchone()[0] > len(rows)
    store.close()


def _instant(text: str) -> int:
    import datetime as dt

    return int(dt.datetime.fromisoformat(text).timestamp() * 1000)


def _go() -> ModuleType:
    path = ROOT / "tests" / "conformance" / "go_verifier.py"
    spec = importlib.util.spec_from_file_location("go_verifier", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["go_verifier"] = module
    spec.loader.exec_module(module)
    return module


def test_go_verifies_the_log(demo_folder: Path) -> None:
    """Go's sumdb note and tlog verify checkpoint, every inclusion and the consistency with an older head."""
    vkey = (demo_folder / "policy.txt").read_text().split()[1]
    older = demo_folder / "install" / "worker" / "seen-checkpoint"
    verdict = _go().verify_log(demo_folder / "log", vkey, [older])
    assert verdict.size > 300
    assert verdict.inclusion > 0
    assert verdict.consistency > 0


def test_the_user_can_verify_and_a_flipped_byte_is_named(demo_folder: Path, tmp_path: Path) -> None:
    """The receipt holds; one changed byte in it, or in a tile, is refused with the place named."""
    words = ("verify", "receipt.json", "--policy", "policy.txt", "--log", "log")
    assert dueprocess(*words, folder=demo_folder).returncode == 0
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in ("receipt.json", "policy.txt"):
        shutil.copy(demo_folder / name, copy / name)
    shutil.copytree(demo_folder / "log", copy / "log")
    receipt = (copy / "receipt.json").read_bytes()
    (copy / "receipt.json").write_bytes(_flip(receipt, len(receipt) // 2))
    broken = dueprocess(*words, folder=copy)
    assert broken.returncode in (4, 7)
    assert broken.stderr.strip()
    (copy / "receipt.json").write_bytes(receipt)
    for tile in sorted((copy / "log" / "tile").rglob("000"))[:2]:
        good = tile.read_bytes()
        tile.write_bytes(_flip(good, 100))
        refused = dueprocess(*words, folder=copy)
        assert refused.returncode in (4, 7), tile
        assert "tile/" in refused.stderr
        tile.write_bytes(good)


def test_the_log_names_the_report_and_no_other(demo_folder: Path, tmp_path: Path) -> None:
    """The report and its register are in the log; a register of another period's digest is not."""
    words = ("--policy", demo_folder / "policy.txt", "--log", demo_folder / "log")
    assert dueprocess("verify", "report/report.json", *words, folder=demo_folder).returncode == 0
    shutil.copytree(demo_folder / "report", tmp_path / "report")
    for name in ("register.json", "report.json"):
        path = tmp_path / "report" / name
        path.write_text(path.read_text().replace("2026H2", "2026H1").replace("2027H1", "2026H2"))
    done = dueprocess("verify", "report/report.json", *words, folder=tmp_path)
    assert done.returncode in (4, 7), done.stdout


def test_a_flipped_byte_of_the_parcel_is_named(demo_folder: Path, tmp_path: Path) -> None:
    """Age refuses the altered ciphertext. The installation has purged its own; fsck names an altered tile."""
    parcel = (demo_folder / "parcel.tar.age").read_bytes()
    (tmp_path / "parcel.tar.age").write_bytes(_flip(parcel, len(parcel) - 50))
    key = demo_folder / "officer.agekey"
    assert (
        run(tool("age"), "-d", "-i", key, "-o", tmp_path / "x", "parcel.tar.age", folder=tmp_path).returncode
        != 0
    )
    install = tmp_path / "install"
    shutil.copytree(demo_folder / "install", install)
    assert [path.name for path in (install / "parcels").iterdir()] == [".purged-until"]
    path = install / "log" / "tile" / "0" / "000"
    good = path.read_bytes()
    path.write_bytes(_flip(good, len(good) // 2))
    done = dueprocess("fsck", "--install", install, folder=tmp_path)
    assert done.returncode == 7
    assert "FAULT log" in done.stdout
    path.write_bytes(good)
    assert dueprocess("fsck", "--install", install, folder=tmp_path).returncode == 0


def _flip(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def test_it_replaces_only_its_own_folder(tmp_path: Path) -> None:
    """A folder that no demo made is left alone, with a clear refusal."""
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("years of work")
    done = dueprocess("demo", "--out", mine, folder=tmp_path)
    assert done.returncode == 3
    assert (mine / "thesis.txt").read_text() == "years of work"


def test_nobody_is_named_in_events_or_log(demo_folder: Path) -> None:
    """No account, mail address or officer stands in the event store or the public log."""
    names = [b"@eva:", b"@finn:", b"@gina:", b"eva@post.example", b"Aalto"]
    for path in [demo_folder / "install" / "history.db", *(demo_folder / "log").rglob("*")]:
        if path.is_file():
            content = path.read_bytes()
            assert not [name for name in names if name in content], path


def test_the_transcript_is_what_the_page_says(demo_folder: Path) -> None:
    """The page holds each attack and each verb of the transcript, and no script."""
    page = (demo_folder / "index.html").read_text()
    transcript: dict[str, Any] = json.loads((demo_folder / "transcript.json").read_text())
    assert "<script" not in page
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for attack in transcript["attacks"]:
            assert attack["name"] in page

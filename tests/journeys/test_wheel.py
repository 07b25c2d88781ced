"""The base wheel alone is enough for an auditor's laptop: verify and triage, offline, without the server extra."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".venv-base" / "bin" / "python"
pytestmark = pytest.mark.slow


def run(*words: str | Path, folder: Path, offline: bool = False) -> subprocess.CompletedProcess[str]:
    command = [str(each) for each in words]
    if offline:
        unshare = shutil.which("unshare")
        assert unshare, "unshare is missing (Debian: util-linux)"
        command = [unshare, *([] if os.geteuid() == 0 else ["-r"]), "-n", *command]
    clean = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=clean)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `dueprocess` command of an environment that has only the wheel and the base packages."""
    if not PYTHON.exists():
        pytest.fail("the base environment is missing: python3 tools/setup.py base")
    folder = tmp_path_factory.mktemp("dist")
    build = run(
        sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT, folder=ROOT
    )
    assert build.returncode == 0, build.stderr
    wheel = next(folder.glob("*.whl"))
    uv = ROOT / ".tools" / "bin" / "uv"
    done = run(
        uv,
        "pip",
        "install",
        "-q",
        "--offline",
        "--no-deps",
        "--reinstall",
        "--python",
        PYTHON,
        wheel,
        folder=folder,
    )
    assert done.returncode == 0, done.stderr
    return PYTHON.with_name("dueprocess")


def test_the_environment_really_has_no_server_packages(base: Path, tmp_path: Path) -> None:
    """What follows proves nothing unless Django and the drivers are absent."""
    for name in ("django", "duckdb", "psycopg", "pyrage", "jinja2"):
        assert run(PYTHON, "-c", f"import {name}", folder=tmp_path).returncode != 0


def test_the_manual_needs_nothing(base: Path, tmp_path: Path) -> None:
    """`dueprocess --help` reads like a manual in the bare environment."""
    done = run(base, "--help", folder=tmp_path, offline=True)
    assert done.returncode == 0
    assert "EXIT STATUS" in done.stdout


@pytest.mark.parametrize("paper", ["mail/order.eml", "nsl/google__NSL-19-494620-request-redacted.pdf"])
def test_triage_works_offline(base: Path, tmp_path: Path, paper: str) -> None:
    """First aid for a mail and a PDF, with no network at all."""
    shutil.copy(ROOT / "examples" / paper, tmp_path / "paper")
    done = run(base, "triage", "paper", folder=tmp_path, offline=True)
    assert done.returncode == 0, done.stderr
    assert "neither confirm nor deny" in done.stdout
    assert "genuine" not in done.stdout


def test_packs_and_their_cases_are_in_the_wheel(base: Path, tmp_path: Path) -> None:
    """A lawyer can read an instrument from the base wheel."""
    done = run(base, "packs", "explain", "us.sca", "subpoena", folder=tmp_path)
    assert done.returncode in (0, 6), done.stderr


def test_a_server_command_says_what_is_missing(base: Path, tmp_path: Path) -> None:
    """A command that needs the server extra says so, and how to get it."""
    done = run(base, "cases", folder=tmp_path)
    assert done.returncode == 6
    assert "dueprocess[server]" in done.stderr


def test_verify_works_offline_on_the_demo(base: Path, demo_folder: Path) -> None:
    """The receipt of the demo verifies in the bare environment without a network, against the log."""
    done = run(
        base,
        "verify",
        "receipt.json",
        "--policy",
        "policy.txt",
        "--log",
        "log",
        folder=demo_folder,
        offline=True,
    )
    assert done.returncode == 0, done.stderr
    assert "This receipt holds" in done.stdout
    report = run(base, "verify", "report/report.json", folder=demo_folder, offline=True)
    assert report.returncode == 0, report.stderr
    log = run(base, "verify", "log", "--policy", "policy.txt", folder=demo_folder, offline=True)
    assert log.returncode == 0, log.stderr
    assert "Every entry" in log.stdout or "entries" in log.stdout


def test_a_monitor_works_on_a_copy_of_a_log(base: Path, demo_folder: Path, tmp_path: Path) -> None:
    """It reads the whole log and says what it thinks of it; the demo's clock is simulated, so it is not on time."""
    done = run(
        base, "monitor", demo_folder / "log", "--policy", demo_folder / "policy.txt", "--state", "seen", "--once",
        folder=tmp_path, offline=True,
    )  # fmt: skip
    assert done.returncode in (0, 7), done.stderr
    assert "chat.example/dueprocess/1" in done.stdout
    assert (tmp_path / "seen").is_dir()


def test_a_friend_can_be_a_witness(base: Path, tmp_path: Path, demo_folder: Path) -> None:
    """Keys, the log to watch, and the program itself, from the base install."""
    done = run(base, "witness", "init", "w", "--name", "witness.example/w1", folder=tmp_path, offline=True)
    assert done.returncode == 0, done.stderr
    assert "witness.example/w1+" in done.stdout
    added = run(
        base, "witness", "add", "w", "--log", demo_folder / "policy.txt", folder=tmp_path, offline=True
    )
    assert added.returncode == 0, added.stderr


def test_an_auditor_counts_a_bundle_again(base: Path, demo_folder: Path, tmp_path: Path) -> None:
    """The operator's side makes the bundle; the auditor's laptop has the wheel, the public log and the policy."""
    pack = run(
        sys.executable, "-m", "dueprocess", "audit", "pack", "--period", "2026H2", "--out", tmp_path / "bundle",
        "--install", demo_folder / "install", folder=tmp_path,
    )  # fmt: skip
    assert pack.returncode == 0, pack.stderr
    done = run(
        base, "audit", "check", "bundle", "--log", demo_folder / "log", "--policy", demo_folder / "policy.txt",
        folder=tmp_path, offline=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "What this audit could not see" in done.stdout

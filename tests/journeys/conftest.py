"""One run of the demo for all journeys: a real Synapse, two cases, real paper, attacks."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def demo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `dueprocess demo --out DIR` leaves."""
    out = tmp_path_factory.mktemp("journey") / "demo-out"
    done = subprocess.run(
        [sys.executable, "-m", "dueprocess", "demo", "--out", str(out)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr
    (out.parent / "account.txt").write_text(done.stdout)
    return out

"""The worker is killed at each stage of a hold: nothing half is ever believed, and the next turn finishes."""

import subprocess
import sys
from pathlib import Path

import pytest

from desk.holds import begin, confirm, disclosure, files_with, hold_of, keep, letter, read
from dueprocess.desk.check import check_everything
from dueprocess.history.append import load_case
from dueprocess.wire import instant
from office import Office

pytestmark = pytest.mark.stage("brisk")
PROGRAM = Path(__file__).parent / "hold_killed.py"
PUT, MAKE = "dueprocess.vault.vault:Vault.put", "dueprocess.vault.keystore:KeyStore.make"
REMOVE, DESTROY = "dueprocess.vault.vault:Vault.remove", "dueprocess.vault.keystore:KeyStore.destroy"
STEPS = "dueprocess.steps.hold"


def killed(office: Office, where: str, number: int, when: str) -> None:
    """One turn of the worker, killed there; it must really have come there."""
    given = [
        str(office.root),
        instant(office.now),
        where,
        str(number),
        when,
        office.environment["PLATFORM_DSN"],
    ]
    done = subprocess.run([sys.executable, str(PROGRAM), *given], capture_output=True, text=True, check=False)
    assert done.returncode == -9, done.stderr
    assert "canary words" not in done.stdout + done.stderr
    assert list(files_with(office.root, b"canary words")) == []


@pytest.mark.parametrize(
    ("where", "number", "when"),
    [
        (MAKE, 1, "after"),
        (PUT, 2, "after"),
        (PUT, 4, "after"),
        (f"{STEPS}:take", 1, "before"),
        (f"{STEPS}:take", 1, "after"),
    ],
)
def test_a_snapshot_that_was_killed_is_taken_whole_by_the_next_turn(
    office: Office, where: str, number: int, when: str
) -> None:
    """What a killed attempt left is thrown away; there is one `HoldTaken`, and all of it can be read later."""
    case_id = letter(office)
    begin(office, case_id)
    killed(office, where, number, when)
    keep(office)
    assert [event.kind for event in load_case(case_id).events].count("HoldTaken") == 1
    assert check_everything(office.desk) == []
    confirm(office, case_id)
    office.wait(hours=12)
    assert sorted(map(len, read(office, disclosure(office)).values())) == [1, 3]


@pytest.mark.parametrize(
    ("where", "when"),
    [
        (f"{STEPS}:end", "before"),
        (f"{STEPS}:end", "after"),
        (REMOVE, "after"),
        (DESTROY, "after"),
        (f"{STEPS}:destroyed", "after"),
    ],
)
def test_a_lapse_that_was_killed_is_finished_by_the_next_turn(office: Office, where: str, when: str) -> None:
    """In the end the key is gone, history says so once, and the case can be closed."""
    case_id = letter(office)
    begin(office, case_id)
    keep(office)
    office.wait(hours=72)
    killed(office, where, 1, when)
    keep(office)
    hold = hold_of(case_id)
    assert not office.desk.keys.has(hold.hold_id)
    kinds = [event.kind for event in load_case(case_id).events]
    assert (kinds.count("HoldEnded"), kinds.count("HoldDestroyed")) == (1, 1)
    office.close(case_id)
    assert check_everything(office.desk) == []

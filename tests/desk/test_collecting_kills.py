"""A person's answer is killed at each stage: nothing half is ever believed, and the same command again finishes it."""

import subprocess
import sys
from pathlib import Path

import pytest

from desk.collected import CONTRACTS, TICKETS, answer, opened, ready, ticket, written
from desk.holds import files_with
from dueprocess.desk.check import check_everything
from dueprocess.desk.collecting import Said, unanswered_tables
from dueprocess.desk.vaultcheck import unnamed_objects
from dueprocess.history.append import load_case
from dueprocess.wire import instant
from office import Office

pytestmark = pytest.mark.stage("brisk")
TESTS = Path(__file__).parents[1]
PUT, STEP = "dueprocess.vault.vault:Vault.put", "dueprocess.steps.collect:collect"


def test_an_answer_that_was_killed_counts_whole_or_not_at_all(office: Office) -> None:
    """Killed after a part, after the list, before and after the event: run again it is one answer, and the package
    has it once.
    """
    case_id = ready(office)
    file = written(office, ticket(address="198.51.100.77"))
    answer(office, case_id, CONTRACTS, Said(nothing_held=True))
    for where, number, when in (
        (PUT, 1, "after"),
        (PUT, 2, "after"),
        (STEP, 1, "before"),
        (STEP, 1, "after"),
    ):
        given = [str(office.root), instant(office.now), case_id, str(file), where, str(number), when]
        command = [sys.executable, "-m", "desk.collect_killed", *given]
        done = subprocess.run(command, cwd=TESTS, capture_output=True, text=True, check=False)
        assert done.returncode == -9, done.stderr
        assert "198.51.100.77" not in done.stdout + done.stderr
        assert list(files_with(office.root, b"198.51.100.77")) == []
        assert check_everything(office.desk) == []
        told = (where, when) == (STEP, "after")
        assert unanswered_tables(office.desk, load_case(case_id), "t1") == ([] if told else [TICKETS])
    answer(office, case_id, TICKETS, Said(files=[file]))
    assert check_everything(office.desk) == []
    left = {each.title.partition(":")[0] for each in unnamed_objects(office.desk)}
    assert left <= {
        "collected",
        "collected-part",
    }  # lists of killed attempts; no fault, and gone with the case
    office.produce(case_id)
    assert len(opened(office, case_id)["data/paper/tickets.0001.jsonl"].splitlines()) == 1

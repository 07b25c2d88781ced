"""What was approved is what is read: any edit of it after the second signature closes the gate."""

import pytest

from abuse.edits import EDITS, Worker, edited, try_edits
from dueprocess.errors import DueprocessError
from office import Office

pytestmark = pytest.mark.stage("ready")


def test_the_gate_opens_for_what_was_approved(office: Office) -> None:
    """Without an edit the worker's questions are all answered, so that a refusal below means the edit."""
    worker = Worker(office)
    assert len(worker.look(worker.approved)) >= 7


def test_every_random_edit_is_refused(office: Office) -> None:
    """Two thousand edits of scope, map, plan, roster, decision and history; the full run makes 100,000."""
    refused, opened = try_edits(Worker(office), 2000, seed=7)
    assert opened == []
    assert set(refused) == set(EDITS)
    assert sum(refused.values()) == 2000


def test_an_edited_copy_always_differs_and_leaves_the_original() -> None:
    """The dice change something each time, in a copy."""
    import random

    value = {"a": [1, {"b": "c"}], "d": True}
    dice = random.Random(3)
    assert all(edited(value, dice) != value for _ in range(500))
    assert value == {"a": [1, {"b": "c"}], "d": True}


@pytest.mark.parametrize("name", ["scope", "map", "decision"])
def test_an_edit_on_the_disk_stops_the_real_worker(office: Office, name: str) -> None:
    """The same three kinds on the disk of a real installation: the production worker refuses, and no parcel comes."""
    desk = office.desk
    if name == "map":
        path = desk.installation.datamap
        path.write_text(path.read_text().replace('"session.times"', '"traffic"'))
    else:
        folder = max((each for each in desk.installation.vault.rglob("*") if each.is_dir()), key=_depth)
        for path in sorted(folder.iterdir()):
            path.write_bytes(path.read_bytes()[:-1] + b"x")
    from dueprocess.desk.desk import open_desk

    office.desk = open_desk(desk.installation.root)
    with pytest.raises(DueprocessError):
        office.produce(office.cases[0])
    assert list(desk.installation.parcels.glob("*.age")) == []


def _depth(path: object) -> int:
    return len(str(path).split("/"))

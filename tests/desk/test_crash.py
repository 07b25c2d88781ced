"""kill -9 at each place where something was promised and not yet done; then the same thing is run again.

What can be repeated is repeated by itself; what cannot be taken back (a letter, a hand-over) asks a person.
"""

import datetime as dt
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from dueprocess.desk import handover, notices, setup
from dueprocess.desk.check import check_everything
from dueprocess.desk.filekeys import make_key
from dueprocess.errors import ConflictError, RefusedError, UnavailableError
from dueprocess.history import connection, ledger
from dueprocess.history.append import load_case
from dueprocess.production import collect, formatting
from dueprocess.tlog.checkpoint import open_checkpoint
from dueprocess.tlog.tilereader import TileReader
from dueprocess.wire import instant
from office import MAP, START, Office

pytestmark = [pytest.mark.slow, pytest.mark.stage("ready")]

DRIVER = Path(__file__).with_name("killed.py")


def killed(office: Office, where: str, verb: str, *rest: str, number: int = 1, when: str = "before") -> None:
    """Runs one verb in another process, which dies at that place."""
    run(office.root, office.now, where, str(number), when, verb, *rest)


def run(root: Path, now: dt.datetime, *rest: str) -> None:
    done = subprocess.run(
        [sys.executable, DRIVER, root, instant(now), *rest],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == -9, done.stderr


def kinds(office: Office) -> list[str]:
    return [event.kind for event in load_case(office.cases[0]).events]


def log_is_sound(office: Office) -> int:
    """Reads the published log as a stranger does, every file of it; returns its size."""
    opened = open_checkpoint(office.desk.read_log("checkpoint"), office.desk.policy)
    list(TileReader(office.desk.read_log, opened.checkpoint).audit())
    return opened.checkpoint.size


LOG = "dueprocess.publication.log"
PLACES = [
    (f"{LOG}:write_durable", 1, "before"),  # between the head's commit and the tiles
    (f"{LOG}:write_durable", 1, "after"),  # between two tiles
    (f"{LOG}:write_durable", 2, "after"),  # between the tiles and the checkpoint
    ("dueprocess.publication.durable:sync_folder", 3, "before"),  # the checkpoint is in place, not yet safe
]


@pytest.mark.parametrize(("where", "number", "when"), PLACES)
def test_a_log_that_died_while_publishing_publishes_the_same_head(
    office_on: Office, where: str, number: int, when: str
) -> None:
    """What was committed is what appears, now or at the next start; a reader never sees half of it."""
    before = log_is_sound(office_on)
    office_on.receive()
    office_on.now += dt.timedelta(hours=6)
    killed(office_on, where, "close_due", number=number, when=when)
    head = ledger.head()
    assert head is not None
    assert head.size == before + 1
    assert log_is_sound(office_on) in (before, before + 1)
    office_on.desk.log().close_due(office_on.now)
    assert ledger.head() == head
    assert log_is_sound(office_on) == before + 1
    assert office_on.desk.read_log("checkpoint").decode() == head.checkpoint
    assert check_everything(office_on.desk) == []


def test_an_epoch_that_died_before_its_commit_was_never_closed(office_on: Office) -> None:
    """Leaf, head, epoch and places are one transaction: all of them or none."""
    before = ledger.last_epoch()
    office_on.receive()
    office_on.now += dt.timedelta(hours=6)
    killed(office_on, "dueprocess.history.ledger:add_leaf", "close_due", when="after")
    assert ledger.last_epoch() == before
    assert office_on.desk.log().close_due(office_on.now) == 1
    assert check_everything(office_on.desk) == []


@pytest.mark.parametrize(
    ("where", "number", "when"),
    [
        ("dueprocess.desk.production:run_plan", 1, "before"),
        ("dueprocess.production.answer:open_stores", 1, "after"),
        ("dueprocess.production.collect:formatted", 1, "before"),  # the first records, encryption is running
        ("dueprocess.production.collect:formatted", 2, "before"),  # between two tables
        ("dueprocess.production.packing:manifest", 2, "after"),  # all but the last bytes are encrypted
        ("dueprocess.desk.production:run_plan", 1, "after"),
        ("dueprocess.steps.produce:finish_production", 1, "before"),
    ],
)
def test_a_production_that_died_is_run_again(
    office_on: Office, tmp_path: Path, where: str, number: int, when: str
) -> None:
    """Nothing left the house, so the worker starts afresh; one parcel counts, and it is delivered once."""
    case_id = office_on.cases[0]
    dsn = office_on.environment["PLATFORM_DSN"]
    killed(office_on, where, "produce", case_id, dsn, number=number, when=when)
    assert kinds(office_on)[-1] == "ProductionStarted"
    made = office_on.produce(case_id)
    assert kinds(office_on).count("DataProduced") == 1
    office_on.wait(hours=6)
    office_on.deliver(case_id, tmp_path / "answer.age")
    assert kinds(office_on).count("ParcelDelivered") == 1
    assert (office_on.desk.installation.parcels / f"{made.parcel_id}.tar.age").exists()
    assert check_everything(office_on.desk) == []


def test_a_production_whose_encryption_was_killed_is_run_again(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The program that encrypts dies between two tables: no parcel, half or whole, and the next run makes one."""
    real = formatting.formatted

    def killing(*args: Any) -> Any:
        with suppress(OSError):  # once it is killed, a thread of ours ends while we look
            for task in Path("/proc/self/task").iterdir():
                for child in (task / "children").read_text().split():
                    os.kill(int(child), signal.SIGKILL)
        return real(*args)

    case_id = office.cases[0]
    with monkeypatch.context() as patched:
        patched.setattr(collect, "formatted", killing)
        with pytest.raises(UnavailableError) as caught:
            office.produce(case_id)
    assert caught.value.code == "encryption-ended"
    assert list(office.desk.installation.parcels.iterdir()) == []
    made = office.produce(case_id)
    assert [path.name for path in office.desk.installation.parcels.iterdir()] == [f"{made.parcel_id}.tar.age"]
    assert kinds(office).count("DataProduced") == 1
    assert check_everything(office.desk) == []


@pytest.mark.stage("produced")
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_hand_over_that_died_asks_a_person(office_on: Office, tmp_path: Path, when: str) -> None:
    """Whether the file was taken nobody can know from here: it is never handed over twice by itself."""
    case_id, to = office_on.cases[0], tmp_path / "answer.age"
    killed(office_on, "dueprocess.desk.handover:hand_over", "deliver", case_id, str(to), when=when)
    assert kinds(office_on)[-1] == "DeliveryStarted"
    assert to.exists() == (when == "after")
    with pytest.raises(RefusedError) as caught:
        office_on.deliver(case_id, tmp_path / "again.age")
    assert caught.value.code == "half-delivered"
    assert not (tmp_path / "again.age").exists()
    event = handover.confirm(office_on.desk, case_id, "t1", actor="boris", now=office_on.now)
    assert (event.kind, event.actor, event.text("channel")) == ("ParcelDelivered", "boris", "file")
    with pytest.raises(RefusedError) as caught:
        handover.confirm(office_on.desk, case_id, "t1", actor="boris", now=office_on.now)
    assert caught.value.code == "nothing-begun"
    assert check_everything(office_on.desk) == []


@pytest.mark.stage("brisk")
@pytest.mark.parametrize("number", [1, 5])
def test_a_letter_that_died_asks_a_person(office: Office, number: int) -> None:
    """Begun and not finished, it is not sent again; the worker says so and goes on, until a person has looked."""
    office.cases = [office.approved_case()]
    office.desk.log().close_due(office.now + dt.timedelta(hours=6))
    office.now += dt.timedelta(hours=6)
    case_id = office.cases[0]
    with pytest.raises(RefusedError) as caught:
        notices.confirm(office.desk, case_id, "t1", actor="boris", now=office.now)
    assert caught.value.code == "nothing-begun"
    killed(office, "dueprocess.desk.notices:write_durable", "notify", case_id, number=number, when="after")
    assert kinds(office)[-1] == "NoticeStarted"
    with pytest.raises(RefusedError) as caught:
        office.notify(case_id)
    assert caught.value.code == "half-sent"
    office.wait(hours=6)
    assert any("was begun and not finished" in line for line in office.seen)
    assert kinds(office).count("NoticeStarted") == 1
    assert notices.confirm(office.desk, case_id, "t1", actor="boris", now=office.now) == "before"
    assert kinds(office)[-1] == "UserNotified"
    assert office.notify(case_id) is None
    assert check_everything(office.desk) == []


INIT = [
    ("dueprocess.desk.setup:write_durable", 2, "after"),  # policy written, no settings yet
    ("dueprocess.desk.setup:write_durable", 3, "after"),  # settings written, no store yet
    ("dueprocess.history.connection:create_tables", 1, "after"),
    ("dueprocess.desk.setup:write_durable", 4, "after"),  # founders pinned, not founded
    ("dueprocess.steps.enrol:found", 1, "after"),
    ("dueprocess.desk.packs:write_durable", 1, "after"),  # the baseline's text is kept, not in force
    (
        "dueprocess.desk.packs:decide_about_packs",
        2,
        "before",
    ),  # the baseline is in force, its text beside the next
    ("dueprocess.desk.packs:decide_about_packs", 3, "after"),  # all of them are in force
    ("dueprocess.publication.log:write_durable", 1, "before"),  # first head committed, nothing published
]


@pytest.mark.parametrize(("where", "number", "when"), INIT)
def test_an_init_that_died_goes_on(quick_folder: Path, where: str, number: int, when: str) -> None:
    """Run again by the same founders it ends in one whole installation; a third run is refused, as ever."""
    facts: dict[str, Any] = {
        "origin": "chat.example/dueprocess/1", "regimes": ("us",), "operator": "Chat Example", "country": "US",
        "contact": "legal@chat.example", "datamap": "map.toml", "clock": "simulated",
    }  # fmt: skip
    root = quick_folder / "install"
    root.mkdir()
    (root / "map.toml").write_text(MAP)
    names = ("boris", "chi", "dana")
    paths = [quick_folder / f"{name}.json" for name in names]
    founders = [make_key(name, path) for name, path in zip(names, paths, strict=True)]
    run(root, START, where, str(number), when, "init", repr(facts), *map(str, paths[:2]))
    new = setup.NewInstallation(**facts)
    desk = setup.create(root, new, founders[:2], START)
    assert check_everything(desk) == []
    assert {entry.id for entry in desk.roster().entries.values()} == {"boris", "chi"}
    assert [each.id for each in desk.pack_rules().history] == ["baseline", "us.reverse", "us.sca"]
    with pytest.raises(ConflictError) as caught:
        setup.create(root, new, founders[:2], START)
    assert caught.value.code == "exists"
    (root / setup.UNFINISHED).touch()
    with pytest.raises(ConflictError) as caught:
        setup.create(root, new, founders[1:], START)
    assert caught.value.code == "founded"
    connection.use("sqlite::memory:")

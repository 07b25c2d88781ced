"""kill -9 in the middle of a backup, a restore, a recovery; then the same thing is run again and is whole."""

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from desk.drills import Elsewhere, Saved, code, recover, save
from desk.test_recover import kinds, leaves, outsider
from dueprocess.desk import backups, restoring
from dueprocess.desk.check import check_everything
from dueprocess.desk.desk import open_desk
from dueprocess.desk.restored import read_mark
from dueprocess.history import connection, ledger
from dueprocess.library.backup_archive import read_archive
from dueprocess.tlog.leaf import IncidentLeaf
from dueprocess.wire import instant
from dueprocess.worker.clock import set_clock
from office import Office

if TYPE_CHECKING:
    from conftest import Templates

pytestmark = [pytest.mark.slow, pytest.mark.stage("ready")]

DRIVER = Path(__file__).with_name("drill_killed.py")


@pytest.fixture
def away_on(vendor: str, templates: "Templates", quick_folder: Path) -> Elsewhere:
    return Elsewhere(vendor, templates, quick_folder)


@pytest.fixture
def away(templates: "Templates", quick_folder: Path) -> Elsewhere:
    return Elsewhere("sqlite", templates, quick_folder)


def killed(office: Office, where: str, *rest: str | Path) -> None:
    """Runs one verb in another process, which dies at ``module:function N before|after``."""
    connection.close()
    path = os.pathsep.join([str(Path(__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, DRIVER, instant(office.now), *where.split(), *rest],
        env={**os.environ, "PYTHONPATH": path, "PYTHONWARNINGS": "ignore"},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == -9, done.stderr


BACKUPS = "dueprocess.desk.backups"


@pytest.mark.parametrize("verb", ["backup", "keys"])
@pytest.mark.parametrize(
    "where",
    ["write_archive 1 before", "write_archive 1 after", "read_archive 1 after", "sync_folder 1 before"],
)
def test_a_backup_that_died_leaves_a_whole_file_or_none(office: Office, verb: str, where: str) -> None:
    """Run again it is made; where the name stands already, the file under it is whole. Nothing hidden stays."""
    make = backups.back_up if verb == "backup" else backups.back_up_keys
    out = office.root.parent / "night.backup"
    killed(office, f"{BACKUPS}:{where}", verb, office.root, out)
    assert out.exists() == where.startswith("sync_folder")
    make(office.desk, out.with_name("next.backup"), office.now)
    if not out.exists():
        make(office.desk, out, office.now)
    with out.open("rb") as file:
        assert read_archive(file, backups.open_kek(office.root / "keys" / "kek")).members
    assert [each.name for each in out.parent.iterdir() if each.name.startswith(".")] == []
    assert list((office.root / ".backup").iterdir()) == []


RESTORING = "dueprocess.desk.restoring"


@pytest.mark.parametrize(
    "where",
    [
        "_checked 1 after", "_open 20 before", "_mark 1 before", "_settle 1 before", "finish_erasures 1 before",
    ],
)  # fmt: skip
def test_a_restore_that_died_is_run_again(office_on: Office, away_on: Elsewhere, where: str) -> None:
    """With the same files it goes on, and before it is whole nobody can open it."""
    saved = save(office_on)
    place = away_on.place(saved)
    root = away_on.folder / "elsewhere"
    words = (place.archive, place.keys, place.kek, root, place.database or "")
    killed(office_on, f"{RESTORING}:{where}", "restore", *(str(word or "") for word in words))
    begun = (root / "dueprocess.toml").exists()
    assert begun == (where == "finish_erasures 1 before")
    found = restoring.restore(place, root, office_on.now)
    assert (found.faults, found.without_key) == ([], [])
    assert [each.name for each in root.iterdir() if each.name.startswith(".")] == []
    assert code(open_desk(root).log) == "restored"


def test_a_half_restored_folder_takes_no_other_backup(office: Office, away: Elsewhere) -> None:
    """Two backups are never mixed in one folder."""
    saved, other = save(office), save(office, "another")
    root = away.folder / "elsewhere"
    killed(office, f"{RESTORING}:unpack 1 after", "restore", saved.main, saved.keys, saved.kek, root, "")
    assert code(lambda: restoring.restore(other.backup(), root, office.now)) == "other-restore"
    mixed = saved.backup(keys=other.keys)
    assert code(lambda: restoring.restore(mixed, root, office.now)) == "other-restore"
    assert restoring.restore(saved.backup(), root, office.now).faults == []


def test_a_restore_that_died_at_its_very_end_is_whole(office: Office, away: Elsewhere) -> None:
    """Only fsck's answer was lost: the folder is an installation, which is not restored over."""
    saved = save(office)
    root = away.folder / "elsewhere"
    killed(office, f"{RESTORING}:_told 1 before", "restore", saved.main, saved.keys, saved.kek, root, "")
    assert code(lambda: restoring.restore(saved.backup(), root, office.now)) == "not-empty"
    desk = open_desk(root)
    assert check_everything(desk) == []
    assert code(desk.log) == "restored"


def people(office: Office) -> list[Path]:
    return [office.root.parent / "people" / f"{name}.json" for name in ("boris", "chi")]


RECOVERY = "dueprocess.desk.recovery"


PLACES = [
    f"{RECOVERY}:decide 1 before",
    f"{RECOVERY}:decide 1 after",
    "dueprocess.history.ledger:add_leaf 4 before",
    f"{RECOVERY}:_say_publicly 1 before",
    "dueprocess.publication.log:write_durable 1 before",
    "dueprocess.publication.log:write_durable 2 after",
    f"{RECOVERY}:unmark 1 before",
]
HOW = [*(("restored", where) for where in PLACES), *(("copied over", where) for where in PLACES[1::2])]


@pytest.mark.parametrize(("how", "where"), HOW)
def test_a_recovery_that_died_is_run_again(office: Office, away: Elsewhere, how: str, where: str) -> None:
    """Two people decide once, the log says once what was lost, and nobody outside sees a fork."""
    look = outsider(office, office.root.parent / "outsider")
    saved: Saved = save(office)
    office.wait(hours=30)
    assert look(office) == []
    copy = office.root / "log"
    restored, _ = away.restored(office, saved)
    if how == "copied over":
        (restored.root / "worker" / "restored.json").unlink()
    set_clock(restored.desk.installation, office.now)
    killed(office, where, "recover", restored.root, copy, *people(office))
    assert read_mark(restored.desk.installation) is not None
    assert code(restored.desk.log) == "restored"
    assert recover(restored, copy=copy).recovery.lost is not None
    assert kinds(restored).count("LogRecovered") == 1
    assert len([leaf for leaf in leaves() if isinstance(leaf, IncidentLeaf)]) == 1
    assert check_everything(restored.desk) == []
    restored.wait(hours=12)
    assert check_everything(restored.desk) == []
    assert look(restored) == []


def test_a_recovery_that_died_after_its_mark_is_done(office: Office, away: Elsewhere) -> None:
    """Only the public pages were not written yet; the worker writes them."""
    saved = save(office)
    office.wait(hours=12)
    restored, _ = away.restored(office, saved)
    copy = office.root / "log"
    killed(office, f"{RECOVERY}:write_site 1 before", "recover", restored.root, copy, *people(office))
    assert code(lambda: recover(restored, copy=copy)) == "nothing-to-recover"
    assert check_everything(restored.desk) == []
    assert ledger.newest_head() is not None
    restored.wait(hours=6)

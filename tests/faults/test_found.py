"""What the fault harness found and what was changed for it, each once more as a small test."""

import errno
import os
import time
from pathlib import Path

import pytest

from dueprocess.desk import erasing, parcels, setup
from dueprocess.desk.filekeys import make_key
from dueprocess.errors import ConflictError, RefusedError, UnavailableError
from dueprocess.history import connection
from dueprocess.production import head
from dueprocess.publication import durable
from dueprocess.vault import privatefiles
from dueprocess.worker import production as production_worker
from office import MAP, START, Office


@pytest.mark.stage("ready")
def test_a_whole_parcel_that_no_event_names_is_taken_away(office: Office) -> None:
    """A program that died between naming and recording leaves both names; the worker's next turn clears them."""
    folder = office.desk.installation.parcels
    path = folder / "p-0000000000000000.tar.age"
    with parcels.unfinished(path) as parcel:
        with parcel.filled() as file:
            file.write(b"ciphertext")
        parcels.clear_unfinished(folder)
        assert path.read_bytes() == b"ciphertext", "somebody is at it"
        os.link(path.with_suffix(".new"), folder / "kept")
    (folder / "kept").rename(path.with_suffix(".new"))
    office.environment = {}
    production_worker.turn(office.desk, office.now)
    assert [each.name for each in folder.glob("p-0000*")] == []


@pytest.mark.stage("produced")
def test_a_parcel_that_history_names_keeps_its_own_name(office: Office) -> None:
    """A program that died right after the record leaves the other name only, and that one goes."""
    folder = office.desk.installation.parcels
    (path,) = folder.iterdir()
    os.link(path, path.with_suffix(".new"))
    parcels.clear_unfinished(folder)
    assert list(folder.iterdir()) == [path]


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "full"), RefusedError("no", "no"), KeyboardInterrupt()]
)
def test_a_parcel_that_was_not_finished_has_no_name(tmp_path: Path, error: BaseException) -> None:
    """Whatever ends it, nothing lies there; a full disk is said in our words."""
    path = tmp_path / "parcels" / "p-1.tar.age"
    wanted = UnavailableError if isinstance(error, OSError) else type(error)

    def write() -> None:
        with parcels.unfinished(path) as parcel, parcel.filled() as file:
            file.write(b"half")
            raise error

    with pytest.raises(wanted):
        write()
    assert list(path.parent.iterdir()) == []


def test_two_programs_that_remember_a_head_do_not_share_a_file(tmp_path: Path) -> None:
    """What one of them left half written is not what the other gives its name to; and the name is made safe."""
    seen = tmp_path / "worker" / "seen-checkpoint"
    seen.parent.mkdir()
    (seen.parent / "seen-checkpoint.new").write_bytes(b"half of another")
    head.remember(seen, b"a head")
    assert seen.read_bytes() == b"a head"


def test_a_folder_that_cannot_be_synced_is_not_called_a_conflict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file was written by this very call: the disk failed, nobody was faster."""

    def fails(_: Path) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(privatefiles, "sync_folder", fails)
    with pytest.raises(UnavailableError):
        privatefiles.write_private(tmp_path / "key", b"k")
    monkeypatch.undo()
    with pytest.raises(ConflictError):
        privatefiles.write_private(tmp_path / "key", b"k")


def test_a_letter_folder_that_cannot_be_removed_is_said(tmp_path: Path) -> None:
    """A file that came in between keeps the folder there: an error with what to do, not a bare one."""
    folder = tmp_path / "letter"
    (folder / "inner").mkdir(parents=True)
    (folder / "inner" / "file").touch()
    with pytest.raises(UnavailableError) as caught:
        erasing._remove(erasing._with_contents(folder))  # noqa: SLF001
    assert caught.value.code == "cannot-destroy"


def test_a_disk_that_fails_while_tables_are_made_is_said(tmp_path: Path) -> None:
    """`init` on a full or broken disk ends in our own words."""
    connection.use(f"sqlite:{tmp_path / 'no such folder' / 'history.db'}")
    with pytest.raises(UnavailableError) as caught:
        connection.create_tables()
    assert caught.value.code == "store-unavailable"
    connection.use("sqlite::memory:")


def test_a_second_init_at_the_same_time_waits(quick_folder: Path) -> None:
    """Each would pin its own founding and record the other's: the folder is locked, the later one finds it done."""
    root = quick_folder / "install"
    root.mkdir()
    (root / "map.toml").write_text(MAP)
    founders = [make_key(name, quick_folder / f"{name}.json") for name in ("boris", "chi")]
    new = setup.NewInstallation(
        origin="chat.example/dueprocess/1", regimes=("us",), operator="Chat Example", country="US",
        contact="legal@chat.example", datamap="map.toml", clock="simulated",
    )  # fmt: skip
    hear, tell = os.pipe()
    child = os.fork()
    if not child:
        with durable.exclusively(root):
            os.write(tell, b"locked")
            time.sleep(0.3)
            (root / "released").touch()
        os._exit(0)
    assert os.read(hear, 6) == b"locked"
    setup.create(root, new, founders, START)
    assert (root / "released").exists()
    os.waitpid(child, 0)
    with pytest.raises(ConflictError) as caught:
        setup.create(root, new, founders, START)
    assert caught.value.code == "exists"
    connection.use("sqlite::memory:")

"""Backups of a working office and their restore: what is in them, what is not, and what is refused."""

import datetime as dt
import shutil
import stat
import subprocess
import sys
import tarfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pyrage
import pytest

from desk.drills import Elsewhere, code, save, two
from dueprocess.desk import backups, erasing, restoring
from dueprocess.desk.check import check_everything
from dueprocess.history import ledger
from dueprocess.history.docket import docket
from dueprocess.library.backup_archive import read_archive
from office import Office

if TYPE_CHECKING:
    from conftest import Templates

pytestmark = pytest.mark.stage("ready")


@pytest.fixture
def away(templates: "Templates", quick_folder: Path) -> Elsewhere:
    return Elsewhere("sqlite", templates, quick_folder)


@pytest.fixture
def away_on(vendor: str, templates: "Templates", quick_folder: Path) -> Elsewhere:
    return Elsewhere(vendor, templates, quick_folder)


def names(path: Path) -> list[str]:
    with tarfile.open(path) as tar:
        return tar.getnames()


def files(root: Path, *folders: str) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for folder in folders
        for path in (root / folder).rglob("*")
        if path.is_file()
    }


# ---------------------------------------------------------------------------------------- what is in it


def test_a_restored_office_is_the_same_office(office_on: Office, away_on: Elsewhere) -> None:
    """On each database: fsck finds nothing, every case opens, every public file and every head is the same."""
    saved = save(office_on)
    before = (list(ledger.heads()), [line.case_id for line in docket()])
    restored, found = away_on.restored(office_on, saved)
    assert (found.faults, found.without_key, found.without_case) == ([], [], [])
    assert (list(ledger.heads()), [line.case_id for line in docket()]) == before
    assert restored.desk.vault.get(office_on.cases[0], "paper") == b"a paper"
    folders = ("log", "public", "vault", "datamaps")
    assert files(restored.root, *folders) == files(office_on.root, *folders)
    assert check_everything(restored.desk) == []


def test_a_backup_holds_no_key_and_a_key_backup_no_open_one(office: Office) -> None:
    """Neither archive, nor both, open anything: not the kek, no log key, no secret, no credential of a store."""
    (office.root / "worker" / "stores.env").write_text(
        "PLATFORM_DSN=postgresql://someone:letmein@db/platform\n"
    )
    (office.root / "keys" / "people").mkdir()
    shutil.copy(office.root.parent / "people" / "boris.json", office.root / "keys" / "people")
    saved = save(office)
    main, keys = saved.main.read_bytes(), saved.keys.read_bytes()
    secret = [each for each in (office.root / "keys").rglob("*") if each.is_file() and each.suffix != ".key"]
    assert {each.name for each in secret} >= {"kek", "log.pem", "log-ml-dsa-44.pem", "epoch-master.secret"}
    for path in secret:
        middle = path.read_bytes().strip()[-40:]
        assert middle not in main, path
        assert middle not in keys, path
    assert b"letmein" not in main + keys
    assert not [each for each in names(saved.main) if each.startswith("keys")]
    assert not [each for each in names(saved.keys) if "kek" in each or "people" in each]


def test_the_manifest_says_how_far_the_backup_is(office: Office) -> None:
    """Head, time, program, and of each member its size and digest."""
    saved = save(office)
    kek = backups.open_kek(saved.kek)
    with saved.main.open("rb") as file:
        manifest = read_archive(file, kek)
    head = ledger.newest_head()
    assert head is not None
    assert manifest.about["head"] == {"size": head.size, "root": head.root}
    assert manifest.about["made_at"] == "2026-09-04T14:00:00Z"
    assert str(manifest.about["program"]).startswith("dueprocess ")
    assert {*manifest.members, "manifest.json", "manifest.hmac"} == set(names(saved.main))
    with saved.keys.open("rb") as file:
        assert read_archive(file, kek).about["destroy_on"] == "2026-10-04"


def test_a_backup_is_for_its_owner_and_never_replaces_one(office: Office) -> None:
    """Mode 0600; a name that is taken, a folder that is missing and the installation's own folders are refused."""
    saved = save(office)
    assert stat.S_IMODE(saved.main.stat().st_mode) == stat.S_IMODE(saved.keys.stat().st_mode) == 0o600
    before = saved.main.read_bytes()
    assert code(lambda: backups.back_up(office.desk, saved.main, office.now)) == "exists"
    assert saved.main.read_bytes() == before
    inside = office.root / "public" / "b.backup"
    assert code(lambda: backups.back_up(office.desk, inside, office.now)) == "inside-installation"
    nowhere = office.root.parent / "nowhere" / "b.backup"
    assert code(lambda: backups.back_up(office.desk, nowhere, office.now)) == "no-folder"
    assert list(saved.main.parent.glob(".*")) == []


def test_an_encrypted_backup_needs_its_identity(office: Office, away: Elsewhere) -> None:
    """With --to the archives are age files: no name in them is readable, another identity opens nothing."""
    ours, other = pyrage.x25519.Identity.generate(), pyrage.x25519.Identity.generate()
    saved = save(office, to=str(ours.to_public()))
    for path in (saved.main, saved.keys):
        assert path.read_bytes().startswith(b"age-encryption.org/v1\n")
        assert b"vault/" not in path.read_bytes()
    for identity, wanted in ((None, "no-identity"), (str(other), "backup-damaged"), ("x", "bad-identity")):
        backup = saved.backup(identity=identity)
        assert code(partial(restoring.restore, backup, away.folder / "no", office.now)) == wanted
    _, found = away.restored(office, saved, identity=str(ours))
    assert found.faults == []
    assert not list((away.folder / "elsewhere").glob(".*"))


def test_a_recipient_that_is_none_is_refused(office: Office) -> None:
    """Before anything is written."""
    out = office.root.parent / "b.backup"
    assert code(lambda: backups.back_up(office.desk, out, office.now, to="age1nobody")) == "bad-recipient"
    assert not out.exists()


def test_partial_tiles_that_a_full_one_replaced_are_left_out(office: Office, away: Elsewhere) -> None:
    """A log of a year has a hundred thousand of them; the restored log needs none and passes fsck."""
    log = office.desk.log()
    for _ in range(260):
        office.now += dt.timedelta(hours=6)
        log.close_due(office.now)
    saved = save(office)
    assert (office.root / "log" / "tile" / "0" / "000.p").exists()
    kept = [each for each in names(saved.main) if each.startswith("log/tile/")]
    assert "log/tile/0/000" in kept
    assert not [each for each in kept if each.startswith("log/tile/0/000.p/")]
    assert away.restored(office, saved)[1].faults == []


# ---------------------------------------------------------------------------------------- while others write


def test_a_backup_while_papers_come_in_and_epochs_close_passes_fsck(
    office_on: Office, away_on: Elsewhere
) -> None:
    """Another process writes all the time, in the middle of the copying too: what is restored fits together."""
    folder = office_on.root.parent
    words: list[str | Path] = [
        sys.executable,
        Path(__file__).with_name("busy.py"),
        office_on.root,
        folder / "busy.txt",
    ]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as writer:
        try:
            assert writer.stdout is not None
            assert writer.stdout.readline() == "begun\n"
            saved = [save(office_on, f"night{number}") for number in range(3)]
            assert writer.poll() is None, "it was still writing"
        finally:
            writer.terminate()
    sizes = []
    for number, each in enumerate(saved):
        restored, found = away_on.restored(office_on, each, f"elsewhere{number}")
        assert found.faults == []
        assert found.without_key == []
        sizes.append((found.head_size, len(docket())))
        for line in docket():
            assert restored.desk.vault.has(line.case_id, "paper")
    assert len(set(sizes)) == 3, "each backup caught the writer elsewhere"
    assert sizes == sorted(sizes)


def test_a_tile_completed_during_the_copying_does_not_make_its_parts_superfluous() -> None:
    """What is left out is decided by one look at the folder, so that some copy of each leaf is always in the backup."""
    part, whole = "tile/0/000.p/200", "tile/0/000"
    assert backups.wanted_tile(part, {part}, 300)
    assert not backups.wanted_tile(part, {part, whole}, 300)
    assert backups.wanted_tile(whole, {part, whole}, 300)
    assert not backups.wanted_tile(whole, {part, whole}, 255)
    assert backups.wanted_tile(part, {part, whole}, 255)


# ---------------------------------------------------------------------------------------- what is refused


def test_without_the_right_key_encryption_key_nothing_is_restored(office: Office, away: Elsewhere) -> None:
    """Missing, of another shape, and of another installation; nothing but the claim of the folder is left."""
    saved = save(office)
    bad, other = away.folder / "bad", away.folder / "other"
    bad.write_text("hunter2")
    other.write_text("A" * 43 + "=")
    for path, wanted in ((away.folder / "gone", "no-kek"), (bad, "bad-kek"), (other, "wrong-kek")):
        backup = saved.backup(kek=path)
        assert code(partial(restoring.restore, backup, away.folder / "to", office.now)) == wanted
    assert [each.name for each in (away.folder / "to").iterdir()] == [".restoring"]


def test_a_key_backup_over_thirty_days_old_is_refused(office: Office, away: Elsewhere) -> None:
    """To the second; the installation's own archive may be as old as it likes."""
    saved = save(office)
    office.now += dt.timedelta(days=30, seconds=1)
    assert code(lambda: away.restored(office, saved)) == "key-backup-too-old"
    office.now -= dt.timedelta(seconds=1)
    assert away.restored(office, saved)[1].faults == []


def test_the_date_of_a_key_backup_cannot_be_moved(office: Office, away: Elsewhere) -> None:
    """It stands in the sealed manifest."""
    saved = save(office)
    data = saved.keys.read_bytes()
    saved.keys.write_bytes(data.replace(b'"made_at":"2026-09-04', b'"made_at":"2026-09-24'))
    assert saved.keys.read_bytes() != data
    assert code(lambda: away.restored(office, saved)) == "backup-damaged"


@pytest.mark.parametrize("which", ["main", "keys"])
def test_an_archive_that_was_cut_is_refused(office: Office, away: Elsewhere, which: str) -> None:
    """Wherever it was cut."""
    saved = save(office)
    path: Path = getattr(saved, which)
    data = path.read_bytes()
    for part in (0, 100, 512, 5_000, len(data) // 2, len(data) - 3_000, len(data) - 1_100):
        path.write_bytes(data[:part])
        assert code(lambda: away.restored(office, saved)) == "backup-damaged", part


def test_one_flipped_bit_is_noticed_before_anything_is_unpacked(office: Office, away: Elsewhere) -> None:
    """In the store, in a case's file, in the log, in the manifest, in the seal."""
    saved = save(office)
    data = saved.main.read_bytes()
    with tarfile.open(saved.main) as tar:
        places = {each.name: each.offset_data + each.size // 2 for each in tar if each.size}
    picked = [name for name in places if name.startswith(("database/", "vault/", "log/tile/0", "manifest"))]
    assert len(picked) > 6
    for name in picked:
        changed = bytearray(data)
        changed[places[name]] ^= 1
        saved.main.write_bytes(changed)
        assert code(lambda: away.restored(office, saved)) in ("backup-damaged", "wrong-kek"), name
    assert [each.name for each in (away.folder / "elsewhere").iterdir()] == [".restoring"]


def test_a_folder_that_holds_something_is_refused(office: Office, away: Elsewhere) -> None:
    """Another installation above all: a restore mixes with nothing."""
    saved = save(office)
    assert code(lambda: restoring.restore(saved.backup(), office.root, office.now)) == "not-empty"
    (away.folder / "full").mkdir()
    (away.folder / "full" / "mine").write_text("keep")
    assert code(lambda: restoring.restore(saved.backup(), away.folder / "full", office.now)) == "not-empty"
    assert [each.name for each in (away.folder / "full").iterdir()] == ["mine"]


def test_archives_in_each_others_place_and_of_others_are_refused(
    office: Office, away: Elsewhere, templates: "Templates"
) -> None:
    """The two files confused; the keys of another installation; a store for another kind of database; no file."""
    saved = save(office)
    to = away.folder / "to"
    swapped = saved.backup(archive=saved.keys, keys=saved.main)
    assert code(lambda: restoring.restore(swapped, to, office.now)) == "other-backup"
    for address in ("postgresql://postgres@127.0.0.1/nowhere", "sqlite:elsewhere.db"):
        other = saved.backup(database=address)
        assert code(partial(restoring.restore, other, to, office.now)) == "other-database"
    assert code(lambda: restoring.restore(saved.backup(archive=to / "no"), to, office.now)) == "no-backup"


def test_a_database_that_holds_something_is_refused(
    templates: "Templates", quick_folder: Path, office_on: Office, vendor: str
) -> None:
    """A PostgreSQL store goes into an empty database only."""
    if vendor == "sqlite":
        return
    saved = save(office_on)
    taken = templates.database("postgresql", templates.store("postgresql"))
    backup = saved.backup(database=taken)
    assert code(lambda: restoring.restore(backup, quick_folder / "to", office_on.now)) == "database-not-empty"


# ---------------------------------------------------------------------------------------- erasure


def closed_case(office: Office) -> str:
    """A paper that was never meant for this service: closed unread and sealed, so that it can be erased."""
    case_id = office.receive("a paper that names somebody", "stray.txt")
    office.close(case_id)
    office.wait(hours=6)
    return case_id


def erase(office: Office, case_id: str) -> None:
    erasing.erase(office.desk, case_id, "received-in-error", two(office), now=office.now)


def test_an_erased_case_cannot_be_opened_from_an_older_backup(office: Office, away: Elsewhere) -> None:
    """Main backup before the erasure, key backup after it: the paper is there, encrypted, and stays so."""
    case_id = closed_case(office)
    older = save(office, "older")
    erase(office, case_id)
    office.wait(hours=6)
    newer = save(office, "newer")
    restored, found = away.restored(office, older, keys=newer.keys)
    assert found.without_key == [case_id]
    assert code(lambda: restored.desk.vault.get(case_id, "paper")) == "erased"
    assert {fault.row.split("/")[0] for fault in found.faults} == {case_id[:8]}


def test_an_erased_case_is_erased_again_where_the_older_keys_had_it(office: Office, away: Elsewhere) -> None:
    """Key backup before the erasure, main backup after it: history says erased, so the key goes at once."""
    case_id = closed_case(office)
    older = save(office, "older")
    erase(office, case_id)
    office.wait(hours=6)
    newer = save(office, "newer")
    assert f"cases/{case_id}.key" in names(older.keys)
    restored, found = away.restored(office, newer, keys=older.keys)
    assert found.erased_again == [f"{case_id[:8]}: erasure completed"]
    assert not restored.desk.keys.has(case_id)
    assert found.faults == []


def test_papers_that_came_after_the_backup_are_named(office: Office, away: Elsewhere) -> None:
    """A newer key backup knows them: somebody has to find them in the mailbox again."""
    older = save(office, "older")
    case_id = office.receive("a later paper", "later.txt")
    newer = save(office, "newer")
    _, found = away.restored(office, older, keys=newer.keys)
    assert found.without_case == [case_id]
    assert found.faults == []


def test_cases_that_are_newer_than_the_key_backup_are_named(office: Office, away: Elsewhere) -> None:
    """The keys were backed up first, which is the wrong order: what came between cannot be opened, and fsck says it."""
    older = save(office, "older")
    case_id = office.receive("a later paper", "later.txt")
    newer = save(office, "newer")
    _, found = away.restored(office, newer, keys=older.keys)
    assert found.without_key == [case_id]
    assert found.faults != []

"""Backups of keys under a passphrase, of keys that were rotated, and of a vault in object storage."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from desk.drills import Elsewhere, code, save
from desk.test_backup import names
from dueprocess.desk import backups, restoring
from dueprocess.desk.check import check_everything
from dueprocess.desk.desk import open_desk
from dueprocess.history.docket import docket
from dueprocess.vault import FileObjects
from dueprocess.vault.keystore import InUse, write_in_use
from dueprocess.vault.rotation import change_passphrase, rotate
from dueprocess.wire import b64
from office import Office
from vault.s3server import KEY, SECRET, S3Server

if TYPE_CHECKING:
    from conftest import Templates

pytestmark = pytest.mark.stage("ready")

WORDS = "correct horse battery staple"


@pytest.fixture
def away(templates: "Templates", quick_folder: Path) -> Elsewhere:
    return Elsewhere("sqlite", templates, quick_folder)


def settings(office: Office, text: str) -> None:
    path = office.root / "dueprocess.toml"
    path.write_text(path.read_text() + text)
    office.desk = open_desk(office.root)


def test_a_key_under_a_passphrase_is_restored_with_the_passphrase_alone(
    office: Office, away: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is in the backup of the keys as it lies there, sealed; nothing bare is in either archive."""
    change_passphrase(office.desk.keys, WORDS)
    saved = save(office)
    kek = b64(office.desk.keys.kek).encode()
    assert "kek" in names(saved.keys)
    assert "kek" not in names(saved.main)
    for path in (saved.main, saved.keys):
        assert kek not in path.read_bytes()
    monkeypatch.setenv("DUEPROCESS_PASSPHRASE", WORDS)
    restored, found = away.restored(office, saved, "one", kek=None, passphrase=lambda: WORDS)
    assert (found.faults, found.without_key) == ([], [])
    assert restored.desk.vault.get(office.cases[0], "paper") == b"a paper"
    assert (restored.root / "keys" / "kek").read_bytes() == (office.root / "keys" / "kek").read_bytes()
    wrong = saved.backup(kek=None, passphrase=lambda: "incorrect horse battery")
    assert code(lambda: restoring.restore(wrong, away.folder / "two", office.now)) == "wrong-passphrase"


def test_the_bare_key_on_paper_still_restores_where_the_passphrase_is_lost(
    office: Office, away: Elsewhere
) -> None:
    """What was brought is what is written: the restored key store has no passphrase."""
    kek = b64(office.desk.keys.kek)
    change_passphrase(office.desk.keys, WORDS)
    saved = save(office)
    saved.kek.write_text(kek + "\n")
    restored, found = away.restored(office, saved)
    assert found.faults == []
    assert restored.desk.keys.source.kind == "file"


def test_a_backup_of_the_keys_without_its_key_needs_one(office: Office, away: Elsewhere) -> None:
    """Without a passphrase the key-encryption key is in no backup, and must be brought."""
    saved = save(office)
    backup = saved.backup(kek=None)
    assert code(lambda: restoring.restore(backup, away.folder / "no", office.now)) == "no-kek"


def test_after_a_rotation_older_archives_need_the_older_key(office: Office, away: Elsewhere) -> None:
    """The older pair with the older key; an older backup with newer keys needs both, in one file."""
    old = save(office)
    rotate(office.desk.keys, office.now)
    new = save(office, "next")
    _, found = away.restored(office, old, "old")
    assert found.faults == []
    both = away.folder / "both"
    both.write_text(old.kek.read_text() + "\n" + new.kek.read_text() + "\n")
    mixed = {"archive": old.main, "kek": both}
    for wrong in (old.kek, new.kek):
        backup = new.backup(archive=old.main, kek=wrong)
        assert code(lambda: restoring.restore(backup, away.folder / "no", office.now)) == "wrong-kek"  # noqa: B023
    restored, found = away.restored(office, new, "mixed", **mixed)
    assert found.faults == []
    assert restored.desk.vault.get(office.cases[0], "paper") == b"a paper"
    assert (restored.root / "keys" / "kek").read_text() == new.kek.read_text()


def test_the_keys_are_not_backed_up_in_the_middle_of_a_rotation(office: Office) -> None:
    """They would need two key-encryption keys, and be called whole."""
    write_in_use(office.root / "keys", InUse("0" * 16, "2026-09-04T08:00:00Z"))
    out = office.root.parent / "k.backup"
    assert code(lambda: backups.back_up_keys(office.desk, out, office.now)) == "rotation-unfinished"
    assert not out.exists()


def test_a_key_service_keeps_its_key_to_itself(office: Office, away: Elsewhere) -> None:
    """Neither archive nor the restored folder holds it; the command is asked there too."""
    kek = away.folder / "service"
    kek.write_text(b64(b"s" * 32))
    settings(office, f'\n[keys]\ncommand = ["cat", "{kek}"]\n')
    rotate(office.desk.keys, office.now)
    assert not (office.root / "keys" / "kek").exists()
    backups.back_up(office.desk, away.folder / "m", office.now)
    backups.back_up_keys(office.desk, away.folder / "k", office.now)
    assert "kek" not in names(away.folder / "k")
    found = restoring.restore(
        restoring.Backup(away.folder / "m", away.folder / "k", kek), away.folder / "r", office.now
    )
    assert found.faults == []
    assert not (away.folder / "r" / "keys" / "kek").exists()
    assert open_desk(away.folder / "r").vault.get(office.cases[0], "paper") == b"a paper"


# ---------------------------------------------------------------------------------------------- object storage


@pytest.fixture
def in_bucket(office: Office, quick_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    """The office with its vault moved into a bucket, as docs/vault.md says: copied as it lies, then switched."""
    server = S3Server(quick_folder / "served")
    place = server.folder / "vault" / "of" / "chat"
    shutil.copytree(office.root / "vault", place)
    shutil.rmtree(office.root / "vault")
    (office.root / "s3.env").write_text(f"AWS_ACCESS_KEY_ID={KEY}\nAWS_SECRET_ACCESS_KEY={SECRET}\n")
    (office.root / "s3.env").chmod(0o600)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    with server:
        settings(
            office,
            f'\n[vault]\nstore = "s3://vault/of/chat"\nendpoint = "{server.endpoint}"\ncredentials_file = "s3.env"\n',
        )
        yield office


@pytest.mark.conformance
def test_an_office_works_with_its_vault_in_a_bucket_and_comes_back_from_its_backup(
    in_bucket: Office, away: Elsewhere
) -> None:
    """Papers come in and are answered, fsck is content; the backup holds the bucket's bytes; restored as files."""
    office = in_bucket
    assert check_everything(office.desk) == []
    case_id = office.assessed_case()
    office.produce(office.cases[0])
    assert check_everything(office.desk) == []
    assert not (office.root / "vault").exists()
    saved = save(office)
    assert sum(each.startswith("vault/") for each in names(saved.main)) == len(
        list(office.desk.vault.objects.listed())
    )
    assert SECRET.encode() not in saved.main.read_bytes() + saved.keys.read_bytes()
    restored, found = away.restored(office, saved)
    assert found.faults == []
    assert isinstance(restored.desk.vault.objects, FileObjects)
    assert restored.desk.vault.get(case_id, "paper") == office.desk.vault.get(case_id, "paper")
    assert "s3://" not in (restored.root / "dueprocess.toml").read_text()
    assert len(docket()) == 2


@pytest.mark.conformance
def test_credentials_are_the_owners_alone(in_bucket: Office) -> None:
    """A file that others can read, one without a secret, and none at all are said before anything is asked."""
    path = in_bucket.root / "s3.env"
    path.chmod(0o640)
    assert code(lambda: open_desk(in_bucket.root)) == "open-credentials"
    path.chmod(0o600)
    path.write_text("AWS_ACCESS_KEY_ID=x\n")
    assert code(lambda: open_desk(in_bucket.root)) == "no-credentials"
    path.unlink()
    assert code(lambda: open_desk(in_bucket.root)) == "no-credentials"

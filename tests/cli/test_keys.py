"""`dueprocess keys` and `dueprocess sweep` as they are typed: what they print and change."""

import datetime as dt
import json
import os
from pathlib import Path

import pytest

from dueprocess.cli.fsck import fsck_command
from dueprocess.cli.keys import passphrase_command, rotate_command, show_command
from dueprocess.cli.place import Place
from dueprocess.cli.sweep import sweep_command
from dueprocess.errors import DueprocessError
from office import Office

WORDS = "correct horse battery staple"


@pytest.fixture
def at(office: Office) -> Place:
    return Place(install=office.root)


def test_keys_are_shown_rotated_and_shown_again(
    office: Office, at: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    """What protects them, how many there are, when they were rotated, and what backups must follow."""
    case_id = office.receive()
    show_command(place=at)
    said = capsys.readouterr().out
    assert "without a passphrase: who reads that folder reads every case" in said
    assert "2 case keys and 1 secret" in said
    assert "It was never rotated." in said
    assert f"The vault: files in {office.root}" in said
    before = (office.root / "keys" / "kek").read_text()
    rotate_command(place=at)
    said = capsys.readouterr().out
    assert "3 key files now under the key-encryption key" in said
    assert "make both backups anew" in said
    assert (office.root / "keys" / "kek").read_text() != before
    show_command(place=Place(install=office.root, json=True))
    found = json.loads(capsys.readouterr().out)
    assert (found["protection"], found["case_keys"], found["behind"]) == ("file", 2, 0)
    assert found["rotated_at"].startswith(str(dt.datetime.now(dt.UTC).year))
    show_command(place=at)
    assert "Backups from before open only with the key-encryption key of before" in capsys.readouterr().out
    assert office.desk.vault.get(case_id, "paper") == b"a paper"
    assert fsck_command(place=at) == 0


def test_a_passphrase_is_set_and_taken_away(
    office: Office,
    at: Place,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """From a file here; afterwards nothing opens without it, and everything with it."""
    (tmp_path / "words").write_text(WORDS + "\n")
    passphrase_command(file=tmp_path / "words", place=at)
    assert "every start needs the passphrase" in capsys.readouterr().out
    monkeypatch.delenv("DUEPROCESS_PASSPHRASE", raising=False)
    with pytest.raises(DueprocessError) as caught:
        show_command(place=at)
    assert caught.value.code == "locked"
    monkeypatch.setenv("DUEPROCESS_PASSPHRASE", WORDS)
    show_command(place=at)
    assert "under a passphrase (scrypt)" in capsys.readouterr().out
    passphrase_command(remove=True, place=at)
    monkeypatch.delenv("DUEPROCESS_PASSPHRASE")
    show_command(place=at)
    assert "without a passphrase" in capsys.readouterr().out
    with pytest.raises(DueprocessError) as caught:
        passphrase_command(remove=True, file=tmp_path / "words", place=at)
    assert caught.value.code == "odd-options"
    with pytest.raises(DueprocessError) as caught:
        passphrase_command(place=at)
    assert caught.value.code == "no-terminal"


def test_a_sweep_says_what_it_took(office: Office, at: Place, capsys: pytest.CaptureFixture[str]) -> None:
    """First with --dry-run, then in earnest, then there is nothing left."""
    office.desk.keys.make("f" * 32)
    os.utime(office.root / "keys" / "cases" / f"{'f' * 32}.key", (1e9, 1e9))
    sweep_command(dry_run=True, place=at)
    assert "would take away a paper that was never recorded" in capsys.readouterr().out
    sweep_command(place=Place(install=office.root, json=True))
    assert json.loads(capsys.readouterr().out)["swept"][0]["kind"] == "receipt"
    sweep_command(place=at)
    assert capsys.readouterr().out == "Nothing was left behind.\n"


@pytest.mark.stage("brisk")
def test_fsck_notes_what_no_event_names(
    office: Office, at: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is no fault: the command ends well."""
    case_id = office.receive()
    office.desk.vault.put(case_id, "reading:" + "0" * 64, b"words")
    assert fsck_command(place=at) == 0
    assert f"NOTE vault {case_id[:8]}:" in capsys.readouterr().out

"""Recorded hand-overs: an opened file for the person who carries it, a handful of fields read out on the telephone."""

import os
import pty
import stat
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

from desk.by_hand import PARCEL_ID, ROWS, bag, produced_by_hand
from dueprocess.delivery.handover import parcel_path
from dueprocess.desk import handover, releasing
from dueprocess.desk.check import check_everything
from dueprocess.errors import BrokenError, ConflictError, RefusedError
from dueprocess.history.append import load_case
from office import Office

pytestmark = pytest.mark.stage("brisk")


def events(office: Office, case_id: str) -> list[tuple[str, dict[str, Any]]]:
    return [(event.kind, dict(event.body)) for event in load_case(case_id).events]


def record(office: Office, case_id: str, to: Path, channel: str = "sealed_medium") -> list[str]:
    return handover.record(office.desk, case_id, "t1", to, channel=channel, actor="boris", now=office.now)


def speak(office: Office, case_id: str) -> list[str]:
    shown: list[str] = []
    handover.speak(office.desk, case_id, "t1", shown.extend, actor="boris", now=office.now)
    return shown


def test_an_opened_answer_is_for_its_owner_only_and_on_record(office: Office, tmp_path: Path) -> None:
    """The tar as it was packed, mode 0600, nothing beside it; the channel stands in history."""
    case_id = produced_by_hand(office)
    to = tmp_path / "answer.tar"
    record(office, case_id, to)
    assert to.read_bytes() == bag(ROWS)
    assert stat.S_IMODE(to.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["answer.tar"]
    with tarfile.open(to) as opened:
        assert opened.getnames()[0] == f"{PARCEL_ID}/data/main/users.0001.jsonl"
    told = [(kind, body["channel"]) for kind, body in events(office, case_id)[-2:]]
    assert told == [("DeliveryStarted", "sealed_medium"), ("ParcelDelivered", "sealed_medium")]
    assert check_everything(office.desk) == []


def test_only_the_enrolled_way_and_only_without_a_key(office: Office, tmp_path: Path) -> None:
    """Another way, ciphertext, and a release are refused for it; and nothing is begun."""
    case_id = produced_by_hand(office, "official_system")
    to = tmp_path / "answer.tar"
    with pytest.raises(RefusedError) as caught:
        record(office, case_id, to, "sealed_medium")
    assert caught.value.code == "other-hand-over"
    for attempt in (
        lambda: handover.deliver(office.desk, case_id, "t1", to, actor="boris", now=office.now),
        lambda: releasing.release(office.desk, case_id, "t1", actor="boris", now=office.now),
    ):
        with pytest.raises(RefusedError) as caught:
            attempt()
        assert caught.value.code == "no-recipient-key"
    assert events(office, case_id)[-1][0] == "DataProduced"
    assert list(tmp_path.iterdir()) == []
    record(office, case_id, to, "official_system")


@pytest.mark.stage("produced")
def test_an_answer_for_a_key_is_never_opened(office: Office, tmp_path: Path) -> None:
    """For an authority with a key no person here gets the contents, in neither way."""
    case_id = office.cases[0]
    with pytest.raises(RefusedError) as caught:
        record(office, case_id, tmp_path / "answer.tar")
    assert caught.value.code == "other-hand-over"
    with pytest.raises(RefusedError):
        speak(office, case_id)
    assert events(office, case_id)[-1][0] == "DataProduced"


def test_a_handful_is_read_out_once(office: Office) -> None:
    """The fields of the records and nothing else of the parcel; then it is done."""
    case_id = produced_by_hand(office)
    assert speak(office, case_id) == [
        "main.users  control_number: 7F3K-000001",
        "main.users  name: @eva:chat.example",
        "main.users  score: 0.5",
    ]
    kinds = [kind for kind, _ in events(office, case_id)]
    assert kinds[-3:] == ["DeliveryStarted", "FieldsSpoken", "ParcelDelivered"]
    spoken = dict(events(office, case_id))["FieldsSpoken"]
    assert (spoken["categories"], spoken["records"]) == (["subscriber.identity"], 1)
    assert "eva" not in str(events(office, case_id)[-3:])
    with pytest.raises(RefusedError):
        speak(office, case_id)
    assert check_everything(office.desk) == []


def test_it_is_begun_on_record_before_anything_is_shown(office: Office) -> None:
    """At the moment of showing history has the beginning already; a screen that dies leaves it half done."""
    case_id = produced_by_hand(office)

    def show(_: list[str]) -> None:
        assert events(office, case_id)[-1][0] == "DeliveryStarted"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        handover.speak(office.desk, case_id, "t1", show, actor="boris", now=office.now)
    with pytest.raises(RefusedError) as caught:
        speak(office, case_id)
    assert caught.value.code == "half-delivered"
    handover.confirm(office.desk, case_id, "t1", actor="boris", now=office.now)
    assert [kind for kind, _ in events(office, case_id)][-2:] == ["FieldsSpoken", "ParcelDelivered"]


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ({"findings": ("official_channel",)}, "no-call-back"),
        ({"categories": ("subscriber.identity", "traffic")}, "not-speakable"),
        ({"rows": ROWS * 6}, "not-speakable"),
    ],
)
def test_nothing_else_is_spoken(office: Office, how: dict[str, Any], code: str) -> None:
    """No call-back, another category, a sixth record: refused before anything is begun."""
    case_id = produced_by_hand(office, **how)
    with pytest.raises(RefusedError) as caught:
        speak(office, case_id)
    assert caught.value.code == code
    assert events(office, case_id)[-1][0] == "DataProduced"


def test_a_value_cannot_steer_the_terminal(office: Office) -> None:
    """Control characters of a stored value are shown as such."""
    case_id = produced_by_hand(office, rows=[{"name": "\x1b[2Jeva\n\u202eevil"}])
    assert speak(office, case_id) == ["main.users  name: �[2Jeva��evil"]


def test_a_changed_parcel_is_not_opened(office: Office, tmp_path: Path) -> None:
    """One bit: nothing appears, and nothing is begun."""
    case_id = produced_by_hand(office)
    path = parcel_path(office.desk.installation.parcels, PARCEL_ID)
    changed = bytearray(path.read_bytes())
    changed[-1] ^= 1
    path.write_bytes(changed)
    with pytest.raises(BrokenError):
        record(office, case_id, tmp_path / "answer.tar")
    assert list(tmp_path.iterdir()) == []
    assert events(office, case_id)[-1][0] == "DataProduced"


def test_an_existing_file_is_kept(office: Office, tmp_path: Path) -> None:
    """Never over somebody else's file; refused before it is begun."""
    case_id = produced_by_hand(office)
    to = tmp_path / "answer.tar"
    to.write_text("mine")
    with pytest.raises(ConflictError):
        record(office, case_id, to)
    assert to.read_text() == "mine"
    assert events(office, case_id)[-1][0] == "DataProduced"


def command(office: Office, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "DUEPROCESS_PERSON": "boris", "DUEPROCESS_INSTALL": str(office.root)}
    return subprocess.run(
        [sys.executable, "-m", "dueprocess", *words],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )


def test_the_command_warns_aloud(office: Office, tmp_path: Path) -> None:
    """What an opened file is and what to do with it stands on the screen."""
    case_id = produced_by_hand(office)
    to = tmp_path / "answer.tar"
    done = command(office, "deliver", case_id[:8], "t1", "--to", str(to), "--recorded", "sealed_medium")
    assert done.returncode == 0, done.stderr
    assert "NOT encrypted" in done.stderr
    assert "shred" in done.stderr
    assert to.exists()


def test_the_command_speaks_to_a_terminal_only(office: Office) -> None:
    """Into a pipe or as JSON: refused and nothing begun. On a terminal the fields stand there once."""
    case_id = produced_by_hand(office)
    for more in ([], ["--json"]):
        done = command(office, "deliver", case_id[:8], "t1", "--spoken", *more)
        assert done.returncode == 3
        assert "terminal" in done.stderr
    assert events(office, case_id)[-1][0] == "DataProduced"
    screen, terminal = pty.openpty()
    environment = {**os.environ, "DUEPROCESS_PERSON": "boris", "DUEPROCESS_INSTALL": str(office.root)}
    words = [sys.executable, "-m", "dueprocess", "deliver", case_id[:8], "t1", "--spoken"]
    done_too = subprocess.run(words, stdout=terminal, stderr=subprocess.PIPE, check=False, env=environment)
    os.close(terminal)
    shown = os.read(screen, 10_000).decode()
    os.close(screen)
    assert done_too.returncode == 0, done_too.stderr
    assert "name: @eva:chat.example" in shown
    assert "It is shown once" in shown

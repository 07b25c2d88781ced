"""Sweeping: what killed programs left goes after a day, and nothing that history knows ever does."""

import datetime as dt
import os
import threading
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from dueprocess.cases.events import Event
from dueprocess.desk import erasing, rosters, setup
from dueprocess.desk.check import check_everything
from dueprocess.desk.sweeping import Swept, sweep
from dueprocess.desk.vaultcheck import unnamed_objects
from dueprocess.history.docket import docket
from dueprocess.steps import receive as receive_step
from office import Office

pytestmark = pytest.mark.stage("brisk")

LOST = "f" * 32


def later(days: float = 2) -> dt.datetime:
    return dt.datetime.now(dt.UTC) + dt.timedelta(days=days)


def files(office: Office) -> set[str]:
    folders = ("keys", "vault", "outbox", "log", "public", "packs", "worker", "parcels")
    return {
        each.relative_to(office.root).as_posix()
        for folder in folders
        for each in (office.root / folder).rglob("*")
        if each.is_file()
    }


def lost_receipt(office: Office, case_id: str = LOST) -> None:
    """What a receipt leaves that was killed before its commit."""
    office.desk.keys.make(case_id)
    office.desk.vault.put(case_id, "paper", b"a paper")
    office.desk.vault.put_json(case_id, "paper-meta", {"nonce": "", "name": "", "kind": ""})


def test_a_receipt_that_was_never_recorded_is_swept(office: Office) -> None:
    """Its key, its bytes; first only said, then done; the case beside it keeps everything and fsck is content."""
    case_id = office.receive()
    before = files(office)
    lost_receipt(office)
    during = files(office)
    assert sweep(office.desk, later(0.9)).swept == ()
    found = sweep(office.desk, later(), dry_run=True)
    assert found.swept == (Swept("receipt", LOST, "no event names it"),)
    assert files(office) == during
    assert sweep(office.desk, later()) == found
    assert files(office) == before
    assert sweep(office.desk, later()).swept == ()
    assert office.desk.vault.get(case_id, "paper") == b"a paper"
    assert check_everything(office.desk) == []


def test_bytes_that_no_key_opens_are_swept(office: Office) -> None:
    """A sweep or an erasure that was killed between bytes and key; a folder that a key gives stays."""
    case_id = office.receive()
    lost_receipt(office)
    office.desk.keys.destroy(LOST)
    found = sweep(office.desk, later())
    assert [each.kind for each in found.swept] == ["objects"]
    assert office.desk.vault.get(case_id, "paper") == b"a paper"
    assert sweep(office.desk, later()).swept == ()


def test_bytes_without_a_key_stay_while_the_key_of_a_case_is_missing(office: Office) -> None:
    """After a restore with older keys they could be that case's own; when the keys are back it is swept."""
    case_id = office.receive()
    lost_receipt(office)
    office.desk.keys.destroy(LOST)
    key = office.root / "keys" / "cases" / f"{case_id}.key"
    kept = key.read_bytes()
    key.unlink()
    found = sweep(office.desk, later())
    assert found.swept == ()
    assert case_id[:8] in found.left[0]
    key.write_bytes(kept)
    assert [each.kind for each in sweep(office.desk, later()).swept] == ["objects"]
    assert office.desk.vault.get(case_id, "paper") == b"a paper"


def test_an_erased_case_is_no_missing_key(office: Office) -> None:
    """Its key is gone for good, and its events stay: nothing of it is swept, nothing is held back because of it."""
    case_id = office.receive("an advertisement")
    office.close(case_id)
    office.wait(hours=6)
    signers = [office.people[each] for each in ("boris", "chi")]
    erasing.erase(office.desk, case_id, "received-in-error", signers, now=office.now)
    before = files(office)
    lost_receipt(office)
    office.desk.keys.destroy(LOST)
    found = sweep(office.desk, later())
    assert ([each.kind for each in found.swept], found.left) == (["objects"], ())
    assert files(office) == before


def test_a_key_that_an_event_names_stays(office: Office) -> None:
    """An id without events of its own, said in another stream's event, is no orphan."""
    office.desk.keys.make(LOST)
    dana = office.people["dana"]
    document = setup.staff_document(LOST, dana.public, dana.credential, ["intake"])
    rosters.enrol(office.desk, document, [office.people[each] for each in ("boris", "chi")], office.now)
    assert sweep(office.desk, later()).swept == ()
    assert office.desk.keys.has(LOST)


def test_half_written_files_go_after_a_day_wherever_they_lie(office: Office) -> None:
    """In the key store, the vault, the outbox and the log; whole files and young ones stay."""
    office.receive()
    before = files(office)
    for folder in ("keys", "keys/cases", "vault", "outbox", "log", "worker"):
        (office.root / folder / ".new-abc").write_bytes(b"half")
    assert sweep(office.desk, dt.datetime.now(dt.UTC)).swept == ()
    assert {each.name for each in sweep(office.desk, later(), dry_run=True).swept} == files(office) - before
    assert len(sweep(office.desk, later()).swept) == 6
    assert files(office) == before


def test_a_half_made_parcel_goes_when_nobody_is_at_it(office: Office) -> None:
    """As the production worker does it: what is locked stays."""
    parcels = office.desk.installation.parcels
    parcels.mkdir(exist_ok=True)
    (parcels / "p.tar.new").write_bytes(b"half")
    assert [each.kind for each in sweep(office.desk, later(), dry_run=True).swept] == ["parcel"]
    assert [each.name for each in sweep(office.desk, later()).swept] == ["p.tar.new"]
    assert list(parcels.iterdir()) == []


def test_a_paper_that_is_coming_in_is_never_swept(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped for two days between key and commit, it is left alone, and is recorded with its key when it goes on."""
    reached, go_on = threading.Event(), threading.Event()
    real = receive_step.receive

    def stopped(*given: Any, **facts: Any) -> Event:
        reached.set()
        assert go_on.wait(20)
        return real(*given, **facts)

    monkeypatch.setattr(receive_step, "receive", stopped)

    def receive() -> None:
        office.receive()
        connections.close_all()

    thread = threading.Thread(target=receive)
    thread.start()
    assert reached.wait(20)
    found = sweep(office.desk, later())
    go_on.set()
    thread.join()
    assert found.swept == ()
    assert "being received" in found.left[0]
    case_id = docket()[0].case_id
    assert office.desk.vault.get(case_id, "paper") == b"a paper"
    assert sweep(office.desk, later()).swept == ()
    assert check_everything(office.desk) == []


def test_an_object_that_no_event_names_is_told_and_stays(office: Office) -> None:
    """A step that was refused after it had put something: fsck names it, sweeping never touches a case with events."""
    case_id = office.assessed_case()
    assert list(unnamed_objects(office.desk)) == []
    office.desk.vault.put(case_id, "reading:" + "0" * 64, b"words")
    found = list(unnamed_objects(office.desk))
    assert [(each.case_id, each.title) for each in found] == [(case_id, "reading:" + "0" * 64)]
    assert str(found[0]).endswith("that no event names (reading)")
    assert sweep(office.desk, later()).swept == ()
    assert office.desk.vault.has(case_id, "reading:" + "0" * 64)
    assert check_everything(office.desk) == []


@pytest.mark.stage("produced")
def test_everything_of_a_produced_case_is_named(office: Office) -> None:
    """Fsck knows each object of a whole life."""
    assert list(unnamed_objects(office.desk)) == []
    path = next(each for each in Path(office.root / "vault").rglob("*") if each.is_file())
    path.unlink()
    assert any(fault.table == "vault" for fault in check_everything(office.desk))


def test_a_key_of_now_keeps_its_time_when_it_is_wrapped_anew(office: Office) -> None:
    """A rotation does not make an orphan young again."""
    from dueprocess.vault.rotation import rotate

    lost_receipt(office)
    key = office.root / "keys" / "cases" / f"{LOST}.key"
    at = (later(-3)).timestamp()
    os.utime(key, (at, at))
    rotate(office.desk.keys, office.now)
    assert [each.kind for each in sweep(office.desk, later(-1.9)).swept] == ["receipt"]

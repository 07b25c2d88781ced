"""Erasure with everything around it: what is destroyed, what still works, and a crash at every point."""

import datetime as dt
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import sabotage
from dueprocess.desk import closing, erasing
from dueprocess.desk.check import check_everything
from dueprocess.desk.gatekeeping import prove
from dueprocess.desk.promises import promise_path
from dueprocess.desk.receipts import parcel_receipt_path, receipt
from dueprocess.errors import RefusedError
from dueprocess.history.append import load_case
from dueprocess.history.docket import docket, erased, going
from dueprocess.tlog.receipt import verify_receipt
from dueprocess.wire import instant
from dueprocess.worker import loop
from dueprocess.worker.clock import set_clock
from office import Office

DRIVER = Path(__file__).with_name("killed.py")
REPORTED = dt.datetime(2027, 4, 2, tzinfo=dt.UTC)


def jump(office: Office, now: dt.datetime) -> None:
    """Nothing runs until then; then the worker takes one turn."""
    office.now = now
    set_clock(office.desk.installation, now)
    office.seen += loop.turn(office.desk, office.desk.log(), now)


def finished(office: Office) -> str:
    """A case that was answered, told, closed, and counted in a published report, its parcel purged since."""
    case_id = office.cases[0]
    office.deliver(case_id, office.root.parent / "parcel.age")
    office.wait(hours=12)
    office.close(case_id)
    jump(office, REPORTED)
    closing.report(
        office.desk, "2026H2", office.desk.installation.public / "reports" / "2026H2", now=office.now
    )
    office.wait(hours=6)
    return case_id


def unread(office: Office) -> str:
    """A paper that nobody read as a demand, closed and sealed."""
    case_id = office.receive("an advertisement for a demand")
    office.close(case_id)
    office.wait(hours=6)
    return case_id


def erase(
    office: Office, case_id: str, ground: str = "retention-over", people: str = "boris chi"
) -> dict[str, object]:
    signers = [office.people[name] for name in people.split()]
    return dict(erasing.erase(office.desk, case_id, ground, signers, now=office.now))


def everything_under(folder: Path) -> bytes:
    """Names and bytes of all files, to look for words in."""
    return b"".join(
        str(each).encode() + each.read_bytes() for each in sorted(folder.rglob("*")) if each.is_file()
    )


@pytest.mark.stage("produced")
def test_an_erased_case_holds_nothing_and_everything_still_verifies(office: Office) -> None:
    """Paper, letters, parcel and key are gone; log, lists, register, other cases and receipts are as before."""
    case_id, place = finished(office), office.desk.installation
    other = office.approved_case()
    office.wait(hours=6)
    enclosed = parcel_receipt_path(office.root.parent / "parcel.age").read_bytes()
    letter = next(place.outbox.glob(f"{case_id[:8]}-t1-after")) / "receipt.json"
    told = letter.read_bytes()
    register = (place.public / "reports" / "2026H2" / "register.json").read_bytes()
    assert b"@eva" in everything_under(place.outbox)
    found = erase(office, case_id)
    assert found["last_key_backup_gone_on"] == (office.now + dt.timedelta(days=30)).date().isoformat()
    assert found["signed_by"] == ["boris", "chi"]
    assert not office.desk.keys.has(case_id)
    assert not [each for each in place.parcels.iterdir() if not each.name.startswith(".")]
    left = [each.name for each in place.outbox.iterdir() if case_id[:8] in each.name]
    assert left == [f"erased-{case_id[:16]}.json"]
    assert check_everything(office.desk) == []
    office.wait(hours=6)
    assert check_everything(office.desk) == []
    for data in (enclosed, told):
        assert verify_receipt(data, office.desk.policy).case == case_id
    assert prove(office.desk, other).log.head_size
    assert load_case(case_id).stage == "erased"
    assert [line.case_id for line in erased()] == [case_id]
    assert {line.case_id for line in docket()} == {case_id, other}
    assert [line.case_id for line in going()] == [other]
    assert (place.public / "reports" / "2026H2" / "register.json").read_bytes() == register
    with pytest.raises(RefusedError) as caught:
        receipt(office.desk, load_case(case_id), None, "court")
    assert caught.value.code == "erased"
    assert erase(office, case_id) == found


@pytest.mark.stage("produced")
def test_a_case_is_erased_only_after_its_report(office: Office) -> None:
    """Its row is in the case: before the report is out, and its files are written, it stays."""
    case_id = office.cases[0]
    office.deliver(case_id, office.root.parent / "parcel.age")
    office.wait(hours=12)
    office.close(case_id)
    with pytest.raises(RefusedError) as caught:
        erase(office, case_id)
    assert caught.value.code == "not-reported"
    jump(office, REPORTED)
    closing.report(office.desk, "2026H2", office.root.parent / "elsewhere", now=office.now)
    with pytest.raises(RefusedError):
        erase(office, case_id)
    folder = office.desk.installation.public / "reports" / "2026H2"
    closing.report(office.desk, "2026H2", folder, now=office.now)
    good = (folder / "report.json").read_bytes()
    (folder / "report.json").write_bytes(good + b" ")
    with pytest.raises(RefusedError):
        erase(office, case_id)
    (folder / "report.json").write_bytes(good)
    office.wait(hours=6)
    assert erase(office, case_id)["ground"] == "retention-over"


@pytest.mark.stage("brisk")
def test_what_is_refused_destroys_nothing(office: Office) -> None:
    """An unsealed case, a stranger's ground, one person alone: case, key and papers stay as they are."""
    case_id = office.receive("a paper")
    office.close(case_id)
    before = sabotage.snapshot()
    for ground, people, code in (
        ("retention-over", "boris chi", "not-sealed"),
        ("tidying", "boris chi", "not-sealed"),
        ("retention-over", "boris", "not-sealed"),
    ):
        with pytest.raises(RefusedError) as caught:
            erase(office, case_id, ground, people)
        assert caught.value.code == code
    office.wait(hours=6)
    after = sabotage.snapshot()
    for ground, people, code in (
        ("tidying", "boris chi", "unknown-ground"),
        ("retention-over", "boris", "two-people"),
        ("retention-over", "boris boris", "two-people"),
        ("retention-over", "boris ana", "wrong-verdict"),
    ):
        with pytest.raises(RefusedError) as caught:
            erase(office, case_id, ground, people)
        assert caught.value.code == code
    assert before["event"] == after["event"]
    assert sabotage.snapshot() == after
    assert office.desk.vault.get(case_id, "paper") == b"a paper"
    assert promise_path(office.desk, case_id).exists()


ERASING = "dueprocess.desk.erasing"
POINTS = [
    ("dueprocess.steps.erase:keep_openings", 1, "before"),
    ("dueprocess.steps.erase:keep_openings", 1, "after"),
    (f"{ERASING}:finish", 1, "before"),
    (f"{ERASING}:_remove", 1, "after"),
    (f"{ERASING}:_remove", 2, "after"),
    ("dueprocess.vault.vault:sync_folder", 1, "before"),
    ("dueprocess.vault.vault:sync_folder", 1, "after"),
    ("dueprocess.vault.keystore:sync_folder", 1, "before"),
    (f"{ERASING}:_certificate", 1, "before"),
    (f"{ERASING}:write_durable", 1, "before"),
]


@pytest.mark.slow
@pytest.mark.stage("brisk")
@pytest.mark.parametrize(("where", "number", "when"), POINTS)
def test_an_erasure_that_was_killed_is_completed(office: Office, where: str, number: int, when: str) -> None:
    """Before the commit nothing is gone; after it the worker's turn, or the same command, finishes what was begun."""
    case_id = unread(office)
    keys = [str(office.root.parent / "people" / f"{name}.json") for name in ("boris", "chi")]
    call = [DRIVER, office.root, instant(office.now), where, str(number), when, "erase", case_id, *keys]
    done = subprocess.run(
        [sys.executable, *map(str, call)], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == -9, done.stderr
    if load_case(case_id).erased is None:
        assert office.desk.vault.get(case_id, "paper").startswith(b"an advertisement")
        assert check_everything(office.desk) == []
        erase(office, case_id, "received-in-error")
    else:
        begun = office.desk.keys.has(case_id)
        assert bool(check_everything(office.desk)) == begun
        assert len(erasing.finish_erasures(office.desk, office.now)) == begun
    assert check_everything(office.desk) == []
    assert erasing.finish_erasures(office.desk, office.now) == []
    assert erase(office, case_id)["ground"] == "received-in-error"
    assert not any((office.root / "vault" / case_id[:2]).rglob("*"))


@pytest.mark.stage("brisk")
def test_a_key_that_comes_back_from_a_backup_is_destroyed_again(office: Office) -> None:
    """Within the thirty days a restored key store may hold it; the next turn removes it, the certificate stays."""
    case_id = unread(office)
    key = office.root / "keys" / "cases" / f"{case_id}.key"
    shutil.copy(key, office.root.parent / "backup.key")
    first = erase(office, case_id)
    shutil.copy(office.root.parent / "backup.key", key)
    office.now += dt.timedelta(days=9)
    assert [fault.table for fault in check_everything(office.desk)] == ["vault"]
    assert erasing.finish_erasures(office.desk, office.now) == [f"{case_id[:8]}: erasure completed"]
    assert check_everything(office.desk) == []
    assert erase(office, case_id) == first


@pytest.mark.stage("brisk")
def test_letters_of_another_case_with_the_same_short_name_stay(office: Office) -> None:
    """The outbox names cases by eight characters: where two share them, nothing is deleted there."""
    case_id = unread(office)
    twin = case_id[:8] + "f" * 24
    with sabotage.unguarded():
        line = next(row for row in sabotage.rows("docket") if row["case_id"] == case_id)
        sabotage.insert("docket", {**line, "case_id": twin})
    erase(office, case_id)
    assert promise_path(office.desk, case_id).exists()

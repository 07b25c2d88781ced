"""A full disk, made with the kernel's limit on the size of a file: nothing is lost, the same call works afterwards."""

import datetime as dt
import resource
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

import sabotage
from dueprocess.desk import demands
from dueprocess.desk.check import check_everything
from dueprocess.errors import ConflictError, RefusedError, UnavailableError
from dueprocess.history.append import load_case
from office import Office

SIZES = [0, 100, 300, 1_000, 3_000, 10_000]


@contextmanager
def room_for_files_of(size: int) -> Iterator[None]:
    """No file of this process may grow beyond ``size`` bytes; a write beyond fails as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def leftovers(office: Office) -> list[Path]:
    return [each for each in office.root.rglob("*") if each.name.startswith(".new-") or each.suffix == ".new"]


def test_a_demand_that_finds_no_room_is_received_later(office_on: Office) -> None:
    """Vault and event store refuse whole; no half file stays, and the same paper is taken afterwards."""
    before = sabotage.snapshot()
    paper = office_on.root.parent / "paper.txt"
    paper.write_text("p" * 5_000)
    for size in SIZES[:-1]:
        with pytest.raises(UnavailableError), room_for_files_of(size):
            demands.receive(office_on.desk, paper, channel="mail", actor="ana", now=office_on.now)
        assert sabotage.snapshot() == before
    assert leftovers(office_on) == []
    assert load_case(office_on.receive()).stage == "received"
    assert check_everything(office_on.desk) == []


@pytest.mark.stage("ready")
def test_a_log_that_finds_no_room_is_published_later(office_on: Office) -> None:
    """Whatever part was written, a later run ends with the same log on disk as in the database."""
    for size in SIZES:
        office_on.receive()
        office_on.now += dt.timedelta(hours=6)
        with suppress(UnavailableError), room_for_files_of(size):
            office_on.desk.log().close_due(office_on.now)
            assert size > 1_000
        office_on.desk.log().close_due(office_on.now)
        assert check_everything(office_on.desk) == []
    assert leftovers(office_on) == []


@pytest.mark.stage("ready")
def test_a_production_that_finds_no_room_is_run_later(office_on: Office, vendor: str) -> None:
    """No parcel, no `DataProduced`; the worker tries again and succeeds when there is room."""
    codes = set()
    for size in SIZES:
        with pytest.raises(UnavailableError) as caught, room_for_files_of(size):
            office_on.produce(office_on.cases[0])
        codes.add(caught.value.code)
        assert leftovers(office_on) == []
        assert list(office_on.desk.installation.parcels.glob("*")) == []
    assert "cannot-write-parcel" in codes or vendor == "sqlite"
    office_on.produce(office_on.cases[0])
    assert check_everything(office_on.desk) == []


@pytest.mark.stage("produced")
def test_a_hand_over_that_finds_no_room_never_began(office_on: Office, tmp_path: Path) -> None:
    """Room is taken before the hand-over is recorded as begun, because that could not be taken back."""
    before = sabotage.snapshot()
    for size in SIZES:
        with pytest.raises(UnavailableError), room_for_files_of(size):
            office_on.deliver(office_on.cases[0], tmp_path / "answer.age")
        assert list(tmp_path.iterdir()) == []
    assert sabotage.snapshot() == before
    office_on.deliver(office_on.cases[0], tmp_path / "answer.age")
    assert check_everything(office_on.desk) == []


@pytest.mark.stage("produced")
def test_a_place_that_is_taken_is_not_written_over(office: Office, tmp_path: Path) -> None:
    """An existing file and a folder are refused, a parcel that is gone is said; nothing was begun."""
    before = sabotage.snapshot()
    taken = tmp_path / "answer.age"
    taken.write_text("something else")
    with pytest.raises(ConflictError) as conflict:
        office.deliver(office.cases[0], taken)
    assert conflict.value.code == "exists"
    with pytest.raises(RefusedError) as refused:
        office.deliver(office.cases[0], tmp_path)
    assert refused.value.code == "is-a-directory"
    for parcel in office.desk.installation.parcels.iterdir():
        parcel.unlink()
    with pytest.raises(UnavailableError) as gone:
        office.deliver(office.cases[0], tmp_path / "other.age")
    assert gone.value.code == "no-parcel"
    assert taken.read_text() == "something else"
    assert sabotage.snapshot() == before


@pytest.mark.stage("brisk")
def test_a_letter_that_finds_no_room_was_not_begun(office: Office) -> None:
    """The letter is in the vault before it is recorded as begun; without room for it there nothing is recorded."""
    office.cases = [office.approved_case()]
    office.desk.log().close_due(office.now.replace(hour=14))
    office.now = office.now.replace(hour=14)
    before = sabotage.snapshot()
    with pytest.raises(UnavailableError), room_for_files_of(500):
        office.notify(office.cases[0])
    assert sabotage.snapshot() == before
    assert office.notify(office.cases[0]) == "before"

"""A half-year of a real office, packed for its auditor."""

import datetime as dt
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import Templates
from desk.half_year import FROM, UNTIL, Audited
from dueprocess.desk import auditing, closing, erasing
from dueprocess.history import connection
from dueprocess.worker import loop
from dueprocess.worker.clock import set_clock
from office import Office

BOTH = ("boris", "chi")


def leap(office: Office, **delta: float) -> None:
    """Time passes while the machine stands still; the log says so in a gap."""
    office.now += dt.timedelta(**delta)
    set_clock(office.desk.installation, office.now)
    loop.turn(office.desk, office.desk.log(), office.now)


@pytest.fixture(scope="module")
def audited(templates: Templates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Audited]:
    """One answered demand, twelve refused ones, one open under an order; a report; one erased; all packed."""
    folder = tmp_path_factory.mktemp("audited")
    office, _ = templates.copy("sqlite", "produced", folder / "office")
    produced = office.cases[0]
    office.deliver(produced, folder / "parcel.age")
    office.wait(hours=6)
    refused = []
    for _ in range(12):
        refused.append(office.assessed_case())
        office.close(refused[-1])
    open_case = office.assessed_case()
    office.wait(hours=12)
    office.notify(produced)
    office.wait(hours=6)
    office.close(produced)
    office.wait(hours=12)
    leap(office, days=210)
    leap(office, hours=6)
    place = office.desk.installation
    closing.report(office.desk, "2026H2", place.public / "reports" / "2026H2", now=office.now)
    office.wait(hours=6)
    signers = [office.people[each] for each in BOTH]
    erasing.erase(office.desk, refused[3], "retention-over", signers, now=office.now)
    office.wait(hours=12)
    auditing.pack(office.desk, folder / "bundle", FROM, UNTIL, now=office.now)
    yield Audited(
        office, folder / "bundle", place.log, place.public / "policy.txt", open_case, refused[3], produced
    )
    connection.use("sqlite::memory:")


@pytest.fixture
def bundle(audited: Audited, tmp_path: Path) -> Path:
    """The bundle once more, to be tampered with."""
    connection.use(audited.office.desk.installation.database)
    return Path(shutil.copytree(audited.bundle, tmp_path / "bundle"))

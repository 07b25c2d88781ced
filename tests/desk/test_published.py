"""What fsck says about published reports: recounted, held against the ledger and the log (I10)."""

from pathlib import Path

import pytest

from dueprocess.desk.check import check_everything
from dueprocess.report import RegisterRow, build_register, build_report, row_commitment
from dueprocess.wire import canonical
from office import Office

ROW = RegisterRow(
    period="2026H2", country="US", regime="us", instrument="d_order", basis="18 USC 2703(d)",
    authority_class="court", demand_kind="disclosure", emergency=False, categories=("subscriber", "session"),
    accounts_band="1", outcome="complied_in_part", narrowed=True, notice="told_before", challenged=False,
)  # fmt: skip


def publish(office: Office, rows: int) -> Path:
    """A half-year of this many demands, written as a report would be, with nothing behind it."""
    entries = [(ROW, row_commitment(ROW, bytes([number] * 32))) for number in range(rows)]
    register = build_register(entries, period="2026H2")
    folder = office.desk.installation.public / "reports" / "2026H2"
    folder.mkdir(parents=True)
    (folder / "register.json").write_bytes(canonical(register.as_json()))
    (folder / "report.json").write_bytes(canonical(build_report(register).as_json()))
    return folder


def said(office: Office) -> list[str]:
    return [each.what for each in check_everything(office.desk) if each.invariant == "I10"]


def test_a_report_that_the_ledger_does_not_carry_is_found(office: Office) -> None:
    """Twelve rows that no case registered, in files that the log never named."""
    publish(office, 12)
    assert said(office) == [
        "the log names no such register.json",
        "the log names no such report.json",
        "the register holds 12 rows that no case in the ledger registered",
    ]


def test_a_number_that_was_changed_is_found(office: Office) -> None:
    """The report is counted again from its register."""
    path = publish(office, 30) / "report.json"
    changed = path.read_bytes().replace(b'"number":30', b'"number":31')
    assert changed != path.read_bytes()
    path.write_bytes(changed)
    assert any("31" in each for each in said(office))


@pytest.mark.parametrize("damage", [b"", b"{}", b"not json"])
def test_a_damaged_register_is_a_fault_and_no_crash(office: Office, damage: bytes) -> None:
    """Whatever stands in the file, fsck goes on."""
    (publish(office, 12) / "register.json").write_bytes(damage)
    assert len(said(office)) == 1

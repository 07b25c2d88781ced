"""A real office's bundle, tampered with in every way: each attack is named by the commands an auditor runs.

Source: security.md 5.5.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import madelog
from desk.half_year import Audited, check, codes, told
from dueprocess.audit.bundle import (
    HEADER,
    OUTSIDE,
    RECORDS,
    SEEDS,
    WITHHELD,
    Header,
    parse_header,
    parse_record,
)
from dueprocess.cli.audit_check import check_command
from dueprocess.errors import MalformedError, RefusedError, UnavailableError
from dueprocess.history import ledger
from dueprocess.history.append import load_case
from dueprocess.report import parse_report
from dueprocess.wire import canonical, sha256_hex

pytestmark = pytest.mark.slow


def reseal(bundle: Path, change: Callable[[Header], Header] = lambda each: each) -> None:
    """Makes the digests in bundle.json fit the tampered files, as a lying operator would."""
    header = parse_header((bundle / HEADER).read_bytes())
    files = {name: sha256_hex((bundle / name).read_bytes()) for name in header.files}
    (bundle / HEADER).write_bytes(change(replace(header, files=files)).encoded)


def edit(bundle: Path, name: str, change: Callable[[list[bytes]], list[bytes]]) -> None:
    """Changes the lines of a file and makes bundle.json fit."""
    lines = (bundle / name).read_bytes().splitlines()
    (bundle / name).write_bytes(b"".join(line + b"\n" for line in change(lines)))
    reseal(bundle)


def test_a_hidden_record_is_named(audited: Audited, bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The newest record is kept back, its number and everything else made to fit."""
    edit(bundle, RECORDS, lambda lines: lines[:-1])
    reseal(bundle, lambda each: replace(each, last_seq=(each.last_seq or 0) - 1))
    found = check(audited, bundle, capsys)
    assert "epoch-differs" in codes(found)
    assert "A record was hidden, left out, added or changed" in told(found)


def test_a_record_left_out_is_named(
    audited: Audited, bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One from the middle."""
    edit(bundle, RECORDS, lambda lines: [*lines[:20], *lines[21:]])
    found = check(audited, bundle, capsys)
    assert {"ledger-gap", "epoch-differs"} <= codes(found)
    assert "number 21 is missing" in told(found)


def changed(line: bytes, change: Callable[[dict[str, Any]], None]) -> bytes:
    value = json.loads(line)
    change(value)
    return canonical(value)


def test_a_changed_opening_is_named(
    audited: Audited, bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A refused demand that is to look like another country's."""

    def sweden(value: dict[str, Any]) -> None:
        value["opening"]["opened"]["country"]["value"] = "SE"

    edit(bundle, RECORDS, lambda lines: [*lines[:30], changed(lines[30], sweden), *lines[31:]])
    found = check(audited, bundle, capsys)
    assert "wrong-opening" in codes(found)
    assert "Record 31 cannot be believed" in told(found)


def test_a_wrong_seed_is_named(audited: Audited, bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The slot cannot be rebuilt."""
    at = next(
        number for number, line in enumerate((bundle / SEEDS).read_bytes().splitlines())
        if json.loads(line)["e"] == parse_record((bundle / RECORDS).read_bytes().splitlines()[0]).epoch
    )  # fmt: skip

    def other(lines: list[bytes]) -> list[bytes]:
        seed = json.loads(lines[at + 1])["seed"]
        return [*lines[:at], changed(lines[at], lambda value: value.update(seed=seed)), *lines[at + 1 :]]

    edit(bundle, SEEDS, other)
    assert codes(check(audited, bundle, capsys)) == {"epoch-differs"}


def test_a_gap_in_the_numbers_is_named(
    audited: Audited, bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Renumbering does not help: each record opens its own number."""

    def renumber(lines: list[bytes]) -> list[bytes]:
        return [*lines[:-1], changed(lines[-1], lambda value: value.update(seq=value["seq"] + 1))]

    edit(bundle, RECORDS, renumber)
    reseal(bundle, lambda each: replace(each, last_seq=(each.last_seq or 0) + 1))
    assert {"ledger-gap", "wrong-opening"} <= codes(check(audited, bundle, capsys))


def test_an_erased_record_passed_off_as_never_there_is_named(
    audited: Audited, bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its whole case is left out, or the erasure that explains it."""
    case = load_case(audited.erased)
    own = {each.ledger_seq for each in ledger.records_of(case.case_id).values()}
    edit(bundle, RECORDS, lambda lines: [each for each in lines if parse_record(each).seq not in own])
    found = check(audited, bundle, capsys)
    assert {"ledger-gap", "epoch-differs", "row-without-record"} <= codes(found)
    whole = audited.bundle
    (bundle / RECORDS).write_bytes((whole / RECORDS).read_bytes())
    edit(bundle, OUTSIDE, lambda _: [])
    found = check(audited, bundle, capsys)
    assert codes(found) == {"erased-unsaid"}
    assert "no record says that the case was erased" in told(found)


def test_a_demand_that_is_kept_off_the_list_is_named(
    audited: Audited, bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It stands in no register and is not said to be withheld."""
    edit(bundle, WITHHELD, lambda _: [])
    assert codes(check(audited, bundle, capsys)) == {"demand-nowhere"}


def test_a_report_with_another_number_is_named(
    audited: Audited, bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the bundle; the log names another file, too."""
    path = bundle / "registers" / "2026H2" / "report.json"
    report = parse_report(path.read_bytes())
    cells = (replace(report.cells[0], number=14), *report.cells[1:])
    path.write_bytes(replace(report, cells=cells).encoded)
    reseal(bundle)
    found = check(audited, bundle, capsys)
    assert codes(found) == {"report-not-in-log", "report-differs"}
    assert "the report says 14, the register gives 13" in told(found)


def test_a_register_with_a_row_too_many_or_too_few_is_named(
    audited: Audited, bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A demand that nobody made, one that vanished."""
    path = bundle / "registers" / "2026H2" / "register.json"
    value = json.loads(path.read_bytes())
    rows = value["rows"]
    value["rows"] = sorted([*rows, {**rows[0], "rc": "f" * 64}], key=lambda each: [*map(str, each.values())])
    value["statement"] = f"{len(value['rows'])} demands"
    path.write_bytes(canonical(value))
    reseal(bundle)
    assert {"row-without-record", "register-not-in-log"} <= codes(check(audited, bundle, capsys))
    value["rows"], value["statement"] = rows[2:], f"{len(rows) - 2} demands"
    path.write_bytes(canonical(value))
    reseal(bundle)
    assert {"record-without-row", "register-not-in-log"} <= codes(check(audited, bundle, capsys))


def test_a_file_that_changed_on_the_way_is_refused(audited: Audited, bundle: Path) -> None:
    """Before anything is counted; a missing one too."""
    with (bundle / SEEDS).open("ab") as file:
        file.write(b" ")
    with pytest.raises(MalformedError, match="not the file that bundle"):
        check_command(bundle, log=str(audited.log), policy=audited.policy)
    (bundle / SEEDS).unlink()
    with pytest.raises(UnavailableError, match="cannot be read"):
        check_command(bundle, log=str(audited.log), policy=audited.policy)


def test_a_line_without_end_is_refused(audited: Audited, bundle: Path) -> None:
    """It would fill the memory."""
    (bundle / WITHHELD).write_bytes(b"[" * (5 * 1024 * 1024))
    reseal(bundle)
    with pytest.raises(MalformedError, match="longer than any"):
        check_command(bundle, log=str(audited.log), policy=audited.policy)


def test_a_head_without_enough_witnesses_is_named(
    audited: Audited, bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The policy that the auditor trusts asks for one who never signed."""
    asks = madelog.witness("north").vkey.text
    text = audited.policy.read_text().replace("quorum none", f"witness north {asks}\nquorum north")
    (tmp_path / "policy.txt").write_text(text)
    found = check(replace(audited, policy=tmp_path / "policy.txt"), bundle, capsys)
    assert codes(found) == {"too-few-witnesses"}
    assert any("one log only" in each for each in found["unseen"])


def test_without_a_policy_nothing_is_believed(audited: Audited, bundle: Path) -> None:
    """The keys come by another way."""
    with pytest.raises(RefusedError, match="policy"):
        check_command(bundle, log=str(audited.log))

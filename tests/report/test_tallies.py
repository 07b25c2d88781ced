"""The report: every number can be recounted from the register, and a lie is named."""

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dueprocess.errors import MalformedError
from dueprocess.parcel import safe
from dueprocess.report import (
    CLOSED,
    DIMENSIONS,
    MEANINGS,
    OUTCOMES,
    Cell,
    Register,
    RegisterRow,
    Report,
    build_register,
    build_report,
    parse_report,
    recount,
    report_csv,
)

ROW = RegisterRow(
    period="2026H2",
    country="US",
    regime="us",
    instrument="subpoena",
    basis="18 USC 2703(c)(2)",
    authority_class="prosecutor",
    demand_kind="disclosure",
    emergency=False,
    categories=("subscriber", "traffic"),
    accounts_band="2-10",
    outcome="complied",
    narrowed=False,
    notice="told_after",
    challenged=False,
)


def register_of(count: int) -> Register:
    return build_register([(ROW, f"{number:064x}") for number in range(count)], period="2026H2")


def number(report: Report, cell_id: str) -> int | None:
    cell = report.cell(cell_id)
    assert cell is not None
    return cell.number


def test_a_quiet_half_year_says_fewer_than_ten_everywhere() -> None:
    """No cell holds a number, not even zero, and the report is the same for no demand and for nine."""
    report = build_report(register_of(9))
    assert all(cell.number is None and cell.rows == 0 for cell in report.cells)
    assert report.encoded == build_report(register_of(0)).encoded
    assert {cell.shown(report.k) for cell in report.cells} == {"fewer than 10"}


def test_numbers_count_rows_of_the_register() -> None:
    """Forty demands: all are in the total, thirty are described."""
    report = build_report(register_of(40))
    assert number(report, "total") == 40
    assert number(report, "country:US") == 30
    assert number(report, "country:other") == 10
    assert number(report, "categories:traffic") == 30
    assert number(report, "emergency:yes") is None


def test_zero_is_never_published() -> None:
    """A value that no row names reads `fewer than 10`."""
    report = build_report(register_of(40))
    assert all(cell.number is None or cell.number >= 10 for cell in report.cells)
    assert b'"number":0' not in report.encoded


def test_every_fixed_value_has_a_line_whatever_was_counted() -> None:
    """The list of lines does not tell which values occurred."""
    wanted = {f"{name}:{value}" for name, values in CLOSED.items() for value in values}
    for count in (0, 40):
        assert wanted <= {cell.id for cell in build_report(register_of(count)).cells}


def test_a_report_survives_json() -> None:
    """Parsing the published bytes gives the same report and digest."""
    report = build_report(register_of(40))
    assert parse_report(report.encoded) == report
    assert parse_report(report.encoded).sha256 == report.sha256


def test_recount_agrees_with_an_honest_report() -> None:
    """A fresh count finds nothing to say."""
    for count in (0, 40):
        assert recount(register_of(count), build_report(register_of(count))) == []


def test_recount_names_every_false_cell() -> None:
    """One changed number, rule, missing, invented and doubled cell are each named."""
    register = register_of(40)
    report = build_report(register)

    def with_cells(*cells: Cell) -> list[str]:
        return recount(register, dataclasses.replace(report, cells=cells))

    first, *rest = report.cells
    lie = dataclasses.replace(first, number=41)
    assert with_cells(lie, *rest) == ["total: the report says 41, the register gives 40."]
    assert with_cells(dataclasses.replace(first, rows=7), *rest) == [
        "total: the rule or the number of rows differs."
    ]
    assert with_cells(*rest) == ["total: missing in the report."]
    invented = dataclasses.replace(first, id="country:XX")
    assert with_cells(first, *rest, invented) == ["country:XX: the register has no such cell."]
    assert with_cells(first, first, *rest) == ["The report holds a cell twice."]


def test_recount_names_another_register() -> None:
    """A report for other rows or another half-year is not this register's."""
    report = build_report(register_of(40))
    found = recount(register_of(41), report)
    assert "The report names another register than this one." in found
    other = dataclasses.replace(report, period="2027H1")
    assert "The period or the k of the report is not that of the register." in recount(register_of(40), other)


@pytest.mark.parametrize(
    "changes",
    [
        {"v": 2},
        {"period": "x"},
        {"k": True},
        {"register_sha256": None},
        {"register_sha256": "zz"},
        {"cells": {}},
        {"cells": [{}]},
        {"cells": [{"id": 1, "rule": "", "number": 1, "rows": 1}]},
        {"cells": [{"id": "a", "rule": "", "number": "1", "rows": 1}]},
        {"cells": [{"id": "a", "rule": "", "number": 1, "rows": None}]},
        {"cells": [{"id": "a", "rule": "", "number": True, "rows": 1}]},
    ],
)
def test_a_report_is_parsed_strictly(changes: dict[str, Any]) -> None:
    """Other versions, values and keys are malformed."""
    value = json.loads(build_report(register_of(40)).encoded) | changes
    with pytest.raises(MalformedError):
        parse_report(json.dumps(value))


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
@settings(max_examples=100, deadline=None)
def test_parsing_a_report_raises_only_malformed(text: bytes) -> None:
    """No bytes make the parser fail in another way."""
    with pytest.raises(MalformedError):
        parse_report(text)


def test_the_data_dictionary_is_complete() -> None:
    """Every field and every outcome has a plain meaning."""
    assert set(MEANINGS) == set(DIMENSIONS)
    assert set(OUTCOMES) == set(CLOSED["outcome"])


def test_csv_says_fewer_than_k_in_words() -> None:
    """A withheld number is never an empty cell that a program reads as zero."""
    text = report_csv(build_report(register_of(0))).decode()
    assert "2026H2,total,fewer than 10,0," in text


@pytest.mark.parametrize("value", ["=1+1", "+1", "-1", "@x", "\tx", "\rx"])
def test_a_spreadsheet_runs_nothing(value: str) -> None:
    """A value that looks like a formula is made a text."""
    assert safe(value) == "'" + value

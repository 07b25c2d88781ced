"""Rows for people and for programs: exact in JSON, harmless in a spreadsheet."""

import csv
import datetime as dt
import decimal
import io
import json
import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dueprocess.errors import MalformedError
from dueprocess.parcel import cell, control_number, csv_line, json_line, plain, safe

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.binary(max_size=20)
    | st.decimals()
    | st.datetimes(min_value=dt.datetime(1900, 1, 1))  # noqa: DTZ001  # stores give such times
    | st.dates()
    | st.times()
    | st.uuids(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.text(min_size=1, max_size=8), values, max_size=4))
@settings(max_examples=150, deadline=None)
def test_every_value_of_a_store_has_one_line_of_strict_json(row: dict[str, object]) -> None:
    """One line, UTF-8, no NaN; reading it back gives the plain values."""
    clean = {str(plain(key)): plain(value) for key, value in row.items()}
    line = json_line(clean)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert json.loads(line, parse_constant=pytest.fail) == clean


@given(st.lists(values, min_size=1, max_size=4))
@settings(max_examples=150, deadline=None)
def test_no_text_cell_begins_like_a_formula(row: list[object]) -> None:
    """After parsing, a cell that begins like a formula is a plain number."""
    text = csv_line([plain(value) for value in row]).decode()
    (cells,) = csv.reader(io.StringIO(text, newline=""))
    assert len(cells) == len(row)
    for value, found in zip(row, cells, strict=True):
        if found.lstrip()[:1] in {"=", "+", "-", "@"} or found[:1] in {"\t", "\r", "\0"}:
            assert isinstance(value, int | float)
            assert found == str(value)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\0", " =", "\n=", "＝", "＠"])
def test_a_formula_gets_an_apostrophe(start: str) -> None:
    """OWASP's list, with spaces in front, and the full-width forms that some spreadsheets fold."""
    assert safe(f"{start}cmd|' /C calc'!A0") == f"'{start}cmd|' /C calc'!A0"
    assert cell({"a": 1}) == '{"a": 1}'


def test_harmless_text_is_left_alone() -> None:
    """An address, a name and a number keep their form."""
    assert [cell(value) for value in ("192.0.2.7", "Eva", "", -5, 2.5, True, False, None)] == [
        "192.0.2.7", "Eva", "", "-5", "2.5", "true", "false", "",
    ]  # fmt: skip


def test_exact_things_stay_exact() -> None:
    """Times in UTC, bytes in base64, decimals and identifiers as text, surrogates replaced."""
    berlin = dt.timezone(dt.timedelta(hours=2))
    assert plain(dt.datetime(2026, 9, 1, 2, tzinfo=berlin)) == "2026-09-01T00:00:00Z"
    assert plain(dt.datetime(2026, 9, 1)) == "2026-09-01T00:00:00Z"  # noqa: DTZ001  # that is the point
    assert plain(dt.date(2026, 9, 1)) == "2026-09-01"
    assert plain(b"\xff\x00") == {"base64": "/wA="}
    assert plain(memoryview(b"a")) == {"base64": "YQ=="}
    assert plain(decimal.Decimal("1E+3")) == "1000"
    assert plain(decimal.Decimal("NaN")) == "NaN"
    assert plain(float("inf")) == "inf"
    assert plain(uuid.UUID(int=1)) == "00000000-0000-0000-0000-000000000001"
    assert plain("\ud800") == "?"
    assert plain((1, {"a": b""})) == [1, {"a": {"base64": ""}}]


def test_control_numbers_count_from_one() -> None:
    """Four characters that are not misread, then at least six digits."""
    assert control_number("7F3K", 1) == "7F3K-000001"
    assert control_number("7F3K", 1_234_567) == "7F3K-1234567"
    for prefix, number in (("7F3", 1), ("7f3k", 1), ("7F3I", 1), ("7F3K", 0)):
        with pytest.raises(MalformedError):
            control_number(prefix, number)

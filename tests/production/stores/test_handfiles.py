"""A person's file is read strictly: what is not exactly JSON lines or CSV in UTF-8 refuses it, by its line."""

import contextlib
import hashlib
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dueprocess.errors import MalformedError, UnavailableError
from dueprocess.production.stores.handfiles import RECORD_BYTES, HandFile

COLUMNS = ("account", "at", "note")
CSV = b"account,at,note\r\n"


def read(folder: Path, data: bytes, name: str = "given.jsonl") -> list[dict[str, Any]]:
    path = folder / name
    path.write_bytes(data)
    file = HandFile(path, 1, COLUMNS)
    rows = [dict(row) for row in file.rows()]
    assert (file.sha256, file.size) == (hashlib.sha256(data).hexdigest(), len(data))
    return rows


def refused(folder: Path, data: bytes, name: str = "given.jsonl") -> str:
    with pytest.raises(MalformedError) as caught:
        read(folder, data, name)
    return caught.value.what


def test_json_keeps_types_and_numbers_exactly(tmp_path: Path) -> None:
    """Nothing is rounded: a number that no computer's number says is kept as it was written."""
    line = b'{"note": {"a": [1, true, null]}, "account": "eva", "at": 1.10}\n'
    assert read(tmp_path, line) == [{"note": {"a": [1, True, None]}, "account": "eva", "at": 1.1}]
    exact = b'{"account":"eva","at":0.1000000000000000055511151231257827,"note":12345678901234567890}'
    (row,) = read(tmp_path, exact)
    assert row["at"] == Decimal("0.1000000000000000055511151231257827")
    assert row["note"] == 12345678901234567890


def test_a_csv_gives_texts_and_keeps_what_stands_in_quotes(tmp_path: Path) -> None:
    """Columns in any order, a mark of a spreadsheet in front, line ends and quotes inside of cells."""
    data = b'\xef\xbb\xbfnote,account,at\r\n"a ""b"", c\r\nd",eva,1\r\n,eva,"2"\n'
    assert read(tmp_path, data, "given.CSV") == [
        {"note": 'a "b", c\r\nd', "account": "eva", "at": "1"},
        {"note": "", "account": "eva", "at": "2"},
    ]
    assert read(tmp_path, b"", "empty.csv") == []


GOOD = b'{"account":"eva","at":1,"note":"x"}\n'


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (GOOD + b'{"account":"eva","at":1,"note":"x"', "line 2: it is not one strict JSON object"),
        (GOOD + b"\n" + GOOD, "line 2: it is not one strict JSON object"),
        (b"[1]\n", "line 1: it is not one strict JSON object"),
        (b'{"account":"eva","at":NaN,"note":"x"}\n', "line 1: it is not one strict JSON object"),
        (b'{"account":"eva","account":"finn","at":1,"note":"x"}\n', "line 1: it is not one strict JSON"),
        (b'{"account":"eva","at":1e999999,"note":"x"}\n', "line 1: it is not one strict JSON object"),
        (b'{"account":"eva","at":' + b"9" * 500 + b',"note":"x"}\n', "line 1: it is not one strict JSON"),
        (b'{"account":"eva","at":1,"note":"\\ud800"}\n', "line 1: it is not one strict JSON object"),
        (b'{"account":"eva","at":1,"note":"\\u0000"}\n', "line 1: it holds a NUL"),
        (b'{"account":"eva","at":1,"note":' + b"[" * 100_000 + b"}\n", "line 1: it is not one strict JSON"),
        (GOOD + b'{"account":"eva","at":1,"note":"\xff"}\n', "line 2: it is not UTF-8"),
        (b"\xef\xbb\xbf" + GOOD, "line 1: it begins with a byte order mark"),
        (GOOD.decode().encode("utf-16"), "line 1: it holds a NUL, so this is no text in UTF-8"),
        (b'{"account":"eva","at":1}\n', "line 1: the column 'note' is missing"),
        (b'{"account":"eva","at":1,"note":"x","ip":"y"}\n', "line 1: the column 'ip' is not wanted"),
        (b'{"account":"eva","at":1,"note":"x","finn@x":"y"}\n', "the column whose name is no name"),
        (b'{"account":"' + b"x" * RECORD_BYTES + b'"}', f"line 1: it is longer than {RECORD_BYTES} bytes"),
    ],
)
def test_what_is_no_strict_json_is_refused_by_its_line(tmp_path: Path, data: bytes, said: str) -> None:
    """And the refusal repeats no value of it."""
    told = refused(tmp_path, data)
    assert said in told
    assert "finn" not in told


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"account,at\r\n", "line 1: the column 'note' is missing"),
        (b"account,at,note,ip\r\n", "line 1: the column 'ip' is not wanted"),
        (b"account,at,note,note\r\n", "line 1: a column stands there twice"),
        (b"eva,1,a note\r\n", "line 1: the column 'account' is missing"),
        (CSV + b"eva,1\r\n", "line 2: it has 2 cells, and the header has 3"),
        (CSV + b"eva,1,x\r\n\r\n", "line 3: it has 0 cells"),
        (CSV + b'eva,1,a "b" c\r\n', "line 2: a quote stands inside a cell that is not quoted"),
        (CSV + b'eva,1,"a" b\r\n', "line 2: it is no CSV"),
        (CSV + b'eva,1,"a\r\n\r\neva,1,x\r\n', "line 2: it is no CSV"),
        (CSV + b"eva,1,a\rb\r\n", "line 2: it is no CSV"),
        (CSV + b"eva,1,\0\r\n", "line 2: it holds a NUL"),
        (CSV + b"eva,1,caf\xe9\r\n", "line 2: it is not UTF-8"),
        (CSV.decode().encode("utf-16"), "line 1: it holds a NUL"),
        (CSV + b'eva,1,"' + b"x\r\n" * (RECORD_BYTES // 3 + 9), "line 2: this record is longer"),
    ],
)
def test_what_is_no_csv_is_refused_by_its_line(tmp_path: Path, data: bytes, said: str) -> None:
    """A missing header is a missing column, and its first cell is not repeated."""
    if said.startswith("line 2: this record"):
        with pytest.raises(MalformedError):
            read(tmp_path, data, "given.csv")
        return
    assert said in refused(tmp_path, data, "given.csv")


def test_other_files_are_no_answer(tmp_path: Path) -> None:
    """By their ending, or because they are not there; the file's own name is not repeated."""
    assert "neither .jsonl nor .csv" in refused(tmp_path, b"", "eva.xlsx")
    with pytest.raises(UnavailableError) as caught:
        list(HandFile(tmp_path / "eva.csv", 2, COLUMNS).rows())
    assert caught.value.what == "File 2 cannot be read."


@given(st.binary(max_size=300) | st.text(max_size=200).map(str.encode), st.sampled_from(["x.csv", "x.jsonl"]))
@settings(max_examples=150)
def test_any_bytes_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, name: str
) -> None:
    """Nothing but a refusal comes out of bytes that are no such file; and never another exception."""
    with contextlib.suppress(MalformedError):
        for row in read(tmp_path_factory.getbasetemp(), data, name):
            assert set(row) == set(COLUMNS)


@given(st.binary(max_size=80))
@settings(max_examples=150)
def test_any_bytes_behind_a_header_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    """The same where a file begins as it should."""
    with contextlib.suppress(MalformedError):
        read(tmp_path_factory.getbasetemp(), CSV + data, "behind.csv")

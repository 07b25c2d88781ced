"""One meaning: what is written a batch at a time is what `parcel.rows` writes value by value."""

import csv
import datetime as dt
import decimal
import io
import json
import uuid
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dueprocess.errors import MalformedError
from dueprocess.parcel import CONTROL_NUMBER, cell, control_number, csv_line, json_line, plain, safe
from dueprocess.production.formatting import Formatted, formatted
from dueprocess.production.stores.facts import JSON_TEXT
from dueprocess.production.valuetexts import safe_texts

Column = tuple[pa.Field, pa.Array, list[object]]
"""A field, its values for Arrow, and the same values as Python has them."""


def json_of(found: Formatted, rows: int) -> bytes:
    return bytes(found.json.piece(0, rows))


def csv_of(found: Formatted, rows: int) -> bytes:
    return bytes(found.csv.piece(0, rows))


def by_rows(columns: dict[str, list[object]], prefix: str, first: int) -> tuple[bytes, bytes]:
    """The same records as the reference writes them, one by one."""
    lines, cells = b"", b""
    for number, values in enumerate(zip(*columns.values(), strict=True)):
        known = control_number(prefix, first + number)
        row = {name: plain(value) for name, value in zip(columns, values, strict=True)}
        lines += json_line({CONTROL_NUMBER: known, **row})
        cells += csv_line([known, *row.values()])
    return lines, cells


texts = st.text(
    alphabet=st.characters(codec="utf-8")
    | st.sampled_from("=+-@\t\r\n\0\"\\＝＋ \x1c\x7f\x85\xa0\u2028,;'{}[]")
    | st.sampled_from("aé漢🦆"),
    max_size=12,
)
moments = st.datetimes()
round_moments = moments.map(lambda moment: moment.replace(microsecond=0))
KINDS: dict[str, tuple[pa.DataType, st.SearchStrategy[Any]]] = {
    "bool": (pa.bool_(), st.booleans()),
    "int8": (pa.int8(), st.integers(-128, 127)),
    "int64": (pa.int64(), st.integers(-(2**63), 2**63 - 1)),
    "uint64": (pa.uint64(), st.integers(0, 2**64 - 1)),
    "float64": (pa.float64(), st.floats()),
    "float32": (pa.float32(), st.floats(width=32)),
    "decimal": (
        pa.decimal128(20, 9),
        st.decimals(-(10**10), 10**10, places=9, allow_nan=False, allow_infinity=False),
    ),
    "decimal256": (pa.decimal256(50, 2), st.decimals(-(10**40), 10**40, places=2)),
    "string": (pa.string(), texts),
    "large_string": (pa.large_string(), texts),
    "string_view": (pa.string_view(), texts),
    "binary": (pa.binary(), st.binary(max_size=9)),
    "large_binary": (pa.large_binary(), st.binary(max_size=9)),
    "fixed": (pa.binary(3), st.binary(min_size=3, max_size=3)),
    "date32": (pa.date32(), st.dates()),
    "time": (pa.time64("us"), st.times()),
    "time_s": (pa.time32("s"), st.times().map(lambda time: time.replace(microsecond=0))),
    "at": (pa.timestamp("us"), moments | round_moments),
    "at_zone": (pa.timestamp("us", tz="Europe/Berlin"), moments.map(lambda m: m.replace(tzinfo=dt.UTC))),
    "at_s": (pa.timestamp("s"), round_moments),
    "at_ms": (pa.timestamp("ms"), moments.map(lambda m: m.replace(microsecond=m.microsecond // 1000 * 1000))),
    "list": (pa.list_(pa.string()), st.lists(st.none() | texts, max_size=3)),
    "large_list": (pa.large_list(pa.int64()), st.lists(st.integers(0, 9), max_size=3)),
    "fixed_list": (pa.list_(pa.float64(), 2), st.lists(st.floats(allow_nan=False), min_size=2, max_size=2)),
    "struct": (
        pa.struct([("a b", pa.string()), ('q"', pa.timestamp("us")), ("n", pa.list_(pa.binary()))]),
        st.fixed_dictionaries(
            {
                "a b": st.none() | texts,
                'q"': st.none() | moments,
                "n": st.none() | st.lists(st.none() | st.binary(max_size=4), max_size=2),
            }
        ).map(lambda found: {key: found[key] for key in ("a b", 'q"', "n")}),
    ),
    "empty_struct": (pa.struct([]), st.just({})),
    "map": (pa.map_(pa.string(), pa.struct([("x", pa.float64())])), st.dictionaries(
        texts, st.none() | st.fixed_dictionaries({"x": st.none() | st.floats(allow_nan=False)}), max_size=3)),
    "map_dates": (pa.map_(pa.date32(), pa.int64()), st.dictionaries(st.dates(), st.integers(0, 9), max_size=2)),
    "null": (pa.null(), st.none()),
    "word": (pa.dictionary(pa.int8(), pa.string()), st.sampled_from(["=a", 'b"', "c"])),
    "uuid": (pa.uuid(), st.uuids()),
}  # fmt: skip


@st.composite
def batches(draw: st.DrawFn) -> tuple[pa.RecordBatch, dict[str, list[object]]]:
    """A batch of some columns of any kind, perhaps a slice of a bigger one, and its values as Python has them."""
    rows = draw(st.integers(0, 6))
    names = draw(st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=5, unique=True))
    start = draw(st.integers(0, rows))
    arrays, values = [], {}
    for name in names:
        kind, strategy = KINDS[name]
        given_values = draw(st.lists(st.none() | strategy, min_size=rows, max_size=rows))
        if name in ("map", "map_dates"):
            arrays.append(
                pa.array([None if each is None else list(each.items()) for each in given_values], kind)
            )
        elif name == "uuid":
            stored = pa.array([None if each is None else each.bytes for each in given_values], pa.binary(16))
            arrays.append(pa.ExtensionArray.from_storage(kind, stored))
        else:
            arrays.append(pa.array(given_values, kind))
        values[name] = given_values[start:]
    return pa.record_batch(arrays, names=names).slice(start), values


def same(one: object, other: object) -> bool:
    """Equal, of equal types, keys in the same order."""
    if isinstance(one, dict) and isinstance(other, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and one == other


@given(batches(), st.integers(1, 2_000_000))
@settings(max_examples=300)
def test_a_batch_says_what_its_rows_say(
    drawn: tuple[pa.RecordBatch, dict[str, list[object]]], first: int
) -> None:
    """Every type, with NULLs, in slices: the JSON has the same values and order of keys, the CSV the same cells."""
    batch, values = drawn
    found = formatted(batch, "7F3K", first)
    lines, cells = by_rows(values, "7F3K", first)
    ours = [
        json.loads(line, parse_constant=pytest.fail)
        for line in json_of(found, batch.num_rows).split(b"\n")[:-1]
    ]
    theirs = [json.loads(line) for line in lines.split(b"\n")[:-1]]
    assert len(ours) == batch.num_rows
    assert same(ours, theirs)
    read = list(csv.reader(io.StringIO(csv_of(found, batch.num_rows).decode(), newline="")))
    expected = list(csv.reader(io.StringIO(cells.decode(), newline="")))
    for row, wanted in zip(read, expected, strict=True):
        for value, other in zip(row, wanted, strict=True):
            assert value == other or is_number_like(value, other)


def is_number_like(value: str, other: str) -> bool:
    """A number may be written in another way (1e+16 and 10000000000000000), also inside the JSON of a cell."""
    try:
        one, two = json.loads(value), json.loads(other)
    except ValueError:
        return False
    return same(one, two)


@given(st.lists(st.none() | texts, min_size=1, max_size=20))
@settings(max_examples=300)
def test_texts_are_the_same_byte_for_byte(column: list[str | None]) -> None:
    """Text, the commonest of all, with every escape: not one byte is different."""
    batch = pa.record_batch([pa.array(column, pa.string())], names=["text"])
    found = formatted(batch, "7F3K", 1)
    values: dict[str, list[object]] = {"text": list(column)}
    assert (json_of(found, len(column)), csv_of(found, len(column))) == by_rows(values, "7F3K", 1)


def test_the_formula_rule_is_the_same_for_every_character() -> None:
    """In front of a text, and between blanks and an equals sign: the same apostrophes as `parcel.safe`."""
    characters = [chr(code) for code in range(0x10000) if not 0xD800 <= code < 0xE000]
    for shape in ("{}x", "{}=x", " {}", "x{}="):
        given_texts = [shape.format(character) for character in characters]
        assert safe_texts(pa.array(given_texts)).to_pylist() == [safe(text) for text in given_texts]


def test_times_are_exact() -> None:
    """UTC with Z; micro- or nanoseconds only where there are any; no year that a reader does not know."""
    nanos = [0, 1, 1_000, 1_500_000_000, -1, None]
    batch = pa.record_batch([pa.array(nanos, pa.timestamp("ns", tz="UTC"))], names=["at"])
    assert [json.loads(line)["at"] for line in json_of(formatted(batch, "7F3K", 1), 6).splitlines()] == [
        "1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000000001Z", "1970-01-01T00:00:00.000001Z",
        "1970-01-01T00:00:01.500000Z", "1969-12-31T23:59:59.999999999Z", None,
    ]  # fmt: skip
    clocks = pa.record_batch([pa.array([0, 1, 1000], pa.time64("ns"))], names=["at"])
    assert [json.loads(line)["at"] for line in json_of(formatted(clocks, "7F3K", 1), 3).splitlines()] == [
        "00:00:00", "00:00:00.000000001", "00:00:00.000001",
    ]  # fmt: skip
    for array in (
        pa.array([2**62], pa.timestamp("us")),
        pa.array([-(2**62)], pa.timestamp("s")),
        pa.array([253_402_300_800], pa.timestamp("s")),
        pa.array([2_932_897], pa.date32()),
    ):
        with pytest.raises(MalformedError) as caught:
            formatted(pa.record_batch([array], names=["at"]), "7F3K", 1)
        assert caught.value.code == "not-an-instant"


def test_small_decimals_and_big_numbers_stay_exact() -> None:
    """No 1E-7, no rounding of 64-bit numbers."""
    batch = pa.record_batch(
        {
            "small": pa.array([decimal.Decimal("0.00000001"), decimal.Decimal(-1)], pa.decimal128(20, 8)),
            "big": pa.array([2**63 - 1, -(2**63)], pa.int64()),
        }
    )
    rows = [json.loads(line) for line in json_of(formatted(batch, "7F3K", 1), 2).splitlines()]
    assert [(row["small"], row["big"]) for row in rows] == [
        ("0.00000001", 2**63 - 1),
        ("-1.00000000", -(2**63)),
    ]
    assert b'"\'-1.00000000"' in csv_of(formatted(batch, "7F3K", 1), 2)


mixed = st.recursive(
    st.none() | st.booleans() | st.integers() | texts | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=4,
)


@given(st.lists(mixed, min_size=1, max_size=5), st.booleans())
@settings(max_examples=150)
def test_json_of_a_store_is_spliced_in_as_it_is(values: list[object], pretty: bool) -> None:  # noqa: FBT001
    """A column of mixed types: the same JSON, on one line; in CSV the same cell as for the value itself."""
    written = [
        None if each is None else json.dumps(each, ensure_ascii=False, indent=1 if pretty else None)
        for each in values
    ]
    field = pa.field("mixed", pa.string(), metadata=JSON_TEXT)
    batch = pa.record_batch([pa.array(written, pa.string())], schema=pa.schema([field]))
    found = formatted(batch, "7F3K", 1)
    lines = json_of(found, len(values)).split(b"\n")[:-1]
    assert [json.loads(line)["mixed"] for line in lines] == values
    read = list(csv.reader(io.StringIO(csv_of(found, len(values)).decode(), newline="")))
    assert [row[1] for row in read] == [cell(value) for value in values]


@pytest.mark.parametrize(
    ("array", "metadata"),
    [
        (pa.array(["{"]), JSON_TEXT),
        (pa.array(["NaN"]), JSON_TEXT),
        (pa.array(['"a" "b"']), JSON_TEXT),
        (pa.array(["[" * 100_000]), JSON_TEXT),
        (pa.array([b"\xff"]).view(pa.string()), None),
        (pa.array([b'"\xff"']).view(pa.string()), JSON_TEXT),
    ],
)
def test_what_cannot_be_written_is_malformed(array: pa.Array, metadata: dict[bytes, bytes] | None) -> None:
    """No JSON, no UTF-8: an error of the table that names no value, never a broken line."""
    batch = pa.record_batch([array], schema=pa.schema([pa.field("x", array.type, metadata=metadata)]))
    with pytest.raises(MalformedError) as caught:
        formatted(batch, "7F3K", 1)
    assert caught.value.code == "unwritable-record"


def test_a_column_cannot_pass_for_the_control_number() -> None:
    """One key, one meaning."""
    with pytest.raises(MalformedError) as caught:
        formatted(pa.record_batch([pa.array([1])], names=[CONTROL_NUMBER]), "7F3K", 1)
    assert caught.value.code == "bad-column"


def test_values_of_python_that_no_type_covers_are_written_one_by_one() -> None:
    """A duration, and an identifier inside a list: as `parcel.plain` says them."""
    lists = pa.ListArray.from_arrays(
        [0, 1], pa.ExtensionArray.from_storage(pa.uuid(), pa.array([uuid.UUID(int=7).bytes], pa.binary(16)))
    )
    batch = pa.record_batch({"for": pa.array([dt.timedelta(hours=1)]), "ids": lists})
    (line,) = json_of(formatted(batch, "7F3K", 1), 1).splitlines()
    assert json.loads(line) == {
        CONTROL_NUMBER: "7F3K-000001", "for": "1:00:00", "ids": ["00000000-0000-0000-0000-000000000007"],
    }  # fmt: skip


@given(batches(), st.integers(0, 400))
@settings(max_examples=100)
def test_lines_are_cut_between_records(
    drawn: tuple[pa.RecordBatch, dict[str, list[object]]], room: int
) -> None:
    """As many whole lines as fit, none that does not, and nothing of them is lost."""
    batch, _ = drawn
    found = formatted(batch, "7F3K", 1)
    lines = [bytes(found.json.piece(row, row + 1)) for row in range(batch.num_rows)]
    for start in range(batch.num_rows):
        end = found.json.fitting(start, room)
        assert sum(map(len, lines[start:end])) <= room
        assert end == batch.num_rows or sum(map(len, lines[start : end + 1])) > room
        assert found.json.fitting(start, -1) == start
        assert b"".join(lines[start:end]) == bytes(found.json.piece(start, end))

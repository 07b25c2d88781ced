"""Strict reading of JSON: one spelling, exact members."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dueprocess.errors import MalformedError
from dueprocess.tlog import shape
from dueprocess.wire import Json, canonical


@pytest.mark.parametrize(
    "data",
    [
        b'{"a":1, "b":2}',
        b'{"b":2,"a":1}',
        b'"\\u0061"',
        b"1.0",
        b"-0",
        b"[1]\n",
        b'{"a":1,"a":1}',
        b'"\\ud800"',
        b"\xff",
    ],
    ids=repr,
)
def test_only_the_canonical_spelling_is_read(data: bytes) -> None:
    """Blanks, order, escapes, number forms: each value has one byte string."""
    with pytest.raises(MalformedError):
        shape.parse_canonical(data, "value")


@pytest.mark.parametrize("depth", [500, 3_000, 9_000, 200_000])
def test_deep_nesting_is_malformed_and_never_a_crash(depth: int) -> None:
    """However the interpreter counts its stack."""
    try:
        shape.parse_canonical(b"[" * depth + b"]" * depth, "value")
    except MalformedError:
        return
    assert depth == 500


@settings(max_examples=200, deadline=None)
@given(
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.text()),
        lambda each: st.lists(each, max_size=3),
    )
)
def test_canonical_bytes_are_read(value: Json) -> None:
    """What is written canonically comes back."""
    assert shape.parse_canonical(canonical(value), "value") == value


def test_each_reader_refuses_other_types() -> None:
    """Text, numbers, flags, lists, objects: none stands in for another."""
    values: list[Json] = [None, True, 1, "1", [], {}]
    for value in values:
        for read, own in (
            (lambda each: shape.text(each, "x"), "1"),
            (lambda each: shape.number(each, "x", most=5), 1),
            (lambda each: shape.flag(each, "x"), True),
            (lambda each: shape.items(each, "x"), []),
            (lambda each: shape.members(each, (), "x"), {}),
        ):
            if value == own and type(value) is type(own):
                read(value)
                continue
            with pytest.raises(MalformedError):
                read(value)


def test_a_digest_is_lower_case_hex() -> None:
    """64 digits, no capitals."""
    assert shape.sha256_text("ab" * 32, "x") == "ab" * 32
    for bad in ("AB" * 32, "ab", 1):
        with pytest.raises(MalformedError):
            shape.sha256_text(bad, "x")

"""Records: fields that can be shown alone, and nothing that can be guessed from those that are not."""

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dueprocess.errors import MalformedError
from dueprocess.tlog import (
    AUDIENCES,
    FIELDS,
    KEPT_AFTER_ERASURE,
    RESERVED,
    Opening,
    Record,
    commitment,
    is_kept,
    kept_opening,
    open_fields,
    opening_from_json,
    parse_opening,
    salt,
    verify_opening,
)
from dueprocess.tlog.record import audience_from_json
from dueprocess.wire import Json, canonical

SECRET = hashlib.sha256(b"secret").digest()
RECORD = Record(
    {"kind": "DataProduced", "month": "2026-11", "accounts": 2, "narrowed": True, "categories": ["traffic"]}
)

VALUES = st.dictionaries(
    st.sampled_from(sorted(set(FIELDS) - set(RESERVED))),
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(0, 99),
        st.text(max_size=9),
        st.lists(st.text(max_size=3), max_size=3),
    ),
)
NAMES = st.sets(st.sampled_from(FIELDS))


def test_there_are_32_fields_in_their_fixed_order() -> None:
    """The order is the format: a changed order would be another commitment."""
    assert len(FIELDS) == len(set(FIELDS)) == 32
    assert FIELDS[:5] == ("event_sha256", "prev", "ledger_seq", "kind", "month")
    assert FIELDS[-5:] == ("register_row", "reserved_1", "reserved_2", "reserved_3", "reserved_4")


@settings(max_examples=100, deadline=None)
@given(VALUES, NAMES)
def test_an_opening_shows_exactly_the_chosen_fields(values: dict[str, Json], names: set[str]) -> None:
    """The values come back, the commitment is the record's, also through JSON."""
    record = Record(values)
    opening = opening_from_json(open_fields(record, SECRET, names).as_json())
    found = verify_opening(opening)
    assert found.commitment == commitment(record, SECRET)
    assert dict(found.values) == {name: values.get(name) for name in names}
    assert list(found.values) == [name for name in FIELDS if name in names]


def test_an_absent_field_is_null() -> None:
    """Absent and null are one commitment, so that absence can be shown."""
    assert commitment(Record({"kind": "x"}), SECRET) == commitment(
        Record({"kind": "x", "month": None}), SECRET
    )
    assert Record({"kind": "x"}).value("month") is None


def test_another_value_field_or_secret_is_another_commitment() -> None:
    """No two records share one."""
    others = [
        commitment(Record({"kind": "x"}), SECRET),
        commitment(Record({"kind": "y"}), SECRET),
        commitment(Record({"month": "x"}), SECRET),
        commitment(Record({"kind": 1}), SECRET),
        commitment(Record({"kind": "1"}), SECRET),
        commitment(Record({"kind": True}), SECRET),
        commitment(Record({"kind": "x"}), hashlib.sha256(SECRET).digest()),
    ]
    assert len(set(others)) == len(others)


def test_what_is_not_opened_leaves_no_trace() -> None:
    """Neither the value nor the salt of a closed field is in the opening."""
    text = json.dumps(open_fields(RECORD, SECRET, ["kind"]).as_json())
    assert "2026-11" not in text
    assert salt(SECRET, FIELDS.index("month")).hex() not in text
    closed = {salt(SECRET, index) for index in range(32)} - {salt(SECRET, FIELDS.index("kind"))}
    assert not closed & {each for _, each in open_fields(RECORD, SECRET, ["kind"]).opened.values()}


def test_after_erasure_the_rest_still_verifies() -> None:
    """The kept openings, the digests and the blind lead to the same commitment without the secret."""
    kept = kept_opening(RECORD, SECRET)
    assert verify_opening(parse_opening(canonical(kept.as_json()))).commitment == commitment(RECORD, SECRET)
    assert set(kept.opened) == set(KEPT_AFTER_ERASURE)


def test_what_is_kept_after_erasure_is_told_from_every_other_opening() -> None:
    """Exactly five fields, each as committed: one more would be no erasure, one less a hole."""
    kept = kept_opening(RECORD, SECRET)
    assert is_kept(kept)
    assert not is_kept(open_fields(RECORD, SECRET, (*KEPT_AFTER_ERASURE, "accounts")))
    for name in KEPT_AFTER_ERASURE:
        less = {each: pair for each, pair in kept.opened.items() if each != name}
        assert not is_kept(Opening(kept.digests, kept.blind, less))
        wrong = {**kept.opened, name: ("other", kept.opened[name][1])}
        assert not is_kept(Opening(kept.digests, kept.blind, wrong))


def test_a_changed_opening_is_refused_by_name() -> None:
    """A value or salt that was not committed to; digests that are missing."""
    opening = open_fields(RECORD, SECRET, ["kind", "accounts"])
    good = opening.opened["accounts"][1]
    for value in ((3, good), ("2", good), (2, SECRET)):
        with pytest.raises(MalformedError, match="accounts"):
            verify_opening(Opening(opening.digests, opening.blind, {"accounts": value}))
    with pytest.raises(MalformedError):
        verify_opening(Opening(opening.digests[1:], opening.blind, {}))


def test_a_changed_digest_or_blind_is_another_commitment() -> None:
    """Closed fields are bound too."""
    opening = open_fields(RECORD, SECRET, ["kind"])
    right = commitment(RECORD, SECRET)
    assert verify_opening(Opening(opening.digests, SECRET, opening.opened)).commitment != right
    for index in set(range(32)) - {FIELDS.index("kind")}:
        digests = (*opening.digests[:index], SECRET, *opening.digests[index + 1 :])
        assert verify_opening(Opening(digests, opening.blind, opening.opened)).commitment != right


@pytest.mark.parametrize(
    "values", [{"name": "Eva"}, {"reserved_1": 1}, {"kind": "x" * 65_536}, {"kind": "\ud800"}], ids=[*"abcd"]
)
def test_a_record_that_cannot_be_is_refused(values: dict[str, Json]) -> None:
    """Unknown fields, values in reserved ones, too long or impossible values."""
    with pytest.raises(MalformedError):
        Record(values)


def test_a_value_nested_beyond_reason_is_refused() -> None:
    """It has no canonical form that every reader could make."""
    deep: Json = []
    for _ in range(20_000):
        deep = [deep]
    with pytest.raises(MalformedError):
        Record({"kind": deep})


def test_a_record_does_not_change() -> None:
    """Not even through the mapping that it was made from."""
    values: dict[str, Json] = {"kind": "x"}
    record = Record(values)
    values["kind"] = "y"
    assert record.value("kind") == "x"


def test_unknown_names_are_refused() -> None:
    """In openings as in records."""
    with pytest.raises(MalformedError):
        open_fields(RECORD, SECRET, ["name"])
    with pytest.raises(MalformedError):
        RECORD.value("name")
    with pytest.raises(MalformedError):
        commitment(RECORD, b"short")


def test_audiences_see_what_is_theirs() -> None:
    """The sequence to the auditor alone, other people's number and the subjects not to the requester."""
    assert [name for name, fields in AUDIENCES.items() if "ledger_seq" in fields] == ["auditor"]
    assert not {"accounts", "subjects_root", "notice"} & set(AUDIENCES["requester"])
    assert "accounts" not in AUDIENCES["user"]
    assert "subjects_root" in AUDIENCES["user"]
    digests = {"paper_sha256", "scope_sha256", "plan_sha256", "parcel_sha256", "subjects_root", "order_ref"}
    assert not digests & set(AUDIENCES["auditor"])
    for fields in AUDIENCES.values():
        assert len(set(fields)) == len(fields)
        assert set(fields) <= set(FIELDS) - set(RESERVED)
    assert [audience_from_json(name) for name in AUDIENCES] == list(AUDIENCES)


@pytest.mark.parametrize("value", ["User", "", None, 1, ["user"]], ids=str)
def test_there_is_no_other_audience(value: Json) -> None:
    """Four, by name."""
    with pytest.raises(MalformedError):
        audience_from_json(value)


GOOD: dict[str, Any] = open_fields(RECORD, SECRET, ["kind"]).as_json()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("v", 0),
        ("digests", []),
        ("digests", [""] * 32),
        ("blind", "AAAA"),
        ("opened", []),
        ("opened", {"name": GOOD["opened"]["kind"]}),
        ("opened", {"kind": {"salt": "AAAA", "value": 1}}),
        ("opened", {"kind": {"value": 1}}),
        ("more", None),
    ],
    ids=[*"abcdefghi"],
)
def test_foreign_json_is_not_an_opening(name: str, value: Json) -> None:
    """Every member is checked before anything is computed."""
    with pytest.raises(MalformedError):
        opening_from_json({**GOOD, name: value})


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(
        st.binary(),
        st.dictionaries(st.sampled_from(sorted(GOOD)), st.text()).map(
            lambda each: json.dumps({**GOOD, **each}).encode()
        ),
    )
)
def test_bytes_give_an_opening_or_a_malformed_error(data: bytes) -> None:
    """The parser raises nothing else."""
    try:
        parse_opening(data)
    except MalformedError:
        return

"""Public leaves: their one spelling, and what they can never say."""

import dataclasses
import datetime as dt
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dueprocess.errors import MalformedError
from dueprocess.tlog import (
    EPOCH_LEAF_BYTES,
    MOST_EPOCH,
    AttestLeaf,
    EpochLeaf,
    GapLeaf,
    IncidentLeaf,
    KeyLeaf,
    Leaf,
    PolicyLeaf,
    RegisterLeaf,
    ReportLeaf,
    encode_leaf,
    parse_leaf,
)
from dueprocess.wire import Json, canonical

VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
DIGEST, OTHER = "ab" * 32, "cd" * 32
CLOSED_AT = dt.datetime(2026, 11, 22, 2, 45, tzinfo=dt.UTC)

EPOCH = EpochLeaf(123_456, bytes(range(32)), CLOSED_AT)
POLICY = PolicyLeaf(
    number=3,
    epoch_seconds=300,
    depth=16,
    k=10,
    delay_days=90,
    bands=(0, 250, 500, 1000),
    quorum_modes=("solo_cosigner", "two"),
    clock="system",
    witness_policy_sha256=DIGEST,
    software_sha256=OTHER,
    in_force_on=dt.date(2027, 1, 1),
)
LEAVES: list[Leaf] = [
    EPOCH,
    POLICY,
    RegisterLeaf("2026H2", DIGEST),
    RegisterLeaf("2026H2", DIGEST, replaces=OTHER),
    ReportLeaf("2026H2", DIGEST, 210_300, OTHER),
    AttestLeaf("2026H1", VKEY, DIGEST, bytes(64)),
    KeyLeaf("retire", VKEY, bytes(64)),
    GapLeaf(5, 5),
    IncidentLeaf("tiles-damaged", 5, 9),
]


@pytest.mark.parametrize("leaf", LEAVES, ids=[f"{n}-{type(leaf).__name__}" for n, leaf in enumerate(LEAVES)])
def test_every_kind_of_leaf_is_read_back(leaf: Leaf) -> None:
    """What is written is read as the same value."""
    assert parse_leaf(encode_leaf(leaf)) == leaf


def test_the_epoch_leaf_is_spelled_as_specified() -> None:
    """Ten digits, base64 root, whole second."""
    assert encode_leaf(EPOCH) == (
        b'{"e":"0000123456","r":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=","t":"epoch",'
        b'"ts":"2026-11-22T02:45:00Z","v":0}'
    )


@settings(max_examples=200, deadline=None)
@given(
    st.integers(0, MOST_EPOCH),
    st.binary(min_size=32, max_size=32),
    st.datetimes(timezones=st.just(dt.UTC)).map(lambda each: each.replace(microsecond=0)),
)
def test_the_epoch_leaf_has_one_length(epoch: int, root: bytes, closed_at: dt.datetime) -> None:
    """115 bytes for every epoch, root and time: its length says nothing."""
    assert len(encode_leaf(EpochLeaf(epoch, root, closed_at))) == EPOCH_LEAF_BYTES


def test_a_register_leaf_has_no_room_for_a_count() -> None:
    """Period, digest and what it replaces: a row count would break the register's own k-rule."""
    assert set(json.loads(encode_leaf(LEAVES[2]))) == {"t", "v", "period", "sha256", "replaces"}
    with pytest.raises(MalformedError):
        parse_leaf(canonical({**LEAVES[2].as_json(), "rows": 41}))


def test_an_incident_leaf_has_no_room_for_words() -> None:
    """One of the listed codes, nothing else."""
    for code in ("the NSL of 3 May leaked", "tiles-Damaged", "", None, 1):
        with pytest.raises(MalformedError):
            parse_leaf(canonical({**LEAVES[-1].as_json(), "code": code}))


def test_what_is_signed_in_a_leaf_names_its_purpose() -> None:
    """An attestation and a key change cannot be taken for each other or for a note."""
    assert AttestLeaf("2026H1", VKEY, DIGEST, bytes(64)).message == (
        b"dueprocess/attest/v1\n\x00\x062026H1" + bytes.fromhex(DIGEST)
    )
    assert KeyLeaf("add", VKEY, bytes(64)).message == (
        b"dueprocess/key/v1\n\x00\x03add" + len(VKEY).to_bytes(2, "big") + VKEY.encode()
    )


def changed(leaf: Leaf, name: str, value: Json) -> bytes:
    return canonical({**leaf.as_json(), name: value})


WRONG: list[tuple[Leaf, str, Json]] = [
    (EPOCH, "e", "123456"),
    (EPOCH, "e", 123_456),
    (EPOCH, "e", "\u0660" * 10),
    (EPOCH, "r", "AAAA"),
    (EPOCH, "r", "not base64"),
    (EPOCH, "ts", "2026-11-22T02:45:00.000001Z"),
    (EPOCH, "ts", "2026-11-22T02:45:00+00:00"),
    (EPOCH, "ts", None),
    (EPOCH, "v", 1),
    (EPOCH, "v", False),
    (EPOCH, "t", "gap"),
    (EPOCH, "t", "hello"),
    (EPOCH, "t", ["epoch"]),
    (EPOCH, "more", None),
    (POLICY, "bands", [250, 0]),
    (POLICY, "bands", [0, 0]),
    (POLICY, "bands", [True]),
    (POLICY, "bands", "0"),
    (POLICY, "quorum_modes", []),
    (POLICY, "quorum_modes", ["two", "solo_cosigner"]),
    (POLICY, "quorum_modes", ["one"]),
    (POLICY, "clock", "fast"),
    (POLICY, "k", -1),
    (POLICY, "from", "2027-1-1"),
    (POLICY, "from", "20270101"),
    (POLICY, "from", "2027-02-30"),
    (POLICY, "sw_sha256", DIGEST.upper()),
    (LEAVES[2], "period", "2026H3"),
    (LEAVES[2], "replaces", "older"),
    (LEAVES[4], "register_leaf", -1),
    (LEAVES[5], "auditor", VKEY[:-1]),
    (LEAVES[5], "sig", ""),
    (LEAVES[6], "op", "change"),
    (LEAVES[7], "to_e", "0000000004"),
]


@pytest.mark.parametrize(
    ("leaf", "name", "value"), WRONG, ids=[f"{n}-{each[1]}" for n, each in enumerate(WRONG)]
)
def test_a_wrong_member_is_refused(leaf: Leaf, name: str, value: Json) -> None:
    """Every member has one type, one form and a closed set of values."""
    with pytest.raises(MalformedError):
        parse_leaf(changed(leaf, name, value))


def test_a_leaf_that_would_be_read_as_another_is_never_written() -> None:
    """Values out of range are stopped before they are logged for ever."""
    for bad in (
        dataclasses.replace(EPOCH, epoch=MOST_EPOCH + 1),
        dataclasses.replace(EPOCH, root=b"short"),
        dataclasses.replace(EPOCH, closed_at=CLOSED_AT.replace(microsecond=1)),
        dataclasses.replace(EPOCH, closed_at=CLOSED_AT.replace(tzinfo=None)),
        dataclasses.replace(POLICY, bands=(2, 1)),
        dataclasses.replace(POLICY, number=True),
    ):
        with pytest.raises(MalformedError):
            encode_leaf(bad)


def test_a_value_that_reads_back_differently_is_refused() -> None:
    """A list in place of a tuple is the same JSON and another value."""
    with pytest.raises(MalformedError) as caught:
        encode_leaf(dataclasses.replace(POLICY, bands=[0, 250]))  # type: ignore[arg-type]  # wrong on purpose
    assert caught.value.code == "bad-leaf"


@pytest.mark.parametrize("data", [b"", b"[]", b"null", b'{"t":"epoch","v":0}', encode_leaf(EPOCH) + b"\n"])
def test_what_is_not_a_leaf_is_refused(data: bytes) -> None:
    """Other JSON, missing members, another spelling."""
    with pytest.raises(MalformedError):
        parse_leaf(data)


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        st.binary(),
        st.sampled_from(LEAVES).flatmap(
            lambda leaf: st.tuples(
                st.sampled_from(sorted(leaf.as_json())),
                st.one_of(st.none(), st.integers(0, 9), st.text(), st.just([])),
            ).map(lambda pair: changed(leaf, *pair))
        ),
    )
)
def test_bytes_give_a_leaf_or_a_malformed_error(data: bytes) -> None:
    """The parser raises nothing else, and what it takes is written back byte for byte."""
    try:
        leaf = parse_leaf(data)
    except MalformedError:
        return
    assert encode_leaf(leaf) == data

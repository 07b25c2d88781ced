"""Public leaves: their one spelling, and what they can never say."""

import dataclasses
import datetime as dt
import hashlib
import json
from typing import Any, get_args

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from dueprocess.errors import MalformedError
from dueprocess.tlog import (
    COSIGNATURE,
    EPOCH_LEAF_BYTES,
    ML_DSA_44,
    MOST_EPOCH,
    AttestLeaf,
    EpochLeaf,
    GapLeaf,
    IncidentCode,
    IncidentLeaf,
    KeyLeaf,
    KeyOperation,
    Leaf,
    PolicyLeaf,
    RegisterLeaf,
    ReportLeaf,
    Vkey,
    encode_leaf,
    make_vkey,
    parse_leaf,
    parse_vkey,
    verify_attest_leaf,
    verify_key_leaf,
)
from dueprocess.wire import Json, canonical

VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
DIGEST, OTHER = "ab" * 32, "cd" * 32
KEY = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"old").digest())
OLD = make_vkey("log.example/1", KEY.public_key().public_bytes_raw())
NEXT = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"next").digest())
NEW = make_vkey("log.example/1", NEXT.public_key().public_bytes_raw())
PQ_KEY = MLDSA44PrivateKey.from_seed_bytes(hashlib.sha256(b"pq").digest())
PQ = make_vkey("log.example/1", PQ_KEY.public_key().public_bytes_raw(), algorithm=ML_DSA_44)
COSIGNER = make_vkey("log.example/1", OLD.public, algorithm=COSIGNATURE).text
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
    intake_vkey=VKEY,
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
    KeyLeaf("add", PQ.text, bytes(64)),
    dataclasses.replace(POLICY, intake_vkey=None),
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
        b'"ts":"2026-11-22T02:45:00Z","v":1}'
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


def key_leaf(operation: KeyOperation, vkey: Vkey, signer: Ed25519PrivateKey) -> KeyLeaf:
    leaf = KeyLeaf(operation, vkey.text, bytes(64))
    return dataclasses.replace(leaf, signature_by_old=signer.sign(leaf.message))


@pytest.mark.parametrize("vkey", [NEW, PQ], ids=["Ed25519", "ML-DSA-44"])
def test_a_key_is_added_by_one_that_was_valid_before(vkey: Vkey) -> None:
    """The old key signs for the new one; the leaf goes through the log unchanged."""
    leaf = parse_leaf(encode_leaf(key_leaf("add", vkey, KEY)))
    assert isinstance(leaf, KeyLeaf)
    assert verify_key_leaf(leaf, [PQ, NEW, OLD]) == OLD


def test_a_key_can_retire_itself() -> None:
    """Its last act; or another valid key does it."""
    assert verify_key_leaf(key_leaf("retire", OLD, KEY), [OLD]) == OLD
    assert verify_key_leaf(key_leaf("retire", OLD, NEXT), [OLD, NEW]) == NEW


@pytest.mark.parametrize(
    ("leaf", "known"),
    [
        (key_leaf("add", NEW, NEXT), [OLD]),
        (key_leaf("add", NEW, NEXT), [OLD, NEW]),
        (key_leaf("add", NEW, KEY), [PQ]),
        (key_leaf("add", NEW, KEY), [parse_vkey(COSIGNER)]),
        (key_leaf("add", NEW, KEY), []),
        (dataclasses.replace(key_leaf("add", NEW, KEY), operation="retire"), [OLD]),
        (dataclasses.replace(key_leaf("add", NEW, KEY), vkey=PQ.text), [OLD]),
    ],
    ids=["stranger", "itself", "ML-DSA-44 only", "witness key", "nobody", "other operation", "other key"],
)
def test_a_change_of_keys_that_no_valid_key_signed_is_refused(leaf: KeyLeaf, known: list[Vkey]) -> None:
    """Else whoever can append a leaf could take the log over."""
    with pytest.raises(MalformedError) as caught:
        verify_key_leaf(leaf, known)
    assert caught.value.code == "bad-signature"


def attestation() -> AttestLeaf:
    leaf = AttestLeaf("2026H1", NEW.text, DIGEST, bytes(64))
    return dataclasses.replace(leaf, signature=NEXT.sign(leaf.message))


def test_an_attestation_is_verified_under_the_key_that_it_names() -> None:
    """Who that is, the reader must know."""
    assert verify_attest_leaf(attestation()) == NEW


@pytest.mark.parametrize(
    "change",
    [
        {"period": "2026H2"},
        {"statement_sha256": OTHER},
        {"auditor": OLD.text},
        {"signature": bytes(64)},
        {"auditor": PQ.text},
    ],
    ids=["period", "statement", "auditor", "signature", "ML-DSA-44"],
)
def test_a_changed_attestation_is_refused(change: dict[str, Any]) -> None:
    """Period, statement, auditor and signature hang together."""
    with pytest.raises(MalformedError) as caught:
        verify_attest_leaf(dataclasses.replace(attestation(), **change))
    assert caught.value.code == "bad-signature"


def test_what_can_go_wrong_with_a_log_has_a_code() -> None:
    """Among them a restored store, a lost witness and a clock that moved."""
    codes = get_args(IncidentCode)
    assert {"store-restored", "witness-lost", "clock-moved"} <= set(codes)
    assert list(codes) == sorted(codes)


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
    (EPOCH, "v", 0),
    (EPOCH, "v", 2),
    (EPOCH, "v", True),
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
    (POLICY, "intake", VKEY[:-1]),
    (POLICY, "intake", PQ.text),
    (POLICY, "intake", COSIGNER),
    (LEAVES[2], "period", "2026H3"),
    (LEAVES[2], "replaces", "older"),
    (LEAVES[4], "register_leaf", -1),
    (LEAVES[5], "auditor", VKEY[:-1]),
    (LEAVES[5], "auditor", PQ.text),
    (LEAVES[5], "auditor", COSIGNER),
    (LEAVES[5], "sig", ""),
    (LEAVES[6], "vkey", COSIGNER),
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


@pytest.mark.parametrize("data", [b"", b"[]", b"null", b'{"t":"epoch","v":1}', encode_leaf(EPOCH) + b"\n"])
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


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"2026-11-22T02:45:00Z", b"2026-13-22T02:45:00Z"),
        (b"2026-11-22T02:45:00Z", b"2026-11-22T24:00:00Z"),
        (b"2026-11-22T02:45:00Z", b"--------------------"),
        (b'Hh8="', b'Hh9="'),
    ],
)
def test_an_epoch_leaf_of_the_usual_shape_is_still_read_strictly(old: bytes, new: bytes) -> None:
    """The quick way for epoch leaves refuses what the slow one does: impossible times, loose base64."""
    entry = encode_leaf(EPOCH)
    assert old in entry
    with pytest.raises(MalformedError):
        parse_leaf(entry.replace(old, new))

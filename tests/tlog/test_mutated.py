"""Valid input of every parser, damaged: each gives a value or ``MalformedError``, and nothing else."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dueprocess.errors import MalformedError
from dueprocess.tlog import (
    add_cosignatures,
    encode_leaf,
    format_note,
    format_proof,
    is_kept,
    open_checkpoint,
    parse_checkpoint,
    parse_leaf,
    parse_note,
    parse_opening,
    parse_policy,
    parse_proof,
    parse_receipt,
    parse_signatures,
    parse_vkey,
    subject_from_json,
    verify_attest_leaf,
    verify_key_leaf,
    verify_receipt,
    without_ml_dsa,
)
from dueprocess.tlog.leaf import AttestLeaf, KeyLeaf
from dueprocess.wire import canonical, parse_json

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "specs" / "tlog" / "vectors.json").read_text("utf-8")
)
NOTE = VECTORS["checkpoint"]["note"].encode()
POLICY = VECTORS["checkpoint"]["policies"][0]["policy"].encode()
TRUSTED = parse_policy(POLICY)
RECEIPT = VECTORS["receipt"]["receipt"].encode()
RECEIPT_POLICY = parse_policy(VECTORS["receipt"]["policy"].encode())
LOG = parse_vkey(VECTORS["keys"]["log"]["vkey"])

type Read = Callable[[bytes], object]


def back(read: Callable[[bytes], bytes]) -> Read:
    """What is read must be written back byte for byte."""

    def check(damaged: bytes) -> None:
        assert read(damaged) == damaged

    return check


def note_back(damaged: bytes) -> bytes:
    note = parse_note(damaged)
    return format_note(note.text, note.signatures)


def leaf_back(damaged: bytes) -> bytes:
    return encode_leaf(parse_leaf(damaged))


def signed_leaf(damaged: bytes) -> None:
    leaf = parse_leaf(damaged)
    if isinstance(leaf, AttestLeaf):
        verify_attest_leaf(leaf)
    if isinstance(leaf, KeyLeaf):
        verify_key_leaf(leaf, [LOG])


def text(read: Callable[[str], object]) -> Read:
    return lambda damaged: read(damaged.decode("latin-1"))


READERS: list[tuple[str, Read, list[bytes]]] = [
    ("note", back(note_back), [NOTE]),
    ("signatures", parse_signatures, [NOTE.rpartition(b"\n\n")[2]]),
    ("answer", lambda damaged: add_cosignatures(NOTE, damaged, TRUSTED), [NOTE.rpartition(b"\n\n")[2]]),
    ("head", text(parse_checkpoint), [VECTORS["checkpoint"]["text"].encode()]),
    ("checkpoint", lambda damaged: open_checkpoint(damaged, TRUSTED), [NOTE]),
    ("small note", lambda damaged: without_ml_dsa(damaged, TRUSTED), [NOTE]),
    ("policy", parse_policy, [POLICY]),
    ("vkey", text(parse_vkey), [each["vkey"].encode() for each in VECTORS["keys"].values()]),
    ("leaf", back(leaf_back), [each.encode() for each in VECTORS["log"]["leaves"]]),
    ("signed leaf", signed_leaf, [each["leaf"].encode() for each in VECTORS["signed_leaves"]]),
    ("proof", back(lambda damaged: format_proof(parse_proof(damaged))), [VECTORS["receipt"]["proof"].encode()]),
    ("opening", parse_opening, [canonical(VECTORS["record"]["opening_user"])]),
    ("erased", lambda damaged: is_kept(parse_opening(damaged)), [canonical(VECTORS["record"]["opening_erased"])]),
    ("subject", lambda damaged: subject_from_json(parse_json(damaged)), [canonical(VECTORS["subjects"]["proof"])]),
    ("receipt", back(lambda damaged: parse_receipt(damaged).to_bytes()), [RECEIPT]),
    ("verified receipt", lambda damaged: verify_receipt(damaged, RECEIPT_POLICY), [RECEIPT]),
]  # fmt: skip

BITS = (
    b"",
    b"\n",
    b"\n\n",
    b" ",
    b"+",
    b"0",
    b"-1",
    b"null",
    b"[]",
    b'"',
    b"\xff",
    b"\xe2\x80\x94 ",
    b"9" * 40,
)


@st.composite
def damage(draw: st.DrawFn, valid: bytes) -> bytes:
    """One to three cuts, doublings and replacements."""
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(valid)))
        end = min(len(valid), start + draw(st.integers(0, 40)))
        piece = draw(st.one_of(st.sampled_from(BITS), st.binary(max_size=4), st.just(valid[start:end] * 2)))
        valid = valid[:start] + piece + valid[end:]
    return valid


@pytest.mark.parametrize(("read", "valid"), [each[1:] for each in READERS], ids=[each[0] for each in READERS])
def test_the_undamaged_input_is_read(read: Read, valid: list[bytes]) -> None:
    """Else the damage below would prove nothing."""
    for each in valid:
        read(each)


@pytest.mark.parametrize(("read", "valid"), [each[1:] for each in READERS], ids=[each[0] for each in READERS])
@settings(max_examples=60, deadline=None)
@given(st.data())
def test_damaged_input_gives_a_value_or_a_malformed_error(
    read: Read, valid: list[bytes], data: st.DataObject
) -> None:
    """Cut, doubled, replaced: no parser raises anything else, and those that write back write the same."""
    damaged = data.draw(st.sampled_from(valid).flatmap(damage))
    try:
        read(damaged)
    except MalformedError:
        return


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_damaged_receipt_never_verifies(data: st.DataObject) -> None:
    """Unless the damage put back what was there."""
    damaged = data.draw(damage(RECEIPT))
    if damaged == RECEIPT:
        return
    with pytest.raises(MalformedError):
        verify_receipt(damaged, RECEIPT_POLICY)

"""Receipts that somebody changed: no byte and no member passes, and the broken part is named."""

import base64
import copy
import dataclasses
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dueprocess.errors import MalformedError
from dueprocess.tlog import (
    NOTES,
    GapLeaf,
    encode_leaf,
    verify_receipt,
)
from dueprocess.wire import Json, canonical, digest_of
from tlog.one_case import ALONE, ANA, BYTES, RECEIPT, refused

SMALL = dataclasses.replace(RECEIPT, records=RECEIPT.records[:1]).to_bytes()


def resealed(value: Any) -> bytes:
    """The bytes of a changed receipt with a digest that fits: what a forger would write."""
    return canonical(
        {**value, "sha256": digest_of({name: each for name, each in value.items() if name != "sha256"})}
    )


def edited(change: Any) -> bytes:
    value = json.loads(BYTES)
    change(value)
    return resealed(value)


def test_any_changed_byte_of_a_receipt_is_noticed() -> None:
    """Every byte, with one bit after another changed: nothing passes."""
    verify_receipt(SMALL, ALONE)
    for at in range(len(SMALL)):
        changed = SMALL[:at] + bytes([SMALL[at] ^ 1 << at % 8]) + SMALL[at + 1 :]
        with pytest.raises(MalformedError):
            verify_receipt(changed, ALONE)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """(container, key) of every text, number and flag in a JSON value."""
    for at, each in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(each, dict | list):
            yield from places(each)
        elif each is not None:
            yield value, at


def turned(value: Any) -> list[Any]:
    """Values close to this one: for text, each of some characters replaced."""
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1, max(value - 1, 0)] if value else [1]
    spots = sorted({0, len(value) // 3, len(value) // 2, max(len(value) - 3, 0)} & set(range(len(value))))
    return [value[:at] + ("B" if value[at] != "B" else "C") + value[at + 1 :] for at in spots] + [value + "A"]


def test_a_forger_who_fits_the_digest_changes_nothing_that_is_proven() -> None:
    """Every text, number and flag but the case's label: changed, resealed, and still refused."""
    for number, (holder, at) in enumerate(places(json.loads(SMALL))):
        if at in ("case", "sha256"):
            continue
        for other in turned(holder[at]):
            value = json.loads(SMALL)
            its_holder, its_at = list(places(value))[number]
            its_holder[its_at] = other
            with pytest.raises(MalformedError):
                verify_receipt(resealed(value), ALONE)


def test_damage_is_named_as_damage() -> None:
    """Without a fitting digest the reader is told to get the receipt again."""
    refused(BYTES.replace(b"5f0c", b"5f0d"), "damaged", "damaged or changed")


def test_another_spelling_is_refused() -> None:
    """Pretty-printed JSON is not the receipt."""
    refused(json.dumps(json.loads(BYTES), indent=1).encode(), "not-canonical")


def put(value: Any, path: str, what: Any) -> None:
    *way, last = path.split(".")
    for step in way:
        value = value[int(step) if step.isdigit() else step]
    value[int(last) if last.isdigit() else last] = what


OTHER_HASH = base64.b64encode(bytes(32)).decode()
SECOND = json.loads(BYTES)["records"][1]


@pytest.mark.parametrize(
    ("path", "what", "code", "words"),
    [
        ("v", 0, "version", "receipt"),
        ("audience", "press", "unknown-audience", "."),
        ("case", "5F0C", "bad-case", "."),
        ("case", 5, "not-text", "the case"),
        ("records", [], "no-records", "."),
        ("note", NOTES[False], "wrong-note", "."),
        ("unwitnessed", None, "not-a-flag", "unwitnessed"),
        ("origin", "other.example", "other-log", "Record 1"),
        ("audience", "requester", "foreign-field", "Record 1: .* notice, register_row, subjects_root"),
        ("records.1.epoch", 2, "wrong-leaf", "Record 2: .* epoch 2"),
        ("records.1.epoch", "1", "not-a-number", "Record 2: .*the epoch"),
        ("records.1.place", 8, "wrong-path", "Record 2: .*place 8"),
        ("records.1.path.3", OTHER_HASH, "wrong-path", "Record 2"),
        ("records.1.path.3", "AA==", "wrong-length", "Record 2: .*a hash of the path"),
        ("records.1.opening.blind", OTHER_HASH, "wrong-path", "Record 2"),
        (
            "records.1.opening.opened.kind.value",
            "DataDeleted",
            "wrong-opening",
            "Record 2: The opened field kind",
        ),
        (
            "records.1.opening.opened.kind.salt",
            OTHER_HASH,
            "wrong-opening",
            "Record 2: The opened field kind",
        ),
        ("records.1.subject.account", ANA, "wrong-subject", "Record 2"),
        ("records.1.subject", {}, "wrong-members", "Record 2: .*the proof of an account"),
        ("records.1.opening.opened", {}, "opened-in-part", "Record 2: .* must also open"),
        ("records.1.leaf", encode_leaf(GapLeaf(1, 1)).decode(), "wrong-leaf", "Record 2"),
        ("records.1.leaf", "{}", "unknown-leaf", "Record 2"),
        (
            "records.1.leaf",
            SECOND["leaf"].replace("00:05:00", "00:06:00"),
            "wrong-inclusion-proof",
            "Record 2",
        ),
        ("records.1.proof", "", "not-a-proof", "Record 2"),
        (
            "records.1.proof",
            SECOND["proof"].replace("index 1", "index 2"),
            "wrong-inclusion-proof",
            "Record 2",
        ),
        ("records.1.proof", SECOND["proof"].replace("index", "extra YQ==\nindex"), "extra", "Record 2"),
        ("records.1.proof", SECOND["proof"].replace("\n5\n", "\n6\n"), "bad-signature", "Record 2"),
    ],
)
def test_a_broken_link_is_named(path: str, what: Json, code: str, words: str) -> None:
    """Which record, which part, by a stable code."""
    refused(edited(lambda value: put(value, path, what)), code, words)


MEMBERS = st.sampled_from(sorted(json.loads(BYTES)))
RECORD_MEMBERS = st.sampled_from(sorted(SECOND)).map(lambda name: f"records.0.{name}")
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(0, 9),
    st.text(max_size=9),
    st.lists(st.text(max_size=3), max_size=3),
)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.binary(), st.tuples(st.one_of(MEMBERS, RECORD_MEMBERS), SCALARS)))
def test_foreign_bytes_and_members_are_malformed(given_: bytes | tuple[str, Any]) -> None:
    """The verifier raises nothing else. (Only the label may be another one.)"""
    if isinstance(given_, bytes):
        data = given_
    else:
        value = copy.deepcopy(json.loads(BYTES))
        put(value, *given_)
        data = resealed(value)
    try:
        found = verify_receipt(data, ALONE)
    except MalformedError:
        return
    assert found.records == verify_receipt(BYTES, ALONE).records or isinstance(given_, tuple)

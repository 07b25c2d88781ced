"""The committed vectors are what the generator writes today."""

import hashlib
import importlib.util
import json
from pathlib import Path
from typing import Any, get_args

import pytest

from dueprocess.errors import MalformedError
from dueprocess.tlog import (
    EPOCH_LEAF_BYTES,
    FIELDS,
    NOTES,
    AttestLeaf,
    IncidentCode,
    KeyLeaf,
    check_against_log,
    is_kept,
    open_checkpoint,
    parse_leaf,
    parse_opening,
    parse_policy,
    parse_receipt,
    parse_vkey,
    verify_attest_leaf,
    verify_key_leaf,
    verify_receipt,
)
from dueprocess.wire import canonical, unb64

SPECS = Path(__file__).parents[2] / "specs" / "tlog"
VECTORS: dict[str, Any] = json.loads((SPECS / "vectors.json").read_text("utf-8"))


FROZEN = "19071524e070a6d3c793e7f84e6ae24e753082e50b0f43d3fea3cec1edb3c598"


def test_the_vectors_are_the_frozen_ones() -> None:
    """Version 1 does not change. Another format is another version, with vectors of its own beside these."""
    assert hashlib.sha256((SPECS / "vectors.json").read_bytes()).hexdigest() == FROZEN


def test_the_generator_writes_the_committed_vectors() -> None:
    """A change of format cannot pass unseen: the file must change with it."""
    spec = importlib.util.spec_from_file_location("generate", SPECS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    assert generate.vectors() == VECTORS


def test_the_receipt_of_the_vectors_verifies_against_their_log() -> None:
    """Offline, and against the tiles."""
    found = VECTORS["receipt"]
    policy = parse_policy(found["policy"].encode())
    findings = verify_receipt(found["receipt"].encode(), policy)
    tiles = {path: unb64(content) for path, content in VECTORS["log"]["tiles"].items()}
    assert not findings.unwitnessed
    assert check_against_log(findings, tiles.__getitem__, found["checkpoint"].encode(), policy).grown_by == 0


def test_the_unwitnessed_receipt_verifies_under_the_unwitnessed_policy_only() -> None:
    """What was marked stays marked."""
    found = VECTORS["receipt"]
    policy = parse_policy(found["policy"].encode())
    with pytest.raises(MalformedError):
        verify_receipt(found["unwitnessed"].encode(), policy)
    loose = parse_policy(found["policy_unwitnessed"].encode())
    for each in (policy.unwitnessed, loose):
        assert verify_receipt(found["unwitnessed"].encode(), each).unwitnessed


def test_the_receipt_of_the_erased_record_verifies() -> None:
    """It opens exactly what is kept."""
    found = VECTORS["receipt"]
    verify_receipt(found["erased"].encode(), parse_policy(found["policy"].encode()))
    (record,) = parse_receipt(found["erased"].encode()).records
    assert is_kept(record.opening)
    assert parse_opening(canonical(VECTORS["record"]["opening_erased"])) == record.opening


def test_the_signed_leaves_of_the_vectors_verify() -> None:
    """By the auditor, and by the log's Ed25519 key."""
    vkeys = {name: parse_vkey(each["vkey"]) for name, each in VECTORS["keys"].items()}
    signers = []
    for each in VECTORS["signed_leaves"]:
        leaf = parse_leaf(each["leaf"].encode())
        assert isinstance(leaf, AttestLeaf | KeyLeaf)
        known = (vkeys["log"], vkeys["log_ml_dsa_44"])
        signer = verify_attest_leaf(leaf) if isinstance(leaf, AttestLeaf) else verify_key_leaf(leaf, known)
        assert (signer, leaf.message.hex()) == (vkeys[each["signer"]], each["message"])
        signers.append(each["signer"])
    assert signers == ["auditor", "log", "log"]


def test_the_checkpoint_of_the_vectors_carries_all_its_signatures() -> None:
    """Two of the log, two of witnesses; what receipts carry says the same head."""
    found = VECTORS["checkpoint"]
    policy = parse_policy(found["policies"][0]["policy"].encode())
    opened = open_checkpoint(found["note"].encode(), policy)
    assert [each.algorithm for each in opened.log_vkeys] == [1, 6]
    assert opened.witnesses == (("witness.example/w1", 1_795_315_530), ("witness.example/w2", 1_795_315_533))
    smaller = open_checkpoint(found["note_as_small_as_both_allows"].encode(), policy)
    assert (smaller.witnesses, [each.algorithm for each in smaller.log_vkeys]) == (opened.witnesses, [1])


def test_the_specification_states_the_real_sizes() -> None:
    """README.md names the bytes of an epoch leaf and of the vectors' receipt."""
    text = (SPECS / "README.md").read_text("utf-8")
    assert f"{EPOCH_LEAF_BYTES} bytes" in text
    assert f"{VECTORS['receipt']['receipt_bytes']:,} bytes" in text
    assert f"has {len(VECTORS['receipt']['checkpoint'].encode())} bytes" in text
    assert f"has {len(VECTORS['checkpoint']['note'].encode()):,} bytes" in text


def test_the_specification_spells_what_receipts_say() -> None:
    """README.md has both fixed sentences, the names of all fields and every code of an incident."""
    text = (SPECS / "README.md").read_text("utf-8")
    for each in (*NOTES.values(), *FIELDS, ", ".join(get_args(IncidentCode))):
        assert each in text

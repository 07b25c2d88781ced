"""The committed vectors are what the generator writes today."""

import importlib.util
import json
from pathlib import Path
from typing import Any

from dueprocess.tlog import EPOCH_LEAF_BYTES, check_against_log, parse_policy, verify_receipt
from dueprocess.wire import unb64

SPECS = Path(__file__).parents[2] / "specs" / "tlog"
VECTORS: dict[str, Any] = json.loads((SPECS / "vectors.json").read_text("utf-8"))


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


def test_the_specification_states_the_real_sizes() -> None:
    """README.md names the bytes of an epoch leaf and of the vectors' receipt."""
    text = (SPECS / "README.md").read_text("utf-8")
    assert f"{EPOCH_LEAF_BYTES} bytes" in text
    assert f"{VECTORS['receipt']['receipt_bytes']:,} bytes" in text

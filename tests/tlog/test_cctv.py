"""The 914 edge cases of Ed25519 of the C2SP's vectors: each accepted or refused for a stated reason.

Ours are the usual rules (those of OpenSSL, Go and others: no non-canonical R, no cofactor) and one more: a key
that is a point of small order, or not in its one encoding, is no key here. Source: README.md beside the data.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from dueprocess.errors import MalformedError
from dueprocess.tlog import COSIGNATURE, ED25519, make_vkey

VECTORS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "data" / "cctv-ed25519" / "ed25519vectors.json").read_text("utf-8")
)
WEAK_KEY = {"low_order_A", "non_canonical_A"}
REFUSED = {"non_canonical_R", "low_order_residue", "reencoded_k"}


def flags(vector: dict[str, Any]) -> set[str]:
    return set(vector["flags"] or ())


def test_all_vectors_are_there() -> None:
    """526 of weak keys, 302 of signatures that the usual rules refuse, 86 good ones."""
    weak = sum(bool(flags(each) & WEAK_KEY) for each in VECTORS)
    refused = sum(bool(flags(each) & REFUSED) and not flags(each) & WEAK_KEY for each in VECTORS)
    assert (len(VECTORS), weak, refused) == (914, 526, 302)


@pytest.mark.parametrize("algorithm", [ED25519, COSIGNATURE])
def test_a_weak_key_is_no_key(algorithm: int) -> None:
    """All vectors of keys of small order and of keys in another encoding stop at the key, for logs and witnesses."""
    for each in VECTORS:
        if flags(each) & WEAK_KEY:
            with pytest.raises(MalformedError) as caught:
                make_vkey("log.example/1", bytes.fromhex(each["key"]), algorithm=algorithm)
            assert caught.value.code == "weak-key", each["number"]


def test_each_signature_is_judged_by_the_usual_rules() -> None:
    """Of the other keys: accepted exactly where no flag says non-canonical R, cofactor or re-encoded hash."""
    for each in VECTORS:
        if not flags(each) & WEAK_KEY:
            vkey = make_vkey("log.example/1", bytes.fromhex(each["key"]))
            accepted = vkey.verify(bytes.fromhex(each["sig"]), each["msg"].encode())
            assert accepted is not bool(flags(each) & REFUSED), each["number"]

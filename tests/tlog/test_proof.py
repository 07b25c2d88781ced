"""Log proofs: the format, and each step of verifying one."""

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from dueprocess.errors import MalformedError
from dueprocess.tlog import (
    Checkpoint,
    LogProof,
    format_policy,
    format_proof,
    inclusion_proof,
    leaf_hash,
    make_vkey,
    parse_policy,
    parse_proof,
    root_of,
    sign_checkpoint,
    verify_proof,
)

KEY = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"log").digest())
LOG = make_vkey("log.example/1", KEY.public_key().public_bytes_raw())
POLICY = parse_policy(format_policy([LOG]))
LEAVES = [leaf_hash(b"%d" % number) for number in range(5)]
CHECKPOINT = sign_checkpoint(Checkpoint(LOG.name, 5, root_of(LEAVES)), [(LOG, KEY.sign)], timestamp=1)
HASHES = inclusion_proof(2, 5, lambda level, index: root_of(LEAVES[index << level : (index + 1) << level]))
PROOF = LogProof(2, HASHES, CHECKPOINT)


def test_a_proof_is_laid_out_as_the_specification_says() -> None:
    """Header, index, hashes, an empty line, the checkpoint verbatim."""
    lines = format_proof(PROOF).split(b"\n")
    assert lines[:2] == [b"c2sp.org/tlog-proof@v1", b"index 2"]
    assert lines[5] == b""
    assert format_proof(PROOF).endswith(b"\n\n" + CHECKPOINT)


@pytest.mark.parametrize("extra", [None, b"", b"context"])
def test_a_proof_comes_back_as_it_was(extra: bytes | None) -> None:
    """With and without extra data."""
    proof = LogProof(2, HASHES, CHECKPOINT, extra)
    assert parse_proof(format_proof(proof)) == proof


def test_a_proof_verifies_under_the_policy() -> None:
    """And gives the checkpoint that it leads to."""
    assert verify_proof(parse_proof(format_proof(PROOF)), LEAVES[2], POLICY).checkpoint.size == 5


@pytest.mark.parametrize("proof", [LogProof(1, HASHES, CHECKPOINT), LogProof(2, HASHES[1:], CHECKPOINT)])
def test_a_proof_of_something_else_is_refused(proof: LogProof) -> None:
    """Another place, a missing hash; and another leaf."""
    with pytest.raises(MalformedError):
        verify_proof(proof, LEAVES[2], POLICY)
    with pytest.raises(MalformedError):
        verify_proof(PROOF, LEAVES[1], POLICY)


GOOD = format_proof(PROOF)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        GOOD.replace(b"@v1", b"@v2"),
        GOOD.replace(b"index 2", b"index 02"),
        GOOD.replace(b"index 2", b"index -2"),
        GOOD.replace(b"index 2", b"index " + b"9" * 16),
        GOOD.replace(b"index 2\n", b""),
        GOOD.replace(b"index 2", b"extra YQ\nindex 2"),
        GOOD.replace(b"index 2", b"extra YQ==\nextra YQ==\nindex 2"),
        GOOD.replace(b"index 2\n", b"index 2\nYQ==\n"),
        GOOD.replace(b"index 2\n", b"index 2\n" + b"A" * 43 + b"=\n" * 1 + (b"A" * 43 + b"=\n") * 63),
        GOOD.replace(b"index 2\n", "index 2 \u00e9\n".encode()),
        b"c2sp.org/tlog-proof@v1\n\n" + CHECKPOINT,
    ],
)
def test_what_is_not_a_proof_is_refused(data: bytes) -> None:
    """Another version, a bad index, bad or too many hashes, a second extra line."""
    with pytest.raises(MalformedError):
        parse_proof(data)


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.binary(), st.binary().map(lambda each: GOOD[:40] + each + b"\n\n" + each)))
def test_bytes_give_a_proof_or_a_malformed_error(data: bytes) -> None:
    """The parser raises nothing else, and what it takes is written back byte for byte."""
    try:
        assert format_proof(parse_proof(data)) == data
    except MalformedError:
        return

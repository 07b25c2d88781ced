"""aics-tlog, a second implementation in Python, agrees with our notes, cosignatures and tiles, both ways."""

import hashlib

import aics_tlog
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dueprocess.tlog import (
    COSIGNATURE,
    Checkpoint,
    Frontier,
    TileReader,
    Witness,
    cosign,
    format_note,
    format_policy,
    leaf_hash,
    make_vkey,
    open_checkpoint,
    parse_note,
    parse_policy,
    sign_checkpoint,
    tiles_for_growth,
)
from dueprocess.wire import b64

pytestmark = pytest.mark.conformance

KEY = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"log").digest())
LOG = make_vkey("log.example/1", KEY.public_key().public_bytes_raw())
WITNESS_KEY = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"w1").digest())
WITNESS = make_vkey("w1.example", WITNESS_KEY.public_key().public_bytes_raw(), algorithm=COSIGNATURE)
ENTRIES = [b"entry %d" % number for number in range(2000)]
FRONTIER = Frontier().extend(leaf_hash(each) for each in ENTRIES)
HEAD = Checkpoint(LOG.name, FRONTIER.size, FRONTIER.root)


def test_the_oracle_verifies_what_we_sign() -> None:
    """Verifier keys, the log's signature and the witness's cosignature."""
    signed = parse_note(sign_checkpoint(HEAD, [(LOG, KEY.sign)], timestamp=1))
    second = cosign(signed.text, WITNESS, timestamp=1_795_315_530, sign=WITNESS_KEY.sign)
    theirs = aics_tlog.parse_note(format_note(signed.text, (*signed.signatures, second)))
    assert aics_tlog.verify_note(theirs, [aics_tlog.parse_vkey(LOG.text)])
    assert aics_tlog.cosignature_vkey("w1.example", WITNESS.public) == aics_tlog.parse_vkey(WITNESS.text)
    assert aics_tlog.parse_checkpoint(theirs.text).root == FRONTIER.root
    assert aics_tlog.verify_cosignature(
        second.raw, "w1.example", WITNESS.public, LOG.name, 2000, FRONTIER.root
    )


def test_we_verify_what_the_oracle_signs() -> None:
    """Its checkpoint and its cosignature satisfy a policy of ours."""
    note = aics_tlog.sign_checkpoint(aics_tlog.Checkpoint(LOG.name, HEAD.size, HEAD.root), KEY, LOG.name)
    _, line = aics_tlog.sign_cosignature(
        WITNESS_KEY, "w1.example", 1_795_315_530, LOG.name, HEAD.size, HEAD.root
    )
    cosigned = note.to_bytes() + f"— {line.name} {b64(line.key_id + line.signature)}\n".encode()
    policy = parse_policy(format_policy([LOG], [Witness("w1", WITNESS)], need=1))
    opened = open_checkpoint(cosigned, policy)
    assert opened.checkpoint == HEAD
    assert opened.witnesses == (("w1.example", 1_795_315_530),)


def test_the_oracle_audits_our_tiles() -> None:
    """Every tile and bundle, against our root."""
    store = aics_tlog.MemoryTileStore()
    for path, content in tiles_for_growth(Frontier(), ENTRIES, store.tiles.__getitem__):
        store.write(path, content)
    report = aics_tlog.audit_tiles(store, FRONTIER.size, FRONTIER.root)
    assert report.size == 2000
    store.tiles["tile/0/003"] = bytes(8192)
    with pytest.raises(aics_tlog.TileVerificationError):
        aics_tlog.audit_tiles(store, FRONTIER.size, FRONTIER.root)


def test_we_read_the_tiles_of_the_oracle() -> None:
    """Every entry, checked against its root."""
    store = aics_tlog.MemoryTileStore()
    aics_tlog.IncrementalTileWriter(store).append(ENTRIES)
    assert list(TileReader(store.tiles.__getitem__, HEAD).entries(0, 2000)) == ENTRIES

"""Go's golang.org/x/mod/sumdb agrees with our checkpoints, tiles and proofs."""

import hashlib
import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dueprocess.tlog import (
    COSIGNATURE,
    Checkpoint,
    Frontier,
    TileReader,
    cosign,
    format_note,
    leaf_hash,
    make_vkey,
    parse_note,
    sign_checkpoint,
    tiles_for_growth,
)
from dueprocess.wire import b64

pytestmark = pytest.mark.conformance

KEY = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"log").digest())
LOG = make_vkey("log.example/1", KEY.public_key().public_bytes_raw())
WITNESS_KEY = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"w1").digest())
WITNESS = make_vkey("w1.example", WITNESS_KEY.public_key().public_bytes_raw(), algorithm=COSIGNATURE)
SIZES = (1, 2, 200, 256, 257, 1000, 3001)
ENTRIES = [b"entry %d" % number for number in range(SIZES[-1])]


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("go_verifier", Path(__file__).with_name("go_verifier.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["go_verifier"] = module
    spec.loader.exec_module(module)
    return module


GO = load()


def checkpoint(frontier: Frontier) -> bytes:
    """Signed by the log, and by a witness whose type x/mod does not know and must ignore."""
    head = Checkpoint(LOG.name, frontier.size, frontier.root)
    note = parse_note(sign_checkpoint(head, [(LOG, KEY.sign)], timestamp=1))
    return format_note(
        note.text, (*note.signatures, cosign(note.text, WITNESS, timestamp=1, sign=WITNESS_KEY.sign))
    )


@pytest.fixture
def log_dir(tmp_path: Path) -> Path:
    """A log that grew in steps, with the checkpoint of each step kept beside it."""
    root = tmp_path / "log"
    root.mkdir()
    frontier = Frontier()
    for size in SIZES:
        entries = ENTRIES[frontier.size : size]
        for path, content in tiles_for_growth(frontier, entries, lambda path: (root / path).read_bytes()):
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(content)
        frontier = frontier.extend(leaf_hash(each) for each in entries)
        (tmp_path / f"checkpoint.{size}").write_bytes(checkpoint(frontier))
    (root / "checkpoint").write_bytes(checkpoint(frontier))
    return root


def old(log_dir: Path) -> list[Path]:
    return [log_dir.parent / f"checkpoint.{size}" for size in SIZES]


def test_go_verifies_checkpoint_tiles_inclusion_and_consistency(log_dir: Path) -> None:
    """Every entry and tile, every leaf's proof, many older sizes, and every older checkpoint."""
    verdict = GO.verify_log(log_dir, LOG.text, old(log_dir))
    assert (verdict.origin, verdict.size) == (LOG.name, 3001)
    assert (verdict.tiles, verdict.inclusion, verdict.consistency, verdict.old) == (13, 3001, 97, len(SIZES))


def test_go_accepts_the_proofs_that_we_make(log_dir: Path) -> None:
    """Inclusion of each hundredth leaf, consistency from each older size, from tiles on disk."""
    frontier = Frontier().extend(leaf_hash(each) for each in ENTRIES)
    head = Checkpoint(LOG.name, frontier.size, frontier.root)
    reader = TileReader(lambda path: (log_dir / path).read_bytes(), head)
    made = {
        "Inclusion": [
            {
                "Index": index,
                "Size": head.size,
                "Leaf": b64(reader.leaf_hash(index)),
                "Root": b64(head.root),
                "Hashes": [b64(each) for each in reader.inclusion_proof(index)],
            }
            for index in range(0, head.size, 100)
        ],
        "Consistency": [
            {
                "Old": size,
                "New": head.size,
                "OldRoot": b64(reader.root_at(size)),
                "NewRoot": b64(head.root),
                "Hashes": [b64(each) for each in reader.consistency_proof(size)],
            }
            for size in SIZES
        ],
    }
    proofs = log_dir.parent / "proofs.json"
    proofs.write_text(json.dumps(made))
    assert GO.verify_log(log_dir, LOG.text, proofs=proofs).given == 31 + len(SIZES)
    right = b64(reader.inclusion_proof(500)[0])
    proofs.write_text(json.dumps(made).replace(right, b64(bytes(32))))
    with pytest.raises(GO.LogRefusedError, match="given proof of leaf 500"):
        GO.verify_log(log_dir, LOG.text, proofs=proofs)


@pytest.mark.parametrize("path", ["tile/0/003", "tile/1/000.p/11", "tile/entries/011.p/185", "checkpoint"])
def test_go_notices_a_flipped_byte(log_dir: Path, path: str) -> None:
    """The oracle is not asleep: damage to a tile, a bundle or the checkpoint is refused."""
    content = (log_dir / path).read_bytes()
    (log_dir / path).write_bytes(content[:20] + bytes([content[20] ^ 1]) + content[21:])
    with pytest.raises(GO.LogRefusedError):
        GO.verify_log(log_dir, LOG.text)


def test_go_refuses_a_checkpoint_of_another_history(log_dir: Path) -> None:
    """A fork signed with the same key is inconsistent, a longer one a rollback."""
    fork = log_dir.parent / "fork"
    for size in (300, 4000):
        fork.write_bytes(checkpoint(Frontier().extend(leaf_hash(b"fork %d" % each) for each in range(size))))
        with pytest.raises(GO.LogRefusedError):
            GO.verify_log(log_dir, LOG.text, [fork])


def test_go_that_is_missing_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Never a skip."""
    GO.built_verifier.cache_clear()
    monkeypatch.setenv("PATH", "")
    with pytest.raises(GO.GoMissingError):
        GO.verify_log(Path(), LOG.text)
    GO.built_verifier.cache_clear()

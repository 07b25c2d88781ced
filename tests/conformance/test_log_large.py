"""A log of 300,000 leaves that Go's golang.org/x/mod/sumdb verifies, and flipped bytes that it and we refuse."""

import hashlib
import importlib.util
import json
import random
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from dueprocess.errors import MalformedError
from dueprocess.tlog import (
    ML_DSA_44,
    Checkpoint,
    Frontier,
    TileReader,
    format_policy,
    make_vkey,
    open_checkpoint,
    parse_leaf,
    parse_policy,
    sign_checkpoint,
    verify_consistency,
    verify_inclusion,
)
from dueprocess.tlog.growing import growth
from dueprocess.wire import b64, unb64

pytestmark = [pytest.mark.conformance, pytest.mark.slow]

KEY = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"log").digest())
LOG = make_vkey("log.example/1", KEY.public_key().public_bytes_raw())
SECOND_KEY = MLDSA44PrivateKey.from_seed_bytes(hashlib.sha256(b"log, second key").digest())
SECOND = make_vkey(LOG.name, SECOND_KEY.public_key().public_bytes_raw(), algorithm=ML_DSA_44)
POLICY = parse_policy(format_policy([LOG, SECOND]))
SIZES = (1, 255, 256, 257, 65_535, 65_536, 65_537, 131_072, 200_001, 300_000)
LEAF = b'{"e":"%010d","r":"%b","t":"epoch","ts":"2026-11-22T09:00:00Z","v":1}'

type Proofs = dict[str, list[dict[str, Any]]]


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("go_verifier", Path(__file__).with_name("go_verifier.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["go_verifier"] = module
    spec.loader.exec_module(module)
    return module


GO = load()


def entry(number: int) -> bytes:
    return LEAF % (number, b64(hashlib.sha256(b"%d" % number).digest()).encode())


@dataclass(frozen=True)
class LargeLog:
    """The folder of a published log, and its older checkpoints."""

    folder: Path
    head: Checkpoint
    older: tuple[Path, ...]

    def read(self, path: str) -> bytes:
        return (self.folder / path).read_bytes()

    @property
    def reader(self) -> TileReader:
        """A new one, which has read nothing yet."""
        return TileReader(self.read, self.head)

    @contextmanager
    def flipped(self, path: str, at: int) -> Iterator[None]:
        """One bit of a byte of a file is another while this lasts."""
        whole = self.read(path)
        changed = bytearray(whole)
        changed[at] ^= 1
        (self.folder / path).write_bytes(changed)
        try:
            yield
        finally:
            (self.folder / path).write_bytes(whole)


@pytest.fixture(scope="session")
def large(tmp_path_factory: pytest.TempPathFactory) -> LargeLog:
    """Published at ten sizes, each with a checkpoint under both keys of the log."""
    place = tmp_path_factory.mktemp("large")
    folder = place / "log"
    folder.mkdir()
    frontier = Frontier()
    for size in SIZES:
        entries = [entry(number) for number in range(frontier.size, size)]
        grown = growth(frontier, entries, lambda path: (folder / path).read_bytes())
        for path, content in grown.files:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
        frontier = grown.frontier
        head = Checkpoint(LOG.name, frontier.size, frontier.root)
        signed = sign_checkpoint(head, [(LOG, KEY.sign), (SECOND, SECOND_KEY.sign)], timestamp=1_795_338_000)
        (place / f"checkpoint.{size}").write_bytes(signed)
        (folder / "checkpoint").write_bytes(signed)
    older = tuple(place / f"checkpoint.{size}" for size in SIZES)
    return LargeLog(folder, Checkpoint(LOG.name, frontier.size, frontier.root), older)


@pytest.fixture(scope="session")
def proofs(large: LargeLog) -> Proofs:
    """1,000 inclusion and 100 consistency proofs, made from the tiles by us."""
    reader, head, chance = large.reader, large.head, random.Random(3)
    spots = [0, 255, 256, 65_535, 65_536, head.size - 1, *chance.sample(range(head.size), 994)]
    sizes = [*SIZES, *chance.sample(range(1, head.size), 90)]
    return {
        "Inclusion": [
            {
                "Index": index,
                "Size": head.size,
                "Leaf": b64(reader.leaf_hash(index)),
                "Root": b64(head.root),
                "Hashes": texts(reader.inclusion_proof(index)),
            }
            for index in spots
        ],
        "Consistency": [
            {
                "Old": size,
                "New": head.size,
                "OldRoot": b64(reader.root_at(size)),
                "NewRoot": b64(head.root),
                "Hashes": texts(reader.consistency_proof(size)),
            }
            for size in sizes
        ],
    }


def texts(hashes: Sequence[bytes]) -> list[str]:
    return [b64(each) for each in hashes]


def flipped(proof: dict[str, Any]) -> dict[str, Any]:
    """The proof with one bit of its middle hash changed."""
    hashes = [bytearray(unb64(each)) for each in proof["Hashes"]]
    hashes[len(hashes) // 2][31] ^= 1
    return {**proof, "Hashes": texts([bytes(each) for each in hashes])}


def verify_by_us(kind: str, proof: dict[str, Any]) -> None:
    hashes = [unb64(each) for each in proof["Hashes"]]
    if kind == "Inclusion":
        leaf, root = unb64(proof["Leaf"]), unb64(proof["Root"])
        verify_inclusion(proof["Index"], proof["Size"], leaf, hashes, root)
    else:
        roots = unb64(proof["OldRoot"]), unb64(proof["NewRoot"])
        verify_consistency(proof["Old"], proof["New"], *roots, hashes)


def test_the_leaves_are_those_of_a_real_log() -> None:
    """115 bytes each, and our own parser takes them."""
    assert len(entry(299_999)) == 115
    parse_leaf(entry(299_999))


def test_go_verifies_300000_leaves_and_1100_proofs_of_ours(
    large: LargeLog, proofs: Proofs, tmp_path: Path
) -> None:
    """Every entry and tile, both kinds of proofs by either side, and each checkpoint that was ever signed.

    The checkpoints carry an ML-DSA-44 signature too, which x/mod does not know and must not stumble over.
    """
    given = tmp_path / "proofs.json"
    given.write_text(json.dumps(proofs))
    verdict = GO.verify_log(large.folder, LOG.text, large.older, proofs=given)
    assert (verdict.origin, verdict.size, verdict.root) == (LOG.name, 300_000, b64(large.head.root))
    assert verdict.tiles == 1172 + 5 + 1
    assert (verdict.inclusion, verdict.consistency, verdict.old) == (4919, 100, len(SIZES))
    assert verdict.given == 1000 + 100


def test_we_verify_every_file_of_it(large: LargeLog, proofs: Proofs) -> None:
    """The tiles and bundles of the newest size, the partial ones of the older sizes, checkpoints and proofs."""
    reader = large.reader
    assert len(list(reader.audit())) == 1172 * 2 + 5 + 1
    partial = [each for each in large.folder.rglob("*.p/*") if each.is_file()]
    assert len(partial) > 20
    for path in sorted(partial):
        reader.check_file(path.relative_to(large.folder).as_posix())
    for size, path in zip(SIZES, large.older, strict=True):
        opened = open_checkpoint(path.read_bytes(), POLICY)
        assert (opened.checkpoint.size, opened.log_vkeys) == (size, (LOG, SECOND))
        assert reader.root_at(size) == opened.checkpoint.root
    for kind, made in proofs.items():
        for each in made:
            verify_by_us(kind, each)


@pytest.mark.parametrize(
    ("path", "at"),
    [
        ("tile/0/x001/000", 4000),
        ("tile/0/x001/171.p/224", 33),
        ("tile/1/002", 8191),
        ("tile/2/000.p/4", 0),
        ("tile/entries/777", 20_000),
        ("tile/entries/x001/171.p/224", 2),
    ],
)
def test_a_flipped_bit_in_a_file_is_refused_by_go_and_by_us(large: LargeLog, path: str, at: int) -> None:
    """Full and partial tiles of every level, and bundles; we name the file."""
    with large.flipped(path, at):
        with pytest.raises(GO.LogRefusedError):
            GO.verify_log(large.folder, LOG.text)
        with pytest.raises(MalformedError, match=path):
            list(large.reader.audit())


@pytest.mark.parametrize("part", ["origin", "size", "root", "signature"])
def test_a_flipped_bit_in_the_checkpoint_is_refused_by_go_and_by_us(large: LargeLog, part: str) -> None:
    """Of a note whose second signature Go does not know."""
    content = large.read("checkpoint")
    begins = {
        "origin": 0,
        "size": content.index(b"\n300000\n") + 1,
        "root": content.index(b64(large.head.root).encode()),
        "signature": content.index(b"\n\n") + 60,
    }
    with large.flipped("checkpoint", begins[part] + 3):
        with pytest.raises(GO.LogRefusedError):
            GO.verify_log(large.folder, LOG.text)
        with pytest.raises(MalformedError):
            open_checkpoint(large.read("checkpoint"), POLICY)


def test_a_flipped_bit_in_the_second_signature_is_refused_by_us(large: LargeLog) -> None:
    """A bad signature of a known key is refused although the other one is good. Go does not know its type."""
    with large.flipped("checkpoint", -100), pytest.raises(MalformedError):
        open_checkpoint(large.read("checkpoint"), POLICY)


@pytest.mark.parametrize("kind", ["Inclusion", "Consistency"])
def test_a_flipped_bit_in_a_proof_is_refused_by_go_and_by_us(
    large: LargeLog, proofs: Proofs, kind: str, tmp_path: Path
) -> None:
    """One hash in one of many proofs, all others being right."""
    wrong = flipped(proofs[kind][-1])
    given = tmp_path / "proofs.json"
    given.write_text(json.dumps({**proofs, kind: [*proofs[kind][:-1], wrong]}))
    with pytest.raises(GO.LogRefusedError, match="given proof"):
        GO.verify_log(large.folder, LOG.text, proofs=given)
    with pytest.raises(MalformedError):
        verify_by_us(kind, wrong)

"""The public log against SHA-256 alone and against aics-tlog, another implementation, in the same run.

    bench/log.py                     1,000,000 leaves (about two minutes, 600 MB of disk while it runs)
    bench/log.py --leaves 100000     a quick look

Prints one JSON line for each figure: {"name", "ours", "baseline", "ratio", "unit"}. "SHA-256 alone" is hashlib
called once for each leaf, node and HMAC pass, over byte strings of the same lengths that lie ready in memory:
the least that a program which hashes them one by one can take. The files lie in memory where the system has
such a place, and nothing is synced to a disk on either side. Times are the processor's for this process: neither
a disk nor what else runs on the machine is measured, though a busy neighbour still slows every step down.
"""

import argparse
import base64
import datetime as dt
import hashlib
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import aics_tlog

from dueprocess.tlog.checkpoint import Checkpoint
from dueprocess.tlog.epoch import EpochTree, epoch_seed, rebuilt_roots
from dueprocess.tlog.growing import growth
from dueprocess.tlog.leaf import EPOCH_LEAF_BYTES, EpochLeaf, encode_leaf, parse_leaf
from dueprocess.tlog.merkle import Frontier, verify_consistency, verify_inclusion
from dueprocess.tlog.record import FIELDS, Record, commitment
from dueprocess.tlog.tilereader import TileReader

ORIGIN = "log.example/1"
BATCH = 10_000
ROUNDS = 3
PROOFS = 200
PROOFS_AICS = 5
RECORDS = 10_000
YEAR = 365 * 24 * 12
FIRST_EPOCH = 5_984_384
MASTER = bytes(range(32))
LEAF = encode_leaf(EpochLeaf(0, bytes(32), dt.datetime(2026, 11, 22, 9, tzinfo=dt.UTC)))
PATTERN = LEAF.replace(b"0" * 10, b"%010d", 1).replace(base64.b64encode(bytes(32)), b"%b", 1)
NODE = 65
HMAC = 96
"""Bytes of the outer pass of HMAC-SHA256. The inner one has 64 and the message."""


def leaf(number: int, root: bytes) -> bytes:
    """The bytes of an epoch leaf, as ``encode_leaf`` gives them but without its time."""
    return PATTERN % (number, base64.b64encode(root))


def leaves(first: int, until: int) -> list[bytes]:
    return [leaf(number, hashlib.sha256(b"%d" % number).digest()) for number in range(first, until)]


def sha256_alone(strings: Sequence[bytes]) -> float:
    """Seconds to hash each of these byte strings."""
    hasher = hashlib.sha256
    begun = time.process_time()
    for each in strings:
        hasher(each).digest()
    return time.process_time() - begun


def floor_of_tree(size: int) -> float:
    """Seconds of the least hashing that a tree of so many leaves needs: each leaf and each node once."""
    found = 0.0
    for first in range(0, size, BATCH):
        count = min(BATCH, size - first)
        found += sha256_alone([os.urandom(1 + EPOCH_LEAF_BYTES) for _ in range(count)])
        found += sha256_alone([os.urandom(NODE) for _ in range(count)])
    return found


def write(folder: str, path: str, data: bytes) -> None:
    """The same few system calls for both programs."""
    place = f"{folder}/{path}"
    try:
        handle = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    except FileNotFoundError:
        Path(place).parent.mkdir(parents=True)
        handle = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    try:
        os.write(handle, data)
    finally:
        os.close(handle)


def read(folder: str, path: str) -> bytes:
    handle = os.open(f"{folder}/{path}", os.O_RDONLY)
    try:
        return os.read(handle, 1 << 26)
    finally:
        os.close(handle)


class Store(aics_tlog.DirectoryTileStore):
    """The tile store of aics-tlog with our bare write in place of its careful one."""

    def write(self, path: str, data: bytes) -> bool:
        write(str(self.root), path, data)
        return True


def append(folder: str, frontier: Frontier, entries: Sequence[bytes]) -> Frontier:
    """Writes the files of the grown log and takes its root, as the publisher does before it signs."""
    grown = growth(frontier, entries, partial(read, folder))
    for path, data in grown.files:
        write(folder, path, data)
    assert grown.frontier.root != frontier.root
    return grown.frontier


def timed(act: Callable[[], object]) -> float:
    begun = time.process_time()
    act()
    return time.process_time() - begun


def appending(size: int, folder: str) -> Checkpoint:
    """Both programs and the floor take turns, batch by batch, so that all see the same machine."""
    ours = theirs = floor = 0.0
    frontier = Frontier()
    writer = aics_tlog.IncrementalTileWriter(Store(f"{folder}-aics", fsync=False), prune_partials=False)
    for first in range(0, size, BATCH):
        entries = leaves(first, min(first + BATCH, size))
        floor += floor_of_tree(len(entries))
        begun = time.process_time()
        frontier = append(folder, frontier, entries)
        ours += time.process_time() - begun
        theirs += timed(partial(writer.append, entries))
    assert frontier.root == writer.root()
    name = f"append and publish {size:,} leaves in batches of {BATCH:,}"
    tell(f"{name}, against SHA-256 alone", size / ours, size / floor, "leaves per second")
    tell(f"{name}, against aics-tlog with our file writer", size / ours, size / theirs, "leaves per second")
    return Checkpoint(ORIGIN, frontier.size, frontier.root)


def as_it_comes(size: int, place: str) -> None:
    """The same appending against aics-tlog with its own store, which makes sure to replace nothing."""
    ours = theirs = 0.0
    frontier = Frontier()
    store = aics_tlog.DirectoryTileStore(f"{place}/theirs", fsync=False)
    writer = aics_tlog.IncrementalTileWriter(store, prune_partials=False)
    for first in range(0, size, BATCH):
        entries = leaves(first, min(first + BATCH, size))
        begun = time.process_time()
        frontier = append(f"{place}/ours", frontier, entries)
        ours += time.process_time() - begun
        theirs += timed(partial(writer.append, entries))
    name = f"append and publish {size:,} leaves in batches of {BATCH:,}"
    tell(f"{name}, against aics-tlog as it comes", size / ours, size / theirs, "leaves per second")


def verify(folder: str, head: Checkpoint) -> None:
    """Every tile and bundle, from the root of the checkpoint down."""
    for _ in TileReader(partial(read, folder), head).audit():
        pass


def verifying(folder: str, head: Checkpoint) -> None:
    rounds = [
        (
            timed(partial(verify, folder, head)),
            floor_of_tree(head.size),
            timed(partial(aics_tlog.audit_tiles, Store(f"{folder}-aics"), head.size, head.root)),
        )
        for _ in range(ROUNDS)
    ]
    ours, floor, theirs = (statistics.median(each) for each in zip(*rounds, strict=True))
    name = f"verify {head.size:,} leaves from tiles"
    tell(f"{name}, against SHA-256 alone", ours, floor, "s")
    tell(f"{name}, against aics-tlog", ours, theirs, "s")


def proving(folder: str, head: Checkpoint) -> None:
    """Single proofs by readers that know nothing yet: each reads and checks all the tiles it needs."""
    store = Store(f"{folder}-aics")
    spots = random.Random(7).sample(range(1, head.size), PROOFS)
    fresh = partial(TileReader, partial(read, folder), head)
    for at in spots:
        verify_inclusion(at, head.size, fresh().leaf_hash(at), fresh().inclusion_proof(at), head.root)
        verify_consistency(at, head.size, fresh().root_at(at), head.root, fresh().consistency_proof(at))
    for name, ours, theirs in (
        ("inclusion", TileReader.inclusion_proof, aics_tlog.inclusion_proof_from_tiles),
        ("consistency", TileReader.consistency_proof, aics_tlog.consistency_proof_from_tiles),
    ):
        mine = [1000 * timed(partial(ours, fresh(), at)) for at in spots]
        yours = [1000 * timed(partial(theirs, store, at, head.size)) for at in spots[:PROOFS_AICS]]
        what = f"one {name} proof from the tiles of {head.size:,} leaves"
        tell(
            f"{what}, against aics-tlog (unchecked tiles)",
            statistics.median(mine),
            statistics.median(yours),
            "ms",
        )
        tell(
            f"{what}, the slowest of {PROOFS}, against their median", max(mine), statistics.median(mine), "ms"
        )


def one_epoch() -> None:
    """10,000 records committed to and placed in one epoch."""
    places = random.Random(7).sample(range(1 << 16), RECORDS)
    secrets = [hashlib.sha256(b"%d" % each).digest() for each in places]
    records = [
        Record(
            {
                "event_sha256": each.hex(),
                "prev": each.hex(),
                "ledger_seq": number,
                "kind": "Received",
                "month": "2026-11",
                "country": "DE",
                "paper_sha256": each.hex(),
            }
        )
        for number, each in enumerate(secrets)
    ]

    def make() -> EpochTree:
        committed = (commitment(each, secret) for each, secret in zip(records, secrets, strict=True))
        return EpochTree(MASTER, FIRST_EPOCH, dict(zip(places, committed, strict=True)))

    above = [len({place >> up for place in places}) for up in range(17)]
    padding = sum(2 * above[up + 1] - above[up] for up in range(16))
    # Of a record: 32 salts and the blind, 32 fields (a third with a digest as value), one joint digest, one slot.
    one = [84, HMAC] * 33 + [60 + len(name) + 33 for name in FIELDS] + [1046, 116, HMAC]
    tree = [45] * RECORDS + [NODE] * sum(above[1:]) + [89, HMAC] * padding
    strings = [bytes(each) for each in one]

    def floor() -> float:
        return sum(sha256_alone(strings) for _ in range(RECORDS)) + sha256_alone([bytes(n) for n in tree])

    rounds = [(timed(make) * 1000, floor() * 1000) for _ in range(ROUNDS)]
    ours, baseline = (statistics.median(each) for each in zip(*rounds, strict=True))
    tell(f"{RECORDS:,} records into one epoch, against SHA-256 alone", ours, baseline, "ms")


def empty_epochs() -> Iterator[tuple[int, dict[int, bytes]]]:
    return ((FIRST_EPOCH + number, {}) for number in range(YEAR))


def year_of_epochs(folder: str) -> Checkpoint:
    """A log of a year of five-minute epochs in which nothing happened."""
    entries = [leaf(*each) for each in rebuilt_roots(partial(epoch_seed, MASTER), empty_epochs())]
    frontier = Frontier()
    for first in range(0, YEAR, BATCH):
        frontier = append(folder, frontier, entries[first : first + BATCH])
    return Checkpoint(ORIGIN, frontier.size, frontier.root)


def recount(folder: str, head: Checkpoint) -> None:
    """Rebuilds the root of every epoch and compares it with the leaf that the log's tiles hold."""
    entries: Iterator[bytes] = TileReader(partial(read, folder), head).entries(0, head.size)
    roots = rebuilt_roots(partial(epoch_seed, MASTER), empty_epochs())
    for (epoch, root), entry in zip(roots, entries, strict=True):
        found = parse_leaf(entry)
        assert isinstance(found, EpochLeaf)
        assert (found.epoch, found.root) == (epoch, root)


def empty_year(folder: str) -> None:
    head = year_of_epochs(folder)
    lengths = [1 + EPOCH_LEAF_BYTES, NODE, 92, HMAC, 89, HMAC]
    strings = [bytes(each) for each in lengths]

    def floor() -> float:
        return sum(sha256_alone(strings * 1000) for _ in range(YEAR // 1000))

    rounds = [(timed(partial(recount, folder, head)), floor()) for _ in range(ROUNDS)]
    ours, baseline = (statistics.median(each) for each in zip(*rounds, strict=True))
    tell(f"roots of an empty year ({YEAR:,} epochs) rebuilt, against SHA-256 alone", ours, baseline, "s")


def peak(size: int, folder: str) -> float:
    """MiB that a process needs at its peak which appends so many leaves and verifies them: a process of its own."""
    command = [sys.executable, __file__, "--peak", folder, "--leaves", str(size)]
    return float(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout)


def append_and_verify(size: int, folder: str) -> None:
    frontier = Frontier()
    for first in range(0, size, BATCH):
        frontier = append(folder, frontier, leaves(first, min(first + BATCH, size)))
    verify(folder, Checkpoint(ORIGIN, size, frontier.root))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def tell(name: str, ours: float, baseline: float, unit: str) -> None:
    digits = 0 if baseline > 1000 else 3
    line = {"name": name, "ours": round(ours, digits), "baseline": round(baseline, digits), "unit": unit}
    print(json.dumps({**line, "ratio": round(ours / baseline, 2 if ours > baseline / 20 else 4)}), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--leaves", type=int, default=1_000_000)
    parser.add_argument("--peak", metavar="FOLDER", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.peak:
        append_and_verify(given.leaves, given.peak)
        return
    memory = Path("/dev/shm")
    folder = memory if memory.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="dueprocess-bench-", dir=folder) as place:
        # First, while this process is small: the peak of a child counts what its parent had when it started it.
        small, large = (peak(size, f"{place}/{size}") for size in (given.leaves // 10, given.leaves))
        tell(f"peak memory at {given.leaves:,} leaves, against a tenth of them", large, small, "MiB")
        head = appending(given.leaves, f"{place}/log")
        as_it_comes(given.leaves, place)
        verifying(f"{place}/log", head)
        proving(f"{place}/log", head)
        one_epoch()
        empty_year(f"{place}/year")


if __name__ == "__main__":
    main()

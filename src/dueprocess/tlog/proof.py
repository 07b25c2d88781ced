"""Proofs that something is in the log, to be kept and checked offline.

Source: C2SP tlog-proof v1.
"""

import re
from dataclasses import dataclass

from dueprocess.errors import MalformedError
from dueprocess.tlog.checkpoint import OpenedCheckpoint, open_checkpoint
from dueprocess.tlog.merkle import HASH_BYTES, MOST_LEAVES, verify_inclusion
from dueprocess.tlog.policy import Policy
from dueprocess.wire import b64, unb64

HEADER = "c2sp.org/tlog-proof@v1"
MOST_HASHES = 63

_INDEX = re.compile(r"index (0|[1-9][0-9]{0,15})")


@dataclass(frozen=True, slots=True)
class LogProof:
    """Where an entry stands in a log, the hashes that show it, and the checkpoint they lead to."""

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: bytes
    """The note of the checkpoint, verbatim, with all its signatures."""
    extra: bytes | None = None
    """Not authenticated by anything. Our proofs carry none."""


def format_proof(proof: LogProof) -> bytes:
    """The bytes of a ``.tlog-proof`` file."""
    lines = [HEADER]
    lines += [] if proof.extra is None else [f"extra {b64(proof.extra)}"]
    lines += [f"index {proof.index}", *(b64(each) for each in proof.hashes)]
    return "".join(f"{line}\n" for line in lines).encode() + b"\n" + proof.checkpoint


def parse_proof(data: bytes) -> LogProof:
    """A proof from its bytes; the checkpoint in it is not looked at yet.

    Raises ``MalformedError`` and nothing else. Source: tlog-proof, "Format".
    """
    head, found, checkpoint = data.partition(b"\n\n")
    if not found or not head.isascii():
        raise MalformedError("not-a-proof", "This is not a log proof: no checkpoint after an empty line.")
    first, *lines = head.decode("ascii").split("\n")
    if first != HEADER:
        raise MalformedError("not-a-proof", f"A log proof begins with {HEADER}.", why=repr(first[:80]))
    extra = None
    if lines and lines[0].startswith("extra "):
        extra = unb64(lines.pop(0).removeprefix("extra "))
    index = _INDEX.fullmatch(lines[0]) if lines else None
    if index is None or int(index[1]) > MOST_LEAVES or len(lines) - 1 > MOST_HASHES:
        raise MalformedError("not-a-proof", "A log proof names an index, then at most 63 hashes.")
    hashes = tuple(unb64(line, length=HASH_BYTES) for line in lines[1:])
    return LogProof(int(index[1]), hashes, checkpoint, extra)


def verify_proof(proof: LogProof, leaf_hash: bytes, policy: Policy) -> OpenedCheckpoint:
    """The checkpoint that this leaf hash is proven to be under, accepted by the policy; or raises.

    Source: tlog-proof, "Verifying a tlog proof".
    """
    opened = open_checkpoint(proof.checkpoint, policy)
    head = opened.checkpoint
    verify_inclusion(proof.index, head.size, leaf_hash, proof.hashes, head.root)
    return opened

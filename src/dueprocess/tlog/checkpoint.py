"""Checkpoints: a log's signed statement of its size and root, and what a policy makes of it.

Source: C2SP tlog-checkpoint, tlog-policy.
"""

import re
from dataclasses import dataclass

from dueprocess.errors import MalformedError
from dueprocess.tlog.merkle import EMPTY_ROOT, HASH_BYTES, MOST_LEAVES
from dueprocess.tlog.note import Sign, Vkey, format_note, parse_note, sign_note, verify_note
from dueprocess.tlog.policy import Policy
from dueprocess.wire import b64, unb64

_SIZE = re.compile(r"0|[1-9][0-9]{0,15}")
_CONTROL = re.compile("[\x00-\x1f]")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The head of a log: its origin, how many leaves, and the root over them."""

    origin: str
    size: int
    root: bytes
    extension: tuple[str, ...] = ()
    """Opaque further lines. Our logs write none, because nobody audits them; others may."""

    def __post_init__(self) -> None:
        for line in (self.origin, *self.extension):
            if not line or _CONTROL.search(line):
                raise MalformedError(
                    "bad-checkpoint", "A line of a checkpoint is empty or holds a control character."
                )
        if not 0 <= self.size <= MOST_LEAVES or len(self.root) != HASH_BYTES:
            raise MalformedError("bad-checkpoint", "A checkpoint has a size and a root of 32 bytes.")
        if not self.size and self.root != EMPTY_ROOT:
            raise MalformedError("bad-checkpoint", "The root of an empty log is SHA-256 of nothing.")

    @property
    def text(self) -> str:
        """The signed text: origin, size, root, each on its line."""
        return "".join(f"{line}\n" for line in (self.origin, self.size, b64(self.root), *self.extension))


@dataclass(frozen=True, slots=True)
class OpenedCheckpoint:
    """A checkpoint whose signatures satisfied a policy."""

    checkpoint: Checkpoint
    log_vkey: Vkey
    witnesses: tuple[tuple[str, int], ...]
    """Key name and time stamp (seconds since 1970) of each known witness that cosigned."""

    @property
    def witnessed(self) -> bool:
        """Whether any known witness cosigned. False only where the policy's quorum is ``none``."""
        return bool(self.witnesses)


def parse_checkpoint(text: str) -> Checkpoint:
    """A checkpoint from the text of its note. Raises ``MalformedError`` and nothing else.

    Source: tlog-checkpoint, "Note text".
    """
    lines = text.split("\n")
    if len(lines) < 4 or lines.pop():
        raise MalformedError(
            "bad-checkpoint", "A checkpoint has three lines or more, each ended by a newline."
        )
    origin, size, root, *extension = lines
    if not _SIZE.fullmatch(size):
        raise MalformedError(
            "bad-checkpoint", "The second line of a checkpoint is not a size.", why=repr(size[:40])
        )
    return Checkpoint(origin, int(size), unb64(root, length=HASH_BYTES), tuple(extension))


def sign_checkpoint(checkpoint: Checkpoint, vkey: Vkey, sign: Sign) -> bytes:
    """The note of a checkpoint with the log's signature. Refuses a key that is not named like the log."""
    if vkey.name != checkpoint.origin:
        raise MalformedError(
            "wrong-origin",
            f"The key {vkey.name[:80]!r} does not sign for the log {checkpoint.origin[:80]!r}.",
            source="C2SP tlog-checkpoint, Signatures; tlog-policy, Defining a log",
        )
    return format_note(checkpoint.text, (sign_note(checkpoint.text, vkey, sign),))


def open_checkpoint(data: bytes, policy: Policy) -> OpenedCheckpoint:
    """A checkpoint that this policy accepts. Raises ``MalformedError`` and nothing else.

    Refuses an origin that the policy does not list, a log that did not sign, a bad signature of any known
    key, and a quorum that is not met.

    Source: tlog-proof, "Verifying a tlog proof", steps 2 and 3; tlog-policy.
    """
    note = parse_note(data)
    checkpoint = parse_checkpoint(note.text)
    logs = [each.vkey for each in policy.logs if each.vkey.name == checkpoint.origin]
    if not logs:
        raise MalformedError(
            "unknown-log",
            f"The policy does not list the log {checkpoint.origin[:80]!r}.",
            do="Get the policy from someone you trust, not from the place the proof came from.",
        )
    known = {each.vkey for each in policy.witnesses}
    verified = verify_note(note, (*logs, *known))
    signed = [each.vkey for each in verified if each.vkey in logs]
    if not signed:
        raise MalformedError(
            "log-did-not-sign", f"The log {checkpoint.origin[:80]!r} did not sign this checkpoint."
        )
    cosigned = [each for each in verified if each.vkey in known]
    if not policy.satisfied(each.vkey for each in cosigned):
        raise MalformedError(
            "quorum-not-met",
            "Too few witnesses cosigned this checkpoint.",
            why=f"cosigned by: {', '.join(each.vkey.name for each in cosigned) or 'nobody the policy knows'}",
            source="C2SP tlog-policy, Defining the quorum",
        )
    witnesses = tuple((each.vkey.name, each.timestamp or 0) for each in cosigned)
    return OpenedCheckpoint(checkpoint, signed[0], witnesses)

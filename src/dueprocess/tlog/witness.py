"""What a log and a witness say to each other, and what a witness must answer. Pure: state and keys are arguments.

A witness signs a head of a log only where it grew out of the head that it signed last. ``judge`` is that rule;
a server around it keeps the last head and holds the keys.

Source: C2SP tlog-witness.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from dueprocess.errors import MalformedError
from dueprocess.tlog.checkpoint import Checkpoint, parse_checkpoint
from dueprocess.tlog.merkle import EMPTY_ROOT, HASH_BYTES, MOST_LEAVES, verify_consistency
from dueprocess.tlog.note import ED25519, Note, Signature, Vkey, format_note, parse_note, verify_note
from dueprocess.wire import b64, sha256_hex, unb64

MOST_PROOF_HASHES = 63
MOST_BODY_BYTES = 1_000_000
SIZE_TYPE = "text/x.tlog.size"
TEXT_TYPE = "text/plain; charset=utf-8"

_OLD = re.compile(r"old (0|[1-9][0-9]{0,15})")
_SIZE = re.compile(rb"(0|[1-9][0-9]{0,15})\n")
_SPEC = "C2SP tlog-witness, add-checkpoint"


@dataclass(frozen=True, slots=True)
class AddCheckpoint:
    """A log's request: from which size, the proof, and the note of the new head, verbatim."""

    old_size: int
    proof: tuple[bytes, ...]
    checkpoint_bytes: bytes


class Misbehaviour(StrEnum):
    """What a refused checkpoint, validly signed by the log, may show about the log."""

    TWO_ROOTS = "two-roots"
    """The log signed another root for the size that was cosigned: two histories, proven."""
    WRONG_EMPTY = "wrong-empty"
    """The log signed a root for no leaves that is not the root of nothing."""
    BAD_PROOF = "bad-proof"
    """The proof does not lead from the cosigned head to this one. The sender's fault or the log's: not proven."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """The answer to one request: status, body, content type; and what follows for the witness."""

    status: int
    body: bytes
    content_type: str = TEXT_TYPE
    checkpoint: Checkpoint | None = None
    """The new head to store and cosign. Only with status 200, whose body is then the witness's signatures."""
    signed: tuple[Signature, ...] = ()
    """The log's signatures that were verified."""
    misbehaviour: Misbehaviour | None = None


def parse_add_checkpoint(body: bytes) -> AddCheckpoint:
    """A request from its bytes; the checkpoint in it is not looked at yet.

    Raises ``MalformedError`` and nothing else: for a body over a million bytes, a size that is not in its one
    form, more than 63 hashes, a hash that is not 32 bytes.
    """
    if len(body) > MOST_BODY_BYTES:
        raise _malformed("A request has at most 1,000,000 bytes here.")
    head, found, checkpoint = body.partition(b"\n\n")
    if not found or not head.isascii():
        raise _malformed("There is no empty line with a checkpoint after it.")
    first, *lines = head.decode("ascii").split("\n")
    old = _OLD.fullmatch(first)
    if old is None or int(old[1]) > MOST_LEAVES:
        raise _malformed("The first line is not `old` and a size.")
    if len(lines) > MOST_PROOF_HASHES:
        raise _malformed(f"A consistency proof has at most {MOST_PROOF_HASHES} hashes.")
    return AddCheckpoint(int(old[1]), tuple(unb64(each, length=HASH_BYTES) for each in lines), checkpoint)


def format_add_checkpoint(request: AddCheckpoint) -> bytes:
    """The body of the POST. Refuses what would not be read back as it is."""
    lines = [f"old {request.old_size}", *(b64(each) for each in request.proof)]
    body = "".join(f"{each}\n" for each in lines).encode() + b"\n" + request.checkpoint_bytes
    parse_add_checkpoint(body)
    return body


def monitoring_path(origin: str) -> str:
    """Where a witness shows the newest head of a log, below its monitoring prefix.

    Source: C2SP tlog-witness, "Monitor Retrieval Mechanism".
    """
    return f"{sha256_hex(origin.encode())}/checkpoint"


def format_size(size: int) -> bytes:
    """The body of a 409 answer: the size that the witness cosigned last, and a newline."""
    return f"{size}\n".encode()


def parse_size(body: bytes) -> int:
    """The size that a witness names in a 409 answer. Raises ``MalformedError`` and nothing else."""
    found = _SIZE.fullmatch(body)
    if found is None or int(found[1]) > MOST_LEAVES:
        raise MalformedError("not-a-size", "This is not the size of a log and a newline.", source=_SPEC)
    return int(found[1])


def answer(
    body: bytes, *, vkeys_of: Callable[[str], Sequence[Vkey]], known_of: Callable[[str], Checkpoint | None]
) -> Judgement:
    """The whole of add-checkpoint for the bytes of a request: 400 where they are no request, else ``judge``.

    ``vkeys_of`` gives the trusted keys of an origin (none: unknown), ``known_of`` the head cosigned last.
    """
    try:
        request = parse_add_checkpoint(body)
        origin = origin_of(request)
    except MalformedError as error:
        return _refused(400, str(error))
    vkeys = vkeys_of(origin)
    return judge(request, known_of(origin) if vkeys else None, vkeys)


def origin_of(request: AddCheckpoint) -> str:
    """The origin line of the checkpoint. Not verified. Raises ``MalformedError`` where there is no note."""
    return parse_note(request.checkpoint_bytes).text.split("\n", 1)[0]


def judge(request: AddCheckpoint, known: Checkpoint | None, vkeys: Sequence[Vkey]) -> Judgement:
    """What a witness answers that trusts these keys for the origin and cosigned ``known`` last (None: nothing).

    200 cosign it; 400 no checkpoint, or older than its old size; 403 not signed by a trusted key, or signed
    badly; 404 no trusted keys; 409 another old size than ``known``, whose size is the body; 422 not consistent.
    """
    try:
        note = parse_note(request.checkpoint_bytes)
    except MalformedError as error:
        return _refused(400, str(error))
    if not vkeys:
        return _refused(404, "This witness does not watch that log.")
    if _is_empty_with_leaves(note.text):
        return _judge_wrong_empty(note, vkeys)
    try:
        signed = _signed(note, vkeys)
    except MalformedError as error:
        return _refused(403, str(error))
    try:
        head = parse_checkpoint(note.text)
    except MalformedError as error:
        return _refused(400, str(error))
    return _compare(request, head, known, signed)


def _compare(
    request: AddCheckpoint, head: Checkpoint, known: Checkpoint | None, signed: tuple[Signature, ...]
) -> Judgement:
    size = known.size if known else 0
    forked = _forked(head, known)
    if request.old_size > head.size:
        return _refused(400, "The old size is larger than the checkpoint's.", signed, forked)
    if request.old_size != size:
        return Judgement(409, format_size(size), SIZE_TYPE, signed=signed, misbehaviour=forked)
    if forked:
        return _refused(422, "This witness cosigned another root for this size.", signed, forked)
    if not size and request.proof:
        return _refused(422, "From nothing there is nothing to prove: the proof must be empty.", signed)
    if known is not None and size:
        try:
            verify_consistency(size, head.size, known.root, head.root, request.proof)
        except MalformedError as error:
            # The head that was cosigned, with hashes that it does not need, says nothing about the log.
            found = None if head.root == known.root else Misbehaviour.BAD_PROOF
            return _refused(422, str(error), signed, found)
    return Judgement(200, b"", checkpoint=head, signed=signed)


def _forked(head: Checkpoint, known: Checkpoint | None) -> Misbehaviour | None:
    if known is None or known.size != head.size or known.root == head.root:
        return None
    return Misbehaviour.TWO_ROOTS


def _signed(note: Note, vkeys: Sequence[Vkey]) -> tuple[Signature, ...]:
    """The signatures of trusted keys, all verified; unknown keys are ignored, a bad one refuses the note."""
    known = {(each.vkey.name, each.vkey.key_id) for each in verify_note(note, vkeys)}
    return tuple(each for each in note.signatures if (each.name, each.key_id) in known)


def _judge_wrong_empty(note: Note, vkeys: Sequence[Vkey]) -> Judgement:
    """422, or 403 where nobody trusted signed it. An ML-DSA-44 signature has no message for such a head."""
    plain = [each for each in vkeys if each.algorithm == ED25519]
    stamped = {(each.name, each.key_id) for each in vkeys} - {(each.name, each.key_id) for each in plain}
    why = "A log without leaves has the root SHA-256 of nothing."
    try:
        return _refused(422, why, _signed(note, plain), Misbehaviour.WRONG_EMPTY)
    except MalformedError as error:
        unseen = error.code == "no-known-signature"
        if unseen and any((each.name, each.key_id) in stamped for each in note.signatures):
            return _refused(422, why)
        return _refused(403, str(error))


def _is_empty_with_leaves(text: str) -> bool:
    _, size, root, *_ = [*text.split("\n"), "", ""]
    return size == "0" and root != b64(EMPTY_ROOT)


def _refused(
    status: int, why: str, signed: tuple[Signature, ...] = (), misbehaviour: Misbehaviour | None = None
) -> Judgement:
    return Judgement(status, f"{why}\n".encode(), signed=signed, misbehaviour=misbehaviour)


def signature_lines(signatures: Iterable[Signature]) -> bytes:
    """The body of a 200 answer: the witness's signature lines."""
    return "".join(each.line for each in signatures).encode()


def cosigned_note(judgement: Judgement, cosignatures: Sequence[Signature]) -> bytes:
    """The note to keep and to show: the head, the log's verified signatures, the witness's own.

    Refuses a judgement that accepted nothing.
    """
    if judgement.checkpoint is None:
        raise MalformedError("nothing-accepted", "This checkpoint was refused, so nobody cosigns it.")
    return format_note(judgement.checkpoint.text, (*judgement.signed, *cosignatures))


def _malformed(what: str) -> MalformedError:
    return MalformedError(
        "not-add-checkpoint", "This is not an add-checkpoint request.", why=what, source=_SPEC
    )

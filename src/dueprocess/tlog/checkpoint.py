"""Checkpoints: a log's signed statement of its size and root, and what a policy makes of it.

Source: C2SP tlog-checkpoint, tlog-cosignature, tlog-policy.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from dueprocess.errors import MalformedError
from dueprocess.tlog.head import Checkpoint, parse_checkpoint
from dueprocess.tlog.note import (
    COSIGNATURE,
    ED25519,
    ML_DSA_44,
    Note,
    Sign,
    Signature,
    Verified,
    Vkey,
    cosign,
    format_note,
    known_by_id,
    parse_note,
    parse_signatures,
    sign_note,
    verify_note,
    verify_signature,
)
from dueprocess.tlog.policy import NO_QUORUM, Policy

__all__ = [
    "Checkpoint",
    "OpenedCheckpoint",
    "add_cosignatures",
    "open_checkpoint",
    "parse_checkpoint",
    "sign_checkpoint",
    "without_ml_dsa",
]

_LAST_SECOND = 253_402_300_799
"""9999-12-31T23:59:59Z. A cosignature may be refused for a time in the future, and this one always is."""


@dataclass(frozen=True, slots=True)
class OpenedCheckpoint:
    """A checkpoint whose signatures satisfied a policy."""

    checkpoint: Checkpoint
    log_vkeys: tuple[Vkey, ...]
    """The policy's keys of this log that signed, in the order of the note. At least one."""
    witnesses: tuple[tuple[str, int], ...]
    """Key name and time stamp (seconds since 1970) of each known witness that cosigned."""
    witnessed_at: dt.datetime | None
    """The latest instant such that the witnesses that signed then or later meet the quorum; None by ``none``."""

    @property
    def witnessed(self) -> bool:
        """Whether the policy demands witnesses, and they cosigned. False where its quorum is ``none``."""
        return self.witnessed_at is not None


def sign_checkpoint(checkpoint: Checkpoint, signers: Sequence[tuple[Vkey, Sign]], *, timestamp: int) -> bytes:
    """The note of a checkpoint with the log's signatures, one per key; an ML-DSA-44 one carries ``timestamp``.

    Refuses a key that is not named like the log, one of a witness's type, one twice, no key at all, and
    extension lines without a key that covers them.
    """
    if not signers or len({vkey for vkey, _ in signers}) != len(signers):
        raise MalformedError("bad-signers", "A checkpoint is signed by one key or more, each once.")
    for vkey, _ in signers:
        _refuse_signer(checkpoint, vkey)
    _refuse_uncovered(checkpoint, [vkey for vkey, _ in signers])
    text = checkpoint.text
    return format_note(
        text,
        tuple(
            sign_note(text, vkey, sign)
            if vkey.algorithm == ED25519
            else cosign(text, vkey, timestamp=timestamp, sign=sign)
            for vkey, sign in signers
        ),
    )


def _refuse_signer(checkpoint: Checkpoint, vkey: Vkey) -> None:
    if vkey.name != checkpoint.origin:
        raise MalformedError(
            "wrong-origin",
            f"The key {vkey.name[:80]!r} does not sign for the log {checkpoint.origin[:80]!r}.",
            source="C2SP tlog-checkpoint, Signatures; tlog-policy, Defining a log",
        )
    if vkey.algorithm == COSIGNATURE:
        raise MalformedError("wrong-algorithm", "A log signs with a key of type 0x01 or 0x06.")


def _refuse_uncovered(checkpoint: Checkpoint, vkeys: Sequence[Vkey]) -> None:
    if checkpoint.extension and all(each.algorithm == ML_DSA_44 for each in vkeys):
        raise MalformedError(
            "uncovered-lines",
            "No signature of the log covers the further lines of this checkpoint.",
            why="ML-DSA-44 signs origin, size and root only: anyone could have added or changed the rest.",
            source="C2SP tlog-cosignature, ML-DSA-44 signed message",
        )


def open_checkpoint(data: bytes, policy: Policy) -> OpenedCheckpoint:
    """A checkpoint that this policy accepts. Raises ``MalformedError`` and nothing else.

    Refuses an origin that the policy does not list, a log none of whose listed keys signed, a bad signature
    of any known key, extension lines that the log signed by ML-DSA-44 only, a witness's time that says
    nothing, and a quorum that is not met.

    Source: tlog-proof, "Verifying a tlog proof", steps 2 and 3; tlog-policy.
    """
    note = parse_note(data)
    checkpoint = parse_checkpoint(note.text)
    logs = _log_keys(checkpoint, policy)
    verified = verify_note(note, (*logs, *(each.vkey for each in policy.witnesses)))
    signed = tuple(each.vkey for each in verified if each.vkey in logs)
    if not signed:
        raise MalformedError(
            "log-did-not-sign", f"The log {checkpoint.origin[:80]!r} did not sign this checkpoint."
        )
    _refuse_uncovered(checkpoint, signed)
    times = {each.vkey: _time(each) for each in verified if each.vkey not in logs}
    if not policy.satisfied(times):
        raise MalformedError(
            "quorum-not-met",
            "Too few witnesses cosigned this checkpoint.",
            why=f"cosigned by: {', '.join(each.name for each in times) or 'nobody the policy knows'}",
            source="C2SP tlog-policy, Defining the quorum",
        )
    witnesses = tuple((vkey.name, at) for vkey, at in times.items())
    return OpenedCheckpoint(checkpoint, signed, witnesses, _witnessed_at(times, policy))


def _log_keys(checkpoint: Checkpoint, policy: Policy) -> tuple[Vkey, ...]:
    logs = tuple(each.vkey for each in policy.logs if each.vkey.name == checkpoint.origin)
    if not logs:
        raise MalformedError(
            "unknown-log",
            f"The policy does not list the log {checkpoint.origin[:80]!r}.",
            do="Get the policy from someone you trust, not from the place the proof came from.",
        )
    return logs


def _time(cosigned: Verified) -> int:
    at = cosigned.timestamp or 0
    if not 0 < at <= _LAST_SECOND:
        raise MalformedError(
            "bad-time",
            f"The witness {cosigned.vkey.name[:80]!r} signed without a time, or with one beyond the year 9999.",
            why="Without a time a witness does not say that this was the newest head it saw.",
            source="C2SP tlog-cosignature, Format; ML-DSA-44 signed message",
        )
    return at


def _witnessed_at(times: dict[Vkey, int], policy: Policy) -> dt.datetime | None:
    if policy.quorum == NO_QUORUM:
        return None
    enough = (
        at
        for at in times.values()
        if policy.satisfied(vkey for vkey, signed_at in times.items() if signed_at >= at)
    )
    return dt.datetime.fromtimestamp(max(enough), dt.UTC)


def add_cosignatures(note: bytes, lines: bytes, policy: Policy) -> bytes:
    """The note with the signature lines that a witness answered, for the witnesses that the policy lists.

    Lines of unknown keys, and of keys whose line the note has already, are left out. A line of a listed
    witness that does not verify, or says no time, is refused with ``MalformedError``.

    Source: C2SP tlog-witness, add-checkpoint.
    """
    parsed = parse_note(note)
    known = known_by_id(each.vkey for each in policy.witnesses)
    has = {(each.name, each.key_id) for each in parsed.signatures}
    added: list[Signature] = []
    for each in parse_signatures(lines):
        name = (each.name, each.key_id)
        if name in known and name not in has:
            _time(verify_signature(each, parsed.text, known[name]))
            has.add(name)
            added.append(each)
    return format_note(parsed.text, (*parsed.signatures, *added))


def without_ml_dsa(note: bytes, policy: Policy) -> bytes:
    """The note in the smallest form that this policy accepts: without the ML-DSA-44 lines of its keys.

    Where the quorum needs witnesses that have such keys only, their lines stay; where the log has no other
    key that signed, so does the log's. Raises ``MalformedError`` where the policy refuses the note itself.
    """
    open_checkpoint(note, policy)
    parsed = parse_note(note)
    logs = {(each.vkey.name, each.vkey.key_id) for each in policy.logs if each.vkey.algorithm == ML_DSA_44}
    cosigners = {
        (each.vkey.name, each.vkey.key_id) for each in policy.witnesses if each.vkey.algorithm == ML_DSA_44
    }
    for dropped in (logs | cosigners, logs, cosigners):
        smaller = _dropped(parsed, dropped)
        if smaller is not None and _accepted(smaller, policy):
            return smaller
    return note


def _dropped(note: Note, names: set[tuple[str, bytes]]) -> bytes | None:
    kept = tuple(each for each in note.signatures if (each.name, each.key_id) not in names)
    return format_note(note.text, kept) if kept else None


def _accepted(note: bytes, policy: Policy) -> bool:
    try:
        open_checkpoint(note, policy)
    except MalformedError:
        return False
    return True

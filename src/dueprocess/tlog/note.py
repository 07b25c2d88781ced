"""Signed notes: text with signatures under it.

Ed25519 (0x01) signs the text of a note. A timestamped cosignature signs a time and the text (0x04), or a time
and the origin, size and root that the text says (ML-DSA-44, 0x06: not the lines after them). Signing takes a
callable, because nothing in this room may hold a private key.

Source: C2SP signed-note, C2SP tlog-cosignature.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NoReturn

from dueprocess.errors import MalformedError
from dueprocess.tlog.head import parse_checkpoint
from dueprocess.tlog.vkey import (
    COSIGNATURE,
    ED25519,
    ML_DSA_44,
    MOST_NAME_BYTES,
    SIGNATURE_BYTES,
    Vkey,
    check_key_name,
    key_id,
    make_vkey,
    parse_vkey,
)
from dueprocess.wire import b64, unb64

__all__ = [
    "COSIGNATURE",
    "ED25519",
    "ML_DSA_44",
    "MOST_SECONDS",
    "MOST_SIGNATURES",
    "Note",
    "Sign",
    "Signature",
    "Verified",
    "Vkey",
    "check_key_name",
    "cosign",
    "cosigned_message",
    "format_note",
    "key_id",
    "known_by_id",
    "make_vkey",
    "parse_note",
    "parse_signatures",
    "parse_vkey",
    "sign_note",
    "verify_note",
    "verify_signature",
]

type Sign = Callable[[bytes], bytes]
"""Signs a message with a key that stays with the caller: 64 bytes by Ed25519, 2420 by ML-DSA-44."""

MOST_SIGNATURES = 100
MOST_SECONDS = 2**63 - 1

_DASH = "— "
_CONTROL = re.compile("[\x00-\x1f]")


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line: who says to have signed, and the bytes after the key id. Not yet verified."""

    name: str
    key_id: bytes
    raw: bytes

    @property
    def line(self) -> str:
        return f"{_DASH}{self.name} {b64(self.key_id + self.raw)}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A parsed note. The text means nothing until a signature of a known key has been verified."""

    text: str
    signatures: tuple[Signature, ...]


@dataclass(frozen=True, slots=True)
class Verified:
    """A signature that was verified. ``timestamp`` is the signer's, in seconds since 1970; None by 0x01."""

    vkey: Vkey
    timestamp: int | None


def parse_note(data: bytes) -> Note:
    """The text and signature lines of a note, byte-exact. Raises ``MalformedError`` and nothing else.

    Source: signed-note, "Format".
    """
    try:
        whole = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedError("not-utf8", "This signed note is not UTF-8.", why=str(error)) from error
    if _CONTROL.search(whole.replace("\n", "")):
        raise MalformedError("control-character", "This signed note holds a control character.")
    text, found, lines = whole.rpartition("\n\n")
    if not found or not lines.endswith("\n"):
        raise MalformedError(
            "not-a-note", "This is not a signed note.", why="no blank line with signature lines after it"
        )
    return Note(text + "\n", _signatures(lines))


def parse_signatures(data: bytes) -> tuple[Signature, ...]:
    """Signature lines without a text, as a witness answers. Raises ``MalformedError`` and nothing else.

    Source: C2SP tlog-witness, add-checkpoint: one or more note signature lines.
    """
    try:
        lines = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedError("not-utf8", "These signature lines are not UTF-8.", why=str(error)) from error
    if not lines.endswith("\n") or _CONTROL.search(lines.replace("\n", "")):
        raise MalformedError("bad-signature-line", "These are not signature lines, each ended by a newline.")
    return _signatures(lines)


def _signatures(lines: str) -> tuple[Signature, ...]:
    signatures = tuple(_parse_signature(line) for line in lines[:-1].split("\n"))
    _refuse_many(signatures)
    return signatures


def _refuse_many(signatures: tuple[Signature, ...]) -> None:
    if len(signatures) > MOST_SIGNATURES:
        raise MalformedError(
            "too-many-signatures", f"A note carries at most {MOST_SIGNATURES} signatures here."
        )


def _parse_signature(line: str) -> Signature:
    name, space, encoded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not space:
        raise MalformedError("bad-signature-line", "This is not a signature line.", why=repr(line[:120]))
    check_key_name(name)
    raw = unb64(encoded)
    if len(raw) < 5:
        raise MalformedError("bad-signature-line", f"The signature of {name[:80]!r} is too short.")
    return Signature(name, raw[:4], raw[4:])


def format_note(text: str, signatures: Iterable[Signature]) -> bytes:
    """The bytes of a note. Refuses text that would not be read back as it is."""
    data = f"{text}\n{''.join(each.line for each in signatures)}".encode()
    if parse_note(data).text != text:
        raise MalformedError("not-a-note", "The text of a note ends in one newline.")
    return data


def sign_note(text: str, vkey: Vkey, sign: Sign) -> Signature:
    """The plain Ed25519 signature of a note's text. Refuses what does not verify under ``vkey``."""
    if vkey.algorithm != ED25519:
        raise MalformedError("wrong-algorithm", "A note's text alone is signed with a key of type 0x01.")
    return _checked(Signature(vkey.name, vkey.key_id, sign(text.encode())), text, vkey)


def cosign(text: str, vkey: Vkey, *, timestamp: int, sign: Sign) -> Signature:
    """A cosignature (0x04 or 0x06, by the key's type) of a checkpoint's text, with a time.

    ``timestamp`` is in seconds since 1970, from 1: 0 would make no statement about the time.

    Source: tlog-cosignature, "Ed25519 signed message", "ML-DSA-44 signed message".
    """
    if vkey.algorithm == ED25519 or not 0 < timestamp <= MOST_SECONDS:
        raise MalformedError(
            "bad-cosignature",
            "A cosignature has a key of type 0x04 or 0x06 and a time after 1970.",
            source="C2SP tlog-cosignature, Format",
        )
    raw = timestamp.to_bytes(8, "big") + sign(cosigned_message(text, vkey, timestamp))
    return _checked(Signature(vkey.name, vkey.key_id, raw), text, vkey)


def _checked(signature: Signature, text: str, vkey: Vkey) -> Signature:
    verify_signature(signature, text, vkey)
    return signature


def cosigned_message(text: str, vkey: Vkey, timestamp: int) -> bytes:
    """The bytes that a cosigner of type 0x04 or 0x06 signs for a checkpoint's text at a time.

    For 0x06 the text must be a checkpoint, with an origin of at most 255 bytes. It covers no extension lines.

    Source: tlog-cosignature, "Ed25519 signed message", "ML-DSA-44 signed message".
    """
    if vkey.algorithm == COSIGNATURE:
        return f"cosignature/v1\ntime {timestamp}\n{text}".encode()
    head = parse_checkpoint(text)
    origin, name = head.origin.encode(), vkey.name.encode()
    if len(origin) > MOST_NAME_BYTES:
        raise MalformedError(
            "long-origin",
            f"An origin that ML-DSA-44 signs has at most {MOST_NAME_BYTES} bytes.",
            source="C2SP tlog-cosignature, ML-DSA-44 signed message",
        )
    span = (0).to_bytes(8, "big") + head.size.to_bytes(8, "big")
    signer = bytes([len(name)]) + name + timestamp.to_bytes(8, "big")
    return b"subtree/v1\n\x00" + signer + bytes([len(origin)]) + origin + span + head.root


def verify_note(note: Note, vkeys: Iterable[Vkey]) -> tuple[Verified, ...]:
    """The signatures of known keys, all of them verified, in the order of the note.

    Signatures of unknown keys are ignored. A signature of a known key that does not verify, two of one key,
    or none at all refuse the whole note.

    Source: signed-note, "Signatures".
    """
    known = known_by_id(vkeys)
    pairs = [(each, known.get((each.name, each.key_id))) for each in note.signatures]
    verified = tuple(verify_signature(each, note.text, vkey) for each, vkey in pairs if vkey is not None)
    if not verified:
        raise MalformedError(
            "no-known-signature",
            "No key that this policy knows signed this note.",
            why="signed by: " + ", ".join(repr(each.name[:80]) for each in note.signatures[:10]),
            source="C2SP signed-note, Signatures",
        )
    if len({each.vkey for each in verified}) != len(verified):
        raise MalformedError("signed-twice", "A known key signed this note more than once.")
    return verified


def known_by_id(vkeys: Iterable[Vkey]) -> Mapping[tuple[str, bytes], Vkey]:
    """Keys by the name and id that a signature line gives. Refuses two keys that share both."""
    known: dict[tuple[str, bytes], Vkey] = {}
    for vkey in vkeys:
        if known.setdefault((vkey.name, vkey.key_id), vkey) != vkey:
            raise MalformedError("ambiguous-key", f"Two keys share the name and id {vkey.name[:80]!r}.")
    return MappingProxyType(known)


def verify_signature(signature: Signature, text: str, vkey: Vkey) -> Verified:
    """One signature line of a note with this text, verified under this key, or ``MalformedError``."""
    if vkey.algorithm == ED25519:
        timestamp, message, raw = None, text.encode(), signature.raw
    else:
        timestamp, raw = int.from_bytes(signature.raw[:8], "big"), signature.raw[8:]
        if len(raw) != SIGNATURE_BYTES[vkey.algorithm] or timestamp > MOST_SECONDS:
            _bad_signature(vkey)
        message = cosigned_message(text, vkey, timestamp)
    if not vkey.verify(raw, message):
        _bad_signature(vkey)
    return Verified(vkey, timestamp)


def _bad_signature(vkey: Vkey) -> NoReturn:
    raise MalformedError(
        "bad-signature",
        f"The signature of {vkey.name[:80]!r} does not verify.",
        why="The note was changed after it was signed, or another key signed it under this name.",
        source="C2SP signed-note, Signatures",
    )

"""Signed notes: text with signatures under it, and the verifier keys that check them.

Ed25519 (0x01) signs the text of a note; a witness's timestamped cosignature (0x04) signs the text and a
time. Signing takes a callable, because nothing in this room may hold a private key.

Source: C2SP signed-note, C2SP tlog-cosignature.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NoReturn

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from dueprocess.errors import MalformedError
from dueprocess.wire import b64, sha256, unb64

type Sign = Callable[[bytes], bytes]
"""Signs a message with a key that stays with the caller; gives the 64 bytes of an Ed25519 signature."""

ED25519 = 0x01
COSIGNATURE = 0x04
MOST_SIGNATURES = 100
MOST_SECONDS = 2**63 - 1

_PUBLIC_BYTES = 32
_SIGNATURE_BYTES = 64
_DASH = "— "
_CONTROL = re.compile("[\x00-\x1f]")
_KEY_ID = re.compile("[0-9a-f]{8}")

_FIELD_PRIME = 2**255 - 19

# The encodings of the points of small order, sign bit cleared. A signature that verifies under such a key
# says nothing: for some of them, one signature fits every message. (RFC 8032 section 8.9 leaves it to us.)
_SMALL_ORDER = frozenset(
    bytes.fromhex(each)
    for each in (
        "00" * 32,
        "01" + "00" * 31,
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ec" + "ff" * 30 + "7f",
    )
)


def key_id(name: str, algorithm: int, public: bytes) -> bytes:
    """Four bytes that, with the name, say which key made a signature.

    Source: signed-note, "Signatures": SHA-256(name ‖ 0x0A ‖ algorithm ‖ public key)[:4].
    """
    return sha256(name.encode() + b"\n" + bytes([algorithm]) + public)[:4]


@dataclass(frozen=True, slots=True)
class Vkey:
    """One verifier key. Cannot be built with a foreign key id, a bad name or a key of small order."""

    name: str
    key_id: bytes
    algorithm: int
    public: bytes

    def __post_init__(self) -> None:
        check_key_name(self.name)
        if self.algorithm not in (ED25519, COSIGNATURE):
            raise MalformedError(
                "unknown-algorithm",
                f"The key {self.name[:80]!r} is of type 0x{self.algorithm:02x}, which is not supported here.",
                do="Use an Ed25519 key (0x01) for a log, an Ed25519 cosigner (0x04) for a witness.",
                source="C2SP signed-note, Signature types",
            )
        if len(self.public) != _PUBLIC_BYTES:
            raise MalformedError(
                "bad-key", f"The key {self.name[:80]!r} has {len(self.public)} bytes, not 32."
            )
        point = self.public[:31] + bytes([self.public[31] & 0x7F])
        if point in _SMALL_ORDER or int.from_bytes(point, "little") >= _FIELD_PRIME:
            raise MalformedError(
                "weak-key",
                f"The key {self.name[:80]!r} is a point of small order, or not in its one encoding.",
                why="Under the first, signatures that anyone can make verify; the second hides a key listed twice.",
                source="RFC 8032 sections 5.1.3 and 8.9",
            )
        if self.key_id != key_id(self.name, self.algorithm, self.public):
            raise MalformedError("wrong-key-id", f"The key id of {self.name[:80]!r} does not fit its key.")

    @property
    def text(self) -> str:
        """``name+hex key id+base64(algorithm ‖ public key)``."""
        return f"{self.name}+{self.key_id.hex()}+{b64(bytes([self.algorithm]) + self.public)}"


def make_vkey(name: str, public: bytes, *, algorithm: int = ED25519) -> Vkey:
    """The verifier key of 32 public Ed25519 bytes under a name; ``COSIGNATURE`` for a witness."""
    check_key_name(name)
    return Vkey(name, key_id(name, algorithm, public), algorithm, public)


def check_key_name(name: str) -> None:
    """Refuses names that a note cannot carry.

    Source: signed-note, "Format": not empty, no Unicode spaces, no plus; and no control characters.
    """
    bad = any(each.isspace() or each == "+" or each < " " for each in name)
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise MalformedError("bad-key-name", "A key name is Unicode text.", why=str(error)) from error
    if not name or bad:
        raise MalformedError("bad-key-name", f"{name[:80]!r} cannot be the name of a key.")


def parse_vkey(text: str) -> Vkey:
    """A verifier key from its text. Raises ``MalformedError`` and nothing else.

    Source: signed-note, "Verifier keys".
    """
    parts = text.split("+", 2)
    if len(parts) != 3 or not _KEY_ID.fullmatch(parts[1]):
        raise MalformedError(
            "not-a-vkey", "This is not a verifier key (name+keyid+key).", why=repr(text[:120])
        )
    material = unb64(parts[2])
    if not material:
        raise MalformedError("not-a-vkey", "This verifier key is empty.", why=repr(text[:120]))
    return Vkey(parts[0], bytes.fromhex(parts[1]), material[0], material[1:])


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
    """A signature that was verified. ``timestamp`` is the witness's, in seconds since 1970, or None."""

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
    signatures = tuple(_parse_signature(line) for line in lines[:-1].split("\n"))
    _refuse_many(signatures)
    return Note(text + "\n", signatures)


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
    """The Ed25519 signature of a note's text. Refuses what does not verify under ``vkey``."""
    return _checked(Signature(vkey.name, vkey.key_id, sign(text.encode())), text, vkey)


def cosign(text: str, vkey: Vkey, *, timestamp: int, sign: Sign) -> Signature:
    """A witness's cosignature of a checkpoint's text at ``timestamp`` seconds since 1970.

    Source: tlog-cosignature, "Ed25519 signed message".
    """
    raw = timestamp.to_bytes(8, "big") + sign(_cosigned(text, timestamp))
    return _checked(Signature(vkey.name, vkey.key_id, raw), text, vkey)


def _checked(signature: Signature, text: str, vkey: Vkey) -> Signature:
    _verify(signature, text, vkey)
    return signature


def _cosigned(text: str, timestamp: int) -> bytes:
    return f"cosignature/v1\ntime {timestamp}\n{text}".encode()


def verify_note(note: Note, vkeys: Iterable[Vkey]) -> tuple[Verified, ...]:
    """The signatures of known keys, all of them verified, in the order of the note.

    Signatures of unknown keys are ignored. A signature of a known key that does not verify, two of one key,
    or none at all refuse the whole note.

    Source: signed-note, "Signatures".
    """
    known: dict[tuple[str, bytes], Vkey] = {}
    for vkey in vkeys:
        if known.setdefault((vkey.name, vkey.key_id), vkey) != vkey:
            raise MalformedError("ambiguous-key", f"Two keys share the name and id {vkey.name[:80]!r}.")
    pairs = [(each, known.get((each.name, each.key_id))) for each in note.signatures]
    verified = tuple(_verify(each, note.text, vkey) for each, vkey in pairs if vkey is not None)
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


def _verify(signature: Signature, text: str, vkey: Vkey) -> Verified:
    if vkey.algorithm == ED25519:
        timestamp, message, raw = None, text.encode(), signature.raw
    else:
        timestamp = int.from_bytes(signature.raw[:8], "big")
        message, raw = _cosigned(text, timestamp), signature.raw[8:]
    if len(raw) != _SIGNATURE_BYTES or (timestamp or 0) > MOST_SECONDS:
        _bad_signature(vkey)
    try:
        Ed25519PublicKey.from_public_bytes(vkey.public).verify(raw, message)
    except InvalidSignature as error:
        _bad_signature(vkey, error)
    return Verified(vkey, timestamp)


def _bad_signature(vkey: Vkey, error: Exception | None = None) -> NoReturn:
    raise MalformedError(
        "bad-signature",
        f"The signature of {vkey.name[:80]!r} does not verify.",
        why="The note was changed after it was signed, or another key signed it under this name.",
        source="C2SP signed-note, Signatures",
    ) from error

"""Verifier keys: who may sign a note, with which algorithm, and whether a signature is theirs.

Ed25519 (0x01) is a log's plain key, 0x04 an Ed25519 key that signs with a time (a witness's), 0x06 an ML-DSA-44
key that signs with a time (a log's or a witness's). Nothing here holds a private key.

Source: C2SP signed-note, "Signature types", "Verifier keys"; C2SP tlog-cosignature; FIPS 204.
"""

import re
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

from dueprocess.errors import MalformedError
from dueprocess.wire import b64, sha256, unb64

ED25519 = 0x01
COSIGNATURE = 0x04
ML_DSA_44 = 0x06

PUBLIC_BYTES = {ED25519: 32, COSIGNATURE: 32, ML_DSA_44: 1312}
SIGNATURE_BYTES = {ED25519: 64, COSIGNATURE: 64, ML_DSA_44: 2420}
MOST_NAME_BYTES = 255
"""What the length byte of an ML-DSA-44 cosigned message can say of a name or an origin."""

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
    """One verifier key. Cannot be built with a foreign key id, a bad name or a weak key."""

    name: str
    key_id: bytes
    algorithm: int
    public: bytes

    def __post_init__(self) -> None:
        check_key_name(self.name)
        if self.algorithm not in PUBLIC_BYTES:
            raise MalformedError(
                "unknown-algorithm",
                f"The key {self.name[:80]!r} is of type 0x{self.algorithm:02x}, which is not supported here.",
                do="Use Ed25519 (0x01) or ML-DSA-44 (0x06) for a log, a cosigner key (0x04, 0x06) for a witness.",
                source="C2SP signed-note, Signature types",
            )
        wanted = PUBLIC_BYTES[self.algorithm]
        if len(self.public) != wanted:
            raise MalformedError(
                "bad-key", f"The key {self.name[:80]!r} has {len(self.public)} bytes, not {wanted}."
            )
        _refuse_weak(self)
        if self.key_id != key_id(self.name, self.algorithm, self.public):
            raise MalformedError("wrong-key-id", f"The key id of {self.name[:80]!r} does not fit its key.")

    @property
    def text(self) -> str:
        """``name+hex key id+base64(algorithm ‖ public key)``."""
        return f"{self.name}+{self.key_id.hex()}+{b64(bytes([self.algorithm]) + self.public)}"

    def verify(self, signature: bytes, message: bytes) -> bool:
        """Whether this key signed exactly these bytes. The caller builds the message its algorithm asks for."""
        if len(signature) != SIGNATURE_BYTES[self.algorithm]:
            return False
        kind = MLDSA44PublicKey if self.algorithm == ML_DSA_44 else Ed25519PublicKey
        try:
            kind.from_public_bytes(self.public).verify(signature, message)
        except InvalidSignature:
            return False
        return True


def _refuse_weak(vkey: Vkey) -> None:
    if vkey.algorithm == ML_DSA_44:
        if len(vkey.name.encode()) > MOST_NAME_BYTES:
            raise MalformedError(
                "bad-key-name",
                f"The name of an ML-DSA-44 key has at most {MOST_NAME_BYTES} bytes.",
                source="C2SP tlog-cosignature, ML-DSA-44 signed message",
            )
        return
    point = vkey.public[:31] + bytes([vkey.public[31] & 0x7F])
    if point in _SMALL_ORDER or int.from_bytes(point, "little") >= _FIELD_PRIME:
        raise MalformedError(
            "weak-key",
            f"The key {vkey.name[:80]!r} is a point of small order, or not in its one encoding.",
            why="Under the first, signatures that anyone can make verify; the second hides a key listed twice.",
            source="RFC 8032 sections 5.1.3 and 8.9",
        )


def make_vkey(name: str, public: bytes, *, algorithm: int = ED25519) -> Vkey:
    """The verifier key of raw public bytes (32 of Ed25519, 1312 of ML-DSA-44) under a name."""
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

"""What a person signs, and how it is checked: each signature means one role and one verdict.

The message is the SHA-256 that a passkey would sign as its challenge; here an Ed25519 file key signs it
(allowed in embedded mode, with a warning). Role and verdict are part of the message, so that a rejection can
never be replayed as an approval.

Source: formats.md, "Decision document and signatures"; RFC 8032.
"""

from dataclasses import dataclass
from typing import Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from dueprocess.errors import MalformedError, RefusedError
from dueprocess.wire import Json, b64, canonical, lp, sha256, sha256_hex, unb64

Verdict = Literal[
    "propose", "approve", "reject", "enrol", "revoke", "suspend", "silence", "erase", "policy", "unwitnessed",
    "recover", "activate", "retire", "renew", "release",
]  # fmt: skip

DECISION_PREFIX = b"dueprocess/decision/v1\n"
ROSTER_PREFIX = b"dueprocess/roster/v1\n"
SILENCE_PREFIX = b"dueprocess/silence/v1\n"
ERASE_PREFIX = b"dueprocess/erase/v1\n"
LOG_PREFIX = b"dueprocess/log/v1\n"
PACK_PREFIX = b"dueprocess/pack/v1\n"
HOLD_PREFIX = b"dueprocess/hold/v1\n"
PREFIX: dict[str, bytes] = {
    "propose": DECISION_PREFIX,
    "approve": DECISION_PREFIX,
    "reject": DECISION_PREFIX,
    "enrol": ROSTER_PREFIX,
    "revoke": ROSTER_PREFIX,
    "suspend": ROSTER_PREFIX,
    "silence": SILENCE_PREFIX,
    "erase": ERASE_PREFIX,
    "policy": LOG_PREFIX,
    "unwitnessed": LOG_PREFIX,
    "recover": LOG_PREFIX,
    "activate": PACK_PREFIX,
    "retire": PACK_PREFIX,
    "renew": HOLD_PREFIX,
    "release": HOLD_PREFIX,
}


@dataclass(frozen=True, slots=True)
class Signature:
    """One person's word on one document. ``person`` is an opaque id, ``credential`` a key fingerprint."""

    person: str
    credential: str
    role: str
    verdict: Verdict
    value: bytes

    def as_json(self) -> dict[str, Json]:
        return {
            "person": self.person,
            "credential": self.credential,
            "role": self.role,
            "verdict": self.verdict,
            "signature": b64(self.value),
        }

    @classmethod
    def from_json(cls, value: object) -> "Signature":
        keys = {"person", "credential", "role", "verdict", "signature"}
        if (
            not isinstance(value, dict)
            or set(value) != keys
            or not all(isinstance(v, str) for v in value.values())
        ):
            raise MalformedError("bad-signature", f"A signature has exactly the text fields {sorted(keys)}.")
        if value["verdict"] not in PREFIX:
            raise MalformedError("bad-verdict", f"There is no verdict {value['verdict'][:40]!r}.")
        raw = unb64(value["signature"], length=64)
        return cls(value["person"], value["credential"], value["role"], value["verdict"], raw)


def fingerprint(public_key: bytes) -> str:
    """Credential id of an Ed25519 key: the first 16 bytes of its SHA-256, in hex."""
    return sha256_hex(public_key)[:32]


def message(origin: str, document: dict[str, Json], *, role: str, verdict: Verdict, credential: str) -> bytes:
    """The 32 bytes that are signed.

    ``SHA-256(prefix ‖ lp(origin) ‖ lp(role) ‖ lp(verdict) ‖ lp(credential) ‖ SHA-256(JCS(document)))``
    """
    parts = (PREFIX[verdict], lp(origin), lp(role), lp(verdict), lp(credential), sha256(canonical(document)))
    return sha256(b"".join(parts))


def check(signature: Signature, origin: str, document: dict[str, Json], public_key: bytes) -> None:
    """Raises ``RefusedError`` unless the key signed exactly this document, role and verdict for this origin."""
    signed = message(
        origin, document, role=signature.role, verdict=signature.verdict, credential=signature.credential
    )
    try:
        if fingerprint(public_key) != signature.credential:
            raise InvalidSignature
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature.value, signed)
    except (InvalidSignature, ValueError) as error:
        raise RefusedError(
            "bad-signature",
            f"The signature of {signature.person} does not fit this document, role and verdict.",
            why=f"Checked as {signature.verdict!r} in the role {signature.role!r}. A signature means one verdict on "
            "one document; any change of either voids it.",
            do="Ask the person to read the document as it is now and sign again.",
            source="formats.md, Decision document and signatures",
        ) from error

"""Verb 1, receive: bytes as they came are stored; what is recorded is their digest and how they came."""

from dueprocess.cases.events import Draft
from dueprocess.errors import RefusedError
from dueprocess.wire import sha256_hex

CHANNELS = ("mail", "upload", "portal", "letter")


def order_reference(nonce: bytes, paper_sha256: str) -> str:
    """Hex digest that stands for the paper without letting anyone guess it: SHA-256(nonce ‖ paper digest)."""
    return sha256_hex(nonce + bytes.fromhex(paper_sha256))


def receive(paper_sha256: str, *, nonce: bytes, channel: str, media: str, size_bytes: int) -> list[Draft]:
    """The first event of a case. It says that bytes arrived, and nothing about whether they are genuine."""
    if channel not in CHANNELS:
        raise RefusedError(
            "unknown-channel", f"There is no channel {channel!r}.", do=f"Use one of {CHANNELS}."
        )
    return [
        Draft(
            "DemandReceived",
            {
                "paper_sha256": paper_sha256,
                "order_ref": order_reference(nonce, paper_sha256),
                "channel": channel,
                "media": media,
                "bytes": size_bytes,
            },
        )
    ]

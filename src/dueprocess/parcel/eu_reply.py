"""Reply to a European Production Order: through the decentralised IT system, or beside it with a manifest.

What the system takes ends at 25 megabytes. Above that the evidence goes by other means, and the sender records and
transmits a manifest. The regulation lists what a manifest says and prescribes no file format; this one is ours.

Source: Implementing Regulation (EU) 2025/1550, Annex, points 3.2, 3.3.3, 6.5 and 6.6 (read as enacted);
Regulation (EU) 2023/1543 Article 19(5) and (6).
"""

import datetime as dt
import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from dueprocess.errors import MalformedError
from dueprocess.parcel.page import visible
from dueprocess.wire import Json, instant

MOST_IN_THE_SYSTEM_BYTES = 25_000_000
"""25 megabytes, counted so that it is never more under any reading of “25 megabytes (25 600 kilobytes)”.

Source: Implementing Regulation (EU) 2025/1550, Annex, point 3.2.
"""
SHORTEST, LONGEST = dt.timedelta(days=10), dt.timedelta(days=45)
"""How long evidence stays accessible. Source: Implementing Regulation (EU) 2025/1550, Annex, point 3.3.3(b)."""

Cause = Literal["size", "disruption", "legal_or_forensic"]
"""Why the system was not used. Source: Regulation (EU) 2023/1543 Article 19(5)."""
Encryption = Literal["x509", "other", "none"]
"""To the X.509 certificate that the authority supplied, to another key of the recipient, or not at all."""

_CAUSES: dict[Cause, str] = {
    "size": "the evidence is larger than the 25 MB that the decentralised IT system takes",
    "disruption": "the decentralised IT system could not be used because of a disruption",
    "legal_or_forensic": "the decentralised IT system could not be used because of legal or forensic requirements",
}
_ENCRYPTIONS: dict[Encryption, str] = {
    "x509": "to the X.509 certificate that the authority supplied",
    "other": "to another key of the recipient",
    "none": "none",
}
_HEX = {64: re.compile(r"[0-9a-f]{64}"), 128: re.compile(r"[0-9a-f]{128}")}


@dataclass(frozen=True, slots=True)
class SentFile:
    """One file as it is transmitted, encrypted or not: its full name, size in bytes, and two digests in hex."""

    name: str
    size: int
    sha256: str
    sha512: str

    def __post_init__(self) -> None:
        if not self.name or "/" in self.name or not self.name.isprintable() or self.size < 1:
            raise MalformedError(
                "bad-sent-file", "A file of a reply has a printable name and at least one byte."
            )
        if not (_HEX[64].fullmatch(self.sha256) and _HEX[128].fullmatch(self.sha512)):
            raise MalformedError("bad-sent-file", "The digests of a file are SHA-256 and SHA-512 in hex.")

    def as_json(self) -> dict[str, Json]:
        digests: list[Json] = [
            {"algorithm": "SHA-512", "value": self.sha512},
            {"algorithm": "SHA-256", "value": self.sha256},
        ]
        return {"name": self.name, "size_bytes": self.size, "digests": digests}


def sent_file(name: str, pieces: Iterable[bytes]) -> SentFile:
    """The file of these bytes, digested in one pass."""
    short, long, size = hashlib.sha256(), hashlib.sha512(), 0
    for piece in pieces:
        short.update(piece)
        long.update(piece)
        size += len(piece)
    return SentFile(name, size, short.hexdigest(), long.hexdigest())


@dataclass(frozen=True, slots=True)
class OrderMark:
    """What ties the evidence to one order: its kind (EPOC, EPOC-PR) and the issuing authority's file number."""

    kind: Literal["EPOC", "EPOC-PR"]
    reference: str

    def as_json(self) -> dict[str, Json]:
        return {"kind": self.kind, "reference": self.reference}


@dataclass(frozen=True, slots=True)
class Transmission:
    """How the evidence travels. ``means`` and ``proof`` say it so that it can be traced (a link, a receipt).

    ``until`` is when it stops being accessible, or None where it was handed over for good. ``extended`` says that
    the authority asked for a longer time. ``why_not_x509`` is the reasoned explanation of point 6.6.
    """

    means: str
    proof: str
    available_at: dt.datetime
    until: dt.datetime | None
    cause: Cause
    encryption: Encryption
    why_not_x509: str = ""
    extended: bool = False

    def __post_init__(self) -> None:
        if self.until is None:
            return
        kept = self.until - self.available_at
        if kept < SHORTEST or (kept > LONGEST and not self.extended):
            raise MalformedError(
                "bad-availability",
                f"Evidence stays accessible for {SHORTEST.days} to {LONGEST.days} calendar days.",
                why=f"This is {kept.days} days.",
                do="Choose another end, or record that the authority asked for more time.",
                source="Implementing Regulation (EU) 2025/1550, Annex, point 3.3.3(b)",
            )

    def as_json(self) -> dict[str, Json]:
        return {
            "means": self.means,
            "proof": self.proof,
            "available_at": instant(self.available_at),
            "until": instant(self.until) if self.until else None,
            "extended_at_the_authoritys_request": self.extended,
            "why_not_through_the_system": self.cause,
            "encryption": self.encryption,
            "why_not_to_the_certificate": self.why_not_x509,
        }


@dataclass(frozen=True, slots=True)
class EuManifest:
    """The manifest of evidence that did not go through the decentralised IT system."""

    reference: str
    """The sender's own case or file number: here the parcel's id."""
    sender: str
    recipient: str
    orders: tuple[OrderMark, ...]
    transmission: Transmission
    files: tuple[SentFile, ...]
    remarks: str = ""

    def __post_init__(self) -> None:
        texts = {
            "reference": self.reference,
            "sender": self.sender,
            "recipient": self.recipient,
            "means": self.transmission.means,
            **{f"order {at}": each.reference for at, each in enumerate(self.orders, start=1)},
        }
        lacking = [name for name, text in texts.items() if not text.strip()]
        lacking += ["orders"] * (not self.orders) + ["files"] * (not self.files)
        if lacking or len({each.name for each in self.files}) != len(self.files):
            raise MalformedError(
                "incomplete-manifest",
                "The manifest of this reply is not complete.",
                why=f"Missing or twice: {', '.join(lacking) or 'a file name'}.",
                source="Implementing Regulation (EU) 2025/1550, Annex, point 3.3.3(a)",
            )

    @property
    def size_bytes(self) -> int:
        return sum(each.size for each in self.files)

    def as_json(self) -> dict[str, Json]:
        """The manifest for programs. Schema: specs/parcel/eu_manifest.schema.json."""
        return {
            "v": 1,
            "reference": self.reference,
            "sender": self.sender,
            "recipient": self.recipient,
            "orders": [each.as_json() for each in self.orders],
            "transmission": self.transmission.as_json(),
            "files": [each.as_json() for each in self.files],
            "size_bytes": self.size_bytes,
            "remarks": self.remarks,
        }


def fits_the_system(size_bytes: int) -> bool:
    """Whether evidence of this size goes through the decentralised IT system, as one attachment."""
    return size_bytes <= MOST_IN_THE_SYSTEM_BYTES


def manifest_owed(manifest: EuManifest) -> EuManifest | None:
    """The manifest, or None where the evidence fits and nothing else keeps it out of the system.

    A size is no cause for other means where the size fits; a disruption or a forensic requirement is one at any size.
    """
    fits = fits_the_system(manifest.size_bytes)
    return None if fits and manifest.transmission.cause == "size" else manifest


def manifest_json(manifest: EuManifest) -> bytes:
    """``manifest.json``, ASCII, one value a line. Ends in a line feed."""
    return json.dumps(manifest.as_json(), indent=1).encode() + b"\n"


def manifest_text(manifest: EuManifest) -> bytes:
    """The same for people, in the order of point 3.3.3. Every foreign text stands on one line."""
    sent = manifest.transmission
    lines = [
        "MANIFEST of electronic evidence sent by alternative means",
        "Implementing Regulation (EU) 2025/1550, Annex, point 3.3.3",
        "",
        f"Reference of the sender: {visible(manifest.reference)}",
        f"(1) Sender: {visible(manifest.sender)}",
        f"    Recipient: {visible(manifest.recipient)}",
        *(f"(2) Order: {each.kind} {visible(each.reference)}" for each in manifest.orders),
        f"(3) Made available at: {instant(sent.available_at)}",
        f"(4) Means: {visible(sent.means)}",
        f"    Record: {visible(sent.proof) or 'none yet'}",
        f"    Why not through the system: {_CAUSES[sent.cause]}",
        f"    Encryption: {_ENCRYPTIONS[sent.encryption]}",
        *([f"    Why not to the certificate: {visible(sent.why_not_x509)}"] if sent.why_not_x509 else []),
    ]
    for each in manifest.files:
        lines += [
            f"(5) File: {visible(each.name)}",
            f"(6) Size: {each.size} bytes",
            f"(7) SHA-512: {each.sha512}",
            f"    SHA-256: {each.sha256}",
        ]
    lines += [f"(b) Accessible until: {instant(sent.until)}{_extended(sent)}"] if sent.until else []
    lines += [f"(c) Remarks: {visible(manifest.remarks)}"] if manifest.remarks else []
    return ("\n".join(lines) + "\n").encode()


def _extended(sent: Transmission) -> str:
    return " (extended at the authority's request)" if sent.extended else ""

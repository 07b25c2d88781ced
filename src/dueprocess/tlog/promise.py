"""The intake receipt: the operator's signed promise that a paper that arrived will stand in the log.

It is given when the paper arrives, before its record is in any epoch, and names the record's commitment and the
last epoch that may hold it. A later receipt redeems it by showing a path for that commitment. It proves arrival,
not authority, and says so.

Source: formats.md, "Ledger and public log"; specs/promise/README.md.
"""

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from dueprocess.errors import BrokenError, MalformedError
from dueprocess.tlog import shape
from dueprocess.tlog.epoch import MOST_EPOCH
from dueprocess.tlog.note import ED25519, Vkey, make_vkey
from dueprocess.tlog.receipt import ReceiptFindings, RecordFindings
from dueprocess.tlog.record import Opening, check_audience, opening_from_json, verify_opening
from dueprocess.wire import Json, b64, canonical, instant, is_version, lp, parse_instant, sha256, sha256_hex

PREFIX = b"dueprocess/intake/v1\n"
KIND = "intake"
EPOCHS_TO_SEAL = 2
"""A record stands in the log at the latest this many epochs after the one in which its paper arrived."""

NOTE = (
    "This paper arrived at the operator at the time named here, and the operator promises that the record of its"
    " arrival stands in its public log no later than the epoch named here. This proves arrival, not authority: it"
    " does not say that the paper is genuine, lawful or complete, or that anything will be handed over."
)
"""The sentence that every intake receipt carries."""

_CASE = re.compile(r"[0-9a-f]{1,128}")
_MEMBERS = (
    "v", "kind", "origin", "case", "paper_sha256", "received_at", "commitment", "opening", "sealed_by_epoch",
    "note", "sig",
)  # fmt: skip
_SIGNATURE_BYTES = 64


@dataclass(frozen=True, slots=True)
class IntakePromise:
    """What the operator promises about one paper. Built from bytes by ``verify_promise`` only."""

    origin: str
    case: str
    paper_sha256: str
    received_at: dt.datetime
    """By the operator's clock, whole seconds."""
    commitment: str
    """Hex commitment of the record of arrival."""
    opening: Opening
    sealed_by_epoch: int
    """The last epoch that may hold the record."""

    def as_json(self) -> dict[str, Json]:
        """Everything that is signed."""
        return {
            "v": 1,
            "kind": KIND,
            "origin": self.origin,
            "case": self.case,
            "paper_sha256": self.paper_sha256,
            "received_at": instant(self.received_at),
            "commitment": self.commitment,
            "opening": self.opening.as_json(),
            "sealed_by_epoch": self.sealed_by_epoch,
            "note": NOTE,
        }

    @property
    def message(self) -> bytes:
        """The bytes that the intake key signs: ``prefix ‖ lp(origin) ‖ lp(case) ‖ SHA-256(JCS without sig)``."""
        return PREFIX + lp(self.origin) + lp(self.case) + sha256(canonical(self.as_json()))


def intake_vkey(origin: str, public: bytes) -> Vkey:
    """The verifier key of an installation's intake key (32 bytes Ed25519): named ``<origin>/intake``."""
    return make_vkey(f"{origin}/{KIND}", public)


def format_promise(promise: IntakePromise, vkey: Vkey, sign: Callable[[bytes], bytes]) -> bytes:
    """The intake receipt as canonical JSON, signed. Refuses what would not verify under ``vkey``."""
    data = canonical({**promise.as_json(), "sig": b64(sign(promise.message))})
    verify_promise(data, vkey)
    return data


def parse_promise(data: bytes) -> IntakePromise:
    """An intake receipt from its bytes, strictly, its signature not looked at. Raises ``MalformedError`` only."""
    return _parse(data)[0]


def verify_promise(data: bytes, vkey: Vkey) -> IntakePromise:
    """What the operator promised, signed by this intake key. Raises ``MalformedError`` and nothing else.

    Refuses a key of another log, a changed byte anywhere, and an opening that does not lead to the commitment or
    says something else than the promise.
    """
    promise, signature = _parse(data)
    if vkey.algorithm != ED25519 or vkey.name != f"{promise.origin}/{KIND}":
        raise MalformedError(
            "wrong-intake-key",
            f"The key {vkey.name[:80]!r} does not sign intake receipts of {promise.origin[:80]!r}.",
            do="Get intake.vkey from the operator's public pages, over a connection that you trust.",
        )
    try:
        Ed25519PublicKey.from_public_bytes(vkey.public).verify(signature, promise.message)
    except InvalidSignature as error:
        raise MalformedError(
            "bad-signature",
            "This intake receipt was not signed by the operator's intake key, or was changed after it was.",
            do="Ask for the receipt again; keep this file.",
            source="specs/promise, Signature",
        ) from error
    _check_opening(promise)
    return promise


def _parse(data: bytes) -> tuple[IntakePromise, bytes]:
    found = shape.members(shape.parse_canonical(data, "intake receipt"), _MEMBERS, "the intake receipt")
    if not is_version(found["v"]) or found["kind"] != KIND or found["note"] != NOTE:
        raise MalformedError("version", "This is not an intake receipt of a version that this program knows.")
    case = shape.text(found["case"], "the case")
    received_at = parse_instant(shape.text(found["received_at"], "the time of arrival"))
    if not _CASE.fullmatch(case) or received_at.microsecond:
        raise MalformedError("bad-case", "An intake receipt names a case in hex and a whole second.")
    promise = IntakePromise(
        shape.text(found["origin"], "the origin"),
        case,
        shape.sha256_text(found["paper_sha256"], "the paper's digest"),
        received_at,
        shape.sha256_text(found["commitment"], "the commitment"),
        opening_from_json(found["opening"]),
        shape.number(found["sealed_by_epoch"], "the promised epoch", most=MOST_EPOCH),
    )
    return promise, shape.b64_bytes(found["sig"], "the signature", length=_SIGNATURE_BYTES)


def _check_opening(promise: IntakePromise) -> None:
    check_audience(promise.opening, "requester")
    opened = verify_opening(promise.opening)
    said: dict[str, Json] = {
        "kind": "DemandReceived",
        "month": instant(promise.received_at)[:7],
        "paper_sha256": promise.paper_sha256,
        "prev": None,
    }
    fits = all(name in opened.values and opened.values[name] == value for name, value in said.items())
    if opened.commitment.hex() != promise.commitment or not fits:
        raise MalformedError(
            "wrong-opening",
            "The record that this intake receipt opens is not the arrival of this paper.",
            why="Its commitment, kind, month or paper is another one.",
            source="specs/promise, Opening",
        )


def check_paper(promise: IntakePromise, paper: bytes) -> None:
    """Raises ``MalformedError`` unless these are the bytes that arrived."""
    if sha256_hex(paper) != promise.paper_sha256:
        raise MalformedError(
            "other-paper",
            "This intake receipt is about another paper: the digests differ.",
            do="Compare with the file exactly as it was sent, attachments included.",
        )


def check_redeemed(promise: IntakePromise, findings: ReceiptFindings) -> RecordFindings:
    """The record with which a verified receipt redeems the promise, in time.

    Raises ``BrokenError``: "promise-late" where it stands in a later epoch, "promise-broken" where the receipt
    begins with another arrival; and ``MalformedError`` where the receipt is about another case, or begins in the
    middle of this one, so that it says nothing.
    """
    if (findings.origin, findings.case) != (promise.origin, promise.case):
        raise MalformedError(
            "other-case",
            "The intake receipt and this receipt are about different cases, so one says nothing about the other.",
            do="Ask the operator for the receipt of the case that the intake receipt names.",
        )
    shown = [each for each in findings.records if each.commitment.hex() == promise.commitment]
    if not shown and not findings.starts_the_case:
        raise MalformedError(
            "not-from-the-start",
            "This receipt does not begin with the arrival of the paper, so it neither keeps the promise nor breaks it.",
            do="Ask the operator for the whole receipt. One who will not give it does not keep the promise.",
            source="specs/promise, Redeeming",
        )
    if not shown:
        raise BrokenError(
            "promise-broken",
            "The operator did not keep its promise: the record of the paper's arrival is not among those shown.",
            why="The operator signed that it would stand in the log. Another arrival is shown, or none.",
            do="Keep the intake receipt and this receipt: together they are the evidence.",
            source="specs/promise, Redeeming",
        )
    if shown[0].epoch > promise.sealed_by_epoch:
        raise BrokenError(
            "promise-late",
            f"The operator kept its promise late: epoch {shown[0].epoch} holds the record, epoch"
            f" {promise.sealed_by_epoch} was the last one promised.",
            why="The record of the paper's arrival was put into the log later than the operator signed.",
            do="Ask the operator why; a gap or incident leaf of these epochs would say that its log stood still.",
            source="specs/promise, Redeeming",
        )
    return shown[0]

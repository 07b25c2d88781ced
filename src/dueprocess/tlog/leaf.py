"""Public leaves: what the world sees of the log, as canonical JSON. None of them says that a demand exists.

The epoch leaf has the same length in bytes for every epoch, busy or empty. The other kinds are rare and
carry no count, no name of a demand and no free text.

Source: formats.md, "Ledger and public log"; specs/tlog/README.md, "Public leaves".
"""

import datetime as dt
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, get_args

from dueprocess.errors import MalformedError
from dueprocess.tlog import shape
from dueprocess.tlog.epoch import MOST_EPOCH
from dueprocess.tlog.merkle import MOST_LEAVES
from dueprocess.tlog.vkey import ED25519, ML_DSA_44, Vkey, parse_vkey
from dueprocess.wire import Json, b64, canonical, instant, lp, parse_instant, unhex

EPOCH_LEAF_BYTES = 115

QuorumMode = Literal["two", "solo_cosigner", "solo_timelock", "after_the_fact"]
ClockSource = Literal["system", "simulated"]
IncidentCode = Literal[
    "clock-moved",
    "epochs-late",
    "log-key-exposed",
    "operator-compromised",
    "record-lost",
    "software-fault",
    "store-restored",
    "tiles-damaged",
    "witness-lost",
]
KeyOperation = Literal["add", "retire"]

_PERIOD = re.compile(r"[0-9]{4}H[12]")
_EPOCH_TEXT = re.compile(r"[0-9]{10}")
_SIGNATURE_BYTES = 64
_EPOCH_LEAF = re.compile(
    rb'\{"e":"(?P<e>[0-9]{10})","r":"(?P<r>[A-Za-z0-9+/]{43}=)","t":"epoch","ts":"(?P<ts>[0-9TZ:-]{20})","v":1\}'
)
"""The canonical bytes of every epoch leaf. A log has 105,120 in a year, and JSON is slow to make canonical."""


@dataclass(frozen=True, slots=True)
class EpochLeaf:
    """The root of one epoch's private tree and when the epoch was closed. Always 115 bytes."""

    epoch: int
    root: bytes
    closed_at: dt.datetime
    """Whole seconds, by the operator's clock. Witness time is in the cosignatures."""

    def as_json(self) -> dict[str, Json]:
        return {
            "t": "epoch",
            "v": 1,
            "e": _ten(self.epoch),
            "r": b64(self.root),
            "ts": instant(self.closed_at),
        }


@dataclass(frozen=True, slots=True)
class PolicyLeaf:
    """The rules that the log runs under from a day on."""

    number: int
    """Which policy this is, counted from 1."""
    epoch_seconds: int
    depth: int
    k: int
    """The least number of demands behind each published combination."""
    delay_days: int
    """Days after the end of a period before its register is published."""
    bands: tuple[int, ...]
    """Lower bounds of the bands in which sealed demands may be published, rising."""
    quorum_modes: tuple[QuorumMode, ...]
    """The ways of deciding in force, sorted."""
    clock: ClockSource
    """``simulated`` in a demonstration, so that nobody takes its times for real ones."""
    witness_policy_sha256: str
    software_sha256: str
    in_force_on: dt.date
    intake_vkey: str | None = None
    """Verifier key (Ed25519, 0x01) of the key that signs intake receipts; None where none are signed."""

    def as_json(self) -> dict[str, Json]:
        return {
            "t": "policy",
            "v": 1,
            "n": self.number,
            "epoch_s": self.epoch_seconds,
            "depth": self.depth,
            "k": self.k,
            "delay_days": self.delay_days,
            "bands": list(self.bands),
            "quorum_modes": list(self.quorum_modes),
            "clock": self.clock,
            "witness_policy_sha256": self.witness_policy_sha256,
            "sw_sha256": self.software_sha256,
            "from": self.in_force_on.isoformat(),
            "intake": self.intake_vkey,
        }


@dataclass(frozen=True, slots=True)
class RegisterLeaf:
    """The digest of a half-year's register. No counts: they would break the register's own k-rule."""

    period: str
    sha256: str
    replaces: str | None = None
    """Digest of the register of the same period that this one corrects, or None."""

    def as_json(self) -> dict[str, Json]:
        return {
            "t": "register",
            "v": 1,
            "period": self.period,
            "sha256": self.sha256,
            "replaces": self.replaces,
        }


@dataclass(frozen=True, slots=True)
class ReportLeaf:
    """The digest of a report, of the register it was counted from (its leaf's index), and of the counting code."""

    period: str
    sha256: str
    register_leaf: int
    code_sha256: str
    replaces: str | None = None

    def as_json(self) -> dict[str, Json]:
        return {
            "t": "report",
            "v": 1,
            "period": self.period,
            "sha256": self.sha256,
            "register_leaf": self.register_leaf,
            "code_sha256": self.code_sha256,
            "replaces": self.replaces,
        }


@dataclass(frozen=True, slots=True)
class AttestLeaf:
    """An auditor's signed statement about a period."""

    period: str
    auditor: str
    """Verifier key (Ed25519, 0x01) of the auditor."""
    statement_sha256: str
    signature: bytes
    """64 bytes of Ed25519 over ``message``."""

    @property
    def message(self) -> bytes:
        """What the auditor signs."""
        return b"dueprocess/attest/v1\n" + lp(self.period) + unhex(self.statement_sha256)

    def as_json(self) -> dict[str, Json]:
        return {
            "t": "attest",
            "v": 1,
            "period": self.period,
            "auditor": self.auditor,
            "statement_sha256": self.statement_sha256,
            "sig": b64(self.signature),
        }


@dataclass(frozen=True, slots=True)
class KeyLeaf:
    """A log key that is added or retired, signed by a key that was valid before."""

    operation: KeyOperation
    vkey: str
    """Verifier key of the log (0x01 or 0x06) that this leaf is about."""
    signature_by_old: bytes
    """64 bytes of Ed25519 over ``message``, by a key of the log that was valid before."""

    @property
    def message(self) -> bytes:
        """What the old key signs."""
        return b"dueprocess/key/v1\n" + lp(self.operation) + lp(self.vkey)

    def as_json(self) -> dict[str, Json]:
        return {
            "t": "key",
            "v": 1,
            "op": self.operation,
            "vkey": self.vkey,
            "sig_by_old": b64(self.signature_by_old),
        }


@dataclass(frozen=True, slots=True)
class GapLeaf:
    """Epochs that were not closed within one epoch length after their end, and never will be.

    First to last. Written automatically when the log runs again.
    """

    first_epoch: int
    last_epoch: int

    def as_json(self) -> dict[str, Json]:
        return {"t": "gap", "v": 1, "from_e": _ten(self.first_epoch), "to_e": _ten(self.last_epoch)}


@dataclass(frozen=True, slots=True)
class IncidentLeaf:
    """Something that went wrong, as one of the listed codes. Free text has no place in a log that never forgets."""

    code: IncidentCode
    first_epoch: int
    last_epoch: int

    def as_json(self) -> dict[str, Json]:
        return {
            "t": "incident",
            "v": 1,
            "code": self.code,
            "from_e": _ten(self.first_epoch),
            "to_e": _ten(self.last_epoch),
        }


type Leaf = EpochLeaf | PolicyLeaf | RegisterLeaf | ReportLeaf | AttestLeaf | KeyLeaf | GapLeaf | IncidentLeaf


def encode_leaf(leaf: Leaf) -> bytes:
    """The bytes of a leaf, as they are logged. Refuses values that would not be read back as they are."""
    data = canonical(leaf.as_json())
    if parse_leaf(data) != leaf:
        raise MalformedError("bad-leaf", "This leaf would not be read back as it is.")
    return data


def parse_leaf(data: bytes) -> Leaf:
    """A public leaf from its bytes. Raises ``MalformedError`` and nothing else."""
    if usual := _EPOCH_LEAF.fullmatch(data):
        return _epoch({name: part.decode() for name, part in usual.groupdict().items()})
    value = shape.parse_canonical(data, "leaf")
    kind = value.get("t") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(kind, str) or kind not in _READERS:
        raise MalformedError("unknown-leaf", "This is not a leaf of a kind that this program knows.")
    names, read = _READERS[kind]
    found = shape.members(value, {"t", "v", *names.split()}, f"the {kind} leaf")
    shape.version(found["v"], f"{kind} leaf")
    return read(found)


def verify_key_leaf(leaf: KeyLeaf, known: Iterable[Vkey]) -> Vkey:
    """The key that signed this change of keys, one of those ``known`` to be valid before it; or raises.

    Only Ed25519 keys (0x01) sign such leaves: an ML-DSA-44 key is added and retired by the log's Ed25519 key,
    because a 0x06 signature covers nothing but a tree head. A key cannot add itself; it can retire itself.
    """
    able = [each for each in known if each.algorithm == ED25519]
    if leaf.operation == "add":
        able = [each for each in able if each.text != leaf.vkey]
    for each in able:
        if each.verify(leaf.signature_by_old, leaf.message):
            return each
    raise MalformedError(
        "bad-signature",
        f"No key that was valid before signed that {leaf.vkey[:80]!r} is to {leaf.operation}.",
        why="The log may have been taken over by someone who has none of its keys.",
        do="Ask the operator which keys the log has, by a way that does not pass through the log.",
        source="specs/tlog, Public leaves",
    )


def verify_attest_leaf(leaf: AttestLeaf) -> Vkey:
    """The auditor's key, whose Ed25519 signature over period and statement was verified; or raises.

    Whether that key is an auditor's is for the reader to know: the log says it of itself.
    """
    auditor = parse_vkey(leaf.auditor)
    if auditor.algorithm != ED25519 or not auditor.verify(leaf.signature, leaf.message):
        raise MalformedError(
            "bad-signature",
            f"The attestation for {leaf.period} was not signed by {auditor.name[:80]!r}.",
            source="specs/tlog, Public leaves",
        )
    return auditor


def _epoch(found: dict[str, Json]) -> EpochLeaf:
    closed_at = parse_instant(shape.text(found["ts"], "the time of an epoch leaf"))
    if closed_at.microsecond:
        raise MalformedError("not-an-instant", "An epoch is closed at a whole second.")
    return EpochLeaf(
        _epoch_number(found["e"]), shape.b64_bytes(found["r"], "the root of an epoch"), closed_at
    )


def _policy(found: dict[str, Json]) -> PolicyLeaf:
    bands = [shape.number(each, "a band", most=10**9) for each in shape.items(found["bands"], "the bands")]
    listed = shape.items(found["quorum_modes"], "the quorum modes")
    modes: list[QuorumMode] = [_one_of(each, QuorumMode, "a quorum mode") for each in listed]
    if bands != sorted(set(bands)) or modes != sorted(set(modes)) or not modes:
        raise MalformedError("unsorted", "Bands and quorum modes are listed once each, in order.")
    return PolicyLeaf(
        number=shape.number(found["n"], "the number of a policy", least=1, most=10**6),
        epoch_seconds=shape.number(found["epoch_s"], "the seconds of an epoch", least=1, most=86_400),
        depth=shape.number(found["depth"], "the depth of an epoch", least=1, most=32),
        k=shape.number(found["k"], "k", least=1, most=10**6),
        delay_days=shape.number(found["delay_days"], "the delay", most=36_500),
        bands=tuple(bands),
        quorum_modes=tuple(modes),
        clock=_one_of(found["clock"], ClockSource, "the clock"),
        witness_policy_sha256=shape.sha256_text(
            found["witness_policy_sha256"], "the witness policy's digest"
        ),
        software_sha256=shape.sha256_text(found["sw_sha256"], "the software's digest"),
        in_force_on=_day(found["from"]),
        intake_vkey=None if found["intake"] is None else _vkey(found["intake"], ED25519),
    )


def _register(found: dict[str, Json]) -> RegisterLeaf:
    sha256 = shape.sha256_text(found["sha256"], "the register's digest")
    return RegisterLeaf(_period(found["period"]), sha256, _replaced(found["replaces"]))


def _report(found: dict[str, Json]) -> ReportLeaf:
    return ReportLeaf(
        _period(found["period"]),
        shape.sha256_text(found["sha256"], "the report's digest"),
        shape.number(found["register_leaf"], "the register's leaf", most=MOST_LEAVES),
        shape.sha256_text(found["code_sha256"], "the code's digest"),
        _replaced(found["replaces"]),
    )


def _attest(found: dict[str, Json]) -> AttestLeaf:
    return AttestLeaf(
        _period(found["period"]),
        _vkey(found["auditor"], ED25519),
        shape.sha256_text(found["statement_sha256"], "the statement's digest"),
        shape.b64_bytes(found["sig"], "the auditor's signature", length=_SIGNATURE_BYTES),
    )


def _key(found: dict[str, Json]) -> KeyLeaf:
    signature = shape.b64_bytes(found["sig_by_old"], "the old key's signature", length=_SIGNATURE_BYTES)
    vkey = _vkey(found["vkey"], ED25519, ML_DSA_44)
    return KeyLeaf(_one_of(found["op"], KeyOperation, "what is done"), vkey, signature)


def _gap(found: dict[str, Json]) -> GapLeaf:
    return GapLeaf(*_span(found))


def _incident(found: dict[str, Json]) -> IncidentLeaf:
    return IncidentLeaf(_one_of(found["code"], IncidentCode, "the incident's code"), *_span(found))


_READERS: dict[str, tuple[str, Callable[[dict[str, Json]], Leaf]]] = {
    "epoch": ("e r ts", _epoch),
    "policy": (
        "n epoch_s depth k delay_days bands quorum_modes clock witness_policy_sha256 sw_sha256 from intake",
        _policy,
    ),
    "register": ("period sha256 replaces", _register),
    "report": ("period sha256 register_leaf code_sha256 replaces", _report),
    "attest": ("period auditor statement_sha256 sig", _attest),
    "key": ("op vkey sig_by_old", _key),
    "gap": ("from_e to_e", _gap),
    "incident": ("code from_e to_e", _incident),
}


def _ten(epoch: int) -> str:
    if not 0 <= epoch <= MOST_EPOCH:
        raise MalformedError("bad-epoch", "The number of an epoch has at most ten digits.")
    return f"{epoch:010d}"


def _epoch_number(value: Json) -> int:
    text = shape.text(value, "the number of an epoch")
    if not _EPOCH_TEXT.fullmatch(text):
        raise MalformedError("bad-epoch", "The number of an epoch is written with ten digits.")
    return int(text)


def _span(found: dict[str, Json]) -> tuple[int, int]:
    first, last = _epoch_number(found["from_e"]), _epoch_number(found["to_e"])
    if first > last:
        raise MalformedError("bad-epoch", "A span of epochs ends before it begins.")
    return first, last


def _period(value: Json) -> str:
    text = shape.text(value, "the period")
    if not _PERIOD.fullmatch(text):
        raise MalformedError("bad-period", "Expected a half-year such as 2026H2 as the period.")
    return text


def _day(value: Json) -> dt.date:
    text = shape.text(value, "the day")
    try:
        day = dt.date.fromisoformat(text)
    except ValueError as error:
        raise MalformedError("bad-day", "Expected a day such as 2027-01-01.", why=str(error)) from error
    if day.isoformat() != text:
        raise MalformedError("bad-day", "Expected a day such as 2027-01-01.", why=repr(text[:40]))
    return day


def _replaced(value: Json) -> str | None:
    return None if value is None else shape.sha256_text(value, "the digest of what is replaced")


def _vkey(value: Json, *algorithms: int) -> str:
    vkey = parse_vkey(shape.text(value, "a verifier key"))
    if vkey.algorithm not in algorithms:
        allowed = " or ".join(f"0x{each:02x}" for each in algorithms)
        raise MalformedError("wrong-algorithm", f"The verifier key in this leaf must be of type {allowed}.")
    return vkey.text


def _one_of[T](value: Json, choices: type[T] | object, what: str) -> T:
    for each in get_args(choices):
        if value == each and isinstance(value, str):
            chosen: T = each
            return chosen
    raise MalformedError("unknown-choice", f"Expected one of {', '.join(get_args(choices))} as {what}.")

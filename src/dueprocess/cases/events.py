"""Events: what happened, in the past tense, with nothing in them that names a person.

Bodies hold digests with nonces, codes, categories and counts. Names, identifiers and paper live in the vault
under the case's key. `BODIES` is the one table of kinds and fields; documentation and tests read it.

Source: formats.md, "Events"; architecture.md section 4.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from dueprocess.errors import MalformedError
from dueprocess.wire import Json, canonical, parse_instant, sha256_hex

FIRST = "0" * 64
"""``prev_sha256`` of a case's first event."""

Kind = Literal["text", "hex", "int", "bool", "list", "map", "text?", "hex?", "map?"]

_TARGET: dict[str, Kind] = {"target": "text"}
_DECISION: dict[str, Kind] = {**_TARGET, "decision_sha256": "hex"}
_SIGNED: dict[str, Kind] = {**_DECISION, "signature": "map"}
_BY_TWO: dict[str, Kind] = {"document": "map", "signatures": "list"}

BODIES: dict[str, dict[str, Kind]] = {
    "DemandReceived": {
        "paper_sha256": "hex", "order_ref": "hex", "channel": "text", "media": "text", "bytes": "int",
    },
    "RequesterVerified": {"authority": "text", "authority_class": "text", "findings": "list", "call_back": "bool"},
    "RequesterDoubted": {"findings": "list"},
    "DemandRead": {
        "reading_sha256": "hex", "scope_sha256": "hex", "demand_kind": "text", "regime": "text",
        "instrument": "text", "issuer_kind": "text?", "country": "text", "authority": "text?",
        "legal_bases": "list", "targets": "map", "emergency": "bool", "nondisclosure": "map?",
        "unreadable": "int",
        "subjects_root": "hex",
    },
    "DemandAssessed": {
        "assessment_sha256": "hex", "on": "text", "outcome": "text", "producible": "bool", "packs": "list",
        "permitted": "map", "findings": "list", "notice": "map", "basis": "list",
    },
    "ScopeNarrowed": {
        **_TARGET, "scope_sha256": "hex", "categories": "list", "from": "text?", "until": "text?",
        "cuts": "list", "plan_sha256": "hex", "map_sha256": "hex",
    },
    "LetterSent": {"letter": "text", "language": "text", "letter_sha256": "hex", "codes": "list"},
    "DecisionProposed": {
        **_SIGNED, "action": "text", "mode": "text", "expires_at": "text", "plan_sha256": "hex",
        "scope_sha256": "hex", "assessment_sha256": "hex", "recipient_key_sha256": "hex?", "authority": "text",
        "notice": "map",
    },
    "DecisionApproved": _SIGNED,
    "DecisionRejected": {**_SIGNED, "reason": "text"},
    "DecisionWithdrawn": {**_DECISION, "reason": "text"},
    "NoticeDelayed": {**_TARGET, "basis": "text", "until": "text?"},
    "SilenceChanged": {**_TARGET, "document": "map", "signatures": "list"},
    "NoticeStarted": {**_TARGET, "phase": "text", "letter_sha256": "hex"},
    "UserNotified": {**_TARGET, "phase": "text", "letter_sha256": "hex", "channel": "text"},
    "ChallengeOpened": {**_TARGET, "by": "text", "ground": "text"},
    "ChallengeClosed": {**_TARGET, "upheld": "bool"},
    "TargetResolved": {**_DECISION, "subject": "text"},
    "AccountsFound": {**_DECISION, "targets": "list", "found_sha256": "hex"},
    "CollectedByHand": {
        **_DECISION, "store": "text", "table": "text", "outcome": "text", "files": "list", "rows": "int",
        "manifest_sha256": "hex",
    },
    "ProductionStarted": {**_DECISION, "plan_sha256": "hex", "log_size": "int", "witnessed": "bool"},
    "DataProduced": {
        **_DECISION, "parcel_id": "text", "parcel_sha256": "hex", "bytes": "int", "tables": "list",
    },
    "DeliveryStarted": {
        **_TARGET, "parcel_id": "text", "channel": "text", "recipient_key_sha256": "hex", "witnessed": "bool",
    },
    "ParcelReleased": {**_TARGET, "parcel_id": "text", "release": "text", "expires_at": "text"},
    "ParcelFetched": {
        **_TARGET, "parcel_id": "text", "release": "text", "download": "text", "requests": "int", "bytes": "int",
        "complete": "bool",
    },
    "FieldsSpoken": {**_TARGET, "parcel_id": "text", "categories": "list", "records": "int"},
    "DeliveryFailed": {**_TARGET, "parcel_id": "text"},
    "DeliveryReopened": {**_TARGET, "parcel_id": "text", "reason": "text"},
    "ReopeningLapsed": {**_TARGET, "parcel_id": "text"},
    "ParcelDelivered": {**_TARGET, "parcel_id": "text", "parcel_sha256": "hex", "channel": "text"},
    "ManifestMade": {**_TARGET, "parcel_id": "text", "manifest_sha256": "hex", "cause": "text"},
    "ParcelPurged": {**_TARGET, "parcel_id": "text"},
    "HoldStarted": {
        **_SIGNED, "action": "text", "mode": "text", "hold_id": "text", "files": "text", "plan_sha256": "hex",
        "scope_sha256": "hex", "assessment_sha256": "hex", "notice": "map", "confirm_until": "text", "until": "text",
    },
    "HoldTaken": {
        **_DECISION, "hold_id": "text", "subject": "text", "manifest_sha256": "hex", "objects": "int",
        "bytes": "int", "tables": "list",
    },
    "HoldConfirmed": {**_SIGNED, "hold_id": "text"},
    "HoldRenewed": {**_TARGET, "document": "map", "signatures": "list"},
    "RenewalServed": {**_TARGET, "hold_id": "text"},
    "HoldEnded": {**_TARGET, "hold_id": "text", "reason": "text", "document": "map?", "signatures": "list"},
    "HoldDestroyed": {**_TARGET, "hold_id": "text", "objects": "int"},
    "CaseClosed": {"outcomes": "map"},
    "CaseRegistered": {"period": "text", "row_sha256": "hex"},
    "Erased": _BY_TWO,
    "Founded": {"documents": "list", "signatures": "list"},
    "Enrolled": _BY_TWO,
    "Revoked": _BY_TWO,
    "Suspended": _BY_TWO,
    "PolicyChanged": _BY_TWO,
    "WitnessesWaived": _BY_TWO,
    "LogRecovered": _BY_TWO,
    "PackActivated": _BY_TWO,
    "PackRetired": _BY_TWO,
}  # fmt: skip
"""Every kind of event with the fields of its body. A trailing ``?`` allows null."""

ROSTER_KINDS = frozenset(
    {
        "Founded", "Enrolled", "Revoked", "Suspended", "PolicyChanged", "WitnessesWaived", "LogRecovered",
        "PackActivated", "PackRetired",
    }
)  # fmt: skip
"""What the installation's own stream holds: who may act, what two people decided about the log, and which rule packs
apply."""

_TYPES: dict[str, type | tuple[type, ...]] = {
    "text": str, "hex": str, "int": int, "bool": bool, "list": list, "map": dict,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Event:
    """One row of history. ``case_seq`` counts from 1 without gaps; times are RFC 3339 in UTC."""

    case_id: str
    case_seq: int
    kind: str
    version: int
    body: Mapping[str, Json]
    actor: str
    recorded_at: str
    prev_sha256: str

    @property
    def sha256(self) -> str:
        """Hex digest over every column; a ledger record commits to it."""
        return sha256_hex(canonical(self.as_json()))

    def as_json(self) -> dict[str, Json]:
        return {
            "case_id": self.case_id,
            "case_seq": self.case_seq,
            "kind": self.kind,
            "version": self.version,
            "body": dict(self.body),
            "actor": self.actor,
            "recorded_at": self.recorded_at,
            "prev_sha256": self.prev_sha256,
        }

    def text(self, key: str) -> str:
        """A text field of the body, known to be there because `check_body` passed."""
        return str(self.body[key])


@dataclass(frozen=True, slots=True)
class Draft:
    """An event before it has a number, a time and a place: what a move returns."""

    kind: str
    body: Mapping[str, Json]


def check_body(kind: str, version: int, body: Mapping[str, Json]) -> None:
    """Refuses an unknown kind or version, a missing, extra or mistyped field."""
    fields = BODIES.get(kind)
    if fields is None or version != 1:
        raise MalformedError("unknown-event", f"There is no event {kind!r} of version {version}.")
    if set(body) != set(fields):
        odd = sorted(set(body) ^ set(fields))
        raise MalformedError(
            "bad-event", f"The body of {kind} has other fields than it should.", why=f"Check {odd}."
        )
    for name, wanted in fields.items():
        _check_value(kind, name, body[name], wanted)


def _check_value(kind: str, name: str, value: Json, wanted: str) -> None:
    if value is None and wanted.endswith("?"):
        return
    plain = wanted.removesuffix("?")
    fits = isinstance(value, _TYPES[plain]) and (plain == "bool") == isinstance(value, bool)
    if fits and plain == "hex":
        fits = isinstance(value, str) and len(value) == 64 and all(c in "0123456789abcdef" for c in value)
    if not fits:
        raise MalformedError("bad-event", f"{kind}.{name} is not a {plain}.")


def check_links(events: list[Event]) -> None:
    """Refuses a case whose numbers have a gap or whose digests do not chain. Raises ``MalformedError``."""
    prev = FIRST
    last: dt.datetime | None = None
    for number, event in enumerate(events, start=1):
        if event.case_seq != number or event.prev_sha256 != prev or event.case_id != events[0].case_id:
            raise MalformedError(
                "broken-chain",
                f"Event {number} of case {events[0].case_id[:8]} does not follow from the one before it.",
                why=f"Found number {event.case_seq} after digest {event.prev_sha256[:12]}…, expected {prev[:12]}….",
                do="Run dueprocess fsck; restore from a copy that agrees with the public log.",
            )
        check_body(event.kind, event.version, event.body)
        at = parse_instant(event.recorded_at)
        if last is not None and at < last:
            raise MalformedError("time-ran-back", f"Event {number} is dated before the one it follows.")
        prev, last = event.sha256, at

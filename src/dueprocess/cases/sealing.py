"""Sealing: the ledger record that commits to an event. Pure; the same event always gives the same record.

A record has the 32 named fields of `dueprocess.tlog.record`; what an event does not touch is null. The
record's secret derives from the case's key and the event, so destroying the key erases every opening at once.

Source: formats.md, "Ledger and public log".
"""

import hashlib
import hmac
from collections.abc import Mapping

from dueprocess.cases.case import Case, TargetState
from dueprocess.cases.events import Event
from dueprocess.cases.holdstate import HoldState
from dueprocess.wire import Json, digest_of

SECRET_LABEL = b"dueprocess/record-secret/v1\n"


def record_secret(case_key: bytes, event_sha256: str) -> bytes:
    """The 32-byte secret under which one event's record is committed."""
    return hmac.new(case_key, SECRET_LABEL + bytes.fromhex(event_sha256), hashlib.sha256).digest()


def record_values(case: Case | None, event: Event, *, ledger_seq: int, prev: str | None) -> dict[str, Json]:
    """Field name → value for the record of ``event``, the newest of ``case`` (None for a roster)."""
    values: dict[str, Json] = {
        "event_sha256": event.sha256,
        "prev": prev,
        "ledger_seq": ledger_seq,
        "kind": event.kind,
        "month": event.recorded_at[:7],
    }
    if case is not None:
        values |= _of_case(case)
        ref = event.body.get("target")
        if isinstance(ref, str):
            values |= _of_target(case.targets[ref])
    for name in ("scope_sha256", "plan_sha256", "parcel_sha256", "witnessed"):
        if name in event.body:
            values[name] = event.body[name]
    if event.kind == "CaseRegistered":
        values["register_row"] = event.body["row_sha256"]
    return values


def _of_case(case: Case) -> dict[str, Json]:
    values: dict[str, Json] = {}
    if case.received is not None:
        values |= {name: case.received.body[name] for name in ("order_ref", "paper_sha256")}
    if case.verified is not None:
        values["authority_class"] = case.verified.body["authority_class"]
    if case.read is not None:
        read = case.read.body
        values |= {
            name: read[name]
            for name in ("demand_kind", "instrument", "country", "emergency", "subjects_root")
        }
        order = read["nondisclosure"]
        values["nondisclosure"] = order is not None
        values["nondisclosure_until"] = order.get("until") if isinstance(order, Mapping) else None
        values["accounts"] = case.accounts
    if case.assessed is not None:
        values["basis"] = case.assessed.body["basis"]
        notice = case.assessed.body["notice"]
        values["notice"] = notice.get("rule") if isinstance(notice, Mapping) else None
    if case.closed is not None:
        values["outcome"] = case.outcome
    return values


def _of_target(state: TargetState) -> dict[str, Json]:
    values: dict[str, Json] = {"narrowed": state.narrowed, "scope_sha256": state.scope_sha256}
    values["categories"] = list[Json](state.categories) or None
    values["plan_sha256"] = state.plan_sha256
    if state.decision is not None:
        values["quorum_mode"] = state.decision.body["mode"]
        signatures = [
            state.decision.body["signature"],
            *(event.body["signature"] for event in state.approvals),
        ]
        values["approvals"] = [digest_of(signature) for signature in signatures]
    if state.hold is not None:
        values |= _of_hold(state.hold)
    if state.silence is not None:
        order = state.silence.body["document"]
        assert isinstance(order, Mapping)
        values |= {"nondisclosure": True, "nondisclosure_until": order["until"]}
    if state.produced is not None:
        values["parcel_sha256"] = state.produced.body["parcel_sha256"]
    return values


def _of_hold(hold: HoldState) -> dict[str, Json]:
    """One signature, or two once a second person confirmed."""
    given = [each.body["signature"] for each in (hold.started, hold.confirmed) if each is not None]
    return {
        "quorum_mode": hold.started.body["mode"],
        "approvals": [digest_of(signature) for signature in given],
    }

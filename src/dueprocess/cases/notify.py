"""Verb 10, notify: what the user is owed, and when. Owed notice follows from the events, never from a queue.

Phases: ``before`` (allowed before production: the user can object first) and ``after`` (what was handed over;
after a nondisclosure order ends, the only one).
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from dueprocess.cases.case import Case, TargetState
from dueprocess.cases.events import Draft
from dueprocess.wire import parse_instant

BEFORE_RULES = frozenset({"required", "allowed_before_production"})


def notice_rule(state: TargetState) -> Mapping[str, Any]:
    """What holds now: the notice part of the signed decision, or the order that changed it since.

    Without a decision nothing is owed, nor after one that only finds an account: that account's own decision counts.
    """
    if state.resolving:
        return {}
    notice: Any = state.decision.body["notice"] if state.decision else {}
    if state.silence is None:
        return notice if isinstance(notice, Mapping) else {}
    order: Any = state.silence.body["document"]
    until = state.silence.recorded_at if order["ended"] else order["until"]
    return {**notice, "rule": "delayed_until", "until": until}


def time_to_object(state: TargetState) -> dt.timedelta:
    """How long the user can object before production: what the decision gave, counted from the letter."""
    assert state.decision is not None
    earliest = parse_instant(str(notice_rule(state)["earliest_production"]))
    return max(earliest - parse_instant(state.decision.recorded_at), dt.timedelta(0))


def objection_ends(case: Case, state: TargetState) -> dt.datetime | None:
    """Until when the user can object, or None before the user was told."""
    told = [
        event.recorded_at
        for event in case.events
        if event.kind == "UserNotified"
        and event.body["target"] == state.ref
        and event.body["phase"] == "before"
    ]
    if "before" not in state.notified or not told:
        return None
    return parse_instant(told[-1]) + time_to_object(state)


def owed_notice(state: TargetState, now: dt.datetime) -> str | None:
    """The phase of notice that is owed for this target at that instant, or None."""
    rule = notice_rule(state)
    if state.decision is None or not rule or state.stage in ("proposed", "refused"):
        return None
    kind = _decided(state) if state.silence is not None and order_ended(rule, now) else rule["rule"]
    if kind == "forbidden_by" or (kind == "delayed_until" and not order_ended(rule, now)):
        return None
    if kind in BEFORE_RULES and "before" not in state.notified and state.stage == "approved":
        return "before"
    if state.delivered is not None and "after" not in state.notified:
        return "after"
    return None


def _decided(state: TargetState) -> str:
    """The rule of the signed decision: what holds again once a later order is over.

    A decision that was made under an order of its own stays delayed; that order is over with the later one.
    """
    assert state.decision is not None
    notice: Any = state.decision.body["notice"]
    return str(notice["rule"])


def order_ended(rule: Mapping[str, Any], now: dt.datetime) -> bool:
    """Whether a nondisclosure order has ended. One without an end runs until it is lifted."""
    until = rule.get("until")
    return isinstance(until, str) and parse_instant(until) <= now


def notice_pending(case: Case) -> bool:
    """Whether some user of this case is still to be told, now or when an order ends."""
    states = case.targets.values()
    return any(
        state.delivered is not None
        and "after" not in state.notified
        and notice_rule(state).get("rule") != "forbidden_by"
        for state in states
    )


def delay(state: TargetState, now: dt.datetime) -> list[Draft]:
    """Records once that a nondisclosure order holds the notice back."""
    rule = notice_rule(state)
    idle = state.notice_delayed is not None or state.stage in ("proposed", "refused")
    if rule.get("rule") != "delayed_until" or idle or order_ended(rule, now):
        return []
    until = rule.get("until")
    return [Draft("NoticeDelayed", {"target": state.ref, "basis": "nondisclosure order", "until": until})]


def start(state: TargetState, phase: str, letter_sha256: str) -> list[Draft]:
    """Records the intent to send before anything is sent: a letter cannot be taken back."""
    return [Draft("NoticeStarted", {"target": state.ref, "phase": phase, "letter_sha256": letter_sha256})]


def notified(state: TargetState, phase: str, letter_sha256: str, channel: str) -> list[Draft]:
    """Records that the user was told."""
    body = {"target": state.ref, "phase": phase, "letter_sha256": letter_sha256, "channel": channel}
    return [Draft("UserNotified", {**body})]

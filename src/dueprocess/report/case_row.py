"""The coarse register row of a closed case."""

from dueprocess.cases.case import Case, TargetState
from dueprocess.errors import RefusedError
from dueprocess.report.rows import TOP_CATEGORIES, RegisterRow, accounts_band, half_year
from dueprocess.wire import Json


def period_of(day: str) -> str:
    """The half-year of an RFC 3339 instant: ``2026H2``."""
    return half_year(int(day[:4]), int(day[5:7]))


def register_row(case: Case) -> RegisterRow:
    """The coarse row of a closed case. Nothing in it is finer than a half-year or a band."""
    if case.closed is None or case.received is None:
        raise RefusedError("not-closed", "Only a closed case has a register row.", do="Run dueprocess close.")
    read = case.read.body if case.read else {}
    basis: Json = case.assessed.body["basis"] if case.assessed else []
    states = list(case.targets.values())
    named = {str(name).split(".")[0] for state in states for name in _categories(case, state.ref)}
    row: dict[str, Json] = {
        "v": 1,
        "period": period_of(case.closed.recorded_at),
        "country": str(read.get("country", "other")),
        "regime": str(read.get("regime", "unknown")),
        "instrument": str(read.get("instrument", "unknown")),
        "basis": str(basis[0]) if isinstance(basis, list) and basis else "none",
        "authority_class": case.verified.text("authority_class") if case.verified else "unknown",
        "demand_kind": str(read.get("demand_kind", "unknown")),
        "emergency": bool(read.get("emergency", False)),
        "categories": [name for name in TOP_CATEGORIES if name in named],
        "accounts_band": accounts_band(max(len(states), 1)),
        "outcome": case.outcome or "rejected",
        "narrowed": any(state.narrowed for state in states),
        "notice": _notice(states),
        "challenged": any(state.challenges for state in states),
    }
    return RegisterRow.from_json(row)


def _categories(case: Case, ref: str) -> list[Json]:
    for event in reversed(case.events):
        if event.kind == "ScopeNarrowed" and event.body["target"] == ref and case.targets[ref].delivered:
            found = event.body["categories"]
            return found if isinstance(found, list) else []
    return []


def _notice(states: list[TargetState]) -> str:
    if any(state.notice_delayed for state in states):
        return "delayed"
    phases = {phase for state in states for phase in state.notified}
    if "before" in phases:
        return "told_before"
    if "after" in phases:
        return "told_after"
    forbidden = any(
        state.decision and "forbidden_by" in str(state.decision.body["notice"]) for state in states
    )
    return "forbidden" if forbidden else "none"

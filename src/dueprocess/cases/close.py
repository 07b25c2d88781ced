"""Verb 12, close: outcome per target, then one coarse row for the register."""

from dueprocess.cases.case import Case, TargetState
from dueprocess.cases.events import Draft
from dueprocess.cases.notify import notice_pending
from dueprocess.errors import RefusedError
from dueprocess.report.rows import TOP_CATEGORIES, RegisterRow, accounts_band, half_year
from dueprocess.wire import Json, digest_of


def close(case: Case) -> list[Draft]:
    """Closes a case in which nothing is owed any more. Refuses while a target goes on or a notice is owed."""
    going = [
        ref
        for ref, state in case.targets.items()
        if state.stage not in ("refused", "delivered", "read", "assessed")
    ]
    if going:
        raise RefusedError(
            "still-going",
            f"These targets are not finished: {', '.join(going)}.",
            do="Reject, withdraw or deliver them first: dueprocess next.",
        )
    if notice_pending(case):
        raise RefusedError(
            "notice-owed",
            "A user of this case is still to be told.",
            why="A nondisclosure order delays the notice, it does not end it.",
            do="Leave the case open: the worker sends the notice when the order ends, then close.",
            source="architecture.md section 2, notify",
        )
    outcomes: dict[str, Json] = {ref: _outcome(state) for ref, state in case.targets.items()}
    return [Draft("CaseClosed", {"outcomes": outcomes})]


def _outcome(state: TargetState) -> str:
    if state.delivered is None:
        return "rejected"
    if state.resolved == "none" or not _rows(state):
        return "no_records"
    return "complied_in_part" if state.narrowed else "complied"


def _rows(state: TargetState) -> int:
    tables: Json = state.produced.body["tables"] if state.produced else []
    return sum(int(str(t["rows"])) for t in tables if isinstance(t, dict)) if isinstance(tables, list) else 0


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


def register(case: Case, row_salted_sha256: str) -> list[Draft]:
    """Commits the case's register row (a salted digest) to history."""
    assert case.closed is not None
    return [
        Draft(
            "CaseRegistered", {"period": period_of(case.closed.recorded_at), "row_sha256": row_salted_sha256}
        )
    ]


def row_digest(row: RegisterRow) -> str:
    """Hex digest of a row's canonical form, without a salt: for comparing, never for publishing."""
    return digest_of(row.as_json())

"""The coarse register row of a closed case, and when a half-year may be reported."""

import datetime as dt

from dueprocess.cases.case import Case, TargetState
from dueprocess.cases.notify import notice_rule
from dueprocess.errors import RefusedError
from dueprocess.report.rows import TOP_CATEGORIES, RegisterRow, accounts_band, check_period, half_year
from dueprocess.wire import Json

REPORT_DELAY_DAYS = 90
"""Days after the end of a half-year before its report may be published. The log's policy leaf says the same."""


def report_opens(period: str) -> dt.datetime:
    """The first instant (UTC) at which the report of a half-year may be published. Refuses what is no half-year."""
    check_period(period)
    year, half = int(period[:4]), period[4:]
    ends = (
        dt.datetime(year, 7, 1, tzinfo=dt.UTC) if half == "H1" else dt.datetime(year + 1, 1, 1, tzinfo=dt.UTC)
    )
    return ends + dt.timedelta(days=REPORT_DELAY_DAYS)


def period_of(day: str) -> str:
    """The half-year of an RFC 3339 instant: ``2026H2``."""
    return half_year(int(day[:4]), int(day[5:7]))


def register_row(case: Case) -> RegisterRow:
    """The coarse row of a closed case. Nothing in it is finer than a half-year or a band."""
    if case.closed is None or case.received is None:
        raise RefusedError("not-closed", "Only a closed case has a register row.", do="Run dueprocess close.")
    if case.read is None:
        raise RefusedError(
            "not-a-demand",
            "This paper was closed without having been read as a demand, so there is nothing to register.",
            do="Nothing: it is counted nowhere.",
        )
    read = case.read.body
    basis: Json = case.assessed.body["basis"] if case.assessed else []
    states = list(case.targets.values())
    named = {name.split(".")[0] for state in states if state.delivered for name in state.categories}
    row: dict[str, Json] = {
        "v": 1,
        "period": period_of(case.closed.recorded_at),
        "country": read["country"],
        "regime": read["regime"],
        "instrument": read["instrument"],
        "basis": str(basis[0]) if isinstance(basis, list) and basis else "none",
        "authority_class": case.verified.text("authority_class") if case.verified else "unknown",
        "demand_kind": read["demand_kind"],
        "emergency": read["emergency"],
        "categories": [name for name in TOP_CATEGORIES if name in named],
        "accounts_band": accounts_band(case.accounts),
        "outcome": case.outcome,
        "narrowed": any(state.narrowed for state in states),
        "notice": _notice(states),
        "challenged": any(state.challenges for state in states),
    }
    return RegisterRow.from_json(row)


def _notice(states: list[TargetState]) -> str:
    phases = {phase for state in states for phase in state.notified}
    told = {
        "delayed": any(state.notice_delayed for state in states),
        "told_before": "before" in phases,
        "told_after": "after" in phases,
        "forbidden": any(notice_rule(state).get("rule") == "forbidden_by" for state in states),
    }
    return next((word for word, holds in told.items() if holds), "none")

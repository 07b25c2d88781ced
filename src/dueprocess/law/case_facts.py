"""The facts of a worked case: a demand, or a reverse demand, as a lawyer writes them down."""

import datetime as dt
import re
from typing import TypedDict, get_args

from dueprocess.demand import (
    Answer,
    Demand,
    DemandKind,
    IssuerKind,
    NondisclosureOrder,
    Period,
    ReverseDemand,
    Scope,
    ScopeItem,
    Target,
    expand,
)
from dueprocess.errors import DueprocessError, MalformedError
from dueprocess.law.parsing.table import Table

_NONCE = bytes(32)


class _Facts(TypedDict):
    kind: DemandKind
    regime: str
    instrument: str
    received_at: dt.datetime
    issuer_kind: IssuerKind | None
    validated_by: IssuerKind | None
    country: str | None
    legal_bases: tuple[str, ...]
    issued_on: dt.date | None
    due_on: dt.date | None
    emergency: bool
    nondisclosure: NondisclosureOrder | None
    elements: frozenset[str]
    identifies: bool | None
    unreadable: tuple[str, ...]
    answers: dict[str, Answer]
    flags: frozenset[str]
    flags_checked: bool | None


def case_demand(table: Table, regime: str) -> Demand | ReverseDemand:
    """The demand in a table of facts, under the file's regime unless it names another; unknown keys are refused."""
    facts = _facts(table, regime)
    demand = _reverse(table, facts) if table.has("reverse") else Demand(**facts, scope=_scope(table))
    table.done()
    return demand


def _facts(facts: Table, regime: str) -> _Facts:
    return {
        "kind": facts.choice("kind", get_args(DemandKind)),
        "regime": facts.text("regime") if facts.has("regime") else regime,
        "instrument": facts.text("instrument"),
        "received_at": facts.moment("received_at"),
        "issuer_kind": _issuer(facts, "issuer_kind"),
        "validated_by": _issuer(facts, "validated_by"),
        "country": _country(facts),
        "legal_bases": facts.names("legal_bases"),
        "issued_on": facts.maybe_day("issued_on"),
        "due_on": facts.maybe_day("due_on"),
        "emergency": facts.flag("emergency"),
        "nondisclosure": _order(facts.table("nondisclosure")) if facts.has("nondisclosure") else None,
        "elements": frozenset(facts.names("elements")),
        "identifies": facts.maybe_flag("identifies"),
        "unreadable": facts.names("unreadable"),
        "answers": _answers(facts.table("answers")) if facts.has("answers") else {},
        "flags": frozenset(facts.names("flags")),
        "flags_checked": facts.maybe_flag("flags_checked"),
    }


def _issuer(facts: Table, key: str) -> IssuerKind | None:
    kinds: tuple[IssuerKind, ...] = get_args(IssuerKind)
    return facts.choice(key, kinds) if facts.has(key) else None


def _country(facts: Table) -> str | None:
    country = facts.maybe_text("country")
    if country and not re.fullmatch("[A-Z]{2}", country):
        facts.fail("country", "Expected a two-letter code such as US (ISO 3166-1).")
    return country or None


def _answers(table: Table) -> dict[str, Answer]:
    answers: dict[str, Answer] = {}
    for key, value in table.content.items():
        answers[key] = table.flag(key) if isinstance(value, bool) else table.text(key)
    return answers


def _reverse(table: Table, facts: _Facts) -> ReverseDemand:
    """A paper that names nobody; a target beside it is an unknown key."""
    asks = table.text("reverse")
    try:
        return ReverseDemand(**facts, asks=asks)
    except MalformedError as error:
        table.fail("reverse", f"{error.what} {error.do}.")


def _scope(facts: Table) -> Scope:
    try:
        return Scope(_NONCE, tuple(_item(each) for each in facts.tables("target")))
    except DueprocessError as error:
        raise MalformedError(
            error.code, f"{facts.where}: {facts.place}: {error.what}", why=error.why
        ) from error


def _item(table: Table) -> ScopeItem:
    item = ScopeItem(
        Target(table.text("kind"), table.text("value")),  # type: ignore[arg-type]  # Target checks the kind
        expand(table.names("categories")),
        Period(table.maybe_moment("from"), table.maybe_moment("until")),
        table.choice("purpose", ("identify",)) if table.has("purpose") else None,  # type: ignore[arg-type]  # `choice` gives the one allowed word
    )
    table.done()
    return item


def _order(table: Table) -> NondisclosureOrder:
    order = NondisclosureOrder(
        basis=table.text("basis"),
        starts_on=table.moment("starts_on"),
        until=table.maybe_moment("until"),
        certified=table.maybe_flag("certified"),
    )
    table.done()
    return order

"""Properties of every assessment, over invented demands."""

import dataclasses
import datetime as dt
from pathlib import Path
from typing import get_args

from hypothesis import given, settings
from hypothesis import strategies as st

from dueprocess.demand import (
    LEAVES,
    Demand,
    DemandKind,
    IssuerKind,
    NondisclosureOrder,
    Period,
    Scope,
    ScopeItem,
    Target,
    TargetKind,
)
from dueprocess.law import Assessment, Outcome, assess, parse_pack

ON = dt.date(2026, 11, 22)
_TEXT = (Path(__file__).parents[2] / "rulepacks" / "us" / "sca.toml").read_text(encoding="utf-8")
SCA, AGAIN = parse_pack(_TEXT, "sca.toml"), parse_pack(_TEXT, "again.toml")
ELEMENTS = (
    "signature", "issuer", "date", "identifier", "legal_basis", "certification", "review_notice",
    "danger", "urgency", "relation", "call_back",
)  # fmt: skip
KINDS: tuple[TargetKind, ...] = ("account", "email", "device")
CODES = ("subpoena", "d_order", "warrant", "nsl", "preservation_letter", "emergency", "unheard_of")
NAIVE = dt.datetime(2026, 1, 1)  # noqa: DTZ001  # Hypothesis adds the zone itself
MOMENTS = st.datetimes(NAIVE, NAIVE.replace(year=2027), timezones=st.just(dt.UTC))
DAYS = st.none() | st.dates(dt.date(2026, 1, 1), dt.date(2027, 1, 1))


@st.composite
def periods(draw: st.DrawFn) -> Period:
    ends = sorted({draw(MOMENTS), draw(MOMENTS)})
    open_start, open_end = draw(st.booleans()), draw(st.booleans())
    until = ends[1] if len(ends) > 1 else None
    return Period(None if open_start else ends[0], None if open_end else until)


@st.composite
def items(draw: st.DrawFn, value: str) -> ScopeItem:
    kind = draw(st.sampled_from(KINDS))
    categories = draw(st.frozensets(st.sampled_from(sorted(LEAVES)), min_size=1))
    return ScopeItem(
        Target(kind, value), categories, draw(periods()), draw(st.sampled_from((None, "identify")))
    )


@st.composite
def orders(draw: st.DrawFn) -> NondisclosureOrder:
    basis = draw(st.sampled_from(("18 USC 2705(b)", "18 U.S.C. § 2709(c)", "State Code 1")))
    certified = draw(st.sampled_from((True, False, None)))
    return NondisclosureOrder(basis, draw(MOMENTS), draw(st.none() | MOMENTS), certified)


@st.composite
def demands(draw: st.DrawFn) -> Demand:
    values = ("@eva:chat.example", "@dana:chat.example")[: draw(st.integers(1, 2))]
    return Demand(
        kind=draw(st.sampled_from(get_args(DemandKind))),
        regime=draw(st.sampled_from(("us", "us.sca", "fr"))),
        instrument=draw(st.sampled_from(CODES)),
        scope=Scope(bytes(32), tuple(draw(items(value)) for value in values)),
        received_at=draw(MOMENTS),
        issuer_kind=draw(st.none() | st.sampled_from(get_args(IssuerKind))),
        legal_bases=draw(st.sampled_from(((), ("18 USC 2703",)))),
        issued_on=draw(DAYS),
        due_on=draw(DAYS),
        emergency=draw(st.booleans()),
        nondisclosure=draw(st.none() | orders()),
        elements=draw(st.just(frozenset(ELEMENTS)) | st.frozensets(st.sampled_from(ELEMENTS))),
        identifies=draw(st.sampled_from((True, False, None))),
        unreadable=draw(st.sampled_from(((), ("page 2",)))),
    )


@st.composite
def with_less_known(draw: st.DrawFn) -> tuple[Demand, Demand]:
    """A demand, and the same demand with some facts no longer known."""
    demand = draw(demands())
    blank: dict[str, object] = {"legal_bases": (), "issued_on": None, "due_on": None, "identifies": None}
    blank |= {"issuer_kind": None, "authority_id": None}
    gone = draw(st.frozensets(st.sampled_from(sorted(blank)), min_size=0))
    facts = {name: blank[name] for name in sorted(gone)}
    facts["elements"] = demand.elements & draw(st.frozensets(st.sampled_from(ELEMENTS)))
    order = demand.nondisclosure
    if order is not None:
        until, certified = draw(st.booleans()), draw(st.booleans())
        facts["nondisclosure"] = dataclasses.replace(
            order, until=order.until if until else None, certified=order.certified if certified else None
        )
    return demand, dataclasses.replace(demand, **facts)  # type: ignore[arg-type]  # the names are fields of Demand


def _narrower(inner: Assessment, outer: Assessment) -> bool:
    pairs = zip(inner.permitted, outer.permitted, strict=True)
    return all(mine is None or (theirs is not None and mine.within(theirs)) for mine, theirs in pairs)


@settings(max_examples=200)
@given(demand=demands())
def test_what_is_permitted_was_demanded(demand: Demand) -> None:
    """Per target: no other category, no wider window, no other purpose, no secret, nothing after receipt."""
    found = assess(demand, [SCA], on=ON)
    assert len(found.permitted) == len(demand.scope.items)
    for mine, theirs in zip(found.permitted, demand.scope.items, strict=True):
        if mine is not None:
            assert mine.within(theirs)
            assert "secrets" not in mine.categories
            assert mine.period.until is not None
            assert mine.period.until <= demand.received_at


@settings(max_examples=300)
@given(pair=with_less_known())
def test_a_fact_that_is_no_longer_known_never_helps(pair: tuple[Demand, Demand]) -> None:
    """Nothing more is permitted, and the outcome never rises; a refusal of a private party may become a question."""
    demand, less = pair
    before, after = assess(demand, [SCA], on=ON), assess(less, [SCA], on=ON)
    assert _narrower(after, before)
    assert before.producible or not after.producible
    if demand.issuer_kind == "private_party" and less.issuer_kind is None:
        assert after.outcome <= Outcome.ESCALATE_TO_COUNSEL
        assert after.permitted == before.permitted
    else:
        assert after.outcome <= before.outcome


@settings(max_examples=150)
@given(demand=demands())
def test_the_same_demand_gives_the_same_bytes(demand: Demand) -> None:
    """Deterministic, also with a pack that was parsed anew."""
    assert assess(demand, [SCA], on=ON).assessment_sha256 == assess(demand, [AGAIN], on=ON).assessment_sha256


@settings(max_examples=200)
@given(demand=demands())
def test_the_outcome_is_the_lowest_ceiling_and_bars_production(demand: Demand) -> None:
    """Each lowering has a finding with a sentence; emergencies, holds and open questions are not producible."""
    found = assess(demand, [SCA], on=ON)
    assert found.outcome == min((each.ceiling for each in found.findings), default=Outcome.PERMIT_ALL)
    assert all(each.text for each in found.findings)
    if found.emergency or demand.kind != "disclosure" or found.outcome < Outcome.PERMIT_SUBSET:
        assert not found.producible
    if found.outcome == Outcome.PERMIT_ALL:
        asked = [item.categories for item in demand.scope.items]
        assert [item and item.categories for item in found.permitted] == asked

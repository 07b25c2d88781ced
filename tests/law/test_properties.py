"""Properties of every assessment of invented papers, under a law that uses every feature and under each shipped one."""

import dataclasses
import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dueprocess.demand import (
    LEAVES,
    REVERSE_KINDS,
    Answer,
    Category,
    Demand,
    DemandKind,
    IssuerKind,
    NondisclosureOrder,
    Period,
    ReverseDemand,
    Scope,
    ScopeItem,
    Target,
    TargetKind,
    expand,
)
from dueprocess.law import Assessment, Outcome, Pack, assess
from dueprocess.law.assess import assess_reverse
from dueprocess.law.calendar import Calendar
from dueprocess.law.pack import Instrument
from dueprocess.law.parsing.packset import effective, parse_packs
from dueprocess.law.questions import open_questions

ON = dt.date(2026, 11, 22)
RECEIVED = dt.datetime(2026, 11, 2, 9, tzinfo=dt.UTC)
ENGINE = Path(__file__).parent / "data" / "engine"
RULEPACKS = Path(__file__).parents[2] / "rulepacks"
FLOOR = RULEPACKS / "baseline" / "baseline.toml"
SHIPPED = sorted(each for each in RULEPACKS.rglob("*.toml") if not each.name.endswith(".cases.toml"))
CALENDARS = (Calendar("DE", "by hand", 2026, 2027, {dt.date(2026, 12, 25): "Christmas"}),)
KINDS: tuple[TargetKind, ...] = ("account", "email", "device")
DAYS = st.none() | st.sampled_from((dt.date(2026, 10, 1), dt.date(2026, 11, 2), dt.date(2026, 12, 24)))
ENDS = st.sampled_from(
    [None, *(RECEIVED + dt.timedelta(days=days) for days in (-60, -30, -1, 1, 30))]
)  # a window may lie before the receipt, across it, or after it
FLAGS = st.sampled_from((True, False, None))


@dataclass(frozen=True)
class World:
    """Packs that are used together, with the regime under which their papers come."""

    name: str
    packs: tuple[Pack, ...]
    regime: str

    @property
    def instruments(self) -> list[Instrument]:
        return [each for pack in self.packs for each in pack.instruments]

    @property
    def richest(self) -> Instrument:
        """The instrument with most to go wrong."""
        return max(self.instruments, key=lambda each: len(each.reaches) + len(each.conditions))


def _packs(*files: Path) -> tuple[Pack, ...]:
    return effective(
        parse_packs([(each.name, each.read_text(encoding="utf-8")) for each in dict.fromkeys(files)])
    )


PLAIN = World("nowhere", _packs(ENGINE / "law.toml", ENGINE / "floor.toml"), "xx")
HOUSE = World("house", _packs(*sorted(ENGINE.glob("*.toml"))), "xx")


@cache
def _world(file: Path) -> World:
    """A shipped pack over the shipped floor; read when its test runs, so that a broken pack fails alone."""
    packs = _packs(file, FLOOR)
    own = next((each for each in packs if each.kind == "regime"), packs[0])
    return World(file.stem, packs, own.id.split(".")[0])


every_shipped = pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
made_up = pytest.mark.parametrize("world", [PLAIN, HOUSE], ids=lambda world: world.name)


# -------------------------------------------------------------------------------------- invented papers


@st.composite
def periods(draw: st.DrawFn) -> Period:
    since, until = draw(ENDS), draw(ENDS)
    if since is not None and until is not None and since >= until:
        since = None
    return Period(since, until)


@st.composite
def items(draw: st.DrawFn, value: str) -> ScopeItem:
    groups = st.sampled_from(("subscriber", "session", "traffic", "location", "content", "secrets"))
    categories = draw(
        st.frozensets(groups, min_size=1).map(expand)
        | st.frozensets(st.sampled_from(sorted(LEAVES)), min_size=1)
    )
    purpose: Any = draw(st.sampled_from((None, None, "identify")))
    return ScopeItem(Target(draw(st.sampled_from(KINDS)), value), categories, draw(periods()), purpose)


@st.composite
def orders(draw: st.DrawFn, world: World) -> NondisclosureOrder:
    names = [name for pack in world.packs for each in pack.nondisclosure for name in each.names]
    basis = draw(st.sampled_from([*names, "State Code 1"]))
    starts, until = RECEIVED - dt.timedelta(days=1), draw(ENDS)
    return NondisclosureOrder(basis, starts, until, draw(FLAGS))


@st.composite
def answers(draw: st.DrawFn, world: World, instrument: Instrument) -> dict[str, Answer]:
    """Mostly answers that the instrument wants to hear."""
    wanted: dict[str, list[Answer]] = {}
    for each in (*instrument.conditions, *(need for reach in instrument.reaches for need in reach.needs)):
        wanted.setdefault(each.fact, []).extend(sorted(each.among, key=str))
    found: dict[str, Answer] = {}
    for question in (each for pack in world.packs for each in pack.questions):
        choices: tuple[Answer, ...] = question.choices or (True, False)
        answer = draw(st.sampled_from([*wanted.get(question.id, choices) * 2, *choices, None]))
        if answer is not None:
            found[question.id] = answer
    return found


@st.composite
def facts(draw: st.DrawFn, world: World, instrument: Instrument) -> dict[str, Any]:
    """Facts near what the instrument wants: mostly a paper with little wrong, so that each thing can tell."""
    good: list[IssuerKind] = sorted(
        {*instrument.issuers, *(by for each in instrument.reaches for by in each.by)}
    )
    countries = [country for pack in world.packs for country in pack.countries]
    wanted = frozenset(each.code for each in instrument.elements)
    found: dict[str, Any] = {
        "kind": instrument.demand_kind,
        "regime": world.regime,
        "instrument": instrument.code,
        "received_at": RECEIVED,
        "issuer_kind": draw(st.sampled_from([*good, *good, *good, "private_party", None])),
        "validated_by": draw(st.sampled_from([*good, None])),
        "authority_id": draw(st.sampled_from((None, "an-authority"))),
        "country": draw(st.sampled_from([*countries, *countries, "ZZ", None])),
        "legal_bases": draw(st.sampled_from(((), ("Act 1",)))),
        "issued_on": draw(DAYS),
        "due_on": draw(DAYS),
        "nondisclosure": draw(st.none() | orders(world)),
        "elements": wanted - draw(st.frozensets(st.sampled_from(sorted(wanted or "x")), max_size=1)),
        "identifies": draw(FLAGS),
        "answers": draw(answers(world, instrument)),
        "flags_checked": draw(FLAGS),
    }
    return found | draw(st.just({}) | st.just({}) | troubles(world))


@st.composite
def troubles(draw: st.DrawFn, world: World) -> dict[str, Any]:
    """What makes a paper another one altogether; most of it lowers the outcome by itself."""
    flags = sorted({flag.id for pack in world.packs for flag in pack.flags})
    return {
        "kind": draw(st.sampled_from(get_args(DemandKind))),
        "regime": draw(st.sampled_from((world.regime, "zz"))),
        "issuer_kind": draw(st.none() | st.sampled_from(get_args(IssuerKind))),
        "validated_by": draw(st.none() | st.sampled_from(get_args(IssuerKind))),
        "emergency": draw(st.booleans()),
        "unreadable": draw(st.sampled_from(((), ("page 2",)))),
        "elements": frozenset[str](),
        "flags": draw(st.frozensets(st.sampled_from([*flags, "odd-one"]), max_size=2)),
    }


@st.composite
def demands(draw: st.DrawFn, world: World) -> Demand:
    instrument = draw(st.sampled_from([*world.instruments, world.richest, world.richest]))
    values = ("@eva:chat.example", "@dana:chat.example")[: draw(st.integers(1, 2))]
    scope = Scope(bytes(32), tuple(draw(items(value)) for value in values))
    return Demand(scope=scope, **draw(facts(world, instrument)))


BLANK: dict[str, Any] = {
    "issuer_kind": None, "validated_by": None, "authority_id": None, "country": None, "legal_bases": (),
    "issued_on": None, "due_on": None, "identifies": None,
}  # fmt: skip
"""Facts that may be unknown, with what that looks like; elements, answers and orders are forgotten one by one."""


def forgettings(demand: Demand) -> Iterator[Demand]:
    """The demand with one fact no longer known, for each fact; forgetting several is doing so again and again."""
    for name, blank in BLANK.items():
        if getattr(demand, name) != blank:
            yield dataclasses.replace(demand, **{name: blank})
    for element in sorted(demand.elements):
        yield dataclasses.replace(demand, elements=demand.elements - {element})
    for asked in sorted(demand.answers):
        left = {key: value for key, value in demand.answers.items() if key != asked}
        yield dataclasses.replace(demand, answers=left)
    if (order := demand.nondisclosure) is not None:
        yield dataclasses.replace(demand, nondisclosure=dataclasses.replace(order, until=None))
        yield dataclasses.replace(demand, nondisclosure=dataclasses.replace(order, certified=None))


@st.composite
def with_gaps(draw: st.DrawFn, world: World) -> tuple[Pack, ...]:
    """The packs of a world without some of their rules and clocks; no file may be so, the engine is safe anyway."""
    law = next(each for each in world.packs if each.kind == "regime")
    names = [each.id for each in law.rules] + [each.id for each in law.clocks]
    gone = draw(st.frozensets(st.sampled_from(names), min_size=1, max_size=3))
    lapsed = dataclasses.replace(
        law,
        rules=tuple(each for each in law.rules if each.id not in gone),
        clocks=tuple(each for each in law.clocks if each.id not in gone),
    )
    return tuple(lapsed if each is law else each for each in world.packs)


def _assess(demand: Demand, packs: tuple[Pack, ...]) -> Assessment:
    return assess(demand, packs, on=ON, calendars=CALENDARS)


def _narrower(inner: Assessment, outer: Assessment) -> bool:
    pairs = zip(inner.permitted, outer.permitted, strict=True)
    return all(mine is None or (theirs is not None and mine.within(theirs)) for mine, theirs in pairs)


# ------------------------------------------------------------------------------------------- the claims


def _was_demanded(demand: Demand, found: Assessment) -> None:
    assert len(found.permitted) == len(demand.scope.items)
    for mine, theirs in zip(found.permitted, demand.scope.items, strict=True):
        if mine is not None:
            assert mine.within(theirs)
            assert Category("secrets") not in mine.categories
            if demand.kind != "removal":  # one item at its address: it has no window
                assert mine.period.until is not None
                assert mine.period.until <= demand.received_at


def _forgetting_never_helps(demand: Demand, packs: tuple[Pack, ...]) -> None:
    before = _assess(demand, packs)
    for less in forgettings(demand):
        after = _assess(less, packs)
        assert _narrower(after, before)
        assert before.producible or not after.producible
        assert after.outcome <= before.outcome


def _is_the_lowest(demand: Demand, found: Assessment) -> None:
    assert found.outcome == min((each.ceiling for each in found.findings), default=Outcome.PERMIT_ALL)
    assert all(each.text for each in found.findings)
    assert all(each.severity != "informs" or each.ceiling == Outcome.PERMIT_ALL for each in found.findings)
    if found.emergency or demand.kind != "disclosure" or found.outcome < Outcome.PERMIT_SUBSET:
        assert not found.producible
    if found.outcome == Outcome.PERMIT_ALL:
        asked = [item.categories for item in demand.scope.items]
        assert [item and item.categories for item in found.permitted] == asked
    if found.outcome >= Outcome.PERMIT_SUBSET:
        assert any(found.permitted)


def _asks(demand: Demand, found: Assessment, packs: tuple[Pack, ...]) -> None:
    asked = {each.id for each in open_questions(demand, packs, ON)}
    of_packs = {each.id for pack in packs for each in pack.questions}
    codes = {
        each.code.removeprefix("unknown.") for each in found.findings if each.code.startswith("unknown.")
    }
    assert codes & of_packs <= asked
    assert not asked & set(demand.answers)


def _same_bytes(demand: Demand, packs: tuple[Pack, ...]) -> None:
    again = dataclasses.replace(demand, answers=dict(sorted(demand.answers.items(), reverse=True)))
    assert _assess(demand, packs).assessment_sha256 == _assess(again, packs[::-1]).assessment_sha256


@made_up
@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_what_is_permitted_was_demanded(world: World, data: st.DataObject) -> None:
    """Per target: no other category, no wider window, no other purpose, no secret, nothing after receipt."""
    demand = data.draw(demands(world))
    _was_demanded(demand, _assess(demand, world.packs))


@made_up
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_fact_that_is_no_longer_known_never_helps(world: World, data: st.DataObject) -> None:
    """Nothing more is permitted and the outcome does not rise, without any exception."""
    _forgetting_never_helps(data.draw(demands(world)), world.packs)


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_it_never_helps_where_rules_have_lapsed_either(data: st.DataObject) -> None:
    """Also where the law has gaps, so that a question for counsel stands beside a refusal."""
    packs = data.draw(with_gaps(HOUSE))
    _forgetting_never_helps(data.draw(demands(HOUSE)), packs)


@settings(max_examples=150, deadline=None)
@given(demand=demands(HOUSE))
def test_a_stricter_overlay_never_widens(demand: Demand) -> None:
    """Under the rules of the house nothing more is permitted, and nothing becomes producible."""
    house, plain = _assess(demand, HOUSE.packs), _assess(demand, PLAIN.packs)
    assert _narrower(house, plain)
    assert plain.producible or not house.producible


@settings(max_examples=50, deadline=None)
@given(demand=demands(HOUSE))
def test_the_same_demand_gives_the_same_bytes(demand: Demand) -> None:
    """Deterministic, whatever the order of the packs and of the answers."""
    _same_bytes(demand, HOUSE.packs)


@made_up
@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_the_outcome_is_the_lowest_ceiling_and_bars_production(world: World, data: st.DataObject) -> None:
    """Each lowering has a finding with a sentence; emergencies, holds and open questions are not producible."""
    demand = data.draw(demands(world))
    _is_the_lowest(demand, _assess(demand, world.packs))


@settings(max_examples=100, deadline=None)
@given(demand=demands(HOUSE))
def test_what_an_assessment_asks_a_form_asks_too(demand: Demand) -> None:
    """Every unknown answer that cuts or bars is among the open questions; what was answered is not."""
    _asks(demand, _assess(demand, HOUSE.packs), HOUSE.packs)


@every_shipped
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_each_shipped_law_keeps_all_of_it(file: Path, data: st.DataObject) -> None:
    """Subset, lowest ceiling, open questions, bytes; and forgetting never helps: over its own papers and questions."""
    world = _world(file)
    demand = data.draw(demands(world))
    found = _assess(demand, world.packs)
    _was_demanded(demand, found)
    _is_the_lowest(demand, found)
    _asks(demand, found, world.packs)
    _same_bytes(demand, world.packs)
    _forgetting_never_helps(demand, world.packs)


@pytest.mark.parametrize("file", [None, *SHIPPED], ids=lambda file: file.stem if file else "house")
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_a_paper_that_names_nobody_is_never_producible(file: Path | None, data: st.DataObject) -> None:
    """Whatever its instrument and its facts, and forgetting one of them does not raise its outcome."""
    world = _world(file) if file else HOUSE
    such = [each for each in world.instruments if each.reverse]
    instrument = data.draw(st.sampled_from([*world.instruments, *such, *such]))
    asks = data.draw(st.sampled_from(instrument.reverse or tuple(REVERSE_KINDS)))
    known = data.draw(facts(world, instrument))
    gone = data.draw(st.frozensets(st.sampled_from(sorted(BLANK)), max_size=3))
    less = known | {name: BLANK[name] for name in gone} | {"answers": {}}
    before, after = (
        assess_reverse(ReverseDemand(asks=asks, **each), world.packs, on=ON) for each in (known, less)
    )
    assert (before.permitted, before.producible, before.reverse) == ((), False, asks)
    assert after.outcome <= before.outcome <= Outcome.ESCALATE_TO_COUNSEL

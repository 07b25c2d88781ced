"""Asking the engine about a paper that nobody sent: what it reaches, by which entry of the pack, or why not.

The entries that open a category are found by asking again with each entry alone, so that nothing here decides what
the engine decides.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from dueprocess.demand import (
    Answer,
    Category,
    Demand,
    IssuerKind,
    Period,
    Purpose,
    Scope,
    ScopeItem,
    Target,
    expand,
)
from dueprocess.law import Assessment, Instrument, Outcome, Pack, Reach, assess
from law_docs.shipped import day_of

RECEIVED = dt.time(9, tzinfo=dt.UTC)
TARGET = Target("account", "@eva:chat.example")


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A complete paper: everything that the instrument asks for is on it. The rest is what a matrix varies."""

    instrument: str
    categories: tuple[str, ...]
    issuer_kind: IssuerKind
    validated_by: IssuerKind | None = None
    emergency: bool = False
    purpose: Purpose = None
    country: str | None = None
    answers: Mapping[str, Answer] = field(default_factory=dict)
    lacks: frozenset[str] = frozenset()
    """Elements that such a paper cannot carry."""
    live: bool = False
    """Whether it asks for what comes only after its receipt."""


@dataclass(frozen=True, slots=True)
class Answered:
    """Whether everything that was asked is within reach, and the rules that say so, the nearest first."""

    reached: bool
    rules: tuple[str, ...]
    outcome: Outcome


def answer(pack: Pack, paper: Paper) -> Answered:
    """What the engine says to a paper under one pack. Refuses a paper of which only a part is within reach."""
    found = assess(_demand(pack, paper), [pack], on=day_of(pack))
    reached = _reached(found, paper)
    rules = _opening(pack, paper) if reached else _closing(pack, paper, found)
    return Answered(reached, tuple(dict.fromkeys(rules)), found.outcome)


def _demand(pack: Pack, paper: Paper) -> Demand:
    instrument = _instrument(pack, paper)
    received_at = dt.datetime.combine(day_of(pack), RECEIVED)
    month = dt.timedelta(days=30)
    start = received_at if paper.live else received_at - 2 * month
    item = ScopeItem(TARGET, expand(paper.categories), Period(start, start + month), paper.purpose)
    return Demand(
        kind=instrument.demand_kind,
        regime=pack.id.partition(".")[0],
        instrument=instrument.code,
        scope=Scope(bytes(32), (item,)),
        received_at=received_at,
        issuer_kind=paper.issuer_kind,
        validated_by=paper.validated_by,
        country=paper.country,
        emergency=paper.emergency,
        elements=frozenset(each.code for each in instrument.elements) - paper.lacks,
        identifies=paper.purpose == "identify",
        answers=paper.answers,
        flags_checked=True,
    )


def _instrument(pack: Pack, paper: Paper) -> Instrument:
    found = pack.instrument(paper.instrument, day_of(pack))
    assert found is not None, f"{pack.id} has no {paper.instrument}"
    return found


def _reached(found: Assessment, paper: Paper) -> bool:
    item = found.permitted[0]
    permitted = item.categories if item else frozenset[Category]()
    assert permitted in {expand(paper.categories), frozenset()}, f"only a part of {paper} is within reach"
    return bool(permitted)


def _alone(pack: Pack, paper: Paper, reach: Reach) -> Assessment:
    """The answer of a pack in which this entry is the only one of the instrument."""
    only = replace(_instrument(pack, paper), reaches=(reach,))
    others = [each for each in pack.instruments if each.code != only.code]
    return assess(_demand(pack, paper), [replace(pack, instruments=(*others, only))], on=day_of(pack))


def _concerned(pack: Pack, paper: Paper) -> Iterable[Reach]:
    wanted = expand(paper.categories)
    return (each for each in _instrument(pack, paper).reaches if each.categories & wanted)


def _opening(pack: Pack, paper: Paper) -> list[str]:
    """The entries that open it, those with the fewest conditions first, until everything asked is opened."""
    opening = [each for each in _concerned(pack, paper) if _alone(pack, paper, each).permitted[0]]
    wanted, rules = expand(paper.categories), list[str]()
    for each in sorted(opening, key=lambda reach: len(_rests_on(reach))):
        if each.categories & wanted:
            rules += _rests_on(each)
            wanted -= each.categories
    return rules


def _rests_on(reach: Reach) -> list[str]:
    return [each for each in (reach.rule, reach.by_rule, *(need.rule for need in reach.needs)) if each]


def _closing(pack: Pack, paper: Paper, found: Assessment) -> list[str]:
    """Why it is closed: the rules that never reach it, else what the entries lack that come nearest."""
    window = [] if not paper.live else [_instrument(pack, paper).window_rule]
    nevers = [
        each.rule for each in found.findings if each.rule and each.code == each.rule and each.categories
    ]
    if nevers or window:
        return nevers or window
    lacking = [_lacks(_alone(pack, paper, each)) for each in _concerned(pack, paper)]
    nearest = min(map(len, lacking))
    return [rule for rules in lacking if len(rules) == nearest for rule in rules]


def _lacks(found: Assessment) -> list[str]:
    limits = [each for each in found.findings if each.kind == "cut" and each.severity == "limits"]
    return [each.rule for each in limits if each.code != "cut.not-reached"]

"""A demand survives writing and reading, and no JSON gives one without named targets."""

import copy
import datetime as dt
from typing import Any, get_args

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dueprocess.demand import (
    KINDS,
    REVERSE_KINDS,
    UNBOUNDED,
    Demand,
    DemandKind,
    IssuerKind,
    NondisclosureOrder,
    ReverseDemand,
    Scope,
    ScopeItem,
    Target,
    expand,
    parse_demand,
)
from dueprocess.errors import MalformedError, RefusedError
from dueprocess.wire import canonical, parse_json

START = dt.datetime(2026, 9, 1, 8, tzinfo=dt.UTC)
SCOPE = Scope(bytes(32), (ScopeItem(Target("account", "@eva:chat.example"), expand(["content"]), UNBOUNDED),))
WORDS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)
TIMES = st.datetimes(timezones=st.just(dt.UTC))
FLAGS = st.none() | st.booleans()
ORDERS = st.none() | st.builds(NondisclosureOrder, WORDS, TIMES, st.none() | TIMES, FLAGS)
DEMANDS = st.builds(
    Demand,
    kind=st.sampled_from(get_args(DemandKind)),
    regime=WORDS,
    instrument=WORDS,
    scope=st.just(SCOPE),
    received_at=TIMES,
    issuer_kind=st.none() | st.sampled_from(get_args(IssuerKind)),
    authority_id=st.none() | WORDS,
    legal_bases=st.lists(WORDS, max_size=2).map(tuple),
    issued_on=st.none() | st.dates(),
    due_on=st.none() | st.dates(),
    emergency=st.booleans(),
    nondisclosure=ORDERS,
    elements=st.frozensets(WORDS, max_size=3),
    identifies=FLAGS,
    unreadable=st.lists(WORDS, max_size=2).map(tuple),
    validated_by=st.none() | st.sampled_from(get_args(IssuerKind)),
    country=st.none() | st.sampled_from(("US", "DE")),
    answers=st.dictionaries(WORDS, st.booleans() | WORDS, max_size=2),
    flags=st.frozensets(WORDS, max_size=2),
    flags_checked=FLAGS,
)
ORDER = NondisclosureOrder("18 USC 2705(b)", START, START, certified=True)
VALID: dict[str, Any] = Demand(
    kind="disclosure", regime="us", instrument="d_order", scope=SCOPE, received_at=START, issuer_kind="court",
    validated_by="judge", authority_id="a-court", country="US", legal_bases=("18 USC 2703(d)",),
    issued_on=START.date(), due_on=START.date(), nondisclosure=ORDER, elements=frozenset({"signature"}),
    identifies=False, unreadable=("a redaction",), answers={"service": "mail", "serious": True},
    flags=frozenset({"press"}), flags_checked=True,
).as_json()  # fmt: skip


@given(DEMANDS)
@settings(max_examples=200, deadline=None)
def test_a_demand_survives_writing_and_reading(demand: Demand) -> None:
    """Through canonical bytes and back nothing is lost, and what is unknown stays unknown."""
    assert parse_demand(parse_json(canonical(demand.as_json()))) == demand


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=6)
    | st.sampled_from(["", "disclosure", "court", "2026-09-01"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*VALID, "x"]), inner, max_size=5)
    ),
    max_leaves=10,
)


def _places(value: Any, so_far: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    keys: list[Any] = (
        list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []
    )
    return ([so_far] if so_far else []) + [
        place for key in keys for place in _places(value[key], (*so_far, key))
    ]


def _mutated(place: tuple[Any, ...], new: Any) -> Any:
    made: Any = copy.deepcopy(VALID)
    here = made
    for key in place[:-1]:
        here = here[key]
    here[place[-1]] = new
    return made


@given(JSON | st.tuples(st.sampled_from(_places(VALID)), JSON).map(lambda change: _mutated(*change)))
@example(VALID)
@example({**VALID, "scope": {**VALID["scope"], "targets": []}})
@settings(max_examples=150, deadline=None)
def test_no_json_gives_a_demand_without_named_targets(value: Any) -> None:
    """Whatever is read, there is a refusal, or a demand about one to a hundred exact targets."""
    try:
        demand = parse_demand(value)
    except (MalformedError, RefusedError):
        return
    assert 1 <= len(demand.scope.items) <= 100
    assert all(item.target.kind in KINDS and item.target.value for item in demand.scope.items)
    assert parse_demand(demand.as_json()) == demand


ROWS: list[tuple[str, Any]] = [
    ("v", 2), ("v", True), ("kind", "search"), ("kind", []), ("regime", ""), ("regime", 1), ("instrument", None),
    ("scope", None), ("received_at", "today"), ("received_at", 1), ("issuer_kind", "sheriff"), ("authority_id", ""),
    ("legal_bases", "x"), ("legal_bases", [1]), ("issued_on", "2026-W36-2"), ("issued_on", "1 September"),
    ("due_on", 5), ("emergency", None), ("emergency", 1), ("nondisclosure", []), ("nondisclosure", {"basis": "x"}),
    ("elements", None), ("identifies", "no"), ("unreadable", [None]), ("validated_by", "sheriff"), ("country", "us"),
    ("country", "USA"), ("country", 1), ("answers", None), ("answers", {"service": 1}), ("answers", {"service": ""}),
    ("flags", {"press": True}), ("flags_checked", "yes"),
]  # fmt: skip


@pytest.mark.parametrize(("key", "value"), ROWS)
def test_a_demand_is_read_strictly(key: str, value: Any) -> None:
    """Each field has its type and its list of values; nothing is guessed or rounded."""
    with pytest.raises(MalformedError):
        parse_demand({**VALID, key: value})


@pytest.mark.parametrize(
    ("key", "value"),
    [("basis", ""), ("starts_on", None), ("until", "never"), ("certified", "yes"), ("until", 1)],
)
def test_a_nondisclosure_order_is_read_strictly(key: str, value: Any) -> None:
    """An order without a beginning, or with an end in words, is malformed."""
    with pytest.raises(MalformedError):
        parse_demand({**VALID, "nondisclosure": {**VALID["nondisclosure"], key: value}})


@pytest.mark.parametrize(
    "value", [None, [], "x", {}, {**VALID, "query": "x"}, {k: v for k, v in VALID.items() if k != "scope"}]
)
def test_a_demand_has_exactly_its_keys(value: Any) -> None:
    """One more or one less, or no map at all, is malformed."""
    with pytest.raises(MalformedError, match="other keys"):
        parse_demand(value)


def test_a_reading_of_the_first_release_is_still_read() -> None:
    """Keys that did not exist then are unknown, unanswered and unflagged."""
    later = {"validated_by", "country", "answers", "flags", "flags_checked"}
    old = parse_demand({key: value for key, value in VALID.items() if key not in later})
    assert (old.validated_by, old.country, dict(old.answers), old.flags, old.flags_checked) == (
        None, None, {}, frozenset(), None,
    )  # fmt: skip


def test_a_demand_holds_what_it_was_given() -> None:
    """Who validated it, from where, what was answered and noticed."""
    read = parse_demand(VALID)
    assert (read.validated_by, read.country, read.flags_checked) == ("judge", "US", True)
    assert read.answers == {"service": "mail", "serious": True}
    assert read.flags == {"press"}


@pytest.mark.parametrize("asks", sorted(REVERSE_KINDS))
def test_a_reverse_demand_says_what_kind_it_is_and_nothing_else(asks: str) -> None:
    """It has no field for a place, a word or a person."""
    made = ReverseDemand(kind="disclosure", regime="us", instrument="geofence", received_at=START, asks=asks)
    assert made.asks == asks
    assert not hasattr(made, "scope")


def test_a_reverse_demand_of_no_known_kind_is_malformed() -> None:
    """The list is closed; a place has no way in."""
    with pytest.raises(MalformedError, match="no kind of reverse demand"):
        ReverseDemand(
            kind="disclosure", regime="us", instrument="x", received_at=START, asks="Main Street 1-9"
        )

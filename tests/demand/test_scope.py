"""Scope: named targets, a partial order, and nothing that could stand for people whom nobody has named."""

import copy
import datetime as dt
import re
import unicodedata
from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from dueprocess.demand import (
    AUTHORISABLE,
    KINDS,
    LEAVES,
    MEANING,
    MOST_TARGETS,
    REVERSE_KINDS,
    SECRETS,
    UNBOUNDED,
    Category,
    Cut,
    Period,
    Scope,
    ScopeItem,
    Target,
    check_authorisable,
    covers,
    diff,
    expand,
    intersect,
    is_subset,
    ordered,
    parse_scope,
)
from dueprocess.errors import DueprocessError, MalformedError, RefusedError
from dueprocess.wire import b64, canonical, parse_json

DAYS = [dt.datetime(2026, 9, day, tzinfo=dt.UTC) for day in range(1, 8)]
NONCES = st.binary(min_size=32, max_size=32)
CATEGORIES = st.frozensets(st.sampled_from(sorted(LEAVES)), min_size=1)
ENDS = st.none() | st.sampled_from(DAYS)
PERIODS = st.tuples(ENDS, st.integers(1, 6)).map(
    lambda p: Period(p[0], None if p[1] > 5 else (p[0] or DAYS[0]) + dt.timedelta(days=p[1]))
)
TARGETS = st.sampled_from(
    [Target("account", f"@{name}:chat.example") for name in ("ana", "boris", "chi", "eva")]
)
ITEMS = st.builds(ScopeItem, TARGETS, CATEGORIES, PERIODS, st.sampled_from([None, "identify"]))
SCOPES = st.builds(
    Scope, NONCES, st.lists(ITEMS, min_size=1, max_size=4, unique_by=lambda item: item.target).map(tuple)
)


def _same(left: Scope | None, right: Scope | None) -> bool:
    """Equal but for the nonce and the order of targets."""
    if left is None or right is None:
        return left is right
    return set(left.items) == set(right.items)


# ------------------------------------------------------------------ algebra


@given(SCOPES, SCOPES)
@settings(max_examples=150, deadline=None)
def test_what_two_scopes_share_lies_within_both(left: Scope, right: Scope) -> None:
    """The intersection is a lower bound, commutes but for its nonce, and is None only where nothing is common."""
    common = intersect(left, right)
    assert _same(common, intersect(right, left))
    if common is not None:
        assert common.nonce == left.nonce
        assert is_subset(common, left)
        assert is_subset(common, right)


@given(SCOPES, SCOPES, SCOPES)
@settings(max_examples=150, deadline=None)
def test_what_two_scopes_share_is_the_most_that_they_share(left: Scope, right: Scope, inner: Scope) -> None:
    """Whatever lies within both lies within their intersection."""
    small = intersect(intersect(left, right) or left, inner)
    if small is not None and is_subset(small, left) and is_subset(small, right):
        common = intersect(left, right)
        assert common is not None
        assert is_subset(small, common)


@given(SCOPES, SCOPES, SCOPES)
@settings(max_examples=150, deadline=None)
def test_being_a_subset_is_a_partial_order(one: Scope, two: Scope, three: Scope) -> None:
    """Reflexive; antisymmetric but for nonce and order; transitive along any chain."""
    assert is_subset(one, one)
    if is_subset(one, two) and is_subset(two, one):
        assert _same(one, two)
    middle = intersect(one, two)
    inner = intersect(middle, three) if middle else None
    if inner and middle:
        assert is_subset(inner, middle)
        assert is_subset(inner, one)
    if is_subset(one, two) and is_subset(two, three):
        assert is_subset(one, three)


@given(SCOPES, SCOPES)
@settings(max_examples=150, deadline=None)
def test_a_scope_is_a_subset_exactly_where_the_intersection_is_itself(one: Scope, two: Scope) -> None:
    """The two notions agree."""
    assert is_subset(one, two) == _same(intersect(one, two), one)


def _restored(narrow: Scope | None, cuts: tuple[Cut, ...], wide: Scope) -> set[ScopeItem]:
    """The narrow scope with its cuts added back; purposes are taken from the wide one, where they cannot differ."""
    items = {item.target: item for item in (narrow.items if narrow else ())}
    for cut in cuts:
        was = wide.item(cut.target)
        assert was is not None
        here = items.get(cut.target)
        had = here.categories if here else frozenset()
        period = cut.period[0] if cut.period else (here.period if here else was.period)
        items[cut.target] = ScopeItem(cut.target, had | cut.categories, period, was.purpose)
    return set(items.values())


@given(SCOPES, SCOPES)
@settings(max_examples=150, deadline=None)
def test_the_cuts_are_all_that_was_cut_and_nothing_else(wide: Scope, other: Scope) -> None:
    """No cut exactly where nothing was cut; each category listed is one that is gone; adding them back restores."""
    narrow = intersect(wide, other)
    cuts = diff(wide, narrow)
    assert (not cuts) == _same(narrow, wide)
    assert diff(wide, wide) == ()
    assert _restored(narrow, cuts, wide) == set(wide.items)
    for cut in cuts:
        left, was = narrow.item(cut.target) if narrow else None, wide.item(cut.target)
        assert was is not None
        assert cut.whole == (left is None)
        assert left is None or not cut.categories & left.categories
        assert cut.period is None or (left is not None and cut.period == (was.period, left.period))


@given(SCOPES, st.data())
@settings(max_examples=200, deadline=None)
def test_narrowing_again_and_again_only_shrinks(scope: Scope, data: st.DataObject) -> None:
    """No chain of intersections ever asks for more than its start."""
    now = scope
    for _ in range(3):
        following = intersect(now, data.draw(SCOPES))
        if following is None:
            return
        assert is_subset(following, now)
        assert is_subset(following, scope)
        now = following


@given(PERIODS, PERIODS, st.sampled_from(DAYS))
@settings(max_examples=200, deadline=None)
def test_windows_share_the_instants_that_lie_in_both(left: Period, right: Period, at: dt.datetime) -> None:
    """Checked instant by instant; start inclusive, end exclusive."""

    def inside(period: Period | None) -> bool:
        return (
            period is not None
            and (period.since is None or period.since <= at)
            and (period.until is None or at < period.until)
        )

    common = left.intersect(right)
    assert inside(common) == (inside(left) and inside(right))
    assert common is None or (common.within(left) and common.within(right))
    assert left.within(UNBOUNDED)


def test_a_window_has_its_ends_in_order_and_with_a_zone() -> None:
    """An empty window and a local time are malformed."""
    for since, until in ((DAYS[1], DAYS[0]), (DAYS[0], DAYS[0])):
        with pytest.raises(MalformedError, match="before it begins"):
            Period(since, until)
    with pytest.raises(MalformedError, match="zone"):
        Period(dt.datetime(2026, 9, 1), None)  # noqa: DTZ001  what is refused here
    assert Period(DAYS[0], DAYS[1]).closed
    assert not Period(None, DAYS[1]).closed
    assert not Period(DAYS[0], None).closed


# ------------------------------------------------------------------ categories


def test_a_parent_stands_for_its_children_on_dot_boundaries() -> None:
    """`subscriber` is four leaves; `sub`, `*`, a child of a leaf and the empty name are nothing."""
    assert len(expand(["subscriber"])) == 4
    assert expand(list(MEANING)) == LEAVES
    assert covers("content", "content.files")
    assert not covers("cont", "content.files")
    for name in ("sub", "*", "", ".", "subscriber.", "traffic.ip", "Traffic"):
        with pytest.raises(MalformedError, match="no data category"):
            expand([name])


@given(CATEGORIES)
@settings(max_examples=50, deadline=None)
def test_categories_are_read_in_one_order_everywhere(chosen: frozenset[Category]) -> None:
    """The order of the explanations, whatever order they were chosen in."""
    assert frozenset(ordered(sorted(chosen, reverse=True))) == chosen
    assert ordered(chosen) == [leaf for leaf in MEANING if leaf in chosen]


def test_an_item_lists_leaves_so_that_its_digest_names_them() -> None:
    """A parent in an item would vanish from the bytes that people sign."""
    for wrong in ({"subscriber"}, {"subscriber", "traffic"}):
        with pytest.raises(MalformedError, match="leaves"):
            ScopeItem(Target("account", "eva"), frozenset(map(Category, wrong)), UNBOUNDED)


@given(ITEMS)
@settings(max_examples=150, deadline=None)
def test_nobody_can_authorise_secrets_or_an_open_window_on_records_of_use(item: ScopeItem) -> None:
    """Only subscriber identity, service and payment need no window; secrets never pass."""
    harmless = {"subscriber.identity", "subscriber.service", "subscriber.payment"}
    if SECRETS not in item.categories and (item.period.closed or item.categories <= harmless):
        check_authorisable(item)
        assert item.categories <= AUTHORISABLE
        return
    with pytest.raises(RefusedError) as caught:
        check_authorisable(item)
    assert caught.value.code == ("secrets" if SECRETS in item.categories else "open-window")


# ------------------------------------------------------------------ targets


@pytest.mark.parametrize("kind", sorted(REVERSE_KINDS))
def test_what_is_not_a_named_target_is_refused_by_name(kind: str) -> None:
    """An area, a tower, a word, a room, a range, everyone: each is refused with its reason."""
    with pytest.raises(RefusedError) as caught:
        Target(kind, "x")  # type: ignore[arg-type]
    assert caught.value.code == "reverse-demand"
    assert caught.value.source


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "value",
    [
        "", " eva", "eva ", "e" * 321, "ev\u0000a", "eva\n", "ev\ta", "eva\u200b", "e\u200dva", "\ufeffeva",
        "eva\u202e", "\u2066eva",
        "e\u00adva", "ev\\a", "\\x", "e\ud800", "e\u0301va\u0065\u0301", "e\ue000", "e\u0378",
        "e\u2028a", "e\u2029a", "e\u00a0a",
        "e\u3000a", "e\u3164a", "e\u115fa", "e\u034fa", "e\ufe0fa", "e\u2800a", "e\u180ba",
        "e\U000e0101a", "e\U000e0041a",
    ],
)  # fmt: skip
def test_a_value_that_could_look_like_another_is_refused(kind: str, value: str) -> None:
    """Control, hidden, direction and look-alike space characters, backslashes, other normal forms, any length."""
    with pytest.raises(MalformedError) as caught:
        Target(kind, value)  # type: ignore[arg-type]
    assert caught.value.code == "bad-target"


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "content_url"])
@pytest.mark.parametrize("value", ["*", "@eva:*", "ev?", "%", "eva%", "eva...", "eva…", "@*:chat.example"])
def test_a_wildcard_is_refused(kind: str, value: str) -> None:
    """A value with a wildcard stands for people whom nobody has named."""
    with pytest.raises(RefusedError) as caught:
        Target(kind, value)  # type: ignore[arg-type]
    assert caught.value.code == "wildcard"


@pytest.mark.parametrize(
    "value",
    [
        "192.0.2.0/24",
        "192.0.2.1-192.0.2.9",
        "192.0.2.1 – 9",
        "2001:db8::/32",
        "2001:db8::1 - 2001:db8::9",
        "192.0.2.1 / 24",
    ],
)
def test_a_range_of_addresses_is_no_address(value: str) -> None:
    """`ip_at_time` is one exact address."""
    with pytest.raises(RefusedError) as caught:
        Target("ip_at_time", value)
    assert caught.value.code == "reverse-demand"


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("ip_at_time", "192.0.2.1:4711 2026-09-01T10:00:00Z"),
        ("ip_at_time", "2001:db8::1 2026-09-01T10:00:00Z"),
        ("ip_at_time", "2026-09-01T10:00:00Z 192.0.2.1"),
        ("content_url", "https://chat.example/watch?v=1%20a"),
        ("account", "@zoë müller:chat.example"),
        ("phone", "+1 555 0100"),
        ("device", "e" * 320),
    ],
)
def test_an_exact_value_is_taken_as_it_is(kind: str, value: str) -> None:
    """Ordinary identifiers pass, unchanged."""
    assert Target(kind, value).value == value  # type: ignore[arg-type]


def test_an_unknown_kind_is_malformed() -> None:
    """The list of kinds is closed."""
    with pytest.raises(MalformedError, match="no target kind"):
        Target("person", "eva")  # type: ignore[arg-type]


# ------------------------------------------------------------------ scopes


def _items(count: int) -> tuple[ScopeItem, ...]:
    return tuple(
        ScopeItem(Target("account", f"eva{n}"), expand(["traffic"]), UNBOUNDED) for n in range(count)
    )


def test_a_scope_names_one_to_a_hundred_targets_each_once() -> None:
    """None, 101, or one twice have no form; nor has a nonce of another length."""
    assert len(Scope(bytes(32), _items(MOST_TARGETS)).items) == 100
    for items, code in (
        ((), "no-targets"),
        (_items(101), "too-many-targets"),
        (_items(1) * 2, "target-twice"),
    ):
        with pytest.raises(DueprocessError) as caught:
            Scope(bytes(32), items)
        assert caught.value.code == code
    with pytest.raises(MalformedError, match="nonce"):
        Scope(bytes(31), _items(1))


def test_a_scope_reduced_to_one_target_has_that_one_or_none_at_all() -> None:
    """`only` can lose targets, never the last."""
    scope = Scope(bytes(32), _items(3))
    assert scope.only(Target("account", "eva1")).items == (scope.items[1],)
    with pytest.raises(RefusedError, match="at least one target"):
        scope.only(Target("account", "finn"))


def test_an_item_needs_categories_and_a_purpose_that_exists() -> None:
    """Nothing about somebody is no demand."""
    target = Target("account", "eva")
    with pytest.raises(MalformedError, match="at least one data category"):
        ScopeItem(target, frozenset(), UNBOUNDED)
    with pytest.raises(MalformedError, match="no purpose"):
        ScopeItem(target, expand(["traffic"]), UNBOUNDED, "marketing")  # type: ignore[arg-type]


@given(SCOPES)
@settings(max_examples=200, deadline=None)
def test_a_scope_survives_writing_and_reading(scope: Scope) -> None:
    """Through canonical bytes and back it is the same, digest and all."""
    again = parse_scope(parse_json(canonical(scope.as_json())))
    assert again == scope
    assert again.sha256 == scope.sha256


@given(SCOPES, NONCES)
@settings(max_examples=100, deadline=None)
def test_the_digest_of_a_scope_hides_it_behind_its_nonce(scope: Scope, nonce: bytes) -> None:
    """The same targets under another nonce have another digest."""
    assume(nonce != scope.nonce)
    assert Scope(nonce, scope.items).sha256 != scope.sha256


# ------------------------------------------------------------------ no door to a search

VALID: dict[str, Any] = Scope(
    bytes(32),
    (*_items(2), ScopeItem(Target("ip_at_time", "192.0.2.1"), expand(["traffic"]), Period(DAYS[0], DAYS[1]))),
).as_json()
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=8)
    | st.sampled_from(
        [*KINDS, *REVERSE_KINDS, *MEANING, "*", "%", "eva", "content", b64(bytes(32)), "2026-09-01T00:00:00Z"]
    ),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*VALID, *VALID["targets"][0], "where", ""]), inner, max_size=6)
    ),
    max_leaves=12,
)


def _places(value: Any, so_far: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    keys: list[Any] = (
        list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []
    )
    return [so_far] + [place for key in keys for place in _places(value[key], (*so_far, key))]


def mutated(valid: Any, place: tuple[Any, ...], new: Any) -> Any:
    """A copy of a valid value with one place replaced."""
    if not place:
        return new
    made = copy.deepcopy(valid)
    here = made
    for key in place[:-1]:
        here = here[key]
    here[place[-1]] = new
    return made


def names_only_people_whom_somebody_named(scope: Scope) -> bool:
    """One to a hundred targets, each of a known kind, with one exact value."""
    return 1 <= len(scope.items) <= 100 and all(
        item.target.kind in KINDS
        and 0 < len(item.target.value) <= 320
        and (item.target.kind == "content_url" or not re.search(r"[*?%…]", item.target.value))
        and not any(unicodedata.category(c) in ("Cc", "Cf", "Cs") for c in item.target.value)
        and item.categories
        and item.categories <= LEAVES
        for item in scope.items
    )


@given(JSON | st.tuples(st.sampled_from(_places(VALID)), JSON).map(lambda change: mutated(VALID, *change)))
@example(VALID)
@example({**VALID, "targets": []})
@example({**VALID, "targets": VALID["targets"][:1] * 101})
@example({**VALID, "targets": [{**VALID["targets"][0], "kind": "area"}]})
@example({**VALID, "targets": [{**VALID["targets"][0], "value": "*"}]})
@example({**VALID, "targets": [{**VALID["targets"][0], "where": "age > 30"}]})
@settings(max_examples=150, deadline=None)
def test_no_json_gives_a_scope_without_named_targets(value: Any) -> None:
    """Whatever is read, there is a refusal, or a scope whose every target somebody named exactly."""
    try:
        scope = parse_scope(value)
    except (MalformedError, RefusedError):
        return
    assert names_only_people_whom_somebody_named(scope)
    assert parse_scope(scope.as_json()) == scope


@given(st.text(max_size=30), st.sampled_from(KINDS))
@settings(max_examples=200, deadline=None)
def test_no_text_gives_a_target_that_is_not_exact(value: str, kind: str) -> None:
    """The same for a target made by hand."""
    try:
        item = ScopeItem(Target(kind, value), expand(["traffic"]), UNBOUNDED)  # type: ignore[arg-type]
    except (MalformedError, RefusedError):
        return
    assert names_only_people_whom_somebody_named(Scope(bytes(32), (item,)))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"v": 2}, "version"), ({"v": True}, "version"), ({"nonce": 1}, "bad-scope"), ({"nonce": ""}, "wrong-length"),
        ({"targets": {}}, "bad-scope"), ({"targets": [[]]}, "bad-scope"), ({"all": True}, "bad-scope"),
    ],
)  # fmt: skip
def test_a_scope_is_read_strictly(change: dict[str, Any], code: str) -> None:
    """Another version, another type, a key too many."""
    with pytest.raises(MalformedError) as caught:
        parse_scope({**VALID, **change})
    assert caught.value.code == code


@pytest.mark.parametrize(
    "change",
    [
        {"kind": None}, {"value": 1}, {"categories": "traffic"}, {"categories": [1]}, {"categories": []}, {"from": 1},
        {"until": []}, {"purpose": "x"}, {"purpose": []}, {"categories": ["everything"]}, {"from": "yesterday"},
    ],
)  # fmt: skip
def test_a_target_is_read_strictly(change: dict[str, Any]) -> None:
    """Each field has its type and its list of values."""
    with pytest.raises(MalformedError):
        parse_scope({**VALID, "targets": [{**VALID["targets"][0], **change}]})

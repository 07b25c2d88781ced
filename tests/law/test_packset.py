"""A set of packs: overlays only tighten, nothing is below the floor, and both are proved and not believed."""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dueprocess.demand import LEAVES, IssuerKind, expand
from dueprocess.errors import MalformedError
from dueprocess.law import (
    Condition,
    Element,
    Instrument,
    Never,
    NoticeRule,
    Pack,
    Reach,
    Tightening,
    effective,
    parse_packs,
)
from dueprocess.law.parsing.proof import below_floor, not_tighter

FOLDER = Path(__file__).parent / "data" / "broken"
GOOD = {
    name: (FOLDER / name).read_text(encoding="utf-8")
    for name in ("floor.toml", "overlay.toml", "regime.toml", "second.toml")
}
PACKS = {each.id: each for each in parse_packs(GOOD.items())}
ACT, HOUSE, ROOM, GROUND = PACKS["xx.act"], PACKS["xx.house"], PACKS["xx.room"], PACKS["ground"]
ON = dt.date(2026, 11, 22)
KINDS: tuple[IssuerKind, ...] = ("judge", "prosecutor", "police")


def _order(pack: Pack) -> Instrument:
    found = pack.instrument("order", ON)
    assert found is not None
    return found


def _with_order(change: Callable[[Instrument], Instrument], pack: Pack = ACT) -> Pack:
    return replace(pack, instruments=(change(pack.instruments[0]), *pack.instruments[1:]))


# ------------------------------------------------------------------------------ what an overlay does


def test_an_overlay_takes_away_and_adds_and_the_pack_stays_itself() -> None:
    """Categories and issuers go, elements, conditions, notes and flags come; id, version and digest stay."""
    found = effective([HOUSE, GROUND, ACT])
    assert [each.id for each in found] == ["ground", "xx.act"]
    act, order = found[1], _order(found[1])
    assert (act.version, act.sha256, act.layers) == (ACT.version, ACT.sha256, (HOUSE,))
    assert order.issuers == {"judge"}
    assert not any("traffic" in each.categories for each in order.reaches)
    assert order.nevers[-1] == Never(expand(["traffic"]), ("house.no-traffic",))
    assert order.notice == NoticeRule("required", "house.no-traffic")
    assert [each.code for each in order.elements] == ["issuer", "identifier", "stamp"]
    assert [each.fact for each in order.conditions] == ["service_type", "translated"]
    assert order.notes == ("house.no-traffic",)
    assert [each.id for each in act.flags] == ["house.friend"]
    rule = act.rule("house.no-traffic", ON)
    assert rule is not None
    assert act.source(rule.citation.source).short == "House"
    assert [each.id for each in act.questions][-1] == "translated"


def test_an_overlay_touches_only_the_instruments_that_it_names() -> None:
    """The sweep is what it was."""
    assert effective([ACT, HOUSE])[0].instruments[1] == ACT.instruments[1]


def test_overlays_lie_on_one_another_lowest_first() -> None:
    """An overlay over an overlay is laid on top of it, whatever the order in which they come."""
    for packs in ([ROOM, HOUSE, ACT], [ACT, HOUSE, ROOM]):
        act = effective(packs)[0]
        assert [each.id for each in act.layers] == ["xx.house", "xx.room"]
        reached = set().union(*(each.categories for each in _order(act).reaches))
        assert reached == expand(["subscriber", "session"])


def test_two_overlays_of_one_pack_both_hold() -> None:
    """Each keeps its own issuers, so that nobody is left where they agree on nobody; notice is required once."""
    other = replace(
        HOUSE,
        id="xx.other",
        rules=(),
        flags=(),
        tightenings=(
            Tightening(
                ("order",),
                issuers=frozenset({"prosecutor"}),
                issuers_rule="judge",
                notice=NoticeRule("required", "judge"),
            ),
        ),
    )
    order = _order(effective([ACT, HOUSE, other])[0])
    assert order.issuers == frozenset()
    assert order.notice == NoticeRule("required", "house.no-traffic")


def test_packs_without_overlays_are_as_they_were() -> None:
    """The empty set is a set; one pack alone is itself."""
    assert effective([]) == ()
    assert effective([ACT]) == (ACT,)
    assert parse_packs([]) == ()


def test_the_order_of_files_does_not_matter() -> None:
    """Packs come in the order of their ids."""
    assert parse_packs(reversed(GOOD.items())) == tuple(PACKS.values())


def test_what_an_overlay_repeats_word_for_word_is_no_clash() -> None:
    """The same source, question and box may stand in both, so that an overlay can be read alone; they stand once."""
    ours = replace(
        HOUSE,
        sources=(*HOUSE.sources, ACT.sources[0]),
        questions=(*HOUSE.questions, ACT.questions[1]),
        reasons=(replace(ACT.reasons[0], rule="house.no-traffic"),),
    )
    act = effective([ACT, ours])[0]
    assert [each.key for each in act.sources] == ["act", "hearsay", "house"]
    assert [each.id for each in act.questions] == ["service_type", "public", "translated"]
    assert act.reasons == ACT.reasons


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda: replace(HOUSE, rules=(replace(HOUSE.rules[0], id="reach"),)), "rule[1].id"),
        (lambda: replace(HOUSE, sources=(replace(ACT.sources[0], short="Axe"),)), "source[1].key"),
        (lambda: replace(HOUSE, questions=(replace(ACT.questions[1], text="?"),)), "question[1].id"),
        (lambda: replace(HOUSE, reasons=(replace(ACT.reasons[0], text="?"),)), "reason[1].code"),
    ],
)
def test_what_an_overlay_says_otherwise_is_a_clash(change: Callable[[], Pack], place: str) -> None:
    """A name means one thing. `effective` names the pack, as it knows no file."""
    with pytest.raises(MalformedError) as caught:
        effective([ACT, change()])
    assert caught.value.what == f"xx.house: {place} is not right."
    assert "already stands in xx.act" in caught.value.why
    assert "another name" in caught.value.do


def test_an_overlay_may_ask_always_for_what_the_law_asks_sometimes() -> None:
    """An element that is asked for traffic only can be made one that is always asked."""
    act = _with_order(
        lambda each: replace(each, elements=(Element("stamp", "a", "reach", "", expand(["traffic"])),))
    )
    assert [each.code for each in _order(effective([act, HOUSE])[0]).elements] == ["stamp", "stamp"]


# ----------------------------------------------------------------------------- the proof, by comparison

WIDER: dict[str, Callable[[Instrument], Instrument]] = {
    "more may issue": lambda each: replace(each, issuers=each.issuers | {"police"}),
    "a condition was taken away": lambda each: replace(each, conditions=()),
    "an element was taken away": lambda each: replace(each, elements=each.elements[1:]),
    "a note was taken away": lambda each: replace(each, notes=()),
    "something is no longer `never`": lambda each: replace(each, nevers=()),
    "the notice is weaker": lambda each: replace(each, notice=NoticeRule("forbidden_by", "reach")),
    "another part was changed": lambda each: replace(each, ceiling="refuse"),
    "location is reached on less": lambda each: replace(
        each, reaches=(*each.reaches, Reach(expand(["location"]), "reach"))
    ),
    "traffic is reached on less": lambda each: replace(
        each, reaches=tuple(replace(one, needs=()) for one in each.reaches)
    ),
    "content.files is reached on less": lambda each: replace(
        each, reaches=tuple(replace(one, by=frozenset()) for one in each.reaches)
    ),
    "content.messages is reached on less": lambda each: replace(
        each,
        reaches=tuple(replace(one, by=one.by | {"police"} if one.by else one.by) for one in each.reaches),
    ),
    "session.times is reached on less": lambda each: replace(
        each, reaches=tuple(replace(one, rule="judge") for one in each.reaches)
    ),
}


@pytest.mark.parametrize("what", WIDER)
def test_the_proof_finds_each_way_to_widen_an_instrument(what: str) -> None:
    """It compares law before and after; no such overlay can be written, and a fault in laying over would be found."""
    before = _with_order(lambda each: replace(each, notes=("reach",)))
    assert list(not_tighter(before, before)) == []
    found = [fault.why for fault in not_tighter(before, _with_order(WIDER[what], before))]
    assert f"An overlay only tightens: of order, {what}." in found


def test_a_purpose_that_was_asked_for_stays_asked_for() -> None:
    """A reach for identifying alone is not one for everything, and the other way round is narrower."""
    bound = _with_order(
        lambda each: replace(each, reaches=tuple(replace(one, purpose="identify") for one in each.reaches))
    )
    assert any("reached on less" in fault.why for fault in not_tighter(bound, ACT))
    assert list(not_tighter(ACT, bound)) == []


@pytest.mark.parametrize(
    ("after", "what"),
    [
        (replace(ACT, rules=ACT.rules[1:]), "a rule was changed"),
        (replace(ACT, rules=(*ACT.rules, replace(ACT.rules[0], text="?"))), "a rule was changed"),
        (replace(ACT, clocks=()), "not about an instrument"),
        (replace(ACT, instruments=ACT.instruments[1:]), "instruments were added"),
        (
            replace(ACT, instruments=(*ACT.instruments, replace(ACT.instruments[0], code="x"))),
            "instruments were",
        ),
    ],
)
def test_the_proof_finds_what_is_wider_about_the_whole_pack(after: Pack, what: str) -> None:
    """Rules, clocks and the list of instruments are no overlay's to change."""
    found = [fault.why for fault in not_tighter(ACT, after)]
    assert len(found) == 1
    assert what in found[0]


def test_the_proof_finds_a_flag_that_went() -> None:
    """What a reader is asked to notice stays asked."""
    assert any("a flag" in fault.why for fault in not_tighter(GROUND, replace(GROUND, flags=())))


def _ways(pack: Pack) -> set[tuple[object, ...]]:
    """Every way to reach something: instrument, issuer, category, and what must hold for it."""
    return {
        (each.code, issuer, category, reach.rule, frozenset(reach.needs), frozenset(each.conditions), element)
        for each in pack.instruments
        for issuer in each.issuers
        for reach in each.reaches
        for category in reach.categories
        for element in [frozenset(one.code for one in each.elements)]
    }


_TIGHTENINGS = st.builds(
    Tightening,
    instruments=st.sampled_from([("order",), ("sweep",), ("order", "sweep")]),
    nevers=st.lists(
        st.builds(
            Never, st.frozensets(st.sampled_from(sorted(LEAVES)), min_size=1), st.just(("house.no-traffic",))
        ),
        max_size=2,
    ).map(tuple),
    elements=st.lists(
        st.builds(Element, st.sampled_from(["stamp", "seal"]), st.just("x"), st.just("house.no-traffic")),
        max_size=2,
    ).map(tuple),
    conditions=st.lists(
        st.builds(
            Condition,
            st.just("emergency"),
            st.frozensets(st.booleans(), min_size=1),
            st.just("house.no-traffic"),
        ),
        max_size=2,
    ).map(tuple),
    issuers=st.none() | st.frozensets(st.sampled_from(KINDS), min_size=1),
    notice=st.none() | st.just(NoticeRule("required", "house.no-traffic")),
)


@settings(max_examples=120, deadline=None)
@given(st.lists(_TIGHTENINGS, max_size=3))
def test_no_overlay_widens(tightenings: list[Tightening]) -> None:
    """Whatever an overlay says, it is refused, or each way to reach something was there before, asking no more."""
    try:
        act = effective([ACT, replace(HOUSE, tightenings=tuple(tightenings))])[0]
    except MalformedError:
        return
    before = _ways(ACT)
    for code, issuer, category, rule, needs, conditions, elements in _ways(act):
        assert any(
            way[:4] == (code, issuer, category, rule)
            and way[4] == needs
            and way[5] <= conditions  # type: ignore[operator]  # both are sets; the tuple does not say so
            and way[6] <= elements  # type: ignore[operator]  # both are sets; the tuple does not say so
            for way in before
        )


# ------------------------------------------------------------------------------------------ the floor


def test_the_floor_is_for_compulsory_disclosure_of_named_people() -> None:
    """What compels nobody, discloses nothing or reaches nothing has no floor."""
    floor = GROUND.floor
    assert floor is not None
    low = _with_order(lambda each: replace(each, elements=()))
    assert len(list(below_floor(low, floor))) == 2
    for change in (
        lambda each: replace(each, compulsion="voluntary"),
        lambda each: replace(each, demand_kind="preservation"),
        lambda each: replace(each, reverse=("geofence",), reaches=()),
    ):
        assert list(below_floor(_with_order(change, low), floor)) == []


def test_without_a_baseline_there_is_no_floor() -> None:
    """A law alone may be read; the floor comes with the baseline, and stands for the baseline too."""
    low = GOOD["regime.toml"].replace('by = ["judge"], by_rule', 'by = ["prosecutor"], by_rule')
    assert parse_packs([("regime.toml", low)])[0].id == "xx.act"
    with pytest.raises(MalformedError, match=r"regime\.toml, line \d+: instrument\[1\]\.reach\[3\]\.by"):
        parse_packs([("regime.toml", low), ("floor.toml", GOOD["floor.toml"])])

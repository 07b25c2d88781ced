"""The floor under every law, its flags, and the rules of a house on top."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from dueprocess.demand import Demand, NondisclosureOrder, expand
from dueprocess.errors import RefusedError
from dueprocess.law import Assessment, Outcome, Pack, assess

ON = dt.date(2026, 11, 22)
type Order = Callable[..., Demand]
type Packs = tuple[Pack, ...]


def codes(assessment: Assessment) -> list[str]:
    return [each.code for each in assessment.findings]


@pytest.mark.parametrize(
    ("flag", "outcome", "severity"),
    [
        ("press", Outcome.ESCALATE_TO_COUNSEL, "blocks"),
        ("odd", Outcome.PERMIT_ALL, "informs"),
        ("many", Outcome.PERMIT_SUBSET, "limits"),
    ],
)
def test_a_flag_lowers_as_the_floor_says(
    order: Order, full_law: Packs, flag: str, outcome: Outcome, severity: str
) -> None:
    """With every law; the finding comes after those of the instrument."""
    found = assess(order(flags=frozenset({flag}), elements=frozenset()), full_law, on=ON)
    raised = next(each for each in found.findings if each.code == f"flag.{flag}")
    assert (raised.severity, raised.ceiling) == (severity, outcome)
    assert codes(found).index(f"flag.{flag}") > codes(found).index("missing.signature")
    assert assess(order(flags=frozenset({flag})), full_law, on=ON).outcome == outcome


def test_a_flag_brings_its_box_and_its_letter(order: Order, full_law: Packs) -> None:
    """What protects a person is also what is written back."""
    found = assess(order(flags=frozenset({"press"})), full_law, on=ON)
    raised = next(each for each in found.findings if each.code == "flag.press")
    assert (raised.reason, raised.letter, raised.rule) == ("immunity", "redirect", "press-free")
    assert found.letters == ("holding", "redirect")
    assert raised.as_json()["letter"] == "redirect"


def test_a_flag_that_no_pack_lists_goes_to_counsel(order: Order, full_law: Packs, strict_law: Packs) -> None:
    """Somebody saw something; its words are not in the assessment."""
    found = assess(order(flags=frozenset({"guest", "tattoo"})), full_law, on=ON)
    assert codes(found).count("flag.unknown") == 1
    assert found.outcome == Outcome.ESCALATE_TO_COUNSEL
    assert "tattoo" not in str(found.as_json())
    house = assess(order(flags=frozenset({"guest"})), strict_law, on=ON)
    assert "flag.unknown" not in codes(house)
    assert house.outcome == Outcome.NEEDS_MORE_INFORMATION


def test_a_flag_without_a_rule_in_force_goes_to_counsel(
    order: Order, full_law: Packs, lapse: Callable[..., Packs]
) -> None:
    """There is no default."""
    found = assess(order(flags=frozenset({"odd"})), lapse(full_law, "noted"), on=ON)
    assert (found.outcome, codes(found).count("not-in-force.noted")) == (Outcome.ESCALATE_TO_COUNSEL, 1)


def test_it_is_said_when_nobody_went_through_the_flags(
    order: Order, plain_law: Packs, full_law: Packs
) -> None:
    """It informs; a law without flags has nothing to go through."""
    for checked, packs, told in (
        (None, full_law, True),
        (False, full_law, True),
        (True, full_law, False),
        (None, plain_law, False),
    ):
        found = assess(order(flags_checked=checked), packs, on=ON)
        assert ("note.flags-unchecked" in codes(found)) is told
        assert found.outcome == Outcome.PERMIT_ALL


@pytest.mark.parametrize("regime", ["xx", "fr", "floor"])
def test_the_floor_answers_where_no_pack_of_the_law_knows_the_paper(
    order: Order, full_law: Packs, regime: str
) -> None:
    """Also where there is no pack of that law at all; the packs that were silent are named too."""
    found = assess(order(regime=regime, instrument="informal_request", issuer_kind="police"), full_law, on=ON)
    assert (found.outcome, found.instrument) == (Outcome.REFUSE, "informal_request")
    assert "cut.everything" in codes(found)
    assert [each.id for each in found.packs] == (["floor", "xx.law"] if regime == "xx" else ["floor"])
    assert found.letters == ("redirect",)


def test_the_floor_may_give_little(order: Order, full_law: Packs) -> None:
    """Its flags count once, though it is both floor and law."""
    demand = order(
        "subscriber", regime="fr", instrument="contact", issuer_kind="police", flags=frozenset({"odd"})
    )
    found = assess(demand, full_law, on=ON)
    assert found.permitted[0] is not None
    assert found.permitted[0].categories == expand(["subscriber.service"])
    assert codes(found).count("flag.odd") == 1


def test_what_neither_the_law_nor_the_floor_knows_goes_to_counsel(order: Order, full_law: Packs) -> None:
    """There is no default law."""
    for regime, code in (("xx", "unknown-instrument"), ("fr", "no-pack")):
        found = assess(order(regime=regime, instrument="wish"), full_law, on=ON)
        assert (found.outcome, codes(found)) == (Outcome.ESCALATE_TO_COUNSEL, [code])


def test_an_overlay_only_takes_away(order: Order, full_law: Packs, strict_law: Packs) -> None:
    """Its nevers, elements, conditions, issuers and notice count, and it is named among the packs."""
    asked: dict[str, Any] = {"answers": {"service": "mail", "serious": True}}
    assert assess(order("content", **asked), full_law, on=ON).outcome == Outcome.PERMIT_ALL
    found = assess(order("content", **asked), strict_law, on=ON)
    assert {"house.never", "unknown.notified"} <= set(codes(found))
    assert found.permitted == (None,)
    assert found.notice.rule == "required"
    assert [each.id for each in found.packs] == ["xx.law", "xx.strict", "floor"]
    assert len({each.sha256 for each in found.packs}) == 3
    known = assess(order("content"), strict_law, on=ON)
    assert known.permitted[0] is not None
    assert known.permitted[0].categories == expand(["content"]) - expand(["content.profile"])
    assert "missing.right-issuer" in codes(assess(order(issuer_kind="prosecutor"), strict_law, on=ON))
    stamp = assess(
        order(elements=frozenset({"signature", "issuer", "date", "identifier"})), strict_law, on=ON
    )
    assert "missing.stamp" in codes(stamp)


def test_an_overlay_beside_its_pack_is_refused(order: Order, strict_law: Packs) -> None:
    """It would count for nothing, and nobody would see it."""
    loose = (*strict_law, *strict_law[1].layers)
    with pytest.raises(RefusedError, match=r"overlay xx\.strict was not applied"):
        assess(order(), loose, on=ON)


def test_the_note_of_an_order_not_to_tell_holds_under_a_house(order: Order, strict_law: Packs) -> None:
    """`required` by the house gives way to a valid order."""
    start, end = dt.datetime(2026, 10, 1, tzinfo=dt.UTC), dt.datetime(2027, 1, 1, tzinfo=dt.UTC)
    hush = NondisclosureOrder("Act 20", start, end, certified=True)
    notice = assess(order(nondisclosure=hush), strict_law, on=ON).notice
    assert (notice.rule, notice.until) == ("delayed_until", end)

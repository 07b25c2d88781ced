"""Whether the user may be told: the law's own silence, an open question, and orders on top of them."""

import datetime as dt
from collections.abc import Callable

import pytest

from dueprocess.demand import Demand, NondisclosureOrder
from dueprocess.law import Outcome, Pack, assess

ON = dt.date(2026, 11, 22)
START, END = dt.datetime(2026, 10, 1, tzinfo=dt.UTC), dt.datetime(2027, 1, 1, tzinfo=dt.UTC)
type Order = Callable[..., Demand]
type Packs = tuple[Pack, ...]


def _hush(until: dt.datetime | None = END) -> NondisclosureOrder:
    return NondisclosureOrder("Act 20", START, until, certified=True)


@pytest.mark.parametrize("until", [None, END, dt.datetime(2026, 11, 1, tzinfo=dt.UTC)])
def test_the_silence_of_the_law_has_no_end(order: Order, plain_law: Packs, until: dt.datetime | None) -> None:
    """An order beside it, with an end, without, or over, does not open it."""
    for hush in (None, _hush(until)):
        notice = assess(order(instrument="secret_order", nondisclosure=hush), plain_law, on=ON).notice
        assert (notice.rule, notice.until, notice.settled) == ("forbidden_by", None, True)
        assert notice.text == "Nobody may be told, ever."


@pytest.mark.parametrize("hush", [None, _hush(), _hush(None)])
def test_where_the_law_does_not_say_counsel_decides(
    order: Order, plain_law: Packs, hush: NondisclosureOrder | None
) -> None:
    """The rule says why; the end of an order does not answer the question."""
    notice = assess(order(instrument="open_order", nondisclosure=hush), plain_law, on=ON).notice
    assert (notice.rule, notice.until, notice.settled) == ("delayed_until", None, False)
    assert notice.text == "The law does not say whether the user is told."
    assert notice.citation is not None


def test_an_order_delays_what_the_law_allows(order: Order, plain_law: Packs) -> None:
    """Until its end, which is a clock; without an end a review date runs."""
    for hush, until, clock in ((_hush(), END, "xx.end"), (_hush(None), None, "xx.review")):
        found = assess(order(nondisclosure=hush), plain_law, on=ON)
        assert (found.notice.rule, found.notice.until, found.notice.settled) == ("delayed_until", until, True)
        assert clock in {each.id for each in found.clocks}


@pytest.mark.parametrize("gone", ["xx.end", "xx.review", "notice"])
@pytest.mark.parametrize("until", [None, END, dt.datetime(2026, 11, 1, tzinfo=dt.UTC)])
def test_a_lapsed_rule_is_a_question_whatever_the_order_says_of_its_end(
    order: Order, plain_law: Packs, lapse: Callable[..., Packs], gone: str, until: dt.datetime | None
) -> None:
    """Else forgetting the end of an order would lift the question of the clock that goes with it."""
    found = assess(order(nondisclosure=_hush(until)), lapse(plain_law, gone), on=ON)
    assert found.outcome == Outcome.ESCALATE_TO_COUNSEL
    assert f"not-in-force.{gone}" in {each.code for each in found.findings}

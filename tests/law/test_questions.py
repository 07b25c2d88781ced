"""What is still to be asked about a paper."""

import datetime as dt
from collections.abc import Callable

from dueprocess.demand import Demand, ReverseDemand
from dueprocess.law import Pack
from dueprocess.law.questions import open_questions, question_text

ON = dt.date(2026, 11, 22)
type Order = Callable[..., Demand]
type Packs = tuple[Pack, ...]


def ids(demand: Demand | ReverseDemand, packs: Packs) -> list[str]:
    return [each.id for each in open_questions(demand, packs, ON)]


def test_only_what_matters_to_the_paper_is_asked(order: Order, full_law: Packs) -> None:
    """Conditions always; needs, elements and clocks for what is demanded; what was answered is not asked again."""
    assert ids(order("subscriber", answers={}), full_law) == ["service", "notified"]
    assert ids(order("content", answers={}), full_law) == ["service", "serious", "notified"]
    assert ids(order("content", answers={"service": "forum", "serious": False}), full_law) == ["notified"]
    assert ids(order("content"), full_law) == []


def test_a_house_asks_its_own_questions(order: Order, strict_law: Packs) -> None:
    """An overlay's elements depend on them."""
    assert ids(order(), strict_law) == ["stamped"]


def test_elements_and_clocks_for_other_data_ask_nothing(order: Order, full_law: Packs) -> None:
    """The clock for content and the grounds for records are not in play."""
    assert ids(order("location", answers={}), full_law) == ["service", "notified"]


def test_where_no_pack_answers_nothing_is_asked(
    order: Order, survey: Callable[..., ReverseDemand], full_law: Packs
) -> None:
    """No law, no question; a reverse demand has none here."""
    assert ids(order(regime="fr"), full_law) == []
    assert ids(survey(), full_law) == []


def test_a_lapsed_clock_asks_nothing(order: Order, full_law: Packs, lapse: Callable[..., Packs]) -> None:
    """It is a gap, and counsel's question."""
    assert ids(order("subscriber", answers={}), lapse(full_law, "xx.notified")) == ["service"]


def test_each_fact_has_its_words(full_law: Packs) -> None:
    """Those of the pack, those of every paper, or the bare name."""
    assert question_text(full_law, "serious") == "Does the paper say that the offence is a serious one?"
    assert question_text(full_law, "country") == "Which country is the authority of?"
    assert question_text((), "serious") == "serious"

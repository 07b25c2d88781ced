"""What must hold before something is within reach, and what happens while nobody knows."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from dueprocess.demand import Answer, Demand, Scope, ScopeItem, Target, expand
from dueprocess.demand.period import UNBOUNDED
from dueprocess.law import Assessment, Outcome, Pack, assess
from dueprocess.law.assessment import Finding
from dueprocess.law.matter import fact
from dueprocess.law.pack import BUILT_IN

ON = dt.date(2026, 11, 22)
KNOWN = {"service": "mail", "serious": True, "notified": True}
type Order = Callable[..., Demand]
type Packs = tuple[Pack, ...]
type Lapse = Callable[..., Packs]


def hard(assessment: Assessment) -> dict[str, Finding]:
    """The findings that block or limit, by code."""
    return {each.code: each for each in assessment.findings if each.severity != "informs"}


def reached(assessment: Assessment) -> set[str]:
    item = assessment.permitted[0]
    return set(item.categories) if item else set()


def test_all_that_is_asked_may_be_within_reach(order: Order, plain_law: Packs) -> None:
    """Judge, serious offence, known country and service: nothing is cut."""
    found = assess(order("subscriber", "session", "traffic", "content"), plain_law, on=ON)
    assert (found.outcome, hard(found), found.producible) == (Outcome.PERMIT_ALL, {}, True)


@pytest.mark.parametrize(
    ("answers", "code"),
    [({"serious": True}, "unknown.service"), (KNOWN | {"service": "forum"}, "unmet.service")],
)
def test_a_condition_of_the_paper_bars_it(
    order: Order, plain_law: Packs, answers: dict[str, Any], code: str
) -> None:
    """Unknown or wrong, the paper reaches nothing; the finding carries rule, remedy and box."""
    found = assess(order(answers=answers), plain_law, on=ON)
    assert (found.outcome, found.permitted) == (Outcome.NEEDS_MORE_INFORMATION, (None,))
    asked = hard(found)[code]
    assert (asked.kind, asked.severity, asked.rule, asked.reason, asked.do) == (
        "missing", "blocks", "who", "wrong_service", "Say which service it is.",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("facts", "codes"),
    [
        ({"answers": {"service": "mail"}}, {"unknown.serious"}),
        ({"answers": KNOWN | {"serious": False}}, {"unmet.serious"}),
        ({"country": None}, {"unknown.country"}),
        ({"country": "ZZ", "answers": {"service": "mail"}}, {"unmet.country", "unknown.serious"}),
        ({"issuer_kind": "prosecutor"}, {"missing.validation"}),
        ({"issuer_kind": "prosecutor", "country": None}, {"missing.validation", "unknown.country"}),
    ],
)
def test_an_unmet_need_cuts_what_needs_it_and_says_so(
    order: Order, plain_law: Packs, facts: dict[str, Any], codes: set[str]
) -> None:
    """One finding for each failed thing, for the categories that it keeps back; the rest stays within reach."""
    found = assess(order("subscriber.identity", "content", **facts), plain_law, on=ON)
    assert (found.outcome, reached(found)) == (Outcome.PERMIT_SUBSET, {"subscriber.identity"})
    assert set(hard(found)) == codes
    for finding in hard(found).values():
        assert (finding.kind, finding.severity, finding.target_index) == ("cut", "limits", 0)
        assert finding.categories == expand(["content"])


def test_a_validation_opens_what_the_issuer_alone_does_not(order: Order, plain_law: Packs) -> None:
    """A judge may have issued it or validated it; without either the box of the form is named."""
    both = [
        assess(order("session", issuer_kind="prosecutor", validated_by=who), plain_law, on=ON)
        for who in ("judge", None)
    ]
    assert [each.outcome for each in both] == [Outcome.PERMIT_ALL, Outcome.NEEDS_MORE_INFORMATION]
    missing = hard(both[1])["missing.validation"]
    assert (missing.rule, missing.reason, missing.do) == (
        "by-judge",
        "not_validated",
        "Ask for the validation.",
    )


def test_a_validation_does_not_cure_a_wrong_issuer(order: Order, plain_law: Packs) -> None:
    """Who may issue at all is another rule."""
    found = assess(order("session", issuer_kind="police", validated_by="judge"), plain_law, on=ON)
    assert (found.outcome, found.permitted) == (Outcome.NEEDS_MORE_INFORMATION, (None,))
    assert "missing.right-issuer" in hard(found)


def test_one_open_entry_is_enough(order: Order, plain_law: Packs) -> None:
    """To identify somebody needs no judge; what the other entry for the same categories lacks is not asked."""
    facts = {"issuer_kind": "prosecutor", "purpose": "identify", "answers": {"service": "mail"}}
    open_ = assess(order("traffic", **facts, identifies=True), plain_law, on=ON)
    assert (open_.outcome, hard(open_)) == (Outcome.PERMIT_ALL, {})
    shut = assess(order("traffic", **facts), plain_law, on=ON)
    assert shut.outcome == Outcome.NEEDS_MORE_INFORMATION
    assert set(hard(shut)) == {
        "missing.purpose",
        "missing.validation",
        "unknown.serious",
        "cut.until-answered",
    }


def test_what_might_be_reached_is_a_question_and_what_cannot_is_refused(
    order: Order, plain_law: Packs, lapse: Lapse
) -> None:
    """The difference follows from the law alone: facts that are missing never turn a refusal into a question."""
    for answers in ({}, {"service": "mail"}, KNOWN):
        refused = assess(order("location", answers=answers), plain_law, on=ON)
        assert refused.outcome == Outcome.REFUSE
        assert "cut.everything" in hard(refused)
    asked = assess(order("content", answers={"service": "mail"}), plain_law, on=ON)
    assert asked.outcome == Outcome.NEEDS_MORE_INFORMATION
    assert {"cut.until-answered", "unknown.serious"} == set(hard(asked))
    doubtful = assess(order("content"), lapse(plain_law, "yes"), on=ON)
    assert doubtful.outcome == Outcome.ESCALATE_TO_COUNSEL
    assert set(hard(doubtful)) == {"not-in-force.yes"}


def test_a_lapsed_reason_does_not_open_what_a_fact_keeps_shut(
    order: Order, plain_law: Packs, lapse: Lapse
) -> None:
    """Where the rule of a failed condition is gone, counsel is asked, and the reach stays shut."""
    found = assess(order("subscriber", "content", country=None), lapse(plain_law, "abroad"), on=ON)
    assert reached(found) == set(expand(["subscriber"]))
    assert found.outcome == Outcome.ESCALATE_TO_COUNSEL


def test_a_lapsed_condition_does_not_turn_a_question_into_one_for_counsel(
    order: Order, plain_law: Packs, lapse: Lapse
) -> None:
    """Else forgetting the country would raise the outcome: the gap would hide that the answer is still missing."""
    packs = lapse(plain_law, "abroad")
    outcomes = [
        assess(order("content", country=country, answers={"service": "mail"}), packs, on=ON).outcome
        for country in ("XX", None)
    ]
    assert outcomes == [Outcome.NEEDS_MORE_INFORMATION, Outcome.NEEDS_MORE_INFORMATION]


def test_an_element_is_asked_where_it_may_be_needed(order: Order, plain_law: Packs) -> None:
    """A translation from YY; nobody knows the country: it is asked. Grounds only for records of use."""
    bare = {"elements": frozenset({"signature", "issuer", "date", "identifier"})}
    asked = {
        country: set(hard(assess(order("subscriber", country=country, **bare), plain_law, on=ON)))
        for country in ("XX", "YY", None)
    }
    assert asked == {"XX": set(), "YY": {"missing.translation"}, None: {"missing.translation"}}
    assert set(hard(assess(order("session", **bare), plain_law, on=ON))) == {"missing.grounds"}
    unsigned = assess(order(elements=frozenset({"issuer", "date", "identifier"})), plain_law, on=ON)
    assert hard(unsigned)["missing.signature"].reason == "incomplete"


def test_an_objection_brings_its_letter(order: Order, plain_law: Packs) -> None:
    """The letters are those of the instrument, then those of the findings."""
    assert assess(order("subscriber"), plain_law, on=ON).letters == ("holding",)
    assert assess(order("content"), plain_law, on=ON).letters == ("holding", "objection")


def test_the_best_outcome_of_a_paper_may_be_limited(order: Order, plain_law: Packs, lapse: Lapse) -> None:
    """What it reaches is shown, and counsel comes first."""
    found = assess(order("content", instrument="secret_order"), plain_law, on=ON)
    assert (found.outcome, reached(found)) == (Outcome.ESCALATE_TO_COUNSEL, set(expand(["content"])))
    assert not found.producible
    top = hard(found)["ceiling.secret_order"]
    assert (top.kind, top.severity, top.rule) == ("note", "blocks", "counsel-first")
    without = assess(order("content", instrument="secret_order"), lapse(plain_law, "counsel-first"), on=ON)
    assert set(hard(without)) == {"not-in-force.counsel-first"}


def test_who_may_know_and_what_a_host_alone_does(order: Order, plain_law: Packs, lapse: Lapse) -> None:
    """Only by a rule in force: without it nobody may know."""
    found = assess(order(), plain_law, on=ON)
    assert [(each.who, each.text) for each in found.may_know] == [("counsel", "A lawyer may be told.")]
    assert found.solo is not None
    assert "Never release alone" in found.solo.text
    less = assess(order(), lapse(plain_law, "lawyer", "alone"), on=ON)
    assert (less.may_know, less.solo) == ((), None)
    value = found.as_json()
    assert value["v"] == 2
    assert value["solo"] != less.as_json()["solo"]


def test_two_targets_are_looked_at_apart(order: Order, plain_law: Packs) -> None:
    """A purpose of one opens nothing for the other."""
    names = expand(["traffic"])
    items = (
        ScopeItem(Target("account", "@eva:chat.example"), names, UNBOUNDED, "identify"),
        ScopeItem(Target("account", "@dana:chat.example"), names, UNBOUNDED),
    )
    demand = order(
        scope=Scope(bytes(32), items), identifies=True, issuer_kind="prosecutor", answers={"service": "mail"}
    )
    found = assess(demand, plain_law, on=ON)
    assert [item is None for item in found.permitted] == [False, True]
    assert hard(found)["missing.purpose"].target_index == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("emergency", False),
        ("identifies", True),
        ("country", "XX"),
        ("issuer_kind", "judge"),
        ("validated_by", None),
        ("service", "mail"),
        ("never_asked", None),
    ],
)
def test_a_condition_may_name_a_fact_of_every_paper_or_an_answer(
    order: Order, name: str, value: Answer | None
) -> None:
    """The built-in facts and the answers; what nobody answered is unknown."""
    found = fact(order(identifies=True), name)
    assert (found, type(found)) == (value, type(value))


def test_every_built_in_fact_can_be_looked_up(order: Order) -> None:
    """None of them is mistaken for an answer to a question of that name."""
    demand = order(answers=dict.fromkeys(BUILT_IN, "an answer"))
    assert "an answer" not in {fact(demand, name) for name in BUILT_IN}

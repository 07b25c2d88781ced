"""A paper that names nobody is answered with its law, and nothing is ever produced for it."""

import datetime as dt
from collections.abc import Callable

from dueprocess.demand import Demand, ReverseDemand
from dueprocess.law import Assessment, Outcome, Pack, assess
from dueprocess.law.assess import assess_reverse

ON = dt.date(2026, 11, 22)
type Survey = Callable[..., ReverseDemand]
type Packs = tuple[Pack, ...]


def hard(assessment: Assessment) -> set[str]:
    return {each.code for each in assessment.findings if each.severity != "informs"}


def test_such_a_paper_is_answered_with_its_law(survey: Survey, full_law: Packs) -> None:
    """Its rules are named, its ceiling counts, its letters are offered; nobody is told by mistake."""
    found = assess_reverse(survey(), full_law, on=ON)
    assert (found.outcome, found.permitted, found.producible) == (Outcome.REFUSE, (), False)
    assert hard(found) == {"ceiling.survey"}
    assert "no" in {each.code for each in found.findings}
    assert (found.letters, found.notice.rule, found.reverse) == (("refusal",), "forbidden_by", "geofence")
    assert found.as_json()["reverse"] == "geofence"


def test_without_a_ceiling_it_still_goes_to_counsel(survey: Survey, full_law: Packs) -> None:
    """A pack cannot make such a paper producible by saying nothing."""
    found = assess_reverse(survey(instrument="count", asks="tower"), full_law, on=ON)
    assert (found.outcome, hard(found)) == (Outcome.ESCALATE_TO_COUNSEL, {"reverse.never"})
    assert not found.producible


def test_a_paper_that_is_not_for_that_kind_goes_to_counsel(survey: Survey, full_law: Packs) -> None:
    """Another kind, or an ordinary instrument."""
    for instrument, asks in (("count", "geofence"), ("order", "keyword")):
        found = assess_reverse(
            survey(instrument=instrument, asks=asks, answers={"service": "mail"}), full_law, on=ON
        )
        assert "reverse.other-paper" in hard(found)
        assert found.outcome <= Outcome.ESCALATE_TO_COUNSEL
        assert not found.producible


def test_its_form_is_looked_at_like_that_of_any_other(survey: Survey, full_law: Packs) -> None:
    """A wrong issuer, a flag and a private party are found."""
    wrong = assess_reverse(survey(issuer_kind="police", flags=frozenset({"press"})), full_law, on=ON)
    assert {"missing.right-issuer", "flag.press"} <= hard(wrong)
    private = assess_reverse(survey(issuer_kind="private_party"), full_law, on=ON)
    assert (hard(private), private.permitted, private.reverse) == ({"own-path"}, (), "geofence")


def test_what_no_pack_knows_goes_to_counsel(survey: Survey, full_law: Packs) -> None:
    """There is no default law for it either."""
    found = assess_reverse(survey(instrument="net"), full_law, on=ON)
    assert (found.outcome, hard(found), found.permitted) == (
        Outcome.ESCALATE_TO_COUNSEL, {"unknown-instrument"}, (),
    )  # fmt: skip


def test_such_a_paper_read_with_targets_permits_nothing(
    order: Callable[..., Demand], full_law: Packs
) -> None:
    """It was read wrongly, or it is two papers: counsel looks."""
    found = assess(order("subscriber", instrument="count"), full_law, on=ON)
    assert (found.outcome, found.permitted) == (Outcome.ESCALATE_TO_COUNSEL, (None,))
    assert "reverse.with-targets" in hard(found)
    assert not found.producible

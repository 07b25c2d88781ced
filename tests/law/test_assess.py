"""What the packs say about a demand: refuse, narrow, ask; never grant, never guess."""

import dataclasses
import datetime as dt
from collections.abc import Callable

import pytest

from dueprocess.demand import LEAVES, UNBOUNDED, Demand, NondisclosureOrder, Scope, ScopeItem, Target, expand
from dueprocess.errors import RefusedError
from dueprocess.law import Assessment, Outcome, Pack, assess, parse_pack
from dueprocess.wire import canonical

ON = dt.date(2026, 11, 22)
type Eva = Callable[..., Demand]


def codes(assessment: Assessment) -> set[str]:
    return {finding.code for finding in assessment.findings}


def test_outcomes_are_ordered_from_refusal_to_everything() -> None:
    """Refuse < needs_more_information < escalate_to_counsel < permit_subset < permit_all."""
    assert [each.code for each in sorted(Outcome)] == [
        "refuse", "needs_more_information", "escalate_to_counsel", "permit_subset", "permit_all",
    ]  # fmt: skip


def test_without_a_pack_nothing_is_permitted(eva: Eva, sca: Pack) -> None:
    """There is no default law: a regime without a pack goes to counsel."""
    found = assess(eva(regime="fr"), [sca], on=ON)
    assert (found.outcome, codes(found), found.permitted) == (
        Outcome.ESCALATE_TO_COUNSEL,
        {"no-pack"},
        (None,),
    )
    assert not found.producible


def test_two_packs_that_know_one_instrument_go_to_counsel(eva: Eva, sca: Pack) -> None:
    """No pack goes first."""
    found = assess(eva(), [sca, sca], on=ON)
    assert (found.outcome, codes(found)) == (Outcome.ESCALATE_TO_COUNSEL, {"several-packs"})


def test_an_area_has_no_form_and_so_never_reaches_the_law() -> None:
    """A geofence is refused where the target is written down."""
    with pytest.raises(RefusedError, match="not for a named target"):
        Target("geofence", "Main Street 1-9")  # type: ignore[arg-type]  # the point of the test


def test_secrets_are_cut_even_where_a_pack_would_reach_them(eva: Eva, sca: Pack) -> None:
    """The parser refuses such a pack; built past the parser, the engine still cuts, with a finding."""
    warrant = next(each for each in sca.instruments if each.code == "warrant")
    everything = dataclasses.replace(warrant.reaches[0], categories=LEAVES)
    bent = dataclasses.replace(warrant, reaches=(everything,), nevers=())
    pack = dataclasses.replace(sca, instruments=(bent,))
    found = assess(eva("secrets", "subscriber.identity", instrument="warrant"), [pack], on=ON)
    assert found.permitted[0] is not None
    assert found.permitted[0].categories == expand(["subscriber.identity"])
    assert found.outcome == Outcome.PERMIT_SUBSET
    assert "cut.not-reached" in codes(found)


def test_an_emergency_is_not_producible_whatever_outcome_it_carries(eva: Eva, sca: Pack) -> None:
    """A second lock: were the ceiling ever lost, `producible` still says no."""
    found = assess(eva(), [sca], on=ON)
    assert found.producible
    assert not dataclasses.replace(found, emergency=True).producible
    assert not dataclasses.replace(found, permitted=(None,)).producible


def test_on_its_return_date_a_paper_is_due_and_not_late(eva: Eva, sca: Pack) -> None:
    """Late begins on the day after."""
    late = [
        "passed.us.return_date" in codes(assess(eva(due_on=ON - dt.timedelta(days=days)), [sca], on=ON))
        for days in (0, 1)
    ]
    assert late == [False, True]


def test_an_assessment_holds_no_identifier_and_no_words_of_the_paper(eva: Eva, sca: Pack) -> None:
    """Its JSON may stand in an event: targets by index, no value, no free text from the paper."""
    order = NondisclosureOrder(
        "hush about Eva", dt.datetime(2026, 10, 1, tzinfo=dt.UTC), None, certified=True
    )
    for instrument in ("subpoena", "a paper about Eva"):
        demand = eva(
            "content",
            "subscriber",
            instrument=instrument,
            nondisclosure=order,
            unreadable=("Eva's page",),
            until=None,
        )
        text = canonical(assess(demand, [sca], on=ON).as_json()).decode()
        assert "eva" not in text.lower()
        assert '"target":0' in text or instrument != "subpoena"


def test_the_digest_follows_every_fact_that_matters(eva: Eva, sca: Pack) -> None:
    """Another day, another window or another category is another assessment."""
    base = assess(eva(), [sca], on=ON).assessment_sha256
    others = [
        assess(eva(), [sca], on=dt.date(2026, 11, 23)),
        assess(eva("subscriber.service"), [sca], on=ON),
        assess(eva(until=dt.datetime(2026, 9, 30, tzinfo=dt.UTC)), [sca], on=ON),
        assess(eva(due_on=dt.date(2026, 12, 1)), [sca], on=ON),
    ]
    assert len({base, *(each.assessment_sha256 for each in others)}) == 5
    assert assess(eva(), [sca], on=ON).assessment_sha256 == base


def test_the_window_of_a_description_is_cut_without_lowering_the_outcome(eva: Eva, sca: Pack) -> None:
    """Name and address have no window of their own; its open end is closed in silence, its start is not asked."""
    found = assess(eva(since=None, until=None), [sca], on=ON)
    assert found.outcome == Outcome.PERMIT_ALL
    assert found.permitted[0] is not None
    assert found.permitted[0].period.until == dt.datetime(2026, 11, 2, 9, tzinfo=dt.UTC)
    assert not codes(found) & {"missing.start", "cut.after-receipt"}


def test_an_open_window_on_records_is_cut_at_receipt_and_asked_for_its_start(eva: Eva, sca: Pack) -> None:
    """What did not exist when the paper came is not stored."""
    found = assess(eva("session", since=None, until=None), [sca], on=ON)
    assert {"missing.start", "cut.after-receipt"} <= codes(found)
    assert found.outcome == Outcome.PERMIT_SUBSET


def test_one_target_may_fall_away_while_another_stays(eva: Eva, sca: Pack) -> None:
    """Permitted is aligned with the demanded targets."""
    items = tuple(
        ScopeItem(Target("account", value), expand(names), UNBOUNDED)
        for value, names in (
            ("@eva:chat.example", ["content"]),
            ("@dana:chat.example", ["subscriber.identity"]),
        )
    )
    found = assess(eva(scope=Scope(bytes(32), items)), [sca], on=ON)
    assert found.outcome == Outcome.PERMIT_SUBSET
    assert [item is None for item in found.permitted] == [True, False]
    assert {each.target_index for each in found.findings if each.kind == "cut"} == {0}


def test_a_date_after_the_receipt_is_pointed_out(eva: Eva, sca: Pack) -> None:
    """A paper from tomorrow is a reason to look again, not a reason for the machine to refuse."""
    assert "note.dated-later" in codes(assess(eva(issued_on=dt.date(2026, 11, 9)), [sca], on=ON))
    assert "note.dated-later" not in codes(assess(eva(issued_on=dt.date(2026, 11, 2)), [sca], on=ON))


def test_a_cited_law_and_a_transcribed_date_count_as_elements(eva: Eva, sca: Pack) -> None:
    """What was transcribed as a fact need not be ticked again."""
    bare = frozenset({"signature", "issuer", "identifier"})
    assert {"missing.date", "missing.legal_basis"} <= codes(assess(eva(elements=bare), [sca], on=ON))
    told = eva(elements=bare, issued_on=dt.date(2026, 11, 1), legal_bases=("18 USC 2703(c)(2)",))
    assert assess(told, [sca], on=ON).outcome == Outcome.PERMIT_ALL


def test_an_emergency_on_an_ordinary_paper_is_never_producible(eva: Eva, sca: Pack) -> None:
    """The claim of an emergency blocks, whatever the instrument."""
    found = assess(eva(emergency=True), [sca], on=ON)
    assert found.outcome == Outcome.ESCALATE_TO_COUNSEL
    assert (found.emergency, found.producible) == (True, False)
    urgent = next(each for each in found.findings if each.kind == "emergency")
    assert urgent.severity == "blocks"
    assert "call back" in urgent.do
    assert "later release" in urgent.text


def test_a_kind_that_does_not_fit_the_paper_permits_nothing(eva: Eva, sca: Pack) -> None:
    """Removal on a subpoena goes to counsel; disclosure on a preservation letter is refused."""
    found = assess(eva(kind="removal"), [sca], on=ON)
    assert (found.outcome, found.permitted) == (Outcome.ESCALATE_TO_COUNSEL, (None,))
    letter = assess(eva(instrument="preservation_letter"), [sca], on=ON)
    assert (letter.outcome, letter.permitted) == (Outcome.REFUSE, (None,))


def test_a_hold_is_never_producible(eva: Eva, sca: Pack) -> None:
    """Preservation is not production, however complete the letter."""
    found = assess(eva("content", kind="preservation", instrument="preservation_letter"), [sca], on=ON)
    assert (found.outcome, found.producible) == (Outcome.PERMIT_ALL, False)


def test_the_arithmetic_of_a_clock_is_shown(eva: Eva, sca: Pack) -> None:
    """Start, days and end stand in one line that anyone can check."""
    demand = eva(kind="preservation", instrument="preservation_letter", answers={"renewals": "none"})
    clock = assess(demand, [sca], on=ON).clocks[0]
    for part in ("received Mon 2026-11-02 09:00 UTC", "+ 90 days", "2027-01-31T09:00:00Z"):
        assert part in clock.arithmetic


def test_a_clock_that_has_run_out_says_what_to_do(eva: Eva, sca: Pack) -> None:
    """Day 91 without renewal: release the hold."""
    found = assess(eva(kind="preservation", instrument="preservation_letter"), [sca], on=dt.date(2027, 2, 1))
    late = next(each for each in found.findings if each.kind == "clock")
    assert late.code == "passed.us.2703f"
    assert "release the hold" in late.do


def test_a_clock_without_its_day_is_honest_about_it(eva: Eva, sca: Pack) -> None:
    """No return date, no end and no notice to the government: no due time, and the reason."""
    found = assess(eva(instrument="nsl", issuer_kind="fbi_official"), [sca], on=ON)
    due = {each.id: (each.due_at, each.arithmetic) for each in found.clocks}
    assert due["us.return_date"] == (None, "the paper names no return date")
    assert due["us.3511.govt"][0] is None
    assert due["us.3511.govt"][1].startswith("30 days from an event")


def test_the_comity_clock_runs_for_content_only(eva: Eva, sca: Pack) -> None:
    """18 USC 2703(h) is about content."""
    ids = [
        {clock.id for clock in assess(eva(category, instrument="warrant"), [sca], on=ON).clocks}
        for category in ("content.files", "subscriber.identity")
    ]
    assert ids == [{"us.return_date", "us.2703h.motion"}, {"us.return_date"}]


def _order(basis: str = "18 U.S.C. § 2705(b)", *, certified: bool | None = True) -> NondisclosureOrder:
    start = dt.datetime(2026, 10, 1, tzinfo=dt.UTC)
    return NondisclosureOrder(basis, start, start + dt.timedelta(days=100), certified)


def test_nobody_is_told_before_counsel_has_looked_at_a_doubtful_order(eva: Eva, sca: Pack) -> None:
    """Unknown basis, another instrument's basis, no finding, nobody checked: escalate, unsettled notice."""
    doubtful = {
        "nondisclosure.unknown-basis": _order("County Code 7"),
        "nondisclosure.other-instrument": _order("18 USC 2709(c)"),
        "nondisclosure.not-certified": _order(certified=False),
        "nondisclosure.unchecked": _order(certified=None),
    }
    for code, order in doubtful.items():
        found = assess(eva(nondisclosure=order), [sca], on=ON)
        assert code in codes(found)
        assert found.outcome == Outcome.ESCALATE_TO_COUNSEL
        assert (found.notice.rule, found.notice.until, found.notice.settled) == ("delayed_until", None, False)


def test_a_good_order_delays_the_notice_until_its_end_and_not_longer(eva: Eva, sca: Pack) -> None:
    """From the UTC day that begins at its end, the user may be told."""
    demand = eva(nondisclosure=_order())
    end = dt.datetime(2027, 1, 9, tzinfo=dt.UTC)
    before = assess(demand, [sca], on=dt.date(2027, 1, 8)).notice
    after = assess(demand, [sca], on=dt.date(2027, 1, 9)).notice
    assert (before.rule, before.until, before.settled) == ("delayed_until", end, True)
    assert (after.rule, after.until, after.settled) == ("allowed_before_production", None, True)


def test_a_review_date_rests_on_practice_and_says_so(eva: Eva, sca: Pack) -> None:
    """The 365 days come from a memorandum, not from the statute."""
    order = NondisclosureOrder(
        "18 USC 2705(b)", dt.datetime(2026, 10, 1, tzinfo=dt.UTC), None, certified=True
    )
    found = assess(eva(nondisclosure=order), [sca], on=ON)
    review = next(clock for clock in found.clocks if clock.id == "us.2705b.review")
    assert review.citation.basis == "practice"
    assert review.due_at == dt.datetime(2027, 10, 1, tzinfo=dt.UTC)
    assert "; practice" in str(review.citation)


def test_an_old_pack_says_that_it_is_old(eva: Eva, sca: Pack) -> None:
    """After 180 days without reading the sources the assessment tells it."""
    assert "note.stale" not in codes(assess(eva(), [sca], on=dt.date(2027, 5, 21)))
    assert "note.stale" in codes(assess(eva(), [sca], on=dt.date(2027, 5, 22)))


# ------------------------------------------------------------------ a small pack with odd dates


def _small(eva: Eva, *categories: str, **facts: object) -> Demand:
    return eva(*categories, regime="xx", instrument="order", **facts)


def test_a_reviewed_pack_is_not_called_unreviewed(eva: Eva, small_text: str) -> None:
    """The note goes when counsel has signed."""
    found = assess(_small(eva), [parse_pack(small_text, "s")], on=dt.date(2026, 6, 1))
    assert found.outcome == Outcome.PERMIT_ALL
    assert "note.not-reviewed" not in codes(found)
    assert [clock.due_at for clock in found.clocks] == [None, None]


def test_a_purpose_widens_only_when_scope_and_paper_both_say_it(eva: Eva, small_text: str) -> None:
    """`identify` needs the item's purpose and the paper's declaration; unknown is no."""
    pack, on = parse_pack(small_text, "s"), dt.date(2026, 6, 1)
    both = assess(_small(eva, "traffic", purpose="identify", identifies=True), [pack], on=on)
    assert both.permitted[0] is not None
    assert both.permitted[0].purpose == "identify"
    for purpose, says in (("identify", None), ("identify", False), (None, True)):
        found = assess(_small(eva, "traffic", purpose=purpose, identifies=says), [pack], on=on)
        assert found.outcome == Outcome.NEEDS_MORE_INFORMATION
        assert {"no", "cut.until-answered"} <= codes(found)


def test_a_rule_that_is_not_in_force_permits_nothing_and_asks_counsel(eva: Eva, gapped_pack: Pack) -> None:
    """Past its last day a rule is gone, and what it gave is not given by anything else."""
    found = assess(_small(eva), [gapped_pack], on=dt.date(2027, 1, 1))
    assert (found.outcome, found.permitted) == (Outcome.ESCALATE_TO_COUNSEL, (None,))
    assert {"not-in-force.yes", "not-in-force.xx.to-end"} <= codes(found)
    assert not codes(found) & {"cut.not-reached", "cut.everything", "cut.until-answered"}
    assert not found.notice.settled
    assert {each.rule for each in found.findings if each.code.startswith("not-in-force.")} == {
        "yes", "xx.to-end",
    }  # fmt: skip


def test_a_lapsed_reason_for_never_asks_counsel_too(eva: Eva, gapped_pack: Pack) -> None:
    """Why it is not reached is law as well: without it nobody refuses on a rule that is gone."""
    pack = dataclasses.replace(
        gapped_pack, rules=tuple(each for each in gapped_pack.rules if each.id != "no")
    )
    found = assess(_small(eva, "content"), [pack], on=dt.date(2026, 7, 1))
    assert (found.outcome, found.permitted) == (Outcome.ESCALATE_TO_COUNSEL, (None,))
    assert {each for each in codes(found) if not each.startswith("note.")} == {"not-in-force.no"}


def test_an_instrument_past_its_last_day_is_not_in_force(eva: Eva, small_text: str) -> None:
    """The pack knows the paper, but not for this day."""
    found = assess(_small(eva), [parse_pack(small_text, "s")], on=dt.date(2027, 1, 1))
    assert (found.outcome, codes(found)) == (Outcome.ESCALATE_TO_COUNSEL, {"not-in-force"})


def test_a_cut_without_a_window_rule_in_force_still_cuts(
    order: Eva, plain_law: tuple[Pack, ...], lapse: Callable[..., tuple[Pack, ...]]
) -> None:
    """The future is never reached, also where the pack's sentence for it has lapsed; then counsel is asked."""
    found = assess(order("session", until=None), lapse(plain_law, "stored"), on=ON)
    assert found.permitted[0] is not None
    assert found.permitted[0].period.until == dt.datetime(2026, 11, 2, 9, tzinfo=dt.UTC)
    assert found.outcome == Outcome.ESCALATE_TO_COUNSEL
    cut = next(each for each in found.findings if each.code == "cut.after-receipt")
    assert (cut.rule, cut.citation, cut.do) == ("", None, "")
    told = next(
        each
        for each in assess(order("session", until=None), plain_law, on=ON).findings
        if each.code == "cut.after-receipt"
    )
    assert (told.rule, str(told.citation), told.do) == ("stored", "Act, 9", "Cut the window.")


def test_a_private_party_goes_to_counsel_by_a_path_of_its_own(order: Eva, full_law: tuple[Pack, ...]) -> None:
    """Not one rule for governments is applied; a letter of its own is offered."""
    found = assess(order(issuer_kind="private_party", flags=frozenset({"press"})), full_law, on=ON)
    assert (found.outcome, codes(found), found.permitted) == (
        Outcome.ESCALATE_TO_COUNSEL, {"own-path"}, (None,),
    )  # fmt: skip
    assert (found.letters, found.instrument) == (("private_party",), None)
    assert [each.id for each in found.packs] == ["xx.law", "floor"]


def test_a_finding_names_the_rule_that_it_rests_on(order: Eva, full_law: tuple[Pack, ...]) -> None:
    """Whatever cites a law carries the id of its rule, so that a page can link to it."""
    silent = NondisclosureOrder("Act 20", dt.datetime(2026, 10, 1, tzinfo=dt.UTC), None, certified=True)
    demand = order(
        "session", "content", "location", elements=frozenset(), until=None, issuer_kind="prosecutor",
        answers={}, flags=frozenset({"press"}), due_on=dt.date(2026, 11, 10), nondisclosure=silent,
    )  # fmt: skip
    found = assess(demand, full_law, on=ON)
    cited = [each for each in found.findings if each.citation is not None]
    assert len(cited) > 10
    assert all(each.rule for each in cited)
    assert {each.as_json()["rule"] for each in cited} >= {
        "who",
        "form",
        "no",
        "by-judge",
        "press-free",
        "hush",
    }


def test_the_same_finding_is_told_once(
    order: Eva, plain_law: tuple[Pack, ...], lapse: Callable[..., tuple[Pack, ...]]
) -> None:
    """A lapsed rule on which several entries rest is one question."""
    found = assess(order(elements=frozenset()), lapse(plain_law, "form"), on=ON)
    assert [each.code for each in found.findings].count("not-in-force.form") == 1

"""Notify, challenge, close: what is owed follows from the events, and nothing lets it lapse."""

import datetime as dt
from typing import Any

import pytest

from cases.story import EVA, FINN, START, Story, approved_story, assessed_story
from dueprocess.cases import challenge, notify
from dueprocess.cases.case import TargetState
from dueprocess.cases.close import close, register
from dueprocess.cases.events import Draft, Event
from dueprocess.cases.gate import check_gate
from dueprocess.errors import RefusedError

ORDER_ENDS = START + dt.timedelta(days=90)
DELAYED = {"rule": "delayed_until", "until": "2026-11-30T08:00:00Z"}


def _owed(story: Story, ref: str = "t1") -> str | None:
    return notify.owed_notice(story.case.target(ref), story.now)


# ------------------------------------------------------------------ notify


@pytest.mark.parametrize("rule", sorted(notify.BEFORE_RULES))
def test_the_user_is_owed_a_letter_before_production_and_one_after(rule: str) -> None:
    """Nothing is owed before two people decided; then `before`; after delivery `after`; then nothing."""
    story = assessed_story(rule=rule).narrowed()
    assert _owed(story) is None
    assert _owed(story.proposed()) is None
    assert _owed(story.approved()) == "before"
    assert _owed(story.told()) is None
    assert _owed(story.wait(days=8).produced()) is None
    assert _owed(story.delivered()) == "after"
    assert notify.notice_pending(story.case)
    assert _owed(story.told(phase="after")) is None
    assert not notify.notice_pending(story.case)


def test_a_delayed_notice_is_owed_from_the_end_of_the_order_on() -> None:
    """Not a second earlier, and recorded as delayed once."""
    story = approved_story(**DELAYED)
    drafts = notify.delay(story.case.target("t1"), START)
    assert drafts[0].body["until"] == DELAYED["until"]
    story.tell(*drafts)
    assert notify.delay(story.case.target("t1"), START) == []
    story.produced().delivered()
    state = story.case.target("t1")
    assert notify.owed_notice(state, ORDER_ENDS - dt.timedelta(seconds=1)) is None
    assert notify.owed_notice(state, ORDER_ENDS) == "after"
    assert notify.notice_pending(story.case)


def test_an_order_without_an_end_never_ends_by_itself() -> None:
    """The notice stays owed and is not sent."""
    story = approved_story(rule="delayed_until", until=None).produced().delivered()
    assert notify.owed_notice(story.case.target("t1"), START + dt.timedelta(days=9999)) is None
    assert notify.notice_pending(story.case)


def test_a_forbidden_notice_is_never_owed() -> None:
    """Where a statute forbids telling, no letter goes out and the case may close."""
    story = approved_story(rule="forbidden_by").produced().delivered()
    assert _owed(story) is None
    assert not notify.notice_pending(story.case)
    assert notify.delay(story.case.target("t1"), START) == []


def test_without_a_decision_there_is_nothing_to_tell() -> None:
    """A target that was only read is owed nothing, and has no notice rule."""
    assert notify.owed_notice(TargetState("t1"), START) is None
    assert notify.notice_rule(TargetState("t1")) == {}


def test_a_refused_target_is_owed_nothing_more() -> None:
    """Whoever's data were not handed over is not told of a hand-over."""
    story = approved_story()
    story.tell(*challenge.open_challenge(story.case, "t1", by="user", ground="overbroad"))
    story.tell(*challenge.close_challenge(story.case, "t1", upheld=True))
    assert story.case.target("t1").stage == "refused"
    assert _owed(story) is None


# ------------------------------------------------------------------ challenge


@pytest.mark.parametrize("by", challenge.BY)
def test_an_objection_holds_the_disclosure_until_it_is_decided(by: str) -> None:
    """While it is open the gate refuses; once it is closed as not upheld the gate opens again."""
    story = approved_story()
    story.tell(*challenge.open_challenge(story.case, "t1", by=by, ground="overbroad"))
    with pytest.raises(RefusedError, match="held"):
        check_gate(story.gate())
    story.tell(*challenge.close_challenge(story.case, "t1", upheld=False))
    assert check_gate(story.gate())
    assert story.case.target("t1").challenges == 1


def test_an_upheld_objection_withdraws_the_decision_for_good() -> None:
    """Both are recorded, and the target is refused."""
    story = approved_story()
    story.tell(*challenge.open_challenge(story.case, "t1", by="user", ground="overbroad"))
    kinds = [draft.kind for draft in challenge.close_challenge(story.case, "t1", upheld=True)]
    assert kinds == ["DecisionWithdrawn", "ChallengeClosed"]
    story.tell(*challenge.close_challenge(story.case, "t1", upheld=True))
    state = story.case.target("t1")
    assert (state.stage, state.challenged) == ("refused", False)


def test_an_objection_upheld_before_any_decision_refuses_the_target() -> None:
    """There is nothing to withdraw, and still nothing may be decided about this target any more."""
    story = assessed_story().narrowed()
    story.tell(*challenge.open_challenge(story.case, "t1", by="operator", ground="overbroad"))
    drafts = challenge.close_challenge(story.case, "t1", upheld=True)
    assert [draft.kind for draft in drafts] == ["ChallengeClosed"]
    assert story.tell(*drafts).case.target("t1").stage == "refused"


def test_an_objection_that_a_new_assessment_met_can_still_be_decided() -> None:
    """The challenge survives the assessment, so it must be possible to close it from there."""
    story = assessed_story().narrowed()
    story.tell(*challenge.open_challenge(story.case, "t1", by="user", ground="overbroad"))
    story.assessed()
    story.tell(*challenge.close_challenge(story.case, "t1", upheld=False))
    assert not story.case.target("t1").challenged


def test_an_objection_is_by_someone_about_a_target_and_once_at_a_time() -> None:
    """A stranger, a second objection and the end of none are refused."""
    story = approved_story()
    for ref, by in (("t1", "press"), ("t9", "user")):
        with pytest.raises(RefusedError):
            challenge.open_challenge(story.case, ref, by=by, ground="x")
    with pytest.raises(RefusedError, match="No challenge is open"):
        challenge.close_challenge(story.case, "t1", upheld=False)
    story.tell(*challenge.open_challenge(story.case, "t1", by="user", ground="x"))
    with pytest.raises(RefusedError, match="open already"):
        challenge.open_challenge(story.case, "t1", by="user", ground="x")


@pytest.mark.parametrize("again", ["narrow", "assess"])
def test_an_open_objection_survives_a_fresh_start(again: str) -> None:
    """Narrowing or assessing anew, and two fresh signatures, do not make an objection go away."""
    story = assessed_story().narrowed()
    story.tell(*challenge.open_challenge(story.case, "t1", by="user", ground="overbroad"))
    (
        story.assessed(outcome="permit_all") if again == "assess" else story
    ).narrowed().proposed().approved().told()
    assert story.case.target("t1").challenged
    with pytest.raises(RefusedError, match="held"):
        check_gate(story.wait(days=8).gate())


def test_a_paper_under_objection_cannot_be_read_anew() -> None:
    """A new reading would give the objection another target."""
    story = assessed_story().narrowed()
    story.tell(*challenge.open_challenge(story.case, "t1", by="user", ground="overbroad"))
    with pytest.raises(RefusedError, match="read anew"):
        story.read(FINN)


# ------------------------------------------------------------------ close


def _outcomes(story: Story) -> Any:
    return close(story.case)[0].body["outcomes"]


@pytest.mark.parametrize(
    ("subject", "rows", "outcome"),
    [
        ("one", 2, "complied_in_part"),
        ("one", 0, "no_records"),
        ("none", 2, "complied_in_part"),
        ("none", 0, "no_records"),
    ],
)
def test_a_case_closes_with_what_came_of_each_target(subject: str, rows: int, outcome: str) -> None:
    """Something cut and something found is compliance in part; nothing found is no records."""
    story = approved_story().produced(subject=subject, rows=rows).delivered().told(phase="after")
    assert _outcomes(story) == {"t1": outcome}
    story.tell(*close(story.case))
    assert story.case.stage == "closed"
    assert story.case.outcome == outcome


def test_full_compliance_is_named_so() -> None:
    """Only a target of which nothing was cut was complied with in full."""
    story = assessed_story()
    narrowed = story.narrowed().events[-1]
    whole = Story(events=story.events[:-1], now=story.now, paper=story.paper, scopes=story.scopes)
    whole.tell(_draft(narrowed, cuts=[])).proposed().approved().told().wait(days=8)
    whole.produced().delivered().told(phase="after")
    assert _outcomes(whole) == {"t1": "complied"}


def _draft(event: Event, **changes: Any) -> Draft:
    return Draft(event.kind, {**event.body, **changes})


def test_a_case_of_which_nothing_came_is_rejected() -> None:
    """A paper that was never read, or only assessed, closes as rejected."""
    story = Story().received()
    story.tell(*close(story.case))
    assert story.case.outcome == "rejected"
    assert _outcomes(assessed_story()) == {"t1": "rejected"}
    assert assessed_story().case.outcome is None


def test_different_ends_are_compliance_in_part() -> None:
    """One target handed over, one refused: the case says in part."""
    story = assessed_story(EVA, FINN).narrowed().proposed().approved().told().wait(days=8)
    story.produced().delivered().told(phase="after")
    story.tell(*close(story.case))
    assert story.case.closed is not None
    assert story.case.closed.body["outcomes"] == {"t1": "complied_in_part", "t2": "rejected"}
    assert story.case.outcome == "complied_in_part"


def test_a_case_does_not_close_while_something_goes_on_or_is_owed() -> None:
    """An approved target, and a user still to be told, keep it open."""
    story = approved_story()
    with pytest.raises(RefusedError, match="not finished: t1"):
        close(story.case)
    with pytest.raises(RefusedError, match="still to be told"):
        close(story.produced().delivered().case)


def test_a_register_row_is_committed_once() -> None:
    """A second commitment of the same case is refused."""
    story = Story().received()
    story.tell(*close(story.case))
    story.tell(*register(story.case, period="2026H2", row_sha256="0" * 64))
    assert story.case.registered is not None
    with pytest.raises(RefusedError, match="already"):
        register(story.case, period="2026H2", row_sha256="0" * 64)

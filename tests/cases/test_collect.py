"""Collecting by hand as a move: only for what two people approved, only until the package is made, nothing in words."""

from dataclasses import replace
from typing import Any

import pytest

from cases.story import CASE_ID, Story, approved_story, assessed_story
from cases.test_invariants import broken
from dueprocess.cases.case import Case, evolve
from dueprocess.cases.collect import MOST_FILES, Collected, answer_to, collect, refuse_late, unanswered
from dueprocess.cases.events import Event
from dueprocess.errors import ConflictError, DueprocessError, MalformedError, RefusedError
from dueprocess.wire import instant, sha256_hex

TICKETS, CONTRACTS = ("paper", "tickets"), ("paper", "contracts")
FILE = sha256_hex(b"a file")


def made(story: Story, **changes: Any) -> Collected:
    """Three records of tickets, under the decision that stands."""
    facts: dict[str, Any] = {
        "ref": "t1", "decision_sha256": str(story.case.target("t1").decision_sha256), "table": TICKETS,
        "outcome": "found", "files": [FILE], "rows": 3, "manifest_sha256": sha256_hex(b"manifest"),
    }  # fmt: skip
    return Collected(**{**facts, **changes})


def recorded(story: Story, made: Collected) -> tuple[Case, Event]:
    """The case after this answer."""
    (draft,) = collect(story.case, made)
    last = story.events[-1]
    event = Event(
        CASE_ID, last.case_seq + 1, draft.kind, 1, draft.body, "ana", instant(story.now), last.sha256
    )
    return evolve(story.case, event), event


def refused(story: Story, **changes: Any) -> DueprocessError:
    with pytest.raises(DueprocessError) as caught:
        collect(story.case, made(story, **changes))
    return caught.value


def test_an_answer_is_digests_and_a_number() -> None:
    """The event names the table, the files by digest and how many records; no reason and no value has a place in it."""
    case, event = recorded(approved_story(), made(approved_story()))
    assert dict(event.body) == {
        "target": "t1", "decision_sha256": case.target("t1").decision_sha256, "store": "paper", "table": "tickets",
        "outcome": "found", "files": [FILE], "rows": 3, "manifest_sha256": sha256_hex(b"manifest"),
    }  # fmt: skip
    assert case.target("t1").stage == "approved"


def test_the_last_answer_of_a_table_counts() -> None:
    """One table's answers replace each other; another table's stand beside them."""
    story = approved_story()
    case, first = recorded(story, made(story))
    state = case.target("t1")
    assert answer_to(state, TICKETS) is first
    assert unanswered(state, [TICKETS, CONTRACTS]) == [CONTRACTS]
    second = replace(first, case_seq=first.case_seq + 1, prev_sha256=first.sha256)
    assert answer_to(evolve(case, second).target("t1"), TICKETS) is second


def test_an_answer_under_another_decision_does_not_count() -> None:
    """What was collected for one decision is not put into the answer to another."""
    story = approved_story()
    case, _ = recorded(story, made(story))
    state = replace(case.target("t1"), decision=None)
    assert unanswered(state, [TICKETS]) == [TICKETS]
    error = refused(story, decision_sha256=sha256_hex(b"another"))
    assert (type(error), error.code) == (ConflictError, "other-decision")


@pytest.mark.parametrize(
    "change",
    [
        {"files": []},
        {"rows": 0},
        {"files": [FILE] * (MOST_FILES + 1)},
        {"outcome": "nothing_held"},
        {"outcome": "failed", "files": [], "rows": 3},
        {"outcome": "nothing_held", "files": [FILE], "rows": 0},
    ],
)
def test_records_come_from_files_and_nothing_else_does(change: dict[str, Any]) -> None:
    """Silence is no answer, and an answer is one of three."""
    error = refused(approved_story(), **change)
    assert (type(error), error.code) == (MalformedError, "bad-collection")


def test_nothing_is_collected_before_two_people_approved_or_after_the_package() -> None:
    """Before a decision, for a resolution, and once the package is made, each refused by its own name."""
    before, after = assessed_story().narrowed(), approved_story().told().produced()
    assert refused(before).code == "not-approved"
    assert refused(after).code == "produced"
    state = approved_story().case.target("t1")
    assert state.decision is not None
    asking = replace(state.decision, body={**state.decision.body, "action": "resolve"})
    with pytest.raises(RefusedError) as caught:
        refuse_late(replace(state, decision=asking))
    assert caught.value.code == "not-approved"


def test_a_new_scope_voids_what_was_collected() -> None:
    """Whoever narrows again begins again: no answer of the old scope is carried over."""
    story = approved_story()
    case, _ = recorded(story, made(story))
    assert case.target("t1").collected != ()
    narrowed = approved_story().narrowed()
    assert narrowed.case.target("t1").collected == ()


def test_a_forged_collection_is_found_in_the_events() -> None:
    """By one person's decision, or for a decision that is not the one that stands: `fsck` names both."""
    story = approved_story()
    _, event = recorded(story, made(story))
    assert broken([*story.events, event]) == []
    other = replace(event, body={**event.body, "decision_sha256": sha256_hex(b"other")})
    assert broken([*story.events, other]) == [("CollectedByHand", "I2")]

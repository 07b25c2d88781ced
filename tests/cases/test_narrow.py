"""Authorised within permitted within demanded, for the target that the paper names at that place."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cases.story import EVA, FINN, LEAST, WINDOW, Story, assessed_story, demand
from dueprocess.cases.narrow import narrow
from dueprocess.demand import LEAVES, Category, Period, Scope, ScopeItem, Target, expand
from dueprocess.errors import RefusedError
from dueprocess.law import Finding

NONCE = bytes(32)


def _item(categories: frozenset[Category] = LEAST, period: Period = WINDOW, who: str = EVA) -> ScopeItem:
    return ScopeItem(Target("account", who), categories, period)


def test_each_thing_that_was_cut_is_recorded_with_the_finding_that_cut_it() -> None:
    """A category carries the code of its finding, else the staff; a shorter window is a cut too."""
    story = assessed_story()
    finding = Finding("content-needs-warrant", "cut", "limits", "…", categories=expand(["content"]))
    note = Finding("a-note", "note", "informs", "…", categories=expand(["traffic"]))
    body = narrow(story.case, story.narrowing(findings=(note, finding)))[0].body
    cuts = {cut["category"]: cut["finding"] for cut in body["cuts"]}  # type: ignore[union-attr,index,call-overload]
    assert cuts["content.messages"] == "content-needs-warrant"
    assert cuts["traffic"] == "narrowed-by-staff"
    assert cuts[None] == "window-narrowed"
    assert body["categories"] == ["subscriber.identity", "session.times"]


def test_a_window_that_stays_is_no_cut() -> None:
    """Where only categories fall, only categories are listed."""
    story = (
        Story()
        .received()
        .verified()
        .read(scope=Scope(NONCE, (_item(LEAST | expand(["traffic"])),)))
        .assessed()
    )
    assert narrow(story.case, story.narrowing())[0].body["cuts"] == [
        {"category": "traffic", "finding": "narrowed-by-staff"}
    ]


def test_nothing_cut_is_recorded_as_nothing() -> None:
    """Where the paper asked for no more than it may, the list of cuts is empty."""
    story = Story().received().verified().read(scope=Scope(NONCE, (_item(),))).assessed()
    assert narrow(story.case, story.narrowing())[0].body["cuts"] == []


ROWS: list[tuple[str, Callable[[Story], Any], str]] = [
    ("a category that is not permitted",
     lambda s: s.narrowing(authorised=Scope(NONCE, (_item(LEAST | expand(["traffic"])),))), "wider-than-permitted"),
    ("a longer window", lambda s: s.narrowing(authorised=Scope(NONCE, (_item(period=Period(WINDOW.since, None)),))),
     "wider-than-permitted"),
    ("a purpose that nobody asked", lambda s: s.narrowing(
        authorised=Scope(NONCE, (replace(_item(), purpose="identify"),))), "wider-than-permitted"),
    ("another account", lambda s: s.narrowing(authorised=Scope(NONCE, (_item(who=FINN),))), "wider-than-permitted"),
    ("another account that a finding permits", lambda s: s.narrowing(
        authorised=Scope(NONCE, (_item(who=FINN),)), permitted=_item(who=FINN)), "wider-than-permitted"),
    ("permitted more than was demanded", lambda s: s.narrowing(
        permitted=_item(period=Period(None, WINDOW.until)),
        authorised=Scope(NONCE, (_item(period=Period(None, WINDOW.until)),))), "wider-than-permitted"),
    ("nothing is permitted", lambda s: s.narrowing(permitted=None), "wider-than-permitted"),
    ("two targets", lambda s: s.narrowing(authorised=Scope(NONCE, (_item(), _item(who=FINN)))), "one-target"),
    ("a demand that nobody read", lambda s: s.narrowing(demanded=demand((FINN,)).scope), "other-reading"),
    ("a target that the paper does not name", lambda s: replace(s.narrowing(), ref="t2"), "no-such-target"),
    ("secrets", lambda s: s.narrowing(permitted=_item(expand(["secrets"])),
                                      authorised=Scope(NONCE, (_item(expand(["secrets"])),))), "wider-than-permitted"),
]  # fmt: skip


@pytest.mark.parametrize(("wrong", "code"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_a_scope_can_only_shrink(wrong: Callable[[Story], Any], code: str) -> None:
    """Each row tries to authorise something that the law or the paper does not give."""
    story = assessed_story()
    with pytest.raises(RefusedError) as caught:
        narrow(story.case, wrong(story))
    assert caught.value.code == code


def test_what_both_paper_and_law_give_may_still_not_be_authorised() -> None:
    """Secrets, and records of use without both ends, are refused even if demanded and permitted."""
    for categories, period, code in (
        (expand(["secrets"]), WINDOW, "secrets"),
        (LEAST, Period(WINDOW.since, None), "open-window"),
    ):
        story = Story().received().verified()
        item = _item(categories, period)
        story.read(scope=Scope(NONCE, (item,))).assessed()
        with pytest.raises(RefusedError) as caught:
            narrow(story.case, story.narrowing(permitted=item, authorised=Scope(NONCE, (item,))))
        assert caught.value.code == code


def test_a_reference_means_one_place_on_the_paper() -> None:
    """t1 cannot be narrowed with the scope of t2, even where both are permitted."""
    story = assessed_story(EVA, FINN)
    swapped = replace(story.narrowing("t2"), ref="t1")
    with pytest.raises(RefusedError, match="wider"):
        narrow(story.case, swapped)


def test_nothing_is_narrowed_before_an_assessment_that_permits_something() -> None:
    """No assessment, or one that is not producible, leaves nothing to narrow."""
    story = Story().received().verified().read()
    with pytest.raises(RefusedError, match="not assessed"):
        narrow(story.case, story.narrowing())
    with pytest.raises(RefusedError, match="nothing can be produced"):
        narrow(story.assessed(producible=False).case, story.narrowing())


@given(st.frozensets(st.sampled_from(sorted(LEAVES)), min_size=1))
@settings(max_examples=60, deadline=None)
def test_any_choice_of_categories_is_authorised_only_within_the_permitted_ones(
    chosen: frozenset[Category],
) -> None:
    """Whatever a person ticks, the recorded scope is permitted or there is a refusal."""
    story = assessed_story()
    narrowing = story.narrowing(authorised=Scope(NONCE, (_item(chosen),)))
    if chosen <= LEAST:
        assert set(narrow(story.case, narrowing)[0].body["categories"]) == chosen  # type: ignore[arg-type]
    else:
        with pytest.raises(RefusedError):
            narrow(story.case, narrowing)

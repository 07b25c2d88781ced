"""From an assessment to a letter: the shipped pack's findings, boxes and time limits, without loss."""

import dataclasses
import datetime as dt
from pathlib import Path

import pytest

from dueprocess.demand import Category, Demand, Period, Scope, ScopeItem, Target
from dueprocess.law import Assessment, Pack, assess, effective, parse_packs
from dueprocess.notice import REASONS, boxes_of, periods_of, points_of, write_letter
from notice.replies import FACTS

PACKS = Path(__file__).parents[2] / "rulepacks"
RECEIVED = dt.datetime(2026, 11, 20, 17, 2, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def packs() -> tuple[Pack, ...]:
    names = ("eu/evidence.toml", "baseline/baseline.toml")
    return effective(parse_packs([(name, (PACKS / name).read_text("utf-8")) for name in names]))


@pytest.fixture(scope="module")
def assessment(packs: tuple[Pack, ...]) -> Assessment:
    """A prosecutor's certificate for traffic data, which nobody validated."""
    item = ScopeItem(
        Target("account", "@eva:chat.example"),
        frozenset({Category("traffic")}),
        Period(dt.datetime(2026, 9, 1, tzinfo=dt.UTC), dt.datetime(2026, 10, 1, tzinfo=dt.UTC)),
    )
    demand = Demand(
        kind="disclosure",
        regime="eu",
        instrument="epoc",
        received_at=RECEIVED,
        issuer_kind="prosecutor",
        country="DE",
        scope=Scope(bytes(32), (item,)),
    )
    return assess(demand, packs, on=RECEIVED.date())


def test_every_finding_becomes_a_point_with_its_source(assessment: Assessment) -> None:
    """Kind, words, reason and citation, in order."""
    told = [each for each in assessment.findings if not each.code.startswith("unknown.")]
    assert [(each.kind, each.text, each.reason, each.source) for each in points_of(assessment)] == [
        (each.kind, each.text, each.reason, str(each.citation or "")) for each in told
    ]


def test_what_our_own_reader_has_not_answered_is_not_put_to_the_authority(assessment: Assessment) -> None:
    """Whether Section M came along is for us to look up."""
    open_here = [each.text for each in assessment.findings if each.code.startswith("unknown.")]
    assert open_here
    assert not set(open_here) & {each.text for each in points_of(assessment)}


def test_the_boxes_of_the_pack_are_those_of_the_form(assessment: Assessment, packs: tuple[Pack, ...]) -> None:
    """Ten, in the order of the annex; what a finding carries is ticked and nothing else."""
    boxes = boxes_of(assessment, packs)
    assert tuple(each.code for each in boxes) == REASONS
    assert {each.code for each in boxes if each.ticked} == {
        point.reason for point in points_of(assessment) if point.reason
    }
    assert any(each.ticked for each in boxes)
    evidence = next(each for each in packs if each.id == "eu.evidence")
    assert [each.text for each in boxes] == [each.text for each in evidence.reasons]


def test_time_limits_are_told_in_the_zone_of_the_authority(
    assessment: Assessment, packs: tuple[Pack, ...]
) -> None:
    """Only those that show a date, with the words of their rule, and the same instant."""
    periods = periods_of(assessment, packs, country="DE")
    shown = [each for each in assessment.clocks if each.due_at]
    assert [each.due_at for each in periods] == [each.due_at for each in shown]
    assert all(str(each.due_at and each.due_at.tzinfo) == "Europe/Berlin" for each in periods)
    assert all(each.text and each.source for each in periods)
    one = periods_of(assessment, packs, country="DE", clocks={shown[0].id})
    assert one == periods[:1]


def test_an_assessment_fills_the_answer_form(assessment: Assessment, packs: tuple[Pack, ...]) -> None:
    """What the pack found suffices; what a person must add is added by a person."""
    facts = dataclasses.replace(
        FACTS,
        points=points_of(assessment),
        reasons=boxes_of(assessment, packs),
        periods=periods_of(assessment, packs, country="DE"),
    )
    for language in ("en", "de", "fr"):
        assert write_letter("annex3", facts, language=language).subject
        assert write_letter("delay", facts, language=language).subject
        assert write_letter("motion_checklist", facts, language=language).subject


def test_packs_that_were_not_used_add_nothing(assessment: Assessment, packs: tuple[Pack, ...]) -> None:
    """Another pack's boxes are not this law's form."""
    other = [dataclasses.replace(each, sha256="0" * 64) for each in packs]
    assert boxes_of(assessment, other) == ()
    assert periods_of(assessment, other, country="DE") == ()

"""A pack says when it is old."""

import dataclasses
import datetime as dt

import pytest

from dueprocess.law import Pack, parse_pack
from dueprocess.law.staleness import pack_notes, pack_warnings


def codes(pack: Pack, on: dt.date) -> list[tuple[str, str]]:
    return [(each.code, each.rule) for each in pack_warnings(pack, on)]


@pytest.fixture
def pack(small_text: str) -> Pack:
    """The small pack: reviewed on 2026-01-02, its source read a day earlier; `short-lived` ended in 2020."""
    return parse_pack(small_text, "s")


def test_a_review_counts_for_180_days(pack: Pack) -> None:
    """Where there is one, the day of the review counts and not that of the reading."""
    assert "note.stale" not in dict(codes(pack, dt.date(2026, 7, 1)))
    assert "note.stale" in dict(codes(pack, dt.date(2026, 7, 2)))


def test_without_a_review_the_oldest_reading_counts(pack: Pack) -> None:
    """One day earlier here; a pack that nobody read says that by its bases."""
    unread = dataclasses.replace(pack, reviewed_by="", reviewed_on=None)
    assert "note.stale" not in dict(codes(unread, dt.date(2026, 6, 30)))
    assert "note.stale" in dict(codes(unread, dt.date(2026, 7, 1)))
    nothing = dataclasses.replace(
        unread, sources=tuple(dataclasses.replace(each, read_on=None) for each in unread.sources)
    )
    assert "note.stale" not in dict(codes(nothing, dt.date(2030, 1, 1)))


def test_a_rule_that_ends_soon_is_announced(pack: Pack) -> None:
    """Within 60 days of its last day, clocks and instruments too; one that another version follows does not end."""
    ends = dt.date(2027, 1, 1)
    assert ("note.ends-soon", "yes") not in codes(pack, ends - dt.timedelta(61))
    assert ("note.ends-soon", "yes") in codes(pack, ends - dt.timedelta(60))
    assert ("note.ends-soon", "yes") not in codes(pack, dt.date(2026, 5, 20))
    assert ("note.ends-soon", "xx.to-end") in codes(pack, dt.date(2026, 11, 1))
    assert ("note.ends-soon", "order") in codes(pack, dt.date(2026, 11, 1))


def test_a_rule_that_has_ended_is_named(pack: Pack) -> None:
    """Once it is over, and as long as the pack is in use."""
    assert codes(pack, dt.date(2026, 2, 1)) == [("note.ended", "short-lived")]
    assert ("note.ended", "yes") in codes(pack, dt.date(2027, 1, 1))
    assert all(each.severity == "informs" for each in pack_warnings(pack, dt.date(2030, 1, 1)))


def test_a_pack_without_review_says_so(pack: Pack) -> None:
    """In each assessment, not on the front page every day."""
    unread = dataclasses.replace(pack, reviewed_by="", reviewed_on=None)
    on = dt.date(2026, 2, 1)
    assert [each.code for each in pack_notes(unread, on)] == ["note.not-reviewed", "note.ended"]
    assert [each.code for each in pack_notes(pack, on)] == ["note.ended"]

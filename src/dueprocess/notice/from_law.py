"""From an assessment to what a letter states: findings, time limits, and the boxes of the law's answer form."""

import zoneinfo
from collections.abc import Collection, Iterable

from dueprocess.law import Assessment, Pack
from dueprocess.notice.reply import Box, Period, Point

_OURS = "unknown."
"""Codes of findings that are open questions to the reader here: nothing that the authority could answer for."""


def points_of(assessment: Assessment) -> tuple[Point, ...]:
    """The findings, each with its words and the label of its source, without what only our own reader must answer.

    What an authority would have to send is the finding's own sentence; `Point.missing` is for shorter words.
    """
    return tuple(
        Point(each.kind, each.text, str(each.citation or ""), each.reason)
        for each in assessment.findings
        if not each.code.startswith(_OURS)
    )


def boxes_of(assessment: Assessment, packs: Iterable[Pack]) -> tuple[Box, ...]:
    """The reasons of the law's answer form, ticked where a point carries the reason. None where there is no form."""
    carried = {each.reason for each in points_of(assessment)}
    reasons = {each.code: each for pack in reversed(_used(assessment, packs)) for each in pack.reasons}
    order = dict.fromkeys(each.code for pack in _used(assessment, packs) for each in pack.reasons)
    return tuple(Box(code, reasons[code].text, code in carried) for code in order)


def periods_of(
    assessment: Assessment,
    packs: Iterable[Pack],
    *,
    country: str | None,
    clocks: Collection[str] | None = None,
) -> tuple[Period, ...]:
    """The time limits that show a date, each in the zone of its law; ``country`` is the authority's.

    ``clocks``: only these, by id. An authority is told the one that the letter is about; counsel gets all.
    """
    used = _used(assessment, packs)
    periods = []
    for clock in assessment.clocks:
        pack = next((each for each in used if each.clock(clock.id, assessment.on)), None)
        rule = pack.clock(clock.id, assessment.on) if pack else None
        if pack and rule and clock.due_at and (clocks is None or clock.id in clocks):
            zone = zoneinfo.ZoneInfo(pack.zones.get(country or "", pack.zone) or "UTC")
            periods.append(Period(rule.rule.text, clock.due_at.astimezone(zone), str(clock.citation)))
    return tuple(periods)


def _used(assessment: Assessment, packs: Iterable[Pack]) -> tuple[Pack, ...]:
    """The packs that were applied, the one whose instrument answers first."""
    found = {each.sha256: each for each in packs}
    return tuple(found[each.sha256] for each in assessment.packs if each.sha256 in found)

"""An assessment around the engine: by which packs and calendars, and whether it still holds.

An assessment is never believed as it was stored. It is computed again from the reading, and from the packs and
calendars that it names by digest: for producing what was approved even after newer packs came in force, for deciding
only as long as the packs in force say the same.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

from dueprocess.cases.case import Case
from dueprocess.cases.events import Event
from dueprocess.demand import Demand, PaperFacts, parse_demand
from dueprocess.desk.desk import Desk, named
from dueprocess.desk.packs import named_packs
from dueprocess.errors import BrokenError, RefusedError
from dueprocess.law import (
    Assessment,
    Calendar,
    MovedDueDate,
    Pack,
    assess,
    changed_due_dates,
    needed_calendars,
    parse_calendar,
)
from dueprocess.library.calendars import calendar
from dueprocess.wire import parse_instant


def reading(desk: Desk, case: Case) -> Demand:
    """The transcription that the case rests on now."""
    if case.read is None:
        raise RefusedError(
            "not-read", "Nobody has read this paper yet.", do="Transcribe it: dueprocess read."
        )
    return parse_demand(named(desk, case.case_id, "reading", case.read.text("reading_sha256")))


def would_be(desk: Desk, demand: Demand, on: dt.date) -> tuple[Assessment, list[Calendar]]:
    """The answer of the packs in force to a demand on a day, and the calendars that it counted with."""
    packs = list(desk.packs.values())
    at_hand = calendars_for(packs, demand)
    found = assess(demand, packs, on=on, calendars=at_hand)
    used = {each.sha256 for each in found.calendars}
    return found, [each for each in at_hand if each.sha256 in used]


def assessed(desk: Desk, case: Case) -> Assessment:
    """The assessment again, from the reading and from the packs and calendars that it names by digest.

    The engine has no clock, so it must be the same, whatever is in force today. Refuses a pack that two people had
    not put in force when the demand was assessed.
    """
    event = recorded(desk, case)
    found = _again(desk, case, desk.packs_of(named_packs(event)))
    if found.assessment_sha256 != event.body["assessment_sha256"]:
        raise RefusedError(
            "program-changed",
            "This program reads the rule packs otherwise than the one that assessed this demand.",
            why="The same packs, reading and day do not give the recorded assessment.",
            do="Assess it again: dueprocess assess.",
        )
    return found


def current(desk: Desk, case: Case) -> Assessment:
    """The assessment, if the packs in force today still say the same: what narrowing and deciding may rest on."""
    found = assessed(desk, case)
    if _again(desk, case, desk.packs.values()).assessment_sha256 != found.assessment_sha256:
        raise RefusedError(
            "packs-changed",
            "The rule packs give another answer now than when this demand was assessed.",
            why="Two people have put other packs in force since.",
            do="Assess it again: dueprocess assess.",
            source="formats.md, Rosters",
        )
    return found


def recorded(desk: Desk, case: Case) -> Event:
    """The event that recorded the assessment. Refuses one that names a pack which two people had not put in force."""
    if case.assessed is None:
        raise RefusedError("not-assessed", "This demand was not assessed yet.", do="Run dueprocess assess.")
    at, rules = parse_instant(case.assessed.recorded_at), desk.pack_rules()
    if not rules.began(at):
        raise RefusedError(
            "no-packs-then",
            "This demand was assessed before two people had put any rule pack in force.",
            why="The first release applied what it brought.",
            do="Put packs in force, then assess it again: dueprocess assess.",
            source="formats.md, Rosters",
        )
    if not all(rules.was_active(each, at) for each in named_packs(case.assessed)):
        raise BrokenError(
            "pack-not-activated",
            "This demand was assessed by a rule pack that was not in force then.",
            why="No two people had put it in force.",
            do="Stop. Run dueprocess fsck; somebody changed the tables.",
            source="formats.md, Rosters",
        )
    return case.assessed


def _again(desk: Desk, case: Case, packs: Iterable[Pack]) -> Assessment:
    """An assessment of the reading by these packs, on the day and with the calendars of the recorded one."""
    assert case.assessed is not None
    on = dt.date.fromisoformat(case.assessed.text("on"))
    stored: Any = named(desk, case.case_id, "assessment", case.assessed.text("assessment_sha256"))
    digests = [str(each["sha256"]) for each in stored["calendars"]]
    calendars = [parse_calendar(named(desk, case.case_id, "calendar", digest)) for digest in digests]
    return assess(reading(desk, case), tuple(packs), on=on, calendars=calendars)


def moved_due_dates(desk: Desk, case: Case, on: dt.date) -> list[MovedDueDate]:
    """Due dates of an assessed case that come out otherwise today: a rule or a holiday has changed since."""
    if case.assessed is None:
        return []
    stored: Any = named(desk, case.case_id, "assessment", case.assessed.text("assessment_sha256"))
    return changed_due_dates(stored, would_be(desk, reading(desk, case), on)[0])


def calendars_for(packs: Sequence[Pack], demand: PaperFacts) -> list[Calendar]:
    """The tables of holidays that these packs may need for this paper, as far as the library has them.

    Where it has none the engine counts every day, which is the earliest reading, and says so.
    """
    starts = [demand.received_at - dt.timedelta(days=1)]
    starts += [dt.datetime.combine(demand.issued_on, dt.time(), dt.UTC)] if demand.issued_on else []
    starts += [demand.nondisclosure.starts_on] if demand.nondisclosure else []
    years = range(min(starts).year, max(starts).year + 3)
    found: list[Calendar] = []
    for region in sorted({region for region, _ in needed_calendars(packs, demand.country, years)}):
        with suppress(RefusedError):
            found.append(calendar(region, years[0], years[-1]))
    return found

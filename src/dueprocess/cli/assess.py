"""`dueprocess assess CASE`: what the law permits, with citations; --facts for a file without a case."""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from dueprocess.cli.next import owed
from dueprocess.cli.paperfile import OwnPacks, ReceivedAt, day_of, packs_of, paper_of
from dueprocess.cli.place import Place, person
from dueprocess.cli.short_answer import short_answer
from dueprocess.demand import ReverseDemand
from dueprocess.desk.assessments import calendars_for
from dueprocess.errors import RefusedError
from dueprocess.law import Assessment, Pack, assess, assess_reverse, explain_assessment


def assess_command(
    case: str | None = None,
    *,
    facts: Annotated[
        Path | None, Parameter(help="assess a facts file instead of a case; nothing is stored")
    ] = None,
    on: Annotated[str | None, Parameter(help="the day to assess a facts file on, such as 2026-11-22")] = None,
    received: ReceivedAt = None,
    packs: OwnPacks = None,
    explain: Annotated[bool, Parameter(help="print the whole chain, rule by rule", negative="")] = False,
    place: Place | None = None,
) -> None:
    """Say what this instrument may reach, what is missing, which clocks run. Rules refuse, narrow and ask."""
    at = place or Place()
    if facts is not None:
        rules = list(packs_of(packs))
        found, then = _of_facts(facts, day_of(on), received, rules), list[str]()
    else:
        found, rules, then = _of_case(at, case)
    lines = explain_assessment(found, rules) if explain else short_answer(found, rules)
    at.say([*lines, *then], found.as_json())


def _of_case(at: Place, case: str | None) -> tuple[Assessment, list[Pack], list[str]]:
    """The assessment that was recorded, the packs in force, and what to do next."""
    from dueprocess.desk import demands  # noqa: PLC0415  a facts file needs no installation
    from dueprocess.history.append import load_case  # noqa: PLC0415

    if case is None:
        raise RefusedError("no-case", "Nothing to assess.", do="Name a case, or a facts file with --facts.")
    desk, now = at.open()
    case_id = at.case(case)
    found = demands.assess(desk, case_id, actor=person(), now=now)
    owes = [line.split("  ", 1)[1] for line in owed(load_case(case_id))]
    return found, list(desk.packs.values()), [f"Next: {line}" for line in owes]


def _of_facts(facts: Path, day: dt.date, received: str | None, packs: Sequence[Pack]) -> Assessment:
    paper = paper_of(facts, day, received)
    calendars = calendars_for(packs, paper)
    if isinstance(paper, ReverseDemand):
        return assess_reverse(paper, packs, on=day, calendars=calendars)
    return assess(paper, packs, on=day, calendars=calendars)

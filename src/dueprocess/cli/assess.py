"""`dueprocess assess CASE`: what the law permits, with citations; --facts for a file without a case."""

import datetime as dt
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from dueprocess.cli.place import Place, person
from dueprocess.cli.read import facts_text
from dueprocess.demand.facts import parse_facts
from dueprocess.errors import MalformedError, RefusedError
from dueprocess.law import Assessment, assess, explain_assessment
from dueprocess.library.packs import shipped_packs


def assess_command(
    case: str | None = None,
    *,
    facts: Annotated[
        Path | None, Parameter(help="assess a facts file instead of a case; nothing is stored")
    ] = None,
    on: Annotated[str | None, Parameter(help="the day to assess a facts file on, such as 2026-11-22")] = None,
    place: Place | None = None,
) -> None:
    """Say what this instrument may reach, what is missing, which clocks run. Rules refuse, narrow and ask."""
    at = place or Place()
    found = _of_facts(facts, on) if facts is not None else _of_case(at, case)
    at.say(explain_assessment(found, list(shipped_packs().values())), found.as_json())


def _of_case(at: Place, case: str | None) -> Assessment:
    from dueprocess.desk import demands  # noqa: PLC0415  a facts file needs no installation

    if case is None:
        raise RefusedError("no-case", "Nothing to assess.", do="Name a case, or a facts file with --facts.")
    desk, now = at.open()
    return demands.assess(desk, at.case(case), actor=person(), now=now)


def _of_facts(facts: Path, on: str | None) -> Assessment:
    if on is None:
        raise RefusedError("no-day", "Law has dates.", do="Say on which day: --on 2026-11-22.")
    try:
        day = dt.date.fromisoformat(on)
    except ValueError as error:
        raise MalformedError(
            "bad-day", f"{on[:40]!r} is not a day.", why=str(error), do="Write it as 2026-11-22."
        ) from error
    received = dt.datetime.combine(day, dt.time(), dt.UTC)
    demand, _ = parse_facts(facts_text(facts), received_at=received, nonce=bytes(32))
    return assess(demand, list(shipped_packs().values()), on=day)

"""`dueprocess report PERIOD`: publish the register and the report of a half-year."""

import datetime as dt
import re
from pathlib import Path

from dueprocess.cli.place import Place
from dueprocess.desk import closing
from dueprocess.errors import MalformedError, RefusedError

_HALF_YEAR = re.compile(r"(20\d\d)H([12])")


def report_command(period: str, *, out: Path | None = None, place: Place | None = None) -> None:
    """Publish the coarse register and the report of a half-year such as 2026H2. A published number never changes."""
    at = place or Place()
    desk, now = at.open()
    _over(period, now)
    folder = out or desk.installation.public / "reports" / period
    register, report = closing.report(desk, period, folder, now=now)
    at.say([register.statement, f"Files: {folder}"], report.as_json())


def _over(period: str, now: dt.datetime) -> None:
    """Refuses what is no half-year, and one that still runs: its later cases could never be counted."""
    found = _HALF_YEAR.fullmatch(period)
    if found is None:
        raise MalformedError(
            "bad-period", f"{period[:40]!r} is not a half-year.", do="Write it as 2026H1 or 2026H2."
        )
    year = int(found[1])
    ends = (
        dt.datetime(year, 7, 1, tzinfo=dt.UTC)
        if found[2] == "1"
        else dt.datetime(year + 1, 1, 1, tzinfo=dt.UTC)
    )
    if now < ends:
        raise RefusedError(
            "period-runs",
            f"The half-year {period} is not over.",
            why="A published number never changes, so cases that close later could never be counted.",
            do=f"Publish it on {ends:%Y-%m-%d} or later.",
            source="formats.md, Report",
        )

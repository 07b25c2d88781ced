"""`dueprocess report PERIOD`: publish the register and the report of a half-year."""

from pathlib import Path

from dueprocess.cli.place import Place
from dueprocess.desk import closing


def report_command(period: str, *, out: Path | None = None, place: Place | None = None) -> None:
    """Publish the coarse register and the report of a half-year such as 2026H2. A published number never changes."""
    at = place or Place()
    desk, now = at.open()
    folder = out or desk.installation.public / "reports" / closing.known_period(period)
    register, report = closing.report(desk, period, folder, now=now)
    at.say([register.statement, f"Files: {folder}"], report.as_json())

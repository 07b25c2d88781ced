"""`dueprocess close CASE`: finish a case in which nothing is owed, and register its coarse row."""

from dueprocess.cli.place import Place, person
from dueprocess.desk import closing


def close_command(case: str, *, place: Place | None = None) -> None:
    """Finish a case. Refuses while a target goes on or a user is still to be told."""
    at = place or Place()
    desk, now = at.open()
    case_id = at.case(case)
    row = closing.close(desk, case_id, actor=person(), now=now)
    if row is None:
        at.say(
            f"Case {case_id[:8]} is closed. It was never read as a demand, so it is counted nowhere.", None
        )
        return
    at.say(f"Case {case_id[:8]} is closed: {row.outcome.replace('_', ' ')}, for {row.period}.", row.as_json())

"""`dueprocess collect`: what a person collects because no program reads it, and their answer."""

import json
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from dueprocess.cases.events import Event
from dueprocess.cli.place import Place, person
from dueprocess.cli.printing import counted, working
from dueprocess.demand import MEANING, Category
from dueprocess.desk import collecting
from dueprocess.desk.collecting import Of, Said, Task
from dueprocess.errors import RefusedError
from dueprocess.plan import TimeColumn, bounds
from dueprocess.wire import instant
from dueprocess.worker.clock import read_clock

_UNITS = {
    "s": "whole seconds since 1970, a number",
    "ms": "whole milliseconds since 1970, a number",
    "us": "whole microseconds since 1970, a number",
    "iso": "such as 2026-09-01T10:00:00Z",
    "date": "such as 2026-09-01",
}
DELETE = (
    "Delete your file now, and every copy of it that collecting left behind, in the trash and in downloads too: it "
    "holds this person's data in the clear. The vault keeps what is needed, encrypted."
)


def collect_command(
    case: str,
    target: str,
    table: str | None = None,
    *,
    file: Annotated[
        list[Path] | None,
        Parameter(help="a file with the records, .jsonl or .csv; again for each further file"),
    ] = None,
    nothing_held: Annotated[bool, Parameter(help="you looked, and there is nothing", negative="")] = False,
    failed: Annotated[
        str | None,
        Parameter(help="you could not look: why, in a line that goes to the authority; name nobody"),
    ] = None,
    place: Place | None = None,
) -> None:
    """List what a person is to collect for an approved target, or give the answer for one table STORE.NAME.

    Every record is checked like a store's: this account's, inside the window, these columns and no others. A file is
    taken whole or not at all. A second answer replaces the first until the answer package is made.
    """
    at, said = place or Place(), Said(file or (), nothing_held, failed)
    desk, now = at.open()
    case_id = at.case(case)
    if table is None:
        if file or nothing_held or failed is not None:
            raise RefusedError(
                "which-table",
                "An answer is about one table.",
                do=f"dueprocess collect {case} {target} STORE.NAME ...",
            )
        found = collecting.tasks(desk, case_id, target, now=now)
        at.say(_listed(case_id[:8], target, found), [_json(each) for each in found])
        return
    with working("Checking, encrypting"):
        event = collecting.collect(
            desk, Of(case_id, target, table), said, actor=person(), now=lambda: read_clock(desk.installation)
        )
    at.say(_taken(event, table), event.as_json())


def _taken(event: Event, table: str) -> list[str]:
    told = {
        "found": f"{counted(int(str(event.body['rows'])), 'record')} of {table} checked and put into the vault.",
        "nothing_held": f"Recorded: nothing is held in {table}.",
        "failed": f"Recorded: {table} could not be collected. It is told as failed, never as nothing held.",
    }[event.text("outcome")]
    files = event.body["files"]
    digests = [f"  SHA-256 {each}" for each in files] if isinstance(files, list) else []
    return [told, *digests, *([DELETE] if digests else [])]


def _listed(short: str, ref: str, tasks: list[Task]) -> list[str]:
    lines = [line for task in tasks for line in (*_task(short, ref, task), "")]
    return lines[:-1] or ["Nothing is to be collected by hand for this target."]


def _task(short: str, ref: str, task: Task) -> list[str]:
    query, command = task.query, f"dueprocess collect {short} {ref} {task.name}"
    answer = "nobody has answered yet"
    if task.answer is not None:
        outcome = task.answer.text("outcome").replace("_", " ")
        answer = f"{outcome}, {task.answer.body['rows']} records, by {task.answer.actor} at {task.answer.recorded_at}"
    return [
        task.name,
        f"  account   {task.subject}",
        f"  window    {_window(task)}",
        f"  at most   {query.cap:,} records",
        f"  so far    {answer}",
        "  columns",
        *(f"    {name:<24}{_meaning(task, name)}" for name in task.columns),
        "  write     one JSON object for each record on a line of its own (.jsonl), or CSV with a header line (.csv),",
        "            in UTF-8; these columns and no others. A CSV has texts alone and cannot say NULL.",
        f"  example   {example(task)}",
        f"  then      {command} --file FILE",
        f"  or        {command} --nothing-held",
        f'  or        {command} --failed "why"',
    ]


def _window(task: Task) -> str:
    window, time = task.query.window, task.query.path.time
    if window is None or window.since is None or window.until is None or time is None:
        return "none: as it is now"
    ends = f"from {instant(window.since)} until before {instant(window.until)}"
    return f"{ends}, by {time.column}; nothing else"


def _meaning(task: Task, name: str) -> str:
    """What stands in a column: what it tells a record by, and under which category it leaves."""
    path, told = task.query.path, list[str]()
    told += ["the account, exactly as above"] if name == path.subject else []
    told += [f"when it was, {_unit(path.time)}"] if path.time is not None and name == path.time.column else []
    told += ["empty; leave out any record where it is not"] if name in path.absent else []
    told += [
        f"always {value!r}; leave out any other record" for column, value in path.equals if column == name
    ]
    told += [
        f"{MEANING[Category(column.category)]} ({column.category})"
        + (", without other people: they are taken out by the map's rules" if column.third_party else "")
        for column in task.query.columns
        if column.name == name
    ]
    return "; ".join(told)


def _unit(time: TimeColumn) -> str:
    return (
        _UNITS[time.unit] if time.zone == "UTC" else f"such as 2026-09-01 10:00:00, local time of {time.zone}"
    )


def example(task: Task) -> str:
    """One record as JSON, with the account and the beginning of the window; the rest is for the person to fill in."""
    path, row = task.query.path, dict[str, Any]()
    fixed: dict[str, Any] = {path.subject: task.subject, **dict.fromkeys(path.absent), **dict(path.equals)}
    for name in task.columns:
        is_time = path.time is not None and name == path.time.column
        row[name] = fixed[name] if name in fixed else _first(task) if is_time else "…"
    return json.dumps(row, ensure_ascii=False)


def _first(task: Task) -> object:
    """The first time that lies in the window, as the column writes it."""
    time, window = task.query.path.time, task.query.window
    assert time is not None
    assert window is not None
    first = bounds(window, time.unit, time.zone)[0]
    if time.unit == "iso" and time.zone == "UTC":
        return f"{first}Z"
    return first if isinstance(first, int) else str(first)


def _json(task: Task) -> dict[str, Any]:
    query = task.query
    return {
        "table": task.name,
        "account": task.subject,
        "window": query.window.as_json() if query.window is not None else None,
        "columns": {name: _meaning(task, name) for name in task.columns},
        "most_records": query.cap,
        "example": example(task),
        "answer": task.answer.as_json() if task.answer is not None else None,
    }

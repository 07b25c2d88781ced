"""`dueprocess audit export`: the database's own log beside the ledger, so that reads beside the tool become visible."""

import datetime as dt
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from dueprocess.audit.csvlog import Wanted
from dueprocess.audit.reconcile import printable
from dueprocess.cli.place import Place
from dueprocess.cli.printing import counted, working
from dueprocess.desk.storeaudit import Exported, export
from dueprocess.wire import instant

MOST_TOLD = 200
"""Reads that are printed one by one; --json gives all of them."""


def export_command(
    logs: Annotated[list[Path], Parameter(help="PostgreSQL's CSV log files (pgaudit, or every statement)")],
    *,
    since: Annotated[dt.datetime | None, Parameter(help="from this time on, UTC")] = None,
    until: Annotated[dt.datetime | None, Parameter(help="up to this time, UTC, itself left out")] = None,
    platform_role: Annotated[
        list[str] | None,
        Parameter(help="a database role of the platform's own programs: its reads are counted, not listed"),
    ] = None,
    place: Place | None = None,
) -> None:
    """List who read the tables of the data map beside this software, and productions without a trace in the log."""
    at = place or Place()
    desk, _ = at.open()
    wanted = Wanted(frozenset(), frozenset(platform_role or ()), _utc(since), _utc(until))
    with working("Reading the log"):
        found = export(desk, logs, wanted)
    at.say(_told(found), _value(found))


def _utc(moment: dt.datetime | None) -> dt.datetime | None:
    return moment if moment is None or moment.tzinfo is not None else moment.replace(tzinfo=dt.UTC)


def _told(found: Exported) -> list[str]:
    log, came = found.log, found.found
    span = f" from {instant(log.first_at)} to {instant(log.last_at)}" if log.first_at and log.last_at else ""
    lines = [
        f"Read beside the tool: {counted(len(came.beside), 'statement')}.",
        f"The log has {counted(log.rows, 'row')}{span}, {log.audited} of them by pgaudit.",
        f"By productions: {counted(sum(came.own.values()), 'statement')} of {counted(len(came.own), 'decision')}.",
        f"By the check of the data map: {counted(came.map_checks, 'statement')}.",
    ]
    lines += ["", "Read beside the tool"] if came.beside else []
    for each in came.beside[:MOST_TOLD]:
        value = each.as_json()
        who = f"role {value['role'] or '-'}, from {value['client'] or '-'}, program {value['application'] or '-'}"
        lines += [f"  {value['at']}  {who}", f"    {value['why']}", f"    {value['statement']}"]
    if len(came.beside) > MOST_TOLD:
        lines.append(f"  and {len(came.beside) - MOST_TOLD} more: --json gives all of them.")
    lines += ["", "Logins", *_logins(found)]
    lines += ["", "What this comparison could not see", *(f"  {each}" for each in _unseen(found))]
    return lines


def _logins(found: Exported) -> list[str]:
    log = found.log
    if not log.logins:
        return ["  None in the log. Set log_connections = on, or the logins of people stay unseen."]
    return [
        f"  {printable(role)}: {counted(count, 'login')}, {log.tool_logins[role]} of them by this software"
        for role, count in sorted(log.logins.items())
    ]


def _unseen(found: Exported) -> list[str]:
    came, log = found.found, found.log
    lines = [
        f"The production under decision {digest[:16]} left no trace in the log: the log may be incomplete."
        for digest in came.untraced
    ]
    lines += [
        f"{counted(missing, 'query', 'queries')} of the production under decision {digest[:16]} are not in the log:"
        " it may be incomplete."
        for digest, missing in came.incomplete.items()
    ]
    lines += [
        f"The plan of decision {each.decision_sha256[:16]} cannot be compiled any more (erased, or the map changed)."
        for each in found.runs
        if each.asked is None
    ]
    lines += [
        f"{count} statements of the platform's own role {role}."
        for role, count in sorted(log.skipped.items())
    ]
    lines += [f"The store {name}: stores of its kind keep no audit log." for name in found.silent_stores]
    lines += [
        f"Of what kind the store {name} is: only the production worker knows. SQLite, DuckDB and files keep no log."
        for name in found.unsure_stores
    ]
    if not found.times_compared:
        lines.append("Times: this installation runs on a simulated clock, so they were not compared.")
    if not log.audited:
        lines.append(
            "Reads through views and functions: only pgaudit, with pgaudit.log_relation on, shows these."
        )
    lines.append("Whoever rules the database server can change its log. Keep it on another machine.")
    lines.append("Copies, backups and replicas of the database, and its files on disk.")
    return lines


def _value(found: Exported) -> dict[str, Any]:
    log, came = found.log, found.found
    return {
        "rows": log.rows,
        "audited": log.audited,
        "beside": [each.as_json() for each in came.beside],
        "own": dict(came.own),
        "map_checks": came.map_checks,
        "untraced": came.untraced,
        "incomplete": came.incomplete,
        "logins": dict(log.logins),
        "tool_logins": dict(log.tool_logins),
        "platform_statements": dict(log.skipped),
        "unseen": _unseen(found),
    }

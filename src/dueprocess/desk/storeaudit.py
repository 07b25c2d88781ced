"""Productions beside the stores' own audit logs: what was read in the tool, and what beside it.

PostgreSQL writes such a log (pgaudit, or every statement). The other kinds of stores keep none.
"""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dueprocess.audit.csvlog import StoreLog, Wanted, read_log
from dueprocess.audit.reconcile import Reconciled, Run, reconcile
from dueprocess.cases.case import Case
from dueprocess.desk.demands import authorised
from dueprocess.desk.desk import Desk
from dueprocess.errors import DueprocessError, UnavailableError
from dueprocess.history.append import load_case
from dueprocess.history.docket import docket
from dueprocess.plan import DataMap
from dueprocess.production.statements import Asked, statements
from dueprocess.wire import parse_instant


@dataclass(frozen=True, slots=True)
class Exported:
    """What a store's log and the ledger say about each other."""

    log: StoreLog
    runs: tuple[Run, ...]
    found: Reconciled
    times_compared: bool
    """False where the installation runs on a simulated clock: its times are not the database's."""
    silent_stores: tuple[str, ...]
    """Stores of a kind that keeps no audit log."""
    unsure_stores: tuple[str, ...]
    """Stores whose kind only the production worker's environment knows."""


def export(desk: Desk, files: Iterable[Path], wanted: Wanted) -> Exported:
    """Compares the log files of a PostgreSQL store with every production of the same time.

    ``wanted.tables`` is put in from the data map. Refuses a file that is no such log.
    """
    chosen = Wanted(frozenset(_tables(desk.datamap)), wanted.platform_roles, wanted.since, wanted.until)
    log = StoreLog()
    for path in files:
        _read(path, chosen, log)
    real = desk.installation.clock_mode == "system"
    runs = tuple(each for each in _runs(desk) if not real or _in_time(each, wanted))
    log.statements.sort(key=lambda each: each.at)
    return Exported(
        log,
        runs,
        reconcile(log.statements, runs, compare_times=real),
        real,
        tuple(name for name, kind in _kinds(desk.datamap) if kind not in ("postgresql", "")),
        tuple(name for name, kind in _kinds(desk.datamap) if not kind),
    )


def _read(path: Path, wanted: Wanted, log: StoreLog) -> None:
    try:
        with path.open(encoding="utf-8", errors="replace", newline="") as lines:
            read_log(lines, wanted, into=log)
    except OSError as error:
        raise UnavailableError(
            "no-file", f"{path} cannot be read.", why=error.strerror or "", do="Check the name."
        ) from error


def _kinds(datamap: DataMap) -> Iterator[tuple[str, str]]:
    """(store, kind); the kind is empty where it stands in the environment."""
    for each in datamap.stores:
        scheme = each.connect.partition("://")[0]
        yield each.name, "" if "${" in scheme else scheme


def _tables(datamap: DataMap) -> Iterator[str]:
    """Every table of the map in a store that may keep a log."""
    silent = {name for name, kind in _kinds(datamap) if kind not in ("postgresql", "")}
    yield from (each.table for each in datamap.targets if each.store not in silent)
    for path in [*(each.path for each in datamap.tables), *(each.path for each in datamap.files)]:
        if path.store not in silent:
            yield path.table
            yield from (hop.table for hop in path.hops)


def _in_time(run: Run, wanted: Wanted) -> bool:
    return any(
        (wanted.since is None or at >= wanted.since) and (wanted.until is None or at < wanted.until)
        for at in run.started
    )


def _runs(desk: Desk) -> Iterator[Run]:
    """Every decision under which collecting was begun."""
    for line in docket():
        case = load_case(line.case_id)
        started: dict[str, list[dt.datetime]] = {}
        refs: dict[str, str] = {}
        for event in case.events:
            if event.kind == "ProductionStarted":
                digest = event.text("decision_sha256")
                started.setdefault(digest, []).append(parse_instant(event.recorded_at))
                refs[digest] = event.text("target")
        for digest, times in started.items():
            yield _run(desk, case, refs[digest], digest, times)


def _run(desk: Desk, case: Case, ref: str, digest: str, started: list[dt.datetime]) -> Run:
    named = [event for event in case.events if event.body.get("decision_sha256") == digest]
    made = next((event for event in named if event.kind == "DataProduced"), None)
    found = next((event.text("subject") for event in named if event.kind == "TargetResolved"), "one")
    last = made or next((event for event in named if event.kind == "AccountsFound"), None)
    ended = parse_instant(last.recorded_at) if last is not None else None
    asked = _asked(desk, case, ref)
    if asked is None:
        return Run(digest, started, ended, None)
    counted: Any = made.body["tables"] if made is not None else []
    answered = {(each["store"], each["table"]) for each in counted if each["status"] != "failed"}
    sure = [asked.resolving]
    unsure = list(asked.further)
    for key, queries in asked.tables.items():
        (sure if key in answered and found == "one" else unsure).extend(queries)
    return Run(digest, started, ended, sure, unsure, len({store for store, _ in asked.tables}) or 1)


def _asked(desk: Desk, case: Case, ref: str) -> Asked | None:
    """What the target's plan asks; None where the case is erased, or the map changed since."""
    try:
        _, plan = authorised(desk, case, ref)
    except DueprocessError:
        return None
    if plan.plan_sha256 != case.target(ref).plan_sha256:
        return None
    resolves = plan.item.target.kind != "account"
    return statements(plan, desk.datamap.route("account") if resolves else None)

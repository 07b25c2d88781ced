"""A database's log against the ledger: which reads were a production's own, and which were made beside the tool.

A production names itself to the database by its decision, and asks what its plan says, each query once in a run.
Whoever copies the name asks something else, or too often, or at another time, and is listed.
"""

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from dueprocess.audit.csvlog import Statement
from dueprocess.audit.sqltext import one_line, without_values
from dueprocess.wire import Json, instant

BEFORE, AFTER = dt.timedelta(minutes=1), dt.timedelta(hours=1)
"""How far a production's queries may lie before its start (clocks differ) and after it (a big account takes long)."""

_NAME = re.compile(r"dueprocess [0-9a-f]{16}")
_MAP_CHECK = re.compile(r'SELECT 1 FROM "[^"]+" (?:a )?WHERE ')


def application_name(decision_sha256: str) -> str:
    """How a production names itself to a database: it is in the log beside each of its statements."""
    return f"dueprocess {decision_sha256[:16]}"


@dataclass(frozen=True, slots=True)
class Run:
    """One production of the ledger: when it was started (each try), and what it may ask."""

    decision_sha256: str
    started: Sequence[dt.datetime]
    ended: dt.datetime | None
    """When its parcel was recorded; None where no try succeeded."""
    asked: Sequence[str] | None
    """Queries that a try asks once, as text with ``$1`` for values. None where the plan is gone."""
    may_ask: Sequence[str] = ()
    """Further queries that a try asks at most once."""
    connections: int = 1
    """How many databases a try opens, each once."""

    def within(self, at: dt.datetime) -> bool:
        """Whether a query at this time can be of one of its tries."""
        newest = max([*self.started, *([self.ended] if self.ended else [])])
        return min(self.started) - BEFORE <= at < newest + AFTER


@dataclass(frozen=True, slots=True)
class Beside:
    """A read that is no production's own."""

    statement: Statement
    why: str

    def as_json(self) -> dict[str, Json]:
        each = self.statement
        return {
            "at": instant(each.at),
            "role": each.role,
            "client": each.client,
            "application": printable(each.application),
            "why": self.why,
            "statement": without_values(each.text),
        }


def printable(text: str) -> str:
    """A name that anybody may choose, cut and without control characters."""
    return "".join(each if each.isprintable() else "?" for each in text[:64])


@dataclass(slots=True)
class Reconciled:
    """What came of comparing."""

    own: Counter[str] = field(default_factory=Counter)
    """Decision → how many of the statements are its own."""
    beside: list[Beside] = field(default_factory=list)
    untraced: list[str] = field(default_factory=list)
    """Decisions whose production left no trace in the log."""
    incomplete: dict[str, int] = field(default_factory=dict)
    """Decision → how many of its queries the log does not hold."""
    map_checks: int = 0


def reconcile(
    statements: Iterable[Statement], runs: Sequence[Run], *, compare_times: bool = True
) -> Reconciled:
    """Tells a production's own reads from the others. ``compare_times`` is False where the clock is simulated."""
    found = Reconciled()
    named = {application_name(each.decision_sha256): each for each in runs}
    used = {name: _Used() for name in named}
    for each in statements:
        why = _why_beside(each, named, used, compare_times=compare_times)
        if why is None:
            found.own[named[each.application].decision_sha256] += 1
        elif each.application == "dueprocess" and _MAP_CHECK.match(each.text):
            found.map_checks += 1
        else:
            found.beside.append(Beside(each, why))
    for name, run in named.items():
        _missing(found, run, used[name].queries)
    return found


@dataclass(slots=True)
class _Used:
    """What was put down to one decision so far."""

    queries: Counter[str] = field(default_factory=Counter)
    sessions: set[str] = field(default_factory=set)


def _why_beside(
    each: Statement, named: Mapping[str, Run], used: Mapping[str, _Used], *, compare_times: bool
) -> str | None:
    """Why this is no production's own read; None where it is one."""
    run = named.get(each.application)
    if run is None:
        claims = _NAME.fullmatch(each.application) is not None
        return (
            "it gives itself the name of a production that the ledger does not know"
            if claims
            else "not by the tool"
        )
    if compare_times and not run.within(each.at):
        return "under the name of a production, at a time when it did not run"
    if run.asked is None:
        return "under the name of a production whose plan cannot be compared any more"
    text = one_line(each.text)
    allowed = Counter(map(one_line, [*run.asked, *run.may_ask]))[text]
    if not allowed:
        return "under the name of a production, but not one of its queries"
    before = used[each.application]
    if before.queries[text] >= allowed * len(run.started):
        return "a query of a production, asked more often than the production asks it"
    if len(before.sessions | {each.session}) > run.connections * len(run.started):
        return "a query of a production, from more connections than the production makes"
    before.queries[text] += 1
    before.sessions.add(each.session)
    return None


def _missing(found: Reconciled, run: Run, used: Counter[str]) -> None:
    if run.asked is None or run.ended is None:
        return
    missing = sum((Counter(map(one_line, run.asked)) - used).values())
    if not used:
        found.untraced.append(run.decision_sha256)
    elif missing:
        found.incomplete[run.decision_sha256] = missing

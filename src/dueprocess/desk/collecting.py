"""Collecting by hand, around its step: the tasks of an approved disclosure, a person's answer, and its way into
the package.

Nobody collects before the whole gate stands open, as it must for the production worker. What a person gives goes
record by record into the vault, and from there into the package alone.
"""

import datetime as dt
import secrets
import unicodedata
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from dueprocess.cases.case import Case
from dueprocess.cases.collect import (
    MOST_FILES,
    Collected,
    Outcome,
    TableName,
    answer_to,
    refuse_late,
    unanswered,
)
from dueprocess.cases.events import Event
from dueprocess.desk.collectedparts import (
    KIND,
    HandShelf,
    drop_parts,
    drop_replaced,
    manifest_of,
    needed_names,
    shelf_of,
)
from dueprocess.desk.demands import authorised
from dueprocess.desk.desk import Desk
from dueprocess.desk.gatekeeping import last_look, prove
from dueprocess.errors import BrokenError, DueprocessError, MalformedError, RefusedError
from dueprocess.history.append import load_case
from dueprocess.history.leases import Clock, leased
from dueprocess.parcel import SourceNote
from dueprocess.plan import Plan, TableQuery
from dueprocess.production import handwork
from dueprocess.production.handwork import HandAnswer, ManualStore, take_files
from dueprocess.steps import collect as steps
from dueprocess.wire import Json, b64, digest_of

MOST_WHY = 500
SOURCE = "docs/manual-collection.md"


class Of(NamedTuple):
    """Whose table: a case, a target of it, and the table as ``store.label``."""

    case_id: str
    ref: str
    table: str


@dataclass(frozen=True, slots=True)
class Said:
    """A person's answer: files with records, that nothing is held, or why it failed. Exactly one of them.

    ``failed`` goes into the answer package as it stands, and into no event, log or report.
    """

    files: Sequence[Path] = ()
    nothing_held: bool = False
    failed: str | None = None

    @property
    def outcome(self) -> Outcome:
        """Which of the three. Refuses none of them and more than one."""
        if sum((bool(self.files), self.nothing_held, self.failed is not None)) != 1:
            raise MalformedError(
                "one-answer",
                "An answer is files with records, or that nothing is held, or why it failed.",
                do="Give --file (as often as needed), or --nothing-held, or --failed.",
            )
        return "found" if self.files else "nothing_held" if self.nothing_held else "failed"


@dataclass(frozen=True, slots=True)
class Task:
    """One table that a person collects for a target, and what was said about it so far."""

    query: TableQuery
    subject: str
    answer: Event | None

    @property
    def name(self) -> str:
        return f"{self.query.store}.{self.query.label}"

    @property
    def columns(self) -> tuple[str, ...]:
        """What a file must hold."""
        return handwork.wanted_columns(self.query)


def tasks(desk: Desk, case_id: str, ref: str, *, now: dt.datetime) -> list[Task]:
    """What people collect for a target. Refuses until the gate stands open: before that it is nobody's business."""
    case, plan = _opened(desk, case_id, ref, now)
    return _tasks(case, ref, plan)


def collect(desk: Desk, of: Of, said: Said, *, actor: str, now: Clock, clock: Clock | None = None) -> Event:
    """Takes one answer in, whole or not at all, and records it. A later one replaces it until the package is made.

    ``now`` is the installation's clock, ``clock`` the one by which leases last. Refuses through the gate, before the
    first record is read and again when it is recorded; and while the production worker is at this target.
    """
    outcome, why = said.outcome, _why(said.failed)
    case, plan = _opened(desk, of.case_id, of.ref, now())
    query = _query(plan, of.table)
    decision = str(case.target(of.ref).decision_sha256)
    table = (query.store, query.label)
    shelf = shelf_of(desk, case, decision, table)
    with leased([f"target {of.case_id}:{of.ref}"[:80]], clock or now) as leases:
        try:
            taken = _taken(query, plan, said, shelf)
            manifest = _manifest(plan, query, taken, (decision, outcome, why))
            desk.vault.put_json(of.case_id, f"{KIND}:{digest_of(manifest)}", manifest)
            leases.check()
            files = [str(each["sha256"]) for each in taken.files]
            made = Collected(of.ref, decision, table, outcome, files, taken.rows, digest_of(manifest))
            event = _record(desk, made, of.case_id, actor, now())
        except BaseException:
            _forget(desk, of, shelf)
            raise
        drop_replaced(desk, load_case(of.case_id), of.ref)
    return event


def unanswered_tables(desk: Desk, case: Case, ref: str) -> list[str]:
    """The tables of a target, as ``store.label``, for which production waits for a person."""
    if not any(each.by_hand for each in desk.datamap.stores):
        return []
    _, plan = authorised(desk, case, ref)
    return [".".join(each) for each in unanswered(case.target(ref), _by_hand(plan))]


def stores_by_hand(desk: Desk, case: Case, ref: str, plan: Plan) -> dict[str, ManualStore]:
    """What people collected for a plan, as stores by name. Refuses while a table has no answer.

    Refuses, too, what is not as it was checked when it was collected.
    """
    state = case.target(ref)
    missing = unanswered(state, _by_hand(plan))
    if missing:
        names = ", ".join(".".join(each) for each in missing)
        raise RefusedError(
            "not-collected",
            f"A person has to collect by hand first: {names}.",
            why="No program reads these tables, and silence is not the same as nothing held.",
            do=f"Look at what is to be collected: dueprocess collect {case.case_id[:8]} {ref}",
            source=SOURCE,
        )
    answers: dict[str, dict[str, HandAnswer]] = {}
    for query in plan.tables:
        event = answer_to(state, (query.store, query.label))
        if query.by_hand and event is not None:
            answers.setdefault(query.store, {})[query.label] = _answer(desk, case, plan, query, event)
    return {name: ManualStore(name, found) for name, found in answers.items()}


def source_notes(desk: Desk, case: Case, ref: str, plan: Plan) -> tuple[SourceNote, ...]:
    """Who collected what by hand, when, and from which files; staff by their opaque ids alone."""
    state = case.target(ref)
    staff = {each.id for each in desk.roster().entries.values() if each.roster == "staff"}
    notes = []
    for store, label in _by_hand(plan):
        event = answer_to(state, (store, label))
        if event is not None:
            by = event.actor if event.actor in staff else ""
            files = event.body["files"]
            digests = tuple(map(str, files)) if isinstance(files, list) else ()
            notes.append(SourceNote(store, "hand", event.recorded_at, table=label, by=by, files=digests))
    return tuple(notes)


def forget_produced(desk: Desk, case: Case, ref: str) -> None:
    """Removes the records of everything that was collected by hand for a target. Can be run again."""
    drop_parts(desk, case, case.target(ref).collected)


# ---------------------------------------------------------------------------------------------- the gate


def _opened(desk: Desk, case_id: str, ref: str, now: dt.datetime) -> tuple[Case, Plan]:
    """The case and the plan that two people approved, with the gate of production open."""
    case = load_case(case_id)
    refuse_late(case.target(ref))
    proof = prove(desk, case_id)
    case = load_case(case_id)
    last_look(desk, ref, "produce", proof, now)(case)
    return case, authorised(desk, case, ref)[1]


def _record(desk: Desk, made: Collected, case_id: str, actor: str, now: dt.datetime) -> Event:
    look = last_look(desk, made.ref, "produce", prove(desk, case_id), now)
    return steps.collect(case_id, desk.hand(actor, now, case_id), made, look=look)


# ---------------------------------------------------------------------------------------------- one answer


def _taken(query: TableQuery, plan: Plan, said: Said, shelf: HandShelf) -> handwork.Collected:
    if not said.files:
        return handwork.Collected()
    if len(said.files) > MOST_FILES:
        raise RefusedError("too-many-files", f"At most {MOST_FILES} files are taken at once.")
    return take_files(query, plan.target.value, said.files, shelf)


def _manifest(
    plan: Plan, query: TableQuery, taken: handwork.Collected, how: tuple[str, str, str]
) -> dict[str, Json]:
    decision, outcome, why = how
    return {
        "v": 1,
        "nonce": b64(secrets.token_bytes(32)),
        "decision_sha256": decision,
        "plan_sha256": plan.plan_sha256,
        "query": query.as_json(),
        "subject": plan.target.value,
        "outcome": outcome,
        "why": why,
        "files": list[Json](taken.files),
        "rows": taken.rows,
        "parts": list[Json](taken.parts),
    }


def _forget(desk: Desk, of: Of, shelf: HandShelf) -> None:
    """Removes what a refused attempt has put into the vault, but nothing that an answer names."""
    with suppress(DueprocessError):
        kept = needed_names(desk, load_case(of.case_id), of.ref)
        for name in set(shelf.written) - kept:
            desk.vault.drop(of.case_id, name)


def _answer(desk: Desk, case: Case, plan: Plan, query: TableQuery, event: Event) -> HandAnswer:
    found: Any = manifest_of(desk, case, event)
    expected = {
        "decision_sha256": event.body["decision_sha256"],
        "plan_sha256": plan.plan_sha256,
        "query": query.as_json(),
        "subject": plan.target.value,
        "outcome": event.body["outcome"],
        "rows": event.body["rows"],
    }
    if any(found[name] != value for name, value in expected.items()):
        raise BrokenError(
            "collected-altered",
            f"What the vault keeps of {query.store}.{query.label} was collected for something else.",
            why="It does not say what the approved plan and history say.",
            do="Stop. Find out who changed the vault; then collect it again: dueprocess collect.",
            source=SOURCE,
        )
    shelf = shelf_of(desk, case, event.text("decision_sha256"), (query.store, query.label))
    files = tuple(str(each["sha256"]) for each in found["files"])
    return HandAnswer(found["outcome"], found["subject"], files, found["parts"], shelf, found["why"])


def _why(text: str | None) -> str:
    """The operator's words. Refuses what is no plain line: it stands in a page for a court."""
    if text is None:
        return ""
    told = text.strip()
    if not told or len(told) > MOST_WHY or any(unicodedata.category(each)[0] == "C" for each in told):
        raise MalformedError(
            "bad-reason",
            f"Why it failed is one line of 1 to {MOST_WHY} characters.",
            do="It stands in the answer package as you write it: name nobody.",
        )
    return told


# ---------------------------------------------------------------------------------------------- tables


def _by_hand(plan: Plan) -> list[TableName]:
    return [(query.store, query.label) for query in plan.tables if query.by_hand]


def _tasks(case: Case, ref: str, plan: Plan) -> list[Task]:
    state = case.target(ref)
    return [
        Task(query, plan.target.value, answer_to(state, (query.store, query.label)))
        for query in plan.tables
        if query.by_hand
    ]


def _query(plan: Plan, table: str) -> TableQuery:
    names = {f"{query.store}.{query.label}": query for query in plan.tables if query.by_hand}
    if table not in names:
        raise RefusedError(
            "no-such-table",
            "The plan of this target has no such table for a person to collect.",
            do=f"Choose from: {', '.join(names)}." if names else "Nothing is to be collected by hand here.",
            source=SOURCE,
        )
    return names[table]

"""Where what people collected by hand lies in the vault, and when it goes.

For each answer there is a list (the manifest) whose digest history names; it names the parts. They lie under the
case's own key. Parts that no answer needs any more are removed: when another one replaces it, and with the parcel.
"""

import hashlib
from collections.abc import Container, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from dueprocess.cases.case import Case, TargetState
from dueprocess.cases.collect import TableName, answer_to
from dueprocess.cases.events import Event
from dueprocess.desk.desk import Desk, named
from dueprocess.errors import BrokenError, DueprocessError, RefusedError
from dueprocess.production.handwork import get_object
from dueprocess.vault import Vault

KIND = "collected"
"""Objects are called ``collected:<digest of the manifest>``, and their parts ``collected-part:<table>:<digest>``."""


@dataclass(slots=True)
class HandShelf:
    """The place of one table's records in the vault, under one decision."""

    vault: Vault
    case_id: str
    place: str
    written: list[str] = field(default_factory=list)

    def put(self, name: str, data: bytes) -> None:
        self.written.append(self.called(name))
        self.vault.put(self.case_id, self.called(name), data)

    def get(self, name: str) -> bytes:
        try:
            return self.vault.get(self.case_id, self.called(name))
        except RefusedError as error:
            raise BrokenError(
                "collected-gone",
                "A part of what was collected by hand is not in the vault any more.",
                do="Restore the vault from a backup, or collect it again: dueprocess collect.",
                source="docs/manual-collection.md",
            ) from error

    def called(self, name: str) -> str:
        return f"{KIND}-part:{self.place}:{name.removeprefix('object:')}"


def shelf_of(desk: Desk, case: Case, decision_sha256: str, table: TableName) -> HandShelf:
    """The shelf of a table: another one for each decision, so that removing one answer leaves the others."""
    place = hashlib.sha256("\n".join((decision_sha256, *table)).encode()).hexdigest()[:16]
    return HandShelf(desk.vault, case.case_id, place)


def manifest_of(desk: Desk, case: Case, event: Event) -> Any:
    """The list of what was collected. Refuses another one than history names."""
    return named(desk, case.case_id, KIND, event.text("manifest_sha256"))


def part_names(desk: Desk, case: Case, event: Event) -> list[str]:
    """The names of an answer's parts in the vault, whether they are there or not."""
    shelf = _shelf(desk, case, event)
    return [shelf.called(each["sha256"]) for each in manifest_of(desk, case, event)["parts"]]


def needed_names(desk: Desk, case: Case, ref: str) -> set[str]:
    """The names of the parts of every answer of a target that counts."""
    return {name for event in _counting(case.target(ref)) for name in part_names(desk, case, event)}


def drop_replaced(desk: Desk, case: Case, ref: str) -> None:
    """Removes the records of a target's answers that no answer which counts needs any more. Can be run again."""
    drop_parts(desk, case, case.target(ref).collected, but=needed_names(desk, case, ref))


def drop_parts(desk: Desk, case: Case, events: Iterable[Event], *, but: Container[str] = ()) -> None:
    """Removes the records of these answers; the lists with their digests stay. Can be run again."""
    for event in events:
        # A list that is gone or altered names nothing; `check` says so.
        with suppress(BrokenError, RefusedError):
            for name in part_names(desk, case, event):
                if name not in but:
                    desk.vault.drop(case.case_id, name)


def _counting(state: TargetState) -> list[Event]:
    return [event for event in state.collected if answer_to(state, _table(event)) is event]


def collected_faults(desk: Desk, case: Case) -> Iterator[tuple[str, str, str]]:
    """(target, what, invariant) for each answer that counts, is still needed, and is not as it was put there."""
    for ref, state in case.targets.items():
        needed = _counting(state) if state.produced is None and not state.rejected else ()
        for event in needed:
            yield from ((ref, what, "I7") for what in _fault(desk, case, event))


def collected_names(desk: Desk, case: Case) -> list[str]:
    """The names of every part that any answer in a case's history names, whether it counts or not."""
    events = [event for event in case.events if event.kind == "CollectedByHand"]
    return [name for event in events for name in part_names(desk, case, event)]


def _fault(desk: Desk, case: Case, event: Event) -> Iterator[str]:
    try:
        shelf = _shelf(desk, case, event)
        for each in manifest_of(desk, case, event)["parts"]:
            get_object(shelf, each["sha256"])
    except DueprocessError as error:
        yield error.what


def _shelf(desk: Desk, case: Case, event: Event) -> HandShelf:
    return shelf_of(desk, case, event.text("decision_sha256"), _table(event))


def _table(event: Event) -> TableName:
    return event.text("store"), event.text("table")

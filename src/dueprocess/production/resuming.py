"""Resuming: tables of a slow store that an earlier run of the same production had read to their end.

A production that was interrupted begins again. A warehouse may take an hour for one table, so what comes out of such a
store goes onto a shelf of the vault as well, on its way into the parcel. The next run of the same decision and the same
plan takes a whole table from there. Nothing on the shelf is ever needed: whatever does not fit any more, or cannot be
put there, costs the time to read the table once more and nothing else.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import pyarrow as pa

from dueprocess.errors import BrokenError, ConflictError, DueprocessError, RefusedError
from dueprocess.plan import TableQuery
from dueprocess.production.stores.facts import Checked, Subject
from dueprocess.production.stores.held import Parts, get_object, stored_batches
from dueprocess.wire import Json, canonical, digest_of, instant, parse_instant, parse_json

KEPT_FOR = dt.timedelta(days=3)
"""So long a table that was read may be used: a weekend on which nobody looks. After that the store is asked again."""


class Shelf(Protocol):
    """The place in the vault where runs of one production keep tables for each other."""

    def put(self, name: str, data: bytes, /) -> None: ...
    def get(self, name: str, /) -> bytes: ...
    def drop(self, name: str, /) -> None: ...


@dataclass(frozen=True, slots=True)
class ReadBefore:
    """One table as an earlier run read it, whole, between two instants in whole seconds."""

    shelf: Shelf
    parts: Sequence[Mapping[str, Any]]
    read_from: dt.datetime
    read_until: dt.datetime

    def batches(self) -> Iterator[Checked]:
        """The records as the store gave them. What happens to the shelf meanwhile ends the run, not this one table."""
        try:
            yield from stored_batches(self.shelf, self.parts)
        except DueprocessError as error:
            raise ConflictError(
                "kept-read-gone",
                "What an earlier run had read went away or changed while it was taken into the parcel.",
                why=error.what,
                do="Run the production again: it reads this table from its store.",
                source="docs/lakes.md",
            ) from error


@dataclass(slots=True)
class EarlierRuns:
    """What the runs of one production keep for each other, and whatever of it has to be said."""

    shelf: Shelf
    decision_sha256: str
    plan_sha256: str
    clock: Callable[[], dt.datetime]
    _notes: list[str] = field(default_factory=list)

    def notes(self) -> str:
        """What was thrown away, or could not be kept, since this was last asked; empty where there is nothing."""
        said = "; ".join(self._notes)
        self._notes.clear()
        return said

    def found(self, query: TableQuery, subject: Subject) -> ReadBefore | None:
        """The table as an earlier run read it, every part of it looked at; None where the store has to be asked.

        Other decision, plan, query or account, too old, or damaged: it is worth nothing.
        """
        try:
            read = self._read(query, subject)
            for part in read.parts:
                self._look_at(str(part["sha256"]))
        except RefusedError:
            return None
        except DueprocessError as error:
            self._note(query, "what an earlier run had read of it cannot be used, it is read again", error)
            return None
        return read

    def _look_at(self, digest: str) -> None:
        """Takes a damaged part away, so that it can be put there again."""
        try:
            get_object(self.shelf, digest)
        except BrokenError:
            self.shelf.drop(f"object:{digest}")
            raise

    def _read(self, query: TableQuery, subject: Subject) -> ReadBefore:
        told: Any = parse_json(self.shelf.get(_name(query)), "list of what was read")
        try:
            since, until = parse_instant(told["read_from"]), parse_instant(told["read_until"])
            fits = told["of"] == self._of(query, subject) and until <= self.clock() < until + KEPT_FOR
            parts = [{"sha256": str(part["sha256"])} for part in told["parts"]]
        except (KeyError, TypeError, DueprocessError) as error:
            raise BrokenError("kept-read-altered", "Its list has another shape.") from error
        if not fits:
            raise RefusedError("kept-read-other", "It is of another account or query, or too old.")
        return ReadBefore(self.shelf, parts, since, until)

    def keeping(self, query: TableQuery, subject: Subject, batches: Iterator[Checked]) -> Iterator[Checked]:
        """The same batches, of which a copy is kept; it counts when the last of them was taken without a fault."""
        began, parts = self.clock(), Parts(self.shelf)
        keeping = self._kept(query, lambda: self.shelf.drop(_name(query)))
        for checked in batches:
            keeping = keeping and self._kept(query, lambda each=checked: parts.add(_bare(each)))  # type: ignore[misc]
            yield checked
        if keeping:
            self._kept(query, lambda: self._finish(query, subject, parts, began))

    def _finish(self, query: TableQuery, subject: Subject, parts: Parts, began: dt.datetime) -> None:
        parts.close()
        told: dict[str, Json] = {
            "of": self._of(query, subject),
            "read_from": instant(began.replace(microsecond=0)),
            "read_until": instant(self.clock().replace(microsecond=0)),
            "rows": parts.rows,
            "parts": list[Json](parts.made),
        }
        self.shelf.put(_name(query), canonical(told))

    def _of(self, query: TableQuery, subject: Subject) -> dict[str, Json]:
        """What a table was read for. All of it has to be the same again."""
        return {
            "v": 1,
            "decision_sha256": self.decision_sha256,
            "plan_sha256": self.plan_sha256,
            "store": query.store,
            "label": query.label,
            "query_sha256": digest_of(query.as_json()),
            "subject": ["int" if isinstance(subject, int) else "text", str(subject)],
        }

    def _kept(self, query: TableQuery, act: Callable[[], object]) -> bool:
        """Whether it could be kept. What the vault or Arrow says against it is no fault of the table."""
        try:
            act()
        except (DueprocessError, pa.ArrowException) as error:
            self._note(query, "it cannot be kept for a next run", error)
            return False
        return True

    def _note(self, query: TableQuery, words: str, error: Exception) -> None:
        why = error.what if isinstance(error, DueprocessError) else type(error).__name__
        self._notes.append(f"{query.store}.{query.label}: {words}: {why}")


def _name(query: TableQuery) -> str:
    return f"read:{query.store}.{query.label}"


def _bare(checked: Checked) -> Checked:
    """Without the times by which the snapshot of a hold is cut: they go into no parcel."""
    return Checked(checked.rows, checked.redacted)

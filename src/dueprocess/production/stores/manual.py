"""A store that no program reads: what it gives is what a person collected, and nothing is asked of anybody.

The person's file was checked and masked record by record before the vault took it. What comes out of the vault is
compared once more with the query that two people approved; a part that does not fit is no record.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pyarrow.compute as pc

from dueprocess.errors import BrokenError, UnavailableError
from dueprocess.plan import TableQuery, TargetQuery
from dueprocess.production.stores.check import within_window
from dueprocess.production.stores.facts import Checked, ColumnFacts, Subject
from dueprocess.production.stores.held import AT, Shelf, stored_batches

Outcome = Literal["found", "nothing_held", "failed"]


@dataclass(frozen=True, slots=True)
class HandAnswer:
    """What a person said about one table: the records that they collected, that there are none, or why it failed.

    ``files`` are the SHA-256 of the files that they gave. ``why`` goes into the answer package and nowhere else.
    """

    outcome: Outcome
    subject: str
    files: tuple[str, ...] = ()
    parts: Sequence[Mapping[str, Any]] = ()
    shelf: Shelf | None = None
    why: str = ""


class ManualStore:
    """The tables of one store that a person collects, with the person's answers by label."""

    slow = False

    def __init__(self, name: str, answers: Mapping[str, HandAnswer] | None = None) -> None:
        self.name = name
        self._answers = answers or {}

    def resolve(self, query: TargetQuery, /) -> Subject | None:
        """What the paper names. Nobody looks it up: the map has no database, and a person goes by the name."""
        return query.value

    def batches(self, query: TableQuery, subject: Subject, /) -> Iterator[Checked]:
        """The records as the vault keeps them. Raises what the person said where they could not collect it.

        Refuses an answer about another account, and records outside of the query.
        """
        answer = self._answers.get(query.label)
        if answer is None:
            raise UnavailableError(
                "not-collected",
                f"Nobody has collected {query.store}.{query.label} by hand.",
                do="Run dueprocess collect.",
            )
        if answer.subject != subject:
            raise _altered(query, "is about another account")
        if answer.outcome == "failed":
            raise UnavailableError(
                "collecting-failed",
                f"A person was to collect {query.store}.{query.label} by hand, and could not.",
                why=answer.why,
            )
        return self._kept(query, answer)

    def _kept(self, query: TableQuery, answer: HandAnswer) -> Iterator[Checked]:
        rows = 0
        for each in stored_batches(answer.shelf, answer.parts) if answer.shelf is not None else ():
            rows += each.rows.num_rows
            yield _fitting(query, each)
        if (rows > 0) != (answer.outcome == "found"):
            raise _altered(query, "has another number of records")

    def columns(self, _table: str, /) -> Mapping[str, ColumnFacts]:
        """None: there is no live schema."""
        return {}

    def has_twice(self, _table: str, _column: str, /) -> bool:
        return False

    def meets(self, _table: str, _column: str, _other: str, _key: str, /) -> bool:
        return True

    def text(self, query: TableQuery, /) -> str:
        """A comment: no query was sent."""
        answer = self._answers.get(query.label)
        said = "-- no query: a person collects this table by hand"
        files = answer.files if answer is not None else ()
        return "\n".join([said, *(f"-- SHA-256 of the collected file: {each}" for each in files)])

    def close(self) -> None:
        """Nothing was opened."""


def _fitting(query: TableQuery, stored: Checked) -> Checked:
    """The stored records, if they are the query's columns and inside its window."""
    names = [column.name for column in query.columns]
    time = query.path.time
    if stored.rows.schema.names != [*names, *([AT] if time is not None else [])]:
        raise _altered(query, "has other columns")
    if time is not None:
        at = stored.rows.schema.field(AT)
        if not pc.all(within_window(query, time, stored.rows.column(AT), at)).as_py():
            raise _altered(query, "has records outside of the window")
    return Checked(stored.rows.select(names), stored.redacted, stored.times)


def _altered(query: TableQuery, how: str) -> BrokenError:
    return BrokenError(
        "collected-altered",
        f"What the vault keeps of {query.store}.{query.label} {how}.",
        why="It is not what was checked when a person collected it.",
        do="Stop. Find out who changed the vault; then collect it again: dueprocess collect.",
        source="docs/manual-collection.md",
    )

"""Collecting by hand: a person's files, record by record, through the same checks as a store's, onto a shelf.

The files are read once and never copied; what is kept is encrypted by the shelf. A record that is not this account's,
or lies outside of the window, refuses everything: whoever collected it looked into something else as well.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dueprocess.errors import MalformedError, RefusedError
from dueprocess.plan import Constant, TableQuery, inside
from dueprocess.production.stores.arrow import BATCH_BYTES, BATCH_ROWS, record_batch
from dueprocess.production.stores.check import checked
from dueprocess.production.stores.facts import Checked, Row
from dueprocess.production.stores.handfiles import HandFile
from dueprocess.production.stores.held import Parts, Shelf, get_object
from dueprocess.production.stores.manual import HandAnswer, ManualStore, Outcome
from dueprocess.wire import Json

__all__ = [
    "Collected",
    "HandAnswer",
    "ManualStore",
    "Outcome",
    "Shelf",
    "get_object",
    "take_files",
    "wanted_columns",
]

_SOURCE = "docs/manual-collection.md"
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_WHOLE = ("s", "ms", "us")
_TRUTH = {"true": True, "false": False}


@dataclass(slots=True)
class Collected:
    """What was put onto the shelf: a line for each file (digest, bytes, records), and each part by digest."""

    files: list[dict[str, Json]] = field(default_factory=list)
    parts: list[dict[str, Any]] = field(default_factory=list)
    rows: int = 0


def wanted_columns(query: TableQuery) -> tuple[str, ...]:
    """The columns that a file must have, each once: whose the record is, when it was, what the map tells it by, then
    those that leave.
    """
    path = query.path
    time = (path.time.column,) if path.time is not None else ()
    told = (path.subject, *time, *path.absent, *(name for name, _ in path.equals))
    return tuple(dict.fromkeys((*told, *(column.name for column in query.columns))))


def take_files(query: TableQuery, subject: str, paths: Sequence[Path], shelf: Shelf) -> Collected:
    """Puts every record of these files onto the shelf, checked and with other people masked.

    Refuses all of them at the first record of another account, outside of the window, of other columns, beyond the
    map's most rows, or in a file that is not strict; and files without any record, because silence is no answer.
    """
    made, parts = Collected(), Parts(shelf)
    for number, path in enumerate(paths, start=1):
        reading = _Reading(query, subject, HandFile(path, number, wanted_columns(query)), made.rows)
        for each in reading.batches():
            parts.add(each)
        file = reading.file
        made.files.append({"sha256": file.sha256, "bytes": file.size, "rows": reading.rows - made.rows})
        made.rows = reading.rows
    parts.close()
    if not made.rows:
        raise RefusedError(
            "no-records",
            "There is no record in what was given.",
            do="If you looked and nothing is held, say so: --nothing-held.",
            source=_SOURCE,
        )
    made.parts = parts.made
    return made


class _Reading:
    """One file's records in batches, each record looked at by itself first, so that a refusal can name its line."""

    def __init__(self, query: TableQuery, subject: str, file: HandFile, before: int) -> None:
        self.file = file
        self.rows = before
        self._query = query
        self._subject = subject

    def batches(self) -> Iterator[Checked]:
        """About four megabytes at a time, through the check that every store's records pass."""
        held, first, since = list[list[object]](), 0, 0
        for row in self.file.rows():
            held.append(self._values(row))
            first = first or self.file.line
            if self.file.size - since >= BATCH_BYTES or len(held) == BATCH_ROWS:
                yield self._checked(held, first)
                held, first, since = [], 0, self.file.size
        if held:
            yield self._checked(held, first)

    def _checked(self, rows: list[list[object]], first: int) -> Checked:
        try:
            return checked(self._query, self._subject, record_batch(list(zip(*rows, strict=True))))
        except MalformedError as error:
            raise MalformedError(
                error.code,
                f"File {self.file.number}, lines {first} to {self.file.line}: {error.what}",
                do="Correct the file and run the same command again.",
                source=_SOURCE,
            ) from error

    def _values(self, row: Row) -> list[object]:
        """What the check looks at, then what leaves. Refuses a record that is not this query's."""
        self.rows += 1
        if self.rows > self._query.cap:
            raise self._refused(
                f"there are more than {self._query.cap} records, the most that the data map lets this table give."
            )
        path = self._query.path
        if row[path.subject] != self._subject:
            raise self._refused("this record is of another account.")
        controls: list[object] = [row[path.subject], *self._time(row)]
        for name in path.absent:
            self._refuse_present(row, name)
            controls.append(None)
        controls += [self._equal(row, name, value) for name, value in path.equals]
        return [*controls, *(row[column.name] for column in self._query.columns)]

    def _time(self, row: Row) -> list[object]:
        time, window = self._query.path.time, self._query.window
        if time is None or window is None:
            return []
        value = row[time.column]
        if self.file.is_csv and time.unit in _WHOLE and _NUMBER.fullmatch(str(value)):
            value = int(str(value))
        try:
            within = inside(window, value, time.unit, time.zone)
        except MalformedError as error:
            raise self.file.wrong(
                f"the column {time.column!r} is no time of the unit {time.unit!r}."
            ) from error
        if not within:
            raise self._refused("this record lies outside of the window.")
        return [value]

    def _refuse_present(self, row: Row, name: str) -> None:
        """A cell of a CSV is empty where a database has nothing."""
        if row[name] is not None and not (self.file.is_csv and row[name] == ""):
            raise self._refused(f"the column {name!r} is not empty, and the map leaves such records out.")

    def _equal(self, row: Row, name: str, wanted: Constant) -> Constant:
        value = row[name]
        if self.file.is_csv and not isinstance(wanted, str):
            value = _typed(str(value))
        if type(value) is not type(wanted) or value != wanted:
            raise self._refused(
                f"the column {name!r} is not {wanted!r}, and the map leaves such records out."
            )
        return wanted

    def _refused(self, what: str) -> RefusedError:
        return RefusedError(
            "wrong-row",
            f"File {self.file.number}, line {self.file.line}: {what}",
            why="Only what two people decided about is taken; a file is taken whole or not at all.",
            do="Find out why it is there, give a file without it, and run the same command again.",
            source=_SOURCE,
        )


def _typed(text: str) -> Constant:
    """The text of a CSV's cell as a whole number or a truth value, where it is one."""
    if text in _TRUTH:
        return _TRUTH[text]
    return int(text) if _NUMBER.fullmatch(text) else text

"""One line of text as a record: its values, its place in the window and in the order, and the columns for the check."""

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from dueprocess.demand import Period
from dueprocess.errors import MalformedError
from dueprocess.plan import TableQuery, inside
from dueprocess.plan.window import micros
from dueprocess.production.stores.arrow import BATCH_BYTES, BATCH_ROWS, record_batch
from dueprocess.production.stores.linetimes import Meanings

type Value = str | bytes | dt.datetime | None

TIME = "time"
"""The group that is read into an instant."""

OVERHEAD = 400
"""Bytes that a record takes in memory beside its line, about."""

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class Record:
    """One line of a table: its groups, and what its time means (None where it has none that can be read)."""

    match: re.Match[str]
    meanings: Meanings | None

    def text(self, name: str) -> str | None:
        """A group as characters; bytes that are no UTF-8 are lone surrogates."""
        return self.match[name]

    def value(self, name: str) -> Value:
        """A group as it leaves: an instant for the time, bytes for what is no UTF-8."""
        if name == TIME:
            return None if self.meanings is None else _EPOCH + dt.timedelta(microseconds=self.meanings[0])
        text = self.text(name)
        if text is None:
            return None
        try:
            text.encode()
        except UnicodeEncodeError:
            return text.encode("utf-8", "surrogateescape")
        return text

    @property
    def weight(self) -> int:
        return len(self.match.string) + OVERHEAD


type Steps = Mapping[str, Record]
"""By table, the record of each step from a line to the subject."""


@dataclass(frozen=True, slots=True)
class Owner:
    """To whom a line leads: the subject as the line of the last table has it, and the lines on the way."""

    subject: Value
    steps: Steps

    def behind(self, table: str, record: Record) -> "Owner":
        """The same owner, one step further away."""
        return Owner(self.subject, {**self.steps, table: record})


@dataclass(frozen=True, slots=True)
class Row:
    """A record as it goes to the check: whose, when, and the columns of its own table by name."""

    subject: Value
    time: Value
    meanings: Meanings | None
    own: Mapping[str, Value]
    weight: int


def row_of(query: TableQuery, record: Record, owner: Owner) -> Row | None:
    """The record with everything that the plan reads of it; None where a time in it cannot be read."""
    path = query.path
    names = [*_controls(query), *(column.name for column in query.columns)]
    names += [name for name in query.order if path.time is None or name != path.time.column]
    own = {name: record.value(name) for name in names}
    if TIME in own and own[TIME] is None and record.text(TIME) is not None:
        return None
    if path.time is None:
        return Row(owner.subject, None, None, own, record.weight)
    timed = owner.steps[path.time.table]
    time = timed.value(path.time.column)
    return None if time is None else Row(owner.subject, time, timed.meanings, own, record.weight)


def _controls(query: TableQuery) -> list[str]:
    return [*query.path.absent, *(name for name, _ in query.path.equals)]


def in_window(query: TableQuery, row: Row) -> bool:
    """Whether the record's time lies in the window; with both of its meanings, where it has two.

    Refuses a text that is no time of the column's unit.
    """
    time, window = query.path.time, query.window
    if time is None:
        return True
    if window is None or window.since is None or window.until is None:
        raise MalformedError("open-window", "A record is checked against a window with both ends.")
    if time.column == TIME and row.meanings is not None:
        return micros(window.since) <= row.meanings[0] and row.meanings[1] < micros(window.until)
    return inside(window, row.time, time.unit, time.zone)


def may_be_inside(query: TableQuery, record: Record) -> bool:
    """Whether a record whose owner is in doubt could lie in the window: without a time of its own, it could."""
    time, window = query.path.time, query.window
    if time is None or time.table != query.path.table or time.column != TIME or record.meanings is None:
        return True
    return _overlaps(window, record.meanings)


def _overlaps(window: Period | None, meanings: Meanings) -> bool:
    if window is None or window.since is None or window.until is None:
        return True
    return micros(window.since) <= meanings[1] and meanings[0] < micros(window.until)


def order_of(query: TableQuery, row: Row) -> tuple[tuple[bool, dt.datetime | bytes], ...]:
    """What a record is sorted by: instants by time, texts by their bytes, what is not there first."""
    time = query.path.time
    values = [row.time if time is not None and name == time.column else row.own[name] for name in query.order]
    return tuple((value is not None, _sortable(value)) for value in values)


def _sortable(value: Value) -> dt.datetime | bytes:
    return value if isinstance(value, dt.datetime | bytes) else (value or "").encode()


def parts_of(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    """The records in pieces of about four megabytes."""
    start, weight = 0, 0
    for number, row in enumerate(rows):
        if number > start and (weight > BATCH_BYTES or number - start >= BATCH_ROWS):
            yield rows[start:number]
            start, weight = number, 0
        weight += row.weight
    if rows:
        yield rows[start:]


def raw_of(query: TableQuery, rows: Sequence[Row]) -> pa.RecordBatch:
    """The columns that the check expects: subject, time, absent, equals, listed."""
    columns: list[list[Value]] = [[row.subject for row in rows]]
    columns += [[row.time for row in rows]] if query.path.time is not None else []
    names = [*_controls(query), *(column.name for column in query.columns)]
    return record_batch([*columns, *([row.own[name] for row in rows] for name in names)])

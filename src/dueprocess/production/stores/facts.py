"""What every store can do, whatever its engine: resolve one target, stream one table, describe itself."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

from dueprocess.errors import UnavailableError
from dueprocess.plan import Owners, TableQuery, TargetQuery, TargetRoute

type Subject = str | int
"""The key under which a store files an account, as its own type."""

type Row = dict[str, object]
"""One record: listed column to value. Control columns are gone, third parties masked."""

JSON_TEXT = {b"dueprocess": b"json"}
"""Metadata of a text field whose values are JSON already: a column in which a store mixes types."""


@dataclass(frozen=True, slots=True)
class Redacted:
    """A value of which a rule took something out: its row in the batch (from 0), column, rule, number of places."""

    row: int
    column: str
    rule: str
    places: int


@dataclass(frozen=True, slots=True)
class Checked:
    """Records that may leave, in the plan's order: control columns are gone, third parties are masked.

    ``rows`` has the plan's columns by name and in order. A column that a rule masks whole is not counted row by
    row in ``redacted``.
    """

    rows: pa.RecordBatch
    redacted: tuple[Redacted, ...] = ()
    times: pa.Array | None = None
    """The path's time of each record as the store writes it, by which the snapshot of a hold is cut again later.
    It goes into no parcel."""


@dataclass(frozen=True, slots=True)
class ColumnFacts:
    """What the live schema says about a column. None: this engine has no such notion."""

    kind: str
    unique: bool | None
    indexed: bool | None
    view: bool = False
    """Whether the table is a view: what stands behind it is not in the map."""


class Store(Protocol):
    """A store opened for reading. Every method raises ``UnavailableError`` when it cannot answer."""

    name: str

    @property
    def slow(self) -> bool:
        """Whether a table takes minutes or hours, so that one that was read is kept for a next run."""
        ...

    def resolve(self, query: TargetQuery, /) -> Subject | None:
        """The one subject that the target names, or None. Refuses two, without telling how many."""
        ...

    def batches(self, query: TableQuery, subject: Subject, /) -> Iterator[Checked]:
        """The subject's records in the plan's order, about 4 MiB and at most 65,536 records at a time.

        Each batch has a schema of its own: a column may be a number in one and ``JSON_TEXT`` in the next.
        Refuses more than the plan's cap before anything is handed on.
        """
        ...

    def columns(self, table: str, /) -> Mapping[str, ColumnFacts]:
        """The live columns of a table; empty where there is no such table."""
        ...

    def has_twice(self, table: str, column: str, /) -> bool:
        """Whether two rows of the table share a value of the column. Reads the whole table."""
        ...

    def meets(self, table: str, column: str, other: str, key: str, /) -> bool:
        """Whether the table is empty, or some value of its column is a key of the other table."""
        ...

    def text(self, query: TableQuery, /) -> str:
        """The query as it is sent, with places for values."""
        ...

    def close(self) -> None: ...


class UnreachableStore:
    """A store that could not be opened: each question gives the reason, so that the others go on."""

    slow = False

    def __init__(self, name: str, error: UnavailableError) -> None:
        self.name = name
        self._error = error

    def resolve(self, _query: TargetQuery, /) -> Subject | None:
        raise self._again() from self._error

    def called(self, _account: TargetRoute, _subject: Subject, /) -> str | None:
        raise self._again() from self._error

    def owners(self, _owners: Owners, _subject: Subject, /) -> list[str]:
        raise self._again() from self._error

    def batches(self, _query: TableQuery, _subject: Subject, /) -> Iterator[Checked]:
        raise self._again() from self._error

    def columns(self, _table: str, /) -> Mapping[str, ColumnFacts]:
        raise self._again() from self._error

    def has_twice(self, _table: str, _column: str, /) -> bool:
        raise self._again() from self._error

    def meets(self, _table: str, _column: str, _other: str, _key: str, /) -> bool:
        raise self._again() from self._error

    def text(self, query: TableQuery) -> str:
        return f"-- {query.store}.{query.table}: not sent, the store was unreachable"

    def close(self) -> None:
        """Nothing was opened."""

    def _again(self) -> UnavailableError:
        error = self._error
        return UnavailableError(error.code, error.what, why=error.why, do=error.do, source=error.source)

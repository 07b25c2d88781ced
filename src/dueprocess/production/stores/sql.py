"""What every SQL engine does alike: a question is written, examined, sent, and what comes back is checked.

A subclass opens a read-only connection, answers small questions as tuples and streams big ones as Arrow batches.
"""

import abc
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from itertools import pairwise

import pyarrow as pa

from dueprocess.demand import Period
from dueprocess.errors import RefusedError, UnavailableError
from dueprocess.plan import Owners, TableQuery, TargetQuery, TargetRoute
from dueprocess.production.stores.arrow import Raw, even
from dueprocess.production.stores.check import checked
from dueprocess.production.stores.examine import Shape, examine, examine_values
from dueprocess.production.stores.facts import Checked, Subject
from dueprocess.production.stores.naming import (
    MOST_INTERVALS,
    MOST_OWNERS,
    Naming,
    calling_shape,
    calling_values,
    held,
    holding_shape,
    holding_values,
    owning_shape,
    owning_values,
)
from dueprocess.production.stores.refusals import ambiguous, too_many
from dueprocess.production.stores.shapes import (
    count_shape,
    fan_out_shape,
    rows_shape,
    rows_values,
    target_shape,
    target_values,
)

_PARTS = 8


class TooBigToSortError(Exception):
    """An engine could not sort the rows of one window in its memory, and has given none of them yet."""


class SqlStore(Naming):
    """What the engines share: resolving, streaming, counting, and the checks before and after."""

    slow = False
    counts_first = False
    """Whether rows are counted before they are asked for, because the connection can do one thing at a time."""

    # -- what an engine provides ------------------------------------------------------------------

    @abc.abstractmethod
    def fetch(self, sql: str, values: Sequence[object]) -> list[Raw]:
        """All rows of a small question, in the snapshot of this connection."""

    @abc.abstractmethod
    def stream(self, sql: str, values: Sequence[object]) -> Iterator[pa.RecordBatch]:
        """The rows as batches; columns by position. Memory is bounded by the batch.

        Raises ``TooBigToSortError`` before its first batch where the engine can say so.
        """

    @abc.abstractmethod
    def close(self) -> None:
        """Ends the connection. The store cannot be used after it."""

    def snapshot(self) -> AbstractContextManager[object]:
        """Around all questions about one table: they see one state. Here: the connection has one state."""
        return nullcontext()

    def watch(self, _sql: str, _values: Sequence[object], _shape: Shape, /) -> AbstractContextManager[object]:
        """The engine's own eyes on a question, before it runs and while it does.

        Raises ``differs`` where the engine would read another table or column than the shape names.
        """
        return nullcontext()

    # -- the protocol ------------------------------------------------------------------------------

    def resolve(self, query: TargetQuery) -> Subject | None:
        """The one subject, or None. Fetches at most two rows, so that nobody learns how many there are."""
        if query.route.interval is not None:
            return self._holder(query)
        route, sql, values = query.route, self.resolving(query.route), target_values(query)
        shape = target_shape(route)
        self._examine(sql, values, shape, target_values(query))
        with self.snapshot(), self.watch(sql, values, shape):
            rows = self.fetch(sql, values)
        exact = [row for row in rows if _names(query, row) and _counts(route, row)]
        if len(rows) > 1 or len(exact) != len(rows):
            raise ambiguous()
        return _subject(exact[0][1]) if exact else None

    def called(self, account: TargetRoute, subject: Subject) -> str | None:
        """What the account of a key is called, by the route that names accounts; None where there is none."""
        sql, values = self.calling(account), calling_values(account, subject)
        rows = self._few(sql, values, calling_shape(account), values)
        exact = [row for row in rows if row[1] == subject and _counts(account, row)]
        if len(rows) > 1 or len(exact) != len(rows):
            raise ambiguous()
        return str(_subject(exact[0][0])) if exact else None

    def owners(self, owners: Owners, subject: Subject) -> list[str]:
        """The names of the accounts that own the thing of this key, each once. Refuses more than a hundred."""
        sql, values = self.owning(owners), owning_values(owners, subject)
        rows = self._few(sql, values, owning_shape(owners), values)
        fixed = [value for _, value in owners.equals]
        exact = [row for row in rows if row[0] == subject and [*row[2:]] == fixed]
        if len(rows) > MOST_OWNERS or len(exact) != len(rows):
            raise ambiguous()
        return list(dict.fromkeys(str(_subject(row[1])) for row in exact))

    def _holder(self, query: TargetQuery) -> Subject | None:
        """To whom an address belonged at an instant. Two rows, or two accounts, are refused without a count."""
        rows: list[Raw] = []
        with self.snapshot():
            for lasting in (False, True):
                sql, values = (
                    self.holding(query.route, lasting=lasting),
                    self.holding_values(query, lasting=lasting),
                )
                shape, wanted = (
                    holding_shape(query.route, lasting=lasting),
                    holding_values(query, lasting=lasting),
                )
                rows += self._few(sql, values, shape, wanted)
        exact = [row for row in rows if held(query, row) and _counts(query.route, row)]
        if len(rows) >= MOST_INTERVALS or len(exact) > 1:
            raise ambiguous()
        return _subject(exact[0][1]) if exact else None

    def _few(
        self, sql: str, values: Sequence[object], shape: Shape, wanted: Sequence[object]
    ) -> Sequence[Raw]:
        """The rows of a small question, examined before it is sent."""
        self._examine(sql, values, shape, wanted)
        with self.snapshot(), self.watch(sql, values, shape):
            return self.fetch(sql, values)

    def batches(self, query: TableQuery, subject: Subject) -> Iterator[Checked]:
        """The subject's records, checked. Counts before anything is handed on, so that nothing is ever cut."""
        with self.snapshot():
            self._refuse_fan_out(query, subject)
            if self.counts_first:
                self._refuse_too_many(query, subject)
            total = 0
            for raw, small in _told_if_small(self._windows(query, subject, 1)):
                if total == 0 and not self.counts_first and (not small or raw.num_rows > query.cap):
                    self._refuse_too_many(query, subject)
                total += raw.num_rows
                if total > query.cap:
                    raise too_many(query)
                yield checked(query, subject, raw)

    def has_twice(self, table: str, column: str) -> bool:
        name = self._column(table, column)
        sql = f"SELECT 1 FROM {self.named(table)} WHERE {name} IS NOT NULL GROUP BY {name} HAVING count(*) > 1 LIMIT 1"  # noqa: S608  # names are from the live schema and quoted
        return bool(self.fetch(sql, []))

    def meets(self, table: str, column: str, other: str, key: str) -> bool:
        name, foreign = self._column(table, column), self._column(other, key)
        some = f"SELECT 1 FROM {self.named(table)} WHERE {name} IS NOT NULL LIMIT 1"  # noqa: S608  # as above
        match = (
            f"SELECT 1 FROM {self.named(table)} a WHERE EXISTS "  # noqa: S608  # as above
            f"(SELECT 1 FROM {self.named(other)} b WHERE b.{foreign} = a.{name}) LIMIT 1"
        )
        return not self.fetch(some, []) or bool(self.fetch(match, []))

    # -- asking ------------------------------------------------------------------------------------

    def _examine(self, sql: str, values: Sequence[object], shape: Shape, wanted: Sequence[object]) -> None:
        examine(self.numbered(sql), shape, self.readings)
        examine_values(values, wanted)

    def rows(self, query: TableQuery, subject: Subject) -> Iterator[pa.RecordBatch]:
        """The raw rows of one window. An engine that cannot sort them at once may find another way."""
        sql, values, shape = self.text(query), self.values(query, subject), rows_shape(query)
        self._examine(sql, values, shape, rows_values(query, subject))
        with self.watch(sql, values, shape):
            yield from even(self.stream(sql, values))

    def _windows(self, query: TableQuery, subject: Subject, parts: int) -> Iterator[pa.RecordBatch]:
        """The rows window after window, each as wide as the engine can sort: the same query, closer ends."""
        for window in _split(query.window, parts):
            part = replace(query, window=window)
            try:
                yield from self.rows(part, subject)
            except TooBigToSortError as error:
                if not _may_split(part):
                    raise UnavailableError(
                        "too-big-to-sort",
                        f"The records of {query.table!r} do not fit into the memory that sorting may take.",
                        do="Keep the table in the order of account and time, or narrow the window.",
                    ) from error
                yield from self._windows(part, subject, _PARTS)

    def _refuse_too_many(self, query: TableQuery, subject: Subject) -> None:
        """Counts, in the same snapshot, before anything is handed on."""
        sql, values, shape = self.counting(query), self.values(query, subject), count_shape(query)
        self._examine(sql, values, shape, rows_values(query, subject))
        with self.watch(sql, values, shape):
            ((count,),) = self.fetch(sql, values)
        if int(str(count)) > query.cap:
            raise too_many(query)

    def _refuse_fan_out(self, query: TableQuery, subject: Subject) -> None:
        """Refuses a path on which one record would belong to two subjects."""
        for number, hop in enumerate(query.path.hops, start=1):
            if self._facts(hop.table, hop.foreign).unique:
                continue
            sql, shape = self.doubling(query, number), fan_out_shape(query, number)
            self._examine(sql, [subject], shape, [subject])
            with self.watch(sql, [subject], shape):
                twice = self.fetch(sql, [subject])
            if twice:
                raise RefusedError(
                    "fan-out",
                    f"{hop.table}.{hop.foreign} is not unique, so a record could belong to several people.",
                    do="Point `via` at a unique column.",
                    source="formats.md, Data map (many-to-one only)",
                )


def _told_if_small(batches: Iterator[pa.RecordBatch]) -> Iterator[tuple[pa.RecordBatch, bool]]:
    """Each batch with whether it is all there is."""
    first = next(batches, None)
    if first is None:
        return
    second = next(batches, None)
    yield first, second is None
    if second is not None:
        yield second, False
    for batch in batches:
        yield batch, False


def _may_split(query: TableQuery) -> bool:
    """Whether windows one after the other give the plan's order: it begins with a time that never goes back."""
    time, window = query.path.time, query.window
    if time is None or window is None or time.zone != "UTC" or query.order[0] != time.column:
        return False
    return len(list(_split(window, _PARTS))) > 1


def _split(window: Period | None, parts: int) -> Iterator[Period | None]:
    """The window in parts that begin at whole seconds, in order."""
    if parts == 1 or window is None or window.since is None or window.until is None:
        yield window
        return
    since, until = window.since, window.until
    step = (until - since) / parts
    inner = ((since + step * number).replace(microsecond=0) for number in range(1, parts))
    ends = [since, *(end for end in dict.fromkeys(inner) if since < end < until), until]
    for first, beyond in pairwise(ends):
        yield Period(first, beyond)


def _names(query: TargetQuery, row: Raw) -> bool:
    """Whether the row's name is the one on the paper, told apart as the platform does."""
    if query.route.compare == "ignore_case":
        return str(row[0]).lower() == query.value.lower()
    return str(row[0]) == query.value


def _counts(route: TargetRoute, row: Raw) -> bool:
    """Whether the row is one that the route lets count."""
    absent, fixed = row[2 : 2 + len(route.absent)], row[2 + len(route.absent) :][: len(route.equals)]
    held = all(found == value for found, (_, value) in zip(fixed, route.equals, strict=True))
    return held and all(value is None for value in absent)


def _subject(value: object) -> Subject:
    if isinstance(value, str | int) and not isinstance(value, bool):
        return value
    raise UnavailableError("bad-subject", "The subject column holds neither text nor a whole number.")

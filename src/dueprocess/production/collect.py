"""Collecting: the plan's queries, in the plan's order, as members of a parcel that are never on disk.

Every table ends as found, nothing held or failed. A table that fails does not stop the others.
"""

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from dueprocess.errors import DueprocessError, MalformedError, RefusedError, UnavailableError
from dueprocess.parcel import CONTROL_NUMBER, Status, TableResult, control_number, csv_line, json_line, plain
from dueprocess.plan import FileQuery, Plan, TableQuery
from dueprocess.production.packing import MEMBER_BYTES, Member
from dueprocess.production.stores import FolderStore, Row, Stores, Subject

_TOLD = 20


@dataclass(slots=True)
class Collection:
    """One run of a plan. ``members`` may be walked once; ``results`` is complete when it ends.

    ``subject_found`` is None before the target was resolved.
    """

    plan: Plan
    stores: Stores
    prefix: str
    """Four characters in front of every control number."""
    member_bytes: int = MEMBER_BYTES
    results: list[TableResult] = field(default_factory=list)
    subject_found: bool | None = None
    _count: int = 0

    def members(self) -> Iterator[Member]:
        """Rows as JSON lines and CSV, then files with their original bytes.

        Raises what resolving the target raises: without exactly one subject nothing is asked.
        """
        route = self.plan.target.route
        subject = self.stores.databases[route.store].resolve(self.plan.target)
        self.subject_found = subject is not None
        for query in self.plan.tables:
            yield from self._table(query, subject)
        for each in self.plan.files:
            yield from self._files(each, subject)

    def _table(self, query: TableQuery, subject: Subject | None) -> Iterator[Member]:
        rolls = _Rolls(query, self.member_bytes)
        why = ""
        try:
            for batch in self._rows(query, subject):
                for row in batch:
                    yield from rolls.add(self._number(), row)
        except _FAILURES as error:
            why = _sentence(error)
        yield from rolls.close()
        self._record(query, query.store, rolls.rows, why)

    def _rows(self, query: TableQuery, subject: Subject | None) -> Iterator[list[Row]]:
        if subject is None:
            return iter(())
        return self.stores.databases[query.store].rows(query, subject)

    def _files(self, query: FileQuery, subject: Subject | None) -> Iterator[Member]:
        """Each file whole, or a sentence in the result: one missing file does not stop the others."""
        found, missing, why = 0, list[str](), ""
        try:
            folder = self._folder(query)
            for batch in self._rows(query.rows, subject):
                for row in batch:
                    number = self._number()
                    try:
                        file = folder.find(query, row)
                    except UnavailableError as error:
                        missing.append(f"{number} ({error.why})")
                        continue
                    path = f"data/{query.store}/files/{number}_{file.name}"
                    yield Member(path, file.size, folder.chunks(file))
                    found += 1
        except _FAILURES as error:
            why = _sentence(error)
        if missing and not why:
            told = ", ".join(missing[:_TOLD]) + (" and others" if len(missing) > _TOLD else "")
            why = f"{len(missing)} of {found + len(missing)} files could not be read: {told}"
        self._record(query.rows, query.store, found, why)

    def _folder(self, query: FileQuery) -> FolderStore:
        folder = self.stores.folders.get(query.store)
        if folder is None:
            raise self.stores.missing[query.store]
        return folder

    def _number(self) -> str:
        self._count += 1
        return control_number(self.prefix, self._count)

    def _record(self, query: TableQuery, store: str, rows: int, why: str) -> None:
        status: Status = "failed" if why else "found" if rows else "nothing_held"
        told = f"{why} ({rows} records before that are in the package)" if why and rows else why
        self.results.append(TableResult(store, query.table, status, rows, told, query.categories))


_FAILURES = (UnavailableError, MalformedError, RefusedError)
"""What one table may fail with. ``BrokenError`` is not among them: it stops everything."""


def _sentence(error: DueprocessError) -> str:
    return f"{error.what} {error.why}".strip()


class _Rolls:
    """Rows of one table as pairs of members that are closed before either grows beyond the limit."""

    def __init__(self, query: TableQuery, most: int) -> None:
        self._query = query
        self._most = most
        self._heads = [CONTROL_NUMBER, *(column.name for column in query.columns)]
        self._part = 0
        self._open()
        self.rows = 0

    def _open(self) -> None:
        self._lines = io.BytesIO()
        self._cells = io.BytesIO()
        self._cells.write(csv_line(self._heads))
        self._empty = True

    def add(self, number: str, row: Mapping[str, object]) -> Iterator[Member]:
        """Takes one record; yields the members that had to be closed for it."""
        values = {name: plain(value) for name, value in row.items()}
        line, cells = json_line({CONTROL_NUMBER: number, **values}), csv_line([number, *values.values()])
        if max(self._lines.tell() + len(line), self._cells.tell() + len(cells)) > self._most:
            yield from self.close()
            if max(len(line), self._cells.tell() + len(cells)) > self._most:
                raise UnavailableError(
                    "row-too-big", f"A record of {self._query.table!r} is bigger than {self._most} bytes."
                )
        self._lines.write(line)
        self._cells.write(cells)
        self._empty = False
        self.rows += 1

    def close(self) -> Iterator[Member]:
        """The two members of the open part, if it holds anything; then a new part begins."""
        if self._empty:
            return
        self._part += 1
        name = f"data/{self._query.store}/{self._query.table}.{self._part:04d}"
        lines, cells = self._lines.getvalue(), self._cells.getvalue()
        self._open()
        yield Member(f"{name}.jsonl", len(lines), iter((lines,)))
        del lines
        yield Member(f"{name}.csv", len(cells), iter((cells,)))


def queries_text(plan: Plan, stores: Stores) -> bytes:
    """``queries.sql``: every query as it is sent, with places for values, in the plan's order."""
    route = plan.target.route
    parts = [
        "-- Queries of this answer. Values are bound by the driver and stand in decision.json.",
        (
            f"-- resolve the target in {route.store}: at most one {route.table}.{route.subject} "
            f"whose {route.column} equals the value"
        ),
    ]
    parts += [
        f"-- {query.store}.{query.table}\n{_text(stores, query)};"
        for query in (*plan.tables, *(each.rows for each in plan.files))
    ]
    return ("\n\n".join(parts) + "\n").encode()


def _text(stores: Stores, query: TableQuery) -> str:
    try:
        return stores.databases[query.store].text(query)
    except UnavailableError as error:
        return f"-- not sent: {error.what}"


def bound_values(plan: Plan) -> dict[str, Sequence[str | None] | str]:
    """The values that the queries were given: the target, and the window as instants."""
    window = plan.item.period.as_json()
    return {"target": plan.target.value, "window": [window["from"], window["until"]]}

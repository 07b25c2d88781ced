"""Collecting: the plan's queries, in the plan's order, as members of a parcel that are never on disk.

Every entry ends as found, nothing held or failed. One that fails does not stop the others.
"""

import hashlib
import itertools
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

import pyarrow as pa

from dueprocess.errors import DueprocessError, MalformedError, RefusedError, UnavailableError
from dueprocess.parcel import RedactionCount, Status, TableResult, control_number
from dueprocess.plan import FileQuery, Plan, TableQuery
from dueprocess.production.formatting import formatted
from dueprocess.production.packing import MEMBER_BYTES, Member
from dueprocess.production.resuming import EarlierRuns, ReadBefore
from dueprocess.production.rolls import Redactions, Rolls, numbered
from dueprocess.production.stores import FolderStore, ManualStore, Stores, Subject
from dueprocess.production.stores.arrow import is_json
from dueprocess.production.stores.facts import Checked, Redacted, Row
from dueprocess.production.stores.found import kept_in_place

_TOLD = 20
_TOLD_IN_PLACE = 1000
"""More are named of what is kept in place: nothing but the digest says which file it is."""
_SLICE_BYTES = 8 * 1024 * 1024
_STRANGE = re.compile(r"[^A-Za-z0-9._=+@-]")


class Source(Protocol):
    """Records that no live store gives: a hold's snapshot, a table collected by hand. Checked like any other."""

    @property
    def store(self) -> str:
        """The folder in the parcel, such as ``hold-3f2a9c01``."""
        ...

    @property
    def query(self) -> TableQuery: ...

    def batches(self, subject: Subject | None, /) -> Iterator[Checked]:
        """The records. ``subject`` is None where the live store does not know the account any more."""
        ...


class NamedFile(Protocol):
    """A file for the parcel: its name, its size in bytes, its original bytes."""

    @property
    def name(self) -> str: ...

    @property
    def size(self) -> int: ...

    def chunks(self) -> Iterator[bytes]: ...


class FileSource(Protocol):
    """Files that no live folder gives."""

    @property
    def store(self) -> str: ...

    @property
    def query(self) -> FileQuery: ...

    def files(self, subject: Subject | None, /) -> Iterator[NamedFile]: ...


@dataclass(frozen=True, slots=True)
class Extra:
    """What goes into the parcel beside the live stores, each under its own folder."""

    tables: Sequence[Source] = ()
    files: Sequence[FileSource] = ()
    earlier: EarlierRuns | None = None
    """Tables of slow stores that an earlier run of this production read: they stand where the store's would."""
    by_hand: Mapping[str, ManualStore] = field(default_factory=dict)
    """Stores that people collect, by name, with their answers: they stand among the live ones."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a collection is: the entry at hand (from 1), of how many, and the records and files so far.

    ``note`` is what has to be said at once, such as that something kept had to be thrown away; without any value.
    """

    entry: int
    entries: int
    records: int
    note: str = ""


type Tell = Callable[[Progress], object]


@dataclass(frozen=True, slots=True)
class _Opening:
    """A file whose first bytes could be read."""

    name: str
    size: int
    chunks: Iterator[bytes]


@dataclass(slots=True)
class Collection:
    """One run of a plan. ``members`` may be walked once; ``results`` and ``redactions`` are complete when it ends.

    ``subject_found`` is None before the target was resolved. Whoever takes a member takes all of it before the next.
    """

    plan: Plan
    stores: Stores
    prefix: str
    """Four characters in front of every control number."""
    extra: Extra = Extra()
    tell: Tell | None = None
    member_bytes: int = MEMBER_BYTES
    results: list[TableResult] = field(default_factory=list)
    subject_found: bool | None = None
    _count: int = 0
    _entry: int = 0
    _redactions: Redactions = field(default_factory=Redactions)

    @property
    def redactions(self) -> tuple[RedactionCount, ...]:
        """How often each rule took something about other people out of a column."""
        return self._redactions.counts()

    def members(self) -> Iterator[Member]:
        """Rows as JSON lines and CSV, then files with their original bytes, then what was taken out.

        Raises what resolving the target raises: without exactly one subject nothing is asked.
        """
        route = self.plan.target.route
        subject = self.stores.databases[route.store].resolve(self.plan.target)
        self.subject_found = subject is not None
        for query in self.plan.tables:
            yield from self._planned(query, subject)
        for source in self.extra.tables:
            yield from self._table(source.store, source.query, partial(source.batches, subject))
        for each in self.plan.files:
            yield from self._files(each.store, each, self._live(each, subject))
        for held in self.extra.files:
            yield from self._files(held.store, held.query, _held(held, subject))
        yield from self._redactions.members()

    # -- records ---------------------------------------------------------------------------------------

    def _planned(self, query: TableQuery, subject: Subject | None) -> Iterator[Member]:
        """A table from its store, or, where that is slow, as an earlier run read it."""
        earlier, live = self.extra.earlier, partial(self._rows, query, subject)
        if earlier is None or subject is None or not self.stores.databases[query.store].slow:
            yield from self._table(query.store, query, live)
        elif read := earlier.found(query, subject):
            yield from self._table(query.store, query, read.batches, read)
        else:
            yield from self._table(query.store, query, lambda: earlier.keeping(query, subject, live()))

    def _table(
        self,
        store: str,
        query: TableQuery,
        batches: Callable[[], Iterator[Checked]],
        read: ReadBefore | None = None,
    ) -> Iterator[Member]:
        self._begin()
        columns = [column.name for column in query.columns]
        rolls = Rolls(f"data/{store}/{query.label}", columns, self.member_bytes)
        why = ""
        try:
            for checked in batches():
                _check(query, checked, rolls.rows)
                for part in _slices(checked):
                    yield from self._part((store, query.label), part, rolls)
        except _FAILURES as error:
            why = _sentence(error)
        yield from rolls.close()
        self._redactions.mask((store, query.label), query, rolls.rows)
        self._record(store, query, rolls.rows, why, read)

    def _part(self, where: tuple[str, str], checked: Checked, rolls: Rolls) -> Iterator[Member]:
        """A few megabytes of records. Those in front of one that is too big are kept, and count."""
        first, before = self._count + 1, rolls.rows
        try:
            yield from rolls.add(formatted(checked.rows, self.prefix, first), checked.rows.num_rows)
        finally:
            taken = rolls.rows - before
            self._count += taken
            kept = (each for each in checked.redacted if each.row < taken)
            self._redactions.add(where, numbered(self.prefix, first, kept))
        self._say()

    def _rows(self, query: TableQuery, subject: Subject | None) -> Iterator[Checked]:
        if query.by_hand:  # A person goes by what the paper names, also where the account is gone by now.
            return self.stores.databases[query.store].batches(query, self.plan.target.value)
        if subject is None:
            return iter(())
        return self.stores.databases[query.store].batches(query, subject)

    # -- files -----------------------------------------------------------------------------------------

    def _files(
        self, store: str, query: FileQuery, found: Iterator[_Opening | UnavailableError]
    ) -> Iterator[Member]:
        """Each file whole, or a sentence in the result: one missing file does not stop the others."""
        self._begin()
        count, missing, in_place, why = 0, list[str](), list[str](), ""
        try:
            for each in found:
                self._count += 1
                number = control_number(self.prefix, self._count)
                if isinstance(each, UnavailableError):
                    told = in_place if each.code == "kept-in-place" else missing
                    told.append(f"{number} ({each.why or each.what})")
                    continue
                name = _STRANGE.sub("_", each.name)[-200:]
                yield Member(f"data/{store}/files/{number}_{name}", each.size, each.chunks)
                count += 1
                self._say()
        except _FAILURES as error:
            why = _sentence(error)
        why = why or _not_here(count, missing, in_place)
        self._record(store, query.rows, count, why)

    def _live(self, query: FileQuery, subject: Subject | None) -> Iterator[_Opening | UnavailableError]:
        """The files that the subject's records name."""
        folder = self.stores.folders.get(query.store)
        if folder is None:
            raise self.stores.missing[query.store]
        for checked in self._rows(query.rows, subject):
            _check(query.rows, checked, 0)
            for row in _dicts(checked.rows):
                yield from _found(folder, query, row)

    # -- what is told ----------------------------------------------------------------------------------

    def _begin(self) -> None:
        self._entry += 1
        self._say()

    def _say(self) -> None:
        if self.tell is not None:
            entries = len(self.plan.tables) + len(self.plan.files)
            entries += len(self.extra.tables) + len(self.extra.files)
            note = self.extra.earlier.notes() if self.extra.earlier is not None else ""
            self.tell(Progress(self._entry, entries, self._count, note))

    def _record(
        self, store: str, query: TableQuery, rows: int, why: str, read: ReadBefore | None = None
    ) -> None:
        status: Status = "failed" if why else "found" if rows else "nothing_held"
        told = f"{why} ({rows} records before that are in the package)" if why and rows else why
        when = (read.read_from, read.read_until) if read is not None else None
        self.results.append(TableResult(store, query.label, status, rows, told, query.categories, read=when))


_FAILURES = (UnavailableError, MalformedError, RefusedError)
"""What one entry may fail with. ``BrokenError`` is not among them: it stops everything."""


def _not_here(count: int, missing: Sequence[str], in_place: Sequence[str]) -> str:
    """Why files that were found are not in the package: each that was kept in place with digest and size."""
    found, told = count + len(missing) + len(in_place), list[str]()
    if missing:
        told.append(f"{len(missing)} of {found} files could not be read: {_first(missing, _TOLD)}")
    if in_place:
        listed = _first(in_place, _TOLD_IN_PLACE)
        told.append(
            f"{len(in_place)} of {found} files are kept in place and were not copied, because copying such files "
            f"can be a crime: {listed}"
        )
    return "; ".join(told)


def _first(texts: Sequence[str], most: int) -> str:
    return ", ".join(texts[:most]) + (" and others" if len(texts) > most else "")


def _sentence(error: DueprocessError) -> str:
    return f"{error.what} {error.why}".strip()


def _check(query: TableQuery, checked: Checked, before: int) -> None:
    """Refuses other columns than the plan's, and more records than its cap: whoever gave them, they do not leave."""
    if checked.rows.schema.names != [column.name for column in query.columns]:
        raise MalformedError(
            "columns-differ", f"{query.label!r} did not give the columns that the plan names, in their order."
        )
    if before + checked.rows.num_rows > query.cap:
        raise RefusedError("too-many-rows", f"{query.label!r} gave more than {query.cap} records.")


def _slices(checked: Checked) -> Iterator[Checked]:
    """The same records, some megabytes at a time."""
    rows = checked.rows
    step = max(1, rows.num_rows * _SLICE_BYTES // max(1, rows.nbytes))
    if step >= rows.num_rows:
        yield checked
        return
    for start in range(0, rows.num_rows, step):
        inside = (each for each in checked.redacted if start <= each.row < start + step)
        moved = tuple(Redacted(each.row - start, each.column, each.rule, each.places) for each in inside)
        yield Checked(rows.slice(start, step), moved)


def _dicts(batch: pa.RecordBatch) -> Iterator[Row]:
    """The records one by one, for the paths of files."""
    coded = [field.name for field in batch.schema if is_json(field)]
    for row in batch.to_pylist():
        texts: dict[str, Any] = {name: row[name] for name in coded if row[name] is not None}
        yield {**row, **{name: json.loads(text) for name, text in texts.items()}}


def _found(folder: FolderStore, query: FileQuery, row: Row) -> Iterator[_Opening | UnavailableError]:
    """The file, or with some layouts the files, that a record names; what cannot be read is an error in its place."""
    for file in folder.files(query, row):
        if isinstance(file, UnavailableError):
            yield file
        elif query.in_place:
            yield _digested(file.size, folder.chunks(file))
        else:
            yield _tried(file.name, file.size, folder.chunks(file))


def _digested(size: int, chunks: Iterator[bytes]) -> UnavailableError:
    """What is told of a file that stays where it is; it is read to its end and goes nowhere."""
    digest = hashlib.sha256()
    try:
        for each in chunks:
            digest.update(each)
    except UnavailableError as error:
        return error
    return kept_in_place(digest.hexdigest(), size)


def _held(source: FileSource, subject: Subject | None) -> Iterator[_Opening | UnavailableError]:
    for file in source.files(subject):
        yield _tried(file.name, file.size, file.chunks())


def _tried(name: str, size: int, chunks: Iterator[bytes]) -> _Opening | UnavailableError:
    """The file with its first bytes read, so that one that cannot be opened is missing and no half member."""
    try:
        first = next(chunks, b"")
    except UnavailableError as error:
        return error
    return _Opening(name, size, itertools.chain((first,), chunks))


def queries_text(plan: Plan, stores: Stores) -> bytes:
    """``queries.sql``: every query as it is sent, with places for values, in the plan's order."""
    route = plan.target.route
    resolving = (
        f"-- resolve the target in {route.store}: at most one {route.table}.{route.subject} "
        f"whose {route.column} equals the value"
    )
    if isinstance(stores.databases[route.store], ManualStore):
        resolving = "-- nothing is looked up in a database: the name that the paper has is the account"
    parts = [
        "-- Queries of this answer. Values are bound by the driver and stand in decision.json.",
        resolving,
    ]
    parts += [
        f"-- {query.store}.{query.label}\n{_text(stores, query)};"
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

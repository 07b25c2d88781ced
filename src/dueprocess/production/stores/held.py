"""A hold's snapshot as a store: written once, read only for the same account and never beyond the plan that reads it.

Records lie on a shelf of the vault as Arrow streams under the digests of their bytes, each with the time by which it
can be cut again. Who reads gives a plan's query; what comes out is cut to it once more.
"""

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from dueprocess.errors import BrokenError, DueprocessError, RefusedError, UnavailableError
from dueprocess.plan import FileQuery, TableQuery
from dueprocess.plan.window import micros
from dueprocess.production.stores.arrow import is_json
from dueprocess.production.stores.check import within_window
from dueprocess.production.stores.facts import Checked, Redacted, Row, Subject
from dueprocess.production.stores.found import kept_in_place
from dueprocess.wire import sha256_hex

OBJECT_BYTES = 16 * 1024 * 1024
"""The most bytes of one object of a snapshot, well below the 32 MiB that the vault takes at once."""

AT = "dueprocess.at"
"""Name of the column of times in a snapshot. No column of a data map can be called so: names there hold no dot."""

NAME, SIZE, SHA256, KEPT, PIECES = (
    f"dueprocess.{each}" for each in ("name", "size", "sha256", "kept", "pieces")
)
"""Columns of the list of files of a snapshot, beside those of the rows that name them."""

FILE_AT = "dueprocess.file_at"
"""Whole seconds since 1970 where a file's own name says its time, as a message's in a Maildir does."""

COPIED, IN_PLACE = "copied", "in_place"
_REDACTED = b"redacted"


class Shelf(Protocol):
    """The place of one hold in the vault: encrypted under the hold's own key, by name."""

    def put(self, name: str, data: bytes, /) -> None: ...
    def get(self, name: str, /) -> bytes: ...


class Parts:
    """Records on their way to the shelf: streams of at most `OBJECT_BYTES`, one schema each."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._schema: pa.Schema | None = None
        self._held: list[tuple[pa.RecordBatch, tuple[Redacted, ...]]] = []
        self._bytes = 0
        self.made: list[dict[str, Any]] = []
        """Each part by digest, with its records and bytes."""
        self.rows = 0

    def add(self, checked: Checked) -> None:
        """Takes a batch. Refuses a record that is bigger than an object may be."""
        batch = checked.rows
        if checked.times is not None:
            batch = batch.append_column(AT, checked.times)
        self._take(batch, checked.redacted)

    def _take(self, batch: pa.RecordBatch, redacted: tuple[Redacted, ...]) -> None:
        if not batch.num_rows:
            return
        if batch.nbytes > OBJECT_BYTES:
            self._halve(batch, redacted)
            return
        if self._held and (not batch.schema.equals(self._schema, check_metadata=True) or self._full(batch)):
            self.close()
        self._schema = batch.schema
        self._held.append((batch, redacted))
        self._bytes += batch.nbytes

    def _full(self, batch: pa.RecordBatch) -> bool:
        return bool(self._bytes + batch.nbytes > OBJECT_BYTES)

    def _halve(self, batch: pa.RecordBatch, redacted: tuple[Redacted, ...]) -> None:
        half = batch.num_rows // 2
        if not half:
            raise UnavailableError("row-too-big", f"A record is bigger than {OBJECT_BYTES} bytes.")
        self._take(batch.slice(0, half), tuple(each for each in redacted if each.row < half))
        later = (each for each in redacted if each.row >= half)
        moved = tuple(Redacted(each.row - half, each.column, each.rule, each.places) for each in later)
        self._take(batch.slice(half), moved)

    def close(self) -> None:
        """Puts what is held onto the shelf as one object."""
        if not self._held:
            return
        sink = io.BytesIO()
        with pa.ipc.new_stream(sink, self._schema) as writer:
            for batch, redacted in self._held:
                told = json.dumps([[each.row, each.column, each.rule, each.places] for each in redacted])
                writer.write_batch(batch, custom_metadata={_REDACTED: told.encode()})
        data, rows = sink.getvalue(), sum(batch.num_rows for batch, _ in self._held)
        self.made.append({"sha256": put_object(self._shelf, data), "rows": rows, "bytes": len(data)})
        self.rows += rows
        self._held, self._bytes = [], 0


def put_object(shelf: Shelf, data: bytes) -> str:
    """Puts bytes onto the shelf under their digest, which is returned."""
    digest = sha256_hex(data)
    shelf.put(f"object:{digest}", data)
    return digest


def get_object(shelf: Shelf, digest: str) -> bytes:
    """The bytes of an object. Refuses others than were put there."""
    data = shelf.get(f"object:{digest}")
    if sha256_hex(data) != digest:
        raise BrokenError(
            "hold-altered",
            "A part of a snapshot in the vault is not what was put there.",
            why="Its digest differs.",
            do="Stop. Find out who changed the vault.",
        )
    return data


def stored_batches(shelf: Shelf, parts: Sequence[Mapping[str, Any]]) -> Iterator[Checked]:
    """The records of these parts as they were put there."""
    for part in parts:
        with pa.ipc.open_stream(get_object(shelf, str(part["sha256"]))) as reader:
            for _ in iter(int, 1):
                try:
                    batch, metadata = reader.read_next_batch_with_custom_metadata()
                except StopIteration:
                    break
                told = json.loads((metadata or {}).get(_REDACTED, b"[]"))
                times = batch.column(AT) if AT in batch.schema.names else None
                yield Checked(batch, tuple(Redacted(*each) for each in told), times)


@dataclass(slots=True)
class HeldSource:
    """One table of a snapshot, cut to a plan's query: fewer columns, a narrower window, never more.

    ``query`` is what both the plan and the hold reach. ``failure`` is why it cannot be read; it is raised when
    somebody tries, so that it is that entry's failure and nobody is told that nothing is held.
    """

    store: str
    query: TableQuery
    shelf: Shelf
    parts: Sequence[Mapping[str, Any]] = ()
    subject: Subject | None = None
    failure: DueprocessError | None = None

    def batches(self, subject: Subject | None) -> Iterator[Checked]:
        """The held records inside the query. None: the live store does not know the account any more.

        Refuses another account than the one that was held, and more records than the query's cap.
        """
        if self.failure is not None and not self.parts:
            raise self.failure
        check_subject(subject, self.subject)
        rows = 0
        for each in stored_batches(self.shelf, self.parts):
            cut = recut(self.query, each)
            rows += cut.rows.num_rows
            if rows > self.query.cap:
                raise RefusedError(
                    "too-many-rows",
                    f"{self.store}.{self.query.label} holds more than {self.query.cap} records of this window.",
                    why="A silent cut would pass off a part for the whole.",
                    do="Narrow the window, or raise `max_rows` in the data map (two people).",
                    source="formats.md, Data map",
                )
            if cut.rows.num_rows:
                yield cut
        if self.failure is not None:
            raise self.failure


@dataclass(frozen=True, slots=True)
class HeldFile:
    """A file of a snapshot: the name for the parcel, size, digest, and its bytes in pieces; none if it was kept in
    place.
    """

    name: str
    size: int
    sha256: str
    pieces: tuple[str, ...] | None
    shelf: Shelf

    def chunks(self) -> Iterator[bytes]:
        """The original bytes. Refuses a file that was kept in place: its bytes never came into the vault."""
        if self.pieces is None:
            raise kept_in_place(self.sha256, self.size)
        for each in self.pieces:
            yield get_object(self.shelf, each)


@dataclass(slots=True)
class HeldFiles:
    """The files of a snapshot that one `FileQuery` reaches, inside its window."""

    store: str
    query: FileQuery
    shelf: Shelf
    parts: Sequence[Mapping[str, Any]] = ()
    subject: Subject | None = None
    failure: DueprocessError | None = None

    def files(self, subject: Subject | None) -> Iterator[HeldFile]:
        """Each file, in the order of the snapshot. Refuses another account than the one that was held."""
        if self.failure is not None and not self.parts:
            raise self.failure
        check_subject(subject, self.subject)
        for each in stored_batches(self.shelf, self.parts):
            inside = each.rows.filter(_mask(self.query.rows, each)) if each.times is not None else each.rows
            for row in inside.select([NAME, SIZE, SHA256, KEPT, PIECES, FILE_AT]).to_pylist():
                if not self._in_time(row[FILE_AT]):
                    continue
                copied = row[KEPT] == COPIED and not self.query.in_place
                pieces = tuple(row[PIECES]) if copied else None
                yield HeldFile(str(row[NAME]), int(row[SIZE]), str(row[SHA256]), pieces, self.shelf)
        if self.failure is not None:
            raise self.failure

    def _in_time(self, at: int | None) -> bool:
        """Whether a message lies in the query's window; files without a time of their own go by their record's."""
        window = self.query.window
        if window is None or window.since is None or window.until is None:
            return self.query.layout != "maildir"
        return at is not None and micros(window.since) <= at * 1_000_000 < micros(window.until)


def row_dicts(rows: pa.RecordBatch) -> Iterator[Row]:
    """The records one by one, for the paths of files."""
    coded = [field.name for field in rows.schema if is_json(field)]
    for row in rows.to_pylist():
        yield {**row, **{name: json.loads(row[name]) for name in coded if row[name] is not None}}


def check_subject(asked: Subject | None, held: Subject | None) -> None:
    """Refuses to read one account's snapshot for another account.

    An account that is gone from the live store is still the one that the target named when the snapshot was taken.
    """
    if asked is not None and (type(asked) is not type(held) or asked != held):
        raise RefusedError(
            "other-subject",
            "The snapshot is of another account than the one that the target names now.",
            why="The name may have been given to somebody else since.",
            do="Let two people decide about the account as it was, under its own paper.",
            source="docs/holds.md",
        )


def recut(query: TableQuery, stored: Checked) -> Checked:
    """A stored batch with the query's columns and window alone."""
    names = [column.name for column in query.columns]
    if query.path.time is None:
        return Checked(stored.rows.select(names), _kept(stored, names, None))
    mask = _mask(query, stored)
    assert stored.times is not None
    rows = stored.rows.select(names).filter(mask)
    return Checked(rows, _kept(stored, names, mask), stored.times.filter(mask))


def _mask(query: TableQuery, stored: Checked) -> pa.Array:
    time = query.path.time
    if time is None or stored.times is None:
        raise BrokenError("hold-altered", "A part of a snapshot has lost the times by which it is cut.")
    return within_window(query, time, stored.times, pa.field(AT, stored.times.type))


def _kept(stored: Checked, names: Sequence[str], mask: pa.Array | None) -> tuple[Redacted, ...]:
    """The redactions of records and columns that stay, under their new places."""
    numbers = range(stored.rows.num_rows) if mask is None else pc.indices_nonzero(mask).to_pylist()
    places = {row: place for place, row in enumerate(numbers)} if stored.redacted else {}
    return tuple(
        Redacted(places[each.row], each.column, each.rule, each.places)
        for each in stored.redacted
        if each.row in places and each.column in names
    )

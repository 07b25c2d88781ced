"""Snapshots of a hold: the plan's answer put into the vault instead of a parcel, and read from there later.

No value goes anywhere but onto the hold's shelf, which is encrypted under the hold's own key. Other people are
masked before anything is kept. Files keep their bytes, unless a person said of all of them, or the data map of some,
that they stay in place: then only digest and size are kept, because material that it is a crime to copy must not be
copied.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pyarrow as pa

from dueprocess.errors import DueprocessError, MalformedError, RefusedError, UnavailableError
from dueprocess.plan import DataMap, FileQuery, Plan, TableQuery
from dueprocess.production.stores import FolderStore, FoundFile, Stores, Subject, open_stores
from dueprocess.production.stores.facts import Checked
from dueprocess.production.stores.held import (
    COPIED,
    FILE_AT,
    IN_PLACE,
    KEPT,
    NAME,
    OBJECT_BYTES,
    PIECES,
    SHA256,
    SIZE,
    Parts,
    Shelf,
    put_object,
    row_dicts,
)
from dueprocess.wire import Json, b64, canonical, sha256_hex

MANIFEST = "manifest"
"""Name of the list of what a snapshot holds."""

Status = Literal["found", "nothing_held", "failed"]
_FAILURES = (UnavailableError, MalformedError, RefusedError)


@dataclass(frozen=True, slots=True)
class SnapshotFacts:
    """What a snapshot needs beside its plan. ``reader`` is how this calls itself in a store's own log."""

    hold_id: str
    nonce: bytes
    reader: str
    in_place: bool = False
    final: bool = False
    """An attempt that counts even where no entry could be read, because waiting has not helped."""


@dataclass(frozen=True, slots=True)
class Held:
    """What one entry of the plan gave: counts and a status, never a value or a store's own words."""

    store: str
    label: str
    status: Status
    rows: int
    categories: tuple[str, ...]

    def as_json(self) -> dict[str, Json]:
        return {
            "store": self.store,
            "table": self.label,
            "status": self.status,
            "rows": self.rows,
            "categories": list[Json](self.categories),
        }


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What may be known of a finished snapshot outside of the vault."""

    manifest_sha256: str
    objects: int
    size: int
    subject_found: bool
    results: tuple[Held, ...]


def take_snapshot(
    plan: Plan, datamap: DataMap, environment: Mapping[str, str], shelf: Shelf, facts: SnapshotFacts
) -> Snapshot:
    """Opens the map's stores, puts what the plan reaches onto the shelf, and closes them.

    A failed entry is a result. Refuses another map than the plan's; raises what resolving the target raises, and
    ``UnavailableError`` where no entry at all could be read: such an attempt is made again and counts for nothing,
    unless it is final.
    """
    if datamap.sha256 != plan.map_sha256:
        raise RefusedError(
            "map-changed",
            "The data map is not the one that this plan was made from.",
            why="What was signed for is what is kept.",
            do="Begin the hold afresh.",
            source="formats.md, Plan and Gate",
        )
    stores = open_stores(datamap, environment, facts.reader)
    try:
        return _Taking(plan, stores, shelf, facts).take()
    finally:
        stores.close()


class _Taking:
    """One attempt at a snapshot."""

    def __init__(self, plan: Plan, stores: Stores, shelf: Shelf, facts: SnapshotFacts) -> None:
        self._plan = plan
        self._stores = stores
        self._shelf = shelf
        self._facts = facts
        self._subject: Subject | None = None
        self._failure: DueprocessError | None = None
        self._entries: list[dict[str, Any]] = []
        self._results: list[Held] = []
        self._objects: dict[str, int] = {}

    def take(self) -> Snapshot:
        target = self._plan.target
        self._subject = self._stores.databases[target.route.store].resolve(target)
        for query in self._plan.tables:
            self._table(query)
        for each in self._plan.files:
            self._files(each)
        if not self._facts.final and self._results and all(_nothing_read(each) for each in self._results):
            why = self._failure.what if self._failure is not None else ""
            raise UnavailableError(
                "nothing-read", "Nothing of this hold could be read.", why=why, do="The worker tries again."
            )
        manifest = canonical(self._manifest())
        self._shelf.put(MANIFEST, manifest)
        return Snapshot(
            manifest_sha256=sha256_hex(manifest),
            objects=len(self._objects) + 1,
            size=sum(self._objects.values()) + len(manifest),
            subject_found=self._subject is not None,
            results=tuple(self._results),
        )

    def _manifest(self) -> dict[str, Json]:
        return {
            "v": 1,
            "nonce": b64(self._facts.nonce),
            "hold": self._facts.hold_id,
            "plan_sha256": self._plan.plan_sha256,
            "target": self._plan.target.as_json(),
            "subject": _subject_json(self._subject),
            "entries": list[Json](self._entries),
        }

    def _table(self, query: TableQuery) -> None:
        parts = Parts(self._shelf)
        failed = False
        for checked in self._guarded(self._rows(query)):
            if checked is None:
                failed = True
                break
            try:
                parts.add(checked)
            except UnavailableError as error:
                if error.code != "row-too-big":
                    raise
                failed = True
                break
        parts.close()
        entry = {
            "kind": "table",
            "label": query.label,
            "path": query.path.as_json(),
            "columns": columns_json(query),
        }
        self._record(query, parts, parts.rows, entry, failed=failed)

    def _rows(self, query: TableQuery) -> Iterator[Checked]:
        if self._subject is None:
            return
        yield from self._stores.databases[query.store].batches(query, self._subject)

    def _guarded(self, batches: Iterator[Checked]) -> Iterator[Checked | None]:
        """The batches, and None at the end where the store failed. What the shelf raises is not the store's."""
        for _ in iter(int, 1):
            try:
                checked = next(batches)
            except StopIteration:
                return
            except _FAILURES as error:
                self._failure = error
                yield None
                return
            yield checked

    def _files(self, query: FileQuery) -> None:
        """Each file into the vault, or its digest and size alone where it stays in place."""
        parts, missing, failed = Parts(self._shelf), 0, query.store not in self._stores.folders
        for checked in () if failed else self._guarded(self._rows(query.rows)):
            if checked is None:
                failed = True
                break
            found, lost = self._each_file(self._stores.folders[query.store], query, checked)
            missing += lost
            parts.add(found)
        parts.close()
        self._failure = self._stores.missing.get(query.store, self._failure)
        entry = {
            "kind": "files", "label": query.rows.label, "path": query.rows.path.as_json(), "rule": file_rule(query),
            "columns": columns_json(query.rows),
        }  # fmt: skip
        self._record(query.rows, parts, parts.rows, entry, failed=failed or missing > 0, store=query.store)

    def _each_file(self, folder: FolderStore, query: FileQuery, checked: Checked) -> tuple[Checked, int]:
        """The rows whose files could be read, once for each file, with what was kept of it; how many could not."""
        numbers, missing = list[int](), 0
        told: dict[str, list[Any]] = {name: [] for name in _FILE_TYPES}
        copies = not (self._facts.in_place or query.in_place)
        how = COPIED if copies else IN_PLACE
        for number, row in enumerate(row_dicts(checked.rows)):
            for file in folder.files(query, row):
                kept = (
                    None if isinstance(file, UnavailableError) else self._copied(folder, file, copies=copies)
                )
                if kept is None or isinstance(file, UnavailableError):
                    missing += 1
                    continue
                numbers.append(number)
                values = (file.name, file.size, kept[0], how, kept[1], file.at)
                for name, value in zip(told, values, strict=True):
                    told[name].append(value)
        rows = checked.rows.take(pa.array(numbers, pa.int64()))
        for name, kind in _FILE_TYPES.items():
            rows = rows.append_column(name, pa.array(told[name], kind))
        times = checked.times.take(pa.array(numbers, pa.int64())) if checked.times is not None else None
        return Checked(rows, (), times), missing

    def _copied(self, folder: FolderStore, file: FoundFile, *, copies: bool) -> tuple[str, list[str]] | None:
        """The digest of a file, and the objects that hold its bytes; none of these where it stays in place.

        None where the file went away while it was read.
        """
        digest, pieces, held = hashlib.sha256(), list[str](), bytearray()
        chunks = folder.chunks(file)
        while True:
            try:
                chunk = next(chunks, b"")
            except UnavailableError:
                return None
            if not chunk:
                break
            digest.update(chunk)
            if not copies:
                continue
            held += chunk
            if len(held) >= OBJECT_BYTES:
                pieces.append(self._put(bytes(held)))
                held.clear()
        if held:
            pieces.append(self._put(bytes(held)))
        return digest.hexdigest(), pieces

    def _put(self, data: bytes) -> str:
        digest = put_object(self._shelf, data)
        self._objects[digest] = len(data)
        return digest

    def _record(
        self,
        query: TableQuery,
        parts: Parts,
        rows: int,
        entry: dict[str, Any],
        *,
        failed: bool,
        store: str = "",
    ) -> None:
        status: Status = "failed" if failed else "found" if rows else "nothing_held"
        self._objects |= {each["sha256"]: each["bytes"] for each in parts.made}
        window = dict(query.window.as_json()) if query.window else None
        where = {"store": store or query.store, "window": window, "status": status, "parts": parts.made}
        self._entries.append({**entry, **where})
        self._results.append(Held(store or query.store, query.label, status, rows, query.categories))


_FILE_TYPES = {
    NAME: pa.string(),
    SIZE: pa.int64(),
    SHA256: pa.string(),
    KEPT: pa.string(),
    PIECES: pa.list_(pa.string()),
    FILE_AT: pa.int64(),
}  # fmt: skip


def _nothing_read(result: Held) -> bool:
    return result.status == "failed" and not result.rows


def columns_json(query: TableQuery) -> list[Json]:
    return [{"name": each.name, "third_party": list[Json](each.third_party)} for each in query.columns]


def file_rule(query: FileQuery) -> dict[str, Json]:
    return {"root": query.root, "path": query.template, "layout": query.layout}


def _subject_json(subject: Subject | None) -> Json:
    if subject is None:
        return None
    return ["int", str(subject)] if isinstance(subject, int) else ["text", subject]

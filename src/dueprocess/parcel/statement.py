"""Minimisation statement: what was asked, permitted, held, disclosed and withheld, as one value.

*Held* is said only about authorised categories. Of every other category the statement says that it was not
collected and why: whether something exists there is itself nobody's business. `statement_page` puts it into words.

Source: formats.md, "Parcel".
"""

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from dueprocess.wire import Json, instant

Status = Literal["found", "nothing_held", "failed"]
Held = Literal["yes", "no", "unknown"]
"""``unknown``: nothing was found, and an entry failed."""
SourceKind = Literal["hold", "hand"]

NOT_NOTHING = "A failed entry does NOT mean that nothing is held there."


@dataclass(frozen=True, slots=True)
class TableResult:
    """What one entry gave. Never silence: ``failed`` says why, and ``rows`` how many records came before.

    ``categories`` are those that its columns count under; ``files`` says that the rows are files. ``nothing_held``
    means: nothing of this account in this window, in this store, at this moment. It does NOT mean that nothing
    ever was. ``read`` is when it was read (from, until) where that was in an earlier run, which was interrupted.
    """

    store: str
    table: str
    status: Status
    rows: int
    why: str = ""
    categories: tuple[str, ...] = ()
    files: bool = False
    read: tuple[dt.datetime, dt.datetime] | None = None

    @property
    def words(self) -> str:
        """``found 3 records``, ``nothing held`` or ``failed: why``, and when, if it was read in an earlier run."""
        if self.status == "failed":
            return f"failed: {self.why}"
        found = self.status == "found"
        told = f"found {counted(self.rows, 'file' if self.files else 'record')}" if found else "nothing held"
        if self.read is None:
            return told
        since, until = map(instant, self.read)
        return f"{told}; read from {since} to {until}, in a run that was interrupted later"

    def as_json(self) -> dict[str, str | int]:
        when = {"read_from": instant(self.read[0]), "read_until": instant(self.read[1])} if self.read else {}
        return {
            "store": self.store,
            "table": self.table,
            "status": self.status,
            "rows": self.rows,
            "why": self.why,
            **when,
        }


@dataclass(frozen=True, slots=True)
class RedactionCount:
    """How often one rule took something about other people out of one column: in how many records and places."""

    store: str
    table: str
    column: str
    rule: str
    records: int
    places: int

    @property
    def reason(self) -> str:
        """The rule in words: ``mask`` takes the whole value, ``redact:a.b`` what stands at one place in it."""
        where = self.rule.removeprefix("redact:")
        if where == self.rule:
            return "The whole value is about other people."
        return f"What stands at {where} inside the value is about other people."

    def as_json(self) -> dict[str, Json]:
        return {
            "store": self.store,
            "table": self.table,
            "column": self.column,
            "rule": self.rule,
            "reason": self.reason,
            "records": self.records,
            "places": self.places,
        }


def summed(counts: Iterable[RedactionCount]) -> tuple[RedactionCount, ...]:
    """One count for each store, table, column and rule, in the order in which they first came."""
    sums: dict[tuple[str, str, str, str], tuple[int, int]] = {}
    for each in counts:
        key = (each.store, each.table, each.column, each.rule)
        records, places = sums.get(key, (0, 0))
        sums[key] = (records + each.records, places + each.places)
    return tuple(RedactionCount(*key, *total) for key, total in sums.items())


@dataclass(frozen=True, slots=True)
class SourceNote:
    """A store of the package that is no live store: a snapshot kept by a hold, or a table collected by hand.

    ``taken_at`` is when it was taken, as text. ``table`` is the one that was collected by hand, ``by`` the opaque id of
    whoever did it, ``files`` the SHA-256 of each file.
    """

    store: str
    kind: SourceKind
    taken_at: str
    table: str = ""
    by: str = ""
    files: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The store, and the table where it is about one."""
        return f"{self.store}.{self.table}" if self.table else self.store

    @property
    def words(self) -> str:
        if self.kind == "hold":
            return (
                f"a snapshot that was taken on {self.taken_at} and kept since; nobody read it in the meantime"
            )
        done = "collected" if self.files else "answered"
        by = f" by {self.by}" if self.by else ""
        plural = "s" if len(self.files) > 1 else ""
        digests = f"; SHA-256 of the file{plural}: {', '.join(self.files)}" if self.files else ""
        return f"{done} by hand on {self.taken_at}{by}, because no program reads this source{digests}"

    def as_json(self) -> dict[str, Json]:
        told: dict[str, Json] = {"store": self.store, "kind": self.kind, "taken_at": self.taken_at}
        if self.kind == "hold":
            return told
        return {**told, "table": self.table, "by": self.by, "files": list(self.files)}


@dataclass(frozen=True, slots=True)
class CategoryLine:
    """One category of the tree: asked, permitted, authorised; and, if not collected, why not.

    ``columns`` are the (store, table, column) that count under it, so that a redaction finds its category.
    """

    name: str
    meaning: str
    asked: bool
    permitted: bool
    authorised: bool
    not_collected: str = ""
    columns: tuple[tuple[str, str, str], ...] = ()

    @property
    def why_not(self) -> str:
        """Why it was not collected, the last step at which it was still alive included."""
        why = self.not_collected or "not authorised by the decision"
        if self.authorised:
            return why
        if not self.asked:
            return f"{why}; it was not asked for"
        if not self.permitted:
            return f"{why}; it was asked for and found not to be permitted"
        return f"{why}; it was asked for and permitted"


@dataclass(frozen=True, slots=True)
class Statement:
    """What is known before the first query. Windows and the authority come as text; nothing here names staff."""

    parcel_id: str
    operator: str
    authority: str
    order: str
    account: str
    legal_basis: tuple[str, ...]
    windows: tuple[tuple[str, str], ...]
    """Pairs of a word (asked, permitted, authorised) and its window in words."""
    categories: tuple[CategoryLine, ...]
    produced_at: str
    sources: tuple[SourceNote, ...] = ()


@dataclass(frozen=True, slots=True)
class CategoryOutcome:
    """What became of one category. ``held`` is None where it was not collected: then nothing is said about it."""

    line: CategoryLine
    held: Held | None
    records: int
    files: int
    entries: dict[Status, int]
    places: int
    """In how many places of its columns something about other people was redacted."""

    def as_json(self) -> dict[str, Json]:
        line = self.line
        return {
            "category": line.name,
            "meaning": line.meaning,
            "asked": line.asked,
            "permitted": line.permitted,
            "authorised": line.authorised,
            "held": self.held,
            "records": self.records,
            "files": self.files,
            "redacted_places": self.places,
            "not_collected": line.why_not if self.held is None or line.not_collected else "",
        }


@dataclass(frozen=True, slots=True)
class Account:
    """The whole statement: what was decided, what each entry gave, what was redacted."""

    statement: Statement
    results: tuple[TableResult, ...]
    redactions: tuple[RedactionCount, ...] = ()

    @property
    def failed(self) -> tuple[TableResult, ...]:
        return tuple(each for each in self.results if each.status == "failed")

    def outcomes(self) -> tuple[CategoryOutcome, ...]:
        """One outcome for each category, in the order of the tree."""
        by_category: dict[str, list[TableResult]] = {}
        for result in self.results:
            for name in result.categories:
                by_category.setdefault(name, []).append(result)
        return tuple(
            self._outcome(line, by_category.get(line.name, []) if line.authorised else [])
            for line in self.statement.categories
        )

    def _outcome(self, line: CategoryLine, results: Sequence[TableResult]) -> CategoryOutcome:
        entries: dict[Status, int] = {"found": 0, "nothing_held": 0, "failed": 0}
        for each in results:
            entries[each.status] += 1
        rows = {files: sum(each.rows for each in results if each.files is files) for files in (False, True)}
        held: Held = "yes" if any(rows.values()) else "unknown" if entries["failed"] else "no"
        places = self._places(line) if results else 0
        return CategoryOutcome(line, held if results else None, rows[False], rows[True], entries, places)

    def _places(self, line: CategoryLine) -> int:
        """Redacted places of its columns; a source beside the live stores has the columns of the map's entry."""
        listed = set(line.columns)
        copies = {(table, column) for _, table, column in line.columns}
        other = {each.store for each in self.statement.sources}
        return sum(
            each.places
            for each in self.redactions
            if (each.store, each.table, each.column) in listed
            or (each.store in other and (each.table, each.column) in copies)
        )

    def as_json(self) -> dict[str, Json]:
        """The statement for programs. Schema: specs/parcel/statement.schema.json."""
        said = self.statement
        return {
            "v": 1,
            "parcel_id": said.parcel_id,
            "operator": said.operator,
            "authority": said.authority,
            "order": said.order,
            "account": said.account,
            "legal_basis": list(said.legal_basis),
            "produced_at": said.produced_at,
            "windows": [{"step": step, "window": window} for step, window in said.windows],
            "categories": [each.as_json() for each in self.outcomes()],
            "entries": [
                {**each.as_json(), "files": each.files, "categories": list(each.categories)}
                for each in self.results
            ],
            "sources": [each.as_json() for each in said.sources],
            "redactions": [each.as_json() for each in self.redactions],
            "failed_entry_means": NOT_NOTHING,
        }


def statement_json(account: Account) -> bytes:
    """``statement.json``: the statement for programs, ASCII, one value a line. Ends in a line feed."""
    return json.dumps(account.as_json(), indent=1).encode() + b"\n"


def counted(number: int, one: str) -> str:
    """A number with its word: 1 record, 2 records, 3 entries."""
    many = f"{one[:-1]}ies" if one.endswith("y") else f"{one}s"
    return f"{number:,} {one if number == 1 else many}"

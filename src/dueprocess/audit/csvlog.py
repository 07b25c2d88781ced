"""PostgreSQL's own log as CSV (``log_destination = csvlog``): logins, and statements with who sent them from where.

Statements come from pgaudit ("AUDIT: …") and from ``log_statement = all``; one that is in both counts once.

Source: PostgreSQL manual, "Using CSV-Format Log Output"; pgaudit, "Format".
"""

import csv
import datetime as dt
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from dueprocess.audit.sqltext import may_read, names_one, one_line
from dueprocess.errors import MalformedError

MOST_FIELD = 64 * 1024 * 1024

_AT, _USER, _FROM, _SESSION, _MESSAGE, _DETAIL, _APPLICATION = 0, 1, 4, 5, 13, 14, 22
_TIME = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?) (UTC|GMT|\+00)")
_LOGIN = "connection authorized: "
_PLAIN = re.compile(r"(?:duration: [\d.]+ ms  )?(?:statement|execute [^:]*): (.*)", re.DOTALL)
_PREPARED = "prepare: "
_NOT_READING = frozenset({"DDL", "ROLE", "MISC", "MISC_SET"})
_UNKNOWN = frozenset({"<not logged>", "<previously logged>"})


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement that reads, or may read, a table of the data map."""

    at: dt.datetime
    role: str
    client: str
    application: str
    session: str
    text: str
    """On one line, with its literals: never to be shown as it is."""


@dataclass(slots=True)
class StoreLog:
    """What a log holds of interest. ``skipped`` counts statements of the platform's own roles."""

    logins: Counter[str] = field(default_factory=Counter)
    tool_logins: Counter[str] = field(default_factory=Counter)
    statements: list[Statement] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    rows: int = 0
    audited: int = 0
    """Lines of pgaudit."""
    first_at: dt.datetime | None = None
    last_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for: these tables, between two instants, by anybody but the platform's own roles."""

    tables: AbstractSet[str]
    platform_roles: AbstractSet[str] = frozenset()
    since: dt.datetime | None = None
    until: dt.datetime | None = None


def read_log(lines: Iterable[str], wanted: Wanted, *, into: StoreLog | None = None) -> StoreLog:
    """Logins and reading statements of a log file; ``into`` goes on with a second file.

    Raises ``MalformedError`` naming the row, and nothing else, for what is no such log.
    """
    found = StoreLog() if into is None else into
    once = _Once()
    for number, row in enumerate(_rows(lines), start=1):
        if len(row) <= _APPLICATION:
            raise _bad(number, f"it has {len(row)} columns")
        at = _moment(row[_AT], number)
        if (wanted.since and at < wanted.since) or (wanted.until and at >= wanted.until):
            continue
        found.rows += 1
        found.first_at = at if found.first_at is None else min(found.first_at, at)
        found.last_at = at if found.last_at is None else max(found.last_at, at)
        _take(found, row, at, wanted, once)
    return found


def _rows(lines: Iterable[str]) -> Iterator[list[str]]:
    csv.field_size_limit(MOST_FIELD)
    rows, number = csv.reader(lines, strict=True), 0
    while True:
        try:
            row = next(rows, None)
        except csv.Error as error:
            raise _bad(number + 1, str(error)) from error
        if row is None:
            return
        number += 1
        yield row


def _bad(number: int, why: str) -> MalformedError:
    return MalformedError(
        "bad-store-log",
        f"Row {number} is not of a log that PostgreSQL writes as CSV.",
        why=why,
        do="Set log_destination = 'csvlog' and log_timezone = 'UTC', and name the .csv files, finished ones.",
        source="PostgreSQL manual, Using CSV-Format Log Output",
    )


def _moment(text: str, number: int) -> dt.datetime:
    match = _TIME.fullmatch(text)
    if match is None:
        raise _bad(number, "its time is not in UTC")
    try:
        return dt.datetime.fromisoformat(match[1]).replace(tzinfo=dt.UTC)
    except ValueError as error:
        raise _bad(number, str(error)) from error


def _take(found: StoreLog, row: list[str], at: dt.datetime, wanted: Wanted, once: "_Once") -> None:
    message, role = row[_MESSAGE], row[_USER]
    if message.startswith(_LOGIN):
        found.logins[role] += 1
        found.tool_logins[role] += "application_name=dueprocess" in message
        return
    if message.startswith("AUDIT: "):
        found.audited += 1
        text = once.audited(row[_SESSION], message, wanted)
    else:
        text = once.plain(row[_SESSION], message, row[_DETAIL], wanted)
    if text is None:
        return
    if role in wanted.platform_roles:
        found.skipped[role] += 1
        return
    found.statements.append(Statement(at, role, row[_FROM], row[_APPLICATION], row[_SESSION], text))


@dataclass(slots=True)
class _Once:
    """Keeps a statement that two lines tell of from being counted twice."""

    counts: dict[tuple[str, str], Counter[str]] = field(default_factory=dict)
    newest: dict[str, tuple[str, set[str]]] = field(default_factory=dict)
    """Session → number of its newest audited statement, and the texts told of it."""
    last_text: dict[str, str] = field(default_factory=dict)

    def audited(self, session: str, message: str, wanted: Wanted) -> str | None:
        """The statement of a pgaudit line, where it reads a wanted table and was not counted yet."""
        try:
            parts = next(csv.reader([message.removeprefix("AUDIT: ").replace("\n", " ")], strict=True))
        except (csv.Error, StopIteration):
            parts = []
        if len(parts) < 8:
            return f"{message[:40]} (an audit line that cannot be read)"
        _, number, _, of_class, _, _, name, text = parts[:8]
        text = one_line(text)
        text = self.last_text.get(f"{session}/{number}", text) if text in _UNKNOWN else text
        self.last_text = {f"{session}/{number}": text} if len(self.last_text) > 999 else self.last_text
        self.last_text[f"{session}/{number}"] = text
        if of_class in _NOT_READING or not _reads(text, name, wanted):
            return None
        last, told = self.newest.get(session, ("", set()))
        if last != number:
            self.newest[session] = (number, told := set())
        if text in told:
            return None
        told.add(text)
        return self._new(session, text, "audit")

    def plain(self, session: str, message: str, detail: str, wanted: Wanted) -> str | None:
        """The statement of an ordinary line, on the same conditions."""
        match = _PLAIN.fullmatch(message)
        if match is None:
            return None
        text = one_line(detail.removeprefix(_PREPARED) if detail.startswith(_PREPARED) else match[1])
        return self._new(session, text, "plain") if _reads(text, "", wanted) else None

    def _new(self, session: str, text: str, source: str) -> str | None:
        counts = self.counts.setdefault((session, text), Counter())
        before = max(counts.values(), default=0)
        counts[source] += 1
        return text if counts[source] > before else None


def _reads(text: str, name: str, wanted: Wanted) -> bool:
    """Whether a statement may read a wanted table; ``name`` is the relation that pgaudit names, if it does."""
    if name:
        return name.rsplit(".", 1)[-1].strip('"') in wanted.tables and may_read(text)
    unknown = text in _UNKNOWN
    return unknown or (may_read(text) and names_one(text, wanted.tables))

"""What a dry run counted, in the words of the tree of categories: the same sheet as a page and as lines of text."""

import datetime as dt
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dueprocess.demand import MEANING, Category
from dueprocess.notice.words import counted
from dueprocess.plan import RowPath
from dueprocess.production.tryout import Held, Holdings, Part
from dueprocess.ui.firstday import Advice, MapNotes
from dueprocess.ui.rendering import render, stylesheet

NOTHING_NEW = (
    "Whoever can read the database of a service can read all of this without dueprocess. This command gives nobody "
    "anything new: it shows a person, or a host, how much there is."
)
CONFIRMED = (
    "The live server confirmed whose token it was. The token was then forgotten, and nothing was stored."
)


@dataclass(frozen=True, slots=True)
class Row:
    """One table's or folder's part of a category."""

    name: str
    columns: str
    held: str
    size: str
    span: str
    failed: bool


@dataclass(frozen=True, slots=True)
class Group:
    """One category with all that was counted under it."""

    category: Category
    meaning: str
    held: str
    size: str
    span: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """Everything that the page says. Counts, sizes, months and names of tables: no value of any record."""

    server_name: str
    platform: str
    map_name: str
    on: dt.date
    window: str
    held: str
    size: str
    oldest: str
    groups: tuple[Group, ...]
    failures: tuple[str, ...]
    not_mapped: tuple[str, ...]
    only_identify: tuple[str, ...]
    others_taken_out: tuple[str, ...]
    left_columns: tuple[tuple[str, str], ...]
    notes: MapNotes
    advice: tuple[Advice, ...]


def sheet(holdings: Holdings, server_name: str, notes: MapNotes, advice: tuple[Advice, ...]) -> Sheet:
    """The counts in words. ``server_name`` is that of the account; the account itself is not named."""
    window, datamap = holdings.window, holdings.datamap
    assert window.since is not None
    assert window.until is not None
    whole = window.since.year == 1970
    months = _months(holdings.entries)
    return Sheet(
        server_name=server_name,
        platform=datamap.platform,
        map_name=f"{datamap.id} {datamap.version}",
        on=window.until.date(),
        window="since the account exists" if whole else f"the last {(window.until - window.since).days} days",
        held=_held(holdings.entries),
        size=amount(sum(each.size for each in holdings.entries)),
        oldest=_month(months[0]) if months else "none has a date",
        groups=tuple(_group(holdings, category) for category in holdings.categories),
        failures=tuple(_failures(holdings.entries)),
        not_mapped=tuple(MEANING[each] for each in _not_mapped(holdings)),
        only_identify=tuple(
            f"{table.label}.{column.name}"
            for table in datamap.tables
            for column in table.columns
            if column.sole_purpose_identify is not None
        ),
        others_taken_out=tuple(
            f"{table.label}.{column.name}"
            for table in datamap.tables
            for column in table.columns
            if column.third_party
        ),
        left_columns=tuple((table, ", ".join(names)) for table, names in holdings.left_out.items()),
        notes=notes,
        advice=advice,
    )


def render_tryout(found: Sheet) -> str:
    """One HTML page that needs nothing beside it: no script, nothing from elsewhere, its style inside."""
    return render(
        "try.html",
        sheet=found,
        style=stylesheet().decode("utf-8"),
        nothing_new=NOTHING_NEW,
        confirmed=CONFIRMED,
    )


def lines(found: Sheet) -> Iterator[str]:
    """The sheet for a terminal."""
    yield f"What {found.server_name} holds about one account, {found.window}"
    yield f"{found.held}, {found.size}; the oldest month: {found.oldest}"
    for group in found.groups:
        yield ""
        yield f"{group.meaning}  ({group.category})"
        yield f"  {_joined(group.held, group.size, group.span)}"
        for row in group.rows:
            yield f"    {row.name + '  ':<26}{_joined(row.held, row.span)}"
            yield from _wrapped(row.columns, "      ")
    yield ""
    yield from (f"Not counted: {each}" for each in found.failures)
    yield from (f"Nothing is listed under: {each}" for each in found.not_mapped)
    yield "Never given to anybody: passwords, keys and tokens"
    if found.advice:
        yield ""
        yield "What you can do today (--out page.html says more, with the sources)"
    for each in found.advice:
        yield f"  {each.title} (if nothing is set: {each.default})"
        yield f"      {each.setting}"
    yield ""
    yield from _wrapped(f"{CONFIRMED} {NOTHING_NEW}", "")


def _wrapped(text: str, before: str) -> list[str]:
    return textwrap.wrap(text, 98, initial_indent=before, subsequent_indent=before)


def as_json(found: Sheet, holdings: Holdings) -> dict[str, object]:
    """The same counts for programs."""
    return {
        "map": {
            "id": holdings.datamap.id,
            "version": holdings.datamap.version,
            "sha256": holdings.datamap.sha256,
        },
        "server_name": found.server_name,
        "window": holdings.window.as_json(),
        "categories": {
            category: {
                "meaning": MEANING[category],
                "records": sum(part.records for held, part in holdings.parts(category) if not held.files),
                "files": sum(part.records for held, part in holdings.parts(category) if held.files),
                "bytes": sum(part.size for _, part in holdings.parts(category)),
            }
            for category in holdings.categories
        },
        "entries": [_entry(each) for each in holdings.entries],
        "not_mapped": list(_not_mapped(holdings)),
        "left_out": {table: list(names) for table, names in holdings.left_out.items()},
    }


def amount(size: int) -> str:
    """Bytes for a person: 512 bytes, 1.5 kB, 20 MB."""
    number = float(size)
    if size < 1000:
        return counted(size, "byte", "bytes")
    for unit in ("kB", "MB", "GB"):
        number /= 1000
        if number < 999.5 or unit == "GB":
            return f"{number:.1f} {unit}" if number < 10 else f"{number:,.0f} {unit}"
    raise AssertionError  # pragma: no cover - the last unit takes everything


def _entry(held: Held) -> dict[str, object]:
    return {
        "store": held.store,
        "name": held.label,
        "kind": "files" if held.files else "table",
        "status": held.status,
        "records": held.records,
        "bytes": held.size,
        "missing": held.missing,
        "oldest": held.months[0] if held.months else None,
        "newest": held.months[1] if held.months else None,
        "categories": {
            part.category: {"records": part.records, "bytes": part.size, "columns": list(part.columns)}
            for part in held.parts
        },
        "why": held.why,
    }


def _group(holdings: Holdings, category: Category) -> Group:
    parts = holdings.parts(category)
    months = _months(held for held, part in parts if part.records)
    meaning = MEANING[category]
    return Group(
        category=category,
        meaning=meaning[0].upper() + meaning[1:],
        held=_held_parts(parts),
        size=amount(sum(part.size for _, part in parts)),
        span=_span(months),
        rows=tuple(_row(held, part) for held, part in parts),
    )


def _row(held: Held, part: Part) -> Row:
    failed, some = held.status in {"failed", "not_asked"}, bool(part.records or held.missing)
    told = _files(held) if held.files else counted(part.records, "record", "records")
    if failed:
        told = f"at least {told}" if some else "not counted"
    return Row(
        name=f"files in {held.store}" if held.files else held.label,
        columns="the files themselves" if held.files else ", ".join(part.columns),
        held=told if some or failed else "nothing",
        size=amount(part.size) if some else "",
        span=(_span(held.months) or _undated(held.path)) if some else "",
        failed=failed,
    )


def _files(held: Held) -> str:
    gone = f"; {held.missing:,} more named and not there" if held.missing else ""
    return counted(held.records, "file", "files") + gone


def _not_mapped(holdings: Holdings) -> tuple[Category, ...]:
    """Categories that the map lists nothing under, for any purpose."""
    other = {column.sole_purpose_identify for table in holdings.datamap.tables for column in table.columns}
    left = (each for each in holdings.not_collected if each.reason == "not_mapped")
    return tuple(each.category for each in left if each.category not in other)


def _held(entries: Iterable[Held]) -> str:
    listed = tuple(entries)
    records = sum(each.records for each in listed if not each.files)
    files = sum(each.records for each in listed if each.files)
    return f"{counted(records, 'record', 'records')} and {counted(files, 'file', 'files')}"


def _held_parts(parts: Iterable[tuple[Held, Part]]) -> str:
    listed = tuple(parts)
    records = sum(part.records for held, part in listed if not held.files)
    files = sum(part.records for held, part in listed if held.files)
    told = [counted(records, "record", "records")] if records else []
    told += [counted(files, "file", "files")] if files else []
    return " and ".join(told) or "nothing"


def _months(entries: Iterable[Held]) -> tuple[str, str] | None:
    found = [each.months for each in entries if each.months is not None]
    return (min(first for first, _ in found), max(last for _, last in found)) if found else None


def _span(months: tuple[str, str] | None) -> str:
    if months is None:
        return ""
    first, last = map(_month, months)
    return first if first == last else f"{first} to {last}"


_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _month(month: str) -> str:
    """``2026-09`` as a person says it: Sep 2026, on one line."""
    year, _, number = month.partition("-")
    return f"{_NAMES[int(number) - 1]}\N{NO-BREAK SPACE}{year}"


def _undated(path: RowPath) -> str:
    return "as it is now" if path.current else "no date"


def _failures(entries: Iterable[Held]) -> Iterator[str]:
    for each in entries:
        name = f"the files in {each.store}" if each.files else each.label
        if each.status == "not_asked":
            yield f"{name}. Name their folder with --media."
        elif each.status == "failed":
            yield f"{name}. {each.why}"


def _joined(*words: str) -> str:
    return ", ".join(each for each in words if each)

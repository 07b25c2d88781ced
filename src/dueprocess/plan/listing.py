"""Tables, files and lines of a data map: what may leave, under which category, in which order."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import cast, get_args

from dueprocess.demand import WITHOUT_WINDOW
from dueprocess.plan.datamap import (
    Layout,
    LinesTable,
    ListedColumn,
    ListedFile,
    ListedTable,
    PathPart,
    RowPath,
    Stamp,
)
from dueprocess.plan.names import RESERVED, check_name, refuse_secret
from dueprocess.plan.part import Part
from dueprocess.plan.paths import Entries, known_store, row_path

TABLE = (("store", "name", "columns"), ("subject", "via", "time", "absent", "equals", "order", "as"))
FILE = (("store", "root", "from", "path", "category"), ("layout", "in_place"))
LINES = (("store", "name", "files", "pattern"), ("stamp", "zone"))
FROM = (("store", "table"), ("subject", "via", "time", "absent", "equals"))

MOST_PATTERN = 4000
LINES_SCHEME = "lines:///"
_FILES = re.compile(r"[A-Za-z0-9_*?-][A-Za-z0-9._*?-]{0,199}")
_PART = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)(?:\[([0-9]{0,3}):([0-9]{0,3})\])?\}|([A-Za-z0-9._/-]+)")
_RULE = re.compile(r"mask|redact:[^\s.]+(\.[^\s.]+)*")

type Groups = Mapping[tuple[str, str], frozenset[str]]
"""The named groups of each table of lines, by store and name."""


def read_table(part: Part, stores: Entries) -> ListedTable:
    """One table of a database, or one kind of records of it."""
    path = row_path(part, "name", stores)
    raw = part.raw["columns"]
    if not isinstance(raw, dict) or not raw:
        raise part.wrong("columns", "lists at least one column")
    columns = tuple(_column(part, name, each) for name, each in raw.items())
    undated = path.time is None and not path.current
    if undated and not all(column.category in WITHOUT_WINDOW for column in columns):
        raise part.wrong("time", "is missing: records of use are cut by a window, or are `current`")
    order = part.names("order") or ((path.time.column,) if path.time else (columns[0].name,))
    return ListedTable(path, columns, order, part.name("as") if part.has("as") else path.table)


def _column(part: Part, name: str, raw: object) -> ListedColumn:
    where = f"{part.where}: columns.{name}"
    check_name(name, where)
    refuse_secret(name, where)
    if name in RESERVED:
        raise part.wrong(name, "is a column that a parcel adds itself")
    if not isinstance(raw, dict):
        raise part.wrong(f"columns.{name}", "is a table")
    column = Part(raw, where, ("category",), ("sole_purpose_identify", "third_party"))
    rules = column.texts("third_party")
    if not all(_RULE.fullmatch(rule) for rule in rules):
        raise column.wrong("third_party", "is a list of `mask` or `redact:a.b`")
    alone = column.category("sole_purpose_identify") if column.has("sole_purpose_identify") else None
    return ListedColumn(name, column.category("category"), alone, rules)


def read_file(part: Part, stores: Entries) -> ListedFile:
    """Files in a folder, which rows of a database name."""
    source = part.part("from", *FROM)
    path = row_path(source, "table", stores)
    if stores[path.store].by_hand:
        raise source.wrong("store", "is collected by a person, and files are named by records of a database")
    category = part.category("category")
    layout = cast("Layout", part.choice("layout", get_args(Layout))) if part.has("layout") else "file"
    if layout == "maildir" and path.time is not None:
        raise source.wrong(
            "time", "is not for a Maildir, whose messages carry their own times in their names"
        )
    dated = path.time is not None or path.current or layout == "maildir"
    if not dated and category not in WITHOUT_WINDOW:
        raise source.wrong("time", "is missing: files are cut by a window, or are `current`")
    template = part.text("path")
    listed = ListedFile(
        path=path,
        store=known_store(part, "store", stores, folder=True),
        root=_below(part, "root"),
        template=template,
        parts=_parts(part, template),
        category=category,
        layout=layout,
        in_place=part.flag("in_place"),
    )
    if not listed.path_columns:
        raise part.wrong("path", "names no column, so it would be the same file for everybody")
    return listed


def _below(part: Part, key: str) -> str:
    """A relative folder without ``..``; ``.`` for the store's own folder."""
    text = part.text(key)
    steps = text.split("/")
    if (text != "." and any(step in {"", ".", ".."} for step in steps)) or not re.fullmatch(
        r"[A-Za-z0-9._/-]+", text
    ):
        raise part.wrong(key, "is a relative folder of letters, digits, `.`, `_`, `-`, without `..`")
    return text


def _parts(part: Part, template: str) -> tuple[PathPart, ...]:
    """The pieces of a path template: ``ab/{media_id[0:2]}/{media_id[2:]}``."""
    found: list[PathPart] = []
    at = 0
    while at < len(template):
        match = _PART.match(template, at)
        if match is None:
            raise part.wrong("path", f"is not understood from character {at + 1} on")
        column, start, end, text = match.groups()
        if column is None:
            found.append(PathPart(text=text))
        else:
            check_name(column, f"{part.where}: `path`")
            refuse_secret(column, f"{part.where}: `path`")
            found.append(PathPart(column=column, start=_number(start), end=_number(end)))
        at = match.end()
    if template.startswith("/") or any(step in {"", ".", ".."} for step in template.split("/")):
        raise part.wrong("path", "is relative, and has no empty step and no `..`")
    return tuple(found)


def _number(text: str | None) -> int | None:
    return int(text) if text else None


def read_lines(part: Part, stores: Entries) -> LinesTable:
    """Lines of text files as a table. Refuses a pattern without columns, and a column of secrets."""
    store = known_store(part, "store", stores, folder=False)
    connect = stores[store].connect
    if not connect.startswith((LINES_SCHEME, "${")):
        raise part.wrong("store", f"names a store whose connect is not {LINES_SCHEME}folder")
    pattern = part.text("pattern", MOST_PATTERN)
    groups = _groups(part, pattern)
    if part.has("stamp") != ("time" in groups):
        raise part.wrong("stamp", "is given where the pattern has a group `time`, and only there")
    stamp = cast("Stamp", part.choice("stamp", get_args(Stamp))) if part.has("stamp") else None
    if part.has("zone") and stamp != "syslog":
        raise part.wrong("zone", "is for the stamp syslog; any other says itself where it counts from")
    return LinesTable(
        store, part.name("name"), part.matching("files", _FILES), pattern, stamp, part.zone("zone")
    )


def groups_of(lines: LinesTable) -> frozenset[str]:
    """The columns of a table of lines: the named groups of its pattern, which was compiled before."""
    return frozenset(re.compile(lines.pattern).groupindex)


def _groups(part: Part, pattern: str) -> Mapping[str, int]:
    try:
        found = re.compile(pattern).groupindex
    except (re.error, RecursionError, OverflowError, Warning) as error:
        raise part.wrong("pattern", f"is no regular expression of Python: {error}"[:200]) from error
    if not found:
        raise part.wrong("pattern", "names no group, so it has no columns: (?P<name>...)")
    for name in found:
        check_name(name, f"{part.where}: `pattern`")
        refuse_secret(name, f"{part.where}: `pattern`")
    return found


def listed_names(entry: ListedTable | ListedFile) -> tuple[str, ...]:
    """Columns of the entry's own table that are read for what they say, or sorted by."""
    if isinstance(entry, ListedFile):
        return entry.path_columns
    time = entry.path.time.column if entry.path.time else None
    return (*(column.name for column in entry.columns), *(name for name in entry.order if name != time))


def refuse_unmatched(part: Part, path: RowPath, listed: Sequence[str], groups: Groups) -> None:
    """Refuses a path over tables of lines that reads what no group of their patterns gives."""
    for table, column in (*path_columns(path), *((path.table, name) for name in listed)):
        known = groups.get((path.store, table))
        if known is None:
            raise part.wrong("store", f"has lines of text, and no [[lines]] calls them {table!r}")
        if column not in known:
            raise part.wrong(column, f"is no group of the pattern of {table!r}")
    if path.time and path.time.column == "time" and (path.time.unit, path.time.zone) != ("timestamp", "UTC"):
        raise part.wrong("time", "of a line is an instant when it arrives: the unit timestamp, without zone")


def path_columns(path: RowPath) -> Iterator[tuple[str, str]]:
    """Every (table, column) that leads from a row to its subject, or cuts it out."""
    here = path.table
    for hop in path.hops:
        yield here, hop.on
        yield hop.table, hop.foreign
        here = hop.table
    yield here, path.subject
    if path.time is not None:
        yield path.time.table, path.time.column
    yield from ((path.table, name) for name in path.absent)
    yield from ((path.table, name) for name, _ in path.equals)

"""A data map from TOML, strictly: unknown, missing and doubled keys are errors that name file and key.

Nothing has a silent default that widens: a table of dated records without ``time`` is refused, not read whole.
"""

import re
import tomllib
from collections.abc import Collection
from dataclasses import dataclass
from typing import cast, get_args

from dueprocess.demand import AUTHORISABLE, SECRETS, WITHOUT_WINDOW, Category
from dueprocess.errors import MalformedError, RefusedError
from dueprocess.plan.datamap import (
    DataMap,
    Hop,
    ListedColumn,
    ListedFile,
    ListedTable,
    PathPart,
    RowPath,
    StoreEntry,
    TargetRoute,
    TimeColumn,
    TimeUnit,
)
from dueprocess.plan.names import RESERVED, check_name, refuse_gathering, refuse_secret

MOST_ROWS = 1_000_000_000
_PART = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)(?:\[([0-9]{0,3}):([0-9]{0,3})\])?\}|([A-Za-z0-9._/-]+)")
_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_RULE = re.compile(r"mask|redact:[^\s.]+(\.[^\s.]+)*")


def parse_map(text: str, where: str) -> DataMap:
    """A data map from TOML text; ``where`` names the file in errors.

    Raises ``MalformedError``, or ``RefusedError`` for what can be written but is never allowed: a column of
    secrets, a subject column that speaks of a room.
    """
    try:
        raw = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        raise MalformedError("data-map", f"{where}: this is not TOML.", why=str(error)[:200]) from error
    top = Part(raw, where, ("map", "store", "target", "table"), ("file",))
    head = top.part("map", ("id", "version", "platform"))
    stores = _stores(top)
    datamap = DataMap(
        id=head.matching("id", _ID),
        version=head.matching("version", _ID),
        platform=head.text("platform"),
        stores=stores,
        targets=tuple(
            _target(part, stores)
            for part in top.parts("target", ("kind", "store", "table", "column", "subject"))
        ),
        tables=tuple(_table(part, stores) for part in top.parts("table", *_TABLE)),
        files=tuple(_file(part, stores) for part in top.parts("file", *_FILE)) if top.has("file") else (),
    )
    _refuse_twice(datamap, top)
    return datamap


_TABLE = (("store", "name", "columns"), ("subject", "via", "time", "absent", "order"))
_FILE = (("store", "root", "from", "path", "category"), ())
_FROM = (("store", "table"), ("subject", "via", "time", "absent"))


@dataclass(frozen=True, slots=True)
class Part:
    """A table of the TOML file with the keys that it must and may have; ``where`` grows as we go down."""

    raw: dict[str, object]
    where: str
    required: Collection[str]
    optional: Collection[str] = ()

    def __post_init__(self) -> None:
        missing = sorted(set(self.required) - set(self.raw))
        unknown = sorted(set(self.raw) - set(self.required) - set(self.optional))
        if missing:
            raise self.wrong(missing[0], "is missing")
        if unknown:
            raise self.wrong(unknown[0][:60], "is not a key of this place")

    def wrong(self, key: str, what: str) -> MalformedError:
        return MalformedError(
            "data-map",
            f"{self.where}: `{key}` {what}.",
            do="A data map is a closed world: see docs for the keys of each place.",
            source="formats.md, Data map",
        )

    def has(self, key: str) -> bool:
        return key in self.raw

    def text(self, key: str) -> str:
        value = self.raw[key]
        if not isinstance(value, str) or not value or len(value) > 1000:
            raise self.wrong(key, "is a text of 1 to 1000 characters")
        return value

    def matching(self, key: str, form: re.Pattern[str]) -> str:
        value = self.text(key)
        if not form.fullmatch(value):
            raise self.wrong(key, f"does not have the form {form.pattern}")
        return value

    def name(self, key: str) -> str:
        return check_name(self.text(key), f"{self.where}: `{key}`")

    def names(self, key: str) -> tuple[str, ...]:
        """A list of names, each once; empty where the key is absent."""
        found = self.texts(key)
        return tuple(check_name(name, f"{self.where}: `{key}`") for name in found)

    def texts(self, key: str) -> tuple[str, ...]:
        value = self.raw.get(key, [])
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise self.wrong(key, "is a list of texts")
        if len(set(value)) != len(value):
            raise self.wrong(key, "names the same thing twice")
        return tuple(cast("list[str]", value))

    def part(self, key: str, required: Collection[str], optional: Collection[str] = ()) -> "Part":
        value = self.raw[key]
        if not isinstance(value, dict):
            raise self.wrong(key, "is a table")
        return Part(value, f"{self.where}: [{key}]", required, optional)

    def parts(
        self, key: str, required: Collection[str], optional: Collection[str] = ()
    ) -> tuple["Part", ...]:
        value = self.raw[key]
        if not isinstance(value, list) or not value or not all(isinstance(each, dict) for each in value):
            raise self.wrong(key, "is a list of at least one table")
        return tuple(
            Part(each, f"{self.where}: [[{key}]] {number}", required, optional)
            for number, each in enumerate(value, start=1)
        )

    def category(self, key: str) -> Category:
        value = self.text(key)
        if value == SECRETS:
            raise RefusedError(
                "secrets",
                f"{self.where}: `{key}`: passwords, keys and tokens are never listed.",
                why="What is not listed cannot leave, and these open everything else.",
                do="Remove the column from the map.",
                source="architecture.md 1.5; Regulation (EU) 2023/1543 Article 3(9)",
            )
        if value not in AUTHORISABLE:
            raise self.wrong(key, "is not a leaf of the tree of categories")
        return Category(value)


def _stores(top: Part) -> tuple[StoreEntry, ...]:
    raw = top.raw["store"]
    if not isinstance(raw, dict) or not raw:
        raise top.wrong("store", "holds at least one [store.NAME]")
    return tuple(_store(check_name(name, f"{top.where}: [store]"), raw[name], top) for name in raw)


def _store(name: str, raw: object, top: Part) -> StoreEntry:
    if not isinstance(raw, dict):
        raise top.wrong(f"store.{name}", "is a table")
    part = Part(raw, f"{top.where}: [store.{name}]", ("connect",), ("max_rows",))
    most = part.raw.get("max_rows")
    if part.has("max_rows") and (
        not isinstance(most, int) or isinstance(most, bool) or not 1 <= most <= MOST_ROWS
    ):
        raise part.wrong("max_rows", f"is a whole number from 1 to {MOST_ROWS}")
    return StoreEntry(name, part.text("connect"), cast("int | None", most))


def _known(part: Part, key: str, stores: tuple[StoreEntry, ...], *, folder: bool) -> str:
    """The name of a declared store: a database says how many rows it may give, a folder does not."""
    name = part.name(key)
    found = [entry for entry in stores if entry.name == name]
    if not found:
        raise part.wrong(key, f"names the store {name!r}, which is not declared")
    if (found[0].max_rows is None) != folder:
        kind = "a folder (a store without max_rows)" if folder else "a database (a store with max_rows)"
        raise part.wrong(key, f"names {kind}")
    return name


def _target(part: Part, stores: tuple[StoreEntry, ...]) -> TargetRoute:
    if part.text("kind") != "account":
        raise part.wrong("kind", "is `account`: no other kind of target is resolved by this version")
    route = TargetRoute(
        kind="account",
        store=_known(part, "store", stores, folder=False),
        table=part.name("table"),
        column=part.name("column"),
        subject=part.name("subject"),
    )
    for name in (route.table, route.column, route.subject):
        refuse_gathering(name, part.where)
    refuse_secret(route.column, part.where)
    return route


def _table(part: Part, stores: tuple[StoreEntry, ...]) -> ListedTable:
    path = _path(part, "name", stores)
    raw = part.raw["columns"]
    if not isinstance(raw, dict) or not raw:
        raise part.wrong("columns", "lists at least one column")
    columns = tuple(_column(part, name, each) for name, each in raw.items())
    undated = path.time is None and not path.current
    if undated and not {column.category for column in columns} <= WITHOUT_WINDOW:
        raise part.wrong("time", "is missing: records of use are cut by a window, or are `current`")
    order = part.names("order") or ((path.time.column,) if path.time else (columns[0].name,))
    return ListedTable(path, columns, order)


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


def _file(part: Part, stores: tuple[StoreEntry, ...]) -> ListedFile:
    source = part.part("from", *_FROM)
    path = _path(source, "table", stores)
    category = part.category("category")
    if path.time is None and not path.current and category not in WITHOUT_WINDOW:
        raise source.wrong("time", "is missing: files are cut by a window, or are `current`")
    template = part.text("path")
    listed = ListedFile(
        path=path,
        store=_known(part, "store", stores, folder=True),
        root=_below(part, "root"),
        template=template,
        parts=_parts(part, template),
        category=category,
    )
    if not listed.path_columns:
        raise part.wrong("path", "names no column, so it would be the same file for everybody")
    return listed


def _path(part: Part, key: str, stores: tuple[StoreEntry, ...]) -> RowPath:
    table = part.name(key)
    if part.has("via") == part.has("subject"):
        raise part.wrong("subject", "or `via` is given, and not both")
    hops, subject = _via(part) if part.has("via") else ((), part.name("subject"))
    refuse_gathering(subject, f"{part.where}: subject")
    refuse_secret(subject, f"{part.where}: subject")
    tables = [table, *(hop.table for hop in hops)]
    if len(set(tables)) != len(tables):
        raise part.wrong("via", "passes the same table twice")
    current = part.raw.get("time") == "current"
    time = None if current or not part.has("time") else _time(part, tables)
    store = _known(part, "store", stores, folder=False)
    return RowPath(store, table, hops, subject, time, current, part.names("absent"))


def _via(part: Part) -> tuple[tuple[Hop, ...], str]:
    """The hops, and the subject column that the last of them names."""
    steps = part.parts("via", ("table", "on"), ("foreign", "subject"))
    last = steps[-1]
    if not last.has("subject") or any(step.has("subject") for step in steps[:-1]):
        raise last.wrong("subject", "is named by the last step of `via`, and only there")
    hops = tuple(
        Hop(step.name("table"), step.name("on"), step.name("foreign" if step.has("foreign") else "on"))
        for step in steps
    )
    return hops, last.name("subject")


def _time(part: Part, tables: list[str]) -> TimeColumn:
    time = part.part("time", ("column", "unit"), ("table",))
    unit = time.text("unit")
    if unit not in get_args(TimeUnit):
        raise time.wrong("unit", f"is one of {', '.join(get_args(TimeUnit))}")
    table = time.name("table") if time.has("table") else tables[0]
    if table not in tables:
        raise time.wrong("table", "is not on the path from the row to the subject")
    return TimeColumn(table, time.name("column"), cast("TimeUnit", unit))


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


def _refuse_twice(datamap: DataMap, top: Part) -> None:
    """One route per kind, one entry per table, so that two entries cannot disagree about a column."""
    kinds = [route.kind for route in datamap.targets]
    tables = [(table.path.store, table.path.table) for table in datamap.tables]
    if len(set(kinds)) != len(kinds):
        raise top.wrong("target", "declares the same kind twice")
    if len(set(tables)) != len(tables):
        raise top.wrong("table", "lists the same table twice")

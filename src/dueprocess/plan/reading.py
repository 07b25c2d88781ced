"""A data map from TOML, strictly: unknown, missing and doubled keys are errors that name file and key.

Nothing has a silent default that widens: a table of dated records without ``time`` is refused, not read whole.
"""

import re
import tomllib
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import cast

from dueprocess.errors import MalformedError
from dueprocess.plan.datamap import MANUAL, DataMap, ListedFile, ListedTable, StoreEntry
from dueprocess.plan.listing import (
    FILE,
    FROM,
    LINES,
    LINES_SCHEME,
    TABLE,
    groups_of,
    listed_names,
    read_file,
    read_lines,
    read_table,
    refuse_unmatched,
)
from dueprocess.plan.names import check_name
from dueprocess.plan.part import Part
from dueprocess.plan.routes import TARGET, read_route, refuse_by_hand, refuse_lost_owners

MOST_ROWS = 1_000_000_000
_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


def parse_map(text: str, where: str) -> DataMap:
    """A data map from TOML text; ``where`` names the file in errors.

    Raises ``MalformedError``, or ``RefusedError`` for what can be written but is never allowed: a column of
    secrets, a subject column that speaks of a room, owners who are only members.
    """
    try:
        raw = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        raise MalformedError("data-map", f"{where}: this is not TOML.", why=str(error)[:200]) from error
    top = Part(raw, where, ("map", "store", "target", "table"), ("file", "lines"))
    head = top.part("map", ("id", "version", "platform"))
    stores = _stores(top)
    tables, files = top.parts("table", *TABLE), top.parts("file", *FILE) if top.has("file") else ()
    lines = top.parts("lines", *LINES) if top.has("lines") else ()
    datamap = DataMap(
        id=head.matching("id", _ID),
        version=head.matching("version", _ID),
        platform=head.text("platform"),
        stores=tuple(stores.values()),
        targets=tuple(read_route(part, stores) for part in top.parts("target", *TARGET)),
        tables=tuple(read_table(part, stores) for part in tables),
        files=tuple(read_file(part, stores) for part in files),
        lines=tuple(read_lines(part, stores) for part in lines),
    )
    _refuse_twice(datamap, top)
    account = next((route for route in datamap.targets if route.kind == "account"), None)
    for route in datamap.targets:
        refuse_lost_owners(route, account)
        refuse_by_hand(route, stores)
    _check_lines(datamap, stores, (*tables, *(part.part("from", *FROM) for part in files)))
    return datamap


def _stores(top: Part) -> dict[str, StoreEntry]:
    raw = top.raw["store"]
    if not isinstance(raw, dict) or not raw:
        raise top.wrong("store", "holds at least one [store.NAME]")
    return {name: _store(check_name(name, f"{top.where}: [store]"), raw[name], top) for name in raw}


def _store(name: str, raw: object, top: Part) -> StoreEntry:
    if not isinstance(raw, dict):
        raise top.wrong(f"store.{name}", "is a table")
    part = Part(raw, f"{top.where}: [store.{name}]", ("connect",), ("max_rows",))
    most = part.raw.get("max_rows")
    if part.has("max_rows") and (
        not isinstance(most, int) or isinstance(most, bool) or not 1 <= most <= MOST_ROWS
    ):
        raise part.wrong("max_rows", f"is a whole number from 1 to {MOST_ROWS}")
    connect = part.text("connect")
    if connect.startswith(MANUAL) and (connect != MANUAL or most is None):
        raise part.wrong(
            "connect", f"is {MANUAL!r} and nothing more, beside `max_rows`, where a person collects"
        )
    return StoreEntry(name, connect, cast("int | None", most))


def _refuse_twice(datamap: DataMap, top: Part) -> None:
    """One route per kind, one entry per label, one pattern per table of lines."""
    if _twice(route.kind for route in datamap.targets):
        raise top.wrong("target", "declares the same kind twice")
    if _twice((table.path.store, table.label) for table in datamap.tables):
        raise top.wrong(
            "table", "lists the same table twice without calling one of them something else (`as`)"
        )
    if _twice((lines.store, lines.name) for lines in datamap.lines):
        raise top.wrong("lines", "names the same table twice")


def _twice(values: Iterable[Hashable]) -> bool:
    listed = list(values)
    return len(set(listed)) != len(listed)


def _check_lines(datamap: DataMap, stores: Mapping[str, StoreEntry], parts: Sequence[Part]) -> None:
    """Over lines of text only what the patterns give is read: nothing else could be checked before it is needed."""
    groups = {(lines.store, lines.name): groups_of(lines) for lines in datamap.lines}
    over = {lines.store for lines in datamap.lines}
    over |= {name for name, entry in stores.items() if entry.connect.startswith(LINES_SCHEME)}
    if not over:
        return
    entries: list[ListedTable | ListedFile] = [*datamap.tables, *datamap.files]
    for part, entry in zip(parts, entries, strict=True):
        if entry.path.store in over:
            refuse_unmatched(part, entry.path, listed_names(entry), groups)

"""From a row to one subject: the parts of a data map that say it, shared by tables and files."""

from collections.abc import Mapping
from typing import cast, get_args

from dueprocess.plan.datamap import MANUAL, Hop, RowPath, StoreEntry, TimeColumn, TimeUnit
from dueprocess.plan.names import refuse_gathering, refuse_secret
from dueprocess.plan.part import Part

type Entries = Mapping[str, StoreEntry]

ZONED: frozenset[TimeUnit] = frozenset({"iso", "timestamp", "date"})
"""Units that can leave open where they count from. Seconds since 1970 cannot."""


def known_store(part: Part, key: str, stores: Entries, *, folder: bool) -> str:
    """The name of a declared store: a database says how many rows it may give, a folder does not."""
    name = part.name(key)
    entry = stores.get(name)
    if entry is None:
        raise part.wrong(key, f"names the store {name!r}, which is not declared")
    if (entry.max_rows is None) != folder:
        kind = "a folder (a store without max_rows)" if folder else "a database (a store with max_rows)"
        raise part.wrong(key, f"names {kind}")
    return name


def row_path(part: Part, key: str, stores: Entries) -> RowPath:
    """Equalities from the table that ``key`` names to the subject column. Refuses a subject that is no person."""
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
    store = known_store(part, "store", stores, folder=False)
    if stores[store].by_hand:
        _refuse_by_hand(part, hops, time)
    absent, equals = part.names("absent"), part.equalities("equals")
    for name, _ in equals:
        if name in absent:
            raise part.wrong("equals", f"gives {name!r} a value, and `absent` says that it has none")
    return RowPath(store, table, hops, subject, time, current, absent, equals)


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


def _refuse_by_hand(part: Part, hops: tuple[Hop, ...], time: TimeColumn | None) -> None:
    """Refuses what a person's file cannot say: a way over other tables, a time of an engine's own type."""
    if hops:
        raise part.wrong(
            "via", f"is not for a store {MANUAL} - each record of a person's file says itself whose it is"
        )
    if time is not None and time.unit == "timestamp":
        raise part.wrong("time", "has the unit iso, date, s, ms or us where a person writes it into a file")


def _time(part: Part, tables: list[str]) -> TimeColumn:
    time = part.part("time", ("column", "unit"), ("table", "zone"))
    unit = cast("TimeUnit", time.choice("unit", get_args(TimeUnit)))
    table = time.name("table") if time.has("table") else tables[0]
    if table not in tables:
        raise time.wrong("table", "is not on the path from the row to the subject")
    if time.has("zone") and unit not in ZONED:
        raise time.wrong("zone", f"has no meaning for the unit {unit}, which counts from one instant")
    return TimeColumn(table, time.name("column"), unit, time.zone("zone"))

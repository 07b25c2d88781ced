"""`dueprocess datamap plan`: what would be asked of which store, in words, before or after a decision.

No store is opened here. Counts are told where a production was made, from its own record in history.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from dueprocess.cli.datamap_counts import NONE, Counts, counts_of
from dueprocess.cli.place import Place
from dueprocess.demand import AUTHORISABLE, MEANING, Period, ScopeItem, Target, TargetKind, expand, ordered
from dueprocess.errors import MalformedError
from dueprocess.library.datamaps import named_map
from dueprocess.plan import (
    DataMap,
    FileQuery,
    NotCollected,
    Plan,
    RowPath,
    TableQuery,
    TargetRoute,
    compile_plan,
)
from dueprocess.wire import instant, parse_instant

PLACEHOLDER = "somebody"
"""Stands for the target where there is no case. It is compared with nothing."""

_ANY_WINDOW = Period(dt.datetime(2026, 1, 1, tzinfo=dt.UTC), dt.datetime(2026, 2, 1, tzinfo=dt.UTC))
_NO_NONCE = bytes(32)


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Asked:
    """What a decision could be about, where there is no case yet."""

    file: Annotated[Path | None, Parameter(help="another map than the installation's")] = None
    categories: Annotated[
        list[str] | None, Parameter(negative="", help="only these; a parent stands for its leaves")
    ] = None
    since: Annotated[str | None, Parameter(name="--from", help="such as 2026-09-01T00:00:00Z")] = None
    until: Annotated[str | None, Parameter(help="the instant itself not included")] = None
    kind: Annotated[
        TargetKind | None, Parameter(help="how the target is named; default: the map's first")
    ] = None


def plan_command(
    *,
    asked: Asked | None = None,
    case: Annotated[str | None, Parameter(help="what was authorised in this case, instead")] = None,
    target: Annotated[str | None, Parameter(help="of that case")] = None,
    place: Place | None = None,
) -> None:
    """Show what would be asked of which store, and what would not and why. Opens no store and counts nothing anew.

    Of a case whose production was made: with the number of records that each table gave, as history has it.
    """
    at, what, counts = place or Place(), asked or Asked(), NONE
    if case is not None and target is not None and what == Asked():
        (plan, counts), dated = _authorised(at, case, target), True
    elif case is None and target is None:
        window = window_of(what.since, what.until)
        datamap = named_map(what.file) if what.file is not None else at.open()[0].datamap
        plan, dated = example_plan(datamap, what.categories, window, what.kind), window is not None
    else:
        raise MalformedError(
            "plan-of-what",
            "A plan is either of a case and one of its targets, or of nobody.",
            do="Give --case and --target together and nothing else, or neither of them.",
        )
    at.say(page(plan, dated=dated, counts=counts), plan_json(plan, dated=dated, counts=counts))


def _authorised(at: Place, case: str, target: str) -> tuple[Plan, Counts]:
    """What was authorised, compiled again from the map in use, as the production worker will."""
    from dueprocess.desk import demands  # noqa: PLC0415  the office is loaded only where there is a case
    from dueprocess.history.append import load_case  # noqa: PLC0415

    desk, _ = at.open()
    found = load_case(at.case(case))
    _, plan = demands.authorised(desk, found, target)
    return plan, counts_of(found.target(target), plan)


def window_of(since: str | None, until: str | None) -> Period | None:
    """A window with both ends, or None where neither is given. Refuses one end alone."""
    if since is None and until is None:
        return None
    if since is None or until is None:
        raise MalformedError(
            "open-window", "A window has two ends.", do="Give both --from and --until, or neither."
        )
    return Period(parse_instant(since), parse_instant(until))


def example_plan(
    datamap: DataMap, names: list[str] | None, window: Period | None, kind: TargetKind | None
) -> Plan:
    """The plan for nobody: what a decision over these categories and this window would ask about one account."""
    categories = expand(names) if names else frozenset(AUTHORISABLE)
    target = Target(kind or datamap.targets[0].kind, PLACEHOLDER)
    return compile_plan(ScopeItem(target, categories, window or _ANY_WINDOW), datamap, nonce=_NO_NONCE)


def page(plan: Plan, *, dated: bool, counts: Counts = NONE) -> list[str]:
    """The plan as text. ``dated`` is False where the window is only a placeholder."""
    lines = [f"Target: {route_words(plan.target.route)}"]
    for query in plan.tables:
        lines += ["", f"{query.store}.{query.label}", *_rows(query, dated=dated)]
        lines += ["  how      a person collects it by hand: dueprocess collect"] if query.by_hand else []
        lines += [f"  column   {column.name:<24}{column.category}" for column in query.columns]
        lines += counts.lines(query.store, query.label)
    for each in plan.files:
        lines += [
            "",
            f"{each.store}: {each.layout} {each.root}/{each.template}",
            f"  category {each.category}",
        ]
        lines += _rows(each.rows, dated=dated)
        lines += ["  cut by   the time in each message's name"] if each.window else []
        lines += (
            ["  kept     in place: digest and size of each file, never its bytes"] if each.in_place else []
        )
        lines += counts.lines(each.store, each.rows.label)
    for hold in plan.holds:
        lines += ["", f"{hold.store}: what that hold has kept of it, within the same bounds"]
        lines += counts.held(hold.store)
    lines += ["", "Not collected:"]
    lines += [f"  {each.table or each.category}: {_why(each)}" for each in plan.not_collected]
    return [*lines, "", counts.last_line()]


def _rows(query: TableQuery, *, dated: bool) -> Iterator[str]:
    yield f"  rows     {path_words(query.path)}"
    time = query.path.time
    if time is None:
        how = "as they are now" if query.path.current else "the account's own, which no window cuts"
        yield f"  window   none: {how}"
    else:
        zone = f", local time of {time.zone}" if time.zone != "UTC" else ""
        span = window_words(query.window) if dated and query.window else "within the decision's window"
        yield f"  window   {time.table}.{time.column} ({time.unit}{zone}) {span}"
    order = "in the order of the file" if query.by_hand else f"sorted by {', '.join(query.order)}"
    yield f"  at most  {query.cap:,} rows, {order}"


def _why(entry: NotCollected) -> str:
    return f"{entry.why} ({entry.category})" if entry.table else f"{entry.why}: {MEANING[entry.category]}"


def window_words(window: Period) -> str:
    ends = [instant(each) if each else "open" for each in (window.since, window.until)]
    return f"from {ends[0]} until before {ends[1]}"


def path_words(path: RowPath) -> str:
    """The equalities from a row to the account, and what narrows them."""
    steps, here = list[str](), path.table
    for hop in path.hops:
        steps.append(f"{here}.{hop.on} = {hop.table}.{hop.foreign}")
        here = hop.table
    steps.append(f"{here}.{path.subject} = the account")
    steps += [f"{path.table}.{name} is empty" for name in path.absent]
    steps += [f"{path.table}.{name} = {value!r}" for name, value in path.equals]
    return " and ".join(steps)


def route_words(route: TargetRoute) -> str:
    """How one name becomes one account, or one thing its owners."""
    words = f"{route.kind}: the one row of {route.store}.{route.table} whose {route.column} is the value"
    words += " without regard to case" if route.compare == "ignore_case" else ""
    words += "".join(f", {name} is empty" for name in route.absent)
    words += "".join(f", {name} = {value!r}" for name, value in route.equals)
    if route.interval is not None:
        words += f", at an instant from {route.interval.since} until before {route.interval.until}"
    if route.owners is not None:
        owners = route.owners
        picked = "".join(f" and {name} = {value!r}" for name, value in owners.equals)
        return (
            f"{words}; then its owners by {owners.table}.{owners.resource}{picked}, each under a new decision"
        )
    return f"{words}; its {route.subject} is the account"


def plan_json(plan: Plan, *, dated: bool, counts: Counts = NONE) -> dict[str, Any]:
    """The same as JSON, without the target's value."""
    counted = {"counted_at": counts.at, "counts": list(counts.tables), "map_changed": counts.changed}
    target = {name: value for name, value in plan.target.as_json().items() if name != "value"}
    return {
        "map": {"id": plan.map_id, "sha256": plan.map_sha256},
        "target": target,
        "window": plan.item.period.as_json() if dated else None,
        "categories": ordered(plan.item.categories),
        "tables": [_entry(query, dated=dated) for query in plan.tables],
        "files": [_files(each, dated=dated) for each in plan.files],
        "not_collected": [{**each.as_json(), "why": each.why} for each in plan.not_collected],
        "holds": [each.store for each in plan.holds],
        "counted": bool(counts),
        **(counted if counts else {}),
    }


def _entry(query: TableQuery, *, dated: bool) -> dict[str, Any]:
    window = {} if dated else {"window": None}
    return {**query.as_json(), **window, "label": query.label, "in_words": path_words(query.path)}


def _files(query: FileQuery, *, dated: bool) -> dict[str, Any]:
    said: dict[str, Any] = {**query.as_json(), "rows": _entry(query.rows, dated=dated)}
    if query.window is not None and not dated:
        said["window"] = None
    return said

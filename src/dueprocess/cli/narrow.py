"""`dueprocess narrow CASE TARGET`: cut one target to what the law permits, or further."""

from typing import Annotated

from cyclopts import Parameter

from dueprocess.cases.narrow import holdable
from dueprocess.cli.place import Place, person
from dueprocess.demand import ordered
from dueprocess.desk import demands
from dueprocess.history.append import load_case
from dueprocess.wire import parse_instant


def narrow_command(
    case: str,
    target: str,
    *,
    category: Annotated[list[str] | None, Parameter(help="keep only these categories")] = None,
    since: Annotated[
        str | None, Parameter(help="begin the window here, such as 2026-09-01T00:00:00Z")
    ] = None,
    until: Annotated[str | None, Parameter(help="end it here, the instant itself not included")] = None,
    place: Place | None = None,
) -> None:
    """Cut one target to demanded and permitted, and further if asked. It can never widen."""
    at = place or Place()
    desk, now = at.open()
    case_id = at.case(case)
    choice = demands.Choice(
        categories=frozenset(category) if category else None,
        since=parse_instant(since) if since else None,
        until=parse_instant(until) if until else None,
    )
    scope, plan = demands.narrow(desk, case_id, target, choice, actor=person(), now=now)
    item = scope.items[0]
    found = load_case(case_id)
    cuts = found.events[-1].body["cuts"]
    window = item.period.as_json()
    lines = [
        f"{target}: {', '.join(ordered(item.categories))}",
        f"  window {window['from']} to {window['until']}",
    ]
    lines += (
        [f"  cut {cut['category'] or 'window'}: {cut['finding']}" for cut in cuts if isinstance(cut, dict)]
        if isinstance(cuts, list)
        else []
    )
    lines += [
        f"  will read {query.store}.{query.table}: {', '.join(c.name for c in query.columns)}"
        for query in plan.tables
    ]
    then = "hold" if holdable(found) and item.target.kind == "account" else "propose"
    at.say(
        [*lines, f"Next: dueprocess {then}."],
        {"case": case_id, "target": target, "plan": plan.plan_sha256, "cuts": cuts},
    )

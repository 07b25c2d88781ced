"""Counts beside a plan: those that history has of the production that two people approved, and no others.

A count is a read of a person's records. Before the gate opens nothing reads them, and when it opens the production
itself is what reads, once and on record; so no command counts beforehand.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from dueprocess.cases.case import TargetState
from dueprocess.plan import Plan
from dueprocess.wire import Json


@dataclass(frozen=True, slots=True)
class Counts:
    """What a production gave, entry by entry; nothing where none was made. ``at`` is when, as history has it."""

    at: str = ""
    tables: tuple[dict[str, Json], ...] = ()
    changed: bool = False
    """Whether the map would give another plan today than the one that was produced."""
    _left: defaultdict[tuple[str, str], list[str]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        for each in self.tables:
            self._left[str(each["store"]), str(each["table"])].append(words(each))

    def __bool__(self) -> bool:
        return bool(self.at)

    def lines(self, store: str, label: str) -> list[str]:
        """What the next entry of this name gave; two entries of one name are told in the plan's order."""
        left = self._left[store, label]
        told = left.pop(0) if left else "no entry of this name"
        return [f"  counted  {told}"] if self else []

    def held(self, store: str) -> list[str]:
        """What each entry of a hold gave."""
        return [
            f"  counted  {each['table']}: {words(each)}" for each in self.tables if each["store"] == store
        ]

    def last_line(self) -> str:
        """Where the counts are from, or that there are none."""
        if not self:
            return "No store was opened, and nothing was counted."
        told = f"No store was opened. The counts are those of the production of {self.at}, from the case's history."
        if self.changed:
            told += " The data map has changed since: the plan above is not the one that was produced."
        return told


NONE = Counts()


def counts_of(state: TargetState, plan: Plan) -> Counts:
    """The counts of a target's production, as far as there was one."""
    if state.produced is None:
        return NONE
    tables = state.produced.body["tables"]
    listed: Sequence[Json] = tables if isinstance(tables, list) else ()
    found = tuple(
        {name: each[name] for name in ("store", "table", "status", "rows")}
        for each in listed
        if isinstance(each, dict)
    )
    return Counts(state.produced.recorded_at, found, changed=plan.plan_sha256 != state.plan_sha256)


def words(entry: dict[str, Json]) -> str:
    """``found 3``, ``nothing held`` or ``failed, after 3``."""
    match entry["status"]:
        case "found":
            return f"found {entry['rows']}"
        case "nothing_held":
            return "nothing held"
        case _:
            return f"failed, after {entry['rows']}"

"""Data map, and the plan that is compiled from it: what may leave, and what will be asked of which store.

`parse_map` reads a map, `compile_plan` turns one authorised scope item into queries. Neither touches a store.
"""

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
from dueprocess.plan.plan import (
    REASONS,
    FileQuery,
    NotCollected,
    Plan,
    PlannedColumn,
    Reason,
    TableQuery,
    TargetQuery,
    compile_plan,
)
from dueprocess.plan.reading import parse_map
from dueprocess.plan.window import Bound, bounds, inside, moment_of

__all__ = [
    "REASONS",
    "Bound",
    "DataMap",
    "FileQuery",
    "Hop",
    "ListedColumn",
    "ListedFile",
    "ListedTable",
    "NotCollected",
    "PathPart",
    "Plan",
    "PlannedColumn",
    "Reason",
    "RowPath",
    "StoreEntry",
    "TableQuery",
    "TargetQuery",
    "TargetRoute",
    "TimeColumn",
    "TimeUnit",
    "bounds",
    "compile_plan",
    "inside",
    "moment_of",
    "parse_map",
]

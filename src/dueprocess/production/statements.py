"""What a production asks of a PostgreSQL store, as text, without a store: for comparing with the server's own log.

The store's own code makes the texts, over a schema that has every column, so that they cannot differ from it.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from dueprocess.plan import Plan, TargetRoute
from dueprocess.production.stores.arrow import Raw
from dueprocess.production.stores.facts import ColumnFacts
from dueprocess.production.stores.postgresql import PostgresqlStore, explaining
from dueprocess.production.stores.sql import SqlStore


@dataclass(frozen=True, slots=True)
class Asked:
    """The statements of one run: about the target, and per table of a store what it always and what it may ask."""

    resolving: str
    tables: Mapping[tuple[str, str], tuple[str, ...]]
    """(store, table) → the queries whose rows go into the parcel."""
    further: tuple[str, ...]
    """What a run asks the planner before each query, how many rows there are, and checks of keys not unique."""


def statements(plan: Plan, account: TargetRoute | None = None) -> Asked:
    """Every statement that a run of this plan may send, with ``$1`` and so on for values.

    ``account`` is how accounts are named, for a plan that only asks which account its target means.
    """
    store = _Listening()
    store.resolve(plan.target)
    *planning, resolving = store.taken()
    planning += _naming(store, plan.target.route, account) if account is not None else []
    tables: dict[tuple[str, str], tuple[str, ...]] = {}
    further: list[str] = []
    asked = [query for query in plan.tables if not query.by_hand]
    for query in (*asked, *(each.rows for each in plan.files)):
        list(store.batches(query, ""))
        *checks, rows = store.taken()
        key = (query.store, query.table)
        tables[key] = (*tables.get(key, ()), rows)
        further += checks
    return Asked(resolving, tables, (*planning, *further))


def _naming(store: "_Listening", route: TargetRoute, account: TargetRoute) -> list[str]:
    """What is asked once the key of a target that is no account is known."""
    if route.owners is not None:
        store.owners(route.owners, "")
    else:
        store.called(account, "")
    return store.taken()


class _Every(Mapping[str, ColumnFacts]):
    """The columns of a table that has any column, none of them unique."""

    def __getitem__(self, _name: str) -> ColumnFacts:
        return ColumnFacts("text", unique=False, indexed=None)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 1


class _Listening(PostgresqlStore):
    """Keeps what would be sent, and finds nothing."""

    def __init__(self) -> None:
        SqlStore.__init__(self, "none")
        self._asked: list[str] = []

    def taken(self) -> list[str]:
        """What was asked since the last time, in order."""
        asked, self._asked = self._asked, []
        return asked

    def fetch(self, sql: str, values: Sequence[object]) -> list[Raw]:  # noqa: ARG002  (nothing is sent)
        self._asked.append(self.numbered(sql))
        return [(0,)] if sql.startswith("SELECT count(*)") else []

    def stream(self, sql: str, values: Sequence[object]) -> Iterator[pa.RecordBatch]:  # noqa: ARG002  (as above)
        self._asked.append(self.numbered(sql))
        return iter(())

    def explain(self, sql: str, values: Sequence[object]) -> list[dict[str, Any]]:  # noqa: ARG002  (as above)
        self._asked.append(self.numbered(explaining(sql)))
        return []

    def snapshot(self) -> AbstractContextManager[object]:
        return nullcontext()

    def describe(self, table: str) -> Mapping[str, ColumnFacts]:  # noqa: ARG002  (every table is alike)
        return _Every()

"""What a production asks of a PostgreSQL store, as text, without a store: for comparing with the server's own log.

The store's own code makes the texts, over a schema that has every column, so that they cannot differ from it.
"""

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from dueprocess.plan import Plan, TableQuery
from dueprocess.production.stores.facts import ColumnFacts
from dueprocess.production.stores.postgresql import CURSOR, PostgresqlStore
from dueprocess.production.stores.sql import Fetch, Raw, SqlStore


@dataclass(frozen=True, slots=True)
class Asked:
    """The statements of one run: about the target, and per table of a store what it always and what it may ask."""

    resolving: str
    tables: Mapping[tuple[str, str], tuple[str, ...]]
    """(store, table) → the queries whose rows go into the parcel."""
    further: tuple[str, ...]
    """Counts and checks that a run makes where an account is big, or a key not unique."""


def statements(plan: Plan) -> Asked:
    """Every statement that a run of this plan may send, with ``$1`` and so on for values."""
    store = _Listening()
    store.resolve(plan.target)
    (resolving,) = store.taken()
    tables: dict[tuple[str, str], tuple[str, ...]] = {}
    further: list[str] = []
    for query in (*plan.tables, *(each.rows for each in plan.files)):
        list(store.rows(query, ""))
        *checks, rows = store.taken()
        key = (query.store, query.table)
        tables[key] = (*tables.get(key, ()), rows)
        further += [*checks, store.counting(query)]
    return Asked(resolving, tables, tuple(further))


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

    def counting(self, query: TableQuery) -> str:
        """The question whether an account has more rows than the map allows."""
        self._refuse_too_many(query, "")
        return self.taken()[0]

    def fetch(self, sql: str, values: Sequence[object]) -> list[Raw]:  # noqa: ARG002  (nothing is sent)
        self._asked.append(_numbered(sql))
        return [(0,)] if sql.startswith("SELECT count(*)") else []

    def stream(self, sql: str, values: Sequence[object]) -> Iterator[Fetch]:  # noqa: ARG002  (as above)
        self._asked.append(_numbered(f'DECLARE "{CURSOR}" CURSOR FOR {sql}'))
        yield lambda _size: ()

    def describe(self, table: str) -> Mapping[str, ColumnFacts]:  # noqa: ARG002  (every table is alike)
        return _Every()


def _numbered(sql: str) -> str:
    """Places as the server writes them: ``$1``, ``$2`` …"""
    numbers = itertools.count(1)
    return re.sub("%s", lambda _: f"${next(numbers)}", sql)

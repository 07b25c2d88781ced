"""From a map and open stores to plain rows: the only place of these tests that knows how a store is read."""

import datetime as dt
import ipaddress
import json
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pyarrow as pa

from dueprocess.demand import AUTHORISABLE, Category, Period, ScopeItem, Target, TargetKind
from dueprocess.plan import DataMap, Plan, compile_plan
from dueprocess.production.mapcheck import Finding, check_map
from dueprocess.production.stores import Stores, Subject, open_stores
from dueprocess.production.stores.facts import JSON_TEXT

type Rows = list[dict[str, object]]


@contextmanager
def opened(datamap: DataMap, environment: Mapping[str, str]) -> Iterator[Stores]:
    """The stores of a map, opened read-only as production opens them."""
    stores = open_stores(datamap, environment)
    try:
        yield stores
    finally:
        stores.close()


def errors(datamap: DataMap, environment: Mapping[str, str]) -> list[Finding]:
    """What `dueprocess datamap check` would stop at."""
    with opened(datamap, environment) as stores:
        return [each for each in check_map(datamap, stores) if each.severity == "error"]


def plan_for(
    datamap: DataMap,
    name: str,
    period: Period,
    *categories: str,
    kind: TargetKind = "account",
) -> Plan:
    """The plan for one account; every category that anybody may authorise, unless some are named."""
    chosen = frozenset(map(Category, categories)) or AUTHORISABLE
    return compile_plan(ScopeItem(Target(kind, name), chosen, period), datamap, nonce=bytes(32))


def resolved(plan: Plan, stores: Stores) -> Subject | None:
    """The key of the one account that the plan's target names."""
    return stores.databases[plan.target.route.store].resolve(plan.target)


def produced(plan: Plan, stores: Stores) -> dict[str, Rows]:
    """Everything that the plan reads, by the labels of its tables."""
    subject = resolved(plan, stores)
    assert subject is not None, f"{plan.target.value} is nobody here"
    return {
        query.label: [
            row
            for batch in stores.databases[query.store].batches(query, subject)
            for row in _rows(batch.rows)
        ]
        for query in plan.tables
    }


def _rows(batch: pa.RecordBatch) -> Rows:
    json_columns = {field.name for field in batch.schema if field.metadata == JSON_TEXT}
    return [
        {
            name: plain(json.loads(value) if name in json_columns and value is not None else value)
            for name, value in row.items()
        }
        for row in batch.to_pylist()
    ]


def plain(value: object) -> object:
    """A value as it can be compared, whoever it came from: times in UTC, addresses and keys as text."""
    if isinstance(value, dt.datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=dt.UTC)
        return aware.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if isinstance(value, dt.date | uuid.UUID | ipaddress.IPv4Address | ipaddress.IPv6Address):
        return str(value)
    if isinstance(value, str):
        return _unwritten(value)
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    return [plain(each) for each in value] if isinstance(value, list | tuple) else value


def _unwritten(text: str) -> object:
    """What a text says that PostgreSQL wrote for a type of its own: json, an array of one text, one address."""
    if text.startswith(("{", "[")):
        try:
            return plain(json.loads(text))
        except json.JSONDecodeError:
            return [text[1:-1].strip('"')]
    return text.removesuffix("/32")


def differences(found: Mapping[str, Rows], wanted: Mapping[str, Rows]) -> dict[str, tuple[Rows, Rows]]:
    """By label: rows that should not be there, and rows that are missing. Order means nothing."""
    odd = {}
    for label in {*found, *wanted}:
        came, due = sorted(map(_key, found.get(label, []))), sorted(map(_key, wanted.get(label, [])))
        if came != due:
            odd[label] = (_without(came, due), _without(due, came))
    return odd


def _without(left: list[str], right: list[str]) -> Rows:
    rest = list(right)
    return [json.loads(each) for each in left if each not in rest or rest.remove(each)]  # type: ignore[func-returns-value]  # None is what is wanted


def _key(row: Mapping[str, object]) -> str:
    return json.dumps({name: plain(each) for name, each in row.items()}, sort_keys=True)

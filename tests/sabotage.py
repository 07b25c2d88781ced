"""What an administrator with the database's own password can do: raw SQL, with and without the guards in the way.

Used by the tests of history and by the abuse cases. Everything goes through Django's connection of the test.
"""
# ruff: noqa: SLF001  Model._meta is Django's documented API

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction
from django.db.models import Model

from dueprocess.history import ready  # noqa: F401  Django is loaded before its models
from dueprocess.history.models import PROTECTED, DocketRow
from dueprocess.history.triggers import UNIQUE_KEYS, postgres_triggers, sqlite_triggers
from dueprocess.wire import canonical, sha256_hex

TABLES: dict[str, type[Model]] = {model._meta.db_table: model for model in (*PROTECTED, DocketRow)}

Row = dict[str, Any]


def sql(statement: str, *values: Any) -> list[tuple[Any, ...]]:
    """Runs one statement; returns its rows, if it has any."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall() if cursor.description else []


def columns(table: str) -> list[str]:
    """The columns of a table, from the model."""
    return [field.column for field in TABLES[table]._meta.concrete_fields if field.column]


def rows(table: str) -> list[Row]:
    """All rows of a table, in the order of its first unique key."""
    names = columns(table)
    order = ", ".join(f'"{name}"' for name in UNIQUE_KEYS.get(table, (("case_id",),))[0])
    listed = ", ".join(f'"{name}"' for name in names)
    found = sql(f'SELECT {listed} FROM "{table}" ORDER BY {order}')
    return [dict(zip(names, row, strict=True)) for row in found]


def insert(table: str, row: Row, verb: str = "INSERT", then: str = "") -> None:
    """Inserts one row as it is."""
    names = ", ".join(f'"{name}"' for name in row)
    places = ", ".join(["%s"] * len(row))
    sql(f'{verb} INTO "{table}" ({names}) VALUES ({places}) {then}', *row.values())


def delete(table: str, row: Row) -> None:
    """Deletes one row."""
    clauses = " AND ".join(f'"{name}" = %s' for name in row)
    sql(f'DELETE FROM "{table}" WHERE {clauses}', *row.values())


def edit(table: str, row: Row, **changes: object) -> None:
    """Gives one row other values."""
    settings = ", ".join(f'"{name}" = %s' for name in changes)
    clauses = " AND ".join(f'"{name}" = %s' for name in row)
    sql(f'UPDATE "{table}" SET {settings} WHERE {clauses}', *changes.values(), *row.values())


def snapshot() -> dict[str, list[Row]]:
    """Every row of every table."""
    return {table: rows(table) for table in TABLES}


def disarm() -> None:
    """Takes all guards away, as the owner of the tables can."""
    for table in UNIQUE_KEYS:
        if connection.vendor == "postgresql":
            sql(f'ALTER TABLE "{table}" DISABLE TRIGGER ALL')
            continue
        for name in sqlite_triggers(table):
            sql(f'DROP TRIGGER "{name}"')


def rearm() -> None:
    """Puts all guards back, so that nothing shows."""
    for table in UNIQUE_KEYS:
        if connection.vendor == "postgresql":
            for name in postgres_triggers(table):
                sql(f'ALTER TABLE "{table}" ENABLE ALWAYS TRIGGER {name}')
            continue
        for statement in sqlite_triggers(table).values():
            sql(statement)


@contextmanager
def unguarded() -> Iterator[None]:
    """In here the tables can be changed; afterwards the guards stand again as if nothing had been."""
    disarm()
    yield
    rearm()


@contextmanager
def undone() -> Iterator[None]:
    """Whatever happens in here is rolled back at the end."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@contextmanager
def undone_if_refused() -> Iterator[None]:
    """A savepoint: a refused statement takes the others in here back, and the transaction can go on."""
    with transaction.atomic():
        yield


def changed_since(before: list[Row], table: str) -> bool:
    """Whether the table holds other rows than then, in whatever order."""
    return sorted(map(repr, before)) != sorted(map(repr, rows(table)))


def sha256_of(event: Row) -> str:
    """The digest of an event's row with its body parsed, as anyone can compute it."""
    return sha256_hex(canonical(event))

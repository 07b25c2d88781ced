"""Whether the guards of the append-only tables stand as they were written: triggers, functions, unique keys.

A trigger that was dropped, disabled or changed, a foreign one beside it, a rewrite rule, and a unique key that
is gone: each would let history change quietly, so each is said.
"""

from collections.abc import Iterator

from django.db import connection
from django.db.backends.utils import CursorWrapper

from dueprocess.history.triggers import POSTGRES_BODIES, UNIQUE_KEYS, postgres_triggers, sqlite_triggers


def guard_faults() -> Iterator[tuple[str, str, str]]:
    """(table, name, what is wrong) for each guard that does not stand as it should."""
    sqlite = connection.vendor == "sqlite"
    with connection.cursor() as cursor:
        for table in UNIQUE_KEYS:
            wanted = sqlite_triggers(table) if sqlite else postgres_triggers(table)
            installed = dict(_sqlite(cursor, table) if sqlite else _postgres(cursor, table))
            yield from _compared(table, wanted, installed)
            yield from _keys(cursor, table)
            if not sqlite:
                yield from _side_doors(cursor, table)


def _compared(
    table: str, wanted: dict[str, str], installed: dict[str, str]
) -> Iterator[tuple[str, str, str]]:
    for name, statement in wanted.items():
        if name not in installed:
            yield table, name, "the trigger that keeps this table append-only is missing or disabled"
        elif _squeezed(installed[name]) != _squeezed(statement):
            yield table, name, "the trigger that keeps this table append-only was changed"
    for name in installed.keys() - wanted.keys():
        yield table, name, "this trigger is not ours"


def _sqlite(cursor: CursorWrapper, table: str) -> Iterator[tuple[str, str]]:
    cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s", [table])
    yield from cursor.fetchall()


def _postgres(cursor: CursorWrapper, table: str) -> Iterator[tuple[str, str]]:
    """Name and definition of each enabled trigger; one with another function's body counts as changed."""
    cursor.execute(
        "SELECT t.tgname, t.tgenabled, pg_get_triggerdef(t.oid), p.proname, p.prosrc, l.lanname FROM pg_trigger t "
        "JOIN pg_proc p ON p.oid = t.tgfoid JOIN pg_language l ON l.oid = p.prolang "
        "WHERE NOT t.tgisinternal AND t.tgrelid = %s::regclass",
        [table],
    )
    for name, enabled, definition, function, body, language in cursor.fetchall():
        if enabled != "A":  # ENABLE ALWAYS: session_replication_role = replica does not switch it off
            continue
        ours = (body, language) == (POSTGRES_BODIES.get(function), "plpgsql")
        yield name, definition if ours else f"{definition} with the function {body}"


def _side_doors(cursor: CursorWrapper, table: str) -> Iterator[tuple[str, str, str]]:
    cursor.execute("SELECT rulename FROM pg_rewrite WHERE ev_class = %s::regclass", [table])
    for (name,) in cursor.fetchall():
        yield table, name, "a rewrite rule stands before this table"
    cursor.execute("SELECT relrowsecurity FROM pg_class WHERE oid = %s::regclass", [table])
    if cursor.fetchone() != (False,):
        yield table, "-", "row security hides rows of this table"


def _keys(cursor: CursorWrapper, table: str) -> Iterator[tuple[str, str, str]]:
    if connection.vendor == "sqlite":
        unique = set(_sqlite_keys(cursor, table))
    else:
        constraints = connection.introspection.get_constraints(cursor, table).values()
        unique = {tuple(each["columns"]) for each in constraints if each["unique"]}
    for key in UNIQUE_KEYS[table]:
        if key not in unique:
            yield table, ", ".join(key), "the unique key over these columns is gone"


def _sqlite_keys(cursor: CursorWrapper, table: str) -> Iterator[tuple[str, ...]]:
    cursor.execute("SELECT name, pk FROM pragma_table_info(%s) WHERE pk > 0 ORDER BY pk", [table])
    yield tuple(name for name, _ in cursor.fetchall())
    cursor.execute('SELECT name FROM pragma_index_list(%s) WHERE "unique" AND NOT partial', [table])
    for (index,) in cursor.fetchall():
        cursor.execute("SELECT name FROM pragma_index_info(%s) ORDER BY seqno", [index])
        yield tuple(name for (name,) in cursor.fetchall())


def _squeezed(statement: str) -> str:
    """A definition without the differences of spelling that PostgreSQL's own printer makes."""
    plain = statement.replace('"', "").replace("public.", "").replace("DELETE OR UPDATE", "UPDATE OR DELETE")
    return " ".join(plain.split())

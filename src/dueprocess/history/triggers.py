"""The SQL that makes a table append-only, on SQLite and PostgreSQL. `fsck` compares it with what is installed.

Three holes are closed that a plain BEFORE DELETE leaves open: TRUNCATE (a statement trigger of its own), SQLite's
INSERT OR REPLACE (which deletes without firing DELETE triggers, so an existing key is refused BEFORE INSERT),
and Django's table rebuilds (which drop triggers silently, so `fsck` looks).

Source: sqlite.org/lang_createtrigger.html, sqlite.org/lang_conflict.html; PostgreSQL manual, CREATE TRIGGER.
"""

from collections.abc import Mapping

UNIQUE_KEYS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "event": (("case_id", "case_seq"),),
    "record": (("ledger_seq",), ("case_id", "case_seq")),
    "epoch": (("epoch",), ("leaf_index",)),
    "placement": (("ledger_seq",), ("epoch", "place")),
    "leaf": (("leaf_index",),),
    "head": (("size",),),
    "cosigned": (("size",),),
    "erased": (("ledger_seq",),),
    "counter": (("name",),),
}
"""Guarded table → each of its unique keys."""

COUNTERS: Mapping[str, tuple[str, str]] = {"counter": ("name", "value")}
"""Guarded table whose one change is one more: its key and its number. All others are append-only."""

MESSAGE = "history is append-only"


def sqlite_triggers(table: str) -> dict[str, str]:
    """Trigger name → CREATE statement, for one table on SQLite."""
    found = {}
    for verb in ("UPDATE", "DELETE"):
        name = f"{table}_refuse_{verb.lower()}"
        when = f" WHEN {_other_than_one_more(table)}" if verb == "UPDATE" and table in COUNTERS else ""
        found[name] = (
            f'CREATE TRIGGER "{name}" BEFORE {verb} ON "{table}"{when} '
            f"BEGIN SELECT RAISE(ABORT, '{MESSAGE}'); END"
        )
    clauses = " OR ".join(
        f'EXISTS (SELECT 1 FROM "{table}" WHERE '  # noqa: S608  names from the table above
        + " AND ".join(f'"{column}" = NEW."{column}"' for column in key)
        + ")"
        for key in UNIQUE_KEYS[table]
    )
    name = f"{table}_refuse_replace"
    found[name] = (
        f'CREATE TRIGGER "{name}" BEFORE INSERT ON "{table}" WHEN {clauses} '
        f"BEGIN SELECT RAISE(ABORT, 'UNIQUE {MESSAGE}'); END"
    )
    return found


def _other_than_one_more(table: str) -> str:
    key, number = COUNTERS[table]
    return f'NOT (NEW."{key}" = OLD."{key}" AND NEW."{number}" = OLD."{number}" + 1)'


POSTGRES_BODIES: Mapping[str, str] = {
    "history_refuse": f"BEGIN RAISE EXCEPTION '{MESSAGE}'; END",
    "history_count": (
        "BEGIN IF NEW.name = OLD.name AND NEW.value = OLD.value + 1 THEN RETURN NEW; END IF; "
        f"RAISE EXCEPTION '{MESSAGE}'; END"
    ),
}
"""Trigger function → its body. A condition in a trigger's WHEN would be printed by PostgreSQL in words of its own;
a body is kept byte for byte, so that `fsck` can compare it."""

POSTGRES_FUNCTIONS: tuple[str, ...] = tuple(
    f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $${body}$$"
    for name, body in POSTGRES_BODIES.items()
)


def postgres_triggers(table: str) -> dict[str, str]:
    """Trigger name → CREATE statement, for one table on PostgreSQL."""
    rows, whole, gone = (f"{table}_refuse_{what}" for what in ("change", "truncate", "delete"))
    run = "EXECUTE FUNCTION history_refuse()"
    found = {whole: f'CREATE TRIGGER {whole} BEFORE TRUNCATE ON "{table}" FOR EACH STATEMENT {run}'}
    if table not in COUNTERS:
        found[rows] = f'CREATE TRIGGER {rows} BEFORE UPDATE OR DELETE ON "{table}" FOR EACH ROW {run}'
        return found
    one_more = "EXECUTE FUNCTION history_count()"
    found[rows] = f'CREATE TRIGGER {rows} BEFORE UPDATE ON "{table}" FOR EACH ROW {one_more}'
    found[gone] = f'CREATE TRIGGER {gone} BEFORE DELETE ON "{table}" FOR EACH ROW {run}'
    return found

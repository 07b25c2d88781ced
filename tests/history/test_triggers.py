"""Attacks on append-only: what the guards refuse on each database, and guards that were tampered with."""
# ruff: noqa: SLF001  Model._meta is Django's documented API

import datetime as dt
from collections.abc import Callable

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DatabaseError, connection, models

import sabotage
from dueprocess.history.guards import guard_faults
from dueprocess.history.models import EventRow
from dueprocess.history.triggers import UNIQUE_KEYS, postgres_triggers, sqlite_triggers
from history.test_fsck import faults
from history.whole import Whole
from sabotage import rows, sql

APPEND_ONLY = "append-only"


def refused(attack: Callable[[], object]) -> None:
    """The attack fails with the guard's own words, and not one row is another afterwards."""
    before = sabotage.snapshot()
    with pytest.raises((DatabaseError, CommandError)) as caught:
        attack()
    error: BaseException | None = caught.value
    words = ""
    while error is not None:
        words, error = words + str(error), error.__cause__
    assert APPEND_ONLY in words
    assert sabotage.snapshot() == before


def middle(table: str) -> sabotage.Row:
    found = rows(table)
    return found[len(found) // 2]


@pytest.mark.parametrize("table", UNIQUE_KEYS)
def test_plain_sql_changes_no_row(whole: Whole, table: str) -> None:
    """UPDATE and DELETE of one row, of all rows and through a subquery are refused on every protected table."""
    for column in sabotage.columns(table):
        refused(lambda column=column: sql(f'UPDATE "{table}" SET "{column}" = "{column}"'))  # type: ignore[misc]
    refused(lambda: sabotage.delete(table, middle(table)))
    refused(lambda: sql(f'DELETE FROM "{table}"'))
    key = UNIQUE_KEYS[table][0][0]
    refused(lambda: sql(f'DELETE FROM "{table}" WHERE "{key}" IN (SELECT "{key}" FROM "{table}")'))


@pytest.mark.parametrize("table", UNIQUE_KEYS)
def test_an_upsert_never_becomes_an_update(whole: Whole, table: str) -> None:
    """INSERT … ON CONFLICT DO UPDATE over any unique key is refused, on both databases."""
    for key in UNIQUE_KEYS[table]:
        other = next(name for name in sabotage.columns(table) if name not in key)
        target = ", ".join(f'"{name}"' for name in key)
        then = f'ON CONFLICT ({target}) DO UPDATE SET "{other}" = excluded."{other}"'
        refused(lambda then=then: sabotage.insert(table, middle(table), then=then))  # type: ignore[misc]


@pytest.mark.parametrize("table", UNIQUE_KEYS)
@pytest.mark.parametrize("vendor", ["sqlite"])
def test_sqlite_replaces_nothing(whole: Whole, table: str) -> None:
    """INSERT OR REPLACE deletes without asking a DELETE trigger, so an existing key is refused, by each key."""
    for key in UNIQUE_KEYS[table]:
        fresh = {name: f"z{value}" if isinstance(value, str) else value + 10**6
                 for name, value in middle(table).items()}  # fmt: skip
        row = {**fresh, **{name: middle(table)[name] for name in key}}
        for verb in ("INSERT OR REPLACE", "REPLACE"):
            refused(lambda row=row, verb=verb: sabotage.insert(table, row, verb))  # type: ignore[misc]
    for verb in ("UPDATE OR REPLACE", "UPDATE OR IGNORE"):
        column = sabotage.columns(table)[0]
        refused(lambda verb=verb, column=column: sql(f'{verb} "{table}" SET "{column}" = "{column}"'))  # type: ignore[misc]


@pytest.mark.parametrize("table", UNIQUE_KEYS)
@pytest.mark.parametrize("vendor", ["postgresql"])
def test_postgresql_truncates_and_merges_nothing(whole: Whole, table: str) -> None:
    """TRUNCATE has a guard of its own, MERGE goes through the row's; replica mode switches neither off."""
    key = UNIQUE_KEYS[table][0][0]
    merge = f'MERGE INTO "{table}" t USING "{table}" s ON t."{key}" = s."{key}" WHEN MATCHED THEN DELETE'
    for mode in ("origin", "replica"):
        sql(f"SET session_replication_role = {mode}")
        refused(lambda: sql(f'TRUNCATE "{table}"'))
        refused(lambda: sql(f'TRUNCATE "{table}" CASCADE'))
        refused(lambda: sql(merge))
        refused(lambda: sql(f'UPDATE "{table}" SET "{key}" = "{key}"'))
        refused(lambda: sql(f'DELETE FROM "{table}"'))


@pytest.mark.parametrize("table", UNIQUE_KEYS)
def test_the_orm_changes_no_row(whole: Whole, table: str) -> None:
    """QuerySet.update and .delete, bulk_update, save and delete of an instance are refused like any other SQL."""
    model = sabotage.TABLES[table]
    manager = model._default_manager
    name = next(f.name for f in model._meta.concrete_fields if not f.primary_key and f.column)
    found = list(manager.order_by(*UNIQUE_KEYS[table][0]))
    one = found[len(found) // 2]
    value = getattr(one, name)
    refused(lambda: manager.filter(**{name: value}).update(**{name: value}))
    refused(lambda: manager.all().delete())
    refused(one.delete)
    refused(lambda: one.save(force_update=True))
    if model is not EventRow:  # its two columns beside the key take the same road
        refused(lambda: manager.bulk_update([one], [name]))


def test_the_counter_takes_one_more_and_nothing_else(whole: Whole) -> None:
    """Two more, one less, the same, nothing, another name, both at once, a second row in its place: all refused."""
    value = rows("counter")[0]["value"]
    for setting in (
        "value = value + 2", "value = value - 1", "value = value", "value = 0", "value = -value", "name = 'other'",
        "name = 'other', value = value + 1", "value = value + 1, name = 'LEDGER'",
    ):  # fmt: skip
        refused(lambda setting=setting: sql(f'UPDATE "counter" SET {setting}'))  # type: ignore[misc]
    refused(lambda: sql('DELETE FROM "counter" WHERE value > 0'))
    with sabotage.undone():
        sql('UPDATE "counter" SET value = value + 1')
        assert rows("counter") == [{"name": "ledger", "value": value + 1}]
    assert rows("counter") == [{"name": "ledger", "value": value}]


def test_a_counter_that_nobody_counts_with_is_a_fault(whole: Whole) -> None:
    """One more than the ledger holds, or a second counter, passes the guards and is found by fsck."""
    for attack in ("UPDATE counter SET value = value + 1", "INSERT INTO counter VALUES ('other', 1)"):
        with sabotage.undone():
            sql(attack)
            assert [fault.table for fault in faults(whole)] == ["counter"]


@pytest.mark.parametrize("vendor", ["postgresql"])
def test_a_counter_that_may_jump_is_reported(whole: Whole) -> None:
    """The function that lets one more pass is compared word by word."""
    with sabotage.undone():
        sql(
            "CREATE OR REPLACE FUNCTION history_count() RETURNS trigger LANGUAGE plpgsql AS "
            "$$BEGIN IF NEW.value > OLD.value THEN RETURN NEW; END IF; RAISE EXCEPTION 'history is append-only'; END$$"
        )
        assert [(table, name) for table, name, _ in guard_faults()] == [("counter", "counter_refuse_change")]


def test_flush_leaves_everything(whole: Whole) -> None:
    """Django's flush, which empties tables by TRUNCATE or DELETE, stops at the guards."""
    refused(lambda: call_command("flush", interactive=False, verbosity=0))


def test_untouched_guards_have_no_faults(whole: Whole) -> None:
    """What the migration installs is what fsck expects, on both databases."""
    assert list(guard_faults()) == []


@pytest.mark.parametrize("vendor", ["sqlite"])
def test_a_table_rebuild_by_django_is_reported(whole: Whole) -> None:
    """On SQLite, altering a field copies the table and drops its triggers without a word; fsck says so."""
    old = EventRow._meta.get_field("actor")
    new = models.CharField(max_length=65)
    new.set_attributes_from_name("actor")
    new.model = EventRow
    with connection.schema_editor() as editor:
        editor.alter_field(EventRow, old, new)
    assert sorted(name for _, name, _ in guard_faults()) == sorted(sqlite_triggers("event"))


@pytest.mark.parametrize("table", UNIQUE_KEYS)
@pytest.mark.parametrize("vendor", ["sqlite"])
def test_a_dropped_or_weakened_trigger_is_reported_on_sqlite(whole: Whole, table: str) -> None:
    """Each trigger dropped, or put back with a condition that never holds, is named by fsck with its table."""
    for name, statement in sqlite_triggers(table).items():
        with sabotage.undone():
            sql(f'DROP TRIGGER "{name}"')
            assert [(t, n) for t, n, _ in guard_faults()] == [(table, name)]
            weak = statement.replace(" BEGIN ", " WHEN 1 = 2 BEGIN ") if "WHEN" not in statement else (
                statement.replace("WHEN ", "WHEN 1 = 2 AND ")
            )  # fmt: skip
            sql(weak)
            assert [(t, n) for t, n, _ in guard_faults()] == [(table, name)]
    with sabotage.undone():
        sql(f'CREATE TRIGGER "mine" BEFORE INSERT ON "{table}" BEGIN SELECT RAISE(IGNORE); END')
        assert [(t, n) for t, n, _ in guard_faults()] == [(table, "mine")]


@pytest.mark.parametrize("table", UNIQUE_KEYS)
@pytest.mark.parametrize("vendor", ["postgresql"])
def test_a_dropped_disabled_or_weakened_trigger_is_reported_on_postgresql(whole: Whole, table: str) -> None:
    """Dropped, disabled, enabled for some sessions only, or conditional: fsck names trigger and table."""
    for name, statement in postgres_triggers(table).items():
        for change in (
            f'DROP TRIGGER {name} ON "{table}"',
            f'ALTER TABLE "{table}" DISABLE TRIGGER {name}',
            f'ALTER TABLE "{table}" ENABLE TRIGGER {name}',
            f'ALTER TABLE "{table}" ENABLE REPLICA TRIGGER {name}',
        ):
            with sabotage.undone():
                sql(change)
                assert [(t, n) for t, n, _ in guard_faults()] == [(table, name)], change
        with sabotage.undone():
            sql(f'DROP TRIGGER {name} ON "{table}"')
            sql(statement.replace(" EXECUTE", " WHEN (1 = 2) EXECUTE"))
            sql(f'ALTER TABLE "{table}" ENABLE ALWAYS TRIGGER {name}')
            assert [(t, n) for t, n, _ in guard_faults()] == [(table, name)]


SIDE_DOORS = [
    """CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NULL; END$$;
    CREATE TRIGGER aaa BEFORE INSERT ON record FOR EACH ROW EXECUTE FUNCTION nothing();
    ALTER TABLE record ENABLE ALWAYS TRIGGER aaa""",
    "CREATE RULE aaa AS ON INSERT TO record DO INSTEAD NOTHING",
    "ALTER TABLE record ENABLE ROW LEVEL SECURITY",
]


@pytest.mark.parametrize("door", SIDE_DOORS)
@pytest.mark.parametrize("vendor", ["postgresql"])
def test_a_side_door_on_postgresql_is_reported(whole: Whole, door: str) -> None:
    """A foreign trigger, a rewrite rule or row security beside the guards is a fault of its table."""
    with sabotage.undone():
        sql(door)
        assert [table for table, _, _ in guard_faults()] == ["record"]


BODIES = [
    "BEGIN RETURN NULL; END",
    "BEGIN IF 1 = 2 THEN RAISE EXCEPTION 'history is append-only'; END IF; RETURN coalesce(NEW, OLD); END",
]


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("vendor", ["postgresql"])
def test_a_replaced_function_is_reported(whole: Whole, body: str) -> None:
    """The triggers stand, but the function behind them does something else: every table is named."""
    with sabotage.undone():
        sql(f"CREATE OR REPLACE FUNCTION history_refuse() RETURNS trigger LANGUAGE plpgsql AS $${body}$$")
        assert {table for table, _, _ in guard_faults()} == set(UNIQUE_KEYS)


@pytest.mark.parametrize("vendor", ["postgresql"])
def test_another_function_under_the_same_triggers_is_reported(whole: Whole) -> None:
    """A function of the same name in another schema does not pass for ours."""
    with sabotage.undone():
        sql("CREATE SCHEMA mine")
        sql(
            "CREATE FUNCTION mine.history_refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN OLD; END$$"
        )
        sql('DROP TRIGGER event_refuse_change ON "event"')
        sql('CREATE TRIGGER event_refuse_change BEFORE UPDATE OR DELETE ON "event" FOR EACH ROW '
            "EXECUTE FUNCTION mine.history_refuse()")  # fmt: skip
        sql('ALTER TABLE "event" ENABLE ALWAYS TRIGGER event_refuse_change')
        assert [name for _, name, _ in guard_faults()] == ["event_refuse_change"]


def test_a_missing_unique_key_is_reported(whole: Whole, vendor: str) -> None:
    """Compare-and-swap rests on the unique keys: a table without one is a fault."""
    with sabotage.undone():
        if vendor == "postgresql":
            sql("ALTER TABLE record DROP CONSTRAINT record_once_per_event")
        else:
            sql("PRAGMA defer_foreign_keys = ON")
            for name in sqlite_triggers("record"):
                sql(f'DROP TRIGGER "{name}"')
            sql("ALTER TABLE record RENAME TO was")
            sql("CREATE TABLE record AS SELECT * FROM was")
            for statement in sqlite_triggers("record").values():
                sql(statement)
        found = [what for table, _, what in guard_faults() if table == "record"]
        assert found
        assert all("unique key" in what for what in found)


def test_the_guards_let_history_grow(whole: Whole) -> None:
    """They refuse change, not growth: the same office goes on working."""
    before = len(rows("event"))
    whole.office.receive()
    whole.office.now += dt.timedelta(seconds=1)
    assert len(rows("event")) == before + 1

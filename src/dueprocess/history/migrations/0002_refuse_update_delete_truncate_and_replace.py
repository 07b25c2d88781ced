"""Makes the tables of history append-only. tests/history/test_triggers.py attacks it on both databases."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from dueprocess.history.triggers import POSTGRES_FUNCTIONS, UNIQUE_KEYS, postgres_triggers, sqlite_triggers


def install(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    vendor = schema_editor.connection.vendor
    if vendor == "postgresql":
        for function in POSTGRES_FUNCTIONS:
            schema_editor.execute(function)
    for table in UNIQUE_KEYS:
        triggers = postgres_triggers(table) if vendor == "postgresql" else sqlite_triggers(table)
        for statement in triggers.values():
            schema_editor.execute(statement)
            if vendor == "postgresql":
                name = statement.split()[2]
                schema_editor.execute(f'ALTER TABLE "{table}" ENABLE ALWAYS TRIGGER {name}')


class Migration(migrations.Migration):
    dependencies = [("history", "0001_create_event_ledger_and_log_tables")]
    operations = [migrations.RunPython(install, elidable=False)]

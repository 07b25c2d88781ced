"""The synthetic platform in each engine, and the data map that describes it there."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq

from canary.platform_rows import SHAPES, Table, media

MAP = """
[map]
id = "canary"
version = "1"
platform = "synthetic"
[store.main]
connect = "${CANARY_DSN}"
max_rows = 100000
[store.media]
connect = "${CANARY_MEDIA}"

[[target]]
kind = "account"
store = "main"
table = "accounts"
column = "name"
subject = "id"

[[table]]
store = "main"
name = "accounts"
subject = "id"
[table.columns]
name = { category = "subscriber.identity" }
created = { category = "subscriber.service" }
plan = { category = "subscriber.payment" }

[[table]]
store = "main"
name = "emails"
subject = "account_id"
order = ["address"]
[table.columns]
address = { category = "subscriber.identity" }
verified = { category = "subscriber.service" }

[[table]]
store = "main"
name = "sessions"
subject = "account_id"
time = { column = "seen_ms", unit = "ms" }
[table.columns]
seen_ms = { category = "session.times" }
ip = { category = "traffic", sole_purpose_identify = "subscriber.number" }
agent = { category = "traffic" }

[[table]]
store = "main"
name = "messages"
subject = "sender_id"
time = { column = "sent_us", unit = "us" }
[table.columns]
id = { category = "content.messages" }
sent_us = { category = "traffic" }
body = { category = "content.messages", third_party = ["redact:to.name", "redact:seen.by"] }

[[table]]
store = "main"
name = "attachments"
via = [{ table = "messages", on = "message_id", foreign = "id", subject = "sender_id" }]
time = { table = "messages", column = "sent_us", unit = "us" }
[table.columns]
title = { category = "content.files" }

[[table]]
store = "main"
name = "places"
subject = "account_id"
time = { column = "at", unit = "iso" }
[table.columns]
at = { category = "location" }
place = { category = "location" }

[[table]]
store = "main"
name = "stamps"
subject = "account_id"
time = { column = "at", unit = "STAMP_UNIT" }
[table.columns]
at = { category = "session.times" }
what = { category = "traffic" }

[[table]]
store = "main"
name = "profiles"
subject = "account_id"
time = "current"
[table.columns]
bio = { category = "content.profile" }

[[table]]
store = "main"
name = "things"
as = "own_things"
subject = "account_id"
equals = { kind = "own" }
absent = ["deleted_at"]
time = { column = "at_s", unit = "s" }
[table.columns]
value = { category = "content.profile" }

[[table]]
store = "main"
name = "things"
as = "shared_things"
subject = "account_id"
equals = { kind = "shared" }
time = { column = "at_s", unit = "s" }
[table.columns]
value = { category = "content.messages" }

[[table]]
store = "main"
name = "uploads"
subject = "account_id"
time = { column = "at_s", unit = "s" }
[table.columns]
media_id = { category = "content.files" }

[[file]]
store = "media"
root = "."
path = "{media_id[0:3]}/{media_id}"
category = "content.files"
[file.from]
store = "main"
table = "uploads"
subject = "account_id"
time = { column = "at_s", unit = "s" }
"""

INDEXED = {
    "accounts": "name", "emails": "account_id", "sessions": "account_id, seen_ms", "messages": "sender_id, sent_us",
    "attachments": "message_id", "places": "account_id", "stamps": "account_id", "profiles": "account_id",
    "things": "account_id, kind", "uploads": "account_id",
}  # fmt: skip


def map_text(engine: str) -> str:
    """The data map for an engine; SQLite has no type for times and keeps them as text."""
    return MAP.replace("STAMP_UNIT", "iso" if engine == "sqlite" else "timestamp")


def build_media(folder: Path, tables: dict[str, Table]) -> str:
    """Writes every upload as a file; returns the store's address."""
    for row in tables["uploads"].rows:
        path = folder / row["media_id"][:3] / row["media_id"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(media(row))
    return f"file:///{folder}"


def build_sqlite(folder: Path, tables: dict[str, Table]) -> str:
    path = folder / "canary.db"
    link = sqlite3.connect(path)
    kinds = {"key": "INTEGER PRIMARY KEY", "int": "INTEGER", "text": "TEXT", "timestamp": "TEXT"}
    for table in tables.values():
        _create(link.execute, table, kinds)
        values = [[_for_sqlite(row[name]) for name, _ in table.columns] for row in table.rows]
        places = ", ".join("?" for _ in table.columns)
        link.executemany(f'INSERT INTO "{table.name}" VALUES ({places})', values)
    link.commit()
    link.close()
    return f"sqlite:///{path}"


def _for_sqlite(value: Any) -> Any:
    return f"{value.replace(tzinfo=None).isoformat()}Z" if hasattr(value, "isoformat") else value


def build_duckdb(folder: Path, tables: dict[str, Table]) -> str:
    path = folder / "canary.duckdb"
    link = duckdb.connect(path)
    kinds = {"key": "BIGINT PRIMARY KEY", "int": "BIGINT", "text": "VARCHAR", "timestamp": "TIMESTAMPTZ"}
    for table in tables.values():
        _create(link.execute, table, kinds)
        link.register("incoming", arrow(table))
        link.execute(f'INSERT INTO "{table.name}" SELECT * FROM incoming')
        link.unregister("incoming")
    link.close()
    return f"duckdb:///{path}"


def build_parquet(folder: Path, tables: dict[str, Table]) -> str:
    place = folder / "lake"
    place.mkdir()
    for table in tables.values():
        pq.write_table(arrow(table), place / f"{table.name}.parquet", row_group_size=512)
    return f"parquet:///{place}"


def build_postgresql(dsn: str, tables: dict[str, Table]) -> str:
    kinds = {"key": "bigint PRIMARY KEY", "int": "bigint", "text": "text", "timestamp": "timestamptz"}
    with psycopg.connect(dsn, autocommit=True) as link:
        for table in tables.values():
            _create(lambda sql: link.execute(sql.encode()), table, kinds)
            with link.cursor().copy(f'COPY "{table.name}" FROM STDIN'.encode()) as copy:
                for row in table.rows:
                    copy.write_row([row[name] for name, _ in table.columns])
        link.execute("ANALYZE")
    return dsn


def _create(execute: Callable[[str], object], table: Table, kinds: dict[str, str]) -> None:
    columns = ", ".join(f'"{name}" {kinds[kind]}' for name, kind in table.columns)
    execute(f'CREATE TABLE "{table.name}" ({columns})')
    unique = "UNIQUE " if table.name == "accounts" else ""
    execute(f'CREATE {unique}INDEX "by_{table.name}" ON "{table.name}" ({INDEXED[table.name]})')


def arrow(table: Table) -> pa.Table:
    """A table as Arrow."""
    kinds = {
        "key": pa.int64(),
        "int": pa.int64(),
        "text": pa.string(),
        "timestamp": pa.timestamp("us", tz="UTC"),
    }
    assert SHAPES[table.name] is table.columns
    return pa.table(
        {name: pa.array([row[name] for row in table.rows], kinds[kind]) for name, kind in table.columns}
    )

"""The ejabberd maps on a running ejabberd: one host on PostgreSQL, several hosts on SQLite."""

import datetime as dt
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from datamaps.headers import statements, text_of
from datamaps.reading import errors, opened, plan_for, produced, resolved
from datamaps.servers import HOST, OTHER, ejabberd, needed_folder
from datamaps.talk import Talked, talk
from datamaps.world import connected_as, make_role
from dueprocess.library.datamaps import shipped_maps
from dueprocess.plan import DataMap, parse_map

SQLITE = "sql_type: sqlite\nsql_database: {folder}/ejabberd.db\nnew_sql_schema: true"
POSTGRES = """sql_type: pgsql
sql_server: 127.0.0.1
sql_port: {port}
sql_database: {name}
sql_username: postgres
sql_password: ""
new_sql_schema: false"""


def for_sqlite(name: str) -> DataMap:
    """The shipped map with the one line changed that its header says to change for SQLite."""
    old = 'time = { column = "created_at", unit = "timestamp" }'
    new = 'time = { column = "created_at", unit = "iso", zone = "Etc/UTC" }'
    text = text_of(name)
    assert text.count(old) == 1
    assert 'unit = "iso", zone = "Etc/UTC"' in text
    return parse_map(text.replace(old, new), name)


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Talked, Path]]:
    """Ejabberd with two hosts in one SQLite file, still running, after three phases of talk."""
    needed_folder("lib/erlang/lib/p1_sqlite3-*", "erlang-p1-sqlite3")
    folder = tmp_path_factory.mktemp("ejabberd")
    with ejabberd(folder, SQLITE.format(folder=folder), (HOST, OTHER)) as port:
        yield talk(port, (HOST, OTHER)), folder / "ejabberd.db"


@pytest.fixture(scope="module")
def one(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Talked, str]]:
    """Ejabberd with one host on PostgreSQL, in the schema file that Debian installs, read under the header's rights."""
    needed_folder("lib/erlang/lib/p1_pgsql-*", "erlang-p1-pgsql")
    schema = needed_folder("share/ejabberd/sql/pg.sql", "ejabberd").read_text()
    server, _, name = database.rpartition("/")
    with psycopg.connect(database, autocommit=True) as link:
        link.execute(schema.encode())
        for statement in [make_role(database, "dueprocess"), *statements("ejabberd")]:
            link.execute(statement.encode())
    storage = POSTGRES.format(port=server.rpartition(":")[2], name=name)
    with ejabberd(tmp_path_factory.mktemp("ejabberd-one"), storage, (HOST,)) as port:
        yield talk(port, (HOST,)), connected_as(database, "dueprocess")


def judge(datamap: DataMap, talked: Talked, dsn: str) -> None:
    """Check, target and production of Eva, against what was said in the middle phase."""
    environment = {"EJABBERD_DSN": dsn}
    assert errors(datamap, environment) == []
    with opened(datamap, environment) as stores:
        nobody = plan_for(datamap, f"eva@{HOST}", talked.window, "subscriber.identity")
        assert resolved(nobody, stores) is None
        found = produced(plan_for(datamap, "EVA", talked.window), stores)
    assert set(found) == {"users", "vcard", "archive", "spool"}
    assert [row["username"] for row in found["users"]] == ["eva"]
    assert [_body(row["xml"]) for row in found["archive"]] == ["inside|eva to dana", "inside|dana to eva"]
    assert [str(row["bare_peer"]) for row in found["archive"]] == [f"dana@{HOST}"] * 2
    assert [_body(row["xml"]) for row in found["spool"]] == ["inside|dana to eva"]
    assert len(found["vcard"]) == 1
    assert "Eva Example" in str(found["vcard"][0]["vcard"])
    assert "CANARY" not in repr(found)
    assert "pw-" not in repr(found)
    _judge_times(found["archive"], talked)


def _judge_times(rows: list[dict[str, object]], talked: Talked) -> None:
    """The archive counts microseconds: read as milliseconds, no row would lie in this century."""
    assert talked.window.since is not None
    assert talked.window.until is not None
    for row in rows:
        at = dt.datetime.fromtimestamp(int(str(row["timestamp"])) / 1_000_000, dt.UTC)
        assert talked.window.since <= at < talked.window.until


def test_one_host_on_postgresql(one: tuple[Talked, str]) -> None:
    """The default schema: eva's profile and the middle phase, under the header's rights, and nothing else."""
    talked, dsn = one
    judge(shipped_maps()["ejabberd"], talked, dsn)
    with psycopg.connect(dsn, autocommit=True) as link:
        for column, table in (("password", "users"), ("jid", "rosterusers"), ("txt", "archive")):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                link.execute(f"SELECT {column} FROM {table}".encode())


def test_several_hosts_on_sqlite(several: tuple[Talked, Path]) -> None:
    """The schema for several hosts: her namesake on the other host stays there."""
    talked, database = several
    judge(for_sqlite("ejabberd-multihost"), talked, f"sqlite:///{database}")


def test_without_the_host_the_namesake_would_leave_too(several: tuple[Talked, Path]) -> None:
    """What the test above would miss if it proved nothing: both hosts hold an eva with messages in the window."""
    _, database = several
    link = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        hosts = link.execute(
            "SELECT DISTINCT server_host FROM archive WHERE username = 'eva' ORDER BY 1"
        ).fetchall()
    finally:
        link.close()
    assert hosts == [(HOST,), (OTHER,)]


def test_the_list_of_tables_is_that_of_this_ejabberd() -> None:
    """A version that adds a table fails here, until somebody lists it or leaves it out by name."""
    known = set((Path(__file__).parent / "data" / "ejabberd-tables.txt").read_text("utf-8").split())
    for name in ("pg.sql", "pg.new.sql", "lite.sql", "lite.new.sql"):
        schema = needed_folder(f"share/ejabberd/sql/{name}", "ejabberd").read_text()
        assert set(re.findall(r"CREATE TABLE (\w+)", schema)) <= known, name


def _body(stanza: object) -> str:
    return str(stanza).partition("<body>")[2].partition("</body>")[0]

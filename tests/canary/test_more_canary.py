"""The canary on MariaDB and on Spark: a sample; each question to Spark takes a second or two."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from canary import builders, more_builders
from canary.platform_rows import make_tables
from canary.run import described, run
from production.stores import cluster, mariadb

SCOPES = {"mysql": 40, "spark": 5}


@pytest.fixture
def mysql() -> Iterator[tuple[str, object]]:
    """An empty database: its reader's connection string, and a connection that may write."""
    with (
        mariadb.running() as server,
        mariadb.new_database(server) as (name, dsn),
        closing(mariadb.as_root(server, name)) as link,
    ):
        yield dsn, link


@pytest.mark.slow
def test_random_scopes_give_exactly_what_they_authorise_on_mariadb(
    mysql: tuple[str, object], tmp_path: Path
) -> None:
    """No canary too many, no record too few."""
    tables = make_tables()
    where = more_builders.build_mysql(mysql[1], mysql[0], tables)
    media = builders.build_media(tmp_path / "media", tables)
    platform = described("mysql", where, media, tables)
    told = run(platform, SCOPES["mysql"], seed=20261122, whole_every=3)
    platform.stores.close()
    assert told.wrong == []
    assert told.scopes == SCOPES["mysql"]


@pytest.mark.slow
def test_random_scopes_give_exactly_what_they_authorise_on_spark(tmp_path: Path) -> None:
    """The same, through a cluster."""
    tables = make_tables()
    with cluster.running() as found:
        where = more_builders.build_spark(found, "canary", tables)
        media = builders.build_media(tmp_path / "media", tables)
        platform = described("spark", where, media, tables)
        told = run(platform, SCOPES["spark"], seed=20261122, whole_every=3)
        platform.stores.close()
    assert told.wrong == []
    assert told.scopes == SCOPES["spark"]

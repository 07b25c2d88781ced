"""The synthetic platform on MariaDB and on Spark."""

from typing import Any

from canary.builders import INDEXED, arrow
from canary.platform_rows import Table
from production.stores.cluster import Cluster


def build_mysql(link: Any, dsn: str, tables: dict[str, Table]) -> str:
    """Writes every table into an empty MariaDB database over a connection that may; ``dsn`` is its reader's."""
    kinds = {"key": "BIGINT PRIMARY KEY", "int": "BIGINT", "timestamp": "DATETIME(6)"}
    with link.cursor() as cursor:
        for table in tables.values():
            texts = {"key": "", "text": "VARCHAR(500)"}
            columns = ", ".join(
                f"`{name}` {kinds.get(kind) or texts['text']}" for name, kind in table.columns
            )
            unique = "UNIQUE " if table.name == "accounts" else ""
            # The names differ in case alone: a unique key of theirs needs a collation that sees it.
            cursor.execute(f"CREATE TABLE `{table.name}` ({columns}) COLLATE utf8mb4_bin")
            cursor.execute(f"CREATE {unique}INDEX `by` ON `{table.name}` ({INDEXED[table.name]})")
            rows = [[_local(row[name]) for name, _ in table.columns] for row in table.rows]
            cursor.executemany(
                f"INSERT INTO `{table.name}` VALUES ({', '.join('%s' for _ in table.columns)})", rows
            )
    return dsn


def _local(value: Any) -> Any:
    """An instant as the column holds it: UTC, without saying so."""
    return value.replace(tzinfo=None) if hasattr(value, "tzinfo") else value


def build_spark(cluster: Cluster, database: str, tables: dict[str, Table]) -> str:
    """Writes every table as Parquet and makes it known to the cluster's own catalog."""
    cluster.run(f"CREATE DATABASE {database}")
    cluster.write(database, {name: arrow(table) for name, table in tables.items()}, row_group_size=512)
    return cluster.dsn(database)

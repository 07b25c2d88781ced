"""One account out of many rows: the plan on each engine against hand-written SQL, in the same run.

    bench/one_account.py                     100 million rows (ten minutes, about 30 GB of disk while it runs)
    bench/one_account.py --rows 200000       a quick look
    bench/one_account.py --only parquet postgresql

Prints JSON lines for each engine: {"name", "ours", "baseline", "ratio", "unit"}, of the median and of the first answer
of a store. Both sides resolve the account and read the same columns of the same window; ours also has each
query examined, twice, and checks every record again. Compiling the plan is not timed: that happens when people
decide. Within the goal: at most 1.5 times the baseline, or 15 ms.
"""

import argparse
import datetime as dt
import json
import os
import random
import shutil
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb
import psycopg

from dueprocess.demand import Period, ScopeItem, Target, expand
from dueprocess.plan import compile_plan, parse_map
from dueprocess.production.stores import open_store

ROWS_EACH = 100
ACCOUNTS = 40
SINCE, UNTIL = dt.datetime(2026, 9, 1, tzinfo=dt.UTC), dt.datetime(2026, 10, 1, tzinfo=dt.UTC)
BOUNDS = [int(each.timestamp() * 1000) for each in (SINCE, UNTIL)]
TABLES = ("accounts", "sessions")
COLUMNS = "account, seen, ip, agent"
MAP = """
[map]
id = "bench"
version = "1"
platform = "bench"
[store.main]
connect = "${DSN}"
max_rows = 100000
[[target]]
kind = "account"
store = "main"
table = "accounts"
column = "name"
subject = "name"
[[table]]
store = "main"
name = "sessions"
subject = "account"
time = { column = "seen", unit = "ms" }
[table.columns]
seen = { category = "session.times" }
ip = { category = "traffic" }
agent = { category = "traffic" }
"""

type Ask = Callable[[str], int]


def say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


def write_parquet(folder: Path, accounts: int) -> None:
    """Rows sorted by account, as stack.md recommends: one file, row groups of 100,000."""
    link = duckdb.connect()
    link.execute("SET memory_limit = '6GB'")
    link.execute(
        f"COPY (SELECT 'user' || i AS name FROM range({accounts}) t(i)) TO '{folder}/accounts.parquet'"
    )
    link.execute(
        f"""COPY (SELECT 'user' || (i // {ROWS_EACH}) AS account,
          {BOUNDS[0]} - 2592000000 + (i % {ROWS_EACH}) * 77760000 AS seen,
          '192.0.2.' || (i % 250) AS ip, 'Example/' || (i % 7) AS agent,
          'device' || (i % 3) AS device, i % 2 = 0 AS ok, i AS id
        FROM range({accounts * ROWS_EACH}) t(i) ORDER BY account, seen)
        TO '{folder}/sessions.parquet' (ROW_GROUP_SIZE 100000, COMPRESSION zstd)"""
    )
    link.close()


def batches(folder: Path, table: str) -> Iterator[Sequence[tuple[object, ...]]]:
    cursor = duckdb.connect().execute(f"FROM read_parquet('{folder}/{table}.parquet')")
    while rows := cursor.fetchmany(100_000):
        yield rows


def write_sqlite(folder: Path, path: Path) -> None:
    link = sqlite3.connect(path)
    link.executescript(
        "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; CREATE TABLE accounts(name TEXT PRIMARY KEY);"
        "CREATE TABLE sessions(account TEXT, seen INTEGER, ip TEXT, agent TEXT, device TEXT, ok INTEGER, id INTEGER)"
    )
    for rows in batches(folder, "accounts"):
        link.executemany("INSERT INTO accounts VALUES (?)", rows)
    for rows in batches(folder, "sessions"):
        link.executemany("INSERT INTO sessions VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
    link.execute("CREATE INDEX sessions_account ON sessions(account, seen)")
    link.commit()
    link.close()


def write_postgresql(folder: Path, dsn: str) -> None:
    with psycopg.connect(dsn) as link:
        link.execute("CREATE TABLE accounts(name TEXT PRIMARY KEY)")
        link.execute(
            "CREATE TABLE sessions(account TEXT, seen BIGINT, ip TEXT, agent TEXT, device TEXT, ok BOOLEAN, id BIGINT)"
        )
        for table in TABLES:
            lines = folder / f"{table}.csv"
            reader = duckdb.connect()
            reader.execute(
                f"COPY (FROM read_parquet('{folder}/{table}.parquet')) TO '{lines}' (HEADER false)"
            )
            reader.close()
            with (
                link.cursor() as cursor,
                cursor.copy(f"COPY {table} FROM STDIN (FORMAT csv)".encode()) as copy,
                lines.open("rb") as source,
            ):
                while piece := source.read(1 << 20):
                    copy.write(piece)
            lines.unlink()
        link.execute("CREATE INDEX sessions_account ON sessions(account, seen)")
    with psycopg.connect(dsn, autocommit=True) as link:
        link.execute("VACUUM ANALYZE")


@contextmanager
def postgresql(folder: Path) -> Iterator[str | None]:
    """A server of its own on loopback, or None where PostgreSQL is not installed."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not programs:
        say("PostgreSQL is not installed: left out")
        yield None
        return
    as_user: list[str] = []
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
        as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    cluster, control = (
        folder / "cluster",
        [*as_user, str(programs[-1] / "pg_ctl"), "-w", "-D", str(folder / "cluster")],
    )
    initdb = [
        *as_user,
        str(programs[-1] / "initdb"),
        "-D",
        str(cluster),
        "-U",
        "postgres",
        "-A",
        "trust",
        "--no-sync",
    ]
    subprocess.run(initdb, check=True, capture_output=True, cwd="/")
    settings = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off -c max_wal_size=8GB"
    subprocess.run(
        [*control, "-l", str(folder / "log"), "-o", settings, "start"],
        check=True,
        capture_output=True,
        cwd="/",
    )
    try:
        yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], check=False, capture_output=True, cwd="/")


def ours(dsn: str, accounts: Sequence[str]) -> Ask:
    """Resolves the account and reads its rows through the store, from plans that were compiled before."""
    datamap = parse_map(MAP, "bench.toml")
    store = open_store("main", dsn)
    period, categories = Period(SINCE, UNTIL), expand(["session", "traffic"])
    items = {name: ScopeItem(Target("account", name), categories, period) for name in accounts}
    plans = {name: compile_plan(item, datamap, nonce=bytes(32)) for name, item in items.items()}

    def ask(account: str) -> int:
        plan = plans[account]
        subject = store.resolve(plan.target)
        assert subject is not None
        return sum(batch.rows.num_rows for batch in store.batches(plan.tables[0], subject))

    return ask


def by_hand(
    execute: Callable[[str, list[object]], Sequence[object]], mark: str, tables: tuple[str, str]
) -> Ask:
    """The two queries that a person would write, all rows fetched."""
    accounts, sessions = tables
    resolve = f"SELECT name FROM {accounts} WHERE name = {mark}"
    read = f"SELECT {COLUMNS} FROM {sessions} WHERE account = {mark} AND seen >= {mark} AND seen < {mark} ORDER BY seen"

    def ask(account: str) -> int:
        assert len(execute(resolve, [account])) == 1
        return len(execute(read, [account, *BOUNDS]))

    return ask


def measure(ask: Ask, accounts: Sequence[str]) -> tuple[float, float, int]:
    """Milliseconds of the first account and the median of the others, and the rows of all but the first."""
    start = time.perf_counter()
    ask(accounts[0])
    first = (time.perf_counter() - start) * 1000
    times, rows = list[float](), 0
    for account in accounts:
        start = time.perf_counter()
        rows += ask(account)
        times.append((time.perf_counter() - start) * 1000)
    return first, statistics.median(times), rows


def compare(name: str, mine: Ask, theirs: Ask, accounts: Sequence[str]) -> None:
    """Tells the median and the first answer of both sides. Both must have read the same number of rows."""
    hand_first, hand, expected = measure(theirs, accounts)
    first, found, rows = measure(mine, accounts)
    assert rows == expected > 0
    tell(name, found, hand, "ms, median of one account")
    tell(f"{name}: the first answer", first, hand_first, "ms, in a store that was just opened")


def tell(name: str, ours: float, baseline: float, unit: str) -> None:
    line = {"name": name, "ours": round(ours, 3), "baseline": round(baseline, 3), "unit": unit}
    goal = {"within_goal": ours <= max(1.5 * baseline, 15)}
    print(json.dumps({**line, "ratio": round(ours / baseline, 2), **goal}), flush=True)


def on_parquet(size: str, folder: Path, accounts: Sequence[str]) -> None:
    link = duckdb.connect()
    link.execute("SET threads = 2")
    files = (f"read_parquet('{folder}/accounts.parquet')", f"read_parquet('{folder}/sessions.parquet')")
    hand = by_hand(lambda sql, values: link.execute(sql, values).fetchall(), "?", files)
    compare(f"{size}, DuckDB on Parquet", ours(f"parquet:///{folder}", accounts), hand, accounts)
    link.close()


def on_sqlite(size: str, path: Path, accounts: Sequence[str]) -> None:
    link = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    hand = by_hand(lambda sql, values: link.execute(sql, values).fetchall(), "?", TABLES)
    compare(f"{size}, SQLite", ours(f"sqlite:///{path}", accounts), hand, accounts)
    link.close()


def on_postgresql(size: str, dsn: str, accounts: Sequence[str]) -> None:
    link = psycopg.connect(dsn, autocommit=True)
    hand = by_hand(lambda sql, values: link.execute(sql.encode(), values).fetchall(), "%s", TABLES)
    compare(f"{size}, PostgreSQL", ours(dsn, accounts), hand, accounts)
    link.close()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=100_000_000)
    engines = ("parquet", "sqlite", "postgresql")
    parser.add_argument("--only", nargs="+", choices=engines, default=engines)
    given = parser.parse_args()
    accounts = given.rows // ROWS_EACH
    chosen = [f"user{number}" for number in random.Random(7).sample(range(accounts), ACCOUNTS)]
    size = f"one account of {accounts * ROWS_EACH:,} rows"
    with tempfile.TemporaryDirectory(prefix="dueprocess-bench-") as place:
        folder = Path(place)
        folder.chmod(0o755)
        parquet, cluster = folder / "parquet", folder / "postgresql"
        parquet.mkdir()
        cluster.mkdir()
        say("writing Parquet")
        write_parquet(parquet, accounts)
        if "parquet" in given.only:
            on_parquet(size, parquet, chosen)
        if "sqlite" in given.only:
            say("writing SQLite")
            write_sqlite(parquet, folder / "bench.db")
            on_sqlite(size, folder / "bench.db", chosen)
            (folder / "bench.db").unlink()
        if "postgresql" in given.only:
            with postgresql(cluster) as dsn:
                if dsn is not None:
                    say("writing PostgreSQL")
                    write_postgresql(parquet, dsn)
                    on_postgresql(size, dsn, chosen)


if __name__ == "__main__":
    main()

"""Appending events against a raw INSERT and COMMIT on the same database, in the same run.

The baseline writes a row of the same size with the driver alone and commits: the least that any durable record
costs. Ours folds the case, checks the move, chains, commits to the ledger and writes docket and event besides.
"""

import argparse
import datetime as dt
import itertools
import json
import secrets
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psycopg

from dueprocess.cases.receive import receive
from dueprocess.history import connection
from dueprocess.history.append import Hand, append
from dueprocess.steps.authenticate import authenticate

NOW = dt.datetime(2026, 11, 22, 9, 0, tzinfo=dt.UTC)
BODY = json.dumps({"authority": "a-court", "findings": ["mail_only"]}) + " " * 400


def rate(act: Callable[[], None], rounds: int) -> float:
    """Calls per second: the median of five batches."""
    found = []
    for _ in range(5):
        begun = time.perf_counter()
        for _ in range(rounds // 5):
            act()
        found.append((rounds // 5) / (time.perf_counter() - begun))
    return statistics.median(found)


def ours(address: str, rounds: int) -> dict[str, float]:
    """Events per second: new cases (one event each), and a case that grows to forty events."""
    connection.use(address)
    connection.create_tables()
    key = secrets.token_bytes(32)

    def one_case() -> None:
        case_id = secrets.token_hex(16)
        drafts = receive("0" * 64, nonce=bytes(32), channel="mail", media="pdf", size_bytes=1)
        with connection.append_lock():
            append(case_id, drafts, Hand("ana", NOW, key))

    fresh = rate(one_case, rounds)
    grown: list[str] = []
    turn = itertools.count()

    def grow() -> None:
        if next(turn) % 40 == 0:
            grown.append(secrets.token_hex(16))
            drafts = receive("0" * 64, nonce=bytes(32), channel="mail", media="pdf", size_bytes=1)
            with connection.append_lock():
                append(grown[-1], drafts, Hand("ana", NOW, key))
        authenticate(grown[-1], Hand("ana", NOW, key), authority=None, findings=["mail_only"])

    return {"first event of a case": fresh, "next event of a case (up to 40)": rate(grow, rounds)}


def raw_sqlite(path: Path, rounds: int) -> float:
    store = sqlite3.connect(path, isolation_level=None)
    store.execute("PRAGMA journal_mode=WAL")
    store.execute("PRAGMA synchronous=FULL")
    store.execute("CREATE TABLE raw (id INTEGER PRIMARY KEY, body TEXT)")

    def one() -> None:
        store.execute("BEGIN IMMEDIATE")
        store.execute("INSERT INTO raw (body) VALUES (?)", (BODY,))
        store.execute("COMMIT")

    return rate(one, rounds)


def raw_postgresql(address: str, rounds: int) -> float:
    with psycopg.connect(address) as server:
        server.execute("CREATE TABLE raw (id SERIAL PRIMARY KEY, body TEXT)")
        server.commit()

        def one() -> None:
            server.execute("INSERT INTO raw (body) VALUES (%s)", (BODY,))
            server.commit()

        return rate(one, rounds)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=1000)
    parser.add_argument("--postgresql", default="", help="address of an empty database")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        baseline = raw_sqlite(Path(folder) / "raw.db", given.rounds)
        for name, found in ours(f"sqlite:{folder}/history.db", given.rounds).items():
            tell(f"append, SQLite: {name}", found, baseline)
        connection.close()
    if given.postgresql:
        baseline = raw_postgresql(given.postgresql, given.rounds)
        for name, found in ours(given.postgresql, given.rounds).items():
            tell(f"append, PostgreSQL: {name}", found, baseline)
        connection.close()


def tell(name: str, found: float, baseline: float) -> None:
    line = {"name": name, "ours": round(found, 1), "baseline": round(baseline, 1), "unit": "per second"}
    print(json.dumps({**line, "ratio": round(found / baseline, 3)}), flush=True)


if __name__ == "__main__":
    main()

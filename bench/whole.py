"""A whole production as the worker runs it, out of 200,000 accounts and 5.1 million events in PostgreSQL.

    bench/whole.py                    three accounts: 26, 5,026 and 100,026 records
    bench/whole.py --accounts 2000    a quick look at a smaller platform

Starts an installation with people and an approved case for each account, lets its log see them, and then runs the
production worker's steps in a process of its own: the gate, the queries, the checks, the package with its pages,
sealing and encryption, and the events. A worker that `serve` runs has started already; both are told. The baseline is
what a person would type: `COPY ... TO STDOUT` of the same records and columns into `openssl dgst -sha256` and `age`.
Each parcel is opened, its records are counted, and no column that was not approved may be in it. Prints one JSON line
for each figure. Needs `tools/setup.py server` once.
"""

import argparse
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import time
from functools import partial
from pathlib import Path

import psycopg
import pyrage

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from one_account import postgresql, say

import office as offices
from parcel import fastest, piped

HERE = Path(__file__).parent
OPERATOR = HERE.parent / ".venv-server" / "bin" / "python"
"""The packages that an operator installs, and nothing else: Arrow loads pandas wherever it finds it."""
ROUNDS = 3
SMALL, MIDDLE, BIG = 25, 5_025, 100_025
"""Events of the three accounts. Each has one record about itself besides."""
COMMON = 25
SECRETS = ("password_hash", "score", "referrer", "canary")
MOST_MIB = 300
MAP = """
[map]
id = "bench"
version = "1"
platform = "bench"
[store.main]
connect = "${PLATFORM_DSN}"
max_rows = 200000
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
id = { category = "subscriber.identity" }
name = { category = "subscriber.identity" }
email = { category = "subscriber.identity" }
phone = { category = "subscriber.identity" }
created = { category = "subscriber.service" }
[[table]]
store = "main"
name = "events"
subject = "account"
time = { column = "at", unit = "timestamp" }
[table.columns]
id = { category = "session.times" }
at = { category = "session.times" }
kind = { category = "session.times" }
ip = { category = "traffic" }
agent = { category = "traffic" }
"""

WORKER = """
import json, sys, time
from pathlib import Path
from dueprocess.desk.desk import open_desk
from dueprocess.worker.clock import read_clock
from dueprocess.worker.production import produce, store_environment
desk = open_desk(Path(sys.argv[1]))
begun = time.perf_counter()
made = produce(desk, sys.argv[2], "t1", store_environment(desk), now=read_clock(desk.installation))
print(json.dumps({"seconds": time.perf_counter() - begun, "parcel": made.parcel_id}))
"""
"""The production worker's own steps: its first production after it has started."""


def fill(dsn: str, accounts: int) -> None:
    """14 columns in two tables. Every column that no map lists says `canary`."""
    sizes = f"CASE a WHEN 1 THEN {SMALL} WHEN 2 THEN {MIDDLE} WHEN 3 THEN {BIG} ELSE {COMMON} END"
    with psycopg.connect(dsn, autocommit=True) as link:
        link.execute(
            "CREATE TABLE accounts(id BIGINT PRIMARY KEY, name TEXT UNIQUE, email TEXT, phone TEXT, "
            "created TIMESTAMPTZ, password_hash TEXT, score TEXT)"
        )
        link.execute(
            "INSERT INTO accounts SELECT a, 'user' || a, 'user' || a || '@mail.example', '+999' || a, "
            "'2026-01-01T00:00:00.123456Z', 'canary' || a, 'canary' FROM generate_series(1, %s) a",
            [accounts],
        )
        link.execute(
            "CREATE TABLE events(id BIGINT, account BIGINT, at TIMESTAMPTZ, kind TEXT, ip TEXT, agent TEXT, "
            "referrer TEXT)"
        )
        link.execute(
            "INSERT INTO events SELECT row_number() OVER (), a, "
            "'2026-08-15T00:00:00.000001Z'::timestamptz + e * interval '10.000001 seconds', "
            "'sign-in', '192.0.2.' || e %% 250, 'Example/5.0 (X11; Linux x86_64; rv:140.0)', 'canary' "
            f"FROM generate_series(1, %s) a, LATERAL generate_series(1, {sizes}) e",
            [accounts],
        )
        link.execute("CREATE INDEX ON events(account, at)")
        link.execute("VACUUM ANALYZE")


def prepared(folder: Path, dsn: str) -> tuple[offices.Office, list[str]]:
    """An installation with one approved case for each of the three accounts, all sealed and due."""
    offices.MAP = MAP
    office = offices.open_office(folder, epoch_seconds=6 * 3600, window_days=1)
    office.environment = {"PLATFORM_DSN": dsn}
    cases = [office.approved_case(accounts=(f"user{number}",)) for number in (1, 2, 3)]
    office.wait(hours=30)
    return office, cases


def produced(office: offices.Office, case: str) -> tuple[float, float, float, str]:
    """Seconds of the process and of the production in it, its peak MiB, and the id of the parcel that it made."""
    begun = time.perf_counter()
    with subprocess.Popen(
        [str(OPERATOR), "-c", WORKER, str(office.root), case],
        stdout=subprocess.PIPE,
        env={**os.environ, **office.environment},
    ) as worker:
        assert worker.stdout is not None
        said = json.loads(worker.stdout.read())
        _, _, used = os.wait4(worker.pid, 0)
        worker.returncode = 0
    return time.perf_counter() - begun, said["seconds"], used.ru_maxrss / 1024, said["parcel"]


def opened(office: offices.Office, parcel: str) -> int:
    """How many records the parcel holds. Refuses one with a word of a column that was not approved."""
    (path,) = office.desk.installation.parcels.glob(f"{parcel}*")
    records = 0
    plain = pyrage.decrypt(path.read_bytes(), [office.officer])
    with tarfile.open(fileobj=io.BytesIO(plain)) as bag:
        for member in bag:
            file = bag.extractfile(member)
            content = file.read() if file else b""
            if member.name.endswith(".jsonl") and "/data/main/" in member.name:
                records += content.count(b"\n")
                assert not any(word.encode() in content for word in SECRETS), member.name
    return records


def by_hand(dsn: str, number: int, recipient: str, out: Path) -> None:
    """The same records and columns by COPY, with one digest and age."""
    one = f"SELECT id, name, email, phone, created FROM accounts WHERE id = {number}"
    two = f"SELECT id, at, kind, ip, agent FROM events WHERE account = {number} ORDER BY at"
    copies = " ".join(f'-c "COPY ({text}) TO STDOUT (FORMAT csv)"' for text in (one, two))
    piped(f'psql -X -q "{dsn}" {copies}', out, recipient)


def tell(name: str, ours: float, baseline: float, unit: str) -> None:
    line = {"name": name, "ours": round(ours, 3), "baseline": round(baseline, 3), "unit": unit}
    print(json.dumps({**line, "ratio": round(ours / baseline, 2)}), flush=True)


def measure(folder: Path, dsn: str, accounts: int) -> None:
    """Three rounds of the same approved cases, each round in a copy of the installation."""
    say("filling PostgreSQL")
    fill(dsn, accounts)
    office, cases = prepared(folder / "office", dsn)
    recipient = str(office.officer.to_public())
    for number, (case, events) in enumerate(zip(cases, (SMALL, MIDDLE, BIG), strict=True), start=1):
        found = []
        for turn in range(ROUNDS):
            again = offices.copy_office(office, folder / f"copy{number}{turn}")
            again.environment = office.environment
            started, seconds, memory, parcel = produced(again, case)
            assert opened(again, parcel) == events + 1
            found.append((started, seconds, memory))
        started, seconds, _ = map(min, zip(*found, strict=True))
        hand = fastest(partial(by_hand, dsn, number, recipient, folder / "hand.age"), ROUNDS)
        name = f"a whole production of {events + 1:,} records"
        tell(f"{name}, in a worker that runs", seconds, hand, "s")
        tell(f"{name}, with the worker's start", started, hand, "s")
        tell(
            f"{name}: peak memory of the worker",
            max(each[2] for each in found),
            MOST_MIB,
            "MiB, against the most that we want",
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--accounts", type=int, default=200_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dueprocess-bench-") as place:
        folder = Path(place)
        folder.chmod(0o755)
        (folder / "office").mkdir()
        cluster = folder / "postgresql"
        cluster.mkdir()
        with postgresql(cluster) as dsn:
            if dsn is not None:
                measure(folder, dsn, given.accounts)


if __name__ == "__main__":
    main()

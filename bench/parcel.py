"""The answer package against other people's programs in one pipe, in the same run.

    bench/parcel.py                          2 GiB of files, 1 GiB of formatting, one PostgreSQL account of 1 GB
    bench/parcel.py --size 200               a quick look (in MiB); the account is half as big
    bench/parcel.py --size 2048 --account 5000    the account of 5 GB

Prints one JSON line for each figure: {"name", "ours", "baseline", "ratio", "unit"}. Both sides write their ciphertext
into a file, in turn, three times each; the fastest counts. The baseline of the parcel is ``tar`` through ``tee`` into
``openssl dgst -sha256`` and Debian's ``age``; ours makes a bag, digests every file and the ciphertext, and encrypts.
On a machine that does other things meanwhile the figures say little: a pipe of five programs gets more of it than we.
"""

import argparse
import csv
import datetime as dt
import io
import json
import multiprocessing
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import psycopg
import pyarrow as pa
import pyrage

sys.path.insert(0, str(Path(__file__).parent))
from one_account import postgresql

from dueprocess.demand import Period, ScopeItem, Target, expand
from dueprocess.plan import compile_plan, parse_map
from dueprocess.production.collect import Collection
from dueprocess.production.formatting import formatted
from dueprocess.production.packing import Member, Wrapping, pack
from dueprocess.production.stores import open_stores

MIB = 1024 * 1024
ROUNDS = 3
FILES = 16
NOW = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
MOST_BYTES = 256 * MIB
MAP = """
[map]
id = "bench"
version = "1"
platform = "bench"
[store.main]
connect = "${DSN}"
max_rows = 100000000
[[target]]
kind = "account"
store = "main"
table = "accounts"
column = "name"
subject = "name"
[[table]]
store = "main"
name = "messages"
subject = "account"
time = { column = "at", unit = "timestamp" }
[table.columns]
at = { category = "content.messages" }
room = { category = "content.messages" }
number = { category = "content.messages" }
body = { category = "content.messages" }
"""


def fastest(act: Callable[[], object], rounds: int) -> float:
    """Seconds of the fastest of some rounds."""
    times = []
    for _ in range(rounds):
        begun = time.perf_counter()
        act()
        times.append(time.perf_counter() - begun)
    return min(times)


def tell(name: str, ours: float, baseline: float, unit: str) -> None:
    line = {"name": name, "ours": round(ours, 2), "baseline": round(baseline, 2), "unit": unit}
    print(json.dumps({**line, "ratio": round(ours / baseline, 2)}), flush=True)


def piped(first: str, out: Path, recipient: str) -> None:
    """Another program's output, digested and encrypted at once by other people's programs; all are waited for."""
    both = f"tee >(openssl dgst -sha256 -out {out}.plain) | age -r {recipient} -o {out}"
    subprocess.run(["bash", "-c", f"set -o pipefail; {first} | {both}; wait"], check=True)


def piped_twice(first: str, out: Path, recipient: str) -> None:
    """The same, with the digest of the ciphertext too, as our parcel has it."""
    both = f"tee >(openssl dgst -sha256 -out {out}.plain) | age -r {recipient}"
    command = f"{first} | {both} | tee >(openssl dgst -sha256 -out {out}.sha256) > {out}"
    subprocess.run(["bash", "-c", f"set -o pipefail; {command}; wait"], check=True)


def read(path: Path) -> Iterator[memoryview]:
    room = memoryview(bytearray(MIB))
    with path.open("rb", buffering=0) as source:
        while got := source.readinto(room):
            yield room[:got]


def member(path: Path) -> Member:
    return Member(f"data/media/files/{path.name}", path.stat().st_size, read(path))


def peak() -> int:
    """Bytes that this program ever had in memory, and the most of one that it started."""
    return 1024 * sum(
        resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )


def tell_memory(name: str, act: Callable[..., None], *given: object) -> None:
    """Runs it once more, alone in a program of its own, and tells what it needs beyond what that began with."""
    context = multiprocessing.get_context("spawn")
    answer: multiprocessing.Queue[int] = context.Queue()
    process = context.Process(target=needing, args=(answer, act, given))
    process.start()
    tell(name, answer.get() / MIB, MOST_BYTES / MIB, "MiB, against the most that we want")
    process.join()


def needing(
    answer: "multiprocessing.Queue[int]", act: Callable[..., None], given: tuple[object, ...]
) -> None:
    begun = peak()
    act(*given)
    answer.put(peak() - begun)


def files_into(out: Path, media: Path, recipient: str) -> None:
    members = (member(path) for path in sorted(media.iterdir()))
    with out.open("wb") as sink:
        pack(members, Wrapping("7F3K", recipient, NOW, {}), sink, describe=lambda _: [])


def account_into(out: Path, dsn: str, recipient: str) -> None:
    datamap = parse_map(MAP, "bench.toml")
    period = Period(NOW.replace(month=8), NOW.replace(year=2031))
    item = ScopeItem(Target("account", "eva"), expand(["content.messages"]), period)
    plan = compile_plan(item, datamap, nonce=bytes(32))
    stores = open_stores(datamap, {"DSN": dsn})
    with out.open("wb") as sink:
        collection = Collection(plan, stores, "7F3K")
        pack(collection.members(), Wrapping("7F3K", recipient, NOW, {}), sink, describe=lambda _: [])
    stores.close()
    assert collection.results[0].status == "found", collection.results


def parcel_of_files(folder: Path, size: int, officer: pyrage.x25519.Identity) -> None:
    media = folder / "media"
    media.mkdir()
    block = random.Random(7).randbytes(MIB)
    for number in range(FILES):
        with (media / f"file{number:02d}").open("wb") as file:
            for _ in range(size // FILES):
                file.write(block)
    recipient, out = str(officer.to_public()), folder / "parcel.age"

    tar = f"tar -C {folder} -cf - media"
    found, once, twice = interleaved(
        partial(files_into, out, media, recipient),
        partial(piped, tar, out, recipient),
        partial(piped_twice, tar, out, recipient),
    )
    total = size // FILES * FILES
    tell(f"parcel of {total:,} MiB of files", total / found, total / once, "MiB/s")
    tell("the same, against a pipe that digests the ciphertext too", total / found, total / twice, "MiB/s")
    tell_memory("memory of that parcel", files_into, out, media, recipient)
    shutil.rmtree(media)
    out.unlink()


def interleaved(*acts: Callable[[], object]) -> list[float]:
    """The fastest of each, in turn, so that a busy neighbour troubles all of them."""
    found = [[fastest(act, 1) for act in acts] for _ in range(ROUNDS)]
    return [min(each) for each in zip(*found, strict=True)]


def batch(rows: int) -> pa.RecordBatch:
    """Records such as a chat has: numbers, times, addresses, texts."""
    start = int(NOW.timestamp() * 1_000_000)
    texts = ['see you at the station, the "usual" one\nat nine', "=1+1", "wie üblich, 漢字", "x" * 200]
    return pa.record_batch(
        {
            "number": pa.arange(0, rows),
            "at": pa.array(range(start, start + rows * 1_234_567, 1_234_567), pa.timestamp("us", tz="UTC")),
            "ip": pa.array([f"192.0.2.{row % 250}" for row in range(rows)]),
            "agent": pa.array(["Example/5.0 (X11; Linux x86_64; rv:140.0)"] * rows),
            "body": pa.array([texts[row % 4] for row in range(rows)]),
            "edited": pa.array([None if row % 3 else row for row in range(rows)], pa.int64()),
            "score": pa.array([row / 7 for row in range(rows)]),
        }
    )


def formatting(size: int) -> None:
    """JSON and CSV of the same records, against Python's own writers row by row."""
    records = batch(16_384)
    repeat = max(1, size * MIB // records.nbytes)

    def ours() -> None:
        for number in range(repeat):
            formatted(records, "7F3K", number * records.num_rows + 1)

    def theirs() -> None:
        rows = records.slice(0, 4096).to_pylist()
        lines = [json.dumps(row, ensure_ascii=False, default=str) for row in rows]
        csv.writer(io.StringIO(), quoting=csv.QUOTE_ALL).writerows(
            [str(each) for each in row.values()] for row in rows
        )
        assert lines

    found = repeat * records.nbytes / MIB / fastest(ours, ROUNDS)
    baseline = records.slice(0, 4096).nbytes / MIB / fastest(theirs, ROUNDS)
    tell("formatting, JSON lines and CSV", found, baseline, "MiB/s of Arrow")


def big_account(folder: Path, size: int, officer: pyrage.x25519.Identity, dsn: str) -> None:
    """One account from PostgreSQL into a parcel, against COPY of the same columns with one digest and age."""
    rows = size * 1_000_000 // 250
    with psycopg.connect(dsn, autocommit=True) as link:
        link.execute("CREATE TABLE accounts(name TEXT PRIMARY KEY)")
        link.execute("INSERT INTO accounts VALUES ('eva'), ('dana')")
        link.execute(
            "CREATE TABLE messages(account TEXT, at TIMESTAMPTZ, room TEXT, number BIGINT, body TEXT)"
        )
        link.execute(
            "INSERT INTO messages SELECT CASE WHEN i %% 100 = 0 THEN 'dana' ELSE 'eva' END, "
            "'2026-09-01T00:00:00Z'::timestamptz + i * interval '100 milliseconds', '!room' || i %% 50, i, "
            "repeat('words and words ', 12) || i FROM generate_series(1, %s) i",
            [rows],
        )
        link.execute("CREATE INDEX ON messages(account, at)")
        link.execute("VACUUM ANALYZE")
    text = "SELECT at, room, number, body FROM messages WHERE account = 'eva' ORDER BY at"
    recipient, out = str(officer.to_public()), folder / "account.age"

    copy = f'psql -X -q "{dsn}" -c "COPY ({text}) TO STDOUT"'
    twice = f"""{copy} -c "COPY (SELECT row_to_json(r) FROM ({text}) r) TO STDOUT" """
    found, both, baseline = interleaved(
        partial(account_into, out, dsn, recipient),
        partial(piped_twice, twice, out, recipient),
        partial(piped, copy, out, recipient),
    )
    tell(f"one PostgreSQL account of {size:,} MB", size / found, size / baseline, "MB/s")
    name = "the same account, against COPY of both forms, with the digest of the ciphertext"
    tell(name, size / found, size / both, "MB/s")
    once = out.stat().st_size / 1_000_000
    tell_memory("memory of that account", account_into, out, dsn, recipient)
    parcel = out.stat().st_size / 1_000_000
    tell("the same account, in bytes of the parcel (JSON and CSV)", parcel / found, once / baseline, "MB/s")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, default=2048, help="MiB of the parcel of files")
    parser.add_argument(
        "--account", type=int, default=0, help="MB of the PostgreSQL account; 0: half of --size"
    )
    parser.add_argument(
        "--folder", type=Path, help="where the files lie; default: the system's folder for such"
    )
    given = parser.parse_args()
    officer = pyrage.x25519.Identity.generate()
    with tempfile.TemporaryDirectory(prefix="dueprocess-bench-", dir=given.folder) as place:
        folder = Path(place)
        folder.chmod(0o755)
        parcel_of_files(folder, given.size, officer)
        formatting(given.size // 2)
        cluster = folder / "postgresql"
        cluster.mkdir()
        with postgresql(cluster) as dsn:
            if dsn is not None:
                big_account(folder, given.account or given.size // 2, officer, dsn)


if __name__ == "__main__":
    main()

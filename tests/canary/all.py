"""Every engine of the canary run, on both cores; the result goes to docs/canary.md.

tests/canary/all.py                       10,000 scopes on DuckDB and SQLite, 1,000 on Parquet, 500 on PostgreSQL
tests/canary/all.py --scale 0.01          a quick look, which is printed and not kept
"""

import argparse
import datetime as dt
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dueprocess.conf.settings")

from one_account import postgresql  # type: ignore[import-not-found]  # a script of bench/

from canary import builders, more_builders
from canary.platform_rows import make_tables
from canary.run import Platform, Told, described, open_platform, run
from production.stores import cluster, mariadb

HERE = Path(__file__).resolve().parent
PAGE = HERE.parents[1] / "docs" / "canary.md"
SCOPES = {"duckdb": 10_000, "sqlite": 10_000, "parquet": 1_000, "postgresql": 500, "mysql": 500, "spark": 50}
HALVED = ("duckdb", "sqlite", "parquet")
"""Engines without a server, whose scopes two processes share."""
TOLD = """\
A synthetic platform of 1,000 accounts holds a canary, a text that says where it belongs, in every text of every table
and at instants on and beside the edges of windows. Random scopes are planned and produced. What would leave is compared
with what a plain Python program says of the same scope: no canary that was not authorised may be in it, and every
record that was must be, value for value, in JSON lines and CSV, and every file byte for byte. Every tenth scope is
produced as a whole package with its pages, sealed to a key and opened again; the others are compared before sealing.
"""


def part(engine: str, scopes: int, seed: int, dsn: str) -> dict[str, Any]:
    """One process: this many scopes on one engine."""
    command = [sys.executable, str(HERE / "run.py"), "--engine", engine, "--scopes", str(scopes)]
    done = subprocess.run(
        [*command, "--seed", str(seed), "--dsn", dsn], stdout=subprocess.PIPE, text=True, check=False
    )
    found: dict[str, Any] = json.loads(done.stdout)
    print(json.dumps(found, ensure_ascii=False), file=sys.stderr, flush=True)  # noqa: T201
    return found


def everything(engines: Sequence[str], scale: float) -> list[dict[str, Any]]:
    """All parts of these engines, in the order of `SCOPES`; those without a server first, two at a time."""
    counts = {engine: max(2, round(SCOPES[engine] * scale)) for engine in SCOPES if engine in engines}
    with ThreadPoolExecutor(2) as pool:
        jobs = [
            pool.submit(part, engine, count // 2, 100 + half, "")
            for engine, count in counts.items()
            for half in range(2)
            if engine in HALVED
        ]
        found = [job.result() for job in jobs]
    for engine, serve in (("postgresql", on_postgresql), ("mysql", on_mysql), ("spark", on_spark)):
        if engine in counts:
            with tempfile.TemporaryDirectory(prefix="canary-") as folder:
                found.append({"engine": engine, **serve(Path(folder), counts[engine]).as_json()})
    return found


def on_postgresql(folder: Path, count: int) -> Told:
    with postgresql(folder) as address:
        return _on(open_platform("postgresql", folder, address), count)


def on_mysql(folder: Path, count: int) -> Told:
    tables = make_tables()
    media = builders.build_media(folder / "media", tables)
    with (
        mariadb.running() as server,
        mariadb.new_database(server) as (name, dsn),
        closing(mariadb.as_root(server, name)) as link,
    ):
        return _on(described("mysql", more_builders.build_mysql(link, dsn, tables), media, tables), count)


def on_spark(folder: Path, count: int) -> Told:
    tables = make_tables()
    media = builders.build_media(folder / "media", tables)
    with cluster.running() as found:
        where = more_builders.build_spark(found, "canary", tables)
        return _on(described("spark", where, media, tables), count)


def _on(platform: Platform, count: int) -> Told:
    try:
        return run(platform, count, seed=100)
    finally:
        platform.stores.close()


def rows_of(parts: list[dict[str, Any]]) -> dict[str, str]:
    """Engine → its row of the page."""
    rows: dict[str, str] = {}
    for engine in dict.fromkeys(each["engine"] for each in parts):
        mine = [each for each in parts if each["engine"] == engine]
        sums = [
            sum(each[name] for each in mine) for name in ("scopes", "packages", "records", "files", "empty")
        ]
        wrong = sum(len(each["wrong"]) for each in mine)
        rows[engine] = f"| {engine} | {' | '.join(f'{each:,}' for each in sums)} | {wrong} |"
    return rows


def as_markdown(rows: dict[str, str], day: str) -> str:
    """The page: a row for each engine."""
    lines = [
        "# The canary run",
        "",
        *TOLD.splitlines(),
        f"`make canary` runs it and writes this page. Last run: {day} (UTC).",
        "",
        "| engine | scopes | of these whole packages | records | files | scopes without a record | differences |",
        "|---|---|---|---|---|---|---|",
        *(rows[engine] for engine in SCOPES if engine in rows),
    ]
    return "\n".join(lines) + "\n"


def kept_rows() -> dict[str, str]:
    """The rows that the page has now."""
    lines = PAGE.read_text(encoding="utf-8").splitlines() if PAGE.exists() else []
    return {line.split("|")[1].strip(): line for line in lines if line.startswith("| ")}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--only", choices=list(SCOPES), action="append", default=None)
    given = parser.parse_args()
    parts = everything(given.only or list(SCOPES), given.scale)
    day = dt.datetime.now(dt.UTC).date().isoformat()
    page = as_markdown({**kept_rows(), **rows_of(parts)} if given.scale == 1 else rows_of(parts), day)
    print(page)  # noqa: T201
    if given.scale == 1:
        PAGE.write_text(page, encoding="utf-8")
    return 1 if any(each["wrong"] for each in parts) else 0


if __name__ == "__main__":
    sys.exit(main())

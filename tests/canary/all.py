"""Every engine of the canary run, on both cores; the result goes to docs/canary.md.

tests/canary/all.py                       10,000 scopes on DuckDB and SQLite, 1,000 on Parquet, 500 on PostgreSQL
tests/canary/all.py --scale 0.01          a quick look, which is printed and not kept
"""

import argparse
import datetime as dt
import json
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))

from one_account import postgresql  # type: ignore[import-not-found]  # a script of bench/

HERE = Path(__file__).resolve().parent
PAGE = HERE.parents[1] / "docs" / "canary.md"
SCOPES = {"duckdb": 10_000, "sqlite": 10_000, "parquet": 1_000, "postgresql": 500}
HALVES = 2
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


def everything(scale: float, server: str | None) -> list[dict[str, Any]]:
    """All parts, two at a time, in the order of `SCOPES`."""
    with ThreadPoolExecutor(HALVES) as pool:
        jobs = []
        for engine, scopes in SCOPES.items():
            if engine == "postgresql" and server is None:
                continue
            halves = 1 if engine == "postgresql" else HALVES
            for half in range(halves):
                count = max(1, round(scopes * scale) // halves)
                jobs.append(pool.submit(part, engine, count, 100 + half, server or ""))
        return [job.result() for job in jobs]


def as_markdown(parts: list[dict[str, Any]], day: str) -> str:
    """The page: a row for each engine."""
    lines = [
        "# The canary run",
        "",
        *TOLD.splitlines(),
        f"`make canary` runs it and writes this page. Last run: {day} (UTC).",
        "",
        "| engine | scopes | of these whole packages | records | files | scopes without a record | differences |",
        "|---|---|---|---|---|---|---|",
    ]
    for engine in dict.fromkeys(each["engine"] for each in parts):
        mine = [each for each in parts if each["engine"] == engine]
        sums = [
            sum(each[name] for each in mine) for name in ("scopes", "packages", "records", "files", "empty")
        ]
        wrong = sum(len(each["wrong"]) for each in mine)
        lines.append(f"| {engine} | {' | '.join(f'{each:,}' for each in sums)} | {wrong} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--scale", type=float, default=1.0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="canary-") as folder, postgresql(Path(folder)) as address:
        parts = everything(given.scale, address)
    page = as_markdown(parts, dt.datetime.now(dt.UTC).date().isoformat())
    print(page)  # noqa: T201
    if given.scale == 1:
        PAGE.write_text(page, encoding="utf-8")
    return 1 if any(each["wrong"] for each in parts) else 0


if __name__ == "__main__":
    sys.exit(main())

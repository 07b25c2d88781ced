"""All benchmarks, as ratios against a baseline measured in the same run: prints one table, keeps it in the docs.

bench/run.py                  everything; the large one needs several minutes and about 8 GB of disk
bench/run.py --rows 200000    a quick look, which is printed but not kept
"""

import argparse
import datetime as dt
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from one_account import postgresql

HERE = Path(__file__).parent
FULL = 20_000_000


def lines_of(*command: str) -> list[dict[str, object]]:
    """The JSON lines that a benchmark prints; its progress goes to the terminal."""
    done = subprocess.run([sys.executable, *command], stdout=subprocess.PIPE, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def machine() -> str:
    """Cores, memory, system and Python, as this run found them."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    system = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    return f"{os.cpu_count()} cores, {memory:.0f} GiB, {system}"


def table(rows: list[dict[str, object]], day: str) -> str:
    """The result as a Markdown table under the machine and the date."""
    parts = [
        f"{machine()}; {day} (UTC)",
        "",
        "| what | ours | baseline | unit | ours / baseline |",
        "|---|---|---|---|---|",
    ]
    parts += [f"| {r['name']} | {r['ours']} | {r['baseline']} | {r['unit']} | {r['ratio']} |" for r in rows]
    return "\n".join(parts) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=FULL)
    parser.add_argument("--rounds", type=int, default=1000)
    given = parser.parse_args()
    rounds = ["--rounds", str(given.rounds)]
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, postgresql(Path(folder)) as address:
        found = lines_of(str(HERE / "append.py"), *rounds, *(["--postgresql", address] if address else []))
    found += lines_of(str(HERE / "one_account.py"), "--rows", str(given.rows))
    text = table(found, dt.datetime.now(dt.UTC).date().isoformat())
    print(text)
    if given.rows == FULL:
        page = HERE.parent / "docs" / "performance.md"
        page.write_text(HEAD + text, encoding="utf-8")
        print(f"Kept in {page.relative_to(HERE.parent)}")


HEAD = """# Performance

Ratios against a baseline that was measured in the same run on the same machine: absolute figures of a shared
machine say little. `make bench` prints this table again and replaces it. There are no timed assertions in tests.

- *append*: one event with its ledger record, checks and docket row, against a bare INSERT and COMMIT of the same size.
  More per second is better. PostgreSQL runs with fsync off here, for both sides; SQLite with synchronous=FULL.
- *one account of 20 million rows*: an approved plan, with every row checked again, against hand-written SQL for the
  same rows and columns. Fewer milliseconds are better.

"""

if __name__ == "__main__":
    main()

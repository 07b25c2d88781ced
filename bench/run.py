"""All benchmarks, as ratios against a baseline measured in the same run: prints tables, keeps them in the docs.

bench/run.py                  everything; half an hour, and about 30 GB of disk
bench/run.py --only log       one section (append, law, plan, log, account, whole, parcel); others stay
bench/run.py --rows 200000 --leaves 100000    a quick look, which is printed but not kept
"""

import argparse
import datetime as dt
import json
import os
import platform
import ssl
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from one_account import postgresql

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "performance.md"
ROWS = 100_000_000
LEAVES = 1_000_000
SIZE = 2048
ACCOUNT = 5000


def lines_of(*command: str) -> list[dict[str, object]]:
    """The JSON lines that a benchmark prints; its progress goes to the terminal."""
    done = subprocess.run([sys.executable, *command], stdout=subprocess.PIPE, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def machine() -> str:
    """Cores, memory, system and Python, as this run found them."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    system = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    others = f"{' '.join(ssl.OPENSSL_VERSION.split()[:2])}, aics-tlog {version('aics-tlog')}"
    return f"{os.cpu_count()} cores, {memory:.0f} GiB, {system}, {others}"


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


def append_rows(given: argparse.Namespace) -> list[dict[str, object]]:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, postgresql(Path(folder)) as address:
        server = ["--postgresql", address] if address else []
        return lines_of(str(HERE / "append.py"), "--rounds", str(given.rounds), *server)


def law_rows(_: argparse.Namespace) -> list[dict[str, object]]:
    return lines_of(str(HERE / "law.py"))


def log_rows(given: argparse.Namespace) -> list[dict[str, object]]:
    return lines_of(str(HERE / "log.py"), "--leaves", str(given.leaves))


def account_rows(given: argparse.Namespace) -> list[dict[str, object]]:
    return lines_of(str(HERE / "one_account.py"), "--rows", str(given.rows))


def plan_rows(_: argparse.Namespace) -> list[dict[str, object]]:
    return lines_of(str(HERE / "plan.py"))


def whole_rows(_: argparse.Namespace) -> list[dict[str, object]]:
    return lines_of(str(HERE / "whole.py"))


def parcel_rows(given: argparse.Namespace) -> list[dict[str, object]]:
    return lines_of(str(HERE / "parcel.py"), "--size", str(given.size), "--account", str(given.account))


def kept_sections() -> dict[str, str]:
    """The text of each section that the page has now, by its heading."""
    parts = PAGE.read_text(encoding="utf-8").split("\n## ")[1:]
    return {heading: body.strip() for heading, _, body in (each.partition("\n") for each in parts)}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", choices=SECTIONS)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--leaves", type=int, default=LEAVES)
    parser.add_argument("--rounds", type=int, default=1000)
    parser.add_argument("--size", type=int, default=SIZE, help="MiB of the answer package")
    parser.add_argument("--account", type=int, default=ACCOUNT, help="MB of the PostgreSQL account")
    given = parser.parse_args()
    page = kept_sections()
    day = dt.datetime.now(dt.UTC).date().isoformat()
    for name, (heading, words, measure) in SECTIONS.items():
        if given.only in (None, name):
            found = table(measure(given), day)
            print(f"{heading}\n\n{found}", flush=True)
            page[heading] = f"{words}\n\n{found}".strip()
    if (given.rows, given.leaves, given.size, given.account) == (ROWS, LEAVES, SIZE, ACCOUNT):
        order = [heading for heading, _, _ in SECTIONS.values() if heading in page]
        text = HEAD + "".join(f"\n## {heading}\n\n{page[heading]}\n" for heading in order)
        PAGE.write_text(text, encoding="utf-8")
        print(f"Kept in {PAGE.relative_to(HERE.parent)}")


HEAD = """# Performance

Ratios against a baseline that was measured in the same run on the same machine: absolute figures of a shared
machine say little. `make bench` prints these tables again and replaces them. There are no timed assertions in tests.
"""

SECTIONS = {
    "append": (
        "Appending events",
        """One event with its ledger record, checks and docket row, against a bare INSERT and COMMIT of the same size.
More per second is better. PostgreSQL runs with fsync off here, for both sides; SQLite with synchronous=FULL.""",
        append_rows,
    ),
    "law": (
        "Rules",
        """All shipped packs, on one core and in memory. Loading: from the texts to the rules that apply, read strictly
and proved as a set, against tomllib alone on the same texts; less is better. Assessing: one demand with all packs
loaded, against the same demand written as JSON and hashed once with SHA-256; more is better. Counting: three working
days with holidays, time zone and the arithmetic in words, against a bare loop over days; more is better. Times are
processor time of one process.

What we want: all packs loaded within 0.3 s, and at least 2,000 assessments per second.""",
        law_rows,
    ),
    "plan": (
        "A map of 10,000 tables",
        """From the text of a data map to the plan for one account, against the least work with the same input: tomllib
alone on the same text, and the plan as JSON with SHA-256. Times are processor time of one process; less is better.

What we want: within 2 s for 10,000 tables, and at most 12 times the time of 1,000.""",
        plan_rows,
    ),
    "log": (
        "The public log",
        """Leaves of 115 bytes, in tiles. *SHA-256 alone* is Python's hashlib called once for each leaf, node and HMAC
pass over strings of the same lengths that lie ready, and nothing else. *aics-tlog* is another implementation in
Python; "with our file writer" leaves out its careful one, so that only the trees are compared. The files lie in
memory and nothing is synced, on either side, and no checkpoint is signed. Times are processor time of one process,
so that the ratios hold on a busy machine, while each figure gets worse there. The proofs are made by a reader that
has read nothing yet and checks every tile it uses; aics-tlog reads them unchecked here.

What we want: appending at least 1.5 times as fast as aics-tlog as it comes, verifying in at most 2.5 times the time
of SHA-256 alone, a proof within 2 ms, an empty year within 3 s, and memory that does not grow with the log. Leaves
per second: more is better. Everything else: less is better.""",
        log_rows,
    ),
    "account": (
        "One account of 100 million rows",
        """An approved plan, with every row checked again, against hand-written SQL for the same rows and columns. Fewer
milliseconds are better. The first answer of a store has its schema read and its driver loaded besides.

What we want: the median within 1.5 times the baseline or 15 ms, whichever is larger.""",
        account_rows,
    ),
    "whole": (
        "A whole production",
        """One approved case each, out of 200,000 accounts and 5.1 million events in PostgreSQL: the production worker
as a process of its own, from its start to the last event. The gate, the queries, the check of each record, the package
with its pages, sealing and encryption are in it; waiting for an epoch is not. The baseline is `COPY ... TO STDOUT` of
the same records and columns with one digest and `age`: what a person would type. Less is better.

What we want: 100,026 records within 1.2 s and 300 MiB. Measured on such a machine, Fides 2.86 takes 0.44 s for 26
records, 1.0 s for 5,026, and 11 to 13 s with 1.4 GB for 100,026.""",
        whole_rows,
    ),
    "parcel": (
        "The answer package",
        """A package of files against `tar` through `tee` into `openssl dgst -sha256` and Debian's `age` in one pipe;
ours digests every file and the ciphertext too. A PostgreSQL account against `COPY ... TO STDOUT` with one digest and
`age`; ours writes every record twice, as JSON and as CSV, so it is told against a COPY of both forms too. More per
second is better, less memory is better. A pipe of five programs gets more of a busy machine than we.

What we want: the package at least 1.5 times as fast, the account at least 0.7 times, at most 256 MiB beyond the
start.""",
        parcel_rows,
    ),
}

if __name__ == "__main__":
    main()

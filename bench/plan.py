"""Plans at scale: one map of 10,000 tables from its text to the plan, and how that grows.

    bench/plan.py             about half a minute
    bench/plan.py --rounds 1  a quick look

Prints one JSON line for each figure: {"name", "ours", "baseline", "ratio", "unit"}. The baseline is the least work
that anybody must do with the same input: tomllib alone on the same text, and the plan that comes out as JSON,
hashed. The growth line compares a map with one ten times as wide. Times are the processor's for this process, one
core, without a store and without a disk: the text of the map lies ready in memory.
"""

import argparse
import datetime as dt
import hashlib
import json
import statistics
import time
import tomllib
from collections.abc import Callable

from dueprocess.demand import Period, ScopeItem, Target, expand
from dueprocess.plan import Plan, compile_plan, parse_map

FEW, MANY = 1_000, 10_000

HEAD = """
[map]
id = "wide"
version = "1"
platform = "Example Host"
[store.main]
connect = "${EXAMPLE_DSN}"
max_rows = 1_000_000
[[target]]
kind = "account"
store = "main"
table = "users"
column = "name"
subject = "id"
"""
TABLE = """
[[table]]
store = "main"
name = "records_{number}"
subject = "user_id"
time = {{ column = "created_at", unit = "ms" }}
[table.columns]
created_at = {{ category = "session.times" }}
ip = {{ category = "traffic", sole_purpose_identify = "subscriber.number" }}
body_{number} = {{ category = "content.messages", third_party = ["redact:content.m.mentions"] }}
"""
NONCE = bytes(range(32))


def wide(tables: int) -> str:
    """A map of many tables with three columns each, all of them planned."""
    return HEAD + "".join(TABLE.format(number=number) for number in range(tables))


def planned(text: str, item: ScopeItem) -> Plan:
    return compile_plan(item, parse_map(text, "wide.toml"), nonce=NONCE)


def seconds(act: Callable[[], object], rounds: int) -> float:
    """Processor time of one call: the median of some."""
    found = []
    for _ in range(rounds):
        begun = time.process_time()
        act()
        found.append(time.process_time() - begun)
    return statistics.median(found)


def tell(name: str, ours: float, baseline: float) -> None:
    line = {"name": name, "ours": round(ours, 3), "baseline": round(baseline, 3), "unit": "s"}
    print(json.dumps({**line, "ratio": round(ours / baseline, 3)}), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    since = dt.datetime(2026, 9, 1, tzinfo=dt.UTC)
    item = ScopeItem(
        Target("account", "@eva:host.example"),
        expand(["session", "traffic", "content"]),
        Period(since, since + dt.timedelta(days=30)),
    )
    few, many = wide(FEW), wide(MANY)
    plan = planned(many, item)
    assert len(plan.tables) == MANY

    def bare() -> None:
        tomllib.loads(many)
        hashlib.sha256(json.dumps(plan.as_json(), sort_keys=True).encode()).hexdigest()

    slow = seconds(lambda: planned(many, item), rounds)
    tell(f"plan {MANY:,} tables from the text of their map", slow, seconds(bare, rounds))
    digest, hashed = (
        seconds(lambda: plan.plan_sha256, rounds),
        seconds(
            lambda: hashlib.sha256(json.dumps(plan.as_json(), sort_keys=True).encode()).hexdigest(), rounds
        ),
    )
    tell(f"digest of the plan of {MANY:,} tables, against json and SHA-256", digest, hashed)
    tell(
        f"plan {MANY:,} tables against {FEW:,}: tenfold is linear",
        slow,
        seconds(lambda: planned(few, item), rounds),
    )


if __name__ == "__main__":
    main()

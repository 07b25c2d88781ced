"""The canary run: random scopes on a synthetic platform; nothing that was not authorised is in any package.

    tests/canary/run.py --engine sqlite --scopes 10000
    tests/canary/run.py --engine postgresql --dsn postgresql://…/empty --scopes 500

Each scope names one account, some categories and a window whose ends lie on rows or one step beside them. The plan is
compiled and produced as the production worker does it, every tenth sealed to a key and opened again, and compared with
`expected`: every canary that is in the package must be expected, every expected record must be there, value for value.
"""

import argparse
import csv
import datetime as dt
import io
import json
import os
import random
import re
import sys
import tarfile
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyrage
from pypdf import PdfReader

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dueprocess.conf.settings")

from canary import builders
from canary.expected import Asked, Given, exact_json, expected, group, names
from canary.platform_rows import ACCOUNTS, EDGES, MARK, Table, make_tables, name_of
from dueprocess.demand import Period, ScopeItem, Target, expand
from dueprocess.errors import DueprocessError
from dueprocess.parcel import Evidence, Statement
from dueprocess.plan import DataMap, Plan, compile_plan, parse_map
from dueprocess.production.answer import Answer, category_lines, produce_answer
from dueprocess.production.collect import Collection
from dueprocess.production.packing import Wrapping
from dueprocess.production.stores import Stores, open_stores

NOW = dt.datetime(2026, 11, 22, 10, tzinfo=dt.UTC)
LEAVES = (
    "subscriber.identity",
    "subscriber.service",
    "subscriber.payment",
    "subscriber.number",
    "session.times",
    "traffic",
    "location",
    "content.messages",
    "content.files",
    "content.profile",
)
NEED_NO_WINDOW = frozenset(LEAVES[:3])
WHOLE_EVERY = 10
"""So often a scope is produced as a whole package, with its pages, sealed and opened again. The others are compared
as the members of data that would go into it, by the same code."""
PAGES_EVERY = 50
"""So often the text of the PDFs is read, too."""
STEPS = [
    dt.timedelta(0),
    *(dt.timedelta(**{unit: 1}) for unit in ("microseconds", "milliseconds", "seconds")),
]
CANARY = re.compile(rf"{MARK}[a-z-]+\.[a-z_]+\.\d+\.\d+{MARK}")


@dataclass
class Platform:
    """One engine with the tables in it, opened once."""

    engine: str
    datamap: DataMap
    stores: Stores
    tables: dict[str, Table]
    by_owner: dict[str, dict[int, list[dict[str, Any]]]]


@dataclass
class Told:
    """What a run found: how many scopes, whole packages, records and files, and every difference in words."""

    scopes: int = 0
    packages: int = 0
    records: int = 0
    files: int = 0
    empty: int = 0
    wrong: list[str] = field(default_factory=list)
    reached: Counter[str] = field(default_factory=Counter)

    def as_json(self) -> dict[str, Any]:
        return {
            "scopes": self.scopes,
            "packages": self.packages,
            "records": self.records,
            "files": self.files,
            "empty": self.empty,
            "reached": dict(sorted(self.reached.items())),
            "wrong": self.wrong[:20],
        }


def open_platform(engine: str, folder: Path, dsn: str = "") -> Platform:
    """Builds the platform in an engine and opens it. ``dsn`` is an empty PostgreSQL database, for that engine."""
    tables = make_tables()
    where = {
        "sqlite": lambda: builders.build_sqlite(folder, tables),
        "duckdb": lambda: builders.build_duckdb(folder, tables),
        "parquet": lambda: builders.build_parquet(folder, tables),
        "postgresql": lambda: builders.build_postgresql(dsn, tables),
    }[engine]()
    media = builders.build_media(folder / "media", tables)
    return described(engine, where, media, tables)


def described(engine: str, where: str, media: str, tables: dict[str, Table]) -> Platform:
    """A platform that was built already."""
    datamap = parse_map(builders.map_text(engine), "canary.toml")
    stores = open_stores(datamap, {"CANARY_DSN": where, "CANARY_MEDIA": media})
    return Platform(engine, datamap, stores, tables, group(tables))


def random_scope(dice: random.Random) -> Asked:
    """An account (sometimes one that nobody has), categories, and a window near the edges."""
    odd = dice.random() < 0.3
    everybody = list(names(0)) if dice.random() < 0.05 else []
    name = dice.choice(everybody) if everybody else name_of(dice.randint(1, 10 if odd else ACCOUNTS))
    categories = frozenset(dice.sample(LEAVES, dice.randint(1, len(LEAVES))))
    if dice.random() < 0.1 and categories & NEED_NO_WINDOW:
        return Asked(name, categories & NEED_NO_WINDOW, None, None, dice.random() < 0.5)
    since, until = sorted(
        edge + dice.choice((-1, 1)) * dice.choice(STEPS) + dice.choice((0, 0, 10)) * dt.timedelta(days=1)
        for edge in dice.sample(EDGES, 2)
    )
    return Asked(name, categories, since, until, dice.random() < 0.3)


def planned(platform: Platform, asked: Asked) -> Plan:
    item = ScopeItem(
        Target("account", asked.name),
        expand(asked.categories),
        Period(asked.since, asked.until),
        "identify" if asked.identify else None,
    )
    return compile_plan(item, platform.datamap, nonce=bytes(32))


def collect(platform: Platform, asked: Asked) -> list[tuple[str, bytes]]:
    """Every member of data that would go into the package, by path: all but the pages about them."""
    members = Collection(planned(platform, asked), platform.stores, "7F3K").members()
    return [(member.path, b"".join(member.chunks)) for member in members]


def produce(platform: Platform, asked: Asked, identity: pyrage.x25519.Identity) -> list[tuple[str, bytes]]:
    """Every file of the package, by path, as its recipient unpacks it."""
    plan = planned(platform, asked)
    item = plan.item
    statement = Statement(
        parcel_id="7F3K",
        operator="Example Host",
        authority="District of Example",
        order="1:26-mc-1",
        account="the account of the order",
        legal_basis=("18 USC 2703(d)",),
        windows=(),
        categories=category_lines(plan, asked=item, permitted=item),
        produced_at="2026-11-22T10:00:00Z",
    )
    evidence = Evidence(b"s" * 32, "7F3K", "Example Host", "0", "d_order", "1:26-mc-1", NOW, NOW, NOW)
    wrapping = Wrapping("7F3K", str(identity.to_public()), NOW, {})
    sealed = io.BytesIO()
    produce_answer(plan, platform.stores, Answer(wrapping, "7F3K", statement, evidence, {"v": 1}), sealed)
    with tarfile.open(fileobj=io.BytesIO(pyrage.decrypt(sealed.getvalue(), [identity]))) as tar:
        return [(each.name.removeprefix("7F3K/"), _content(tar, each)) for each in tar]


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    stream = tar.extractfile(member)
    return stream.read() if stream else b""


def look(package: list[tuple[str, bytes]], given: Given, *, pages: bool = True) -> Iterator[str]:
    """Every difference between a package and what the scope gives. ``pages``: the text of its PDFs too (slow)."""
    allowed = set(CANARY.findall(json.dumps(given.records, ensure_ascii=False)))
    allowed |= {found for each in given.files for found in CANARY.findall(each.decode("utf-8", "replace"))}
    found = {each for _, content in package for each in CANARY.findall(content.decode("utf-8", "replace"))}
    if found - allowed:
        yield f"canaries that nobody authorised: {sorted(found - allowed)[:3]}"
    lines, cells, files, pdf = _opened(package, pages=pages)
    if CANARY.findall(pdf):
        yield "a page as PDF quotes a record"
    for label in sorted(set(lines) | set(given.records)):
        wanted = given.records.get(label, [])
        have = [_plain(each) for each in lines.get(label, [])]
        if have != [_plain(each) for each in wanted]:
            yield f"{label}: {len(have)} records, expected {len(wanted)}: {have[:1]} for {wanted[:1]}"
        if cells.get(label, []) != [
            [_cell(value) for value in each.values()] for each in lines.get(label, [])
        ]:
            yield f"{label}: the CSV says otherwise than the JSON lines"
    if files != given.files:
        yield f"{len(files)} files, expected {len(given.files)}"


type Opened = tuple[dict[str, list[Any]], dict[str, list[list[str]]], list[bytes], str]


def _opened(package: list[tuple[str, bytes]], *, pages: bool) -> Opened:
    """Records by label from the JSON lines and from the CSV (both without control numbers), the files, and the text
    of every PDF, whose bytes are compressed.
    """
    lines: dict[str, list[Any]] = {}
    cells: dict[str, list[list[str]]] = {}
    files: list[tuple[str, bytes]] = []
    pdf = ""
    for name, content in package:
        path = name.removeprefix("data/")
        if path.startswith("media/files/"):
            files.append((path, content))
        elif path.endswith(".pdf") and pages:
            pdf += "".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)
        elif path.startswith("main/") and path.endswith(".jsonl"):
            rows = [exact_json(each) for each in content.decode().splitlines()]
            lines.setdefault(_label(path), []).extend(_numbered(rows))
        elif path.startswith("main/") and path.endswith(".csv"):
            table = list(csv.reader(io.StringIO(content.decode(), newline="")))[1:]
            cells.setdefault(_label(path), []).extend(row[1:] for row in table)
    return lines, cells, [content for _, content in sorted(files)], pdf


def _label(path: str) -> str:
    return path.removeprefix("main/").split(".")[0]


def _numbered(rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for row in rows:
        assert str(row.pop("control_number")).startswith("7F3K-")
        yield row


def _cell(value: Any) -> str:
    """A value as a cell: what a spreadsheet could take for a formula has an apostrophe in front."""
    text = "" if value is None else str(value)
    return f"'{text}" if text[:1] in "=+-@" and not isinstance(value, int) and text else text


def _plain(record: dict[str, Any]) -> dict[str, Any]:
    """A record with its numbers as texts and its message read, so that the same things compare alike."""
    return {name: _value(name, value) for name, value in record.items()}


def _value(name: str, value: Any) -> Any:
    if name == "body" and isinstance(value, str):
        return exact_json(value)
    return str(value) if isinstance(value, int) else value


def run(platform: Platform, scopes: int, seed: int, *, whole_every: int = WHOLE_EVERY) -> Told:
    """Produces and compares this many random scopes, every so many as whole packages."""
    dice, told = random.Random(seed), Told()
    identity = pyrage.x25519.Identity.generate()
    for number in range(scopes):
        whole = number % whole_every == 0
        asked = random_scope(dice)
        given = expected(asked, platform.tables, platform.by_owner)
        try:
            package = produce(platform, asked, identity) if whole else collect(platform, asked)
        except DueprocessError as error:
            told.wrong.append(f"{asked}: {error}")
            continue
        pages = number % PAGES_EVERY == 0
        told.wrong += [f"{asked}: {each}" for each in look(package, given, pages=pages)]
        told.scopes += 1
        told.packages += whole
        told.records += sum(map(len, given.records.values()))
        told.files += len(given.files)
        told.empty += not given.records
        told.reached.update(given.records.keys())
    return told


def main() -> int:
    """Builds, runs, prints a line of JSON; 1 on any difference."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--engine", choices=["sqlite", "duckdb", "parquet", "postgresql"], required=True)
    parser.add_argument("--dsn", default="")
    parser.add_argument("--scopes", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        platform = open_platform(given.engine, Path(folder), given.dsn)
        told = run(platform, given.scopes, given.seed)
        platform.stores.close()
    print(json.dumps({"engine": given.engine, "seed": given.seed, **told.as_json()}, ensure_ascii=False))  # noqa: T201
    return 1 if told.wrong else 0


if __name__ == "__main__":
    sys.exit(main())

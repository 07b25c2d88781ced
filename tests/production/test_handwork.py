"""Records that a person collected pass the same checks as a store's, before anything keeps them."""

import datetime as dt
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dueprocess.demand import Category, Period
from dueprocess.errors import BrokenError, DueprocessError, RefusedError, UnavailableError
from dueprocess.plan import PlannedColumn, RowPath, TableQuery, TimeColumn
from dueprocess.plan.datamap import TimeUnit
from dueprocess.production.handwork import Collected, HandAnswer, ManualStore, take_files, wanted_columns

EVA = "@eva:host.example"
WINDOW = Period(dt.datetime(2026, 9, 1, tzinfo=dt.UTC), dt.datetime(2026, 10, 1, tzinfo=dt.UTC))
NOON = int(dt.datetime(2026, 9, 5, 12, tzinfo=dt.UTC).timestamp())


class Shelf:
    """A place in memory that takes bytes under a name, once."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def put(self, name: str, data: bytes, /) -> None:
        self.kept[name] = data

    def get(self, name: str, /) -> bytes:
        return self.kept[name]


def column(name: str, *rules: str) -> PlannedColumn:
    return PlannedColumn(name, Category("traffic"), rules)


def query(unit: TimeUnit | None = "s", *, zone: str = "UTC", cap: int = 100, **path: Any) -> TableQuery:
    time = TimeColumn("tickets", "at", unit, zone) if unit is not None else None
    facts: dict[str, Any] = {"absent": (), "equals": (), **path}
    where = RowPath("paper", "tickets", (), "account", time, time is None, facts["absent"], facts["equals"])
    columns = (column("note"), column("others", "redact:people"), column("at"))
    return TableQuery(where, WINDOW if time is not None else None, columns, ("at",), cap, by_hand=True)


def row(**changes: Any) -> dict[str, Any]:
    return {"account": EVA, "at": NOON, "note": "x", "others": '{"people":["Finn"],"n":1.50}', **changes}


def jsonl(folder: Path, *rows: dict[str, Any], name: str = "a.jsonl") -> Path:
    path = folder / name
    path.write_text("".join(json.dumps(each) + "\n" for each in rows))
    return path


def csv(folder: Path, text: str) -> Path:
    path = folder / "a.csv"
    path.write_text(text)
    return path


def taken(asked: TableQuery, *paths: Path) -> tuple[Collected, list[dict[str, Any]]]:
    """What was put onto a shelf, and what a store of these answers gives from it."""
    shelf = Shelf()
    made = take_files(asked, EVA, paths, shelf)
    return made, given(asked, made, shelf)


def given(asked: TableQuery, made: Collected, shelf: Shelf, **changes: Any) -> list[dict[str, Any]]:
    facts: dict[str, Any] = {"outcome": "found", "subject": EVA, "parts": made.parts, "shelf": shelf}
    store = ManualStore("paper", {"tickets": HandAnswer(**{**facts, **changes})})
    return [each for batch in store.batches(asked, EVA) for each in batch.rows.to_pylist()]


def refused(asked: TableQuery, *paths: Path) -> DueprocessError:
    shelf = Shelf()
    with pytest.raises(DueprocessError) as caught:
        take_files(asked, EVA, paths, shelf)
    return caught.value


def test_what_leaves_is_the_plans_columns_with_other_people_masked(tmp_path: Path) -> None:
    """Controls are gone, a rule has done its work and is counted, types stay as JSON has them."""
    asked = query()
    assert wanted_columns(asked) == ("account", "at", "note", "others")
    first, second = (
        jsonl(tmp_path, row(note={"a": 1}), row(note=None)),
        jsonl(tmp_path, row(), name="b.jsonl"),
    )
    shelf = Shelf()
    made = take_files(asked, EVA, [first, second], shelf)
    assert made.rows == 3
    assert [(each["rows"], each["bytes"]) for each in made.files] == [
        (2, first.stat().st_size), (1, second.stat().st_size),
    ]  # fmt: skip
    rows = given(asked, made, shelf)
    assert [list(each) for each in rows] == [["note", "others", "at"]] * 3
    assert rows[0]["others"] == '{"people":"[withheld: other people]","n":1.50}'
    store = ManualStore("paper", {"tickets": HandAnswer("found", EVA, (), made.parts, shelf)})
    (batch, *_) = store.batches(asked, EVA)
    assert [(each.row, each.rule, each.places) for each in batch.redacted][:1] == [(0, "redact:people", 1)]
    assert b"Finn" not in b"".join(shelf.kept.values())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"account": "@finn:host.example"}, "line 2: this record is of another account"),
        ({"account": EVA.upper()}, "line 2: this record is of another account"),
        ({"account": None}, "line 2: this record is of another account"),
        ({"account": [EVA]}, "line 2: this record is of another account"),
        ({"at": NOON + 40 * 86_400}, "line 2: this record lies outside of the window"),
        (
            {"at": int(dt.datetime(2026, 10, 1, tzinfo=dt.UTC).timestamp())},
            "line 2: this record lies outside",
        ),
        ({"at": str(NOON)}, "line 2: the column 'at' is no time of the unit 's'"),
        ({"at": True}, "line 2: the column 'at' is no time of the unit 's'"),
        ({"at": None}, "line 2: the column 'at' is no time of the unit 's'"),
        (
            {"others": "not json"},
            "lines 1 to 2: A column with third-party rules holds a text that is not JSON",
        ),
    ],
)
def test_one_record_that_is_not_meant_refuses_all(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    """Another account, byte for byte; another time; what cannot be cleaned of other people. Its line is named."""
    error = refused(query(), jsonl(tmp_path, row(), row(**change)))
    assert f"File 1, {said}" in error.what
    assert "finn" not in error.what.lower()


@pytest.mark.parametrize(
    ("unit", "zone", "inside", "outside"),
    [
        ("iso", "UTC", "2026-09-30T23:59:59.9Z", "2026-10-01T00:00:00Z"),
        ("iso", "Europe/Vienna", "2026-09-01 02:00:00", "2026-09-01 01:59:59"),
        ("date", "UTC", "2026-09-30", "2026-10-01"),
        ("ms", "UTC", NOON * 1000, NOON),
    ],
)
def test_times_outside_are_refused_and_never_left_out(
    tmp_path: Path, unit: TimeUnit, zone: str, inside: object, outside: object
) -> None:
    """A store's query may come back a little wide; a person's file may not: silence would hide what was looked into."""
    _, rows = taken(query(unit, zone=zone), jsonl(tmp_path, row(at=inside)))
    assert len(rows) == 1
    assert "outside" in refused(query(unit, zone=zone), jsonl(tmp_path, row(at=outside))).what


def test_a_csv_says_texts_and_the_check_reads_its_controls(tmp_path: Path) -> None:
    """A time in seconds, an empty cell for what must be absent, a number and a truth value; what leaves stays text."""
    asked = query(absent=("closed",), equals=(("kind", "sale"), ("level", 2), ("open", True)))
    head = "account,at,closed,kind,level,open,note,others\r\n"
    good = f'{EVA},{NOON},,sale,2,true,=1+1,"{{""people"":1}}"\r\n'
    _, rows = taken(asked, csv(tmp_path, head + good))
    assert rows == [{"note": "=1+1", "others": '{"people":"[withheld: other people]"}', "at": str(NOON)}]
    for old, new in (
        (",,sale", ",x,sale"),
        ("sale", "loan"),
        (",2,", ",02,"),
        ("true", "1"),
        (str(NOON), "soon"),
    ):
        assert "File 1, line 2: " in refused(asked, csv(tmp_path, head + good.replace(old, new, 1))).what
    full = row(closed=None, kind="sale", level=2, open=True)
    assert len(taken(asked, jsonl(tmp_path, full))[1]) == 1
    for change in ({"closed": ""}, {"level": True}, {"open": 1}, {"kind": None}):
        assert isinstance(refused(asked, jsonl(tmp_path, {**full, **change})), RefusedError)


def test_more_records_than_the_map_allows_and_no_record_at_all_are_refused(tmp_path: Path) -> None:
    """The most counts over all files; an empty file is no way to say that nothing is held."""
    files = [jsonl(tmp_path, row(), row()), jsonl(tmp_path, row(), name="b.jsonl")]
    error = refused(query(cap=2), *files)
    assert "File 2, line 1: there are more than 2 records" in error.what
    assert refused(query(), jsonl(tmp_path)).code == "no-records"
    assert refused(query(), csv(tmp_path, "account,at,note,others\r\n")).code == "no-records"


def test_a_table_without_times_needs_none(tmp_path: Path) -> None:
    """What describes the account as it is now is cut by no window."""
    made, rows = taken(query(None), jsonl(tmp_path, row(at="whenever")))
    assert (made.rows, rows[0]["at"]) == (1, "whenever")


def test_what_a_store_gives_is_compared_with_the_plan_once_more(tmp_path: Path) -> None:
    """Another account, another window, other columns, a part too few: broken, never a smaller answer."""
    shelf, asked = Shelf(), query()
    made = take_files(asked, EVA, [jsonl(tmp_path, row())], shelf)
    narrow = Period(WINDOW.since, dt.datetime(2026, 9, 2, tzinfo=dt.UTC))
    less = TableQuery(asked.path, asked.window, asked.columns[:1], asked.order, asked.cap, by_hand=True)
    early = TableQuery(asked.path, narrow, asked.columns, asked.order, asked.cap, by_hand=True)
    for query_, change in (
        (asked, {"subject": "@finn:host.example"}),
        (asked, {"parts": []}),
        (early, {}),
        (less, {}),
    ):
        with pytest.raises(BrokenError):
            given(query_, made, shelf, **change)
    digest = str(made.parts[0]["sha256"])
    shelf.kept[f"object:{digest}"] = shelf.kept[f"object:{digest}"][:-1] + b"x"
    with pytest.raises(BrokenError):
        given(asked, made, shelf)


def test_a_store_without_an_answer_fails_and_one_that_failed_says_so() -> None:
    """Neither is ever told as nothing held; and nothing is asked of anybody."""
    asked, empty = query(), ManualStore("paper")
    with pytest.raises(UnavailableError) as caught:
        list(empty.batches(asked, EVA))
    assert caught.value.code == "not-collected"
    assert (empty.columns("tickets"), empty.has_twice("t", "c"), empty.meets("t", "c", "o", "k")) == (
        {},
        False,
        True,
    )
    store = ManualStore("paper", {"tickets": HandAnswer("failed", EVA, why="the cellar was under water")})
    with pytest.raises(UnavailableError) as caught:
        list(store.batches(asked, EVA))
    assert caught.value.why == "the cellar was under water"
    nothing = ManualStore("paper", {"tickets": HandAnswer("nothing_held", EVA)})
    assert list(nothing.batches(asked, EVA)) == []
    nothing.close()
    assert "-- SHA-256 of the collected file: ab" in ManualStore(
        "paper", {"tickets": HandAnswer("found", EVA, ("ab",))}
    ).text(asked)


BIG = """
import resource, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from production.test_handwork import EVA, query
from dueprocess.production.handwork import take_files
class Away:
    put = get = lambda *_: None
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
made = take_files(query(cap=10**9), EVA, [Path(sys.argv[1])], Away())
print(made.rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_a_big_file_takes_no_more_memory_than_a_small_one(tmp_path: Path, kind: str) -> None:
    """30 MB go through in pieces: far less than the file itself is in memory at any time."""
    path, note, others = tmp_path / f"big.{kind}", "n" * 200, '{""people"":1}'
    line = (
        json.dumps(row(note=note, others='{"people":1}'))
        if kind == "jsonl"
        else f'{EVA},{NOON},{note},"{others}"'
    )
    count = 30_000_000 // (len(line) + 1)
    with path.open("w") as file:
        file.write("account,at,note,others\n" if kind == "csv" else "")
        file.writelines(f"{line}\n" for _ in range(count))
    here = str(Path(__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", BIG, str(path), here], capture_output=True, text=True, check=True
    )
    rows, peak = map(int, done.stdout.split())
    assert rows == count
    assert peak * 1024 < 120_000_000, done.stdout

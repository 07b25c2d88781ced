"""fsck reads every column: one changed value anywhere, by the owner of the tables, is found and its table named."""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest
from django.db import IntegrityError, connection

import sabotage
from dueprocess.cases.events import Draft
from dueprocess.history.append import Hand, append, load_events
from dueprocess.history.connection import append_lock
from dueprocess.history.fsck import Fault, FsckKeys, counts, fsck, protected
from dueprocess.history.recommit import keep_openings
from dueprocess.wire import canonical, instant, parse_instant, parse_json
from history.whole import Whole
from sabotage import Row, rows


def faults(whole: Whole) -> list[Fault]:
    """What fsck finds with the office's own keys."""
    keys = whole.office.desk.keys

    def case_key(case_id: str) -> bytes | None:
        return keys.keys(case_id).record_key if keys.has(case_id) else None

    return fsck(FsckKeys(case_key, whole.office.desk.master, whole.policies))


def names(found: list[Fault], table: str) -> bool:
    """Whether a fault is about the table: by its name, or in what it says (not in the promise that it breaks)."""
    return any(re.search(rf"\b{table}s?\b", f"{each.table} {each.what}") for each in found)


def samples(whole: Whole, table: str) -> list[tuple[Row, int]]:
    """Rows to change, and in how many ways: a middle one, one of each erased case, the last one."""
    found = rows(table)
    theirs = [row for case_id in whole.erased for row in found if row.get("case_id") == case_id]
    # PostgreSQL takes no value of another type, so fewer ways are left to try there.
    chosen = [(found[len(found) // 2], 99 if connection.vendor == "sqlite" else 6), (found[-1], 1)]
    return chosen + [(row, 2) for row in theirs[:1] + theirs[-1:]]


def nudged(value: Any) -> Any:
    """JSON with one value in it changed, the first one as deep as it lies."""
    if not isinstance(value, dict | list):
        return plausible(value) if value else "x"
    if not value:
        return {"x": "x"} if isinstance(value, dict) else ["x"]
    name, inner = min(value.items()) if isinstance(value, dict) else (0, value[0])
    return {**value, name: nudged(inner)} if isinstance(value, dict) else [nudged(inner), *value[1:]]


def plausible(value: Any) -> Any:
    """Another value of the same shape: what a careful forger would write."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if re.fullmatch(r"[0-9a-f]{32,}", value):
        return value[:-1] + ("0" if value[-1] != "0" else "1")
    if re.fullmatch(r"[0-9-]{10}T.*Z", value):
        return instant(parse_instant(value).replace(second=7))
    if value.startswith("{"):
        body: Any = parse_json(value)
        return canonical(nudged(body)).decode()
    return value[:-1] + ("e" if value[-1] != "e" else "f")


def flipped(value: str) -> Iterator[str]:
    """The text with one character changed: digits to other digits, letters to other letters, all along it."""
    places = sorted({0, len(value) // 5, len(value) // 2, 4 * len(value) // 5, len(value) - 1})
    for at in places if value else ():
        old = value[at]
        new = str((int(old) + 1) % 10) if old.isdigit() else "e" if old != "e" else "f"
        yield value[:at] + new + value[at + 1 :]


def changed(table: str, column: str, old: Row) -> Iterator[Row]:
    """The row with one value changed in many ways."""
    value = old[column]
    yield {**old, column: plausible(value)}
    yield {**old, column: None}
    yield {**old, column: type(value)()}
    if isinstance(value, bool):
        return
    others = flipped(value) if isinstance(value, str) else (value - 1, value + 1000, -value)
    yield from ({**old, column: other} for other in others)
    if connection.vendor == "sqlite":  # stores any type in any column
        yield {**old, column: b"\xff\x00"}
        yield {**old, column: "x" if isinstance(value, int) else 7}


def swaps(table: str, column: str, old: Row) -> Iterator[tuple[Row, Row]]:
    """The row and the nearest other one with another value there, with these two values exchanged."""
    for other in rows(table):
        if other[column] != old[column]:
            yield {**old, column: other[column]}, {**other, column: old[column]}
            return


def replaced(old: list[Row], new: list[Row], table: str) -> bool:
    """Puts rows in the place of others, behind the guards. False where a unique key does not take them."""
    try:
        with sabotage.undone_if_refused(), sabotage.unguarded():
            for row in old:
                sabotage.delete(table, row)
            for row in new:
                sabotage.insert(table, row)
    except IntegrityError:
        return False
    return True


def test_an_untouched_store_has_no_faults(whole: Whole) -> None:
    """An office that worked for two days, closed epochs and produced fits in every column."""
    assert faults(whole) == []
    assert counts()["events"] == len(rows("event")) > 10


@pytest.mark.slow
@pytest.mark.parametrize("table", sabotage.TABLES)
def test_one_changed_value_is_found_in_every_column(whole: Whole, table: str) -> None:
    """Another digit or letter anywhere, another valid value, none, an empty one and one of another type: in an open
    case, in erased ones, and in the newest row.
    """
    tried = 0
    for column in sabotage.columns(table):
        for old, most in samples(whole, table):
            for new in islice(changed(table, column, old), most):
                if new == old:
                    continue
                with sabotage.undone():
                    if not replaced([old], [new], table):
                        continue
                    tried += 1
                    found = faults(whole)
                    assert names(found, table), (column, old[column], new[column], found)
    assert tried >= 2 * len(sabotage.columns(table))
    assert faults(whole) == []


@pytest.mark.parametrize("table", sabotage.TABLES)
def test_two_exchanged_values_are_found_in_every_column(whole: Whole, table: str) -> None:
    """Two rows that swap their values of one column give nothing new to any count, and are found all the same."""
    tried = set()
    for column in sabotage.columns(table):
        found_rows = rows(table)
        old = found_rows[len(found_rows) // 2]
        for one, two in swaps(table, column, old):
            other = {**two, column: one[column]}
            with sabotage.undone():
                if replaced([old, other], [one, two], table) and sabotage.changed_since(found_rows, table):
                    tried.add(column)
                    assert names(faults(whole), table), column
    assert tried or table == "counter"  # which has one row


@pytest.mark.parametrize("table", sorted(set(sabotage.TABLES) - {"cosigned"}))
def test_a_deleted_row_is_found(whole: Whole, table: str) -> None:
    """The first, a middle or the last row of each table, taken out behind the guards."""
    found_rows = rows(table)
    for old in (found_rows[0], found_rows[len(found_rows) // 2], found_rows[-1]):
        with sabotage.undone():
            assert replaced([old], [], table)
            assert names(faults(whole), table), old


FOREIGN: dict[str, Row] = {
    "event": {"case_seq": 99},
    "record": {"ledger_seq": 99_999, "case_seq": 99},
    "epoch": {"epoch": 9_999_999, "leaf_index": 99_999},
    "placement": {"ledger_seq": 99_999, "place": 65_535},
    "leaf": {"leaf_index": 99_999},
    "head": {"size": 99_999},
    "cosigned": {"size": 99_999},
    "erased": {"ledger_seq": 99_999},
    "counter": {"name": "other"},
    "docket": {"case_id": "f" * 32},
}


@pytest.mark.parametrize("table", FOREIGN)
def test_a_foreign_row_is_found(whole: Whole, table: str) -> None:
    """A row that the program never wrote, at the end of each table or right behind its last row."""
    last = rows(table)[-1]
    with sabotage.undone():
        sabotage.insert(table, {**last, **FOREIGN[table]})
        assert names(faults(whole), table)
    if isinstance(last[sabotage.columns(table)[0]], int):
        with sabotage.undone():
            sabotage.insert(table, {name: value + 1 if isinstance(value, int) else value
                                    for name, value in last.items()})  # fmt: skip
            assert names(faults(whole), table)


def test_a_leaf_that_no_head_signs_is_found(whole: Whole) -> None:
    """A rare leaf pushed in behind the last one waits for the next signature; fsck sees it before."""
    policy = rows("leaf")[0]
    with sabotage.undone():
        sabotage.insert("leaf", {**policy, "leaf_index": len(rows("leaf"))})
        assert [fault.table for fault in faults(whole)] == ["leaf"]


def test_a_whole_invented_case_is_found(whole: Whole) -> None:
    """Events and records that fit each other, of a case whose key nobody has: nothing proves them."""
    events = [row for row in rows("event") if row["case_id"] == whole.office.cases[0]][:1]
    case_id = "e" * 32
    with sabotage.undone():
        event = {**events[0], "case_id": case_id}
        sabotage.insert("event", event)
        body = {**event, "body": parse_json(event["body"])}
        record = {**rows("record")[-1], "case_id": case_id, "case_seq": 1}
        record |= {"ledger_seq": record["ledger_seq"] + 1, "event_sha256": sabotage.sha256_of(body)}
        sabotage.insert("record", record)
        docket: Row = next(row for row in rows("docket") if row["case_id"] == whole.office.cases[0])
        at = event["recorded_at"]
        line: Row = {
            "case_id": case_id,
            "stage": "received",
            "last_seq": 1,
            "received_at": at,
            "updated_at": at,
        }
        sabotage.insert("docket", {**docket, **line})
        assert {fault.table for fault in faults(whole)} == {"event", "counter"}


def test_a_case_that_was_invented_and_erased_is_found(whole: Whole) -> None:
    """Everything fits everything else, the counter and the kept openings too, but no epoch holds the records."""
    key, case_id = b"f" * 32, "e" * 32
    hand = Hand("boris", whole.office.now, key)
    paper: dict[str, Any] = {
        "paper_sha256": "0" * 64,
        "order_ref": "0" * 64,
        "channel": "mail",
        "media": "text",
        "bytes": 1,
    }
    drafts = [
        Draft("DemandReceived", {**paper}),
        Draft("CaseClosed", {"outcomes": {}}),
        Draft("Erased", {"document": {}, "signatures": [{"person": "boris"}, {"person": "chi"}]}),
    ]
    with append_lock():
        append(case_id, drafts, hand)
        keep_openings(load_events(case_id), key)
    found = faults(whole)
    assert [(fault.table, fault.invariant) for fault in found] == [("record", "I3")] * 2
    assert "no epoch holds this record" in found[0].what


def test_a_lost_key_is_no_erasure(whole: Whole) -> None:
    """A case whose key is gone without an event that says so is a fault, not an erased case."""
    whole.office.desk.keys.destroy(whole.office.cases[0])
    assert [fault.what for fault in faults(whole)] == [
        "belongs to a case whose key is gone, and no event says that it was erased"
    ]


def of(whole: Whole, table: str, which: int = 0) -> list[Row]:
    """The rows of one erased case."""
    numbers = {row["ledger_seq"] for row in rows("record") if row["case_id"] == whole.erased[which]}
    by_case = [row for row in rows(table) if row.get("case_id") == whole.erased[which]]
    return by_case or [row for row in rows(table) if row.get("ledger_seq") in numbers]


def test_an_erased_record_passed_off_as_never_there_is_found(whole: Whole) -> None:
    """Whatever is taken away of an erased case, one table alone or all of it at once, is missed."""
    tables = ("event", "record", "erased", "placement", "docket")
    for table in tables:
        for old in of(whole, table):
            with sabotage.undone():
                assert replaced([old], [], table)
                assert faults(whole), table
    with sabotage.undone(), sabotage.unguarded():
        for table in reversed(tables):
            for old in of(whole, table):
                sabotage.delete(table, old)
        assert "the ledger has a gap here" in {fault.what for fault in faults(whole)}


def test_an_erasure_that_is_taken_back_is_found(whole: Whole) -> None:
    """The newest erasure with its record, its kept openings and its number, gone without any other trace."""
    with sabotage.undone(), sabotage.unguarded():
        for table in ("event", "record"):
            sabotage.delete(table, max(of(whole, table, 1), key=lambda row: row["case_seq"]))
        for row in of(whole, "erased", 1):
            sabotage.delete("erased", row)
        sabotage.delete("erased", rows("erased")[-1])
        counter = rows("counter")[0]
        sabotage.edit("counter", counter, value=counter["value"] - 1)
        line = of(whole, "docket", 1)[0]
        sabotage.edit("docket", line, stage="closed", last_seq=line["last_seq"] - 1)
        assert any("no event says that it was erased" in fault.what for fault in faults(whole))


def test_a_kept_opening_is_bound_in_every_character(whole: Whole) -> None:
    """Each kind of value in it, changed: a digest, a salt, the blind, an opened value, the version."""
    old = of(whole, "erased")[1]
    opening: Any = parse_json(old["opening"])
    for name in ("digests", "blind", "v", "opened"):
        with sabotage.undone():
            other = {**opening, name: nudged(opening[name])}
            assert replaced([old], [{**old, "opening": canonical(other).decode()}], "erased")
            assert names(faults(whole), "erased"), name
    for name in opening["opened"]:
        fewer = {key: value for key, value in opening["opened"].items() if key != name}
        with sabotage.undone():
            other = {**opening, "opened": fewer}
            assert replaced([old], [{**old, "opening": canonical(other).decode()}], "erased")
            assert names(faults(whole), "erased"), name
    with sabotage.undone():
        assert replaced([old], [{**old, "opening": old["opening"].replace(":", ": ", 1)}], "erased")
        assert names(faults(whole), "erased")


def test_an_opening_kept_of_a_living_case_is_found(whole: Whole) -> None:
    """What is opened for ever of a case that nobody erased is said, even though it is true."""
    office = whole.office
    key = office.desk.keys.keys(office.cases[0]).record_key
    with sabotage.undone():
        keep_openings(load_events(office.cases[0])[:1], key)
        assert any("no event says that its case was erased" in fault.what for fault in faults(whole))


@pytest.mark.parametrize("table", ["event", "record"])
def test_a_dropped_guard_is_a_fault_of_its_table(whole: Whole, table: str) -> None:
    """Fsck looks at the guards too, whatever the rows say."""
    with sabotage.undone():
        sabotage.disarm()
        assert table in {fault.table for fault in faults(whole)}


def test_every_protected_column_is_listed_with_its_check() -> None:
    """What `dueprocess fsck --protected` shows is every column of every guarded table, and the docket's."""
    listed = {(each["table"], each["column"]) for each in protected()}
    assert listed == {(table, column) for table in sabotage.TABLES for column in sabotage.columns(table)}
    assert all(each["check"] for each in protected())

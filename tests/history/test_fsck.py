"""fsck reads every column: one changed value anywhere, by the owner of the tables, is found and its table named."""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest
from django.db import IntegrityError, connection

import sabotage
from dueprocess.history.fsck import Fault, FsckKeys, counts, fsck
from dueprocess.wire import canonical, instant, parse_instant, parse_json
from office import Office
from sabotage import Row, rows

pytestmark = pytest.mark.stage("produced")

ALL = [(table, column) for table in sabotage.TABLES for column in sabotage.columns(table)]


def faults(office: Office) -> list[Fault]:
    """What fsck finds with the office's own keys."""
    keys = office.desk.keys

    def case_key(case_id: str) -> bytes | None:
        return keys.keys(case_id).record_key if keys.has(case_id) else None

    return fsck(FsckKeys(case_key, office.desk.master, office.desk.policy))


def names(found: list[Fault], table: str) -> bool:
    return any(re.search(rf"\b{table}s?\b", str(fault)) for fault in found)


def nudged(value: Any) -> Any:
    """JSON with one value in it changed, the first one as deep as it lies."""
    if not isinstance(value, dict | list):
        return plausible(value) if value else "x"
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


def changed(table: str, column: str, old: Row) -> Iterator[Row]:
    """The row with one value changed in several ways."""
    value = old[column]
    yield {**old, column: plausible(value)}
    yield {**old, column: type(value)()}
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


def test_an_untouched_store_has_no_faults(office_on: Office) -> None:
    """An office that worked for two days, closed epochs and produced fits in every column."""
    assert faults(office_on) == []
    assert counts()["events"] == len(rows("event")) > 10


@pytest.mark.slow
@pytest.mark.parametrize("table", sabotage.TABLES)
def test_one_changed_value_is_found_in_every_column(office_on: Office, table: str) -> None:
    """Another valid value, an empty one and one of another type, in a middle row; another valid one in the last."""
    tried = 0
    for column in sabotage.columns(table):
        found_rows = rows(table)
        middle, last = found_rows[len(found_rows) // 2], found_rows[-1]
        for old, most in ((middle, 9), (last, 1)):
            for new in islice(changed(table, column, old), most):
                if new == old:
                    continue
                with sabotage.undone():
                    if not replaced([old], [new], table):
                        continue
                    tried += 1
                    found = faults(office_on)
                    assert names(found, table), (column, old[column], new[column], found)
    assert tried >= 2 * len(sabotage.columns(table))
    assert faults(office_on) == []


@pytest.mark.parametrize("table", sabotage.TABLES)
def test_two_exchanged_values_are_found_in_every_column(office_on: Office, table: str) -> None:
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
                    assert names(faults(office_on), table), column
    assert tried


@pytest.mark.parametrize("table", sabotage.TABLES)
def test_a_deleted_row_is_found(office_on: Office, table: str) -> None:
    """The first, a middle or the last row of each table, taken out behind the guards."""
    found_rows = rows(table)
    for old in (found_rows[0], found_rows[len(found_rows) // 2], found_rows[-1]):
        with sabotage.undone():
            assert replaced([old], [], table)
            assert names(faults(office_on), table), old


FOREIGN: dict[str, Row] = {
    "event": {"case_seq": 99},
    "record": {"ledger_seq": 99_999, "case_seq": 99},
    "epoch": {"epoch": 9_999_999, "leaf_index": 99_999},
    "placement": {"ledger_seq": 99_999, "place": 65_535},
    "leaf": {"leaf_index": 99_999},
    "head": {"size": 99_999},
    "docket": {"case_id": "f" * 32},
}


@pytest.mark.parametrize("table", FOREIGN)
def test_a_foreign_row_is_found(office_on: Office, table: str) -> None:
    """A row that the program never wrote, at the end of each table or right behind its last row."""
    last = rows(table)[-1]
    with sabotage.undone():
        sabotage.insert(table, {**last, **FOREIGN[table]})
        assert names(faults(office_on), table)
    if isinstance(last[sabotage.columns(table)[0]], int):
        with sabotage.undone():
            sabotage.insert(table, {name: value + 1 if isinstance(value, int) else value
                                    for name, value in last.items()})  # fmt: skip
            assert names(faults(office_on), table)


def test_a_leaf_that_no_head_signs_is_found(office_on: Office) -> None:
    """A rare leaf pushed in behind the last one waits for the next signature; fsck sees it before."""
    policy = rows("leaf")[0]
    with sabotage.undone():
        sabotage.insert("leaf", {**policy, "leaf_index": len(rows("leaf"))})
        assert [fault.table for fault in faults(office_on)] == ["leaf"]


def test_a_whole_invented_case_is_found(office_on: Office) -> None:
    """Events and records that fit each other, of a case whose key nobody has: nothing proves them."""
    events = [row for row in rows("event") if row["case_id"] == office_on.cases[0]][:1]
    case_id = "e" * 32
    with sabotage.undone():
        event = {**events[0], "case_id": case_id}
        sabotage.insert("event", event)
        body = {**event, "body": parse_json(event["body"])}
        record = {**rows("record")[-1], "case_id": case_id, "case_seq": 1}
        record |= {"ledger_seq": record["ledger_seq"] + 1, "event_sha256": sabotage.sha256_of(body)}
        sabotage.insert("record", record)
        docket: Row = next(row for row in rows("docket") if row["case_id"] == office_on.cases[0])
        at = event["recorded_at"]
        line: Row = {
            "case_id": case_id,
            "stage": "received",
            "last_seq": 1,
            "received_at": at,
            "updated_at": at,
        }
        sabotage.insert("docket", {**docket, **line})
        assert [fault.table for fault in faults(office_on)] == ["record"]


def test_an_erased_case_still_verifies(office_on: Office) -> None:
    """Without the case's key its events, its records and their epochs are still checked, and still fit."""
    key = office_on.desk.keys._path(office_on.cases[0])  # noqa: SLF001  erasing by hand, as no verb does it yet
    key.unlink()
    assert faults(office_on) == []
    old = next(row for row in rows("record") if row["case_id"] == office_on.cases[0])
    for column in ("event_sha256", "commitment"):
        with sabotage.undone():
            replaced([old], [{**old, column: plausible(old[column])}], "record")
            assert names(faults(office_on), "record")


@pytest.mark.parametrize("table", ["event", "record"])
def test_a_dropped_guard_is_a_fault_of_its_table(office_on: Office, table: str) -> None:
    """Fsck looks at the guards too, whatever the rows say."""
    with sabotage.undone():
        sabotage.disarm()
        assert table in {fault.table for fault in faults(office_on)}

"""The bundle's files, read strictly: foreign bytes are malformed and nothing else."""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.synthetic import FIRST, FROM, LAST, NOW, ORIGIN, SECONDS, UNTIL, World
from dueprocess.audit.bundle import (
    OUTSIDE,
    RECORDS,
    SEEDS,
    WITHHELD,
    Header,
    Withheld,
    epochs_of,
    open_record,
    parse_header,
    parse_record,
    parse_withheld,
    read_seed,
    seed_line,
)
from dueprocess.audit.chains import Fault
from dueprocess.errors import MalformedError
from dueprocess.tlog.record import AUDIENCES, Record, commitment, open_fields
from dueprocess.wire import Json, canonical, sha256

FILES = dict.fromkeys((SEEDS, RECORDS, OUTSIDE, WITHHELD), "a" * 64)
HEADER = Header(ORIGIN, FROM, UNTIL, SECONDS, FIRST, LAST, 1, 9, 200, NOW, FILES)


def test_a_header_is_read_back_as_it_was_written() -> None:
    """With and without records."""
    more = {**FILES, "registers/2026H2/register.json": "b" * 64, "registers/2026H2/report.json": "c" * 64}
    for header in (HEADER, replace(HEADER, first_seq=None, last_seq=None), replace(HEADER, files=more)):
        assert parse_header(header.encoded) == header
    assert HEADER.from_the_start
    assert not replace(HEADER, first_seq=2).from_the_start
    assert HEADER.sha256 != replace(HEADER, log_size=201).sha256


@pytest.mark.parametrize(
    "change",
    [
        {"t": "something-else"},
        {"v": 2},
        {"from": "2026-7-01"},
        {"from": "2026-13-01"},
        {"from": "1970-01-01"},
        {"from": "20260701"},
        {"until": "2026-07-01"},
        {"first_e": LAST + 1},
        {"first_e": FIRST + 1},
        {"last_e": LAST + 1},
        {"first_seq": None},
        {"first_seq": 0},
        {"first_seq": 10},
        {"epoch_s": 0},
        {"files": []},
        {"files": {SEEDS: "a" * 64}},
        {"files": {**FILES, "../../etc/passwd": "a" * 64}},
        {"files": {**FILES, "registers/2026H2/../x": "a" * 64}},
        {"packed_at": "yesterday"},
    ],
    ids=str,
)
def test_a_header_that_does_not_fit_itself_is_refused(change: dict[str, Json]) -> None:
    """Another version, days that end before they begin, epochs of other days, a file of another place."""
    with pytest.raises(MalformedError):
        parse_header(canonical({**HEADER.as_json(), **change}))


def test_the_epochs_of_days_begin_on_them() -> None:
    """A length that does not divide the day shifts the first one."""
    assert epochs_of(FROM, UNTIL, SECONDS) == (FIRST, LAST)
    first, last = epochs_of(dt.date(2026, 7, 1), dt.date(2026, 7, 2), 7 * 3600)
    begins = [
        dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(hours=7 * each)
        for each in range(first, last + 1)
    ]
    assert {each.date() for each in begins} == {dt.date(2026, 7, 1)}
    assert begins[0] - dt.timedelta(hours=7) < dt.datetime(2026, 7, 1, tzinfo=dt.UTC)


PARSERS: dict[str, Callable[[bytes], object]] = {
    "header": parse_header,
    "record": parse_record,
    "outside": lambda data: parse_record(data, outside=True),
    "withheld": parse_withheld,
    "seed": lambda data: read_seed(data, 7),
}


@pytest.mark.parametrize("name", PARSERS)
@given(data=st.binary(max_size=300))
@settings(max_examples=60, deadline=None)
def test_foreign_bytes_are_malformed(name: str, data: bytes) -> None:
    """Each parser raises that and nothing else."""
    with pytest.raises(MalformedError):
        PARSERS[name](data)


def _scalars() -> Any:
    return st.none() | st.booleans() | st.integers(-1, 10**9) | st.text(max_size=8)


@given(value=st.dictionaries(st.sampled_from(["seq", "why", "until", "period"]), _scalars()))
@settings(max_examples=80, deadline=None)
def test_any_json_is_a_line_of_the_list_or_malformed(value: dict[str, Json]) -> None:
    """What is read back is what was written."""
    try:
        found = parse_withheld(canonical(value))
    except MalformedError:
        return
    assert found.as_json() == value


@pytest.mark.parametrize(
    "line",
    [
        Withheld(7, "open", None, None),
        Withheld(7, "nondisclosure", "2027-01-01", None),
        Withheld(7, "unregistered", None, "2026H2"),
        Withheld(7, "too-early", None, "2026H2"),
    ],
)
def test_the_list_is_read_back_as_it_was_written(line: Withheld) -> None:
    """Each reason."""
    assert parse_withheld(line.line) == line
    for bad in ({"why": "tired"}, {"period": "2026"}, {"seq": 0}, {"until": 5}):
        with pytest.raises(MalformedError):
            parse_withheld(canonical({**line.as_json(), **bad}))


def test_a_seed_stands_on_the_line_of_its_epoch() -> None:
    """32 bytes, in one spelling."""
    assert read_seed(seed_line(7, bytes(32)), 7) == bytes(32)
    for bad in (seed_line(8, bytes(32)), seed_line(7, bytes(31)), seed_line(7, bytes(32)) + b" "):
        with pytest.raises(MalformedError):
            read_seed(bad, 7)


def test_records_are_read_back_as_they_were_written() -> None:
    """Inside of the period and beyond it."""
    world = World(last=LAST + 3)
    world.add("x", "DemandReceived")
    world.add("x", "RequesterVerified", day=LAST - FIRST + 2)
    inside, outside = world.shown(world.made[0]), world.outside()[0]
    assert parse_record(inside.line) == inside
    assert parse_record(outside.line, outside=True) == outside
    assert open_record(inside).kind == "DemandReceived"
    for line, beyond in ((inside.line, True), (outside.line, False)):
        with pytest.raises(MalformedError):
            parse_record(line, outside=beyond)


@pytest.mark.parametrize(
    ("name", "value"),
    [("month", "2026-13"), ("month", 7), ("kind", None), ("prev", "xyz"), ("prev", 5), ("ledger_seq", 2)],
    ids=str,
)
def test_a_record_that_was_sealed_with_nonsense_is_refused(name: str, value: Json) -> None:
    """The operator sealed it, so it leads to its commitment; it still says nothing."""
    facts: dict[str, Json] = {"kind": "DemandReceived", "month": "2026-07", "ledger_seq": 1}
    record, secret = Record({**facts, name: value}), sha256(b"secret")
    shown = replace(
        World(made=[]).shown_of(record, secret),
        commitment=commitment(record, secret),
        opening=open_fields(record, secret, AUDIENCES["auditor"]),
    )
    with pytest.raises(MalformedError):
        open_record(shown)


def test_a_fault_has_a_code_and_a_sentence() -> None:
    """As programs get it."""
    assert Fault("x", "y").as_json() == {"code": "x", "told": "y"}

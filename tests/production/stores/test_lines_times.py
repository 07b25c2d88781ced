"""Times of lines: with an offset, as seconds, and without a year."""

import datetime as dt
import os
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dueprocess.demand import Category, Period
from dueprocess.errors import UnavailableError
from dueprocess.plan import LinesTable, PlannedColumn, RowPath, Stamp, TableQuery, TimeColumn
from dueprocess.production.stores.lines import LinesStore
from dueprocess.production.stores.linetimes import clock_for

BERLIN = ZoneInfo("Europe/Berlin")
PATTERN = r"(?P<time>\w{3} [ \d]\d [\d:.]+) (?P<user>\w+) (?P<word>\w+)"


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


def table(zone: str = "UTC", stamp: Stamp = "syslog") -> LinesTable:
    return LinesTable("logs", "said", "app.log*", PATTERN, stamp, zone)


def write(folder: Path, written: str, *lines: str, name: str = "app.log") -> None:
    """A file that was last written at this moment."""
    path = folder / name
    path.write_text("".join(f"{line}\n" for line in lines))
    moment = at(written).timestamp()
    os.utime(path, (moment, moment))


def said(folder: Path, since: str, until: str, zone: str = "UTC") -> list[tuple[str, str]]:
    """(time in UTC, word) of Eva's lines in the window."""
    path = RowPath("logs", "said", (), "user", TimeColumn("said", "time", "timestamp"), False, ())
    planned = tuple(PlannedColumn(name, Category("traffic"), ()) for name in ("time", "word"))
    query = TableQuery(path, Period(at(since), at(until)), planned, ("time",), 100)
    rows: list[dict[str, Any]] = []
    for batch in LinesStore("logs", folder, [table(zone)]).batches(query, "eva"):
        rows += batch.rows.to_pylist()
    return [(row["time"].strftime("%Y-%m-%dT%H:%M:%SZ"), row["word"]) for row in rows]


ALWAYS = ("2000-01-01T00:00:00Z", "2040-01-01T00:00:00Z")


def test_a_line_without_a_year_gets_it_from_its_file(tmp_path: Path) -> None:
    """December in a file of January is of the year before; files of several years are told apart."""
    write(
        tmp_path,
        "2026-01-03T09:00:00Z",
        "Dec 30 10:00:00 eva a",
        "Jan  2 10:00:00 eva b",
        "Jan  3 09:00:00 dana x",
    )
    write(
        tmp_path, "2025-01-03T09:00:00Z", "Dec 30 10:00:00 eva c", "Jan  3 09:00:00 eva d", name="app.log.1"
    )
    assert said(tmp_path, *ALWAYS) == [
        ("2024-12-30T10:00:00Z", "c"),
        ("2025-01-03T09:00:00Z", "d"),
        ("2025-12-30T10:00:00Z", "a"),
        ("2026-01-02T10:00:00Z", "b"),
    ]
    assert [word for _, word in said(tmp_path, "2025-12-01T00:00:00Z", "2026-01-01T00:00:00Z")] == ["a"]


def test_lines_of_several_years_in_one_file(tmp_path: Path) -> None:
    """Each turn of the year counts, by the lines of others and of other forms too."""
    lines = (
        "Nov  1 00:00:00 eva a",
        "Feb  1 00:00:00 kernel: something else",
        "Nov  1 00:00:01 eva b",
        "Jan  5 00:00:00 eva c",
    )
    write(tmp_path, "2026-01-05T00:00:00Z", *lines)
    assert [time[:4] for time, _ in said(tmp_path, *ALWAYS)] == ["2024", "2025", "2026"]


def test_a_line_that_comes_late_turns_no_year(tmp_path: Path) -> None:
    """Lines a few seconds or days out of order, at the turn of the year as well."""
    lines = (
        "Dec 31 23:59:58 eva a",
        "Jan  1 00:00:00 eva b",
        "Dec 31 23:59:59 eva c",
        "Jan  1 00:00:01 eva d",
    )
    write(tmp_path, "2026-01-01T00:00:01Z", *lines)
    assert said(tmp_path, *ALWAYS) == [
        ("2025-12-31T23:59:58Z", "a"),
        ("2025-12-31T23:59:59Z", "c"),
        ("2026-01-01T00:00:00Z", "b"),
        ("2026-01-01T00:00:01Z", "d"),
    ]


def test_the_29th_of_february(tmp_path: Path) -> None:
    """It is found in a leap year; in a file of another year it has no meaning, and that is told."""
    write(tmp_path, "2024-03-01T00:00:00Z", "Feb 29 12:00:00 eva a", "Mar  1 00:00:00 eva b")
    assert said(tmp_path, *ALWAYS)[0] == ("2024-02-29T12:00:00Z", "a")
    write(tmp_path, "2026-03-01T00:00:00Z", "Feb 29 12:00:00 eva a", "Mar  1 00:00:00 eva b")
    with pytest.raises(UnavailableError) as caught:
        said(tmp_path, *ALWAYS)
    assert "1 lines could not be read" in str(caught.value.why)


def test_a_file_whose_date_was_changed_is_not_dated_by_it(tmp_path: Path) -> None:
    """A copy without its date, or a restored backup: a wrong year would move its lines into another window."""
    write(tmp_path, "2026-11-22T00:00:00Z", "Oct 20 12:00:00 eva a")
    with pytest.raises(UnavailableError) as caught:
        said(tmp_path, *ALWAYS)
    assert "app.log names no year, and its own date is not that of its last line" in str(caught.value.why)
    write(tmp_path, "2026-11-22T00:00:00Z", "Oct 20 12:00:00 dana a")
    assert said(tmp_path, *ALWAYS) == []


def test_local_times_are_read_in_their_zone(tmp_path: Path) -> None:
    """Midnight in Berlin is an hour or two before midnight in UTC."""
    write(tmp_path, "2026-09-01T00:30:00+02:00", "Sep  1 00:00:00 eva a")
    assert said(tmp_path, *ALWAYS, zone="Europe/Berlin") == [("2026-08-31T22:00:00Z", "a")]
    assert said(tmp_path, "2026-09-01T00:00:00Z", "2026-10-01T00:00:00Z", zone="Europe/Berlin") == []


def test_an_hour_that_the_clock_shows_twice_is_inside_only_with_both(tmp_path: Path) -> None:
    """On 25 October 2026, 02:30 in Berlin was at 00:30 and at 01:30 UTC."""
    write(tmp_path, "2026-10-25T12:00:00+01:00", "Oct 25 02:30:00 eva a", "Oct 25 12:00:00 eva b")
    end = "2026-11-01T00:00:00Z"
    assert [w for _, w in said(tmp_path, "2026-10-25T00:30:00Z", end, zone="Europe/Berlin")] == ["a", "b"]
    assert [w for _, w in said(tmp_path, "2026-10-25T00:30:01Z", end, zone="Europe/Berlin")] == ["b"]
    early = "2026-10-01T00:00:00Z"
    assert said(tmp_path, early, "2026-10-25T01:30:00Z", zone="Europe/Berlin") == []
    assert len(said(tmp_path, early, "2026-10-25T01:30:01Z", zone="Europe/Berlin")) == 1


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("2026-09-01T10:00:00Z", "2026-09-01T10:00:00+00:00"),
        ("2026-09-01t10:00:00.5z", "2026-09-01T10:00:00.5+00:00"),
        ("2026-09-01 10:00:00,123456789+02:00", "2026-09-01T08:00:00.123456+00:00"),
        ("2026-09-01T10:00:00-0330", "2026-09-01T13:30:00+00:00"),
        ("2026-12-31T23:59:60Z", "2027-01-01T00:00:00+00:00"),
        ("2026-09-01T10:00:00", None),
        ("2026-02-29T10:00:00Z", None),
        ("2026-09-01T24:00:00Z", None),
        ("2026-09-01T10:00:00+99:00", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("٢٠٢٦-09-01T10:00:00Z", None),
    ],
)
def test_times_with_an_offset(text: str, means: str | None) -> None:
    """RFC 3339, with or without the colon of the offset. Without an offset it is no time."""
    found = clock_for(table(stamp="rfc3339"), 0.0).meanings(text, 0)
    wanted = None if means is None else int(at(means).timestamp() * 1_000_000)
    assert found == (None if wanted is None else (wanted, wanted))


@pytest.mark.parametrize(
    ("text", "means"), [("1788220800", 1788220800), ("0", 0), ("-1", None), ("1e9", None), ("٣", None)]
)
def test_times_in_seconds(text: str, means: int | None) -> None:
    """Whole seconds since 1970, in plain digits."""
    found = clock_for(table(stamp="unix"), 0.0).meanings(text, 0)
    assert found == (None if means is None else (means * 1_000_000, means * 1_000_000))


@given(
    days=st.lists(st.integers(0, 300), min_size=1, max_size=8), zone=st.sampled_from(["UTC", "Europe/Berlin"])
)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_years_come_back_from_any_log_in_order(tmp_path: Path, days: list[int], zone: str) -> None:
    """Lines at most 300 days apart, written in order and dated by the last: each gets the year that it had."""
    start = dt.datetime(2019, 6, 1, 12, tzinfo=dt.UTC)
    moments = [start := start + dt.timedelta(days=step, seconds=1) for step in days]
    local = [moment.astimezone(ZoneInfo(zone)) for moment in moments]
    lines = [f"{shown:%b} {shown.day:2} {shown:%H:%M:%S} eva w{n}" for n, shown in enumerate(local)]
    write(tmp_path, moments[-1].isoformat(), *lines)
    found = said(tmp_path, *ALWAYS, zone=zone)
    assert [time for time, _ in found] == [f"{moment:%Y-%m-%dT%H:%M:%SZ}" for moment in moments]

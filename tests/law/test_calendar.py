"""Calendars as values: what counts as a working day, and the strict readers."""

import datetime as dt
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dueprocess.errors import MalformedError
from dueprocess.law.calendar import Calendar, parse_calendar, parse_calendar_table
from dueprocess.law.parsing.table import Table, read_toml
from dueprocess.wire import Json, canonical, parse_json

CHRISTMAS, BOXING = dt.date(2026, 12, 25), dt.date(2026, 12, 28)
WORKED = dt.date(2026, 12, 12)
CALENDAR = Calendar(
    "GB-ENG", "table", 2026, 2027, {CHRISTMAS: "Christmas Day", BOXING: "Boxing Day"}, workdays=frozenset({WORKED})
)  # fmt: skip


def test_a_working_day_is_no_holiday_and_no_weekend_unless_people_work_on_it() -> None:
    """Holidays and weekends are off; a Saturday that is worked in exchange for another day is not."""
    assert not CALENDAR.works(CHRISTMAS)
    assert not CALENDAR.works(dt.date(2026, 12, 26))
    assert CALENDAR.works(WORKED)
    assert CALENDAR.works(dt.date(2026, 12, 29))


def test_a_calendar_knows_its_own_years_only() -> None:
    """The last day of the last year is known, the next is not."""
    assert CALENDAR.knows(dt.date(2027, 12, 31))
    assert not CALENDAR.knows(dt.date(2028, 1, 1))
    assert not CALENDAR.knows(dt.date(2025, 12, 31))


def test_a_calendar_is_named_by_region_source_and_digest() -> None:
    """The digest depends on the days and not on the order in which they were entered."""
    turned = Calendar(
        "GB-ENG", "table", 2026, 2027, {BOXING: "Boxing Day", CHRISTMAS: "Christmas Day"}, workdays=frozenset({WORKED})
    )  # fmt: skip
    assert CALENDAR.ref == ("GB-ENG", "table", CALENDAR.sha256) == turned.ref
    assert Calendar("GB-ENG", "table", 2026, 2027).sha256 != CALENDAR.sha256


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    first = draw(st.integers(1990, 2030))
    last = first + draw(st.integers(0, 3))
    days = st.dates(dt.date(first, 1, 1), dt.date(last, 12, 31))
    weekend = draw(st.frozensets(st.integers(0, 6), max_size=6))
    named = draw(st.dictionaries(days, st.text("abc Ünö'", min_size=1).filter(str.strip), max_size=8))
    workdays = {
        day for day in draw(st.sets(days, max_size=8)) if day.weekday() in weekend and day not in named
    }
    region = draw(st.sampled_from(("DE", "GB-ENG", "FR-6AE", "US-NY")))
    return Calendar(region, "table 1", first, last, named, weekend, frozenset(workdays))


@given(calendars())
@settings(max_examples=100, deadline=None)
def test_a_calendar_reads_back_from_its_bytes(calendar: Calendar) -> None:
    """What a case keeps is the value that was counted with."""
    assert parse_calendar(parse_json(canonical(calendar.as_json()))) == calendar


def _with(**changes: Any) -> Json:
    return {**CALENDAR.as_json(), **changes}


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {},
        _with(v=2),
        _with(v=True),
        _with(more=1),
        _with(region="Germany"),
        _with(region="de"),
        _with(region=7),
        _with(source=" "),
        _with(source="x" * 201),
        _with(source="a\nb"),
        _with(source="\ud800"),
        _with(first_year="2026"),
        _with(first_year=True),
        _with(first_year=0),
        _with(first_year=2028),
        _with(last_year=10_000),
        _with(weekend=5),
        _with(weekend=[6, 5]),
        _with(weekend=[5, 5]),
        _with(weekend=[5, 7]),
        _with(weekend=[0, 1, 2, 3, 4, 5, 6]),
        _with(weekend=["5"]),
        _with(days=[]),
        _with(days={"2026-13-01": "x"}),
        _with(days={"20261225": "x"}),
        _with(days={"2025-12-25": "x"}),
        _with(days={"2026-12-25": ""}),
        _with(days={"2026-12-25": 1}),
        _with(days={7: "x"}),
        _with(workdays={}),
        _with(workdays=["2026-12-11"]),
        _with(workdays=["2026-12-26", "2026-12-12"]),
        _with(workdays=["2029-12-15"]),
        _with(workdays=["2026-12-12"], days={"2026-12-12": "x"}),
    ],
)
def test_a_calendar_in_any_other_shape_is_refused(value: object) -> None:
    """Other keys, days outside the years, a week without work, and orders in which a digest could differ."""
    with pytest.raises(MalformedError) as refused:
        parse_calendar(value)
    assert refused.value.code == "bad-calendar"


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@given(key=st.sampled_from(sorted(CALENDAR.as_json())), value=values)
@settings(max_examples=300, deadline=None)
def test_a_strange_calendar_is_malformed_and_nothing_worse(key: str, value: Json) -> None:
    """Whatever stands under a key, the reader gives a calendar or ``MalformedError``."""
    try:
        found = parse_calendar(_with(**{key: value}))
    except MalformedError:
        return
    assert parse_calendar(found.as_json()) == found


@given(st.text() | st.binary().map(lambda data: data.decode("latin-1")))
@settings(max_examples=200, deadline=None)
def test_strange_text_is_malformed_and_nothing_worse(text: str) -> None:
    """From any text comes a calendar or ``MalformedError``."""
    with pytest.raises(MalformedError):
        parse_calendar(parse_json(text))


TABLE = """
[[calendar]]
region = "DE"
source = "written by hand for these cases"
first_year = 2026
last_year = 2026
weekend = [5, 6]
day = [{ on = 2026-12-25, name = "Christmas" }, { on = 2026-12-26, name = "Second Day of Christmas" }]
"""


def read(text: str) -> Calendar:
    (table,) = read_toml(text, "x.cases.toml").tables("calendar")
    return parse_calendar_table(table)


def test_a_calendar_can_be_written_into_a_file_of_cases() -> None:
    """A lawyer writes down the holidays that the cases rest on; Saturday and Sunday go without saying."""
    found = read(TABLE)
    assert found.region == "DE"
    assert found.days[dt.date(2026, 12, 26)] == "Second Day of Christmas"
    assert read(TABLE.replace("weekend = [5, 6]\n", "")) == found
    assert read(TABLE.replace("[5, 6]", "[4]")).weekend == {4}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('region = "DE"', 'region = "Germany"'),
        ('region = "DE"', ""),
        ("first_year = 2026", "first_year = 2027"),
        ("first_year = 2026", 'first_year = "2026"'),
        ("[5, 6]", "5"),
        ("[5, 6]", '["Sat"]'),
        ("[5, 6]", "[6, 5]"),
        ("[5, 6]", "[0, 1, 2, 3, 4, 5, 6]"),
        ("2026-12-26", "2026-12-25"),
        ("2026-12-26", "2027-12-26"),
        ('"Christmas"', '""'),
        ('"Christmas"', '"Christmas", off = true'),
        ("last_year = 2026", "last_year = 2026\nmore = 1"),
    ],
)
def test_a_misspelt_table_names_the_file(old: str, new: str) -> None:
    """A table that is not right is refused as a whole, with the file in the message."""
    with pytest.raises(MalformedError) as refused:
        read(TABLE.replace(old, new))
    assert "x.cases.toml" in refused.value.what


@given(
    st.dictionaries(
        st.sampled_from(("region", "source", "first_year", "last_year", "weekend", "day")), values
    )
)
@settings(max_examples=200, deadline=None)
def test_strange_tables_are_malformed_and_nothing_worse(values_: dict[str, Any]) -> None:
    """Whatever stands in the section, the reader gives a calendar or ``MalformedError``."""
    with pytest.raises(MalformedError):
        parse_calendar_table(Table(values_, "x.cases.toml"))

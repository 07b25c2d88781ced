"""The check of each record, a batch at a time: exactly what a plain reading of the plan lets through."""

import dataclasses
import datetime as dt
import json
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dueprocess.demand import Category, Period
from dueprocess.errors import BrokenError, MalformedError, RefusedError
from dueprocess.plan import PlannedColumn, RowPath, TableQuery, TimeColumn, TimeUnit, inside
from dueprocess.production.stores.arrow import as_json, column, record_batch
from dueprocess.production.stores.check import checked
from dueprocess.production.stores.facts import JSON_TEXT, Redacted
from dueprocess.production.stores.redact import MASK

EVA = "@eva:host.example"
SINCE = dt.datetime(2026, 10, 24, 12, 30, 0, 250_000, tzinfo=dt.UTC)
UNTIL = dt.datetime(2026, 10, 26, 1, 0, 0, 500_000, tzinfo=dt.UTC)
WINDOW = Period(SINCE, UNTIL)
TRAFFIC = Category("traffic")


def asked(
    unit: TimeUnit | None = "ms",
    zone: str = "UTC",
    *,
    absent: tuple[str, ...] = (),
    equals: Any = (),
    rules: tuple[str, ...] = (),
) -> TableQuery:
    time = TimeColumn("t", "at", unit, zone) if unit else None
    path = RowPath("main", "t", (), "who", time, time is None, absent, equals)
    order = ("at",) if unit else ("x",)
    return TableQuery(path, WINDOW if unit else None, (PlannedColumn("x", TRAFFIC, rules),), order, 10)


def batch(*rows: tuple[object, ...]) -> pa.RecordBatch:
    """Rows as an engine's driver gives them."""
    return record_batch(list(zip(*rows, strict=True)))


NEAR = [
    SINCE + dt.timedelta(microseconds=shift)
    for shift in (-1_000_000, -250_001, -1, 0, 1, 749_999, 3_600_000_000)
] + [UNTIL + dt.timedelta(microseconds=shift) for shift in (-3_600_000_000, -500_001, -1, 0, 1, 500_000)]
"""Instants about the ends of the window, and about the hour that Berlin's clock shows twice."""


def written(moment: dt.datetime, unit: TimeUnit, zone: str) -> object:
    """An instant as a column of this unit holds it, cut down to what the unit can say."""
    micros = (moment - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(microseconds=1)
    local = moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    if unit in {"s", "ms", "us"}:
        return micros // {"s": 1_000_000, "ms": 1_000, "us": 1}[unit]
    if unit == "timestamp":
        return local if zone != "UTC" else moment
    if unit == "date":
        return local.date()
    return local.isoformat() + ("Z" if zone == "UTC" else "")


UNITS: list[TimeUnit] = ["s", "ms", "us", "iso", "timestamp", "date"]
moments = st.sampled_from(NEAR) | st.datetimes(
    dt.datetime.fromisoformat("2026-10-23"),
    dt.datetime.fromisoformat("2026-10-27"),
    timezones=st.just(dt.UTC),
)
odd = st.sampled_from(
    [None, "", "soon", 7, -1, 2**62, 1.5, True, b"x", "2026-02-30T00:00:00Z", dt.date(1, 1, 1)]
)
subjects = st.just(EVA) | st.just(EVA) | st.sampled_from(["@Eva:host.example", EVA + "\0", "", 7, None, b"x"])


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What the plain reading says of a batch: an error's code, or the rows that stay."""

    code: str
    kept: tuple[object, ...] = ()


def plainly(query: TableQuery, subject: object, rows: list[tuple[object, ...]]) -> set[Verdict]:
    """The same rule, a row at a time and without Arrow. Several verdicts where a batch has several faults."""
    faults, kept = set[str](), list[object]()
    for row in rows:
        who, *rest = row
        within = timely(query, rest.pop(0), faults) if query.path.time else True
        wanted = [None for _ in query.path.absent] + [value for _, value in query.path.equals]
        held = [who, *rest[:-1]]
        if any(
            type(one) is not type(two) or one != two
            for one, two in zip(held, [subject, *wanted], strict=True)
        ):
            faults.add("wrong-row")
        kept += [rest[-1]] if within else []
    return {Verdict(code) for code in faults} or {Verdict("", tuple(kept))}


def timely(query: TableQuery, when: object, faults: set[str]) -> bool:
    """Whether a time lies in the window; what is wrong with it goes to the faults."""
    time = query.path.time
    assert time is not None
    assert query.window is not None
    try:
        within = inside(query.window, when, time.unit, time.zone)
    except MalformedError:
        faults.add("bad-time")
        return True
    if not within and time.unit != "iso" and time.zone == "UTC":
        faults.add("wrong-row")
    return within


def found(query: TableQuery, subject: Any, rows: list[tuple[object, ...]]) -> Verdict:
    try:
        result = checked(query, subject, batch(*rows)).rows
    except (RefusedError, MalformedError) as error:
        return Verdict(error.code)
    return Verdict("", tuple(result.column("x").to_pylist()))


@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_a_batch_is_judged_as_each_record_by_itself(data: st.DataObject) -> None:
    """Subject, window in each unit and zone, absent and equals: the same verdict as the plain reading."""
    unit = data.draw(st.sampled_from([*UNITS, None]))
    zone = (
        data.draw(st.sampled_from(["UTC", "Europe/Berlin"]))
        if unit in {"iso", "timestamp", "date"}
        else "UTC"
    )
    absent = data.draw(st.sampled_from([(), ("gone",)]))
    equals: Any = data.draw(st.sampled_from([(), (("kind", "m"),), (("kind", 5),), (("kind", True),)]))
    query = asked(unit, zone, absent=absent, equals=equals)
    subject = data.draw(st.sampled_from([EVA, 7]))
    careless = data.draw(st.booleans())

    def row(number: int) -> tuple[object, ...]:
        who = data.draw(subjects) if careless else subject
        made: list[object] = [who]
        if unit:
            moment = data.draw(moments)
            made.append(
                data.draw(odd) if careless and data.draw(st.booleans()) else written(moment, unit, zone)
            )
        made += [data.draw(st.sampled_from([None, None, "x"])) if careless else None] * len(absent)
        made += [
            data.draw(st.sampled_from([value, value, None, "M"])) if careless else value
            for _, value in equals
        ]
        return (*made, number)

    rows = [row(number) for number in range(data.draw(st.integers(1, 6)))]
    # An engine's driver mixes no aware and naive times, and a batch of one kind of value is what it gives.
    assert found(query, subject, rows) in plainly(query, subject, rows)


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_native_times_of_every_precision_are_cut_exactly(unit: str) -> None:
    """A nanosecond outside is outside."""
    step = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}[unit]
    first, beyond = (int(each.timestamp()) * 10**9 + each.microsecond * 1000 for each in (SINCE, UNTIL))
    query = asked("timestamp")
    for ticks, within in (
        (-(-first // step), True),
        (-(-first // step) - 1, False),
        (-(-beyond // step) - 1, True),
        (-(-beyond // step), False),
    ):
        raw = pa.record_batch(
            [pa.array([EVA]), pa.array([ticks]).cast(pa.timestamp(unit)), pa.array([1])],
            names=["0", "1", "2"],
        )
        if within:
            assert checked(query, EVA, raw).rows.num_rows == 1
        else:
            with pytest.raises(RefusedError, match="outside the window"):
                checked(query, EVA, raw)


def test_a_number_is_no_text_and_a_text_no_number() -> None:
    """Subject and fixed values are of the same family of types; 0 and 1 stand for truth where there is no other."""
    for subject, raw in (
        ("7", batch((7, "x"))),
        (7, batch(("7", "x"))),
        (7, batch((7.0, "x"))),
        (1, batch((True, "x"))),
    ):
        with pytest.raises(RefusedError):
            checked(asked(None), subject, raw)
    kinds: tuple[tuple[Any, Any, bool], ...] = (
        (True, 1, True),
        (False, 0, True),
        (False, 1, False),
        (1, True, False),
        (1, Decimal(1), True),
        (1, Decimal("1.5"), False),
        (2**70, 1, False),
        ("1", 1, False),
    )
    for wanted, held, fits in kinds:
        query = asked(None, equals=(("kind", wanted),))
        if fits:
            assert checked(query, EVA, batch((EVA, held, "x"))).rows.num_rows == 1
        else:
            with pytest.raises(RefusedError):
                checked(query, EVA, batch((EVA, held, "x")))


@pytest.mark.parametrize("number", range(4))
def test_one_wrong_record_among_right_ones_is_enough(number: int) -> None:
    """NULL as subject, time or fixed value, or something where there should be nothing."""
    query = asked("ms", absent=("gone",), equals=(("kind", "m"),))
    right = (EVA, int(SINCE.timestamp() * 1000) + 1000, None, "m", "x")
    wrong = (*right[:number], "x" if number == 2 else None, *right[number + 1 :])
    assert checked(query, EVA, batch(right, right)).rows.num_rows == 2
    for rows in ((right, wrong), (wrong, right), (right, wrong, right)):
        with pytest.raises((RefusedError, MalformedError)):
            checked(query, EVA, batch(*rows))
    with pytest.raises(MalformedError):
        checked(asked("s"), EVA, batch((EVA, 2**63, "x")))


def test_other_columns_than_those_asked_for_stop_everything() -> None:
    """More or fewer columns cannot be told apart any more."""
    with pytest.raises(BrokenError):
        checked(asked(), EVA, batch((EVA, 1)))
    with pytest.raises(BrokenError):
        checked(asked(), EVA, batch((EVA, 1, "x", "y")))


def test_an_open_window_checks_nothing() -> None:
    """Without both ends there is no window to be inside of."""
    query = dataclasses.replace(asked(), window=Period(None, UNTIL))
    with pytest.raises(MalformedError):
        checked(query, EVA, batch((EVA, 1, "x")))


values: st.SearchStrategy[object] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.binary(),
    st.decimals(allow_nan=True),
    st.datetimes(),
    st.datetimes(timezones=st.just(dt.UTC)),
    st.dates(),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(values, min_size=1, max_size=5))
def test_no_value_changes_on_its_way_into_arrow(given_: list[object]) -> None:
    """Each value comes out as it went in, whatever stands beside it; where types mix, as JSON."""
    array, field = column(given_, "x")
    for before, after in zip(given_, array.to_pylist(), strict=True):
        if field.metadata:
            assert dict(field.metadata) == JSON_TEXT
            assert after == as_json(before)
        elif isinstance(before, Decimal) and isinstance(after, str):
            assert after == json.loads(str(as_json(before)))
        else:
            assert str(after).removesuffix("+00:00") == str(before).removesuffix("+00:00")
            assert type(after) is type(before)


# -- third parties ---------------------------------------------------------------------------------


EXACT = '{"n":[1.10,12345678901234567890.5,1E5,-0,1e400,0.1,123456789012345678901],"a":%s}'


@pytest.mark.parametrize(
    ("value", "rules", "expected", "places"),
    [
        (None, ("mask",), None, []),
        ("Dana", ("mask",), MASK, []),
        ("Dana", (), "Dana", []),
        ('{"a":{"m.b":{"x":1}}}', ("redact:a.m.b",), f'{{"a":{{"m.b":"{MASK}"}}}}', [1]),
        ('{"a":[{"b":1},{"b":2},3]}', ("redact:a.b",), f'{{"a":[{{"b":"{MASK}"}},{{"b":"{MASK}"}},3]}}', [2]),
        ('{"a":1,"a":2}', ("redact:z",), '{"a":2}', []),
        (b'{"a":1}', ("redact:a", "redact:b"), f'{{"a":"{MASK}"}}', [1]),
        ("[1]", ("redact:a",), "[1]", []),
        ('{"a.b":1,"a":{"b":2}}', ("redact:a.b",), f'{{"a.b":"{MASK}","a":{{"b":"{MASK}"}}}}', [2]),
        (EXACT % "{}", ("redact:z",), EXACT % "{}", []),
        (EXACT % "{}", ("redact:a",), EXACT % f'"{MASK}"', [1]),
        ('{"\\u0061":"x"}', ("redact:a",), f'{{"a":"{MASK}"}}', [1]),
        ('"\\ud800"', ("redact:a",), '"?"', []),
    ],
)
def test_third_party_rules_take_people_out(
    value: object, rules: tuple[str, ...], expected: object, places: list[int]
) -> None:
    """Masked whole or in place, through lists and keys with dots, counted; numbers stay as they were written."""
    result = checked(asked(None, rules=rules), EVA, batch((EVA, value)))
    assert result.rows.column("x").to_pylist() == [expected]
    assert [each.places for each in result.redacted] == places


def test_each_place_is_told_with_its_record_and_rule() -> None:
    """The row in the batch that leaves, not in the one that came: rows that the window cuts are not counted."""
    query = dataclasses.replace(asked("iso", rules=("redact:a", "redact:b.c")))
    rows = [
        (EVA, "2026-10-24T12:30:00.1Z", '{"a":"CANARY"}'),
        (EVA, "2026-10-24T12:30:00.3Z", "{}"),
        (EVA, "2026-10-24T12:31:00Z", '{"a":1,"b":[{"c":2},{"c":3}]}'),
    ]
    result = checked(query, EVA, batch(*rows))
    assert result.redacted == (Redacted(1, "x", "redact:a", 1), Redacted(1, "x", "redact:b.c", 2))
    assert "CANARY" not in str(result.rows.to_pylist())


def test_documents_of_an_engine_are_cleaned_as_documents() -> None:
    """A struct has other types once a place is taken out: it leaves as JSON text. So does a mixed column."""
    struct = pa.array([{"a": [{"b": 1}], "c": dt.date(2026, 9, 1)}, None])
    raw = pa.record_batch([pa.array([EVA, EVA]), struct], names=["0", "1"])
    result = checked(asked(None, rules=("redact:a.b",)), EVA, raw)
    assert result.rows.schema.field("x").metadata == JSON_TEXT
    assert result.rows.column("x").to_pylist() == [f'{{"a":[{{"b":"{MASK}"}}],"c":"2026-09-01"}}', None]
    mixed = checked(
        asked(None, rules=("redact:a",)),
        EVA,
        batch((EVA, '{"a":1}'), (EVA, 5), (EVA, b'{"a":1}'), (EVA, None)),
    )
    cleaned = json.dumps(f'{{"a":"{MASK}"}}')
    assert mixed.rows.column("x").to_pylist() == [cleaned, "5", cleaned, None]
    assert [each.row for each in mixed.redacted] == [0, 2]
    nothing = checked(asked(None, rules=("redact:a",)), EVA, batch((EVA, None)))
    assert nothing.rows.column("x").to_pylist() == [None]


@pytest.mark.parametrize("text", ["", "no", "[" * 100_000, "NaN", '{"a":Infinity}', b"\xff"])
def test_what_is_not_json_cannot_be_cleaned(text: object) -> None:
    """Such a text is an error, never passed on."""
    with pytest.raises(MalformedError):
        checked(asked(None, rules=("redact:a",)), EVA, batch((EVA, text)))

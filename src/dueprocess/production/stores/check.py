"""Every record that comes back is checked again: whose it is, when it was, and whom else it names.

A database compares by its own rules (case-insensitive columns, collations, views). What leaves is decided
here, byte for byte, a batch of records at a time.
"""

import datetime as dt
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

from dueprocess.errors import BrokenError, MalformedError, RefusedError
from dueprocess.plan import Constant, TableQuery, TimeColumn, inside
from dueprocess.production.stores.arrow import is_json
from dueprocess.production.stores.facts import Checked, Redacted, Subject
from dueprocess.production.stores.redact import masked

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICRO = dt.timedelta(microseconds=1)
_STEPS = {"s": 1_000_000, "ms": 1_000, "us": 1}
_DAY = 86_400_000_000
_ISO = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z$"


def checked(query: TableQuery, subject: Subject, raw: pa.RecordBatch) -> Checked:
    """The listed columns of raw records, third parties masked, without what the window's ends cut off.

    ``raw`` holds, by position: subject, time (where the path has one), the columns that must be absent, those
    that must hold a value, then the listed columns. Refuses the whole batch if one record is of another subject,
    or one that the store should not have returned.
    """
    count = control_count(query)
    if raw.num_columns != count + len(query.columns):
        raise BrokenError(
            "columns-differ", f"{query.store}.{query.table} did not give the columns asked for."
        )
    timed = [1] if query.path.time is not None else []
    kept = raw.select([*range(count, raw.num_columns), *timed])
    if raw.num_rows:
        kept = _in_time(query, raw, kept) if _owned(query, subject, raw) else kept
    return _clean(query, kept)


def control_count(query: TableQuery) -> int:
    """How many columns in front of the listed ones are there for the check alone."""
    return 1 + (query.path.time is not None) + len(query.path.absent) + len(query.path.equals)


def _owned(query: TableQuery, subject: Subject, raw: pa.RecordBatch) -> bool:
    """True. Refuses a record of another subject, or that the map leaves out."""
    if not all_equal(raw.column(0), raw.schema.field(0), subject):
        raise _wrong(query, "a record of another account")
    at = 1 + (query.path.time is not None)
    for number in range(at, at + len(query.path.absent)):
        if raw.column(number).null_count != raw.num_rows:
            raise _wrong(query, "a record that the map leaves out")
    at += len(query.path.absent)
    for number, (_, constant) in enumerate(query.path.equals, start=at):
        if not all_equal(raw.column(number), raw.schema.field(number), constant):
            raise _wrong(query, "a record that the map leaves out")
    return True


def all_equal(array: pa.Array, field: pa.Field, value: Constant) -> bool:
    """Whether each entry is this value, of the same family of types. An engine without truth values has 0 and 1."""
    kind, types = array.type, pa.types
    if is_json(field) or array.null_count:
        return False
    if isinstance(value, str):
        fits = types.is_string(kind) or types.is_large_string(kind)
    elif isinstance(value, bool):
        fits = types.is_boolean(kind) or types.is_integer(kind)
    else:
        fits = types.is_integer(kind) or types.is_decimal(kind)
    return fits and _equal(array, value)


def _equal(array: pa.Array, value: Constant) -> bool:
    kind = array.type
    try:
        if pa.types.is_decimal(kind):
            wanted = pa.scalar(Decimal(value), kind)
        else:
            wanted = pa.scalar(int(value) if pa.types.is_integer(kind) else value, kind)
    except (pa.ArrowException, OverflowError, ValueError):
        return False
    return bool(pc.all(pc.equal(array, wanted)).as_py())


def _in_time(query: TableQuery, raw: pa.RecordBatch, kept: pa.RecordBatch) -> pa.RecordBatch:
    """The records inside the window. Refuses one outside where the query asked for exact ends."""
    time = query.path.time
    if time is None:
        return kept
    within = within_window(query, time, raw.column(1), raw.schema.field(1))
    if pc.all(within).as_py():
        return kept
    if time.unit == "iso" or time.zone != "UTC":
        # Text and local times are asked for a little widely; the rest is cut here.
        return kept.filter(within)
    raise _wrong(query, "a record outside the window")


def within_window(query: TableQuery, time: TimeColumn, array: pa.Array, field: pa.Field) -> pa.Array:
    """Which of these times lie in the query's window. Refuses what is no time of the column's unit."""
    window = query.window
    if window is None or window.since is None or window.until is None:
        raise MalformedError("open-window", "A record is checked against a window with both ends.")
    if is_json(field):
        raise _no_time(time)
    since, until = ((each - _EPOCH) // _MICRO for each in (window.since, window.until))
    within = _within(array, time, since, until)
    return _one_by_one(query, time, array) if within is None else within


def _within(array: pa.Array, time: TimeColumn, since: int, until: int) -> pa.Array | None:
    """Which entries lie in the window, in one go; None where only one by one will do."""
    kind, types = array.type, pa.types
    if array.null_count or time.zone != "UTC":
        return None
    if time.unit in _STEPS and types.is_integer(kind):
        return _between(array, since, until, _STEPS[time.unit])
    if time.unit == "timestamp" and types.is_timestamp(kind):
        whole = array.cast(pa.int64())
        if kind.unit == "ns":
            return _between(whole, since * 1000, until * 1000, 1)
        return _between(whole, since, until, _STEPS[kind.unit])
    if time.unit == "date" and types.is_date32(kind):
        return _between(array.cast(pa.int32()), since, until, _DAY)
    if time.unit == "iso" and types.is_string(kind):
        return _texts(array, since, until)
    return None


def _between(array: pa.Array, since: int, until: int, step: int) -> pa.Array:
    """``since <= value * step < until``, with the ends divided instead of the values multiplied."""
    first, beyond = -(-since // step), -(-until // step)
    whole = array.cast(pa.int64()) if array.type != pa.uint64() else array
    if whole.type == pa.uint64():
        first, beyond = max(first, 0), max(beyond, 0)
    return pc.and_(
        pc.greater_equal(whole, pa.scalar(first, whole.type)), pc.less(whole, pa.scalar(beyond, whole.type))
    )


def _texts(array: pa.Array, since: int, until: int) -> pa.Array | None:
    if not pc.all(pc.match_substring_regex(array, _ISO)).as_py():
        return None
    try:
        return _between(array.cast(pa.timestamp("us", tz="UTC")).cast(pa.int64()), since, until, 1)
    except pa.ArrowInvalid:
        return None


def _one_by_one(query: TableQuery, time: TimeColumn, array: pa.Array) -> pa.Array:
    """Each different entry by the rule of the plan itself. Refuses what is no time of this unit."""
    if query.window is None or array.null_count:
        raise _no_time(time)
    if pa.types.is_timestamp(array.type):
        array = pc.floor_temporal(array, unit="microsecond").cast(pa.timestamp("us", tz=array.type.tz))
    coded = array.dictionary_encode()
    window = query.window
    verdicts = [inside(window, value, time.unit, time.zone) for value in coded.dictionary.to_pylist()]
    return pa.array(verdicts, pa.bool_()).take(coded.indices)


def _no_time(time: TimeColumn) -> MalformedError:
    return MalformedError(
        "bad-time",
        f"A time column holds a value that is not of the unit {time.unit!r}.",
        do="Correct `unit` in the data map, and run `dueprocess datamap check`.",
    )


def _clean(query: TableQuery, kept: pa.RecordBatch) -> Checked:
    arrays, fields, redacted = list[pa.Array](), list[pa.Field](), list[Redacted]()
    for number, listed in enumerate(query.columns):
        field = kept.schema.field(number).with_name(listed.name)
        array, field, places = masked(kept.column(number), field, listed.third_party)
        arrays.append(array)
        fields.append(field)
        redacted += places
    redacted.sort(key=lambda each: each.row)
    times = kept.column(len(query.columns)) if query.path.time is not None else None
    return Checked(pa.record_batch(arrays, schema=pa.schema(fields)), tuple(redacted), times)


def _wrong(query: TableQuery, what: str) -> RefusedError:
    return RefusedError(
        "wrong-row",
        f"The store {query.store!r} returned {what} for {query.table!r}.",
        why="It compares otherwise than exactly, for instance without regard to case.",
        do="Make the column compare exactly, or point the data map at one that does.",
        source="formats.md, Data map",
    )

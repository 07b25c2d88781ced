"""Times and days of Arrow columns as texts, in one go and exactly: what `wire.instant` says, with nanoseconds.

Source: RFC 3339; PostgreSQL and Parquet know instants that Python's datetime cannot hold, which are refused.
"""

import datetime as dt

import pyarrow as pa
import pyarrow.compute as pc

from dueprocess.errors import MalformedError

_TEXT = pa.string()
_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_FIRST_DAY = dt.date.min.toordinal() - dt.date(1970, 1, 1).toordinal()
_LAST_DAY = dt.date.max.toordinal() - dt.date(1970, 1, 1).toordinal()
_DAY = 86_400


def instants(array: pa.Array) -> pa.Array:
    """``2026-11-22T09:30:00Z``; micro- or nanoseconds only where there are any. Without a zone it counts as UTC."""
    unit = array.type.unit
    count, per = array.view(pa.int64()), _PER_SECOND[unit]
    _check(count, _FIRST_DAY * _DAY * per, (_LAST_DAY + 1) * _DAY * per - 1)
    texts = _clocks(count.view(pa.timestamp(unit)), count, pa.timestamp("us"))
    return pc.binary_join_element_wise(pc.binary_replace_slice(texts, 10, 11, "T"), "Z", "")


def times(array: pa.Array) -> pa.Array:
    """``09:30:00`` of any day, with micro- or nanoseconds only where there are any."""
    count = array.view(pa.int64() if pa.types.is_time64(array.type) else pa.int32())
    return _clocks(array, count, pa.time64("us"))


def days(array: pa.Array) -> pa.Array:
    """``2026-11-22``."""
    array = pc.cast(array, pa.date32())
    _check(array.view(pa.int32()), _FIRST_DAY, _LAST_DAY)
    return pc.cast(array, _TEXT)


def _clocks(array: pa.Array, count: pa.Array, micros: pa.DataType) -> pa.Array:
    if array.type.unit == "s":
        return pc.cast(array, _TEXT)
    if array.type.unit != "ns":
        return _short(pc.cast(array, micros))
    # Arrow's division cuts towards zero, so that the product differs exactly where nanoseconds are left.
    exact = pc.equal(pc.multiply(pc.divide(count, 1000), 1000), count)
    short = _short(pc.cast(array, micros, safe=False))
    return short if pc.all(exact).as_py() is not False else pc.if_else(exact, short, pc.cast(array, _TEXT))


def _short(array: pa.Array) -> pa.Array:
    return pc.replace_substring(pc.cast(array, _TEXT), ".000000", "")


def _check(count: pa.Array, first: int, last: int) -> None:
    """Refuses what lies outside the years 1 to 9999: no reader of the parcel could tell what it means."""
    ends = pc.min_max(count).as_py()
    if ends["min"] is not None and not first <= ends["min"] <= ends["max"] <= last:
        raise MalformedError("not-an-instant", "A store holds a time outside the years 1 to 9999.")

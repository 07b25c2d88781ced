"""Windows in the units that columns use: bounds for a query, and the moment of a value that came back.

Both ends are rounded so that the query asks for exactly the values whose moment lies in the window; text is
the exception: fractions of the first and the last second are left to the check of each row.
"""

import datetime as dt
import re

from dueprocess.demand import Period
from dueprocess.errors import MalformedError
from dueprocess.plan.datamap import TimeUnit

type Bound = int | str | dt.datetime

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICRO = dt.timedelta(microseconds=1)
_PER_UNIT: dict[TimeUnit, int] = {"s": 1_000_000, "ms": 1_000, "us": 1}
_TEXT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?Z")


def micros(moment: dt.datetime) -> int:
    """Microseconds since 1970 of an aware time, exactly."""
    return (moment - _EPOCH) // _MICRO


def bounds(window: Period, unit: TimeUnit) -> tuple[Bound, Bound]:
    """First value inside and first value beyond a closed window, as the column writes them."""
    if window.since is None or window.until is None:
        raise MalformedError("open-window", "A query needs a window with both ends.")
    since, until = window.since.astimezone(dt.UTC), window.until.astimezone(dt.UTC)
    if unit == "timestamp":
        return since, until
    if unit == "iso":
        ceiling = until + dt.timedelta(microseconds=-until.microsecond % 1_000_000)
        return _seconds(since), _seconds(ceiling)
    step = _PER_UNIT[unit]
    return -(-micros(since) // step), -(-micros(until) // step)


def _seconds(moment: dt.datetime) -> str:
    """Without fraction and ``Z``, so that every text of the same second sorts behind it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S")


def inside(window: Period, value: object, unit: TimeUnit) -> bool:
    """Whether a column's value lies in the closed window. Refuses a value that is not of this unit."""
    if window.since is None or window.until is None:
        raise MalformedError("open-window", "A row is checked against a window with both ends.")
    return micros(window.since) <= moment_of(value, unit) < micros(window.until)


def moment_of(value: object, unit: TimeUnit) -> int:
    """Microseconds since 1970 of a column's value. A time without a zone counts as UTC.

    Refuses a value of another type than the map promises: a guess would move rows across the window.
    """
    if unit == "timestamp" and isinstance(value, dt.datetime):
        return micros(value if value.tzinfo else value.replace(tzinfo=dt.UTC))
    if unit == "iso" and isinstance(value, str) and (match := _TEXT.fullmatch(value)):
        return _parsed(match)
    if unit in _PER_UNIT and isinstance(value, int) and not isinstance(value, bool):
        return value * _PER_UNIT[unit]
    raise MalformedError(
        "bad-time",
        f"A time column holds a value that is not of the unit {unit!r}.",
        do="Correct `unit` in the data map, and run `dueprocess datamap check`.",
    )


def _parsed(match: re.Match[str]) -> int:
    try:
        whole = dt.datetime.fromisoformat(match[1]).replace(tzinfo=dt.UTC)
    except ValueError as error:
        raise MalformedError("bad-time", "A time column holds a time that does not exist.") from error
    return micros(whole) + int((match[2] or "0").ljust(6, "0"))

"""Windows in the units that columns use: bounds for a query, and the moment of a value that came back.

Both ends are rounded so that the query asks for exactly the values whose moment lies in the window. Two cases
ask for a little more, and leave the rest to the check of each row: text, for fractions of the first and the last
second; and local times that a change of the clock near an end shows twice or skips.
"""

import datetime as dt
import re
from zoneinfo import ZoneInfo

from dueprocess.demand import Period
from dueprocess.errors import MalformedError
from dueprocess.plan.datamap import TimeUnit

type Bound = int | str | dt.date
"""As the column writes it: a whole number, text, an aware or (in a zone) naive time, or a day."""

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICRO = dt.timedelta(microseconds=1)
_PER_UNIT: dict[TimeUnit, int] = {"s": 1_000_000, "ms": 1_000, "us": 1}
_UTC_TEXT = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?Z", re.ASCII)
_LOCAL_TEXT = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def micros(moment: dt.datetime) -> int:
    """Microseconds since 1970 of an aware time, exactly."""
    return (moment - _EPOCH) // _MICRO


def bounds(window: Period, unit: TimeUnit, zone: str = "UTC") -> tuple[Bound, Bound]:
    """First value that may be inside and first value beyond a closed window, as the column writes them.

    For ``timestamp`` in UTC aware times, in another zone naive local ones; for ``date`` days.
    """
    if window.since is None or window.until is None:
        raise MalformedError("open-window", "A query needs a window with both ends.")
    if unit in _PER_UNIT:
        step = _PER_UNIT[unit]
        return -(-micros(window.since) // step), -(-micros(window.until) // step)
    try:
        if unit == "timestamp" and zone == "UTC":
            return window.since.astimezone(dt.UTC), window.until.astimezone(dt.UTC)
        return _local_bounds(window.since, window.until, unit, zone)
    except OverflowError as error:
        raise MalformedError("bad-window", "This window ends where calendars do.") from error


def _local_bounds(since: dt.datetime, until: dt.datetime, unit: TimeUnit, zone: str) -> tuple[Bound, Bound]:
    first, beyond = _local(since, zone), _local(until, zone)
    if unit == "timestamp":
        return first, beyond
    if unit == "date":
        return _day_from(first), _day_from(beyond)
    ceiling = beyond + dt.timedelta(microseconds=-beyond.microsecond % 1_000_000)
    # A local time may be written with a space, which sorts before the T.
    return first.isoformat("T" if zone == "UTC" else " ", "seconds"), ceiling.isoformat("T", "seconds")


def _local(moment: dt.datetime, zone: str) -> dt.datetime:
    """What the clock of the zone shows at this instant.

    As a bound it loses nothing, also where the clock was changed: a time that it shows below its `since`, after a
    change back, it had shown before `since` as well, and what is shown twice is inside only with both instants.
    """
    return moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def _day_from(local: dt.datetime) -> dt.date:
    """The first day that begins at this local time or later."""
    return local.date() if local.time() == dt.time.min else local.date() + dt.timedelta(days=1)


def inside(window: Period, value: object, unit: TimeUnit, zone: str = "UTC") -> bool:
    """Whether a column's value lies in the closed window; one of two meanings only if both do.

    Refuses a value that is not of this unit.
    """
    if window.since is None or window.until is None:
        raise MalformedError("open-window", "A row is checked against a window with both ends.")
    first, last = moments_of(value, unit, zone)
    return micros(window.since) <= first and last < micros(window.until)


def moment_of(value: object, unit: TimeUnit, zone: str = "UTC") -> int:
    """Microseconds since 1970 of a column's value: the earlier one where a local time means two instants."""
    return moments_of(value, unit, zone)[0]


def moments_of(value: object, unit: TimeUnit, zone: str = "UTC") -> tuple[int, int]:
    """The earliest and the latest microsecond since 1970 that a column's value can mean; mostly the same.

    They differ for a local time that a change of the clock shows twice, or skips. Refuses a value of another type
    than the map promises: a guess would move rows across the window.
    """
    if unit == "timestamp" and isinstance(value, dt.datetime):
        if value.tzinfo is not None:
            return micros(value), micros(value)
        return _meanings(value, zone)
    if unit in _PER_UNIT and isinstance(value, int) and not isinstance(value, bool):
        return value * _PER_UNIT[unit], value * _PER_UNIT[unit]
    if unit in {"iso", "date"}:
        return _meanings(_read(value, unit, zone), zone)
    raise _wrong(unit)


def _wrong(unit: TimeUnit) -> MalformedError:
    return MalformedError(
        "bad-time",
        f"A time column holds a value that is not of the unit {unit!r}.",
        do="Correct `unit` or `zone` in the data map, and run `dueprocess datamap check`.",
    )


def _read(value: object, unit: TimeUnit, zone: str) -> dt.datetime:
    """Text of a time, or a day, as the naive time that it shows."""
    if unit == "date" and isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return dt.datetime.combine(value, dt.time.min)
    form = _DAY if unit == "date" else _UTC_TEXT if zone == "UTC" else _LOCAL_TEXT
    match = form.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise _wrong(unit)
    try:
        if unit == "date":
            return dt.datetime.fromisoformat(match[0])
        return dt.datetime.fromisoformat(f"{match[1]}T{match[2]}.{(match[3] or '0').ljust(6, '0')}")
    except ValueError as error:
        raise MalformedError("bad-time", "A time column holds a time that does not exist.") from error


def _meanings(local: dt.datetime, zone: str) -> tuple[int, int]:
    """What a naive local time can mean. One that the clock skipped counts by both of its neighbours' offsets."""
    if zone == "UTC":
        moment = micros(local.replace(tzinfo=dt.UTC))
        return moment, moment
    known = ZoneInfo(zone)
    shown = micros(local.replace(tzinfo=dt.UTC))
    one, two = (shown - _shift(local.replace(tzinfo=known, fold=fold)) for fold in (0, 1))
    return min(one, two), max(one, two)


def _shift(local: dt.datetime) -> int:
    """Microseconds that a local time is ahead of UTC."""
    ahead = local.utcoffset()
    assert ahead is not None
    return ahead // _MICRO

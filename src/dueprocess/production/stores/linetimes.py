"""Times as lines of text write them, as instants. A line that names no year gets it from its file.

Source: RFC 3339 section 5.6; RFC 3164 section 4.1.2 (the stamp without year and zone).
"""

import datetime as dt
import re
from typing import Protocol
from zoneinfo import ZoneInfo

from dueprocess.errors import MalformedError
from dueprocess.plan import LinesTable
from dueprocess.plan.window import moments_of

type Meanings = tuple[int, int]
"""The earliest and the latest microsecond since 1970 that a time can mean; mostly the same."""

_RFC3339 = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:)(\d\d)(?:[.,](\d{1,9}))?(?:([Zz])|([+-]\d\d):?(\d\d))", re.ASCII
)
_SYSLOG = re.compile(r"([A-Z][a-z]{2}) +(\d{1,2}) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6})\d*)?", re.ASCII)
_HEAD = re.compile(rb"(?:<\d{1,3}>)?([A-Z][a-z]{2}) +(\d{1,2}) ")
_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTHS = {name: number for number, name in enumerate(_NAMES, start=1)}
_DAYS_BEFORE = {name: (dt.date(2000, n, 1) - dt.date(2000, 1, 1)).days for name, n in _MONTHS.items()}
_OUT_OF_ORDER = 7
"""Days by which a line may stand behind a later one without being a year younger."""
_QUIET = 7
"""Days by which the last line of a file may be older than the file's own date."""
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICRO = dt.timedelta(microseconds=1)
_NEVER = (dt.datetime.max.replace(tzinfo=dt.UTC) - _EPOCH) // _MICRO


class Clock(Protocol):
    """How the times of one file are read: every line is shown, and what a time means is asked at the end."""

    def see(self, line: bytes, /) -> None: ...
    def taken(self, text: str, /) -> int: ...
    def meanings(self, text: str, taken: int, /) -> Meanings | None:
        """What the time of a record means, with what ``taken`` gave for it; None where it is no time."""
        ...

    @property
    def sees_every_line(self) -> bool: ...

    @property
    def lost(self) -> bool:
        """Whether the file's own date does not fit its last line, so that no line of it has a year."""
        ...


def clock_for(table: LinesTable, written: float) -> Clock:
    """The clock of one file, which was last written at ``written`` (seconds since 1970)."""
    if table.stamp == "syslog":
        return _Yearless(ZoneInfo(table.zone), written)
    return _Unix() if table.stamp == "unix" else _Rfc3339()


class _Told:
    """Stamps that say everything themselves."""

    sees_every_line = False
    lost = False

    def see(self, _line: bytes, /) -> None:
        """Other lines say nothing about this one."""

    def taken(self, _text: str, /) -> int:
        return 0


class _Rfc3339(_Told):
    def meanings(self, text: str, _taken: int, /) -> Meanings | None:
        """One instant. The offset must be there, with or without its colon."""
        match = _RFC3339.fullmatch(text)
        if match is None:
            return None
        day, clock, second, fraction, zulu, hours, minutes = match.groups()
        leap = second == "60"
        try:
            at = dt.datetime.fromisoformat(
                f"{day}T{clock}{'59' if leap else second}.{(fraction or '0')[:6].ljust(6, '0')}"
                + ("+00:00" if zulu else f"{hours}:{minutes}")
            )
            moment = (at - _EPOCH) // _MICRO + (1_000_000 if leap else 0)
        except ValueError:
            return None
        return (moment, moment) if 0 <= moment < _NEVER else None


class _Unix(_Told):
    def meanings(self, text: str, _taken: int, /) -> Meanings | None:
        if not re.fullmatch(r"[0-9]{1,11}", text):
            return None
        moment = int(text) * 1_000_000
        return moment, moment


class _Yearless:
    """Month and day without a year. The file's last line was written when the file was; a line before it that seems
    to be later in the year is of the year before.

    Knows nothing of a gap of almost a year between two lines of one file.
    """

    sees_every_line = True

    def __init__(self, zone: ZoneInfo, written: float) -> None:
        self._zone = zone
        self._written = written
        self._head = b""
        self._day: int | None = None
        self._last = ("", 0)
        self._turns = 0

    def see(self, line: bytes, /) -> None:
        """Counts the turns of the year. Cheap where the day is that of the line before."""
        head = line[:6]
        if head == self._head:
            return
        match = _HEAD.match(line)
        if match is not None:
            self._head = head if match.start(1) == 0 else b""
            self._turn(match[1].decode(), int(match[2]))

    def taken(self, text: str, /) -> int:
        """How many turns of the year lie before this line."""
        self.see(text.encode("utf-8", "replace"))
        return self._turns

    def _turn(self, month: str, day: int) -> None:
        if month not in _DAYS_BEFORE:
            return
        number = _DAYS_BEFORE[month] + day
        if self._day is not None:
            step = number - self._day
            self._turns += (step < -_OUT_OF_ORDER) - (step >= 366 - _OUT_OF_ORDER - 1)
        self._day, self._last = number, (month, day)

    def meanings(self, text: str, taken: int, /) -> Meanings | None:
        match, year = _SYSLOG.fullmatch(text), self._year()
        if match is None or year is None or match[1] not in _MONTHS:
            return None
        name, day, hour, minute, second, fraction = match.groups()
        try:
            date = dt.date(year - self._turns + taken, _MONTHS[name], int(day))
            clock = dt.time(int(hour), int(minute), int(second), int((fraction or "0").ljust(6, "0")))
            shown = dt.datetime.combine(date, clock)
            return moments_of(shown, "timestamp", self._zone.key)
        except (ValueError, OverflowError, MalformedError):
            return None

    @property
    def lost(self) -> bool:
        return self._year() is None

    def _year(self) -> int | None:
        """The year of the last line: the file was written on that day, or a few days after it."""
        if not self._last[0]:
            return None
        (month, day), written = self._last, dt.datetime.fromtimestamp(self._written, self._zone).date()
        for year in (written.year + 1, written.year, written.year - 1):
            try:
                apart = (written - dt.date(year, _MONTHS[month], day)).days
            except ValueError:
                continue
            if -1 <= apart <= _QUIET:
                return year
        return None

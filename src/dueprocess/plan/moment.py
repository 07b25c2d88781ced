"""An address at an instant: what a target of the kind `ip_at_time` says.

``198.51.100.7 2026-09-01T10:00:00Z``, with a port ``198.51.100.7:40001 …`` or ``[2001:db8::1]:40001 …``. One exact
address, at most one port, one instant with its zone; no range of any of them has a form here.

Source: formats.md, "Scope".
"""

import datetime as dt
import ipaddress
import re
from dataclasses import dataclass

from dueprocess.demand import Period
from dueprocess.errors import MalformedError

_FORM = re.compile(
    r"(?:(?:\[(?P<bracketed>[0-9A-Fa-f:.]{2,45})\]|(?P<four>[0-9.]{7,15}))(?::(?P<port>[0-9]{1,5}))?"
    r"|(?P<six>[0-9A-Fa-f:.]{2,45})) "
    r"(?P<at>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d))",
    re.ASCII,
)
_MOST_PORT = 65_535
_MICRO = dt.timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Moment:
    """One address, the port where several people share it, and the instant."""

    address: ipaddress.IPv4Address | ipaddress.IPv6Address
    port: int | None
    at: dt.datetime

    @property
    def window(self) -> Period:
        """The microsecond that the instant is."""
        return Period(self.at, self.at + _MICRO)


def parse_moment(value: str, *, shared: bool = False) -> Moment:
    """What such a target's value says. Refuses everything but one address and one instant with a zone.

    ``shared`` says that several people share an address here, so that one without its port is refused too.
    """
    match = _FORM.fullmatch(value)
    if match is None:
        raise _bad()
    port = int(match["port"]) if match["port"] else None
    if port is not None and not 1 <= port <= _MOST_PORT:
        raise _bad()
    try:
        at = dt.datetime.fromisoformat(match["at"]).astimezone(dt.UTC)
        moment = Moment(_address(match), port, at)
        Period(at, at + _MICRO)
    except (ValueError, OverflowError) as error:
        raise _bad() from error
    if shared and port is None:
        raise MalformedError(
            "port-missing",
            "Several people share an address here, so the port must be named too.",
            do="Ask the authority for the source port.",
            source="formats.md, Scope",
        )
    return moment


def _address(match: re.Match[str]) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """With a port, an address of version 6 stands in brackets: without them nobody could tell where it ends."""
    if match["four"] is not None:
        return ipaddress.IPv4Address(match["four"])
    return ipaddress.IPv6Address(match["six"] or match["bracketed"])


def _bad() -> MalformedError:
    return MalformedError(
        "bad-moment",
        "An address at a time is one exact address and one instant with its zone.",
        why="An address changes hands: without an instant, and the port where people share it, it names nobody.",
        do="Write it as 198.51.100.7 2026-09-01T10:00:00Z, with a port 198.51.100.7:40001 2026-09-01T10:00:00Z.",
        source="formats.md, Scope",
    )

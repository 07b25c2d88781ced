"""A window of time: start inclusive, end exclusive, either end open on paper, never in an authorisation."""

import datetime as dt
from dataclasses import dataclass

from dueprocess.errors import MalformedError
from dueprocess.wire import instant, parse_instant


@dataclass(frozen=True, slots=True)
class Period:
    """``since <= t < until``; ``None`` means that the paper names no end on that side."""

    since: dt.datetime | None
    until: dt.datetime | None

    def __post_init__(self) -> None:
        for end in (self.since, self.until):
            if end is not None and end.tzinfo is None:
                raise MalformedError("naive-time", "A window needs times with their zone.")
        if self.since and self.until and self.since >= self.until:
            raise MalformedError(
                "empty-window", f"This window ends ({self.until}) before it begins ({self.since})."
            )

    @property
    def closed(self) -> bool:
        """Whether both ends are set, as an authorised scope needs."""
        return self.since is not None and self.until is not None

    def within(self, other: "Period") -> bool:
        """Whether every instant of this window lies in the other."""
        starts = other.since is None or (self.since is not None and self.since >= other.since)
        ends = other.until is None or (self.until is not None and self.until <= other.until)
        return starts and ends

    def intersect(self, other: "Period") -> "Period | None":
        """The common window, or None where there is none."""
        starts = [end for end in (self.since, other.since) if end is not None]
        ends = [end for end in (self.until, other.until) if end is not None]
        since, until = max(starts, default=None), min(ends, default=None)
        if since is not None and until is not None and since >= until:
            return None
        return Period(since, until)

    def as_json(self) -> dict[str, str | None]:
        return {
            "from": instant(self.since) if self.since else None,
            "until": instant(self.until) if self.until else None,
        }

    @classmethod
    def from_json(cls, since: str | None, until: str | None) -> "Period":
        return cls(
            parse_instant(since) if since is not None else None,
            parse_instant(until) if until is not None else None,
        )


UNBOUNDED = Period(None, None)

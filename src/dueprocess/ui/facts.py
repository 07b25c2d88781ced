"""What the public pages are made from: plain values that know no case."""

import datetime as dt
from dataclasses import dataclass

from dueprocess.law import Pack
from dueprocess.notice import Sender


@dataclass(frozen=True, slots=True)
class LogHead:
    """The newest checkpoint. ``address`` is where the tiles are, with a final slash; ``witnesses`` may be empty."""

    origin: str
    size: int
    root: str
    at: dt.datetime
    vkey: str
    address: str
    policy: str
    witnesses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReportLink:
    """One published half-year: ``2026H2`` and the path of its page."""

    period: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicFacts:
    """What the operator says about itself. ``about`` is one sentence; ``country`` is where it is.

    ``serve_at`` is where an authority sends its paper; ``emergency_at`` is empty where nobody answers at night.
    ``languages`` are BCP 47 codes. ``packs`` are the packs in force, overlays applied, the baseline among them;
    ``on`` is the day whose versions of their rules are shown. ``log`` is None before the first checkpoint.
    """

    origin: str
    operator: Sender
    about: str
    country: str
    serve_at: str
    languages: tuple[str, ...]
    on: dt.date
    packs: tuple[Pack, ...] = ()
    emergency_at: str = ""
    log: LogHead | None = None
    reports: tuple[ReportLink, ...] = ()

    @property
    def law(self) -> tuple[str, ...]:
        """The jurisdictions whose rules are in force here; empty where there are none."""
        return tuple(dict.fromkeys(each.jurisdiction for each in self.packs if each.kind == "regime"))

"""Where one hold stands: what a preservation demand led to. Folded from its events, like everything about a case."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from dueprocess.cases.events import Event
from dueprocess.wire import parse_instant

EndReason = Literal["lapsed", "expired", "released"]

END_REASONS: Mapping[EndReason, str] = {
    "lapsed": "no second person confirmed it in time",
    "expired": "the time for which the law wants the data kept is over",
    "released": "two people ended it",
}
"""How a hold can end: a code for history, its meaning for people."""


@dataclass(frozen=True, slots=True)
class HoldState:
    """One hold, from the signature that began it to the destruction of its key."""

    started: Event
    taken: Event | None = None
    confirmed: Event | None = None
    renewed: Event | None = None
    ended: Event | None = None
    destroyed: Event | None = None

    @property
    def hold_id(self) -> str:
        """32 hex digits: the name under which the key store keeps this hold's own key."""
        return self.started.text("hold_id")

    @property
    def decision_sha256(self) -> str:
        return self.started.text("decision_sha256")

    @property
    def confirm_until(self) -> dt.datetime:
        """The instant at which a hold that nobody confirmed lapses."""
        return parse_instant(self.started.text("confirm_until"))

    @property
    def until(self) -> dt.datetime:
        """The instant at which keeping ends: as it was signed, or as its renewal says."""
        if self.renewed is None:
            return parse_instant(self.started.text("until"))
        document = self.renewed.body["document"]
        assert isinstance(document, Mapping)
        return parse_instant(str(document["until"]))

    @property
    def readable(self) -> bool:
        """Whether a disclosure may name this hold: taken, confirmed by a second person, and not over."""
        return self.taken is not None and self.confirmed is not None and self.ended is None

    def owed_end(self, now: dt.datetime) -> EndReason | None:
        """Why this hold is to end at that instant, or None while it goes on or is over already."""
        if self.ended is not None:
            return None
        if self.confirmed is None and now >= self.confirm_until:
            return "lapsed"
        return "expired" if now >= self.until else None


_FIELD = {
    "HoldTaken": "taken",
    "HoldConfirmed": "confirmed",
    "HoldRenewed": "renewed",
    "HoldEnded": "ended",
    "HoldDestroyed": "destroyed",
}


def evolve_hold(hold: HoldState, event: Event) -> HoldState:
    """The hold after one more of its events."""
    return replace(hold, **{_FIELD[event.kind]: event})

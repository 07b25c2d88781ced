"""What the worker proved from the public log, and the gate's questions to it: sealed, fresh, seen long enough.

Pure. Waiting periods count in witness time, because the operator's own clock and tables can be set.

Source: formats.md, "Gate".
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dueprocess.cases.events import Event
from dueprocess.cases.logrules import Waiver
from dueprocess.errors import RefusedError
from dueprocess.roster import COOLING_OFF, Entry
from dueprocess.wire import instant

CLOCK_MARGIN = dt.timedelta(minutes=5)
"""By this much a witness's clock may be ahead of this machine's."""

_SOURCE = "formats.md, Gate"


@dataclass(frozen=True, slots=True)
class LogProof:
    """What the worker proved from the public log itself.

    ``sealed_at`` holds the events of this case that lie under an epoch root in a leaf of the signed head, with
    the instant at which the witnesses first saw each; ``roster_sealed_at`` the same for the rosters. Where no
    witnessed head holds an event, the instant is by the operator's clock. ``read_to`` is the last ledger number,
    with nothing missing up to it; ``head_at`` the head's time by its witnesses (of an unwitnessed one, the end of
    its newest epoch); ``demanded`` whether the policy in force asks for witnesses, ``witnessed`` whether they have
    seen this head, ``waiver`` what two people decided about going on without. ``recovered_after`` is the number of
    this case's newest event before the log's last recovery, 0 without one.
    """

    sealed_at: Mapping[int, dt.datetime]
    roster_sealed_at: Mapping[int, dt.datetime]
    read_to: int
    head_size: int
    head_at: dt.datetime
    witnessed: bool
    demanded: bool = False
    waiver: Waiver | None = None
    recovered_after: int = 0

    @property
    def words(self) -> str:
        """How the head was witnessed, for people."""
        if self.witnessed:
            return "witnessed"
        why = "two people let work go on without" if self.demanded else "the policy says `quorum none`"
        return f"not witnessed ({why})"

    def clock(self, now: dt.datetime) -> dt.datetime:
        """The clock that waiting periods end by: the witnesses' where there are any, else this machine's."""
        return self.head_at if self.witnessed else now

    def seen(self, event: Event) -> dt.datetime:
        """When the witnesses first saw an event of this case. Refuses one that is not sealed."""
        seen = self.sealed_at.get(event.case_seq)
        if seen is None:
            raise not_sealed([event.case_seq])
        return seen


def not_sealed(numbers: Sequence[int]) -> RefusedError:
    """The refusal for events that are not in the public log yet."""
    return RefusedError(
        "not-sealed",
        f"Events {list(numbers)} of this case are not in the public log yet.",
        why="Nothing is disclosed that was not sealed in the log first.",
        do="Wait for the epoch to close; the worker tries again by itself.",
        source="architecture.md 1.4; formats.md, Gate",
    )


def check_sealed(proof: LogProof, events: Sequence[Event]) -> None:
    """Refuses unless there are such events and each lies under the signed head."""
    missing = [event.case_seq for event in events if event.case_seq not in proof.sealed_at]
    if missing or not events:
        raise not_sealed(missing)


def check_witnessed(proof: LogProof, now: dt.datetime) -> None:
    """Refuses an unwitnessed head where the policy asks for witnesses and two people's waiver is not in force."""
    if proof.witnessed or not proof.demanded:
        return
    if proof.waiver is None or not proof.waiver.covers(max(now, proof.head_at)):
        raise RefusedError(
            "not-witnessed",
            "Too few witnesses have seen the newest head of the log, and nobody let work go on without them.",
            why=f"The last waiver ended at {instant(proof.waiver.until)}." if proof.waiver else "",
            do="Let the log's worker run until they answer. After 24 hours two people may let work go on without "
            "them: dueprocess unwitnessed.",
            source=_SOURCE,
        )


def check_fresh(proof: LogProof, now: dt.datetime, freshest: dt.timedelta) -> None:
    """Refuses a head from the future, and one that is old enough to hide something."""
    at = proof.head_at
    if at > now + CLOCK_MARGIN:
        raise RefusedError(
            "log-ahead",
            f"The newest head of the log is of {at:%Y-%m-%d %H:%M} UTC, after this machine's clock.",
            why="One of the two clocks is wrong, so nothing can be said about how old the log is.",
            do="Set the clock right.",
            source=_SOURCE,
        )
    if now - at > freshest:
        raise RefusedError(
            "log-stale",
            f"The newest head of the log is of {at:%Y-%m-%d %H:%M} UTC.",
            why="A head that old could hide a revocation or a challenge.",
            do="Let the log signer run; where witnesses do not answer, see dueprocess log.",
            source=_SOURCE,
        )


def check_told(proof: LogProof, letter: Event, window: dt.timedelta, now: dt.datetime) -> None:
    """Refuses while a user may still object, counted from when the witnesses first saw that they were told."""
    seen, clock = proof.seen(letter), proof.clock(now)
    if clock < seen + window:
        raise RefusedError(
            "notice-window",
            f"The user may object until {instant(seen + window)}, by the clocks of the witnesses.",
            why=f"The letter was first seen in the log at {instant(seen)}; the newest head is of {instant(clock)}.",
            do="Wait; production becomes possible by itself.",
            source=_SOURCE,
        )


def check_cooling_off(proof: LogProof, signer: Entry, signed: Event) -> None:
    """Refuses a signature of somebody whose enrolment the witnesses had not seen for 24 hours by then."""
    if signer.founding:
        return
    enrolled, given = proof.roster_sealed_at.get(signer.number), proof.seen(signed)
    if enrolled is None or given < enrolled + COOLING_OFF:
        seen = f"first seen at {instant(enrolled)}" if enrolled is not None else "not in the public log yet"
        raise RefusedError(
            "signer-new",
            f"{signer.id} signed before their enrolment had been in the public log for 24 hours.",
            why=f"By the witnesses' clocks the enrolment was {seen}, the signature at {instant(given)}.",
            do="Propose the decision afresh and let two people sign who were there before.",
            source=_SOURCE,
        )

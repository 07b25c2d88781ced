"""What a notice to a person states. Plain values: whoever sends it has looked them up and answers for them."""

import datetime as dt
from dataclasses import dataclass
from typing import Literal

from dueprocess.errors import MalformedError

Phase = Literal["before", "after", "after_delay"]


@dataclass(frozen=True, slots=True)
class Sender:
    """Who writes: the operator of the service, with a contact that the reader can check elsewhere."""

    name: str
    contact: str
    address: str


@dataclass(frozen=True, slots=True)
class Refused:
    """One thing that was asked and not given, why, and by which source."""

    what: str
    reason: str
    source: str


@dataclass(frozen=True, slots=True)
class Given:
    """One category that is or was handed over. ``records`` None before anything was collected; 0: nothing held."""

    category: str
    records: int | None = None


@dataclass(frozen=True, slots=True)
class Delay:
    """The order that forbade to tell: its legal basis and its time, ``until`` exclusive."""

    basis: str
    since: dt.datetime
    until: dt.datetime


@dataclass(frozen=True, slots=True)
class Proof:
    """The enclosed receipt: its file, the command that checks it, the log, who else keeps time.

    ``witnesses`` empty: nobody independent has confirmed the log; the letter says so.
    """

    file: str
    command: str
    origin: str
    witnesses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NoticeFacts:
    """One notice to one person about one account.

    ``asked``: categories (or words) that the paper demanded. ``window`` is the time of the records, end
    exclusive, or None where the data describe the account and not its use. ``checks``: what was done to
    find out whether the authority is real, in words.
    """

    phase: Phase
    sender: Sender
    written_on: dt.date
    addressee: str
    account: str
    authority: str
    instrument: str
    legal_basis: tuple[str, ...]
    checks: tuple[str, ...]
    asked: tuple[str, ...]
    refused: tuple[Refused, ...]
    given: tuple[Given, ...]
    window: tuple[dt.datetime, dt.datetime] | None
    received_on: dt.date
    decided_on: dt.date
    handed_over_on: dt.date | None
    object_to: str
    object_until: dt.datetime | None
    proof: Proof
    delay: Delay | None = None

    def __post_init__(self) -> None:
        wrong = {
            "a notice before disclosure has no day of handing over": self.phase == "before"
            and self.handed_over_on is not None,
            "a notice before disclosure says until when to object": self.phase == "before"
            and self.object_until is None,
            "a notice after disclosure names the day of handing over": self.phase != "before"
            and self.handed_over_on is None,
            "a notice names an order not to tell only, and always, when it was delayed": (self.delay is None)
            is (self.phase == "after_delay"),
            "a notice names the authority, the paper and at least one legal basis": not (
                self.authority and self.instrument and self.legal_basis
            ),
        }
        found = [sentence for sentence, holds in wrong.items() if holds]
        if found:
            raise MalformedError(
                "bad-notice",
                "These facts make no notice.",
                why="; ".join(found),
                do="Correct the facts of the case before the notice goes out; it cannot be called back.",
            )

    @property
    def held_nothing(self) -> bool:
        """Whether everything was looked for and nothing found."""
        return all(each.records == 0 for each in self.given)

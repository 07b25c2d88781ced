"""Reply: what a letter to an authority, to counsel or to a private party states, as plain values.

There is no place here for an account, a name of a user or any other identifier: a letter that cannot hold one cannot
repeat one. Whoever writes has looked the values up and answers for them.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Literal

from dueprocess.law.assessment import FindingKind
from dueprocess.notice.facts import Sender

Interest = Literal["fundamental_rights", "security", "other"]
"""What the law of the third country protects (Annex III, section E)."""
Topic = Literal["comity", "quash", "reverse", "silence"]
"""Parts of the checklist for counsel."""
Hindrance = Literal["impossible", "errors", "insufficient"]
"""Why a removal order cannot be executed (Regulation (EU) 2021/784, Annex III, section B)."""


@dataclass(frozen=True, slots=True)
class Point:
    """One finding: its sentence, its source, the box that it ticks, and what the authority would have to send.

    ``own``: a person wrote it, in the language of the letter; else it is a pack's sentence, in English.
    """

    kind: FindingKind
    text: str
    source: str = ""
    reason: str = ""
    missing: str = ""
    own: bool = False


@dataclass(frozen=True, slots=True)
class Period:
    """A time limit by our count. ``due_at`` None: it shows no date."""

    text: str
    due_at: dt.datetime | None
    source: str = ""


@dataclass(frozen=True, slots=True)
class Box:
    """A reason on the law's answer form. ``text`` is the pack's word for it; the form prints the law's own."""

    code: str
    text: str
    ticked: bool


@dataclass(frozen=True, slots=True)
class Certificate:
    """Which certificate an Annex III answers, and the authorities on it (sections A and B)."""

    kind: Literal["EPOC", "EPOC-PR"]
    issued_on: dt.date
    validating: str = ""
    validating_reference: str = ""
    enforcing: str = ""
    enforcing_reference: str = ""


@dataclass(frozen=True, slots=True)
class Office:
    """The designated establishment or legal representative, and who signs for it (section H)."""

    name: str
    person: str
    address: str
    email: str
    authorised: str
    post: str = ""
    phone: str = ""
    fax: str = ""


@dataclass(frozen=True, slots=True)
class ThirdCountryLaw:
    """The law of a third country that forbids what an EPOC demands (section E). ``interests``: each with its words."""

    title: str
    provisions: str
    interests: tuple[tuple[Interest, str], ...]
    why_applicable: str
    why_conflict: str
    link: str
    consequences: str
    more: str = ""


@dataclass(frozen=True, slots=True)
class MoreTime:
    """Until when more time is asked for, and why, in the language of the letter."""

    until: dt.date
    because: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Removal:
    """Why a removal order for terrorist content cannot be executed in time (Regulation (EU) 2021/784, Annex III)."""

    received_at: dt.datetime
    hindrances: tuple[Hindrance, ...]
    because: str
    needed: str = ""
    """The errors, and what further information is needed; demanded with ``errors`` and ``insufficient``."""


@dataclass(frozen=True, slots=True)
class Silence:
    """An order not to tell that names no end. ``asked``: the days on which its end was asked for."""

    order: str
    began_on: dt.date
    court: str = ""
    docket: str = ""
    asked: tuple[dt.date, ...] = ()
    federal: bool = False
    """Whether 18 USC 2705(b) and the policy of the US Department of Justice apply."""


@dataclass(frozen=True, slots=True)
class Route:
    """Where a request belongs that has no force here.

    ``foreign``: it comes from a State whose orders do not bind us. ``gdpr``: whether Regulation (EU) 2016/679 binds
    us, so that its Article 48 is cited. ``treaty`` and ``authority`` empty: not known, and the letter says so.
    """

    foreign: bool
    gdpr: bool = False
    treaty: str = ""
    authority: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyFacts:
    """What one reply states. Each letter refuses what it lacks; what it does not use, it ignores."""

    sender: Sender
    recipient: str
    recipient_address: tuple[str, ...] = ()
    written_on: dt.date
    received_on: dt.date
    instrument: str = ""
    instrument_code: str = ""
    reference: str = ""
    """The authority's own number, as the paper gives it."""
    own_reference: str = ""
    signed_by: str = ""
    points: tuple[Point, ...] = ()
    periods: tuple[Period, ...] = ()
    reasons: tuple[Box, ...] = ()
    preserved: bool | None = None
    """True: what the paper names is kept from deletion. In Annex III, False ticks the exceptional box."""
    certificate: Certificate | None = None
    office: Office | None = None
    third_country: ThirdCountryLaw | None = None
    more_time: MoreTime | None = None
    removal: Removal | None = None
    silence: Silence | None = None
    route: Route | None = None
    court_path: str = ""
    """How a private party can turn to a court, in the language of the letter."""
    report_to: str = ""
    """Where anybody can report content."""
    topics: tuple[Topic, ...] = ("comity", "quash", "reverse", "silence")

"""The fictional people of the demonstration, and what a person transcribes from each paper.

The transcriptions are typed in, as the step `read` asks for: nothing here reads a paper by machine.
"""

import datetime as dt
from dataclasses import dataclass

from dueprocess.cli.demo.homeserver import SERVER_NAME
from dueprocess.demand import Demand, NondisclosureOrder, Period, Scope, ScopeItem, Target, expand


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account. ``line`` is what they always say, ``rooms`` where they say it."""

    name: str
    display_name: str
    line: str
    rooms: tuple[str, ...]

    @property
    def id(self) -> str:
        return f"@{self.name}:{SERVER_NAME}"

    @property
    def mail(self) -> str:
        return f"{self.name}@post.example"


CHOIR, ALLOTMENT = "Harbour choir rehearsals", "Allotment number nine"

EVA = Person("eva", "Eva of the Lighthouse", "The altos meet at seven.", (CHOIR,))
FINN = Person("finn", "Finn Who Sings Bass", "I shall bring the scores.", (CHOIR, ALLOTMENT))
GINA = Person("gina", "Gina Greenfingers", "The beans are up.", (ALLOTMENT,))
IVO = Person("ivo", "Ivo the Organist", "The bellows leak again.", (CHOIR,))
JUDY = Person("judy", "Judy from Next Door", "Who has the wheelbarrow?", (ALLOTMENT,))
ADMIN = Person("operator", "", "", ())

PEOPLE = (EVA, FINN, GINA, IVO, JUDY)
CANARY_PEOPLE = (IVO, JUDY)
"""Nobody asked about them: whatever is theirs must stand in no parcel."""

EVERYTHING = ("subscriber", "session", "traffic", "location", "content")


@dataclass(frozen=True, slots=True)
class Read:
    """What both transcriptions need beside the words of the paper.

    ``window`` runs from the start that both papers name to the receipt of the first one.
    """

    window: Period
    received_at: dt.datetime
    issued_on: dt.date
    nonce: bytes
    authority: str
    """Id of the authority in the roster."""


def demand_1(read: Read) -> Demand:
    """The court order under 2703(d): everything about Eva and Finn since the window's start, with no end."""
    period = Period(read.window.since, None)
    items = tuple(
        ScopeItem(Target("account", person.id), expand(EVERYTHING), period) for person in (EVA, FINN)
    )
    return Demand(
        kind="disclosure",
        regime="us",
        instrument="d_order",
        scope=Scope(read.nonce, items),
        received_at=read.received_at,
        issuer_kind="judge",
        authority_id=read.authority,
        legal_bases=("18 USC 2703(d)",),
        issued_on=read.issued_on,
        elements=_FOUND,
        identifies=False,
    )


def demand_2(read: Read, *, due_on: dt.date, silent_until: dt.datetime) -> Demand:
    """The grand jury subpoena about Gina inside the window, with the court's order not to tell her before its end."""
    wanted = expand(("subscriber.identity", "subscriber.service", "session.times"))
    item = ScopeItem(Target("account", GINA.id), wanted, read.window)
    starts = dt.datetime.combine(read.issued_on, dt.time(), dt.UTC)
    return Demand(
        kind="disclosure",
        regime="us",
        instrument="subpoena",
        scope=Scope(read.nonce, (item,)),
        received_at=read.received_at,
        issuer_kind="grand_jury",
        authority_id=read.authority,
        legal_bases=("18 USC 2703(c)(2)", "18 USC 2705(b)"),
        issued_on=read.issued_on,
        due_on=due_on,
        nondisclosure=NondisclosureOrder("18 USC 2705(b)", starts, silent_until, certified=True),
        elements=_FOUND,
        identifies=False,
    )


_FOUND = frozenset({"signature", "issuer", "date", "identifier", "legal_basis"})
"""The formal elements that a person finds on either paper."""

"""What a letter rests on: what is known of one paper, from its case or a facts file, before a person adds to it."""

import datetime as dt
import zoneinfo
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from dueprocess.cases.case import Case
from dueprocess.cases.reply import endless_silence
from dueprocess.demand import Demand, PaperFacts, ReverseDemand
from dueprocess.desk.assessments import assessed, calendars_for, current, reading
from dueprocess.desk.desk import Desk
from dueprocess.desk.letterfile import Value, Values
from dueprocess.desk.packs import named_packs
from dueprocess.desk.resolving import account
from dueprocess.errors import RefusedError
from dueprocess.law import Assessment, Pack, assess, assess_reverse
from dueprocess.wire import parse_instant

REMOVAL = "tco_removal"
"""The instrument whose law has a form of its own for what cannot be done in time."""
_CERTIFICATES = {"epoc": "EPOC", "epoc_pr": "EPOC-PR"}
_FOREIGN = {"foreign_order": True, "mlat_request": True, "informal_request": False}
"""Instruments of the baseline pack that say by themselves which way a redirection speaks of."""
_OPEN = frozenset({"assessed", "narrowed", "proposed"})


@dataclass(frozen=True, slots=True)
class Ground:
    """What is known of one paper. ``known`` has the keys of a letter file; it holds no account.

    ``assessment`` None: nobody has checked the paper yet.
    """

    known: Values
    zone: dt.tzinfo
    """Of the law by which it was checked: days are its days."""
    received_at: dt.datetime
    instrument: str = ""
    instrument_code: str = ""
    country: str | None = None
    assessment: Assessment | None = None
    packs: tuple[Pack, ...] = ()
    accounts: tuple[str, ...] = ()
    """What no letter may name."""
    asked: tuple[dt.date, ...] = ()
    """Days on which the end of the order not to tell was asked for."""
    silence_ends: bool = False
    """Whether there is an order not to tell that names its end, or was lifted."""

    @property
    def received_on(self) -> dt.date:
        return self.received_at.astimezone(self.zone).date()


def of_case(desk: Desk, case: Case, *, checked: bool = True) -> Ground:
    """What a case knows. The assessment is the recorded one, computed again; before a decision it must still hold.

    ``checked`` False: what it knows without any assessment, so that nothing but the paper can be in the way.
    """
    if case.erased is not None:
        raise RefusedError("erased", f"Case {case.case_id[:8]} is erased: nothing is left to write of.")
    assert case.received is not None
    place, known = desk.installation, dict[str, Value]()
    known |= {
        "sender.name": place.operator,
        "sender.contact": place.contact,
        "sender.address": place.origin.split("/")[0],
    }
    authority = desk.roster().authority(case.verified.text("authority")) if case.verified else None
    if authority is not None:
        known["recipient"] = authority.about.get("name", authority.id)
    received_at = parse_instant(case.received.recorded_at)
    if case.read is None:
        return Ground(known, dt.UTC, received_at)
    demand, found, packs = reading(desk, case), None, tuple[Pack, ...]()
    if case.assessed is not None and checked:
        found = (current if case.stage in _OPEN else assessed)(desk, case)
        packs = desk.packs_of(named_packs(case.assessed))
    ground = _of_paper(demand, found, packs, known)
    ground = replace(ground, accounts=(*ground.accounts, *_found(desk, case)))
    return _with_silence(ground, case, ends=demand.nondisclosure is not None and not endless_silence(case))


def of_paper(paper: Demand | ReverseDemand, packs: Sequence[Pack], on: dt.date) -> Ground:
    """What a facts file says, checked against these packs on a day: no case, no installation."""
    calendars = calendars_for(packs, paper)
    if isinstance(paper, ReverseDemand):
        found = assess_reverse(paper, packs, on=on, calendars=calendars)
    else:
        found = assess(paper, packs, on=on, calendars=calendars)
    return _of_paper(paper, found, tuple(packs), {})


def _of_paper(
    paper: Demand | ReverseDemand,
    found: Assessment | None,
    packs: tuple[Pack, ...],
    known: Mapping[str, Value],
) -> Ground:
    code = found.instrument if found is not None and found.instrument else paper.instrument
    zone = _zone(found, packs, paper.country)
    return Ground(
        {**known, **_said(paper, code, zone)},
        zone,
        paper.received_at,
        instrument=_named(found, packs),
        instrument_code=code,
        country=paper.country,
        assessment=found,
        packs=packs,
        accounts=_accounts(paper),
        silence_ends=paper.nondisclosure is not None and paper.nondisclosure.until is not None,
    )


def _with_silence(ground: Ground, case: Case, *, ends: bool) -> Ground:
    days = [
        parse_instant(each.recorded_at).astimezone(ground.zone).date()
        for each in case.letters
        if each.body["letter"] == "end_of_silence"
    ]
    return replace(ground, asked=tuple(dict.fromkeys(days)), silence_ends=ends)


def _said(paper: PaperFacts, code: str, zone: dt.tzinfo) -> dict[str, Value]:
    """What the transcription says that a letter repeats."""
    known: dict[str, Value] = {}
    if code in _CERTIFICATES:
        known["certificate.kind"] = _CERTIFICATES[code]
        known |= {"certificate.issued_on": paper.issued_on} if paper.issued_on else {}
    if code == REMOVAL:
        known["removal.received_at"] = paper.received_at.astimezone(zone)
    if paper.nondisclosure is not None:
        known["silence.order"] = paper.nondisclosure.basis
        known["silence.began_on"] = paper.nondisclosure.starts_on.astimezone(zone).date()
    if code in _FOREIGN:
        known["route.foreign"] = _FOREIGN[code]
    return known


def _accounts(paper: Demand | ReverseDemand) -> tuple[str, ...]:
    """Whom the paper names. The address of a content is not among them: its form may have to repeat it."""
    if isinstance(paper, ReverseDemand):
        return ()
    targets = (each.target for each in paper.scope.items)
    return tuple(each.value for each in targets if each.kind != "content_url")


def _found(desk: Desk, case: Case) -> list[str]:
    """The accounts that were found behind what the paper names."""
    named = (account(desk, case, ref) for ref in case.targets)
    return [each.value for each in named if each is not None]


def _applied(found: Assessment | None, packs: Sequence[Pack]) -> list[Pack]:
    """The packs by which it was checked, the one whose instrument answers first."""
    by_digest = {each.sha256: each for each in packs}
    return [by_digest[each.sha256] for each in found.packs if each.sha256 in by_digest] if found else []


def _zone(found: Assessment | None, packs: Sequence[Pack], country: str | None) -> dt.tzinfo:
    zones = [each.zones.get(country or "", each.zone) for each in _applied(found, packs)]
    return zoneinfo.ZoneInfo(next((each for each in zones if each), "UTC"))


def _named(found: Assessment | None, packs: Sequence[Pack]) -> str:
    """The paper's name in words; empty where no law knows it."""
    if found is None or found.instrument is None:
        return ""
    named = (each.instrument(found.instrument, found.on) for each in _applied(found, packs))
    return next((each.name for each in named if each is not None), "")

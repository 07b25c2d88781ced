"""Pack: the rules of one law as frozen values, each with its source, its dates and how sure it is.

A pack holds no default. What it does not say, nobody may assume: the assessment then asks for counsel.

Source: law.md 1 (model), architecture.md section 3 (``rulepacks/<jurisdiction>/``).
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

from dueprocess.demand import Category, DemandKind, IssuerKind, Purpose
from dueprocess.wire import Json

Basis = Literal["statute", "case law", "practice", "inference", "unverified"]
"""How a rule is known. ``inference`` is our own reading; ``unverified`` was not read at its source."""
Compulsion = Literal["compulsory", "voluntary"]
ClockStart = Literal["received", "due_on", "nondisclosure_start", "nondisclosure_end", "outside"]
"""``outside``: begins with something that the demand does not record, so it shows no date."""
NoticeWord = Literal["required", "allowed_before_production", "delayed_until", "forbidden_by"]
Objector = Literal["operator", "user"]

BASES: tuple[Basis, ...] = get_args(Basis)
SURE: frozenset[Basis] = frozenset({"statute", "case law"})


@dataclass(frozen=True, slots=True)
class Source:
    """A text of law. ``read_on`` None means that nobody read it for this pack; ``not_read`` says why."""

    key: str
    short: str
    title: str
    address: str
    version: str
    read_on: dt.date | None
    not_read: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Citation:
    """A place in a source, and what kind of support it gives."""

    source: str
    section: str
    label: str
    basis: Basis

    def __str__(self) -> str:
        return self.label if self.basis in SURE else f"{self.label}; {self.basis}"

    def as_json(self) -> dict[str, Json]:
        return {"source": self.source, "section": self.section, "label": self.label, "basis": self.basis}


@dataclass(frozen=True, slots=True)
class Rule:
    """One sentence of law in plain words, in force for ``since <= day < until``."""

    id: str
    text: str
    citation: Citation
    since: dt.date
    until: dt.date | None
    do: str = ""
    """What the operator does about it, in one sentence."""

    @property
    def basis(self) -> Basis:
        return self.citation.basis

    def in_force(self, on: dt.date) -> bool:
        return self.since <= on and (self.until is None or on < self.until)


@dataclass(frozen=True, slots=True)
class Reach:
    """Categories that an instrument reaches. ``purpose`` set: only for a demand with that sole purpose."""

    categories: frozenset[Category]
    rule: str
    purpose: Purpose = None


@dataclass(frozen=True, slots=True)
class Never:
    """Categories that an instrument does not reach; the first rule says why, the others explain."""

    categories: frozenset[Category]
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Element:
    """Something that the paper must carry."""

    code: str
    meaning: str
    rule: str


@dataclass(frozen=True, slots=True)
class Objection:
    """A way to contest the paper. ``categories`` not empty: only when one of them is demanded."""

    code: str
    who: Objector
    rule: str
    categories: frozenset[Category]


@dataclass(frozen=True, slots=True)
class NoticeRule:
    """Whether the operator tells the user, when no nondisclosure order says otherwise."""

    word: NoticeWord
    rule: str


@dataclass(frozen=True, slots=True)
class Clock:
    """A legal period: ``days`` after its start (0 where the paper or the order itself names the day)."""

    rule: Rule
    starts: ClockStart
    days: int
    categories: frozenset[Category]

    @property
    def id(self) -> str:
        return self.rule.id


@dataclass(frozen=True, slots=True)
class NondisclosureBasis:
    """A law that lets an authority forbid telling, and what its order must carry."""

    rule: Rule
    names: tuple[str, ...]
    """Spellings of the citation as papers give it; compared without spaces, dots and section signs."""
    requires: str
    end_clock: str
    review_clock: str
    """The clock that runs when the order names no end."""

    @property
    def id(self) -> str:
        return self.rule.id


@dataclass(frozen=True, slots=True)
class Instrument:
    """A kind of legal paper: who may issue it, what it reaches, what it must carry, what follows."""

    code: str
    name: str
    rule: Rule
    demand_kind: DemandKind
    compulsion: Compulsion
    emergency: bool
    issuers: frozenset[IssuerKind]
    issuers_rule: str
    window_rule: str
    notice: NoticeRule
    reaches: tuple[Reach, ...]
    nevers: tuple[Never, ...]
    elements: tuple[Element, ...]
    objections: tuple[Objection, ...]
    clocks: tuple[str, ...]
    nondisclosure: tuple[str, ...]
    notes: tuple[str, ...]
    report_cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pack:
    """The rules of one law. ``reviewed_by`` empty: no counsel has reviewed it, and it says so everywhere."""

    id: str
    version: str
    jurisdiction: str
    title: str
    status: str
    reviewed_by: str
    reviewed_on: dt.date | None
    sources: tuple[Source, ...]
    rules: tuple[Rule, ...]
    clocks: tuple[Clock, ...]
    nondisclosure: tuple[NondisclosureBasis, ...]
    instruments: tuple[Instrument, ...]
    sha256: str
    """Digest of the canonical JSON of the parsed content: spaces, comments and key order do not count."""

    def rule(self, rule_id: str, on: dt.date) -> Rule | None:
        """The version of a rule that is in force on a day, if any."""
        return next((rule for rule in self.rules if rule.id == rule_id and rule.in_force(on)), None)

    def clock(self, clock_id: str, on: dt.date) -> Clock | None:
        return next((each for each in self.clocks if each.id == clock_id and each.rule.in_force(on)), None)

    def instrument(self, code: str, on: dt.date) -> Instrument | None:
        return next((each for each in self.instruments if each.code == code and each.rule.in_force(on)), None)

    def knows(self, code: str) -> bool:
        """Whether the pack names this instrument on any day."""
        return any(each.code == code for each in self.instruments)

    def source(self, key: str) -> Source:
        return next(each for each in self.sources if each.key == key)

    def nondisclosure_named(self, basis: str, on: dt.date) -> NondisclosureBasis | None:
        """The nondisclosure law that a citation on paper means, in force on a day."""
        wanted = citation_key(basis)
        named = (each for each in self.nondisclosure if each.rule.in_force(on))
        return next((each for each in named if wanted in map(citation_key, each.names)), None)


def citation_key(text: str) -> str:
    """Letters and digits of a citation in lower case, so that spacing and section signs do not matter."""
    return "".join(each for each in text.lower() if each.isalnum())


def regime_packs(packs: Iterable[Pack], regime: str) -> tuple[Pack, ...]:
    """The packs of a regime, ordered by id and digest: ``us`` means ``us`` and ``us.sca``, not ``usx``."""
    chosen = (pack for pack in packs if pack.id == regime or pack.id.startswith(regime + "."))
    return tuple(sorted(chosen, key=lambda pack: (pack.id, pack.sha256))) if regime else ()

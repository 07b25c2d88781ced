"""Pack: the rules of one law as frozen values, each with its source, its dates and how sure it is.

A pack holds no default. What it does not say, nobody may assume: the assessment then asks for counsel.

Source: law.md 1 (model), architecture.md section 3 (``rulepacks/<jurisdiction>/``).
"""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, get_args

from dueprocess.demand import Answer, Category, DemandKind, IssuerKind, Purpose
from dueprocess.wire import Json

Basis = Literal["statute", "case law", "practice", "inference", "unverified"]
"""How a rule is known. ``inference`` is our own reading; ``unverified`` was not read at its source."""
Compulsion = Literal["compulsory", "voluntary"]
ClockStart = Literal["received", "issued_on", "due_on", "nondisclosure_start", "nondisclosure_end", "outside"]
"""``outside``: begins with something that the demand does not record, so it shows no date."""
Unit = Literal["hours", "days", "weeks", "months", "working_days"]
Counting = Literal["elapsed", "after_day", "with_day"]
"""How a period is counted. ``elapsed``: from the instant, to the instant. ``after_day``: the day of the event does not
count, the period ends with its last day. ``with_day``: the day of the event is the first day."""
PackKind = Literal["regime", "baseline", "overlay"]
"""``baseline`` is used with every other pack and is a floor; an ``overlay`` makes one pack stricter."""
Asked = Literal["paper", "service", "matter"]
"""What a question is about: what the paper says, what our service is, what the matter is."""
Knower = Literal[
    "counsel", "co_signer", "needed_to_comply", "permitted_by_authority", "controller", "enforcing_authority",
    "own_government",
]  # fmt: skip
"""Who else may know of a paper whose subject may not be told."""
LetterCode = Literal[
    "holding", "deficiency", "delay", "redirect", "refusal", "objection", "annex3", "reciprocal_notice",
    "end_of_silence", "motion_checklist", "private_party",
]  # fmt: skip
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
class Condition:
    """A fact that must be known and be one of these answers. What nobody knows does not meet it.

    ``fact`` is a question of the pack, or one of ``BUILT_IN``.
    """

    fact: str
    among: frozenset[Answer]
    rule: str
    reason: str = ""
    """Code of the box on the law's answer form, where it has one."""


BUILT_IN: tuple[str, ...] = ("emergency", "identifies", "country", "issuer_kind", "validated_by")
"""Facts of every demand that a condition may name besides the pack's own questions."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question that a pack asks the reader. ``choices`` empty: yes or no."""

    id: str
    text: str
    about: Asked
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Flag:
    """Something that a reader may notice and that bars or lowers. Only the baseline and overlays have flags."""

    id: str
    question: str
    rule: str
    ceiling: str
    """An outcome's code, ``permit_all`` for a mere note."""
    reason: str = ""
    letter: LetterCode | None = None


@dataclass(frozen=True, slots=True)
class Reason:
    """A box on the form with which a law wants to be answered (Annex III of Regulation (EU) 2023/1543)."""

    code: str
    text: str
    rule: str


@dataclass(frozen=True, slots=True)
class MayKnow:
    """Somebody who may be told although the subject may not."""

    who: Knower
    rule: str


@dataclass(frozen=True, slots=True)
class Reach:
    """Categories that an instrument reaches, as long as all that follows is met.

    ``purpose`` set: only for a demand with that sole purpose. ``by`` not empty: only where one of these issued or
    validated it. ``needs``: all of these conditions.
    """

    categories: frozenset[Category]
    rule: str
    purpose: Purpose = None
    by: frozenset[IssuerKind] = frozenset()
    by_rule: str = ""
    by_reason: str = ""
    needs: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Never:
    """Categories that an instrument does not reach; the first rule says why, the others explain."""

    categories: frozenset[Category]
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Element:
    """Something that the paper must carry.

    ``categories`` not empty: only when one of them is demanded. ``when``: only where each of these conditions is met
    or not known.
    """

    code: str
    meaning: str
    rule: str
    reason: str = ""
    categories: frozenset[Category] = frozenset()
    when: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Objection:
    """A way to contest the paper. ``categories`` not empty: only when one of them is demanded."""

    code: str
    who: Objector
    rule: str
    categories: frozenset[Category]
    letter: LetterCode | None = None


@dataclass(frozen=True, slots=True)
class NoticeRule:
    """Whether the operator tells the user, when no nondisclosure order says otherwise.

    ``settled`` False (with ``delayed_until``): the law does not say; nobody is told until counsel has decided.
    """

    word: NoticeWord
    rule: str
    settled: bool = True


@dataclass(frozen=True, slots=True)
class Clock:
    """A legal period: ``length`` units after its start (0 where the paper or the order itself names the day).

    ``roll``: a last day that is no working day moves to the next one. ``categories`` not empty: only when one of them
    is demanded. ``when``: only where each of these conditions is met or not known.
    """

    rule: Rule
    starts: ClockStart
    length: int
    unit: Unit = "days"
    counting: Counting = "elapsed"
    roll: bool = False
    categories: frozenset[Category] = frozenset()
    when: tuple[Condition, ...] = ()

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
    conditions: tuple[Condition, ...] = ()
    """What must hold for the paper to reach anything at all."""
    may_know: tuple[MayKnow, ...] = ()
    solo: str = ""
    """The rule that says what a host without a second person does when its lock outlasts the clock."""
    letters: tuple[LetterCode, ...] = ()
    reverse: tuple[str, ...] = ()
    """Kinds of reverse demand (``REVERSE_KINDS``) that come as this paper. Not empty: it reaches nothing, ever."""
    ceiling: str = "permit_all"
    """The highest outcome that this kind of paper can have, by its code; ``ceiling_rule`` says why."""
    ceiling_rule: str = ""


@dataclass(frozen=True, slots=True)
class Floor:
    """What no pack may lower (baseline only)."""

    elements: tuple[str, ...]
    """Codes that each compulsory instrument for disclosure must require."""
    elements_rule: str
    content_by: frozenset[IssuerKind]
    """Only these may, by issuing or validating, let compulsory disclosure reach content."""
    content_rule: str


@dataclass(frozen=True, slots=True)
class Tightening:
    """What an overlay adds to instruments of the pack that it overlays. Nothing in it can widen."""

    instruments: tuple[str, ...]
    nevers: tuple[Never, ...] = ()
    elements: tuple[Element, ...] = ()
    conditions: tuple[Condition, ...] = ()
    issuers: frozenset[IssuerKind] | None = None
    """Only these of the issuers remain."""
    issuers_rule: str = ""
    notice: NoticeRule | None = None
    """``required`` in place of ``allowed_before_production``; no other change exists."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
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
    kind: PackKind = "regime"
    overlays: str = ""
    """Id of the pack that an overlay makes stricter; it may be an overlay itself."""
    countries: tuple[str, ...] = ()
    """States whose law this is, ISO 3166-1 alpha-2."""
    zone: str = ""
    """IANA name of the law's time zone; empty: UTC, which its clocks say."""
    zones: Mapping[str, str] = field(default_factory=dict)
    """Zone by country of the authority, for a law of several States; goes before ``zone``."""
    holidays: str = ""
    """Region of the calendar for working days: ISO code such as ``DE`` or ``GB-ENG``, ``issuer`` for the authority's
    country, or empty where no clock needs one."""
    questions: tuple[Question, ...] = ()
    reasons: tuple[Reason, ...] = ()
    flags: tuple[Flag, ...] = ()
    floor: Floor | None = None
    tightenings: tuple[Tightening, ...] = ()
    layers: tuple["Pack", ...] = ()
    """The overlays that were applied to this pack, lowest first. Empty for a pack as it was parsed."""

    @cached_property
    def _rules(self) -> dict[str, list[Rule]]:
        return _by_id(self.rules, lambda each: each.id)

    @cached_property
    def _clocks(self) -> dict[str, list[Clock]]:
        return _by_id(self.clocks, lambda each: each.id)

    @cached_property
    def _instruments(self) -> dict[str, list[Instrument]]:
        return _by_id(self.instruments, lambda each: each.code)

    def rule(self, rule_id: str, on: dt.date) -> Rule | None:
        """The version of a rule that is in force on a day, if any."""
        return next((each for each in self._rules.get(rule_id, ()) if each.in_force(on)), None)

    def clock(self, clock_id: str, on: dt.date) -> Clock | None:
        return next((each for each in self._clocks.get(clock_id, ()) if each.rule.in_force(on)), None)

    def instrument(self, code: str, on: dt.date) -> Instrument | None:
        return next((each for each in self._instruments.get(code, ()) if each.rule.in_force(on)), None)

    def knows(self, code: str) -> bool:
        """Whether the pack names this instrument on any day."""
        return code in self._instruments

    def source(self, key: str) -> Source:
        return next(each for each in self.sources if each.key == key)

    def nondisclosure_named(self, basis: str, on: dt.date) -> NondisclosureBasis | None:
        """The nondisclosure law that a citation on paper means, in force on a day."""
        wanted = citation_key(basis)
        named = (each for each in self.nondisclosure if each.rule.in_force(on))
        return next((each for each in named if wanted in map(citation_key, each.names)), None)


def _by_id[T](values: Iterable[T], name: Callable[[T], str]) -> dict[str, list[T]]:
    found: dict[str, list[T]] = {}
    for each in values:
        found.setdefault(name(each), []).append(each)
    return found


def citation_key(text: str) -> str:
    """Letters and digits of a citation in lower case, so that spacing and section signs do not matter."""
    return "".join(each for each in text.lower() if each.isalnum())


def regime_packs(packs: Iterable[Pack], regime: str) -> tuple[Pack, ...]:
    """The packs of a regime, ordered by id and digest: ``us`` means ``us`` and ``us.sca``, not ``usx``."""
    chosen = (pack for pack in packs if pack.id == regime or pack.id.startswith(regime + "."))
    return tuple(sorted(chosen, key=lambda pack: (pack.id, pack.sha256))) if regime else ()

"""The intake profile: what an authority must know before it sends a paper, as one value.

The page "Send us a request" and ``/.well-known/dueprocess.json`` are two spellings of this value. Names of fields are
the members of the JSON; lists are in a fixed order.

Source: specs/intake/README.md.
"""

import dataclasses
from dataclasses import dataclass
from typing import Any

from dueprocess.notice.words import clean
from dueprocess.wire import Json, canonical


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing that we say, with a word for programs."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class CitedRule:
    """A sentence of a pack with its place in a source. ``citation`` says so where nobody read the source."""

    rule: str
    text: str
    citation: str
    source: str
    basis: str
    since: str
    until: str | None


@dataclass(frozen=True, slots=True)
class Need:
    """A fact that must be one of these answers; a yes or no is spelled so."""

    fact: str
    question: str
    answers: tuple[str, ...]
    rule: CitedRule


@dataclass(frozen=True, slots=True)
class Shown:
    """Something that the paper must show; ``categories`` not empty: only for these; ``when``: only where these hold."""

    code: str
    meaning: str
    categories: tuple[str, ...]
    when: tuple[Need, ...]
    rule: CitedRule


@dataclass(frozen=True, slots=True)
class Reached:
    """Data that a paper can reach, as long as everything named here is met."""

    categories: tuple[str, ...]
    only_to_identify: bool
    by: tuple[str, ...]
    by_rules: tuple[CitedRule, ...]
    needs: tuple[Need, ...]
    rule: CitedRule


@dataclass(frozen=True, slots=True)
class NeverReached:
    """Data that a paper never reaches; the first rule says why."""

    categories: tuple[str, ...]
    rules: tuple[CitedRule, ...]


@dataclass(frozen=True, slots=True)
class Period:
    """How long we have: ``length`` units from ``starts``; 0 where the paper itself names the day."""

    id: str
    starts: str
    length: int
    unit: str
    counting: str
    roll: bool
    categories: tuple[str, ...]
    when: tuple[Need, ...]
    rule: CitedRule


@dataclass(frozen=True, slots=True)
class Silence:
    """A law under which an order can forbid us to tell, and what that order needs."""

    names: tuple[str, ...]
    requires: str
    rule: CitedRule


@dataclass(frozen=True, slots=True)
class Telling:
    """Whether and when we tell the person. ``settled`` False: the law does not say, and counsel decides."""

    word: str
    settled: bool
    rule: CitedRule
    orders: tuple[Silence, ...]


@dataclass(frozen=True, slots=True)
class Contest:
    """A way to contest the paper, and for whom: operator or user."""

    code: str
    who: str
    categories: tuple[str, ...]
    rule: CitedRule


@dataclass(frozen=True, slots=True)
class Issuers:
    """Who may issue a paper."""

    among: tuple[str, ...]
    rule: CitedRule


@dataclass(frozen=True, slots=True)
class Handling:
    """What can become of a paper here, at best."""

    code: str
    text: str
    rules: tuple[CitedRule, ...]


@dataclass(frozen=True, slots=True)
class InstrumentEntry:
    """One kind of paper under one law. ``section`` is its place on the page."""

    code: str
    name: str
    section: str
    demand_kind: str
    compulsion: str
    emergency: bool
    names_nobody: tuple[str, ...]
    handling: Handling
    rule: CitedRule
    issuers: Issuers
    conditions: tuple[Need, ...]
    elements: tuple[Shown, ...]
    reaches: tuple[Reached, ...]
    never: tuple[NeverReached, ...]
    window: CitedRule
    clocks: tuple[Period, ...]
    notice: Telling
    objections: tuple[Contest, ...]


@dataclass(frozen=True, slots=True)
class PackRef:
    """A pack by its digest."""

    id: str
    version: str
    sha256: str


@dataclass(frozen=True, slots=True)
class SourceEntry:
    """A text of law; ``read_on`` null: nobody read it, ``not_read`` says why."""

    key: str
    short: str
    title: str
    address: str
    version: str
    read_on: str | None
    not_read: str


@dataclass(frozen=True, slots=True)
class PackEntry:
    """One law in force here, with the overlays that make it stricter."""

    id: str
    version: str
    sha256: str
    overlays: tuple[PackRef, ...]
    title: str
    jurisdiction: str
    countries: tuple[str, ...]
    zone: str
    zones: tuple[Statement, ...]
    holidays: str
    status: str
    reviewed_by: str | None
    reviewed_on: str | None
    section: str
    instruments: tuple[InstrumentEntry, ...]
    sources: tuple[SourceEntry, ...]


@dataclass(frozen=True, slots=True)
class Redirect:
    """Something that reaches nothing here, and why."""

    code: str
    name: str
    rule: CitedRule


@dataclass(frozen=True, slots=True)
class Operator:
    """Who answers."""

    name: str
    contact: str
    address: str
    country: str


@dataclass(frozen=True, slots=True)
class Places:
    """Where things are, relative to the profile's own address; null where there is none yet."""

    page: str
    log: str | None
    policy: str
    reports: str


@dataclass(frozen=True, slots=True)
class IntakeProfile:
    """Everything that an authority must know before it sends a paper. Holds nothing about anybody else."""

    v: int
    origin: str
    operator: Operator
    serve_at: str | None
    emergency_at: str | None
    languages: tuple[str, ...]
    places: Places
    categories: tuple[Statement, ...]
    packs: tuple[PackEntry, ...]
    baseline: tuple[PackRef, ...]
    redirects: tuple[Redirect, ...]
    never: tuple[Statement, ...]
    names_nobody: tuple[Statement, ...]
    every_paper: tuple[Statement, ...]
    verification: tuple[Statement, ...]
    emergencies: tuple[Statement, ...]
    keeping: tuple[Statement, ...]
    answers: tuple[Statement, ...]
    disclaimer: str


def profile_bytes(profile: IntakeProfile) -> bytes:
    """The profile as canonical JSON; line breaks, control and direction characters are shown as U+FFFD."""
    return canonical(_json(profile))


def _json(value: Any) -> Json:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {each.name: _json(getattr(value, each.name)) for each in dataclasses.fields(value)}
    if isinstance(value, tuple):
        return [_json(each) for each in value]
    plain: Json = clean(value) if isinstance(value, str) else value
    return plain

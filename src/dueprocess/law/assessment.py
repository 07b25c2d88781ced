"""Assessment: what an instrument permits of a demand, as a value that everyone can recompute.

It names targets by their index and holds no identifier, so it may stand in an event. It permits nothing by
itself: only two people can grant.

Source: law.md 1.2 (outcome lattice); architecture.md section 2, verb `assess`.
"""

import datetime as dt
import enum
from dataclasses import dataclass
from typing import Literal, NamedTuple

from dueprocess.demand import Category, DemandKind, ScopeItem, ordered
from dueprocess.law.pack import Citation, Knower, LetterCode, NoticeWord, Pack
from dueprocess.wire import Json, digest_of, instant

FindingKind = Literal["cut", "missing", "note", "clock", "notice", "objection", "emergency"]
Severity = Literal["blocks", "limits", "informs"]
"""``blocks``: nothing can be produced yet. ``limits``: something is cut. ``informs``: read it."""


class Outcome(enum.IntEnum):
    """Ordered: an unknown fact never moves a demand upwards."""

    REFUSE = 0
    NEEDS_MORE_INFORMATION = 1
    ESCALATE_TO_COUNSEL = 2
    PERMIT_SUBSET = 3
    PERMIT_ALL = 4

    @property
    def code(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that the assessment found. ``ceiling`` is the highest outcome that it leaves possible."""

    code: str
    kind: FindingKind
    severity: Severity
    text: str
    citation: Citation | None = None
    target_index: int | None = None
    """Index in the demanded scope; None where the finding is about the whole paper."""
    categories: frozenset[Category] = frozenset()
    do: str = ""
    ceiling: Outcome = Outcome.PERMIT_ALL
    rule: str = ""
    """Id of the rule that it rests on, also where no version of it is in force; empty where it rests on none."""
    reason: str = ""
    """Code of the box on the law's answer form."""
    letter: LetterCode | None = None
    """The letter that answers it."""

    def as_json(self) -> dict[str, Json]:
        return {
            "code": self.code,
            "kind": self.kind,
            "severity": self.severity,
            "text": self.text,
            "citation": self.citation.as_json() if self.citation else None,
            "target": self.target_index,
            "categories": list(ordered(self.categories)),
            "do": self.do,
            "ceiling": self.ceiling.code,
            "rule": self.rule,
            "reason": self.reason,
            "letter": self.letter,
        }


class CalendarRef(NamedTuple):
    """A table of holidays that a clock counted with, by digest."""

    region: str
    source: str
    sha256: str


@dataclass(frozen=True, slots=True)
class ClockState:
    """A running period. ``due_at`` None: the day cannot be computed from the paper; ``arithmetic`` says why."""

    id: str
    due_at: dt.datetime | None
    arithmetic: str
    citation: Citation
    calendars: tuple[CalendarRef, ...] = ()
    """Tables of holidays that it counted with."""
    only_if: str = ""
    """The answers, in words, under which it runs at all, where they are not known."""

    def as_json(self) -> dict[str, Json]:
        return {
            "id": self.id,
            "due_at": instant(self.due_at) if self.due_at else None,
            "arithmetic": self.arithmetic,
            "calendars": [each.region for each in self.calendars],
            "citation": self.citation.as_json(),
        }


@dataclass(frozen=True, slots=True)
class Notice:
    """Whether and when the user is told. ``settled`` False: nobody is told until counsel has decided."""

    rule: NoticeWord
    until: dt.datetime | None
    citation: Citation | None
    text: str
    settled: bool = True

    def as_json(self) -> dict[str, Json]:
        return {
            "rule": self.rule,
            "until": instant(self.until) if self.until else None,
            "citation": self.citation.as_json() if self.citation else None,
            "text": self.text,
            "settled": self.settled,
        }


@dataclass(frozen=True, slots=True)
class MayKnowState:
    """Somebody who may be told although the subject may not, and the rule that says so."""

    who: Knower
    text: str
    citation: Citation

    def as_json(self) -> dict[str, Json]:
        return {"who": self.who, "text": self.text, "citation": self.citation.as_json()}


class SoloRule(NamedTuple):
    """What a host without a second person does when its lock outlasts the clock. It never releases alone."""

    text: str
    citation: Citation

    def as_json(self) -> dict[str, Json]:
        return {"text": self.text, "citation": self.citation.as_json()}


@dataclass(frozen=True, slots=True)
class PackRef:
    """The pack that was applied, by digest."""

    id: str
    version: str
    sha256: str

    @classmethod
    def of(cls, pack: Pack) -> "PackRef":
        return cls(pack.id, pack.version, pack.sha256)

    def as_json(self) -> dict[str, Json]:
        return {"id": self.id, "version": self.version, "sha256": self.sha256}


@dataclass(frozen=True, slots=True)
class Assessment:
    """The answer of the packs to one demand on one UTC day. The same inputs give the same bytes."""

    outcome: Outcome
    findings: tuple[Finding, ...]
    permitted: tuple[ScopeItem | None, ...]
    """Aligned with the demanded items, each within its demanded item. It is what the paper can reach once all
    that blocks is resolved: it may be produced only where ``producible`` is true."""
    clocks: tuple[ClockState, ...]
    notice: Notice
    packs: tuple[PackRef, ...]
    """The pack whose instrument answers first, then its overlays, then the baseline."""
    on: dt.date
    kind: DemandKind
    instrument: str | None
    """Code of the instrument; None where no pack in force knows it."""
    legal_basis: tuple[str, ...]
    emergency: bool
    may_know: tuple[MayKnowState, ...] = ()
    solo: SoloRule | None = None
    letters: tuple[LetterCode, ...] = ()
    """Letters that fit: the instrument's, then those of the findings."""
    calendars: tuple[CalendarRef, ...] = ()
    reverse: str | None = None
    """Key of ``REVERSE_KINDS`` where the paper names nobody; then nothing is permitted, ever."""

    @property
    def producible(self) -> bool:
        """Whether a decision to disclose may rest on this. It grants nothing."""
        return (
            self.kind == "disclosure"
            and not self.emergency
            and self.reverse is None
            and self.outcome >= Outcome.PERMIT_SUBSET
            and any(item is not None for item in self.permitted)
        )

    def as_json(self) -> dict[str, Json]:
        """Without any identifier: targets by index, citations from the pack, no free text from the paper."""
        return {
            "v": 2,
            "on": self.on.isoformat(),
            "kind": self.kind,
            "instrument": self.instrument,
            "legal_basis": list(self.legal_basis),
            "emergency": self.emergency,
            "reverse": self.reverse,
            "outcome": self.outcome.code,
            "producible": self.producible,
            "packs": [pack.as_json() for pack in self.packs],
            "findings": [finding.as_json() for finding in self.findings],
            "permitted": [_item_json(item) for item in self.permitted],
            "clocks": [clock.as_json() for clock in self.clocks],
            "notice": self.notice.as_json(),
            "may_know": [each.as_json() for each in self.may_know],
            "solo": self.solo.as_json() if self.solo else None,
            "letters": list[Json](self.letters),
            "calendars": [dict[str, Json](each._asdict()) for each in self.calendars],
        }

    @property
    def assessment_sha256(self) -> str:
        """Hex digest of the canonical form."""
        return digest_of(self.as_json())


def _item_json(item: ScopeItem | None) -> Json:
    if item is None:
        return None
    return {
        "categories": list(ordered(item.categories)),
        "purpose": item.purpose,
        **item.period.as_json(),
    }

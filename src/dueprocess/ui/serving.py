"""The intake profile of an installation, from its own facts and the rule packs in force on a day.

Of an instrument it says what concerns an authority: what we do about a paper inside the house stays in the pack.

Source: specs/intake/README.md.
"""

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass

from dueprocess.demand import MEANING, Answer, Category, IssuerKind, ordered
from dueprocess.errors import BrokenError
from dueprocess.law import Clock, Condition, Element, Instrument, Pack, Reach, Rule, question_text
from dueprocess.ui import serving_words as words
from dueprocess.ui.facts import PublicFacts
from dueprocess.ui.profile import (
    CitedRule,
    Contest,
    Handling,
    InstrumentEntry,
    IntakeProfile,
    Issuers,
    Need,
    NeverReached,
    Operator,
    PackEntry,
    PackRef,
    Period,
    Places,
    Reached,
    Redirect,
    Shown,
    Silence,
    SourceEntry,
    Statement,
    Telling,
)

WELL_KNOWN = ".well-known/dueprocess.json"
"""Path of the profile in the public folder; everything in it is addressed relative to there."""


def intake_profile(facts: PublicFacts) -> IntakeProfile:
    """What an authority must know before it sends a paper. Without a pack in force it asks for nothing."""
    regimes = sorted((each for each in facts.packs if each.kind == "regime"), key=lambda each: each.id)
    floors = sorted((each for each in facts.packs if each.kind == "baseline"), key=lambda each: each.id)
    who = facts.operator
    asks = bool(regimes)
    return IntakeProfile(
        v=1,
        origin=facts.origin,
        operator=Operator(who.name, who.contact, who.address, facts.country),
        serve_at=facts.serve_at if asks else None,
        emergency_at=facts.emergency_at or None if asks else None,
        languages=facts.languages,
        places=_places(facts),
        categories=tuple(Statement(code, meaning) for code, meaning in MEANING.items()),
        packs=tuple(_Entries(each, facts.on).pack_entry() for each in regimes),
        baseline=tuple(_ref(each) for each in floors),
        redirects=tuple(line for each in floors for line in _Entries(each, facts.on).redirects()),
        never=words.NEVER,
        names_nobody=words.NAMES_NOBODY,
        every_paper=words.EVERY_PAPER if asks else (),
        verification=words.VERIFICATION if asks else (),
        emergencies=words.EMERGENCIES if asks else (),
        keeping=words.KEEPING if asks else (),
        answers=words.ANSWERS if asks else (),
        disclaimer=words.DISCLAIMER,
    )


def _places(facts: PublicFacts) -> Places:
    log = facts.log
    return Places(
        page="../serve.html",
        log=_from_here(log.address) if log else None,
        policy=_from_here(log.policy if log else "policy.txt"),
        reports="../reports.html",
    )


def _from_here(path: str) -> str:
    return path if re.match(r"https?://", path) else f"../{path}"


def _ref(pack: Pack) -> PackRef:
    return PackRef(pack.id, pack.version, pack.sha256)


def _section(*names: str) -> str:
    """A place on the page: letters, digits, dots and dashes, whatever the names hold."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", ".".join(("law", *names)))


def _categories(found: Iterable[Category]) -> tuple[str, ...]:
    return tuple(ordered(found))


def _kinds(found: Iterable[IssuerKind]) -> tuple[str, ...]:
    return tuple(sorted(found))


def _spelled(among: Iterable[Answer]) -> tuple[str, ...]:
    yes_or_no = {True: "yes", False: "no"}
    return tuple(sorted(yes_or_no[each] if isinstance(each, bool) else each for each in among))


@dataclass(frozen=True, slots=True)
class _Entries:
    """Reads one pack as it is in force on a day."""

    pack: Pack
    on: dt.date

    def pack_entry(self) -> PackEntry:
        pack = self.pack
        instruments = tuple(self.instrument(each) for each in self.in_force())
        return PackEntry(
            id=pack.id,
            version=pack.version,
            sha256=pack.sha256,
            overlays=tuple(_ref(each) for each in pack.layers),
            title=pack.title,
            jurisdiction=pack.jurisdiction,
            countries=pack.countries,
            zone=pack.zone or "UTC",
            zones=tuple(Statement(country, zone) for country, zone in sorted(pack.zones.items())),
            holidays=pack.holidays,
            status=pack.status,
            reviewed_by=pack.reviewed_by or None,
            reviewed_on=pack.reviewed_on.isoformat() if pack.reviewed_on else None,
            section=_section(pack.id),
            instruments=instruments,
            sources=self.sources(),
        )

    def in_force(self) -> list[Instrument]:
        return [each for each in self.pack.instruments if each.rule.in_force(self.on)]

    def redirects(self) -> Iterable[Redirect]:
        for each in self.in_force():
            yield Redirect(each.code, each.name, self.rule(each.rule))

    def sources(self) -> tuple[SourceEntry, ...]:
        return tuple(
            SourceEntry(
                each.key,
                each.short,
                each.title,
                each.address,
                each.version,
                each.read_on.isoformat() if each.read_on else None,
                each.not_read,
            )
            for each in self.pack.sources
        )

    def instrument(self, paper: Instrument) -> InstrumentEntry:
        clocks = (self.pack.clock(each, self.on) for each in paper.clocks)
        return InstrumentEntry(
            code=paper.code,
            name=paper.name,
            section=_section(self.pack.id, paper.code),
            demand_kind=paper.demand_kind,
            compulsion=paper.compulsion,
            emergency=paper.emergency,
            names_nobody=paper.reverse,
            handling=self.handling(paper),
            rule=self.rule(paper.rule),
            issuers=Issuers(_kinds(paper.issuers), self.cited(paper.issuers_rule)),
            # Nothing mends a paper that names nobody, so nothing is asked of it.
            conditions=() if paper.reverse else self.needs(paper.conditions),
            elements=() if paper.reverse else tuple(self.element(each) for each in paper.elements),
            reaches=tuple(self.reach(each) for each in paper.reaches),
            never=tuple(
                NeverReached(_categories(each.categories), self.all_cited(each.rules))
                for each in paper.nevers
            ),
            window=self.cited(paper.window_rule),
            clocks=tuple(self.period(each) for each in clocks if each is not None),
            notice=self.telling(paper),
            objections=tuple(
                Contest(each.code, each.who, _categories(each.categories), self.cited(each.rule))
                for each in paper.objections
            ),
        )

    def handling(self, paper: Instrument) -> Handling:
        code = _handling(paper)
        return Handling(code, words.HANDLING[code], self.all_cited(filter(None, [paper.ceiling_rule])))

    def needs(self, conditions: Iterable[Condition]) -> tuple[Need, ...]:
        return tuple(
            Need(
                each.fact, question_text([self.pack], each.fact), _spelled(each.among), self.cited(each.rule)
            )
            for each in conditions
        )

    def element(self, element: Element) -> Shown:
        return Shown(
            element.code,
            element.meaning,
            _categories(element.categories),
            self.needs(element.when),
            self.cited(element.rule),
        )

    def reach(self, reach: Reach) -> Reached:
        return Reached(
            categories=_categories(reach.categories),
            only_to_identify=reach.purpose is not None,
            by=_kinds(reach.by),
            by_rules=self.all_cited(filter(None, [reach.by_rule])),
            needs=self.needs(reach.needs),
            rule=self.cited(reach.rule),
        )

    def period(self, clock: Clock) -> Period:
        return Period(
            id=clock.id,
            starts=clock.starts,
            length=clock.length,
            unit=clock.unit,
            counting=clock.counting,
            roll=clock.roll,
            categories=_categories(clock.categories),
            when=self.needs(clock.when),
            rule=self.rule(clock.rule),
        )

    def telling(self, paper: Instrument) -> Telling:
        orders = tuple(
            Silence(each.names, each.requires, self.rule(each.rule))
            for each in self.pack.nondisclosure
            if each.id in paper.nondisclosure and each.rule.in_force(self.on)
        )
        return Telling(paper.notice.word, paper.notice.settled, self.cited(paper.notice.rule), orders)

    def all_cited(self, ids: Iterable[str]) -> tuple[CitedRule, ...]:
        return tuple(self.cited(each) for each in ids)

    def cited(self, rule_id: str) -> CitedRule:
        found = self.pack.rule(rule_id, self.on)
        if found is None:
            raise BrokenError(
                "rule-not-in-force",
                f"The pack {self.pack.id} has no rule {rule_id!r} in force on {self.on.isoformat()}.",
                why="An instrument in force rests on it; a pack with such a gap does not load.",
                do="Put a pack in force that dueprocess packs check accepts.",
            )
        return self.rule(found)

    def rule(self, rule: Rule) -> CitedRule:
        citation = rule.citation
        return CitedRule(
            rule=rule.id,
            text=rule.text,
            citation=str(citation),
            source=citation.source,
            basis=citation.basis,
            since=rule.since.isoformat(),
            until=rule.until.isoformat() if rule.until else None,
        )


def _handling(paper: Instrument) -> str:
    """What can become of a paper at best, by the word of ``HANDLING``; the strictest reason comes first."""
    reasons = (
        ("names_nobody", bool(paper.reverse)),
        ("refused", paper.ceiling == "refuse"),
        ("counsel", paper.ceiling in ("escalate_to_counsel", "needs_more_information")),
        ("emergency", paper.emergency),
        ("keep_by_hand", paper.demand_kind == "preservation"),
        ("remove_by_hand", paper.demand_kind == "removal"),
        ("nothing", not paper.reaches),
    )
    return next((code for code, holds in reasons if holds), "two_people")

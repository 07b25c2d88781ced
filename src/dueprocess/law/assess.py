"""``assess``: what the packs say about a demand. Pure: the same demand, packs and day give the same bytes.

Rules can refuse, narrow and ask. The outcome is the lowest ceiling of all findings, so each lowering has a
sentence and, where law is applied, a source. There is no default law.

Source: law.md 1.2; architecture.md 1.3 (only people can grant).
"""

import datetime as dt
from collections.abc import Sequence

from dueprocess.demand import Demand, ScopeItem
from dueprocess.law import clocks, formal, reach, silence
from dueprocess.law.assessment import Assessment, ClockState, Finding, Notice, Outcome, PackRef
from dueprocess.law.matter import Matter
from dueprocess.law.pack import Pack, regime_packs


def assess(demand: Demand, packs: Sequence[Pack], *, on: dt.date) -> Assessment:
    """What the law of the demand's regime permits on the UTC day ``on``, target by target.

    A missing pack, instrument or rule gives `escalate_to_counsel` and permits nothing of what it would have
    covered. An unknown fact never raises the outcome and never widens what is permitted.
    """
    regime = regime_packs(packs, demand.regime)
    if demand.issuer_kind == "private_party":
        return _without_law(demand, regime, on, _own_path())
    able = [pack for pack in regime if pack.instrument(demand.instrument, on) is not None]
    if len(able) != 1:
        return _without_law(demand, regime, on, _no_law(demand, regime, len(able)))
    instrument = able[0].instrument(demand.instrument, on)
    assert instrument is not None
    return _under_law(Matter(demand, able[0], instrument, on))


def _under_law(matter: Matter) -> Assessment:
    barred = formal.standing(matter)
    permitted, cuts = _reach(matter, barred=bool(barred))
    told = silence.notice_of(matter)
    running, late = clocks.run(matter, (*matter.instrument.clocks, *told.clocks))
    findings = [
        *barred,
        *formal.emergency(matter),
        *formal.form(matter),
        *cuts,
        *told.findings,
        *late,
        *formal.consequences(matter),
        *formal.pack_notes(matter.pack, matter),
    ]
    return _assessment(matter, findings, permitted, running, told.notice)


def _reach(matter: Matter, *, barred: bool) -> tuple[tuple[ScopeItem | None, ...], list[Finding]]:
    """Each target's reach. All of it cut means refusal; a barred paper reaches nothing.

    The cuts of a barred paper are found too: what no right issuer could have asked stays refused.
    """
    reached = [reach.reach_item(matter, index) for index in range(len(matter.demand.scope.items))]
    permitted = tuple(item for item, _ in reached)
    findings = [finding for _, each in reached for finding in each]
    unknown = any(finding.ceiling == Outcome.ESCALATE_TO_COUNSEL for finding in findings)
    if not any(permitted) and not unknown:
        findings.append(_nothing_left(matter))
    return tuple(None for _ in permitted) if barred else permitted, findings


def _nothing_left(matter: Matter) -> Finding:
    return Finding(
        "cut.everything",
        "cut",
        "blocks",
        f"{matter.instrument.name}: of what is demanded, this instrument reaches nothing.",
        matter.instrument.rule.citation,
        do="Refuse in writing and name the process that would reach it.",
        ceiling=Outcome.REFUSE,
    )


def _assessment(
    matter: Matter,
    findings: list[Finding],
    permitted: tuple[ScopeItem | None, ...],
    running: list[ClockState],
    notice: Notice,
) -> Assessment:
    once = tuple(dict.fromkeys(findings))
    return Assessment(
        outcome=min((finding.ceiling for finding in once), default=Outcome.PERMIT_ALL),
        findings=once,
        permitted=permitted,
        clocks=tuple(running),
        notice=notice,
        packs=(PackRef.of(matter.pack),),
        on=matter.on,
        kind=matter.demand.kind,
        instrument=matter.instrument.code,
        legal_basis=(matter.instrument.rule.citation.label,),
        emergency=matter.demand.emergency or matter.instrument.emergency,
    )


def _without_law(demand: Demand, regime: tuple[Pack, ...], on: dt.date, finding: Finding) -> Assessment:
    return Assessment(
        outcome=finding.ceiling,
        findings=(finding,),
        permitted=tuple(None for _ in demand.scope.items),
        clocks=(),
        notice=silence.unsettled("No rule was applied. Counsel decides before anyone is told."),
        packs=tuple(PackRef.of(pack) for pack in regime),
        on=on,
        kind=demand.kind,
        instrument=None,
        legal_basis=(),
        emergency=demand.emergency,
    )


def _own_path() -> Finding:
    return Finding(
        "own-path",
        "note",
        "blocks",
        "A private party asks, not a government. Such papers are recorded and answered on a path of their own "
        "and never counted with the government's.",
        do="Record it as a private request and give it to counsel.",
        ceiling=Outcome.REFUSE,
    )


def _no_law(demand: Demand, regime: tuple[Pack, ...], able: int) -> Finding:
    known = any(pack.knows(demand.instrument) for pack in regime)
    if able > 1:
        code, text = "several-packs", "Several packs have rules for this instrument, and none goes first."
    elif known:
        code, text = (
            "not-in-force",
            "The pack has no version of this instrument that is in force on this day.",
        )
    elif regime:
        code, text = "unknown-instrument", "The packs of this regime do not know this kind of paper."
    else:
        code, text = "no-pack", "There is no pack for the law that this paper invokes."
    return Finding(
        code,
        "note",
        "blocks",
        f"{text} There is no default law.",
        do="Give the paper to counsel. Nothing is permitted until a rule with a source says so.",
        ceiling=Outcome.ESCALATE_TO_COUNSEL,
    )

"""``assess``: what the packs say about a demand. Pure: the same demand, packs and day give the same bytes.

Rules can refuse, narrow and ask. The outcome is the lowest ceiling of all findings, so each lowering has a
sentence and, where law is applied, a source. There is no default law.

Source: law.md 1.2; architecture.md 1.3 (only people can grant).
"""

import datetime as dt
from collections.abc import Sequence

from dueprocess.demand import Demand, ReverseDemand, ScopeItem
from dueprocess.law import clocks, formal, reach, silence
from dueprocess.law.assessment import Assessment, ClockState, Finding, Notice, Outcome, PackRef
from dueprocess.law.baseline import flagged
from dueprocess.law.calendar import Calendar
from dueprocess.law.choose import Choice, choose
from dueprocess.law.knowing import may_know, solo
from dueprocess.law.matter import Matter
from dueprocess.law.pack import LetterCode, Pack
from dueprocess.law.reverse import never_reached, with_targets
from dueprocess.law.staleness import pack_notes


def assess(
    demand: Demand, packs: Sequence[Pack], *, on: dt.date, calendars: Sequence[Calendar] = ()
) -> Assessment:
    """What the law of the demand's regime permits on the UTC day ``on``, target by target.

    ``packs`` have their overlays applied already. The baseline among them is used with every other, and its
    instruments answer where no pack of the regime knows the paper. A missing pack, instrument or rule gives
    `escalate_to_counsel` and permits nothing of what it would have covered. An unknown fact never raises the
    outcome and never widens what is permitted.
    """
    return _assess(demand, packs, on, tuple(calendars))


def assess_reverse(
    demand: ReverseDemand, packs: Sequence[Pack], *, on: dt.date, calendars: Sequence[Calendar] = ()
) -> Assessment:
    """What the law says about a paper that names nobody, so that it can be answered.

    Nothing is permitted and nothing can be produced, whatever a pack says.
    """
    return _assess(demand, packs, on, tuple(calendars))


def _assess(
    demand: Demand | ReverseDemand, packs: Sequence[Pack], on: dt.date, calendars: tuple[Calendar, ...]
) -> Assessment:
    choice = choose(demand, packs, on)
    if demand.issuer_kind == "private_party":
        return _without_law(demand, choice, on, _own_path())
    if choice.answer is None:
        return _without_law(demand, choice, on, _no_law(choice))
    pack, instrument = choice.answer
    return _under_law(Matter(demand, pack, instrument, on, calendars), choice)


def _under_law(matter: Matter, choice: Choice) -> Assessment:
    barred = formal.standing(matter)
    permitted, cuts = _reach(matter, barred=bool(barred))
    told = silence.notice_of(matter)
    running, late = clocks.run(matter, (*matter.instrument.clocks, *told.clocks))
    findings = [
        *barred,
        *formal.ceiling(matter),
        *formal.emergency(matter),
        *formal.form(matter),
        *cuts,
        *told.findings,
        *late,
        *formal.consequences(matter),
        *flagged(matter.demand, choice.flagging, matter.on),
    ]
    for pack in choice.applied:
        findings += pack_notes(pack, matter.on)
    return _assessment(matter, choice, (findings, permitted, running, told.notice))


def _reach(matter: Matter, *, barred: bool) -> tuple[tuple[ScopeItem | None, ...], list[Finding]]:
    """Each target's reach; a barred paper reaches nothing.

    The cuts of a barred paper are found too: what no right issuer could have asked stays refused.
    """
    if isinstance(matter.demand, ReverseDemand):
        return (), never_reached(matter, matter.demand)
    if matter.instrument.reverse:
        return tuple(None for _ in matter.items), [with_targets(matter)]
    permitted, findings = reach.reach_all(matter)
    return tuple(None for _ in permitted) if barred else permitted, findings


type _Parts = tuple[list[Finding], tuple[ScopeItem | None, ...], list[ClockState], Notice]


def _assessment(matter: Matter, choice: Choice, parts: _Parts) -> Assessment:
    findings, permitted, running, notice = parts
    # Texts and sets of categories remember their hash, whole findings do not.
    told = ((f.code, f.severity, f.target_index, f.categories, f.reason, f.text) for f in findings)
    once = tuple(dict(zip(told, findings, strict=True)).values())
    return Assessment(
        outcome=min((finding.ceiling for finding in once), default=Outcome.PERMIT_ALL),
        findings=once,
        permitted=permitted,
        clocks=tuple(running),
        notice=notice,
        packs=tuple(map(PackRef.of, choice.asked)),
        on=matter.on,
        kind=matter.demand.kind,
        instrument=matter.instrument.code,
        legal_basis=(matter.instrument.rule.citation.label,),
        emergency=matter.demand.emergency or matter.instrument.emergency,
        may_know=may_know(matter),
        solo=solo(matter),
        letters=_letters(matter.instrument.letters, once),
        calendars=clocks.calendars_used(running),
        reverse=_asks(matter.demand),
    )


def _letters(offered: tuple[LetterCode, ...], findings: Sequence[Finding]) -> tuple[LetterCode, ...]:
    found = [each.letter for each in findings if each.letter is not None]
    return tuple(dict.fromkeys((*offered, *found)))


def _asks(demand: Demand | ReverseDemand) -> str | None:
    return demand.asks if isinstance(demand, ReverseDemand) else None


def _without_law(demand: Demand | ReverseDemand, choice: Choice, on: dt.date, finding: Finding) -> Assessment:
    return Assessment(
        outcome=finding.ceiling,
        findings=(finding,),
        permitted=tuple(None for _ in demand.scope.items) if isinstance(demand, Demand) else (),
        clocks=(),
        notice=silence.unsettled("No rule was applied. Counsel decides before anyone is told."),
        packs=tuple(map(PackRef.of, choice.asked)),
        on=on,
        kind=demand.kind,
        instrument=None,
        legal_basis=(),
        emergency=demand.emergency,
        letters=_letters((), (finding,)),
        reverse=_asks(demand),
    )


def _own_path() -> Finding:
    return Finding(
        "own-path",
        "note",
        "blocks",
        "A private party asks, not a government. Such papers are recorded and answered on a path of their own "
        "and never counted with the government's.",
        do="Record it as a private request and give it to counsel.",
        ceiling=Outcome.ESCALATE_TO_COUNSEL,
        letter="private_party",
    )


_NO_LAW = {
    "several-packs": "Several packs have rules for this instrument, and none goes first.",
    "not-in-force": "The pack has no version of this instrument that is in force on this day.",
    "unknown-instrument": "The packs of this regime do not know this kind of paper.",
    "no-pack": "There is no pack for the law that this paper invokes.",
}


def _no_law(choice: Choice) -> Finding:
    return Finding(
        choice.lack,
        "note",
        "blocks",
        f"{_NO_LAW[choice.lack]} There is no default law.",
        do="Give the paper to counsel. Nothing is permitted until a rule with a source says so.",
        ceiling=Outcome.ESCALATE_TO_COUNSEL,
    )

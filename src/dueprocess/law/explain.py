"""An assessment and an instrument in plain sentences, rule by rule, each with its source.

Targets are named by number: the sentences hold no identifier and may be printed or stored with the case.
"""

from collections.abc import Iterable, Sequence

from dueprocess.demand import MEANING, Category, ordered
from dueprocess.errors import RefusedError
from dueprocess.law.assessment import Assessment, ClockState, Finding
from dueprocess.law.pack import Clock, Instrument, Pack, Rule
from dueprocess.wire import instant

_WORDS = {
    "blocks": "Blocks",
    "limits": "Cuts",
    "informs": "Note",
}


def explain_assessment(assessment: Assessment, packs: Sequence[Pack]) -> list[str]:
    """The chain of an assessment, one sentence a line: packs, findings, reach, clocks, notice, outcome."""
    applied = {pack.sha256: pack for pack in packs}
    lines = [f"Assessed on {assessment.on.isoformat()} (UTC)."]
    for ref in assessment.packs:
        title = applied[ref.sha256].title if ref.sha256 in applied else "not at hand"
        lines.append(f"Rules: {ref.id} {ref.version} ({title}), sha256 {ref.sha256}.")
    lines += [_finding(finding) for finding in assessment.findings]
    lines += [_permitted(number, assessment) for number in range(1, len(assessment.permitted) + 1)]
    lines += [_clock(clock) for clock in assessment.clocks]
    lines.append(_notice(assessment))
    lines.append(_outcome(assessment))
    return lines


def _finding(finding: Finding) -> str:
    where = f" [target {finding.target_index + 1}]" if finding.target_index is not None else ""
    what = f" ({', '.join(ordered(finding.categories))})" if finding.categories else ""
    source = f" Source: {finding.citation}." if finding.citation else ""
    do = f" What to do: {finding.do}" if finding.do else ""
    return f"{_WORDS[finding.severity]}{where}: {finding.text}{what}{source}{do}"


def _permitted(number: int, assessment: Assessment) -> str:
    item = assessment.permitted[number - 1]
    if item is None:
        return f"Target {number}: nothing is within reach."
    since = instant(item.period.since) if item.period.since else "no start"
    until = instant(item.period.until) if item.period.until else "no end"
    return f"Target {number}: within reach are {', '.join(ordered(item.categories))}; from {since} until {until}."


def _clock(clock: ClockState) -> str:
    return f"Clock {clock.id}: {clock.arithmetic} Source: {clock.citation}."


def _notice(assessment: Assessment) -> str:
    notice = assessment.notice
    word = notice.rule.replace("_", " ").removesuffix(" until")
    until = f" until {instant(notice.until)}" if notice.until else ""
    source = f" Source: {notice.citation}." if notice.citation else ""
    settled = "" if notice.settled else " (not settled)"
    return f"Telling the user: {word}{until}{settled}. {notice.text}{source}"


def _outcome(assessment: Assessment) -> str:
    causes = [each.code for each in assessment.findings if each.ceiling == assessment.outcome]
    because = f", because of: {', '.join(dict.fromkeys(causes))}" if causes else ""
    may = "may be proposed to two people" if assessment.producible else "cannot be produced"
    return f"Outcome: {assessment.outcome.code.replace('_', ' ')}{because}. This {may}."


def explain_instrument(pack: Pack, code: str) -> str:
    """A page about one kind of paper: every version that the pack holds. Refuses a code it does not know."""
    versions = [each for each in pack.instruments if each.code == code]
    if not versions:
        raise RefusedError(
            "unknown-instrument",
            f"The pack {pack.id} has no instrument {code[:40]!r}.",
            do="Choose from: " + ", ".join(dict.fromkeys(each.code for each in pack.instruments)),
        )
    reviewed = f"Reviewed by {pack.reviewed_by}." if pack.reviewed_by else "Not reviewed by counsel."
    pages = [_page(pack, each) for each in versions]
    return "\n\n".join([*pages, f"{pack.id} {pack.version}. {reviewed} {pack.status}"]) + "\n"


def _page(pack: Pack, instrument: Instrument) -> str:
    sections = [
        (f"{instrument.name} ({instrument.code})", [_rule(instrument.rule)]),
        ("Kind", [f"{instrument.compulsion}, for {instrument.demand_kind}"]),
        (
            "Who may issue it",
            [", ".join(sorted(instrument.issuers)), *_ruled(pack, [instrument.issuers_rule])],
        ),
        ("What it reaches", _reaches(pack, instrument)),
        ("What it never reaches", _nevers(pack, instrument)),
        ("The window", _ruled(pack, [instrument.window_rule])),
        (
            "What the paper must show",
            [f"{each.meaning}. {_first(pack, each.rule)}" for each in instrument.elements],
        ),
        (
            "Telling the user",
            [instrument.notice.word.replace("_", " "), *_ruled(pack, [instrument.notice.rule])],
        ),
        ("An order not to tell", _silences(pack, instrument)),
        (
            "Ways to contest it",
            [f"{each.who}: {_first(pack, each.rule)}" for each in instrument.objections],
        ),
        ("Clocks", [_period(clock) for clock in pack.clocks if clock.id in instrument.clocks]),
        ("Notes", _ruled(pack, instrument.notes)),
    ]
    return "\n\n".join(
        f"{head}\n" + "\n".join(f"  {line}" for line in lines) for head, lines in sections if lines
    )


def _rule(rule: Rule) -> str:
    until = f" until {rule.until.isoformat()}" if rule.until else ""
    return f"{rule.text} [{rule.citation}; in force from {rule.since.isoformat()}{until}]"


def _ruled(pack: Pack, ids: Iterable[str]) -> list[str]:
    return [_rule(rule) for wanted in ids for rule in pack.rules if rule.id == wanted]


def _first(pack: Pack, rule_id: str) -> str:
    return " ".join(_ruled(pack, [rule_id]))


def _named(categories: Iterable[Category]) -> str:
    return "; ".join(f"{each} ({MEANING[each]})" for each in ordered(categories))


def _reaches(pack: Pack, instrument: Instrument) -> list[str]:
    only = {True: " (only to identify someone)", False: ""}
    return [
        f"{_named(each.categories)}{only[each.purpose is not None]}: {_first(pack, each.rule)}"
        for each in instrument.reaches
    ]


def _nevers(pack: Pack, instrument: Instrument) -> list[str]:
    return [f"{_named(each.categories)}: {' '.join(_ruled(pack, each.rules))}" for each in instrument.nevers]


def _silences(pack: Pack, instrument: Instrument) -> list[str]:
    return [
        f"{_rule(each.rule)} It needs {each.requires}."
        for each in pack.nondisclosure
        if each.id in instrument.nondisclosure
    ]


def _period(clock: Clock) -> str:
    return f"{clock.id}: {_rule(clock.rule)}"

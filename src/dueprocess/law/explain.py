"""An assessment in plain sentences, rule by rule, each with its source.

Targets are named by number: the sentences hold no identifier and may be printed or stored with the case.
"""

from collections.abc import Sequence

from dueprocess.demand import REVERSE_KINDS, ordered
from dueprocess.law.assessment import Assessment, ClockState, Finding, Outcome
from dueprocess.law.instrument_page import explain_instrument
from dueprocess.law.pack import Pack
from dueprocess.law.questions import question_text
from dueprocess.law.words import KNOWERS, LETTERS, plain, sourced
from dueprocess.wire import instant

__all__ = ["explain_assessment", "explain_instrument"]

_WORDS = {
    "blocks": "Blocks",
    "limits": "Cuts",
    "informs": "Note",
}
_UNKNOWN = "unknown."
_STANDS = {
    _UNKNOWN: ", not known yet",
    "unmet.": ", answered otherwise",
    "missing.validation": ", not issued or validated by one who may",
    "missing.purpose": ", not said to be only for identifying someone",
}
"""How a condition stands, by the beginning of its code: the rule alone says only what it wants."""


def explain_assessment(assessment: Assessment, packs: Sequence[Pack]) -> list[str]:
    """The chain of an assessment, one sentence a line.

    Packs, findings, what is still open, reach, clocks with their calendars, notice and who may know, what a host
    alone does, letters, outcome.
    """
    at_hand = {each.sha256: each for pack in packs for each in (pack, *pack.layers)}
    lines = [f"Assessed on {assessment.on.isoformat()} (UTC)."]
    for ref in assessment.packs:
        title = at_hand[ref.sha256].title if ref.sha256 in at_hand else "not at hand"
        lines.append(f"Rules: {ref.id} {ref.version} ({title}), sha256 {ref.sha256}.")
    applied = [at_hand[ref.sha256] for ref in assessment.packs if ref.sha256 in at_hand]
    lines += [_finding(finding) for finding in assessment.findings]
    lines += _open(assessment, applied)
    lines += _reach(assessment)
    lines += [_clock(clock) for clock in assessment.clocks]
    lines += [f"Counted with the calendar {ref.region}: {ref.source}." for ref in assessment.calendars]
    lines += [_notice(assessment), *_knowing(assessment), *_letters(assessment), _outcome(assessment)]
    return lines


def _finding(finding: Finding) -> str:
    where = f" [target {finding.target_index + 1}]" if finding.target_index is not None else ""
    what = f" ({', '.join(ordered(finding.categories))})" if finding.categories else ""
    do = f" What to do: {finding.do}" if finding.do else ""
    box = f" Box on the answer form: {finding.reason}." if finding.reason else ""
    stands = next((words for code, words in _STANDS.items() if finding.code.startswith(code)), "")
    said = sourced(f"{_WORDS[finding.severity]}{where}{stands}: {finding.text}{what}", finding.citation)
    return f"{said}{box}{do}"


def _open(assessment: Assessment, applied: Sequence[Pack]) -> list[str]:
    """Each question once; an answer may open what is cut now."""
    codes = dict.fromkeys(each.code for each in assessment.findings if each.code.startswith(_UNKNOWN))
    return [f"Still open: {question_text(applied, code.removeprefix(_UNKNOWN))}" for code in codes]


def _reach(assessment: Assessment) -> list[str]:
    if assessment.reverse is not None:
        return [f"It asks for {REVERSE_KINDS[assessment.reverse]} and names nobody: nothing can be produced."]
    return [_permitted(number, assessment) for number in range(1, len(assessment.permitted) + 1)]


def _permitted(number: int, assessment: Assessment) -> str:
    item = assessment.permitted[number - 1]
    if item is None:
        return f"Target {number}: nothing is within reach."
    since = instant(item.period.since) if item.period.since else "no start"
    until = instant(item.period.until) if item.period.until else "no end"
    return f"Target {number}: within reach are {', '.join(ordered(item.categories))}; from {since} until {until}."


def _clock(clock: ClockState) -> str:
    return sourced(f"Clock {clock.id}: {clock.arithmetic.removesuffix('.')}.", clock.citation)


def _notice(assessment: Assessment) -> str:
    notice = assessment.notice
    word = plain(notice.rule).removesuffix(" until").removesuffix(" by")
    until = f" until {instant(notice.until)}" if notice.until else ""
    settled = "" if notice.settled else " (not settled)"
    return sourced(f"Telling the user: {word}{until}{settled}. {notice.text}", notice.citation)


def _knowing(assessment: Assessment) -> list[str]:
    lines = [
        sourced(f"May know: {KNOWERS[each.who]}. {each.text}", each.citation) for each in assessment.may_know
    ]
    solo = assessment.solo
    return [*lines, sourced(f"If you are alone: {solo.text}", solo.citation)] if solo else lines


def _letters(assessment: Assessment) -> list[str]:
    names = "; ".join(LETTERS[each] for each in assessment.letters)
    return [f"Letters that fit: {names}."] if names else []


def _outcome(assessment: Assessment) -> str:
    lowered = assessment.outcome < Outcome.PERMIT_ALL
    causes = [each.code for each in assessment.findings if lowered and each.ceiling == assessment.outcome]
    because = f", because of: {', '.join(dict.fromkeys(causes))}" if causes else ""
    may = "may be proposed to two people" if assessment.producible else "cannot be produced"
    return f"Outcome: {plain(assessment.outcome.code)}{because}. This {may}."

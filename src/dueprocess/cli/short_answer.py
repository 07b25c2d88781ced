"""An assessment in short: what may be done, what is in the way, what runs, what to do next.

The whole chain, rule by rule, is `explain_assessment`; this is what a person at the desk reads first.
"""

from collections.abc import Sequence

from dueprocess.demand import REVERSE_KINDS, ordered
from dueprocess.law import Assessment, ClockState, Finding, Pack, question_text
from dueprocess.law.words import LETTERS, plain
from dueprocess.wire import instant

_UNKNOWN = "unknown."
_LACKS = "The paper does not show: "
_WORDS = {"blocks": "In the way", "limits": "Cut"}


def short_answer(found: Assessment, packs: Sequence[Pack]) -> list[str]:
    """Outcome, reach, what blocks or cuts, open questions, clocks, notice, letters: a line each, with short sources."""
    lines = [_outcome(found), *_reach(found)]
    hard = [each for each in found.findings if each.severity != "informs" and not _asked(each)]
    lines += _lacking([each for each in hard if each.text.startswith(_LACKS)])
    lines += [_finding(each) for each in hard if not each.text.startswith(_LACKS)]
    lines += _questions(found, packs)
    lines += [_due(each) for each in sorted(found.clocks, key=_when) if each.due_at is not None]
    lines += [f"  Passed: {each.text}" for each in found.findings if each.code.startswith("passed.")]
    lines += [_notice(found), *_letters(found)]
    lines += [f"  Note: {each.text}" for each in found.findings if each.code in _NOTED]
    return [*lines, _rules(found, packs)]


_NOTED = {"note.stale", "note.ended", "note.ends-soon", "note.flags-unchecked"}
"""Notes that a person acts on; the others stand in the chain."""


def _outcome(found: Assessment) -> str:
    if found.producible:
        may = "It may be proposed to two people, as far as it is within reach."
    elif any(found.permitted):
        may = "Nothing can be produced yet."
    else:
        may = "Nothing can be produced."
    return f"{plain(found.outcome.code).capitalize()}. {may}"


def _reach(found: Assessment) -> list[str]:
    if found.reverse is not None:
        return [
            f"  It asks for {REVERSE_KINDS[found.reverse]} and names nobody: there is nothing to search by here."
        ]
    lines = []
    for number, item in enumerate(found.permitted, 1):
        if item is None:
            lines.append(f"  t{number}: nothing is within reach.")
            continue
        since = instant(item.period.since) if item.period.since else "no start"
        until = instant(item.period.until) if item.period.until else "no end"
        lines.append(
            f"  t{number}: within reach are {', '.join(ordered(item.categories))}; {since} to {until}."
        )
    return lines


def _lacking(findings: Sequence[Finding]) -> list[str]:
    """What the paper would have to carry, as one list with one thing to do."""
    if not findings:
        return []
    items = [
        f"    - {each.text.removeprefix(_LACKS)}" + (f" [{each.citation.label}]" if each.citation else "")
        for each in findings
    ]
    return ["  In the way: the paper does not show what follows. Ask for it in a deficiency letter.", *items]


def _finding(finding: Finding) -> str:
    where = f" (t{finding.target_index + 1})" if finding.target_index is not None else ""
    what = f" ({', '.join(ordered(finding.categories))})" if finding.categories else ""
    source = f" [{finding.citation.label}]" if finding.citation else ""
    do = f" What to do: {finding.do}" if finding.do else ""
    return f"  {_WORDS[finding.severity]}{where}: {finding.text}{what}{source}{do}"


def _asked(finding: Finding) -> bool:
    return finding.code.startswith(_UNKNOWN)


def _questions(found: Assessment, packs: Sequence[Pack]) -> list[str]:
    """Each open question once, with the key under which a facts file answers it."""
    facts = dict.fromkeys(each.code.removeprefix(_UNKNOWN) for each in found.findings if _asked(each))
    asked = {each.id for pack in packs for each in pack.questions}
    return [
        f"  Not known yet: {question_text(packs, fact)} ({'answers.' if fact in asked else ''}{fact})"
        for fact in facts
    ]


def _due(clock: ClockState) -> str:
    """The end of its arithmetic chain says when, in the law's own time zone."""
    only = f" (only if {clock.only_if})" if clock.only_if else ""
    return f"  Clock {clock.id}{only}: {clock.arithmetic.rsplit('; ', 1)[-1]} [{clock.citation.label}]"


def _when(clock: ClockState) -> str:
    return instant(clock.due_at) if clock.due_at is not None else ""


def _notice(found: Assessment) -> str:
    word = plain(found.notice.rule).removesuffix(" until").removesuffix(" by")
    until = f" until {instant(found.notice.until)}" if found.notice.until else ""
    settled = "" if found.notice.settled else "; not settled, counsel decides before anyone is told"
    return f"  Telling the user: {word}{until}{settled}."


def _letters(found: Assessment) -> list[str]:
    names = "; ".join(LETTERS[each] for each in found.letters)
    return [f"  Letters that fit: {names}."] if names else []


def _rules(found: Assessment, packs: Sequence[Pack]) -> str:
    reviewed = {each.sha256 for pack in packs for each in (pack, *pack.layers) if each.reviewed_by}
    names = [
        f"{each.id} {each.version}" + ("" if each.sha256 in reviewed else " (not reviewed by counsel)")
        for each in found.packs
    ]
    said = f"Rules on {found.on.isoformat()}: {', '.join(names) or 'none'}."
    return f"{said} Not legal advice. Each rule with its source: --explain"

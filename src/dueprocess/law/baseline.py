"""What a reader noticed, answered by the packs that list it: the baseline and the overlays.

A flag never helps: it is an objection that somebody saw, and lowers the outcome or is noted.

Source: law.md 1.4 and 5 (press, privilege, immunity); the rule of each flag.
"""

import datetime as dt
from collections.abc import Iterable, Sequence

from dueprocess.demand import PaperFacts
from dueprocess.law.assessment import Finding, Outcome, Severity
from dueprocess.law.matter import gap, says
from dueprocess.law.pack import Flag, Pack


def baselines(packs: Iterable[Pack]) -> tuple[Pack, ...]:
    """The packs that are used with every other, ordered by id and digest."""
    return tuple(
        sorted((each for each in packs if each.kind == "baseline"), key=lambda each: (each.id, each.sha256))
    )


def flagged(demand: PaperFacts, packs: Sequence[Pack], on: dt.date) -> list[Finding]:
    """A finding for each flag that was raised, one for those that no pack lists, and whether anybody looked."""
    declared = [(pack, flag) for pack in packs for flag in pack.flags]
    found = [_finding(pack, flag, on) for pack, flag in declared if flag.id in demand.flags]
    if not demand.flags <= {flag.id for _, flag in declared}:
        found.append(_unknown())
    if declared and demand.flags_checked is not True:
        found.append(_unchecked())
    return found


def _finding(pack: Pack, flag: Flag, on: dt.date) -> Finding:
    rule, ceiling = pack.rule(flag.rule, on), Outcome[flag.ceiling.upper()]
    if rule is None:
        return gap(flag.rule, on)
    return says(
        rule,
        f"flag.{flag.id}",
        "note",
        _severity(ceiling),
        ceiling=ceiling,
        reason=flag.reason,
        letter=flag.letter,
    )


def _severity(ceiling: Outcome) -> Severity:
    if ceiling == Outcome.PERMIT_ALL:
        return "informs"
    return "limits" if ceiling == Outcome.PERMIT_SUBSET else "blocks"


def _unknown() -> Finding:
    return Finding(
        "flag.unknown",
        "note",
        "blocks",
        "Somebody noted something about this paper for which no pack in use has a rule.",
        do="Give the paper to counsel, with the note.",
        ceiling=Outcome.ESCALATE_TO_COUNSEL,
    )


def _unchecked() -> Finding:
    return Finding(
        "note.flags-unchecked",
        "note",
        "informs",
        "Nobody has said that the list of things to look out for was gone through: press, privilege and the like.",
        do="Go through the list with the paper in hand, without looking into the account.",
    )

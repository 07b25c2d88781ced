"""Dates of a pack: versions of one law follow one another, and what an instrument rests on holds as long as it does."""

import datetime as dt
import itertools
from collections.abc import Iterator

from dueprocess.law.pack import Instrument, Pack, Rule
from dueprocess.law.parsing.lines import Path
from dueprocess.law.parsing.mentions import instrument_rules
from dueprocess.law.parsing.table import Table

type _Spans = dict[str, list[tuple[int, Rule]]]
"""By id, the versions in the order of their first days, each with its number in the file."""

_FOREVER = dt.date.max


def check_spans(top: Table, pack: Pack) -> None:
    """Versions of one rule stand side by side, no day has two of them, and no day between them has none."""
    for kind, rules in (
        ("rule", list(pack.rules)),
        ("clock", [each.rule for each in pack.clocks]),
        ("nondisclosure", [each.rule for each in pack.nondisclosure]),
        ("instrument", [each.rule for each in pack.instruments]),
    ):
        for versions in _spans(rules).values():
            _check_row(top, kind, versions)


def _spans(rules: list[Rule]) -> _Spans:
    found: _Spans = {}
    for n, rule in sorted(enumerate(rules, 1), key=lambda each: each[1].since):
        found.setdefault(rule.id, []).append((n, rule))
    return found


def _check_row(top: Table, kind: str, versions: list[tuple[int, Rule]]) -> None:
    for (_, one), (n, other) in itertools.pairwise(versions):
        end = one.until or _FOREVER
        if end > other.since:
            top.fail_at(
                (kind, n, "from"),
                f"Two versions of {one.id} are in force on the same day, {other.since}.",
                do=f"End the earlier one (from {one.since}): until = {other.since}.",
            )
        if end < other.since:
            top.fail_at(
                (kind, n, "from"),
                f"Gapped dates: no version of {one.id} is in force from {end} until {other.since}.",
                do=f"Let this version begin on {end}, or end the earlier one on {other.since}.",
            )


def check_gaps(top: Table, pack: Pack) -> None:
    """What an instrument names is in force on every day on which the instrument is."""
    rules, clocks = _spans(list(pack.rules)), _spans([each.rule for each in pack.clocks])
    for n, instrument in enumerate(pack.instruments, 1):
        for path, name in instrument_rules(instrument):
            _check_covers(top, ("instrument", n, *path), instrument, rules[name])
        for path, name in _clocks(instrument):
            _check_covers(top, ("instrument", n, *path), instrument, clocks[name])


def _clocks(instrument: Instrument) -> Iterator[tuple[Path, str]]:
    return ((("clocks", n), each) for n, each in enumerate(instrument.clocks, 1))


def _check_covers(top: Table, path: Path, instrument: Instrument, versions: list[tuple[int, Rule]]) -> None:
    """Versions of one id follow one another without a gap, so that the first and the last day say all."""
    first, last = versions[0][1], versions[-1][1]
    since, until = instrument.rule.since, instrument.rule.until or _FOREVER
    if first.since > since:
        top.fail_at(
            path,
            f"Gapped dates: {first.id} is in force from {first.since} on, and {instrument.code} from {since} on.",
            do=f"Let {first.id} begin on {since}, or this instrument on {first.since}.",
        )
    if (last.until or _FOREVER) < until:
        top.fail_at(
            path,
            f"Gapped dates: {first.id} ends on {last.until}, and {instrument.code} goes on.",
            do=f"Give {first.id} a version from {last.until} on, or end this instrument: until = {last.until}.",
        )

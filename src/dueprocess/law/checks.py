"""What a whole pack must keep beyond its single entries: no silence, no two answers, no dangling name."""

import itertools
from collections.abc import Iterable

from dueprocess.demand import LEAVES, SECRETS, Category
from dueprocess.law.pack import Instrument, Pack, Rule
from dueprocess.law.table import Table


def check_coverage(table: Table, instrument: Instrument) -> None:
    """An instrument answers for every category, once: silence would be a default."""
    plain = frozenset[Category]().union(*(each.categories for each in instrument.reaches if not each.purpose))
    any_purpose = frozenset[Category]().union(*(each.categories for each in instrument.reaches))
    never = frozenset[Category]().union(*(each.categories for each in instrument.nevers))
    if SECRETS in any_purpose or SECRETS not in never:
        table.fail("reach", "Secrets are never produced: name `secrets` under [[instrument.never]].")
    if plain & never:
        table.fail("never", f"Both reached and never reached: {', '.join(sorted(plain & never))}.")
    if silent := LEAVES - plain - never:
        table.fail("reach", f"Neither reached nor never reached: {', '.join(sorted(silent))}.")
    codes = [element.code for element in instrument.elements]
    if len(set(codes)) != len(codes):
        table.fail("element", "An element is named twice.")


def check_spans(top: Table, pack: Pack) -> None:
    """Several versions of one rule may stand side by side, as long as no day has two of them."""
    groups: tuple[tuple[str, list[Rule]], ...] = (
        ("rule", list(pack.rules)),
        ("clock", [each.rule for each in pack.clocks]),
        ("nondisclosure", [each.rule for each in pack.nondisclosure]),
        ("instrument", [each.rule for each in pack.instruments]),
    )
    for kind, rules in groups:
        for one, other in itertools.combinations(rules, 2):
            if one.id == other.id and (one.in_force(other.since) or other.in_force(one.since)):
                top.fail(kind, f"Two versions of {one.id} are in force on the same day.")


def check_references(top: Table, pack: Pack) -> None:
    """Every rule, clock and nondisclosure law that an entry names is declared."""
    rules = {each.id for each in pack.rules}
    clocks = {each.id for each in pack.clocks}
    silences = {each.id for each in pack.nondisclosure}
    for each in pack.nondisclosure:
        _declared(top, "clock", (each.end_clock, each.review_clock), clocks)
    for instrument in pack.instruments:
        _declared(top, "rule", _rules_of(instrument), rules)
        _declared(top, "clock", instrument.clocks, clocks)
        _declared(top, "nondisclosure", instrument.nondisclosure, silences)


def _rules_of(instrument: Instrument) -> Iterable[str]:
    yield from (instrument.issuers_rule, instrument.window_rule, instrument.notice.rule, *instrument.notes)
    for never in instrument.nevers:
        yield from never.rules
    yield from (each.rule for each in instrument.reaches)
    yield from (each.rule for each in instrument.elements)
    yield from (each.rule for each in instrument.objections)


def _declared(top: Table, kind: str, wanted: Iterable[str], known: set[str]) -> None:
    for name in wanted:
        if name not in known:
            top.fail(kind, f"An entry refers to {name[:60]!r}, and there is no [[{kind}]] of that name.")

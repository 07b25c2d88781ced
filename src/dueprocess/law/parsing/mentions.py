"""Every place of a pack that names a rule, a condition or a box, so that each can be checked and its line found."""

from collections.abc import Iterable, Iterator

from dueprocess.law.pack import Condition, Element, Instrument, Never, Pack, Reach, Tightening
from dueprocess.law.parsing.lines import Path

type Mention = tuple[Path, str]
type Placed = tuple[Path, Condition]


def instrument_rules(instrument: Instrument) -> Iterator[Mention]:
    """Ids of the rules that an instrument names, with their places inside it."""
    yield ("window_rule",), instrument.window_rule
    yield from _present((("solo",), instrument.solo), (("ceiling_rule",), instrument.ceiling_rule))
    for n, reach in enumerate(instrument.reaches, 1):
        yield ("reach", n, "rule"), reach.rule
        yield from _present((("reach", n, "by_rule"), reach.by_rule))
    yield from ((("objection", n, "rule"), each.rule) for n, each in enumerate(instrument.objections, 1))
    yield from ((("may_know", n, "rule"), each.rule) for n, each in enumerate(instrument.may_know, 1))
    yield from _shared_rules(instrument)
    yield from (((*path, "rule"), each.rule) for path, each in instrument_conditions(instrument))


def tightening_rules(tightening: Tightening) -> Iterator[Mention]:
    """The same for what an overlay adds."""
    yield from _shared_rules(tightening)
    yield from (((*path, "rule"), each.rule) for path, each in tightening_conditions(tightening))


def _shared_rules(part: Instrument | Tightening) -> Iterator[Mention]:
    yield from _present((("issuers_rule",), part.issuers_rule))
    if part.notice:
        yield ("notice", "rule"), part.notice.rule
    yield from ((("notes", n), each) for n, each in enumerate(part.notes, 1))
    yield from _never_rules(part.nevers)
    yield from ((("element", n, "rule"), each.rule) for n, each in enumerate(part.elements, 1))


def _never_rules(nevers: Iterable[Never]) -> Iterator[Mention]:
    for n, never in enumerate(nevers, 1):
        yield from ((("never", n, "rules", k), each) for k, each in enumerate(never.rules, 1))


def _present(*mentions: Mention) -> Iterator[Mention]:
    return (each for each in mentions if each[1])


def instrument_conditions(instrument: Instrument) -> Iterator[Placed]:
    """Conditions of an instrument: of the whole paper, of a reach, of an element."""
    yield from _placed(("conditions",), instrument.conditions)
    yield from _element_conditions(instrument.elements)
    for n, reach in enumerate(instrument.reaches, 1):
        yield from _placed(("reach", n, "needs"), reach.needs)


def tightening_conditions(tightening: Tightening) -> Iterator[Placed]:
    """The same for what an overlay adds."""
    yield from _placed(("conditions",), tightening.conditions)
    yield from _element_conditions(tightening.elements)


def _element_conditions(elements: Iterable[Element]) -> Iterator[Placed]:
    for n, element in enumerate(elements, 1):
        yield from _placed(("element", n, "when"), element.when)


def _placed(path: Path, conditions: Iterable[Condition]) -> Iterator[Placed]:
    return (((*path, n), each) for n, each in enumerate(conditions, 1))


def all_conditions(pack: Pack) -> Iterator[Placed]:
    """Every condition of a pack."""
    for n, clock in enumerate(pack.clocks, 1):
        yield from _placed(("clock", n, "when"), clock.when)
    for n, instrument in enumerate(pack.instruments, 1):
        yield from _under(("instrument", n), instrument_conditions(instrument))
    for n, tightening in enumerate(pack.tightenings, 1):
        yield from _under(("tighten", n), tightening_conditions(tightening))


def all_rules(pack: Pack) -> Iterator[Mention]:
    """Every id of a rule that a pack names."""
    for n, instrument in enumerate(pack.instruments, 1):
        yield from _under(("instrument", n), instrument_rules(instrument))
    for n, tightening in enumerate(pack.tightenings, 1):
        yield from _under(("tighten", n), tightening_rules(tightening))
    for n, clock in enumerate(pack.clocks, 1):
        yield from (((*path, "rule"), each.rule) for path, each in _placed(("clock", n, "when"), clock.when))
    yield from ((("reason", n, "rule"), each.rule) for n, each in enumerate(pack.reasons, 1))
    yield from ((("flag", n, "rule"), each.rule) for n, each in enumerate(pack.flags, 1))
    if pack.floor:
        yield ("floor", "elements_rule"), pack.floor.elements_rule
        yield ("floor", "content_rule"), pack.floor.content_rule


def all_reasons(pack: Pack) -> Iterator[Mention]:
    """Every code of a box that a pack names."""
    yield from _present(*(((*path, "reason"), each.reason) for path, each in all_conditions(pack)))
    yield from _present(*((("flag", n, "reason"), each.reason) for n, each in enumerate(pack.flags, 1)))
    for n, instrument in enumerate(pack.instruments, 1):
        yield from _under(("instrument", n), _part_reasons(instrument.elements, instrument.reaches))
    for n, tightening in enumerate(pack.tightenings, 1):
        yield from _under(("tighten", n), _part_reasons(tightening.elements, ()))


def _part_reasons(elements: Iterable[Element], reaches: Iterable[Reach]) -> Iterator[Mention]:
    yield from _present(*((("element", n, "reason"), each.reason) for n, each in enumerate(elements, 1)))
    yield from _present(*((("reach", n, "by_reason"), each.by_reason) for n, each in enumerate(reaches, 1)))


def _under[T](outer: Path, inner: Iterable[tuple[Path, T]]) -> Iterator[tuple[Path, T]]:
    return (((*outer, *path), each) for path, each in inner)

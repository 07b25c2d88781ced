"""What a set of packs must keep: an overlay only tightens, and no pack is lower than the baseline's floor.

Each check yields what it finds as a `Fault` with its place in the pack, so that it can be told with file and line.
`not_tighter` knows nothing of how overlays are applied: it compares the law before and after, category by category.

Source: docs/law.md, "Overlays and the floor".
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from dueprocess.demand import LEAVES, Category, covers, ordered
from dueprocess.law.pack import Floor, Instrument, NoticeRule, Pack, Reach, Tightening
from dueprocess.law.parsing.lines import Path

CONTENT = frozenset(leaf for leaf in LEAVES if covers("content", leaf))


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, where in the pack, and what to do about it."""

    path: Path
    why: str
    do: str


def below_floor(pack: Pack, floor: Floor) -> Iterator[Fault]:
    """Compulsory instruments for disclosure that ask for less than the floor, or reach content on less."""
    for n, each in enumerate(pack.instruments, 1):
        if each.compulsion == "compulsory" and each.demand_kind == "disclosure" and not each.reverse:
            yield from _below(("instrument", n), each, floor)


def _below(path: Path, instrument: Instrument, floor: Floor) -> Iterator[Fault]:
    always = {each.code for each in instrument.elements if not each.categories and not each.when}
    for code in floor.elements:
        if code not in always:
            yield Fault(
                (*path, "element"),
                f"Lower than the baseline: {instrument.code} does not always ask for the element {code}.",
                f'Add {{ code = "{code}", meaning = "...", rule = "..." }} to `element`, without categories or when.',
            )
    for k, reach in enumerate(instrument.reaches, 1):
        if reach.categories & CONTENT and (low := (reach.by or instrument.issuers) - floor.content_by):
            yield Fault(
                (*path, "reach", k, "by" if reach.by else "categories"),
                f"Lower than the baseline: content on the word of {', '.join(sorted(low))}.",
                f"Reach content only with `by` among: {', '.join(sorted(floor.content_by))}.",
            )


def clashes(base: Pack, overlay: Pack) -> Iterator[Fault]:
    """Names of the overlay that already mean something else in the pack below it."""
    ours, theirs = _meanings(overlay), _meanings(base)
    for (kind, key, name), (n, meaning) in ours.items():
        if (kind, key, name) in theirs and (kind == "rule" or theirs[kind, key, name][1] != meaning):
            yield Fault(
                (kind, n, key),
                f"{name} already stands in {base.id}.",
                "Choose another name here."
                if kind == "rule"
                else "Repeat it here word for word, or choose another name.",
            )


def _meanings(pack: Pack) -> dict[tuple[str, str, str], tuple[int, object]]:
    found: dict[tuple[str, str, str], tuple[int, object]] = {}
    for n, rule in enumerate(pack.rules, 1):
        found["rule", "id", rule.id] = (n, rule)
    for n, source in enumerate(pack.sources, 1):
        found["source", "key", source.key] = (n, source)
    for n, question in enumerate(pack.questions, 1):
        found["question", "id", question.id] = (n, question)
    for n, reason in enumerate(pack.reasons, 1):
        found["reason", "code", reason.code] = (n, reason.text)
    return found


def misfits(base: Pack, overlay: Pack) -> Iterator[Fault]:
    """What an overlay says about instruments that the pack below does not have, or have so."""
    for n, each in enumerate(overlay.tightenings, 1):
        path: Path = ("tighten", n)
        for k, code in enumerate(each.instruments, 1):
            if not base.knows(code):
                known = ", ".join(dict.fromkeys(one.code for one in base.instruments))
                why = f"{base.id} has no instrument {code[:60]!r}."
                yield Fault((*path, "instruments", k), why, f"Choose from: {known}.")
        for instrument in base.instruments:
            if instrument.code in each.instruments:
                yield from _misfit(path, instrument, each)


def _misfit(path: Path, instrument: Instrument, added: Tightening) -> Iterator[Fault]:
    if added.issuers is not None and (more := added.issuers - instrument.issuers):
        yield Fault(
            (*path, "issuers"),
            f"An overlay only tightens: {', '.join(sorted(more))} may not issue a {instrument.code} now.",
            f"Choose from: {', '.join(sorted(instrument.issuers))}.",
        )
    if added.notice and (instrument.notice.word, added.notice.word) != (
        "allowed_before_production",
        "required",
    ):
        yield Fault(
            (*path, "notice", "word"),
            f"The notice of {instrument.code} is {instrument.notice.word}; an overlay turns"
            " allowed_before_production into required, and nothing else.",
            "Remove `notice`, or name only instruments whose notice is allowed_before_production.",
        )
    always = {each.code for each in instrument.elements if not each.categories and not each.when}
    for k, element in enumerate(added.elements, 1):
        if element.code in always:
            why = f"{instrument.code} already asks for {element.code}, always."
            yield Fault((*path, "element", k, "code"), why, "Remove it here; it adds nothing.")


def not_tighter(before: Pack, after: Pack) -> Iterator[Fault]:
    """Ways in which a pack lets more through after an overlay than before it. There should be none."""
    for what, holds in (
        ("a rule was changed or taken away", _same_rules(before, after)),
        ("a flag was taken away", set(before.flags) <= set(after.flags)),
        ("what is not about an instrument was changed", _frame(before) == _frame(after)),
        ("instruments were added or taken away", _versions(before).keys() == _versions(after).keys()),
    ):
        if not holds:
            yield _widened(what)
    for version, instrument in _versions(after).items():
        if version in _versions(before):
            yield from _wider(_versions(before)[version], instrument)


def _widened(what: str) -> Fault:
    return Fault(("pack",), f"An overlay only tightens: {what}.", "Remove the [[tighten]] that does this.")


def _same_rules(before: Pack, after: Pack) -> bool:
    known = {each.id for each in before.rules}
    return {each for each in after.rules if each.id in known} == set(before.rules)


def _frame(pack: Pack) -> Pack:
    return replace(pack, sources=(), rules=(), questions=(), reasons=(), flags=(), instruments=(), layers=())


def _versions(pack: Pack) -> dict[tuple[str, object], Instrument]:
    return {(each.code, each.rule.since): each for each in pack.instruments}


def _wider(before: Instrument, after: Instrument) -> Iterator[Fault]:
    """One instrument, part by part and category by category."""
    for what, holds in (
        ("more may issue", after.issuers <= before.issuers),
        ("a condition was taken away", set(before.conditions) <= set(after.conditions)),
        ("an element was taken away", set(before.elements) <= set(after.elements)),
        ("a note was taken away", set(before.notes) <= set(after.notes)),
        ("something is no longer `never`", set(before.nevers) <= set(after.nevers)),
        ("the notice is weaker", _notice_holds(before.notice, after.notice)),
        ("another part was changed", _rest(before) == _rest(after)),
        *(
            (f"{each} is reached on less", _no_wider(before.reaches, after.reaches, each))
            for each in ordered(LEAVES)
        ),
    ):
        if not holds:
            yield _widened(f"of {after.code}, {what}")


def _rest(instrument: Instrument) -> Instrument:
    """The parts that no overlay touches."""
    return replace(
        instrument,
        issuers=frozenset(),
        issuers_rule="",
        notice=NoticeRule("required", ""),
        reaches=(),
        nevers=(),
        elements=(),
        conditions=(),
        notes=(),
    )


def _notice_holds(before: NoticeRule, after: NoticeRule) -> bool:
    return after == before or (before.word, after.word) == ("allowed_before_production", "required")


def _no_wider(before: Iterable[Reach], after: Iterable[Reach], category: Category) -> bool:
    """Whether each way to reach a category is one that was there, or a narrower one."""
    old = [each for each in before if category in each.categories]
    new = [each for each in after if category in each.categories]
    return all(any(_within(each, other) for other in old) for each in new)


def _within(new: Reach, old: Reach) -> bool:
    same = new.rule == old.rule and old.purpose in (None, new.purpose)
    by = not old.by or (bool(new.by) and new.by <= old.by)
    return same and by and set(old.needs) <= set(new.needs)

"""What two versions of a pack say differently about reach: conditions, categories, and what is never reached.

Each function yields changes without a label; ``changes.under`` names the entry that they belong to.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator

from dueprocess.demand import Category, ordered
from dueprocess.law.comparing.changes import Change, pairs
from dueprocess.law.pack import Condition, Never, Reach
from dueprocess.law.words import answer_words, plain

type Dated = Callable[[str], dt.date | None]
"""The first day of a rule by its id, None where it has none."""
type _Terms = frozenset[Reach]


def condition_changes(old: Iterable[Condition], new: Iterable[Condition]) -> Iterator[Change]:
    """Conditions that hold now, no longer, or with other answers. Those of the whole paper: fewer is wider."""
    both, gone, came = pairs(old, new, lambda each: (each.fact, each.rule), lambda each: each.fact)
    for one in came:
        yield Change("condition", f"now only if {condition(one)}")
    for one in gone:
        yield Change("condition", f"no longer only if {condition(one)}", widens=True)
    for before, now in both:
        wider = not now.among <= before.among
        yield Change("condition", f"only if {condition(now)}, before only if {condition(before)}", wider)


def when_changes(old: tuple[Condition, ...], new: tuple[Condition, ...]) -> Iterator[Change]:
    """Conditions of a clock: it runs unless one is known not to be met, so that more of them are wider."""
    if unless(old) != unless(new):
        word, was = (unless(each) or " always" for each in (new, old))
        yield Change("condition", f"runs{word}, before{was}", not includes(old, new))
    yield from condition_rules(old, new)


def unless(conditions: Iterable[Condition]) -> str:
    """In which cases something does not count: only where a fact is known, and known to be another."""
    return "".join(
        f" unless {plain(each.fact)} is known to be other than {answer_words(each.among)}"
        for each in conditions
    )


def condition_rules(old: Iterable[Condition], new: Iterable[Condition]) -> Iterator[Change]:
    for before, now in pairs(old, new, lambda each: (each.fact, each.among))[0]:
        yield Change("condition", f"asks whether {condition(now)}, before whether {condition(before)}")


def condition(one: Condition) -> str:
    """``service_type is mail or messaging (rule tkg.who, box service)``."""
    box = f", box {one.reason}" if one.reason else ""
    return f"{plain(one.fact)} is {answer_words(one.among)} (rule {one.rule}{box})"


def includes(some: Iterable[Condition], wanted: Iterable[Condition]) -> bool:
    """Whether whoever meets these conditions also meets those."""
    held = list(some)
    return all(any(each.fact == need.fact and each.among <= need.among for each in held) for need in wanted)


def first_day(dated: Dated, rules: Iterable[str]) -> dt.date | None:
    return max((day for rule in rules if (day := dated(rule))), default=None)


def reach_changes(old: Iterable[Reach], new: Iterable[Reach], dated: Dated) -> Iterator[Change]:
    """Categories that are reached now, no longer, or on other terms; those with the same change together."""
    before, now = _by_category(old), _by_category(new)
    groups: dict[tuple[_Terms, _Terms], set[Category]] = {}
    for category in ordered(frozenset(before) | frozenset(now)):
        one, other = before.get(category, frozenset()), now.get(category, frozenset())
        if one != other:
            groups.setdefault((one - other, other - one), set()).add(category)
    for (gone, came), categories in groups.items():
        kept = any(before.get(each, frozenset()) & now.get(each, frozenset()) for each in categories)
        change = _reach(gone, came, frozenset(categories), kept=kept)
        yield Change(
            "reach",
            change[0],
            change[1],
            first_day(dated, (each.rule for each in came)),
            frozenset(categories),
        )


def _by_category(reaches: Iterable[Reach]) -> dict[Category, _Terms]:
    """The terms on which each category is reached: the reach without the categories beside it."""
    found: dict[Category, set[Reach]] = {}
    for each in reaches:
        for category in each.categories:
            terms = Reach(
                frozenset(), each.rule, each.purpose, each.by, each.by_rule, each.by_reason, each.needs
            )
            found.setdefault(category, set()).add(terms)
    return {category: frozenset(terms) for category, terms in found.items()}


def _reach(gone: _Terms, came: _Terms, categories: frozenset[Category], *, kept: bool) -> tuple[str, bool]:
    what = ", ".join(ordered(categories))
    if not came:
        return f"no longer reaches {what}{_terms(gone) if kept else ''}", False
    if not gone:
        return f"now{' also' if kept else ''} reaches {what}{_terms(came)}", True
    wider = not all(any(_as_strict(one, other) for other in gone) for one in came)
    return f"reaches {what} on other terms:{_terms(came)}; before:{_terms(gone)}", wider


def _as_strict(one: Reach, other: Reach) -> bool:
    """Whether all that one reach lets through the other did too."""
    purpose = other.purpose is None or one.purpose == other.purpose
    by = not other.by or bool(one.by and one.by <= other.by)
    return purpose and by and includes(one.needs, other.needs)


def _terms(terms: _Terms) -> str:
    return " or".join(sorted(_one_term(each) for each in terms))


def _one_term(terms: Reach) -> str:
    said_ = " only to identify someone" if terms.purpose else ""
    if terms.by:
        box = f", box {terms.by_reason}" if terms.by_reason else ""
        said_ += f" if issued or validated by {' or '.join(sorted(terms.by))} (rule {terms.by_rule}{box})"
    said_ += "".join(f" if {condition(each)}" for each in terms.needs)
    return f"{said_} (rule {terms.rule})"


def never_changes(old: Iterable[Never], new: Iterable[Never]) -> Iterator[Change]:
    """Categories that are never reached now, no longer, or for other reasons."""
    before, now = _reasons_by_category(old), _reasons_by_category(new)
    groups: dict[tuple[tuple[str, ...], tuple[str, ...]], set[Category]] = {}
    for category in ordered(frozenset(before) | frozenset(now)):
        rules = before.get(category, ()), now.get(category, ())
        if rules[0] != rules[1]:
            groups.setdefault(rules, set()).add(category)
    for (gone, came), categories in groups.items():
        what = ", ".join(ordered(categories))
        why, was = (f"rules {', '.join(rules)}" if rules else "no rule" for rules in (came, gone))
        yield Change(
            "never", f"never reaches {what}: {why} now, before {was}", not came, None, frozenset(categories)
        )


def _reasons_by_category(nevers: Iterable[Never]) -> dict[Category, tuple[str, ...]]:
    found: dict[Category, tuple[str, ...]] = {}
    for each in nevers:
        for category in each.categories:
            found[category] = (*found.get(category, ()), *each.rules)
    return found

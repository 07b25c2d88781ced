"""What a whole pack must keep beyond its single entries: no silence, no two answers, no dangling name, no gap."""

from collections.abc import Iterable
from typing import get_args

from dueprocess.demand import LEAVES, SECRETS, Answer, Category, IssuerKind
from dueprocess.law.pack import BUILT_IN, Condition, Instrument, Pack, Question
from dueprocess.law.parsing.lines import Path
from dueprocess.law.parsing.mentions import all_conditions, all_reasons, all_rules
from dueprocess.law.parsing.spans import check_gaps, check_spans
from dueprocess.law.parsing.table import Table

_ISSUERS = frozenset(get_args(IssuerKind)) - {"private_party"}
_YES_NO: frozenset[Answer] = frozenset({True, False})


def check_coverage(table: Table, instrument: Instrument) -> None:
    """An instrument answers for every category: silence would be a default.

    What is reached only for a purpose may also stand under `never`, which then says why it is not reached otherwise.
    """
    plain = _union(each.categories for each in instrument.reaches if not each.purpose)
    reached = _union(each.categories for each in instrument.reaches)
    never = _union(each.categories for each in instrument.nevers)
    if instrument.reverse and instrument.reaches:
        table.fail(
            "reach", "A reverse demand reaches nothing.", do="Remove `reach`, and name all under `never`."
        )
    if SECRETS in reached or SECRETS not in never:
        table.fail(
            "reach" if SECRETS in reached else "never",
            "Secrets are never produced: name `secrets` under [[instrument.never]].",
            do='Move "secrets" to `never`, with the rule that says why.',
        )
    if plain & never:
        both = ", ".join(sorted(plain & never))
        table.fail("never", f"Both reached and never reached: {both}.", do="Keep one of the two answers.")
    if silent := LEAVES - reached - never:
        table.fail(
            "reach" if instrument.reaches else "never",
            f"Neither reached nor never reached: {', '.join(sorted(silent))}.",
            do="Name each of them under `reach` or under `never`, with a rule.",
        )
    _check_once(table, "element", "code", [each.code for each in instrument.elements])
    _check_once(table, "may_know", "who", [each.who for each in instrument.may_know])


def _union(categories: Iterable[frozenset[Category]]) -> frozenset[Category]:
    return frozenset[Category]().union(*categories)


def check_pack(top: Table, pack: Pack) -> None:
    """All that can be said of one pack alone."""
    _check_once(top, "question", "id", [each.id for each in pack.questions])
    _check_once(top, "reason", "code", [each.code for each in pack.reasons])
    _check_once(top, "flag", "id", [each.id for each in pack.flags])
    check_spans(top, pack)
    _check_references(top, pack)
    _check_conditions(top, pack)
    check_gaps(top, pack)
    _check_working_days(top, pack)
    if pack.kind == "overlay" and not pack.tightenings and not pack.flags:
        top.fail("pack", "This overlay adds nothing.", do="Add [[tighten]] or [[flag]].")


def _check_once(table: Table, kind: str, key: str, names: list[str]) -> None:
    seen: set[str] = set()
    for n, name in enumerate(names, 1):
        if name in seen:
            table.fail_at(
                (kind, n, key),
                f"{name} is named twice.",
                do="Remove one of the two, or give it another name.",
            )
        seen.add(name)


def _check_references(top: Table, pack: Pack) -> None:
    """Every rule, clock, nondisclosure law and box that an entry names is declared."""
    rules, clocks = {each.id for each in pack.rules}, {each.id for each in pack.clocks}
    silences, boxes = {each.id for each in pack.nondisclosure}, {each.code for each in pack.reasons}
    for path, name in all_rules(pack):
        _declared(top, path, "rule", name, rules)
    for path, name in all_reasons(pack):
        _declared(top, path, "reason", name, boxes)
    for n, law in enumerate(pack.nondisclosure, 1):
        _declared(top, ("nondisclosure", n, "end_clock"), "clock", law.end_clock, clocks)
        _declared(top, ("nondisclosure", n, "review_clock"), "clock", law.review_clock, clocks)
    for n, instrument in enumerate(pack.instruments, 1):
        for k, name in enumerate(instrument.clocks, 1):
            _declared(top, ("instrument", n, "clocks", k), "clock", name, clocks)
        for k, name in enumerate(instrument.nondisclosure, 1):
            _declared(top, ("instrument", n, "nondisclosure", k), "nondisclosure", name, silences)


def _declared(top: Table, path: Path, kind: str, name: str, known: set[str]) -> None:
    if name not in known:
        top.fail_at(
            path,
            f"An entry refers to {name[:60]!r}, and there is no [[{kind}]] of that name.",
            do=f"Declare the [[{kind}]], or correct the name.",
        )


def _check_conditions(top: Table, pack: Pack) -> None:
    """Each condition asks a known fact for possible answers, and each question serves a condition."""
    questions = {each.id: each for each in pack.questions}
    asked = set()
    for path, condition in all_conditions(pack):
        _check_condition(top, path, condition, questions)
        asked.add(condition.fact)
    for n, question in enumerate(pack.questions, 1):
        if question.id not in asked:
            top.fail_at(
                ("question", n, "id"),
                f"No condition asks for {question.id}.",
                do="Remove the question, or name it in a condition.",
            )


def _check_condition(top: Table, path: Path, condition: Condition, questions: dict[str, Question]) -> None:
    if condition.fact not in questions and condition.fact not in BUILT_IN:
        known = ", ".join((*questions, *BUILT_IN))
        top.fail_at(
            (*path, "fact"),
            f"There is no fact {condition.fact[:60]!r}.",
            do=f"Declare a [[question]] of that name, or choose from: {known}.",
        )
    possible = _possible(condition.fact, questions.get(condition.fact))
    if odd := [each for each in condition.among if not _is_possible(each, possible)]:
        said = str(odd[0])[:60]
        top.fail_at(
            (*path, "is"),
            f"{said} is no answer to {condition.fact}.",
            do=f"Choose from: {', '.join(sorted(str(each).lower() for each in possible))}."
            if possible
            else 'Write country codes such as "DE".',
        )


def _possible(fact: str, question: Question | None) -> frozenset[Answer]:
    """The answers that a fact can have; empty for a country, of which any code will do."""
    if question:
        return frozenset(question.choices) or _YES_NO
    if fact == "country":
        return frozenset()
    return frozenset(_ISSUERS) if fact in ("issuer_kind", "validated_by") else _YES_NO


def _is_possible(answer: Answer, possible: frozenset[Answer]) -> bool:
    if possible:
        return answer in possible
    return isinstance(answer, str) and len(answer) == 2 and answer.isascii() and answer.isupper()


def _check_working_days(top: Table, pack: Pack) -> None:
    for n, clock in enumerate(pack.clocks, 1):
        if not pack.holidays and (clock.roll or clock.unit == "working_days"):
            top.fail_at(
                ("clock", n, "roll" if clock.roll else "working_days"),
                "This clock needs to know which days do not work, and the pack names no calendar.",
                do='Add `holidays = "DE"` (or "issuer") under [pack].',
            )

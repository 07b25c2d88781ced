"""docs/law/matrix-eu-art4.md: who may order what under Article 4 of Regulation (EU) 2023/1543, asked of the engine."""

import itertools
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from dueprocess.demand import Answer, IssuerKind, Purpose
from dueprocess.law import Outcome, Pack
from law_docs.ask import Answered, Paper, answer
from law_docs.markdown import MADE, anchor, cited, reviewed, table
from law_docs.shipped import applied, day_of

PACK = "eu.evidence"
REGULATION = "Regulation (EU) 2023/1543"
JUDGES: tuple[IssuerKind, ...] = ("judge", "court", "investigating_judge")
OTHERS: tuple[IssuerKind, ...] = ("agency", "police")
CERTIFICATE: dict[str, Answer] = {
    "other_state": True,
    "service_kind": "communications",
    "proceedings": "criminal_proceedings",
    "offence_class": "max_3_years_or_more",
    "enforcing_authority": "not_notified",
    "addressed_as": "controller",
    "channel": "system",
    "section_m_present": "absent",
}
"""A certificate with nothing else wrong, so that only the authority, the data and the emergency decide."""
BOXES: tuple[Mapping[str, Answer], ...] = ({"unvalidated_box": True}, {"unvalidated_box": False}, {})
"""The box `without prior validation`: ticked, not ticked, not known."""


class Column(NamedTuple):
    title: str
    issuers: tuple[IssuerKind, ...]
    validators: tuple[IssuerKind | None, ...] = (None,)


COLUMNS = (
    Column("judge, court, investigating judge", JUDGES),
    Column("public prosecutor", ("prosecutor",)),
    Column("other authority, validated by a judge, court or investigating judge", OTHERS, JUDGES),
    Column("other authority, validated by a public prosecutor", OTHERS, ("prosecutor",)),
    Column("other authority, not validated", OTHERS),
)


class Row(NamedTuple):
    title: str
    instrument: str
    categories: tuple[str, ...]
    purpose: Purpose = None
    emergency: bool = False


SUBSCRIBER = ("subscriber.identity", "subscriber.service", "subscriber.payment")
NUMBERS = ("subscriber.number", "session.times")
ALL = ("subscriber", "session.times", "traffic", "location", "content")
ROWS = (
    Row("EPOC: subscriber data, Article 3(9)", "epoc", SUBSCRIBER),
    Row("EPOC: data only to identify the user, Article 3(10)", "epoc", NUMBERS, "identify"),
    Row("EPOC: the same data for anything else", "epoc", NUMBERS),
    Row("EPOC: traffic data, Article 3(11)", "epoc", ("traffic", "location")),
    Row("EPOC: content, Article 3(12)", "epoc", ("content",)),
    Row("EPOC-PR: any data", "epoc_pr", ALL),
    Row("Emergency, EPOC: subscriber data", "epoc", SUBSCRIBER, emergency=True),
    Row("Emergency, EPOC: data only to identify the user", "epoc", NUMBERS, "identify", emergency=True),
    Row("Emergency, EPOC: traffic data, content", "epoc", ("traffic", "location", "content"), emergency=True),
    Row("Emergency, EPOC-PR: any data", "epoc_pr", ALL, emergency=True),
)


def eu_matrix_page() -> str:
    pack = applied()[PACK]
    heads = ("order and data", *(each.title for each in COLUMNS))
    return "\n\n".join(
        [
            f"{MADE}# Who may order what in the European Union: Article 4 of {REGULATION}",
            (
                f"Made by asking the engine, with the pack [{PACK}]({PACK}.md) {pack.version} and nothing else, on "
                f"{day_of(pack)}. {METHOD} {reviewed(pack)} {pack.status}"
            ),
            anchor("matrix", "eu-art4"),
            table(heads, ((row.title, *(_cell(pack, row, column) for column in COLUMNS)) for row in ROWS)),
            LEGEND,
            (
                "Traffic and content depend on more than the authority: on the offence "
                f"({_rule('ee.threshold')}) and on the enforcing authority where it was notified "
                f"({_rule('ee.suspended')}). That a preservation order for "
                "any data may come without validation is the article; the form of Annex II is narrower "
                f"({_rule('ee.4-5.preservation')}).\n"
            ),
        ]
    )


METHOD = """\
For each cell: a complete certificate from each of the authorities named, in criminal proceedings for an offence of
three years or more, without notification, with the box for orders without prior validation ticked, not ticked and
unknown. Articles and annexes are those of the Regulation."""
LEGEND = """\
*yes*: within reach, whether that box is ticked or not. *only with the box*: within reach only where the certificate
itself says that it was issued in an emergency without prior validation; validation is sought afterwards, and nobody
will tell the addressee. *no*: cut, and said on Annex III. In an emergency a *yes* still goes to counsel: emergencies
are assessed and cannot be produced in this version. The rules behind a *yes* are all that it depends on; behind a *no*,
what the nearest way lacks."""


def _rule(rule_id: str) -> str:
    return f"[{rule_id}]({PACK}.md#rule-{rule_id})"


def _cell(pack: Pack, row: Row, column: Column) -> str:
    found = {box.get("unvalidated_box"): _agreed(pack, row, column, box) for box in BOXES}
    shown = [each for each in found.values() if each.reached] or list(found.values())
    rules = min((each.rules for each in shown), key=len)
    links = [cited(pack, each, page=f"{PACK}.md", main=REGULATION) for each in rules]
    return f"**{_word(found)}** {'; '.join(links)}"


def _word(found: Mapping[Answer | None, Answered]) -> str:
    reached = {box for box, each in found.items() if each.reached}
    words = {frozenset(found): "yes", frozenset({True}): "only with the box", frozenset(): "no"}
    return words[frozenset(reached)]


def _agreed(pack: Pack, row: Row, column: Column, box: Mapping[str, Answer]) -> Answered:
    """One answer for all authorities of a column. Refuses authorities that the engine treats differently."""
    found = {answer(pack, paper) for paper in _papers(row, column, box)}
    assert len(found) == 1, f"{row.title}, {column.title}: {found}"
    only = found.pop()
    best = Outcome.ESCALATE_TO_COUNSEL if row.emergency else Outcome.PERMIT_ALL
    assert only.reached == (only.outcome is best), f"{row.title}, {column.title}: {only}"
    return only


def _papers(row: Row, column: Column, box: Mapping[str, Answer]) -> Iterator[Paper]:
    for issuer, validator in itertools.product(column.issuers, column.validators):
        needed = issuer in JUDGES or validator in JUDGES
        yield Paper(
            instrument=row.instrument,
            categories=row.categories,
            issuer_kind=issuer,
            validated_by=validator,
            emergency=row.emergency,
            purpose=row.purpose,
            country="DE",
            answers={**CERTIFICATE, **box, "deadline": "eight_hours" if row.emergency else "ten_days"},
            lacks=_lacks(issuer, validator, prior=needed),
        )


def _lacks(issuer: IssuerKind, validator: IssuerKind | None, *, prior: bool) -> frozenset[str]:
    """What a paper without a validation cannot carry."""
    unvalidated = issuer in OTHERS and validator is None
    return frozenset({"validating_authority"} if unvalidated else ()) | frozenset(
        () if prior else {"prior_validation"}
    )

"""docs/law/matrix-us.md: which paper reaches which data under 18 USC 2703, 2702 and 2709."""

from typing import NamedTuple

from dueprocess.demand import IssuerKind
from dueprocess.law import Pack
from law_docs.ask import Paper, answer
from law_docs.markdown import MADE, anchor, cited, reviewed, table
from law_docs.shipped import applied, day_of

PACK = "us.sca"


class Column(NamedTuple):
    title: str
    instrument: str
    issuer: IssuerKind
    word: str
    """What reaching means for this paper."""


COLUMNS = (
    Column("Preservation letter, 2703(f)", "preservation_letter", "police", "hold only"),
    Column("Subpoena", "subpoena", "grand_jury", "yes"),
    Column("2703(d) order", "d_order", "court", "yes"),
    Column("Search warrant", "warrant", "judge", "yes"),
    Column("National Security Letter", "nsl", "fbi_official", "yes"),
    Column("Emergency, 2702", "emergency", "police", "voluntary"),
)


class Row(NamedTuple):
    title: str
    categories: tuple[str, ...]
    live: bool = False
    beside: frozenset[str] = frozenset()
    """Rules that belong to another row about the same category."""


OLD_CONTENT = frozenset({"2703.content-over-180-days", "warshak.content"})
ROWS = (
    Row("name and address, (c)(2)(A)-(B)", ("subscriber.identity",)),
    Row("session times and lengths, (c)(2)(C)", ("session.times",)),
    Row("length and types of service, (c)(2)(D)", ("subscriber.service",)),
    Row("numbers and assigned network addresses, (c)(2)(E)", ("subscriber.number",)),
    Row("means and source of payment, (c)(2)(F)", ("subscriber.payment",)),
    Row("other records that are not content, (c)(1)", ("traffic",)),
    Row("content, stored for up to 180 days", ("content",), beside=OLD_CONTENT),
    Row("content, stored for longer or in a remote computing service", ("content",)),
    Row("location history", ("location",)),
    Row("passwords, keys, tokens", ("secrets",)),
    Row("what comes only after the receipt (live)", ("session.times",), live=True),
)


def us_matrix_page() -> str:
    pack = applied()[PACK]
    heads = ("data", "category", *(each.title for each in COLUMNS))
    return "\n\n".join(
        [
            f"{MADE}# Which paper reaches which data in the United States",
            (
                f"Made by asking the engine about a complete paper for each cell, with the pack [{PACK}]({PACK}.md) "
                f"{pack.version} and nothing else, on {day_of(pack)}. {reviewed(pack)} {pack.status}"
            ),
            anchor("matrix", "us"),
            table(heads, (_line(pack, row) for row in ROWS)),
            LEGEND,
        ]
    )


LEGEND = """\
*yes*: the paper reaches it, if it is complete and from the right issuer. *hold only*: it is kept from deletion and
given to nobody. *voluntary*: the provider may and never must; emergencies are assessed and cannot be produced in this
version. *no*: it is cut. A link leads to the rule, with its text, its source and how it is known; where a citation ends
with *inference*, *practice* or *unverified*, the rule is not in the words of the law.

A wiretap, a pen register and every other live collection is other law (18 USC 2510 and 3121 and following) and out of
reach of this program. A paper that names nobody is never processed: [us.reverse](us.reverse.md).
"""


def _line(pack: Pack, row: Row) -> tuple[str, ...]:
    names = ", ".join(f"`{each}`" for each in row.categories)
    return (row.title, "any" if row.live else names, *(_cell(pack, row, column) for column in COLUMNS))


def _cell(pack: Pack, row: Row, column: Column) -> str:
    found = answer(
        pack,
        Paper(
            instrument=column.instrument,
            categories=row.categories,
            issuer_kind=column.issuer,
            emergency=column.word == "voluntary",
            live=row.live,
        ),
    )
    links = [cited(pack, each, page=f"{PACK}.md") for each in found.rules if each not in row.beside]
    return f"**{column.word if found.reached else 'no'}** {'; '.join(links)}"

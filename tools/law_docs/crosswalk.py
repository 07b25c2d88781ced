"""docs/law/crosswalk.md: where each category of data stands in each law, as far as the packs answer it."""

from dueprocess.demand import MEANING, Category
from dueprocess.law import Instrument, Pack
from law_docs.markdown import MADE, anchor, cited, table
from law_docs.shipped import applied


def crosswalk_page() -> str:
    packs = [each for each in applied().values() if each.kind == "regime" and _reaching(each)]
    heads = ("category", *(f"[{each.id}]({each.id}.md)" for each in packs))
    rows = ((_name(leaf), *(_cell(pack, leaf) for pack in packs)) for leaf in MEANING)
    return f"{MADE}{INTRO}\n{anchor('matrix', 'crosswalk')}\n\n{table(heads, rows)}\n"


INTRO = """\
# The categories of data in each law

One tree of categories serves all laws (`src/dueprocess/demand/category.py`). This table says by which rule a paper of
each law reaches a category, whoever must issue it and whatever else must hold; *to identify* means: only where that is
the sole purpose. Where no paper for disclosure reaches it, the rule that says so is linked. Papers that only preserve
or remove are left out.

The same field can belong to two categories: a network address asked for only to identify its user, and the same address
asked for anything else. Purpose decides, which is why a data map has `sole_purpose_identify` and a scope has `purpose`.
"""


def _name(leaf: Category) -> str:
    return f"`{leaf}` {MEANING[leaf]}"


def _reaching(pack: Pack) -> bool:
    return any(each.reaches for each in _papers(pack))


def _papers(pack: Pack) -> list[Instrument]:
    return [each for each in pack.instruments if each.demand_kind == "disclosure"]


def _cell(pack: Pack, leaf: Category) -> str:
    reached = [
        (f"{cited(pack, reach.rule, page=f'{pack.id}.md')}{' to identify' if reach.purpose else ''}")
        for paper in _papers(pack)
        for reach in paper.reaches
        if leaf in reach.categories
    ]
    if reached:
        return "; ".join(dict.fromkeys(reached))
    nevers = [
        cited(pack, never.rules[0], page=f"{pack.id}.md")
        for paper in _papers(pack)
        for never in paper.nevers
        if leaf in never.categories
    ]
    return f"**no** {'; '.join(dict.fromkeys(nevers))}"

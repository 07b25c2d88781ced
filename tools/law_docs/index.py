"""docs/law/README.md: the shipped packs, how sure each is, and how old its reading."""

from collections import Counter
from collections.abc import Iterable, Iterator

from dueprocess.law import Pack
from dueprocess.law.pack import BASES
from law_docs.markdown import MADE, every_rule, table
from law_docs.shipped import case_count, written

HEADS = ("pack", "law", "papers", "worked cases", "entries", *BASES, "oldest reading", "not read", "review")


def index_page() -> str:
    packs = written().values()
    return "\n\n".join(
        [
            f"{MADE}{INTRO}",
            table(HEADS, (*map(_line, packs), _total(list(packs)))),
            LEGEND,
            "## What was not read",
            table(("pack", "source", "why"), _unread(packs)) + "\n",
        ]
    )


INTRO = """\
# The law that this program brings

None of this is legal advice. A pack is a reading of published law by people who are not your lawyers; your own counsel
reviews it before you rely on it. [../law.md](../law.md) says how packs work, [writing-a-pack.md](writing-a-pack.md) how
to write one.

- [matrix-us.md](matrix-us.md): which paper reaches which data in the United States
- [matrix-eu-art4.md](matrix-eu-art4.md): who may order what in the European Union
- [crosswalk.md](crosswalk.md): where each category of data stands in each law

## The packs"""
LEGEND = """\
*entries*: rules, clocks, orders not to tell and papers, each with its citation. Then how many of them rest on what:
*statute* and *case law* were read at the source; *practice* is what an authority says that it does; *inference* is our
own reading; *unverified* was not read at its source. *oldest reading*: the day on which the source that was read
longest ago was read. *not read*: sources that nobody read."""


def _line(pack: Pack) -> tuple[str, ...]:
    found = Counter(rule.basis for _, rule in every_rule(pack))
    readings = [each.read_on for each in pack.sources if each.read_on]
    return (
        f"[{pack.id}]({pack.id}.md)",
        pack.title,
        str(len(pack.instruments)),
        str(case_count(pack.id)),
        str(found.total()),
        *(str(found[each]) for each in BASES),
        min(readings).isoformat() if readings else "none",
        str(len(pack.sources) - len(readings)),
        f"{pack.reviewed_by}, {pack.reviewed_on}" if pack.reviewed_by else "none",
    )


def _total(packs: list[Pack]) -> tuple[str, ...]:
    found = Counter(rule.basis for pack in packs for _, rule in every_rule(pack))
    papers, cases = sum(len(each.instruments) for each in packs), sum(case_count(each.id) for each in packs)
    numbers = (papers, cases, found.total(), *(found[each] for each in BASES))
    readings = [each.read_on for pack in packs for each in pack.sources if each.read_on]
    unread = sum(1 for pack in packs for each in pack.sources if not each.read_on)
    return ("**all**", "", *map(str, numbers), min(readings).isoformat(), str(unread), "")


def _unread(packs: Iterable[Pack]) -> Iterator[tuple[str, str, str]]:
    for pack in packs:
        for each in pack.sources:
            if not each.read_on:
                yield f"[{pack.id}]({pack.id}.md#source-{each.key})", each.short, each.not_read

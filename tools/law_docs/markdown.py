"""Markdown as the generated documents use it: tables, anchors, links to rules and sources."""

import re
from collections.abc import Iterable, Iterator

from dueprocess.law.pack import Pack, Rule

MADE = "<!-- Made from the code by tools/write_docs.py. Do not edit; run `make docs`. -->\n\n"


def table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """A table; line breaks in cells become spaces."""
    return "\n".join([row(heads), row(tuple("---" for _ in heads)), *map(row, rows)])


def row(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(re.sub(r"\s+", " ", cell).replace("|", "\\|") for cell in cells) + " |"


def anchor(kind: str, name: str) -> str:
    """A place that a link can lead to. It stays as long as the pack keeps the name."""
    return f'<a id="{kind}-{name}"></a>'


def bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def every_rule(pack: Pack) -> Iterator[tuple[str, Rule]]:
    """(kind of anchor, rule) of all that a pack says with a citation."""
    yield from (("rule", each) for each in pack.rules)
    yield from (("clock", each.rule) for each in pack.clocks)
    yield from (("nondisclosure", each.rule) for each in pack.nondisclosure)
    yield from (("instrument", each.rule) for each in pack.instruments)


def cited(pack: Pack, rule_id: str, *, page: str = "", main: str = "") -> str:
    """The citation of a rule as a link to it; of each version where their citations differ.

    ``main``: the text that the whole page is about, which is then not named again.
    """
    kinds = {rule.id: kind for kind, rule in every_rule(pack)}
    labels = dict.fromkeys(str(rule.citation) for _, rule in every_rule(pack) if rule.id == rule_id)
    return ", ".join(
        f"[{each.removeprefix(main).lstrip(', ')}]({page}#{kinds[rule_id]}-{rule_id})" for each in labels
    )


def told(pack: Pack, rule_id: str) -> str:
    """What a rule says, every version of it, with its citation as a link."""
    texts = [rule.text for _, rule in every_rule(pack) if rule.id == rule_id]
    return f"{' '.join(texts)} {cited(pack, rule_id)}" if texts else ""


def dates(rule: Rule) -> str:
    until = f" until {rule.until.isoformat()}" if rule.until else ""
    return f"in force from {rule.since.isoformat()}{until}"


def support(pack: Pack, rule: Rule) -> str:
    """Where a rule stands, how it is known, and on which days it holds."""
    source = pack.source(rule.citation.source)
    place = rule.citation.label.removeprefix(source.short).lstrip(", ")
    said = f"[{source.short}](#source-{source.key}) {place}".rstrip()
    return f"{said}. Basis: {rule.basis}; {dates(rule)}."


def reviewed(pack: Pack) -> str:
    return (
        f"Reviewed by {pack.reviewed_by} on {pack.reviewed_on}."
        if pack.reviewed_by
        else "Not reviewed by counsel."
    )

"""A pack as a page: head, sources, questions, papers, clocks, orders not to tell, flags, and every rule."""

from collections import Counter
from collections.abc import Iterator

from dueprocess.demand import ordered
from dueprocess.law.pack import BASES, Floor, NondisclosureBasis, Pack, Rule, Source, Tightening
from dueprocess.law.words import LETTERS, answer_words, plain
from law_docs.instrument import clock_words, instrument_section
from law_docs.markdown import MADE, anchor, bullets, cited, every_rule, reviewed, support, table, told

type Part = tuple[str, list[str]]


def pack_page(pack: Pack, file: str) -> str:
    """Everything that a pack says, each statement with its citation. ``file``: where it stands in rulepacks/."""
    parts = [f"{MADE}# {pack.id}: {pack.title}", f"**{reviewed(pack)}** {pack.status}", _head(pack, file)]
    for title, found in _parts(pack):
        if found:
            parts += [f"## {title}", *found]
    return "\n\n".join(parts) + "\n"


def _parts(pack: Pack) -> Iterator[Part]:
    yield "Sources", [_sources(pack)]
    yield "Questions", _questions(pack)
    yield "Flags", _flags(pack)
    yield "The floor", _floor(pack, pack.floor) if pack.floor else []
    yield "What it makes stricter", [_tightening(pack, each) for each in pack.tightenings]
    yield "Papers", [instrument_section(pack, each) for each in pack.instruments]
    yield "Boxes of the answer form", _reasons(pack)
    yield "Clocks", [_clock_entry(pack, each.rule, clock_words(each)) for each in pack.clocks]
    yield "Orders not to tell", [_nondisclosure(pack, each) for each in pack.nondisclosure]
    yield "Rules", [_entry(pack, "rule", versions) for versions in _by_id(pack.rules)]


# ---------------------------------------------------------------------------------------------- head


def _head(pack: Pack, file: str) -> str:
    rows = [(name, text) for name, text in _facts(pack, file) if text]
    return table(("", ""), rows)


def _facts(pack: Pack, file: str) -> Iterator[tuple[str, str]]:
    yield "law of", pack.jurisdiction + (f" ({', '.join(pack.countries)})" if pack.countries else "")
    yield "kind", f"{pack.kind} of {pack.overlays}" if pack.overlays else pack.kind
    yield "version", pack.version
    yield "file", f"`rulepacks/{file}`"
    yield "digest", f"`{pack.sha256}`"
    yield "entries", counted(pack)
    yield "time zone", _zones(pack)
    yield "working days of", "the authority's country" if pack.holidays == "issuer" else pack.holidays


def _zones(pack: Pack) -> str:
    by_country = ", ".join(f"{country} {zone}" for country, zone in sorted(pack.zones.items()))
    if by_country:
        return f"that of the authority's country ({by_country}), else {pack.zone or 'UTC'}"
    return pack.zone or "UTC"


def counted(pack: Pack) -> str:
    """How many entries rest on what: ``91: 59 statute, 2 case law, 30 inference``."""
    found = Counter(rule.basis for _, rule in every_rule(pack))
    return f"{found.total()}: " + ", ".join(f"{found[each]} {each}" for each in BASES if found[each])


def _sources(pack: Pack) -> str:
    rows = [
        (
            f"{anchor('source', each.key)}**{each.short}** {each.title}",
            _address(each),
            each.version,
            _read(each),
        )
        for each in pack.sources
    ]
    return table(("text", "address", "version", "read on"), rows)


def _address(source: Source) -> str:
    return f"[{source.address}]({source.address})" if source.address.startswith("http") else source.address


def _read(source: Source) -> str:
    said = source.read_on.isoformat() if source.read_on else f"**not read.** {source.not_read}"
    return f"{said} {source.note}".strip()


# ----------------------------------------------------------------------------- questions, flags, floor


def _questions(pack: Pack) -> list[str]:
    rows = [
        (
            f"{anchor('question', each.id)}`{each.id}`",
            each.text,
            each.about,
            ", ".join(f"`{choice}`" for choice in each.choices) or "yes or no",
        )
        for each in pack.questions
    ]
    return [table(("id", "question", "about", "answers"), rows)] if rows else []


def _flags(pack: Pack) -> list[str]:
    rows = [
        (
            f"{anchor('flag', each.id)}`{each.id}`",
            each.question,
            "a note" if each.ceiling == "permit_all" else plain(each.ceiling),
            LETTERS[each.letter] if each.letter else "",
            told(pack, each.rule),
        )
        for each in pack.flags
    ]
    return (
        [table(("id", "what the reader notices", "best outcome then", "letter", "rule"), rows)]
        if rows
        else []
    )


def _floor(pack: Pack, floor: Floor) -> list[str]:
    elements = ", ".join(f"`{each}`" for each in floor.elements)
    issuers = ", ".join(plain(each) for each in sorted(floor.content_by))
    return [
        bullets(
            [
                f"Every compulsory paper for disclosure asks for {elements}. {told(pack, floor.elements_rule)}",
                f"Content only where one of these issued or validated it: {issuers}. {told(pack, floor.content_rule)}",
            ]
        )
    ]


def _tightening(pack: Pack, tightening: Tightening) -> str:
    lines = [f"**On:** {', '.join(f'`{each}`' for each in tightening.instruments)}."]
    if tightening.issuers is not None:
        issuers = ", ".join(plain(each) for each in sorted(tightening.issuers))
        lines.append(f"**Issued only by:** {issuers}. {told(pack, tightening.issuers_rule)}")
    for never in tightening.nevers:
        names = ", ".join(f"`{each}`" for each in ordered(never.categories))
        lines.append(f"**Never:** {names}. {' '.join(told(pack, each) for each in never.rules)}")
    lines += [
        f"**Must show:** {each.meaning} (`{each.code}`). {told(pack, each.rule)}"
        for each in tightening.elements
    ]
    lines += [
        f"**Must hold:** `{each.fact}` is {answer_words(each.among)}. {told(pack, each.rule)}"
        for each in tightening.conditions
    ]
    if tightening.notice:
        lines.append(
            f"**Telling the user:** {plain(tightening.notice.word)}. {told(pack, tightening.notice.rule)}"
        )
    lines += [f"**Note:** {told(pack, each)}" for each in tightening.notes]
    return bullets(lines)


def _reasons(pack: Pack) -> list[str]:
    rows = [
        (f"{anchor('reason', each.code)}`{each.code}`", each.text, cited(pack, each.rule))
        for each in pack.reasons
    ]
    return [table(("code", "box", "rule"), rows)] if rows else []


# ------------------------------------------------------------------------------------- clocks and rules


def _clock_entry(pack: Pack, rule: Rule, counting: str) -> str:
    return f"{_entry(pack, 'clock', [rule])}\\\nCounted: {counting}."


def _nondisclosure(pack: Pack, found: NondisclosureBasis) -> str:
    names = "; ".join(found.names)
    end, review = (f"[`{each}`](#clock-{each})" for each in (found.end_clock, found.review_clock))
    entry = _entry(pack, "nondisclosure", [found.rule])
    needs = f"The paper carries {found.requires}. Named on papers as: {names}."
    return f"{entry}\\\n{needs} Clock: {end}, without an end {review}."


def _by_id(rules: tuple[Rule, ...]) -> list[list[Rule]]:
    found: dict[str, list[Rule]] = {}
    for each in rules:
        found.setdefault(each.id, []).append(each)
    return list(found.values())


def _entry(pack: Pack, kind: str, versions: list[Rule]) -> str:
    """A rule with all its versions under one anchor."""
    said = [f"{each.text}{_do(each)}\\\n{support(pack, each)}" for each in versions]
    return f"{anchor(kind, versions[0].id)}**{versions[0].id}** " + "\n\n".join(said)


def _do(rule: Rule) -> str:
    return f" *What to do:* {rule.do}" if rule.do else ""

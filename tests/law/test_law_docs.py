"""docs/law says what the law says: the matrices against tables written by hand, and every link against its anchor.

The tables here were written down from law.md 2.1 and 3.1 as corrected after a second reading of the sources; they
know nothing of the packs.
"""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from dueprocess.law import Pack, effective, parse_packs
from dueprocess.library.packs import shipped_as_written

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "law"
PAGES = sorted(FOLDER.glob("*.md"))
GUIDE = "writing-a-pack.md"
LINK = re.compile(r"\[([^\]]*)\]\(([^)\s]+)\)")

# -------------------------------------------------------------------------------- reading the documents


def tables(text: str) -> list[list[list[str]]]:
    """Every Markdown table as rows of cells, the head first."""
    found: list[list[list[str]]] = []
    inside = False
    for line in text.splitlines():
        if line.startswith("|"):
            cells = [each.strip() for each in re.split(r"(?<!\\)\|", line)[1:-1]]
            if not inside:
                found.append([])
            found[-1].append(cells)
        inside = line.startswith("|")
    return [[row for row in table if set("".join(row)) - set("-: ")] for table in found]


def matrix(name: str) -> list[list[str]]:
    """The only table of a matrix page."""
    (found,) = tables((FOLDER / name).read_text(encoding="utf-8"))
    return found


def word(cell: str) -> str:
    """What a cell answers, before its links."""
    found = re.match(r"\*\*([^*]+)\*\*", cell)
    return found[1] if found else ""


def anchors(page: Path) -> list[str]:
    """Every place of a page to which a link can lead."""
    return re.findall(r'<a id="([^"]+)">', page.read_text(encoding="utf-8"))


def rules_of(cell: str) -> set[str]:
    """Ids of the rules to which a cell leads."""
    return {target.split("#")[1].partition("-")[2] for _, target in LINK.findall(cell)}


# ------------------------------------------------------------------------------- the law, written by hand

US_COLUMNS = [
    "Preservation letter",
    "Subpoena",
    "2703(d) order",
    "Search warrant",
    "National Security",
    "Emergency",
]
US = {
    "name and address": ["hold only", "yes", "yes", "yes", "yes", "voluntary"],
    "session times": ["hold only", "yes", "yes", "yes", "no", "voluntary"],
    "length and types of service": ["hold only", "yes", "yes", "yes", "yes", "voluntary"],
    "numbers and assigned": ["hold only", "yes", "yes", "yes", "no", "voluntary"],
    "means and source of payment": ["hold only", "yes", "yes", "yes", "no", "voluntary"],
    "other records": ["hold only", "no", "yes", "yes", "no", "voluntary"],
    "content, stored for up to 180": ["hold only", "no", "no", "yes", "no", "voluntary"],
    "content, stored for longer": ["hold only", "no", "no", "yes", "no", "voluntary"],
    "location history": ["hold only", "no", "no", "yes", "no", "voluntary"],
    "passwords": ["no", "no", "no", "no", "no", "no"],
    "what comes only after": ["no", "no", "no", "no", "no", "no"],
}
"""law.md 2.1 with the National Security Letter of 2.5. Content older than 180 days: the default blocks."""

EU_COLUMNS = [
    "judge, court",
    "public prosecutor",
    "validated by a judge",
    "validated by a public",
    "not validated",
]
EU = {
    "EPOC: subscriber data": ["yes", "yes", "yes", "yes", "no"],
    "EPOC: data only to identify": ["yes", "yes", "yes", "yes", "no"],
    "EPOC: the same data": ["yes", "no", "yes", "no", "no"],
    "EPOC: traffic data": ["yes", "no", "yes", "no", "no"],
    "EPOC: content": ["yes", "no", "yes", "no", "no"],
    "EPOC-PR: any data": ["yes", "yes", "yes", "yes", "no"],
    "Emergency, EPOC: subscriber data": ["yes", "yes", "yes", "yes", "only with the box"],
    "Emergency, EPOC: data only to identify": ["yes", "yes", "yes", "yes", "only with the box"],
    "Emergency, EPOC: traffic data, content": ["yes", "no", "yes", "no", "no"],
    "Emergency, EPOC-PR": ["yes", "yes", "yes", "yes", "only with the box"],
}
"""law.md 3.1, Article 4(1)-(3) and (5): a prosecutor may order and validate subscriber data, not traffic or content."""

PLACES = {
    ("subscriber.identity", "us.sca"): "18 USC 2703(c)(2)(A)-(B)",
    ("subscriber.service", "us.sca"): "18 USC 2703(c)(2)(D)",
    ("subscriber.payment", "us.sca"): "18 USC 2703(c)(2)(F)",
    ("subscriber.number", "us.sca"): "18 USC 2703(c)(2)(E)",
    ("session.times", "us.sca"): "18 USC 2703(c)(2)(C)",
    ("traffic", "us.sca"): "18 USC 2703(c)(1)(B), (d)",
    ("content.messages", "us.sca"): "18 USC 2703(a), (b)(1)(A)",
    ("subscriber.identity", "eu.evidence"): "Articles 3(9), 4(1)",
    ("subscriber.payment", "eu.evidence"): "Articles 3(9), 4(1)",
    ("subscriber.number", "eu.evidence"): "Articles 3(10), 4(1)",
    ("session.times", "eu.evidence"): "Articles 3(11), 4(2)",
    ("traffic", "eu.evidence"): "Articles 3(11), 4(2)",
    ("location", "eu.evidence"): "Articles 3(11), 4(2)",
    ("content.files", "eu.evidence"): "Articles 3(12), 4(2)",
    ("subscriber.identity", "de.bund"): "§ 22(1)",
    ("subscriber.service", "de.bund"): "§ 100j(1)",
    ("subscriber.number", "de.bund"): "§ 22(1) sentence 3",
    ("session.times", "de.bund"): "§ 24(3)",
    ("traffic", "de.bund"): "§ 100g(1)",
    ("location", "de.bund"): "§ 100k(1) sentence 2",
    ("subscriber.identity", "br.marco_civil"): "art. 10 § 3",
    ("content.messages", "br.marco_civil"): "art. 10 § 2",
}
"""law.md 1.3, as far as a pack answers it: a place in the law that must be named for a category."""


def by_start(rows: list[list[str]], start: str) -> list[str]:
    """The only row that begins with these words."""
    (found,) = (row for row in rows if row[0].startswith(start))
    return found


@pytest.mark.parametrize("row", US)
def test_each_cell_of_the_american_matrix_is_that_of_the_statute(row: str) -> None:
    """Answers of the engine under us.sca equal the table of law.md 2.1."""
    head, *rows = matrix("matrix-us.md")
    assert all(found.startswith(wanted) for found, wanted in zip(head[2:], US_COLUMNS, strict=True))
    assert [word(cell) for cell in by_start(rows, row)[2:]] == US[row]


@pytest.mark.parametrize("row", EU)
def test_each_cell_of_article_4_is_that_of_the_regulation(row: str) -> None:
    """Answers of the engine under eu.evidence equal Article 4 of Regulation (EU) 2023/1543."""
    head, *rows = matrix("matrix-eu-art4.md")
    assert all(wanted in found for found, wanted in zip(head[1:], EU_COLUMNS, strict=True))
    assert [word(cell) for cell in by_start(rows, row)[1:]] == EU[row]


def test_the_matrices_have_no_rows_besides() -> None:
    """Every row of both matrices has been written down by hand above."""
    assert len(matrix("matrix-us.md")) == 1 + len(US)
    assert len(matrix("matrix-eu-art4.md")) == 1 + len(EU)


@pytest.mark.parametrize("name", ["matrix-us.md", "matrix-eu-art4.md", "crosswalk.md"])
def test_every_cell_of_a_matrix_leads_to_a_rule(name: str) -> None:
    """No answer stands without the rule and the citation behind it."""
    head, *rows = matrix(name)
    first = 2 if name == "matrix-us.md" else 1
    bare = [
        (row[0], title)
        for row in rows
        for title, cell in zip(head[first:], row[first:], strict=True)
        if not LINK.search(cell)
    ]
    assert rows
    assert bare == []


@pytest.mark.parametrize(
    ("row", "column", "rule"),
    [
        ("EPOC: traffic data", 1, "ee.4-2.who"),
        ("EPOC: content", 0, "ee.threshold"),
        ("EPOC: content", 3, "ee.4-2.who"),
        ("EPOC-PR: any", 0, "ee.4-3.preserve"),
        ("Emergency, EPOC: subscriber", 4, "ee.4-5.box"),
        ("Emergency, EPOC-PR", 4, "ee.4-5.preservation"),
    ],
)
def test_a_cell_leads_to_the_rule_that_decides_it(row: str, column: int, rule: str) -> None:
    """The link is to the paragraph on which the answer rests, not to any rule of the pack."""
    _, *rows = matrix("matrix-eu-art4.md")
    assert rule in rules_of(by_start(rows, row)[1 + column])


def test_the_block_on_old_content_names_the_words_that_it_does_not_follow() -> None:
    """Only the row about content over 180 days leads to the rule on it, and to the reason that nobody verified."""
    _, *rows = matrix("matrix-us.md")
    wanted = {"2703.content-over-180-days", "warshak.content"}
    assert wanted <= rules_of(by_start(rows, "content, stored for longer")[3])
    assert not wanted & rules_of(by_start(rows, "content, stored for up to")[3])


@pytest.mark.parametrize(("category", "pack"), PLACES)
def test_the_crosswalk_names_the_place_of_a_category_in_each_law(category: str, pack: str) -> None:
    """Categories stand where law.md 1.3 has them, as far as a pack answers it."""
    head, *rows = matrix("crosswalk.md")
    (at,) = (n for n, title in enumerate(head) if title.startswith(f"[{pack}]"))
    labels = [label for label, _ in LINK.findall(by_start(rows, f"`{category}`")[at])]
    assert any(PLACES[category, pack] in label for label in labels), labels


def test_secrets_are_reached_by_no_law() -> None:
    """The last row of the crosswalk says no in every column."""
    _, *rows = matrix("crosswalk.md")
    assert {word(cell) for cell in by_start(rows, "`secrets`")[1:]} == {"no"}


# ------------------------------------------------------------------------------------------------- pages


def test_each_pack_has_its_page_and_nothing_else_lies_there() -> None:
    """A page for each shipped pack, the index, three tables and the guide; a page of a lost pack would be seen."""
    pages = {f"{each}.md" for each in shipped_as_written()}
    others = {"README.md", "crosswalk.md", "matrix-us.md", "matrix-eu-art4.md", GUIDE}
    assert {path.name for path in FOLDER.iterdir()} == pages | others


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_an_anchor(page: Path) -> None:
    """Links between the pages, and within one, end at a place that is there exactly once."""
    text = page.read_text(encoding="utf-8")
    links = [target for _, target in LINK.findall(text) if "#" in target and not target.startswith("http")]
    assert links or page.name in {"README.md", GUIDE}
    for target in dict.fromkeys(links):
        name, _, place = target.partition("#")
        assert anchors(page.parent / name if name else page).count(place) == 1, target


@pytest.mark.parametrize("pack_id", shipped_as_written())
def test_a_page_holds_every_rule_source_clock_and_paper_of_its_pack(pack_id: str) -> None:
    """Each has its anchor once, each rule its text and its first day."""
    pack, page = shipped_as_written()[pack_id], FOLDER / f"{pack_id}.md"
    text, found = page.read_text(encoding="utf-8"), anchors(page)
    wanted = {f"rule-{each.id}" for each in pack.rules} | {f"source-{each.key}" for each in pack.sources}
    wanted |= {f"clock-{each.id}" for each in pack.clocks} | {
        f"instrument-{each.code}" for each in pack.instruments
    }
    wanted |= {f"question-{each.id}" for each in pack.questions} | {
        f"reason-{each.code}" for each in pack.reasons
    }
    wanted |= {f"nondisclosure-{each.id}" for each in pack.nondisclosure} | {
        f"flag-{each.id}" for each in pack.flags
    }
    assert sorted(found) == sorted(wanted)
    assert all(each.text in text and f"from {each.since.isoformat()}" in text for each in pack.rules)
    assert pack.status in text
    assert "Not reviewed by counsel." in text


@pytest.mark.parametrize("pack_id", shipped_as_written())
def test_a_source_that_nobody_read_is_marked_plainly(pack_id: str) -> None:
    """Every source has the day of its reading, or the words `not read` with the reason."""
    pack, text = shipped_as_written()[pack_id], (FOLDER / f"{pack_id}.md").read_text(encoding="utf-8")
    for each in pack.sources:
        (line,) = (line for line in text.splitlines() if f'<a id="source-{each.key}"></a>' in line)
        told = f"| {each.read_on} " if each.read_on else f"| **not read.** {each.not_read}"
        assert told in line


def test_the_index_counts_every_pack() -> None:
    """A line for each pack; the entries by basis add up to all entries."""
    head, *rows = tables((FOLDER / "README.md").read_text(encoding="utf-8"))[0]
    at = head.index("entries")
    assert [row[0] for row in rows[:-1]] == [f"[{each}]({each}.md)" for each in shipped_as_written()]
    assert all(int(row[at]) == sum(map(int, row[at + 1 : at + 6])) for row in rows)
    assert all(int(row[head.index("worked cases")]) >= 12 for row in rows)


def test_the_guide_says_for_each_pack_what_nobody_verified() -> None:
    """docs/law.md has a line for each shipped pack in its section on what could not be verified."""
    text = (ROOT / "docs" / "law.md").read_text(encoding="utf-8")
    section = text.partition("### 2.3 What nobody could verify")[2].partition("###")[0]
    assert re.findall(r"(?m)^- \[([a-z_.]+)\]\(law/\1\.md\): ", section) == list(shipped_as_written())


# --------------------------------------------------------------------------------------- packs of others


@pytest.fixture(scope="module")
def page_maker() -> ModuleType:
    """tools/law_docs/page.py, found as `make docs` finds it."""
    spec = importlib.util.spec_from_file_location("write_docs", ROOT / "tools" / "write_docs.py")
    assert spec is not None
    assert spec.loader is not None
    spec.loader.exec_module(importlib.util.module_from_spec(spec))
    return importlib.import_module("law_docs.page")


@pytest.mark.parametrize("name", ["law.toml", "floor.toml", "overlay.toml"])
def test_a_pack_that_uses_every_word_of_the_format_has_a_page(page_maker: ModuleType, name: str) -> None:
    """Overlays, floors, purposes and conditions all have their words, and their links lead somewhere."""
    folder = Path(__file__).parent / "data" / "engine"
    texts = [(each.name, each.read_text(encoding="utf-8")) for each in sorted(folder.glob("*.toml"))]
    packs: tuple[Pack, ...] = parse_packs([each for each in texts if "cases" not in each[0]])
    assert effective(packs)
    pack = next(
        each
        for each in packs
        if each.id in (folder / name).read_text(encoding="utf-8").partition("version")[0]
    )
    text: str = page_maker.pack_page(pack, name)
    places = re.findall(r'<a id="([^"]+)">', text)
    assert [each for _, each in LINK.findall(text) if each.startswith("#") and each[1:] not in places] == []
    assert len(places) == len(set(places))
    assert ("What it makes stricter" in text) == (pack.kind == "overlay")

"""The documents say what the code does: generated ones, cited sections, labels, dependencies, links."""

import ast
import importlib.util
import io
import re
import tokenize
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "src" / "dueprocess"
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md"), *(ROOT / "specs").rglob("*.md")])

# ---------------------------------------------------------------------------------- what the code cites

_MENTION = re.compile(r"(?P<name>[\w./-]+\.md|specs/tlog)(?P<tail>[^;\n]*)")
_NUMBERED = re.compile(r",? (?:sections? )?(\d+(?:\.\d+)?)((?:(?:,| and) \d+(?:\.\d+)?)*)")
_QUOTED = re.compile(r'[“"]([^”"]+)[”"]')
_PLAIN = re.compile(r", ([^\W\d_][^:.(),\"”]*)")


def texts(path: Path) -> Iterator[str]:
    """Every text of a source file that a person reads: strings and comments of Python, all of any other file."""
    content = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        yield " ".join(content.split())
        return
    for node in ast.walk(ast.parse(content)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield " ".join(node.value.split())
    for token in tokenize.generate_tokens(io.StringIO(content).readline):
        if token.type == tokenize.COMMENT:
            yield token.string


def document(name: str) -> Path | None:
    """The file that a citation means: by its path, or by its name in docs/ or at the root, whatever the case."""
    if name == "specs/tlog":
        return ROOT / "specs" / "tlog" / "README.md"
    if "/" in name:
        return ROOT / name if (ROOT / name).is_file() else None
    found = [
        each for folder in (DOCS, ROOT) for each in folder.glob("*.md") if each.name.lower() == name.lower()
    ]
    return found[0] if found else None


def headings(path: Path) -> dict[str, str]:
    """Heading → the text below it, deeper headings included."""
    found: dict[str, str] = {}
    open_ones: list[tuple[int, str]] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if match := re.match(r"(#+) (.+)", line):
            depth = len(match[1])
            open_ones = [each for each in open_ones if each[0] < depth]
            open_ones.append((depth, match[2].strip()))
            found[match[2].strip()] = ""
        for _, name in open_ones:
            found[name] += line + "\n"
    return found


def section(number: str, sections: dict[str, str]) -> str | None:
    """The text of section ``1.4``: a heading of that number, or point 4 of the list in section 1."""
    for heading, text in sections.items():
        if re.match(rf"{re.escape(number)}\.? ", heading):
            return text
    whole, dot, point = number.partition(".")
    listed = re.search(rf"(?m)^{point}\. .+", section(whole, sections) or "") if dot else None
    return listed[0] if listed else None


def missing(name: str, tail: str) -> list[str]:
    """What a citation names and the document does not have."""
    path = document(name)
    if path is None or not path.is_file():
        return [f"there is no {name}"]
    sections = headings(path)
    if match := _NUMBERED.match(tail):
        numbers = [match[1], *re.findall(r"\d+(?:\.\d+)?", match[2])]
        lost = [f"{path.name} has no section {each}" for each in numbers if section(each, sections) is None]
        return lost or _told(section(numbers[-1], sections) or "", tail[match.end() :], path.name)
    if tail.startswith(', "'):
        wanted = _QUOTED.findall(tail)
    elif match := _PLAIN.match(tail):
        wanted = [match[1].strip()] if has(match[1].strip(), sections) else match[1].strip().split(" and ")
    else:
        wanted = []
    return [f"{path.name} has no section {each!r}" for each in wanted if not has(each, sections)]


def has(wanted: str, sections: dict[str, str]) -> bool:
    """Whether a heading is this, or begins with these words."""
    return any(each == wanted or each.startswith(f"{wanted} ") for each in sections)


def _told(text: str, tail: str, name: str) -> list[str]:
    """``, trap 2`` is point 2 of the section; ``, notify`` and ``, verb `assess` `` are words in it."""
    match = re.match(r",? (?:(trap|point) (\d+)|(?:verb )?`?([a-z]+(?: [a-z]+)?)`?(?=[.;,:]|$| \())", tail)
    if match is None or not tail.startswith(","):
        return []
    if match[2]:
        return (
            [] if re.search(rf"(?m)^{match[2]}\. ", text) else [f"{name} has no {match[1]} {match[2]} there"]
        )
    return [] if match[3] in text.lower() else [f"{name} does not say {match[3]!r} there"]


def citations() -> list[tuple[str, str, str]]:
    """(file of the code, document, what follows its name) of every mention of one of our documents."""
    found = set()
    for path in sorted(SOURCES.rglob("*")):
        if path.suffix in {".py", ".html", ".svg", ".txt", ".toml", ".css"}:
            for text in texts(path):
                where = path.relative_to(ROOT).as_posix()
                found |= {(where, each["name"], each["tail"].rstrip()) for each in _MENTION.finditer(text)}
    return sorted(found)


def test_every_document_and_section_that_the_code_cites_exists() -> None:
    """A refusal names its source; whoever looks it up finds it."""
    cited = citations()
    assert len(cited) > 50
    lost = [f"{where}: {name}{tail}: {each}" for where, name, tail in cited for each in missing(name, tail)]
    assert not lost, "\n".join(lost)


@pytest.mark.parametrize(
    ("name", "tail"),
    [
        ("conventional.md", ', "Law"'),
        ("formats.md", ", Scope and Nothing"),
        ("formats.md", ', "Nothing"'),
        ("security.md", " 9.9"),
        ("security.md", " 5.2 and 9.3"),
        ("law.md", " 7, trap 99"),
        ("law.md", " 1.2, unheard words"),
        ("specs/tlog", ", Nothing"),
    ],
)
def test_a_citation_of_nothing_is_seen(name: str, tail: str) -> None:
    """The check above can fail: each of these names something that is not there."""
    assert missing(name, tail)


@pytest.mark.parametrize(
    ("name", "tail"),
    [
        ("formats.md", ", Scope: three stored scopes per case"),
        ("formats.md", ", Scope and Data map"),
        ("formats.md", ", Data map (many-to-one only)"),
        ("formats.md", ", Decision document"),
        ("formats.md", "."),
        ("security.md", " 5.2 and 5.3 as changed by formats.md"),
        ("law.md", " sections 1 and 2"),
        ("law.md", " 2.4 and 7, trap 2 (one global switch is wrong)"),
        ("law.md", " 7.1 (subtraction: leave them out of every other total)."),
        ("specs/tlog/README.md", ', "Records", "Audiences".'),
    ],
)
def test_the_forms_of_a_citation_are_understood(name: str, tail: str) -> None:
    """Numbers, points of a list, headings, several at once, and words behind them."""
    assert missing(name, tail) == []


# ---------------------------------------------------------------------------------- generated documents


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    """tools/write_docs.py as a module."""
    spec = importlib.util.spec_from_file_location("write_docs", ROOT / "tools" / "write_docs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def made(generator: ModuleType) -> dict[str, str]:
    """Every generated document as the code gives it now."""
    documents: dict[str, str] = generator.made_from_code()
    return documents


def test_generated_documents_are_what_the_code_gives(generator: ModuleType, made: dict[str, str]) -> None:
    """Commands, errors, events, stages, the picture and docs/law are written by `make docs`, and up to date."""
    stale = list(generator.differences(DOCS, made))
    assert not stale, "run `make docs`:\n" + "\n".join(lines for _, lines in stale)


def test_a_changed_generated_document_is_named(
    generator: ModuleType, made: dict[str, str], tmp_path: Path
) -> None:
    """One changed letter in a generated document is seen, and a missing document too."""
    (tmp_path / "law").mkdir()
    for name, text in made.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert list(generator.differences(tmp_path, made)) == []
    (tmp_path / "stages.md").write_text(
        made["stages.md"].replace("produced", "Produced", 1), encoding="utf-8"
    )
    (tmp_path / "events.md").unlink()
    assert [name for name, _ in generator.differences(tmp_path, made)] == ["events.md", "stages.md"]


@pytest.mark.parametrize("code", ["self-approval", "disk-full", "os-error", "wrong-stage", "clock-ran-back"])
def test_error_codes_are_found_wherever_they_are_raised(made: dict[str, str], code: str) -> None:
    """A code is listed whether it is a literal, one of two, or raised by a helper of a module."""
    assert f"| `{code}` |" in made["errors.md"]


# ---------------------------------------------------------------------------------- inventories


def labels_in_code() -> set[str]:
    """Every label constant of the code, without its line feed."""
    found: set[str] = set()
    for path in SOURCES.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, bytes):
                found |= {
                    each.decode() for each in re.findall(rb"^dueprocess/[a-z-]+/v\d+(?=\n)", node.value)
                }
    return found


def test_every_label_of_the_code_is_in_the_inventory_and_nothing_else() -> None:
    """docs/crypto.md lists each domain label once, and none that the code does not use."""
    listed = re.findall(
        r"(?m)^\| `(dueprocess/[a-z-]+/v\d+)` \|", (DOCS / "crypto.md").read_text(encoding="utf-8")
    )
    assert len(labels_in_code()) > 10
    assert sorted(listed) == sorted(labels_in_code())


def wanted(name: str) -> dict[str, str]:
    """Package → its line, of one requirements/*.in file, without the files that it includes."""
    lines = (ROOT / "requirements" / f"{name}.in").read_text(encoding="utf-8").splitlines()
    kept = [line.split("#")[0].strip() for line in lines]
    return {
        re.split(r"[\[<>=~!; ]", line)[0].lower(): line for line in kept if line and not line.startswith("-")
    }


GROUPS = ("base", "server", "dev", "case", "synapse", "spark", "uv")


def test_every_dependency_has_its_row_and_every_row_its_dependency() -> None:
    """docs/dependencies.md names each direct dependency with the file that asks for it."""
    table = (DOCS / "dependencies.md").read_text(encoding="utf-8")
    rows = re.findall(r"(?m)^\| ([a-z0-9-]+) \| ([a-z]+) \|", table)
    asked = [(package, group) for group in GROUPS for package in wanted(group)]
    assert sorted(row for row in rows if row != ("package", "in")) == sorted(asked)
    assert {path.stem for path in (ROOT / "requirements").glob("*.in")} == set(GROUPS)


def test_every_row_of_the_dependencies_is_filled_in() -> None:
    """Each dependency has a job, a reason, a maintainer, a licence, and what we would do without it."""
    lines = (DOCS / "dependencies.md").read_text(encoding="utf-8").splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    assert all(len(row) == 7 and all(row) for row in rows)


def test_the_wheel_asks_for_what_the_lock_files_are_made_from() -> None:
    """pyproject.toml and requirements name the same packages with the same bounds; the tests have the other extras."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert sorted(project["dependencies"]) == sorted(wanted("base").values())
    extras = dict(project["optional-dependencies"])
    assert sorted(extras.pop("server")) == sorted(wanted("server").values())
    assert {each for packages in extras.values() for each in packages} <= set(wanted("dev").values())


# ---------------------------------------------------------------------------------- the pages themselves


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_between_documents_lead_somewhere(page: Path) -> None:
    """Each relative link of a page leads to a file of this repository."""
    text = re.sub(r"(?s)```.*?```", "", page.read_text(encoding="utf-8"))
    links = [each.split("#")[0] for each in re.findall(r"\]\(([^)]+)\)", text) if not each.startswith("http")]
    assert [each for each in links if not (page.parent / each).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_paths_that_a_page_names_exist(page: Path) -> None:
    """A path into src, tests, specs, datamaps, rulepacks or tools in backticks is a file or folder."""
    text = page.read_text(encoding="utf-8")
    named = re.findall(r"`((?:src|tests|specs|datamaps|rulepacks|tools)/[\w./-]*)`", text)
    assert [each for each in named if not (ROOT / each).exists()] == []


def test_decisions_are_numbered_short_and_decided() -> None:
    """Each decision record has its number, fits a page, and says what came out."""
    records = sorted((DOCS / "decisions").glob("*.md"))
    numbers = [int(path.name[:4]) for path in records]
    assert numbers == list(range(1, len(records) + 1))
    for path in records:
        text = path.read_text(encoding="utf-8")
        assert text.startswith(f"# {path.name[:4]} ")
        assert "**Outcome.**" in text
        assert len(text.splitlines()) <= 40

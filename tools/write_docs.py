"""Writes the documents that are made from the code, or says which of them differ.

    tools/write_docs.py            writes docs/commands.md, errors.md, events.md, stages.md, life-of-a-demand.svg, and
                                   docs/law/ but for writing-a-pack.md
    tools/write_docs.py --check    writes nothing; names each file that differs and exits with 1

Nothing in these files is written by hand, so a table in the documents cannot say other than the code does.
"""

import ast
import difflib
import importlib
import io
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from cyclopts import App
from rich.console import Console

sys.path.insert(0, str(Path(__file__).parent))
from law_docs import law_documents
from law_docs.markdown import MADE, table

from dueprocess import __version__
from dueprocess.cases.events import BODIES, ROSTER_KINDS
from dueprocess.cases.stages import MOVES, STAGE_MEANING, STAGES, diagram
from dueprocess.cli.manual import GROUPS, manual
from dueprocess.errors import EXIT_CODES, HTTP_STATUS
from dueprocess.ui.life import life_of_a_demand

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "src" / "dueprocess"
WIDTH = 100
FAMILIES = {family.__name__: family.family for family in EXIT_CODES}


# ---------------------------------------------------------------------------------- commands


def commands() -> str:
    """The manual, then the help of each command and of its parts."""
    parts = [
        MADE
        + "# Commands\n\nThe page that `dueprocess --help` prints, then what `--help` prints for each command.",
        _block(manual()),
    ]
    for title, group in GROUPS:
        parts.append(f"## {title}")
        for command in group:
            parts += [f"### dueprocess {each}\n\n{_block(text)}" for each, text in _helps(command.name)]
    return "\n\n".join(parts) + "\n"


def _helps(name: str) -> Iterator[tuple[str, str]]:
    app = App(name="dueprocess", version=__version__, help_format="plaintext")
    command = next(each for _, group in GROUPS for each in group if each.name == name)
    app.command(command.target, name=name, help=command.line)
    yield name, _help(app, [name])
    module, _, attribute = command.target.partition(":")
    inner = getattr(importlib.import_module(module), attribute)
    if isinstance(inner, App):
        for part in sorted(each for each in inner if not each.startswith("-")):
            yield f"{name} {part}", _help(app, [name, part])


def _help(app: App, words: list[str]) -> str:
    page = io.StringIO()
    app.help_print(words, console=Console(file=page, width=WIDTH, color_system=None, force_terminal=False))
    return page.getvalue()


def _block(text: str) -> str:
    lines = [line.rstrip() for line in text.strip("\n").splitlines()]
    return "```text\n" + "\n".join(lines) + "\n```"


# ---------------------------------------------------------------------------------- stages and events


def stages() -> str:
    """The diagram, what each stage means, and which event may follow which stage."""
    meanings = table(("stage", "what it means"), ((f"`{stage}`", STAGE_MEANING[stage]) for stage in STAGES))
    moves = table(
        ("event", "may follow", "leads to"),
        (
            (f"`{kind}`", _stage_list(may), f"`{to}`" if to else "the same stage")
            for kind, (may, to) in MOVES.items()
        ),
    )
    return (
        f"{MADE}# Stages\n\n"
        "A stage is never assigned. It follows from the events of a case. Each target has a stage of its own, because "
        "each has a decision of its own; the stage of the case is that of its slowest target that still goes on. "
        "The table is `MOVES` in `src/dueprocess/cases/stages.py`.\n\n"
        f"```mermaid\n{diagram()}```\n\n## What each stage means\n\n{meanings}\n\n"
        f"## Which event may follow which stage\n\n`DemandReceived` opens a case.\n\n{moves}\n"
    )


def _stage_list(may: frozenset[str]) -> str:
    missing = [stage for stage in STAGES if stage not in may]
    if len(missing) <= 3:
        return "every stage" + (" but " + ", ".join(f"`{each}`" for each in missing) if missing else "")
    return ", ".join(f"`{stage}`" for stage in STAGES if stage in may)


def events() -> str:
    """Every kind of event with the fields of its body."""
    parts = [
        (
            f"{MADE}# Events\n\n"
            "Every kind of event with the fields of its body, version 1. The table is `BODIES` in "
            "`src/dueprocess/cases/events.py`; a body with another field is refused. The columns around the body, "
            "and what is signed and hashed, stand in [formats.md](formats.md), Events.\n\n"
            "Types: `hex` is a SHA-256 in 64 lower-case hex digits; `text`, `int`, `bool`, `list` and `map` are "
            "those of JSON; a trailing `?` allows null. No field is for the name of a person, an account or the "
            "text of a paper. `reason`, `ground`, `basis` and `legal_bases` are short texts; what a person types "
            "there is kept as it is typed."
        ),
        "## Events of a case",
        table(
            ("kind", "fields"), ((f"`{kind}`", _fields(kind)) for kind in BODIES if kind not in ROSTER_KINDS)
        ),
        "## Events of the rosters",
        table(("kind", "fields"), ((f"`{kind}`", _fields(kind)) for kind in BODIES if kind in ROSTER_KINDS)),
    ]
    return "\n\n".join(parts) + "\n"


def _fields(kind: str) -> str:
    return ", ".join(f"`{name}` {wanted}" for name, wanted in BODIES[kind].items())


# ---------------------------------------------------------------------------------- errors


@dataclass(frozen=True, order=True, slots=True)
class Raised:
    """One place in the code that makes an error: family, code, the sentence, and the room it is in."""

    family: str
    code: str
    what: str
    room: str


def errors() -> str:
    """Exit codes, HTTP statuses, and every code that the code raises."""
    found = sorted({each for path in sorted(SOURCES.rglob("*.py")) for each in raised(path)})
    families = table(
        ("family", "meaning", "exit code", "HTTP status"),
        (
            (f"`{kind.family}`", _first_line(kind.__doc__), str(EXIT_CODES[kind]), str(HTTP_STATUS[kind]))
            for kind in EXIT_CODES
        ),
    )
    parts = [
        (
            f"{MADE}# Errors\n\n"
            "Every error belongs to one of five families, by who must act. It says what, why, what to do, and its "
            'source. With `--json` it is printed as `{"error": {…}}` with the keys family, code, what, why, do and '
            "source. A code is stable and may be matched by programs; the sentences may change. A part that "
            "depends on the case is shown as `…`."
        ),
        "## Families",
        families,
        "Other exit codes: 0 done, 1 a bug, 2 usage, 130 interrupted.",
    ]
    for kind in EXIT_CODES:
        rows = [each for each in found if each.family == kind.family]
        parts += [
            f"## {kind.family.capitalize()}",
            table(("code", "what it says", "room"), ((f"`{r.code}`", r.what, r.room) for r in rows)),
        ]
    return "\n\n".join(parts) + "\n"


def raised(path: Path) -> Iterator[Raised]:
    """The errors that one module makes. A code that is only passed on from another error is left out."""
    room = path.relative_to(SOURCES).parts[0].removesuffix(".py")
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for scope in [tree, *(node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))]:
        local = _assigned(scope)
        for call in _own_calls(scope):
            name = call.func.id if isinstance(call.func, ast.Name) else ""
            if name in FAMILIES and call.args:
                what = _sentence(call.args[1]) if len(call.args) > 1 else "…"
                for code in _codes(call.args[0], local):
                    yield Raised(FAMILIES[name], code, what, room)


def _own_calls(scope: ast.AST) -> Iterator[ast.Call]:
    """Calls in a scope, without those of the functions in it."""
    waiting = list(ast.iter_child_nodes(scope))
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Call):
            yield node
        if not isinstance(node, ast.FunctionDef):
            waiting += ast.iter_child_nodes(node)


def _assigned(scope: ast.AST) -> dict[str, ast.expr]:
    return {
        target.id: node.value
        for node in ast.walk(scope)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def _codes(node: ast.expr, local: dict[str, ast.expr]) -> list[str]:
    """The literal codes that an expression can give."""
    if isinstance(node, ast.Constant):
        return [str(node.value)]
    if isinstance(node, ast.IfExp):
        return [*_codes(node.body, local), *_codes(node.orelse, local)]
    if isinstance(node, ast.Name) and node.id in local:
        return _codes(local[node.id], {})
    return []


def _sentence(node: ast.expr) -> str:
    """A message as text, with `…` where a value of the case goes."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
    if isinstance(node, ast.BinOp):
        return _sentence(node.left) + _sentence(node.right)
    if isinstance(node, ast.IfExp):
        return f"{_sentence(node.body)} / {_sentence(node.orelse)}"
    return "…"


def _first_line(doc: str | None) -> str:
    return (doc or "").strip().splitlines()[0]


# ---------------------------------------------------------------------------------- writing and checking

MAKERS: dict[str, Callable[[], str]] = {
    "commands.md": commands,
    "errors.md": errors,
    "events.md": events,
    "stages.md": stages,
    "life-of-a-demand.svg": life_of_a_demand,
}


def made_from_code() -> dict[str, str]:
    """Name in docs/ → its text as the code gives it."""
    return {**{name: make() for name, make in MAKERS.items()}, **law_documents()}


def differences(folder: Path, wanted: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """(name, first differing lines) of each document in the folder that is not what is wanted."""
    for name, text in wanted.items():
        path = folder / name
        found = path.read_text(encoding="utf-8") if path.exists() else ""
        if found != text:
            lines = difflib.unified_diff(
                found.splitlines(), text.splitlines(), name, "from the code", n=0, lineterm=""
            )
            yield name, "\n".join(list(lines)[:12])


def main(words: list[str]) -> int:
    """Writes the documents, or with ``--check`` says which differ. Returns the exit code."""
    folder = ROOT / "docs"
    if words == ["--check"]:
        found = list(differences(folder, made_from_code()))
        for name, lines in found:
            print(f"docs/{name} is not what the code gives; run `make docs`.\n{lines}", file=sys.stderr)
        return 1 if found else 0
    if words:
        print(__doc__, file=sys.stderr)
        return 2
    (folder / "law").mkdir(parents=True, exist_ok=True)
    for name, text in made_from_code().items():
        (folder / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The readers of foreign bytes let only the errors for foreign bytes out: the corpus replayed, and a short search.

The long search is a command: see fuzz/README.md.
"""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

FUZZ = Path(__file__).parents[2] / "fuzz"
RUNS = 20_000
MOST_FILES, MOST_BYTES = 200, 300_000


def load(name: str) -> ModuleType:
    """A module of fuzz/, which is no package and not on the path."""
    spec = importlib.util.spec_from_file_location(f"fuzz_{name}", FUZZ / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


TARGETS = load("targets")
MUTATE = load("mutate")
NAMES = list(TARGETS.TARGETS)


def corpus(name: str) -> list[Path]:
    return sorted((FUZZ / "corpus" / name).iterdir())


@pytest.mark.parametrize("name", NAMES)
def test_the_corpus_replays(name: str) -> None:
    """Nothing but the errors for foreign bytes leaves the reader, and what it reads goes back to the same bytes."""
    read = [TARGETS.accepts(name, path.read_bytes()) for path in corpus(name)]
    assert any(read), "Not one input of this corpus is read, so the search begins outside."


def test_the_corpus_is_small_and_complete() -> None:
    """A folder for every target and no other, and little enough to be cloned."""
    files = [path for name in NAMES for path in corpus(name)]
    assert {path.name for path in (FUZZ / "corpus").iterdir()} == set(NAMES)
    assert len(files) <= MOST_FILES
    assert sum(path.stat().st_size for path in files) <= MOST_BYTES


def test_a_reader_that_fails_in_another_way_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of Python's own, and a reader that takes two spellings of one value, leave the harness."""

    def leaking(data: bytes) -> None:
        data.decode("utf-8")

    def generous(data: bytes) -> None:
        TARGETS.same(data, data.strip())

    monkeypatch.setitem(TARGETS.TARGETS, "leaking", leaking)
    monkeypatch.setitem(TARGETS.TARGETS, "generous", generous)
    assert TARGETS.accepts("leaking", b"a")
    assert TARGETS.accepts("generous", b"a")
    with pytest.raises(UnicodeDecodeError):
        TARGETS.accepts("leaking", b"\xff")
    with pytest.raises(TARGETS.ChangedError):
        TARGETS.accepts("generous", b"a ")


@pytest.mark.parametrize("name", sorted(MUTATE.DOCUMENTS))
def test_documents_are_changed_by_structure(name: str) -> None:
    """Of 200 changed documents most are other documents, and none of them breaks the reader."""
    data = next(path.read_bytes() for path in corpus(name) if TARGETS.accepts(name, path.read_bytes()))
    changed = {made for seed in range(200) if (made := MUTATE.mutated(name, data, seed))}
    assert len(changed - {data}) > 50
    for made in changed:
        TARGETS.accepts(name, made)


@pytest.mark.conformance
@pytest.mark.slow
def test_a_short_search_finds_nothing(tmp_path: Path) -> None:
    """Twenty thousand inputs for each target, guided by coverage, from the corpus on; fails without atheris."""
    command = [sys.executable, str(FUZZ / "fuzz_parsers.py"), "all", str(tmp_path), str(FUZZ / "corpus")]
    options = [f"-runs={RUNS}", "-seed=1", "-timeout=10", "-max_len=8192"]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=False, errors="replace")
    assert done.returncode == 0, done.stderr[-4000:]
    searched = dict(re.findall(r"TARGET (\S+)\n.*?Done (\d+) runs", done.stderr, flags=re.DOTALL))
    assert list(searched) == NAMES
    assert min(map(int, searched.values())) >= RUNS

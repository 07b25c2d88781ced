"""Each import contract is shown to break: on a copy of the house with one wrong import planted in it.

A contract that nobody has seen break may forbid nothing. The list of contracts is read from pyproject.toml, so a
new one without a plant fails here.
"""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import dueprocess

ROOT = Path(__file__).parent.parent
CONFIG = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
CONTRACTS: dict[str, str] = {
    each["id"]: each["name"] for each in tomllib.loads(CONFIG)["tool"]["importlinter"]["contracts"]
}


@dataclass(frozen=True, slots=True)
class House:
    """A copy of the source tree with its own configuration and cache."""

    root: Path

    @property
    def package(self) -> Path:
        return self.root / "src" / "dueprocess"

    def broken(self) -> set[str]:
        """The ids of the contracts that import-linter reports as broken."""
        done = subprocess.run(
            [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()",
             "--config", "pyproject.toml", "--cache-dir", "cache", "--no-logo"],
            cwd=self.root,
            env={**os.environ, "PYTHONPATH": str(self.root / "src"), "COLUMNS": "200", "NO_COLOR": "1"},
            capture_output=True,
            text=True,
            check=False,
        )  # fmt: skip
        said = dict(re.findall(r"^(.+?) (KEPT|BROKEN)\b", done.stdout, flags=re.MULTILINE))
        assert set(said) == set(CONTRACTS.values()), done.stdout + done.stderr
        found = {name for name, state in said.items() if state == "BROKEN"}
        assert (done.returncode == 0) == (not found), done.stdout + done.stderr
        return {contract for contract, name in CONTRACTS.items() if name in found}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    """One copy for all tests here; each puts back what it planted."""
    made = House(tmp_path_factory.mktemp("house"))
    shutil.copytree(
        Path(dueprocess.__file__).parent, made.package, ignore=shutil.ignore_patterns("__pycache__")
    )
    (made.root / "pyproject.toml").write_text(CONFIG, encoding="utf-8")
    return made


@pytest.fixture
def plant(house: House) -> Iterator["Planter"]:
    """Adds lines to modules of the copy, and takes them away afterwards."""
    planter = Planter(house, {})
    yield planter
    planter.undo()


@dataclass
class Planter:
    """Remembers what each file held before."""

    house: House
    before: dict[Path, str | None]

    def add(self, module: str, line: str) -> None:
        """Appends one line to a module (``room/name``), which is made where it does not exist."""
        path = self.house.package / f"{module}.py"
        self.before[path] = path.read_text(encoding="utf-8") if path.exists() else None
        path.parent.mkdir(exist_ok=True)
        path.write_text((self.before[path] or "") + f"\n{line}\n", encoding="utf-8")

    def undo(self) -> None:
        for path, text in self.before.items():
            if text is None:
                path.unlink()
                if not any(path.parent.iterdir()):
                    path.parent.rmdir()
            else:
                path.write_text(text, encoding="utf-8")


PLANTS: list[tuple[str, str, str, str]] = [
    ("layers", "a lower floor imports a higher one", "wire/planted", "import dueprocess.demand"),
    ("layers", "two rooms on one line know each other", "law/planted", "import dueprocess.plan"),
    ("layers", "a package that was never placed", "helpers/__init__", "WORD = 1"),
    ("layers", "the import is hidden in a function", "demand/planted", "def late():\n    import dueprocess.cases"),
    ("layers", "the import is for types only", "tlog/planted",
     "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import dueprocess.cases"),
    ("ground", "the ground reads the disk", "wire/planted", "import os"),
    ("ground", "the ground speaks to the network", "tlog/planted", "import socket"),
    ("ground", "the ground draws lots", "report/planted", "from random import random"),
    ("ground", "the ground knows the framework", "cases/planted", "from django.db import models"),
    ("steps", "a step reaches the vault", "steps/planted", "import dueprocess.vault"),
    ("steps", "a step produces", "steps/planted", "from dueprocess.production import answer"),
    ("verifier", "the verifier needs a web framework", "cli/verify", "import django"),
    ("verifier", "the triage needs the event store, by a detour", "cli/triage", "import dueprocess.history.docket"),
    ("tables", "a desk reads the event tables itself", "desk/planted", "from dueprocess.history import models"),
    ("tables", "an entry point writes them", "worker/planted", "from dueprocess.history.models import EventRow"),
    ("stores", "a desk opens a platform store", "desk/planted", "import dueprocess.production.stores"),
    ("stores", "the worker looks into one", "worker/planted", "from dueprocess.production.stores import folder"),
]  # fmt: skip


def test_the_house_as_it_stands_keeps_every_contract(house: House) -> None:
    """Nothing planted, nothing broken."""
    assert house.broken() == set()


def test_every_contract_has_a_plant() -> None:
    """A new contract must be shown to break as well."""
    assert {contract for contract, *_ in PLANTS} == set(CONTRACTS)


@pytest.mark.parametrize(
    ("contract", "module", "line"),
    [(c, module, line) for c, _, module, line in PLANTS],
    ids=[row[1] for row in PLANTS],
)
def test_one_wrong_import_breaks_exactly_its_contract(
    contract: str, module: str, line: str, house: House, plant: Planter
) -> None:
    """The contract that forbids it is reported, and no other."""
    plant.add(module, line)
    assert house.broken() == {contract}

"""Every shipped worked case, on the second evaluation path: plain TOML and sets, no code of the engine."""

import importlib.util
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

PACKS = Path(__file__).parents[2] / "rulepacks"
_SPEC = importlib.util.spec_from_file_location("table_check", Path(__file__).with_name("table_check.py"))
assert _SPEC is not None
assert _SPEC.loader is not None
table_check = importlib.util.module_from_spec(_SPEC)
sys.modules["table_check"] = table_check
_SPEC.loader.exec_module(table_check)
BASELINE = tomllib.loads((PACKS / "baseline" / "baseline.toml").read_text(encoding="utf-8"))


def _cases() -> Iterator[Any]:
    for file in sorted(PACKS.glob("*/*.cases.toml")):
        pack = tomllib.loads(file.with_name(file.name.replace(".cases", "")).read_text(encoding="utf-8"))
        top = tomllib.loads(file.read_text(encoding="utf-8"))
        for case in top["case"]:
            yield pytest.param(
                pack, case, case.get("on", top["on"]), id=f"{pack['pack']['id']}: {case['name']}"
            )


@pytest.mark.parametrize(("pack", "case", "on"), list(_cases()))
def test_the_table_gives_what_the_case_expects(pack: Any, case: Any, on: Any) -> None:
    """Outcome, categories within reach, and every code that blocks or limits, computed without the engine."""
    expect = case["expect"]
    outcome, permitted, codes = table_check.Reading(pack, BASELINE, case["facts"], on).answer()
    assert outcome == expect["outcome"]
    assert permitted == [table_check.leaves(each["categories"]) for each in expect.get("permitted", [])]
    assert codes == set(expect.get("findings", []))


def test_the_second_path_knows_no_engine() -> None:
    """Nothing of the package is imported by the table, directly or through another file."""
    source = Path(table_check.__file__ or "").read_text(encoding="utf-8")
    assert "dueprocess" not in source

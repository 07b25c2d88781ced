"""Planted faults: each is one small edit of a good set of packs, and gives one clear error with file, line and remedy.

The faults are in data/broken/faults.toml. The expected line is computed from the place of the edit in the text, never
with the code under test.
"""

import re
import tomllib
from pathlib import Path

import pytest

from dueprocess.errors import MalformedError
from dueprocess.law import effective, parse_packs

FOLDER = Path(__file__).parent / "data" / "broken"
FAULTS: list[dict[str, str]] = tomllib.loads((FOLDER / "faults.toml").read_text(encoding="utf-8"))["fault"]
GOOD = {
    name: (FOLDER / name).read_text(encoding="utf-8")
    for name in ("floor.toml", "overlay.toml", "regime.toml", "second.toml")
}
LAW, FLOOR, OVERLAY, SECOND = "regime.toml", "floor.toml", "overlay.toml", "second.toml"


def _refused(texts: dict[str, str]) -> MalformedError:
    """The one error of a broken set; it has a file, a line, a reason and a remedy, and names no other file."""
    with pytest.raises(MalformedError) as caught:
        parse_packs(texts.items())
    error = caught.value
    assert re.match(r"\S+\.toml, line [1-9][0-9]*: \S", error.what)
    assert sum(name in error.what for name in texts) == 1
    assert error.why.strip()
    assert error.do.strip()
    return error


def test_the_packs_are_good_before_they_are_broken() -> None:
    """The set that the faults are planted in parses, and its overlays are laid over it."""
    packs = parse_packs(GOOD.items())
    assert [each.id for each in packs] == ["ground", "xx.act", "xx.house", "xx.room"]
    assert [each.id for each in effective(packs)] == ["ground", "xx.act"]


def test_there_are_more_than_forty_faults_with_names_of_their_own() -> None:
    """No fault stands twice, and there are many."""
    assert len({each["name"] for each in FAULTS}) == len(FAULTS) > 40


@pytest.mark.parametrize("fault", FAULTS, ids=lambda each: each["name"])
def test_a_planted_fault_gives_one_error_with_file_line_reason_and_remedy(fault: dict[str, str]) -> None:
    """One `MalformedError` says where, why and what to do."""
    good = GOOD[fault["file"]]
    assert fault["old"] in good
    texts = GOOD | {fault["file"]: good.replace(fault["old"], fault["new"], 1)}
    error = _refused(texts)
    told_in = fault.get("told_in", fault["file"])
    at = texts[told_in].index(fault["at"]) if "at" in fault else good.index(fault["old"])
    line = texts[told_in].count("\n", 0, at) + 1
    assert error.what.startswith(f"{told_in}, line {line}: "), error.what
    assert error.code == fault.get("code", "bad-pack")
    assert fault["why"] in error.why
    assert fault["do"] in error.do


@pytest.mark.parametrize("filler", ["#", "ø"])
def test_a_file_of_ten_megabytes_is_refused_by_its_size(filler: str) -> None:
    """Nobody reads such a file, and nothing tries to; letters of two bytes count twice."""
    error = _refused(GOOD | {LAW: "# " + filler * (10_000_000 // len(filler.encode())) + "\n" + GOOD[LAW]})
    assert (error.code, error.what.split(": ")[0]) == ("too-large", "regime.toml, line 1")
    assert "right file" in error.do


def test_half_a_character_is_refused_with_its_line() -> None:
    """A text that cannot be UTF-8 is told from one that can."""
    error = _refused(GOOD | {LAW: GOOD[LAW].replace("Nowhere", "No\udc80where")})
    assert (error.code, error.what.split(": ")[0]) == ("not-utf8", "regime.toml, line 6")
    assert "UTF-8" in error.do


def test_a_second_baseline_is_refused() -> None:
    """There is one floor; who wants more writes an overlay."""
    second = GOOD[FLOOR].replace('id = "ground"', 'id = "zz"').replace('id = "press"', 'id = "other"')
    error = _refused(GOOD | {"more.toml": second})
    assert error.what.startswith("more.toml, line 10: pack.kind")
    assert "two baselines, ground and zz" in error.why
    assert "overlay" in error.do


def test_a_pack_nested_beyond_reason_is_told_as_such() -> None:
    """Depth is a fault of the file and no crash."""
    error = _refused({"deep.toml": "a = 1\nb = " + "[" * 100_000})
    assert (error.code, error.what.split(": ")[0]) == ("too-deep", "deep.toml, line 2")
    assert error.do.startswith("Close the brackets")

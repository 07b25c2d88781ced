"""The guide for a lawyer: its example loads and agrees with its cases, and the errors it shows are the real ones."""

import re
from pathlib import Path
from typing import get_args

import pytest

from dueprocess.cli.main import main
from dueprocess.demand import MEANING, DemandKind, IssuerKind
from dueprocess.law import Outcome, parse_cases, parse_pack
from dueprocess.law.pack import Asked, ClockStart, Knower

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "law" / "writing-a-pack.md").read_text(encoding="utf-8")
EXAMPLE = Path(__file__).parent / "data" / "example"
PACK, CASES = "example.toml", "example.cases.toml"
_BLOCK = r"^```{}\n(.*?)^```$"


def blocks(kind: str) -> list[str]:
    """What stands in the guide's code blocks of this kind, in their order."""
    return re.findall(_BLOCK.format(re.escape(kind)), GUIDE, re.MULTILINE | re.DOTALL)


def joined(name: str) -> str:
    """A file that a reader gets by copying its parts out of the guide, with an empty line between them."""
    return "\n".join(blocks(f"toml {name}"))


def leaves(words: list[str]) -> set[str]:
    """The categories that the guide writes shortly: `subscriber` (`.identity` ...) is subscriber.identity ..."""
    found: set[str] = set()
    parent = ""
    for word in words:
        parent = parent if word.startswith(".") else word
        found |= {parent + word} if word.startswith(".") else {word}
    return {each for each in found if not any(other.startswith(each + ".") for other in found)}


def change(block: str) -> tuple[str, str, str]:
    """The line that stands in the example, the line that somebody wrote instead, and the program's answer."""
    old, new, answer = block.split("\n", 2)
    assert (old[0], new[0]) == ("-", "+")
    return old[1:] + "\n", new[1:] + "\n", answer


def answer_to(folder: Path, pack: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Exit code and all output of the check of this text as the guide's example, with the guide's cases beside it."""
    (folder / PACK).write_text(pack, encoding="utf-8")
    (folder / CASES).write_text(joined(CASES), encoding="utf-8")
    with pytest.raises(SystemExit) as ended:
        main(["packs", "check", str(folder / PACK)])
    shown = capsys.readouterr()
    return int(str(ended.value.code)), shown.out + shown.err


@pytest.mark.parametrize("name", [PACK, CASES])
def test_the_guides_example_is_the_one_in_the_tests(name: str) -> None:
    """Whoever copies the parts out of the guide has the files that are tested here, to the letter."""
    assert (EXAMPLE / name).read_text(encoding="utf-8") == joined(name)


def test_the_example_is_a_pack_with_five_rules() -> None:
    """It loads strictly, has five rules, says that nobody reviewed it, and one source says that nobody read it."""
    pack = parse_pack(joined(PACK), PACK)
    assert len(pack.rules) == 5
    assert not pack.reviewed_by
    assert [each.key for each in pack.sources if each.not_read] == ["guide"]
    assert len(parse_cases(joined(CASES), CASES)) == 2


def test_the_check_answers_to_the_example_as_the_guide_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The cases agree, and the guide shows the very line that the program prints."""
    assert answer_to(tmp_path, joined(PACK), capsys) == (0, blocks("text")[0])


def test_the_guide_shows_four_changes() -> None:
    """A typo, a silence, an unread source and a disagreement; without them the next test would test nothing."""
    assert len(blocks("diff")) == 4


@pytest.mark.parametrize("number", range(4))
def test_each_changed_line_is_answered_as_the_guide_says(
    number: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message for a planted fault is the one in the guide, to the letter, and the exit code tells of it."""
    old, new, answer = change(blocks("diff")[number])
    pack = joined(PACK)
    assert pack.count(old) == 1
    assert answer_to(tmp_path, pack.replace(old, new), capsys) == (4, answer)


def test_the_question_of_the_guide_works_as_it_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the three pieces put where the guide says the cases agree; without the answer the letter reaches nothing."""
    question, condition, answer = (
        blocks(f"toml {each}")[0] for each in ("a question", "in the paper", "in the facts of a case")
    )
    cell, police = 'report_cells = ["xx.police_letter"]\n', 'issuer_kind = "police"\n'
    pack = joined(PACK).replace(cell, cell + condition) + "\n" + question
    assert pack.count(condition) == 1
    for given, said in ((answer, "0 disagree"), ("", "unknown.file_number")):
        (tmp_path / PACK).write_text(pack, encoding="utf-8")
        (tmp_path / CASES).write_text(joined(CASES).replace(police, police + given), encoding="utf-8")
        with pytest.raises(SystemExit):
            main(["packs", "check", str(tmp_path / PACK)])
        assert said in capsys.readouterr().out


def test_the_words_that_the_guide_allows_are_those_of_the_program() -> None:
    """No word in the guide's table is unknown to the program, and none that the program knows is left out."""
    rows = dict(re.findall(r"^\| (.+?) \| (.+?) \|$", GUIDE, re.MULTILINE))
    table = {where: re.findall(r"`([^`]+)`", words) for where, words in rows.items()}
    assert table["issuers, `by`"] == [each for each in get_args(IssuerKind) if each != "private_party"]
    assert table["demand_kind; compulsion"] == [*get_args(DemandKind), "compulsory", "voluntary"]
    assert table["clock `starts`"] == list(get_args(ClockStart))
    assert sorted(table["may_know `who`"]) == sorted(get_args(Knower))
    assert table["question `about`"] == list(get_args(Asked))
    assert table["outcome"] == [each.code for each in sorted(Outcome)]
    assert leaves(table["categories"]) == set(MEANING)

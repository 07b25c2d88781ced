"""The command: one screen or the same as JSON, from the base wheel alone, without network or store."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from dueprocess.cli.triage import triage_command
from dueprocess.errors import MalformedError

ORDER = Path(__file__).parents[2] / "examples" / "mail" / "order.eml"


def test_the_page_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """What a person sees."""
    triage_command(ORDER)
    shown = capsys.readouterr().out
    assert "court order under 18 USC 2703(d)" in shown
    assert "CALL" not in shown.split("Call-back slip")[0].split("Holding reply")[1]


def test_json_says_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    """One JSON value with the sections of the page."""
    triage_command(ORDER, json=True)
    page = json.loads(capsys.readouterr().out)
    assert page["seems"][0]["code"] == "d_order"
    assert page["slip"][0].startswith("Number: ___")
    assert [each["value"] for each in page["targets"]] == ["@eva:fernhill.example", "@finn:fernhill.example"]


def test_errors_are_left_to_the_caller(tmp_path: Path) -> None:
    """The command raises; the table of exit codes belongs to the assembled program."""
    with pytest.raises(MalformedError):
        triage_command(tmp_path)


def test_it_needs_neither_the_server_nor_a_terminal_library() -> None:
    """A process that has run triage on a PDF has imported none of the server's packages, and no pypdf."""
    code = (
        "import sys; from pathlib import Path; from dueprocess.cli.triage import triage_command;"
        "triage_command(Path(sys.argv[1]), json=True);"
        "bad = {'django','duckdb','psycopg','pyrage','jinja2','granian','pypdf','rich','socket','urllib.request'};"
        "print(sorted(bad & set(sys.modules)), file=sys.stderr)"
    )
    told = subprocess.run(
        [sys.executable, "-I", "-c", code, str(ORDER)], capture_output=True, text=True, check=True
    )
    assert told.stderr.strip() == "[]"

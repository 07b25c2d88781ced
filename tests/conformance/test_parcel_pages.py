"""Other people's programs open the package: LibreOffice, case_validate, poppler, a browser. A missing one fails."""

import dataclasses
import datetime as dt
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from dueprocess.parcel import (
    Account,
    Entry,
    Evidence,
    TableResult,
    case_jsonld,
    csv_line,
    page_html,
    statement_page,
)
from dueprocess.production.formatting import formatted
from dueprocess.production.pages import page_pdf
from parcel.accounts import ACCOUNT, RESULTS, STATEMENT

pytestmark = pytest.mark.conformance
ROOT = Path(__file__).resolve().parents[2]
NOW = dt.datetime(2026, 11, 22, 10, tzinfo=dt.UTC)
EVIDENCE = Evidence(b"s" * 32, "7F3K", "Example Host", "0.1.0", "EPOC", "FR-2026-1", NOW, NOW, NOW)

HOSTILE = (
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(1;1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    " =1+1",
    "\u00a0=1+1",
    "\ufeff=1+1",
    "\u200b=1+1",
    "＝1+1",
    "＋1",
    "－1",
    "＠SUM(1)",
    '=HYPERLINK("https://x.example/?"&A1;"x")',
    "=cmd|' /C calc'!A0",
    '"=1+1',
    '";=1+1;"',
    "'=1+1",
    "{=1+1}",
    '=DDE("soffice";"x";"y")',
    "|=1+1",
    "%0A=1+1",
    ",=1+1",
    ";=1+1",
)


def tool(name: str, advice: str) -> str:
    found = shutil.which(name, path=f"{ROOT / '.venv-case' / 'bin'}:{os.environ['PATH']}")
    if found is None:
        pytest.fail(f"{name} is missing: {advice}")
    return found


def as_sheet(csv: bytes, folder: Path) -> str:
    """The CSV as LibreOffice Calc opens it without a question: its sheet as flat XML."""
    soffice = tool("soffice", "install it (Debian: apt-get install libreoffice-calc-nogui)")
    (folder / "records.csv").write_bytes(csv)
    done = subprocess.run(
        [
            soffice,
            f"-env:UserInstallation={(folder / 'profile').as_uri()}",
            "--headless",
            "--infilter=CSV:44,34,76,1",
            "--convert-to",
            "fods",
            "--outdir",
            str(folder),
            str(folder / "records.csv"),
        ],
        capture_output=True,
        check=False,
        timeout=120,
    )
    sheet = folder / "records.fods"
    assert sheet.exists(), done.stderr
    return sheet.read_text()


def formulas(sheet: str) -> list[str]:
    return re.findall(r'table:formula="([^"]*)"', sheet)


def row_by_row() -> bytes:
    """As `parcel.rows` writes it, in the first cell of a line, in the middle, and inside a structure."""
    return b"".join(csv_line([text, "7F3K-000001", text, -5, 1.5, None, {"a": text}]) for text in HOSTILE)


def batch_by_batch() -> bytes:
    """As production writes it, names of columns included."""
    texts = pa.array(HOSTILE, pa.string())
    columns = {
        "=1+1": texts,
        "number": pa.array([-5] * len(HOSTILE)),
        "parts": pa.array([[each] for each in HOSTILE]),
    }
    batch = pa.RecordBatch.from_pydict(columns)
    return csv_line(list(columns)) + bytes(formatted(batch, "7F3K", 1).csv.piece(0, len(HOSTILE)))


@pytest.mark.parametrize("written", [row_by_row, batch_by_batch])
def test_libreoffice_runs_no_cell_of_a_csv(written: Callable[[], bytes], tmp_path: Path) -> None:
    """Each hostile text stays a text; numbers stay numbers."""
    sheet = as_sheet(written(), tmp_path)
    assert formulas(sheet) == []
    assert sheet.count(">7F3K-0000") == len(HOSTILE)
    assert 'office:value="-5"' in sheet


def test_libreoffice_would_run_unguarded_cells(tmp_path: Path) -> None:
    """The same texts without the guard are formulas, so the test above can fail."""
    bare = b"".join(b'"%s"\r\n' % text.replace('"', '""').encode() for text in HOSTILE)
    assert len(formulas(as_sheet(bare, tmp_path))) >= 3


def test_case_validate_accepts_entries_that_failed_holds_and_hand_made_copies(tmp_path: Path) -> None:
    """The whole description conforms, and with a number for a description it does not."""
    validate = tool("case_validate", "run tools/setup.py case")
    paths = (
        "main/sessions.0001.jsonl",
        "media/files/7F3K-000005_a",
        "hold-3f2a9c01/sessions.0001.jsonl",
        "hand-01/b.0001.csv",
    )
    entries = [Entry(f"data/{path}", 3, "ab" * 32) for path in (*paths, "index.html")]
    text = case_jsonld(EVIDENCE, entries, RESULTS, STATEMENT.sources).decode()
    kinds = [node["@type"] for node in json.loads(text)["@graph"]]
    assert kinds.count("inv:InvestigativeAction") == 1 + len(RESULTS)
    assert kinds.count("inv:ProvenanceRecord") > 1 + len(STATEMENT.sources)
    path = tmp_path / "case.jsonld"
    path.write_text(text)
    good = subprocess.run([validate, str(path)], capture_output=True, check=False)
    assert good.returncode == 0, good.stdout
    path.write_text(text.replace('"core:description": "nothing held"', '"core:description": 7'))
    assert subprocess.run([validate, str(path)], capture_output=True, check=False).returncode != 0


def test_poppler_opens_the_index(tmp_path: Path) -> None:
    """`pdfinfo` reads the index as PDF 1.7, tagged, without encryption or script."""
    (tmp_path / "index.pdf").write_bytes(page_pdf(statement_page(ACCOUNT), made_at=NOW))
    info = tool("pdfinfo", "install it (Debian: apt-get install poppler-utils)")
    done = subprocess.run([info, str(tmp_path / "index.pdf")], capture_output=True, text=True, check=True)
    facts = dict(re.findall(r"(?m)^([^:]+): +(.*)$", done.stdout))
    assert (facts["Tagged"], facts["Encrypted"], facts["JavaScript"]) == ("yes", "no", "no")
    assert facts["PDF version"] == "1.7"


CHROMIUM = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--allow-file-access-from-files",
)  # fmt: skip


@pytest.mark.browser
@pytest.mark.parametrize("width", [390, 1200])
def test_a_browser_shows_the_page_without_scrolling_sideways(tmp_path: Path, width: int) -> None:
    """Whatever the identifiers: only a table may scroll, in its own box, on a narrow screen."""
    chromium = tool("chromium", "run tools/setup.py debian")
    said = dataclasses.replace(STATEMENT, account="@" + "e" * 4000 + "مها" * 50, authority="W" * 300)
    failed = TableResult("s" * 90, "t" * 300, "failed", 0, "w" * 900, ("traffic",))
    page = page_html(statement_page(Account(said, (*RESULTS, failed), ACCOUNT.redactions)))
    (tmp_path / "index.html").write_bytes(page)
    (tmp_path / "frame.html").write_text(
        f'<!doctype html><body><iframe id="page" src="index.html" width="{width}" height="3000" style="border:0">'
        '</iframe><script>addEventListener("load", () => { document.body.dataset.width = document.getElementById('
        '"page").contentDocument.documentElement.scrollWidth; })</script>'
    )
    words = [chromium, *CHROMIUM, f"--user-data-dir={tmp_path / 'profile'}", "--window-size=1300,3000"]
    address = (tmp_path / "frame.html").as_uri()
    dumped = subprocess.run(
        [*words, "--dump-dom", address], capture_output=True, text=True, check=False, timeout=120
    )
    assert f'data-width="{width}"' in dumped.stdout

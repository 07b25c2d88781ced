"""The minimisation statement says what is true, in plain words, and nothing about what was not looked at."""

import dataclasses

from dueprocess.parcel import CategoryLine, Statement, TableResult, statement_html

STATEMENT = Statement(
    parcel_id="7F3K",
    operator="Example Host",
    authority="District of Example <script>",
    order="order 1:26-mc-1",
    account="@eva:host.example",
    legal_basis=("18 USC 2703(d)",),
    windows=(("asked", "no end"), ("authorised", "2026-09-01 to 2026-10-01")),
    categories=(
        CategoryLine("traffic", "other records", asked=True, permitted=True, authorised=True),
        CategoryLine(
            "location", "where", asked=False, permitted=False, authorised=False, not_collected="not asked"
        ),
        CategoryLine("session.times", "times", asked=True, permitted=True, authorised=True),
    ),
    produced_at="2026-11-22T10:00:00Z",
)
RESULTS = (
    TableResult("main", "sessions", "found", 2, "", ("traffic",)),
    TableResult("main", "devices", "failed", 1, "the store stopped", ("traffic", "location")),
    TableResult("main", "visits", "nothing_held", 0, "", ("location",)),
)


def test_the_three_results_have_three_sentences() -> None:
    """Found with its number, nothing held, failed with its reason."""
    assert [result.words for result in RESULTS] == [
        "found 2 records",
        "failed: the store stopped",
        "nothing held",
    ]
    assert dataclasses.replace(RESULTS[0], rows=1).words == "found 1 record"
    assert RESULTS[1].as_json() == {
        "store": "main",
        "table": "devices",
        "status": "failed",
        "rows": 1,
        "why": "the store stopped",
    }


def test_the_page_tells_each_category_its_outcome() -> None:
    """An authorised category shows its sources, another its reason, and one without a source says so."""
    page = statement_html(STATEMENT, RESULTS).decode()
    row = {line.split("</td>")[0]: line for line in page.split("<tr><td>")}
    assert (
        "main.sessions: found 2 records; main.devices: failed: the store stopped"
        in row["traffic (other records)"]
    )
    assert "<td>no</td><td>no</td><td>no</td><td>not collected: not asked</td>" in row["location (where)"]
    assert "no source was read" in row["session.times (times)"]


def test_held_is_never_said_of_what_was_not_authorised() -> None:
    """Even if a source's columns count under an unauthorised category, its line stays silent."""
    page = statement_html(STATEMENT, RESULTS).decode()
    line = next(line for line in page.split("<tr>") if line.startswith("<td>location"))
    assert "held" not in line
    assert "devices" not in line


def test_the_page_runs_nothing_and_loads_nothing() -> None:
    """Everything from outside is escaped; there is no script, image or address to load."""
    page = statement_html(STATEMENT, RESULTS).decode()
    assert "&lt;script&gt;" in page
    assert "<script" not in page
    assert "src=" not in page
    assert "href=" not in page
    assert page.startswith("<!doctype html>")


def test_no_legal_basis_is_said_aloud() -> None:
    """An empty list is not an empty sentence."""
    page = statement_html(dataclasses.replace(STATEMENT, legal_basis=()), ()).decode()
    assert "Legal basis: none named" in page

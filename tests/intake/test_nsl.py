"""Real paper: eight published National Security Letters. What a machine reads of them, and what not."""

import csv
from pathlib import Path

import pytest

from dueprocess.intake.paper import Paper, open_paper
from dueprocess.intake.reading import suggest_reading
from dueprocess.intake.signs import signs
from dueprocess.intake.triage import triage

TEXT_PAGES = {
    "apple__NSL-17-428677.pdf": (5, {1}),
    "apple__NSL-18-440748.pdf": (5, {1}),
    "apple__NSL-19-468088-1.pdf": (5, {1}),
    "apple__NSL-21-536533.pdf": (6, {1, 2}),
    "google__NSL-15-408634(a)-request-redacted.pdf": (3, {1, 2, 3}),
    "google__NSL-17-430092-release-redacted.pdf": (2, {1}),
    "google__NSL-18-466228-request-redacted.pdf": (4, {1, 2, 3, 4}),
    "google__NSL-19-494620-request-redacted.pdf": (4, {1, 2, 3, 4}),
}
"""File → number of pages, and those that have a text layer at all."""
REQUESTS = [name for name in TEXT_PAGES if "request" in name]
RELEASES = [name for name in TEXT_PAGES if "request" not in name]


@pytest.fixture(scope="module")
def papers(letters: Path) -> dict[str, Paper]:
    return {name: open_paper(letters / name) for name in TEXT_PAGES}


@pytest.fixture(scope="module")
def truth(letters: Path) -> dict[str, dict[str, str]]:
    with (letters / "truth.csv").open(encoding="utf-8", newline="") as file:
        return {row["pdf"]: row for row in csv.DictReader(file)}


def test_all_eight_letters_are_here(letters: Path, truth: dict[str, dict[str, str]]) -> None:
    """One copy, in examples, with its truth beside it."""
    assert {path.name for path in letters.glob("*.pdf")} == set(TEXT_PAGES) == set(truth)


@pytest.mark.parametrize("name", TEXT_PAGES)
def test_pages_without_text_layer_are_said_to_be_scans(papers: dict[str, Paper], name: str) -> None:
    """Every page is listed; those without words are listed as scans, and no other."""
    count, readable = TEXT_PAGES[name]
    paper = papers[name]
    assert len(paper.pages) == count
    scans = {
        f"page {page} has no text layer (a scan)" for page in range(1, count + 1) if page not in readable
    }
    assert set(paper.unreadable) == scans


@pytest.mark.parametrize("name", TEXT_PAGES)
def test_each_is_recognised_as_an_nsl_from_its_own_words(papers: dict[str, Paper], name: str) -> None:
    """Noisy machine reading hides neither the instrument nor the section that it rests on."""
    found = signs(papers[name])
    assert found.instruments[0].code == "nsl"
    assert "18 USC 2709" in [each.value for each in found.legal_bases]
    assert suggest_reading(papers[name])["instrument"] == "nsl"


@pytest.mark.parametrize("name", REQUESTS)
def test_the_issue_date_is_the_true_one(
    papers: dict[str, Paper], truth: dict[str, dict[str, str]], name: str
) -> None:
    """Where the text layer has the date, it equals the table; the one without a true date is read from the paper."""
    expected = truth[name]["issue date"] or "2015-05-12"
    assert suggest_reading(papers[name])["issued_on"] == expected


@pytest.mark.parametrize("name", RELEASES)
def test_a_release_letter_asks_for_nothing_and_its_date_is_the_release(
    papers: dict[str, Paper], truth: dict[str, dict[str, str]], name: str
) -> None:
    """Its own date is the release date; the issue date of the old letter is not in its text, so none is given."""
    draft, found = suggest_reading(papers[name]), signs(papers[name])
    assert found.release is not None
    assert next(each.value for each in found.dates if each.code == "issued") == truth[name]["release date"]
    assert draft["issued_on"] is None
    assert draft["targets"] == []
    assert draft["categories"] == []
    assert draft["nondisclosure"] is None


@pytest.mark.parametrize("name", REQUESTS)
def test_a_blacked_out_account_is_reported_and_never_completed(papers: dict[str, Paper], name: str) -> None:
    """The identifier is missing, is listed as unreadable, and no target is suggested."""
    draft = suggest_reading(papers[name])
    assert draft["targets"] == []
    assert any("e-mail address" in str(each) for each in draft["unreadable"])  # type: ignore[union-attr]  # a list of sentences
    assert "one exact account or address that is named" in triage(papers[name]).missing


@pytest.mark.parametrize("name", REQUESTS)
def test_what_the_letter_asks_and_what_it_may_not(papers: dict[str, Paper], name: str) -> None:
    """Name, address, length of service; transactional records are named as beyond such a letter."""
    page = triage(papers[name])
    assert {"subscriber.identity", "subscriber.service"} <= set(page.asks)
    assert not {"content.messages", "secrets"} & set(page.asks)
    assert ("traffic" in page.beyond) == ("NSL-15" not in name)
    assert page.silence is not None
    assert not page.collective
    assert not page.emergency_steps


@pytest.mark.parametrize("name", REQUESTS)
def test_certification_review_notice_and_signature_words_are_found(
    papers: dict[str, Paper], name: str
) -> None:
    """The formal elements of section 2709 stand in all three; only two name the official who may sign."""
    draft = suggest_reading(papers[name])
    elements = draft["elements"]
    assert isinstance(elements, list)
    assert {"certification", "review_notice", "signature", "date", "issuer", "legal_basis"} <= set(elements)
    assert "identifier" not in elements
    # The letter of 2015 shows 'NO APPROVAL ROLES' where an office should stand.
    assert draft["issuer_kind"] == ("agency" if "NSL-15" in name else "fbi_official")
    silence = draft["nondisclosure"]
    assert isinstance(silence, dict)
    assert silence["certified"] is True
    assert silence["until"] is None


def test_a_misread_file_number_is_quoted_as_it_stands(papers: dict[str, Paper]) -> None:
    """Noise is shown, not repaired: a person compares it with the image."""
    found = signs(papers["apple__NSL-17-428677.pdf"])
    assert [each.value for each in found.dockets] == ["NSL-17-42&677"]

"""The demonstration's papers say by their own words what a person transcribes from them."""

import datetime as dt
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dueprocess.cli.demo import typeset
from dueprocess.cli.demo.cast import EVA, FINN, GINA, Read, demand_1, demand_2
from dueprocess.cli.demo.papers import (
    area_demand,
    emergency_mail,
    order_2703d,
    order_pdf,
    subpoena_2705b,
)
from dueprocess.demand import Category, Demand, Period, covers, expand, parse_demand
from dueprocess.errors import MalformedError
from dueprocess.intake.paper import Paper, read_paper
from dueprocess.intake.reading import suggest_reading
from dueprocess.intake.signs import signs
from dueprocess.intake.triage import triage
from dueprocess.law import Assessment, Outcome, assess
from dueprocess.library.packs import shipped_packs

START = dt.datetime(2026, 11, 22, 5, 39, 9, tzinfo=dt.UTC)
RECEIVED = START + dt.timedelta(seconds=2)
ISSUED_ON = START.date()
DUE_ON = dt.date(2026, 12, 6)
SILENT_UNTIL = dt.datetime(2026, 12, 22, tzinfo=dt.UTC)
WINDOW = Period(START, RECEIVED)
READ = Read(WINDOW, RECEIVED, ISSUED_ON, bytes(32), "district-court")
FIRST = demand_1(READ)
SECOND = demand_2(READ, due_on=DUE_ON, silent_until=SILENT_UNTIL)


def _order() -> Paper:
    paper = order_2703d(window_start=START, issued_on=ISSUED_ON, sent_at=RECEIVED)
    return read_paper(paper, name="order.eml")


def _subpoena() -> Paper:
    paper = subpoena_2705b(window=WINDOW, issued_on=ISSUED_ON, due_on=DUE_ON, silent_until=SILENT_UNTIL)
    return read_paper(paper, name="subpoena.pdf")


def _assessed(demand: Demand) -> Assessment:
    return assess(demand, list(shipped_packs().values()), on=ISSUED_ON)


def _agrees(draft: dict[str, Any], demand: Demand) -> None:
    """The machine's draft and the person's transcription name the same paper."""
    assert draft["instrument"] == demand.instrument
    assert draft["issuer_kind"] == demand.issuer_kind
    assert draft["legal_bases"] == list(demand.legal_bases)
    assert draft["issued_on"] == ISSUED_ON.isoformat()
    named = [{"kind": "account", "value": item.target.value} for item in demand.scope.items]
    assert draft["targets"] == named
    assert set(draft["categories"]) == set(demand.scope.items[0].categories)
    assert set(draft["elements"]) >= demand.elements
    assert draft["unreadable"] == []


def test_the_court_order_is_read_as_what_it_is_transcribed_to() -> None:
    """An order under 2703(d) of a judge, for everything about two accounts, with a start and no end."""
    draft: dict[str, Any] = suggest_reading(_order())
    _agrees(draft, FIRST)
    assert [item.target.value for item in FIRST.scope.items] == [EVA.id, FINN.id]
    assert (draft["from"], draft["until"], draft["nondisclosure"]) == ("2026-11-22T00:00:00Z", None, None)
    assert FIRST.scope.items[0].period == Period(START, None)


def test_the_court_order_lacks_nothing_and_asks_too_much() -> None:
    """Triage finds each usual element, and content among what such an order does not reach."""
    page = triage(_order())
    assert page.missing == ()
    assert page.asks_all
    assert "content.messages" in page.beyond
    assert page.collective == ()


def test_the_subpoena_is_read_as_what_it_is_transcribed_to() -> None:
    """A grand jury subpoena about one account, due on a day, with a silence that a court ordered and ends."""
    draft: dict[str, Any] = suggest_reading(_subpoena())
    _agrees(draft, SECOND)
    assert SECOND.scope.items[0].target.value == GINA.id
    assert (draft["from"], draft["until"]) == ("2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z")
    assert draft["due_on"] == DUE_ON.isoformat()
    silence = draft["nondisclosure"]
    assert (silence["basis"], silence["certified"]) == ("18 USC 2705(b)", True)
    assert (silence["starts_on"], silence["until"]) == ("2026-11-22T00:00:00Z", "2026-12-22T00:00:00Z")
    assert triage(_subpoena()).missing == ()


def test_the_exact_times_stand_on_the_papers() -> None:
    """The machine suggests days; the seconds that a person types in are there to be read."""
    order = "\n".join(sheet.text for sheet in _order().sheets)
    subpoena = "\n".join(sheet.text for sheet in _subpoena().sheets)
    assert "05:39:09 UTC and onward" in " ".join(order.split())
    assert "05:39:09 UTC to November 22, 2026, 05:39:11 UTC" in " ".join(subpoena.split())
    assert "until December 22, 2026, 00:00:00 UTC" in " ".join(subpoena.split())


def test_case_1_is_permitted_in_part() -> None:
    """Content and location are cut, records stay, and the open window ends at the receipt."""
    found = _assessed(FIRST)
    assert found.outcome == Outcome.PERMIT_SUBSET
    assert found.producible
    assert found.notice.rule == "allowed_before_production"
    for item in found.permitted:
        assert item is not None
        assert item.period == WINDOW
        assert item.categories == expand(["subscriber", "session", "traffic"])
    cut: set[Category] = set()
    for finding in found.findings:
        cut |= finding.categories if finding.kind == "cut" else frozenset()
    assert {each for each in expand(["content"]) if covers("content", each)} <= cut
    assert [each.target_index for each in found.findings if each.code == "cut.after-receipt"] == [0, 1]


def test_case_2_is_producible_and_its_notice_waits() -> None:
    """All that the subpoena asks is permitted; the user is told when the court's order ends, not before."""
    found = _assessed(SECOND)
    assert found.outcome == Outcome.PERMIT_ALL
    assert found.producible
    assert (found.notice.rule, found.notice.until) == ("delayed_until", SILENT_UNTIL)
    assert found.notice.settled


def test_transcriptions_survive_storage() -> None:
    """What is kept in the case file is the same demand when it is read again."""
    assert [parse_demand(each.as_json()) for each in (FIRST, SECOND)] == [FIRST, SECOND]


def test_the_area_demand_names_nobody() -> None:
    """It asks for an area, a word and everyone, names no account, and cites no law."""
    found = signs(read_paper(area_demand(dated=ISSUED_ON), name="area.txt"))
    assert {each.code for each in found.collective} >= {"area", "keyword", "all"}
    assert found.identifiers == ()
    assert found.legal_bases == ()


def test_the_emergency_mail_shows_what_is_wrong_with_it() -> None:
    """A look-alike domain, an emergency without a call, passwords: each is found, although its DKIM passes."""
    page = triage(read_paper(emergency_mail(sent_at=RECEIVED), name="emergency.eml"))
    assert page.emergency_steps
    assert "secrets" in page.asks
    codes = {each.code for each in page.sender}
    assert {"look-alike", "authentication-results"} <= codes


def test_the_real_officer_has_no_look_alike_domain() -> None:
    """The two mails differ in what matters: the first one's domain is not mistaken for another."""
    assert "look-alike" not in {each.code for each in triage(_order()).sender}


def test_other_peoples_reader_reads_the_same_words(tmp_path: Path) -> None:
    """Poppler's pdftotext finds accounts, citation, section sign and end of silence in the text layer."""
    program = shutil.which("pdftotext")
    if program is None:
        pytest.fail("pdftotext is missing: install poppler-utils (Debian: apt-get install poppler-utils)")
    (tmp_path / "order.pdf").write_bytes(order_pdf(window_start=START, issued_on=ISSUED_ON))
    (tmp_path / "subpoena.pdf").write_bytes(
        subpoena_2705b(window=WINDOW, issued_on=ISSUED_ON, due_on=DUE_ON, silent_until=SILENT_UNTIL)
    )
    texts = [
        subprocess.run([program, tmp_path / name, "-"], check=True, capture_output=True, text=True).stdout
        for name in ("order.pdf", "subpoena.pdf")
    ]
    assert all(each in texts[0] for each in (EVA.id, FINN.id, "18 U.S.C. § 2703(d)", "Helena Marsh"))
    assert all(each in texts[1] for each in (GINA.id, "18 U.S.C. § 2705(b)", "December 22, 2026"))
    assert texts[1].count("\f") == 2


def test_a_subpoena_without_an_end_is_not_made() -> None:
    """The paper of case 2 names both ends; an open window has no words on it."""
    with pytest.raises(MalformedError, match="both ends"):
        subpoena_2705b(
            window=Period(START, None), issued_on=ISSUED_ON, due_on=DUE_ON, silent_until=SILENT_UNTIL
        )


@settings(max_examples=8, deadline=None)
@given(st.lists(st.text("abc (\\)§", min_size=1, max_size=60), min_size=1, max_size=90))
def test_every_line_is_found_again_whatever_the_page(lines: list[str]) -> None:
    """Brackets, backslashes and section signs survive, and a long paper goes on over the page."""
    marked = [f"{number:03d}x{text}x" for number, text in enumerate(lines)]
    blocks = [typeset.listing(text, column=0) for text in marked]
    content = typeset.pdf([blocks], title="t", foot="f", stamp=typeset.Stamp(("FILED",)))
    sheets = read_paper(content, name="long.pdf").sheets
    text = "".join("".join(sheet.text.split()) for sheet in sheets)
    assert all("".join(each.split()) in text for each in marked)
    assert len(sheets) == -(-len(lines) // 24)

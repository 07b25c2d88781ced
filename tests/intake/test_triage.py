"""The first-aid page: one screen, never a promise, no number from the message, no word about an account."""

import json
import re
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dueprocess.intake.page import SCREEN_LINES, render_text
from dueprocess.intake.paper import Page, Paper, open_paper, read_paper
from dueprocess.intake.triage import SLIP, Triage, triage

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*/*.[ep][md][lf]"))
VOUCHING = re.compile(
    r"\b(genuine|authentic|verified|legitimate|trustworthy|is valid|is real)\b", re.IGNORECASE
)


@cache
def _page(path: Path) -> Triage:
    """The page of one example, read once: each PDF costs a child."""
    return triage(open_paper(path))


def _text(text: str) -> Paper:
    return read_paper(text.encode(), name="x.txt")


def _without_quotes(page: str) -> str:
    return re.sub(r"“[^”]*”", "", page)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
@pytest.mark.parametrize("width", [80, 100])
def test_the_page_is_one_screen(path: Path, width: int) -> None:
    """Sixty lines at a hundred columns, a few more at eighty; no line wider than the screen."""
    lines = render_text(_page(path), width).splitlines()
    assert len(lines) <= SCREEN_LINES + (0 if width == 100 else 12)
    assert max(map(len, lines)) <= width


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_the_page_has_every_section_and_vouches_for_nothing(path: Path) -> None:
    """What, missing, clock, don'ts, sender, reply, slip; and not one of our words says that it is real."""
    page = render_text(_page(path))
    for heading in (
        "seems to be",
        "missing",
        "clock may run",
        "not to do",
        "does not prove",
        "Holding reply",
        "slip",
    ):
        assert heading in page
    assert "not legal advice" in page
    assert not VOUCHING.search(_without_quotes(page))


def test_there_are_eleven_examples() -> None:
    """Three mails and eight letters: the tests above really ran on them."""
    assert len(EXAMPLES) == 11


def test_the_example_mails_are_what_their_builder_makes(make: ModuleType, mails: Path) -> None:
    """The committed examples are generated, byte for byte."""
    for name, content in make.examples().items():
        assert (mails / name).read_bytes() == content


@settings(max_examples=80, deadline=None)
@given(
    st.text(max_size=120),
    st.from_regex(r"\+?[0-9]{3}[ -][0-9]{3,4}[ -][0-9]{4}", fullmatch=True),
    st.from_regex(r"[a-z]{3,8}@[a-z]{3,8}\.example", fullmatch=True),
)
def test_slip_and_reply_take_nothing_from_the_message(noise: str, number: str, address: str) -> None:
    """No number, address or account of the message reaches what is sent or dialled."""
    text = (
        f"{noise}\nsearch warrant, call {number}, account: {address}, write to {address}, "
        f"all users who were within 200 meters, password, emergency disclosure request {number}"
    )
    page = triage(Paper("text", "x", "0" * 64, 0, (Page(1, text),)))
    ours = page.reply + "\n".join(page.slip)
    assert page.slip == SLIP
    assert number not in ours
    assert address not in ours


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_the_reply_neither_confirms_nor_denies(path: Path) -> None:
    """It speaks of accounts once, to say that it says nothing; it names no target."""
    page = _page(path)
    assert "neither confirm nor deny that any account exists" in page.reply
    assert not re.search(r"(no such|we (have|hold|found|preserve|keep)) ", page.reply)
    assert all(sign.value not in page.reply for sign in page.targets)


def test_the_slip_is_blank_and_says_where_to_find_the_number() -> None:
    """No digit stands on it."""
    slip = "\n".join(SLIP)
    assert not re.search(r"\d", slip)
    assert "Find the number yourself" in slip
    assert "Never one from the message" in slip


def test_an_area_demand_is_named_and_the_reply_refuses_it(mails: Path) -> None:
    """'All users within 200 meters' is called what it is, in the page and in the answer."""
    page = triage(open_paper(mails / "area.eml"))
    assert {"area", "keyword", "all"} <= {sign.code for sign in page.collective}
    assert "We refuse a demand that does not name each account exactly" in page.reply
    assert "It asks for people nobody has named" in render_text(page)


def test_an_emergency_is_met_with_calm_and_the_word_may(mails: Path) -> None:
    """Call back first; 18 USC 2702 says may; passwords are never given; no clock is invented."""
    page = triage(open_paper(mails / "emergency.eml"))
    shown = " ".join(render_text(page).split())
    assert "Stay calm" in shown
    assert "Call back first" in shown
    assert "18 USC 2702 says 'may'" in shown
    assert "Those are never given" in shown
    assert page.clocks[0].text.startswith("None in law")


def test_a_scan_is_said_to_be_one(make: ModuleType) -> None:
    """Without a word to read, the page says so and tells what to look for by eye."""
    page = triage(read_paper(make.pdf([], scans=2), name="scan.pdf"))
    shown = render_text(page)
    assert not page.readable
    assert "it seems to be a scan" in shown
    assert "page 1 has no text layer (a scan)" in shown
    assert "Look in the scan for" in shown


@pytest.mark.parametrize(
    ("text", "clock"),
    [
        ("PRESERVATION REQUEST under 18 U.S.C. 2703(f)", "90 days"),
        ("Removal order under Regulation (EU) 2021/784", "1 hour"),
        ("European Production Order Certificate", "10 days"),
        ("European Production Order Certificate", "8 hours"),
        ("EPOC-PR", "60 days"),
        ("Order under Article 9 of Regulation (EU) 2022/2065", "Without undue delay"),
        ("SUBPOENA", "return date"),
        ("please send us the details", "None that binds you"),
    ],
)
def test_clocks_may_run_and_name_their_source(text: str, clock: str) -> None:
    """Each clock has its law beside it; an informal request has none."""
    page = triage(_text(text))
    found = [each for each in page.clocks if clock in each.text]
    assert found
    assert found[0].source or clock == "None that binds you"


def test_missing_elements_are_only_not_found() -> None:
    """Said of words that could be read; a full order misses nothing, and that makes it no better."""
    shown = render_text(triage(_text("SUBPOENA")))
    assert "Not found in the words that could be read" in shown
    assert "a signature" in shown


def test_hostile_characters_never_reach_the_terminal() -> None:
    """Escape codes and direction marks of the message, its name and its headers are taken out."""
    mail = "From: \x1b]0;evil\x07a@b.example\nSubject: \u202esearch warrant\x1b[2J\n\nsearch \x1b[31mwarrant\u202e\n"
    paper = read_paper(mail.encode(), name="\x1b[31morder\u202e.eml")
    shown = render_text(triage(paper))
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", shown)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=400), st.integers(0, 300))
def test_any_text_at_any_width_gives_a_page(text: str, width: int) -> None:
    """No text and no width breaks the page, and it always ends in its slip."""
    page = triage(Paper("text", "x", "0" * 64, 0, (Page(1, text),)))
    shown = render_text(page, width)
    assert shown.rstrip().endswith(SLIP[-1].rstrip())
    json.dumps(page.as_json()).encode()

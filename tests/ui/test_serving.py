"""The page for authorities: what it says of each paper, and that it says what the profile says."""

import dataclasses
import datetime as dt
import itertools
import json
import pathlib
import re
import shutil
import subprocess

import pytest

from dueprocess.errors import BrokenError
from dueprocess.law import Pack
from dueprocess.ui import WELL_KNOWN, intake_profile, render_public_site
from dueprocess.ui.serving_words import HANDLING, quoted
from ui.harbour import ALL, OF_HARBOUR, SHIPPED, TODAY, Page, both, facts, harbour, papers, spaced, texts

PAGE, PROFILE = both(ALL)


def test_every_instrument_in_force_is_on_the_page_with_its_citation() -> None:
    """Each kind of paper of each active pack has a section with its name, its rule and the rule's place."""
    wanted = [
        (pack, paper)
        for pack in ALL
        if pack.kind == "regime"
        for paper in pack.instruments
        if paper.rule.in_force(TODAY)
    ]
    assert len(wanted) > 20
    for pack, paper in wanted:
        said = PAGE.under(f"law.{pack.id}.{paper.code}")
        assert said.startswith(spaced(paper.name))
        assert f"{quoted(paper.rule.text)} [{paper.rule.citation}]" in said
    assert len(list(papers(PROFILE))) == len(wanted)


def test_a_pack_that_is_not_in_force_is_nowhere() -> None:
    """Neither its papers nor its id are on the page or in the profile."""
    page, profile = both((SHIPPED["us.sca"], SHIPPED["baseline"]))
    assert {pack["id"] for pack in profile["packs"]} == {"us.sca"}
    assert "European Production Order" not in page.text
    assert "eu.evidence" not in json.dumps(profile)
    page, profile = both((SHIPPED["eu.evidence"], SHIPPED["baseline"]))
    assert "National Security Letter" not in page.text
    assert "us.sca" not in json.dumps(profile)


def test_a_paper_and_a_rule_are_shown_on_their_days_only() -> None:
    """A version that is over, or has not begun, is not shown; one that ends says when."""
    today, before = both(harbour())[0].text, both(harbour(), on=dt.date(2025, 6, 1))[0].text
    assert "who has the account, and since when. [Records Act, s 4(1)]" in today
    assert "account, and since when" not in before
    assert "who has the account. [Records Act, s 4(1); until 2026-01-01]" in before
    assert both(harbour(), on=dt.date(2019, 1, 1))[1]["packs"][0]["instruments"] == []
    assert (
        "No kind of paper is in force under these rules." in both(harbour(), on=dt.date(2019, 1, 1))[0].text
    )


def test_the_baselines_papers_are_sent_back_and_never_accepted() -> None:
    """Informal mails, orders of other countries and private parties' papers are named, outside the accepted papers."""
    sent_back = PAGE.under("redirects")
    for paper in SHIPPED["baseline"].instruments:
        assert paper.name in sent_back
        assert str(paper.rule.citation) in sent_back
    assert {each["code"] for each in PROFILE["redirects"]} >= {
        "informal_request",
        "foreign_order",
        "civil_request",
    }
    accepted = {paper["code"] for _, paper in papers(PROFILE)}
    assert accepted.isdisjoint(each["code"] for each in PROFILE["redirects"])


SAID = {"text", "citation", "question", "meaning", "requires", "name", "title", "jurisdiction", "status"}
UNSHOWN = (".elements.rule.text", ".elements.when.rule.", ".clocks.when.rule.", ".packs.instruments.window.")
"""Rules of form that the page only cites, and the window of a paper that names nobody."""


def test_the_page_says_what_the_profile_says() -> None:
    """Every sentence, citation, question and name of the profile is on the page."""
    shown = PAGE.text
    missing = [
        (place, text)
        for place, text in texts(PROFILE)
        if place.rsplit(".", 1)[1] in SAID
        and not place.startswith((".categories", ".packs.zones"))
        and not any(each in place for each in UNSHOWN)
        and spaced(quoted(text)) not in shown
        and ".instruments.issuers.rule" not in place
    ]
    assert missing == []
    for _, paper in papers(PROFILE):
        if not paper["names_nobody"]:
            said = PAGE.under(paper["section"])
            assert spaced(quoted(paper["window"]["text"])) in said
            assert spaced(quoted(paper["issuers"]["rule"]["text"])) in said


def test_the_profile_has_what_the_page_cites() -> None:
    """Every citation in brackets on the page is a citation of the profile."""
    cited = {text for place, text in texts(PROFILE) if place.endswith(".citation")}
    marks = {
        re.sub(r"; until [0-9-]{10}$", "", each[1:-1])
        for each in re.findall(r"\[[^\[\]]+\]", PAGE.text)
        if "[" not in each[1:-1]
    }
    assert len(marks) > 100
    assert marks - cited == set()


def test_a_section_says_who_what_how_long_and_how_to_contest() -> None:
    """The fictional order, read as an officer would."""
    said = both(OF_HARBOUR)[0].under("law.xa.harbour.records_order")
    for words in (
        "If nothing is missing, two people may decide to hand over the least that it reaches.",
        "Who may issue it A court or a prosecutor. Only a court or a prosecutor asks for records. [Records Act, s 2]",
        "We ask: Which country is the authority of? Needed: XA.",
        "the name of the court [Records Act, s 6]",
        (
            "the offence (only for: what was written or said; files and media; what a profile says and shows) "
            "[Records Act, s 9; inference] Only if the answer is no, or not known: Does the paper claim an emergency?"
        ),
        "Only where the paper's sole purpose is to identify somebody.",
        "Only where issued or validated by a court.",
        'We ask: Which offence is it? "on list": one of section 9. Needed: on list.',
        "passwords, keys, tokens Passwords are given on no paper. [Records Act, s 5]",
        (
            "10 days from its arrival; the day itself does not count; a last day that is no working day moves to the "
            "next one. The answer is due within ten days. [Records Act, s 6(2)]"
        ),
        "Until the day that the paper names. The paper may name a day. [Records Act, s 6(3); practice]",
        "We tell the person before we hand over, unless an order or a law forbids it. The person is told.",
        "A court may forbid to tell, for up to ninety days. [Records Act, s 7(2)] It needs a court's reasons.",
        (
            "The person concerned (only for: what was written or said; files and media; what a profile says and "
            "shows): Within a month the person may ask the court again. [Records Act, s 8]"
        ),
    ):
        assert words in said, words


def test_keeping_is_not_handing_over() -> None:
    """A paper to keep data says that nothing is handed over on it, and what the law leaves open."""
    said = both(OF_HARBOUR)[0].under("law.xa.harbour.keep_letter")
    assert "It asks us to keep data; nothing is handed over." in said.replace("Here: it", "It")
    assert "It obliges us to nothing." in said
    assert "Nobody is told until a lawyer has decided." in said


def test_telling_is_said_by_what_the_paper_asks_for() -> None:
    """Before we hand over, where something may be handed over; of a paper to keep data, just whether we may."""
    assert "We tell the person before we hand over" in PAGE.under("law.us.sca.warrant")
    kept = PAGE.under("law.us.sca.preservation_letter")
    assert "We may tell the person, unless an order or a law forbids it." in kept
    assert "before we hand over" not in kept


def test_nothing_is_asked_of_a_paper_that_names_nobody() -> None:
    """Such a paper has no form, no issuer and no condition that would make it good; it says why."""
    page, profile = both(OF_HARBOUR)
    paper = next(each for _, each in papers(profile) if each["code"] == "tower_list")
    assert paper["elements"] == paper["conditions"] == []
    assert paper["handling"]["code"] == "names_nobody"
    said = page.under("law.xa.harbour.tower_list")
    assert "It names nobody. Nothing is handed over on it, whoever signed it. The Act knows no paper" in said
    assert "must show" not in said
    assert "Whether we tell the person The person is told. [Records Act, s 7]" in said
    for _, each in papers(PROFILE):
        if each["names_nobody"]:
            assert each["reaches"] == each["elements"] == each["conditions"] == []


def test_an_emergency_says_honestly_that_nothing_is_handed_over() -> None:
    """The section of an emergency paper and the part on danger to life both say so, and to call is our part."""
    emergencies = [paper for _, paper in papers(PROFILE) if paper["emergency"]]
    assert emergencies
    for paper in emergencies:
        assert paper["handling"]["code"] == "emergency"
        assert HANDLING["emergency"] in PAGE.under(paper["section"])
    danger = PAGE.under("danger")
    assert "We call back before anything else." in danger
    assert "hands over nothing on an emergency request" in danger


def test_only_a_disclosure_that_reaches_something_can_come_to_two_people() -> None:
    """No paper to keep, to remove, for counsel, or without reach is announced as one that may get data."""
    for _, paper in papers(PROFILE):
        if paper["handling"]["code"] == "two_people":
            assert paper["demand_kind"] == "disclosure"
            assert paper["reaches"]
            assert not paper["emergency"]
    assert {paper["handling"]["code"] for _, paper in papers(PROFILE)} == set(HANDLING) - {"refused"}


def test_a_paper_that_is_always_refused_says_so_with_its_rule() -> None:
    """The pack's own ceiling goes before what the paper could reach."""
    pack = harbour()[0]
    papers_of = (
        dataclasses.replace(pack.instruments[0], ceiling="refuse", ceiling_rule="ra.nameless"),
        *pack.instruments[1:],
    )
    said = both((dataclasses.replace(pack, instruments=papers_of),))[0].under("law.xa.harbour.records_order")
    assert "We refuse it. The Act knows no paper that names nobody. [Records Act, s 10; inference]" in said


@pytest.mark.parametrize("packs", [(), (SHIPPED["baseline"],)], ids=["nothing", "baseline"])
def test_without_rules_in_force_the_page_says_so_and_asks_for_nothing(packs: tuple[Pack, ...]) -> None:
    """No address to serve at, no list of what to send, no promise of an answer."""
    page, profile = both(packs)
    assert "No country's rules are in force here." in page.text
    assert "Please send nothing." in page.text
    assert "papers@chat.example" not in page.text
    assert "+1 555" not in page.text
    assert profile["packs"] == profile["every_paper"] == profile["answers"] == profile["emergencies"] == []
    assert profile["serve_at"] is None
    assert profile["emergency_at"] is None
    assert "No passwords and no keys." in page.text
    assert "must show" not in page.text


def test_a_page_with_rules_says_what_it_is_not() -> None:
    """No advice, no review, nothing sure that is not."""
    assert "Nothing here is legal advice." in PAGE.text
    assert PAGE.text.count("No lawyer has reviewed it for us.") == len(PROFILE["packs"])
    assert PAGE.text.count("This pack is not legal advice.") == len(PROFILE["packs"])


HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=y>\u202eright\u2028{{ 7*7 }}"
CLEANED = "<script>alert(1)</script>\"'><img src=x onerror=y>\ufffdright\ufffd{{ 7*7 }}"


def test_hostile_texts_of_a_pack_stay_text_on_the_page_and_in_the_profile() -> None:
    """Markup is shown and not run, direction marks and line ends are made visible, nothing is evaluated."""
    pack = harbour()[0]
    spoiled = dataclasses.replace(
        pack,
        title=HOSTILE,
        jurisdiction=HOSTILE,
        status=HOSTILE,
        reviewed_by=HOSTILE,
        version=HOSTILE,
        rules=tuple(
            dataclasses.replace(
                each, text=HOSTILE, citation=dataclasses.replace(each.citation, label=HOSTILE)
            )
            for each in pack.rules
        ),
        questions=tuple(dataclasses.replace(each, text=HOSTILE) for each in pack.questions),
        sources=tuple(
            dataclasses.replace(each, title=HOSTILE, address=HOSTILE, not_read=HOSTILE)
            for each in pack.sources
        ),
        instruments=tuple(
            dataclasses.replace(
                each,
                name=HOSTILE,
                code=HOSTILE,
                elements=tuple(dataclasses.replace(one, meaning=HOSTILE) for one in each.elements),
            )
            for each in pack.instruments
        ),
        nondisclosure=tuple(dataclasses.replace(each, requires=HOSTILE) for each in pack.nondisclosure),
    )
    site = render_public_site(facts((spoiled,)))
    page, profile = Page(site["serve.html"]), json.loads(site[WELL_KNOWN])
    assert not {"script", "img"} & {tag for tag, _ in page.tags}
    assert not [name for _, given in page.tags for name in given if name.startswith("on")]
    assert CLEANED in page.text
    assert CLEANED in {text for _, text in texts(profile)}
    for written in (site["serve.html"], site[WELL_KNOWN]):
        assert "\u202e" not in written.decode()
        assert "\u2028" not in written.decode()
    anchors = [given["id"] or "" for _, given in page.tags if "id" in given]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+", each) for each in anchors)


def test_a_pack_with_a_gap_is_an_error_and_not_a_silent_hole() -> None:
    """An instrument whose rule is not there is never shown without it."""
    pack = harbour()[0]
    gapped = dataclasses.replace(pack, rules=tuple(each for each in pack.rules if each.id != "ra.court"))
    with pytest.raises(BrokenError, match=r"ra\.court"):
        intake_profile(facts((gapped,)))


# ------------------------------------------------------------------------------------------------ for readers


def test_the_page_can_be_read_aloud() -> None:
    """A language, headings in order, a name for each heading's section, heads with scope in each table."""
    levels = [int(tag[1]) for tag, _ in PAGE.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    assert ("html", {"lang": "en"}) in PAGE.tags
    heads = [given for tag, given in PAGE.tags if tag == "th"]
    assert heads
    assert all(given.get("scope") == "col" for given in heads)
    tables = sum(tag == "table" for tag, _ in PAGE.tags)
    assert tables == sum(tag == "thead" for tag, _ in PAGE.tags)
    ids = [given["id"] for _, given in PAGE.tags if "id" in given]
    assert len(set(ids)) == len(ids)
    labels = [given["aria-labelledby"] for _, given in PAGE.tags if "aria-labelledby" in given]
    assert labels
    assert set(labels) <= set(ids)


def test_the_table_of_contents_leads_to_every_paper() -> None:
    """Each link into the page has its place, and each paper its link."""
    ids = {given["id"] for _, given in PAGE.tags if "id" in given}
    inside = {
        (given["href"] or "")[1:]
        for tag, given in PAGE.tags
        if tag == "a" and (given["href"] or "").startswith("#")
    }
    assert inside <= ids
    assert {paper["section"] for _, paper in papers(PROFILE)} <= inside


CHROMIUM = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-quic", "--hide-scrollbars",
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize("width", [390, 1200])
def test_a_browser_shows_the_page_without_scrolling_sideways(width: int, tmp_path: pathlib.Path) -> None:
    """Nothing of the page is wider than the window of a phone or of a desk; the picture has its style."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.fail("chromium is missing: python3 tools/setup.py debian")
    for path, content in render_public_site(facts(OF_HARBOUR)).items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(content)
    # Chromium has no window as narrow as a phone, so the page stands in a frame; the frame's page measures it.
    (tmp_path / "frame.html").write_text(
        f'<!doctype html><body style="margin:0"><iframe id="page" src="serve.html" width="{width}" height="3000" '
        'style="border:0"></iframe><script>addEventListener("load", () => { const inner = '
        'document.getElementById("page").contentDocument; document.body.dataset.width = '
        "inner.documentElement.scrollWidth; document.body.dataset.wide = [...inner.querySelectorAll('main *')]"
        f".filter(each => each.getBoundingClientRect().right > {width} + 1).map(each => each.tagName); }})</script>",
        encoding="utf-8",
    )
    words = [
        chromium, *CHROMIUM, "--allow-file-access-from-files", f"--user-data-dir={tmp_path / 'profile'}",
        f"--window-size={max(width, 500)},3000",
    ]  # fmt: skip
    address = (tmp_path / "frame.html").as_uri()
    dumped = subprocess.run(
        [*words, "--dump-dom", address], capture_output=True, text=True, check=False, timeout=120
    )
    assert f'data-width="{width}"' in dumped.stdout
    assert 'data-wide=""' in dumped.stdout
    shot = tmp_path / f"serve-{width}.png"
    subprocess.run([*words, f"--screenshot={shot}", address], capture_output=True, check=False, timeout=120)
    assert shot.stat().st_size > 50_000, "a page without its style is a much smaller picture"

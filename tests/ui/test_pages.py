"""Pages: no script, no inline style, nothing from elsewhere, every promise and warning in place."""

import dataclasses
import datetime as dt
import itertools
import pathlib
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import pytest

from dueprocess.errors import MalformedError
from dueprocess.library.packs import shipped_packs
from dueprocess.notice import Sender
from dueprocess.report import RegisterRow, build_register, build_report, row_commitment
from dueprocess.ui import (
    LIFE,
    LogHead,
    PublicFacts,
    ReportLink,
    Story,
    StoryAttack,
    StoryCase,
    StoryCommand,
    StoryFigure,
    StoryFile,
    StoryPaper,
    StoryStep,
    life_of_a_demand,
    render_public_site,
    render_report,
    render_story,
    stylesheet,
)

NOON = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
LOG = LogHead(
    "chat.example/dueprocess/1",
    105120,
    "cm9vdA==",
    NOON,
    "chat.example/dueprocess/1+0a+QQ==",
    "log/",
    "policy.txt",
)
FACTS = PublicFacts(
    origin="chat.example/dueprocess/1",
    operator=Sender("Chat at Home", "privacy@chat.example", "1 Harbour Street, Exampletown"),
    about="A small chat server.",
    country="US",
    serve_at="privacy@chat.example",
    languages=("en",),
    on=dt.date(2026, 11, 22),
    packs=tuple(each for each in shipped_packs().values() if each.id in ("baseline", "us.sca")),
    emergency_at="+1 555 0100",
    log=LOG,
    reports=(ReportLink("2026H2", "report/index.html"),),
)
ROW = RegisterRow(
    "2026H2", "US", "us", "d_order", "18 USC 2703(d)", "court", "disclosure",
    False, ("subscriber",), "1", "complied", True, "told_before", False,
)  # fmt: skip
STORY = Story(
    title="One demand, from paper to proof",
    summary=("A paper asked for too much.", "It got less."),
    clock_note="Simulated, from 2 November 2026.",
    cases=(
        StoryCase(
            "Case 1",
            "An order under 18 USC 2703(d).",
            (StoryStep("narrow", "Ana (intake)", NOON, "Content is cut.", "no warrant", "18 USC 2703(a)"),),
        ),
    ),
    attacks=(
        StoryAttack(
            "Self-approval", "Ana approves her own proposal.", "Two people are needed.", "same-person"
        ),
    ),
    files=(StoryFile("receipt.json", "the receipt"),),
    commands=(StoryCommand("dueprocess verify receipt.json", "The receipt fits."),),
    figures=(StoryFigure("0", "messages handed over"),),
    papers=(StoryPaper("nsl.pdf", ("the date",), (), ("name",), ("content",)),),
    papers_note="Letters that were really sent.",
)
HOSTILE = '<script>alert(1)</script>"><img src=x onerror=y>'


class Page(HTMLParser):
    """Collects tags, attributes and visible text."""

    def __init__(self, html: str | bytes) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.words: list[str] = []
        self.feed(html.decode() if isinstance(html, bytes) else html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def report_page(count: int) -> str:
    entries = [(ROW, row_commitment(ROW, number.to_bytes(32))) for number in range(count)]
    register = build_register(entries, period="2026H2")
    return render_report(build_report(register), register, operator="Chat at Home")


def every_page() -> dict[str, str]:
    site = {path: page.decode() for path, page in render_public_site(FACTS).items() if path.endswith(".html")}
    return site | {"story": render_story(STORY), "report": report_page(40), "quiet report": report_page(3)}


PAGES = every_page()


@pytest.mark.parametrize("name", PAGES)
def test_pages_obey_the_strictest_content_policy(name: str) -> None:
    """No script, no inline style, no handler, no frame, no form; links stay on the site."""
    page = Page(PAGES[name])
    assert not {"script", "style", "iframe", "form", "object", "embed", "base"} & set(page.tags)
    names = {attribute for attribute, _ in page.attributes}
    assert "style" not in names
    assert not any(attribute.startswith("on") for attribute in names)
    links = [value or "" for attribute, value in page.attributes if attribute in ("href", "src")]
    assert not any(":" in link or link.startswith("//") for link in links)
    assert "style.css" in links


@pytest.mark.parametrize("name", PAGES)
def test_pages_have_the_bones_that_a_screen_reader_needs(name: str) -> None:
    """Language, one h1, one main, a title, a skip link, unique ids, headings without a gap."""
    page = Page(PAGES[name])
    assert ("lang", "en") in page.attributes
    assert page.tags.count("h1") == page.tags.count("main") == 1
    assert ("href", "#main") in page.attributes
    ids = [value for attribute, value in page.attributes if attribute == "id"]
    assert len(set(ids)) == len(ids)
    levels = [int(tag[1]) for tag in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_the_site_is_five_pages_a_style_sheet_and_the_profile() -> None:
    """Every page is reachable from every page, the profile from the page for authorities."""
    site = render_public_site(FACTS)
    pages = {"index.html", "serve.html", "log.html", "verify.html", "reports.html"}
    assert set(site) == pages | {"style.css", ".well-known/dueprocess.json"}
    assert ("href", ".well-known/dueprocess.json") in Page(site["serve.html"]).attributes
    for path in pages:
        assert pages <= {value for attribute, value in Page(site[path]).attributes if attribute == "href"}


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("index.html", "A notice does not mean that you are accused of anything."),
        ("index.html", "Two people decide before anything is handed over."),
        ("index.html", "No search across people: no area, no keyword, no list of everyone"),
        ("index.html", "No passwords and no keys."),
        ("serve.html", "Mail proves nothing by itself"),
        ("serve.html", "call back on the number that we find there"),
        ("serve.html", "the exact account, by its name here"),
        ("serve.html", "Court order under 2703(d)"),
        ("serve.html", "Two people decide before anything is handed over"),
        ("serve.html", "Nothing here is legal advice."),
        ("serve.html", "No passwords and no keys."),
        ("serve.html", "a request marked urgent without a call-back is refused"),
        ("serve.html", "+1 555 0100"),
        ("log.html", "chat.example/dueprocess/1"),
        ("log.html", "105,120"),
        ("log.html", "22 November 2026, 12:00 UTC"),
        ("log.html", "none (unwitnessed)"),
        ("log.html", "No independent timekeeper confirms this log yet."),
        ("log.html", "not that nothing happened outside it"),
        ("verify.html", "dueprocess verify receipt.json --policy policy.txt"),
        ("verify.html", "that the authority's paper is genuine or lawful"),
        ("verify.html", "Do not send it to a web site to have it checked"),
        ("reports.html", "A number below ten is never published, zero included."),
        ("reports.html", "2026H2"),
    ],
)
def test_every_promise_and_warning_is_on_its_page(path: str, sentence: str) -> None:
    """The sentences that must not get lost in a redesign."""
    assert sentence in Page(render_public_site(FACTS)[path]).text


def test_a_witnessed_log_names_its_timekeepers() -> None:
    """The warning goes away only then."""
    log = dataclasses.replace(LOG, witnesses=("w1.example", "w2.example"))
    text = Page(render_public_site(dataclasses.replace(FACTS, log=log))["log.html"]).text
    assert "w1.example, w2.example" in text
    assert "unwitnessed" not in text.lower()


def test_a_site_before_its_first_checkpoint_says_so() -> None:
    """No empty table, no invented head, no emergency number that nobody answers."""
    site = render_public_site(dataclasses.replace(FACTS, log=None, reports=(), emergency_at=""))
    assert "The log has not begun." in Page(site["log.html"]).text
    assert "No report has been published yet." in Page(site["reports.html"]).text
    assert "+1 555" not in Page(site["serve.html"]).text


def test_hostile_values_stay_text_on_every_page() -> None:
    """Markup in a name, an origin or a reason is shown, not run."""
    facts = dataclasses.replace(
        FACTS,
        operator=Sender(HOSTILE, HOSTILE, HOSTILE),
        about=HOSTILE,
        country=HOSTILE,
        serve_at=HOSTILE,
        languages=(HOSTILE,),
        log=dataclasses.replace(LOG, origin=HOSTILE, root=HOSTILE, vkey=HOSTILE, witnesses=(HOSTILE,)),
        reports=(ReportLink(HOSTILE, "r.html"),),
    )
    step = StoryStep(HOSTILE, HOSTILE, NOON, HOSTILE, HOSTILE, HOSTILE)
    story = dataclasses.replace(
        STORY,
        title=HOSTILE,
        cases=(StoryCase(HOSTILE, HOSTILE, (step,)),),
        attacks=(StoryAttack(HOSTILE, HOSTILE, HOSTILE, HOSTILE),),
        commands=(StoryCommand(HOSTILE, HOSTILE),),
        papers=(StoryPaper(HOSTILE, (HOSTILE,), (HOSTILE,), (HOSTILE,), (HOSTILE,)),),
    )
    register = build_register([], period="2026H2")
    pages = [page for path, page in render_public_site(facts).items() if path.endswith(".html")]
    pages += [render_story(story).encode()]
    pages += [render_report(build_report(register), register, operator=HOSTILE).encode()]
    for text in pages:
        page = Page(text)
        assert not {"script", "img"} & set(page.tags)
        assert HOSTILE in page.text


@pytest.mark.parametrize(
    "path", ["javascript:alert(1)", "data:text/html,x", "//evil.example/x", 'a" onclick="x', ""]
)
def test_a_page_links_to_files_and_web_addresses_only(path: str) -> None:
    """A path that would run something is refused, not linked."""
    with pytest.raises(MalformedError):
        render_story(dataclasses.replace(STORY, files=(StoryFile(path, "x"),)))


def test_a_quiet_report_has_one_honest_sentence_and_no_chart() -> None:
    """Fewer than ten: no number, no bar, and the same page for three requests and for none."""
    page = Page(report_page(3))
    assert "There were fewer than 10 requests in this half-year. There may have been none." in page.text
    assert "svg" not in page.tags
    assert report_page(3) == report_page(0)


def test_a_report_with_numbers_shows_bars_and_how_to_recount() -> None:
    """Numbers of the page are those of the report; withheld ones have no bar."""
    page = Page(report_page(40))
    assert "40 requests" in page.text
    assert page.tags.count("svg") == 3
    assert ("aria-label", "What was asked. disclosure: 30. other: 10. ") in page.attributes
    assert "dueprocess verify report.json" in page.text
    assert 'Each number means "at least".' in page.text


def test_a_report_names_a_band_and_a_correction_only_when_there_is_one() -> None:
    """Silence about national-security process is said to be silence."""
    register = build_register([], period="2026H2", with_band=True)
    fixed = dataclasses.replace(register, corrects=register.sha256)
    text = Page(render_report(build_report(fixed), fixed, operator="Chat at Home")).text
    assert "0-249" in text
    assert "Replaces " + register.sha256 in text
    assert "We do not say whether there were any." in Page(report_page(0)).text


def test_no_page_for_the_public_names_a_person() -> None:
    """The public pages have no field for an account, an officer, a docket number or a day of a request."""
    text = " ".join(PAGES[name] for name in PAGES if name != "story")
    for word in ("Eva", "@eva", "Ana", "26-mc"):
        assert word not in text
    fields = {field.name for field in dataclasses.fields(PublicFacts)} | set(ROW.values())
    assert not fields & {"account", "target", "subject", "officer", "docket", "case_id", "received_on"}


def test_the_story_tells_steps_attacks_papers_files_and_commands() -> None:
    """What happened, by whom, why, by which rule; and how to check it."""
    text = Page(render_story(STORY)).text
    for words in (
        "The clock: Simulated, from 2 November 2026.",
        "narrow Ana (intake) 22 November 2026, 12:00 UTC",
        "Why: no warrant",
        "Source: 18 USC 2703(a)",
        "Attacks that failed",
        "Stopped: Two people are needed. same-person",
        "Could not be read: nothing",
        "May not obtain: content",
        "dueprocess verify receipt.json",
        "0 messages handed over",
    ):
        assert words in text


def test_an_attack_that_was_not_stopped_is_not_hidden() -> None:
    """The page would rather embarrass us than lie."""
    loose = dataclasses.replace(STORY.attacks[0], stopped=False)
    text = Page(render_story(dataclasses.replace(STORY, attacks=(loose,)))).text
    assert "NOT STOPPED:" in text
    assert "Attacks that failed" not in text


def test_a_story_without_papers_and_attacks_has_no_empty_parts() -> None:
    """A part that did not happen has no heading."""
    text = Page(render_story(dataclasses.replace(STORY, papers=(), attacks=()))).text
    assert "Real papers" not in text
    assert "Attacks" not in text


def test_the_picture_in_the_documents_is_the_one_of_the_pages() -> None:
    """docs/life-of-a-demand.svg is what the program draws: twelve verbs, no style, no script, no link."""
    drawn = life_of_a_demand()
    file = pathlib.Path(__file__).parents[2] / "docs" / "life-of-a-demand.svg"
    assert file.read_text(encoding="utf-8") == drawn
    tree = ET.fromstring(drawn)
    names = {element.tag.rpartition("}")[2] for element in tree.iter()}
    assert not names & {"style", "script", "a", "image", "foreignObject", "use"}
    words = " ".join(tree.itertext())
    assert [verb.name for verb in LIFE] == [
        "receive", "authenticate", "read", "assess", "narrow", "decide",
        "seal", "produce", "deliver", "notify", "challenge", "close",
    ]  # fmt: skip
    assert all(f"{number}  {verb.name}" in words.replace("\xa0", " ") for number, verb in enumerate(LIFE, 1))


def luminance(colour: str) -> float:
    """Relative luminance of #rrggbb. Source: WCAG 2.2, "relative luminance"."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (
        each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


THEMES = [
    dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block))
    for block in re.findall(r":root \{(.*?)\}", stylesheet().decode(), re.DOTALL)[:2]
]


@pytest.mark.parametrize("theme", THEMES, ids=["light", "dark"])
@pytest.mark.parametrize("ink", ["ink", "soft", "link", "good", "stop", "warn"])
def test_text_has_the_contrast_of_wcag_aa(theme: dict[str, str], ink: str) -> None:
    """4.5 to 1 for every text colour on every ground that it stands on, light and dark."""
    for ground in ("ground", "raised", "sunken", "warn-ground", "note-ground"):
        assert contrast(theme[ink], theme[ground]) >= 4.5, (ink, ground)


@pytest.mark.parametrize("theme", THEMES, ids=["light", "dark"])
def test_bars_have_the_contrast_of_graphics(theme: dict[str, str]) -> None:
    """3 to 1 against the page and against their rail (WCAG 2.2, 1.4.11)."""
    assert contrast(theme["bar"], theme["ground"]) >= 3
    assert contrast(theme["bar"], theme["sunken"]) >= 3


def test_the_style_sheet_loads_nothing_and_prints() -> None:
    """No import, no address, no font from elsewhere; both themes and paper are there."""
    text = stylesheet().decode()
    assert not re.search(r"@import|url\(|https?:|@font-face", text)
    assert "@media print" in text
    assert "prefers-color-scheme: dark" in text
    assert text.count("{") == text.count("}")

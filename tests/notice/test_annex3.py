"""The answer form of Annex III: every field is there, only the ticked boxes are ticked, half a form is not sent."""

import dataclasses
import datetime as dt
from typing import Any

import pytest

from dueprocess.errors import MalformedError, RefusedError
from dueprocess.notice import REASONS, Box, Certificate, Office, Point, ReplyFacts, as_pdf, write_letter
from notice.replies import CONTENT, FACTS, LANGUAGES, LAW, THIRD_COUNTRY, Page, printed, squeezed

SECTIONS = {"en": "Section", "de": "Abschnitt", "fr": "Section"}
FILLED = (
    "LAW-TITLE", "LAW-TEXT", "INTEREST-A", "INTEREST-C", "WHY-LAW", "WHY-CONFLICT", "LINK", "PENALTY", "MORE",
    "VALIDATING", "VAL-1", "ENFORCING", "ENF-1", "26-mc-7",
)  # fmt: skip


def form(facts: ReplyFacts, language: str = "en") -> list[tuple[str, bool]]:
    """Each box with whether it is ticked."""
    blocks = write_letter("annex3", facts, language=language).sheet.blocks
    return [(block.text, block.ticked) for block in blocks if block.kind == "box"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_form_has_the_sections_of_the_annex_in_their_order(language: str) -> None:
    """A to H, in text, page and PDF."""
    letter = write_letter("annex3", THIRD_COUNTRY, language=language)
    headings = [block.text for block in letter.sheet.blocks if block.kind == "heading"]
    assert [each.removeprefix(SECTIONS[language]).strip()[0] for each in headings] == list("ABCDEFGH")
    words = printed(as_pdf(letter))
    for heading in headings:
        assert squeezed(heading) in words
        assert squeezed(heading) in squeezed(Page(letter.html).text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_form_has_the_fields_of_the_annex(language: str) -> None:
    """Seventeen boxes, twenty-six fields and a place to sign, whether they apply or not."""
    for facts in (FACTS, THIRD_COUNTRY):
        kinds = [block.kind for block in write_letter("annex3", facts, language=language).sheet.blocks]
        assert kinds.count("box") == 2 + 10 + 3 + 2
        assert kinds.count("fact") == 8 + 2 + 7 + 9
        assert kinds.count("signature") == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_was_given_stands_in_the_form(language: str) -> None:
    """Every value of the facts is printed."""
    letter = write_letter("annex3", THIRD_COUNTRY, language=language)
    for shown in (letter.text, letter.html, printed(as_pdf(letter))):
        assert all(squeezed(value) in squeezed(shown) for value in FILLED)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("reason", REASONS)
def test_only_the_ticked_reason_is_ticked(reason: str, language: str) -> None:
    """The tenth box of the form is the tenth code, and no other box changes."""
    facts = dataclasses.replace(
        FACTS,
        reasons=tuple(Box(code, code, ticked=code == reason) for code in REASONS),
        points=(Point("cut", "Explained.", "Article 10", reason, "more"),),
        third_country=LAW if reason == "third_country" else None,
    )
    ticks = [ticked for _, ticked in form(facts, language)]
    assert ticks[:2] == [True, False]
    assert ticks[2:12] == [code == reason for code in REASONS]
    assert ticks[12:15] == ([True, False, True] if reason == "third_country" else [False] * 3)
    assert ticks[15:] == [True, False]


WORDS = {
    "incomplete": "it is incomplete",
    "manifest_error": "manifest errors",
    "insufficient_information": "sufficient information",
    "not_stored": "data stored by or on behalf of the service provider",
    "impossible": "de facto impossibility",
    "not_validated": "issued or validated by an issuing authority as specified in Article 4",
    "offence": "offence not covered by Article 5(4)",
    "service": "the service is not covered",
    "immunity": "immunities or privileges",
    "third_country": "applicable law of a third country",
}


@pytest.mark.parametrize("reason", REASONS)
def test_a_code_ticks_the_box_with_its_words(reason: str) -> None:
    """The words beside the tick are the law's words for this reason."""
    facts = dataclasses.replace(
        FACTS,
        reasons=(Box(reason, "", ticked=True),),
        points=(Point("cut", "Explained.", "Article 10", reason, "more"),),
        third_country=LAW if reason == "third_country" else None,
    )
    ticked = [words for words, each in form(facts)[2:12] if each]
    assert len(ticked) == 1
    assert WORDS[reason] in ticked[0]


def test_every_set_of_reasons_is_ticked_as_given() -> None:
    """All sets of boxes for an EPOC-PR and for an EPOC, in the text that is printed."""
    for n in range(1, 2 ** len(REASONS)):
        chosen = {code for i, code in enumerate(REASONS) if n >> i & 1}
        if n % 37 and len(chosen) > 1:
            continue
        facts = dataclasses.replace(
            FACTS,
            reasons=tuple(Box(code, "", ticked=True) for code in chosen),
            points=(Point("missing", "Explained.", "Article 10", "", "more"),),
            third_country=LAW if "third_country" in chosen else None,
        )
        text = write_letter("annex3", facts, language="en").text
        part = text[text.index("Section D") : text.index("Section E:")]
        assert part.count("[x]") == len(chosen)
        assert part.count("[ ]") == 10 - len(chosen)


def test_the_boxes_are_printed_as_ticked() -> None:
    """What is printed has the ticks of the facts, not fewer and not more."""
    words = printed(as_pdf(write_letter("annex3", THIRD_COUNTRY, language="de")))
    assert words.count("☒") == 1 + 1 + 2 + 1
    assert words.count("☐") == 17 - 5
    assert "☒werdennichtgesichert" in words
    assert "☐werdengesichert" in words


def test_an_epoc_pr_ticks_its_own_box() -> None:
    """Section A."""
    facts = dataclasses.replace(FACTS, certificate=Certificate("EPOC-PR", dt.date(2026, 11, 18)))
    assert [ticked for _, ticked in form(facts)][:2] == [False, True]


def test_findings_are_explained_and_what_is_needed_is_asked_once() -> None:
    """Section D (b) holds what bars or cuts, section F what is missing."""
    text = write_letter("annex3", FACTS, language="en").text
    explained = text[text.index("(b)") : text.index("Section E:")]
    asked = text[text.index("Section F") : text.index("Section G")]
    assert "This paper does not reach content. (source: 18 USC 2703(b))" in explained
    assert "Read the annex" not in text
    assert asked.count("the signature of the judge") == 1
    without = dataclasses.replace(THIRD_COUNTRY, points=THIRD_COUNTRY.points)
    text = write_letter("annex3", without, language="en").text
    assert "\n–\n" in text[text.index("Section F") : text.index("Section G")]


def test_a_missing_thing_without_short_words_is_asked_for_in_full() -> None:
    """Section F never stays empty where something is missing."""
    facts = dataclasses.replace(
        FACTS, points=(Point("missing", "No judge validated it.", "Article 4", "incomplete"),)
    )
    text = write_letter("annex3", facts, language="en").text
    assert "No judge validated it." in text[text.index("Section F") : text.index("Section G")]


def test_what_a_person_wrote_is_not_called_english() -> None:
    """Only the sentences of a pack are quoted as English in a letter of another language."""
    words = "Das Geburtsdatum fehlt auf dem Zertifikat."
    mine = Point("note", words, "Article 10", "incomplete", words, own=True)
    text = write_letter("annex3", dataclasses.replace(FACTS, points=(mine,)), language="de").text
    theirs = dataclasses.replace(FACTS, points=(dataclasses.replace(mine, own=False),))
    assert "englisch" not in text.lower()
    assert "englisch" in write_letter("annex3", theirs, language="de").text.lower()


@pytest.mark.parametrize(
    "changes",
    [
        {"reasons": (Box("charter", "A breach of the Charter.", ticked=True),)},
        {"reasons": (Box("fundamental_rights", "...", ticked=True),)},
        {"reasons": (Box("other", "A manifest breach of the Charter of Fundamental Rights", ticked=True),)},
        {"points": (CONTENT, Point("cut", "It breaches Article 11 of the Charter."))},
        {"points": (CONTENT, Point("cut", "No.", "Regulation (EU) 2023/1543, Article 16(4)(g)"))},
        {"points": (CONTENT, Point("cut", "No.", "Article 16(5), point (f)"))},
        {"points": (CONTENT, Point("cut", "Verstoß gegen die Charta."))},
    ],
)
def test_a_breach_of_the_charter_is_no_ground_of_the_addressee(changes: dict[str, Any]) -> None:
    """Article 16(4)(g) and (5)(f) belong to the enforcing authority."""
    with pytest.raises(RefusedError) as caught:
        write_letter("annex3", dataclasses.replace(FACTS, **changes), language="en")
    assert caught.value.code == "charter-ground"
    assert "enforcing authority" in caught.value.why
    assert "Article 16" in caught.value.source


def test_a_note_about_the_charter_is_no_ground_and_is_not_sent() -> None:
    """The pack tells the operator that this ground does not exist; that is not a ground."""
    note = Point("note", "A breach of the Charter is not for the addressee.", "Article 16(4)(g)")
    facts = dataclasses.replace(FACTS, points=(*FACTS.points, note))
    assert "Charter" not in write_letter("annex3", facts, language="en").text


def test_a_way_to_object_is_no_reason_even_where_it_names_a_box() -> None:
    """The pack tells the operator what could be ticked; only a finding about this paper ticks it."""
    way = Point("objection", "Immunities may be raised.", "Article 16(4)(f)", "immunity")
    text = write_letter("annex3", dataclasses.replace(FACTS, points=(*FACTS.points, way)), language="en").text
    assert "may be raised" not in text


def test_a_reason_that_the_form_does_not_have_is_refused() -> None:
    """Also unticked: the list of boxes is the law's."""
    with pytest.raises(RefusedError, match="no box 'too-much-work'") as caught:
        write_letter(
            "annex3",
            dataclasses.replace(FACTS, reasons=(*FACTS.reasons, Box("too-much-work", "", ticked=False))),
            language="en",
        )
    assert "third_country" in caught.value.do


def office(**changes: str) -> Office:
    assert FACTS.office is not None
    return dataclasses.replace(FACTS.office, **changes)


CASES: list[tuple[ReplyFacts, dict[str, Any], str]] = [
    (FACTS, {"certificate": None}, "section A"),
    (FACTS, {"reference": ""}, "section B"),
    (FACTS, {"reasons": ()}, "no reason is ticked"),
    (FACTS, {"points": FACTS.points[2:]}, "no finding explains"),
    (FACTS, {"points": (Point("cut", "No.", "", "offence"),)}, "not ticked: offence"),
    (FACTS, {"points": (CONTENT,)}, "section F"),
    (FACTS, {"preserved": None}, "section G"),
    (FACTS, {"office": None}, "section H"),
    (FACTS, {"office": office(person="")}, "section H"),
    (FACTS, {"office": office(email="")}, "section H"),
    (FACTS, {"office": office(authorised="")}, "section H"),
    (FACTS, {"third_country": LAW}, "though section E is filled"),
    (THIRD_COUNTRY, {"third_country": None}, "section E: the law of the third country"),
    (THIRD_COUNTRY, {"third_country": dataclasses.replace(LAW, title="")}, "title and text"),
    (THIRD_COUNTRY, {"third_country": dataclasses.replace(LAW, provisions="")}, "title and text"),
    (THIRD_COUNTRY, {"third_country": dataclasses.replace(LAW, interests=())}, "the interest"),
    (THIRD_COUNTRY, {"third_country": dataclasses.replace(LAW, interests=(("other", ""),))}, "the interest"),
    (THIRD_COUNTRY, {"third_country": dataclasses.replace(LAW, why_conflict="")}, "why there is a conflict"),
    (THIRD_COUNTRY, {"third_country": dataclasses.replace(LAW, link="")}, "the link"),
    (THIRD_COUNTRY, {"third_country": dataclasses.replace(LAW, consequences="")}, "the consequences"),
    (THIRD_COUNTRY, {"certificate": Certificate("EPOC-PR", dt.date(2026, 11, 18))}, "for an EPOC-PR"),
]


@pytest.mark.parametrize(("facts", "changes", "lacks"), CASES)
def test_a_form_is_not_written_from_half_the_facts(
    facts: ReplyFacts, changes: dict[str, Any], lacks: str
) -> None:
    """The error names the section and what it lacks."""
    with pytest.raises(MalformedError) as caught:
        write_letter("annex3", dataclasses.replace(facts, **changes), language="en")
    assert caught.value.code == "incomplete-form"
    assert lacks in caught.value.why


def test_all_that_is_lacking_is_said_at_once() -> None:
    """Nobody fills a form one error at a time."""
    empty = dataclasses.replace(FACTS, certificate=None, reasons=(), points=(), preserved=None, office=None)
    with pytest.raises(MalformedError) as caught:
        write_letter("annex3", empty, language="en")
    assert all(f"section {each}" in caught.value.why for each in "ADGH")

"""Letters to authorities: each says what it must, in each language, and nothing that it may not."""

import dataclasses
import re

import pytest

from dueprocess.law.pack import LetterCode
from dueprocess.notice import LETTERS, Point, ReplyFacts, Route, write_letter
from notice.replies import (
    CONTENT,
    EVERY,
    FACTS,
    INFORMAL,
    LANGUAGES,
    SENDER,
    UNKNOWN_ROUTE,
    both,
    every,
    one_line,
    written,
)

NEITHER = {
    "en": "This letter neither confirms nor denies that an account or any data exist.",
    "de": "Mit diesem Schreiben bestätigen wir weder, dass es ein Konto oder Daten gibt, noch verneinen wir es.",
    "fr": "Par la présente, nous ne confirmons ni ne nions l’existence d’un compte ou de données.",
}
FORMS = ("annex3", "motion_checklist")
"""Not letters in the narrow sense: the law's own form, and a list for counsel."""


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", [code for code in LETTERS if code not in FORMS])
def test_every_letter_keeps_to_itself_whether_an_account_exists(code: LetterCode, language: str) -> None:
    """The sentence stands in each letter, in text and HTML."""
    for shown in both(write_letter(code, FACTS, language=language)):
        assert NEITHER[language] in shown


@pytest.mark.parametrize(("code", "facts"), EVERY)
def test_the_languages_have_the_same_parts(code: LetterCode, facts: ReplyFacts) -> None:
    """Same headings, lists, boxes and ticks in the same order: no language says more than another."""

    def parts(language: str) -> list[tuple[str, bool]]:
        blocks = write_letter(code, facts, language=language).sheet.blocks
        lead = {
            "Wortlaut unserer Prüfung, auf Englisch:",
            "Texte original de notre examen, en anglais\u00a0:",
        }
        return [
            ("item" if block.kind == "quote" else block.kind, block.ticked)
            for block in blocks
            if block.text not in lead
        ]

    assert parts("de") == parts("en")
    assert parts("fr") == parts("en")


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_letter_promises(language: str) -> None:
    """Nobody writes that something will be done."""
    promise = {
        "en": r"\bwe('ll| will| shall)\b|\bwe promise",
        "de": r"\b(wir (werden|versprechen|sichern .* zu)|werden wir)\b",
        "fr": r"\bnous (\w+erons|\w+irons|promettons|ferons|aurons|serons)\b",
    }
    for letter in every(language):
        assert not re.search(promise[language], one_line(letter.text), re.IGNORECASE), letter.subject


def test_possible_ways_to_contest_are_told_to_counsel_and_not_to_the_authority() -> None:
    """A finding of the kind `objection` or `note` is for the operator."""
    points = (CONTENT, Point("objection", "A motion to quash is open.", "18 USC 2703(d)"), FACTS.points[2])
    for code in ("refusal", "objection", "redirect"):
        shown = written(code, points=points)
        assert "This paper does not reach content." in shown
        assert "A motion to quash" not in shown
        assert "Read the annex" not in shown
    assert "A motion to quash is open." in written("motion_checklist", points=points)


def test_what_is_missing_is_named_in_short_words_once() -> None:
    """A sentence that already holds the words is not repeated."""
    point = Point("missing", "A judge signs.", "18 USC 2703(a)", missing="the signature")
    assert "* the signature: A judge signs. (source: 18 USC 2703(a))" in written(
        "deficiency", points=(point,)
    )
    assert written("deficiency").count("the signature of the judge") == 1


def test_an_informal_request_is_not_told_about_treaties_or_the_gdpr() -> None:
    """A route of mutual legal assistance is for other States."""
    for shown in both(write_letter("redirect", INFORMAL, language="en")):
        assert "2016/679" not in shown
        assert "mutual legal assistance" not in shown
        assert "names the law on which it rests" in shown


def test_article_48_is_cited_only_by_those_whom_it_binds() -> None:
    """A host outside the Union does not claim a duty that it does not have."""
    assert "2016/679" not in written("redirect", route=UNKNOWN_ROUTE.route)
    assert "2016/679" not in written("redirect", route=Route(foreign=False, gdpr=True))


def test_the_policy_on_long_orders_is_cited_only_for_federal_orders() -> None:
    """It does not bind state courts."""
    assert FACTS.silence is not None
    plain = dataclasses.replace(FACTS.silence, federal=False, court="", docket="", asked=())
    shown = written("end_of_silence", silence=plain)
    assert "Department of Justice" not in shown
    assert "asked before" not in shown
    assert "Court:" not in shown


def test_the_checklist_holds_the_chosen_motions_only() -> None:
    """Counsel reads what concerns the paper."""
    shown = written("motion_checklist", topics=("reverse",), points=(), periods=())
    assert "Chatrie" in shown
    assert "2703(h)" not in shown
    assert "Quash or modify" not in shown
    assert "Time limits" not in shown


def test_the_same_facts_give_the_same_letter() -> None:
    """It has no clock and no chance."""
    assert every("de") == every("de")


def test_english_words_in_a_german_letter_are_marked_as_english() -> None:
    """A screen reader changes its voice, and the reader knows why the words are foreign."""
    letter = write_letter("refusal", FACTS, language="de")
    assert '<q lang="en">This paper does not reach content.</q>' in letter.html
    assert "Wortlaut unserer Prüfung, auf Englisch:" in letter.text
    assert "auf Englisch" not in write_letter("holding", FACTS, language="de").text


def test_the_name_of_a_paper_is_translated_where_the_catalogue_knows_it_and_else_quoted() -> None:
    """A clerk recognises the paper."""
    assert "Schriftstück: Subpoena (Vorlageanordnung)" in written("holding", "de")
    assert "Schriftstück: „Letter of marque“" in written("holding", "de", instrument="Letter of marque")
    assert "Paper: Letter of marque" in written("holding", instrument="Letter of marque")


GERMAN = """\
Chat zu Hause
Hafenweg 1, 12345 Beispielstadt
privacy@chat.example

Amtsgericht Beispielstadt
Am Markt 1
12345 Beispielstadt

22. November 2026

Ihre Anfrage ist unvollständig (Ihr Zeichen: 26-mc-7)
=====================================================

  Unser Zeichen: 2026-014
  Schriftstück: Subpoena (Vorlageanordnung)
  Eingegangen am: 20. November 2026

Sehr geehrte Damen und Herren,

Ihre Anfrage ist bei uns eingegangen. Wir können sie noch nicht
bearbeiten, weil Folgendes fehlt:

Wortlaut unserer Prüfung, auf Englisch:

  * „The paper does not show: the signature of the judge.“ (Quelle: 18
    USC 2703(a))

Bitte senden Sie ein berichtigtes Schriftstück an diese Adresse:
privacy@chat.example.

Mit diesem Schreiben bestätigen wir weder, dass es ein Konto oder Daten
gibt, noch verneinen wir es.

Dieses Schreiben sagt auch nicht, ob etwas vor der Löschung bewahrt
wird.

Wenn eine Frist nach dem Gesetz erst mit einem vollständigen
Schriftstück beginnt, hat sie noch nicht begonnen.

Mit freundlichen Grüßen

Boris Beispiel
Chat zu Hause
"""


def test_a_german_letter_reads_as_it_was_read_aloud() -> None:
    """The whole deficiency notice, as a person approved it."""
    assert write_letter("deficiency", FACTS, language="de").text == GERMAN


def test_the_contact_of_the_sender_is_the_only_address_given() -> None:
    """No other place to answer is invented."""
    for letter in every("en"):
        assert set(re.findall(r"\S+@\S+?(?=[.,;]?\s)", letter.text)) <= {SENDER.contact}

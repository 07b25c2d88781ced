"""Languages: every sentence is translated, nothing is stale, and all three say the same with the same values."""

import re
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po
from jinja2.ext import babel_extract

from dueprocess.errors import BrokenError
from dueprocess.notice import write_letter
from dueprocess.notice.catalogue import catalogue, known, languages
from notice.replies import EVERY, LANGUAGES, every, one_line

ROOM = Path(str(files("dueprocess.notice")))
PACKS = Path(__file__).parents[2] / "rulepacks"
FOREIGN = [language for language in LANGUAGES if language != "en"]
OPTIONS = {"trimmed": "true", "silent": "false", "trim_blocks": "true", "lstrip_blocks": "true"}
PLACE = re.compile(r"%\(\w+\)s|\{\w+\}")
QUOTED = re.compile(r"„[^“]*“|«[^»]*»")


def used() -> set[str]:
    """Every sentence that the templates and the code ask the catalogue for."""
    found: set[str] = set()
    for file in (*ROOM.glob("templates/*.txt"), *ROOM.glob("templates/*.html")):
        with file.open("rb") as source:
            for _, _, message, _ in babel_extract(source, ("gettext", "_"), (), OPTIONS):
                found.add(message if isinstance(message, str) else str((message or ("",))[0]))
    for file in ROOM.glob("*.py"):
        with file.open("rb") as source:
            messages = extract("python", source, keywords={"gettext": None})
            found |= {str(message) for _, message, _, _ in messages if message}
    return found


def read(language: str) -> Catalog:
    file = ROOM / "locale" / language / "LC_MESSAGES" / "letters.po"
    with file.open("rb") as source:
        return read_po(source, locale=language, abort_invalid=True)


def names_in_packs() -> set[str]:
    """Names of instruments of the shipped packs."""
    texts = [
        path.read_text("utf-8") for path in PACKS.rglob("*.toml") if not path.name.endswith(".cases.toml")
    ]
    return {each["name"] for text in texts for each in tomllib.loads(text).get("instrument", ())}


def test_the_letters_exist_in_three_languages() -> None:
    """English, which the templates speak, then the others by code."""
    assert languages() == ("en", "de", "fr")


@pytest.mark.parametrize("language", FOREIGN)
def test_every_sentence_is_translated_and_none_is_stale(language: str) -> None:
    """The catalogue holds what the templates use, names of papers from the packs, and nothing else."""
    entries = [each for each in read(language) if each.id]
    assert all(each.string and not each.fuzzy for each in entries)
    own = {str(each.id) for each in entries if "from a rule pack" not in each.auto_comments}
    assert own == used()
    from_packs = {str(each.id) for each in entries} - own
    assert from_packs <= names_in_packs(), "a pack no longer has this name: correct the catalogues"


@pytest.mark.parametrize("language", FOREIGN)
def test_translations_take_the_same_values(language: str) -> None:
    """A value that is lost, doubled or misspelt would be missing in a letter."""
    for each in read(language):
        if each.id:
            assert sorted(PLACE.findall(str(each.string))) == sorted(PLACE.findall(str(each.id))), each.id
            assert not list(each.check())


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_begins_with_a_value_or_a_mark(language: str) -> None:
    """A foreign value at the beginning of a line could otherwise begin a part of its own."""
    texts = used() if language == "en" else {str(each.string) for each in read(language) if each.id}
    in_a_list = {
        "%(text)s (source: %(source)s)",
        "%(text)s (Quelle: %(source)s)",
        "%(text)s (source\u00a0: %(source)s)",
    }
    for text in texts - in_a_list:
        assert not re.match(r"%\(|# |##|! |- |\[|= |> |_ |~ |\$ ", text), text


@pytest.mark.parametrize("language", FOREIGN)
def test_numbers_and_citations_are_the_same(language: str) -> None:
    """14 days stay 14 days, and 18 USC 3511(b)(1)(A) stays what it is."""
    months = {"janvier", "Januar"}
    for each in read(language):
        if (
            each.id
            and "from a rule pack" not in each.auto_comments
            and not months & set(str(each.string).split())
        ):
            assert sorted(re.findall(r"\d+", str(each.string))) == sorted(re.findall(r"\d+", str(each.id))), (
                each.id
            )


ENGLISH = re.compile(
    r"\b(the|and|is|are|of|this|that|with|not|your|which|has|have|been|we|it|for|please|you|our|us|give|more|from|by|who|what|when)\b"
)


@pytest.mark.parametrize("language", FOREIGN)
def test_no_letter_holds_an_english_sentence_outside_quotation_marks(language: str) -> None:
    """Neither a sentence of the templates nor common English words."""
    sentences = {text for text in used() if len(text.split()) > 3 and "%(" not in text}
    for letter in every(language):
        shown = QUOTED.sub("", one_line(letter.text))
        assert not [sentence for sentence in sentences if sentence in shown]
        assert not ENGLISH.search(shown), (letter.subject, ENGLISH.search(shown))


def test_french_sets_its_spaces_and_apostrophes() -> None:
    """A no-break space before a colon, semicolon, question mark and inside guillemets; no typewriter apostrophe."""
    for each in read("fr"):
        text = str(each.string)
        if each.id and "from a rule pack" not in each.auto_comments:
            assert not re.search(r"[^\u00a0][;?!»]|«[^\u00a0]|[^\u00a0\d]:|'", text), text
    for code, facts in EVERY:
        text = write_letter(code, facts, language="fr").text
        assert not re.search(r"[a-zé] :", text)


def test_german_uses_its_own_quotation_marks() -> None:
    """No typewriter quotation mark is in a translation."""
    for language in FOREIGN:
        assert not [each.id for each in read(language) if each.id and '"' in str(each.string)]


@pytest.mark.parametrize("language", FOREIGN)
def test_the_reader_is_addressed_formally(language: str) -> None:
    """`Sie` and `vous`, never `du` or `tu`."""
    familiar = {"de": r"\b(du|dich|dir|dein\w*|euch|euer)\b", "fr": r"\b(tu|ton|tes|toi)\b"}[language]
    for letter in every(language):
        assert not re.search(familiar, letter.text, re.IGNORECASE)


@pytest.mark.parametrize("language", FOREIGN)
def test_a_sentence_without_translation_stops_the_letter(language: str) -> None:
    """A letter is never half in one language and half in another."""
    with pytest.raises(BrokenError, match="A sentence that nobody wrote"):
        catalogue(language).gettext("A sentence that nobody wrote.")


def test_a_packs_sentence_is_translated_where_somebody_did() -> None:
    """And None says that it must be quoted."""
    assert known("de", "Search warrant") == "Durchsuchungsbeschluss (search warrant)"
    assert known("fr", "No such sentence.") is None
    assert known("en", "No such sentence.") == "No such sentence."

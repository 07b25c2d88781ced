"""Each letter says its key sentences, in each language."""

import re

import pytest

from dueprocess.law.pack import LetterCode
from dueprocess.notice import ReplyFacts, write_letter
from notice.replies import FACTS, INFORMAL, LANGUAGES, REMOVAL, UNKNOWN_ROUTE, both, one_line

SAYS: tuple[tuple[LetterCode, ReplyFacts, dict[str, tuple[str, ...]]], ...] = (
    (
        "holding",
        FACTS,
        {
            "en": ("Your request has arrived (your reference: 26-mc-7)", "it sets no date for one"),
            "de": ("Ihre Anfrage ist eingegangen (Ihr Zeichen: 26-mc-7)", "nennt auch keinen Termin dafür"),
            "fr": ("Nous avons reçu votre demande (vos références : 26-mc-7)", "ne fixe pas de date"),
        },
    ),
    (
        "deficiency",
        FACTS,
        {
            "en": ("The paper does not show: the signature of the judge. (source: 18 USC 2703(a))",),
            "de": ("„The paper does not show: the signature of the judge.“ (Quelle: 18 USC 2703(a))",),
            "fr": ("« The paper does not show: the signature of the judge. » (source : 18 USC 2703(a))",),
        },
    ),
    (
        "delay",
        FACTS,
        {
            "en": ("until the end of 30 November 2026 (Europe/Berlin)", "more time, until 14 December 2026"),
            "de": ("bis zum Ablauf des 30. November 2026 (Europe/Berlin)", "bis zum 14. Dezember 2026"),
            "fr": ("jusqu’à la fin du 30 novembre 2026 (Europe/Berlin)", "jusqu’au 14 décembre 2026"),
        },
    ),
    (
        "redirect",
        FACTS,
        {
            "en": ("Article 48 of Regulation (EU) 2016/679", "MLAT 2003", "Bundesamt"),
            "de": ("Artikel 48 der Verordnung (EU) 2016/679", "MLAT 2003", "Bundesamt"),
            "fr": ("l’article 48 du règlement (UE) 2016/679", "MLAT 2003", "Bundesamt"),
        },
    ),
    (
        "redirect",
        INFORMAL,
        {
            "en": ("We see no law in it that obliges us to answer.",),
            "de": ("Wir finden darin kein Gesetz, das uns zu einer Auskunft verpflichtet.",),
            "fr": ("Nous n’y trouvons aucune loi qui nous oblige à répondre.",),
        },
    ),
    (
        "redirect",
        UNKNOWN_ROUTE,
        {
            "en": ("Please use mutual legal assistance between your State and ours.",),
            "de": ("Bitte nutzen Sie die Rechtshilfe zwischen Ihrem Staat und unserem.",),
            "fr": ("Nous vous prions de recourir à l’entraide judiciaire",),
        },
    ),
    (
        "refusal",
        FACTS,
        {
            "en": ("cannot comply with it, for these reasons:", "This paper does not reach content."),
            "de": ("aus diesen Gründen nicht nachkommen:", "„This paper does not reach content.“"),
            "fr": (
                "ne pouvons pas y donner suite, pour les raisons",
                "« This paper does not reach content. »",
            ),
        },
    ),
    (
        "objection",
        FACTS,
        {
            "en": ("We ask you to withdraw the order, or to limit it",),
            "de": ("die Anordnung zurückzunehmen oder auf das zu beschränken",),
            "fr": ("de retirer l’injonction ou de la limiter",),
        },
    ),
    (
        "reciprocal_notice",
        FACTS,
        {
            "en": ("We wish a court to review", "18 USC 3511(b)(1)(A)", "not later than 30 days"),
            "de": ("Wir wünschen, dass ein Gericht", "18 USC 3511(b)(1)(A)", "spätestens 30 Tage"),
            "fr": ("Nous souhaitons qu’une juridiction", "18 USC 3511(b)(1)(A)", "au plus tard 30 jours"),
        },
    ),
    (
        "end_of_silence",
        FACTS,
        {
            "en": (
                "18 USC 2705(b)",
                "In force since: 1 July 2025",
                "on these days: 1 July 2026",
                "1:25-sc-9",
            ),
            "de": ("18 USC 2705(b)", "In Kraft seit: 1. Juli 2025", "und zwar am: 1. Juli 2026", "1:25-sc-9"),
            "fr": (
                "18 USC 2705(b)",
                "depuis le : 1er juillet 2025",
                "suivantes : 1er juillet 2026",
                "1:25-sc-9",
            ),
        },
    ),
    (
        "motion_checklist",
        FACTS,
        {
            "en": ("is not legal advice", "14 days", "110 F.4th 817", "Texas, Louisiana or Mississippi"),
            "de": ("keine Rechtsberatung", "14 Tage", "110 F.4th 817", "Texas, Louisiana oder Mississippi"),
            "fr": ("pas un conseil juridique", "14 jours", "110 F.4th 817", "au Texas, en Louisiane"),
        },
    ),
    (
        "private_party",
        FACTS,
        {
            "en": ("LG: TDDDG 21(2)", "report it to the police", "https://chat.example/report"),
            "de": ("LG: TDDDG 21(2)", "bei der Polizei", "https://chat.example/report"),
            "fr": ("LG: TDDDG 21(2)", "la signaler à la police", "https://chat.example/report"),
        },
    ),
    (
        "delay",
        REMOVAL,
        {
            "en": ("Annex III to Regulation (EU) 2021/784", "20 November 2026, 03:02 (Europe/Berlin)"),
            "de": ("Anhang III der Verordnung (EU) 2021/784", "20. November 2026, 03:02 (Europe/Berlin)"),
            "fr": ("Annexe III du règlement (UE) 2021/784", "20 novembre 2026, 03:02 (Europe/Berlin)"),
        },
    ),
)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("code", "facts", "says"), SAYS)
def test_each_letter_says_its_key_sentences(
    code: LetterCode, facts: ReplyFacts, says: dict[str, tuple[str, ...]], language: str
) -> None:
    """In text and HTML, and the subject is the heading."""
    letter = write_letter(code, facts, language=language)
    for shown in both(letter):
        assert one_line(letter.subject) in shown
        for sentence in says[language]:
            assert bare(sentence) in bare(shown)


def bare(text: str) -> str:
    """Without quotation marks and colons: a page draws them itself."""
    return one_line(re.sub("[„“”«»:]", " ", text))

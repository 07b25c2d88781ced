"""Annex III: the ten reasons of the form with which an EPOC or EPOC-PR is answered, and who may give which.

Source: Regulation (EU) 2023/1543, Annex III; Articles 10(5)-(9), 11(4)-(7), 16(4) and (5), 17.
"""

import re

from dueprocess.errors import MalformedError, RefusedError
from dueprocess.notice.reply import Point, ReplyFacts, ThirdCountryLaw

REASONS = (
    "incomplete", "manifest_error", "insufficient_information", "not_stored", "impossible", "not_validated",
    "offence", "service", "immunity", "third_country",
)  # fmt: skip
"""Codes of the boxes of section D, in the order of the form."""
FOR_EPOC_ONLY = frozenset({"offence", "third_country"})
"""Boxes that speak of a European Production Order alone."""
TO_CLARIFY = frozenset({"incomplete", "manifest_error", "insufficient_information"})
"""Reasons with which the addressee asks for clarification, so section F says which."""

_FORM = "Regulation (EU) 2023/1543, Annex III"
_CHARTER = re.compile(
    r"(?<![a-z])chart(er|a|e)(?![a-z])|16 ?\(4\)[ (,point]*\(g\)|16 ?\(5\)[ (,point]*\(f\)|fundamental_right",
    re.IGNORECASE,
)


def ticked(facts: ReplyFacts) -> frozenset[str]:
    """Codes of the ticked boxes."""
    return frozenset(each.code for each in facts.reasons if each.ticked)


def check(facts: ReplyFacts) -> None:
    """Refuses a form that the law does not let the addressee send, and one that is not filled."""
    for box in facts.reasons:
        if box.ticked:
            _refuse_charter(f"{box.code} {box.text}")
    for point in explained(facts.points):
        _refuse_charter(f"{point.reason} {point.text} {point.source}")
    _check_codes(facts)
    lacking = [sentence for sentence, holds in _lacks(facts).items() if holds]
    if lacking:
        raise MalformedError(
            "incomplete-form",
            "The answer form is not complete.",
            why="; ".join(lacking),
            do="Add what is missing. The authority can act on a complete form only.",
            source=_FORM,
        )


def _refuse_charter(words: str) -> None:
    if _CHARTER.search(words):
        raise RefusedError(
            "charter-ground",
            "An addressee cannot refuse because of a breach of the Charter of Fundamental Rights.",
            why="A manifest breach of a fundamental right is a ground for the enforcing authority alone (points (g) "
            "and (f)); the addressee has points (a) to (f) of Article 16(4), or (a) to (e) of Article 16(5).",
            do="Take this ground out of the form. Let counsel put it to the enforcing authority in another letter.",
            source="Regulation (EU) 2023/1543, Article 16(3), (4) and (5)",
        )


def _check_codes(facts: ReplyFacts) -> None:
    unknown = sorted({each.code for each in facts.reasons} - set(REASONS))
    if unknown:
        raise RefusedError(
            "unknown-reason",
            f"The answer form has no box {', '.join(unknown)!r}.",
            why="Its ten boxes are the law's, and no other reason can be ticked.",
            do=f"Use {', '.join(REASONS)}; explain anything else in a finding without a reason.",
            source=_FORM,
        )


def _lacks(facts: ReplyFacts) -> dict[str, bool]:
    boxes, paper, office = ticked(facts), facts.certificate, facts.office
    unticked = sorted({each.reason for each in explained(facts.points) if each.reason} - boxes)
    law_ticked = "third_country" in boxes
    return {
        "section A: which certificate it is": paper is None,
        "section B: the authority's file number": not facts.reference,
        "section D: no reason is ticked": not boxes,
        "section D: no finding explains the reasons": not explained(facts.points),
        f"section D: findings rest on boxes that are not ticked: {', '.join(unticked)}": bool(unticked),
        f"section D: {', '.join(sorted(boxes & FOR_EPOC_ONLY))} cannot be ticked for an EPOC-PR": paper
        is not None
        and paper.kind == "EPOC-PR"
        and bool(boxes & FOR_EPOC_ONLY),
        "section E: the law of the third country": law_ticked and facts.third_country is None,
        "section D: the box for the law of a third country, though section E is filled": not law_ticked
        and facts.third_country is not None,
        **(_lacks_law(facts.third_country) if facts.third_country else {}),
        "section F: what is needed to clear up what is incomplete, in error or insufficient": bool(
            boxes & TO_CLARIFY
        )
        and not needed(facts.points),
        "section G: whether the data are being preserved": facts.preserved is None,
        "section H: the establishment, contact person, address, e-mail address and authorised person": office
        is None
        or not (office.name and office.person and office.address and office.email and office.authorised),
    }


def _lacks_law(law: ThirdCountryLaw) -> dict[str, bool]:
    return {
        "section E: title and text of the law": not (law.title and law.provisions),
        "section E: the interest that the law protects, and in which way": not law.interests
        or not all(words for _, words in law.interests),
        "section E: why it applies, why there is a conflict, the link with the country, the consequences": not (
            law.why_applicable and law.why_conflict and law.link and law.consequences
        ),
    }


def explained(points: tuple[Point, ...]) -> tuple[Point, ...]:
    """Findings that section D (b) explains: what is cut or missing, and whatever ticks a box.

    A finding of the kind ``objection`` is no reason: it tells the operator which way to contest is open.
    """
    return tuple(
        each
        for each in points
        if each.kind in ("cut", "missing") or (each.reason and each.kind != "objection")
    )


def needed(points: tuple[Point, ...]) -> tuple[tuple[str, bool], ...]:
    """What section F asks for, each thing once, and whether a person wrote it in the letter's language."""
    asked = (
        (each.missing or each.text, each.own) for each in points if each.missing or each.kind == "missing"
    )
    return tuple(dict(asked).items())

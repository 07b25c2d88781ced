"""Words that several pages use: rules with their source, categories with their meaning, codes in plain English."""

from collections.abc import Iterable

from dueprocess.demand import MEANING, Answer, Category, ordered
from dueprocess.law.pack import Citation, Knower, LetterCode, Pack, Rule

KNOWERS: dict[Knower, str] = {
    "counsel": "a lawyer, to get advice",
    "co_signer": "a second person who signs",
    "needed_to_comply": "whoever is needed to carry it out",
    "permitted_by_authority": "whoever the authority permits in writing",
    "controller": "the controller on whose behalf the data are kept",
    "enforcing_authority": "the enforcing authority",
    "own_government": "the own government",
}

LETTERS: dict[LetterCode, str] = {
    "holding": "a holding reply",
    "deficiency": "a deficiency letter",
    "delay": "the form that says why it takes longer",
    "redirect": "a letter that names the right way",
    "refusal": "a refusal",
    "objection": "an objection",
    "annex3": "the form of Annex III",
    "reciprocal_notice": "a reciprocal notice",
    "end_of_silence": "a request to end the silence",
    "motion_checklist": "a list for counsel's motion",
    "private_party": "a reply to a private party",
}


def sourced(text: str, citation: Citation | None) -> str:
    """A sentence with its source."""
    return f"{text} Source: {citation}." if citation else text


def rule_line(rule: Rule) -> str:
    """A rule with its place and its dates."""
    until = f" until {rule.until.isoformat()}" if rule.until else ""
    return f"{rule.text} [{rule.citation}; in force from {rule.since.isoformat()}{until}]"


def rule_lines(pack: Pack, ids: Iterable[str]) -> list[str]:
    """Every version of these rules."""
    return [rule_line(rule) for wanted in ids for rule in pack.rules if rule.id == wanted]


def ruled(pack: Pack, rule_id: str) -> str:
    """All versions of one rule in one line."""
    return " ".join(rule_lines(pack, [rule_id]))


def named(categories: Iterable[Category]) -> str:
    """Categories with their meaning."""
    return "; ".join(f"{each} ({MEANING[each]})" for each in ordered(categories))


def plain(code: str) -> str:
    """A code as words."""
    return code.replace("_", " ")


def answer_words(among: Iterable[Answer]) -> str:
    """Answers as a person gives them."""
    words = {True: "yes", False: "no"}
    return " or ".join(sorted(words[each] if isinstance(each, bool) else plain(each) for each in among))

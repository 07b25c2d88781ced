"""What the page and the profile for authorities say in words: fixed sentences, and codes in plain English."""

import re
from collections.abc import Callable, Iterable, Mapping

from dueprocess.demand import LEAVES, MEANING, REVERSE_KINDS, Category, ordered
from dueprocess.demand.category import AUTHORISABLE
from dueprocess.law.words import plain
from dueprocess.ui.profile import InstrumentEntry, Period, Statement

DISCLAIMER = (
    "Nothing here is legal advice. It is how we read published law; a court or your own lawyer may read it "
    "otherwise."
)

NEVER: tuple[Statement, ...] = (
    Statement(
        "search",
        "No search across people: no area, no keyword, no list of everyone who did something. "
        "A request names the account.",
    ),
    Statement("secrets", "No passwords and no keys."),
    Statement("live", "No live feed, and no standing access."),
    Statement("mail", "No data for an e-mail alone. An e-mail proves nothing about who sent it."),
    Statement(
        "existence",
        "No answer to the question whether an account exists, outside a lawful request for its data.",
    ),
)

NAMES_NOBODY: tuple[Statement, ...] = tuple(Statement(code, text) for code, text in REVERSE_KINDS.items())

EVERY_PAPER: tuple[Statement, ...] = (
    Statement(
        "account",
        "the exact account, by its name here: at least one. This release of our software finds nobody by "
        "mail address, telephone number or network address",
    ),
    Statement("categories", 'the kinds of data, one by one; "all records" is not a kind'),
    Statement("window", "the time of the records, with a start and an end"),
    Statement("reference", "the reference under which a court can find it"),
    Statement(
        "authority",
        "the authority and the officer, with an address at which the authority can be written to",
    ),
    Statement("silence", "an order not to tell the person, if there is one: its legal basis and its end"),
    Statement("key", "a public encryption key for the answer (age)"),
)

VERIFICATION: tuple[Statement, ...] = (
    Statement(
        "call_back",
        "We look up the authority in a public directory and call back on the number that we find there. "
        "We do not use the number, the link or the name in your message.",
    ),
    Statement("hints", "The mail's signature and its sending host count as hints."),
    Statement(
        "mail",
        "Mail proves nothing by itself; most false requests come from real mailboxes that were taken over.",
    ),
    Statement(
        "receipt", "We confirm in writing that your paper arrived. That proves arrival, and nothing else."
    ),
    Statement("deficiency", "If something is missing we write back what, and which rule asks for it."),
)

EMERGENCIES: tuple[Statement, ...] = (
    Statement("say", "Say what the danger is, to whom, and why these data help."),
    Statement(
        "call_back",
        "We call back before anything else. There is no short cut around it, and a request marked urgent "
        "without a call-back is refused.",
    ),
    Statement(
        "not_produced",
        "Do not wait for us alone: this release of our software hands over nothing on an emergency request. "
        "We check it and answer it. Get an ordinary paper that reaches the data at the same time.",
    ),
)

KEEPING: tuple[Statement, ...] = (
    Statement(
        "not_production",
        "A paper that asks us to keep data lets us hand over nothing. Data that were kept are handed over only "
        "on a second paper that reaches them.",
    ),
    Statement(
        "by_hand",
        "This release of our software checks such a paper and counts its periods. Keeping is done by people, by hand.",
    ),
)

ANSWERS: tuple[Statement, ...] = (
    Statement(
        "package",
        "An encrypted answer package for your key, once: the records, what was asked, what was refused and "
        "why, the queries that were used, and digests of each file.",
    ),
    Statement(
        "two_people",
        "Two people decide before anything is handed over, and we give the least that the law requires.",
    ),
    Statement(
        "told",
        "We tell the person concerned, before we hand over, unless the law or an order forbids it.",
    ),
)

HANDLING: Mapping[str, str] = {
    "two_people": "If nothing is missing, two people may decide to hand over the least that it reaches.",
    "emergency": "We check it and answer it. This release of our software hands over nothing on it.",
    "keep_by_hand": "Nothing is handed over on it. Our software checks the paper; keeping is done by hand.",
    "remove_by_hand": "Nothing is handed over on it. Our software checks the paper; removal is decided by people, "
    "by hand.",
    "nothing": "It reaches no data here. Nothing is handed over on it.",
    "names_nobody": "It names nobody. Nothing is handed over on it, whoever signed it.",
    "counsel": "It goes to a lawyer before anything else is done.",
    "refused": "We refuse it.",
}

_ISSUERS = {
    "judge": "a judge",
    "court": "a court",
    "investigating_judge": "an investigating judge",
    "grand_jury": "a grand jury",
    "prosecutor": "a prosecutor",
    "commissioner": "an independent commissioner",
    "government": "a minister or a ministry",
    "agency": "an agency",
    "fbi_official": "an official of the FBI",
    "senior_officer": "a senior officer whose rank the law names",
    "police": "the police",
    "private_party": "a private party",
}
_STARTS = {
    "received": "from its arrival",
    "issued_on": "from the date of the paper",
    "due_on": "until the day that the paper names",
    "nondisclosure_start": "from the start of the order not to tell",
    "nondisclosure_end": "until the end of the order not to tell",
    "outside": "from an event that the rule names",
}
_COUNTING = {
    "elapsed": "counted from the minute",
    "after_day": "the day itself does not count",
    "with_day": "that day is the first",
}
_TELLING = {
    "required": "We tell the person. The law asks for it.",
    "allowed_before_production": "We tell the person before we hand over, unless an order or a law forbids it.",
    "delayed_until": "We tell the person as soon as the law no longer forbids it.",
    "forbidden_by": "The law forbids us to tell the person of this paper.",
}
_FREE = "We may tell the person, unless an order or a law forbids it."
_UNSETTLED = "The law does not settle whether we may tell. Nobody is told until a lawyer has decided."
_KINDS = {
    "disclosure": "asks for data",
    "preservation": "asks us to keep data; nothing is handed over",
    "removal": "asks us to remove something; nothing is handed over",
}
_LANGUAGES = {"de": "German", "en": "English", "es": "Spanish", "fr": "French", "pt": "Portuguese"}
_CONTESTED_BY = {"operator": "We", "user": "The person concerned"}


def either(words: Iterable[str]) -> str:
    """Words as a choice: judge, court or prosecutor."""
    *first, last = words
    return f"{', '.join(first)} or {last}" if first else last


def issuers(codes: Iterable[str]) -> str:
    """Kinds of issuers as a choice."""
    return either(_ISSUERS.get(each, plain(each)) for each in codes)


def data_words(categories: Iterable[str]) -> str:
    """Categories in plain words; one word for all of them."""
    chosen = frozenset(Category(each) for each in categories)
    if chosen == LEAVES:
        return "any data at all, passwords and keys among them"
    if chosen == AUTHORISABLE:
        return "any data but passwords, keys and tokens"
    return "; ".join(MEANING[each] for each in ordered(chosen))


def answers(codes: Iterable[str]) -> str:
    """Answers as a choice."""
    return either(plain(each) for each in codes)


def period(clock: Period) -> str:
    """A legal period in words: 10 days from its arrival; the day itself does not count."""
    starts = _STARTS[clock.starts]
    if not clock.length:
        return starts
    unit = plain(clock.unit)
    length = f"{clock.length} {unit.removesuffix('s') if clock.length == 1 else unit} {starts}"
    roll = "; a last day that is no working day moves to the next one" if clock.roll else ""
    return f"{length}; {_COUNTING[clock.counting]}{roll}"


def telling(paper: InstrumentEntry) -> str:
    """Whether and when we tell the person, in a sentence. Not for a paper that names nobody."""
    notice = paper.notice
    if not notice.settled:
        return _UNSETTLED
    free = notice.word == "allowed_before_production"
    return _FREE if free and paper.demand_kind != "disclosure" else _TELLING[notice.word]


def demand_words(kind: str) -> str:
    """What a paper of this kind asks for."""
    return _KINDS[kind]


def language(code: str) -> str:
    """A language by its English name; the code where we have no name for it."""
    return _LANGUAGES.get(code, code)


def capitalize_first(text: str) -> str:
    """A text as the beginning of a sentence; the rest of it stays as it is."""
    return text[:1].upper() + text[1:]


def quoted(text: str) -> str:
    """A text of a pack with the words that stand between backquotes in it as a person writes them."""
    return re.sub("`([^`]*)`", lambda found: f'"{plain(found[1])}"', text)


def contested_by(who: str) -> str:
    """Who can contest a paper, as the beginning of a line."""
    return _CONTESTED_BY[who]


FILTERS: dict[str, Callable[..., str]] = {
    "issuers": issuers,
    "data_words": data_words,
    "answers": answers,
    "period": period,
    "telling": telling,
    "demand_words": demand_words,
    "language": language,
    "contested_by": contested_by,
    "capitalize_first": capitalize_first,
    "quoted": quoted,
}
"""For the templates."""

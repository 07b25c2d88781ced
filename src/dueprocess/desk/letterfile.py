"""The file with what a letter needs and the case does not know: its keys, its strict reading, its first draft.

It is TOML. Every value is the writer's own word and is printed as it stands, so texts are in the language of the
letter. The same keys, by their whole name (``office.email``), hold what the case itself knows.
"""

import datetime as dt
import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from dueprocess.errors import MalformedError
from dueprocess.law.pack import LetterCode
from dueprocess.notice import REASONS
from dueprocess.wire import instant

Kind = Literal["text", "texts", "flag", "day", "days", "time", "interests"]
Value = str | bool | tuple[str, ...] | dt.date | tuple[dt.date, ...] | tuple[tuple[str, str], ...]
type Values = Mapping[str, Value]
"""Whole name of a key → its value. A key that nobody filled in is not there."""

_HERE = "..."
INTERESTS = ("fundamental_rights", "security", "other")


@dataclass(frozen=True, slots=True)
class Key:
    """A key of the file. ``words``: what belongs there. ``among``: the only values that it takes."""

    kind: Kind
    words: str
    among: tuple[str, ...] = ()


KEYS: dict[str, Key] = {
    "recipient": Key("text", "who gets the letter, by the full name"),
    "recipient_address": Key("texts", "the postal address, a line each"),
    "counsel": Key("text", "your own counsel, by name; this list goes to nobody else"),
    "reference": Key("text", "the sender's own number or date, as the paper gives it"),
    "own_reference": Key("text", "your number for this matter; no name of a user"),
    "signed_by": Key("text", "who signs, as it is printed"),
    "preserved": Key("flag", "is what the paper names kept from deletion? On Annex III, false is the exception"),
    "court_path": Key("text", "how a private party can turn to a court, such as: the Landgericht, § 21(2) TDDDG"),
    "report_to": Key("text", "where anybody can report content"),
    "topics": Key("texts", "which parts of the list", ("comity", "quash", "reverse", "silence")),
    "sender.name": Key("text", "who writes: the operator"),
    "sender.contact": Key("text", "an address at which the operator can be reached and checked"),
    "sender.address": Key("text", "the operator's postal address"),
    "certificate.kind": Key("text", "which certificate is answered", ("EPOC", "EPOC-PR")),
    "certificate.issued_on": Key("day", "date of issue"),
    "certificate.validating": Key("text", "the validating authority, if there is one"),
    "certificate.validating_reference": Key("text", "its file number"),
    "certificate.enforcing": Key("text", "the enforcing authority, if it was notified"),
    "certificate.enforcing_reference": Key("text", "its file number"),
    "office.name": Key("text", "the designated establishment or legal representative"),
    "office.person": Key("text", "contact person"),
    "office.post": Key("text", "the contact person's post"),
    "office.address": Key("text", "postal address"),
    "office.email": Key("text", "e-mail address"),
    "office.phone": Key("text", "telephone"),
    "office.fax": Key("text", "fax"),
    "office.authorised": Key("text", "the authorised person, who signs"),
    **{f"reasons.{each}": Key("text", "your explanation, if you tick this box yourself") for each in REASONS},
    "third_country.title": Key("text", "title of the law of the third country"),
    "third_country.provisions": Key("text", "the provisions, with their words"),
    "third_country.interests": Key("interests", "what the law protects and how, for each that applies", INTERESTS),
    "third_country.why_applicable": Key("text", "why that law applies in this case"),
    "third_country.why_conflict": Key("text", "why there is a conflict in this case"),
    "third_country.link": Key("text", "what links the service with that country"),
    "third_country.consequences": Key("text", "what may follow if you comply, penalties too"),
    "third_country.more": Key("text", "anything else that matters"),
    "more_time.until": Key("day", "until which day you ask for more time"),
    "more_time.because": Key("texts", "your reasons, a sentence each"),
    "more_time.clocks": Key("texts", "time limits that the letter names, by their ids; without this key none"),
    "removal.received_at": Key("time", "when the removal order arrived"),
    "removal.hindrances": Key("texts", "why it cannot be executed", ("impossible", "errors", "insufficient")),
    "removal.because": Key("text", "the explanation"),
    "removal.needed": Key("text", "the errors, and what further information is needed"),
    "silence.order": Key("text", "legal basis of the order not to tell"),
    "silence.began_on": Key("day", "its first day"),
    "silence.court": Key("text", "the court that gave it"),
    "silence.docket": Key("text", "its docket number"),
    "silence.asked": Key("days", "days on which you asked for its end before, besides those in the case"),
    "silence.federal": Key("flag", "does 18 USC 2705(b) with the policy of the US Department of Justice apply?"),
    "route.foreign": Key("flag", "does the paper come from a State whose orders do not bind you?"),
    "route.gdpr": Key("flag", "are you bound by Regulation (EU) 2016/679, so that its Article 48 is cited?"),
    "route.treaty": Key("text", "the agreement under which it could be asked, if you know it"),
    "route.authority": Key("text", "the authority that is competent for it, if you know it"),
}  # fmt: skip
"""Every key that a letter can need, by its whole name."""

_LAW = tuple(name for name in KEYS if name.startswith("third_country.") and name != "third_country.more")
_REMOVAL = ("removal.hindrances", "removal.because", "office.name", "office.authorised", "office.email")
_USED: dict[LetterCode, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "holding": ((), ()),
    "deficiency": ((), ()),
    "delay": (("more_time.until", "more_time.because"), ("more_time.clocks", "preserved")),
    "redirect": (("route.foreign",), ("route.gdpr", "route.treaty", "route.authority")),
    "refusal": ((), ()),
    "objection": ((), ("preserved",)),
    "annex3": (
        (
            "reference", "preserved", "certificate.kind", "certificate.issued_on", "office.name", "office.person",
            "office.address", "office.email", "office.authorised",
        ),
        (
            *(name for name in KEYS if name.startswith("certificate.")), "office.post", "office.phone", "office.fax",
            *(f"reasons.{each}" for each in REASONS), *_LAW, "third_country.more",
        ),
    ),
    "reciprocal_notice": (("reference",), ()),
    "end_of_silence": (
        ("silence.order", "silence.began_on"),
        ("silence.court", "silence.docket", "silence.federal", "silence.asked"),
    ),
    "motion_checklist": (("counsel",), ("topics",)),
    "private_party": (("court_path",), ("report_to",)),
}  # fmt: skip
"""Letter → the keys without which it cannot be written, and those that it uses besides."""
_ALWAYS = ("sender.name", "sender.contact")
_USUAL = ("reference", "own_reference", "signed_by", "sender.address")


@dataclass(frozen=True, slots=True)
class Need:
    """The keys of one letter in the order of the file: those that it must have, and all that it uses."""

    must: frozenset[str]
    used: tuple[str, ...]


def need(code: LetterCode, *, removal: bool = False, third_country: bool = False) -> Need:
    """Which keys a letter needs.

    ``removal``: it answers a removal order for terrorist content, with the form of that law. ``third_country``: it
    rests on the law of a third country, so that its box is ticked and section E filled.
    """
    must, more = _USED[code]
    if code == "delay" and removal:
        must, more = _REMOVAL, ("removal.received_at", "removal.needed")
    if code == "annex3" and third_country:
        must = (*must, "reasons.third_country", *_LAW)
    if code != "motion_checklist":
        must, more = (*must, "recipient"), (*more, "recipient_address")
    wanted = {*_ALWAYS, *_USUAL, *must, *more}
    return Need(frozenset({*_ALWAYS, *must}), tuple(name for name in KEYS if name in wanted))


# ------------------------------------------------------------------------------------------- reading


def parse_letter_file(text: str) -> Values:
    """The values of a file, by the whole names of their keys. An empty text and a draft's "..." are as good as no key.

    Raises ``MalformedError`` that names the key, where it is unknown or its value is of another kind.
    """
    try:
        found = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # tomllib lets the second through: endless nesting
        raise MalformedError(
            "bad-letter-file", "This file for a letter is not TOML.", why=str(error)
        ) from error
    values: dict[str, Value] = {}
    for name, given in _flat(found):
        key = KEYS.get(name)
        if key is None:
            raise _unknown(name)
        value = _value(name, key, given)
        if value not in ("", ()):
            values[name] = value
    return values


def _flat(found: Mapping[str, object]) -> Iterable[tuple[str, object]]:
    sections = {name.partition(".")[0] for name in KEYS if "." in name}
    for name, given in found.items():
        if name in sections and isinstance(given, Mapping):
            yield from ((f"{name}.{each}", inner) for each, inner in given.items())
        else:
            yield name, given


def _unknown(name: str) -> MalformedError:
    section, dot, _ = name.rpartition(".")
    near = [key.removeprefix(f"{section}.") for key in KEYS if key.rpartition(".")[0] == section]
    where = f" in [{section}]" if dot else ""
    known = ", ".join(near) or "none"
    sections = dict.fromkeys(key.partition(".")[0] for key in KEYS if "." in key)
    return MalformedError(
        "bad-letter-file",
        f"No letter has the key {name[:60]!r}.",
        why=f"The keys{where} are: {known}." + ("" if dot else f" The sections are: {', '.join(sections)}."),
        do="Correct or remove it. `dueprocess letter CASE CODE --draft` prints the keys of a letter.",
    )


def _value(name: str, key: Key, given: object) -> Value:
    value = _READ[key.kind](given)
    chosen = _chosen(value) if key.among and value is not None else ()
    if value is None or not set(chosen) - {""} <= set(key.among or chosen):
        raise MalformedError(
            "bad-letter-file",
            f"The value of {name} is not what belongs there.",
            why=f"{name}: {key.words}.",
            do=f"Write {_example(key)}.",
        )
    return value


def _chosen(value: Value) -> tuple[str, ...]:
    """What was chosen among a key's words: the value itself, the members of a list, or the names in a table."""
    if isinstance(value, tuple):
        return tuple(str(each[0]) if isinstance(each, tuple) else str(each) for each in value)
    return (str(value),)


def _text(given: object) -> str | None:
    """One line. What a draft shows where a text belongs is no text yet."""
    line = " ".join(given.split()) if isinstance(given, str) else None
    return "" if line == _HERE else line


def _texts(given: object) -> tuple[str, ...] | None:
    if not isinstance(given, list):
        return None
    found = [_text(each) for each in given]
    return tuple(each for each in found if each) if all(each is not None for each in found) else None


def _flag(given: object) -> bool | None:
    return given if isinstance(given, bool) else None


def _day(given: object) -> dt.date | None:
    return given if isinstance(given, dt.date) and not isinstance(given, dt.datetime) else None


def _days(given: object) -> tuple[dt.date, ...] | None:
    found = [_day(each) for each in given] if isinstance(given, list) else [None]
    known = tuple(each for each in found if each is not None)
    return known if len(known) == len(found) else None


def _time(given: object) -> dt.datetime | None:
    return given if isinstance(given, dt.datetime) and given.tzinfo is not None else None


def _interests(given: object) -> tuple[tuple[str, str], ...] | None:
    if not isinstance(given, Mapping):
        return None
    found = [(str(name), _text(words)) for name, words in given.items()]
    return (
        tuple((name, words) for name, words in found if words)
        if all(w is not None for _, w in found)
        else None
    )


_READ = {
    "text": _text, "texts": _texts, "flag": _flag, "day": _day, "days": _days, "time": _time, "interests": _interests,
}  # fmt: skip


# ------------------------------------------------------------------------------------------- the draft


def drafted(wanted: Need, known: Values, notes: Iterable[str]) -> list[str]:
    """The file for one letter: what the case knows filled in, what must be said marked, the rest as comments."""
    lines = [f"# {' '.join(each.split())}" for each in notes]
    section = ""
    for name in wanted.used:
        where, _, last = name.rpartition(".")
        if where != section:
            lines += ["", f"[{where}]"]
            section = where
        lines.append(_line(name, last, known, must=name in wanted.must))
    return lines


def _line(name: str, last: str, known: Values, *, must: bool) -> str:
    key = KEYS[name]
    line = f"{last} = {_toml(known[name])}" if name in known else f"# {last} = {_example(key)}"
    needed = "NEEDED: " if must and name not in known else ""
    return f"{line:<34}  # {needed}{key.words}{': ' + ' | '.join(key.among) if key.among else ''}"


def _example(key: Key) -> str:
    """A value of the right kind, as one would type it."""
    match key.kind:
        case "text":
            return json.dumps(key.among[0] if key.among else _HERE)
        case "texts":
            return json.dumps(list(key.among[:2]) or [_HERE, _HERE])
        case "flag":
            return "true or false"
        case "day":
            return "2026-12-14"
        case "days":
            return "[2026-12-14]"
        case "time":
            return "2026-11-20T17:02:00Z"
        case "interests":
            return f'{{ {key.among[0]} = "{_HERE}" }}'


def _toml(value: Value) -> str:
    match value:
        case bool():
            return json.dumps(value)
        case str():
            return _quoted(value)
        case dt.datetime():
            return instant(value)
        case dt.date():
            return value.isoformat()
        case _:  # a list; what is known holds none today
            return f"[{', '.join(_toml(each) for each in value)}]"


def _quoted(text: str) -> str:
    """A basic string of TOML: JSON's, with the one character that JSON leaves and TOML does not."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")

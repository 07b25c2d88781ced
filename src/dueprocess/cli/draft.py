"""The draft that `dueprocess read CASE --suggest` prints: a facts file with what was found, and what is still asked.

What no word of the paper says is left for the person, as a commented line: the questions of the packs that know such a
paper, and the list of what to look out for (press, privilege and the like).
"""

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from typing import Any

from dueprocess.demand import AUTHORISABLE, UNBOUNDED, Demand, DemandKind, Scope, ScopeItem, Target, expand
from dueprocess.law import Flag, Pack, Question, open_questions

UNKNOWN = "UNKNOWN"


def regimes_of(packs: Iterable[Pack], instrument: str | None) -> list[str]:
    """The regimes, among these packs, whose law knows this kind of paper; all of them where none does."""
    regimes = [each for each in packs if each.kind == "regime"]
    knowing = [each for each in regimes if instrument is not None and each.knows(instrument)]
    return sorted({each.id.split(".")[0] for each in knowing or regimes})


def kind_of(packs: Iterable[Pack], instrument: str | None) -> DemandKind:
    """What such a paper asks for, where the packs that know it agree; else a disclosure, which is what most ask for."""
    kinds = {
        each.demand_kind
        for pack in packs
        if pack.kind == "regime"
        for each in pack.instruments
        if each.code == instrument
    }
    return kinds.pop() if len(kinds) == 1 else "disclosure"


def questions_of(packs: Sequence[Pack], draft: dict[str, Any], now: dt.datetime) -> list[Question]:
    """What the packs would ask about a paper like the draft, whose law nobody has confirmed yet."""
    if not draft.get("instrument"):
        return []
    categories = expand(draft.get("categories") or AUTHORISABLE) & AUTHORISABLE or AUTHORISABLE
    item = ScopeItem(Target("account", "nobody"), categories, UNBOUNDED)
    found: dict[str, Question] = {}
    for regime in regimes_of(packs, draft["instrument"]):
        like = Demand(
            kind=kind_of(packs, draft["instrument"]),
            regime=regime,
            instrument=draft["instrument"],
            scope=Scope(bytes(32), (item,)),
            received_at=now,
        )
        found |= {each.id: each for each in open_questions(like, packs, now.date())}
    return list(found.values())


def flags_of(packs: Iterable[Pack]) -> list[Flag]:
    """What a reader is to look out for, by the baseline and the overlays in force."""
    return [flag for pack in packs for flag in pack.flags]


def as_toml(draft: dict[str, Any], packs: Sequence[Pack], now: dt.datetime) -> str:
    """The draft as a facts file: what was found filled in, what was not left for the person, quotes as comments."""
    quotes: dict[str, Any] = draft.get("quotes") or {}
    lines = ["# A draft from the literal words of the paper. Check every line against the paper itself.", ""]
    lines += [f"# {key}: {_quoted(each)}" for key, found in quotes.items() for each in found[:3]]
    lines += ["", f"kind = {json.dumps(kind_of(packs, draft.get('instrument')))}", *_whose(draft, packs)]
    lines += [f"issuer_kind = {json.dumps(draft['issuer_kind'])}"] if draft.get("issuer_kind") else []
    listed = ("legal_bases", "elements", "unreadable")
    lines += [f"{key} = {json.dumps(draft.get(key) or [], ensure_ascii=False)}" for key in listed]
    lines += _present(draft, "issued_on", "due_on")
    lines += _asked(questions_of(packs, draft, now))
    lines += _flags(flags_of(packs))
    if not draft.get("targets"):
        lines += ["", *_NO_TARGET]
    for target in draft.get("targets") or []:
        lines += [
            "",
            "[[target]]",
            f"kind = {json.dumps(target['kind'])}",
            f"value = {json.dumps(target['value'])}",
        ]
        lines += [
            f"categories = {json.dumps(draft.get('categories') or [])}",
            *_present(draft, "from", "until"),
        ]
    return "\n".join(lines) + "\n"


def _whose(draft: dict[str, Any], packs: Sequence[Pack]) -> list[str]:
    """Whose law, which paper, which country: filled in only where the packs in force leave one answer."""
    regimes = regimes_of(packs, draft.get("instrument"))
    laws = [each for each in packs if each.kind == "regime" and each.id.split(".")[0] in regimes]
    countries = sorted({country for each in laws for country in each.countries})
    regime = regimes[0] if len(regimes) == 1 else UNKNOWN
    country = countries[0] if len(regimes) == 1 and len(countries) == 1 else UNKNOWN
    known = ", ".join(sorted({each.id.split(".")[0] for each in packs if each.kind == "regime"})) or "none"
    return [
        f"regime = {json.dumps(regime)}          # whose law the paper invokes; never guessed. In force here: {known}",
        f"instrument = {json.dumps(draft.get('instrument') or UNKNOWN)}",
        f"country = {json.dumps(country)}         # of the authority, two letters",
    ]


def _asked(questions: Sequence[Question]) -> list[str]:
    """Questions as commented answers: whoever does not know leaves the line as it is."""
    if not questions:
        return []
    lines = ["", "# Questions of the rules. Take the # away where you know; what nobody knows stays open."]
    for each in questions:
        choices = " | ".join(json.dumps(choice) for choice in each.choices) or "true | false"
        lines += [f"# {' '.join(each.text.split())}", f"# answers.{each.id} = {choices}"]
    return lines


def _flags(flags: Sequence[Flag]) -> list[str]:
    if not flags:
        return []
    lines = ["", "# Look out for, in the paper and in what you know, without looking into the account:"]
    lines += [f"#   {json.dumps(each.id)}: {' '.join(each.question.split())}" for each in flags]
    return [*lines, "flags = []", "# flags_checked = true   # once you have gone through this list"]


_NO_TARGET = (
    "# No account was found in the words of the paper. Name each one that the paper names; if it names",
    "# none, it cannot be read as a demand: ask the authority whom it means.",
    "# [[target]]",
    '# kind = "account"',
    '# value = ""',
    '# categories = ["subscriber.identity"]',
)


def _present(draft: dict[str, Any], *keys: str) -> list[str]:
    return [f"{key} = {draft[key]}" for key in keys if draft.get(key)]


def _quoted(sign: Any) -> str:
    """A quote with its place in words: part, page, line."""
    place: dict[str, Any] = sign["place"]
    part = f"{place['part']}, " if place["part"] else ""
    return f"“{sign['quote']}” ({part}page {place['page']}, line {place['line']})".replace("\n", " ")

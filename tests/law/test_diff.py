"""What changed between two versions of a pack: every edit is told and names the instruments that rest on it."""

import dataclasses
import datetime as dt
import functools
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dueprocess.demand import expand
from dueprocess.law import Pack, parse_pack
from dueprocess.law.comparing.diff import diff_packs
from dueprocess.law.pack import (
    Citation,
    Clock,
    Condition,
    Element,
    Flag,
    Floor,
    Instrument,
    MayKnow,
    Never,
    NondisclosureBasis,
    NoticeRule,
    Objection,
    Question,
    Reach,
    Reason,
    Rule,
    Source,
    Tightening,
)
from dueprocess.wire import canonical

FOLDER = Path(__file__).parent / "data" / "diff"
PACK, BASELINE, OVERLAY = (
    parse_pack((FOLDER / name).read_text(encoding="utf-8"), name)
    for name in ("law.toml", "baseline.toml", "ours.toml")
)
SHIPPED = sorted(
    file
    for file in (Path(__file__).parents[2] / "rulepacks").glob("*/*.toml")
    if not file.name.endswith(".cases.toml")
)


def put(pack: Pack, **facts: Any) -> Pack:
    """The pack with other facts, as if it were another file."""
    return replace(pack, sha256="0", **facts)


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_a_pack_does_not_differ_from_itself(file: Path) -> None:
    """Read twice, with comments and spaces of its own, a pack says the same."""
    text = file.read_text(encoding="utf-8")
    pack = parse_pack(text, file.name)
    assert diff_packs(pack, pack) == ()
    assert diff_packs(pack, parse_pack(f"# A remark.\n{text}\n\n", "again.toml")) == ()


def turned(words: tuple[str, ...], word: str) -> tuple[str, ...]:
    """The words without this one, or with it where it is not among them: never the same words."""
    return tuple(each for each in words if each != word) if word in words else (*words, word)


CONDITION = Condition("country", frozenset({"DE"}), "no")
OTHER: dict[type, dict[str, Callable[[Any], Any]]] = {
    Rule: {
        "text": lambda old: old + " Really.",
        "citation": lambda old: replace(old, basis="practice" if old.basis != "practice" else "statute"),
        "since": lambda old: old - dt.timedelta(days=1),
        "until": lambda _: dt.date(2030, 1, 1),
        "do": lambda old: old + "Ask.",
    },
    Clock: {
        "rule": lambda old: replace(old, text="Another law."),
        "starts": lambda old: "issued_on" if old != "issued_on" else "received",
        "length": lambda old: old + 1,
        "unit": lambda old: "weeks" if old != "weeks" else "days",
        "counting": lambda old: "with_day" if old != "with_day" else "elapsed",
        "roll": lambda old: not old,
        "categories": lambda old: expand(["traffic", "location"]) ^ old,
        "when": lambda old: (*old, CONDITION),
    },
    NondisclosureBasis: {
        "rule": lambda old: replace(old, do="Another thing to do."),
        "names": lambda old: (*old, "Act 6"),
        "requires": lambda old: old + " and more",
        "end_clock": lambda _: "x.review",
        "review_clock": lambda _: "x.end",
    },
    Instrument: {
        "name": lambda old: old + "!",
        "rule": lambda old: replace(old, citation=Citation("act", "2", "Act, 2", "statute")),
        "demand_kind": lambda old: "removal" if old != "removal" else "disclosure",
        "compulsion": lambda old: "voluntary" if old == "compulsory" else "compulsory",
        "emergency": lambda old: not old,
        "issuers": lambda old: old ^ {"agency"},
        "issuers_rule": lambda old: old + "x",
        "window_rule": lambda old: old + "x",
        "notice": lambda old: replace(old, settled=not old.settled),
        "reaches": lambda old: (*old, Reach(expand(["location"]), "no")),
        "nevers": lambda old: old[:-1],
        "elements": lambda old: (*old, Element("stamp", "a stamp", "no")),
        "objections": lambda old: (*old, Objection("appeal", "user", "no", frozenset())),
        "clocks": lambda old: (*old, "x.other"),
        "nondisclosure": lambda old: (*old, "other"),
        "notes": lambda old: (*old, "other"),
        "report_cells": lambda old: (*old, "other"),
        "conditions": lambda old: (*old, CONDITION),
        "may_know": lambda old: (*old, MayKnow("own_government", "no")),
        "solo": lambda old: old + "x",
        "letters": lambda old: turned(old, "delay"),
        "reverse": lambda old: turned(old, "geofence"),
        "ceiling": lambda old: "refuse" if old != "refuse" else "permit_all",
        "ceiling_rule": lambda old: old + "x",
    },
    Question: {
        "text": lambda old: old + "?",
        "about": lambda old: "paper" if old != "paper" else "matter",
        "choices": lambda old: (*old, "other"),
    },
    Reason: {"text": lambda old: old + "!", "rule": lambda old: old + "x"},
    Source: {
        "short": lambda old: old + "!",
        "title": lambda old: old + "!",
        "address": lambda old: old + "!",
        "version": lambda old: old + "!",
        "read_on": lambda old: None if old else dt.date(2026, 1, 1),
        "not_read": lambda old: old + "!",
        "note": lambda old: old + "!",
    },
    Flag: {
        "question": lambda old: old + "?",
        "rule": lambda old: old + "x",
        "ceiling": lambda old: "refuse" if old != "refuse" else "permit_all",
        "reason": lambda old: old + "x",
        "letter": lambda old: "delay" if old != "delay" else None,
    },
    Floor: {
        "elements": lambda old: old[1:],
        "elements_rule": lambda old: old + "x",
        "content_by": lambda old: old ^ {"court"},
        "content_rule": lambda old: old + "x",
    },
    Tightening: {
        "nevers": lambda old: (*old, Never(expand(["location"]), ("ours",))),
        "elements": lambda old: old[1:] or (Element("seal", "a seal", "ours"),),
        "conditions": lambda old: old[1:] or (CONDITION,),
        "issuers": lambda old: None if old else frozenset({"court"}),
        "issuers_rule": lambda old: old + "x",
        "notice": lambda old: None if old else NoticeRule("required", "ours"),
        "notes": lambda old: (*old, "other"),
    },
    Reach: {
        "categories": lambda old: old ^ {"location"} or {"traffic"},
        "rule": lambda old: old + "x",
        "purpose": lambda old: None if old else "identify",
        "by": lambda old: old ^ {"agency"},
        "by_rule": lambda old: old + "x",
        "by_reason": lambda old: old + "x",
        "needs": lambda old: (*old, CONDITION),
    },
    Never: {
        "categories": lambda old: old ^ {"location"} or {"traffic"},
        "rules": lambda old: (*old, "other"),
    },
    Element: {
        "meaning": lambda old: old + "!",
        "rule": lambda old: old + "x",
        "reason": lambda old: old + "x",
        "categories": lambda old: old ^ {"location"},
        "when": lambda old: (*old, CONDITION),
    },
    Objection: {
        "who": lambda old: "user" if old == "operator" else "operator",
        "rule": lambda old: old + "x",
        "categories": lambda old: old ^ {"location"},
        "letter": lambda old: "delay" if old != "delay" else None,
    },
    NoticeRule: {
        "word": lambda old: "required" if old != "required" else "forbidden_by",
        "rule": lambda old: old + "x",
        "settled": lambda old: not old,
    },
    MayKnow: {"who": lambda _: "own_government", "rule": lambda old: old + "x"},
    Condition: {
        "fact": lambda old: old + "x",
        "among": lambda old: old ^ {"other"},
        "rule": lambda old: old + "x",
        "reason": lambda old: old + "x",
    },
}
NAMES = {"id", "code", "key", "instruments"}
"""What an entry is called: with another name it is another entry."""
PARTS = ("reaches", "nevers", "elements", "objections", "may_know", "conditions", "needs", "when")
ENTRIES = (
    "rules", "clocks", "nondisclosure", "instruments", "questions", "reasons", "sources", "flags", "tightenings",
)  # fmt: skip


def test_the_edits_below_cover_every_field_of_a_pack() -> None:
    """A field that is added to the format must be compared too, or this fails."""
    for kind, known in OTHER.items():
        assert {each.name for each in dataclasses.fields(kind)} - NAMES == set(known), kind
    covered = {*ENTRIES, "floor", "layers", "sha256"}
    head = {each.name for each in dataclasses.fields(Pack)} - covered
    assert head == set(HEAD)


HEAD: dict[str, Any] = {
    "id": "xx.other", "version": "2", "jurisdiction": "Elsewhere", "title": "Another law", "status": "None.",
    "reviewed_by": "Somebody", "reviewed_on": dt.date(2026, 11, 20), "kind": "overlay", "overlays": "xx.more",
    "countries": ("FR",), "zone": "Europe/Paris", "zones": {"FR": "Europe/Paris"}, "holidays": "FR",
}  # fmt: skip


def entry_edits(pack: Pack) -> Iterator[tuple[str, Pack, Any]]:
    """Each single edit: which, the pack after it, and the entry that was edited."""
    for name in ENTRIES:
        entries: tuple[Any, ...] = getattr(pack, name)
        for n, entry in enumerate(entries):
            without = (*entries[:n], *entries[n + 1 :])
            yield f"{name}[{n}] gone", put(pack, **{name: without}), entry
            for what, changed in field_edits(entry):
                others = (*entries[:n], changed, *entries[n + 1 :])
                yield f"{name}[{n}].{what}", put(pack, **{name: others}), entry

    if pack.floor:
        for what, changed in field_edits(pack.floor):
            yield f"floor.{what}", put(pack, floor=changed), pack.floor


def field_edits(entry: Any) -> Iterator[tuple[str, Any]]:
    for field, other in OTHER[type(entry)].items():
        named = isinstance(entry, Clock) and not entry.length and field in {"unit", "counting", "roll"}
        if other(getattr(entry, field)) != getattr(entry, field) and not named:
            yield field, replace(entry, **{field: other(getattr(entry, field))})
    for part in PARTS:
        listed = [] if isinstance(entry, Floor) else getattr(entry, part, ())
        for n, each in enumerate(listed):
            for what, changed in field_edits(each):
                parts = getattr(entry, part)
                yield f"{part}[{n}].{what}", replace(entry, **{part: (*parts[:n], changed, *parts[n + 1 :])})


def codes_of(pack: Pack, entry: Any) -> set[str]:
    """The instruments in which the name of an entry stands, directly or in what they name; found by plain text."""
    if isinstance(entry, Instrument):
        return {entry.code}
    if isinstance(entry, Tightening):
        return set(entry.instruments)
    if isinstance(entry, Flag | Floor):
        return set()
    if isinstance(entry, Reason):
        return {code for code, text in texts_of(pack).items() if f"reason={entry.code!r}" in text}
    if isinstance(entry, Question):
        return {code for code, text in texts_of(pack).items() if f"fact={entry.id!r}" in text}
    names = {repr(getattr(entry, each)) for each in NAMES if hasattr(entry, each)}
    if isinstance(entry, Rule | Source):
        reached = {
            f"reason={each.code!r}" for each in pack.reasons if any(name in repr(each) for name in names)
        }
        names |= reached
    return {code for code, text in texts_of(pack).items() if any(name in text for name in names)}


def texts_of(pack: Pack) -> dict[str, str]:
    rules = {each.id: repr(each) for each in pack.rules}
    clocks = {each.id: repr(each) for each in pack.clocks}
    silences = {each.id: repr(each) for each in pack.nondisclosure}
    found: dict[str, str] = {}
    for paper in pack.instruments:
        # Codes of elements and objections may be spelt like the name of a rule; they name nothing else.
        text = re.sub(r"\bcode='[^']*'", "", repr(paper))
        for _ in range(3):
            text += "".join(each for table in (silences, clocks, rules) for name, each in table.items()
                            if repr(name) in text and each not in text)  # fmt: skip
        found[paper.code] = text
    return found


EDITS = {f"{pack.id} {what}": (pack, new, entry) for pack in (PACK, BASELINE, OVERLAY)
         for what, new, entry in entry_edits(pack)}  # fmt: skip


@pytest.mark.parametrize("name", sorted(EDITS))
def test_every_single_edit_is_told_and_names_its_instruments(name: str) -> None:
    """Whatever one field of one entry says otherwise, some change tells it, for the instruments that rest on it."""
    old, new, entry = EDITS[name]
    changes = [each for each in diff_packs(old, new) if each.kind.split(".")[1] not in {"version", "order"}]
    told = {code for each in changes for code in each.instruments}
    assert changes
    assert all(each.sentence.endswith(".") for each in changes)
    assert codes_of(old, entry) <= told or any(each.every for each in changes)
    back = diff_packs(new, old)
    assert len(back) > 1
    canonical([each.as_json() for each in (*changes, *back)])


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_random_edits_of_shipped_packs_are_told(data: st.DataObject) -> None:
    """The same for packs that people wrote: an edit of a random entry names at least one right instrument."""
    old = data.draw(st.sampled_from(_shipped()))
    name = data.draw(st.sampled_from([each for each in ENTRIES if getattr(old, each)]))
    entries: tuple[Any, ...] = getattr(old, name)
    n = data.draw(st.integers(0, len(entries) - 1))
    what, changed = data.draw(st.sampled_from(list(field_edits(entries[n]))))
    new = put(old, **{name: (*entries[:n], changed, *entries[n + 1 :])})
    changes = [each for each in diff_packs(old, new) if each.kind.split(".")[1] not in {"version", "order"}]
    told = {code for each in changes for code in each.instruments}
    assert changes, what
    assert codes_of(old, entries[n]) <= told or any(each.every for each in changes)


@functools.cache
def _shipped() -> list[Pack]:
    return [parse_pack(file.read_text(encoding="utf-8"), file.name) for file in SHIPPED]


@pytest.mark.parametrize("field", sorted(HEAD))
def test_every_edit_of_the_head_is_told(field: str) -> None:
    """Title, review, zone, region ...: each has a sentence, and what moves due dates names the papers with clocks."""
    changes = diff_packs(PACK, put(PACK, **{field: HEAD[field]}))
    told = {each.kind: each for each in changes}
    kinds = {"reviewed_by": "pack.review", "reviewed_on": "pack.review", "overlays": "pack.kind",
             "zones": "pack.zone", "version": "pack.version"}  # fmt: skip
    plain = {"id", "jurisdiction", "title", "status"}
    change = told["pack.head" if field in plain else kinds.get(field, f"pack.{field}")]
    touched = {
        "pack.head": (), "pack.version": (), "pack.zone": ("order",), "pack.holidays": ("order",),
    }.get(change.kind, ("letter", "order"))  # fmt: skip
    assert change.instruments == touched
    assert change.widens is (field in {"kind", "overlays", "zone", "zones", "holidays"})

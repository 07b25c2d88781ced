"""What changed between two versions of a pack: its words, what widens, and which open cases it concerns."""

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dueprocess.demand import expand
from dueprocess.law import Pack, parse_pack
from dueprocess.law.comparing.diff import Change, OpenCase, diff_packs, touches
from dueprocess.law.pack import (
    Reach,
    Rule,
    Tightening,
)
from dueprocess.law.parsing.packset import effective

FOLDER = Path(__file__).parent / "data" / "diff"
PACK, BASELINE, OVERLAY = (
    parse_pack((FOLDER / name).read_text(encoding="utf-8"), name)
    for name in ("law.toml", "baseline.toml", "ours.toml")
)
LAW = (FOLDER / "law.toml").read_text(encoding="utf-8")
GRAVE = '{ fact = "serious", is = [true], rule = "grave" }'
FIELDS = 'source = "act"\nsection = "1"\nbasis = "statute"\nfrom = 2020-01-01\n'


def put(pack: Pack, **facts: Any) -> Pack:
    """The pack with other facts, as if it were another file."""
    return replace(pack, sha256="0", **facts)


def edited(old: str, new: str) -> tuple[Change, ...]:
    assert LAW.count(old) >= 1
    return diff_packs(PACK, parse_pack(LAW.replace(old, new, 1), "law.toml"))


WIDER = [
    # (old, new, kind, a part of the sentence, widens)
    ('"traffic"], rule = "yes", purpose', '"traffic", "location"], rule = "yes", purpose', "instrument.reach",
     ("now reaches location only to identify someone if issued or validated by judge (rule judge, box wrong-service) "
     "if serious is yes (rule grave) (rule yes)"), True),
    ('by = ["judge"]', 'by = ["judge", "court"]', "instrument.reach",
     "reaches traffic on other terms: only to identify someone if issued or validated by court or judge", True),
    (', needs = [{ fact = "serious", is = [true], rule = "grave" }]', "", "instrument.reach", "on other terms", True),
    ('["subscriber"], rule = "yes"', ('["subscriber"], rule = "yes", needs = [{ fact = "serious", is = [true], '
     'rule = "grave" }]'), "instrument.reach", "subscriber.identity, subscriber.service, ", False),
    ('purpose = "identify", by', "by", "instrument.reach", "before: only to identify someone if issued", True),
    ('rule = "yes" }', 'rule = "yes", purpose = "identify" }', "instrument.reach",
     "on other terms: only to identify someone (rule yes); before: (rule yes)", False),
    ('needs = [{ fact = "serious", is = [true]', 'needs = [{ fact = "serious", is = [true, false]',
     "instrument.reach", "if serious is no or yes", True),
    ('issuers = ["court", "judge"]', 'issuers = ["court"]', "instrument.issuers",
     "may no longer be issued by: judge", False),
    ('issuers = ["court", "judge"]', 'issuers = ["court", "judge", "police"]', "instrument.issuers",
     "may now be issued by: police", True),
    ('"allowed_before_production"', '"delayed_until", settled = false', "instrument.notice",
     "telling the user: delayed until, not settled (rule tell), before: allowed before production (rule tell)", True),
    ('"allowed_before_production"', '"required"', "instrument.notice", "telling the user: required", False),
    ('is = ["mail", "chat"]', 'is = ["mail"]', "instrument.condition", ("only if service is mail (rule fits, box "
     "wrong-service), before only if service is chat or mail"), False),
    ('is = ["mail", "chat"]', 'is = ["mail", "chat", "forum"]', "instrument.condition", "only if", True),
    ("days = 10", "days = 12", "clock.length", ("12 days from the receipt, counted from the instant, a last day off "
     "moves to the next working day; before: 10 days"), True),
    ("days = 10", "days = 9", "clock.length", "9 days", False),
    ("days = 10", "working_days = 10", "clock.length", "10 working days", True),
    ("days = 10", 'weeks = 1\ncounting = "with_day"', "clock.length", "the day of the event counted", False),
    ("days = 10", 'days = 10\ncounting = "after_day"', "clock.length", "the day of the event not counted", True),
    ("roll = true", "roll = false", "clock.length", "10 days from the receipt, counted from the instant; ", False),
    ('starts = "received"', 'starts = "issued_on"', "clock.length", "10 days from the date of issue", True),
    ('roll = true\ncategories = ["traffic"]', "roll = true", "clock.clock", "runs for any demand now", False),
    ('categories = ["traffic"]\nwhen', 'categories = ["location"]\nwhen', "clock.clock", "runs for location", True),
    ('when = [{ fact = "serious", is = [true], rule = "late" }]\n', "", "clock.condition",
     "runs always, before unless serious is known to be other than yes", False),
    ('categories = ["traffic"], when', "when", "instrument.element", ("must show facts unless serious is known to be "
     "other than yes, before where traffic is demanded unless"), False),
    ('rule = "form", reason = "wrong-service" }', f'rule = "form", reason = "wrong-service", when = [{GRAVE}] }}',
     "instrument.element", "must show date unless serious is known to be other than yes, before always", True),
    (f", when = [{GRAVE}]", "", "instrument.element", "must show facts where traffic is demanded, before where", False),
    ('meaning = "the facts", rule = "form", categories = ["traffic"]',
     'meaning = "the facts", rule = "form", categories = ["traffic", "subscriber"]', "instrument.element",
     "must show facts where subscriber.identity", False),
    ('ceiling = "escalate_to_counsel"', 'ceiling = "permit_subset"', "instrument.ceiling",
     "the highest outcome is permit subset now, before escalate to counsel", True),
    ('clocks = ["x.due"]', "clocks = []", "instrument.clock", "clocks that do not run any more: x.due", True),
    ('text = "Law: yes."', 'text = "Law: yes, and no."', "rule.text", ("Rule yes: its text is now “Law: yes, and "
     "no.”, before “Law: yes.”."), False),
    ('version = "1"', 'version = "2"', "pack.version", "version 2, before 1", False),
    ("read_on = 2026-11-01", "read_on = 2026-11-20", "source.read", "Source act: was read on 2026-11-20 now", False),
    ("reviewed_on = 2026-11-01", "reviewed_on = 2026-11-20", "pack.review", ("reviewed by Counsel Fictional on 2026-11-"
     "20 now, before reviewed by Counsel Fictional on 2026-11-01"), False),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "kind", "words", "widens"), WIDER)
def test_each_change_is_a_sentence_and_says_whether_it_widens(
    old: str, new: str, kind: str, words: str, *, widens: bool
) -> None:
    """Reach that grows, a requirement that falls away and a date that may move later are marked; nothing else is."""
    changes = edited(old, new)
    change = next(each for each in changes if each.kind == kind)
    assert words in change.sentence
    assert change.widens is widens
    assert [each.widens for each in changes] == sorted((each.widens for each in changes), reverse=True)


def test_moved_dates_say_from_when_they_count() -> None:
    """A rule that ends counts from its end, one that begins earlier widens from its new beginning."""
    rule = f'[[rule]]\nid = "polite"\ntext = "Law: polite."\n{FIELDS}'
    ends = diff_packs(PACK, put(PACK, rules=_with_rule(until=dt.date(2027, 1, 1))))
    (end,) = (each for each in ends if each.kind == "rule.dates")
    assert end.sentence == "Rule polite: holds now until 2027-01-01, before without end."
    assert (end.since, end.widens, end.instruments) == (dt.date(2027, 1, 1), False, ("letter",))
    back = diff_packs(put(PACK, rules=_with_rule(until=dt.date(2027, 1, 1))), PACK)
    assert [(each.since, each.widens) for each in back if each.kind == "rule.dates"] == [
        (dt.date(2027, 1, 1), True)
    ]
    earlier = diff_packs(PACK, put(PACK, rules=_with_rule(since=dt.date(2019, 5, 1))))
    (begin,) = (each for each in earlier if each.kind == "rule.dates")
    assert begin.sentence == "Rule polite: holds from 2019-05-01 now, before from 2020-01-01."
    assert (begin.since, begin.widens) == (dt.date(2019, 5, 1), True)
    assert rule in LAW


def test_new_reach_counts_from_when_both_the_rule_and_the_paper_hold() -> None:
    """The later of the two beginnings is the date; what falls away has none of its own."""
    order = PACK.instruments[0]
    later = replace(order, rule=replace(order.rule, since=dt.date(2026, 6, 1)))
    wider = replace(later, reaches=(*later.reaches, Reach(expand(["location"]), "no")))
    one, other = put(PACK, instruments=(later,)), put(PACK, instruments=(wider,))
    (change,) = (each for each in diff_packs(one, other) if each.kind == "instrument.reach")
    assert change.since == dt.date(2026, 6, 1)
    assert change.sentence == "Instrument order: now reaches location (rule no)."
    rules = tuple(
        replace(each, since=dt.date(2027, 1, 1)) if each.id == "no" else each for each in PACK.rules
    )
    (dated,) = (each for each in diff_packs(one, put(other, rules=rules)) if each.kind == "instrument.reach")
    assert dated.since == dt.date(2027, 1, 1)
    (gone,) = (each for each in diff_packs(other, one) if each.kind == "instrument.reach")
    assert (gone.since, gone.sentence) == (None, "Instrument order: no longer reaches location.")


def _with_rule(**facts: Any) -> tuple[Rule, ...]:
    return tuple(replace(each, **facts) if each.id == "polite" else each for each in PACK.rules)


def test_a_second_version_of_a_rule_is_told_as_one() -> None:
    """Two versions side by side: the old one ends, the new one begins, and what rests on it holds for longer."""
    old = next(each for each in PACK.rules if each.id == "polite")
    first = replace(old, until=dt.date(2027, 1, 1))
    second = replace(old, since=dt.date(2027, 1, 1), text="Law: more polite.")
    rules = (*(each for each in PACK.rules if each.id != "polite"), first, second)
    told = [each for each in diff_packs(PACK, put(PACK, rules=rules)) if each.kind.startswith("rule")]
    assert [(each.kind, each.widens, each.since) for each in told] == [
        ("rule.added", True, dt.date(2027, 1, 1)),
        ("rule.dates", False, dt.date(2027, 1, 1)),
    ]
    assert told[0].sentence == (
        "Rule polite: is a further version: “Law: more polite.” [Act, 1 (source act, section 1, statute); from "
        "2027-01-01 without end]."
    )


def test_what_came_and_what_went_is_told_once_with_its_text() -> None:
    """A new kind of paper widens by what it reaches; one that went, and a law of silence, by what they are."""
    less = put(PACK, instruments=PACK.instruments[:1], nondisclosure=())
    new, gone = diff_packs(less, PACK), diff_packs(PACK, less)
    assert [(each.kind, each.instruments) for each in new if each.widens] == [
        ("nondisclosure.added", ("order",)),
        ("instrument.added", ("letter",)),
    ]
    added = next(each for each in new if each.kind == "instrument.added")
    assert added.sentence.startswith(
        "Instrument letter: is new: Letter, reaches subscriber.identity, subscriber.service, subscriber.payment, "
        "subscriber.number, issued by police. “A letter.” [Act, 1"
    )
    assert [each.kind for each in gone if each.widens] == []
    assert any(each.sentence.startswith("Instrument letter: is gone; it said: Letter, ") for each in gone)
    quiet = replace(PACK.instruments[1], reaches=())
    silent = put(PACK, instruments=(PACK.instruments[0], quiet))
    assert [each.widens for each in diff_packs(less, silent) if each.kind == "instrument.added"] == [False]
    assert any(
        "letter: is new: Letter, reaches nothing" in each.sentence for each in diff_packs(less, silent)
    )


def test_another_order_is_told_and_says_that_it_says_the_same() -> None:
    """The order of findings may differ then, so that it is not passed over in silence."""
    paper = PACK.instruments[0]
    turned = replace(paper, elements=paper.elements[::-1])
    changes = diff_packs(PACK, put(PACK, instruments=(turned, PACK.instruments[1])))
    assert [each.sentence for each in changes if each.kind == "instrument.order"] == [
        "Instrument order: is written in another way or order, and says the same."
    ]
    clocks = put(PACK, clocks=PACK.clocks[::-1])
    assert [each.kind for each in diff_packs(PACK, clocks)] == ["pack.version"]


def test_long_texts_are_cut() -> None:
    """A change is read beside the pack, not in place of it."""
    (change,) = (each for each in edited("Law: yes.", "Law: " + "long " * 100) if each.kind == "rule.text")
    assert " …”, before “Law: yes.”." in change.sentence
    assert len(change.sentence) < 500


# ---------------------------------------------------------------- baseline, overlays, open cases


def test_a_flag_that_falls_away_from_the_baseline_touches_every_paper() -> None:
    """The baseline is used with every pack, so that its changes concern each open case."""
    less = put(BASELINE, flags=(), floor=None)
    changes = diff_packs(BASELINE, less)
    assert [(each.kind, each.every, each.pack) for each in changes if each.widens] == [
        ("floor.floor", True, ""),
        ("flag.removed", True, ""),
    ]
    case = OpenCase("C-1", "yy", "anything")
    assert touches(changes, [case]) == ((case, tuple(each for each in changes if each.every)),)


def test_what_an_overlay_adds_no_longer_widens_its_papers() -> None:
    """One sentence for all the papers that it was added to; the law that they belong to stands in the overlay."""
    changes = diff_packs(OVERLAY, put(OVERLAY, tightenings=()))
    told = {each.kind: each for each in changes}
    assert {each.kind for each in changes if each.widens} == {
        "overlay.never", "overlay.element", "overlay.condition", "overlay.issuers", "overlay.notice",
    }  # fmt: skip
    assert told["overlay.never"].sentence == (
        "Overlay on letter, order: never reaches traffic: no rule now, before rules ours."
    )
    assert told["overlay.issuers"].sentence.endswith("of the issuers remain all, before court, police.")
    assert told["overlay.notice"].sentence.endswith(
        "telling the user: as the pack says, before: required (rule ours)."
    )
    assert all(each.instruments == ("letter", "order") for each in changes if each.widens)
    assert all(not each.pack for each in changes)


def test_overlays_that_overlap_are_compared_as_what_they_add_together() -> None:
    """Two entries for one paper: the issuers that both leave remain."""
    (first,) = OVERLAY.tightenings
    second = Tightening(("order",), issuers=frozenset({"court"}), issuers_rule="ours")
    changes = diff_packs(OVERLAY, put(OVERLAY, tightenings=(first, second)))
    (change,) = (each for each in changes if each.kind == "overlay.issuers")
    assert change.sentence == "Overlay on order: of the issuers remain court, before court, police."
    assert not change.widens


def test_a_pack_without_its_overlay_is_wider() -> None:
    """Compared as they apply, the overlay is named and what it took away is told."""
    (first,) = OVERLAY.tightenings
    ours = put(OVERLAY, tightenings=(replace(first, instruments=("order",), issuers=frozenset({"court"})),))
    (over,) = effective([PACK, ours])
    changes = diff_packs(over, PACK)
    told = {each.kind: each.sentence for each in changes if each.widens}
    assert told["pack.layer"] == "Pack xx.law: is no longer under the overlay: ours 1."
    assert "now reaches traffic" in told["instrument.reach"]
    assert "need no longer show stamp: a stamp" in told["instrument.element"]
    assert all(each.pack == "xx.law" for each in changes)


def test_only_open_cases_that_a_change_concerns_are_picked() -> None:
    """By law, paper and category; where the categories are not known, rather one case too many."""
    changes = [
        each for each in edited('by = ["judge"]', 'by = ["judge", "court"]') if each.kind != "pack.version"
    ]
    known = expand(["traffic"])
    inside = [
        OpenCase("C-1", "xx", "order", known),
        OpenCase("C-2", "xx.law", "order", known),
        OpenCase("C-3", "xx", "order"),
    ]
    outside = [
        OpenCase("C-4", "xx", "letter", known),
        OpenCase("C-5", "x", "order", known),
        OpenCase("C-6", "xx", "order", expand(["location"])),
    ]
    assert touches(changes, [*outside, *inside]) == tuple((each, tuple(changes)) for each in inside)
    assert touches((), inside) == ()

"""Which packs are in force: by two people, none invented, none replayed, never without the baseline."""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cases.story import ANA, BORIS, CHI, DANA, ORIGIN, START, Person
from dueprocess.cases.events import FIRST, Event
from dueprocess.cases.logrules import VERDICTS
from dueprocess.cases.packrules import (
    PACK_VERDICTS,
    PackRules,
    activation_document,
    retirement_document,
    with_pack_event,
)
from dueprocess.cases.rosters import fold_log_rules, fold_packs, fold_rosters, roster_stream
from dueprocess.errors import DueprocessError
from dueprocess.roster import STAFF_ROLES, entry_document, founding_digest
from dueprocess.tlog.note import make_vkey
from dueprocess.tlog.policy import format_policy
from dueprocess.wire import Json, b64, instant, sha256, sha256_hex

HOUR = dt.timedelta(hours=1)
NONCE = b64(bytes(32))
ONE, TWO, FLOOR, FLOOR_2 = (sha256_hex(name) for name in (b"one", b"two", b"floor", b"floor 2"))


def _paper(who: Person, roles: tuple[str, ...] = STAFF_ROLES) -> dict[str, Json]:
    return entry_document(
        "staff",
        who.name,
        public_key=b64(who.public),
        credential=who.credential,
        roles=roles,
        about={},
        nonce=NONCE,
    )


FOUNDERS = [_paper(BORIS), _paper(CHI)]
ROOT = founding_digest(FOUNDERS)

type Step = tuple[str, Mapping[str, Json]]


def _by(kind: str, document: Mapping[str, Any], *signers: Person, **word: Any) -> Step:
    made: dict[str, Json] = dict(document)
    verdict = word.pop("verdict", {**VERDICTS, **PACK_VERDICTS, "Enrolled": "enrol"}[kind])
    given = [who.sign(made, verdict, **word).as_json() for who in signers or (BORIS, CHI)]
    return kind, {"document": made, "signatures": list[Json](given)}


def on(pack: str, sha256: str, number: int, *signers: Person, **word: Any) -> Step:
    """The pack comes in force."""
    document = activation_document(pack, "2026.11.22", sha256, origin=ORIGIN, number=number, nonce=NONCE)
    return _by("PackActivated", {**document, **word.pop("changed", {})}, *signers, **word)


def off(pack: str, sha256: str, number: int, *signers: Person, **word: Any) -> Step:
    """The pack ends."""
    document = retirement_document(pack, sha256, origin=ORIGIN, number=number, nonce=NONCE)
    return _by("PackRetired", {**document, **word.pop("changed", {})}, *signers, **word)


BASE = on("baseline", FLOOR, 1)


def _events(*steps: Step) -> list[Event]:
    """The founding and then these, an hour apart."""
    signed: list[Json] = [
        [who.sign(paper, "enrol", role="founder").as_json() for who in (BORIS, CHI)] for paper in FOUNDERS
    ]
    founded: dict[str, Json] = {"documents": list[Json](FOUNDERS), "signatures": signed}
    prev, events = FIRST, []
    for number, (kind, body) in enumerate([("Founded", founded), *steps], start=1):
        at = instant(START + (number - 1) * HOUR)
        events.append(Event(roster_stream(ORIGIN), number, kind, 1, body, "init", at, prev))
        prev = events[-1].sha256
    return events


def _fold(*steps: Step) -> PackRules:
    return fold_packs(_events(*steps), origin=ORIGIN, root=ROOT)


def _code(*steps: Step) -> str:
    with pytest.raises(DueprocessError) as caught:
        _fold(*steps)
    return caught.value.code


def _active(rules: PackRules) -> dict[str, str]:
    return {each.id: each.sha256 for each in rules.active}


def test_there_is_no_law_before_two_people_say_so() -> None:
    """Nothing is in force by itself."""
    assert _fold() == PackRules()
    assert (_fold().active, _fold().next_number) == ((), 1)


def test_packs_are_activated_replaced_and_retired_in_order() -> None:
    """What is in force is what the last decision on each id says; all that ever was stays in the history."""
    rules = _fold(
        BASE, on("us.sca", ONE, 2), on("us.sca", TWO, 3), on("baseline", FLOOR_2, 4), off("us.sca", TWO, 5)
    )
    assert _active(rules) == {"baseline": FLOOR_2}
    assert rules.next_number == 6
    told = [(each.id, each.sha256, each.event, each.since, each.until) for each in rules.history]
    assert told == [
        ("baseline", FLOOR, 2, START + HOUR, START + 4 * HOUR),
        ("us.sca", ONE, 3, START + 2 * HOUR, START + 3 * HOUR),
        ("us.sca", TWO, 4, START + 3 * HOUR, START + 5 * HOUR),
        ("baseline", FLOOR_2, 5, START + 4 * HOUR, None),
    ]
    assert rules.of("us.sca") is None
    found = rules.of("baseline")
    assert found is not None
    assert (found.version, found.sha256) == ("2026.11.22", FLOOR_2)


def test_what_was_in_force_when_can_be_asked_later() -> None:
    """From its activation to its end, both seconds included; never content that nobody activated."""
    rules = _fold(BASE, on("us.sca", ONE, 2), on("us.sca", TWO, 3))
    hours = [n for n in range(6) if rules.was_active(ONE, START + n * HOUR)]
    assert hours == [2, 3]
    assert [n for n in range(6) if rules.was_active(TWO, START + n * HOUR)] == [3, 4, 5]
    assert not rules.was_active(FLOOR_2, START + 5 * HOUR)
    assert [n for n in range(3) if rules.began(START + n * HOUR)] == [1, 2]
    assert not _fold().began(START + 5 * HOUR)


def test_a_retired_pack_can_come_back_by_a_new_decision() -> None:
    """Two people may change their mind; the old decision alone does not do it."""
    assert _active(_fold(BASE, on("x", ONE, 2), off("x", ONE, 3), on("x", ONE, 4)))["x"] == ONE
    assert _code(BASE, on("x", ONE, 2), off("x", ONE, 3), on("x", ONE, 2)) == "wrong-number"


REFUSED: dict[str, tuple[str, tuple[Step, ...]]] = {
    "the baseline first": ("baseline-first", (on("us.sca", ONE, 1),)),
    "the same content twice": ("pack-active", (BASE, on("us.sca", ONE, 2), on("us.sca", ONE, 3))),
    "the end of the baseline": ("baseline-stays", (BASE, off("baseline", FLOOR, 2))),
    "the end of what is not in force": ("pack-not-active", (BASE, off("us.sca", ONE, 2))),
    "the end of other content": ("pack-not-active", (BASE, on("us.sca", ONE, 2), off("us.sca", TWO, 3))),
    "a number too high": ("wrong-number", (on("baseline", FLOOR, 2),)),
    "a number again": ("wrong-number", (BASE, BASE)),
    "a number that is none": ("wrong-number", (on("baseline", FLOOR, 1, changed={"number": True}),)),
    "another installation": (
        "other-installation",
        (on("baseline", FLOOR, 1, changed={"origin": "o.example"}),),
    ),
    "another version of the format": ("bad-pack-decision", (on("baseline", FLOOR, 1, changed={"v": 2}),)),
    "an unknown key": ("bad-pack-decision", (on("baseline", FLOOR, 1, changed={"more": 1}),)),
    "an id with a space": ("bad-pack-decision", (on("base line", FLOOR, 1),)),
    "an id that is none": ("bad-pack-decision", (on("baseline", FLOOR, 1, changed={"pack": 7}),)),
    "a digest cut short": ("bad-pack-decision", (on("baseline", FLOOR[:-1], 1),)),
    "a version with a newline": (
        "bad-pack-decision",
        (on("baseline", FLOOR, 1, changed={"version": "1\n"}),),
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_decided_about_packs(name: str) -> None:
    """Each has its own word."""
    code, steps = REFUSED[name]
    assert _code(*steps) == code


SIGNED: dict[str, Callable[..., Step]] = {
    "PackActivated": lambda *signers, **word: on("us.sca", TWO, 3, *signers, **word),
    "PackRetired": lambda *signers, **word: off("us.sca", ONE, 3, *signers, **word),
}


@pytest.mark.parametrize("kind", SIGNED)
def test_each_decision_needs_two_known_people_in_a_deciding_role(kind: str) -> None:
    """One person, one twice, a stranger, whoever only takes papers in, another verdict, another installation."""
    ana = _by("Enrolled", _paper(ANA, ("intake",)))
    late = [BASE, on("us.sca", ONE, 2), ana]
    make = SIGNED[kind]
    assert _fold(*late, make()).decisions == 3
    tried = {
        "two-people": [make(BORIS), make(BORIS, BORIS)],
        "unknown-signer": [make(BORIS, DANA), make(DANA, Person("eve"))],
        "wrong-role": [make(BORIS, CHI, role="intake"), make(BORIS, CHI, role="founder")],
        "wrong-verdict": [make(verdict=verdict) for verdict in ("policy", "enrol", _other(kind))],
        "bad-signature": [make(origin="other.example/dueprocess/1")],
        "signer-inactive": [make(BORIS, ANA)],
    }
    for code, steps in tried.items():
        for step in steps:
            assert _code(*late, step) == code
            with pytest.raises(
                DueprocessError
            ):  # whoever reads the stream for another reason is not fooled either
                fold_rosters(_events(*late, step), origin=ORIGIN, root=ROOT)


def _other(kind: str) -> str:
    return "retire" if kind == "PackActivated" else "activate"


def test_a_signed_document_is_exactly_what_was_signed() -> None:
    """Another digest under the same signatures is not what two people read."""
    kind, body = on("baseline", FLOOR, 1)
    document: Any = body["document"]
    swapped: dict[str, Json] = {**body, "document": {**document, "sha256": FLOOR_2}}
    assert _code((kind, swapped)) == "bad-signature"


def test_the_log_goes_on_under_its_rules_whatever_packs_do() -> None:
    """Decisions about packs change no policy and no roster, but stand in the same checked stream."""
    key = make_vkey(ORIGIN, sha256(b"log")[:32])
    policy = format_policy([key])
    steps = (BASE, on("us.sca", ONE, 2))
    assert fold_log_rules(_events(*steps), origin=ORIGIN, root=ROOT, policy=policy).newest.number == 1
    assert len(fold_rosters(_events(*steps), origin=ORIGIN, root=ROOT).entries) == 2


_DECISIONS = st.lists(
    st.tuples(
        st.sampled_from(("on", "off")), st.sampled_from(("baseline", "a", "b")), st.sampled_from((ONE, TWO))
    ),
    max_size=12,
)


@settings(max_examples=40, deadline=None)
@given(_DECISIONS)
def test_whatever_is_decided_the_baseline_is_under_it(decisions: list[tuple[str, str, str]]) -> None:
    """At most one content an id, the baseline among them, and each history row ends after it began."""
    rules, at = PackRules(), START
    for verb, pack, digest in decisions:
        kind, body = (on if verb == "on" else off)(pack, digest, rules.next_number)
        event = Event(roster_stream(ORIGIN), 1, kind, 1, body, "x", instant(at), FIRST)
        at += HOUR
        try:
            rules = with_pack_event(rules, event, origin=ORIGIN)
        except DueprocessError:
            continue
        ids = [each.id for each in rules.active]
        assert len(set(ids)) == len(ids)
        assert "baseline" in ids
        assert all(each.until is None or each.since < each.until for each in rules.history)

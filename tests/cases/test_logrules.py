"""What two people decided about the log: nobody alone, nobody invented, not for another log, not too early or long."""

import contextlib
import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from cases.story import ANA, BORIS, CHI, DANA, ORIGIN, START, Person
from dueprocess.cases.events import FIRST, Event
from dueprocess.cases.logrules import (
    VERDICTS,
    LogRules,
    Recovery,
    Waiver,
    founding_rules,
    policy_document,
    recovery_document,
    waiver_document,
)
from dueprocess.cases.rosters import fold_log_rules, fold_rosters, roster_stream
from dueprocess.errors import DueprocessError, MalformedError, RefusedError
from dueprocess.roster import STAFF_ROLES, entry_document, founding_digest
from dueprocess.tlog.note import COSIGNATURE, Vkey, make_vkey
from dueprocess.tlog.policy import Witness, format_policy
from dueprocess.wire import Json, b64, instant, sha256

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
NONCE = b64(bytes(32))


def _vkey(name: str, seed: str, *, algorithm: int | None = None) -> Vkey:
    key = Ed25519PrivateKey.from_private_bytes(sha256(seed.encode())).public_key()
    raw = key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return make_vkey(name, raw) if algorithm is None else make_vkey(name, raw, algorithm=algorithm)


LOG, SECOND = _vkey(ORIGIN, "log"), _vkey(ORIGIN, "second")


def _witness(name: str, url: str | None = "https://w.example/") -> Witness:
    return Witness(name, _vkey(f"{name}.example", name, algorithm=COSIGNATURE), url)


ALONE = format_policy([LOG, SECOND])
WITNESSED = format_policy([LOG, SECOND], [_witness("w1")], need=1)


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

type Step = tuple[str, Mapping[str, Json], dt.timedelta]
"""Kind and body of an event, and how long after the founding."""


def _events(*steps: Step) -> list[Event]:
    signed: list[Json] = [
        [who.sign(paper, "enrol", role="founder").as_json() for who in (BORIS, CHI)] for paper in FOUNDERS
    ]
    founded: dict[str, Json] = {"documents": list[Json](FOUNDERS), "signatures": signed}
    prev, events = FIRST, []
    for number, (kind, body, after) in enumerate([("Founded", founded, 0 * DAY), *steps], start=1):
        event = Event(roster_stream(ORIGIN), number, kind, 1, body, "init", instant(START + after), prev)
        events.append(event)
        prev = event.sha256
    return events


def _rules(*steps: Step, policy: bytes = WITNESSED) -> LogRules:
    return fold_log_rules(_events(*steps), origin=ORIGIN, root=ROOT, policy=policy)


def _code(*steps: Step, policy: bytes = WITNESSED) -> str:
    with pytest.raises(DueprocessError) as caught:
        _rules(*steps, policy=policy)
    return caught.value.code


def _by(kind: str, document: Mapping[str, Any], *signers: Person, **word: Any) -> dict[str, Json]:
    made: dict[str, Json] = dict(document)
    chosen = signers or (BORIS, CHI)
    return {
        "document": made,
        "signatures": [who.sign(made, VERDICTS[kind], **word).as_json() for who in chosen],
    }


def _changed(
    policy: bytes, number: int = 2, after: dt.timedelta = DAY, *signers: Person, **word: Any
) -> Step:
    document = policy_document(origin=ORIGIN, number=number, policy=policy, nonce=NONCE)
    return "PolicyChanged", _by("PolicyChanged", document, *signers, **word), after


def _waiver(after: dt.timedelta = DAY, *, days: float = 7, last: dt.timedelta | None = None) -> Waiver:
    since = START + after
    seen = START + last if last is not None else None
    return Waiver(since, since + dt.timedelta(days=days), 9, seen)


def _waived(waiver: Waiver, after: dt.timedelta = DAY, *signers: Person, **word: Any) -> Step:
    document = waiver_document(waiver, origin=ORIGIN, nonce=NONCE)
    return "WitnessesWaived", _by("WitnessesWaived", document, *signers, **word), after


RECOVERY = Recovery(database_size=5, log_size=9, root="a" * 64, lost=(100, 103))


def _recovered(
    recovery: Recovery = RECOVERY, after: dt.timedelta = DAY, *signers: Person, **changes: Json
) -> Step:
    document = {**recovery_document(recovery, origin=ORIGIN, nonce=NONCE), **changes}
    return "LogRecovered", _by("LogRecovered", document, *signers), after


# ------------------------------------------------------------------ what holds


def test_the_pinned_policy_is_in_force_until_two_people_change_it() -> None:
    """Number 1 is the founding one; each change counts one up and the older ones stay known."""
    rules = _rules(_changed(WITNESSED), _changed(ALONE, 3, 2 * DAY), policy=ALONE)
    assert [each.number for each in rules.policies] == [1, 2, 3]
    assert [each.text for each in rules.policies] == [ALONE, WITNESSED, ALONE]
    assert [each.event for each in rules.policies] == [0, 2, 3]
    assert [each.since for each in rules.policies] == [START, START + DAY, START + 2 * DAY]
    assert rules.policy == rules.policies[-1].policy
    assert _rules(policy=ALONE).newest.text == ALONE


def test_before_anything_happened_only_the_pins_hold() -> None:
    """Without a single event the pinned policy counts, since no known time."""
    rules = fold_log_rules([], origin=ORIGIN, root=ROOT, policy=ALONE)
    assert rules == founding_rules(ALONE)
    assert rules.recovery is None
    assert not rules.waived(START)


def test_a_waiver_holds_for_its_span_alone() -> None:
    """From its first instant to before its end, not a second longer."""
    rules = _rules(_waived(_waiver()))
    assert [rules.waived(START + at) for at in (DAY - HOUR, DAY, 8 * DAY - HOUR, 8 * DAY)] == [
        False, True, True, False,
    ]  # fmt: skip
    assert rules.waiver is not None
    assert rules.waiver.event == 2


def test_a_waiver_names_the_epochs_that_it_covers() -> None:
    """Both ends included; an end on an epoch's border does not take the next one."""
    waiver = Waiver(START, START + 2 * HOUR, 9, None)
    first, last = waiver.epochs(3600)
    assert (last - first, first) == (1, int(START.timestamp()) // 3600)


def test_a_new_policy_ends_the_waiver_of_the_old_one() -> None:
    """Whoever names other witnesses begins to wait for them anew."""
    other = format_policy([LOG, SECOND], [_witness("w2")], need=1)
    rules = _rules(_waived(_waiver()), _changed(other, 2, 2 * DAY))
    assert rules.waiver is None
    assert not rules.waived(START + 3 * DAY)


def test_a_recovery_is_remembered_with_what_was_lost() -> None:
    """The newest one counts; without lost epochs it names none."""
    none = Recovery(7, 9, "b" * 64, None)
    rules = _rules(_recovered(), _recovered(none, 2 * DAY))
    assert rules.recoveries[0] == Recovery(5, 9, "a" * 64, (100, 103), 2)
    assert rules.recovery == Recovery(7, 9, "b" * 64, None, 3)


# ------------------------------------------------------------------ who decided


DECISIONS: dict[str, Callable[..., Step]] = {
    "PolicyChanged": lambda *signers, **word: _changed(ALONE, 2, DAY, *signers, **word),
    "WitnessesWaived": lambda *signers, **word: _waived(_waiver(), DAY, *signers, **word),
    "LogRecovered": lambda *signers, **_: _recovered(RECOVERY, DAY, *signers),
}


@pytest.mark.parametrize("kind", DECISIONS)
def test_nobody_decides_about_the_log_alone(kind: str) -> None:
    """One person, one person twice, and two invented people decide nothing; the rosters say so too."""
    eve, mallory = Person("eve"), Person("mallory")
    for signers, code in (
        ((BORIS,), "two-people"),
        ((BORIS, BORIS), "two-people"),
        ((eve, mallory), "unknown-signer"),
        ((BORIS, mallory), "unknown-signer"),
    ):
        step = DECISIONS[kind](*signers)
        assert _code(step) == code
        with pytest.raises(DueprocessError) as caught:
            fold_rosters(_events(step), origin=ORIGIN, root=ROOT)
        assert caught.value.code == code


@pytest.mark.parametrize("kind", ["PolicyChanged", "WitnessesWaived"])
def test_only_who_decides_disclosures_decides_about_the_log(kind: str) -> None:
    """Signed as intake, or by somebody who only takes papers in, it is refused."""
    assert _code(DECISIONS[kind](role="intake")) == "wrong-role"
    ana: Step = ("Enrolled", {
        "document": _paper(ANA, ("intake",)),
        "signatures": [who.sign(_paper(ANA, ("intake",)), "enrol").as_json() for who in (BORIS, CHI)],
    }, 0 * DAY)  # fmt: skip
    late = _changed(ALONE, 2, 2 * DAY, BORIS, ANA)
    assert _code(ana, late) == "wrong-role"


def test_a_new_colleague_decides_about_the_log_after_the_cooling_off() -> None:
    """Dana is enrolled; 23 hours later her word does not count, 24 hours later it does."""
    paper = _paper(DANA)
    enrolled: Step = ("Enrolled", {
        "document": paper, "signatures": [who.sign(paper, "enrol").as_json() for who in (BORIS, CHI)],
    }, 0 * DAY)  # fmt: skip
    assert _code(enrolled, _changed(ALONE, 2, 23 * HOUR, BORIS, DANA)) == "signer-inactive"
    assert _rules(enrolled, _changed(ALONE, 2, 24 * HOUR, BORIS, DANA)).newest.number == 2


def test_words_given_for_another_log_count_here_for_nothing() -> None:
    """The origin is in the signed bytes and in the document."""
    assert _code(_changed(ALONE, 2, DAY, BORIS, CHI, origin="other.example/dueprocess/1")) == "bad-signature"
    other = policy_document(origin="other.example/dueprocess/1", number=2, policy=ALONE, nonce=NONCE)
    assert _code(("PolicyChanged", _by("PolicyChanged", other), DAY)) == "other-log"


def test_a_decision_is_not_replayed_as_another() -> None:
    """Each verdict means one thing: a policy signed is no waiver, and an enrolment no policy."""
    kind, body, after = _changed(ALONE)
    assert _code(("WitnessesWaived", body, after)) == "wrong-verdict"
    assert kind == "PolicyChanged"


# ------------------------------------------------------------------ what was decided


def test_a_policy_keeps_the_logs_own_keys() -> None:
    """One missing, a foreign one more, none at all, or the log of somebody else: refused."""
    stranger = _vkey("other.example/dueprocess/1", "stranger")
    intruder = _vkey(ORIGIN, "intruder")
    for keys in ([LOG], [LOG, SECOND, intruder], [LOG, intruder], [LOG, SECOND, stranger], [stranger]):
        assert _code(_changed(format_policy(keys))) == "other-log-keys"


def test_a_witness_that_nobody_can_ask_is_refused() -> None:
    """Its address stands in its line."""
    assert _code(_changed(format_policy([LOG, SECOND], [_witness("w1", None)], need=1))) == "no-address"


def test_a_policy_that_was_replaced_cannot_be_played_again() -> None:
    """Numbers go up by one."""
    assert _code(_changed(ALONE, 3)) == "wrong-number"
    assert _code(_changed(ALONE), _changed(ALONE, 2, 2 * DAY)) == "wrong-number"
    assert _code(_changed(ALONE, 1)) == "wrong-number"


def test_a_text_that_is_no_policy_is_refused() -> None:
    """It is parsed before it counts, and it is text."""
    assert _code(_changed(b"log nonsense\n")) != "two-people"
    with pytest.raises(MalformedError) as caught:
        policy_document(origin=ORIGIN, number=2, policy=b"\xff\n", nonce=NONCE)
    assert caught.value.code == "not-utf8"


def test_nobody_waives_witnesses_that_nobody_asks_for() -> None:
    """Under `quorum none` there is nothing to waive."""
    assert _code(_waived(_waiver()), policy=ALONE) == "no-quorum-needed"


@pytest.mark.parametrize(
    ("waiver", "after", "code"),
    [
        (_waiver(2 * DAY, last=DAY + HOUR), 2 * DAY, "witnesses-seen"),
        (_waiver(23 * HOUR), 23 * HOUR, "witnesses-seen"),
        (_waiver(DAY, days=7.1), DAY, "bad-span"),
        (_waiver(DAY, days=0), DAY, "bad-span"),
        (_waiver(3 * DAY), DAY, "bad-span"),
        (_waiver(DAY), 8 * DAY, "bad-span"),
    ],
)
def test_a_waiver_comes_after_a_day_and_lasts_a_week(waiver: Waiver, after: dt.timedelta, code: str) -> None:
    """Witnesses seen an hour ago, an installation of today, eight days, no time, for later, and for the past."""
    assert _code(_waived(waiver, after)) == code


def test_a_waiver_counts_from_when_the_witnesses_were_last_seen() -> None:
    """Exactly 24 hours after it is early enough."""
    assert _rules(_waived(_waiver(2 * DAY, last=DAY), 2 * DAY)).waived(START + 2 * DAY)


def test_the_day_without_witnesses_counts_from_when_a_policy_first_asked_for_them() -> None:
    """A log that had no witnesses for years does not skip the wait when it names some."""
    asked = _changed(WITNESSED, 2, 3 * DAY)
    soon, late = _waiver(3 * DAY + HOUR), _waiver(4 * DAY)
    assert _code(asked, _waived(soon, 3 * DAY + HOUR), policy=ALONE) == "witnesses-seen"
    assert _rules(asked, _waived(late, 4 * DAY), policy=ALONE).waived(START + 4 * DAY)


@pytest.mark.parametrize(
    "changes",
    [
        {"root": "no root"},
        {"database_size": 10},
        {"database_size": -1},
        {"database_size": "5"},
        {"log_size": True},
        {"lost_from_e": 104},
        {"lost_from_e": None},
        {"v": 2},
        {"more": 1},
    ],
)
def test_a_recovery_that_cannot_be_is_refused(changes: dict[str, Json]) -> None:
    """Sizes, root and span are what they say, whoever signed."""
    with pytest.raises(MalformedError):
        _rules(_recovered(RECOVERY, DAY, **changes))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


@given(kind=st.sampled_from(sorted(VERDICTS)), field=st.integers(0, 7), value=JSON)
@settings(max_examples=200, deadline=None)
def test_whatever_two_people_sign_is_read_or_refused(kind: str, field: int, value: Json) -> None:
    """Any value in any field gives rules, or a refusal in our own words."""
    signed: Any = DECISIONS[kind](BORIS, CHI)[1]["document"]
    document: dict[str, Json] = dict(signed)
    document[sorted(document)[field % len(document)]] = value
    with contextlib.suppress(RefusedError, MalformedError):
        _rules((kind, _by(kind, document), DAY))

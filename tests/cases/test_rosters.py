"""The rosters of an installation from their events: a row without the founders' chain gives no power."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from cases.story import ANA, BORIS, CHI, DANA, ORIGIN, START, Person
from dueprocess.cases.events import FIRST, Event
from dueprocess.cases.rosters import fold_rosters, roster_stream
from dueprocess.errors import BrokenError, DueprocessError, RefusedError
from dueprocess.roster import STAFF_ROLES, Roster, Verdict, entry_document, founding_digest
from dueprocess.wire import Json, b64, instant

STREAM = roster_stream(ORIGIN)
DAY = dt.timedelta(days=1)


def _paper(who: Person, roles: tuple[str, ...] = STAFF_ROLES, **changes: Any) -> dict[str, Json]:
    made = entry_document(
        "staff", who.name, public_key=b64(who.public), credential=who.credential, roles=roles, about={},
        nonce=b64(bytes(32)),
    )  # fmt: skip
    return {**made, **changes}


FOUNDERS = [_paper(BORIS), _paper(CHI)]
ROOT = founding_digest(FOUNDERS)


def _founded() -> dict[str, Json]:
    signed: list[Json] = [
        [who.sign(paper, "enrol", role="founder").as_json() for who in (BORIS, CHI)] for paper in FOUNDERS
    ]
    return {"documents": list[Json](FOUNDERS), "signatures": signed}


def _change(document: dict[str, Json], verdict: Verdict, *signers: Person, **word: Any) -> dict[str, Json]:
    return {
        "document": document,
        "signatures": [who.sign(document, verdict, **word).as_json() for who in signers],
    }


def _end(who: Person, verdict: str) -> dict[str, Json]:
    return {"v": 1, "verdict": verdict, "credential": who.credential, "nonce": ""}


def _told(*steps: tuple[str, Mapping[str, Json]], stream: str = STREAM) -> list[Event]:
    """Roster events a day apart, the founding first."""
    prev, events = FIRST, []
    for number, (kind, body) in enumerate([("Founded", _founded()), *steps], start=1):
        at = instant(START + (number - 1) * DAY)
        events.append(Event(stream, number, kind, 1, body, "init", at, prev))
        prev = events[-1].sha256
    return events


def _fold(*steps: tuple[str, Mapping[str, Json]]) -> Roster:
    return fold_rosters(_told(*steps), origin=ORIGIN, root=ROOT)


def _code(*steps: tuple[str, Mapping[str, Json]]) -> str:
    with pytest.raises(DueprocessError) as caught:
        _fold(*steps)
    return caught.value.code


def test_each_installation_has_its_own_stream() -> None:
    """The stream's id follows from the origin alone, 32 hex digits."""
    assert len(STREAM) == 32
    assert roster_stream("other.example/dueprocess/1") != STREAM


def test_people_are_founded_enrolled_suspended_and_revoked_in_order() -> None:
    """Each change counts from its own event on."""
    found = _fold(
        ("Enrolled", _change(_paper(DANA), "enrol", BORIS, CHI)),
        ("Suspended", _change(_end(CHI, "suspend"), "suspend", BORIS, CHI)),
        ("Enrolled", _change(_paper(ANA, ("intake",)), "enrol", BORIS, DANA)),
        ("Revoked", _change(_end(BORIS, "revoke"), "revoke", BORIS, DANA)),
    )
    at = START + 9 * DAY
    assert {entry.id for entry in found.entries.values() if entry.active(at)} == {"ana", "dana"}


def test_replaying_the_founding_brings_nobody_back() -> None:
    """A copy of the first event, signatures and all, would undo every revocation: it is broken."""
    revoked = ("Revoked", _change(_end(CHI, "revoke"), "revoke", BORIS, CHI))
    assert not _fold(revoked).entries[CHI.credential].active(START + 9 * DAY)
    assert _code(revoked, ("Founded", _founded())) == "founded-twice"


def test_replaying_an_enrolment_brings_nobody_back() -> None:
    """A revoked key stays in the roster, so its old enrolment fits no more."""
    enrolled = ("Enrolled", _change(_paper(DANA), "enrol", BORIS, CHI))
    revoked = ("Revoked", _change(_end(DANA, "revoke"), "revoke", BORIS, CHI))
    assert _code(enrolled, revoked, enrolled) == "credential-known"


def test_rows_that_an_administrator_adds_give_no_power() -> None:
    """Two invented approvers, with keys of their own making that sign for each other, are unknown signers."""
    eve, mallory = Person("eve"), Person("mallory")
    assert _code(("Enrolled", _change(_paper(eve), "enrol", eve, mallory))) == "unknown-signer"
    assert _code(("Enrolled", _change(_paper(eve), "enrol", BORIS, mallory))) == "unknown-signer"
    invented: dict[str, Json] = {"documents": [_paper(eve), _paper(mallory)], "signatures": []}
    first = replace(_told()[0], body=invented)
    with pytest.raises(BrokenError, match="not those that this program was set up with"):
        fold_rosters([first], origin=ORIGIN, root=ROOT)


def test_one_person_with_two_invented_names_is_still_one_signature_short() -> None:
    """Boris cannot enrol a second self: his own word counts once."""
    assert _code(("Enrolled", _change(_paper(DANA), "enrol", BORIS, BORIS))) == "two-people"


def test_the_word_over_an_event_must_be_the_one_that_was_signed() -> None:
    """A suspension cannot be written down as a revocation: the public log would tell a lie."""
    assert _code(("Revoked", _change(_end(CHI, "suspend"), "suspend", BORIS, CHI))) == "wrong-stream"
    assert _code(("Suspended", _change(_end(CHI, "revoke"), "revoke", BORIS, CHI))) == "wrong-stream"


def test_an_event_of_a_case_is_none_of_a_roster() -> None:
    """The two kinds of stream do not mix."""
    assert _code(("DemandReceived", {
        "paper_sha256": "0" * 64, "order_ref": "0" * 64, "channel": "mail", "media": "x", "bytes": 1,
    })) == "wrong-stream"  # fmt: skip


@pytest.mark.parametrize("place", [0, 1])
def test_a_roster_with_a_row_removed_or_changed_is_broken(place: int) -> None:
    """Deleting a revocation from the middle breaks the links of the stream."""
    events = _told(
        ("Revoked", _change(_end(CHI, "revoke"), "revoke", BORIS, CHI)),
        ("Enrolled", _change(_paper(DANA), "enrol", BORIS, CHI)),
    )[: 3 if place == 0 else None]
    for forged in (
        [*events[:place], *events[place + 1 :]],
        [*events[:place], replace(events[place], actor="x"), *events[place + 1 :]],
    ):
        with pytest.raises(BrokenError):
            fold_rosters(forged, origin=ORIGIN, root=ROOT)


def test_a_row_of_another_installation_is_refused() -> None:
    """Signatures name the origin they were given for."""
    elsewhere = _change(_paper(DANA), "enrol", BORIS, CHI, origin="other.example/dueprocess/1")
    assert _code(("Enrolled", elsewhere)) == "bad-signature"
    with pytest.raises(RefusedError):
        fold_rosters(_told(), origin="other.example/dueprocess/1", root=ROOT)

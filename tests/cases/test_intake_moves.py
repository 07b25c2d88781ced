"""Receive, authenticate, read, assess: what enters history says no more than somebody knows."""

import datetime as dt
from dataclasses import replace

import pytest

from cases.story import START, Story, court, demand
from dueprocess.cases.assess import assess
from dueprocess.cases.authenticate import FINDING_CODES, PROOF, authenticate
from dueprocess.cases.case import fold
from dueprocess.cases.read import read, target_refs
from dueprocess.cases.receive import CHANNELS, order_reference, receive
from dueprocess.demand import NondisclosureOrder
from dueprocess.errors import RefusedError
from dueprocess.law import Assessment, Outcome
from dueprocess.law.assessment import Notice, PackRef
from dueprocess.wire import canonical, digest_of, parse_json, sha256_hex


def test_the_order_reference_hides_the_paper_behind_its_nonce() -> None:
    """The same paper in two cases has two references, so nobody can guess or compare them."""
    paper = sha256_hex(b"paper")
    assert order_reference(bytes(32), paper) != order_reference(bytes([1] * 32), paper)
    assert order_reference(bytes(32), paper) == sha256_hex(bytes(32) + bytes.fromhex(paper))


@pytest.mark.parametrize("channel", CHANNELS)
def test_each_channel_is_recorded(channel: str) -> None:
    """A receipt says how the bytes came, and nothing about whether they are genuine."""
    body = receive("0" * 64, nonce=bytes(32), channel=channel, media="pdf", size_bytes=3)[0].body
    assert body["channel"] == channel
    assert set(body) == {"paper_sha256", "order_ref", "channel", "media", "bytes"}


def test_a_channel_that_does_not_exist_is_refused() -> None:
    """The list of channels is closed."""
    with pytest.raises(RefusedError, match="no channel"):
        receive("0" * 64, nonce=bytes(32), channel="rumour", media="pdf", size_bytes=3)


@pytest.mark.parametrize("code", sorted(FINDING_CODES))
def test_only_proof_about_an_enrolled_authority_verifies_a_requester(code: str) -> None:
    """Mail, a reply address or a number from the message leave the requester doubted, enrolled or not."""
    kind = authenticate(authority=court(), findings=[code])[0].kind
    assert kind == ("RequesterVerified" if code in PROOF else "RequesterDoubted")
    assert authenticate(authority=None, findings=[code])[0].kind == "RequesterDoubted"


def test_a_call_back_is_recorded_with_the_class_of_the_authority() -> None:
    """Who was called is an opaque id; an authority without a class is `other`."""
    body = authenticate(authority=court(), findings=["called_back", "mail_only"])[0].body
    assert (body["authority"], body["authority_class"], body["call_back"]) == ("a-court", "court", True)
    bare = replace(court(), about={})
    body = authenticate(authority=bare, findings=["official_channel"])[0].body
    assert (body["authority_class"], body["call_back"]) == ("other", False)


@pytest.mark.parametrize("findings", [[], ["gut_feeling"], ["called_back", "gut_feeling"]])
def test_a_finding_outside_the_list_is_refused(findings: list[str]) -> None:
    """Nobody verifies a requester in words of their own, or in none."""
    with pytest.raises(RefusedError, match="not known"):
        authenticate(authority=court(), findings=findings)


def test_a_call_to_the_number_in_the_letter_is_no_call_back() -> None:
    """The two findings contradict each other, so together they verify nobody."""
    with pytest.raises(RefusedError, match="proves nothing"):
        authenticate(authority=court(), findings=["called_back", "number_from_message"])


def test_a_reading_leaves_no_identifier_in_the_event() -> None:
    """Accounts appear as t1, t2 …; the account itself is only in the vault."""
    paper = demand(("@eva:chat.example", "@finn:chat.example"))
    body = read(paper, country="US", subjects_root="0" * 64)[0].body
    assert target_refs(paper) == ("t1", "t2")
    assert set(body["targets"]) == {"t1", "t2"}  # type: ignore[arg-type]
    assert b"chat.example" not in canonical(dict(body))
    assert body["nondisclosure"] is None


@pytest.mark.parametrize("until", [None, START + dt.timedelta(days=90)])
def test_a_nondisclosure_order_is_recorded_with_its_end(until: dt.datetime | None) -> None:
    """An order without an end is recorded without one: never with a guess."""
    order = NondisclosureOrder("18 USC 2705(b)", START, until)
    body = read(demand(nondisclosure=order), country="US", subjects_root="0" * 64)[0].body
    assert body["nondisclosure"] == {
        "basis": "18 USC 2705(b)",
        "until": "2026-11-30T08:00:00Z" if until else None,
    }


def _assessment(until: dt.datetime | None) -> Assessment:
    item = Story().narrowing().permitted
    return Assessment(
        outcome=Outcome.PERMIT_SUBSET,
        findings=(),
        permitted=(item, None),
        clocks=(),
        notice=Notice("delayed_until" if until else "required", until, None, "…"),
        packs=(PackRef("us.sca", "1", "0" * 64),),
        on=dt.date(2026, 9, 1),
        kind="disclosure",
        instrument="d_order",
        legal_basis=("18 USC 2703(d)",),
        emergency=False,
    )


@pytest.mark.parametrize("until", [None, START])
def test_an_assessment_enters_history_by_digest_and_by_reference(until: dt.datetime | None) -> None:
    """What is permitted is recorded for each reference; nothing permitted is null, not an empty list."""
    story = Story().received().read("@eva:chat.example", "@finn:chat.example")
    found = _assessment(until)
    body = assess(story.case, found)[0].body
    assert body["assessment_sha256"] == digest_of(found.as_json())
    assert body["permitted"] == {"t1": ["session.times", "subscriber.identity"], "t2": None}
    assert body["notice"] == {"rule": found.notice.rule, "until": "2026-09-01T08:00:00Z" if until else None}


def test_nothing_is_assessed_before_it_was_read() -> None:
    """A paper that nobody transcribed cannot be compared with the law."""
    with pytest.raises(RefusedError, match="read this paper"):
        assess(Story().received().case, _assessment(None))


def test_twelve_targets_keep_the_order_of_the_paper() -> None:
    """t2 stays before t10, although stored JSON sorts its keys as text: a reference means one place."""
    story = Story().received().read(*[f"@eva{n}:chat.example" for n in range(1, 13)])
    stored = replace(story.events[1], body=parse_json(canonical(dict(story.events[1].body))))
    assert list(stored.body["targets"])[1] == "t10"  # type: ignore[arg-type]
    assert list(fold([story.events[0], stored]).targets) == [f"t{n}" for n in range(1, 13)]

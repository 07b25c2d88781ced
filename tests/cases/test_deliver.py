"""Verb 9, pure: what may be recorded about releases, downloads, reopened and spoken hand-overs, and purging."""

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.story import Story, approved_story
from dueprocess.cases import deliver
from dueprocess.cases.case import Case, TargetState
from dueprocess.cases.decide import recipient_key
from dueprocess.cases.deliver import Download, HandOver
from dueprocess.cases.events import Draft
from dueprocess.errors import RefusedError
from dueprocess.parcel.eu_reply import Cause
from dueprocess.roster import Entry
from dueprocess.wire import parse_instant

AT = dt.datetime(2026, 9, 10, 8, 0, tzinfo=dt.UTC)
KEY = "0" * 64


def released(story: Story, release: str = "r-1") -> None:
    """Begins a hand-over by download."""
    how = HandOver("download", KEY, witnessed=True, release=release, expires_at=AT)
    for draft in deliver.begin(state(story), how):
        story.tell(draft)


def state(story: Story) -> TargetState:
    return story.case.target("t1")


def tell(story: Story, drafts: list[Draft]) -> list[str]:
    for draft in drafts:
        story.tell(draft)
    return [draft.kind for draft in drafts]


@pytest.fixture
def story() -> Story:
    """A case whose one target was produced."""
    return approved_story().produced()


def test_a_release_says_until_when(story: Story) -> None:
    """The beginning and the release are told together; the stage is that of a hand-over going on."""
    released(story)
    found = state(story)
    assert found.stage == "delivering"
    assert found.released is not None
    assert found.released.body["expires_at"] == "2026-09-10T08:00:00Z"
    assert found.begun is not None
    assert found.begun.text("channel") == "download"


def test_a_file_needs_no_release(story: Story) -> None:
    """Other channels begin with one event."""
    assert tell(story, deliver.begin(state(story), HandOver("file", KEY, witnessed=False))) == [
        "DeliveryStarted"
    ]
    assert deliver.fetched(state(story), "r-1", [Download("d", 1, 5, complete=True)], whole=True) == []


def test_each_download_is_told_once(story: Story) -> None:
    """A part, then the rest, which finishes the hand-over; told again, nothing is added."""
    released(story)
    part = Download("d-1", 2, 10, complete=False)
    rest = Download("d-2", 1, 90, complete=True)
    assert tell(story, deliver.fetched(state(story), "r-1", [part], whole=False)) == ["ParcelFetched"]
    kinds = tell(story, deliver.fetched(state(story), "r-1", [part, rest], whole=True))
    assert kinds == ["ParcelFetched", "ParcelDelivered"]
    assert state(story).downloads == ("d-1", "d-2")
    assert deliver.fetched(state(story), "r-1", [part, rest], whole=True) == []
    assert story.case.events[-1].text("channel") == "download"


def test_an_earlier_release_is_not_told_again(story: Story) -> None:
    """Downloads belong to the newest release; others are passed over."""
    released(story)
    assert deliver.fetched(state(story), "r-0", [Download("d", 1, 5, complete=True)], whole=True) == []
    assert not deliver.is_open(state(story), "r-0")


def test_a_reopened_hand_over_that_comes_to_nothing_leaves_the_first(story: Story) -> None:
    """Delivered, reopened, lapsed: delivered. A first one that fails goes back to produced."""
    released(story)
    assert tell(story, deliver.fail(state(story))) == ["DeliveryFailed"]
    assert state(story).stage == "produced"
    released(story, "r-2")
    tell(story, deliver.finish(state(story), "download"))
    assert tell(story, deliver.reopen(state(story), "lost")) == ["DeliveryReopened"]
    assert state(story).stage == "produced"
    released(story, "r-3")
    assert tell(story, deliver.fail(state(story))) == ["ReopeningLapsed"]
    assert state(story).stage == "delivered"


def test_reopening_needs_a_known_reason_a_delivery_and_a_parcel(story: Story) -> None:
    """Three ways to refuse."""
    for found, reason, code in (
        (state(story), "please", "unknown-reason"),
        (state(story), "lost", "not-delivered"),
        (replace(state(story), purged=True), "lost", "purged"),
        (replace(state(story), stage="delivered", produced=None), "lost", "not-produced"),
    ):
        with pytest.raises(RefusedError) as caught:
            deliver.reopen(found, reason)
        assert caught.value.code == code


def with_tables(story: Story, *tables: tuple[int | None, list[str]]) -> TargetState:
    """The target as if these tables had been collected."""
    found = state(story)
    assert found.produced is not None
    listed: Any = [{"rows": rows, "categories": kinds} for rows, kinds in tables]
    return replace(found, produced=replace(found.produced, body={**found.produced.body, "tables": listed}))


def test_a_handful_of_subscriber_fields_is_speakable(story: Story) -> None:
    """One to five records; what was spoken is named by category and count, never by value."""
    found = with_tables(story, (3, ["subscriber.identity"]), (2, ["subscriber.service"]), (None, []))
    assert deliver.spoken_fields(found) == (["subscriber.identity", "subscriber.service"], 5)
    spoken, done = deliver.finish(found, "spoken")
    assert spoken.body["categories"] == ["subscriber.identity", "subscriber.service"]
    assert (spoken.kind, spoken.body["records"], done.kind) == ("FieldsSpoken", 5, "ParcelDelivered")


@pytest.mark.parametrize(
    "tables",
    [
        [(6, ["subscriber.identity"])],
        [(3, ["subscriber.identity"]), (3, ["subscriber.service"])],
        [(1, ["traffic"])],
        [(1, ["subscriber.identity"]), (0, ["session.times"])],
        [(1, ["subscriberish.names"])],
        [(0, ["subscriber.identity"])],
        [],
    ],
)
def test_everything_else_is_not(story: Story, tables: list[tuple[int, list[str]]]) -> None:
    """Too many records, another category anywhere, or nothing at all."""
    with pytest.raises(RefusedError) as caught:
        deliver.spoken_fields(with_tables(story, *tables))
    assert caught.value.code == "not-speakable"


def test_nothing_is_spoken_without_a_call_back(story: Story) -> None:
    """A signature or an official channel verifies a paper, not who is on the telephone."""
    case = story.case
    assert case.verified is not None
    deliver.check_call_back(_called(case, called=True))
    for each in (_called(case, called=False), replace(case, verified=None)):
        with pytest.raises(RefusedError) as caught:
            deliver.check_call_back(each)
        assert caught.value.code == "no-call-back"


def _called(case: Case, *, called: bool) -> Case:
    assert case.verified is not None
    return replace(case, verified=replace(case.verified, body={**case.verified.body, "call_back": called}))


def test_a_parcel_is_purged_thirty_days_after_its_last_hand_over(story: Story) -> None:
    """Not before it was delivered, not while it is handed over once more; then once."""
    assert deliver.purge_due(story.case, state(story)) is None
    released(story)
    assert deliver.purge_due(story.case, state(story)) is None
    tell(story, deliver.finish(state(story), "download"))
    at = parse_instant(story.case.events[-1].recorded_at)
    assert deliver.purge_due(story.case, state(story)) == at + dt.timedelta(days=30)
    tell(story, deliver.reopen(state(story), "lost"))
    assert deliver.purge_due(story.case, state(story)) is None
    released(story, "r-2")
    tell(story, deliver.fail(state(story)))
    later = parse_instant(story.case.events[-1].recorded_at)
    assert deliver.purge_due(story.case, state(story)) == later + dt.timedelta(days=30)
    assert tell(story, deliver.purge(state(story))) == ["ParcelPurged"]
    assert deliver.purge_due(story.case, state(story)) is None
    assert deliver.purge(state(story)) == []


def test_a_refused_parcel_without_its_event_waits(story: Story) -> None:
    """Where history does not say since when, nothing is deleted."""
    assert deliver.purge_due(story.case, replace(state(story), stage="refused")) is None


def entry(**about: str) -> Entry:
    return Entry("authorities", "a-court", "c", b"", (), about, AT, ())


def test_a_recipient_is_one_key_or_one_recorded_way() -> None:
    """Exactly one; a hand-over is marked as one, so that it is never taken for a key."""
    assert recipient_key(entry(age="age1x")) == "age1x"
    assert recipient_key(entry(openpgp="-----BEGIN PGP")) == "-----BEGIN PGP"
    assert recipient_key(entry(cms="-----BEGIN CERT")) == "-----BEGIN CERT"
    assert recipient_key(entry(handover="sealed_medium")) == "handover:sealed_medium"
    for bad in (entry(), entry(age="age1x", cms="y"), entry(age="", handover="")):
        with pytest.raises(RefusedError) as caught:
            recipient_key(bad)
        assert caught.value.code == "no-recipient-key"


# ------------------------------------------------------------------ European Production Orders


@pytest.mark.parametrize(
    ("regime", "instrument", "kind"),
    [
        ("eu", "epoc", "EPOC"),
        ("eu.evidence", "epoc_pr", "EPOC-PR"),
        ("eu", "dsa_art9", None),
        ("us", "epoc", None),
        ("us", "d_order", None),
    ],
)
def test_a_european_order_is_known_by_law_and_instrument(
    story: Story, regime: str, instrument: str, kind: str | None
) -> None:
    """Both count: the same code under another law is no such order."""
    assert story.case.read is not None
    body = {**story.case.read.body, "regime": regime, "instrument": instrument}
    found = deliver.european_order(
        replace(story.case, read=replace(story.case.read, body=body)), "FR-2026-0007"
    )
    assert (found.kind if found else None) == kind
    assert found is None or found.reference == "FR-2026-0007"
    assert deliver.european_order(replace(story.case, read=None), "") is None


@given(st.integers(1, 60_000_000), st.sampled_from([None, "disruption", "legal_or_forensic"]))
def test_the_size_alone_never_keeps_a_small_answer_out_of_the_system(size: int, cause: Cause | None) -> None:
    """Without a cause exactly what is larger than 25,000,000 bytes goes beside it; with one everything does."""
    assert deliver.cause_beside(size, cause) == (cause or ("size" if size > 25_000_000 else None))
    if size <= 25_000_000:
        with pytest.raises(RefusedError) as caught:
            deliver.cause_beside(size, "size")
        assert caught.value.code == "fits-the-system"
    else:
        assert deliver.cause_beside(size, "size") == "size"


@given(st.integers(1, 90), st.booleans())
def test_evidence_is_accessible_for_10_to_45_days(days: int, extended: bool) -> None:  # noqa: FBT001
    """Longer only where the authority asked for it, shorter never."""
    if 10 <= days <= 45 or (extended and days >= 10):
        deliver.check_accessible(days, extended=extended)
        return
    with pytest.raises(RefusedError) as caught:
        deliver.check_accessible(days, extended=extended)
    assert caught.value.code == ("too-short" if days < 10 else "not-so-long")
    assert "2025/1550" in caught.value.source


def test_a_manifest_is_told_once(story: Story) -> None:
    """The same digest adds nothing, another one does; a new hand-over begins without one."""
    tell(story, deliver.begin(state(story), HandOver("file", KEY, witnessed=False)))
    assert tell(story, deliver.manifest(state(story), KEY, "size")) == ["ManifestMade"]
    assert deliver.manifest(state(story), KEY, "size") == []
    assert tell(story, deliver.finish(state(story), "file")) == ["ParcelDelivered"]
    assert tell(story, deliver.manifest(state(story), KEY, "disruption")) == ["ManifestMade"]
    assert tell(story, deliver.manifest(state(story), "1" * 64, "disruption")) == ["ManifestMade"]
    tell(story, deliver.reopen(state(story), "lost"))
    tell(story, deliver.begin(state(story), HandOver("file", KEY, witnessed=False)))
    assert state(story).manifest is None

"""The record of an event: the same event gives the same record, and what it does not touch stays null."""

import pytest

from cases.story import Story, approved_story, assessed_story
from dueprocess.cases.case import Case
from dueprocess.cases.close import close, register
from dueprocess.cases.events import Event
from dueprocess.cases.sealing import record_secret, record_values
from dueprocess.demand import NondisclosureOrder
from dueprocess.tlog.record import FIELDS, Record
from dueprocess.wire import Json, digest_of, sha256_hex


def _values(story: Story) -> dict[str, Json]:
    return record_values(story.case, story.events[-1], ledger_seq=5, prev=None)


def test_a_secret_belongs_to_one_key_and_one_event() -> None:
    """32 bytes, another for each key and each event: without the key nobody opens a record."""
    one = record_secret(bytes(32), sha256_hex(b"event"))
    assert len(one) == 32
    assert one == record_secret(bytes(32), sha256_hex(b"event"))
    assert one != record_secret(bytes([1] * 32), sha256_hex(b"event"))
    assert one != record_secret(bytes(32), sha256_hex(b"another"))


def test_every_record_of_a_life_fits_the_fields_of_the_log() -> None:
    """Whatever event it is, its record has only named fields, and never an identifier."""
    story = approved_story().produced().delivered().told(phase="after")
    story.tell(*close(story.case))
    story.tell(*register(story.case, period="2026H2", row_sha256=sha256_hex(b"row")))
    values: dict[str, Json] = {}
    for number in range(1, len(story.events) + 1):
        part = Story(events=story.events[:number])
        values = _values(part)
        Record(values)
        assert set(values) <= set(FIELDS)
        assert "chat.example" not in str(values)
        assert values["event_sha256"] == part.events[-1].sha256
        assert values["month"] == "2026-09"
    assert values["register_row"] == sha256_hex(b"row")
    assert values["outcome"] == "complied_in_part"


def test_a_roster_event_seals_its_digest_kind_and_month_only() -> None:
    """Who was enrolled is not in the record."""
    event = Event(
        "s" * 32, 1, "Enrolled", 1, {"document": {}, "signatures": []}, "x", "2026-09-01T08:00:00Z", "0" * 64
    )
    values = record_values(None, event, ledger_seq=1, prev="0" * 64)
    assert set(values) == {"event_sha256", "prev", "ledger_seq", "kind", "month"}


def test_a_case_seals_no_more_than_it_knows() -> None:
    """Before a case was read there is nothing to say about country, instrument or order."""
    event = Story().received().events[0]
    bare = record_values(Case("c" * 32, ()), event, ledger_seq=1, prev=None)
    assert set(bare) == {"event_sha256", "prev", "ledger_seq", "kind", "month"}
    assert set(_values(Story().received())) == set(bare) | {"order_ref", "paper_sha256"}


def test_a_decision_seals_who_approved_by_digest() -> None:
    """One digest for each signature, the proposal's first, with the quorum that was in force."""
    story = approved_story()
    values = _values(story)
    state = story.case.target("t1")
    assert state.decision is not None
    signatures = [state.decision.body["signature"], state.approvals[0].body["signature"]]
    assert values["approvals"] == [digest_of(each) for each in signatures]
    assert values["quorum_mode"] == "two"
    assert (values["narrowed"], values["plan_sha256"]) == (True, state.plan_sha256)
    assert values["notice"] == "allowed_before_production"


def test_a_produced_parcel_is_sealed_with_its_digest() -> None:
    """From production on, each record of the target names the parcel."""
    story = approved_story().produced()
    assert _values(story)["parcel_sha256"] == sha256_hex(b"parcel")
    assert _values(story.delivered())["parcel_sha256"] == sha256_hex(b"parcel")


@pytest.mark.parametrize(("order", "until"), [(False, None), (True, None), (True, "2026-12-01T00:00:00Z")])
def test_a_nondisclosure_order_is_sealed_with_its_end(order: bool, until: str | None) -> None:  # noqa: FBT001  a parameter of the table
    """Whether there was one, and until when, is a field of its own."""
    from dueprocess.wire import parse_instant

    told = None
    if order:
        told = NondisclosureOrder(
            "18 USC 2705(b)", parse_instant("2026-09-01T00:00:00Z"), parse_instant(until) if until else None
        )
    values = _values(Story().received().read(nondisclosure=told))
    assert (values["nondisclosure"], values["nondisclosure_until"]) == (order, until)
    assert values["accounts"] == 1
    assert "basis" not in values
    assert _values(assessed_story())["basis"] == ["18 USC 2703(d)"]

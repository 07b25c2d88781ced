"""Steps under the lock: what was true when somebody looked is asked again before it is written."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from dueprocess.cases.events import Event
from dueprocess.desk import notices, setup
from dueprocess.errors import ConflictError, RefusedError
from dueprocess.history.append import Hand, load_case
from dueprocess.steps import notify as steps
from dueprocess.steps import produce as production_steps
from dueprocess.steps.close import close
from dueprocess.steps.deliver import finish_delivery
from dueprocess.steps.enrol import found
from office import START, Office


@pytest.mark.stage("brisk")
def test_two_workers_begin_one_letter(office_on: Office) -> None:
    """The second sees under the lock that the first has begun, although both found it owed before."""
    case_id = office_on.approved_case()
    hand = office_on.desk.hand("worker", office_on.now, case_id)
    steps.start(case_id, hand, "t1", phase="before", letter_sha256="1" * 64)
    with pytest.raises(RefusedError) as caught:
        steps.start(case_id, hand, "t1", phase="before", letter_sha256="2" * 64)
    assert caught.value.code == "half-sent"
    assert [event.kind for event in load_case(case_id).events].count("NoticeStarted") == 1
    steps.notified(case_id, hand, "t1", phase="before", letter_sha256="1" * 64, channel="outbox")
    assert load_case(case_id).target("t1").notified == ("before",)


@pytest.mark.stage("brisk")
def test_an_order_that_came_while_the_letter_was_written_stops_it(office_on: Office, tmp_path: Path) -> None:
    """What is owed is asked again under the lock: a letter is never begun against an order that is recorded."""
    case_id = office_on.approved_case()
    paper = tmp_path / "order.txt"
    paper.write_text("do not tell")
    order = notices.Order(paper, "18 USC 2705(b)", office_on.now + dt.timedelta(days=3))
    signers = [office_on.people["boris"], office_on.people["chi"]]
    notices.change_silence(office_on.desk, case_id, "t1", order, signers, now=office_on.now)
    hand = office_on.desk.hand("worker", office_on.now, case_id)
    with pytest.raises(RefusedError) as caught:
        steps.start(case_id, hand, "t1", phase="before", letter_sha256="1" * 64)
    assert caught.value.code == "not-owed"
    office_on.wait(days=2)
    state = load_case(case_id).target("t1")
    assert (state.notice_started, state.notified) == ((), ())


def test_a_step_on_nothing_is_refused(store: str) -> None:
    """A case that does not exist, or a roster's stream, is no case to act on."""
    hand = Hand("ana", START, b"k" * 32)
    with pytest.raises(RefusedError) as caught:
        close(("0" * 32), hand)
    assert caught.value.code == "no-such-case"


def test_an_installation_is_founded_once(office_on: Office) -> None:
    """A second founding is a conflict, and it changes nothing."""
    desk = office_on.desk
    draft = setup._founding(desk.pins.origin, [office_on.people["boris"], office_on.people["chi"]])  # noqa: SLF001
    with pytest.raises(ConflictError) as caught:
        found(desk.stream, desk.hand("init", office_on.now, desk.stream), draft,
              origin=desk.pins.origin, root=desk.pins.founding_sha256)  # fmt: skip
    assert caught.value.code == "founded"


@pytest.mark.stage("ready")
def test_of_two_productions_one_parcel_stays(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two workers at once: the second is told that the first is at it, and the first goes on to its end."""
    case_id = office.cases[0]
    real = production_steps.finish_production
    second: list[str] = []

    def meanwhile(*given: Any) -> Event:
        monkeypatch.undo()
        with pytest.raises(ConflictError) as caught:
            office.produce(case_id)
        second.append(caught.value.code)
        return real(*given)

    monkeypatch.setattr(production_steps, "finish_production", meanwhile)
    made = office.produce(case_id)
    assert second == ["leased"]
    assert [path.name for path in office.desk.installation.parcels.iterdir()] == [f"{made.parcel_id}.tar.age"]


@pytest.mark.stage("ready")
def test_a_hand_over_of_nothing_is_not_recorded(office: Office) -> None:
    """There is no parcel, so nothing was handed over."""
    hand = office.desk.hand("boris", office.now, office.cases[0])
    with pytest.raises(RefusedError) as caught:
        finish_delivery(office.cases[0], hand, "t1", channel="file")
    assert caught.value.code == "not-produced"

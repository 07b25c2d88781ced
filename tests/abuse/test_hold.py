"""Somebody inside tries to read what is held: with one signature, for another account, wider, later, or by hand."""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from desk.holds import (
    begin,
    by,
    confirm,
    disclosure,
    held,
    hold_of,
    keep,
    letter,
    platform,
    read,
    sources,
)
from dueprocess.cases.events import Draft
from dueprocess.cases.hold import Taken
from dueprocess.desk import decisions, demands, handover, holding, keeping, notices, production
from dueprocess.desk.check import check_everything
from dueprocess.desk.demands import authorised
from dueprocess.desk.heldparts import VaultShelf
from dueprocess.errors import BrokenError, DueprocessError, RefusedError
from dueprocess.history.append import load_case
from dueprocess.production.heldsources import held_sources
from dueprocess.steps import hold as steps
from dueprocess.steps.take import take as take_step
from office import EVA, FINN, START, Office

pytestmark = pytest.mark.stage("brisk")


def refusal(act: Any) -> str:
    with pytest.raises(DueprocessError) as caught:
        act()
    return caught.value.code


def test_one_signature_leads_to_no_disclosure_by_any_route(office: Office, tmp_path: Any) -> None:
    """Every step that could let data out refuses the case of a hold, begun or confirmed, sealed or not."""
    desk, people = office.desk, office.people
    case_id = letter(office)
    begin(office, case_id)
    keep(office)
    office.wait(hours=12)
    routes: list[Callable[[], object]] = [
        lambda: decisions.propose(desk, case_id, "t1", people["boris"], role="reviewer", now=office.now),
        lambda: decisions.approve(desk, case_id, "t1", people["chi"], role="reviewer", now=office.now),
        lambda: production.produce(desk, case_id, "t1", office.environment, now=office.now),
        lambda: handover.deliver(desk, case_id, "t1", tmp_path / "out", actor="boris", now=office.now),
    ]
    for _ in range(2):
        for route in routes:
            with pytest.raises(RefusedError):
                route()
        assert notices.notify(desk, case_id, "t1", actor="worker", now=office.now) is None
        if hold_of(case_id).confirmed is None:
            confirm(office, case_id)
        office.wait(hours=12)
    case = load_case(case_id)
    _, plan = authorised(desk, case, "t1")
    assert plan.holds == ()
    assert holding.sources(desk, case, "t1", plan) == []
    assert list(tmp_path.iterdir()) == []
    assert list(desk.installation.parcels.glob("*")) == []


def test_a_hold_is_not_read_before_two_people_approved(office: Office) -> None:
    """Neither by a plan that nobody signed, nor by one that one person proposed."""
    held(office)
    office.wait(hours=12)
    case_id = disclosure(office, approve=False)
    assert refusal(lambda: sources(office, case_id)) == "not-approved"
    decisions.approve(office.desk, case_id, "t1", office.people["chi"], role="reviewer", now=office.now)
    assert [each.query.label for each in sources(office, case_id)] == ["users", "sessions"]


def test_a_hold_that_nobody_confirmed_enters_no_plan(office: Office) -> None:
    """One person's hold cannot be read even by two others' disclosure."""
    case_id = letter(office)
    begin(office, case_id)
    keep(office)
    office.wait(hours=12)
    made = disclosure(office)
    assert sources(office, made) == []


def test_two_people_see_in_the_plan_which_hold_is_read(office: Office) -> None:
    """The plan's digest names the hold and what it took; a swapped one is another plan, and refused."""
    case_id = held(office)
    office.wait(hours=12)
    made = disclosure(office)
    case = load_case(made)
    _, plan = authorised(office.desk, case, "t1")
    (part,) = plan.holds
    assert part.hold_id == hold_of(case_id).hold_id
    assert plan.plan_sha256 == case.target("t1").plan_sha256
    for changed in (
        replace(plan, holds=()),
        replace(plan, holds=(replace(part, manifest_sha256="0" * 64),)),
        replace(plan, holds=(part, part)),
    ):
        assert changed.plan_sha256 != plan.plan_sha256
    swapped = replace(plan, holds=(replace(part, hold_id="0" * 32),))
    assert refusal(lambda: holding.sources(office.desk, case, "t1", swapped)) == "not-approved"


def test_a_hold_of_somebody_else_is_not_read(office: Office) -> None:
    """Finn's snapshot is in no plan about Eva; forced into one, it gives nothing and says why."""
    other = held(office, account=FINN)
    mine = held(office)
    office.wait(hours=12)
    made = disclosure(office)
    case = load_case(made)
    _, plan = authorised(office.desk, case, "t1")
    assert [part.hold_id for part in plan.holds] == [hold_of(mine).hold_id]
    taken = hold_of(other).taken
    assert taken is not None
    forced = replace(
        plan.holds[0], hold_id=hold_of(other).hold_id, case_id=other,
        manifest_sha256=taken.text("manifest_sha256"),
    )  # fmt: skip
    shelf = VaultShelf(office.desk.vault, forced.hold_id)
    for source in held_sources(forced, plan, shelf):
        assert refusal(lambda: list(source.batches(EVA))) == "other-subject"  # noqa: B023  called at once
        assert refusal(lambda: list(source.batches(None))) == "other-subject"  # noqa: B023  called at once


def test_a_name_that_was_given_to_somebody_else_reads_nothing(office: Office) -> None:
    """What was held was of the account that the name meant then."""
    held(office)
    office.wait(hours=12)
    made = disclosure(office)
    for subject in (FINN, EVA.upper(), 7):
        for source in sources(office, made):
            assert refusal(lambda: list(source.batches(subject))) == "other-subject"  # noqa: B023  called at once


def test_a_disclosure_reads_no_more_than_hold_and_decision_both_reach(office: Office) -> None:
    """Columns and days outside of either are not there; the decision permits no messages, the hold no traffic."""
    held(office, categories=("session", "content"), since=START - dt.timedelta(days=15))
    office.wait(hours=12)
    made = disclosure(office, until=START - dt.timedelta(days=5))
    ((name, rows),) = read(office, made).items()
    assert name.endswith("/sessions")
    assert rows == [{"at": int((START - dt.timedelta(days=10)).timestamp())}]


def test_a_disclosure_outside_of_the_hold_reads_nothing_of_it(office: Office) -> None:
    """No common day, no common category: no source at all."""
    held(office, categories=("content",))
    office.wait(hours=12)
    assert sources(office, disclosure(office)) == []


def test_a_hold_that_ended_meanwhile_is_named_and_never_called_nothing(office: Office) -> None:
    """Released after the approval: each part fails in words, and the case's end and closing change nothing."""
    case_id = held(office)
    office.wait(hours=12)
    made = disclosure(office)
    boris, chi = office.people["boris"], office.people["chi"]
    holding.release(office.desk, case_id, "t1", "served", [boris, chi], now=office.now)
    for _ in ("ended", "destroyed", "closed"):
        found = sources(office, made)
        assert [each.query.label for each in found] == ["users", "sessions"]
        for each in found:
            assert refusal(lambda: list(each.batches(None))) == "hold-gone"  # noqa: B023  called at once
        if not keep(office):
            office.close(case_id)
    assert load_case(case_id).stage == "closed"


def test_a_hold_is_read_only_once_its_own_record_is_sealed(office: Office) -> None:
    """A hold that somebody wrote into the tables a moment ago is in no log, and is not read."""
    held(office)
    made = office.assessed_case()
    demands.narrow(office.desk, made, "t1", demands.Choice(), actor="boris", now=office.now)
    decisions.propose(office.desk, made, "t1", office.people["boris"], role="reviewer", now=office.now)
    decisions.approve(office.desk, made, "t1", office.people["chi"], role="reviewer", now=office.now)
    assert refusal(lambda: sources(office, made)) == "not-sealed"
    office.wait(hours=12)
    assert len(sources(office, made)) == 2


def test_a_snapshot_that_was_exchanged_in_the_vault_stops_everything(office: Office) -> None:
    """Its list has the digest that history and plan name; each part has the digest that the list names."""
    case_id = held(office)
    office.wait(hours=12)
    made = disclosure(office)
    desk, hold_id = office.desk, hold_of(case_id).hold_id
    manifest = desk.vault.get(hold_id, "manifest")
    desk.vault.remove(hold_id)
    desk.vault.put(hold_id, "manifest", manifest.replace(b"found", b"fouNd"))
    with pytest.raises(BrokenError) as caught:
        sources(office, made)
    assert caught.value.code == "hold-altered"
    assert any(fault.invariant == "I7" for fault in check_everything(desk))


def test_an_insider_who_writes_a_snapshot_for_a_hold_that_nobody_signed_gains_nothing(office: Office) -> None:
    """The worker takes nothing for an event whose signature does not verify; fsck names the event."""
    case_id = letter(office)
    begin(office, case_id)
    body = dict(load_case(case_id).events[-1].body)
    second = letter(office)
    state = load_case(second).target("t1")
    forged = {
        **body, "plan_sha256": state.plan_sha256, "scope_sha256": state.scope_sha256, "hold_id": "f" * 32,
    }  # fmt: skip
    hand = office.desk.hand("boris", office.now, second)
    take_step(second, lambda _: [Draft("HoldStarted", forged)], hand)
    assert refusal(
        lambda: keeping.take(office.desk, second, "t1", office.environment, lambda: office.now)
    ) in ("not-in-vault", "decision-altered", "decision-void")
    assert {fault.invariant for fault in check_everything(office.desk)} & {"I2", "I4"}
    assert not office.desk.keys.has("f" * 32)


def test_the_platform_changing_between_two_attempts_gives_one_snapshot_not_two(office: Office) -> None:
    """An attempt that was not recorded leaves nothing: what it had read is not in the next one."""
    case_id = letter(office)
    begin(office, case_id)
    real = steps.take
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(steps, "take", _lost)
        with pytest.raises(KeyboardInterrupt):
            keeping.take(office.desk, case_id, "t1", office.environment, lambda: office.now)
    assert steps.take is real
    with platform(office) as store:
        store.execute("UPDATE messages SET body = 'other words'")
    keep(office)
    confirm(office, case_id)
    office.wait(hours=12)
    taken = hold_of(case_id).taken
    assert taken is not None
    assert taken.body["objects"] == 4


def _lost(_case_id: str, _hand: object, _made: Taken) -> None:
    raise KeyboardInterrupt


def test_the_second_signature_that_is_lost_lets_the_hold_lapse(office: Office) -> None:
    """A confirmation counts when it is in history; a document that somebody signed on paper does not."""
    case_id = letter(office)
    begin(office, case_id)
    keep(office)
    document = holding.open_hold(office.desk, load_case(case_id), "t1")
    chi = by(office, "chi").key
    chi.sign(office.desk.pins.origin, document, role="reviewer", verdict="approve")
    office.wait(hours=72)
    keep(office)
    assert not office.desk.keys.has(hold_of(case_id).hold_id)

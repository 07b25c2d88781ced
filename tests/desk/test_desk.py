"""Every verb at the desk says no in words when it comes too early, and ends where it should when it does not."""

import datetime as dt
import json
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

import sabotage
from dueprocess.desk import closing, decisions, demands, gatekeeping, handover, notices, rosters
from dueprocess.desk.check import check_everything
from dueprocess.desk.desk import open_desk
from dueprocess.desk.filekeys import FileKeyWarning, open_key
from dueprocess.errors import DueprocessError, MalformedError, RefusedError, UnavailableError
from dueprocess.history import ledger
from dueprocess.history.append import load_case
from dueprocess.history.fsck import Fault
from dueprocess.report.case_row import report_opens
from dueprocess.steps import deliver
from dueprocess.tlog.leaf import RegisterLeaf
from office import EVA, FINN, NondisclosureOrder, Office


def code_of(act: Callable[[], object]) -> str:
    """The code of the refusal; not one row is another afterwards."""
    before = sabotage.snapshot()
    with pytest.raises(DueprocessError) as caught:
        act()
    assert sabotage.snapshot() == before
    return caught.value.code


def test_each_verb_waits_for_the_one_before_it(office: Office) -> None:
    """Out of order, each verb names what is missing and writes nothing."""
    desk, now = office.desk, office.now
    case_id = office.receive()
    boris = office.people["boris"]
    assert code_of(lambda: demands.assess(desk, case_id, actor="ana", now=now)) == "not-read"
    assert code_of(lambda: office.decide(case_id)) == "not-read"
    stranger = lambda: demands.authenticate(  # noqa: E731
        desk, case_id, authority="nobody", findings=["called_back"], actor="ana", now=now
    )
    assert code_of(stranger) == "unknown-authority"
    demands.read(desk, case_id, office.demand(), country="US", actor="ana", now=now)

    def narrow() -> object:
        return demands.narrow(desk, case_id, "t1", demands.Choice(), actor="boris", now=now)

    def propose() -> object:
        return decisions.propose(desk, case_id, "t1", boris, role="reviewer", now=now)

    assert code_of(narrow) == "not-assessed"
    demands.assess(desk, case_id, actor="ana", now=now)
    assert code_of(propose) == "requester-doubted"
    office.verify(case_id)
    assert code_of(propose) == "not-narrowed"
    narrow()
    approve = lambda: decisions.approve(desk, case_id, "t1", boris, role="reviewer", now=now)  # noqa: E731
    assert code_of(approve) == "not-proposed"
    assert code_of(lambda: handover.deliver(
        desk, case_id, "t1", office.root / "x", actor="boris", now=now)) == "not-produced"  # fmt: skip
    assert code_of(lambda: closing.close(desk, case_id, actor="boris", now=now)) == "still-going"
    assert notices.notify(desk, case_id, "t1", actor="worker", now=now) is None


def test_one_person_refuses_and_the_case_is_closed(office: Office) -> None:
    """A refusal needs one signature; the case is closed and registered once, as often as it is run."""
    case_id = office.assessed_case()
    demands.narrow(office.desk, case_id, "t1", demands.Choice(), actor="boris", now=office.now)
    boris = office.people["boris"]
    decisions.propose(office.desk, case_id, "t1", boris, role="reviewer", now=office.now)
    decisions.reject(
        office.desk, case_id, "t1", office.people["chi"], role="reviewer", reason="not-signed", now=office.now
    )
    assert load_case(case_id).target("t1").stage == "refused"
    row = closing.close(office.desk, case_id, actor="boris", now=office.now)
    assert closing.close(office.desk, case_id, actor="boris", now=office.now) == row
    case = load_case(case_id)
    assert (case.stage, [e.kind for e in case.events].count("CaseRegistered")) == ("closed", 1)
    assert case.registered is not None
    assert closing.registered(office.desk, case_id)[1] == case.registered.text("row_sha256")


@pytest.mark.stage("produced")
def test_a_whole_life_ends_in_a_report(office: Office, tmp_path: Path) -> None:
    """Delivered, told, closed and reported; the published report is not replaced, and everything fits."""
    case_id = office.cases[0]
    office.deliver(case_id, tmp_path / "answer.age")
    assert code_of(lambda: office.deliver(case_id, tmp_path / "again.age")) == "not-approved"
    office.wait(hours=6)
    assert load_case(case_id).target("t1").notified == ("before", "after")
    office.close(case_id)
    folder = tmp_path / "report"
    with pytest.raises(RefusedError) as early:
        closing.report(office.desk, "2026H2", folder, now=office.now)
    assert early.value.code == "too-early"
    opens = report_opens("2026H2")
    register, report = closing.report(office.desk, "2026H2", folder, now=opens)
    assert json.loads((folder / "report.json").read_text()) == report.as_json()
    assert json.loads((folder / "register.json").read_text()) == register.as_json()
    assert EVA.encode() not in b"".join(each.read_bytes() for each in folder.iterdir())
    assert _again(office, tmp_path / "elsewhere") == (folder / "register.json").read_bytes()
    assert check_everything(office.desk) == []


def _again(office: Office, folder: Path) -> bytes:
    """A second run after an interruption: the same files, and no second leaf for the half-year."""
    before = ledger.head()
    closing.report(office.desk, "2026H2", folder, now=report_opens("2026H2"))
    assert ledger.head() == before
    return (folder / "register.json").read_bytes()


@pytest.mark.stage("produced")
def test_a_half_year_is_not_reported_twice_with_other_numbers(office: Office, tmp_path: Path) -> None:
    """A register that differs from the one in the log is refused, whatever folder it is for."""
    opens = report_opens("2026H2")
    office.desk.log().add(RegisterLeaf("2026H2", "0" * 64), opens)
    with pytest.raises(RefusedError) as caught:
        closing.report(office.desk, "2026H2", tmp_path / "report", now=opens)
    assert caught.value.code == "already-published"
    assert not (tmp_path / "report").exists()


@pytest.mark.stage("produced")
def test_a_hand_over_that_was_lost_can_be_made_again(office: Office, tmp_path: Path) -> None:
    """A person found out that it never arrived: recorded, and the same parcel goes out once more."""
    case_id = office.cases[0]
    proof = gatekeeping.prove(office.desk, case_id)
    hand = office.desk.hand("boris", office.now, case_id)
    look = gatekeeping.last_look(office.desk, "t1", "deliver", proof, office.now)
    how = deliver.HandOver("file", "0" * 64, witnessed=False)
    deliver.start_delivery(case_id, hand, "t1", look=look, how=how)
    assert code_of(lambda: office.deliver(case_id, tmp_path / "answer.age")) == "half-delivered"
    handover.confirm(office.desk, case_id, "t1", actor="boris", now=office.now, arrived=False)
    assert load_case(case_id).target("t1").stage == "produced"
    office.wait(hours=6)
    office.deliver(case_id, tmp_path / "answer.age")
    assert load_case(case_id).target("t1").delivered is not None


@pytest.mark.stage("brisk")
def test_a_silenced_notice_is_sent_when_its_order_ends(office: Office, tmp_path: Path) -> None:
    """Under a nondisclosure order nothing is said before or at the hand-over; after its last day the user is told."""
    begun, end = office.now - dt.timedelta(days=1), office.now + dt.timedelta(days=4)
    order = NondisclosureOrder("18 USC 2705(b)", begun, end, certified=True)
    case_id = office.approved_case(nondisclosure=order)
    office.wait(hours=6)
    office.produce(case_id)
    office.wait(hours=6)
    office.deliver(case_id, tmp_path / "answer.age")
    office.wait(days=3)
    state = load_case(case_id).target("t1")
    assert state.notified == ()
    assert state.notice_delayed is not None
    office.wait(days=1)
    assert load_case(case_id).target("t1").notified == ("after",)
    letter = next(office.desk.installation.outbox.rglob("notice.txt")).read_text()
    assert EVA in letter
    assert check_everything(office.desk) == []


@pytest.mark.stage("brisk")
def test_each_user_gets_their_own_letter(office: Office) -> None:
    """Two accounts in one order: two decisions, and no letter names the other account."""
    case_id = office.assessed_case(accounts=(EVA, FINN))
    for ref in ("t1", "t2"):
        office.decide(case_id, ref)
    office.wait(hours=6)
    texts = {path.parent.name[-9:-7]: path.read_text() + (path.parent / "receipt.json").read_text()
             for path in office.desk.installation.outbox.rglob("notice.txt")}  # fmt: skip
    assert {ref: (EVA in text, FINN in text) for ref, text in texts.items()} == {
        "t1": (True, False),
        "t2": (False, True),
    }


def test_a_key_file_warns_whoever_signs_with_it(office: Office, tmp_path: Path) -> None:
    """It can be copied by anyone who reads the disk; a missing or garbled one is said."""
    with pytest.warns(FileKeyWarning):
        key = open_key(office.root.parent / "people" / "boris.json")
    assert key.credential == office.people["boris"].credential
    with pytest.raises(UnavailableError) as away:
        open_key(tmp_path / "none.json")
    assert away.value.code == "no-key-file"
    for garbled in ("{}", "[1]", '{"v":1}'):
        (tmp_path / "bad.json").write_text(garbled)
        with warnings.catch_warnings(), pytest.raises(MalformedError) as caught:
            open_key(tmp_path / "bad.json")
        assert caught.value.code == "bad-key-file"


def test_an_authority_without_an_age_key_is_not_drawn_up() -> None:
    """A parcel travels only as ciphertext for an enrolled key."""
    with pytest.raises(MalformedError) as caught:
        rosters.authority_document(
            "a", name="A", country="US", authority_class="court", age="ssh-ed25519 AAAA"
        )
    assert caught.value.code == "bad-recipient"


def test_pins_that_are_away_or_odd_stop_the_desk(office: Office) -> None:
    """Nothing is believed without the pinned founders."""
    pins = office.root / "worker" / "pins.json"
    text = pins.read_text()
    pins.write_text('{"v":1}')
    with pytest.raises(MalformedError) as odd:
        open_desk(office.root)
    assert odd.value.code == "bad-pins"
    pins.unlink()
    with pytest.raises(UnavailableError) as away:
        open_desk(office.root)
    assert away.value.code == "no-pins"
    pins.write_text(text)
    open_desk(office.root)


@pytest.mark.stage("produced")
def test_fsck_of_the_whole_house_sees_every_file(office: Office) -> None:
    """A tile, the checkpoint, a stray file, an object of the vault and the parcel: each flipped or gone."""
    place = office.desk.installation
    parcel = next(place.parcels.iterdir())
    for path in (next(place.log.glob("tile/0/**/*.p/*")), place.log / "checkpoint", parcel):
        good = path.read_bytes()
        path.write_bytes(good[:-2] + bytes([good[-2] ^ 1]) + good[-1:])
        assert len(check_everything(office.desk)) >= 1, path
        path.write_bytes(good)
    stray = place.log / "tile" / "stray"
    stray.write_text("x")
    assert [fault.row for fault in check_everything(office.desk)] == ["tile/stray"]
    stray.unlink()
    parcel.rename(place.root / "away")
    assert [fault.what for fault in check_everything(office.desk)] == ["the parcel is gone"]
    (place.root / "away").rename(parcel)
    found = {
        fault.row
        for path in sorted(place.vault.rglob("*"))
        if path.is_file()
        for fault in without(office, path)
    }
    case = office.cases[0][:8]
    assert found == {f"{case}/{number}" for number in (1, 3, 4, 5, 6, 8)}
    assert check_everything(office.desk) == []


def without(office: Office, path: Path) -> list[Fault]:
    """What the check of everything says while one file of the vault is away."""
    away = path.rename(office.root / "away")
    found = list[Fault](check_everything(office.desk))
    away.rename(path)
    return found


@pytest.mark.stage("produced")
def test_an_order_that_comes_after_the_hand_over_delays_the_letter_and_is_named_in_it(
    office: Office, tmp_path: Path
) -> None:
    """Two people record the new order from its paper; at its end the user is told, and why only then."""
    case_id = office.cases[0]
    office.deliver(case_id, tmp_path / "answer.age")
    paper = tmp_path / "order.txt"
    paper.write_text("It is ordered not to tell.")
    signers = [office.people["boris"], office.people["chi"]]
    until = office.now + dt.timedelta(days=3)
    order = notices.Order(paper, "18 USC 2705(b)", until)
    with pytest.raises(RefusedError) as alone:
        notices.change_silence(office.desk, case_id, "t1", order, signers[:1], now=office.now)
    assert alone.value.code == "two-people"
    notices.change_silence(office.desk, case_id, "t1", order, signers, now=office.now)
    office.wait(days=2)
    assert "after" not in load_case(case_id).target("t1").notified
    office.wait(days=2)
    assert "after" in load_case(case_id).target("t1").notified
    letter = next(office.desk.installation.outbox.glob("*-t1-after/notice.txt")).read_text()
    assert "18 USC 2705(b)" in letter
    assert check_everything(office.desk) == []


@pytest.mark.stage("brisk")
def test_an_order_that_came_and_went_before_production_does_not_swallow_the_first_letter(
    office: Office, tmp_path: Path
) -> None:
    """While it runs nobody is told; when it is over the user is told first, as the decision says."""
    case_id = office.approved_case()
    paper = tmp_path / "order.txt"
    paper.write_text("It is ordered not to tell.")
    order = notices.Order(paper, "18 USC 2705(b)", office.now + dt.timedelta(days=2))
    signers = [office.people["boris"], office.people["chi"]]
    notices.change_silence(office.desk, case_id, "t1", order, signers, now=office.now)
    office.wait(days=1)
    assert load_case(case_id).target("t1").notified == ()
    office.wait(days=2)
    assert load_case(case_id).target("t1").notified == ("before",)
    assert check_everything(office.desk) == []

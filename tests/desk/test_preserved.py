"""A letter to preserve that names a mail address: found out by two, held like any account, told to nobody."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from desk.holds import by, disclosure, keep, platform, read
from desk.resolutions import (
    MAIL,
    NOBODY,
    SHARED,
    address,
    approve,
    asked,
    narrow,
    on_the_platform,
    propose,
    resolve,
    resolved,
)
from dueprocess.cases.invariants import broken_promises
from dueprocess.demand import Period, Scope, ScopeItem, Target, TargetKind, expand
from dueprocess.desk import demands, holding, letterground, replies
from dueprocess.desk.check import check_everything
from dueprocess.desk.closing import registered
from dueprocess.desk.receipts import receipt
from dueprocess.desk.resolving import account
from dueprocess.errors import BrokenError, DueprocessError, RefusedError, UnavailableError
from dueprocess.history.append import load_case
from dueprocess.notice import LETTERS
from dueprocess.tlog.receipt import ReceiptFindings, verify_receipt
from dueprocess.worker import production as worker
from office import EVA, FINN, START, Office

pytestmark = pytest.mark.stage("brisk")


@pytest.fixture
def wide(office: Office) -> Office:
    """The office with the wider platform."""
    on_the_platform(office)
    return office


def letter(office: Office, value: str = MAIL, *, kind: TargetKind = "email", verified: bool = True) -> str:
    """A preservation letter about what is no account: received, read, assessed, narrowed."""
    case_id = office.receive()
    if verified:
        office.verify(case_id)
    period = Period(START - dt.timedelta(days=20, hours=1), START)
    item = ScopeItem(Target(kind, value), expand(["subscriber", "session", "traffic", "content"]), period)
    demand = office.demand(
        kind="preservation", instrument="preservation_letter", issuer_kind="police", legal_bases=(),
        elements=frozenset({"issuer", "date", "identifier"}), scope=Scope(bytes(32), (item,)),
    )  # fmt: skip
    demands.read(office.desk, case_id, demand, country="US", actor="ana", now=office.now)
    demands.assess(office.desk, case_id, actor="ana", now=office.now)
    narrow(office, case_id, "t1")
    return case_id


def found(office: Office, value: str = MAIL) -> str:
    """The same, after two people let it be found out which account is meant."""
    case_id = letter(office, value)
    propose(office, case_id)
    approve(office, case_id)
    office.wait(hours=12)
    resolve(office, case_id)
    return case_id


def held(office: Office, case_id: str, ref: str = "t2") -> str:
    """A hold of an account that was found: begun by Boris, taken by the worker, confirmed by Chi."""
    narrow(office, case_id, ref)
    holding.begin(office.desk, case_id, ref, by(office, "boris"), now=office.now)
    keep(office)
    holding.confirm(office.desk, case_id, ref, by(office, "chi"), now=office.now)
    return case_id


def refusal(act: Any) -> str:
    with pytest.raises(DueprocessError) as caught:
        act()
    return caught.value.code


def test_what_a_letter_names_is_held_and_read_by_a_later_disclosure(wide: Office) -> None:
    """The platform forgets everything; an order about the mail address and one about the account are both answered."""
    case_id = held(wide, found(wide))
    with platform(wide) as store:
        store.executescript("DELETE FROM sessions; DELETE FROM messages;")
    wide.wait(hours=12)
    assert load_case(case_id).target("t2").hold is not None
    ((name, rows),) = [pair for pair in read(wide, disclosure(wide)).items() if pair[0].endswith("sessions")]
    assert name.startswith("hold-")
    assert [row["ip"] for row in rows] == ["192.0.2.80", "192.0.2.90", "192.0.2.99"]
    again = resolved(wide)
    wide.decide(again, "t2")
    plan = demands.authorised(wide.desk, load_case(again), "t2")[1]
    wide.wait(hours=12)
    assert [part.case_id for part in plan.holds] == [case_id]
    assert len(holding.sources(wide.desk, load_case(again), "t2", plan)) == 2
    assert list(broken_promises(load_case(case_id).events)) == []
    assert check_everything(wide.desk) == []


def test_it_ends_as_every_hold_does(wide: Office) -> None:
    """After its time the key is gone, the case closes and is registered as one demand about one account."""
    case_id = held(wide, found(wide))
    wide.now = holding.keeping_until(wide.desk, load_case(case_id))
    keep(wide)
    wide.close(case_id)
    assert load_case(case_id).outcome == "complied"
    assert registered(wide.desk, case_id)[0].accounts_band == "1"


def test_the_worker_asks_by_itself_and_says_one_word(wide: Office, capfd: pytest.CaptureFixture[str]) -> None:
    """Neither the mail address nor the account is on a screen or in an event."""
    case_id = letter(wide)
    propose(wide, case_id)
    approve(wide, case_id)
    wide.wait(hours=12)
    stores = wide.desk.installation.worker / "stores.env"
    stores.write_text("".join(f"{name}={value}\n" for name, value in wide.environment.items()))
    said = worker.turn(wide.desk, wide.now)
    assert said == [f"{case_id[:8]} t1: resolved"]
    told = "".join((*said, *capfd.readouterr(), repr([each.as_json() for each in load_case(case_id).events])))
    assert [words for words in (EVA, MAIL) if words in told] == []


# ------------------------------------------------------------------ attacks


def test_one_person_finds_nobody_and_a_stranger_nothing(wide: Office) -> None:
    """One signature, one's own second, a requester whom nobody called back: no question is asked."""
    case_id = letter(wide)
    assert refusal(lambda: resolve(wide, case_id)) in ("not-approved", "not-proposed")
    propose(wide, case_id)
    wide.wait(hours=12)
    assert refusal(lambda: resolve(wide, case_id)) == "not-approved"
    assert refusal(lambda: approve(wide, case_id, who="boris")) == "self-approval"
    stranger = letter(wide, verified=False)
    assert refusal(lambda: propose(wide, stranger)) == "requester-doubted"
    assert [load_case(each).target("t1").children for each in (case_id, stranger)] == [(), ()]


def test_a_hold_begins_on_no_target_that_was_not_resolved(wide: Office) -> None:
    """Not on the mail address, not on an account that nobody found, and not on one found in another case."""
    case_id, other = letter(wide), found(wide)
    boris = by(wide, "boris")

    def begin(ref: str) -> object:
        return holding.begin(wide.desk, case_id, ref, boris, now=wide.now)

    assert refusal(lambda: begin("t1")) == "resolve-first"
    assert refusal(lambda: begin("t2")) == "no-such-target"
    narrow(wide, other, "t2")
    holding.begin(wide.desk, other, "t2", boris, now=wide.now)
    body: Any = load_case(other).events[-1].body
    document = holding.open_hold(wide.desk, load_case(other), "t2")
    wide.desk.vault.put_json(case_id, f"decision:{body['decision_sha256']}", document)
    assert (
        refusal(lambda: holding.confirm(wide.desk, case_id, "t1", by(wide, "chi"), now=wide.now)) == "no-hold"
    )
    assert list(wide.desk.installation.parcels.glob("*")) == []


def test_another_account_than_the_one_found_is_not_held(wide: Office) -> None:
    """A list in the vault that names Finn is not the one that history names."""
    case_id = found(wide)
    event = load_case(case_id).target("t1").found
    assert event is not None
    swapped = {**wide.desk.vault.get_json(case_id, f"found:{event.text('found_sha256')}"), "accounts": [FINN]}
    narrow(wide, case_id, "t2")
    real = type(wide.desk.vault).get_json
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            type(wide.desk.vault),
            "get_json",
            lambda vault, case, name: swapped if name.startswith("found:") else real(vault, case, name),
        )
        with pytest.raises(BrokenError) as caught:
            holding.begin(wide.desk, case_id, "t2", by(wide, "boris"), now=wide.now)
    assert caught.value.code == "found-altered"


def test_nothing_is_handed_over_on_a_letter_to_preserve(wide: Office) -> None:
    """The account that was found cannot be disclosed about on this paper, held or not."""
    case_id = held(wide, found(wide))
    wide.wait(hours=12)
    assert refusal(lambda: propose(wide, case_id, "t2")) == "not-producible"
    assert refusal(lambda: wide.produce(case_id, "t2"))
    assert refusal(lambda: wide.produce(case_id, "t1"))
    assert list(wide.desk.installation.parcels.glob("*")) == []


# ------------------------------------------------------------------ what the authority learns


VALUES = (MAIL, NOBODY, SHARED)
"""One account, none, two."""


def test_the_answer_to_the_letter_is_the_same_whatever_was_found(wide: Office) -> None:
    """Word for word: the letter in each language, which letters fit, and what is known for every other one."""
    on = dt.date(2026, 9, 9)
    told = []
    for value, case_id in zip(VALUES, all_found(wide), strict=True):
        if value == MAIL:
            held(wide, case_id)
        ground = letterground.of_case(wide.desk, load_case(case_id))
        letters = [
            replies.compose(ground, "holding", {}, language=each, on=on) for each in ("en", "de", "fr")
        ]
        drafts = [replies.draft(ground, code, on) for code in LETTERS]
        told.append(([each.letter.text for each in letters], replies.offered(ground), drafts))
    assert told[0] == told[1] == told[2]
    assert [words for words in (MAIL, EVA) if words in repr(told)] == []


def all_found(office: Office) -> list[str]:
    """One letter for each of `VALUES`, all of one day."""
    cases = [letter(office, value) for value in VALUES]
    for case_id in cases:
        propose(office, case_id)
        approve(office, case_id)
    office.wait(hours=12)
    for case_id in cases:
        resolve(office, case_id)
    return cases


def test_the_receipt_of_the_authority_is_the_same_whatever_was_found(wide: Office) -> None:
    """Its steps, its fields and its end: whoever compares two of them learns nothing about accounts."""
    made: list[list[dict[str, Any]]] = []
    for value, case_id in zip(VALUES, all_found(wide), strict=True):
        if value == MAIL:
            held(wide, case_id)
            boris, chi = wide.people["boris"], wide.people["chi"]
            holding.release(wide.desk, case_id, "t2", "served", [boris, chi], now=wide.now)
            keep(wide)
        wide.close(case_id)
        wide.wait(hours=12)
        made.append([shown(dict(each.values)) for each in requesters(wide, case_id).records])
        assert requesters(wide, case_id, "t1").records
    assert made[0] == made[1] == made[2]
    assert [each["kind"] for each in made[0]][-1] == "ProductionStarted"


def shown(values: dict[str, Any]) -> dict[str, Any]:
    """What a record says, without what differs between any two cases."""
    own = ("prev", "order_ref", "paper_sha256", "scope_sha256")
    return {name: value for name, value in values.items() if name not in own}


def requesters(office: Office, case_id: str, ref: str | None = None) -> ReceiptFindings:
    return verify_receipt(receipt(office.desk, load_case(case_id), ref, "requester"), office.desk.policy)


def test_a_disclosure_tells_of_an_account_that_was_found_only_once_it_is_handed_over(
    wide: Office, tmp_path: Path
) -> None:
    """Before that the receipt has the paper's own steps; then also those of the account, and how the case ended."""
    case_id = resolved(wide)
    wide.decide(case_id, "t2")
    wide.wait(days=9)
    wide.produce(case_id, "t2")
    wide.wait(hours=12)
    assert "DataProduced" not in [each.values["kind"] for each in requesters(wide, case_id).records]
    wide.deliver(case_id, tmp_path / "parcel.age", "t2")
    wide.wait(hours=12)
    kinds = [each.values["kind"] for each in requesters(wide, case_id, "t2").records]
    assert {"DataProduced", "ParcelDelivered"} <= set(kinds)


def test_no_letter_names_an_account_that_was_found(wide: Office) -> None:
    """A person's own words that name it are refused, as are those that name what the paper says."""
    case_id = found(wide)
    ground = letterground.of_case(wide.desk, load_case(case_id))
    assert account(wide.desk, load_case(case_id), "t2") == Target("account", EVA)
    for name in (EVA, MAIL):
        with pytest.raises(RefusedError) as caught:
            replies.compose(
                ground, "holding", {"reference": f"about {name}"}, language="en", on=dt.date(2026, 9, 9)
            )
        assert caught.value.code == "names-account"


# ------------------------------------------------------------------ too many, and nobody who answers


@pytest.mark.parametrize(
    ("kind", "value"), [("email", SHARED), ("ip_at_time", "198.51.100.8:7")], ids=["email", "address"]
)
def test_an_answer_of_more_than_one_ends_the_target(wide: Office, kind: TargetKind, value: str) -> None:
    """Once, without a number: the worker has nothing to try again, and the register says refused."""
    case_id = letter(wide, address(value) if kind == "ip_at_time" else value, kind=kind)
    propose(wide, case_id)
    approve(wide, case_id)
    wide.wait(hours=12)
    assert resolve(wide, case_id).targets == ()
    state = load_case(case_id).target("t1")
    assert (state.stage, state.ambiguous, list(worker.owed(case_id))) == ("refused", True, [])
    assert refusal(lambda: resolve(wide, case_id)) == "not-approved"
    told = repr([each.as_json() for each in load_case(case_id).events])
    assert [words for words in (EVA, FINN, SHARED) if words in told] == []
    wide.close(case_id)
    assert load_case(case_id).outcome == "rejected"
    assert registered(wide.desk, case_id)[0].accounts_band == "1"
    assert check_everything(wide.desk) == []


def test_a_store_that_does_not_answer_is_asked_again(wide: Office) -> None:
    """Nothing is recorded but that it was begun; the next turn finds out."""
    case_id = asked(wide, "email", SHARED)
    wide.decide(case_id)
    wide.wait(hours=12)
    real = dict(wide.environment)
    wide.environment["PLATFORM_DSN"] = "sqlite:////nowhere/platform.db"
    for _ in range(2):
        with pytest.raises(UnavailableError):
            resolve(wide, case_id)
        assert load_case(case_id).target("t1").stage == "producing"
        assert list(worker.owed(case_id)) == ["t1"]
    wide.environment.update(real)
    resolve(wide, case_id)
    assert load_case(case_id).target("t1").ambiguous


def test_a_renewed_letter_that_names_the_address_again_prolongs_the_hold(wide: Office) -> None:
    """Which account it means is found out for this paper too; only for the same one the hold lasts longer."""
    case_id = held(wide, found(wide))
    before = the_hold(case_id).until
    again = found(wide)
    signers = [wide.people["boris"], wide.people["chi"]]
    holding.renew(wide.desk, case_id, "t2", (again, "t2"), signers, now=wide.now)
    assert the_hold(case_id).until > before
    assert load_case(again).target("t2").stage == "ended"
    unresolved = letter(wide)
    assert (
        refusal(lambda: holding.renew(wide.desk, case_id, "t2", (unresolved, "t1"), signers, now=wide.now))
        == "other-target"
    )


def the_hold(case_id: str) -> Any:
    return load_case(case_id).target("t2").hold

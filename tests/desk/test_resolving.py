"""A target that is no account, in a whole office: two people let one question be asked, and the answer stays inside."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from desk.resolutions import (
    AT,
    MAIL,
    NOBODY,
    OWNERS,
    SHARED,
    address,
    approve,
    approved,
    asked,
    narrow,
    on_the_platform,
    propose,
    resolve,
    resolved,
)
from dueprocess.cases.invariants import broken_promises
from dueprocess.demand import Period, Scope, ScopeItem, Target
from dueprocess.desk import demands
from dueprocess.desk.assessments import current
from dueprocess.desk.check import check_everything
from dueprocess.desk.closing import registered
from dueprocess.desk.desk import open_desk
from dueprocess.desk.resolving import account
from dueprocess.desk.vaultcheck import unnamed_objects
from dueprocess.errors import BrokenError, DueprocessError, MalformedError, RefusedError
from dueprocess.history.append import load_case
from dueprocess.steps import challenge
from dueprocess.wire import canonical
from dueprocess.worker import production as worker
from office import EVA, FINN, START, Office

pytestmark = pytest.mark.stage("brisk")


@pytest.fixture
def wide(office: Office) -> Office:
    """The office with the wider platform."""
    on_the_platform(office)
    return office


def refusal(office: Office, case_id: str) -> str:
    with pytest.raises(DueprocessError) as caught:
        resolve(office, case_id)
    return caught.value.code


def account_of(office: Office, case_id: str, ref: str) -> str | None:
    found = account(office.desk, load_case(case_id), ref)
    return found.value if found is not None else None


def test_a_mail_address_leads_to_one_account_that_takes_a_decision_of_its_own(
    wide: Office, tmp_path: Path
) -> None:
    """The parcel is about the account, and only after a second pair of signatures; the user of it is told."""
    case_id = resolved(wide)
    case = load_case(case_id)
    assert (case.target("t1").stage, case.target("t1").resolved, list(case.targets)) == (
        "resolved", "one", ["t1", "t2"],
    )  # fmt: skip
    assert case.target("t2").stage == "assessed"
    assert account_of(wide, case_id, "t2") == EVA
    wide.decide(case_id, "t2")
    wide.wait(days=9)
    made = wide.produce(case_id, "t2")
    assert made.tables == ["main.users: found 1 record", "main.sessions: found 3 records"]
    wide.wait(hours=12)
    wide.deliver(case_id, tmp_path / "parcel.age", "t2")
    wide.wait(hours=12)
    assert wide.notify(case_id, "t1") is None
    wide.notify(case_id, "t2")
    wide.wait(hours=12)
    wide.close(case_id)
    case = load_case(case_id)
    assert case.outcome == "complied_in_part"
    assert registered(wide.desk, case_id)[0].accounts_band == "1"
    assert list(broken_promises(case.events)) == []
    assert check_everything(wide.desk) == []


def test_the_answer_is_in_no_event_no_log_and_on_no_screen(
    wide: Office, capfd: pytest.CaptureFixture[str]
) -> None:
    """Not the mail address and not the account; the real worker does it by itself and says one word."""
    case_id = approved(wide, "email", MAIL)
    stores = wide.desk.installation.worker / "stores.env"
    stores.write_text("".join(f"{name}={value}\n" for name, value in wide.environment.items()))
    wide.seen += worker.turn(wide.desk, wide.now)
    assert load_case(case_id).target("t1").children == ("t2",)
    wide.wait(hours=12)
    said = "".join(capfd.readouterr()) + "".join(wide.seen)
    told = canonical([event.as_json() for event in load_case(case_id).events]).decode()
    for words in (EVA, MAIL):
        assert words not in said
        assert words not in told
        assert [
            path for path in wide.root.rglob("*") if path.is_file() and words.encode() in path.read_bytes()
        ] == []
    assert [str(each) for each in unnamed_objects(wide.desk)] == []


def test_nobody_found_ends_like_nothing_held(wide: Office) -> None:
    """An unknown address, and one whose account is gone, are registered as no records."""
    for value in (NOBODY, "gone@mail.example"):
        case_id = resolved(wide, value=value)
        case = load_case(case_id)
        assert (case.target("t1").resolved, case.target("t1").children, case.stage) == (
            "none",
            (),
            "resolved",
        )
        wide.close(case_id)
        assert load_case(case_id).outcome == "no_records"
        assert registered(wide.desk, case_id)[0].accounts_band == "1"


def test_two_accounts_end_the_target_without_a_count(wide: Office) -> None:
    """History does not say how many, and nobody is a target; the register counts it as refused."""
    case_id = approved(wide, "email", SHARED)
    assert resolve(wide, case_id).targets == ()
    case = load_case(case_id)
    assert (case.target("t1").stage, case.target("t1").ambiguous, list(case.targets)) == (
        "refused", True, ["t1"],
    )  # fmt: skip
    told = canonical([each.as_json() for each in case.events]).decode()
    assert not any(each in told for each in (EVA, FINN, SHARED))
    wide.close(case_id)
    assert load_case(case_id).outcome == "rejected"
    assert registered(wide.desk, case_id)[0].accounts_band == "1"


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("198.51.100.7:40001", EVA), ("198.51.100.7:50000", FINN), ("[2001:db8::1]:9", EVA),
        ("[2001:0db8:0::1]:9", EVA), ("198.51.100.9:40001", None), ("198.51.100.7:60000", None),
    ],
)  # fmt: skip
def test_an_address_at_a_time_is_one_row_of_the_interval_table(
    wide: Office, text: str, who: str | None
) -> None:
    """The row that holds the instant and the port; its first instant is inside, its end is not."""
    case_id = resolved(wide, "ip_at_time", address(text))
    assert load_case(case_id).target("t1").children == (("t2",) if who else ())
    if who:
        assert account_of(wide, case_id, "t2") == who


def test_a_second_earlier_the_address_was_somebody_elses(wide: Office) -> None:
    """Until the instant itself Finn had it, whole."""
    case_id = resolved(wide, "ip_at_time", address("198.51.100.7:40001", seconds=-1))
    assert account_of(wide, case_id, "t2") == FINN


def test_an_address_that_two_rows_give_away_or_without_its_port_is_refused(wide: Office) -> None:
    """Two rows hold the instant; and where people share addresses the port must be named."""
    two = resolved(wide, "ip_at_time", address("198.51.100.8:7"))
    assert load_case(two).target("t1").ambiguous
    for value, words in (
        (address("198.51.100.7"), "the port"),
        ("198.51.100.7 yesterday", "one exact address"),
    ):
        case_id = asked(wide, "ip_at_time", value)
        with pytest.raises(MalformedError, match=words):
            narrow(wide, case_id, "t1")


def test_a_package_leads_to_its_owners_and_never_to_its_helpers(wide: Office) -> None:
    """Five owners are five new targets; the maintainer is none of them. Each is decided alone."""
    case_id = resolved(wide, "resource", "example-package")
    case = load_case(case_id)
    refs = [f"t{number}" for number in range(2, 7)]
    assert (case.target("t1").resolved, list(case.target("t1").children)) == ("several", refs)
    assert sorted(str(account_of(wide, case_id, ref)) for ref in refs) == sorted(OWNERS)
    wide.decide(case_id, "t3")
    assert load_case(case_id).target("t2").stage == "assessed"
    assert load_case(case_id).target("t3").stage == "approved"
    assert resolved(wide, "resource", "lonely-package")
    with pytest.raises(RefusedError, match="asks for"):
        Target("room", "#kitchen:chat.example")  # type: ignore[arg-type]  # everyone in a room has no form


def test_an_account_that_was_found_may_be_asked_about_as_its_paper_asks_and_no_more(wide: Office) -> None:
    """The narrowing of a found account never exceeds what the law permits about what the paper names."""
    case_id = resolved(wide)
    permitted = current(wide.desk, load_case(case_id)).permitted[0]
    assert permitted is not None
    with pytest.raises(RefusedError) as caught:
        narrow(wide, case_id, "t2", since=START - dt.timedelta(days=400))
    assert caught.value.code == "wider-than-permitted"
    narrow(wide, case_id, "t2", categories=frozenset({"subscriber.identity"}))
    assert load_case(case_id).target("t2").categories == ("subscriber.identity",)
    assert load_case(case_id).target("t2").parent == "t1"


def test_a_new_assessment_keeps_what_was_found(wide: Office) -> None:
    """What was resolved stays; what was found is assessed again with its paper, and keeps its parent."""
    case_id = resolved(wide)
    narrow(wide, case_id, "t2")
    demands.assess(wide.desk, case_id, actor="ana", now=wide.now)
    case = load_case(case_id)
    assert (case.target("t1").stage, case.target("t2").stage, case.target("t2").parent) == (
        "resolved", "assessed", "t1",
    )  # fmt: skip
    permitted: Any = case.assessed.body["permitted"] if case.assessed else {}
    assert set(permitted) == {"t1", "t2"}
    with pytest.raises(RefusedError):
        wide.decide(case_id, "t1")


# ------------------------------------------------------------------ attacks


def test_a_decision_to_resolve_discloses_nothing(wide: Office) -> None:
    """Its document names no recipient, its plan reads no record, and production refuses it."""
    case_id = approved(wide, "email", MAIL)
    document = propose_again(wide, asked(wide, "email", MAIL))
    assert (document["action"], document["recipient"]) == ("resolve", None)
    scope, plan = demands.authorised(wide.desk, load_case(case_id), "t1")
    assert (scope.items[0].target.kind, plan.tables, plan.files, plan.holds) == ("email", (), (), ())
    with pytest.raises(DueprocessError) as caught:
        wide.produce(case_id)
    assert caught.value.code in ("bad-decision", "not-decidable", "resolve-first")
    assert list(wide.desk.installation.parcels.glob("*.age")) == []
    resolve(wide, case_id)
    with pytest.raises(RefusedError):
        resolve(wide, case_id)


def propose_again(wide: Office, case_id: str) -> dict[str, object]:
    narrow(wide, case_id, "t1")
    return propose(wide, case_id)


def test_a_decision_to_disclose_resolves_nothing(wide: Office) -> None:
    """The question of a resolution cannot be asked under a disclosure's signatures."""
    case_id = wide.approved_case()
    wide.wait(days=9)
    assert refusal(wide, case_id) in ("bad-decision", "not-decidable", "resolve-first")


def test_two_people_decide_on_each(wide: Office) -> None:
    """One cannot do it twice, and whoever called back cannot at all; before the second nothing is asked."""
    case_id = asked(wide, "email", MAIL)
    narrow(wide, case_id, "t1")
    propose(wide, case_id)
    wide.wait(hours=12)
    assert refusal(wide, case_id) == "not-approved"
    with pytest.raises(RefusedError) as caught:
        approve(wide, case_id, who="boris")
    assert caught.value.code == "self-approval"
    with pytest.raises(RefusedError):
        approve(wide, case_id, who="ana")
    approve(wide, case_id)
    assert refusal(wide, case_id)  # its approval is not sealed yet
    wide.wait(hours=12)
    resolve(wide, case_id)
    narrow(wide, case_id, "t2")
    propose(wide, case_id, "t2")
    wide.wait(hours=12)
    with pytest.raises(RefusedError):
        wide.produce(case_id, "t2")


def test_a_disclosure_about_another_account_than_the_one_found_is_refused(wide: Office) -> None:
    """Neither a swapped list in the vault nor a swapped scope leads to Finn."""
    case_id = resolved(wide)
    event = load_case(case_id).target("t1").found
    assert event is not None
    name = f"found:{event.text('found_sha256')}"
    stored = wide.desk.vault.get_json(case_id, name)
    with pytest.MonkeyPatch.context() as patch:
        swapped = {**stored, "accounts": [FINN]}
        patch.setattr(type(wide.desk.vault), "get_json", lambda *_: swapped)
        with pytest.raises(BrokenError) as caught:
            account(wide.desk, load_case(case_id), "t2")
    assert caught.value.code == "found-altered"


def test_another_account_in_the_scope_of_one_that_was_found_is_refused(wide: Office) -> None:
    """A scope about Finn, however it came into the vault, is not what was found."""
    case_id = resolved(wide)
    narrow(wide, case_id, "t2")
    finn = ScopeItem(Target("account", FINN), frozenset({"session.times"}), Period(AT, START))  # type: ignore[arg-type]
    other = Scope(bytes(32), (finn,))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(demands, "stored_scope", lambda *_: (other, bytes(32)))
        with pytest.raises(BrokenError) as caught:
            demands.authorised(wide.desk, load_case(case_id), "t2")
    assert caught.value.code == "other-account"


@pytest.mark.parametrize(
    "edit", [('column = "mail"', 'column = "user"'), ("confirmed = true", "confirmed = false")]
)
def test_an_edit_of_the_map_after_the_approval_is_refused(wide: Office, edit: tuple[str, str]) -> None:
    """What two people approved is the question as the map then asked it."""
    case_id = approved(wide, "email", MAIL)
    path = wide.root / "datamaps" / "platform.toml"
    path.write_text(path.read_text().replace(*edit))
    wide.desk = open_desk(wide.root)
    assert refusal(wide, case_id) == "plan-differs"


def test_a_challenge_stops_a_resolution(wide: Office) -> None:
    """An objection holds the question back too; upheld, it is never asked."""
    case_id = approved(wide, "email", MAIL)
    hand = wide.desk.hand("boris", wide.now, case_id)
    challenge.open_challenge(case_id, hand, "t1", by="operator", ground="wrong person")
    assert refusal(wide, case_id) == "challenged"
    challenge.close_challenge(case_id, hand, "t1", upheld=True)
    assert load_case(case_id).target("t1").stage == "refused"
    wide.wait(hours=6)
    assert refusal(wide, case_id) == "not-approved"

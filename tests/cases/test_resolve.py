"""Resolve: two people let one question be asked; what was found becomes targets with decisions of their own."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.story import BORIS, CHI, EVA, FINN, LEAST, PLAN, WINDOW, Story, approved_story
from dueprocess.cases import narrow, resolve
from dueprocess.cases.case import evolve
from dueprocess.cases.close import close
from dueprocess.cases.decide import approve, propose
from dueprocess.cases.document import check_shape
from dueprocess.cases.events import Draft, Event
from dueprocess.cases.gate import check_gate
from dueprocess.cases.notify import delay, owed_notice
from dueprocess.cases.resolve import Found, account_of, parse_found
from dueprocess.demand import MOST_TARGETS, ScopeItem, Target, TargetKind
from dueprocess.errors import BrokenError, DueprocessError, MalformedError, RefusedError
from dueprocess.report.case_row import register_row
from dueprocess.wire import Json

MAIL = "eva@mail.example"


@dataclass
class Resolution(Story):
    """A story about a target that is no account."""

    found: Found | None = None

    def begun(self, kind: TargetKind = "email", *accounts: str) -> "Resolution":
        self.received().verified().read(MAIL, *accounts)
        items = [
            ScopeItem(Target(kind, MAIL), *_rest(self.paper.scope.items[0])),
            *self.paper.scope.items[1:],
        ]
        self.events.pop()
        self.now = self.now.replace(minute=self.now.minute - 1)
        scope = type(self.paper.scope)(bytes(32), tuple(items))
        self.read(scope=scope)
        self.assessed().narrowed()
        return self

    def decided(self) -> "Resolution":
        self.proposed().approved()
        return self

    def asked(self, *accounts: str, several: bool = False) -> "Resolution":
        decided = {"target": "t1", "decision_sha256": self.case.target("t1").decision_sha256}
        started = {**decided, "plan_sha256": PLAN, "log_size": 9, "witnessed": False}
        self.tell(Draft("ProductionStarted", started), actor="production")
        self.found = Found(bytes(32), accounts)
        self.tell(*resolve.resolve(self.case, "t1", self.found, several=several), actor="production")
        return self

    def child(self, ref: str = "t2", account: str = EVA, **changes: Any) -> "Resolution":
        asked = ScopeItem(Target("account", account), LEAST, WINDOW)
        facts = {"demanded": self.paper.scope, "permitted": asked, "found": self.found, **changes}
        authorised = type(self.paper.scope)(bytes(32), (asked,))
        self.scopes[ref] = authorised
        narrowing = narrow.Narrowing(
            ref=ref, authorised=authorised, findings=(), plan_sha256=PLAN, map_sha256=PLAN, **facts
        )
        self.tell(*narrow.narrow(self.case, narrowing), actor="boris")
        return self


def _rest(item: ScopeItem) -> tuple[Any, ...]:
    return item.categories, item.period, item.purpose


def story(*accounts: str) -> Resolution:
    """A mail address that was resolved to these accounts."""
    return Resolution().begun().decided().asked(*accounts, several=len(accounts) > 1)


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises(DueprocessError) as caught:
        act()
    return caught.value.code


def test_an_account_that_was_found_is_a_target_like_any_other() -> None:
    """It begins as assessed, is narrowed, decided and produced; its parent ends as resolved and leads to nobody."""
    told = story(EVA)
    assert list(told.case.targets) == ["t1", "t2"]
    assert (told.case.target("t1").stage, told.case.target("t2").stage, told.case.stage) == (
        "resolved", "assessed", "assessed",
    )  # fmt: skip
    assert (told.case.place("t1"), told.case.place("t2"), told.case.accounts) == (0, 0, 1)
    told.child().proposed("t2").approved("t2").told("t2").wait(days=8)
    assert len(check_gate(told.gate(ref="t2"))) >= 6
    told.produced("t2").delivered("t2").told("t2", "after")
    told.tell(*close(told.case))
    assert told.case.outcome == "complied_in_part"
    assert told.case.closed is not None
    assert told.case.closed.body["outcomes"] == {"t2": "complied_in_part"}


def test_nothing_found_is_registered_as_no_records() -> None:
    """The one word in the register is the same as for an account of which nothing is held."""
    told = story()
    assert (told.case.stage, told.case.target("t1").resolved, told.case.accounts) == ("resolved", "none", 1)
    told.tell(*close(told.case))
    assert told.case.outcome == "no_records"
    assert register_row(told.case).accounts_band == "1"


def test_history_says_one_none_or_several_and_gives_references() -> None:
    """No account and no mail address is in any event; several is one word for two and for five."""
    for accounts, word in (
        ((), "none"),
        ((EVA,), "one"),
        ((EVA, FINN), "several"),
        (tuple("abcde"), "several"),
    ):
        told = story(*accounts)
        (event,) = [each for each in told.events if each.kind == "TargetResolved"]
        assert event.body["subject"] == word
        text = repr([each.as_json() for each in told.events])
        assert not any(each in text for each in (EVA, FINN, MAIL))
        assert told.case.accounts == max(1, len(accounts))


def test_only_a_thing_has_several_owners() -> None:
    """Everything else is one account or nobody."""
    told = Resolution().begun().decided()
    assert refusal(lambda: told.asked(EVA, FINN)) == "found-several"


def test_new_targets_are_numbered_on_behind_those_of_the_paper() -> None:
    """An event that names others cannot have happened."""
    told = Resolution().begun("email", FINN).decided()
    assert told.asked(EVA).case.target("t3").parent == "t1"
    assert (told.case.place("t2"), told.case.place("t3"), told.case.accounts) == (1, 0, 2)
    forged = Resolution().begun().decided()
    forged.tell(Draft("ProductionStarted", _started(forged)))
    body: dict[str, Json] = {**_decided(forged), "targets": ["t1"], "found_sha256": PLAN}
    assert refusal(lambda: forged.tell(Draft("AccountsFound", body))) == "bad-event"


def _decided(told: Story) -> dict[str, Json]:
    return {"target": "t1", "decision_sha256": told.case.target("t1").decision_sha256}


def _started(told: Story) -> dict[str, Json]:
    return {**_decided(told), "plan_sha256": PLAN, "log_size": 9, "witnessed": False}


# ------------------------------------------------------------------ what its signatures are good for


def test_a_resolution_gives_no_parcel_and_a_disclosure_no_targets() -> None:
    """History itself refuses the other's end."""
    told = Resolution().begun().decided()
    assert refusal(told.produced) == "other-action"
    other = approved_story()
    other.tell(Draft("ProductionStarted", _started(other)))
    found = Found(bytes(32), (EVA,))
    assert refusal(lambda: resolve.resolve(other.case, "t1", found, several=False)) == "not-resolving"
    body: dict[str, Json] = {**_decided(other), "targets": [], "found_sha256": PLAN}
    assert refusal(lambda: other.tell(Draft("AccountsFound", body))) == "other-action"


def test_the_gate_opens_for_the_question_alone() -> None:
    """Not for a production or a delivery; and not for a question under a disclosure."""
    told = Resolution().begun().decided()
    proved = check_gate(told.gate(phase="resolve"))
    assert any("to nobody" in each for each in proved)
    assert refusal(lambda: check_gate(told.gate(phase="produce"))) == "bad-decision"
    assert refusal(lambda: check_gate(told.gate(phase="deliver"))) == "not-approved"
    assert refusal(lambda: check_gate(approved_story().gate(phase="resolve"))) == "not-decidable"
    lone = Resolution().begun().proposed()
    assert refusal(lambda: check_gate(lone.gate(phase="resolve"))) == "not-approved"


def test_its_document_names_no_recipient_and_no_other_form_can_be_signed() -> None:
    """A recipient, another quorum, an emergency, or the other kind of target: refused."""
    told = Resolution().begun()
    document = told.document()
    assert (document["action"], document["recipient"]) == ("resolve", None)
    check_shape(document, "resolve")
    wrong: list[dict[str, Any]] = [
        {"recipient": {"authority": "a-court", "key": "age1court"}},
        {"quorum": {"mode": "after_the_fact", "need": 2}},
        {"emergency": {"why": "now"}},
    ]
    for change in wrong:
        signing = told.signing({**document, **change}, BORIS, "propose")
        assert refusal(lambda signing=signing: propose(told.case, signing)) == "not-decidable"  # type: ignore[misc]
    disclosing = {**document, "action": "disclose", "recipient": {"authority": "a-court", "key": "age1court"}}
    disclosing["notice"] = {**disclosing["notice"], "earliest_production": "2026-10-01T00:00:00Z"}
    signing = told.signing(disclosing, BORIS, "propose")
    assert refusal(lambda: propose(told.case, signing)) == "resolve-first"
    account = Story().received().verified().read().assessed().narrowed()
    resolving = {**account.document(), "action": "resolve", "recipient": None}
    signing = account.signing(resolving, BORIS, "propose")
    assert refusal(lambda: propose(account.case, signing)) == "resolve-first"


def test_two_different_people_sign() -> None:
    """Nobody approves their own proposal, and whoever called back signs neither."""
    told = Resolution().begun().proposed()
    own = told.signing(told.documents["t1"], BORIS, "approve")
    assert refusal(lambda: approve(told.case, own)) == "self-approval"
    assert told.approved(by=CHI).case.target("t1").stage == "approved"


def test_nobody_is_told_about_the_question() -> None:
    """Before it is known who the user is, no notice is owed; the found account's own decision brings it."""
    told = Resolution().begun().decided()
    state = told.case.target("t1")
    assert owed_notice(state, told.now) is None
    assert delay(state, told.now) == []
    assert owed_notice(told.asked(EVA).case.target("t1"), told.now) is None
    told.child().proposed("t2").approved("t2")
    assert owed_notice(told.case.target("t2"), told.now) == "before"


def test_any_edited_field_of_an_approved_question_closes_the_gate() -> None:
    """The signatures mean one document: no field of it can be another afterwards, nor one be added."""
    told = Resolution().begun().decided()
    document = told.documents["t1"]
    for name, value in document.items():
        edited = {**document, name: [value, "x"]}
        with pytest.raises(DueprocessError):
            check_gate(told.gate(phase="resolve", document=edited))
    with pytest.raises(DueprocessError):
        check_gate(told.gate(phase="resolve", document={**document, "more": 1}))
    assert refusal(lambda: check_gate(told.gate(phase="resolve", plan_sha256="0" * 64))) == "plan-differs"


# ------------------------------------------------------------------ what was found


def test_another_account_than_the_one_found_cannot_be_narrowed() -> None:
    """Neither by its name, nor with another list, nor without one."""
    told = story(EVA)
    assert refusal(lambda: told.child(account=FINN)) == "wider-than-permitted"
    assert refusal(lambda: told.child(account=FINN, found=Found(bytes(32), (FINN,)))) == "found-altered"
    assert refusal(lambda: told.child(found=Found(bytes([1]) * 32, (EVA,)))) == "found-altered"
    assert refusal(lambda: told.child(found=None)) == "found-missing"
    assert account_of(told.case, "t2", Found(bytes(32), (EVA,))) == Target("account", EVA)


def test_a_target_of_the_paper_stands_for_nothing_that_was_found() -> None:
    """Asking for the account of one is a fault of the program."""
    with pytest.raises(BrokenError):
        account_of(approved_story().case, "t1", Found(bytes(32), (EVA,)))


def test_a_new_assessment_keeps_what_was_found() -> None:
    """The parent stays resolved; the account is assessed afresh and keeps its place."""
    told = story(EVA).child()
    told.assessed()
    assert (told.case.target("t1").stage, told.case.target("t2").stage) == ("resolved", "assessed")
    assert told.case.target("t2").parent == "t1"
    assert told.child().case.target("t2").parent == "t1"


def test_a_paper_cannot_be_read_anew_once_something_was_found() -> None:
    """The references would change their meaning."""
    told = story(EVA)
    again = Event(told.events[-1].case_id, 99, "DemandRead", 1, told.events[2].body, "ana", "x", "y")
    with pytest.raises(RefusedError):
        evolve(told.case, again)


BAD: list[Any] = [
    None, [], {}, {"v": 1}, {"v": 2, "nonce": "AA==", "accounts": []}, {"v": 1, "nonce": "AA==", "accounts": "x"},
    {"v": 1, "nonce": "AA==", "accounts": [1]}, {"v": 1, "nonce": "AA==", "accounts": []},
]  # fmt: skip


@pytest.mark.parametrize("stored", BAD)
def test_a_list_of_another_shape_is_refused(stored: Any) -> None:
    """The vault's own object, if somebody changed it."""
    with pytest.raises(MalformedError):
        parse_found(stored)


def test_a_list_names_each_account_once_and_at_most_a_hundred() -> None:
    """And has a nonce of its own, so that its digest cannot be guessed."""
    many = tuple(f"a{number}" for number in range(MOST_TARGETS + 1))
    assert len(Found(bytes(32), many[:-1]).accounts) == MOST_TARGETS
    for nonce, accounts in ((bytes(32), many), (bytes(32), (EVA, EVA)), (bytes(31), (EVA,))):
        with pytest.raises(MalformedError):
            Found(nonce, accounts)


@given(
    st.lists(st.text("abcdefgh@.:", min_size=1, max_size=9), unique=True, max_size=9),
    st.binary(min_size=32, max_size=32),
)
def test_what_was_found_survives_the_vault(accounts: list[str], nonce: bytes) -> None:
    """Written and read again it is the same, with the same digest."""
    try:
        found = Found(nonce, tuple(accounts))
    except DueprocessError:
        return
    assert parse_found(found.as_json()) == found
    assert parse_found(found.as_json()).sha256 == found.sha256

"""A letter to preserve that names no account: two people find out which one is meant, then it is held like any."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from cases.holds import HoldStory
from cases.story import BORIS, CHI, DANA, EVA, FINN, LEAST, PLAN, WINDOW, assessed
from dueprocess.cases import decide, hold, narrow, resolve
from dueprocess.cases.close import close
from dueprocess.cases.events import Draft
from dueprocess.cases.gate import check_gate
from dueprocess.cases.invariants import broken_promises
from dueprocess.cases.narrow import resolvable
from dueprocess.cases.notify import owed_notice
from dueprocess.cases.resolve import Found
from dueprocess.demand import Scope, ScopeItem, Target, TargetKind
from dueprocess.errors import DueprocessError
from dueprocess.report.case_row import register_row
from dueprocess.wire import canonical

MAIL = "eva@mail.example"


@dataclass
class Preserved(HoldStory):
    """A story of a letter to preserve that names a mail address."""

    found: Found | None = None

    def named(
        self,
        kind: TargetKind = "email",
        *,
        verified: bool = True,
        demand_kind: str = "preservation",
        **changes: Any,
    ) -> "Preserved":
        self.received()
        if verified:
            self.verified()
        item = ScopeItem(Target(kind, MAIL), LEAST, WINDOW)
        facts = {"instrument": "preservation_letter", "scope": Scope(bytes(32), (item,))}
        self.read(kind=demand_kind, **facts)
        self.tell(assessed(self.case.targets, **{"producible": False, **changes}))
        self.narrowed()
        return self

    def decided(self) -> "Preserved":
        self.proposed().approved()
        return self

    def asked(self, *accounts: str, several: bool = False, ambiguous: bool = False) -> "Preserved":
        head = {"target": "t1", "decision_sha256": self.case.target("t1").decision_sha256}
        started = {**head, "plan_sha256": PLAN, "log_size": 9, "witnessed": False}
        self.tell(Draft("ProductionStarted", started), actor="production")
        self.found = Found(bytes(32), accounts)
        drafts = resolve.resolve(self.case, "t1", self.found, several=several, ambiguous=ambiguous)
        self.tell(*drafts, actor="production")
        return self

    def child(self, ref: str = "t2", account: str = EVA) -> "Preserved":
        asked = ScopeItem(Target("account", account), LEAST, WINDOW)
        self.scopes[ref] = Scope(bytes(32), (asked,))
        narrowing = narrow.Narrowing(
            ref=ref, demanded=self.paper.scope, permitted=asked, authorised=self.scopes[ref], findings=(),
            plan_sha256=PLAN, map_sha256=PLAN, found=self.found,
        )  # fmt: skip
        self.tell(*narrow.narrow(self.case, narrowing), actor="boris")
        return self


def letter(*accounts: str, **how: bool) -> Preserved:
    """A letter whose mail address was resolved to these accounts."""
    return Preserved().named().decided().asked(*accounts, **how)


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises(DueprocessError) as caught:
        act()
    return caught.value.code


def test_what_a_letter_names_is_found_by_two_and_then_held_by_one_and_confirmed_by_another() -> None:
    """The question has its own two signatures, the hold its own one and second; the case ends as any hold does."""
    told = letter(EVA)
    assert (told.case.target("t1").stage, told.case.target("t2").stage) == ("resolved", "assessed")
    told.child().begun("t2", by=BORIS).taken(ref="t2").confirmed("t2", by=CHI)
    state = told.case.target("t2").hold
    assert state is not None
    assert state.readable
    assert [owed_notice(each, told.now) for each in told.case.targets.values()] == [None, None]
    told.wait(days=91)
    told.over("t2").gone("t2").tell(*close(told.case))
    assert told.case.outcome == "complied"
    assert list(broken_promises(told.events)) == []


def test_one_person_finds_nobody() -> None:
    """Neither with one signature, nor by approving their own; nor does who made the call-back sign."""
    told = Preserved().named().proposed()
    assert refusal(lambda: check_gate(told.gate(phase="resolve"))) == "not-approved"
    assert refusal(lambda: told.approved(by=BORIS)) == "self-approval"
    late = Preserved().named(verified=False)
    late.verified(actor="boris")
    late.proposed(by=DANA)
    assert refusal(lambda: late.approved(by=BORIS)) == "caller-signs"
    assert told.approved(by=CHI).case.target("t1").stage == "approved"


def test_nobody_is_found_for_a_requester_who_was_not_called_back() -> None:
    """A hold may begin for an unknown sender, because it keeps what the paper names; a question may not."""
    told = Preserved().named(verified=False)
    document = told.document()
    signing = told.signing(document, BORIS, "propose")
    assert refusal(lambda: decide.propose(told.case, signing)) == "requester-doubted"
    asked = Preserved().named().decided()
    asked.tell(Draft("RequesterDoubted", {"findings": ["mail_only"]}))
    assert refusal(lambda: check_gate(asked.gate(phase="resolve"))) == "requester-doubted"


def test_no_hold_begins_on_what_was_not_resolved() -> None:
    """Neither on the mail address itself nor on an account that nobody found."""
    told = Preserved().named()
    assert refusal(lambda: told.begun("t1")) == "resolve-first"
    told.decided()
    assert refusal(lambda: told.begun("t1")) == "resolve-first"
    told.scopes["t2"] = told.scopes["t1"]
    assert refusal(lambda: told.begun("t2")) == "no-such-target"
    told.asked()
    assert refusal(lambda: told.begun("t1")) in ("resolve-first", "wrong-stage")
    assert refusal(lambda: told.begun("t2")) == "no-such-target"


def test_an_account_that_was_found_behind_another_paper_is_not_held_here() -> None:
    """A document of one case begins nothing in another one, and a list of another case is not this one's."""
    mine, other = letter(EVA).child(), letter(EVA, FINN, several=True).child("t3", FINN)
    foreign = replace(mine.found, accounts=(FINN,)) if mine.found else None
    mine.found = foreign
    assert refusal(lambda: mine.child("t2", FINN)) == "found-altered"
    document = {**other.hold_document("t3"), "target": "t2", "case_id": "d" * 32}
    signing = mine.signing(document, BORIS, "propose")
    assert refusal(lambda: hold.start(mine.case, signing, mine.until)) == "decision-void"


def test_nothing_is_disclosed_on_a_letter_to_preserve_whoever_was_found() -> None:
    """Only the question may be asked on it: no disclosure is proposed about the account, and no other gate opens."""
    told = Preserved().named().decided()
    assert check_gate(told.gate(phase="resolve"))
    assert refusal(lambda: check_gate(told.gate(phase="produce"))) == "not-producible"
    assert refusal(lambda: check_gate(told.gate(phase="deliver"))) == "not-producible"
    told.asked(EVA).child()
    assert told.document("t2")["action"] == "disclose"
    assert refusal(lambda: told.proposed("t2")) == "not-producible"


@pytest.mark.parametrize(
    "changes",
    [
        {"outcome": "refuse"},
        {"outcome": "escalate_to_counsel"},
        {"permitted": {"t1": None}},
        {"permitted": {}},
    ],
)
def test_a_letter_of_which_the_law_permits_nothing_finds_nobody(changes: dict[str, Any]) -> None:
    """The question is only for what a hold may follow."""
    told = Preserved()
    assert refusal(lambda: told.named(**changes)) == "not-producible"
    assert not resolvable(told.case)
    document = Preserved().named().document()
    told.tell(assessed(told.case.targets, producible=False))
    told.narrowed().tell(assessed(told.case.targets, producible=False, **changes))
    signing = told.signing({**document, "case_id": told.case.case_id}, BORIS, "propose")
    assert refusal(lambda: decide.propose(told.case, signing)) == "not-producible"


def test_another_kind_of_demand_that_cannot_be_produced_finds_nobody() -> None:
    """What opens the question is a demand to preserve, or one that may be produced."""
    for kind in ("disclosure", "removal"):
        assert refusal(lambda kind=kind: Preserved().named(demand_kind=kind)) == "not-producible"  # type: ignore[misc]
    unread = Preserved()
    unread.received()
    assert not resolvable(unread.case)
    order = Preserved().named(demand_kind="disclosure", producible=True)
    assert resolvable(order.case)


# ------------------------------------------------------------------ nobody, and more than one


def test_nobody_found_and_too_many_found_end_without_an_account() -> None:
    """No records, and refused: each is registered by one word, and neither says how many there are."""
    none, many = letter(), letter(ambiguous=True)
    assert (none.case.target("t1").stage, none.case.target("t1").ambiguous) == ("resolved", False)
    state = many.case.target("t1")
    assert (state.stage, state.resolved, state.ambiguous, state.children) == ("refused", "several", True, ())
    for told, outcome in ((none, "no_records"), (many, "rejected")):
        told.tell(*close(told.case))
        assert (told.case.outcome, told.case.accounts) == (outcome, 1)
        assert register_row(told.case).accounts_band == "1"
        assert list(broken_promises(told.events)) == []


def test_history_has_the_same_shape_for_none_one_and_too_many() -> None:
    """The same two events; only the word differs, and no number is in them."""
    kinds = [
        [event.kind for event in each.events] for each in (letter(), letter(EVA), letter(ambiguous=True))
    ]
    assert kinds[0] == kinds[1] == kinds[2]
    (event,) = [each for each in letter(ambiguous=True).events if each.kind == "AccountsFound"]
    assert event.body["targets"] == []
    assert EVA not in canonical(event.as_json()).decode()


@pytest.mark.parametrize("several", [False, True])
def test_an_answer_of_too_many_is_final(several: bool) -> None:  # noqa: FBT001  (the flag is the subject)
    """For a thing with too many owners as for a mail address: it is not asked, narrowed, or held again."""
    told = letter(several=several, ambiguous=True)
    assert refusal(lambda: told.asked(EVA)) == "wrong-stage"
    assert refusal(told.narrowed) == "wrong-stage"
    assert refusal(lambda: check_gate(told.gate(phase="resolve"))) == "not-approved"
    assert refusal(lambda: told.assessed(producible=False)) == "wrong-stage"
    assert told.case.stage == "refused"


def test_an_answer_of_too_many_names_nobody() -> None:
    """Accounts beside it are a fault of the program, and stop everything."""
    assert refusal(lambda: letter(EVA, several=True, ambiguous=True)) == "found-several"


def test_accounts_that_one_person_let_find_are_a_broken_promise() -> None:
    """A history in which the same person signed twice is named, wherever it came from."""
    told = letter(EVA)
    proposed = next(each for each in told.events if each.kind == "DecisionProposed")
    signature = proposed.body["signature"]
    events = [
        replace(each, body={**each.body, "signature": signature}) if each.kind == "DecisionApproved" else each
        for each in told.events
    ]
    found = {(promise, what.split()[0]) for _, promise, what in broken_promises(events)}
    assert found == {("I2", "ProductionStarted"), ("I2", "AccountsFound")}

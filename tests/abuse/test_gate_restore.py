"""Abuse of the gate through gaps and restores: what is missing from the log or the database needs the log's own word.

Sources: security.md 2.6 (abuse 20, 21), formats.md "Gate".
"""

import datetime as dt

import pytest

import sabotage
from abuse.attack import inject, refusal
from abuse.test_gate_log import set_back
from abuse.test_gate_witnesses import decision, two
from dueprocess.cases.logrules import Recovery, recovery_document
from dueprocess.desk import decisions, demands, gatekeeping, logrules
from dueprocess.history import ledger
from dueprocess.history.append import load_case
from dueprocess.steps import challenge as challenge_steps
from dueprocess.tlog.leaf import EpochLeaf, GapLeaf, IncidentLeaf, parse_leaf
from dueprocess.wire import b64
from office import Office
from sabotage import rows

pytestmark = pytest.mark.stage("ready")

KEPT = ("leaf", "head", "cosigned")
"""What recovery brings back from the public log: leaves and heads. Events, records and epochs are lost."""


def test_epochs_that_the_log_calls_missed_stop_nothing(office: Office) -> None:
    """The machine was off for a day; the log has a leaf that says so, and the case goes on."""
    office.now += dt.timedelta(hours=24)
    office.wait(hours=6)
    leaves = [parse_leaf(entry.encode()) for entry in ledger.entries(0, 10**6)]
    assert any(isinstance(leaf, GapLeaf) for leaf in leaves)
    office.produce(office.cases[0])


def lost(office: Office) -> tuple[int, int]:
    """The database goes back by a day, in which the user objected; the public log stays. Gives the lost epochs."""
    before = sabotage.snapshot()
    first = rows("epoch")[-1]["epoch"] + 1
    hand = office.desk.hand("ana", office.now, office.cases[0])
    challenge_steps.open_challenge(office.cases[0], hand, "t1", by="user", ground="not-me")
    office.wait(hours=24)
    last = rows("epoch")[-1]["epoch"]
    assert refusal(office).code == "challenged"
    set_back({**before, **{table: rows(table) for table in KEPT}})
    assert not load_case(office.cases[0]).target("t1").challenged
    return first, last


def recovery(office: Office, span: tuple[int, int] | None) -> None:
    """Two people recover the log: the decision in the rosters, as recover-log writes it."""
    head = ledger.head()
    assert head is not None
    found = Recovery(head.size - 4, head.size, head.root, span)
    document = recovery_document(found, origin=office.desk.pins.origin, nonce=b64(bytes(32)))
    logrules.decide(office.desk, "LogRecovered", document, two(office), office.now)


def incident(office: Office, span: tuple[int, int]) -> None:
    office.desk.log().add(IncidentLeaf("store-restored", *span), office.now)


def test_a_restored_database_without_the_logs_word_is_refused(office: Office) -> None:
    """The log holds epochs that the database does not know: an objection may have been in them, as it was here."""
    lost(office)
    assert refusal(office).code == "epoch-missing"


@pytest.mark.parametrize("half", ["the incident alone", "two people alone", "both, for fewer epochs"])
def test_half_a_recovery_is_refused(office: Office, half: str) -> None:
    """The log must say what was lost, and two people must have signed for exactly that."""
    first, last = lost(office)
    if half != "two people alone":
        incident(office, (first, last))
    if half == "two people alone":
        recovery(office, (first, last))
    if half == "both, for fewer epochs":
        recovery(office, (first, last - 1))
    assert refusal(office).code == "epoch-missing"


@pytest.mark.parametrize("who", ["one person", "one person twice"])
def test_a_recovery_by_one_person_is_refused(office: Office, who: str) -> None:
    """Setting the database back and explaining it away takes two."""
    span = lost(office)
    incident(office, span)
    boris = office.people["boris"]
    document = recovery_document(
        Recovery(1, 2, "a" * 64, span), origin=office.desk.pins.origin, nonce=b64(bytes(32))
    )
    signers = [boris] if who == "one person" else [boris, boris]
    inject(office, office.desk.stream, decision(office, "LogRecovered", document, *signers))
    assert refusal(office).code == "two-people"


def test_a_decision_from_before_the_recovery_is_void_and_a_new_one_stands(office: Office) -> None:
    """What stood against it may be lost for good; so two people look again and sign again."""
    span = lost(office)
    incident(office, span)
    recovery(office, span)
    office.wait(hours=6)
    error = refusal(office)
    assert (error.code, "narrow it again" in error.do) == ("before-recovery", True)
    case_id = office.cases[0]
    demands.narrow(office.desk, case_id, "t1", demands.Choice(), actor="boris", now=office.now)
    decisions.propose(office.desk, case_id, "t1", office.people["boris"], role="reviewer", now=office.now)
    decisions.approve(office.desk, case_id, "t1", office.people["chi"], role="reviewer", now=office.now)
    office.wait(hours=36)
    office.produce(case_id)


def test_new_epochs_cannot_be_lost_under_an_old_recovery(office: Office) -> None:
    """The recovery names its epochs; a later one that vanishes is missed as before."""
    span = lost(office)
    incident(office, span)
    recovery(office, span)
    office.wait(hours=12)
    gatekeeping.prove(office.desk, office.cases[0])
    with sabotage.unguarded():
        sabotage.delete("epoch", rows("epoch")[-1])
    assert refusal(office).code == "epoch-missing"


def test_a_lost_epoch_is_none_that_was_never_there(office: Office) -> None:
    """An epoch's row alone taken out, with nobody's word for it: its leaf is still public."""
    row = rows("epoch")[2]
    with sabotage.unguarded():
        sabotage.delete("epoch", row)
    leaf = parse_leaf(ledger.entries(row["leaf_index"], row["leaf_index"] + 1)[0].encode())
    assert isinstance(leaf, EpochLeaf)
    assert refusal(office).code == "epoch-missing"

"""Abuse of the gate through people and papers: approvals, keys, the vault, and what happens before release.

Each attack begins at a case of which production is due; no parcel may come of it. Sources: security.md 2.4 and
2.6 (abuse 9, 10, 13), formats.md "Gate".
"""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyrage
import pytest

import sabotage
from abuse.attack import flip, inject, parcels, parsed, refusal
from dueprocess.cases.decide import Signing
from dueprocess.cases.events import Draft
from dueprocess.demand import expand
from dueprocess.desk import assessments, decisions, demands, gatekeeping, rosters, setup
from dueprocess.desk.check import check_everything
from dueprocess.desk.desk import open_desk
from dueprocess.desk.filekeys import FileKey, make_key
from dueprocess.errors import BrokenError, DueprocessError, RefusedError
from dueprocess.history.append import load_case
from dueprocess.publication.log import Log
from dueprocess.publication.signer import LogSigner
from dueprocess.roster import Signature, Verdict
from dueprocess.steps import challenge as challenge_steps
from dueprocess.steps import decide as decide_steps
from dueprocess.steps import produce as produce_steps
from dueprocess.tlog.policy import parse_policy
from dueprocess.wire import Json
from office import EVA, FINN, Office
from sabotage import rows

pytestmark = pytest.mark.stage("ready")

DAY = dt.timedelta(days=1)


# --------------------------------------------------------------------------------------------------- people


def forged(office: Office, key: FileKey, said: Verdict = "approve", **changes: str) -> Draft:
    """An approval of the open decision by this key, or by what it claims to be."""
    case = load_case(office.cases[0])
    document = decisions.open_decision(office.desk, case, "t1")
    value = {
        **key.sign(office.desk.pins.origin, document, role="reviewer", verdict=said).as_json(),
        **changes,
    }
    body = {"target": "t1", "decision_sha256": case.target("t1").decision_sha256, "signature": value}
    return Draft("DecisionApproved", body)


def proposed(office: Office) -> None:
    """A fresh decision with Boris's signature alone, past its time to object."""
    case_id = office.cases[0]
    demands.narrow(office.desk, case_id, "t1", demands.Choice(), actor="boris", now=office.now)
    decisions.propose(office.desk, case_id, "t1", office.people["boris"], role="reviewer", now=office.now)
    office.wait(hours=30)


ATTACKS: dict[str, Callable[[Office, Path], Draft]] = {
    "unknown-signer": lambda office, at: forged(office, make_key("mallory", at / "mallory.json")),
    "two-people": lambda office, _: forged(office, office.people["boris"]),
    "caller-signs": lambda office, _: forged(office, office.people["ana"]),
    "wrong-verdict": lambda office, _: forged(office, office.people["chi"], "reject"),
    "bad-signature": lambda office, _: forged(office, office.people["chi"], "reject", verdict="approve"),
    "wrong-role": lambda office, _: forged(office, office.people["chi"], person="boris"),
}


@pytest.mark.parametrize("code", ATTACKS)
def test_an_approval_that_was_only_inserted_counts_for_nothing(
    office: Office, tmp_path: Path, code: str
) -> None:
    """Sealed in the ledger and the log like any other: a stranger's, the proposer's own, the caller's, a replayed
    rejection, a rejection relabelled, and one in somebody else's name.
    """
    proposed(office)
    inject(office, office.cases[0], ATTACKS[code](office, tmp_path))
    office.wait(hours=6)
    if code == "caller-signs":  # Ana holds no deciding role either
        assert refusal(office).code in ("wrong-role", "caller-signs")
    else:
        assert refusal(office).code == code


def test_an_invented_colleague_has_no_power(office_on: Office) -> None:
    """An enrolment that an administrator inserted, signed by the invented people themselves, gives no power."""
    office = office_on
    keys = [make_key(name, office.root.parent / f"{name}.json") for name in ("mallory", "trudy")]
    for key in keys:
        document = setup.staff_document(key.person, key.public, key.credential, ["reviewer"])
        signed = [
            k.sign(office.desk.pins.origin, document, role="reviewer", verdict="enrol").as_json()
            for k in keys
        ]
        inject(
            office, office.desk.stream, Draft("Enrolled", {"document": document, "signatures": list(signed)})
        )
    assert refusal(office).code == "unknown-signer"


def test_invented_people_have_no_power_however_well_everything_fits(office: Office) -> None:
    """Enrolment and approval by two invented people, sealed and published with the operator's own keys and signer."""
    keys = [make_key(name, office.root.parent / f"{name}.json") for name in ("mallory", "trudy")]
    proposed(office)
    for key in keys:
        document = setup.staff_document(key.person, key.public, key.credential, ["reviewer"])
        signed: list[Json] = [
            k.sign(office.desk.pins.origin, document, role="reviewer", verdict="enrol").as_json()
            for k in keys
        ]
        inject(office, office.desk.stream, Draft("Enrolled", {"document": document, "signatures": signed}))
    inject(office, office.cases[0], forged(office, keys[0]))
    place = office.desk.installation
    signer, policy = LogSigner.open(place.origin, place.keys), parse_policy(office.desk.pins.policy)
    log = Log(place.log, signer, office.desk.master, epoch_seconds=place.epoch_seconds, policy=policy)
    for _ in range(8):
        office.now += dt.timedelta(hours=6)
        log.close_due(office.now)
    assert max(row["ledger_seq"] for row in rows("placement")) == rows("counter")[0]["value"]
    assert refusal(office).code == "unknown-signer"


def test_other_founders_are_refused(office: Office) -> None:
    """A founding of one's own: a second one is refused, and one in the place of the first is not the pinned one."""
    keys = [make_key(name, office.root.parent / f"{name}.json") for name in ("mallory", "trudy")]
    inject(office, office.desk.stream, setup._founding(office.desk.pins.origin, keys))  # noqa: SLF001  as init does
    assert refusal(office).code == "founded-twice"
    pins = office.desk.installation.worker / "pins.json"
    pins.write_text(pins.read_text().replace(office.desk.pins.founding_sha256, "0" * 64))
    office.desk = open_desk(office.root)
    assert refusal(office).code == "wrong-founders"


def test_nobody_approves_their_own_proposal(office: Office) -> None:
    """Through the front door: the proposer, the one who called back, and somebody from another team."""
    proposed(office)
    codes = {"boris": "self-approval", "ana": "wrong-role", "dana": "unknown-signer"}
    for person, code in codes.items():
        with pytest.raises(RefusedError) as caught:
            decisions.approve(
                office.desk, office.cases[0], "t1", office.people[person], role="reviewer", now=office.now
            )
        assert caught.value.code == code
    assert refusal(office).code == "not-approved"


def test_a_rejection_is_not_replayed_as_an_approval(office: Office) -> None:
    """Verdict and document are what is signed; neither can be exchanged."""
    proposed(office)
    case_id = office.cases[0]
    document = decisions.open_decision(office.desk, load_case(case_id), "t1")
    no = office.people["chi"].sign(office.desk.pins.origin, document, role="reviewer", verdict="reject")
    yes = Signature(no.person, no.credential, no.role, "approve", no.value)
    for signature, code in ((no, "wrong-verdict"), (yes, "bad-signature")):
        signing = Signing(document, signature, office.desk.roster(), office.now)
        with pytest.raises(RefusedError) as caught:
            decide_steps.approve(case_id, office.desk.hand("chi", office.now, case_id), signing)
        assert caught.value.code == code


@pytest.mark.parametrize("person", ["boris", "chi"])
def test_a_revoked_signer_voids_the_decision(office_on: Office, person: str) -> None:
    """Whoever signed and is revoked before production has signed nothing, sealed or not yet."""
    key = office_on.people[person]
    keys = [office_on.people["boris"], office_on.people["chi"]]
    ending = rosters.ending_document("revoke", key.credential)
    rosters.enrol(office_on.desk, ending, keys, office_on.now, verdict="revoke")
    assert refusal(office_on).code == "signer-inactive"
    office_on.wait(hours=6)
    assert refusal(office_on).code == "signer-inactive"


@pytest.mark.parametrize(
    ("tables", "code"),
    [
        (("event",), "event-missing"),
        (("event", "record"), "ledger-gap"),
        (("event", "record", "placement"), "ledger-gap"),
    ],
)
def test_a_deleted_revocation_is_missed(office: Office, tables: tuple[str, ...], code: str) -> None:
    """The row that took Chi's power away is gone; her approval stays without power."""
    ending = rosters.ending_document("revoke", office.people["chi"].credential)
    keys = [office.people["boris"], office.people["chi"]]
    rosters.enrol(office.desk, ending, keys, office.now, verdict="revoke")
    office.wait(hours=6)
    event = next(row for row in rows("event") if row["kind"] == "Revoked")
    record = next(r for r in rows("record") if r["event_sha256"] == sabotage.sha256_of(parsed(event)))
    placement = next(row for row in rows("placement") if row["ledger_seq"] == record["ledger_seq"])
    gone = {"event": event, "record": record, "placement": placement}
    with sabotage.unguarded():
        for table in tables:
            sabotage.delete(table, gone[table])
    assert refusal(office).code == code


def test_a_withdrawn_decision_is_void(office: Office) -> None:
    """Sealed or not yet, and its row cannot be taken out again."""
    case_id = office.cases[0]
    digest = load_case(case_id).target("t1").decision_sha256
    inject(
        office,
        case_id,
        Draft("DecisionWithdrawn", {"target": "t1", "decision_sha256": digest, "reason": "new facts"}),
        actor="boris",
    )
    assert refusal(office).code == "not-approved"
    office.wait(hours=6)
    assert refusal(office).code == "not-approved"
    with sabotage.unguarded():
        sabotage.delete("event", next(row for row in rows("event") if row["kind"] == "DecisionWithdrawn"))
    assert refusal(office).code == "event-missing"


def test_a_suspended_authority_gets_nothing(office: Office) -> None:
    """Its key is in good order; its standing is not."""
    entry = office.desk.roster().authority("a-court")
    assert entry is not None
    ending = rosters.ending_document("suspend", entry.credential)
    keys = [office.people["boris"], office.people["chi"]]
    rosters.enrol(office.desk, ending, keys, office.now, verdict="suspend")
    assert refusal(office).code == "authority-suspended"


def test_a_new_key_of_the_authority_needs_a_new_decision(office: Office) -> None:
    """Two people signed for one key; a parcel for another one is not what they approved."""
    thief = pyrage.x25519.Identity.generate()
    keys = [office.people["boris"], office.people["chi"]]
    other = rosters.authority_document(
        "a-court",
        name="District Court of Example",
        country="US",
        authority_class="court",
        age=str(thief.to_public()),
    )
    rosters.enrol(office.desk, other, keys, office.now)
    assert refusal(office).code == "recipient-rekeyed"


def test_an_expired_decision_is_refused(office: Office) -> None:
    """Thirty days after it was proposed the facts may be others."""
    office.wait(days=30)
    assert refusal(office).code == "decision-expired"


# --------------------------------------------------------------------------------------- what was approved


def in_vault(office: Office, name: str, change: Callable[[Any], Any]) -> None:
    """Whoever has the case's key can put another object in the place of one of the vault."""
    case_id = office.cases[0]
    value = change(office.desk.vault.get_json(case_id, name))
    office.desk.vault.drop(case_id, name)
    office.desk.vault.put_json(case_id, name, value)


CHANGES: dict[str, Callable[[Any], Any]] = {
    "categories": lambda item: {**item, "categories": sorted({*item["categories"], "content.messages"})},
    "until": lambda item: {**item, "until": "2026-12-31T00:00:00Z"},
    "from": lambda item: {**item, "from": "2020-01-01T00:00:00Z"},
    "value": lambda item: {**item, "value": FINN},
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_wider_scope_in_the_vault_is_refused(office: Office, change: str) -> None:
    """More categories, a longer time, another account: it is not the scope that history names."""
    digest = load_case(office.cases[0]).target("t1").scope_sha256

    def wider(stored: Any) -> Any:
        return {
            **stored,
            "scope": {**stored["scope"], "targets": [CHANGES[change](stored["scope"]["targets"][0])]},
        }

    in_vault(office, f"scope:{digest}", wider)
    assert refusal(office).code == "scope-altered"


@pytest.mark.parametrize(
    "field", ["case_id", "expires_at", "legal_basis", "nonce", "plan_sha256", "recipient"]
)
def test_a_changed_decision_in_the_vault_is_refused(office: Office, field: str) -> None:
    """One changed field and the document is not the one that history names."""
    digest = load_case(office.cases[0]).target("t1").decision_sha256

    def other(document: Any) -> Any:
        value = document[field]
        changed = {**value, "key": "age1other"} if isinstance(value, dict) else [*value, "x"]
        return {**document, field: changed if not isinstance(value, str) else value[::-1]}

    in_vault(office, f"decision:{digest}", other)
    assert refusal(office).code == "decision-altered"


def test_a_changed_reading_in_the_vault_is_refused(office: Office) -> None:
    """The account that a notice is sent to, and that the parcel is about, comes from the reading."""
    digest = parsed(next(row for row in rows("event") if row["kind"] == "DemandRead"))["body"][
        "reading_sha256"
    ]
    in_vault(office, f"reading:{digest}", lambda reading: {**reading, "unreadable": 7})
    with pytest.raises(BrokenError) as caught:
        assessments.reading(office.desk, load_case(office.cases[0]))
    assert caught.value.code == "reading-altered"


def test_a_plan_that_nobody_looked_at_is_not_run(office: Office) -> None:
    """The step compares the plan that is about to run with the one that was signed, whatever the gate looked at."""
    case_id = office.cases[0]
    proved = gatekeeping.prove(office.desk, case_id)
    look = gatekeeping.last_look(office.desk, "t1", "produce", proved, office.now)
    hand = office.desk.hand("production", office.now, case_id)
    head = produce_steps.Head(1, witnessed=False)
    with pytest.raises(RefusedError) as caught:
        produce_steps.start_production(case_id, hand, "t1", look=look, plan_sha256="0" * 64, head=head)
    assert caught.value.code == "plan-differs"


def test_narrowing_again_voids_the_approval(office: Office) -> None:
    """A wider scope, by the front door, takes two people again."""
    case_id = office.cases[0]
    everything = demands.Choice(categories=expand(["subscriber", "session"]))
    demands.narrow(office.desk, case_id, "t1", everything, actor="boris", now=office.now)
    assert refusal(office).code == "not-proposed"
    old = next(row for row in rows("event") if row["kind"] == "DecisionApproved")
    document = office.desk.vault.get_json(case_id, f"decision:{parsed(old)['body']['decision_sha256']}")
    signature = Signature.from_json(parsed(old)["body"]["signature"])
    signing = Signing(document, signature, office.desk.roster(), office.now)
    with pytest.raises(RefusedError) as caught:
        decide_steps.approve(case_id, office.desk.hand("chi", office.now, case_id), signing)
    assert caught.value.code == "not-proposed"


def test_a_changed_data_map_voids_the_approval(office: Office) -> None:
    """A column that the map names anew would be read without anybody having signed for it."""
    path = office.desk.installation.datamap
    column = 'at = { category = "session.times" }'
    wider = f'{column}\nuser = {{ category = "traffic" }}'
    path.write_text(path.read_text().replace(column, wider))
    office.desk = open_desk(office.root)
    assert refusal(office).code == "plan-differs"


# ---------------------------------------------------------------------------------------------- before release


@pytest.mark.stage("produced")
def test_a_parcel_with_one_flipped_bit_is_not_handed_over(office: Office, tmp_path: Path) -> None:
    """Whatever lies on the disk is compared with what history names, before anything is recorded or copied."""
    before = sabotage.snapshot()
    flip(parcels(office)[0], -1)
    with pytest.raises(BrokenError) as caught:
        office.deliver(office.cases[0], tmp_path / "answer.age")
    assert caught.value.code == "parcel-altered"
    assert sabotage.snapshot() == before
    assert list(tmp_path.iterdir()) == []


@pytest.mark.stage("produced")
def test_the_gate_is_asked_again_before_release(office: Office, tmp_path: Path) -> None:
    """What became true after production counts: an objection, a revoked signer, a suspended authority."""
    case_id, keys = office.cases[0], [office.people["boris"], office.people["chi"]]
    hand = office.desk.hand("ana", office.now, case_id)
    challenge_steps.open_challenge(case_id, hand, "t1", by="user", ground="not-me")
    assert delivery_refusal(office, tmp_path).code == "challenged"
    challenge_steps.close_challenge(case_id, hand, "t1", upheld=False)
    entry = office.desk.roster().authority("a-court")
    assert entry is not None
    ending = rosters.ending_document("suspend", entry.credential)
    rosters.enrol(office.desk, ending, keys, office.now, verdict="suspend")
    assert delivery_refusal(office, tmp_path).code == "authority-suspended"
    ending = rosters.ending_document("revoke", keys[1].credential)
    rosters.enrol(office.desk, ending, keys, office.now, verdict="revoke")
    assert delivery_refusal(office, tmp_path).code == "signer-inactive"


def delivery_refusal(office: Office, folder: Path) -> DueprocessError:
    """What the gate says to a hand-over; nothing was recorded or written."""
    before = sabotage.snapshot()
    with pytest.raises(DueprocessError) as caught:
        office.deliver(office.cases[0], folder / "answer.age")
    assert sabotage.snapshot() == before
    assert list(folder.iterdir()) == []
    return caught.value


def test_what_is_not_sealed_is_not_released(office: Office, tmp_path: Path) -> None:
    """A parcel waits until its own digest lies under the public head."""
    office.produce(office.cases[0])
    assert delivery_refusal(office, tmp_path).code == "not-sealed"
    office.wait(hours=6)
    office.deliver(office.cases[0], tmp_path / "answer.age")
    assert EVA.encode() not in (tmp_path / "answer.age").read_bytes()


@pytest.mark.parametrize("kind", ["scope", "letter"])
def test_another_file_under_a_good_name_is_seen_by_fsck(office: Office, kind: str) -> None:
    """Whoever holds the keys can encrypt other bytes under the right name; history names the digest of the old ones."""
    case_id = office.cases[0]
    state = load_case(case_id).target("t1")
    letters = [e.text("letter_sha256") for e in load_case(case_id).events if e.kind == "NoticeStarted"]
    name = {"scope": f"scope:{state.scope_sha256}", "letter": f"letter:{letters[0]}"}[kind]
    vault = office.desk.vault
    good = vault.get(case_id, name)
    vault.drop(case_id, name)
    vault.put(
        case_id, name, good.replace(b'"traffic"', b'"content.messages"') if kind == "scope" else b"Dear Eva,"
    )
    faults = check_everything(office.desk)
    assert [fault.table for fault in faults] == ["vault"]

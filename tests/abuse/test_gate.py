"""Abuse of the gate: what an administrator, a colleague or a thief of keys can try, and the code that refuses it.

Each attack begins at a case of which production is due; no parcel may come of it. Sources: security.md 2.4 and
2.6 (abuse 9, 10, 13, 17, 20, 21), formats.md "Gate".
"""

import datetime as dt
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyrage
import pytest

import sabotage
from dueprocess.cases.decide import Signing
from dueprocess.cases.events import Draft
from dueprocess.demand import expand
from dueprocess.desk import decisions, demands, gatekeeping, rosters, setup
from dueprocess.desk.desk import open_desk
from dueprocess.desk.filekeys import FileKey, make_key
from dueprocess.errors import BrokenError, DueprocessError, RefusedError
from dueprocess.history.append import append, load_case
from dueprocess.history.connection import append_lock
from dueprocess.publication.signer import LogSigner
from dueprocess.roster import Signature, Verdict
from dueprocess.steps import challenge as challenge_steps
from dueprocess.steps import decide as decide_steps
from dueprocess.steps import produce as produce_steps
from dueprocess.tlog.checkpoint import Checkpoint, parse_checkpoint
from dueprocess.tlog.merkle import Frontier, leaf_hash
from dueprocess.tlog.note import parse_note
from dueprocess.wire import canonical, parse_json
from office import EVA, FINN, Office
from sabotage import Row, rows

pytestmark = pytest.mark.stage("ready")

DAY = dt.timedelta(days=1)


def parcels(office: Office) -> list[Path]:
    return sorted(office.desk.installation.parcels.glob("*"))


def refusal(office: Office) -> DueprocessError:
    """What the production worker says; it has written nothing, neither a parcel nor an event."""
    before, files = sabotage.snapshot(), parcels(office)
    with pytest.raises(DueprocessError) as caught:
        office.produce(office.cases[0])
    assert sabotage.snapshot() == before
    assert parcels(office) == files
    return caught.value


def inject(office: Office, stream: str, draft: Draft, actor: str = "mallory") -> None:
    """What the database's administrator can do with the case's key: an event past every rule of the steps."""
    with append_lock():
        append(stream, [draft], office.desk.hand(actor, office.now, stream))


def test_without_an_attack_it_is_produced(office_on: Office) -> None:
    """The office of these tests is ready: each refusal below comes from its attack."""
    office_on.produce(office_on.cases[0])
    assert len(parcels(office_on)) == 1


# ------------------------------------------------------------------------------- rows taken out, changed, added


def challenged(office: Office) -> None:
    """The user objects, the objection is sealed, and the office goes on with other work."""
    case_id = office.cases[0]
    hand = office.desk.hand("ana", office.now, case_id)
    challenge_steps.open_challenge(case_id, hand, "t1", by="user", ground="not-me")
    office.receive()
    office.wait(hours=6)
    assert refusal(office).code == "challenged"


def objection(table: str) -> Row:
    """The objection's row in a table, found through its ledger record."""
    event = next(row for row in rows("event") if row["kind"] == "ChallengeOpened")
    record = next(
        r for r in rows("record") if (r["case_id"], r["case_seq"]) == (event["case_id"], event["case_seq"])
    )
    placement = next(row for row in rows("placement") if row["ledger_seq"] == record["ledger_seq"])
    return {"event": event, "record": record, "placement": placement}[table]


@pytest.mark.parametrize(
    ("tables", "code"),
    [
        (("event",), "event-missing"),
        (("event", "record"), "ledger-gap"),
        (("event", "record", "placement"), "ledger-gap"),
    ],
)
def test_a_deleted_objection_is_missed(office_on: Office, tables: tuple[str, ...], code: str) -> None:
    """The event alone, with its record, with its record and place: production stays closed."""
    challenged(office_on)
    gone = [(table, objection(table)) for table in tables]
    with sabotage.unguarded():
        for table, row in gone:
            sabotage.delete(table, row)
    assert refusal(office_on).code == code


def test_a_deleted_objection_is_missed_when_the_ledger_is_renumbered(office_on: Office) -> None:
    """Nothing has a gap any more, but the epoch that was published has another root."""
    challenged(office_on)
    first = objection("record")["ledger_seq"]
    gone = [(table, objection(table)) for table in ("event", "record", "placement")]
    with sabotage.unguarded():
        for table, row in gone:
            sabotage.delete(table, row)
        for table in ("record", "placement"):
            for row in rows(table):
                if row["ledger_seq"] > first:
                    sabotage.edit(table, row, ledger_seq=row["ledger_seq"] - 1)
        for row in rows("epoch"):
            if row["epoch"] == gone[2][1]["epoch"]:
                sabotage.edit("epoch", row, records=row["records"] - 1)
    assert refusal(office_on).code == "epoch-differs"


def test_an_objection_hidden_for_a_moment_is_missed(office: Office) -> None:
    """Rows that vanish between the proof and the last look are noticed under the append lock."""
    case_id = office.cases[0]
    hand = office.desk.hand("ana", office.now, case_id)
    challenge_steps.open_challenge(case_id, hand, "t1", by="user", ground="not-me")
    proved = gatekeeping.prove(office.desk, case_id)
    event = next(row for row in rows("event") if row["kind"] == "ChallengeOpened")
    record = rows("record")[-1]
    with sabotage.unguarded():
        sabotage.delete("event", event)
        sabotage.delete("record", record)
    look = gatekeeping.last_look(office.desk, "t1", "produce", proved, office.now)
    with pytest.raises(BrokenError) as caught:
        produce_steps.start_production(
            case_id, hand, "t1", look=look, plan_sha256="0" * 64, log_size=proved.log.head_size
        )
    assert caught.value.code == "history-moved"


@pytest.mark.parametrize("column", ["actor", "recorded_at", "body", "kind", "prev_sha256"])
def test_an_edited_event_is_refused(office_on: Office, column: str) -> None:
    """Any column of the approval, or of an event long before it, with another value of the same shape."""
    values = {
        "actor": "dana",
        "recorded_at": "2026-09-03T08:00:01Z",
        "kind": "DecisionRejected",
        "prev_sha256": "1" * 64,
    }
    for kind, other in (("DecisionApproved", "propose"), ("DemandAssessed", "none")):
        row = next(row for row in rows("event") if row["kind"] == kind)
        changed = values.get(column) or row["body"].replace('"approve"', f'"{other}"').replace(
            "a-court", other
        )
        changed = changed if changed != row[column] else row["body"].replace('":"', '":"x', 1)
        with sabotage.undone():
            with sabotage.unguarded():
                sabotage.edit("event", row, **{column: changed})
            with pytest.raises(BrokenError) as caught:
                gatekeeping.prove(office_on.desk, office_on.cases[0])
            assert caught.value.code in ("record-differs", "bad-row")


def test_an_event_without_a_record_is_refused(office_on: Office) -> None:
    """An objection's end, written into the event table alone, opens nothing."""
    challenged(office_on)
    opened = objection("event")
    closed = {**opened, "case_seq": opened["case_seq"] + 1, "kind": "ChallengeClosed"}
    closed |= {"body": '{"target":"t1","upheld":false}', "prev_sha256": sabotage.sha256_of(parsed(opened))}
    sabotage.insert("event", closed)
    assert refusal(office_on).code == "record-differs"


def test_an_event_with_a_record_of_ones_own_is_refused(office_on: Office) -> None:
    """Without the case's key nobody gives the commitment, however well everything else fits."""
    challenged(office_on)
    opened = objection("event")
    closed = {**opened, "case_seq": opened["case_seq"] + 1, "kind": "ChallengeClosed"}
    closed |= {"body": '{"target":"t1","upheld":false}', "prev_sha256": sabotage.sha256_of(parsed(opened))}
    sabotage.insert("event", closed)
    record = {**rows("record")[-1], "case_id": closed["case_id"], "case_seq": closed["case_seq"]}
    record |= {"ledger_seq": record["ledger_seq"] + 1, "event_sha256": sabotage.sha256_of(parsed(closed))}
    sabotage.insert("record", record)
    assert refusal(office_on).code == "record-differs"


def parsed(event: Row) -> Row:
    """An event's row with its body as a value, the form that is hashed."""
    return {**event, "body": parse_json(event["body"])}


@pytest.mark.parametrize(("commitment", "code"), [("f" * 64, "epoch-differs"), ("no digest", "bad-record")])
def test_a_changed_record_of_another_case_is_refused(office_on: Office, commitment: str, code: str) -> None:
    """The worker rebuilds whole epochs, so a record of anybody else's case is as safe as one of this case."""
    office_on.receive()
    office_on.wait(hours=6)
    with sabotage.unguarded():
        sabotage.edit("record", rows("record")[-1], commitment=commitment)
    assert refusal(office_on).code == code


@pytest.mark.parametrize("place", [1, -2, -1])
def test_a_missing_epoch_is_refused(office_on: Office, place: int) -> None:
    """An early, a late and the newest epoch, empty ones too: the published log knows better."""
    office_on.wait(hours=12)
    with sabotage.unguarded():
        sabotage.delete("epoch", rows("epoch")[place])
    assert refusal(office_on).code == "epoch-missing"


# ------------------------------------------------------------------------------------------- the log's files


def newest(office: Office, pattern: str) -> Path:
    """The file of the public log that this size of it rests on."""
    width = len(rows("leaf"))
    found: Path = next(each for each in office.desk.installation.log.glob(pattern) if each.name == str(width))
    return found


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("pattern", ["tile/0/**/*", "tile/entries/**/*"])
@pytest.mark.parametrize("at", [0, 100, -1])
def test_one_flipped_bit_in_a_tile_is_refused(office: Office, pattern: str, at: int) -> None:
    """Hashes and entries alike, at the beginning, in the middle and at the end."""
    flip(newest(office, pattern), at)
    assert refusal(office).code in ("tile-differs", "bad-bundle")


def test_one_flipped_bit_in_the_checkpoint_is_refused(office: Office) -> None:
    """Every single byte of it, text and signature."""
    path = office.desk.installation.log / "checkpoint"
    good = path.read_bytes()
    for at in range(len(good)):
        flip(path, at)
        with pytest.raises(DueprocessError) as caught:
            gatekeeping.prove(office.desk, office.cases[0])
        assert caught.value.code, at
        path.write_bytes(good)
    gatekeeping.prove(office.desk, office.cases[0])


def test_a_log_signed_by_another_key_is_refused(office: Office, tmp_path: Path) -> None:
    """The same tree under the same name, signed by a key that the worker has not pinned."""
    path = office.desk.installation.log / "checkpoint"
    other = LogSigner.create(office.desk.pins.origin, tmp_path / "other.pem")
    path.write_text(other.sign(parse_checkpoint(parse_note(path.read_bytes()).text)))
    assert refusal(office).code == "no-known-signature"


def rewritten(office: Office) -> None:
    """The signer itself writes another past: leaf 0 differs, every head after it is signed anew, all files too."""
    place = office.desk.installation
    signer = LogSigner.open(place.origin, place.keys / "log.pem")
    first = rows("leaf")[0]
    frontier = Frontier()
    with sabotage.unguarded():
        sabotage.edit("leaf", first, entry=first["entry"].replace('"k":10', '"k":11'))
        for leaf, head in zip(rows("leaf"), rows("head"), strict=True):
            frontier = frontier.append(leaf_hash(leaf["entry"].encode()))
            signed = signer.sign(Checkpoint(place.origin, frontier.size, frontier.root))
            sabotage.edit("head", head, root=frontier.root.hex(), checkpoint=signed)
    shutil.rmtree(place.log)
    office.desk.log().publish()


def test_a_log_that_was_written_anew_is_refused(office_on: Office) -> None:
    """Signed with the right key, whole and consistent in itself: but not a continuation of what the worker saw."""
    gatekeeping.prove(office_on.desk, office_on.cases[0])
    rewritten(office_on)
    assert refusal(office_on).code == "log-rewritten"


def test_a_log_that_was_written_anew_and_grew_is_refused(office: Office) -> None:
    """More leaves than the worker saw do not hide that the old ones are others."""
    gatekeeping.prove(office.desk, office.cases[0])
    rewritten(office)
    office.wait(hours=6)
    assert refusal(office).code == "log-rewritten"


@pytest.mark.parametrize("database_too", [True, False])
def test_a_log_that_was_set_back_is_refused(office: Office, tmp_path: Path, database_too: bool) -> None:  # noqa: FBT001
    """Files of yesterday, with yesterday's database or without: the worker has seen a longer log."""
    log = office.desk.installation.log
    shutil.copytree(log, tmp_path / "log")
    before = sabotage.snapshot()
    challenged(office)
    shutil.rmtree(log)
    shutil.copytree(tmp_path / "log", log)
    if database_too:
        set_back(before)
        assert load_case(office.cases[0]).target("t1").stage == "approved"
    assert refusal(office).code == "log-rolled-back"


def set_back(before: dict[str, list[Row]]) -> None:
    """Gives every table the rows that it had then."""
    with sabotage.unguarded():
        for table, then in before.items():
            for row in rows(table):
                if row not in then:
                    sabotage.delete(table, row)
            for row in then:
                if row not in rows(table):
                    sabotage.insert(table, row)


def test_files_behind_the_database_are_refused(office: Office, tmp_path: Path) -> None:
    """A worker that never looked before still sees that the database goes on where the files end."""
    log = office.desk.installation.log
    shutil.copytree(log, tmp_path / "log")
    office.wait(hours=6)
    (office.desk.installation.worker / "seen-checkpoint").unlink(missing_ok=True)
    shutil.rmtree(log)
    shutil.copytree(tmp_path / "log", log)
    assert refusal(office).code == "log-behind"


def test_a_stale_log_is_refused(office: Office) -> None:
    """A head of the day before yesterday could hide a revocation."""
    office.now += DAY
    assert refusal(office).code == "log-stale"


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
    office.wait(days=2)
    assert refusal(office).code == "unknown-signer"


def test_other_founders_are_refused(office: Office) -> None:
    """A founding of one's own: a second one is refused, and one in the place of the first is not the pinned one."""
    keys = [make_key(name, office.root.parent / f"{name}.json") for name in ("mallory", "trudy")]
    inject(office, office.desk.stream, setup._founding(office.desk.pins.origin, keys))  # noqa: SLF001  as init does
    office.wait(hours=6)
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
    keys = office.desk.keys.keys(case_id)
    path = office.desk.vault._path(case_id, keys.record_key, name)  # noqa: SLF001  the thief knows where it lies
    value = change(office.desk.vault.get_json(case_id, name))
    path.write_bytes(
        pyrage.encrypt(canonical(value), [pyrage.x25519.Identity.from_str(keys.identity).to_public()])
    )


CHANGES: dict[str, Callable[[Any], Any]] = {
    "categories": lambda item: {**item, "categories": sorted({*item["categories"], "content.messages"})},
    "until": lambda item: {**item, "until": "2026-12-31T00:00:00Z"},
    "from": lambda item: {**item, "from": "2020-01-01T00:00:00Z"},
    "value": lambda item: {**item, "value": FINN},
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_wider_scope_in_the_vault_is_refused(office: Office, change: str) -> None:
    """More categories, a longer time, another account: the plan is another than two people signed for."""
    digest = load_case(office.cases[0]).target("t1").scope_sha256

    def wider(stored: Any) -> Any:
        return {
            **stored,
            "scope": {**stored["scope"], "targets": [CHANGES[change](stored["scope"]["targets"][0])]},
        }

    in_vault(office, f"scope:{digest}", wider)
    assert refusal(office).code == "plan-differs"


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
        demands.reading(office.desk, load_case(office.cases[0]))
    assert caught.value.code == "reading-altered"


def test_a_plan_that_nobody_looked_at_is_not_run(office: Office) -> None:
    """The step compares the plan that is about to run with the one that was signed, whatever the gate looked at."""
    case_id = office.cases[0]
    proved = gatekeeping.prove(office.desk, case_id)
    look = gatekeeping.last_look(office.desk, "t1", "produce", proved, office.now)
    hand = office.desk.hand("production", office.now, case_id)
    with pytest.raises(RefusedError) as caught:
        produce_steps.start_production(case_id, hand, "t1", look=look, plan_sha256="0" * 64, log_size=1)
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

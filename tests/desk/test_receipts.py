"""Receipts: each reader gets what that reader may see, checks it alone, and learns nothing about other cases."""

import base64
import datetime as dt
import json
import re
from pathlib import Path
from typing import Any

import pytest

import sabotage
from conftest import Templates
from desk.test_erasing import jump
from dueprocess.desk import demands
from dueprocess.desk.check import check_everything
from dueprocess.desk.promises import intake_receipt, intake_vkey_path, promise_path
from dueprocess.desk.receipts import parcel_receipt_path, receipt
from dueprocess.errors import BrokenError, RefusedError
from dueprocess.history.append import load_case
from dueprocess.publication.receipts import REQUESTER_KINDS
from dueprocess.roster import Signature
from dueprocess.tlog.note import parse_vkey
from dueprocess.tlog.promise import check_paper, check_redeemed, verify_promise
from dueprocess.tlog.receipt import ReceiptFindings, verify_receipt
from dueprocess.tlog.record import AUDIENCES, Audience
from office import EVA, FINN, Office


def made(office: Office, ref: str | None, audience: Audience, case_id: str = "") -> ReceiptFindings:
    """A receipt as its reader finds it, offline."""
    data = receipt(office.desk, load_case(case_id or office.cases[0]), ref, audience)
    return verify_receipt(data, office.desk.policy)


@pytest.mark.stage("produced")
@pytest.mark.parametrize("audience", ["requester", "court", "user", "auditor"])
def test_a_receipt_opens_what_its_reader_may_see(office: Office, audience: Audience) -> None:
    """Each audience's own fields and no others; only an auditor learns the number in the ledger."""
    found = made(office, "t1", audience)
    opened = {name for each in found.records for name in each.values}
    assert opened <= set(AUDIENCES[audience])
    assert ("ledger_seq" in opened) == (audience == "auditor")
    assert found.starts_the_case
    kinds = {str(each.values["kind"]) for each in found.records}
    assert "DataProduced" in kinds
    assert ("UserNotified" in kinds) == (audience != "requester")
    if audience == "requester":
        assert kinds <= REQUESTER_KINDS
        assert not {"notice", "subjects_root", "accounts"} & opened


@pytest.mark.stage("produced")
def test_a_user_gets_a_receipt_about_one_target_only(office: Office) -> None:
    """Without a target, or with one that is not there, there is no user's receipt; with one, it names the account."""
    case = load_case(office.cases[0])
    for ref, code in ((None, "whose-target"), ("t9", "no-such-target")):
        with pytest.raises(RefusedError) as caught:
            receipt(office.desk, case, ref, "user")
        assert caught.value.code == code
    assert {each.account for each in made(office, "t1", "user").records} == {EVA, None}
    assert {each.account for each in made(office, "t1", "court").records} == {None}


@pytest.mark.stage("produced")
def test_a_receipt_carries_no_long_signature(office: Office) -> None:
    """The checkpoint inside keeps the log's short signature; the published one has both."""
    published = office.desk.read_log("checkpoint").decode()
    assert max(map(len, published.splitlines())) > 3000
    data: Any = json.loads(receipt(office.desk, load_case(office.cases[0]), "t1", "requester"))
    assert all(max(map(len, each["proof"].splitlines())) < 200 for each in data["records"])


@pytest.mark.stage("produced")
def test_a_parcel_travels_with_the_requesters_receipt(office: Office, tmp_path: Path) -> None:
    """It lies beside the ciphertext and proves the digest of exactly these bytes."""
    to = tmp_path / "parcel.age"
    office.deliver(office.cases[0], to)
    found = verify_receipt(parcel_receipt_path(to).read_bytes(), office.desk.policy)
    assert found.audience == "requester"
    produced = [
        each.values["parcel_sha256"] for each in found.records if each.values["kind"] == "DataProduced"
    ]
    case = load_case(office.cases[0])
    assert case.targets["t1"].produced is not None
    assert produced == [case.targets["t1"].produced.text("parcel_sha256")]


@pytest.mark.stage("brisk")
def test_nothing_sealed_is_no_receipt(office: Office) -> None:
    """A case of this very hour has nothing in the log to show."""
    case_id = office.receive()
    with pytest.raises(RefusedError) as caught:
        made(office, None, "requester", case_id)
    assert caught.value.code == "not-sealed"


# ------------------------------------------------------------------ nothing about other cases

HASH = re.compile(
    r"[0-9a-f]{64}|[0-9a-f]{32}|[A-Za-z0-9+/]{43}=|[A-Za-z0-9+/]{87,}={0,2}|[A-Za-z0-9+/]{90,}={0,2}"
)


def skeleton(data: bytes) -> str:
    """A receipt with every hash, salt, signature and random place replaced by its kind and length."""
    value: Any = json.loads(data)
    for each in value["records"]:
        each["place"] = 0
        if each["subject"] is not None:
            each["subject"]["place"] = 0
    return HASH.sub(lambda match: f"<{len(match[0])}>", json.dumps(value, sort_keys=True))


def test_a_receipt_depends_on_nothing_of_other_cases(templates: Templates, quick_folder: Path) -> None:
    """The same story alone and beside thirty other papers: receipts of one length that differ in hashes only."""
    from dueprocess.history import connection

    shapes: dict[int, dict[Audience, tuple[str, int]]] = {}
    for others in (0, 30):
        office, _ = templates.copy("sqlite", "brisk", quick_folder / f"office-{others}")
        case_id = office.approved_case(accounts=(EVA, FINN))
        for number in range(others):
            office.receive(f"another paper {number}")
        office.wait(hours=12)
        audiences: tuple[Audience, ...] = ("user", "requester")
        made_now = {each: receipt(office.desk, load_case(case_id), "t1", each) for each in audiences}
        shapes[others] = {each: (skeleton(data), places(data)) for each, data in made_now.items()}
        assert len(sabotage.rows("record")) > others
        connection.use("sqlite::memory:")
    assert shapes[0] == shapes[30]


def places(data: bytes) -> int:
    """The length of a receipt without its random places, which have one to five digits."""
    value: Any = json.loads(data)
    digits = [len(str(each["place"])) for each in value["records"]]
    digits += [len(str(each["subject"]["place"])) for each in value["records"] if each["subject"] is not None]
    return len(data) - sum(digits)


@pytest.mark.stage("brisk")
def test_the_place_of_a_record_says_nothing_about_the_number_of_records(office: Office) -> None:
    """Sixty records of one epoch lie all over its 65,536 places, not in the first sixty."""
    for number in range(60):
        office.receive(f"paper {number}")
    office.wait(hours=6)
    placed = sorted(row["place"] for row in sabotage.rows("placement"))[-60:]
    assert placed[-1] > 32_768
    assert len(set(placed)) == 60


# ------------------------------------------------------------------ intake receipts


@pytest.mark.stage("brisk")
def test_an_intake_receipt_is_given_and_redeemed(office: Office) -> None:
    """Signed when the paper arrives, the same bytes whenever asked, and kept by the next requester's receipt."""
    case_id = office.receive("a paper")
    data = promise_path(office.desk, case_id).read_bytes()
    vkey = parse_vkey(intake_vkey_path(office.desk).read_text().strip())
    promise = verify_promise(data, vkey)
    check_paper(promise, b"a paper")
    assert (
        promise.sealed_by_epoch == int(office.now.timestamp()) // office.desk.installation.epoch_seconds + 2
    )
    assert "ledger_seq" not in promise.opening.opened
    office.wait(hours=6)
    assert intake_receipt(office.desk, case_id) == data
    assert check_redeemed(promise, made(office, None, "requester", case_id)).epoch <= promise.sealed_by_epoch
    other = office.receive("another paper")
    office.wait(hours=6)
    assert verify_promise(intake_receipt(office.desk, other), vkey).commitment != promise.commitment


@pytest.mark.stage("brisk")
def test_an_intake_receipt_goes_where_it_is_wanted(office: Office, tmp_path: Path) -> None:
    """Into the file that was named, and then not into the outbox."""
    paper = tmp_path / "paper.txt"
    paper.write_text("a paper")
    wanted = tmp_path / "receipt.json"
    case_id, _ = demands.receive(
        office.desk, paper, channel="mail", actor="ana", now=office.now, receipt=wanted
    )
    assert wanted.read_bytes() == intake_receipt(office.desk, case_id)
    assert not promise_path(office.desk, case_id).exists()


@pytest.mark.stage("brisk")
def test_a_paper_that_is_recorded_too_late_breaks_the_promise(office: Office) -> None:
    """The log stood still for two days: the receipt comes, the operator's own signature shows that it is late."""
    case_id = office.receive("a paper")
    vkey = parse_vkey(intake_vkey_path(office.desk).read_text().strip())
    promise = verify_promise(promise_path(office.desk, case_id).read_bytes(), vkey)
    jump(office, office.now + dt.timedelta(days=2))
    with pytest.raises(BrokenError) as caught:
        check_redeemed(promise, made(office, None, "requester", case_id))
    assert caught.value.code == "promise-late"


@pytest.mark.stage("brisk")
def test_fsck_sees_an_intake_receipt_that_promises_something_else(office: Office) -> None:
    """Another case's receipt under this one's name, or a broken file, is a fault: a paper that was received is lost."""
    one, two = office.receive("one"), office.receive("two")
    assert check_everything(office.desk) == []
    path = promise_path(office.desk, one)
    for data in (promise_path(office.desk, two).read_bytes(), b"{}", b"\xff"):
        path.write_bytes(data)
        assert [(each.table, each.invariant) for each in check_everything(office.desk)] == [("promise", "I4")]
    path.unlink()
    assert check_everything(office.desk) == []


# ------------------------------------------------------------------ signatures in a case


@pytest.mark.stage("produced")
def test_fsck_checks_every_signature_of_a_case(office: Office) -> None:
    """A case in which one word is not its person's own gives itself away, whatever fits otherwise."""
    case = load_case(office.cases[0])
    proposed: Any = next(e for e in case.events if e.kind == "DecisionProposed")
    given = Signature.from_json(proposed.body["signature"])
    assert check_everything(office.desk) == []
    raw = base64.b64encode(bytes(64)).decode()
    with sabotage.unguarded():
        row = next(
            r
            for r in sabotage.rows("event")
            if (r["case_id"], r["kind"]) == (case.case_id, "DecisionProposed")
        )
        body: Any = json.loads(row["body"])
        body["signature"]["signature"] = raw
        sabotage.edit("event", row, body=json.dumps(body, sort_keys=True, separators=(",", ":")))
        later = [
            r
            for r in sabotage.rows("event")
            if r["case_id"] == case.case_id and r["case_seq"] > row["case_seq"]
        ]
        for each in later:  # the chain is made to fit again
            before = next(r for r in sabotage.rows("event") if r["case_id"] == case.case_id
                          and r["case_seq"] == each["case_seq"] - 1)  # fmt: skip
            digest = sabotage.sha256_of({**before, "body": json.loads(before["body"])})
            sabotage.edit("event", each, prev_sha256=digest)
    assert given.person == "boris"
    found = check_everything(office.desk)
    assert "I2" in {each.invariant for each in found}
    assert any("signature" in each.what for each in found)

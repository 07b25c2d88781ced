"""Receipts: what they prove, to whom, and that no changed log passes."""

import dataclasses
import datetime as dt

import pytest

from dueprocess.errors import BrokenError, MalformedError, UnavailableError
from dueprocess.tlog import (
    AUDIENCES,
    COSIGNATURE,
    KEPT_AFTER_ERASURE,
    Audience,
    Checkpoint,
    Receipt,
    Witness,
    check_against_log,
    format_policy,
    is_kept,
    kept_opening,
    make_vkey,
    parse_policy,
    parse_receipt,
    sign_checkpoint,
    verify_receipt,
)
from tlog.one_case import (
    ALONE,
    BYTES,
    EVA,
    LOG,
    OPERATOR,
    ORIGIN,
    RECEIPT,
    START,
    W1,
    WITNESSED,
    Operator,
    key,
    refused,
)


def test_a_receipt_proves_what_was_recorded_and_when() -> None:
    """Values, time, place in the log, origin, account; and says that nobody witnessed it."""
    found = verify_receipt(BYTES, ALONE)
    first, second = found.records
    assert (found.origin, found.audience, found.case) == (ORIGIN, "user", "5f0c")
    assert first.values["kind"] == "DemandReceived"
    assert second.values["kind"] == "DataProduced"
    assert second.closed_at == START + dt.timedelta(minutes=5)
    assert (second.epoch, second.place, second.leaf_index) == (1, 7, 1)
    assert (second.account, second.origin, second.witnesses) == (EVA, ORIGIN, ())
    assert found.unwitnessed
    assert second.unwitnessed
    assert second.opened.checkpoint.size == 5


def test_a_witnessed_receipt_names_its_witnesses_and_their_time() -> None:
    """Key name and time stamp for every record."""
    found = verify_receipt(OPERATOR.receipt(witnessed=True).to_bytes(), WITNESSED)
    assert not found.unwitnessed
    assert found.records[0].witnesses == (("w1.example", 1_795_305_600),)


@pytest.mark.parametrize("audience", list(AUDIENCES))
def test_every_audience_sees_its_fields_and_no_other(audience: Audience) -> None:
    """The opened names are the fixed list; only the user's own account is shown, and only to it."""
    found = verify_receipt(OPERATOR.receipt(audience).to_bytes(), ALONE)
    assert set(found.records[0].values) == set(AUDIENCES[audience])
    assert found.records[0].account == (EVA if audience == "user" else None)


def test_the_chain_of_a_case_is_seen_to_be_whole() -> None:
    """From the first record on, each naming the one before; a hole shows."""
    found = verify_receipt(BYTES, ALONE)
    assert found.starts_the_case
    assert found.unbroken
    three = Operator(("DemandReceived", "ScopeNarrowed", "DataProduced"), leaves=3).receipt()
    holed = dataclasses.replace(three, records=three.records[::2])
    assert not verify_receipt(holed.to_bytes(), ALONE).unbroken
    late = dataclasses.replace(three, records=three.records[1:])
    assert not verify_receipt(late.to_bytes(), ALONE).starts_the_case
    assert verify_receipt(late.to_bytes(), ALONE).unbroken


def test_records_out_of_order_are_refused() -> None:
    """A story told backwards is not the story."""
    backwards = dataclasses.replace(RECEIPT, records=RECEIPT.records[::-1])
    refused(backwards.to_bytes(), "wrong-order")
    first = backwards.records[-1]
    refused(dataclasses.replace(backwards, records=(first, first)).to_bytes(), "record-twice")


def test_a_receipt_is_read_back_as_it_was() -> None:
    """Same value, same bytes, with and without a case."""
    assert parse_receipt(BYTES).to_bytes() == BYTES
    nameless = dataclasses.replace(RECEIPT, case=None)
    assert parse_receipt(nameless.to_bytes()) == nameless


@pytest.mark.parametrize("audience", ["requester", "auditor", "court"])
def test_an_account_is_shown_to_itself_only(audience: Audience) -> None:
    """Nobody else's receipt can carry the proof that someone is a subject."""
    shown = RECEIPT.records[0].subject
    record = dataclasses.replace(OPERATOR.receipt(audience).records[0], subject=shown)
    refused(Receipt(ORIGIN, audience, None, (record,), unwitnessed=True).to_bytes(), "no-subjects")


def test_a_receipt_must_not_claim_witnesses_that_it_has_not() -> None:
    """Nor hide those that it has."""
    claimed = dataclasses.replace(RECEIPT, unwitnessed=False)
    refused(
        claimed.to_bytes(), "wrong-witness-claim", "says witnessed, but under this policy it is unwitnessed"
    )
    hidden = dataclasses.replace(OPERATOR.receipt(witnessed=True), unwitnessed=True)
    with pytest.raises(MalformedError) as caught:
        verify_receipt(hidden.to_bytes(), WITNESSED)
    assert caught.value.code == "wrong-witness-claim"


def test_a_policy_with_a_quorum_refuses_an_unwitnessed_receipt() -> None:
    """The operator's word alone is not enough there."""
    with pytest.raises(MalformedError, match="Record 1: Too few witnesses"):
        verify_receipt(BYTES, WITNESSED)


def test_an_unwitnessed_receipt_verifies_for_who_asks_for_it_and_says_so() -> None:
    """``policy.unwitnessed`` keeps the keys; a receipt that claims a quorum does not pass as one without."""
    found = verify_receipt(BYTES, WITNESSED.unwitnessed)
    assert found.unwitnessed
    with pytest.raises(MalformedError) as caught:
        verify_receipt(OPERATOR.receipt(witnessed=True).to_bytes(), WITNESSED.unwitnessed)
    assert caught.value.code == "wrong-witness-claim"


def test_a_single_cosigner_below_the_quorum_does_not_make_a_receipt_witnessed() -> None:
    """Two are demanded, one signed: the receipt is unwitnessed, and may not say otherwise."""
    w2 = make_vkey("w2.example", key("w2").public_key().public_bytes_raw(), algorithm=COSIGNATURE)
    two = parse_policy(format_policy([LOG], [Witness("w1", W1), Witness("w2", w2)], need=2))
    receipt = OPERATOR.receipt(witnessed=True)
    with pytest.raises(MalformedError) as caught:
        verify_receipt(receipt.to_bytes(), two)
    assert caught.value.code == "quorum-not-met"
    honest = dataclasses.replace(receipt, unwitnessed=True).to_bytes()
    found = verify_receipt(honest, two.unwitnessed)
    assert found.unwitnessed
    assert found.records[0].witnesses == (("w1.example", 1_795_305_600),)


def test_the_receipt_of_an_erased_record_verifies_for_the_auditor() -> None:
    """Only the kept fields are opened; the case hangs together by them, in the log as before."""
    whole = OPERATOR.receipt("auditor")
    erased = tuple(
        dataclasses.replace(each, opening=kept_opening(record, secret))
        for each, (record, secret, _, _) in zip(whole.records, OPERATOR.places, strict=True)
    )
    data = dataclasses.replace(whole, records=erased).to_bytes()
    assert all(is_kept(each.opening) for each in parse_receipt(data).records)
    found = verify_receipt(data, ALONE)
    assert [set(each.values) for each in found.records] == [set(KEPT_AFTER_ERASURE)] * len(erased)
    assert found.starts_the_case
    assert found.unbroken
    assert check_against_log(found, OPERATOR.files.__getitem__, OPERATOR.checkpoint(), ALONE).grown_by == 0


@pytest.mark.parametrize("audience", ["user", "requester", "court"])
def test_the_number_in_the_ledger_is_shown_to_the_auditor_only(audience: Audience) -> None:
    """A kept opening holds it, so it makes no receipt for anybody else: it counts other people's cases."""
    record, secret, _, _ = OPERATOR.places[0]
    whole = OPERATOR.receipt(audience).records[0]
    shown = dataclasses.replace(whole, opening=kept_opening(record, secret), subject=None)
    refused(Receipt(ORIGIN, audience, None, (shown,), unwitnessed=True).to_bytes(), "foreign-field")


def test_a_receipt_that_is_not_text_is_never_written() -> None:
    """A leaf is JSON text; anything else is stopped at the writer."""
    bad = dataclasses.replace(RECEIPT.records[0], leaf=b"\xff")
    with pytest.raises(MalformedError):
        dataclasses.replace(RECEIPT, records=(bad,)).to_bytes()


def test_a_grown_log_still_contains_the_receipt() -> None:
    """Hundreds of leaves later, and at once."""
    log = Operator(("DemandReceived", "DataProduced"), leaves=5)
    found = verify_receipt(log.receipt().to_bytes(), ALONE)
    assert check_against_log(found, log.files.__getitem__, log.checkpoint(), ALONE).grown_by == 0
    for number in range(400):
        log.append(b"later %d" % number)
    result = check_against_log(found, log.files.__getitem__, log.checkpoint(), ALONE)
    assert (result.grown_by, result.opened.checkpoint.size) == (400, 405)


def test_a_rolled_back_log_is_named() -> None:
    """A shorter log than the one in the receipt."""
    short = Operator(("DemandReceived", "DataProduced"), leaves=3)
    with pytest.raises(
        BrokenError, match=r"rolled back: record 1 .* 5 leaves, which now shows only 3"
    ) as caught:
        check_against_log(verify_receipt(BYTES, ALONE), short.files.__getitem__, short.checkpoint(), ALONE)
    assert caught.value.code == "log-rolled-back"


@pytest.mark.parametrize("leaves", [5, 9, 300])
def test_a_rewritten_log_is_named(leaves: int) -> None:
    """Another history of the same or a greater size, perfectly signed."""
    fork = Operator(("DemandReceived", "DataProduced"), leaves=leaves, salt="other")
    with pytest.raises(BrokenError, match="rewritten: its first 5 leaves") as caught:
        check_against_log(verify_receipt(BYTES, ALONE), fork.files.__getitem__, fork.checkpoint(), ALONE)
    assert caught.value.code == "log-rewritten"


def test_a_log_rewritten_beside_the_receipts_records_is_named() -> None:
    """Even where the leaves of the receipt itself still stand, and someone else's was replaced."""
    fork = Operator(("DemandReceived", "DataProduced"), leaves=4)
    fork.append(b"another fifth leaf")
    with pytest.raises(BrokenError) as caught:
        check_against_log(verify_receipt(BYTES, ALONE), fork.files.__getitem__, fork.checkpoint(), ALONE)
    assert caught.value.code == "log-rewritten"


def test_damaged_or_missing_tiles_are_not_taken_for_a_fork() -> None:
    """A flipped byte is malformed, a missing file unavailable; both name the file."""
    found = verify_receipt(BYTES, ALONE)
    for path in ("tile/0/000.p/5", "tile/entries/000.p/5"):
        files = dict(OPERATOR.files)
        files[path] = files[path][:40] + b"!" + files[path][41:]
        with pytest.raises(MalformedError, match=path):
            check_against_log(found, files.__getitem__, OPERATOR.checkpoint(), ALONE)
        del files[path]
        with pytest.raises(UnavailableError, match="tile/"):
            check_against_log(found, files.__getitem__, OPERATOR.checkpoint(), ALONE)


def test_another_log_is_not_the_receipts() -> None:
    """Even one that the policy knows."""
    vkey = make_vkey("other.example", key("other").public_key().public_bytes_raw())
    both = parse_policy(format_policy([LOG]).replace(b"quorum", f"log {vkey.text}\nquorum".encode()))
    other = sign_checkpoint(
        Checkpoint(vkey.name, 5, OPERATOR.frontier.root), [(vkey, key("other").sign)], timestamp=1
    )
    with pytest.raises(MalformedError) as caught:
        check_against_log(verify_receipt(BYTES, both), OPERATOR.files.__getitem__, other, both)
    assert caught.value.code == "other-log"

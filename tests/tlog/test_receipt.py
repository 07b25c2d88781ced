"""Receipts: what they prove, and that no changed byte and no changed log passes."""

import base64
import copy
import dataclasses
import datetime as dt
import hashlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from dueprocess.errors import BrokenError, MalformedError, UnavailableError
from dueprocess.tlog import (
    AUDIENCES,
    COSIGNATURE,
    KEPT_AFTER_ERASURE,
    NOTES,
    Audience,
    Checkpoint,
    EpochLeaf,
    EpochTree,
    Frontier,
    GapLeaf,
    LogProof,
    Receipt,
    ReceiptRecord,
    Record,
    TileReader,
    Witness,
    check_against_log,
    commitment,
    cosign,
    encode_leaf,
    epoch_seed,
    format_note,
    format_policy,
    format_proof,
    is_kept,
    kept_opening,
    leaf_hash,
    make_vkey,
    open_fields,
    parse_note,
    parse_policy,
    parse_receipt,
    prove_subject,
    sign_checkpoint,
    subjects_root,
    tiles_for_growth,
    verify_receipt,
)
from dueprocess.wire import Json, canonical, digest_of

ORIGIN = "operator.example/dueprocess/1"
EVA, ANA = "@eva:example.org", "@ana:example.org"
START = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
MASTER = hashlib.sha256(b"master").digest()


def key(name: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name.encode()).digest())


LOG = make_vkey(ORIGIN, key("log").public_key().public_bytes_raw())
W1 = make_vkey("w1.example", key("w1").public_key().public_bytes_raw(), algorithm=COSIGNATURE)
ALONE = parse_policy(format_policy([LOG]))
WITNESSED = parse_policy(format_policy([LOG], [Witness("w1", W1)], need=1))


class Operator:
    """A whole small log: a record of one case in each of its first epochs, then empty ones."""

    def __init__(self, kinds: tuple[str, ...], *, leaves: int, salt: str = "") -> None:
        self.files: dict[str, bytes] = {}
        self.frontier = Frontier()
        self.places: list[tuple[Record, bytes, EpochTree, EpochLeaf]] = []
        previous: str | None = None
        for epoch in range(leaves):
            record = Record({"month": "2026-11"})
            secret = hashlib.sha256(f"{salt}{epoch}".encode()).digest()
            placed = {}
            if epoch < len(kinds):
                root = subjects_root(secret, [ANA, EVA]).hex()
                record = Record(
                    {"kind": kinds[epoch], "prev": previous, "subjects_root": root, "accounts": 2}
                )
                placed = {epoch * 7: commitment(record, secret)}
                previous = placed[epoch * 7].hex()
            tree = EpochTree(epoch_seed(MASTER, epoch), epoch, placed)
            leaf = EpochLeaf(epoch, tree.root, START + dt.timedelta(minutes=5 * epoch))
            self.append(encode_leaf(leaf))
            if placed:
                self.places.append((record, secret, tree, leaf))

    def append(self, entry: bytes) -> None:
        self.files.update(tiles_for_growth(self.frontier, [entry], self.files.__getitem__))
        self.frontier = self.frontier.append(leaf_hash(entry))

    def checkpoint(self, *, witnessed: bool = False) -> bytes:
        head = Checkpoint(ORIGIN, self.frontier.size, self.frontier.root)
        note = parse_note(sign_checkpoint(head, [(LOG, key("log").sign)], timestamp=1))
        more = [cosign(note.text, W1, timestamp=1_795_305_600, sign=key("w1").sign)] if witnessed else []
        return format_note(note.text, (*note.signatures, *more))

    def receipt(self, audience: Audience = "user", *, witnessed: bool = False) -> Receipt:
        head = Checkpoint(ORIGIN, self.frontier.size, self.frontier.root)
        reader = TileReader(self.files.__getitem__, head)
        records = tuple(
            ReceiptRecord(
                epoch=leaf.epoch,
                place=leaf.epoch * 7,
                path=tree.path(leaf.epoch * 7),
                opening=open_fields(record, secret, AUDIENCES[audience]),
                leaf=encode_leaf(leaf),
                proof=format_proof(
                    LogProof(
                        leaf.epoch, reader.inclusion_proof(leaf.epoch), self.checkpoint(witnessed=witnessed)
                    )
                ),
                subject=prove_subject(secret, [ANA, EVA], EVA) if audience == "user" else None,
            )
            for record, secret, tree, leaf in self.places
        )
        return Receipt(ORIGIN, audience, "5f0c", records, unwitnessed=not witnessed)


OPERATOR = Operator(("DemandReceived", "DataProduced"), leaves=5)
RECEIPT = OPERATOR.receipt()
BYTES = RECEIPT.to_bytes()
SMALL = dataclasses.replace(RECEIPT, records=RECEIPT.records[:1]).to_bytes()


def refused(data: bytes, code: str, words: str = ".") -> None:
    with pytest.raises(MalformedError, match=words) as caught:
        verify_receipt(data, ALONE)
    assert caught.value.code == code


def resealed(value: Any) -> bytes:
    """The bytes of a changed receipt with a digest that fits: what a forger would write."""
    return canonical(
        {**value, "sha256": digest_of({name: each for name, each in value.items() if name != "sha256"})}
    )


def edited(change: Any) -> bytes:
    value = json.loads(BYTES)
    change(value)
    return resealed(value)


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


def test_any_changed_byte_of_a_receipt_is_noticed() -> None:
    """Every byte, with one bit after another changed: nothing passes."""
    verify_receipt(SMALL, ALONE)
    for at in range(len(SMALL)):
        changed = SMALL[:at] + bytes([SMALL[at] ^ 1 << at % 8]) + SMALL[at + 1 :]
        with pytest.raises(MalformedError):
            verify_receipt(changed, ALONE)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """(container, key) of every text, number and flag in a JSON value."""
    for at, each in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(each, dict | list):
            yield from places(each)
        elif each is not None:
            yield value, at


def turned(value: Any) -> list[Any]:
    """Values close to this one: for text, each of some characters replaced."""
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1, max(value - 1, 0)] if value else [1]
    spots = sorted({0, len(value) // 3, len(value) // 2, max(len(value) - 3, 0)} & set(range(len(value))))
    return [value[:at] + ("B" if value[at] != "B" else "C") + value[at + 1 :] for at in spots] + [value + "A"]


def test_a_forger_who_fits_the_digest_changes_nothing_that_is_proven() -> None:
    """Every text, number and flag but the case's label: changed, resealed, and still refused."""
    for number, (holder, at) in enumerate(places(json.loads(SMALL))):
        if at in ("case", "sha256"):
            continue
        for other in turned(holder[at]):
            value = json.loads(SMALL)
            its_holder, its_at = list(places(value))[number]
            its_holder[its_at] = other
            with pytest.raises(MalformedError):
                verify_receipt(resealed(value), ALONE)


def test_damage_is_named_as_damage() -> None:
    """Without a fitting digest the reader is told to get the receipt again."""
    refused(BYTES.replace(b"5f0c", b"5f0d"), "damaged", "damaged or changed")


def test_another_spelling_is_refused() -> None:
    """Pretty-printed JSON is not the receipt."""
    refused(json.dumps(json.loads(BYTES), indent=1).encode(), "not-canonical")


def put(value: Any, path: str, what: Any) -> None:
    *way, last = path.split(".")
    for step in way:
        value = value[int(step) if step.isdigit() else step]
    value[int(last) if last.isdigit() else last] = what


OTHER_HASH = base64.b64encode(bytes(32)).decode()
SECOND = json.loads(BYTES)["records"][1]


@pytest.mark.parametrize(
    ("path", "what", "code", "words"),
    [
        ("v", 0, "version", "receipt"),
        ("audience", "press", "unknown-audience", "."),
        ("case", "5F0C", "bad-case", "."),
        ("case", 5, "not-text", "the case"),
        ("records", [], "no-records", "."),
        ("note", NOTES[False], "wrong-note", "."),
        ("unwitnessed", None, "not-a-flag", "unwitnessed"),
        ("origin", "other.example", "other-log", "Record 1"),
        ("audience", "requester", "foreign-field", "Record 1: .* notice, register_row, subjects_root"),
        ("records.1.epoch", 2, "wrong-leaf", "Record 2: .* epoch 2"),
        ("records.1.epoch", "1", "not-a-number", "Record 2: .*the epoch"),
        ("records.1.place", 8, "wrong-path", "Record 2: .*place 8"),
        ("records.1.path.3", OTHER_HASH, "wrong-path", "Record 2"),
        ("records.1.path.3", "AA==", "wrong-length", "Record 2: .*a hash of the path"),
        ("records.1.opening.blind", OTHER_HASH, "wrong-path", "Record 2"),
        (
            "records.1.opening.opened.kind.value",
            "DataDeleted",
            "wrong-opening",
            "Record 2: The opened field kind",
        ),
        (
            "records.1.opening.opened.kind.salt",
            OTHER_HASH,
            "wrong-opening",
            "Record 2: The opened field kind",
        ),
        ("records.1.subject.account", ANA, "wrong-subject", "Record 2"),
        ("records.1.subject", {}, "wrong-members", "Record 2: .*the proof of an account"),
        ("records.1.opening.opened", {}, "opened-in-part", "Record 2: .* must also open"),
        ("records.1.leaf", encode_leaf(GapLeaf(1, 1)).decode(), "wrong-leaf", "Record 2"),
        ("records.1.leaf", "{}", "unknown-leaf", "Record 2"),
        (
            "records.1.leaf",
            SECOND["leaf"].replace("00:05:00", "00:06:00"),
            "wrong-inclusion-proof",
            "Record 2",
        ),
        ("records.1.proof", "", "not-a-proof", "Record 2"),
        (
            "records.1.proof",
            SECOND["proof"].replace("index 1", "index 2"),
            "wrong-inclusion-proof",
            "Record 2",
        ),
        ("records.1.proof", SECOND["proof"].replace("index", "extra YQ==\nindex"), "extra", "Record 2"),
        ("records.1.proof", SECOND["proof"].replace("\n5\n", "\n6\n"), "bad-signature", "Record 2"),
    ],
)
def test_a_broken_link_is_named(path: str, what: Json, code: str, words: str) -> None:
    """Which record, which part, by a stable code."""
    refused(edited(lambda value: put(value, path, what)), code, words)


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


MEMBERS = st.sampled_from(sorted(json.loads(BYTES)))
RECORD_MEMBERS = st.sampled_from(sorted(SECOND)).map(lambda name: f"records.0.{name}")
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(0, 9),
    st.text(max_size=9),
    st.lists(st.text(max_size=3), max_size=3),
)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.binary(), st.tuples(st.one_of(MEMBERS, RECORD_MEMBERS), SCALARS)))
def test_foreign_bytes_and_members_are_malformed(given_: bytes | tuple[str, Any]) -> None:
    """The verifier raises nothing else. (Only the label may be another one.)"""
    if isinstance(given_, bytes):
        data = given_
    else:
        value = copy.deepcopy(json.loads(BYTES))
        put(value, *given_)
        data = resealed(value)
    try:
        found = verify_receipt(data, ALONE)
    except MalformedError:
        return
    assert found.records == verify_receipt(BYTES, ALONE).records or isinstance(given_, tuple)

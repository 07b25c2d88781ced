"""Intake receipts: what is promised, who signed it, and when the promise counts as kept, late or broken."""

import base64
import datetime as dt
import hashlib
import hmac
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from dueprocess import tlog
from dueprocess.errors import BrokenError, MalformedError
from dueprocess.tlog.checkpoint import Checkpoint, OpenedCheckpoint
from dueprocess.tlog.note import COSIGNATURE, make_vkey, parse_vkey
from dueprocess.tlog.promise import (
    NOTE,
    IntakePromise,
    check_paper,
    check_redeemed,
    format_promise,
    intake_vkey,
    parse_promise,
    verify_promise,
)
from dueprocess.tlog.receipt import ReceiptFindings, RecordFindings
from dueprocess.wire import Json, canonical

SPEC = Path(__file__).parents[2] / "specs" / "promise"
VECTORS: Any = json.loads((SPEC / "vectors.json").read_text())
GOOD: bytes = VECTORS["receipt"].encode()
VKEY = parse_vkey(VECTORS["vkey"])
KEY = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(VECTORS["key_seed"]))
PROMISE = verify_promise(GOOD, VKEY)


def refusal(data: bytes) -> str:
    """The code with which an intake receipt is refused."""
    with pytest.raises(MalformedError) as caught:
        verify_promise(data, VKEY)
    return caught.value.code


def signed(**changes: Json) -> bytes:
    """The good receipt with other members, signed anew by the same key: what a lying operator could make."""
    value: dict[str, Any] = {**json.loads(GOOD), **changes}
    del value["sig"]
    digest = hashlib.sha256(canonical(value)).digest()
    head = b"dueprocess/intake/v1\n" + lp(value["origin"]) + lp(value["case"])
    return canonical({**value, "sig": base64.b64encode(KEY.sign(head + digest)).decode()})


def lp(text: str) -> bytes:
    return len(text.encode()).to_bytes(2, "big") + text.encode()


def test_the_vectors_are_what_the_generator_writes(tmp_path: Path) -> None:
    """Nothing in the format moves without the vectors saying so."""
    space: dict[str, Any] = {"__name__": "generate", "__file__": str(SPEC / "generate.py")}
    exec(compile((SPEC / "generate.py").read_text(), "generate.py", "exec"), space)
    assert space["vectors"]() == VECTORS


def test_the_vector_is_recomputed_without_our_code() -> None:
    """Signature, paper, commitment and epoch of the vector follow from the specification alone."""
    value = json.loads(VECTORS["receipt"])
    sig = base64.b64decode(value.pop("sig"))
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    head = b"dueprocess/intake/v1\n" + lp(value["origin"]) + lp(value["case"])
    message = head + hashlib.sha256(text).digest()
    assert message.hex() == VECTORS["message"]
    name, _, material = VECTORS["vkey"].split("+", 2)
    assert name == value["origin"] + "/intake"
    public = base64.b64decode(material)[1:]
    Ed25519PublicKey.from_public_bytes(public).verify(sig, message)
    with pytest.raises(InvalidSignature):
        Ed25519PublicKey.from_public_bytes(public).verify(sig, message + b"\n")
    assert hashlib.sha256(base64.b64decode(VECTORS["paper"])).hexdigest() == value["paper_sha256"]
    assert commitment_of(value["opening"]) == value["commitment"]
    at = dt.datetime.fromisoformat(value["received_at"])
    assert value["sealed_by_epoch"] == int(at.timestamp()) // VECTORS["epoch_seconds"] + 2


def commitment_of(opening: dict[str, Any]) -> str:
    """The commitment of an opening by hashlib and hmac alone; each opened value is checked against its digest."""
    digests = [base64.b64decode(each) for each in opening["digests"]]
    names = list(tlog.FIELDS)
    for field, opened in opening["opened"].items():
        data = json.dumps(opened["value"], sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        sizes = len(field).to_bytes(2, "big") + len(data).to_bytes(4, "big")
        salted = b"dueprocess/field/v1\n" + base64.b64decode(opened["salt"]) + sizes + field.encode() + data
        assert hashlib.sha256(salted).digest() == digests[names.index(field)]
    joined = hashlib.sha256(b"dueprocess/record/v1\n" + bytes([32]) + b"".join(digests)).digest()
    return hmac.digest(
        base64.b64decode(opening["blind"]), b"dueprocess/slot/v1\n\x01" + joined, "sha256"
    ).hex()


@pytest.mark.parametrize("name", VECTORS["refused"])
def test_each_changed_member_is_refused(name: str) -> None:
    """Whatever member is another one, the receipt is no receipt."""
    assert refusal(canonical(VECTORS["refused"][name]))


def test_it_says_what_it_is_and_what_it_is_not() -> None:
    """The sentence is part of what is signed, and says arrival, not authority."""
    assert json.loads(GOOD)["note"] == NOTE
    assert "arrival, not authority" in NOTE
    assert parse_promise(GOOD) == PROMISE
    assert format_promise(PROMISE, VKEY, KEY.sign) == GOOD


@given(at=st.integers(0, len(GOOD) - 1), bit=st.integers(0, 7))
@settings(max_examples=150, deadline=None)
def test_every_flipped_bit_is_seen(at: int, bit: int) -> None:
    """No byte of an intake receipt can be another."""
    refusal(GOOD[:at] + bytes([GOOD[at] ^ 1 << bit]) + GOOD[at + 1 :])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(data=st.binary(max_size=200) | JSON.map(canonical) | st.text(max_size=50).map(str.encode))
@settings(max_examples=150, deadline=None)
def test_foreign_bytes_are_malformed_and_nothing_else(data: bytes) -> None:
    """Whatever arrives as an intake receipt raises one family of error."""
    with pytest.raises(MalformedError):
        parse_promise(data)


@given(name=st.sampled_from(sorted(json.loads(GOOD))), value=JSON)
@settings(max_examples=150, deadline=None)
def test_a_member_of_any_other_value_is_malformed(name: str, value: Any) -> None:
    """Each member alone takes its own values only."""
    good = json.loads(GOOD)
    if good[name] != value:
        refusal(canonical({**good, name: value}))


def test_what_the_operator_signs_must_fit_its_own_opening() -> None:
    """A signature over a promise whose record says something else is refused: month, paper, kind, commitment."""
    assert verify_promise(signed(sealed_by_epoch=7), VKEY).sealed_by_epoch == 7
    assert refusal(signed(received_at="2026-12-01T00:00:00Z")) == "wrong-opening"
    assert refusal(signed(paper_sha256="0" * 64)) == "wrong-opening"
    assert refusal(signed(commitment="0" * 64)) == "wrong-opening"
    opening = json.loads(GOOD)["opening"]
    hidden = {name: each for name, each in opening["opened"].items() if name != "prev"}
    assert refusal(signed(opening={**opening, "opened": hidden})) == "opened-in-part"
    altered = {**opening["opened"], "month": {**opening["opened"]["month"], "value": "2026-10"}}
    assert refusal(signed(opening={**opening, "opened": altered})) == "wrong-opening"


def test_more_than_a_requester_may_see_is_refused() -> None:
    """An intake receipt cannot be used to show how many other records there are."""
    record = tlog.Record(VECTORS["values"])
    names = [*PROMISE.opening.opened, "ledger_seq"]
    wide = tlog.open_fields(record, bytes.fromhex(VECTORS["secret"]), names)
    assert refusal(signed(opening=wide.as_json())) == "foreign-field"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"case": "Z"}, "bad-case"),
        ({"received_at": "2026-11-22T02:44:30.000001Z"}, "bad-case"),
        ({"received_at": "yesterday"}, "not-an-instant"),
        ({"sealed_by_epoch": -1}, "not-a-number"),
        ({"v": True}, "version"),
    ],
)
def test_a_member_of_another_shape_is_refused(changes: dict[str, Json], code: str) -> None:
    """Signed or not, the shape is checked first."""
    assert refusal(signed(**changes)) == code


def test_only_the_intake_key_of_this_log_signs() -> None:
    """Another log's key, a witness's key, or another key of the same name: each is refused."""
    public = KEY.public_key().public_bytes_raw()
    origin = VECTORS["origin"]
    other = Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key().public_bytes_raw()
    for vkey, code in (
        (intake_vkey("other.example", public), "wrong-intake-key"),
        (make_vkey(origin, public), "wrong-intake-key"),
        (make_vkey(f"{origin}/intake", public, algorithm=COSIGNATURE), "wrong-intake-key"),
        (intake_vkey(origin, other), "bad-signature"),
    ):
        with pytest.raises(MalformedError) as caught:
            verify_promise(GOOD, vkey)
        assert caught.value.code == code


def test_a_promise_is_about_one_paper() -> None:
    """The bytes that arrived fit, any others do not."""
    paper = base64.b64decode(VECTORS["paper"])
    check_paper(PROMISE, paper)
    with pytest.raises(MalformedError) as caught:
        check_paper(PROMISE, paper + b" ")
    assert caught.value.code == "other-paper"


def shown(
    promise: IntakePromise, *, epoch: int, commitment: str | None = None, **values: Json
) -> ReceiptFindings:
    """A verified receipt of the same case whose first record is this one."""
    vkey = make_vkey(promise.origin, KEY.public_key().public_bytes_raw())
    opened = OpenedCheckpoint(Checkpoint(promise.origin, 1, bytes(32)), (vkey,), (), None)
    record = RecordFindings(
        values={"prev": None, **values},
        commitment=bytes.fromhex(commitment or promise.commitment),
        epoch=epoch,
        place=1,
        closed_at=promise.received_at,
        leaf=b"",
        leaf_index=0,
        opened=opened,
        account=None,
    )
    return ReceiptFindings(promise.origin, "requester", promise.case, (record,))


def test_a_promise_is_kept_in_time_or_not() -> None:
    """In the promised epoch or before: kept. Later: late. Another arrival: broken. From the middle: says nothing."""
    last = PROMISE.sealed_by_epoch
    for epoch in (last - 2, last):
        assert check_redeemed(PROMISE, shown(PROMISE, epoch=epoch)).epoch == epoch
    with pytest.raises(BrokenError) as late:
        check_redeemed(PROMISE, shown(PROMISE, epoch=last + 1))
    assert late.value.code == "promise-late"
    with pytest.raises(BrokenError) as broken:
        check_redeemed(PROMISE, shown(PROMISE, epoch=last, commitment="0" * 64))
    assert broken.value.code == "promise-broken"
    with pytest.raises(MalformedError) as middle:
        check_redeemed(PROMISE, shown(PROMISE, epoch=last, commitment="0" * 64, prev="1" * 64))
    assert middle.value.code == "not-from-the-start"


def test_a_receipt_of_something_else_redeems_nothing() -> None:
    """Another case, another log, or a receipt that names no case."""
    fits = shown(PROMISE, epoch=PROMISE.sealed_by_epoch)
    for other in (
        replace(fits, case="1" * 32),
        replace(fits, case=None),
        replace(fits, origin="other.example"),
    ):
        with pytest.raises(MalformedError) as caught:
            check_redeemed(PROMISE, other)
        assert caught.value.code == "other-case"

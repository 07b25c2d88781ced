"""Writes vectors.json: intake receipts on fixed input. Run it again and nothing may change.

    python specs/promise/generate.py [FILE]

The keys are made from the bytes of their names and are worth nothing.
"""

import datetime as dt
import json
import sys
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dueprocess import tlog
from dueprocess.tlog import promise
from dueprocess.wire import Json, b64, parse_json

ORIGIN = "operator.example/dueprocess/1"
CASE = sha256(b"case").hexdigest()[:32]
PAPER = b"A letter from the District Court of Example.\n"
RECEIVED_AT = dt.datetime(2026, 11, 22, 2, 44, 30, tzinfo=dt.UTC)
EPOCH_SECONDS = 300
KEY = Ed25519PrivateKey.from_private_bytes(sha256(b"intake key").digest())
VKEY = promise.intake_vkey(ORIGIN, KEY.public_key().public_bytes_raw())
SECRET = sha256(b"record secret").digest()
RECORD = tlog.Record(
    {
        "event_sha256": sha256(b"event").hexdigest(),
        "prev": None,
        "ledger_seq": 1,
        "kind": "DemandReceived",
        "month": "2026-11",
        "order_ref": sha256(b"nonce" + sha256(PAPER).digest()).hexdigest(),
        "paper_sha256": sha256(PAPER).hexdigest(),
    }
)


def the_promise() -> promise.IntakePromise:
    """What is promised about the paper."""
    names = tlog.AUDIENCES["requester"]
    return promise.IntakePromise(
        origin=ORIGIN,
        case=CASE,
        paper_sha256=sha256(PAPER).hexdigest(),
        received_at=RECEIVED_AT,
        commitment=tlog.commitment(RECORD, SECRET).hex(),
        opening=tlog.open_fields(RECORD, SECRET, names),
        sealed_by_epoch=tlog.epoch_at(RECEIVED_AT, seconds=EPOCH_SECONDS) + promise.EPOCHS_TO_SEAL,
    )


def vectors() -> dict[str, Json]:
    """One good intake receipt with all that goes into it, and changes of it that must be refused."""
    said = the_promise()
    good = promise.format_promise(said, VKEY, KEY.sign)
    value = parse_json(good)
    changed: dict[str, Json] = {
        "later epoch": {**value, "sealed_by_epoch": value["sealed_by_epoch"] + 1},
        "other paper": {**value, "paper_sha256": sha256(b"another paper").hexdigest()},
        "other case": {**value, "case": "0" * 32},
        "other time": {**value, "received_at": "2026-11-22T02:44:31Z"},
        "other commitment": {**value, "commitment": "0" * 64},
        "other log": {**value, "origin": "other.example/dueprocess/1"},
        "other sentence": {**value, "note": "This paper is genuine."},
        "other version": {**value, "v": 2},
        "other kind": {**value, "kind": "receipt"},
        "no signature": {**value, "sig": b64(bytes(64))},
    }
    return {
        "origin": ORIGIN,
        "case": CASE,
        "paper": b64(PAPER),
        "epoch_seconds": EPOCH_SECONDS,
        "secret": SECRET.hex(),
        "values": dict(RECORD.values),
        "key_seed": sha256(b"intake key").hexdigest(),
        "vkey": VKEY.text,
        "message": said.message.hex(),
        "receipt": good.decode(),
        "refused": changed,
    }


if __name__ == "__main__":
    out = Path(sys.argv[1]) if sys.argv[1:] else Path(__file__).with_name("vectors.json")
    out.write_text(json.dumps(vectors(), indent=1, sort_keys=True, ensure_ascii=False) + "\n")

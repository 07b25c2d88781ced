"""Writes vectors.json: the log's formats on fixed input. Run it again and nothing may change.

    python specs/tlog/generate.py [FILE]

The keys are made from the bytes of their names and are worth nothing.
"""

import datetime as dt
import json
import sys
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dueprocess import tlog
from dueprocess.wire import Json, b64, instant

ORIGIN = "operator.example/dueprocess/1"
WITNESS = "witness.example/w1"
EPOCH = 5_984_384
PLACES = (0, 4242, 4243, 65_535)
CLOSED_AT = dt.datetime(2026, 11, 22, 2, 45, tzinfo=dt.UTC)
WITNESSED_AT = 1_795_315_530

LOG_KEY = Ed25519PrivateKey.from_private_bytes(sha256(b"log key").digest())
WITNESS_KEY = Ed25519PrivateKey.from_private_bytes(sha256(b"witness key").digest())
LOG_VKEY = tlog.make_vkey(ORIGIN, LOG_KEY.public_key().public_bytes_raw())
WITNESS_VKEY = tlog.make_vkey(
    WITNESS, WITNESS_KEY.public_key().public_bytes_raw(), algorithm=tlog.COSIGNATURE
)

SECRET = sha256(b"record secret").digest()
MASTER = sha256(b"master secret").digest()
SUBJECTS = ("@eva:example.org", "@ana:example.org", "@boris:example.org")
VALUES: dict[str, Json] = {
    "event_sha256": sha256(b"event").hexdigest(),
    "prev": None,
    "ledger_seq": 1,
    "kind": "DataProduced",
    "month": "2026-11",
    "demand_kind": "disclosure",
    "instrument": "court_order",
    "country": "SE",
    "emergency": False,
    "categories": ["session.times", "subscriber.identity"],
    "accounts": 3,
    "outcome": "narrowed",
    "subjects_root": tlog.subjects_root(SECRET, SUBJECTS).hex(),
}
RECORD = tlog.Record(VALUES)


def record_vectors() -> dict[str, Json]:
    opening = tlog.open_fields(RECORD, SECRET, tlog.AUDIENCES["user"])
    erased = tlog.open_fields(RECORD, SECRET, tlog.KEPT_AFTER_ERASURE)
    return {
        "fields": list(tlog.FIELDS),
        "values": VALUES,
        "secret": SECRET.hex(),
        "salt_0": tlog.salt(SECRET, 0).hex(),
        "salt_31": tlog.salt(SECRET, 31).hex(),
        "blind": tlog.blind(SECRET).hex(),
        "digests": [each.hex() for each in opening.digests],
        "commitment": tlog.commitment(RECORD, SECRET).hex(),
        "opening_user": opening.as_json(),
        "opening_erased": erased.as_json(),
    }


def subjects_vectors() -> dict[str, Json]:
    return {
        "secret": SECRET.hex(),
        "subjects": list(SUBJECTS),
        "root": tlog.subjects_root(SECRET, SUBJECTS).hex(),
        "root_of_none": tlog.subjects_root(SECRET, ()).hex(),
        "proof": tlog.prove_subject(SECRET, SUBJECTS, SUBJECTS[0]).as_json(),
    }


def placed() -> dict[int, bytes]:
    others = {place: sha256(b"commitment %d" % place).digest() for place in PLACES}
    return {**others, 4242: tlog.commitment(RECORD, SECRET)}


def epoch_vectors() -> dict[str, Json]:
    seed = tlog.epoch_seed(MASTER, EPOCH)
    tree = tlog.EpochTree(seed, EPOCH, placed())
    return {
        "master": MASTER.hex(),
        "epoch": EPOCH,
        "seed": seed.hex(),
        "placed": {str(place): each.hex() for place, each in placed().items()},
        "root": tree.root.hex(),
        "path_of_4242": [each.hex() for each in tree.path(4242)],
        "root_when_empty": tlog.epoch_root(seed, EPOCH, {}).hex(),
        "until": instant(tlog.epoch_until(EPOCH)),
    }


def leaves() -> list[bytes]:
    """One leaf of each kind, the epoch leaf of the vectors third."""
    digest = sha256(b"file").hexdigest()
    seed = tlog.epoch_seed(MASTER, EPOCH)
    attest = tlog.AttestLeaf("2026H2", LOG_VKEY.text, digest, bytes(64))
    key = tlog.KeyLeaf("add", LOG_VKEY.text, bytes(64))
    every: list[tlog.Leaf] = [
        tlog.PolicyLeaf(
            number=1,
            epoch_seconds=300,
            depth=16,
            k=10,
            delay_days=90,
            bands=(0, 250, 500, 1000),
            quorum_modes=("solo_cosigner", "two"),
            clock="simulated",
            witness_policy_sha256=sha256(policy()).hexdigest(),
            software_sha256=digest,
            in_force_on=dt.date(2026, 11, 1),
        ),
        tlog.GapLeaf(EPOCH - 7, EPOCH - 1),
        tlog.EpochLeaf(EPOCH, tlog.epoch_root(seed, EPOCH, placed()), CLOSED_AT),
        tlog.IncidentLeaf("store-restored", EPOCH - 7, EPOCH - 1),
        tlog.RegisterLeaf("2026H2", digest),
        tlog.ReportLeaf("2026H2", digest, 4, digest, replaces=digest),
        tlog.AttestLeaf("2026H2", LOG_VKEY.text, digest, LOG_KEY.sign(attest.message)),
        tlog.KeyLeaf("add", LOG_VKEY.text, LOG_KEY.sign(key.message)),
    ]
    return [tlog.encode_leaf(each) for each in every]


def log_vectors() -> dict[str, Json]:
    entries = leaves()
    hashes = [tlog.leaf_hash(each) for each in entries]
    files: dict[str, bytes] = {}
    files.update(tlog.tiles_for_growth(tlog.Frontier(), entries, files.__getitem__))
    reader = tlog.TileReader(files.__getitem__, head())
    proofs: dict[str, Json] = {
        str(index): [each.hex() for each in reader.inclusion_proof(index)] for index in range(len(entries))
    }
    older: dict[str, Json] = {
        str(size): [each.hex() for each in reader.consistency_proof(size)] for size in (1, 3, 7)
    }
    return {
        "leaves": [each.decode() for each in entries],
        "leaf_hashes": [each.hex() for each in hashes],
        "roots": [tlog.root_of(hashes[:size]).hex() for size in range(len(hashes) + 1)],
        "inclusion": proofs,
        "consistency": older,
        "tiles": {path: b64(content) for path, content in sorted(files.items())},
    }


def head() -> tlog.Checkpoint:
    entries = leaves()
    return tlog.Checkpoint(ORIGIN, len(entries), tlog.root_of(tlog.leaf_hash(each) for each in entries))


def cosigned() -> bytes:
    signed = tlog.parse_note(tlog.sign_checkpoint(head(), LOG_VKEY, LOG_KEY.sign))
    second = tlog.cosign(signed.text, WITNESS_VKEY, timestamp=WITNESSED_AT, sign=WITNESS_KEY.sign)
    return tlog.format_note(signed.text, (*signed.signatures, second))


def policy() -> bytes:
    return tlog.format_policy(LOG_VKEY, (tlog.Witness("w1", WITNESS_VKEY),), need=1)


def receipt_vectors() -> dict[str, Json]:
    entries = leaves()
    files: dict[str, bytes] = {}
    files.update(tlog.tiles_for_growth(tlog.Frontier(), entries, files.__getitem__))
    reader = tlog.TileReader(files.__getitem__, head())
    proof = tlog.format_proof(tlog.LogProof(2, reader.inclusion_proof(2), cosigned()))
    record = tlog.ReceiptRecord(
        epoch=EPOCH,
        place=4242,
        path=tlog.epoch_path(tlog.epoch_seed(MASTER, EPOCH), EPOCH, placed(), 4242),
        opening=tlog.open_fields(RECORD, SECRET, tlog.AUDIENCES["user"]),
        leaf=entries[2],
        proof=proof,
        subject=tlog.prove_subject(SECRET, SUBJECTS, SUBJECTS[0]),
    )
    receipt = tlog.Receipt(ORIGIN, "user", "5f0c", (record,), unwitnessed=False).to_bytes()
    return {
        "log_vkey": LOG_VKEY.text,
        "witness_vkey": WITNESS_VKEY.text,
        "witnessed_at": WITNESSED_AT,
        "policy": policy().decode(),
        "checkpoint": cosigned().decode(),
        "proof": proof.decode(),
        "receipt": receipt.decode(),
        "receipt_bytes": len(receipt),
    }


def vectors() -> dict[str, Json]:
    return {
        "v": 0,
        "record": record_vectors(),
        "subjects": subjects_vectors(),
        "epoch": epoch_vectors(),
        "log": log_vectors(),
        "receipt": receipt_vectors(),
    }


if __name__ == "__main__":
    target = Path(sys.argv[1]) if sys.argv[1:] else Path(__file__).with_name("vectors.json")
    target.write_text(json.dumps(vectors(), indent=1, ensure_ascii=False, sort_keys=True) + "\n", "utf-8")

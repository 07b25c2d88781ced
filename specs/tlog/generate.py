"""Writes vectors.json: the log's formats on fixed input. Run it again and nothing may change.

    python specs/tlog/generate.py [FILE]

The keys are made from their labels and are worth nothing. ML-DSA-44 signatures are made by dilithium-py, in the
deterministic variant of FIPS 204 (section 3.4), so that they can be stored; in use they are randomised.
"""

import dataclasses
import datetime as dt
import json
import sys
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from dilithium_py.ml_dsa import ML_DSA_44  # it ships no types

from dueprocess import tlog
from dueprocess.errors import MalformedError
from dueprocess.wire import Json, b64, instant

ORIGIN = "operator.example/dueprocess/1"
EPOCH = 5_984_384
PLACES = (0, 4242, 4243, 65_535)
CLOSED_AT = dt.datetime(2026, 11, 22, 2, 45, tzinfo=dt.UTC)
SIGNED_AT = 1_795_315_500
WITNESSED_AT = {"w1": 1_795_315_530, "w2": 1_795_315_533, "w3": 1_795_315_531}


class Key:
    """A key of the vectors: its seed is the SHA-256 of its label."""

    def __init__(self, label: str, name: str, algorithm: int) -> None:
        self.seed = sha256(label.encode()).digest()
        self.sign: tlog.Sign
        if algorithm == tlog.ML_DSA_44:
            # The deterministic variant of FIPS 204, which `cryptography` does not offer: same bytes each time.
            public, secret = ML_DSA_44.key_derive(self.seed)
            self.sign = lambda message: bytes(ML_DSA_44.sign(secret, message, deterministic=True))
        else:
            key = Ed25519PrivateKey.from_private_bytes(self.seed)
            public, self.sign = key.public_key().public_bytes_raw(), key.sign
        self.vkey = tlog.make_vkey(name, public, algorithm=algorithm)


KEYS = {
    "log": Key("log key", ORIGIN, tlog.ED25519),
    "log_ml_dsa_44": Key("log key ML-DSA-44", ORIGIN, tlog.ML_DSA_44),
    "w1": Key("witness key", "witness.example/w1", tlog.COSIGNATURE),
    "w2": Key("witness key 2", "witness.example/w2", tlog.ML_DSA_44),
    "w3": Key("witness key 3", "witness.example/w3", tlog.COSIGNATURE),
    "auditor": Key("auditor key", "auditor.example/1", tlog.ED25519),
    "intake": Key("intake key", f"{ORIGIN}/intake", tlog.ED25519),
}
LOG, LOG_PQ, W1, W2, W3 = (KEYS[each] for each in ("log", "log_ml_dsa_44", "w1", "w2", "w3"))

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
    erased = tlog.kept_opening(RECORD, SECRET)
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
            intake_vkey=KEYS["intake"].vkey.text,
        ),
        tlog.GapLeaf(EPOCH - 7, EPOCH - 1),
        tlog.EpochLeaf(EPOCH, tlog.epoch_root(seed, EPOCH, placed()), CLOSED_AT),
        tlog.IncidentLeaf("store-restored", EPOCH - 7, EPOCH - 1),
        tlog.RegisterLeaf("2026H2", digest),
        tlog.ReportLeaf("2026H2", digest, 4, digest, replaces=digest),
        attestation(),
        key_change("add", LOG_PQ),
    ]
    return [tlog.encode_leaf(each) for each in every]


def attestation() -> tlog.AttestLeaf:
    auditor = KEYS["auditor"]
    blank = tlog.AttestLeaf("2026H2", auditor.vkey.text, sha256(b"statement").hexdigest(), bytes(64))
    return dataclasses.replace(blank, signature=auditor.sign(blank.message))


def key_change(operation: tlog.KeyOperation, key: Key) -> tlog.KeyLeaf:
    blank = tlog.KeyLeaf(operation, key.vkey.text, bytes(64))
    return dataclasses.replace(blank, signature_by_old=LOG.sign(blank.message))


def signed_leaves() -> list[Json]:
    """Leaves that carry a signature: who made it, and over which bytes."""
    signed: list[tuple[str, tlog.AttestLeaf | tlog.KeyLeaf]] = [
        ("auditor", attestation()),
        ("log", key_change("add", LOG_PQ)),
        ("log", key_change("retire", LOG)),
    ]
    return [
        {"signer": signer, "message": leaf.message.hex(), "leaf": tlog.encode_leaf(leaf).decode()}
        for signer, leaf in signed
    ]


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


def cosigned(*witnesses: str) -> bytes:
    """The log's head by both its keys, and by these witnesses."""
    signers = [(each.vkey, each.sign) for each in (LOG, LOG_PQ)]
    note = tlog.parse_note(tlog.sign_checkpoint(head(), signers, timestamp=SIGNED_AT))
    more = [
        tlog.cosign(note.text, KEYS[each].vkey, timestamp=WITNESSED_AT[each], sign=KEYS[each].sign)
        for each in witnesses
    ]
    return tlog.format_note(note.text, (*note.signatures, *more))


def policy(need: int = 1) -> bytes:
    """Both keys of the log, and one witness: what the receipts are verified with."""
    return tlog.format_policy([LOG.vkey, LOG_PQ.vkey], (tlog.Witness("w1", W1.vkey),), need=need)


GROUPS = f"""\
# Two sides that must both have seen the log.
log {LOG.vkey.text} https://log.example/
log {LOG_PQ.vkey.text}

witness w1 {W1.vkey.text} https://w1.example/
witness w2 {W2.vkey.text}
witness w3 {W3.vkey.text}
group near any w1 w3
group far all w2
group both all near far
"""


def checkpoint_vectors() -> dict[str, Json]:
    note = cosigned("w1", "w2")
    text = head().text
    times = {"log_ml_dsa_44": SIGNED_AT, "w1": WITNESSED_AT["w1"], "w2": WITNESSED_AT["w2"]}
    both, near = f"{GROUPS}quorum both\n", f"{GROUPS}quorum near\n"
    return {
        "text": text,
        "note": note.decode(),
        "times": dict(times),
        "messages": {
            name: tlog.cosigned_message(text, KEYS[name].vkey, at).hex() for name, at in times.items()
        },
        "note_as_small_as_near_allows": tlog.without_ml_dsa(note, tlog.parse_policy(near.encode())).decode(),
        "note_as_small_as_both_allows": tlog.without_ml_dsa(note, tlog.parse_policy(both.encode())).decode(),
        "policies": [verdict(note, each) for each in policies(both)],
    }


def policies(both: str) -> list[str]:
    alone = f"log {LOG_PQ.vkey.text}\nwitness w1 {W1.vkey.text}\n"
    return [
        both,
        f"{GROUPS}quorum w2\n",
        f"{GROUPS}quorum w3\n",
        f"{GROUPS}quorum none\n",
        f"{alone}quorum w1\n",
        f"log {KEYS['auditor'].vkey.text}\nquorum none\n",
    ]


def verdict(note: bytes, source: str) -> dict[str, Json]:
    """What a policy makes of the note: refused, or the time for which its quorum vouches (null by ``none``)."""
    try:
        opened = tlog.open_checkpoint(note, tlog.parse_policy(source.encode()))
    except MalformedError as error:
        return {"policy": source, "refused": error.code, "witnessed_at": None}
    at = opened.witnessed_at
    return {"policy": source, "refused": None, "witnessed_at": None if at is None else instant(at)}


def receipt_of(audience: tlog.Audience, opening: tlog.Opening, checkpoint: bytes) -> bytes:
    entries = leaves()
    files: dict[str, bytes] = {}
    files.update(tlog.tiles_for_growth(tlog.Frontier(), entries, files.__getitem__))
    reader = tlog.TileReader(files.__getitem__, head())
    record = tlog.ReceiptRecord(
        epoch=EPOCH,
        place=4242,
        path=tlog.epoch_path(tlog.epoch_seed(MASTER, EPOCH), EPOCH, placed(), 4242),
        opening=opening,
        leaf=entries[2],
        proof=tlog.format_proof(tlog.LogProof(2, reader.inclusion_proof(2), checkpoint)),
        subject=tlog.prove_subject(SECRET, SUBJECTS, SUBJECTS[0]) if audience == "user" else None,
    )
    witnessed = len(tlog.parse_note(checkpoint).signatures) > 1
    return tlog.Receipt(ORIGIN, audience, "5f0c", (record,), unwitnessed=not witnessed).to_bytes()


def receipt_vectors() -> dict[str, Json]:
    trusted = tlog.parse_policy(policy())
    small = tlog.without_ml_dsa(cosigned("w1"), trusted)
    alone = tlog.without_ml_dsa(cosigned(), trusted.unwitnessed)
    opening = tlog.open_fields(RECORD, SECRET, tlog.AUDIENCES["user"])
    receipt = receipt_of("user", opening, small)
    return {
        "policy": policy().decode(),
        "checkpoint": small.decode(),
        "proof": tlog.parse_receipt(receipt).records[0].proof.decode(),
        "receipt": receipt.decode(),
        "receipt_bytes": len(receipt),
        "policy_unwitnessed": policy(need=0).decode(),
        "unwitnessed": receipt_of("user", opening, alone).decode(),
        "erased": receipt_of("auditor", tlog.kept_opening(RECORD, SECRET), small).decode(),
    }


def vectors() -> dict[str, Json]:
    return {
        "v": 1,
        "keys": {
            name: {"seed": each.seed.hex(), "vkey": each.vkey.text, "type": each.vkey.algorithm}
            for name, each in KEYS.items()
        },
        "record": record_vectors(),
        "subjects": subjects_vectors(),
        "epoch": epoch_vectors(),
        "log": log_vectors(),
        "signed_leaves": signed_leaves(),
        "checkpoint": checkpoint_vectors(),
        "receipt": receipt_vectors(),
    }


if __name__ == "__main__":
    target = Path(sys.argv[1]) if sys.argv[1:] else Path(__file__).with_name("vectors.json")
    target.write_text(json.dumps(vectors(), indent=1, ensure_ascii=False, sort_keys=True) + "\n", "utf-8")

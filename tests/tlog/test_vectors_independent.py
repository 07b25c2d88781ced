"""The vectors of specs/tlog, computed a second time from its README alone.

Uses nothing of dueprocess and no library but hashlib, hmac, json and base64; even Ed25519 is written out
(RFC 8032 section 6). ML-DSA-44 is that of dilithium-py, another author's Python after FIPS 204. If this file
and the package disagree, the specification is not exact enough.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA44PublicKey
from dilithium_py.ml_dsa import ML_DSA_44  # it ships no types

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "specs" / "tlog" / "vectors.json").read_text("utf-8")
)


def sha(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


def mac(secret: bytes, message: bytes) -> bytes:
    return hmac.new(secret, message, "sha256").digest()


def b64(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def jcs(value: Any) -> bytes:
    """Enough of RFC 8785 for ASCII member names and no fractions."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


# ---------------------------------------------------------------- records

NAMES = """
event_sha256 prev ledger_seq kind month demand_kind instrument basis country authority_class emergency
nondisclosure nondisclosure_until categories accounts outcome narrowed quorum_mode witnessed approvals
order_ref paper_sha256 scope_sha256 plan_sha256 parcel_sha256 notice subjects_root register_row
reserved_1 reserved_2 reserved_3 reserved_4
"""
FIELDS = NAMES.split()


def salt(secret: bytes, index: int) -> bytes:
    return mac(secret, b"dueprocess/salt/v1\n" + bytes([index]))


def digest(name: str, value: Any, its_salt: bytes) -> bytes:
    encoded = jcs(value)
    sizes = len(name).to_bytes(2, "big") + len(encoded).to_bytes(4, "big")
    return sha(b"dueprocess/field/v1\n" + its_salt + sizes + name.encode() + encoded)


def commit(digests: list[bytes], blind: bytes) -> bytes:
    record = sha(b"dueprocess/record/v1\n" + bytes([32]) + b"".join(digests))
    return mac(blind, b"dueprocess/slot/v1\n\x01" + record)


def commitment_of_opening(opening: Any) -> bytes:
    digests = [b64(each) for each in opening["digests"]]
    for name, each in opening["opened"].items():
        assert digest(name, each["value"], b64(each["salt"])) == digests[FIELDS.index(name)]
    return commit(digests, b64(opening["blind"]))


def test_record() -> None:
    """Salts, digests, blind and commitment from the secret; both openings lead to it."""
    given = VECTORS["record"]
    secret = bytes.fromhex(given["secret"])
    assert given["fields"] == FIELDS
    assert (salt(secret, 0).hex(), salt(secret, 31).hex()) == (given["salt_0"], given["salt_31"])
    blind = mac(secret, b"dueprocess/blind/v1\n")
    assert blind.hex() == given["blind"]
    digests = [digest(name, given["values"].get(name), salt(secret, at)) for at, name in enumerate(FIELDS)]
    assert [each.hex() for each in digests] == given["digests"]
    assert commit(digests, blind).hex() == given["commitment"]
    for opening in (given["opening_user"], given["opening_erased"]):
        assert commitment_of_opening(opening).hex() == given["commitment"]
    assert sorted(given["opening_erased"]["opened"]) == [
        "event_sha256",
        "kind",
        "ledger_seq",
        "month",
        "prev",
    ]


# ---------------------------------------------------------------- subjects


def subjects_root(secret: bytes, subjects: list[str]) -> bytes:
    level = [
        sha(
            b"dueprocess/subject/v1\n"
            + mac(secret, b"dueprocess/subject-salt/v1\n" + bytes([at]))
            + each.encode()
        )
        for at, each in enumerate(subjects)
    ]
    level += [mac(secret, b"dueprocess/subject-pad/v1\n" + bytes([at])) for at in range(len(subjects), 128)]
    level.sort()
    while len(level) > 1:
        level = [sha(b"\x05" + left + right) for left, right in zip(level[::2], level[1::2], strict=True)]
    return level[0]


def root_of_subject(proof: Any) -> bytes:
    found = sha(b"dueprocess/subject/v1\n" + b64(proof["salt"]) + proof["account"].encode())
    place = proof["place"]
    for each in map(b64, proof["path"]):
        found = sha(b"\x05" + (each + found if place % 2 else found + each))
        place //= 2
    return found


def test_subjects() -> None:
    """The padded, sorted tree of 128 leaves, and the proof of one account."""
    given = VECTORS["subjects"]
    secret = bytes.fromhex(given["secret"])
    assert subjects_root(secret, given["subjects"]).hex() == given["root"]
    assert subjects_root(secret, []).hex() == given["root_of_none"]
    assert root_of_subject(given["proof"]).hex() == given["root"]
    assert len(given["proof"]["path"]) == 7


# ---------------------------------------------------------------- epoch


def epoch_leaf(epoch: int, place: int, commitment: bytes) -> bytes:
    return sha(b"\x02" + epoch.to_bytes(8, "big") + place.to_bytes(4, "big") + commitment)


def epoch_subtree(seed: bytes, epoch: int, placed: dict[int, bytes], depth: int, position: int) -> bytes:
    """Top-down, as the definition reads: what is unused is padding, whole."""
    if not any(place >> 16 - depth == position for place in placed):
        return mac(seed, b"dueprocess/dummy/v1\n" + bytes([depth]) + position.to_bytes(4, "big"))
    if depth == 16:
        return epoch_leaf(epoch, position, placed[position])
    left = epoch_subtree(seed, epoch, placed, depth + 1, 2 * position)
    return sha(b"\x03" + left + epoch_subtree(seed, epoch, placed, depth + 1, 2 * position + 1))


def root_of_path(epoch: int, place: int, commitment: bytes, path: list[bytes]) -> bytes:
    found = epoch_leaf(epoch, place, commitment)
    assert len(path) == 16
    for each in path:
        found = sha(b"\x03" + (each + found if place % 2 else found + each))
        place //= 2
    return found


def test_epoch() -> None:
    """Seed, root, path and the root of the empty epoch."""
    given = VECTORS["epoch"]
    epoch = given["epoch"]
    seed = mac(bytes.fromhex(given["master"]), b"dueprocess/epoch/v1\n" + epoch.to_bytes(8, "big"))
    assert seed.hex() == given["seed"]
    placed = {int(place): bytes.fromhex(each) for place, each in given["placed"].items()}
    assert epoch_subtree(seed, epoch, placed, 0, 0).hex() == given["root"]
    assert epoch_subtree(seed, epoch, {}, 0, 0).hex() == given["root_when_empty"]
    path = [bytes.fromhex(each) for each in given["path_of_4242"]]
    assert root_of_path(epoch, 4242, placed[4242], path).hex() == given["root"]
    assert placed[4242].hex() == VECTORS["record"]["commitment"]


# ---------------------------------------------------------------- log


def mth(hashes: list[bytes]) -> bytes:
    if len(hashes) < 2:
        return hashes[0] if hashes else sha(b"")
    split = 1 << (len(hashes) - 1).bit_length() - 1
    return sha(b"\x01" + mth(hashes[:split]) + mth(hashes[split:]))


def path_of(index: int, hashes: list[bytes]) -> list[bytes]:
    """RFC 6962 section 2.1.1."""
    if len(hashes) == 1:
        return []
    split = 1 << (len(hashes) - 1).bit_length() - 1
    if index < split:
        return [*path_of(index, hashes[:split]), mth(hashes[split:])]
    return [*path_of(index - split, hashes[split:]), mth(hashes[:split])]


def subproof(old: int, hashes: list[bytes], *, whole: bool) -> list[bytes]:
    """RFC 6962 section 2.1.2."""
    if old == len(hashes):
        return [] if whole else [mth(hashes)]
    split = 1 << (len(hashes) - 1).bit_length() - 1
    if old <= split:
        return [*subproof(old, hashes[:split], whole=whole), mth(hashes[split:])]
    return [*subproof(old - split, hashes[split:], whole=False), mth(hashes[:split])]


def test_log() -> None:
    """Leaf hashes, the root of every size, proofs and tiles."""
    given = VECTORS["log"]
    entries = [each.encode() for each in given["leaves"]]
    hashes = [sha(b"\x00" + each) for each in entries]
    assert [each.hex() for each in hashes] == given["leaf_hashes"]
    assert [mth(hashes[:size]).hex() for size in range(len(hashes) + 1)] == given["roots"]
    for index, proof in given["inclusion"].items():
        assert [each.hex() for each in path_of(int(index), hashes)] == proof
    for old, proof in given["consistency"].items():
        assert [each.hex() for each in subproof(int(old), hashes, whole=True)] == proof
    bundle = b"".join(len(each).to_bytes(2, "big") + each for each in entries)
    tiles = {path: b64(content) for path, content in given["tiles"].items()}
    assert tiles == {"tile/0/000.p/8": b"".join(hashes), "tile/entries/000.p/8": bundle}


def test_leaves_are_canonical_and_the_epoch_leaf_has_its_length() -> None:
    """Sorted members, no blanks, 115 bytes."""
    leaves = VECTORS["log"]["leaves"]
    assert all(jcs(json.loads(each)).decode() == each for each in leaves)
    epoch = json.loads(leaves[2])
    assert (epoch["t"], epoch["e"], len(leaves[2])) == ("epoch", f"{VECTORS['epoch']['epoch']:010d}", 115)
    assert b64(epoch["r"]).hex() == VECTORS["epoch"]["root"]
    kinds = [json.loads(each)["t"] for each in leaves]
    assert kinds == ["policy", "gap", "epoch", "incident", "register", "report", "attest", "key"]


# ---------------------------------------------------------------- Ed25519, RFC 8032 section 6

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
type Point = tuple[int, int, int, int]


def add(one: Point, two: Point) -> Point:
    a = (one[1] - one[0]) * (two[1] - two[0]) % P
    b = (one[1] + one[0]) * (two[1] + two[0]) % P
    c, d = 2 * one[3] * two[3] * D % P, 2 * one[2] * two[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(scalar: int, point: Point) -> Point:
    total: Point = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            total = add(total, point)
        point, scalar = add(point, point), scalar >> 1
    return total


def decoded(encoded: bytes) -> Point:
    y = int.from_bytes(encoded, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    squared = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(squared, (P + 3) // 8, P)
    if (x * x - squared) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    assert (x * x - squared) % P == 0
    x = P - x if x % 2 != sign else x
    return x, y, 1, x * y % P


def ed25519_verifies(public: bytes, message: bytes, signature: bytes) -> bool:
    base = decoded((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))
    scalar = int.from_bytes(signature[32:], "little")
    challenge = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % L
    left, right = times(scalar, base), add(decoded(signature[:32]), times(challenge, decoded(public)))
    same_x = (left[0] * right[2] - right[0] * left[2]) % P == 0
    return scalar < L and same_x and (left[1] * right[2] - right[1] * left[2]) % P == 0


def ml_dsa_44_verifies(public: bytes, message: bytes, signature: bytes) -> bool:
    return bool(ML_DSA_44.verify(public, message, signature))


def key_of(vkey: str) -> tuple[str, bytes, int, bytes]:
    """(name, key id, type, public key) of a verifier key whose id fits."""
    name, key_id, material = vkey.split("+", 2)
    raw = b64(material)
    assert sha(name.encode() + b"\n" + raw)[:4].hex() == key_id
    assert len(raw) == (1313 if raw[0] == 6 else 33)
    return name, bytes.fromhex(key_id), raw[0], raw[1:]


def test_keys() -> None:
    """Each public key of type 0x06 follows from its seed; names and ids fit."""
    for given in VECTORS["keys"].values():
        _, _, kind, public = key_of(given["vkey"])
        assert kind == given["type"]
        if kind == 6:
            assert ML_DSA_44.key_derive(bytes.fromhex(given["seed"]))[0] == public


# ---------------------------------------------------------------- checkpoints


def message_of(name: str, kind: int, at: int, text: str) -> bytes:
    """What a cosigner of type 0x04 or 0x06 signs, from the specification of cosignatures."""
    if kind == 4:
        return f"cosignature/v1\ntime {at}\n{text}".encode()
    origin, size, root, _ = text.split("\n", 3)
    signer = bytes([len(name.encode())]) + name.encode() + at.to_bytes(8, "big")
    of = bytes([len(origin.encode())]) + origin.encode()
    return b"subtree/v1\n\0" + signer + of + bytes(8) + int(size).to_bytes(8, "big") + b64(root)


def verified(text: str, vkey: str, blob: bytes) -> int | None:
    """The time of a signature (0 for none) of a note by this key; None where it is not its or does not verify."""
    name, key_id, kind, public = key_of(vkey)
    if blob[:4] != key_id:
        return None
    if kind == 1:
        return 0 if ed25519_verifies(public, text.encode(), blob[4:]) else None
    at = int.from_bytes(blob[4:12], "big")
    verifies = ml_dsa_44_verifies if kind == 6 else ed25519_verifies
    return at if verifies(public, message_of(name, kind, at, text), blob[12:]) else None


def parts(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    text, _, lines = note.rpartition("\n\n")
    cut = [line.split(" ") for line in lines.splitlines()]
    assert all(dash == "—" for dash, _, _ in cut)
    return text + "\n", [(name, b64(blob)) for _, name, blob in cut]


def test_checkpoint() -> None:
    """Both keys of the log and two witnesses signed the same three lines, each over its own message."""
    given = VECTORS["checkpoint"]
    vkeys = {name: each["vkey"] for name, each in VECTORS["keys"].items()}
    text, signatures = parts(given["note"])
    root = base64.b64encode(bytes.fromhex(VECTORS["log"]["roots"][8])).decode()
    assert text == given["text"] == f"operator.example/dueprocess/1\n8\n{root}\n"
    assert [name for name, _ in signatures] == [
        "operator.example/dueprocess/1",
        "operator.example/dueprocess/1",
        "witness.example/w1",
        "witness.example/w2",
    ]
    for signer, (_, blob) in zip(("log", "log_ml_dsa_44", "w1", "w2"), signatures, strict=True):
        assert verified(text, vkeys[signer], blob) == given["times"].get(signer, 0)
        assert verified(text.replace("\n8\n", "\n9\n"), vkeys[signer], blob) is None
        if signer in given["messages"]:
            name, _, kind, _ = key_of(vkeys[signer])
            assert message_of(name, kind, given["times"][signer], text).hex() == given["messages"][signer]
    near, both = (parts(given[f"note_as_small_as_{each}_allows"]) for each in ("near", "both"))
    assert near == (text, [signatures[0], signatures[2]])
    assert both == (text, [signatures[0], *signatures[2:]])


def vouched_until(policy: str, note: str) -> tuple[bool, int | None]:
    """(accepted, latest time that the quorum vouches for) by a reading of tlog-policy of its own."""
    rules = [line.split() for line in policy.splitlines() if line.strip() and not line.startswith("#")]
    text, signatures = parts(note)
    origin = text.split("\n")[0]

    def times(vkey: str) -> Iterator[int]:
        name = vkey.split("+", maxsplit=1)[0]
        found = (verified(text, vkey, blob) for signer, blob in signatures if signer == name)
        return (at for at in found if at is not None)

    logs = [words[1] for words in rules if words[0] == "log" and words[1].split("+")[0] == origin]
    if not any(True for vkey in logs for _ in times(vkey)):
        return False, None
    (quorum,) = (words[1] for words in rules if words[0] == "quorum")
    if quorum == "none":
        return True, None
    best: dict[str, int] = {}
    for kind, name, *rest in rules:
        if kind == "witness":
            best.update((name, at) for at in times(rest[0]))
        if kind == "group":
            need = {"any": 1, "all": len(rest) - 1}.get(rest[0]) or int(rest[0])
            members = sorted((best[each] for each in rest[1:] if each in best), reverse=True)
            best.update([(name, members[need - 1])] if len(members) >= need else [])
    return quorum in best, best.get(quorum)


def test_policies() -> None:
    """Groups, quorum and time: the same verdict on each policy."""
    given = VECTORS["checkpoint"]
    verdicts = []
    for each in given["policies"]:
        accepted, at = vouched_until(each["policy"], given["note"])
        assert accepted == (each["refused"] is None)
        spelled = None if at is None else datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")
        assert spelled == each["witnessed_at"]
        verdicts.append(accepted)
    assert verdicts == [True, True, False, True, True, False]


def test_signed_leaves() -> None:
    """Attestation and changes of keys: the message from the leaf's members, signed by who should."""
    for given in VECTORS["signed_leaves"]:
        leaf = json.loads(given["leaf"])
        _, _, kind, public = key_of(VECTORS["keys"][given["signer"]]["vkey"])
        fields = [leaf["period"]] if leaf["t"] == "attest" else [leaf["op"], leaf["vkey"]]
        message = f"dueprocess/{leaf['t']}/v1\n".encode()
        message += b"".join(len(each).to_bytes(2, "big") + each.encode() for each in fields)
        message += bytes.fromhex(leaf.get("statement_sha256", ""))
        assert (kind, message.hex()) == (1, given["message"])
        assert ed25519_verifies(public, message, b64(leaf.get("sig") or leaf["sig_by_old"]))


def test_the_other_ml_dsa_agrees_with_the_one_in_use() -> None:
    """Keys from one seed are the same; each verifies what the other signs, and refuses what nobody signed."""
    seed = sha(b"agreement")
    ours = MLDSA44PrivateKey.from_seed_bytes(seed)
    public, secret = ML_DSA_44.key_derive(seed)
    assert ours.public_key().public_bytes_raw() == public
    assert ml_dsa_44_verifies(public, b"message", ours.sign(b"message"))
    assert not ml_dsa_44_verifies(public, b"massage", ours.sign(b"message"))
    theirs = ML_DSA_44.sign(secret, b"message")
    MLDSA44PublicKey.from_public_bytes(public).verify(theirs, b"message")
    with pytest.raises(InvalidSignature):
        MLDSA44PublicKey.from_public_bytes(public).verify(theirs, b"massage")


# ---------------------------------------------------------------- receipt


@pytest.mark.parametrize("name", ["receipt", "unwitnessed", "erased"])
def test_receipt(name: str) -> None:
    """From the opened fields to the checkpoint, link by link."""
    given = VECTORS["receipt"]
    receipt = json.loads(given[name])
    assert jcs(receipt).decode() == given[name]
    assert receipt["v"] == 1
    rest = {name: each for name, each in receipt.items() if name != "sha256"}
    assert sha(jcs(rest)).hex() == receipt["sha256"]
    (record,) = receipt["records"]
    commitment = commitment_of_opening(record["opening"])
    leaf = json.loads(record["leaf"])
    path = [b64(each) for each in record["path"]]
    assert root_of_path(record["epoch"], record["place"], commitment, path) == b64(leaf["r"])
    assert int(leaf["e"]) == record["epoch"]
    head, _, checkpoint = record["proof"].partition("\n\n")
    header, index, *hashes = head.split("\n")
    assert (header, index) == ("c2sp.org/tlog-proof@v1", "index 2")
    one, two, three = map(b64, hashes)
    # Leaf 2 of 8: sibling 3 to the right, then 0..1 to the left, then 4..7 to the right.
    found = sha(b"\x00" + record["leaf"].encode())
    found = sha(b"\x01" + two + sha(b"\x01" + found + one))
    assert sha(b"\x01" + found + three).hex() == VECTORS["log"]["roots"][8]
    accepted, at = vouched_until(given["policy"], checkpoint)
    assert accepted == (at is not None) == (not receipt["unwitnessed"])
    assert vouched_until(given["policy_unwitnessed"], checkpoint) == (True, None)
    assert {len(blob) for _, blob in parts(checkpoint)[1]} <= {68, 76}


def test_what_the_receipts_open() -> None:
    """The user sees that he is a subject; of an erased record five fields are left; sizes are as stated."""
    given = VECTORS["receipt"]
    assert len(given["receipt"].encode()) == given["receipt_bytes"]
    user, erased = (json.loads(given[each])["records"][0] for each in ("receipt", "erased"))
    assert user["proof"] == given["proof"] == erased["proof"]
    assert user["proof"].endswith("\n\n" + given["checkpoint"])
    assert root_of_subject(user["subject"]).hex() == user["opening"]["opened"]["subjects_root"]["value"]
    assert (user["subject"]["account"], erased["subject"]) == ("@eva:example.org", None)
    assert erased["opening"] == VECTORS["record"]["opening_erased"]
    assert erased["opening"]["digests"] == user["opening"]["digests"]


def test_policy() -> None:
    """Two keys of one log, one witness, a quorum of one."""
    given = VECTORS["receipt"]
    vkeys = {name: each["vkey"] for name, each in VECTORS["keys"].items()}
    logs = [f"log {vkeys['log']}", f"log {vkeys['log_ml_dsa_44']}"]
    witness, group = f"witness w1 {vkeys['w1']}", "group witnesses 1 w1"
    assert given["policy"].splitlines() == [*logs, witness, group, "quorum witnesses"]
    assert given["policy_unwitnessed"].splitlines() == [*logs, witness, "quorum none"]

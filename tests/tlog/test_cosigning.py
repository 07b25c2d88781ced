"""Checkpoints with several signatures: Ed25519 and ML-DSA-44, of the log and of witnesses, and their times."""

import datetime as dt
import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from dueprocess.errors import MalformedError
from dueprocess.tlog import (
    COSIGNATURE,
    ED25519,
    ML_DSA_44,
    Checkpoint,
    Policy,
    Sign,
    Signature,
    Verified,
    Vkey,
    Witness,
    add_cosignatures,
    cosign,
    cosigned_message,
    format_note,
    format_policy,
    make_vkey,
    open_checkpoint,
    parse_note,
    parse_policy,
    parse_vkey,
    sign_checkpoint,
    verify_note,
    without_ml_dsa,
)

type Signer = tuple[Vkey, Sign]


def signer(name: str, algorithm: int, label: str = "") -> Signer:
    seed = hashlib.sha256(f"{label or name} {algorithm}".encode()).digest()
    if algorithm == ML_DSA_44:
        pq = MLDSA44PrivateKey.from_seed_bytes(seed)
        return make_vkey(name, pq.public_key().public_bytes_raw(), algorithm=algorithm), pq.sign
    key = Ed25519PrivateKey.from_private_bytes(seed)
    return make_vkey(name, key.public_key().public_bytes_raw(), algorithm=algorithm), key.sign


ORIGIN = "log.example/1"
LOG, LOG_PQ = signer(ORIGIN, ED25519), signer(ORIGIN, ML_DSA_44)
W1, W2 = signer("w1.example", COSIGNATURE), signer("w2.example", ML_DSA_44)
W3 = signer("w3.example", COSIGNATURE)
NAMES = {"w1": W1, "w2": W2, "w3": W3}
HEAD = Checkpoint(ORIGIN, 3, hashlib.sha256(b"root").digest())
BOTH = sign_checkpoint(HEAD, [LOG, LOG_PQ], timestamp=90)
LAST = 253_402_300_799


def policy(need: int, *, logs: tuple[Signer, ...] = (LOG, LOG_PQ)) -> Policy:
    witnesses = [Witness(name, vkey) for name, (vkey, _) in NAMES.items()]
    return parse_policy(format_policy([vkey for vkey, _ in logs], witnesses, need=need))


def line(name: str, at: int) -> Signature:
    vkey, sign = NAMES[name]
    return cosign(HEAD.text, vkey, timestamp=at, sign=sign)


def noted(*more: Signature, note: bytes = BOTH) -> bytes:
    return format_note(HEAD.text, (*parse_note(note).signatures, *more))


def code_of(data: bytes, trusted: Policy) -> str:
    with pytest.raises(MalformedError) as caught:
        open_checkpoint(data, trusted)
    return caught.value.code


def test_both_keys_of_a_log_sign_one_checkpoint() -> None:
    """The plain signature first, then the one with the time; both are told."""
    assert open_checkpoint(BOTH, policy(0)).log_vkeys == (LOG[0], LOG_PQ[0])
    found = verify_note(parse_note(BOTH), [LOG[0], LOG_PQ[0]])
    assert found == (Verified(LOG[0], None), Verified(LOG_PQ[0], 90))


@pytest.mark.parametrize("alone", [LOG, LOG_PQ], ids=["Ed25519", "ML-DSA-44"])
def test_one_listed_key_of_the_log_is_enough(alone: Signer) -> None:
    """All listed logs are accepted: of two keys either signs, and a policy may know only one."""
    note = sign_checkpoint(HEAD, [alone], timestamp=90)
    assert open_checkpoint(note, policy(0)).log_vkeys == (alone[0],)
    assert open_checkpoint(BOTH, policy(0, logs=(alone,))).log_vkeys == (alone[0],)


def test_the_message_of_ml_dsa_is_laid_out_as_specified() -> None:
    """Label, signer, time, origin, from 0 to the size, root: each at its place."""
    expected = (
        b"subtree/v1\n\0"
        b"\x0aw2.example"
        + bytes([0, 0, 0, 0, 0, 0, 0, 100])
        + b"\x0dlog.example/1"
        + bytes(8)
        + bytes([0, 0, 0, 0, 0, 0, 0, 3])
        + HEAD.root
    )
    assert cosigned_message(HEAD.text, W2[0], 100) == expected


def test_an_ml_dsa_signature_is_bound_to_time_head_and_signer() -> None:
    """Another time, size, root, origin or name, a cut or a padded signature: bad."""
    good = line("w2", 100)
    moved = Signature(good.name, good.key_id, (101).to_bytes(8, "big") + good.raw[8:])
    others = [
        (HEAD.text, moved),
        (HEAD.text, Signature(good.name, good.key_id, good.raw[:-1])),
        (HEAD.text, Signature(good.name, good.key_id, good.raw + b"\0")),
        (HEAD.text.replace("\n3\n", "\n4\n"), good),
        (HEAD.text.replace("log.example", "lag.example"), good),
        (Checkpoint(ORIGIN, 3, bytes(32)).text, good),
    ]
    for text, signature in others:
        with pytest.raises(MalformedError) as caught:
            verify_note(parse_note(format_note(text, [signature])), [W2[0]])
        assert caught.value.code == "bad-signature"
    renamed = make_vkey("w9.example", W2[0].public, algorithm=ML_DSA_44)
    with pytest.raises(MalformedError):
        verify_note(
            parse_note(format_note(HEAD.text, [Signature(renamed.name, renamed.key_id, good.raw)])), [renamed]
        )


def test_ml_dsa_signs_checkpoints_only() -> None:
    """Any other text has no origin, size and root to sign."""
    with pytest.raises(MalformedError) as caught:
        cosign("hello\n", W2[0], timestamp=1, sign=W2[1])
    assert caught.value.code == "bad-checkpoint"


def test_names_and_origins_of_ml_dsa_have_at_most_255_bytes() -> None:
    """Their length is one byte of what is signed."""
    for length, fits in ((255, True), (256, False)):
        name = "é" * 100 + "x" * (length - 200)
        head = Checkpoint(name, 3, HEAD.root)
        if fits:
            vkey, sign = signer(name, ML_DSA_44)
            assert parse_vkey(vkey.text) == vkey
            sign_checkpoint(head, [(vkey, sign)], timestamp=1)
            continue
        with pytest.raises(MalformedError) as named:
            signer(name, ML_DSA_44)
        with pytest.raises(MalformedError) as long:
            cosign(head.text, W2[0], timestamp=1, sign=W2[1])
        assert (named.value.code, long.value.code) == ("bad-key-name", "long-origin")


@pytest.mark.parametrize(
    ("signers", "timestamp", "code"),
    [
        ((), 1, "bad-signers"),
        ((LOG, LOG), 1, "bad-signers"),
        ((W1,), 1, "wrong-origin"),
        ((signer(ORIGIN, COSIGNATURE),), 1, "wrong-algorithm"),
        ((LOG, LOG_PQ), 0, "bad-cosignature"),
        ((LOG, LOG_PQ), -1, "bad-cosignature"),
        ((LOG, LOG_PQ), 2**63, "bad-cosignature"),
    ],
)
def test_what_a_log_must_not_sign_is_refused(signers: tuple[Signer, ...], timestamp: int, code: str) -> None:
    """No key, one twice, a foreign one, a witness's type, no time."""
    with pytest.raises(MalformedError) as caught:
        sign_checkpoint(HEAD, signers, timestamp=timestamp)
    assert caught.value.code == code


def test_lines_that_nothing_covers_are_refused() -> None:
    """ML-DSA-44 signs three lines only: further ones need the log's Ed25519 signature."""
    more = Checkpoint(ORIGIN, 3, HEAD.root, ("extension",))
    with pytest.raises(MalformedError) as caught:
        sign_checkpoint(more, [LOG_PQ], timestamp=1)
    assert caught.value.code == "uncovered-lines"
    alone = sign_checkpoint(HEAD, [LOG_PQ], timestamp=1)
    slipped_in = alone.replace(b"\n\n", b"\nslipped in\n\n", 1)
    assert verify_note(parse_note(slipped_in), [LOG_PQ[0]])
    assert code_of(slipped_in, policy(0)) == "uncovered-lines"
    covered = sign_checkpoint(more, [LOG, LOG_PQ], timestamp=1)
    assert open_checkpoint(covered, policy(0)).checkpoint == more
    assert code_of(covered, policy(0, logs=(LOG_PQ,))) == "uncovered-lines"


def test_witnesses_of_both_kinds_meet_one_quorum() -> None:
    """Ed25519 and ML-DSA-44 cosigners count alike."""
    opened = open_checkpoint(noted(line("w1", 100), line("w2", 200)), policy(2))
    assert opened.witnesses == (("w1.example", 100), ("w2.example", 200))
    assert opened.witnessed


@pytest.mark.parametrize(
    ("need", "seconds"), [(1, 300), (2, 200), (3, 100)], ids=["one of three", "two of three", "all"]
)
def test_the_witnessed_time_is_the_latest_that_a_quorum_vouches_for(need: int, seconds: int) -> None:
    """A slow or lying witness cannot move it past what the others of the quorum say."""
    opened = open_checkpoint(noted(line("w1", 300), line("w2", 100), line("w3", 200)), policy(need))
    assert opened.witnessed_at == dt.datetime.fromtimestamp(seconds, dt.UTC)


def test_the_witnessed_time_follows_the_groups() -> None:
    """Where one witness is named by the quorum, the others' times do not count."""
    lines = format_policy([LOG[0]], [Witness(name, vkey) for name, (vkey, _) in NAMES.items()])
    named = parse_policy(lines.replace(b"quorum none", b"quorum w2"))
    opened = open_checkpoint(noted(line("w1", 300), line("w2", 100)), named)
    assert opened.witnessed_at == dt.datetime.fromtimestamp(100, dt.UTC)


@pytest.mark.parametrize("name", ["w1", "w2"])
def test_a_witness_that_says_no_time_is_refused(name: str) -> None:
    """Zero makes no statement about the newest head; a time after 9999 cannot be one."""
    vkey, sign = NAMES[name]
    for at in (0, LAST + 1, 2**63 - 1):
        raw = at.to_bytes(8, "big") + sign(cosigned_message(HEAD.text, vkey, at))
        bad = Signature(vkey.name, vkey.key_id, raw)
        assert code_of(noted(bad), policy(0)) == "bad-time"
        with pytest.raises(MalformedError):
            add_cosignatures(BOTH, bad.line.encode(), policy(0))
    assert open_checkpoint(noted(line(name, LAST)), policy(1)).witnessed_at == dt.datetime(
        9999, 12, 31, 23, 59, 59, tzinfo=dt.UTC
    )


def test_the_logs_own_time_may_be_missing() -> None:
    """It makes no statement that anybody relies on: witnesses give the time."""
    vkey, sign = LOG_PQ
    raw = bytes(8) + sign(cosigned_message(HEAD.text, vkey, 0))
    note = format_note(HEAD.text, [Signature(vkey.name, vkey.key_id, raw)])
    assert open_checkpoint(note, policy(0)).log_vkeys == (vkey,)


def test_a_witness_alone_is_no_log() -> None:
    """Cosignatures without the log's signature are not a checkpoint."""
    assert code_of(format_note(HEAD.text, [line("w1", 1), line("w2", 1)]), policy(1)) == "log-did-not-sign"


def test_answers_of_witnesses_are_added_once() -> None:
    """Known and new ones are added in order; unknown ones and those that are there already are left out."""
    stranger, sign = signer("stranger.example", COSIGNATURE)
    foreign = cosign(HEAD.text, stranger, timestamp=1, sign=sign)
    note = add_cosignatures(BOTH, (foreign.line + line("w1", 100).line).encode(), policy(2))
    assert note == noted(line("w1", 100))
    again = add_cosignatures(note, line("w1", 200).line.encode(), policy(2))
    assert again == note
    twice = add_cosignatures(BOTH, (line("w1", 100).line + line("w1", 200).line).encode(), policy(2))
    assert twice == note
    both = add_cosignatures(note, line("w2", 120).line.encode(), policy(2))
    assert open_checkpoint(both, policy(2)).witnesses == (("w1.example", 100), ("w2.example", 120))


def test_a_wrong_answer_of_a_known_witness_is_refused() -> None:
    """For another head, or garbage: the caller learns which witness it was."""
    vkey, sign = W1
    other = cosign(HEAD.text.replace("\n3\n", "\n4\n"), vkey, timestamp=1, sign=sign)
    for bad in (other, Signature(vkey.name, vkey.key_id, bytes(72)), Signature(vkey.name, vkey.key_id, b"x")):
        with pytest.raises(MalformedError, match=r"w1\.example") as caught:
            add_cosignatures(BOTH, bad.line.encode(), policy(1))
        assert caught.value.code == "bad-signature"


def test_the_logs_own_line_is_no_answer_of_a_witness() -> None:
    """Even a valid one is left out: the log signs its own head."""
    line_of_the_log = parse_note(BOTH).signatures[1].line.encode()
    alone = sign_checkpoint(HEAD, [LOG], timestamp=1)
    assert add_cosignatures(alone, line_of_the_log, policy(1)) == alone


@settings(max_examples=60, deadline=None)
@given(st.binary())
def test_any_answer_is_added_or_malformed(lines: bytes) -> None:
    """A witness can say what it wants; the note stays a note."""
    try:
        assert add_cosignatures(BOTH, lines, policy(1)) == BOTH
    except MalformedError:
        return


def test_a_receipts_note_leaves_the_long_signatures_out() -> None:
    """What remains is accepted by the same policy, and is small."""
    note = noted(line("w1", 100), line("w2", 200))
    small = without_ml_dsa(note, policy(1))
    assert small == noted(line("w1", 100), note=sign_checkpoint(HEAD, [LOG], timestamp=1))
    assert len(small) < 400
    assert len(note) > 6_000
    assert open_checkpoint(small, policy(1)).witnesses == (("w1.example", 100),)


def test_a_long_signature_that_the_policy_needs_stays() -> None:
    """Where the quorum or the log has nothing else, dropping it would make the note worthless."""
    w1, w2 = line("w1", 100), line("w2", 200)
    kept = without_ml_dsa(noted(w1, w2), policy(2))
    assert kept == noted(w1, w2, note=sign_checkpoint(HEAD, [LOG], timestamp=1))
    alone = sign_checkpoint(HEAD, [LOG_PQ], timestamp=1)
    assert without_ml_dsa(alone, policy(0)) == alone
    needs_log = noted(w1, w2, note=alone)
    assert open_checkpoint(without_ml_dsa(needs_log, policy(1)), policy(1)).witnesses == (
        ("w1.example", 100),
    )
    assert without_ml_dsa(needs_log, policy(2)) == needs_log


def test_a_note_that_the_policy_refuses_is_not_made_smaller() -> None:
    """It is no use in a receipt."""
    with pytest.raises(MalformedError) as caught:
        without_ml_dsa(BOTH, policy(1))
    assert caught.value.code == "quorum-not-met"


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_a_changed_byte_in_a_checkpoint_is_noticed(data: st.DataObject) -> None:
    """Of text and of known signatures of both kinds: malformed, or no longer signed by that key."""
    note = noted(line("w1", 100), line("w2", 200))
    at = data.draw(st.integers(0, len(note) - 1))
    changed = note[:at] + bytes([note[at] ^ data.draw(st.integers(1, 255))]) + note[at + 1 :]
    try:
        opened = open_checkpoint(changed, policy(0))
    except MalformedError:
        return
    # A changed name or key id makes a line unknown; what remains still says the same.
    assert opened.checkpoint == HEAD
    assert len(opened.log_vkeys) + len(opened.witnesses) == 3


@settings(max_examples=60, deadline=None)
@given(st.binary(min_size=1312, max_size=1312), st.binary(min_size=2420, max_size=2420))
def test_any_bytes_are_an_ml_dsa_key_and_verify_nothing(public: bytes, raw: bytes) -> None:
    """FIPS 204 has no invalid encodings of keys; garbage never verifies and never crashes."""
    vkey = make_vkey("w.example", public, algorithm=ML_DSA_44)
    assert parse_vkey(vkey.text) == vkey
    assert not vkey.verify(raw, b"message")

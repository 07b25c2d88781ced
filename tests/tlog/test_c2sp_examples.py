"""Every example that the C2SP specifications print, read from copies of them.

What an example elides (a key, a signature) cannot be verified, and says so here.
"""

import hashlib
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dueprocess.errors import MalformedError
from dueprocess.tlog import (
    COSIGNATURE,
    ED25519,
    Verified,
    cosigned_message,
    format_note,
    format_proof,
    make_vkey,
    open_checkpoint,
    parse_checkpoint,
    parse_note,
    parse_policy,
    parse_proof,
    parse_vkey,
    verify_note,
)
from dueprocess.wire import b64

EXAMPLES = Path(__file__).parent / "data" / "c2sp-examples"
VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"


def example(name: str) -> bytes:
    return (EXAMPLES / name).read_bytes()


def test_the_signed_note_verifies_under_the_printed_key() -> None:
    """signed-note, "Example"."""
    vkey = parse_vkey(VKEY)
    assert verify_note(parse_note(example("signed-note-example.txt")), [vkey]) == (Verified(vkey, None),)
    changed = example("signed-note-example.txt").replace(b"example message", b"exemple message")
    with pytest.raises(MalformedError):
        verify_note(parse_note(changed), [vkey])


@pytest.mark.parametrize(
    ("name", "signers"),
    [
        ("signed-note-first.txt", ["quasimodo.example/salvatore"]),
        ("signed-note-example.txt", ["example.com/foo"]),
        ("checkpoint.txt", ["example.com/behind-the-sofa"]),
        ("cosignature.txt", ["example.com/behind-the-sofa", "witness.example.com/w1"]),
    ],
)
def test_each_printed_note_is_read_and_written_back(name: str, signers: list[str]) -> None:
    """Byte for byte. The keys of three of them are not printed, so their signatures cannot be verified."""
    note = parse_note(example(name))
    assert [each.name for each in note.signatures] == signers
    assert format_note(note.text, note.signatures) == example(name)


@pytest.mark.parametrize("name", ["checkpoint.txt", "cosignature.txt"])
def test_the_printed_checkpoints_say_origin_size_and_root(name: str) -> None:
    """tlog-checkpoint and tlog-cosignature print the same head."""
    head = parse_checkpoint(parse_note(example(name)).text)
    assert (head.origin, head.size) == ("example.com/behind-the-sofa", 20_852_163)
    assert b64(head.root) == "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="
    assert head.extension == ()


def test_the_printed_cosigned_message_is_what_the_printed_cosignature_signs() -> None:
    """Its time is that in the signature's first eight bytes; the rest is the note's text."""
    note = parse_note(example("cosignature.txt"))
    at = int.from_bytes(note.signatures[1].raw[:8], "big")
    assert at == 1_679_315_147
    assert len(note.signatures[1].raw) == 8 + 64
    witness = make_vkey("witness.example.com/w1", parse_vkey(VKEY).public, algorithm=COSIGNATURE)
    assert cosigned_message(note.text, witness, at) == example("cosigned-message.txt")


def test_the_printed_proof_is_read_and_written_back() -> None:
    """tlog-proof. Its signatures are elided, so the checkpoint in it is not a note."""
    proof = parse_proof(example("proof.txt"))
    assert (proof.index, len(proof.hashes)) == (73_894, 5)
    assert proof.extra is not None
    assert proof.extra.startswith(b"age-v1.2.1-darwin-arm64.tar.gz")
    assert format_proof(proof) == example("proof.txt")
    with pytest.raises(MalformedError) as caught:
        open_checkpoint(proof.checkpoint, parse_policy(f"log {VKEY}\nquorum none\n".encode()))
    assert caught.value.code == "not-base64"


def test_the_printed_policy_means_what_its_text_says() -> None:
    """tlog-policy: two of X and one of Y. Its keys are elided; with keys in their places it is read."""
    printed = example("policy.txt").decode()
    with pytest.raises(MalformedError, match="Line 1 "):
        parse_policy(printed.encode())
    algorithms = [ED25519] + [COSIGNATURE] * 6
    keys = [
        make_vkey(
            f"{number}.example",
            Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"%d" % number).digest())
            .public_key()
            .public_bytes_raw(),
            algorithm=algorithm,
        )
        for number, algorithm in enumerate(algorithms)
    ]
    for each in keys:
        printed = printed.replace("<vkey>", each.text, 1)
    policy = parse_policy(printed.encode())
    _, x1, x2, x3, y1, _, y3 = keys
    assert [each.name for each in policy.witnesses] == ["X1", "X2", "X3", "Y1", "Y2", "Y3"]
    assert policy.satisfied([x1, x3, y3])
    assert not policy.satisfied([x1, x2, x3])
    assert not policy.satisfied([x1, y1, y3])
